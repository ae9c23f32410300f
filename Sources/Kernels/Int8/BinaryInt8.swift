import CVector
import KernelInterface

/// Adds, subtracts or multiplies int8 codes; the formulas are those of `BinaryInt8Parameters`.
func binaryInt8(_ arguments: BinaryInt8Arguments) {
  // Sound: the maker of the arguments vouches for the pointers.
  switch arguments.parameters.operation {
  case .add, .subtract:
    let sum = WeightedSumInt8(arguments.parameters)
    unsafe forEachRow(arguments) { unsafe sum.run($0) }
  case .multiply:
    let product = ProductInt8(arguments.parameters)
    unsafe forEachRow(arguments) { unsafe product.run($0) }
  }
}

/// A row of both operands; a step of 0 repeats the first code of an operand.
// Safe to hold: every use of a pointer is marked where it happens.
@safe private struct OperandsInt8 {
  var left: UnsafePointer<Int8>
  var right: UnsafePointer<Int8>
  var output: UnsafeMutablePointer<Int8>
  let leftStep: Int
  let rightStep: Int
  var count: Int

  /// The first `count` (1 … 16) codes from element `i` on.
  @inline(__always)
  @unsafe func load(_ i: Int, _ count: Int) -> (SIMD16<Int8>, SIMD16<Int8>) {
    let a = unsafe leftStep == 0 ? SIMD16(repeating: left[0]) : loadInt8(left + i, count)
    let b = unsafe rightStep == 0 ? SIMD16(repeating: right[0]) : loadInt8(right + i, count)
    return (a, b)
  }

  /// `count` elements from `i` on.
  @inline(__always)
  @unsafe func part(_ i: Int, _ count: Int) -> OperandsInt8 {
    unsafe OperandsInt8(
      left: left + i &* leftStep, right: right + i &* rightStep, output: output + i,
      leftStep: leftStep, rightStep: rightStep, count: count)
  }
}

@inline(__always)
@unsafe private func forEachRow(_ arguments: BinaryInt8Arguments, _ run: (OperandsInt8) -> Void) {
  var row = 0
  while row < arguments.rows {
    unsafe run(
      OperandsInt8(
        left: arguments.left + row &* arguments.leftStrides.row,
        right: arguments.right + row &* arguments.rightStrides.row,
        output: arguments.output + row &* arguments.columns,
        leftStep: arguments.leftStrides.column, rightStep: arguments.rightStrides.column,
        count: arguments.columns))
    row &+= 1
  }
}

/// `(a · leftMultiplier + b · rightMultiplier + bias) >> shift`, clamped; near the middle of two codes, where the
/// multipliers' error could tell, as the reference computes it.
private struct WeightedSumInt8 {
  private let exact: ExactSumInt8
  private let left: Int32
  private let right: Int32
  private let bias: Int32
  private let shift: Int32
  private let reach: Int32
  private let bounds: OutputBoundsInt8

  init(_ parameters: BinaryInt8Parameters) {
    exact = ExactSumInt8(parameters)
    left = parameters.leftMultiplier
    right = parameters.rightMultiplier
    // The true sum fits int32 (two products below 2²⁹, half a unit below 2²⁹); terms in between may wrap.
    let offset =
      parameters.leftZeroPoint &* parameters.leftMultiplier
      &+ parameters.rightZeroPoint &* parameters.rightMultiplier
    bias = (1 &<< (parameters.shift &- 1)) &- offset
    shift = parameters.shift
    reach = BinaryInt8Parameters.reach
    bounds = parameters.bounds
  }

  /// Two vectors at a time; those with a sum near a middle, and what is left, go through `runExactly`, so that no
  /// register of the loop has to outlive a call.
  @inline(__always)
  @unsafe func run(_ operands: OperandsInt8) {
    var i = 0
    // In bounds: both operands have `count` codes, or one that is repeated.
    while i &+ 32 <= operands.count {
      let (a0, b0) = unsafe operands.load(i, 16)
      let (a1, b1) = unsafe operands.load(i &+ 16, 16)
      let (sum0, sum1) = (sum(a0, b0), sum(a1, b1))
      let nearest = cv_min_s32x16(rest(sum0), rest(sum1))
      if _slowPath(cv_any_at_most_x16(nearest, 2 &* reach)) {
        unsafe runExactly(operands.part(i, 32))
      } else {
        unsafe cv_store_s8x16(operands.output + i, codes(sum0))
        unsafe cv_store_s8x16(operands.output + (i &+ 16), codes(sum1))
      }
      i &+= 32
    }
    if i < operands.count { unsafe runExactly(operands.part(i, operands.count &- i)) }
  }

  @inline(never)
  @unsafe private func runExactly(_ operands: OperandsInt8) {
    var i = 0
    while i < operands.count {
      let count = min(16, operands.count &- i)
      let (a, b) = unsafe operands.load(i, count)
      let sums = sum(a, b)
      let result =
        cv_any_at_most_x16(rest(sums), 2 &* reach)
        ? exact.codes(cv_widen_x16(a), cv_widen_x16(b)) : codes(sums)
      unsafe storeInt8(operands.output + i, result, count)
      i &+= 16
    }
  }

  @inline(__always)
  private func sum(_ a: SIMD16<Int8>, _ b: SIMD16<Int8>) -> SIMD16<Int32> {
    cv_widen_x16(a) &* SIMD16(repeating: left) &+ cv_widen_x16(b) &* SIMD16(repeating: right)
      &+ SIMD16(repeating: bias)
  }

  /// How far above the middle of two codes, less `reach`, in units of `2^(−shift)` codes.
  @inline(__always)
  private func rest(_ sums: SIMD16<Int32>) -> SIMD16<Int32> {
    (sums &+ SIMD16(repeating: reach)) & SIMD16(repeating: (1 &<< shift) &- 1)
  }

  @inline(__always)
  private func codes(_ sums: SIMD16<Int32>) -> SIMD16<Int8> {
    let codes = cv_shift_right_x16(sums, shift) &+ SIMD16(repeating: bounds.zeroPoint)
    return cv_narrow_x16(
      cv_clamp_s32x16(
        codes, SIMD16(repeating: bounds.minimum), SIMD16(repeating: bounds.maximum)))
  }
}

/// Sums in the reference's own integers.
private struct ExactSumInt8 {
  private let left: FixedPointRatio
  private let right: FixedPointRatio
  private let output: FixedPointRatio
  private let isDifference: Bool
  private let leftZeroPoint: Int32
  private let rightZeroPoint: Int32
  private let bounds: OutputBoundsInt8

  init(_ parameters: BinaryInt8Parameters) {
    left = FixedPointRatio(parameters.exactLeft)
    right = FixedPointRatio(parameters.exactRight)
    output = FixedPointRatio(parameters.exactOutput)
    isDifference = if case .subtract = parameters.operation { true } else { false }
    (leftZeroPoint, rightZeroPoint) = (parameters.leftZeroPoint, parameters.rightZeroPoint)
    bounds = parameters.bounds
  }

  @inline(__always)
  func codes(_ a: SIMD16<Int32>, _ b: SIMD16<Int32>) -> SIMD16<Int8> {
    // Codes less their zero points fit nine bits, and twenty more.
    let twenty = SIMD16<Int32>(repeating: 1 &<< 20)
    let first = left.apply(cv_long_x16((a &- SIMD16(repeating: leftZeroPoint)) &* twenty))
    let second = right.apply(cv_long_x16((b &- SIMD16(repeating: rightZeroPoint)) &* twenty))
    let sum = output.apply(isDifference ? first &- second : first &+ second)
    let codes = cv_bounded_x16(
      sum, bounds.minimum &- bounds.zeroPoint, bounds.maximum &- bounds.zeroPoint)
      &+ SIMD16(repeating: bounds.zeroPoint)
    return cv_narrow_x16(codes)
  }
}

/// `clamp(round((a − aZero) · (b − bZero) · scale) + zeroPoint)`.
private struct ProductInt8 {
  private let leftZeroPoint: SIMD16<Int32>
  private let rightZeroPoint: SIMD16<Int32>
  private let requantizer: Requantizer

  init(_ parameters: BinaryInt8Parameters) {
    leftZeroPoint = SIMD16(repeating: parameters.leftZeroPoint)
    rightZeroPoint = SIMD16(repeating: parameters.rightZeroPoint)
    requantizer = Requantizer(parameters.scale, bounds: parameters.bounds)
  }

  /// Two vectors at a time; those with a tie, and what is left, by themselves, as for sums.
  @inline(__always)
  @unsafe func run(_ operands: OperandsInt8) {
    var i = 0
    // In bounds: both operands have `count` codes, or one that is repeated.
    while i &+ 32 <= operands.count {
      let value0 = unsafe requantizer.bounded(product(operands.load(i, 16)))
      let value1 = unsafe requantizer.bounded(product(operands.load(i &+ 16, 16)))
      let farthest = cv_farther_x16(cv_farther_x16(SIMD16(), value0), value1)
      if _slowPath(cv_is_tie_x16(farthest)) {
        unsafe runExactly(operands.part(i, 32))
      } else {
        unsafe cv_store_s8x16(operands.output + i, requantizer.rounded(value0))
        unsafe cv_store_s8x16(operands.output + (i &+ 16), requantizer.rounded(value1))
      }
      i &+= 32
    }
    if i < operands.count { unsafe runExactly(operands.part(i, operands.count &- i)) }
  }

  @inline(never)
  @unsafe private func runExactly(_ operands: OperandsInt8) {
    var i = 0
    while i < operands.count {
      let count = min(16, operands.count &- i)
      let codes = unsafe requantizer.codes(product(operands.load(i, count)))
      unsafe storeInt8(operands.output + i, codes, count)
      i &+= 16
    }
  }

  @inline(__always)
  private func product(_ codes: (SIMD16<Int8>, SIMD16<Int8>)) -> SIMD16<Int32> {
    (cv_widen_x16(codes.0) &- leftZeroPoint) &* (cv_widen_x16(codes.1) &- rightZeroPoint)
  }
}

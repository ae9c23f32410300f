import CVector
import KernelInterface

/// Adds, subtracts or multiplies int8 codes; the formulas are those of `BinaryInt8Parameters`.
func binaryInt8(_ arguments: BinaryInt8Arguments) {
  // Sound: the maker of the arguments vouches for the pointers.
  switch arguments.parameters.operation {
  case .add, .subtract:
    let sum = WeightedSumInt8(arguments.parameters)
    unsafe forEachVector(arguments) { sum.codes($0, $1) }
  case .multiply:
    let product = ProductInt8(arguments.parameters)
    unsafe forEachVector(arguments) { product.codes($0, $1) }
  }
}

/// `(a · leftMultiplier + b · rightMultiplier + bias) >> shift`, clamped; near the middle of two codes, where the
/// multipliers' error could tell, as the reference computes it.
private struct WeightedSumInt8 {
  private let exact: ExactSumInt8
  private let left: SIMD8<Int32>
  private let right: SIMD8<Int32>
  private let bias: SIMD8<Int32>
  private let shift: Int32
  private let zeroPoint: SIMD8<Int32>
  private let lowest: SIMD8<Int32>
  private let highest: SIMD8<Int32>

  init(_ parameters: BinaryInt8Parameters) {
    exact = ExactSumInt8(parameters)
    left = SIMD8(repeating: parameters.leftMultiplier)
    right = SIMD8(repeating: parameters.rightMultiplier)
    // The true sum fits int32 (two products below 2²⁹, half a unit below 2²⁹); terms in between may wrap.
    let offset =
      parameters.leftZeroPoint &* parameters.leftMultiplier
      &+ parameters.rightZeroPoint &* parameters.rightMultiplier
    bias = SIMD8(repeating: (1 &<< (parameters.shift &- 1)) &- offset)
    shift = parameters.shift
    zeroPoint = SIMD8(repeating: parameters.bounds.zeroPoint)
    lowest = SIMD8(repeating: parameters.bounds.minimum)
    highest = SIMD8(repeating: parameters.bounds.maximum)
  }

  @inline(__always)
  func codes(_ a: SIMD8<Int32>, _ b: SIMD8<Int32>) -> SIMD8<Int32> {
    let sum = a &* left &+ b &* right &+ bias
    if _slowPath(cv_is_near_multiple(sum, shift, BinaryInt8Parameters.reach)) {
      return exact.codes(a, b)
    }
    return cv_min_s32(cv_max_s32(cv_shift_right(sum, shift) &+ zeroPoint, lowest), highest)
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

  @inline(never)
  func codes(_ a: SIMD8<Int32>, _ b: SIMD8<Int32>) -> SIMD8<Int32> {
    var codes = SIMD8<Int32>()
    var lane = 0
    while lane < 8 {
      let first = left.apply((a[lane] &- leftZeroPoint) &<< 20)
      let second = right.apply((b[lane] &- rightZeroPoint) &<< 20)
      let sum = isDifference ? first &- second : first &+ second
      let code = output.apply(Int32(truncatingIfNeeded: sum)) &+ Int64(bounds.zeroPoint)
      let bounded = min(max(code, Int64(bounds.minimum)), Int64(bounds.maximum))
      codes[lane] = Int32(truncatingIfNeeded: bounded)
      lane &+= 1
    }
    return codes
  }
}

/// `clamp(round((a − aZero) · (b − bZero) · scale) + zeroPoint)`.
private struct ProductInt8 {
  private let leftZeroPoint: SIMD8<Int32>
  private let rightZeroPoint: SIMD8<Int32>
  private let requantizer: Requantizer

  init(_ parameters: BinaryInt8Parameters) {
    leftZeroPoint = SIMD8(repeating: parameters.leftZeroPoint)
    rightZeroPoint = SIMD8(repeating: parameters.rightZeroPoint)
    requantizer = Requantizer(parameters.scale, bounds: parameters.bounds)
  }

  @inline(__always)
  func codes(_ a: SIMD8<Int32>, _ b: SIMD8<Int32>) -> SIMD8<Int32> {
    requantizer.codes((a &- leftZeroPoint) &* (b &- rightZeroPoint))
  }
}

/// Walks `[rows, columns]` sixteen elements at a time; an operand with column stride 0 is repeated.
@inline(__always)
@unsafe private func forEachVector(
  _ arguments: BinaryInt8Arguments,
  _ codes: (SIMD8<Int32>, SIMD8<Int32>) -> SIMD8<Int32>
) {
  let leftStep = arguments.leftStrides.column
  let rightStep = arguments.rightStrides.column
  var row = 0
  while row < arguments.rows {
    let left = unsafe arguments.left + row &* arguments.leftStrides.row
    let right = unsafe arguments.right + row &* arguments.rightStrides.row
    let output = unsafe arguments.output + row &* arguments.columns
    var column = 0
    while column < arguments.columns {
      let count = min(16, arguments.columns &- column)
      let a =
        unsafe leftStep == 0 ? SIMD16(repeating: left[0]) : loadInt8(left + column, count)
      let b =
        unsafe rightStep == 0 ? SIMD16(repeating: right[0]) : loadInt8(right + column, count)
      let low = codes(cv_widen_s8x8(a.lowHalf), cv_widen_s8x8(b.lowHalf))
      let high = codes(cv_widen_s8x8(a.highHalf), cv_widen_s8x8(b.highHalf))
      unsafe storeInt8(output + column, cv_narrow_s32x16(low, high), count)
      column &+= 16
    }
    row &+= 1
  }
}

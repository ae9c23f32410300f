import CVector
import KernelInterface
import Tensors

/// Folds the middle axis of `[outer, reduced, inner]`.
func reduceElements(_ arguments: ReductionArguments, _ outer: Range<Int>) {
  // Sound: the maker of the arguments vouches for the pointers and their element type.
  switch arguments.type {
  case .float32: unsafe reduceFloats(arguments, outer)
  case .int32: unsafe reduceIntegers(arguments, outer, Int32.self)
  case .int64: unsafe reduceIntegers(arguments, outer, Int64.self)
  case .int8: unsafe reduceCodes(arguments, outer, Int8.self)
  case .uint8: unsafe reduceCodes(arguments, outer, UInt8.self)
  case .int16: unsafe reduceCodes(arguments, outer, Int16.self)
  default: unsafe reduceBools(arguments, outer)
  }
}

/// Folds with `combine` from `start`, and writes what `finish` makes of it.
@inline(__always)
@unsafe private func fold<T, A, R>(
  _ arguments: ReductionArguments, _ outer: Range<Int>, _: T.Type, from start: A,
  _ combine: (A, T) -> A, _ finish: (A) -> R
) {
  let shape = arguments.shape
  var index = outer.lowerBound
  while index < outer.upperBound {
    let base = unsafe arguments.input.assumingMemoryBound(to: T.self)
      + index &* shape.reduced &* shape.inner
    let output = unsafe arguments.output.assumingMemoryBound(to: R.self) + index &* shape.inner
    var channel = 0
    while channel < shape.inner {
      var place = unsafe base + channel
      var sum = start
      var k = 0
      while k < shape.reduced {
        sum = unsafe combine(sum, place.pointee)
        unsafe place += shape.inner
        k &+= 1
      }
      unsafe output[channel] = finish(sum)
      channel &+= 1
    }
    index &+= 1
  }
}

@unsafe private func reduceFloats(_ arguments: ReductionArguments, _ outer: Range<Int>) {
  let count = Float(arguments.shape.reduced)
  switch arguments.operation {
  case .mean:
    unsafe fold(arguments, outer, Float.self, from: Float(0)) { $0 + $1 } _: { $0 / count }
  case .sum: unsafe fold(arguments, outer, Float.self, from: Float(0)) { $0 + $1 } _: { $0 }
  case .product: unsafe fold(arguments, outer, Float.self, from: Float(1)) { $0 * $1 } _: { $0 }
  case .minimum:
    unsafe fold(arguments, outer, Float.self, from: Float.infinity) { $1 < $0 ? $1 : $0 } _: { $0 }
  default:
    unsafe fold(arguments, outer, Float.self, from: -Float.infinity) { $1 > $0 ? $1 : $0 } _: {
      $0
    }
  }
}

@inline(__always)
@unsafe private func reduceIntegers<T: FixedWidthInteger>(
  _ arguments: ReductionArguments, _ outer: Range<Int>, _: T.Type
) {
  let count = T(truncatingIfNeeded: arguments.shape.reduced)
  switch arguments.operation {
  case .mean: unsafe fold(arguments, outer, T.self, from: T(0)) { $0 &+ $1 } _: { $0 / count }
  case .sum: unsafe fold(arguments, outer, T.self, from: T(0)) { $0 &+ $1 } _: { $0 }
  case .product: unsafe fold(arguments, outer, T.self, from: T(1)) { $0 &* $1 } _: { $0 }
  case .minimum: unsafe fold(arguments, outer, T.self, from: T.max) { $1 < $0 ? $1 : $0 } _: { $0 }
  default: unsafe fold(arguments, outer, T.self, from: T.min) { $1 > $0 ? $1 : $0 } _: { $0 }
  }
}

@inline(__always)
@unsafe private func reduceCodes<T: FixedWidthInteger>(
  _ arguments: ReductionArguments, _ outer: Range<Int>, _: T.Type
) {
  let (input, scheme) = (arguments.inputScheme, arguments.outputScheme)
  let inverse = 1 / scheme.scale
  let count = Float(arguments.shape.reduced)
  let isSame = input.scale == scheme.scale && input.zeroPoint == scheme.zeroPoint
  switch arguments.operation {
  case .mean, .sum:
    let divisor: Float = if case .mean = arguments.operation { count } else { 1 }
    unsafe fold(arguments, outer, T.self, from: Int64(0)) {
      $0 &+ Int64(Int32(truncatingIfNeeded: $1) &- input.zeroPoint)
    } _: { (sum: Int64) -> T in
      code(Float(sum) * input.scale * inverse / divisor, scheme.zeroPoint)
    }
  case .product:
    unsafe fold(arguments, outer, T.self, from: Float(1)) { $0 * number($1, input) } _: {
      (value: Float) -> T in code(value * inverse, scheme.zeroPoint)
    }
  case .minimum:
    unsafe fold(arguments, outer, T.self, from: T.max) { $1 < $0 ? $1 : $0 } _: {
      (value: T) -> T in
      isSame ? value : code(number(value, input) * inverse, scheme.zeroPoint)
    }
  default:
    unsafe fold(arguments, outer, T.self, from: T.min) { $1 > $0 ? $1 : $0 } _: {
      (value: T) -> T in
      isSame ? value : code(number(value, input) * inverse, scheme.zeroPoint)
    }
  }
}

@unsafe private func reduceBools(_ arguments: ReductionArguments, _ outer: Range<Int>) {
  if case .any = arguments.operation {
    unsafe fold(arguments, outer, UInt8.self, from: UInt8(0)) { $0 | ($1 != 0 ? 1 : 0) } _: { $0 }
  } else {
    unsafe fold(arguments, outer, UInt8.self, from: UInt8(1)) { $0 & ($1 != 0 ? 1 : 0) } _: { $0 }
  }
}

/// The index of the first greatest or least element.
func argumentOfExtreme(_ arguments: ArgumentArguments, _ outer: Range<Int>) {
  // Sound: the maker of the arguments vouches for the pointers and their element type.
  let shape = arguments.shape
  let isRow = shape.inner == 1 && shape.reduced >= 16 && shape.reduced <= 1 &<< 16
  switch arguments.type {
  case .float32: unsafe findExtreme(arguments, outer, Float.self)
  case .int8 where isRow: unsafe findExtremeCode(arguments, outer, highBit: 0)
  case .uint8 where isRow: unsafe findExtremeCode(arguments, outer, highBit: Int8.min)
  case .int8: unsafe findExtreme(arguments, outer, Int8.self)
  case .uint8, .bool: unsafe findExtreme(arguments, outer, UInt8.self)
  case .int16: unsafe findExtreme(arguments, outer, Int16.self)
  case .int32: unsafe findExtreme(arguments, outer, Int32.self)
  default: unsafe findExtreme(arguments, outer, Int64.self)
  }
}

@inline(__always)
@unsafe private func findExtreme<T: Comparable>(
  _ arguments: ArgumentArguments, _ outer: Range<Int>, _: T.Type
) {
  let shape = arguments.shape
  let isMaximum = arguments.isMaximum
  var index = outer.lowerBound
  while index < outer.upperBound {
    let base = unsafe arguments.input.assumingMemoryBound(to: T.self)
      + index &* shape.reduced &* shape.inner
    var channel = 0
    while channel < shape.inner {
      var best = unsafe base[channel]
      var place = 0
      var k = 1
      // Both by selection: a branch on the values would be guessed wrong too often.
      while k < shape.reduced {
        let value = unsafe base[k &* shape.inner &+ channel]
        let isBetter = isMaximum ? value > best : value < best
        best = isBetter ? value : best
        place = isBetter ? k : place
        k &+= 1
      }
      unsafe arguments.store(place, at: index &* shape.inner &+ channel)
      channel &+= 1
    }
    index &+= 1
  }
}

/// Rows of 16 to 65,536 codes, each as a number whose upper half is the code and whose lower half the place, so that
/// one maximum finds both.
/// - Parameter highBit: turns codes without a sign into codes with one, in their order.
@unsafe private func findExtremeCode(
  _ arguments: ArgumentArguments, _ outer: Range<Int>, highBit: Int8
) {
  let count = arguments.shape.reduced
  let steps = SIMD16<Int32>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
  let flip = SIMD16(repeating: Int32(highBit))
  var index = outer.lowerBound
  while index < outer.upperBound {
    let row = unsafe arguments.input.assumingMemoryBound(to: Int8.self) + index &* count
    var best = SIMD16(repeating: arguments.isMaximum ? Int32.min : Int32.max)
    var k = 0
    while k < count {
      // In bounds: the last vector ends with the row, and has codes that the one before it had.
      let start = min(k, count &- 16)
      let codes = unsafe cv_widen_x16(cv_load_s8x16(row + start)) ^ flip
      let place = steps &+ SIMD16(repeating: Int32(truncatingIfNeeded: start))
      let upper = codes &* SIMD16(repeating: 1 &<< 16)
      best =
        arguments.isMaximum
        ? cv_max_s32x16(best, upper &- place) : cv_min_s32x16(best, upper &+ place)
      k &+= 16
    }
    let place = arguments.isMaximum ? 0 &- cv_greatest_x16(best) : cv_least_x16(best)
    unsafe arguments.store(Int(place & 0xFFFF), at: index)
    index &+= 1
  }
}

extension ArgumentArguments {
  @inline(__always)
  @unsafe fileprivate func store(_ place: Int, at index: Int) {
    if case .int64 = outputType {
      unsafe output.storeBytes(of: place, toByteOffset: 8 &* index, as: Int.self)
    } else {
      unsafe output.storeBytes(
        of: Int32(truncatingIfNeeded: place), toByteOffset: 4 &* index, as: Int32.self)
    }
  }
}

/// Running sums along the middle axis.
func cumulativeSum(_ arguments: CumulativeSumArguments, _ outer: Range<Int>) {
  // Sound: the maker of the arguments vouches for the pointers and their element type.
  switch arguments.type {
  case .float32: unsafe runningSum(arguments, outer, Float(0)) { $0 + $1 }
  case .int32: unsafe runningSum(arguments, outer, Int32(0)) { $0 &+ $1 }
  default: unsafe runningSum(arguments, outer, Int64(0)) { $0 &+ $1 }
  }
}

@inline(__always)
@unsafe private func runningSum<T>(
  _ arguments: CumulativeSumArguments, _ outer: Range<Int>, _ zero: T, _ add: (T, T) -> T
) {
  let shape = arguments.shape
  var index = outer.lowerBound
  while index < outer.upperBound {
    let base = index &* shape.reduced &* shape.inner
    var channel = 0
    while channel < shape.inner {
      var sum = zero
      var k = 0
      while k < shape.reduced {
        let step = arguments.isReversed ? shape.reduced &- 1 &- k : k
        let place = base &+ step &* shape.inner &+ channel
        let value = unsafe arguments.input.assumingMemoryBound(to: T.self)[place]
        let next = add(sum, value)
        unsafe arguments.output.assumingMemoryBound(to: T.self)[place] =
          arguments.isExclusive ? sum : next
        sum = next
        k &+= 1
      }
      channel &+= 1
    }
    index &+= 1
  }
}

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
  switch arguments.type {
  case .float32: unsafe findExtreme(arguments, outer, Float.self)
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
  var index = outer.lowerBound
  while index < outer.upperBound {
    let base = unsafe arguments.input.assumingMemoryBound(to: T.self)
      + index &* shape.reduced &* shape.inner
    var channel = 0
    while channel < shape.inner {
      var best = unsafe base[channel]
      var place = 0
      var k = 1
      while k < shape.reduced {
        let value = unsafe base[k &* shape.inner &+ channel]
        if arguments.isMaximum ? value > best : value < best {
          best = value
          place = k
        }
        k &+= 1
      }
      let output = index &* shape.inner &+ channel
      if case .int64 = arguments.outputType {
        unsafe arguments.output.storeBytes(of: place, toByteOffset: 8 &* output, as: Int.self)
      } else {
        unsafe arguments.output.storeBytes(
          of: Int32(truncatingIfNeeded: place), toByteOffset: 4 &* output, as: Int32.self)
      }
      channel &+= 1
    }
    index &+= 1
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

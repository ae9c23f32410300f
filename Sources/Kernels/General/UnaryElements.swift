import CVector
import KernelInterface
import Tensors

/// A function of one operand.
func unaryElements(_ arguments: UnaryElementsArguments) {
  // Sound: the maker of the arguments vouches for the pointers and their element type.
  switch arguments.type {
  case .float32: unsafe unaryFloat(arguments)
  case .int32: unsafe unaryInteger(arguments, Int32.self)
  case .int64: unsafe unaryInteger(arguments, Int64.self)
  default: unsafe forEach(arguments, UInt8.self) { $0 == 0 ? 1 : 0 }
  }
}

@inline(__always)
@unsafe private func forEach<T>(
  _ arguments: UnaryElementsArguments, _: T.Type, _ function: (T) -> T
) {
  let input = unsafe arguments.input.assumingMemoryBound(to: T.self)
  let output = unsafe arguments.output.assumingMemoryBound(to: T.self)
  var i = 0
  while i < arguments.count {
    unsafe output[i] = function(input[i])
    i &+= 1
  }
}

/// The same for float32, sixteen elements at a time.
@inline(__always)
@unsafe private func forEachVector(
  _ arguments: UnaryElementsArguments, _ function: (SIMD16<Float>) -> SIMD16<Float>
) {
  let input = unsafe arguments.input.assumingMemoryBound(to: Float.self)
  let output = unsafe arguments.output.assumingMemoryBound(to: Float.self)
  var i = 0
  while i < arguments.count {
    let count = min(16, arguments.count &- i)
    unsafe storeFloat32(output + i, function(loadFloat32x16(input + i, count)), count)
    i &+= 16
  }
}

/// `½ x (1 + tanh u)` of `u = √(2/π) (x + 0.044715 x³)`: x times the logistic function of 2u.
@inline(never)
@unsafe private func approximateGelu(_ arguments: UnaryElementsArguments) {
  let input = unsafe arguments.input.assumingMemoryBound(to: Float.self)
  let output = unsafe arguments.output.assumingMemoryBound(to: Float.self)
  var i = 0
  // Written out, because the compiler would not inline so long a function into the shared loop.
  while i < arguments.count {
    let count = min(16, arguments.count &- i)
    let x = unsafe loadFloat32x16(input + i, count)
    let factor = cv_multiply_add_x16(
      SIMD16(repeating: 1.595_769_1), x * x, SIMD16(repeating: 0.071_354_816))
    unsafe storeFloat32(output + i, x * logisticFloat32(x * factor), count)
    i &+= 16
  }
}

@unsafe private func unaryFloat(_ arguments: UnaryElementsArguments) {
  let slope = arguments.slope
  switch arguments.function {
  case .hardSwish:
    unsafe forEachVector(arguments) { x in
      let y = cv_clamp_keeping_nan_x16(
        x + SIMD16(repeating: 3), SIMD16(repeating: 0), SIMD16(repeating: 6))
      return x * y * SIMD16(repeating: 1 / 6)
    }
  case .leakyRelu: unsafe forEach(arguments, Float.self) { $0 >= 0 ? $0 : $0 * slope }
  case .elu: unsafe forEach(arguments, Float.self) { $0 < 0 ? cv_exponential_minus_one($0) : $0 }
  case .gelu:
    unsafe forEach(arguments, Float.self) { 0.5 * $0 * (1 + cv_error_function($0 * 0.70710678)) }
  case .approximateGelu: unsafe approximateGelu(arguments)
  case .absolute: unsafe forEach(arguments, Float.self) { $0.magnitude }
  case .negate: unsafe forEach(arguments, Float.self) { -$0 }
  case .sign: unsafe forEach(arguments, Float.self) { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 }
  case .square: unsafe forEach(arguments, Float.self) { $0 * $0 }
  case .squareRoot: unsafe forEach(arguments, Float.self) { cv_square_root($0) }
  case .reciprocalSquareRoot: unsafe forEach(arguments, Float.self) { 1 / cv_square_root($0) }
  case .exponential: unsafe forEach(arguments, Float.self) { cv_exponential($0) }
  case .logarithm: unsafe forEach(arguments, Float.self) { cv_logarithm($0) }
  case .sine: unsafe forEach(arguments, Float.self) { cv_sine($0) }
  case .cosine: unsafe forEach(arguments, Float.self) { cv_cosine($0) }
  case .floor: unsafe forEach(arguments, Float.self) { cv_floor($0) }
  case .ceiling: unsafe forEach(arguments, Float.self) { cv_ceiling($0) }
  case .round: unsafe forEach(arguments, Float.self) { cv_round_even($0) }
  case .logicalNot: unsafe forEach(arguments, Float.self) { $0 == 0 ? 1 : 0 }
  }
}

@inline(__always)
@unsafe private func unaryInteger<T: FixedWidthInteger & SignedInteger>(
  _ arguments: UnaryElementsArguments, _: T.Type
) {
  switch arguments.function {
  case .absolute: unsafe forEach(arguments, T.self) { $0 < 0 ? 0 &- $0 : $0 }
  case .negate: unsafe forEach(arguments, T.self) { 0 &- $0 }
  case .sign: unsafe forEach(arguments, T.self) { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }
  case .square: unsafe forEach(arguments, T.self) { $0 &* $0 }
  default: unsafe forEach(arguments, T.self) { $0 }
  }
}

/// Other element types for the same numbers.
func cast(_ arguments: CastArguments) {
  // Sound: the maker of the arguments vouches for the pointers and their element types.
  switch arguments.inputType {
  case .float16: castHalves(arguments)
  case .float32: unsafe castFloats(arguments)
  case .int8: unsafe castIntegers(arguments, Int8.self)
  case .uint8: unsafe castIntegers(arguments, UInt8.self)
  case .int16: unsafe castIntegers(arguments, Int16.self)
  case .int32: unsafe castIntegers(arguments, Int32.self)
  case .int64: unsafe castIntegers(arguments, Int64.self)
  case .uint16: unsafe castIntegers(arguments, UInt16.self)
  case .uint32: unsafe castIntegers(arguments, UInt32.self)
  default: unsafe castIntegers(arguments, UInt8.self)
  }
}

@inline(__always)
@unsafe private func convert<T, R>(
  _ arguments: CastArguments, _: T.Type, _ conversion: (T) -> R
) {
  let input = unsafe arguments.input.assumingMemoryBound(to: T.self)
  let output = unsafe arguments.output.assumingMemoryBound(to: R.self)
  var i = 0
  while i < arguments.count {
    unsafe output[i] = conversion(input[i])
    i &+= 1
  }
}

@unsafe private func castFloats(_ arguments: CastArguments) {
  switch arguments.outputType {
  case .float16: castHalves(arguments)
  case .float32: unsafe convert(arguments, Float.self) { $0 }
  case .int8: unsafe convert(arguments, Float.self) { whole($0) as Int8 }
  case .uint8: unsafe convert(arguments, Float.self) { whole($0) as UInt8 }
  case .int16: unsafe convert(arguments, Float.self) { whole($0) as Int16 }
  case .int32: unsafe convert(arguments, Float.self) { whole($0) as Int32 }
  case .int64: unsafe convert(arguments, Float.self) { whole($0) as Int64 }
  case .uint16: unsafe convert(arguments, Float.self) { whole($0) as UInt16 }
  case .uint32: unsafe convert(arguments, Float.self) { whole($0) as UInt32 }
  default: unsafe convert(arguments, Float.self) { $0 != 0 ? UInt8(1) : 0 }
  }
}

/// The whole part, saturated; zero for NaN.
@inline(__always)
private func whole<T: FixedWidthInteger>(_ value: Float) -> T {
  guard value == value else { return 0 }
  // The greatest integer rounds up to a power of two where a float has fewer digits.
  if value >= Float(T.max) { return T.max }
  if value <= Float(T.min) { return T.min }
  return T(truncatingIfNeeded: Int64(value))
}

@inline(__always)
@unsafe private func castIntegers<T: FixedWidthInteger>(_ arguments: CastArguments, _: T.Type) {
  switch arguments.outputType {
  case .float32: unsafe convert(arguments, T.self) { Float(Int64(truncatingIfNeeded: $0)) }
  case .int8: unsafe convert(arguments, T.self) { Int8(truncatingIfNeeded: $0) }
  case .uint8: unsafe convert(arguments, T.self) { UInt8(truncatingIfNeeded: $0) }
  case .int16: unsafe convert(arguments, T.self) { Int16(truncatingIfNeeded: $0) }
  case .uint16: unsafe convert(arguments, T.self) { UInt16(truncatingIfNeeded: $0) }
  case .int32: unsafe convert(arguments, T.self) { Int32(truncatingIfNeeded: $0) }
  case .uint32: unsafe convert(arguments, T.self) { UInt32(truncatingIfNeeded: $0) }
  case .int64: unsafe convert(arguments, T.self) { Int64(truncatingIfNeeded: $0) }
  default: unsafe convert(arguments, T.self) { $0 != 0 ? UInt8(1) : 0 }
  }
}

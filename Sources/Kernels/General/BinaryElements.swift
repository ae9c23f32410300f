import CVector
import KernelInterface
import Tensors

/// An operation of two operands over `[rows, columns]`.
func binaryElements(_ arguments: BinaryElementsArguments) {
  // Sound: the maker of the arguments vouches for the pointers and their element type.
  switch arguments.type {
  case .float32: unsafe binaryFloat(arguments)
  case .int32: unsafe binaryInteger(arguments, Int32.self)
  case .int64: unsafe binaryInteger(arguments, Int64.self)
  case .int8:
    if !arguments.operation.isPredicate, let exact = CodeOperation(arguments) {
      unsafe binaryExactCodes(arguments, exact)
    } else {
      unsafe binaryCodes(arguments, Int8.self)
    }
  case .uint8: unsafe binaryCodes(arguments, UInt8.self)
  case .int16: unsafe binaryCodes(arguments, Int16.self)
  default: unsafe binaryBool(arguments)
  }
}

@inline(__always)
@unsafe private func forEach<T, R>(
  _ arguments: BinaryElementsArguments, _: T.Type, _ operation: (T, T) -> R
) {
  let (leftStep, rightStep) = (arguments.leftStrides.column, arguments.rightStrides.column)
  let lefts = unsafe arguments.left.assumingMemoryBound(to: T.self)
  let rights = unsafe arguments.right.assumingMemoryBound(to: T.self)
  let outputs = unsafe arguments.output.assumingMemoryBound(to: R.self)
  var row = 0
  while row < arguments.rows {
    let left = unsafe lefts + row &* arguments.leftStrides.row
    let right = unsafe rights + row &* arguments.rightStrides.row
    let output = unsafe outputs + row &* arguments.columns
    var column = 0
    while column < arguments.columns {
      unsafe output[column] = operation(left[column &* leftStep], right[column &* rightStep])
      column &+= 1
    }
    row &+= 1
  }
}

/// The same for float32, sixteen elements at a time where both operands follow each other.
@inline(__always)
@unsafe private func forEachVector(
  _ arguments: BinaryElementsArguments,
  _ operation: (SIMD16<Float>, SIMD16<Float>) -> SIMD16<Float>
) {
  let (leftStep, rightStep) = (arguments.leftStrides.column, arguments.rightStrides.column)
  let lefts = unsafe arguments.left.assumingMemoryBound(to: Float.self)
  let rights = unsafe arguments.right.assumingMemoryBound(to: Float.self)
  let outputs = unsafe arguments.output.assumingMemoryBound(to: Float.self)
  var row = 0
  while row < arguments.rows {
    let left = unsafe lefts + row &* arguments.leftStrides.row
    let right = unsafe rights + row &* arguments.rightStrides.row
    let output = unsafe outputs + row &* arguments.columns
    var column = 0
    while column < arguments.columns {
      let count = min(16, arguments.columns &- column)
      let a =
        unsafe leftStep == 0
        ? SIMD16(repeating: left[0]) : loadFloat32x16(left + column &* leftStep, count)
      let b =
        unsafe rightStep == 0
        ? SIMD16(repeating: right[0]) : loadFloat32x16(right + column &* rightStep, count)
      unsafe storeFloat32(output + column, operation(a, b), count)
      column &+= 16
    }
    row &+= 1
  }
}

@unsafe private func binaryFloat(_ arguments: BinaryElementsArguments) {
  let bounds = arguments.bounds
  switch arguments.operation {
  case .divide:
    unsafe forEach(arguments, Float.self) { a, b in
      let value = a / b
      return value < bounds.minimum
        ? bounds.minimum : value > bounds.maximum ? bounds.maximum : value
    }
  case .minimum: unsafe forEachVector(arguments) { cv_less_x16($0, $1) }
  case .maximum: unsafe forEachVector(arguments) { cv_greater_x16($0, $1) }
  case .squaredDifference: unsafe forEachVector(arguments) { ($0 - $1) * ($0 - $1) }
  case .prelu: unsafe forEachVector(arguments) { cv_prelu_x16($0, $1) }
  case .equal: unsafe forEach(arguments, Float.self) { $0 == $1 ? UInt8(1) : 0 }
  case .notEqual: unsafe forEach(arguments, Float.self) { $0 != $1 ? UInt8(1) : 0 }
  case .less: unsafe forEach(arguments, Float.self) { $0 < $1 ? UInt8(1) : 0 }
  case .lessEqual: unsafe forEach(arguments, Float.self) { $0 <= $1 ? UInt8(1) : 0 }
  case .greater: unsafe forEach(arguments, Float.self) { $0 > $1 ? UInt8(1) : 0 }
  case .greaterEqual: unsafe forEach(arguments, Float.self) { $0 >= $1 ? UInt8(1) : 0 }
  default:
    let operation = arguments.operation
    unsafe forEach(arguments, Float.self) { real(operation, $0, $1) }
  }
}

/// The operation on two real numbers; predicates give 0 or 1.
@inline(__always)
private func real(_ operation: ElementOperation, _ a: Float, _ b: Float) -> Float {
  switch operation {
  case .add: return a + b
  case .subtract: return a - b
  case .multiply: return a * b
  case .divide: return a / b
  case .minimum: return a < b ? a : b
  case .maximum: return a > b ? a : b
  case .power: return cv_power(a, b)
  case .arcTangent: return cv_arc_tangent(a, b)
  case .squaredDifference: return (a - b) * (a - b)
  case .floorDivide: return cv_floor(a / b)
  case .floorModulo:
    let remainder = cv_remainder(a, b)
    return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder
  case .prelu: return a >= 0 ? a : a * b
  case .equal: return a == b ? 1 : 0
  case .notEqual: return a != b ? 1 : 0
  case .less: return a < b ? 1 : 0
  case .lessEqual: return a <= b ? 1 : 0
  case .greater: return a > b ? 1 : 0
  case .greaterEqual: return a >= b ? 1 : 0
  case .logicalAnd: return a != 0 && b != 0 ? 1 : 0
  case .logicalOr: return a != 0 || b != 0 ? 1 : 0
  // Whole numbers alone have bits.
  case .bitwiseXor, .rightShift: return 0
  }
}

@inline(__always)
@unsafe private func binaryInteger<T: FixedWidthInteger>(
  _ arguments: BinaryElementsArguments, _: T.Type
) {
  let operation = arguments.operation
  let (lowest, highest) = (bound(arguments.bounds.minimum) as T, bound(arguments.bounds.maximum) as T)
  switch operation {
  case .add: unsafe forEach(arguments, T.self) { min(max($0 &+ $1, lowest), highest) }
  case .subtract: unsafe forEach(arguments, T.self) { min(max($0 &- $1, lowest), highest) }
  case .multiply: unsafe forEach(arguments, T.self) { min(max($0 &* $1, lowest), highest) }
  case .divide:
    unsafe forEach(arguments, T.self) { min(max(integer(.divide, $0, $1), lowest), highest) }
  case .equal: unsafe forEach(arguments, T.self) { $0 == $1 ? UInt8(1) : 0 }
  case .notEqual: unsafe forEach(arguments, T.self) { $0 != $1 ? UInt8(1) : 0 }
  case .less: unsafe forEach(arguments, T.self) { $0 < $1 ? UInt8(1) : 0 }
  case .lessEqual: unsafe forEach(arguments, T.self) { $0 <= $1 ? UInt8(1) : 0 }
  case .greater: unsafe forEach(arguments, T.self) { $0 > $1 ? UInt8(1) : 0 }
  case .greaterEqual: unsafe forEach(arguments, T.self) { $0 >= $1 ? UInt8(1) : 0 }
  default: unsafe forEach(arguments, T.self) { integer(operation, $0, $1) }
  }
}

/// A whole bound as an integer; the type's own end for an infinite one.
@inline(__always)
private func bound<T: FixedWidthInteger>(_ value: Float) -> T {
  value <= -0x1p31 ? T.min : value >= 0x1p31 ? T.max : T(truncatingIfNeeded: Int64(value))
}

/// The rarer operations on two integers; a quotient by zero is zero.
@inline(__always)
private func integer<T: FixedWidthInteger>(_ operation: ElementOperation, _ a: T, _ b: T) -> T {
  switch operation {
  case .minimum: return a < b ? a : b
  case .maximum: return a > b ? a : b
  case .squaredDifference: return (a &- b) &* (a &- b)
  case .prelu: return a >= 0 ? a : a &* b
  case .bitwiseXor: return a ^ b
  case .rightShift: return a &>> min(max(b, 0), T(truncatingIfNeeded: T.bitWidth &- 1))
  case .power:
    var (result, base, exponent) = (T(1), a, b)
    if exponent < 0 { return 0 }
    while exponent > 0 {
      if exponent & 1 == 1 { result = result &* base }
      base = base &* base
      exponent &>>= 1
    }
    return result
  default:
    if b == 0 { return 0 }
    // The least integer by −1 is itself again.
    if b == -1 {
      if case .floorModulo = operation { return 0 }
      return 0 &- a
    }
    let (quotient, remainder) = (a / b, a % b)
    if case .divide = operation { return quotient }
    let isAbove = remainder != 0 && (remainder < 0) != (b < 0)
    if case .floorDivide = operation { return isAbove ? quotient &- 1 : quotient }
    return isAbove ? remainder &+ b : remainder
  }
}

/// Codes, computed as the numbers that they stand for.
@inline(__always)
@unsafe private func binaryCodes<T: FixedWidthInteger>(
  _ arguments: BinaryElementsArguments, _: T.Type
) {
  let operation = arguments.operation
  let (leftScheme, rightScheme) = (arguments.leftScheme, arguments.rightScheme)
  if T.bitWidth == 8, let exact = CodeOperation(arguments) {
    if operation.isPredicate {
      unsafe forEach(arguments, T.self) { (a: T, b: T) -> UInt8 in
        exact.truth(Int32(truncatingIfNeeded: a), Int32(truncatingIfNeeded: b)) ? 1 : 0
      }
    } else {
      unsafe forEach(arguments, T.self) { (a: T, b: T) -> T in
        let code = exact.code(Int32(truncatingIfNeeded: a), Int32(truncatingIfNeeded: b))
        return T(truncatingIfNeeded: min(max(code, Int64(T.min)), Int64(T.max)))
      }
    }
    return
  }
  if operation.isPredicate {
    unsafe forEach(arguments, T.self) { a, b in
      UInt8(
        real(operation, number(a, leftScheme), number(b, rightScheme)) != 0 ? 1 : 0)
    }
    return
  }
  let scheme = arguments.outputScheme
  let inverse = 1 / scheme.scale
  let (lowest, highest) = (arguments.bounds.minimum, arguments.bounds.maximum)
  unsafe forEach(arguments, T.self) { (a: T, b: T) -> T in
    var value = real(operation, number(a, leftScheme), number(b, rightScheme))
    value = value < lowest ? lowest : value > highest ? highest : value
    return code(value * inverse, scheme.zeroPoint)
  }
}

/// Int8 codes in the reference's own integers, sixteen at a time.
@inline(never)
@unsafe private func binaryExactCodes(
  _ arguments: BinaryElementsArguments, _ exact: CodeOperation
) {
  let (leftStep, rightStep) = (arguments.leftStrides.column, arguments.rightStrides.column)
  let lefts = unsafe arguments.left.assumingMemoryBound(to: Int8.self)
  let rights = unsafe arguments.right.assumingMemoryBound(to: Int8.self)
  let outputs = unsafe arguments.output.assumingMemoryBound(to: Int8.self)
  var row = 0
  // In bounds: an operand has as many codes as its strides reach, or one that is repeated.
  while row < arguments.rows {
    let left = unsafe lefts + row &* arguments.leftStrides.row
    let right = unsafe rights + row &* arguments.rightStrides.row
    let output = unsafe outputs + row &* arguments.columns
    var column = 0
    while column < arguments.columns {
      let count = min(16, arguments.columns &- column)
      let a = unsafe leftStep == 0 ? SIMD16(repeating: left[0]) : loadInt8(left + column, count)
      let b = unsafe rightStep == 0 ? SIMD16(repeating: right[0]) : loadInt8(right + column, count)
      unsafe storeInt8(output + column, exact.codes(a, b), count)
      column &+= 16
    }
    row &+= 1
  }
}

/// The number that a code stands for.
@inline(__always)
func number<T: FixedWidthInteger>(_ code: T, _ scheme: CodeScheme) -> Float {
  Float(Int32(truncatingIfNeeded: code) &- scheme.zeroPoint) * scheme.scale
}

/// The code nearest to a number of steps, half away from zero, saturated; NaN becomes the zero point.
@inline(__always)
func code<T: FixedWidthInteger>(_ steps: Float, _ zeroPoint: Int32) -> T {
  let lowest = Float(T.min)
  let highest = Float(T.max)
  let value = cv_round_from_zero(steps) + Float(zeroPoint)
  guard value == value else { return T(truncatingIfNeeded: zeroPoint) }
  let bounded = value < lowest ? lowest : value > highest ? highest : value
  return T(truncatingIfNeeded: Int32(bounded))
}

@unsafe private func binaryBool(_ arguments: BinaryElementsArguments) {
  switch arguments.operation {
  case .logicalAnd: unsafe forEach(arguments, UInt8.self) { $0 != 0 && $1 != 0 ? UInt8(1) : 0 }
  case .logicalOr: unsafe forEach(arguments, UInt8.self) { $0 != 0 || $1 != 0 ? UInt8(1) : 0 }
  case .notEqual: unsafe forEach(arguments, UInt8.self) { $0 != $1 ? UInt8(1) : 0 }
  default: unsafe forEach(arguments, UInt8.self) { $0 == $1 ? UInt8(1) : 0 }
  }
}

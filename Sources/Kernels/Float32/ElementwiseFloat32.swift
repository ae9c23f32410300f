import CVector
import KernelInterface

/// Adds, subtracts or multiplies, then clamps.
func binaryFloat32(_ arguments: BinaryFloat32Arguments) {
  // Sound: the maker of the arguments vouches for the pointers.
  switch arguments.operation {
  case .add: unsafe forEachVector(arguments) { $0 + $1 }
  case .subtract: unsafe forEachVector(arguments) { $0 - $1 }
  case .multiply: unsafe forEachVector(arguments) { $0 * $1 }
  }
}

/// Walks `[rows, columns]` sixteen elements at a time; an operand with column stride 0 is repeated.
@inline(__always)
@unsafe private func forEachVector(
  _ arguments: BinaryFloat32Arguments,
  _ operation: (SIMD16<Float>, SIMD16<Float>) -> SIMD16<Float>
) {
  let leftStep = arguments.leftStrides.column
  let rightStep = arguments.rightStrides.column
  let lowest = SIMD16(repeating: arguments.bounds.minimum)
  let highest = SIMD16(repeating: arguments.bounds.maximum)
  var row = 0
  while row < arguments.rows {
    let left = unsafe arguments.left + row &* arguments.leftStrides.row
    let right = unsafe arguments.right + row &* arguments.rightStrides.row
    let output = unsafe arguments.output + row &* arguments.columns
    var column = 0
    while column < arguments.columns {
      let count = min(16, arguments.columns &- column)
      let a =
        unsafe leftStep == 0 ? SIMD16(repeating: left[0]) : loadFloat32x16(left + column, count)
      let b =
        unsafe rightStep == 0 ? SIMD16(repeating: right[0]) : loadFloat32x16(right + column, count)
      let value = cv_clamp_keeping_nan_x16(operation(a, b), lowest, highest)
      unsafe storeFloat32(output + column, value, count)
      column &+= 16
    }
    row &+= 1
  }
}

/// Applies a function of one operand, then clamps.
func unaryFloat32(_ arguments: UnaryArguments) {
  // Sound: the maker of the arguments vouches for the pointers.
  switch arguments.operation {
  case .clamp: unsafe forEachVector(arguments) { $0 }
  case .logistic: unsafe forEachVector(arguments) { logisticFloat32($0) }
  case .tanh: unsafe forEachVector(arguments) { hyperbolicTangentFloat32($0) }
  case .exponential: unsafe forEachVector(arguments) { exponentialFloat32($0) }
  }
}

@inline(__always)
@unsafe private func forEachVector(
  _ arguments: UnaryArguments, _ function: (SIMD16<Float>) -> SIMD16<Float>
) {
  let lowest = SIMD16(repeating: arguments.bounds.minimum)
  let highest = SIMD16(repeating: arguments.bounds.maximum)
  var i = 0
  while i < arguments.count {
    let count = min(16, arguments.count &- i)
    let value = unsafe function(loadFloat32x16(arguments.input + i, count))
    unsafe storeFloat32(
      arguments.output + i, cv_clamp_keeping_nan_x16(value, lowest, highest), count)
    i &+= 16
  }
}

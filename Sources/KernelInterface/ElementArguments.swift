package import Tensors

/// The general operations of two operands.
package enum ElementOperation: Sendable, Equatable, CaseIterable {
  case add, subtract, multiply, divide, minimum, maximum, power, squaredDifference
  case floorDivide, floorModulo, prelu
  case equal, notEqual, less, lessEqual, greater, greaterEqual
  case logicalAnd, logicalOr
  case arcTangent, bitwiseXor, rightShift

  /// Whether the result is a bool.
  package var isPredicate: Bool {
    switch self {
    case .equal, .notEqual, .less, .lessEqual, .greater, .greaterEqual, .logicalAnd, .logicalOr:
      true
    default: false
    }
  }
}

/// The general functions of one operand.
package enum ElementFunction: Sendable, Equatable, CaseIterable {
  case hardSwish, leakyRelu, elu, gelu, approximateGelu
  case absolute, negate, sign, square, squareRoot, reciprocalSquareRoot
  case exponential, logarithm, sine, cosine, floor, ceiling, round, logicalNot
}

/// Which numbers the codes of a tensor are: `scale · (code − zeroPoint)`; without meaning for other element types.
package struct CodeScheme: Sendable, Equatable {
  package var scale: Float
  package var zeroPoint: Int32

  package init(scale: Float = 1, zeroPoint: Int32 = 0) {
    self.scale = scale
    self.zeroPoint = zeroPoint
  }
}

/// An operation of two operands over `[rows, columns]`; the maker vouches for the pointers.
/// 
/// Codes of 8 and 16 bits are computed as the numbers that they stand for. Integers wrap; a quotient by zero is zero.
@safe package struct BinaryElementsArguments {
  package var operation: ElementOperation
  /// Of both operands, and of the output but for predicates, whose output is bool.
  package var type: DataType
  package var leftScheme: CodeScheme
  package var rightScheme: CodeScheme
  package var outputScheme: CodeScheme
  /// Of numbers; codes have their own.
  package var bounds: OutputBoundsFloat32
  package var rows: Int
  package var columns: Int
  package var left: UnsafeRawPointer
  package var leftStrides: OperandStrides
  package var right: UnsafeRawPointer
  package var rightStrides: OperandStrides
  package var output: UnsafeMutableRawPointer

  package init(
    operation: ElementOperation, type: DataType, leftScheme: CodeScheme, rightScheme: CodeScheme,
    outputScheme: CodeScheme, bounds: OutputBoundsFloat32, rows: Int, columns: Int,
    left: UnsafeRawPointer, leftStrides: OperandStrides, right: UnsafeRawPointer,
    rightStrides: OperandStrides, output: UnsafeMutableRawPointer
  ) {
    self.operation = operation
    self.type = type
    self.leftScheme = leftScheme
    self.rightScheme = rightScheme
    self.outputScheme = outputScheme
    self.bounds = bounds
    self.rows = rows
    self.columns = columns
    unsafe self.left = left
    self.leftStrides = leftStrides
    unsafe self.right = right
    self.rightStrides = rightStrides
    unsafe self.output = output
  }
}

/// A function of one operand; the maker vouches for the pointers.
@safe package struct UnaryElementsArguments {
  package var function: ElementFunction
  /// float32, int32, int64 or bool.
  package var type: DataType
  /// Below zero, of `leakyRelu`.
  package var slope: Float
  package var count: Int
  package var input: UnsafeRawPointer
  package var output: UnsafeMutableRawPointer

  package init(
    function: ElementFunction, type: DataType, slope: Float, count: Int, input: UnsafeRawPointer,
    output: UnsafeMutableRawPointer
  ) {
    self.function = function
    self.type = type
    self.slope = slope
    self.count = count
    unsafe self.input = input
    unsafe self.output = output
  }
}

/// Other element types for the same numbers: fractions are cut off, what does not fit is saturated.
@safe package struct CastArguments {
  package var inputType: DataType
  package var outputType: DataType
  package var count: Int
  package var input: UnsafeRawPointer
  package var output: UnsafeMutableRawPointer

  package init(
    inputType: DataType, outputType: DataType, count: Int, input: UnsafeRawPointer,
    output: UnsafeMutableRawPointer
  ) {
    self.inputType = inputType
    self.outputType = outputType
    self.count = count
    unsafe self.input = input
    unsafe self.output = output
  }
}

/// Takes elements from one of two operands of the output's shape.
@safe package struct SelectArguments {
  package var elementBytes: Int
  package var count: Int
  package var condition: UnsafePointer<UInt8>
  package var left: UnsafeRawPointer
  package var right: UnsafeRawPointer
  package var output: UnsafeMutableRawPointer

  package init(
    elementBytes: Int, count: Int, condition: UnsafePointer<UInt8>, left: UnsafeRawPointer,
    right: UnsafeRawPointer, output: UnsafeMutableRawPointer
  ) {
    self.elementBytes = elementBytes
    self.count = count
    unsafe self.condition = condition
    unsafe self.left = left
    unsafe self.right = right
    unsafe self.output = output
  }
}

/// An int16 operation of two operands over `[rows, columns]`; the maker vouches for the pointers.
///
/// Add and subtract: `clamp(output((left(a · 2¹⁵) ± right(b · 2¹⁵))))`; multiply: `clamp(output(a · b))`; each scale rounds
/// twice.
@safe package struct BinaryInt16Arguments {
  package var parameters: BinaryInt16Parameters
  package var rows: Int
  package var columns: Int
  package var left: UnsafePointer<Int16>
  package var leftStrides: OperandStrides
  package var right: UnsafePointer<Int16>
  package var rightStrides: OperandStrides
  package var output: UnsafeMutablePointer<Int16>

  package init(
    parameters: BinaryInt16Parameters, rows: Int, columns: Int, left: UnsafePointer<Int16>,
    leftStrides: OperandStrides, right: UnsafePointer<Int16>, rightStrides: OperandStrides,
    output: UnsafeMutablePointer<Int16>
  ) {
    self.parameters = parameters
    self.rows = rows
    self.columns = columns
    unsafe self.left = left
    self.leftStrides = leftStrides
    unsafe self.right = right
    self.rightStrides = rightStrides
    unsafe self.output = output
  }
}

/// What an int16 operation of two operands is prepared to.
package struct BinaryInt16Parameters: Sendable, Equatable {
  package var operation: BinaryOperation
  package var left: FixedPointScale
  package var right: FixedPointScale
  package var output: FixedPointScale
  package var minimum: Int16
  package var maximum: Int16

  /// - Precondition: scales are finite and positive.
  package init(
    _ operation: BinaryOperation, left: Float, right: Float, output: Float, minimum: Int16,
    maximum: Int16
  ) {
    self.operation = operation
    self.minimum = minimum
    self.maximum = maximum
    if operation == .multiply {
      (self.left, self.right) = (FixedPointScale(0.5), FixedPointScale(0.5))
      self.output = FixedPointScale(Double(left * right / output))
    } else {
      let widest = 2 * Double(max(left, right))
      self.left = FixedPointScale(Double(left) / widest)
      self.right = FixedPointScale(Double(right) / widest)
      self.output = FixedPointScale(widest / (0x1p15 * Double(output)))
    }
  }
}

/// The mean along the middle axis of int16 codes; the maker vouches for the pointers.
@safe package struct MeanInt16Arguments {
  package var shape: ReductionShape
  /// The ratio of scales, divided by the elements that are reduced.
  package var scale: FixedPointScale
  package var input: UnsafePointer<Int16>
  package var output: UnsafeMutablePointer<Int16>

  package init(
    shape: ReductionShape, scale: FixedPointScale, input: UnsafePointer<Int16>,
    output: UnsafeMutablePointer<Int16>
  ) {
    self.shape = shape
    self.scale = scale
    unsafe self.input = input
    unsafe self.output = output
  }
}

/// Softmax over the last axis of `[rows, columns]` int16 codes; the output's scale is 2⁻¹⁵.
@safe package struct SoftmaxInt16Arguments {
  /// `input scale · beta` in units of the first table's step.
  package var scale: FixedPointScale
  /// The 513 entries of `LookupTableInt16.exponential` and then those of `LookupTableInt16.reciprocal`.
  package var tables: UnsafePointer<Int16>
  /// At least 1.
  package var columns: Int
  package var input: UnsafePointer<Int16>
  package var output: UnsafeMutablePointer<Int16>

  package init(
    scale: FixedPointScale, tables: UnsafePointer<Int16>, columns: Int,
    input: UnsafePointer<Int16>, output: UnsafeMutablePointer<Int16>
  ) {
    self.scale = scale
    unsafe self.tables = tables
    self.columns = columns
    unsafe self.input = input
    unsafe self.output = output
  }
}

/// An int16 function by table, interpolated.
@safe package struct LookupInt16Arguments {
  /// The entries of a `LookupTableInt16`.
  package var table: UnsafePointer<Int16>
  package var count: Int
  package var input: UnsafePointer<Int16>
  package var output: UnsafeMutablePointer<Int16>

  package init(
    table: UnsafePointer<Int16>, count: Int, input: UnsafePointer<Int16>,
    output: UnsafeMutablePointer<Int16>
  ) {
    unsafe self.table = table
    self.count = count
    unsafe self.input = input
    unsafe self.output = output
  }
}

/// The logistic function or the hyperbolic tangent of int16 codes.
@safe package struct SigmoidInt16Arguments {
  package var isTangent: Bool
  /// A code times the multiplier, shifted right, is its number in units of 2⁻⁹ / 24 for the logistic function, 2⁻⁸ / 48
  /// for the tangent.
  package var multiplier: Int32
  package var shift: Int32
  /// The 256 entries of `SigmoidTableInt16`.
  package var table: UnsafePointer<UInt16>
  package var count: Int
  package var input: UnsafePointer<Int16>
  package var output: UnsafeMutablePointer<Int16>

  package init(
    isTangent: Bool, multiplier: Int32, shift: Int32, table: UnsafePointer<UInt16>, count: Int,
    input: UnsafePointer<Int16>, output: UnsafeMutablePointer<Int16>
  ) {
    self.isTangent = isTangent
    self.multiplier = multiplier
    self.shift = shift
    unsafe self.table = table
    self.count = count
    unsafe self.input = input
    unsafe self.output = output
  }
}

/// `output = clamp(round(input / scale))`, half away from zero; NaN becomes the minimum.
@safe package struct QuantizeInt16Arguments {
  /// Finite and positive.
  package var scale: Float
  package var count: Int
  package var input: UnsafePointer<Float>
  package var output: UnsafeMutablePointer<Int16>

  package init(
    scale: Float, count: Int, input: UnsafePointer<Float>, output: UnsafeMutablePointer<Int16>
  ) {
    self.scale = scale
    self.count = count
    unsafe self.input = input
    unsafe self.output = output
  }
}

/// `output = scale · input`.
@safe package struct DequantizeInt16Arguments {
  package var scale: Float
  package var count: Int
  package var input: UnsafePointer<Int16>
  package var output: UnsafeMutablePointer<Float>

  package init(
    scale: Float, count: Int, input: UnsafePointer<Int16>, output: UnsafeMutablePointer<Float>
  ) {
    self.scale = scale
    self.count = count
    unsafe self.input = input
    unsafe self.output = output
  }
}

/// Codes of one width and quantisation to those of another: `clamp(scale(input − inputZeroPoint) + zeroPoint)`.
@safe package struct RequantizeCodesArguments {
  /// Bytes of an input and of an output code: 1, 2 or 4, signed.
  package var inputBytes: Int
  package var outputBytes: Int
  package var scale: FixedPointScale
  /// Of codes below the zero point.
  package var scaleBelow: FixedPointScale
  package var inputZeroPoint: Int32
  package var zeroPoint: Int32
  package var minimum: Int32
  package var maximum: Int32
  package var count: Int
  package var input: UnsafeRawPointer
  package var output: UnsafeMutableRawPointer

  package init(
    inputBytes: Int, outputBytes: Int, scale: FixedPointScale,
    scaleBelow: FixedPointScale? = nil, inputZeroPoint: Int32, zeroPoint: Int32, minimum: Int32, maximum: Int32, count: Int, input: UnsafeRawPointer,
    output: UnsafeMutableRawPointer
  ) {
    self.inputBytes = inputBytes
    self.outputBytes = outputBytes
    self.scale = scale
    self.scaleBelow = scaleBelow ?? scale
    self.inputZeroPoint = inputZeroPoint
    self.zeroPoint = zeroPoint
    self.minimum = minimum
    self.maximum = maximum
    self.count = count
    unsafe self.input = input
    unsafe self.output = output
  }
}

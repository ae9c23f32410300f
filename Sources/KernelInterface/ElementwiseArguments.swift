/// The operations of two operands.
package enum BinaryOperation: Sendable, Equatable, CaseIterable {
  case add, subtract, multiply
}

/// How a `[rows, columns]` output reads one operand: element `(r, c)` is `r · rowStride + c · columnStride`.
///
/// Same shape: (columns, 1). Scalar: (0, 0). Vector along the last axis: (0, 1). One value a row: (1, 0).
package struct OperandStrides: Sendable, Equatable {
  package var row: Int
  /// 0 or 1.
  package var column: Int

  package init(row: Int, column: Int) {
    self.row = row
    self.column = column
  }
}

/// Quantisation of an int8 operation of two operands, in the form that its kernel uses.
///
/// Add and subtract: `((a − aZero) · leftMultiplier + (b − bZero) · rightMultiplier + 2^(shift − 1)) >> shift`, which
/// differs from exact arithmetic by less than 2⁻¹² of the larger ratio of an input's scale to the output's; the shift
/// rounds half up.
/// Multiply: `(a − aZero) · (b − bZero) · scale`, rounded twice as `OutputScale` says.
package struct BinaryInt8Parameters: Sendable, Equatable {
  package var operation: BinaryOperation
  package var leftZeroPoint: Int32
  package var rightZeroPoint: Int32
  package var leftMultiplier: Int32
  package var rightMultiplier: Int32
  /// 1 … 30.
  package var shift: Int32
  package var scale: OutputScale
  package var bounds: OutputBoundsInt8
  /// Add and subtract as the reference computes them: both operands times 2²⁰ to half the range of the larger scale,
  /// and their sum to the output.
  package var exactLeft: FixedPointScale
  package var exactRight: FixedPointScale
  package var exactOutput: FixedPointScale

  /// How far, in units of `2^(−shift)` codes, the multiplications may be from the reference: half a unit for each step
  /// of both operands, and one more of the larger scale's for the reference's own rounding.
  package static let reach: Int32 = 300

  /// - Precondition: scales are finite and positive.
  package init(
    _ operation: BinaryOperation, left: (scale: Float, zeroPoint: Int32),
    right: (scale: Float, zeroPoint: Int32), outputScale: Float, bounds: OutputBoundsInt8
  ) {
    self.operation = operation
    leftZeroPoint = left.zeroPoint
    rightZeroPoint = right.zeroPoint
    self.bounds = bounds
    let widest = 2 * Double(max(left.scale, right.scale))
    exactLeft = FixedPointScale(Double(left.scale) / widest)
    exactRight = FixedPointScale(Double(right.scale) / widest)
    exactOutput = FixedPointScale(Self.bounded(widest / (0x1p20 * Double(outputScale))))
    // In float32, as the reference multiplies them.
    scale = OutputScale(
      Self.bounded(Double(left.scale * right.scale / outputScale)), roundsTwice: true)
    let leftRatio = Self.bounded(Double(left.scale) / Double(outputScale))
    let rightRatio = Self.bounded(Double(right.scale) / Double(outputScale))
    // The larger multiplier lies in 2^20 ..< 2^21, so that both products and their sum fit 31 bits.
    let exponent = Int(max(leftRatio, rightRatio).exponent)
    let shift = min(max(20 - exponent, 1), 30)
    self.shift = Int32(shift)
    let unit = Double(sign: .plus, exponent: shift, significand: 1)
    // A ratio beyond 2^20 saturates every code but the zero point's, whatever the multiplier.
    let highest = Double(1 << 21)
    leftMultiplier = Int32(min((leftRatio * unit).rounded(), highest))
    let rightCode = Int32(min((rightRatio * unit).rounded(), highest))
    rightMultiplier = operation == .subtract ? -rightCode : rightCode
  }

  /// A ratio whose exponent stays far from the ends of its range, whatever the scales were.
  private static func bounded(_ ratio: Double) -> Double {
    ratio > 0x1p-40 ? min(ratio, 0x1p40) : 0x1p-40
  }
}

/// An int8 operation of two operands over `[rows, columns]`; the maker vouches for the pointers.
@safe package struct BinaryInt8Arguments {
  package var parameters: BinaryInt8Parameters
  package var rows: Int
  package var columns: Int
  package var left: UnsafePointer<Int8>
  package var leftStrides: OperandStrides
  package var right: UnsafePointer<Int8>
  package var rightStrides: OperandStrides
  package var output: UnsafeMutablePointer<Int8>

  package init(
    parameters: BinaryInt8Parameters, rows: Int, columns: Int, left: UnsafePointer<Int8>,
    leftStrides: OperandStrides, right: UnsafePointer<Int8>, rightStrides: OperandStrides,
    output: UnsafeMutablePointer<Int8>
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

/// A float32 operation of two operands over `[rows, columns]`; the maker vouches for the pointers.
@safe package struct BinaryFloat32Arguments {
  package var operation: BinaryOperation
  package var bounds: OutputBoundsFloat32
  package var rows: Int
  package var columns: Int
  package var left: UnsafePointer<Float>
  package var leftStrides: OperandStrides
  package var right: UnsafePointer<Float>
  package var rightStrides: OperandStrides
  package var output: UnsafeMutablePointer<Float>

  package init(
    operation: BinaryOperation, bounds: OutputBoundsFloat32 = OutputBoundsFloat32(), rows: Int,
    columns: Int, left: UnsafePointer<Float>, leftStrides: OperandStrides,
    right: UnsafePointer<Float>, rightStrides: OperandStrides, output: UnsafeMutablePointer<Float>
  ) {
    self.operation = operation
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

/// The functions of one float32 operand.
package enum UnaryOperation: Sendable, Equatable, CaseIterable {
  /// `min(max(x, minimum), maximum)`: the relu family by its bounds.
  case clamp
  /// `1 / (1 + exp(−x))`.
  case logistic
  case tanh
  case exponential
}

/// An operation of one float32 operand; the maker vouches for the pointers.
@safe package struct UnaryArguments {
  package var operation: UnaryOperation
  package var bounds: OutputBoundsFloat32
  package var count: Int
  package var input: UnsafePointer<Float>
  package var output: UnsafeMutablePointer<Float>

  package init(
    operation: UnaryOperation, bounds: OutputBoundsFloat32 = OutputBoundsFloat32(), count: Int,
    input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>
  ) {
    self.operation = operation
    self.bounds = bounds
    self.count = count
    unsafe self.input = input
    unsafe self.output = output
  }
}

/// An int8 function by table: `output[i] = table[input[i] + 128]`.
@safe package struct LookupInt8Arguments {
  /// 256 codes.
  package var table: UnsafePointer<Int8>
  package var count: Int
  package var input: UnsafePointer<Int8>
  package var output: UnsafeMutablePointer<Int8>

  package init(
    table: UnsafePointer<Int8>, count: Int, input: UnsafePointer<Int8>,
    output: UnsafeMutablePointer<Int8>
  ) {
    unsafe self.table = table
    self.count = count
    unsafe self.input = input
    unsafe self.output = output
  }
}

/// Softmax over the last axis of `[rows, columns]` int8 codes; the output's scale is 1/256, its zero point −128.
@safe package struct SoftmaxInt8Arguments {
  /// The 256 entries of a `SoftmaxTableInt8`.
  package var table: UnsafePointer<Float>
  /// At least 1.
  package var columns: Int
  package var input: UnsafePointer<Int8>
  package var output: UnsafeMutablePointer<Int8>

  package init(
    table: UnsafePointer<Float>, columns: Int, input: UnsafePointer<Int8>,
    output: UnsafeMutablePointer<Int8>
  ) {
    unsafe self.table = table
    self.columns = columns
    unsafe self.input = input
    unsafe self.output = output
  }
}

/// `softmax(beta · input)` over the last axis of `[rows, columns]`.
@safe package struct SoftmaxFloat32Arguments {
  package var beta: Float
  /// At least 1.
  package var columns: Int
  package var input: UnsafePointer<Float>
  package var output: UnsafeMutablePointer<Float>

  package init(
    beta: Float, columns: Int, input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>
  ) {
    self.beta = beta
    self.columns = columns
    unsafe self.input = input
    unsafe self.output = output
  }
}

/// `output = clamp(round(input / scale) + zeroPoint)`, half away from zero; NaN becomes the minimum.
@safe package struct QuantizeArguments {
  /// Finite and positive.
  package var scale: Float
  package var bounds: OutputBoundsInt8
  package var count: Int
  package var input: UnsafePointer<Float>
  package var output: UnsafeMutablePointer<Int8>

  package init(
    scale: Float, bounds: OutputBoundsInt8, count: Int, input: UnsafePointer<Float>,
    output: UnsafeMutablePointer<Int8>
  ) {
    self.scale = scale
    self.bounds = bounds
    self.count = count
    unsafe self.input = input
    unsafe self.output = output
  }
}

/// `output = scale · (input − zeroPoint)`.
@safe package struct DequantizeArguments {
  package var scale: Float
  package var zeroPoint: Int32
  package var count: Int
  package var input: UnsafePointer<Int8>
  package var output: UnsafeMutablePointer<Float>

  package init(
    scale: Float, zeroPoint: Int32, count: Int, input: UnsafePointer<Int8>,
    output: UnsafeMutablePointer<Float>
  ) {
    self.scale = scale
    self.zeroPoint = zeroPoint
    self.count = count
    unsafe self.input = input
    unsafe self.output = output
  }
}

/// `output = clamp(rint((input − inputZeroPoint) · scale) + zeroPoint)`, half to even.
@safe package struct RequantizeArguments {
  /// `inputScale / outputScale`.
  package var scale: Float
  package var inputZeroPoint: Int32
  package var bounds: OutputBoundsInt8
  package var count: Int
  package var input: UnsafePointer<Int8>
  package var output: UnsafeMutablePointer<Int8>

  package init(
    scale: Float, inputZeroPoint: Int32, bounds: OutputBoundsInt8, count: Int,
    input: UnsafePointer<Int8>, output: UnsafeMutablePointer<Int8>
  ) {
    self.scale = scale
    self.inputZeroPoint = inputZeroPoint
    self.bounds = bounds
    self.count = count
    unsafe self.input = input
    unsafe self.output = output
  }
}

/// Quantises each row of `[rows, columns]` by its own range (dynamic range).
///
/// Symmetric: `scale = max|x| / 127`, zero point 0. Asymmetric: the range is widened to include zero, and zero is a code.
/// A row of zeros gets scale 1 and codes of zero.
@safe package struct QuantizeRowsArguments {
  package var isSymmetric: Bool
  package var columns: Int
  package var input: UnsafePointer<Float>
  package var output: UnsafeMutablePointer<Int8>
  /// One for each row, written.
  package var scales: UnsafeMutablePointer<Float>
  /// One for each row, written.
  package var zeroPoints: UnsafeMutablePointer<Int32>

  package init(
    isSymmetric: Bool, columns: Int, input: UnsafePointer<Float>,
    output: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<Float>,
    zeroPoints: UnsafeMutablePointer<Int32>
  ) {
    self.isSymmetric = isSymmetric
    self.columns = columns
    unsafe self.input = input
    unsafe self.output = output
    unsafe self.scales = scales
    unsafe self.zeroPoints = zeroPoints
  }
}

/// Copies `rows` rows of `rowBytes` bytes between two strided places: concatenation, slicing, padding.
@safe package struct CopyRowsArguments {
  package var rows: Int
  package var rowBytes: Int
  package var input: UnsafeRawPointer
  package var inputStrideBytes: Int
  package var output: UnsafeMutableRawPointer
  package var outputStrideBytes: Int

  package init(
    rows: Int, rowBytes: Int, input: UnsafeRawPointer, inputStrideBytes: Int,
    output: UnsafeMutableRawPointer, outputStrideBytes: Int
  ) {
    self.rows = rows
    self.rowBytes = rowBytes
    unsafe self.input = input
    self.inputStrideBytes = inputStrideBytes
    unsafe self.output = output
    self.outputStrideBytes = outputStrideBytes
  }
}

/// Repeats an element of 1, 2, 4 or 8 bytes `count` times.
@safe package struct FillArguments {
  /// The element's bytes in its low `elementBytes` bytes.
  package var pattern: UInt64
  package var elementBytes: Int
  package var count: Int
  package var output: UnsafeMutableRawPointer

  package init(pattern: UInt64, elementBytes: Int, count: Int, output: UnsafeMutableRawPointer) {
    self.pattern = pattern
    self.elementBytes = elementBytes
    self.count = count
    unsafe self.output = output
  }
}

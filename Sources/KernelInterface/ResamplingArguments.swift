package import Tensors

/// Another height and width for `[n, h, w, c]`; the maker vouches for the pointers.
@safe package struct ResizeArguments {
  package var isBilinear: Bool
  package var alignsCorners: Bool
  package var hasHalfPixelCenters: Bool
  /// Bilinear: float32, int8, uint8 or int16.
  package var type: DataType
  package var height: Int
  package var width: Int
  /// Elements of a pixel; its bytes for nearest.
  package var channels: Int
  package var outputHeight: Int
  package var outputWidth: Int
  package var input: UnsafeRawPointer
  package var output: UnsafeMutableRawPointer

  package init(
    isBilinear: Bool, alignsCorners: Bool, hasHalfPixelCenters: Bool, type: DataType,
    height: Int, width: Int, channels: Int, outputHeight: Int, outputWidth: Int,
    input: UnsafeRawPointer, output: UnsafeMutableRawPointer
  ) {
    self.isBilinear = isBilinear
    self.alignsCorners = alignsCorners
    self.hasHalfPixelCenters = hasHalfPixelCenters
    self.type = type
    self.height = height
    self.width = width
    self.channels = channels
    self.outputHeight = outputHeight
    self.outputWidth = outputWidth
    unsafe self.input = input
    unsafe self.output = output
  }
}

/// What codes quantised at run time are, for a transposed convolution; the maker vouches for the pointers.
@safe package struct TransposeConvolutionDynamicRange {
  /// One for each image of the batch.
  package var rowScales: UnsafePointer<Float>
  /// One for each image of the batch.
  package var rowZeroPoints: UnsafePointer<Int32>
  /// One for each channel of the result.
  package var weightScales: UnsafePointer<Float>

  package init(
    rowScales: UnsafePointer<Float>, rowZeroPoints: UnsafePointer<Int32>,
    weightScales: UnsafePointer<Float>
  ) {
    unsafe self.rowScales = rowScales
    unsafe self.rowZeroPoints = rowZeroPoints
    unsafe self.weightScales = weightScales
  }
}

/// What int16 codes with int8 weights are, for a transposed convolution; the maker vouches for the pointers.
@safe package struct TransposeConvolutionInt16 {
  /// One for each channel of the result.
  package var scales: UnsafePointer<OutputScaleInt16>
  /// One for each channel of the result.
  package var bias: UnsafePointer<Int64>
  package var minimum: Int16
  package var maximum: Int16

  package init(
    scales: UnsafePointer<OutputScaleInt16>, bias: UnsafePointer<Int64>, minimum: Int16,
    maximum: Int16
  ) {
    unsafe self.scales = scales
    unsafe self.bias = bias
    self.minimum = minimum
    self.maximum = maximum
  }
}

/// A transposed convolution of float32 values or of codes.
@safe package struct TransposeConvolutionArguments {
  /// Of the convolution that is transposed: its input is this one's output.
  package var geometry: WindowGeometry
  package var type: DataType
  /// `[inputChannels, kernelHeight, kernelWidth, outputChannels]` in the geometry's terms.
  package var weights: UnsafeRawPointer
  /// Float32, or int32 for codes.
  package var bias: UnsafeRawPointer?
  /// Codes: from sums to the result's codes, one for each channel of the result.
  package var scales: UnsafePointer<FixedPointScale>?
  package var inputZeroPoint: Int32
  /// The code of a weight of zero.
  package var weightZeroPoint: Int32
  /// Int16 codes: what int8 codes have of their own.
  package var wide: TransposeConvolutionInt16?
  /// Dynamic range: scales and zero points of each image's codes, and the weights' scale for each channel of the
  /// result, which is float32 then; nil for an output of the input's type.
  package var dynamic: TransposeConvolutionDynamicRange?
  package var bounds: OutputBoundsInt8
  package var floatBounds: OutputBoundsFloat32
  package var input: UnsafeRawPointer
  package var output: UnsafeMutableRawPointer

  package init(
    geometry: WindowGeometry, type: DataType, weights: UnsafeRawPointer, bias: UnsafeRawPointer?,
    scales: UnsafePointer<FixedPointScale>?, inputZeroPoint: Int32, weightZeroPoint: Int32 = 0,
    wide: TransposeConvolutionInt16? = nil, dynamic: TransposeConvolutionDynamicRange? = nil,
    bounds: OutputBoundsInt8,
    floatBounds: OutputBoundsFloat32, input: UnsafeRawPointer, output: UnsafeMutableRawPointer
  ) {
    self.weightZeroPoint = weightZeroPoint
    self.wide = wide
    self.dynamic = dynamic
    self.geometry = geometry
    self.type = type
    unsafe self.weights = weights
    unsafe self.bias = bias
    unsafe self.scales = scales
    self.inputZeroPoint = inputZeroPoint
    self.bounds = bounds
    self.floatBounds = floatBounds
    unsafe self.input = input
    unsafe self.output = output
  }
}

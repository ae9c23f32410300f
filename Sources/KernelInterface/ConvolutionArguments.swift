/// The part of a convolution that one call computes: output pixels × panels of output channels.
package struct WorkRange: Sendable, Equatable {
  /// Indices into `0 ..< geometry.outputRows`.
  package var rows: Range<Int>
  /// Indices into `0 ..< panels` of the packed weights.
  package var panels: Range<Int>

  package init(rows: Range<Int>, panels: Range<Int>) {
    self.rows = rows
    self.panels = panels
  }
}

/// Output quantisation and bounds of an int8 kernel: `clamp(round(accumulator · scale) + zeroPoint)`.
package struct OutputBoundsInt8: Sendable, Equatable {
  package var zeroPoint: Int32
  /// Lowest code, −128 or the activation's.
  package var minimum: Int32
  /// Highest code, 127 or the activation's.
  package var maximum: Int32

  /// - Precondition: −128 ≤ minimum ≤ maximum ≤ 127, zero point an int8 code.
  package init(zeroPoint: Int32, minimum: Int32 = -128, maximum: Int32 = 127) {
    self.zeroPoint = zeroPoint
    self.minimum = minimum
    self.maximum = maximum
  }
}

/// Bounds of a float32 kernel: the activation that is fused into it.
package struct OutputBoundsFloat32: Sendable, Equatable {
  package var minimum: Float
  package var maximum: Float

  package init(minimum: Float = -.infinity, maximum: Float = .infinity) {
    self.minimum = minimum
    self.maximum = maximum
  }
}

/// An int8 convolution, depthwise convolution or fully connected layer to an int8 output.
///
/// The maker vouches for the pointers: `input` and `output` hold what `geometry` says, `weights` what this table's
/// pack function wrote, `scratch` (64-byte aligned, one for each concurrent call) the bytes that the table asks for.
@safe package struct ConvolutionInt8Arguments {
  package var geometry: WindowGeometry
  package var input: UnsafePointer<Int8>
  package var weights: UnsafeRawPointer
  package var output: UnsafeMutablePointer<Int8>
  /// Elements from one output pixel to the next; `geometry.outputChannels` when the output is dense.
  package var outputRowStride: Int
  /// The code of zero, which padding is filled with.
  package var inputZeroPoint: Int8
  /// The code of a weight of zero, of a convolution; what was packed for a depthwise one has it in its weights.
  package var weightZeroPoint: Int32
  package var bounds: OutputBoundsInt8
  /// Whether every packed scale is below a half, so that no sum times its scale reaches 2³⁰.
  package var scalesAreBelowHalf: Bool
  package var scratch: UnsafeMutableRawPointer

  package init(
    geometry: WindowGeometry, input: UnsafePointer<Int8>, weights: UnsafeRawPointer,
    output: UnsafeMutablePointer<Int8>, outputRowStride: Int? = nil, inputZeroPoint: Int8,
    weightZeroPoint: Int32 = 0, bounds: OutputBoundsInt8, scalesAreBelowHalf: Bool = false,
    scratch: UnsafeMutableRawPointer
  ) {
    self.scalesAreBelowHalf = scalesAreBelowHalf
    self.weightZeroPoint = weightZeroPoint
    self.geometry = geometry
    unsafe self.input = input
    unsafe self.weights = weights
    unsafe self.output = output
    self.outputRowStride = outputRowStride ?? geometry.outputChannels
    self.inputZeroPoint = inputZeroPoint
    self.bounds = bounds
    unsafe self.scratch = scratch
  }
}

/// The same with activations that were quantised at run time, to a float32 output (dynamic range).
///
/// `output = clamp((Σ weight · (code − zeroPoint)) · rowScale · weightScale + bias)`.
@safe package struct ConvolutionHybridArguments {
  package var geometry: WindowGeometry
  /// The codes that `quantizeRows` wrote.
  package var input: UnsafePointer<Int8>
  /// One for each image of the batch.
  package var rowScales: UnsafePointer<Float>
  /// One for each image of the batch.
  package var rowZeroPoints: UnsafePointer<Int32>
  package var weights: UnsafeRawPointer
  package var output: UnsafeMutablePointer<Float>
  package var outputRowStride: Int
  package var bounds: OutputBoundsFloat32
  package var scratch: UnsafeMutableRawPointer

  package init(
    geometry: WindowGeometry, input: UnsafePointer<Int8>, rowScales: UnsafePointer<Float>,
    rowZeroPoints: UnsafePointer<Int32>, weights: UnsafeRawPointer,
    output: UnsafeMutablePointer<Float>, outputRowStride: Int? = nil, bounds: OutputBoundsFloat32,
    scratch: UnsafeMutableRawPointer
  ) {
    self.geometry = geometry
    unsafe self.input = input
    unsafe self.rowScales = rowScales
    unsafe self.rowZeroPoints = rowZeroPoints
    unsafe self.weights = weights
    unsafe self.output = output
    self.outputRowStride = outputRowStride ?? geometry.outputChannels
    self.bounds = bounds
    unsafe self.scratch = scratch
  }
}

/// A float32 convolution, depthwise convolution or fully connected layer; pointers as for int8.
@safe package struct ConvolutionFloat32Arguments {
  package var geometry: WindowGeometry
  package var input: UnsafePointer<Float>
  package var weights: UnsafeRawPointer
  package var output: UnsafeMutablePointer<Float>
  package var outputRowStride: Int
  package var bounds: OutputBoundsFloat32
  package var scratch: UnsafeMutableRawPointer

  package init(
    geometry: WindowGeometry, input: UnsafePointer<Float>, weights: UnsafeRawPointer,
    output: UnsafeMutablePointer<Float>, outputRowStride: Int? = nil, bounds: OutputBoundsFloat32,
    scratch: UnsafeMutableRawPointer
  ) {
    self.geometry = geometry
    unsafe self.input = input
    unsafe self.weights = weights
    unsafe self.output = output
    self.outputRowStride = outputRowStride ?? geometry.outputChannels
    self.bounds = bounds
    unsafe self.scratch = scratch
  }
}

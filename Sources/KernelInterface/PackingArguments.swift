/// What int8 weights are packed from, for a convolution, depthwise convolution or fully connected layer.
///
/// For an int8 output, `scales` are the requantisation ratios `inputScale · weightScale / outputScale` and `bias` is
/// int32. For a float output from quantised activations (dynamic range), `scales` are the weight scales, `bias` is nil
/// and `floatBias` may be given; `inputZeroPoint` is then 0, because it differs from row to row.
/// The maker vouches that the pointers hold what the counts say.
@safe package struct PackInt8Arguments {
  /// Convolution: `[outputChannels][kernelHeight][kernelWidth][inputChannels]`; depthwise: `[taps][outputChannels]`.
  package var weights: UnsafePointer<Int8>
  package var outputChannels: Int
  /// Convolution: elements of one window. Depthwise: taps of one window.
  package var depth: Int
  /// One for the whole tensor, or `outputChannels`.
  package var scales: UnsafeBufferPointer<Float>
  /// `outputChannels` values, or nil for zeros.
  package var bias: UnsafePointer<Int32>?
  /// `outputChannels` values, or nil for zeros.
  package var floatBias: UnsafePointer<Float>?
  package var inputZeroPoint: Int32
  /// `PackedWeights.byteCount` or `PackedDepthwiseWeights.byteCount` bytes, 64-byte aligned.
  package var destination: UnsafeMutableRawPointer

  package init(
    weights: UnsafePointer<Int8>, outputChannels: Int, depth: Int,
    scales: UnsafeBufferPointer<Float>, bias: UnsafePointer<Int32>?,
    floatBias: UnsafePointer<Float>? = nil, inputZeroPoint: Int32,
    destination: UnsafeMutableRawPointer
  ) {
    unsafe self.weights = weights
    self.outputChannels = outputChannels
    self.depth = depth
    unsafe self.scales = scales
    unsafe self.bias = bias
    unsafe self.floatBias = floatBias
    self.inputZeroPoint = inputZeroPoint
    unsafe self.destination = destination
  }
}

/// What float32 weights are packed from; shapes as in `PackInt8Arguments`.
@safe package struct PackFloat32Arguments {
  package var weights: UnsafePointer<Float>
  package var outputChannels: Int
  package var depth: Int
  /// `outputChannels` values, or nil for zeros.
  package var bias: UnsafePointer<Float>?
  package var destination: UnsafeMutableRawPointer

  package init(
    weights: UnsafePointer<Float>, outputChannels: Int, depth: Int, bias: UnsafePointer<Float>?,
    destination: UnsafeMutableRawPointer
  ) {
    unsafe self.weights = weights
    self.outputChannels = outputChannels
    self.depth = depth
    unsafe self.bias = bias
    unsafe self.destination = destination
  }
}

/// What int8 weights are packed from, for a convolution, depthwise convolution or fully connected layer.
///
/// The maker vouches that the pointers hold what the counts say.
@safe package struct PackInt8Arguments {
  /// Convolution: `[outputChannels][kernelHeight][kernelWidth][inputChannels]`; depthwise: `[taps][outputChannels]`.
  package var weights: UnsafePointer<Int8>
  package var outputChannels: Int
  /// Convolution: elements of one window. Depthwise: taps of one window.
  package var depth: Int
  /// Of a convolution of one line only: elements from one output channel to the next, `depth` where not said.
  package var channelStride: Int
  /// Likewise elements from one of the depth to the next; 1 where not said.
  package var depthStride = 1
  /// Convolution: `WindowGeometry.windowLines`; depthwise: `WindowGeometry.depthwiseLines`.
  package var lines: Int
  /// One for the whole tensor, or `outputChannels`.
  package var scales: UnsafeBufferPointer<Float>
  /// `outputChannels` values, or nil for zeros; an int8 output only.
  package var bias: UnsafePointer<Int32>?
  /// `outputChannels` values, or nil for zeros; a float output only.
  package var floatBias: UnsafePointer<Float>?
  /// As many as `scales`, or none for zeros; an int8 output only. See `OutputScale`.
  package var tieOffsets: UnsafeBufferPointer<Float>
  /// The code of a weight of zero; not 0 for an int8 output only.
  package var weightZeroPoint: Int32
  /// Nil when it differs from row to row, for a float output.
  package var inputZeroPoint: Int32?
  /// `PackedWeights.byteCount` or `PackedDepthwiseWeights.byteCount` bytes, 64-byte aligned.
  package var destination: UnsafeMutableRawPointer

  /// For an int8 output; `scales` are the requantisation ratios `inputScale · weightScale / outputScale`.
  package init(
    weights: UnsafePointer<Int8>, outputChannels: Int, depth: Int, lines: Int,
    scales: UnsafeBufferPointer<Float>,
    tieOffsets: UnsafeBufferPointer<Float>? = nil,
    weightZeroPoint: Int32 = 0, bias: UnsafePointer<Int32>?, inputZeroPoint: Int32,
    destination: UnsafeMutableRawPointer
  ) {
    unsafe self.tieOffsets = tieOffsets ?? UnsafeBufferPointer(start: nil, count: 0)
    self.weightZeroPoint = weightZeroPoint
    unsafe self.weights = weights
    self.outputChannels = outputChannels
    self.depth = depth
    channelStride = depth
    self.lines = lines
    unsafe self.scales = scales
    unsafe self.bias = bias
    unsafe self.floatBias = nil
    self.inputZeroPoint = inputZeroPoint
    unsafe self.destination = destination
  }

  /// For a float output from activations quantised at run time (dynamic range).
  package init(
    weights: UnsafePointer<Int8>, outputChannels: Int, depth: Int, lines: Int,
    weightScales: UnsafeBufferPointer<Float>, floatBias: UnsafePointer<Float>?,
    destination: UnsafeMutableRawPointer
  ) {
    unsafe self.tieOffsets = UnsafeBufferPointer(start: nil, count: 0)
    self.weightZeroPoint = 0
    unsafe self.weights = weights
    self.outputChannels = outputChannels
    self.depth = depth
    channelStride = depth
    self.lines = lines
    unsafe self.scales = weightScales
    unsafe self.bias = nil
    unsafe self.floatBias = floatBias
    self.inputZeroPoint = nil
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

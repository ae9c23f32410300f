/// The kernels of int16 activations, whose weights are int8 and whose zero points are 0.
///
/// The rules of `KernelTable` hold. Results are those of TensorFlow Lite's reference kernels, bit by bit, but where a
/// kernel says otherwise.
@safe package struct Int16Kernels: Sendable {
  /// The range is of rows and panels of `ConvolutionInt16Arguments.channels` output channels.
  package var convolution: @Sendable (ConvolutionInt16Arguments, WorkRange) -> Void
  /// The range is of output rows.
  package var depthwise: @Sendable (ConvolutionInt16Arguments, Range<Int>) -> Void
  package var binary: @Sendable (BinaryInt16Arguments) -> Void
  /// The range is of `outer` indices.
  package var mean: @Sendable (MeanInt16Arguments, Range<Int>) -> Void
  /// The range is of rows.
  package var softmax: @Sendable (SoftmaxInt16Arguments, Range<Int>) -> Void
  package var lookup: @Sendable (LookupInt16Arguments) -> Void
  package var sigmoid: @Sendable (SigmoidInt16Arguments) -> Void
  package var quantize: @Sendable (QuantizeInt16Arguments) -> Void
  package var dequantize: @Sendable (DequantizeInt16Arguments) -> Void
  package var requantize: @Sendable (RequantizeCodesArguments) -> Void

  package init(
    convolution: @escaping @Sendable (ConvolutionInt16Arguments, WorkRange) -> Void,
    depthwise: @escaping @Sendable (ConvolutionInt16Arguments, Range<Int>) -> Void,
    binary: @escaping @Sendable (BinaryInt16Arguments) -> Void,
    mean: @escaping @Sendable (MeanInt16Arguments, Range<Int>) -> Void,
    softmax: @escaping @Sendable (SoftmaxInt16Arguments, Range<Int>) -> Void,
    lookup: @escaping @Sendable (LookupInt16Arguments) -> Void,
    sigmoid: @escaping @Sendable (SigmoidInt16Arguments) -> Void,
    quantize: @escaping @Sendable (QuantizeInt16Arguments) -> Void,
    dequantize: @escaping @Sendable (DequantizeInt16Arguments) -> Void,
    requantize: @escaping @Sendable (RequantizeCodesArguments) -> Void
  ) {
    self.convolution = convolution
    self.depthwise = depthwise
    self.binary = binary
    self.mean = mean
    self.softmax = softmax
    self.lookup = lookup
    self.sigmoid = sigmoid
    self.quantize = quantize
    self.dequantize = dequantize
    self.requantize = requantize
  }
}

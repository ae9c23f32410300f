/// A float32 convolution over depth, height and width; the maker vouches for the pointers.
///
/// Vectors hold depth, height and width.
@safe package struct Convolution3DArguments {
  package var input: SIMD4<Int>
  package var kernel: SIMD4<Int>
  package var output: SIMD4<Int>
  package var stride: SIMD4<Int>
  package var dilation: SIMD4<Int>
  /// Padding before each axis.
  package var before: SIMD4<Int>
  package var inputChannels: Int
  package var outputChannels: Int
  /// Each of the input's elements adds a window to the output.
  package var isTransposed: Bool
  package var bounds: OutputBoundsFloat32
  package var activations: UnsafePointer<Float>
  /// `[kd, kh, kw, inputChannels, outputChannels]`.
  package var weights: UnsafePointer<Float>
  package var bias: UnsafePointer<Float>?
  package var result: UnsafeMutablePointer<Float>

  package init(
    input: SIMD4<Int>, kernel: SIMD4<Int>, output: SIMD4<Int>, stride: SIMD4<Int>,
    dilation: SIMD4<Int>, before: SIMD4<Int>, inputChannels: Int, outputChannels: Int,
    isTransposed: Bool = false, bounds: OutputBoundsFloat32, activations: UnsafePointer<Float>,
    weights: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
    result: UnsafeMutablePointer<Float>
  ) {
    self.input = input
    self.kernel = kernel
    self.output = output
    self.stride = stride
    self.dilation = dilation
    self.before = before
    self.inputChannels = inputChannels
    self.outputChannels = outputChannels
    self.isTransposed = isTransposed
    self.bounds = bounds
    unsafe self.activations = activations
    unsafe self.weights = weights
    unsafe self.bias = bias
    unsafe self.result = result
  }
}

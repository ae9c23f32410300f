/// Two-dimensional transforms of real pictures to the non-negative frequencies of the last axis.
///
/// Extents of the transform are powers of two; the input is cut or filled with zeros. The maker vouches for the pointers.
@safe package struct SpectrumArguments {
  package var inputHeight: Int
  package var inputWidth: Int
  package var height: Int
  package var width: Int
  /// `[pictures, inputHeight, inputWidth]`.
  package var input: UnsafePointer<Float>
  /// `[pictures, height, width / 2 + 1]` pairs.
  package var output: UnsafeMutablePointer<Float>
  /// `cos` and `−sin` of `2πk / width` for `k` in `0 ..< width / 2`, as pairs; then the same of the height.
  package var turns: UnsafePointer<Double>
  /// `scratchBytes` bytes of the calling thread.
  package var scratch: UnsafeMutablePointer<Double>

  package init(
    inputHeight: Int, inputWidth: Int, height: Int, width: Int, input: UnsafePointer<Float>,
    output: UnsafeMutablePointer<Float>, turns: UnsafePointer<Double>,
    scratch: UnsafeMutablePointer<Double>
  ) {
    self.inputHeight = inputHeight
    self.inputWidth = inputWidth
    self.height = height
    self.width = width
    unsafe self.input = input
    unsafe self.output = output
    unsafe self.turns = turns
    unsafe self.scratch = scratch
  }

  /// Scratch bytes for a transform of these extents.
  package static func scratchBytes(height: Int, width: Int) -> Int {
    // The picture of frequencies, one line of it, and room for one line more to be spread out.
    16 * (height * (width / 2 + 1) + max(height, width))
  }
}

/// The magnitudes of complex numbers; the maker vouches for the pointers.
@safe package struct MagnitudeArguments {
  package var count: Int
  /// Pairs.
  package var input: UnsafePointer<Float>
  package var output: UnsafeMutablePointer<Float>

  package init(count: Int, input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>) {
    self.count = count
    unsafe self.input = input
    unsafe self.output = output
  }
}

/// A convolution over depth, height and width.
///
/// Inputs: activations `[n, d, h, w, c]`, weights `[kd, kh, kw, c, o]`, and optionally a bias `[o]`.
/// Output: `[n, d', h', w', o]`. The transposed one, which adds a window of weights to the output for each of the
/// input's elements, has four inputs, of which the last is the output's shape and the bias may be absent.
package struct Convolution3D: Sendable, Equatable {
  /// Over height and width, and how the depth is padded.
  package var window: Window2D
  package var strideDepth: Int
  package var dilationDepth: Int
  package var activation: Activation
  package var isTransposed: Bool

  package init(
    window: Window2D, strideDepth: Int = 1, dilationDepth: Int = 1, activation: Activation = .none,
    isTransposed: Bool = false
  ) {
    self.isTransposed = isTransposed
    self.window = window
    self.strideDepth = strideDepth
    self.dilationDepth = dilationDepth
    self.activation = activation
  }

  /// Where the kernel lies on the input: height and width, and the depth as another height.
  package func geometry(
    input: [Int], kernel: [Int]
  ) -> (plane: WindowGeometry, depth: WindowGeometry)? {
    let along = Window2D(
      strideHeight: strideDepth, dilationHeight: dilationDepth, padding: window.padding)
    guard
      let plane = window.geometry(
        height: input[1], width: input[2], kernelHeight: kernel[1], kernelWidth: kernel[2]),
      let depth = along.geometry(
        height: input[0], width: 1, kernelHeight: kernel[0], kernelWidth: 1)
    else { return nil }
    return (plane, depth)
  }
}

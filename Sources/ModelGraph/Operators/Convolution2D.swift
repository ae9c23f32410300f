/// A convolution over height and width.
///
/// Inputs: activations `[n, h, w, c]`, weights `[o, kh, kw, c / groups]`, and optionally a bias
/// `[o]`. Output: `[n, h', w', o]`. Groups are implied by the two channel counts.
package struct Convolution2D: Sendable, Equatable {
  package var window: Window2D
  package var activation: Activation

  package init(window: Window2D, activation: Activation = .none) {
    self.window = window
    self.activation = activation
  }
}

/// A convolution of each input channel on its own.
///
/// Inputs: activations `[n, h, w, c]`, weights `[1, kh, kw, c · m]`, and optionally a bias `[c ·
/// m]`. Output: `[n, h', w', c · m]`; output channel `i` reads input channel `i / m`.
package struct DepthwiseConvolution2D: Sendable, Equatable {
  package var window: Window2D
  package var activation: Activation

  package init(window: Window2D, activation: Activation = .none) {
    self.window = window
    self.activation = activation
  }
}

/// A matrix product with constant-shaped weights.
///
/// Inputs: activations of any rank whose elements are rows of `k`, weights `[o, k]`, and optionally
/// a bias `[o]`. Output: `[rows, o]`, or the input's leading extents and `o` when
/// `keepsDimensions`.
package struct FullyConnected: Sendable, Equatable {
  package var activation: Activation
  package var keepsDimensions: Bool
  /// Dynamic-range only: activations are quantised with a zero point, not symmetrically.
  package var quantizesAsymmetrically: Bool

  package init(
    activation: Activation = .none, keepsDimensions: Bool = false,
    quantizesAsymmetrically: Bool = false
  ) {
    self.activation = activation
    self.keepsDimensions = keepsDimensions
    self.quantizesAsymmetrically = quantizesAsymmetrically
  }
}

/// Changes height and width. Inputs: `[n, h, w, c]`, and the new height and width.
package struct Resize: Sendable, Equatable {
  package enum Kind: String, Sendable, Equatable {
    case bilinear, nearest
  }

  package var kind: Kind
  /// The corner pixels' centres of input and output meet.
  package var alignsCorners: Bool
  /// A pixel's centre is half a pixel from its edge.
  package var hasHalfPixelCenters: Bool

  package init(kind: Kind, alignsCorners: Bool, hasHalfPixelCenters: Bool) {
    self.kind = kind
    self.alignsCorners = alignsCorners
    self.hasHalfPixelCenters = hasHalfPixelCenters
  }
}

/// Matrix products over leading axes that broadcast. Inputs: `[…, m, k]` and `[…, k, n]`.
package struct BatchMatmul: Sendable, Equatable {
  /// The left matrices are given as `[…, k, m]`.
  package var transposesLeft: Bool
  /// The right matrices are given as `[…, n, k]`.
  package var transposesRight: Bool
  /// Dynamic-range only: activations are quantised with a zero point, not symmetrically.
  package var quantizesAsymmetrically: Bool

  package init(
    transposesLeft: Bool, transposesRight: Bool, quantizesAsymmetrically: Bool = false
  ) {
    self.transposesLeft = transposesLeft
    self.transposesRight = transposesRight
    self.quantizesAsymmetrically = quantizesAsymmetrically
  }
}

/// The transpose of a convolution: every input pixel adds a window of weights to the output.
///
/// Inputs: the output's shape, weights `[o, kh, kw, c]`, activations `[n, h, w, c]`, and optionally
/// a bias `[o]`.
package struct TransposeConvolution2D: Sendable, Equatable {
  package var window: Window2D
  package var activation: Activation

  package init(window: Window2D, activation: Activation = .none) {
    self.window = window
    self.activation = activation
  }
}

/// Reduces each window of each channel to one element.
///
/// Input: `[n, h, w, c]`. Output: `[n, h', w', c]`. Padding takes no part in an average or a
/// maximum. Input and output carry one quantisation.
package struct Pool2D: Sendable, Equatable {
  package enum Kind: String, Sendable, Equatable {
    case average, maximum
    /// The square root of the mean of the squares; canonicalisation makes it three operators.
    case rootMeanSquare
  }

  package var kind: Kind
  package var height: Int
  package var width: Int
  package var window: Window2D
  package var activation: Activation
  /// Means of codes round half up, as those of codes without sign do, else half away from zero.
  package var roundsUp: Bool

  package init(
    kind: Kind, height: Int, width: Int, window: Window2D, activation: Activation = .none,
    roundsUp: Bool = false
  ) {
    self.roundsUp = roundsUp
    self.kind = kind
    self.height = height
    self.width = width
    self.window = window
    self.activation = activation
  }
}

/// How a window moves over the two spatial axes of an NHWC tensor.
package struct Window2D: Sendable, Equatable {
  package var strideHeight: Int
  package var strideWidth: Int
  /// Distance between taps; 1 means adjacent.
  package var dilationHeight: Int
  package var dilationWidth: Int
  package var padding: Padding2D

  package init(
    strideHeight: Int = 1, strideWidth: Int = 1, dilationHeight: Int = 1, dilationWidth: Int = 1,
    padding: Padding2D = .valid
  ) {
    self.strideHeight = strideHeight
    self.strideWidth = strideWidth
    self.dilationHeight = dilationHeight
    self.dilationWidth = dilationWidth
    self.padding = padding
  }
}

/// What lies around the input of a window.
package enum Padding2D: Sendable, Equatable {
  /// Nothing: only whole windows count.
  case valid
  /// As much as makes the output `ceil(input / stride)` long, the odd element after the input.
  case same
  /// Rows and columns of zero (the zero point of a quantised input).
  case explicit(top: Int, bottom: Int, left: Int, right: Int)
}

/// What a graph may ask for at most; all far beyond any model that fits a device.
package enum GraphLimits {
  /// Elements along one axis. Sums and products of two extents then stay within 64 bits.
  package static let extentMaximum = Int(Int32.max)
  /// Elements of a value, axes without any counted as one, so that strides stay within 64 bits too.
  package static let elementsMaximum = 1 << 48
  /// Groups of a convolution that are computed one by one; a group of one channel is a depthwise convolution, of which
  /// there may be any number.
  package static let groupsMaximum = 1 << 9
  /// Elements of a constant that is read as a parameter: axes, extents, amounts of padding.
  package static let parameterElementsMaximum = 64
  /// Iterations of a loop; one that goes on is ended, and its inference fails.
  package static let loopIterationsMaximum = 1 << 20
  /// Detections, classes and detections of a class that a detector's list may be asked for.
  package static let detectionsMaximum = 1 << 16
  /// Elements of one axis of a Fourier transform.
  package static let transformLengthMaximum = 1 << 20
  /// Bytes that folding constants may make anew: constants may share the bytes of a file, their
  /// folds do not.
  package static let foldedBytesMaximum = 1 << 28
  /// Bytes of a computed value that are worked out with the shapes: parameters of later operators.
  package static let knownBytesMaximum = 1 << 12
}

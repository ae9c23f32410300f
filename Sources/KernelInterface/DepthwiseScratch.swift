/// How a depthwise kernel divides its scratch.
package struct DepthwiseScratch: Sendable, Equatable {
  /// Taps rounded up to pairs; two tables of as many offsets (`Int`) come first.
  package var paddedTaps: Int
  /// Where the stand-in for a row of padding begins: as long as a line of the input, and one vector more.
  package var paddingOffset: Int
  /// Elements of the stand-in.
  package var paddingElements: Int
  /// Where two vectors of 16 gathered elements begin.
  package var gatherOffset: Int
  package var byteCount: Int

  package init(_ geometry: WindowGeometry, elementBytes: Int) {
    let vector = PackedDepthwiseWeights.channels
    paddedTaps = (geometry.taps + 1) / 2 * 2
    paddingOffset = 2 * paddedTaps * 8
    paddingElements = geometry.inputWidth * geometry.inputChannels + vector
    gatherOffset = paddingOffset + (paddingElements * elementBytes + 63) / 64 * 64
    byteCount = gatherOffset + 2 * vector * elementBytes
  }
}

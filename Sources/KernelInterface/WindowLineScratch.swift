/// How a float32 convolution divides its scratch.
///
/// The rows of a window are read where they lie in the input, through a table of their addresses. Only rows that
/// reach over the left or right border, or are dilated, are copied; those above and below share one row of zeros.
package struct WindowLineScratch: Sendable, Equatable {
  /// Addresses in the table: `[kernelHeight][rowBlock]`.
  package var addresses: Int
  /// Where the row of zeros begins.
  package var zerosOffset: Int
  /// Where the copies begin, `[rowBlock][depth]`.
  package var copiesOffset: Int
  package var byteCount: Int

  package init(_ geometry: WindowGeometry, rowBlock: Int) {
    addresses = geometry.kernelHeight * rowBlock
    zerosOffset = (addresses * 8 + 63) / 64 * 64
    let isCopied = !geometry.isPointwise
    copiesOffset =
      zerosOffset + (isCopied ? geometry.kernelWidth * geometry.inputChannels * 4 : 0)
    byteCount =
      copiesOffset + (isCopied ? min(rowBlock, geometry.outputRows) * geometry.depth * 4 : 0)
  }
}

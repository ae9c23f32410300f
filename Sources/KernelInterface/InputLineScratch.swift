/// How a convolution with borders divides its scratch: sums of rows, a table of addresses, slots for lines of the input.
///
/// A line of the input is copied once, with padding at both ends, in the form that the tiles read; so no window reaches
/// over a border, and what several windows share is copied once. The slots take turns: line `y` goes to slot
/// `y % slots`.
package struct InputLineScratch: Sendable, Equatable {
  /// Addresses (or offsets) in the table, 8 bytes each.
  package var addresses: Int
  /// Elements of one line that windows reach over, padding included.
  package var lineElements: Int
  /// Elements from one slot to the next: copies write whole vectors, and tiles read them.
  package var slotElements: Int
  /// Slots for lines of the input, but one more for a line of padding.
  package var slots: Int
  package var slotsOffset: Int
  package var byteCount: Int

  /// Room for an `Int32` for each of up to 64 rows.
  package static var rowSumsBytes: Int { 256 }
  /// Elements that a copy may write, and a tile read, beyond the end of a line.
  package static var overrun: Int { 64 }

  /// For a convolution in blocks of `rowBlock` output pixels; `tile` says how activations are stored.
  package init(_ geometry: WindowGeometry, rowBlock: Int, tile: MatrixTile) {
    let rows = min(rowBlock, geometry.outputPixels)
    let (quotient, rest) = max(0, rows - 1).quotientAndRemainder(
      dividingBy: max(1, geometry.outputWidth))
    let outputLines = min(geometry.outputHeight, quotient + (rest > 0 ? 2 : 1))
    self.init(
      geometry, outputLines: outputLines, addresses: geometry.windowLines * rowBlock,
      elementBytes: tile.activationBytes)
  }

  /// For one output line at a time of a depthwise convolution; `elementBytes` are those of a stored activation.
  package init(depthwise geometry: WindowGeometry, elementBytes: Int) {
    self.init(
      geometry, outputLines: 1, addresses: (geometry.taps + 3) / 4 * 4 + 3 * geometry.kernelWidth,
      elementBytes: elementBytes)
  }

  private init(_ geometry: WindowGeometry, outputLines: Int, addresses: Int, elementBytes: Int) {
    self.addresses = addresses
    let pixels =
      (geometry.outputWidth - 1) * geometry.strideWidth
      + (geometry.kernelWidth - 1) * geometry.dilationWidth + 1
    lineElements = max(1, pixels) * geometry.inputChannels
    slotElements = (lineElements + Self.overrun + 63) / 64 * 64
    slots = min(
      geometry.inputHeight,
      (outputLines - 1) * geometry.strideHeight
        + (geometry.kernelHeight - 1) * geometry.dilationHeight + 1)
    slotsOffset = Self.rowSumsBytes + (addresses * 8 + 63) / 64 * 64
    byteCount = slotsOffset + (max(0, slots) + 1) * slotElements * elementBytes
  }
}

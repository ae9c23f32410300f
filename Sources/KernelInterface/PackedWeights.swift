/// Where everything lies in weights packed for a matrix product.
///
/// The output channels are cut into panels of `tile.channels`; the last panel is padded with zeros. A panel holds
/// its header and then the weights, `[lines][paddedLineDepth / depthGroup][channels][depthGroup]`. The header of int8 weights is
/// three rows of `channels` 4-byte words (int32 offset, float32 scale, and float32 bias, or for an int8 output the float32
/// tie offset); of float32 weights one row (bias).
/// Panels follow each other without a gap; the start is to be 64-byte aligned.
package struct PackedWeights: Sendable, Equatable {
  package var outputChannels: Int
  package var depth: Int
  /// Runs of elements that the depth is made of, each padded by itself.
  package var lines: Int
  package var tile: MatrixTile
  /// 1 for int8 weights, 4 for float32.
  package var elementBytes: Int

  package init(
    outputChannels: Int, depth: Int, lines: Int = 1, tile: MatrixTile, elementBytes: Int
  ) {
    self.outputChannels = outputChannels
    self.depth = depth
    self.lines = lines
    self.tile = tile
    self.elementBytes = elementBytes
  }

  package var panels: Int { (outputChannels + tile.channels - 1) / tile.channels }
  package var headerBytes: Int { (elementBytes == 1 ? 3 : 1) * tile.channels * 4 }
  package var panelBytes: Int {
    headerBytes + lines * tile.paddedDepth(depth / lines) * tile.channels * elementBytes
  }
  package var byteCount: Int { panels * panelBytes }
}

/// Where everything lies in weights packed for a depthwise convolution.
///
/// The output channels are cut into panels of `channels` (16); a panel holds a header as in `PackedWeights` and then
/// int16 weights, two taps × 16 channels at a time in the table's own order, or float32 `[taps][16]`. A table that takes
/// four taps of a column at once has int8 weights, `[lines / 4, rounded up][columns][16][4]`, and their zero
/// points in the same order.
package struct PackedDepthwiseWeights: Sendable, Equatable {
  package var outputChannels: Int
  package var taps: Int
  /// 2 for int8 weights, which are stored widened, 4 for float32.
  package var elementBytes: Int
  /// `WindowGeometry.depthwiseLines` when taps of one column go together, else nil.
  package var lines: Int?
  /// Output channels of one panel.
  package static let channels = 16

  package init(outputChannels: Int, taps: Int, lines: Int? = nil, elementBytes: Int) {
    self.outputChannels = outputChannels
    self.taps = taps
    self.lines = lines
    self.elementBytes = elementBytes
  }

  package var panels: Int { (outputChannels + Self.channels - 1) / Self.channels }
  package var headerBytes: Int { (elementBytes == 4 ? 1 : 3) * Self.channels * 4 }
  package var paddedTaps: Int {
    if elementBytes == 4 { return taps }
    guard let lines else { return (taps + 1) / 2 * 2 }
    return (lines + 3) / 4 * 4 * (taps / lines)
  }
  package var panelBytes: Int { headerBytes + paddedTaps * Self.channels * elementBytes }
  package var byteCount: Int { panels * panelBytes }
}

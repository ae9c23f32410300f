/// The register tile of a table's matrix product, which also fixes how weights and activations are packed.
package struct MatrixTile: Sendable, Equatable {
  /// MR: output rows computed at once; splitting work at multiples of it wastes nothing.
  package var rows: Int
  /// NR: output channels computed at once, the width of a panel.
  package var channels: Int
  /// How many consecutive depth elements one multiply takes; the depth is padded to a multiple of it.
  package var depthGroup: Int
  /// Bytes of one packed activation in scratch.
  package var activationBytes: Int
  /// Taps of one column that a depthwise step takes at once; 1 when it takes two taps that follow each other.
  package var depthwiseLines: Int

  package init(
    rows: Int, channels: Int, depthGroup: Int, activationBytes: Int, depthwiseLines: Int = 1
  ) {
    self.depthwiseLines = depthwiseLines
    self.rows = rows
    self.channels = channels
    self.depthGroup = depthGroup
    self.activationBytes = activationBytes
  }

  /// `depth` rounded up to a multiple of `depthGroup`.
  package func paddedDepth(_ depth: Int) -> Int {
    (depth + depthGroup - 1) / depthGroup * depthGroup
  }
}

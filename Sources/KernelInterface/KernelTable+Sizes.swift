extension KernelTable {
  /// How the int8 weights of a convolution or fully connected layer are packed.
  package func convolutionInt8Weights(_ geometry: WindowGeometry) -> PackedWeights {
    PackedWeights(
      outputChannels: geometry.outputChannels, depth: geometry.depth, tile: int8Tile,
      elementBytes: 1)
  }

  /// How the float32 weights of a convolution or fully connected layer are packed.
  package func convolutionFloat32Weights(_ geometry: WindowGeometry) -> PackedWeights {
    PackedWeights(
      outputChannels: geometry.outputChannels, depth: geometry.depth, tile: float32Tile,
      elementBytes: 4)
  }

  /// How the int8 weights of a depthwise convolution are packed.
  package func depthwiseInt8Weights(_ geometry: WindowGeometry) -> PackedDepthwiseWeights {
    PackedDepthwiseWeights(
      outputChannels: geometry.outputChannels, taps: geometry.taps, elementBytes: 2)
  }

  /// How the float32 weights of a depthwise convolution are packed.
  package func depthwiseFloat32Weights(_ geometry: WindowGeometry) -> PackedDepthwiseWeights {
    PackedDepthwiseWeights(
      outputChannels: geometry.outputChannels, taps: geometry.taps, elementBytes: 4)
  }

  /// Scratch bytes of one concurrent call of `convolutionInt8` or `convolutionHybrid`.
  package func convolutionInt8ScratchBytes(_ geometry: WindowGeometry) -> Int {
    // Tiles of more than two rows are read whole.
    let rows = min(
      rowBlock, geometry.outputRows <= 2 ? geometry.outputRows : wholeTiles(geometry.outputRows))
    // Rows are packed sixteen activations at a time, so the last may run over by one vector.
    return ConvolutionScratch.rowSumsBytes
      + (rows * int8Tile.paddedDepth(geometry.depth) + 16) * int8Tile.activationBytes
  }

  /// `rows` rounded up to whole tiles.
  private func wholeTiles(_ rows: Int) -> Int {
    (rows + int8Tile.rows - 1) / int8Tile.rows * int8Tile.rows
  }

  /// Scratch bytes of one concurrent call of `convolutionFloat32`.
  package func convolutionFloat32ScratchBytes(_ geometry: WindowGeometry) -> Int {
    WindowLineScratch(geometry, rowBlock: rowBlock).byteCount
  }

  /// Scratch bytes of one concurrent call of `depthwiseInt8` or `depthwiseHybrid`.
  package func depthwiseInt8ScratchBytes(_ geometry: WindowGeometry) -> Int {
    DepthwiseScratch(geometry, elementBytes: 1).byteCount
  }

  /// Scratch bytes of one concurrent call of `depthwiseFloat32`.
  package func depthwiseFloat32ScratchBytes(_ geometry: WindowGeometry) -> Int {
    DepthwiseScratch(geometry, elementBytes: 4).byteCount
  }
}

/// How an int8 convolution divides its scratch: the sums of the packed rows, then the rows.
package enum ConvolutionScratch {
  /// Room for an `Int32` for each of up to 32 rows, which keeps the packed rows aligned.
  package static var rowSumsBytes: Int { 128 }
}

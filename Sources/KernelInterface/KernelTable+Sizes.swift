extension KernelTable {
  /// How the int8 weights of a convolution or fully connected layer are packed.
  package func convolutionInt8Weights(_ geometry: WindowGeometry) -> PackedWeights {
    PackedWeights(
      outputChannels: geometry.outputChannels, depth: geometry.depth, lines: geometry.windowLines,
      tile: int8Tile, elementBytes: 1)
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
      outputChannels: geometry.outputChannels, taps: geometry.taps,
      lines: int8Tile.depthwiseLines == 1 ? nil : geometry.depthwiseLines, elementBytes: 2)
  }

  /// How the float32 weights of a depthwise convolution are packed.
  package func depthwiseFloat32Weights(_ geometry: WindowGeometry) -> PackedDepthwiseWeights {
    PackedDepthwiseWeights(
      outputChannels: geometry.outputChannels, taps: geometry.taps, elementBytes: 4)
  }

  /// Scratch bytes of one concurrent call of `convolutionInt8` or `convolutionHybrid`.
  package func convolutionInt8ScratchBytes(_ geometry: WindowGeometry) -> Int {
    guard geometry.isPointwise else {
      return InputLineScratch(geometry, rowBlock: rowBlock, tile: int8Tile).byteCount
    }
    let rows = min(rowBlock, geometry.outputRows)
    return PointwiseScratch.rowsOffset(rowBlock: rowBlock)
      + (rows * int8Tile.paddedDepth(geometry.depth) + InputLineScratch.overrun)
      * int8Tile.activationBytes
  }

  /// Scratch bytes of one concurrent call of `convolutionFloat32`.
  package func convolutionFloat32ScratchBytes(_ geometry: WindowGeometry) -> Int {
    geometry.isPointwise
      ? PointwiseScratch.rowsOffset(rowBlock: rowBlock)
      : InputLineScratch(geometry, rowBlock: rowBlock, tile: float32Tile).byteCount
  }

  /// Scratch bytes of one concurrent call of `depthwiseInt8` or `depthwiseHybrid`.
  package func depthwiseInt8ScratchBytes(_ geometry: WindowGeometry) -> Int {
    InputLineScratch(depthwise: geometry, elementBytes: 1).byteCount + 64
  }

  /// Scratch bytes of one concurrent call of `depthwiseFloat32`.
  package func depthwiseFloat32ScratchBytes(_ geometry: WindowGeometry) -> Int {
    InputLineScratch(depthwise: geometry, elementBytes: 4).byteCount + 64
  }
}

/// How an int8 convolution without borders divides its scratch: sums of rows, addresses of rows, packed rows.
package enum PointwiseScratch {
  /// Where the packed rows begin.
  package static func rowsOffset(rowBlock: Int) -> Int {
    InputLineScratch.rowSumsBytes + (rowBlock * 8 + 63) / 64 * 64
  }
}

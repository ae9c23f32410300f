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
      outputChannels: geometry.outputChannels, taps: geometry.taps, elementBytes: 1)
  }

  /// How the float32 weights of a depthwise convolution are packed.
  package func depthwiseFloat32Weights(_ geometry: WindowGeometry) -> PackedDepthwiseWeights {
    PackedDepthwiseWeights(
      outputChannels: geometry.outputChannels, taps: geometry.taps, elementBytes: 4)
  }

  /// Scratch bytes of one concurrent call of `convolutionInt8` or `convolutionHybrid`.
  package func convolutionInt8ScratchBytes(_ geometry: WindowGeometry) -> Int {
    rowBlock * int8Tile.paddedDepth(geometry.depth) * int8Tile.activationBytes
  }

  /// Scratch bytes of one concurrent call of `convolutionFloat32`.
  package func convolutionFloat32ScratchBytes(_ geometry: WindowGeometry) -> Int {
    geometry.isPointwise ? 0 : rowBlock * geometry.depth * 4
  }

  /// Scratch bytes of one concurrent call of a depthwise kernel.
  package func depthwiseScratchBytes(_ geometry: WindowGeometry) -> Int {
    // One panel of input for each tap: what stands in for padding and for the last, partial panel.
    (geometry.taps + 2) * PackedDepthwiseWeights.channels * 4
  }
}

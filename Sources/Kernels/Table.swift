package import KernelInterface

#if ISA_AVXVNNI || ISA_NEONDot
  /// The kernels of `lesser`, with products of int8 codes of this module, which are all that its instructions are for.
  package func makeKernelTable(over lesser: KernelTable) -> KernelTable {
    KernelTable(
      lesser,
      name: Tile.tableName,
      int8Tile: Tile.int8,
      packConvolutionInt8: { packConvolutionInt8($0) },
      packDepthwiseInt8: { packDepthwiseInt8($0) },
      convolutionInt8: { convolutionInt8($0, $1) },
      convolutionHybrid: { convolutionHybrid($0, $1) },
      depthwiseInt8: { depthwiseInt8($0, $1) },
      depthwiseHybrid: { depthwiseHybrid($0, $1) })
  }
#else
  #if ISA_AVX512VNNI
    /// The kernels of this module, and those general ones of `lesser` that gain nothing from longer vectors.
    package func makeKernelTable(over lesser: KernelTable) -> KernelTable {
      makeKernelTable(general: makeGeneralKernels(over: lesser.general))
    }
  #else
    /// The kernels of this module's instruction set.
    package func makeKernelTable() -> KernelTable {
      makeKernelTable(general: makeGeneralKernels())
    }
  #endif

  @inline(__always)
  private func makeKernelTable(general: GeneralKernels) -> KernelTable {
    KernelTable(
      name: Tile.tableName,
      int8Tile: Tile.int8,
      float32Tile: Tile.float32,
      rowBlock: Tile.rowBlock,
      packConvolutionInt8: { packConvolutionInt8($0) },
      packDepthwiseInt8: { packDepthwiseInt8($0) },
      packConvolutionFloat32: { packConvolutionFloat32($0) },
      packDepthwiseFloat32: { packDepthwiseFloat32($0) },
      convolutionInt8: { convolutionInt8($0, $1) },
      convolutionHybrid: { convolutionHybrid($0, $1) },
      convolutionFloat32: { convolutionFloat32($0, $1) },
      depthwiseInt8: { depthwiseInt8($0, $1) },
      depthwiseHybrid: { depthwiseHybrid($0, $1) },
      depthwiseFloat32: { depthwiseFloat32($0, $1) },
      averagePoolInt8: { averagePoolInt8($0, $1) },
      averagePoolFloat32: { averagePoolFloat32($0, $1) },
      maximumPoolInt8: { maximumPoolInt8($0, $1) },
      maximumPoolFloat32: { maximumPoolFloat32($0, $1) },
      meanInt8: { meanInt8($0, $1) },
      meanFloat32: { meanFloat32($0, $1) },
      binaryInt8: { binaryInt8($0) },
      binaryFloat32: { binaryFloat32($0) },
      unaryFloat32: { unaryFloat32($0) },
      lookupInt8: { lookupInt8($0) },
      softmaxInt8: { softmaxInt8($0, $1) },
      softmaxFloat32: { softmaxFloat32($0, $1) },
      quantizeInt8: { quantizeInt8($0) },
      dequantizeInt8: { dequantizeInt8($0) },
      requantizeInt8: { requantizeInt8($0) },
      flipHighBits: { flipHighBits($0) },
      quantizeRows: { quantizeRows($0, $1) },
      copyRows: { copyRows($0) },
      fill: { fill($0) },
      recurrent: RecurrentKernels(
        lstmFloat32: { lstmFloat32($0) }, lstmHybrid: { lstmHybrid($0) },
        lstmInt8: { lstmInt8($0) }, rnnFloat32: { rnnFloat32($0) }, rnnHybrid: { rnnHybrid($0) },
        svdfFloat32: { svdfFloat32($0) }, svdfInt8: { svdfInt8($0) }),
      int16: makeInt16Kernels(),
      general: general)
  }
#endif

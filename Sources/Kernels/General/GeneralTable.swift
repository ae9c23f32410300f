import KernelInterface

#if ISA_AVX512VNNI
  /// The general kernels that longer vectors make faster, and the others of `lesser`.
  @inline(__always)
  func makeGeneralKernels(over lesser: GeneralKernels) -> GeneralKernels {
    GeneralKernels(
      lesser,
      copyStrided: { copyStrided($0, $1) },
      binary: { binaryElements($0) },
      unary: { unaryElements($0) },
      reduce: { reduceElements($0, $1) },
      mirror: { mirror($0, $1) },
      normalizeRows: { normalizeRows($0, $1) },
      layerNormalize: { layerNormalize($0, $1) },
      resize: { resize($0, $1) },
      transposeConvolution: { transposeConvolution($0, $1) },
      matrixProduct: { matrixProduct($0, $1) })
  }
#elseif !ISA_AVXVNNI && !ISA_NEONDot
  /// The general kernels of this module's instruction set.
  @inline(__always)
  func makeGeneralKernels() -> GeneralKernels {
    GeneralKernels(
      copyStrided: { copyStrided($0, $1) },
      binary: { binaryElements($0) },
      unary: { unaryElements($0) },
      cast: { cast($0) },
      select: { select($0) },
      reduce: { reduceElements($0, $1) },
      argumentOfExtreme: { argumentOfExtreme($0, $1) },
      cumulativeSum: { cumulativeSum($0, $1) },
      gather: { gather($0, $1) },
      gatherND: { gatherND($0, $1) },
      oneHot: { oneHot($0, $1) },
      updateSlice: { updateSlice($0) },
      mirror: { mirror($0, $1) },
      normalizeRows: { normalizeRows($0, $1) },
      layerNormalize: { layerNormalize($0, $1) },
      resize: { resize($0, $1) },
      transposeConvolution: { transposeConvolution($0, $1) },
      matrixProduct: { matrixProduct($0, $1) },
      rare: makeRareKernels())
  }

  /// Those of them that few models need.
  private func makeRareKernels() -> RareKernels {
    RareKernels(
      detect: { detect($0) },
      spectrum: { spectrum($0, $1) },
      magnitude: { magnitude($0) },
      pickTop: { pickTop($0, $1) },
      reverseSequence: { reverseSequence($0, $1) },
      normalizeByNeighbours: { normalizeByNeighbours($0, $1) },
      softmaxWide: { softmaxWide($0, $1) },
      convolution3DFloat32: { convolution3DFloat32($0, $1) },
      foldSegments: { foldSegments($0) },
      putDiagonal: { putDiagonal($0) },
      bucketize: { bucketize($0) },
      selectBoxes: { selectBoxes($0) },
      scatter: { scatter($0) },
      cut: { cut($0) },
      findNonzero: { findNonzero($0) },
      listDistinct: { listDistinct($0) },
      signal: { signal($0) },
      blockProduct: { blockProduct($0, $1) })
  }
#endif

/// The kernels of operators beyond convolution and its neighbours: one for each way to walk through elements.
///
/// They take the element type as an argument. The rules of `KernelTable` hold.
@safe package struct GeneralKernels: Sendable {
  // The range is of rows, the extents of all axes but the last multiplied.
  package var copyStrided: @Sendable (StridedCopyArguments, Range<Int>) -> Void

  // Elementwise; the output may be an operand of the same element type and strides.
  package var binary: @Sendable (BinaryElementsArguments) -> Void
  package var unary: @Sendable (UnaryElementsArguments) -> Void
  package var cast: @Sendable (CastArguments) -> Void
  package var select: @Sendable (SelectArguments) -> Void

  // The range is of `outer` indices.
  package var reduce: @Sendable (ReductionArguments, Range<Int>) -> Void
  package var argumentOfExtreme: @Sendable (ArgumentArguments, Range<Int>) -> Void
  package var cumulativeSum: @Sendable (CumulativeSumArguments, Range<Int>) -> Void

  // The range is of rows of the output.
  package var gather: @Sendable (GatherArguments, Range<Int>) -> Void
  package var gatherND: @Sendable (GatherNDArguments, Range<Int>) -> Void
  package var oneHot: @Sendable (OneHotArguments, Range<Int>) -> Void
  package var updateSlice: @Sendable (UpdateSliceArguments) -> Void
  package var mirror: @Sendable (MirrorArguments, Range<Int>) -> Void
  package var normalizeRows: @Sendable (NormalizeRowsArguments, Range<Int>) -> Void
  // The range is of rows; the output may be the input.
  package var layerNormalize: @Sendable (LayerNormalizationArguments, Range<Int>) -> Void

  // The range is of output lines, `n · h'`.
  package var resize: @Sendable (ResizeArguments, Range<Int>) -> Void
  package var transposeConvolution: @Sendable (TransposeConvolutionArguments, Range<Int>) -> Void

  // The range is of rows of the output, through all batches.
  package var matrixProduct: @Sendable (MatrixProductArguments, Range<Int>) -> Void

  package var rare: RareKernels

  package init(
    copyStrided: @escaping @Sendable (StridedCopyArguments, Range<Int>) -> Void,
    binary: @escaping @Sendable (BinaryElementsArguments) -> Void,
    unary: @escaping @Sendable (UnaryElementsArguments) -> Void,
    cast: @escaping @Sendable (CastArguments) -> Void,
    select: @escaping @Sendable (SelectArguments) -> Void,
    reduce: @escaping @Sendable (ReductionArguments, Range<Int>) -> Void,
    argumentOfExtreme: @escaping @Sendable (ArgumentArguments, Range<Int>) -> Void,
    cumulativeSum: @escaping @Sendable (CumulativeSumArguments, Range<Int>) -> Void,
    gather: @escaping @Sendable (GatherArguments, Range<Int>) -> Void,
    gatherND: @escaping @Sendable (GatherNDArguments, Range<Int>) -> Void,
    oneHot: @escaping @Sendable (OneHotArguments, Range<Int>) -> Void,
    updateSlice: @escaping @Sendable (UpdateSliceArguments) -> Void,
    mirror: @escaping @Sendable (MirrorArguments, Range<Int>) -> Void,
    normalizeRows: @escaping @Sendable (NormalizeRowsArguments, Range<Int>) -> Void,
    layerNormalize: @escaping @Sendable (LayerNormalizationArguments, Range<Int>) -> Void,
    resize: @escaping @Sendable (ResizeArguments, Range<Int>) -> Void,
    transposeConvolution: @escaping @Sendable (TransposeConvolutionArguments, Range<Int>) -> Void,
    matrixProduct: @escaping @Sendable (MatrixProductArguments, Range<Int>) -> Void,
    rare: RareKernels
  ) {
    self.copyStrided = copyStrided
    self.binary = binary
    self.unary = unary
    self.cast = cast
    self.select = select
    self.reduce = reduce
    self.argumentOfExtreme = argumentOfExtreme
    self.cumulativeSum = cumulativeSum
    self.gather = gather
    self.gatherND = gatherND
    self.oneHot = oneHot
    self.updateSlice = updateSlice
    self.mirror = mirror
    self.normalizeRows = normalizeRows
    self.layerNormalize = layerNormalize
    self.resize = resize
    self.transposeConvolution = transposeConvolution
    self.matrixProduct = matrixProduct
    self.rare = rare
  }

  /// The kernels of `lesser`, with others for those that longer vectors make faster.
  package init(
    _ lesser: borrowing GeneralKernels,
    copyStrided: @escaping @Sendable (StridedCopyArguments, Range<Int>) -> Void,
    binary: @escaping @Sendable (BinaryElementsArguments) -> Void,
    unary: @escaping @Sendable (UnaryElementsArguments) -> Void,
    reduce: @escaping @Sendable (ReductionArguments, Range<Int>) -> Void,
    mirror: @escaping @Sendable (MirrorArguments, Range<Int>) -> Void,
    normalizeRows: @escaping @Sendable (NormalizeRowsArguments, Range<Int>) -> Void,
    layerNormalize: @escaping @Sendable (LayerNormalizationArguments, Range<Int>) -> Void,
    resize: @escaping @Sendable (ResizeArguments, Range<Int>) -> Void,
    transposeConvolution: @escaping @Sendable (TransposeConvolutionArguments, Range<Int>) -> Void,
    matrixProduct: @escaping @Sendable (MatrixProductArguments, Range<Int>) -> Void
  ) {
    self = copy lesser
    self.copyStrided = copyStrided
    self.binary = binary
    self.unary = unary
    self.reduce = reduce
    self.mirror = mirror
    self.normalizeRows = normalizeRows
    self.layerNormalize = layerNormalize
    self.resize = resize
    self.transposeConvolution = transposeConvolution
    self.matrixProduct = matrixProduct
  }
}

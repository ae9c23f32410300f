/// The kernels of operators that few models have. The rules of `KernelTable` hold.
@safe package struct RareKernels: Sendable {
  package var detect: @Sendable (DetectionArguments) -> Void
  /// The range is of pictures.
  package var spectrum: @Sendable (SpectrumArguments, Range<Int>) -> Void
  package var magnitude: @Sendable (MagnitudeArguments) -> Void
  // The range is of rows.
  package var pickTop: @Sendable (TopArguments, Range<Int>) -> Void
  package var reverseSequence: @Sendable (ReverseSequenceArguments, Range<Int>) -> Void
  package var normalizeByNeighbours: @Sendable (NeighbourArguments, Range<Int>) -> Void
  package var softmaxWide: @Sendable (SoftmaxWideArguments, Range<Int>) -> Void
  /// The range is of output pixels.
  package var convolution3DFloat32: @Sendable (Convolution3DArguments, Range<Int>) -> Void
  package var foldSegments: @Sendable (SegmentArguments) -> Void
  package var putDiagonal: @Sendable (DiagonalArguments) -> Void
  package var bucketize: @Sendable (BucketArguments) -> Void
  package var selectBoxes: @Sendable (SelectBoxesArguments) -> Void
  package var scatter: @Sendable (ScatterArguments) -> Void
  package var cut: @Sendable (CutArguments) -> Void
  package var findNonzero: @Sendable (NonzeroArguments) -> Void
  package var listDistinct: @Sendable (DistinctArguments) -> Void
  package var signal: @Sendable (SignalArguments) -> Void
  /// The range is of columns of the output.
  package var blockProduct: @Sendable (BlockProductArguments, Range<Int>) -> Void

  package init(
    detect: @escaping @Sendable (DetectionArguments) -> Void,
    spectrum: @escaping @Sendable (SpectrumArguments, Range<Int>) -> Void,
    magnitude: @escaping @Sendable (MagnitudeArguments) -> Void,
    pickTop: @escaping @Sendable (TopArguments, Range<Int>) -> Void,
    reverseSequence: @escaping @Sendable (ReverseSequenceArguments, Range<Int>) -> Void,
    normalizeByNeighbours: @escaping @Sendable (NeighbourArguments, Range<Int>) -> Void,
    softmaxWide: @escaping @Sendable (SoftmaxWideArguments, Range<Int>) -> Void,
    convolution3DFloat32: @escaping @Sendable (Convolution3DArguments, Range<Int>) -> Void,
    foldSegments: @escaping @Sendable (SegmentArguments) -> Void,
    putDiagonal: @escaping @Sendable (DiagonalArguments) -> Void,
    bucketize: @escaping @Sendable (BucketArguments) -> Void,
    selectBoxes: @escaping @Sendable (SelectBoxesArguments) -> Void,
    scatter: @escaping @Sendable (ScatterArguments) -> Void,
    cut: @escaping @Sendable (CutArguments) -> Void,
    findNonzero: @escaping @Sendable (NonzeroArguments) -> Void,
    listDistinct: @escaping @Sendable (DistinctArguments) -> Void,
    signal: @escaping @Sendable (SignalArguments) -> Void,
    blockProduct: @escaping @Sendable (BlockProductArguments, Range<Int>) -> Void
  ) {
    self.detect = detect
    self.spectrum = spectrum
    self.magnitude = magnitude
    self.pickTop = pickTop
    self.reverseSequence = reverseSequence
    self.normalizeByNeighbours = normalizeByNeighbours
    self.softmaxWide = softmaxWide
    self.convolution3DFloat32 = convolution3DFloat32
    self.foldSegments = foldSegments
    self.putDiagonal = putDiagonal
    self.bucketize = bucketize
    self.selectBoxes = selectBoxes
    self.scatter = scatter
    self.cut = cut
    self.findNonzero = findNonzero
    self.listDistinct = listDistinct
    self.signal = signal
    self.blockProduct = blockProduct
  }
}

/// The kernels of one instruction set, as values.
///
/// Kernels neither allocate nor throw. They trust their arguments: whoever makes an argument struct vouches for its
/// pointers. Integer kernels return the same bytes from every table; float kernels may fuse multiply and add.
/// Unless said otherwise inputs and outputs must not overlap.
@safe package struct KernelTable: Sendable {
  /// `baseline`, `avx2`, `neon` or `neon-dotprod`.
  package var name: String
  package var int8Tile: MatrixTile
  package var float32Tile: MatrixTile
  /// Most output rows that a convolution packs into scratch at once; a multiple of every tile's rows.
  package var rowBlock: Int

  // Packing, when a model is prepared.
  package var packConvolutionInt8: @Sendable (PackInt8Arguments) -> Void
  package var packDepthwiseInt8: @Sendable (PackInt8Arguments) -> Void
  package var packConvolutionFloat32: @Sendable (PackFloat32Arguments) -> Void
  package var packDepthwiseFloat32: @Sendable (PackFloat32Arguments) -> Void

  // Convolution; also fully connected, as a geometry of one pixel an image.
  package var convolutionInt8: @Sendable (ConvolutionInt8Arguments, WorkRange) -> Void
  package var convolutionHybrid: @Sendable (ConvolutionHybridArguments, WorkRange) -> Void
  package var convolutionFloat32: @Sendable (ConvolutionFloat32Arguments, WorkRange) -> Void
  package var depthwiseInt8: @Sendable (ConvolutionInt8Arguments, WorkRange) -> Void
  package var depthwiseHybrid: @Sendable (ConvolutionHybridArguments, WorkRange) -> Void
  package var depthwiseFloat32: @Sendable (ConvolutionFloat32Arguments, WorkRange) -> Void

  // Pooling and reduction; the range is of output pixels, or of `outer` indices.
  package var averagePoolInt8: @Sendable (PoolingInt8Arguments, Range<Int>) -> Void
  package var averagePoolFloat32: @Sendable (PoolingFloat32Arguments, Range<Int>) -> Void
  package var maximumPoolInt8: @Sendable (PoolingInt8Arguments, Range<Int>) -> Void
  package var maximumPoolFloat32: @Sendable (PoolingFloat32Arguments, Range<Int>) -> Void
  package var meanInt8: @Sendable (MeanInt8Arguments, Range<Int>) -> Void
  package var meanFloat32: @Sendable (MeanFloat32Arguments, Range<Int>) -> Void

  // Elementwise; the output may be the left or right operand of the same strides, or the input.
  package var binaryInt8: @Sendable (BinaryInt8Arguments) -> Void
  package var binaryFloat32: @Sendable (BinaryFloat32Arguments) -> Void
  package var unaryFloat32: @Sendable (UnaryArguments) -> Void
  package var lookupInt8: @Sendable (LookupInt8Arguments) -> Void

  // Along rows.
  package var softmaxInt8: @Sendable (SoftmaxInt8Arguments, Range<Int>) -> Void
  package var softmaxFloat32: @Sendable (SoftmaxFloat32Arguments, Range<Int>) -> Void

  // Between number formats.
  package var quantizeInt8: @Sendable (QuantizeArguments) -> Void
  package var dequantizeInt8: @Sendable (DequantizeArguments) -> Void
  package var requantizeInt8: @Sendable (RequantizeArguments) -> Void
  package var quantizeRows: @Sendable (QuantizeRowsArguments, Range<Int>) -> Void

  // Layout, by bytes.
  package var copyRows: @Sendable (CopyRowsArguments) -> Void
  package var fill: @Sendable (FillArguments) -> Void

  package init(
    name: String,
    int8Tile: MatrixTile,
    float32Tile: MatrixTile,
    rowBlock: Int,
    packConvolutionInt8: @escaping @Sendable (PackInt8Arguments) -> Void,
    packDepthwiseInt8: @escaping @Sendable (PackInt8Arguments) -> Void,
    packConvolutionFloat32: @escaping @Sendable (PackFloat32Arguments) -> Void,
    packDepthwiseFloat32: @escaping @Sendable (PackFloat32Arguments) -> Void,
    convolutionInt8: @escaping @Sendable (ConvolutionInt8Arguments, WorkRange) -> Void,
    convolutionHybrid: @escaping @Sendable (ConvolutionHybridArguments, WorkRange) -> Void,
    convolutionFloat32: @escaping @Sendable (ConvolutionFloat32Arguments, WorkRange) -> Void,
    depthwiseInt8: @escaping @Sendable (ConvolutionInt8Arguments, WorkRange) -> Void,
    depthwiseHybrid: @escaping @Sendable (ConvolutionHybridArguments, WorkRange) -> Void,
    depthwiseFloat32: @escaping @Sendable (ConvolutionFloat32Arguments, WorkRange) -> Void,
    averagePoolInt8: @escaping @Sendable (PoolingInt8Arguments, Range<Int>) -> Void,
    averagePoolFloat32: @escaping @Sendable (PoolingFloat32Arguments, Range<Int>) -> Void,
    maximumPoolInt8: @escaping @Sendable (PoolingInt8Arguments, Range<Int>) -> Void,
    maximumPoolFloat32: @escaping @Sendable (PoolingFloat32Arguments, Range<Int>) -> Void,
    meanInt8: @escaping @Sendable (MeanInt8Arguments, Range<Int>) -> Void,
    meanFloat32: @escaping @Sendable (MeanFloat32Arguments, Range<Int>) -> Void,
    binaryInt8: @escaping @Sendable (BinaryInt8Arguments) -> Void,
    binaryFloat32: @escaping @Sendable (BinaryFloat32Arguments) -> Void,
    unaryFloat32: @escaping @Sendable (UnaryArguments) -> Void,
    lookupInt8: @escaping @Sendable (LookupInt8Arguments) -> Void,
    softmaxInt8: @escaping @Sendable (SoftmaxInt8Arguments, Range<Int>) -> Void,
    softmaxFloat32: @escaping @Sendable (SoftmaxFloat32Arguments, Range<Int>) -> Void,
    quantizeInt8: @escaping @Sendable (QuantizeArguments) -> Void,
    dequantizeInt8: @escaping @Sendable (DequantizeArguments) -> Void,
    requantizeInt8: @escaping @Sendable (RequantizeArguments) -> Void,
    quantizeRows: @escaping @Sendable (QuantizeRowsArguments, Range<Int>) -> Void,
    copyRows: @escaping @Sendable (CopyRowsArguments) -> Void,
    fill: @escaping @Sendable (FillArguments) -> Void
  ) {
    self.name = name
    self.int8Tile = int8Tile
    self.float32Tile = float32Tile
    self.rowBlock = rowBlock
    self.packConvolutionInt8 = packConvolutionInt8
    self.packDepthwiseInt8 = packDepthwiseInt8
    self.packConvolutionFloat32 = packConvolutionFloat32
    self.packDepthwiseFloat32 = packDepthwiseFloat32
    self.convolutionInt8 = convolutionInt8
    self.convolutionHybrid = convolutionHybrid
    self.convolutionFloat32 = convolutionFloat32
    self.depthwiseInt8 = depthwiseInt8
    self.depthwiseHybrid = depthwiseHybrid
    self.depthwiseFloat32 = depthwiseFloat32
    self.averagePoolInt8 = averagePoolInt8
    self.averagePoolFloat32 = averagePoolFloat32
    self.maximumPoolInt8 = maximumPoolInt8
    self.maximumPoolFloat32 = maximumPoolFloat32
    self.meanInt8 = meanInt8
    self.meanFloat32 = meanFloat32
    self.binaryInt8 = binaryInt8
    self.binaryFloat32 = binaryFloat32
    self.unaryFloat32 = unaryFloat32
    self.lookupInt8 = lookupInt8
    self.softmaxInt8 = softmaxInt8
    self.softmaxFloat32 = softmaxFloat32
    self.quantizeInt8 = quantizeInt8
    self.dequantizeInt8 = dequantizeInt8
    self.requantizeInt8 = requantizeInt8
    self.quantizeRows = quantizeRows
    self.copyRows = copyRows
    self.fill = fill
  }
}

/// The kernels of one instruction set, as values.
///
/// Kernels neither allocate nor throw. They trust their arguments: whoever makes an argument struct vouches for its
/// pointers. Integer kernels return the same bytes from every table; float kernels may fuse multiply and add.
/// Unless said otherwise inputs and outputs must not overlap.
@safe package struct KernelTable: Sendable {
  /// `baseline`, `avx2`, `avx-vnni`, `avx512-vnni`, `neon` or `neon-dotprod`.
  package var name: String
  /// The register tile of `convolutionInt8` and `convolutionHybrid`.
  package var int8Tile: MatrixTile
  /// The register tile of `convolutionFloat32`.
  package var float32Tile: MatrixTile
  /// Most output rows that a convolution packs into scratch at once; a multiple of every tile's rows.
  package var rowBlock: Int

  // Packing, when a model is prepared.
  /// Packs weights as `convolutionInt8Weights(_:)` lays them out.
  package var packConvolutionInt8: @Sendable (PackInt8Arguments) -> Void
  /// Packs weights as `depthwiseInt8Weights(_:)` lays them out.
  package var packDepthwiseInt8: @Sendable (PackInt8Arguments) -> Void
  /// Packs weights as `convolutionFloat32Weights(_:)` lays them out.
  package var packConvolutionFloat32: @Sendable (PackFloat32Arguments) -> Void
  /// Packs weights as `depthwiseFloat32Weights(_:)` lays them out.
  package var packDepthwiseFloat32: @Sendable (PackFloat32Arguments) -> Void

  // Convolution; also fully connected, as a geometry of one pixel an image.
  /// Int8 activations and weights to int8.
  package var convolutionInt8: @Sendable (ConvolutionInt8Arguments, WorkRange) -> Void
  /// Activations quantised by `quantizeRows` and int8 weights to float32.
  package var convolutionHybrid: @Sendable (ConvolutionHybridArguments, WorkRange) -> Void
  /// Float32 throughout.
  package var convolutionFloat32: @Sendable (ConvolutionFloat32Arguments, WorkRange) -> Void
  /// The depthwise form of `convolutionInt8`.
  package var depthwiseInt8: @Sendable (ConvolutionInt8Arguments, WorkRange) -> Void
  /// The depthwise form of `convolutionHybrid`.
  package var depthwiseHybrid: @Sendable (ConvolutionHybridArguments, WorkRange) -> Void
  /// The depthwise form of `convolutionFloat32`.
  package var depthwiseFloat32: @Sendable (ConvolutionFloat32Arguments, WorkRange) -> Void

  // Pooling and reduction; the range is of output pixels, or of `outer` indices.
  /// The mean of each window, half away from zero.
  package var averagePoolInt8: @Sendable (PoolingInt8Arguments, Range<Int>) -> Void
  /// The mean of each window.
  package var averagePoolFloat32: @Sendable (PoolingFloat32Arguments, Range<Int>) -> Void
  /// The greatest code of each window.
  package var maximumPoolInt8: @Sendable (PoolingInt8Arguments, Range<Int>) -> Void
  /// The greatest value of each window.
  package var maximumPoolFloat32: @Sendable (PoolingFloat32Arguments, Range<Int>) -> Void
  /// The mean along one axis, requantised in fixed point.
  package var meanInt8: @Sendable (MeanInt8Arguments, Range<Int>) -> Void
  /// The mean along one axis.
  package var meanFloat32: @Sendable (MeanFloat32Arguments, Range<Int>) -> Void

  // Elementwise; the output may be the left or right operand of the same strides, or the input.
  /// Adds, subtracts or multiplies codes of up to three quantisations.
  package var binaryInt8: @Sendable (BinaryInt8Arguments) -> Void
  /// Adds, subtracts or multiplies, then clamps.
  package var binaryFloat32: @Sendable (BinaryFloat32Arguments) -> Void
  /// A function of each element, then a clamp.
  package var unaryFloat32: @Sendable (UnaryArguments) -> Void
  /// A function of each code by a table of 256.
  package var lookupInt8: @Sendable (LookupInt8Arguments) -> Void

  // Along rows.
  /// Softmax of rows of codes; the range is of rows.
  package var softmaxInt8: @Sendable (SoftmaxInt8Arguments, Range<Int>) -> Void
  /// Softmax of rows; the range is of rows.
  package var softmaxFloat32: @Sendable (SoftmaxFloat32Arguments, Range<Int>) -> Void

  // Between number formats.
  /// Float32 values to codes.
  package var quantizeInt8: @Sendable (QuantizeArguments) -> Void
  /// Codes to float32 values.
  package var dequantizeInt8: @Sendable (DequantizeArguments) -> Void
  /// Codes of one quantisation to those of another.
  package var requantizeInt8: @Sendable (RequantizeArguments) -> Void
  /// Between uint8 and int8 codes of the same numbers.
  package var flipHighBits: @Sendable (FlipHighBitsArguments) -> Void
  /// Float32 rows to codes, each by its own range; the range is of rows.
  package var quantizeRows: @Sendable (QuantizeRowsArguments, Range<Int>) -> Void

  // Layout, by bytes.
  /// Copies strided rows of bytes.
  package var copyRows: @Sendable (CopyRowsArguments) -> Void
  /// Repeats one element.
  package var fill: @Sendable (FillArguments) -> Void

  /// Operators with a state.
  package var recurrent: RecurrentKernels
  /// Int16 activations.
  package var int16: Int16Kernels

  /// Operators beyond convolution and its neighbours.
  package var general: GeneralKernels

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
    flipHighBits: @escaping @Sendable (FlipHighBitsArguments) -> Void,
    quantizeRows: @escaping @Sendable (QuantizeRowsArguments, Range<Int>) -> Void,
    copyRows: @escaping @Sendable (CopyRowsArguments) -> Void,
    fill: @escaping @Sendable (FillArguments) -> Void,
    recurrent: RecurrentKernels,
    int16: Int16Kernels,
    general: GeneralKernels
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
    self.flipHighBits = flipHighBits
    self.quantizeRows = quantizeRows
    self.copyRows = copyRows
    self.fill = fill
    self.recurrent = recurrent
    self.int16 = int16
    self.general = general
  }

  /// The kernels of `lesser` with other products of int8 codes, and what packs their weights.
  ///
  /// Here rather than where those kernels are: a copy of a table is code that must not differ by instruction set.
  package init(
    _ lesser: borrowing KernelTable,
    name: String,
    int8Tile: MatrixTile,
    packConvolutionInt8: @escaping @Sendable (PackInt8Arguments) -> Void,
    packDepthwiseInt8: @escaping @Sendable (PackInt8Arguments) -> Void,
    convolutionInt8: @escaping @Sendable (ConvolutionInt8Arguments, WorkRange) -> Void,
    convolutionHybrid: @escaping @Sendable (ConvolutionHybridArguments, WorkRange) -> Void,
    depthwiseInt8: @escaping @Sendable (ConvolutionInt8Arguments, WorkRange) -> Void,
    depthwiseHybrid: @escaping @Sendable (ConvolutionHybridArguments, WorkRange) -> Void
  ) {
    self = copy lesser
    self.name = name
    self.int8Tile = int8Tile
    self.packConvolutionInt8 = packConvolutionInt8
    self.packDepthwiseInt8 = packDepthwiseInt8
    self.convolutionInt8 = convolutionInt8
    self.convolutionHybrid = convolutionHybrid
    self.depthwiseInt8 = depthwiseInt8
    self.depthwiseHybrid = depthwiseHybrid
  }
}

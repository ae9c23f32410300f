/// The kernels of operators with a state.
package struct RecurrentKernels: Sendable {
  package var lstmFloat32: @Sendable (LSTMFloat32Arguments) -> Void
  package var lstmHybrid: @Sendable (LSTMHybridArguments) -> Void
  package var lstmInt8: @Sendable (LSTMInt8Arguments) -> Void
  package var rnnFloat32: @Sendable (RNNFloat32Arguments) -> Void
  package var rnnHybrid: @Sendable (RNNHybridArguments) -> Void
  package var svdfFloat32: @Sendable (SVDFFloat32Arguments) -> Void
  package var svdfInt8: @Sendable (SVDFInt8Arguments) -> Void

  package init(
    lstmFloat32: @escaping @Sendable (LSTMFloat32Arguments) -> Void,
    lstmHybrid: @escaping @Sendable (LSTMHybridArguments) -> Void,
    lstmInt8: @escaping @Sendable (LSTMInt8Arguments) -> Void,
    rnnFloat32: @escaping @Sendable (RNNFloat32Arguments) -> Void,
    rnnHybrid: @escaping @Sendable (RNNHybridArguments) -> Void,
    svdfFloat32: @escaping @Sendable (SVDFFloat32Arguments) -> Void,
    svdfInt8: @escaping @Sendable (SVDFInt8Arguments) -> Void
  ) {
    self.lstmFloat32 = lstmFloat32
    self.lstmHybrid = lstmHybrid
    self.lstmInt8 = lstmInt8
    self.rnnFloat32 = rnnFloat32
    self.rnnHybrid = rnnHybrid
    self.svdfFloat32 = svdfFloat32
    self.svdfInt8 = svdfInt8
  }
}

/// The extents of a long short-term memory.
package struct LSTMSizes: Sendable, Equatable {
  package var batches: Int
  package var steps: Int
  package var inputs: Int
  package var cells: Int
  package var outputs: Int
  /// Rows lie `[time, batch]`, else `[batch, time]`.
  package var isTimeMajor: Bool

  package init(
    batches: Int, steps: Int, inputs: Int, cells: Int, outputs: Int, isTimeMajor: Bool
  ) {
    self.batches = batches
    self.steps = steps
    self.inputs = inputs
    self.cells = cells
    self.outputs = outputs
    self.isTimeMajor = isTimeMajor
  }

  /// The row of one moment of one sequence, in input and output alike.
  package func row(batch: Int, step: Int) -> Int {
    isTimeMajor ? step * batches + batch : batch * steps + step
  }
}

/// The constants of one gate; the maker vouches for the pointers.
@safe package struct LSTMGateFloat32 {
  /// `[cells, inputs]`.
  package var inputWeights: UnsafePointer<Float>
  /// `[cells, outputs]`.
  package var recurrentWeights: UnsafePointer<Float>
  package var bias: UnsafePointer<Float>
  /// What the cell's state adds; nil for nothing.
  package var peephole: UnsafePointer<Float>?
  /// Coefficients of the layer normalisation; nil for none.
  package var normalization: UnsafePointer<Float>?

  package init(
    inputWeights: UnsafePointer<Float>, recurrentWeights: UnsafePointer<Float>,
    bias: UnsafePointer<Float>, peephole: UnsafePointer<Float>?,
    normalization: UnsafePointer<Float>?
  ) {
    unsafe self.inputWeights = inputWeights
    unsafe self.recurrentWeights = recurrentWeights
    unsafe self.bias = bias
    unsafe self.peephole = peephole
    unsafe self.normalization = normalization
  }
}

/// A float32 long short-term memory; the maker vouches for the pointers.
@safe package struct LSTMFloat32Arguments {
  package var sizes: LSTMSizes
  /// Nil where the input gate is the complement of the forget gate.
  package var inputGate: LSTMGateFloat32?
  package var forgetGate: LSTMGateFloat32
  package var cellGate: LSTMGateFloat32
  package var outputGate: LSTMGateFloat32
  /// `[outputs, cells]`; nil where the hidden state is the output.
  package var projection: UnsafePointer<Float>?
  package var projectionBias: UnsafePointer<Float>?
  /// Bounds of the cell's state and of the projected output; infinite for none.
  package var cellClip: Float
  package var projectionClip: Float
  package var input: UnsafePointer<Float>
  package var output: UnsafeMutablePointer<Float>
  /// Read and written: `[batches, outputs]` and `[batches, cells]`.
  package var outputState: UnsafeMutablePointer<Float>
  package var cellState: UnsafeMutablePointer<Float>
  /// `4 · cells` values.
  package var scratch: UnsafeMutablePointer<Float>

  package init(
    sizes: LSTMSizes, inputGate: LSTMGateFloat32?, forgetGate: LSTMGateFloat32,
    cellGate: LSTMGateFloat32, outputGate: LSTMGateFloat32,
    projection: UnsafePointer<Float>?, projectionBias: UnsafePointer<Float>?, cellClip: Float,
    projectionClip: Float, input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    outputState: UnsafeMutablePointer<Float>, cellState: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    self.sizes = sizes
    self.inputGate = inputGate
    self.forgetGate = forgetGate
    self.cellGate = cellGate
    self.outputGate = outputGate
    unsafe self.projection = projection
    unsafe self.projectionBias = projectionBias
    self.cellClip = cellClip
    self.projectionClip = projectionClip
    unsafe self.input = input
    unsafe self.output = output
    unsafe self.outputState = outputState
    unsafe self.cellState = cellState
    unsafe self.scratch = scratch
  }
}

/// The constants of one quantised gate; the maker vouches for the pointers.
@safe package struct LSTMGateInt8 {
  package var inputWeights: UnsafePointer<Int8>
  package var recurrentWeights: UnsafePointer<Int8>
  /// The bias, less the input's zero point times the sums of the weights' rows.
  package var inputBias: UnsafePointer<Int32>
  /// The same for the recurrent weights, which have no bias of their own.
  package var recurrentBias: UnsafePointer<Int32>
  /// From sums to 4096ths, or to the codes that are normalised.
  package var inputScale: FixedPointScale
  package var recurrentScale: FixedPointScale
  /// What the cell's state adds; nil for nothing.
  package var peephole: Peephole?
  package var normalization: Normalization?

  @safe package struct Peephole {
    /// `[cells]`.
    package var weights: UnsafePointer<Int16>
    package var scale: FixedPointScale

    package init(weights: UnsafePointer<Int16>, scale: FixedPointScale) {
      unsafe self.weights = weights
      self.scale = scale
    }
  }

  /// A normalisation over the cells, after which the gate's own bias is added.
  @safe package struct Normalization {
    /// `[cells]` each.
    package var coefficients: UnsafePointer<Int16>
    package var bias: UnsafePointer<Int32>
    /// From 1024ths of the coefficients' units to 4096ths.
    package var scale: FixedPointScale
    /// The variance of gates that hardly differ.
    package var varianceMinimum: Int32

    package init(
      coefficients: UnsafePointer<Int16>, bias: UnsafePointer<Int32>, scale: FixedPointScale,
      varianceMinimum: Int32
    ) {
      unsafe self.coefficients = coefficients
      unsafe self.bias = bias
      self.scale = scale
      self.varianceMinimum = varianceMinimum
    }
  }

  package init(
    inputWeights: UnsafePointer<Int8>, recurrentWeights: UnsafePointer<Int8>,
    inputBias: UnsafePointer<Int32>, recurrentBias: UnsafePointer<Int32>,
    inputScale: FixedPointScale, recurrentScale: FixedPointScale, peephole: Peephole? = nil,
    normalization: Normalization? = nil
  ) {
    unsafe self.inputWeights = inputWeights
    unsafe self.recurrentWeights = recurrentWeights
    unsafe self.inputBias = inputBias
    unsafe self.recurrentBias = recurrentBias
    self.inputScale = inputScale
    self.recurrentScale = recurrentScale
    self.peephole = peephole
    self.normalization = normalization
  }
}

/// The product that makes the output of the hidden state; the maker vouches for the pointers.
@safe package struct LSTMProjectionInt8 {
  /// `[outputs, cells]`.
  package var weights: UnsafePointer<Int8>
  package var bias: UnsafePointer<Int32>
  package var scale: FixedPointScale
  package var zeroPoint: Int32
  /// The bound of the output's codes; 0 for none.
  package var clip: Int8

  package init(
    weights: UnsafePointer<Int8>, bias: UnsafePointer<Int32>, scale: FixedPointScale,
    zeroPoint: Int32, clip: Int8
  ) {
    unsafe self.weights = weights
    unsafe self.bias = bias
    self.scale = scale
    self.zeroPoint = zeroPoint
    self.clip = clip
  }
}

/// An int8 long short-term memory with 16-bit cells; the maker vouches for the pointers.
@safe package struct LSTMInt8Arguments {
  package var sizes: LSTMSizes
  /// Whether the input gate is the complement of the forget gate, and `inputGate` means nothing. An optional would be
  /// too large for kernels to test without a function of its own, the same symbol in every variant.
  package var isCoupled: Bool
  package var inputGate: LSTMGateInt8
  package var forgetGate: LSTMGateInt8
  package var cellGate: LSTMGateInt8
  package var outputGate: LSTMGateInt8
  /// The cell's state has units of `2^cellExponent`.
  package var cellExponent: Int
  /// The bound of the cell's state; 0 for none.
  package var cellClip: Int16
  /// From products of the output gate and the squashed cell to codes of the hidden state.
  package var hiddenScale: FixedPointScale
  package var hiddenZeroPoint: Int32
  /// Nil where the hidden state is the output.
  package var projection: LSTMProjectionInt8?
  package var input: UnsafePointer<Int8>
  package var output: UnsafeMutablePointer<Int8>
  /// Read and written: `[batches, outputs]` and `[batches, cells]`.
  package var outputState: UnsafeMutablePointer<Int8>
  package var cellState: UnsafeMutablePointer<Int16>
  /// `scratchBytes(sizes)` bytes: the four gates, and codes of the hidden state.
  package var scratch: UnsafeMutablePointer<Int16>

  package static func scratchBytes(_ sizes: LSTMSizes) -> Int { 9 * sizes.cells }

  package init(
    sizes: LSTMSizes, inputGate: LSTMGateInt8?, forgetGate: LSTMGateInt8, cellGate: LSTMGateInt8,
    outputGate: LSTMGateInt8, cellExponent: Int, cellClip: Int16, hiddenScale: FixedPointScale,
    hiddenZeroPoint: Int32, projection: LSTMProjectionInt8?, input: UnsafePointer<Int8>,
    output: UnsafeMutablePointer<Int8>, outputState: UnsafeMutablePointer<Int8>, cellState: UnsafeMutablePointer<Int16>,
    scratch: UnsafeMutablePointer<Int16>
  ) {
    self.sizes = sizes
    isCoupled = inputGate == nil
    self.inputGate = inputGate ?? forgetGate
    self.forgetGate = forgetGate
    self.cellGate = cellGate
    self.outputGate = outputGate
    self.cellExponent = cellExponent
    self.cellClip = cellClip
    self.hiddenScale = hiddenScale
    self.hiddenZeroPoint = hiddenZeroPoint
    self.projection = projection
    unsafe self.input = input
    unsafe self.output = output
    unsafe self.outputState = outputState
    unsafe self.cellState = cellState
    unsafe self.scratch = scratch
  }
}

/// A plain recurrent layer in float32; the maker vouches for the pointers.
@safe package struct RNNFloat32Arguments {
  /// Cells and outputs are the units.
  package var sizes: LSTMSizes
  /// The sums go through `tanh`, and then into the bounds.
  package var squashes: Bool
  package var bounds: OutputBoundsFloat32
  /// `[units, inputs]`, `[units, units]` and `[units]`.
  package var inputWeights: UnsafePointer<Float>
  package var recurrentWeights: UnsafePointer<Float>
  package var bias: UnsafePointer<Float>
  package var input: UnsafePointer<Float>
  package var output: UnsafeMutablePointer<Float>
  /// Read and written: `[batches, units]`.
  package var state: UnsafeMutablePointer<Float>

  package init(
    sizes: LSTMSizes, squashes: Bool, bounds: OutputBoundsFloat32,
    inputWeights: UnsafePointer<Float>, recurrentWeights: UnsafePointer<Float>,
    bias: UnsafePointer<Float>, input: UnsafePointer<Float>,
    output: UnsafeMutablePointer<Float>, state: UnsafeMutablePointer<Float>
  ) {
    self.sizes = sizes
    self.squashes = squashes
    self.bounds = bounds
    unsafe self.inputWeights = inputWeights
    unsafe self.recurrentWeights = recurrentWeights
    unsafe self.bias = bias
    unsafe self.input = input
    unsafe self.output = output
    unsafe self.state = state
  }
}

/// A matrix of int8 codes with one scale; the maker vouches for the pointer.
@safe package struct HybridMatrix {
  package var codes: UnsafePointer<Int8>
  package var scale: Float

  package init(codes: UnsafePointer<Int8>, scale: Float) {
    unsafe self.codes = codes
    self.scale = scale
  }
}

/// The constants of one gate with weights of codes; the maker vouches for the pointers.
@safe package struct LSTMGateHybrid {
  /// `[cells, inputs]`.
  package var inputWeights: HybridMatrix
  /// `[cells, outputs]`.
  package var recurrentWeights: HybridMatrix
  package var bias: UnsafePointer<Float>
  /// What the cell's state adds, `[cells]`; nil for nothing.
  package var peephole: HybridMatrix?
  /// Coefficients of the layer normalisation; nil for none.
  package var normalization: UnsafePointer<Float>?

  package init(
    inputWeights: HybridMatrix, recurrentWeights: HybridMatrix, bias: UnsafePointer<Float>,
    peephole: HybridMatrix?, normalization: UnsafePointer<Float>?
  ) {
    self.inputWeights = inputWeights
    self.recurrentWeights = recurrentWeights
    unsafe self.bias = bias
    self.peephole = peephole
    unsafe self.normalization = normalization
  }
}

/// A float32 long short-term memory with weights of codes, whose rows are quantised at run time (dynamic range); the
/// maker vouches for the pointers.
@safe package struct LSTMHybridArguments {
  package var sizes: LSTMSizes
  /// Rows are quantised without a zero point.
  package var isSymmetric: Bool
  /// Nil where the input gate is the complement of the forget gate.
  package var inputGate: LSTMGateHybrid?
  package var forgetGate: LSTMGateHybrid
  package var cellGate: LSTMGateHybrid
  package var outputGate: LSTMGateHybrid
  /// `[outputs, cells]`; nil where the cells are the outputs.
  package var projection: HybridMatrix?
  package var projectionBias: UnsafePointer<Float>?
  /// Positive; infinite for none.
  package var cellClip: Float
  /// Positive; infinite for none.
  package var projectionClip: Float
  package var input: UnsafePointer<Float>
  package var output: UnsafeMutablePointer<Float>
  /// `[batches, outputs]`, read and written.
  package var outputState: UnsafeMutablePointer<Float>
  /// `[batches, cells]`, read and written.
  package var cellState: UnsafeMutablePointer<Float>
  /// `scratchBytes(_:)` bytes.
  package var scratch: UnsafeMutablePointer<Float>

  package init(
    sizes: LSTMSizes, isSymmetric: Bool, inputGate: LSTMGateHybrid?, forgetGate: LSTMGateHybrid,
    cellGate: LSTMGateHybrid, outputGate: LSTMGateHybrid, projection: HybridMatrix?,
    projectionBias: UnsafePointer<Float>?, cellClip: Float, projectionClip: Float,
    input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    outputState: UnsafeMutablePointer<Float>, cellState: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    self.sizes = sizes
    self.isSymmetric = isSymmetric
    self.inputGate = inputGate
    self.forgetGate = forgetGate
    self.cellGate = cellGate
    self.outputGate = outputGate
    self.projection = projection
    unsafe self.projectionBias = projectionBias
    self.cellClip = cellClip
    self.projectionClip = projectionClip
    unsafe self.input = input
    unsafe self.output = output
    unsafe self.outputState = outputState
    unsafe self.cellState = cellState
    unsafe self.scratch = scratch
  }

  /// Four gates of floats, and the codes of input, output and cells.
  package static func scratchBytes(_ sizes: LSTMSizes) -> Int {
    16 * sizes.cells + sizes.inputs + sizes.outputs + sizes.cells
  }
}

/// A plain recurrent layer in float32 with weights of codes, whose rows are quantised at run time (dynamic range); the
/// maker vouches for the pointers.
@safe package struct RNNHybridArguments {
  /// Cells and outputs are the units.
  package var sizes: LSTMSizes
  /// Rows are quantised without a zero point.
  package var isSymmetric: Bool
  /// The sums go through `tanh`, and then into the bounds.
  package var squashes: Bool
  package var bounds: OutputBoundsFloat32
  /// `[units, inputs]` and `[units, units]`.
  package var inputWeights: HybridMatrix
  package var recurrentWeights: HybridMatrix
  package var bias: UnsafePointer<Float>
  package var input: UnsafePointer<Float>
  package var output: UnsafeMutablePointer<Float>
  /// Read and written: `[batches, units]`.
  package var state: UnsafeMutablePointer<Float>
  /// The codes of a row of the input and one of the state.
  package var scratch: UnsafeMutableRawPointer

  package init(
    sizes: LSTMSizes, isSymmetric: Bool, squashes: Bool, bounds: OutputBoundsFloat32,
    inputWeights: HybridMatrix, recurrentWeights: HybridMatrix, bias: UnsafePointer<Float>,
    input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    state: UnsafeMutablePointer<Float>, scratch: UnsafeMutableRawPointer
  ) {
    self.sizes = sizes
    self.isSymmetric = isSymmetric
    self.squashes = squashes
    self.bounds = bounds
    self.inputWeights = inputWeights
    self.recurrentWeights = recurrentWeights
    unsafe self.bias = bias
    unsafe self.input = input
    unsafe self.output = output
    unsafe self.state = state
    unsafe self.scratch = scratch
  }
}

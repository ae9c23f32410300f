package import Tensors

/// An operator that makes the state of the next inference out of that of the last one.
///
/// States are operands, and what becomes of them are results behind the first.
package enum Recurrent: Sendable, Equatable {
  case lstm(LSTM)
  case svdf(SVDF)
  case rnn(RNN)

  /// The operands that are states, in the order of the results that follow them.
  package var stateOperands: [Int] {
    switch self {
    case .lstm: [LSTM.outputState, LSTM.cellState]
    case .svdf: [SVDF.state]
    case .rnn: [RNN.state]
    }
  }
}

/// Long short-term memory over a sequence.
///
/// Inputs: `[batch, time, n]`, or `[time, batch, n]`; weights of the input, then of the last output,
/// each for the gates input, forget, cell and output; peepholes of input, forget and output; biases
/// of the four gates; weights and bias of the projection; the states `[batch, o]` and `[batch, c]`;
/// and coefficients of the layer normalisation of the four gates. Where the weights of the input
/// gate are absent, the gate is the complement of the forget gate.
/// Outputs: `[batch, time, o]` in the order of the input, and the two states.
package struct LSTM: Sendable, Equatable {
  package static let inputWeights = 1
  package static let recurrentWeights = 5
  package static let peepholes = 9
  package static let biases = 12
  package static let projection = 16
  package static let outputState = 18
  package static let cellState = 19
  package static let normalizations = 20

  /// The operand of what the cell's state adds to a gate; the cell's candidate has none.
  package static func peephole(ofGate gate: Int) -> Int? {
    [0: peepholes, 1: peepholes + 1, 3: peepholes + 2][gate]
  }

  /// The codes of the output before its projection.
  package var hidden: Quantization? { intermediates.count > 4 ? intermediates[4] : nil }

  /// What squashes the cell's candidate and its state.
  package var activation: Activation
  /// The bound of the cell's state; 0 for none.
  package var cellClip: Float
  /// The bound of the projected output; 0 for none.
  package var projectionClip: Float
  package var isTimeMajor: Bool
  /// Dynamic-range only: rows are quantised with a zero point, not symmetrically.
  package var quantizesAsymmetrically: Bool
  /// The quantised operator's codes of the four gates before their normalisation, and of the output before its
  /// projection.
  package var intermediates: [Quantization?]

  package init(
    activation: Activation, cellClip: Float = 0, projectionClip: Float = 0,
    isTimeMajor: Bool = false, quantizesAsymmetrically: Bool = false,
    intermediates: [Quantization?] = []
  ) {
    self.quantizesAsymmetrically = quantizesAsymmetrically
    self.activation = activation
    self.cellClip = cellClip
    self.projectionClip = projectionClip
    self.isTimeMajor = isTimeMajor
    self.intermediates = intermediates
  }
}

/// A fully connected layer over features and, of rank one each, over the last moments of them.
///
/// Inputs: `[batch, n]`; weights of features `[f, n]`; weights of time `[f, memory]`; an optional
/// bias `[f / rank]`; the state `[batch, f · memory]`, whose newest moment is the last.
/// Outputs: `[batch, f / rank]`, and the state.
package struct SVDF: Sendable, Equatable {
  package static let state = 4

  /// Filters that each unit sums.
  package var rank: Int
  package var activation: Activation
  /// Dynamic-range only: rows are quantised with a zero point, not symmetrically.
  package var quantizesAsymmetrically: Bool

  package init(
    rank: Int, activation: Activation = .none, quantizesAsymmetrically: Bool = false
  ) {
    self.quantizesAsymmetrically = quantizesAsymmetrically
    self.rank = rank
    self.activation = activation
  }
}

/// A plain recurrent layer, `h = f(W x + R h + b)`.
///
/// Inputs: `[batch, time, n]`, or `[time, batch, n]`; weights of the input `[units, n]` and of the last output
/// `[units, units]`; the bias `[units]`; and the state `[batch, units]`.
/// Outputs: `[batch, time, units]` in the order of the input, and the state.
package struct RNN: Sendable, Equatable {
  package static let state = 4

  package var activation: Activation
  package var isTimeMajor: Bool
  /// Dynamic-range only: rows are quantised with a zero point, not symmetrically.
  package var quantizesAsymmetrically: Bool

  package init(
    activation: Activation, isTimeMajor: Bool = false, quantizesAsymmetrically: Bool = false
  ) {
    self.quantizesAsymmetrically = quantizesAsymmetrically
    self.activation = activation
    self.isTimeMajor = isTimeMajor
  }
}

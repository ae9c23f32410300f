import ByteParsing
import KernelInterface
import ModelGraph
import Tensors

/// Long short-term memory in codes of 8 bits, with gates and cells of 16.
extension Lowering {
  mutating func lowerLSTMInt8(_ lstm: LSTM, _ node: Node) throws(RuntimeError) {
    guard lstm.activation == .tanh else { throw unsupported(node) }
    let sizes = try sizes(lstm, node)
    let hidden = try hiddenState(lstm, node)
    var gates: [GateInt8?] = []
    for gate in 0..<4 { gates.append(try gateInt8(gate, hidden, lstm, node)) }
    let projection = try projectionInt8(lstm, hidden, node)
    let states = try copyStates([LSTM.outputState, LSTM.cellState], node, [.int8, .int16])
    let input = try required(node, 0, .int8)
    let output = try destination(node.outputs[0])
    needScratch(bytesPerThread: LSTMInt8Arguments.scratchBytes(sizes))
    let kernel = table.recurrent.lstmInt8
    let constants = gates
    add(
      Step(description: description(node, "lstmInt8", sizes), split: split(sizes)) { memory in
        let bound = constants.map { $0.map { $0.bound(memory) } }
        guard let forget = bound[1], let cell = bound[2], let exit = bound[3] else {
          preconditionFailure("only the input gate may be absent")
        }
        let arguments = unsafe LSTMInt8Arguments(
          sizes: sizes, inputGate: bound[0], forgetGate: forget, cellGate: cell,
          outputGate: exit, cellExponent: hidden.cellExponent, cellClip: hidden.cellClip,
          hiddenScale: hidden.scale, hiddenZeroPoint: hidden.zeroPoint,
          projection: projection.map { $0.bound(memory) }, input: memory.address(input),
          output: memory.address(output), outputState: memory.address(states[0]),
          cellState: memory.address(states[1]),
          scratch: memory.scratch(ofThread: 0).assumingMemoryBound(to: Int16.self))
        return { _, thread in
          var call = arguments
          unsafe call.scratch = memory.scratch(ofThread: thread).assumingMemoryBound(
            to: Int16.self)
          kernel(call)
        }
      })
  }

  private func hiddenState(
    _ lstm: LSTM, _ node: Node
  ) throws(RuntimeError) -> HiddenStateInt8 {
    guard
      let cellScale = type(try operand(node, LSTM.cellState)).quantization?.scale, cellScale > 0,
      cellScale.significand == 1, (-15 ... -9).contains(cellScale.exponent)
    else { throw unsupported(node) }
    let state = try perTensorQuantization(try operand(node, LSTM.outputState), of: node)
    let isProjected = node.input(LSTM.projection) != nil
    guard !isProjected || lstm.hidden != nil else { throw unsupported(node) }
    let codes = (lstm.hidden?.scale ?? state.scale, lstm.hidden?.zeroPoint ?? state.zeroPoint)
    guard codes.0 > 0, (-128...127).contains(codes.1) else { throw unsupported(node) }
    let clip = lstm.cellClip > 0 ? min(max(lstm.cellClip / cellScale, 0), 32767) : 0
    return HiddenStateInt8(
      cellExponent: Int(cellScale.exponent), cellClip: Int16(clip), codeScale: codes.0,
      scale: FixedPointScale(Double(Float(0x1p-15 / Double(codes.0) * 0x1p-15))),
      // The reference takes the zero point off before a projection, whose bias then has it twice.
      zeroPoint: isProjected ? -codes.1 : codes.1)
  }

  private mutating func gateInt8(
    _ gate: Int, _ hidden: HiddenStateInt8, _ lstm: LSTM, _ node: Node
  ) throws(RuntimeError) -> GateInt8? {
    guard let weights = node.input(LSTM.inputWeights + gate) else { return nil }
    let recurrent = try operand(node, LSTM.recurrentWeights + gate)
    let bias = try operand(node, LSTM.biases + gate)
    guard type(bias).dataType == .int32, let biases = graph[bias].constant else {
      throw unsupported(node)
    }
    let input = try perTensorQuantization(try operand(node, 0), of: node)
    let state = try perTensorQuantization(try operand(node, LSTM.outputState), of: node)
    let normalization = try normalizationInt16(gate, node)
    // Without a normalisation gates are sums of 4096ths, with one they are codes.
    let unit = normalization == nil
      ? 0x1p-12 : lstm.intermediates.count > gate ? lstm.intermediates[gate]?.scale ?? 0 : 0
    guard unit > 0, unit.isFinite else { throw unsupported(node) }
    // The normalised gate has its bias added after.
    let before = normalization == nil ? biases.int32s : nil
    return GateInt8(
      inputWeights: try required(node, LSTM.inputWeights + gate, .int8),
      recurrentWeights: try required(node, LSTM.recurrentWeights + gate, .int8),
      inputBias: try pack(
        PackedConstant(rowSums(weights, times: -input.zeroPoint, plus: before, node))),
      recurrentBias: try pack(
        PackedConstant(rowSums(recurrent, times: -state.zeroPoint, plus: nil, node))),
      inputScale: try gateScale(weights, input.scale, unit, node),
      recurrentScale: try gateScale(recurrent, state.scale, unit, node),
      peephole: try peepholeInt16(gate, hidden, unit, node), normalization: normalization)
  }

  /// From products of weights and codes to units of the gate.
  private func gateScale(
    _ weights: ValueID, _ scale: Float, _ unit: Float, _ node: Node
  ) throws(RuntimeError) -> FixedPointScale {
    let own = try perTensorQuantization(weights, of: node).scale
    return FixedPointScale(Double(own * scale / unit))
  }

  /// What the cell's state adds to a gate; nil where it adds nothing.
  private mutating func peepholeInt16(
    _ gate: Int, _ hidden: HiddenStateInt8, _ unit: Float, _ node: Node
  ) throws(RuntimeError) -> GateInt8.Peephole? {
    guard let index = LSTM.peephole(ofGate: gate), let id = node.input(index) else { return nil }
    guard let scale = type(id).quantization?.scale, scale > 0, scale.isFinite else {
      throw unsupported(node)
    }
    let cell = Double(sign: .plus, exponent: hidden.cellExponent, significand: 1)
    return GateInt8.Peephole(
      weights: try required(node, index, .int16),
      scale: FixedPointScale(Double(Float(cell * Double(scale) / Double(unit)))))
  }

  private mutating func normalizationInt16(
    _ gate: Int, _ node: Node
  ) throws(RuntimeError) -> GateInt8.Normalization? {
    guard let id = node.input(LSTM.normalizations + gate) else { return nil }
    guard let scale = type(id).quantization?.scale, scale > 0, scale < 1 else {
      throw unsupported(node)
    }
    return GateInt8.Normalization(
      coefficients: try required(node, LSTM.normalizations + gate, .int16),
      bias: try required(node, LSTM.biases + gate, .int32),
      scale: FixedPointScale(Double(scale)).shifted(by: 12),
      varianceMinimum: max(1, Int32(10_000 * scale)))
  }

  private mutating func projectionInt8(
    _ lstm: LSTM, _ hidden: HiddenStateInt8, _ node: Node
  ) throws(RuntimeError) -> ProjectionInt8? {
    guard let weights = node.input(LSTM.projection) else { return nil }
    let state = try perTensorQuantization(try operand(node, LSTM.outputState), of: node)
    let own = try perTensorQuantization(weights, of: node).scale
    var bias: [Int32]?
    if let id = node.input(LSTM.projection + 1) {
      guard type(id).dataType == .int32, let bytes = graph[id].constant else {
        throw unsupported(node)
      }
      bias = bytes.int32s
    }
    let output = try perTensorQuantization(node.outputs[0], of: node).scale
    let clip = lstm.projectionClip > 0 ? min(lstm.projectionClip / output, 127) : 0
    return ProjectionInt8(
      weights: try required(node, LSTM.projection, .int8),
      bias: try pack(
        PackedConstant(rowSums(weights, times: -hidden.zeroPoint, plus: bias, node))),
      scale: FixedPointScale(Double(own * hidden.codeScale / state.scale)),
      zeroPoint: state.zeroPoint, clip: Int8(clip))
  }

  /// `bias[r] + factor · Σ weights[r]` for each row.
  private func rowSums(
    _ weights: ValueID, times factor: Int32, plus bias: [Int32]?, _ node: Node
  ) throws(RuntimeError) -> [Int32] {
    guard let bytes = graph[weights].constant, shape(weights).rank == 2,
      bytes.count == elements(weights), (bias?.count ?? shape(weights)[0]) == shape(weights)[0]
    else { throw unsupported(node) }
    let (codes, columns) = (bytes.array, shape(weights)[1])
    return (0..<shape(weights)[0]).map { row in
      let sum = codes[row * columns..<(row + 1) * columns].reduce(Int32(0)) {
        $0 &+ Int32(Int8(bitPattern: $1))
      }
      return (bias?[row] ?? 0) &+ factor &* sum
    }
  }
}

/// The number formats of the states of an int8 long short-term memory.
private struct HiddenStateInt8 {
  var cellExponent: Int
  var cellClip: Int16
  /// Of the hidden state's codes.
  var codeScale: Float
  /// From products of the output gate and the squashed cell to those codes.
  var scale: FixedPointScale
  var zeroPoint: Int32
}

/// The constants of an int8 gate and where they are.
private struct GateInt8: Sendable {
  struct Peephole {
    var weights: Source
    var scale: FixedPointScale
  }

  struct Normalization {
    var coefficients: Source
    var bias: Source
    var scale: FixedPointScale
    var varianceMinimum: Int32
  }

  var inputWeights: Source
  var recurrentWeights: Source
  var inputBias: PackedID
  var recurrentBias: PackedID
  var inputScale: FixedPointScale
  var recurrentScale: FixedPointScale
  var peephole: Peephole?
  var normalization: Normalization?

  func bound(_ memory: ProgramMemory) -> LSTMGateInt8 {
    unsafe LSTMGateInt8(
      inputWeights: memory.address(inputWeights),
      recurrentWeights: memory.address(recurrentWeights),
      inputBias: memory.address(.packed(inputBias)),
      recurrentBias: memory.address(.packed(recurrentBias)), inputScale: inputScale,
      recurrentScale: recurrentScale,
      peephole: peephole.map {
        unsafe LSTMGateInt8.Peephole(weights: memory.address($0.weights), scale: $0.scale)
      },
      normalization: normalization.map {
        unsafe LSTMGateInt8.Normalization(
          coefficients: memory.address($0.coefficients), bias: memory.address($0.bias),
          scale: $0.scale, varianceMinimum: $0.varianceMinimum)
      })
  }
}

/// The constants of a projection and where they are.
private struct ProjectionInt8: Sendable {
  var weights: Source
  var bias: PackedID
  var scale: FixedPointScale
  var zeroPoint: Int32
  var clip: Int8

  func bound(_ memory: ProgramMemory) -> LSTMProjectionInt8 {
    unsafe LSTMProjectionInt8(
      weights: memory.address(weights), bias: memory.address(.packed(bias)), scale: scale,
      zeroPoint: zeroPoint, clip: clip)
  }
}

extension ByteView {
  /// The bytes as little-endian 32-bit integers; a rest of less than four is left out.
  fileprivate var int32s: [Int32] {
    let bytes = array
    return stride(from: 0, to: bytes.count - 3, by: 4).map { start in
      let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << (8 * UInt32($1)) }
      return Int32(bitPattern: bits)
    }
  }
}

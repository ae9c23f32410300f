import KernelInterface
import ModelGraph
import Tensors

/// Long short-term memory in float32 with weights of codes.
extension Lowering {
  /// Where a matrix of codes is, and its scale.
  struct MatrixSource: Sendable {
    var codes: Source
    var scale: Float

    func bound(_ memory: ProgramMemory) -> HybridMatrix {
      unsafe HybridMatrix(codes: memory.address(codes), scale: scale)
    }
  }

  /// Where the constants of a gate are.
  private struct GateHybrid: Sendable {
    var inputWeights: MatrixSource
    var recurrentWeights: MatrixSource
    var bias: Source
    var peephole: MatrixSource?
    var normalization: Source?

    func bound(_ memory: ProgramMemory) -> LSTMGateHybrid {
      unsafe LSTMGateHybrid(
        inputWeights: inputWeights.bound(memory), recurrentWeights: recurrentWeights.bound(memory),
        bias: memory.address(bias), peephole: peephole.map { $0.bound(memory) },
        normalization: normalization.map { unsafe memory.address($0) })
    }
  }

  mutating func lowerLSTMHybrid(_ lstm: LSTM, _ node: Node) throws(RuntimeError) {
    guard lstm.activation == .tanh, lstm.cellClip >= 0, lstm.projectionClip >= 0 else {
      throw unsupported(node)
    }
    let sizes = try sizes(lstm, node)
    var gates: [GateHybrid?] = []
    for gate in 0..<4 { gates.append(try gateHybrid(gate, node)) }
    let projection = try matrix(node, LSTM.projection)
    let projectionBias = try source(node, LSTM.projection + 1, .float32)
    let clips = [lstm.cellClip, lstm.projectionClip].map { $0 == 0 ? Float.infinity : $0 }
    let states = try copyStates([LSTM.outputState, LSTM.cellState], node, [.float32, .float32])
    let input = try required(node, 0, .float32)
    let output = try destination(node.outputs[0])
    needScratch(bytesPerThread: LSTMHybridArguments.scratchBytes(sizes))
    let kernel = table.recurrent.lstmHybrid
    let (sources, isSymmetric) = (gates, !lstm.quantizesAsymmetrically)
    add(
      Step(
        description: description(node, "lstmHybrid", sizes), split: split(sizes)
      ) { memory in
        let bound = sources.map { $0.map { $0.bound(memory) } }
        guard let forget = bound[1], let cell = bound[2], let exit = bound[3] else {
          preconditionFailure("only the input gate may be absent")
        }
        let arguments = unsafe LSTMHybridArguments(
          sizes: sizes, isSymmetric: isSymmetric, inputGate: bound[0], forgetGate: forget,
          cellGate: cell, outputGate: exit, projection: projection.map { $0.bound(memory) },
          projectionBias: projectionBias.map { unsafe memory.address($0) }, cellClip: clips[0],
          projectionClip: clips[1], input: memory.address(input), output: memory.address(output),
          outputState: memory.address(states[0]), cellState: memory.address(states[1]),
          scratch: memory.scratch(ofThread: 0).assumingMemoryBound(to: Float.self))
        return { _, thread in
          var call = arguments
          unsafe call.scratch = memory.scratch(ofThread: thread).assumingMemoryBound(
            to: Float.self)
          kernel(call)
        }
      })
  }

  private mutating func gateHybrid(
    _ gate: Int, _ node: Node
  ) throws(RuntimeError) -> GateHybrid? {
    let peephole = LSTM.peephole(ofGate: gate)
    guard let own = try matrix(node, LSTM.inputWeights + gate) else { return nil }
    guard let recurrent = try matrix(node, LSTM.recurrentWeights + gate) else {
      throw unsupported(node)
    }
    return GateHybrid(
      inputWeights: own, recurrentWeights: recurrent,
      bias: try required(node, LSTM.biases + gate, .float32),
      peephole: try peephole.flatMap { index throws(RuntimeError) in try matrix(node, index) },
      normalization: try source(node, LSTM.normalizations + gate, .float32))
  }

  /// A matrix of codes around 0; nil where it is absent.
  mutating func matrix(
    _ node: Node, _ index: Int
  ) throws(RuntimeError) -> MatrixSource? {
    guard let id = node.input(index), let codes = try source(node, index, .int8) else {
      return nil
    }
    let scheme = try perTensorQuantization(id, of: node)
    guard scheme.zeroPoint == 0 else { throw unsupported(node) }
    return MatrixSource(codes: codes, scale: scheme.scale)
  }
}

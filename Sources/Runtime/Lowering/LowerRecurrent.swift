import ByteParsing
import KernelInterface
import ModelGraph
import Tensors

/// Operators with a state: the state becomes the next one in its own buffer.
extension Lowering {
  mutating func lowerRecurrent(_ parameters: Recurrent, _ node: Node) throws(RuntimeError) {
    switch (parameters, type(try operand(node, 0)).dataType) {
    case (.lstm(let lstm), .float32):
      let weights = type(try operand(node, LSTM.inputWeights + 1)).dataType
      try weights == .int8 ? lowerLSTMHybrid(lstm, node) : lowerLSTMFloat32(lstm, node)
    case (.lstm(let lstm), .int8): try lowerLSTMInt8(lstm, node)
    case (.svdf(let svdf), .float32):
      let weights = type(try operand(node, 1)).dataType
      try weights == .int8 ? lowerSVDFHybrid(svdf, node) : lowerSVDFFloat32(svdf, node)
    case (.rnn(let rnn), .float32): try lowerRNN(rnn, node)
    case (.svdf(let svdf), .int8): try lowerSVDFInt8(svdf, node)
    default: throw unsupported(node)
    }
  }

  /// The value at `index` as a place of elements of `type`; nil where it is absent.
  mutating func source(
    _ node: Node, _ index: Int, _ type: DataType
  ) throws(RuntimeError) -> Source? {
    guard let id = node.input(index) else { return nil }
    guard self.type(id).dataType == type else { throw unsupported(node) }
    return source(id)
  }

  mutating func required(
    _ node: Node, _ index: Int, _ type: DataType
  ) throws(RuntimeError) -> Source {
    guard let source = try source(node, index, type) else { throw unsupported(node) }
    return source
  }

  func sizes(_ lstm: LSTM, _ node: Node) throws(RuntimeError) -> LSTMSizes {
    let input = shape(try operand(node, 0))
    return LSTMSizes(
      batches: input[lstm.isTimeMajor ? 1 : 0], steps: input[lstm.isTimeMajor ? 0 : 1],
      inputs: input[2], cells: shape(node.outputs[2])[1], outputs: shape(node.outputs[0])[2],
      isTimeMajor: lstm.isTimeMajor)
  }

  func description(_ node: Node, _ kernel: String, _ sizes: LSTMSizes) -> StepDescription {
    let products = 4 * sizes.cells * (sizes.inputs + sizes.outputs)
    return description(
      node, kernel, multiplyAccumulates: sizes.batches * sizes.steps * products)
  }

  func split(_ sizes: LSTMSizes) -> WorkSplit {
    .whole(
      costNanoseconds: costNanoseconds(
        4 * sizes.cells, sizes.inputs + sizes.outputs, sizes.batches * sizes.steps,
        perNanosecond: 4))
  }

  private mutating func lowerLSTMFloat32(_ lstm: LSTM, _ node: Node) throws(RuntimeError) {
    guard lstm.activation == .tanh, lstm.cellClip >= 0, lstm.projectionClip >= 0 else {
      throw unsupported(node)
    }
    let sizes = try sizes(lstm, node)
    var gates: [GateSources?] = []
    for gate in 0..<4 { gates.append(try gateSources(gate, node)) }
    let projection = try source(node, LSTM.projection, .float32)
    let projectionBias = try source(node, LSTM.projection + 1, .float32)
    let clips = [lstm.cellClip, lstm.projectionClip].map { $0 == 0 ? Float.infinity : $0 }
    let states = try copyStates([LSTM.outputState, LSTM.cellState], node, [.float32, .float32])
    let input = try required(node, 0, .float32)
    let output = try destination(node.outputs[0])
    needScratch(bytesPerThread: 16 * sizes.cells)
    let kernel = table.recurrent.lstmFloat32
    let sources = gates
    add(
      Step(
        description: description(node, "lstmFloat32", sizes), split: split(sizes)
      ) { memory in
        let bound = sources.map { $0.map { $0.bound(memory) } }
        guard let forget = bound[1], let cell = bound[2], let exit = bound[3] else {
          preconditionFailure("only the input gate may be absent")
        }
        let arguments = unsafe LSTMFloat32Arguments(
          sizes: sizes, inputGate: bound[0], forgetGate: forget, cellGate: cell,
          outputGate: exit, projection: projection.map { unsafe memory.address($0) },
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

  private mutating func gateSources(
    _ gate: Int, _ node: Node
  ) throws(RuntimeError) -> GateSources? {
    let peephole = LSTM.peephole(ofGate: gate)
    guard node.input(LSTM.inputWeights + gate) != nil else { return nil }
    return GateSources(
      inputWeights: try required(node, LSTM.inputWeights + gate, .float32),
      recurrentWeights: try required(node, LSTM.recurrentWeights + gate, .float32),
      bias: try required(node, LSTM.biases + gate, .float32),
      peephole: try peephole.flatMap { index throws(RuntimeError) in
        try source(node, index, .float32)
      },
      normalization: try source(node, LSTM.normalizations + gate, .float32))
  }

  /// Copies states to where they become the next ones; kernels change them there.
  mutating func copyStates(
    _ operands: [Int], _ node: Node, _ types: [DataType]
  ) throws(RuntimeError) -> [BufferID] {
    var places: [BufferID] = []
    for (place, operand) in operands.enumerated() {
      let state = try required(node, operand, types[place])
      let next = try destination(node.outputs[1 + place])
      addCopy(
        description(node, "copyRows"), from: state, to: next,
        byteCount: type(node.outputs[1 + place]).byteCount ?? 0)
      places.append(next)
    }
    return places
  }

  func sizes(_ svdf: SVDF, _ node: Node) throws(RuntimeError) -> SVDFSizes {
    let input = shape(try operand(node, 0))
    return SVDFSizes(
      batches: input[0], inputs: input[1], units: shape(node.outputs[0])[1], rank: svdf.rank,
      memory: shape(try operand(node, 2))[1])
  }

  private func split(_ sizes: SVDFSizes) -> WorkSplit {
    .whole(
      costNanoseconds: costNanoseconds(
        sizes.batches * sizes.filters, sizes.inputs + sizes.memory, perNanosecond: 4))
  }

  private func description(_ node: Node, _ kernel: String, _ sizes: SVDFSizes) -> StepDescription {
    description(
      node, kernel,
      multiplyAccumulates: sizes.batches * sizes.filters * (sizes.inputs + sizes.memory))
  }

  private mutating func lowerSVDFFloat32(_ svdf: SVDF, _ node: Node) throws(RuntimeError) {
    try addSVDFFloat32(
      svdf, node, features: required(node, 1, .float32), input: required(node, 0, .float32),
      time: required(node, 2, .float32))
  }

  /// The layer on its input, or on features where there are no weights of them.
  mutating func addSVDFFloat32(
    _ svdf: SVDF, _ node: Node, features: Source?, input: Source, time: Source
  ) throws(RuntimeError) {
    let sizes = try sizes(svdf, node)
    let bounds = try boundsFloat32(svdf.activation, of: node)
    let bias = try source(node, 3, .float32)
    let state = try required(node, SVDF.state, .float32)
    let (output, next) = (try destination(node.outputs[0]), try destination(node.outputs[1]))
    let kernel = table.recurrent.svdfFloat32
    add(
      Step(
        description: description(node, "svdfFloat32", sizes), split: split(sizes)
      ) { memory in
        let arguments = unsafe SVDFFloat32Arguments(
          sizes: sizes, bounds: bounds,
          featureWeights: features.map { unsafe memory.address($0) },
          timeWeights: memory.address(time), bias: bias.map { unsafe memory.address($0) },
          input: memory.address(input), output: memory.address(output),
          oldState: memory.address(state), newState: memory.address(next))
        return { _, _ in kernel(arguments) }
      })
  }

  private mutating func lowerSVDFInt8(_ svdf: SVDF, _ node: Node) throws(RuntimeError) {
    let (input, features) = (try operand(node, 0), try operand(node, 1))
    let (time, state) = (try operand(node, 2), try operand(node, SVDF.state))
    let (stateType, timeType) = (type(state).dataType, type(time).dataType)
    guard
      stateType == timeType, stateType == .int8 || stateType == .int16,
      let stateQuantization = type(state).quantization, stateQuantization.scale > 0,
      let timeScale = type(time).quantization?.scale
    else { throw unsupported(node) }
    let inputCodes = try perTensorQuantization(input, of: node)
    let featureScale = try perTensorQuantization(features, of: node).scale
    let outputScale = try perTensorQuantization(node.outputs[0], of: node).scale
    let sizes = try sizes(svdf, node)
    // Products in float32, as the reference has them.
    let toState = Double(inputCodes.scale * featureScale / stateQuantization.scale)
    let toOutput = Double(stateQuantization.scale * timeScale / outputScale)
    guard toState.isFinite, toOutput.isFinite else { throw unsupported(node) }
    // The activation is not applied to codes: the converter has it in the output's range.
    let bounds = try boundsInt8(.none, node.outputs[0], of: node)
    let (featureSource, timeSource) = (try required(node, 1, .int8), source(time))
    let biasSource = try source(node, 3, .int32)
    let (inputSource, stateSource) = (try required(node, 0, .int8), source(state))
    let (output, next) = (try destination(node.outputs[0]), try destination(node.outputs[1]))
    let kernel = table.recurrent.svdfInt8
    add(
      Step(description: description(node, "svdfInt8", sizes), split: split(sizes)) { memory in
        let arguments = unsafe SVDFInt8Arguments(
          sizes: sizes, bounds: bounds, inputZeroPoint: inputCodes.zeroPoint,
          stateZeroPoint: stateQuantization.zeroPoint, featureScale: FixedPointScale(toState),
          timeScale: FixedPointScale(toOutput), hasWideState: stateType == .int16,
          featureWeights: memory.address(featureSource),
          timeWeights: UnsafeRawPointer(memory.address(timeSource, as: UInt8.self)),
          bias: biasSource.map { unsafe memory.address($0) }, input: memory.address(inputSource),
          output: memory.address(output),
          oldState: UnsafeRawPointer(memory.address(stateSource, as: UInt8.self)),
          newState: UnsafeMutableRawPointer(memory.address(next, as: UInt8.self)))
        return { _, _ in kernel(arguments) }
      })
  }
}

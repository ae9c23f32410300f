import KernelInterface
import ModelGraph
import Tensors

extension Lowering {
  /// A plain recurrent layer in float32, with weights of numbers or of codes.
  mutating func lowerRNN(_ rnn: RNN, _ node: Node) throws(RuntimeError) {
    let form = try form(rnn, node)
    let isHybrid = type(try operand(node, 1)).dataType == .int8
    try isHybrid ? lowerRNNHybrid(rnn, form, node) : lowerRNNFloat32(form, node)
  }

  /// What both kinds of weights have in common.
  private struct RNNForm {
    var sizes: LSTMSizes
    var squashes: Bool
    var bounds: OutputBoundsFloat32

    var products: Int {
      sizes.batches * sizes.steps * sizes.outputs * (sizes.inputs + sizes.outputs)
    }
  }

  private func form(_ rnn: RNN, _ node: Node) throws(RuntimeError) -> RNNForm {
    let input = shape(try operand(node, 0))
    let units = shape(node.outputs[0])[2]
    let sizes = LSTMSizes(
      batches: input[rnn.isTimeMajor ? 1 : 0], steps: input[rnn.isTimeMajor ? 0 : 1],
      inputs: input[2], cells: units, outputs: units, isTimeMajor: rnn.isTimeMajor)
    let squashes = rnn.activation == .tanh
    let bounds = squashes ? OutputBoundsFloat32() : try boundsFloat32(rnn.activation, of: node)
    return RNNForm(sizes: sizes, squashes: squashes, bounds: bounds)
  }

  private mutating func lowerRNNHybrid(
    _ rnn: RNN, _ form: RNNForm, _ node: Node
  ) throws(RuntimeError) {
    guard let weights = try matrix(node, 1), let recurrent = try matrix(node, 2) else {
      throw unsupported(node)
    }
    let bias = try required(node, 3, .float32)
    let states = try copyStates([RNN.state], node, [.float32])
    let (source, output) = (try required(node, 0, .float32), try destination(node.outputs[0]))
    let (kernel, isSymmetric) = (table.recurrent.rnnHybrid, !rnn.quantizesAsymmetrically)
    needScratch(bytesPerThread: form.sizes.inputs + form.sizes.outputs)
    add(
      Step(
        description: description(node, "rnnHybrid", multiplyAccumulates: form.products),
        split: .whole(costNanoseconds: costNanoseconds(form.products, perNanosecond: 4))
      ) { memory in
        let arguments = unsafe RNNHybridArguments(
          sizes: form.sizes, isSymmetric: isSymmetric, squashes: form.squashes,
          bounds: form.bounds, inputWeights: weights.bound(memory),
          recurrentWeights: recurrent.bound(memory), bias: memory.address(bias),
          input: memory.address(source), output: memory.address(output),
          state: memory.address(states[0]), scratch: memory.scratch(ofThread: 0))
        return { _, thread in
          var call = arguments
          unsafe call.scratch = memory.scratch(ofThread: thread)
          kernel(call)
        }
      })
  }

  private mutating func lowerRNNFloat32(_ form: RNNForm, _ node: Node) throws(RuntimeError) {
    let weights = try required(node, 1, .float32)
    let recurrent = try required(node, 2, .float32)
    let bias = try required(node, 3, .float32)
    let states = try copyStates([RNN.state], node, [.float32])
    let (source, output) = (try required(node, 0, .float32), try destination(node.outputs[0]))
    let kernel = table.recurrent.rnnFloat32
    add(
      Step(
        description: description(node, "rnnFloat32", multiplyAccumulates: form.products),
        split: .whole(costNanoseconds: costNanoseconds(form.products, perNanosecond: 4))
      ) { memory in
        let arguments = unsafe RNNFloat32Arguments(
          sizes: form.sizes, squashes: form.squashes, bounds: form.bounds,
          inputWeights: memory.address(weights), recurrentWeights: memory.address(recurrent),
          bias: memory.address(bias), input: memory.address(source),
          output: memory.address(output), state: memory.address(states[0]))
        return { _, _ in kernel(arguments) }
      })
  }
}

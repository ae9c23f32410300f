import KernelInterface
import ModelGraph
import Tensors

extension Lowering {
  /// A plain recurrent layer in float32.
  mutating func lowerRNN(_ rnn: RNN, _ node: Node) throws(RuntimeError) {
    let input = shape(try operand(node, 0))
    let units = shape(node.outputs[0])[2]
    let sizes = LSTMSizes(
      batches: input[rnn.isTimeMajor ? 1 : 0], steps: input[rnn.isTimeMajor ? 0 : 1],
      inputs: input[2], cells: units, outputs: units, isTimeMajor: rnn.isTimeMajor)
    let squashes = rnn.activation == .tanh
    let bounds = squashes ? OutputBoundsFloat32() : try boundsFloat32(rnn.activation, of: node)
    let weights = try required(node, 1, .float32)
    let recurrent = try required(node, 2, .float32)
    let bias = try required(node, 3, .float32)
    let states = try copyStates([RNN.state], node, [.float32])
    let (source, output) = (try required(node, 0, .float32), try destination(node.outputs[0]))
    let kernel = table.recurrent.rnnFloat32
    let products = sizes.batches * sizes.steps * units * (sizes.inputs + units)
    add(
      Step(
        description: description(node, "rnnFloat32", multiplyAccumulates: products),
        split: .whole(costNanoseconds: costNanoseconds(products, perNanosecond: 4))
      ) { memory in
        let arguments = unsafe RNNFloat32Arguments(
          sizes: sizes, squashes: squashes, bounds: bounds,
          inputWeights: memory.address(weights), recurrentWeights: memory.address(recurrent),
          bias: memory.address(bias), input: memory.address(source),
          output: memory.address(output), state: memory.address(states[0]))
        return { _, _ in kernel(arguments) }
      })
  }
}

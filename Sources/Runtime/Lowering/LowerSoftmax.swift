import KernelInterface
import ModelGraph
import Tensors

extension Lowering {
  mutating func lowerSoftmax(_ parameters: Softmax, _ node: Node) throws(RuntimeError) {
    let (input, output) = (try operand(node, 0), node.outputs[0])
    if parameters.isLogarithm {
      try lowerNormalizeRows(isLogSoftmax: true, node)
      return
    }
    let columns = shape(input).extents.last ?? 1
    guard columns >= 1, parameters.beta.isFinite else { throw unsupported(node) }
    let split = WorkSplit(
      units: elements(input) / columns,
      costNanoseconds: costNanoseconds(elements(input), perNanosecond: 0.3))
    switch (type(input).dataType, type(output).dataType) {
    case (.float32, .float32):
      let (kernel, beta) = (table.softmaxFloat32, parameters.beta)
      let (source, destination) = (source(input), try destination(output))
      add(
        Step(description: description(node, "softmaxFloat32"), split: split) { memory in
          let arguments = unsafe SoftmaxFloat32Arguments(
            beta: beta, columns: columns, input: memory.address(source),
            output: memory.address(destination))
          return { range, _ in kernel(arguments, range) }
        })
    case (.int8, .int8): try lowerSoftmaxInt8(parameters, node, columns: columns, split: split)
    case (.int8, .int16): try lowerSoftmaxWide(parameters, node, columns: columns, split: split)
    case (.int16, .int16): try lowerSoftmaxInt16(parameters, node, columns: columns, split: split)
    default: throw unsupported(node)
    }
  }

  private mutating func lowerSoftmaxWide(
    _ parameters: Softmax, _ node: Node, columns: Int, split: WorkSplit
  ) throws(RuntimeError) {
    let (input, output) = (try operand(node, 0), node.outputs[0])
    let scale = try perTensorQuantization(input, of: node).scale
    // The kernel's codes are 65536ths from the lowest code on; files round the scale.
    guard let codes = type(output).quantization, codes.zeroPoints == [-32768],
      abs(codes.scale * 65536 - 1) < 1e-3, scale * parameters.beta >= 0,
      (scale * parameters.beta).isFinite
    else { throw unsupported(node) }
    let table = SoftmaxTableInt16(inputScale: scale, beta: parameters.beta)
    let entries = pack(PackedConstant(table.entries))
    let kernel = self.table.general.rare.softmaxWide
    let (source, destination) = (source(input), try destination(output))
    add(
      Step(description: description(node, "softmaxWide"), split: split) { memory in
        let arguments = unsafe SoftmaxWideArguments(
          table: memory.address(.packed(entries)), columns: columns,
          input: memory.address(source), output: memory.address(destination))
        return { range, _ in kernel(arguments, range) }
      })
  }

  private mutating func lowerSoftmaxInt8(
    _ parameters: Softmax, _ node: Node, columns: Int, split: WorkSplit
  ) throws(RuntimeError) {
    let (input, output) = (try operand(node, 0), node.outputs[0])
    // The kernel's codes are 256ths, which is what every int8 softmax of the format yields.
    guard try perTensorQuantization(output, of: node) == (1 / 256, -128) else {
      throw unsupported(node)
    }
    let scale = try perTensorQuantization(input, of: node).scale
    guard (scale * parameters.beta).isFinite else { throw unsupported(node) }
    let exponentials = SoftmaxTableInt8(inputScale: scale, beta: parameters.beta)
    let entries = pack(PackedConstant(exponentials.entries))
    let kernel = table.softmaxInt8
    let (source, destination) = (source(input), try destination(output))
    add(
      Step(description: description(node, "softmaxInt8"), split: split) { memory in
        let arguments = unsafe SoftmaxInt8Arguments(
          table: memory.address(.packed(entries)), columns: columns, input: memory.address(source),
          output: memory.address(destination))
        return { range, _ in kernel(arguments, range) }
      })
  }
}

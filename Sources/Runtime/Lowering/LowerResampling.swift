import ByteParsing
import KernelInterface
import ModelGraph
import Tensors

/// Resizing and transposed convolution.
extension Lowering {
  mutating func lowerResize(_ parameters: Resize, _ node: Node) throws(RuntimeError) {
    let (input, output) = (try operand(node, 0), node.outputs[0])
    try checkMoves([input], node)
    let (from, to) = (shape(input), shape(output))
    let dataType = type(input).dataType
    let isBilinear = parameters.kind == .bilinear
    guard !isBilinear || [.float32, .int8, .uint8, .int16].contains(dataType) else {
      throw unsupported(node)
    }
    // Nearest moves pixels whole.
    let channels = isBilinear ? from[3] : from[3] * (dataType.bitWidth / 8)
    let kernel = table.general.resize
    let (source, destination) = (source(input), try destination(output))
    add(
      Step(
        description: description(node, isBilinear ? "resizeBilinear" : "resizeNearest"),
        split: WorkSplit(
          units: to[0] * to[1],
          costNanoseconds: costNanoseconds(elements(output), perNanosecond: 1))
      ) { memory in
        let arguments = unsafe ResizeArguments(
          isBilinear: isBilinear, alignsCorners: parameters.alignsCorners,
          hasHalfPixelCenters: parameters.hasHalfPixelCenters, type: dataType, height: from[1],
          width: from[2], channels: channels, outputHeight: to[1], outputWidth: to[2],
          input: memory.raw(source), output: memory.raw(destination))
        return { range, _ in kernel(arguments, range) }
      })
  }
}

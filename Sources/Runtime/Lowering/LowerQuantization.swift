import KernelInterface
import ModelGraph
import Tensors

extension Lowering {
  mutating func lowerQuantize(_ node: Node) throws(RuntimeError) {
    let (input, output) = (try operand(node, 0), node.outputs[0])
    if try lowerFlip(node, input, output) { return }
    switch (type(input).dataType, type(output).dataType) {
    case (.float32, .int16): return try lowerQuantizeInt16(node, input, output)
    case (.int8, .int16), (.int16, .int16), (.int32, .int16):
      return try addRequantizeCodes(node, input, output, minimum: -32768, maximum: 32767)
    case (.int16, .int8), (.int32, .int8):
      return try addRequantizeCodes(node, input, output, minimum: -128, maximum: 127)
    case (.int8, .int32), (.int16, .int32):
      return try addRequantizeCodes(node, input, output, minimum: .min, maximum: .max)
    default: break
    }
    let scale = try perTensorQuantization(output, of: node).scale
    let bounds = try boundsInt8(.none, output, of: node)
    let split = split(elements(output), perNanosecond: 2)
    switch (type(input).dataType, type(output).dataType) {
    case (.float32, .int8):
      let kernel = table.quantizeInt8
      let (source, destination) = (source(input), try destination(output))
      add(
        Step(description: description(node, "quantizeInt8"), split: split) { memory in
          let arguments = unsafe QuantizeArguments(
            scale: scale, bounds: bounds, count: 0, input: memory.address(source),
            output: memory.address(destination))
          return { range, _ in
            var call = arguments
            call.count = range.count
            unsafe call.input += range.lowerBound
            unsafe call.output += range.lowerBound
            kernel(call)
          }
        })
    case (.int8, .int8):
      let from = try perTensorQuantization(input, of: node)
      let function = CodeFunction(
        requantizing: from, to: try perTensorQuantization(output, of: node))
      try addLookup(
        LookupTableInt8(inputZeroPoint: from.zeroPoint, bounds: bounds, codes: function.steps),
        node, input, output)
    default: throw unsupported(node)
    }
  }

  /// Between the uint8 and the int8 codes of the same numbers; false when the node is not that.
  private mutating func lowerFlip(
    _ node: Node, _ input: ValueID, _ output: ValueID
  ) throws(RuntimeError) -> Bool {
    guard
      let from = type(input).quantization, let to = type(output).quantization,
      from.scales == to.scales, from.zeroPoints.count == 1, to.zeroPoints.count == 1
    else { return false }
    switch (type(input).dataType, type(output).dataType) {
    case (.uint8, .int8) where from.zeroPoint - 128 == to.zeroPoint: break
    case (.int8, .uint8) where from.zeroPoint + 128 == to.zeroPoint: break
    default: return false
    }
    let kernel = table.flipHighBits
    let (source, destination) = (source(input), try destination(output))
    add(
      Step(
        description: description(node, "flipHighBits"),
        split: split(elements(output), perNanosecond: 10)
      ) { memory in
        let arguments = unsafe FlipHighBitsArguments(
          count: 0, input: memory.address(source), output: memory.address(destination))
        return { range, _ in
          var call = arguments
          call.count = range.count
          unsafe call.input += range.lowerBound
          unsafe call.output += range.lowerBound
          kernel(call)
        }
      })
    return true
  }

  /// Brings int8 codes of a value to another quantisation.
  mutating func addRequantize(
    _ node: Node, _ input: ValueID, from source: Source, to destination: BufferID, scale: Float,
    bounds: OutputBoundsInt8
  ) throws(RuntimeError) {
    let quantization = try perTensorQuantization(input, of: node)
    let ratio = Float(Double(quantization.scale) / Double(scale))
    let kernel = table.requantizeInt8
    add(
      Step(
        description: description(node, "requantizeInt8"),
        split: split(elements(input), perNanosecond: 2)
      ) { memory in
        let arguments = unsafe RequantizeArguments(
          scale: ratio, inputZeroPoint: quantization.zeroPoint, bounds: bounds, count: 0,
          input: memory.address(source), output: memory.address(destination))
        return { range, _ in
          var call = arguments
          call.count = range.count
          unsafe call.input += range.lowerBound
          unsafe call.output += range.lowerBound
          kernel(call)
        }
      })
  }

  mutating func lowerDequantize(_ node: Node) throws(RuntimeError) {
    let (input, output) = (try operand(node, 0), node.outputs[0])
    if type(input).dataType == .int16, type(output).dataType == .float32 {
      return try lowerDequantizeInt16(node, input, output)
    }
    if type(input).dataType == .float16 { return try addCast(node, input, output) }
    guard type(input).dataType == .int8, type(output).dataType == .float32 else {
      throw unsupported(node)
    }
    let quantization = try perTensorQuantization(input, of: node)
    let kernel = table.dequantizeInt8
    let (source, destination) = (source(input), try destination(output))
    add(
      Step(
        description: description(node, "dequantizeInt8"),
        split: split(elements(output), perNanosecond: 2)
      ) { memory in
        let arguments = unsafe DequantizeArguments(
          scale: quantization.scale, zeroPoint: quantization.zeroPoint, count: 0,
          input: memory.address(source), output: memory.address(destination))
        return { range, _ in
          var call = arguments
          call.count = range.count
          unsafe call.input += range.lowerBound
          unsafe call.output += range.lowerBound
          kernel(call)
        }
      })
  }
}

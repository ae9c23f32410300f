import KernelInterface
import ModelGraph
import Tensors

extension Lowering {
  mutating func lowerBinaryInt16(
    _ parameters: Binary, _ operation: BinaryOperation, _ node: Node, _ left: ValueID,
    _ right: ValueID
  ) throws(RuntimeError) {
    let output = node.outputs[0]
    let broadcast = broadcast(left, right, output)
    let bounds = try boundsInt16(parameters.activation, output, of: node)
    let kernelParameters = BinaryInt16Parameters(
      operation, left: try scaleInt16(left, node),
      right: try scaleInt16(right, node), output: try scaleInt16(output, node),
      minimum: bounds.minimum, maximum: bounds.maximum)
    let kernel = table.int16.binary
    let (leftSource, rightSource) = (source(left), source(right))
    let destination = try destination(
      output, overwriting: overwritable([left, right], by: output))
    add(
      Step(
        description: description(node, "binaryInt16"), split: split(broadcast, output)
      ) { memory in
        let arguments = unsafe BinaryInt16Arguments(
          parameters: kernelParameters, rows: 0, columns: 0, left: memory.address(leftSource),
          leftStrides: broadcast.leftStrides, right: memory.address(rightSource),
          rightStrides: broadcast.rightStrides, output: memory.address(destination))
        return { range, _ in
          broadcast.forEachPart(of: range) { part in
            var call = arguments
            (call.rows, call.columns) = (part.rows, part.columns)
            unsafe call.left += part.left
            unsafe call.right += part.right
            unsafe call.output += part.output
            kernel(call)
          }
        }
      })
  }

  /// A function by table; the relu family by its bounds.
  mutating func lowerUnaryInt16(
    _ parameters: Unary, _ node: Node, _ input: ValueID, _ output: ValueID
  ) throws(RuntimeError) {
    let (scale, outputScale) = (try scaleInt16(input, node), try scaleInt16(output, node))
    if parameters.kind.operation == .clamp {
      let real = parameters.kind.bounds
      func code(_ value: Float) -> Int32 {
        Int32(max(-32768, min(32767, (value / outputScale).rounded(.toNearestOrAwayFromZero))))
      }
      return try addRequantizeCodes(
        node, input, output, minimum: code(real.minimum), maximum: code(real.maximum))
    }
    if parameters.kind == .leakyRelu {
      return try addRequantizeCodes(
        node, input, output, minimum: -32768, maximum: 32767, slopeBelow: parameters.slope)
    }
    if let sigmoid = SigmoidScaleInt16(parameters.kind, input: scale, output: outputScale) {
      return try addSigmoidInt16(sigmoid, node, input, output)
    }
    let entries = LookupTableInt16(
      inputScale: Double(scale), inputZeroPoint: 0, outputScale: Double(outputScale),
      parameters.function
    ).entries
    let values = pack(PackedConstant(entries))
    let kernel = table.int16.lookup
    let source = source(input)
    let destination = try destination(output, overwriting: [input])
    add(
      Step(
        description: description(node, "lookupInt16"),
        split: split(elements(output), perNanosecond: 0.5)
      ) { memory in
        let arguments = unsafe LookupInt16Arguments(
          table: memory.address(.packed(values)), count: 0, input: memory.address(source),
          output: memory.address(destination))
        return { range, _ in
          var call = arguments
          call.count = range.count
          unsafe call.input += range.lowerBound
          unsafe call.output += range.lowerBound
          kernel(call)
        }
      })
  }

  private mutating func addSigmoidInt16(
    _ scale: SigmoidScaleInt16, _ node: Node, _ input: ValueID, _ output: ValueID
  ) throws(RuntimeError) {
    let values = pack(PackedConstant(SigmoidScaleInt16.table))
    let kernel = table.int16.sigmoid
    let source = source(input)
    let destination = try destination(output, overwriting: [input])
    add(
      Step(
        description: description(node, "sigmoidInt16"),
        split: split(elements(output), perNanosecond: 0.5)
      ) { memory in
        let arguments = unsafe SigmoidInt16Arguments(
          isTangent: scale.isTangent, multiplier: scale.multiplier, shift: scale.shift,
          table: memory.address(.packed(values)), count: 0, input: memory.address(source),
          output: memory.address(destination))
        return { range, _ in
          var call = arguments
          call.count = range.count
          unsafe call.input += range.lowerBound
          unsafe call.output += range.lowerBound
          kernel(call)
        }
      })
  }

  mutating func lowerMeanInt16(
    _ node: Node, _ input: ValueID, _ output: ValueID, _ reduction: ReductionShape,
    _ split: WorkSplit
  ) throws(RuntimeError) {
    // A sum of int16 codes stays within 32 bits.
    guard reduction.reduced <= 1 << 16 else { throw unsupported(node) }
    let ratio = Double(try scaleInt16(input, node)) / Double(try scaleInt16(output, node))
    let scale = FixedPointScale(ratio, dividedBy: max(reduction.reduced, 1))
    let kernel = table.int16.mean
    let (source, destination) = (source(input), try destination(output))
    add(
      Step(description: description(node, "meanInt16"), split: split) { memory in
        let arguments = unsafe MeanInt16Arguments(
          shape: reduction, scale: scale, input: memory.address(source),
          output: memory.address(destination))
        return { range, _ in kernel(arguments, range) }
      })
  }

  mutating func lowerSoftmaxInt16(
    _ parameters: Softmax, _ node: Node, columns: Int, split: WorkSplit
  ) throws(RuntimeError) {
    let (input, output) = (try operand(node, 0), node.outputs[0])
    guard try scaleInt16(output, node) == 0x1p-15 else { throw unsupported(node) }
    let ratio = Double(try scaleInt16(input, node) * parameters.beta) / (10.0 / 65535)
    guard ratio.isFinite, ratio >= 0 else { throw unsupported(node) }
    let scale = FixedPointScale(ratio)
    let tables = pack(
      PackedConstant(LookupTableInt16.exponential.entries + LookupTableInt16.reciprocal.entries))
    let kernel = table.int16.softmax
    let (source, destination) = (source(input), try destination(output))
    add(
      Step(description: description(node, "softmaxInt16"), split: split) { memory in
        let arguments = unsafe SoftmaxInt16Arguments(
          scale: scale, tables: memory.address(.packed(tables)), columns: columns,
          input: memory.address(source), output: memory.address(destination))
        return { range, _ in kernel(arguments, range) }
      })
  }

  mutating func lowerQuantizeInt16(
    _ node: Node, _ input: ValueID, _ output: ValueID
  ) throws(RuntimeError) {
    let scale = try scaleInt16(output, node)
    let kernel = table.int16.quantize
    let (source, destination) = (source(input), try destination(output))
    add(
      Step(
        description: description(node, "quantizeInt16"),
        split: split(elements(output), perNanosecond: 1)
      ) { memory in
        let arguments = unsafe QuantizeInt16Arguments(
          scale: scale, count: 0, input: memory.address(source),
          output: memory.address(destination))
        return { range, _ in
          var call = arguments
          call.count = range.count
          unsafe call.input += range.lowerBound
          unsafe call.output += range.lowerBound
          kernel(call)
        }
      })
  }

  mutating func lowerDequantizeInt16(
    _ node: Node, _ input: ValueID, _ output: ValueID
  ) throws(RuntimeError) {
    let scale = try scaleInt16(input, node)
    let kernel = table.int16.dequantize
    let (source, destination) = (source(input), try destination(output))
    add(
      Step(
        description: description(node, "dequantizeInt16"),
        split: split(elements(output), perNanosecond: 2)
      ) { memory in
        let arguments = unsafe DequantizeInt16Arguments(
          scale: scale, count: 0, input: memory.address(source),
          output: memory.address(destination))
        return { range, _ in
          var call = arguments
          call.count = range.count
          unsafe call.input += range.lowerBound
          unsafe call.output += range.lowerBound
          kernel(call)
        }
      })
  }

  /// Between codes of 8, 16 and 32 bits, within the bounds given.
  mutating func addRequantizeCodes(
    _ node: Node, _ input: ValueID, _ output: ValueID, minimum: Int32, maximum: Int32,
    slopeBelow: Float? = nil
  ) throws(RuntimeError) {
    let (from, to) = (type(input), type(output))
    guard
      let read = from.quantization, let written = to.quantization, read.scales.count == 1,
      written.scales.count == 1, read.zeroPoints.count == 1, written.zeroPoints.count == 1,
      read.scale > 0, written.scale > 0
    else { throw unsupported(node) }
    var scale = FixedPointScale(Double(read.scale) / Double(written.scale))
    var scaleBelow = scale
    if let slopeBelow {
      let ratio = Double(read.scale * slopeBelow / written.scale)
      guard ratio >= 0, ratio.isFinite else { throw unsupported(node) }
      scale = FixedPointScale(Double(read.scale / written.scale))
      scaleBelow = FixedPointScale(ratio)
    }
    let (above, below) = (scale, scaleBelow)
    let (inputBytes, outputBytes) = (from.dataType.bitWidth / 8, to.dataType.bitWidth / 8)
    let kernel = table.int16.requantize
    let (source, destination) = (source(input), try destination(output))
    add(
      Step(
        description: description(node, "requantizeCodes"),
        split: split(elements(output), perNanosecond: 0.5)
      ) { memory in
        let arguments = unsafe RequantizeCodesArguments(
          inputBytes: inputBytes, outputBytes: outputBytes, scale: above, scaleBelow: below,
          inputZeroPoint: read.zeroPoint, zeroPoint: written.zeroPoint, minimum: minimum,
          maximum: maximum, count: 0,
          input: UnsafeRawPointer(memory.address(source, as: UInt8.self)),
          output: UnsafeMutableRawPointer(memory.address(destination, as: UInt8.self)))
        return { range, _ in
          var call = arguments
          call.count = range.count
          unsafe call.input += range.lowerBound * inputBytes
          unsafe call.output += range.lowerBound * outputBytes
          kernel(call)
        }
      })
  }
}

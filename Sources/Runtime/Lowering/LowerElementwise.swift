import KernelInterface
import ModelGraph
import Tensors

extension Lowering {
  mutating func lowerBinary(_ parameters: Binary, _ node: Node) throws(RuntimeError) {
    let (left, right) = (try operand(node, 0), try operand(node, 1))
    let types = (type(left).dataType, type(right).dataType)
    switch (types.0, types.1, type(node.outputs[0]).dataType, parameters.kind.operation) {
    case (.int8, .int8, .int8, let operation?):
      try lowerBinaryInt8(parameters, operation, node, left, right)
    case (.int16, .int16, .int16, let operation?):
      try lowerBinaryInt16(parameters, operation, node, left, right)
    case (.float32, .float32, .float32, let operation?):
      try lowerBinaryFloat32(parameters, operation, node, left, right)
    default: try lowerBinaryElements(parameters, node, left, right)
    }
  }

  private mutating func lowerBinaryInt8(
    _ parameters: Binary, _ operation: BinaryOperation, _ node: Node, _ left: ValueID, _ right: ValueID
  ) throws(RuntimeError) {
    let output = node.outputs[0]
    let broadcast = broadcast(left, right, output)
    let kernelParameters = BinaryInt8Parameters(
      operation, left: try perTensorQuantization(left, of: node),
      right: try perTensorQuantization(right, of: node),
      outputScale: try perTensorQuantization(output, of: node).scale,
      bounds: try boundsInt8(parameters.activation, output, of: node))
    for (one, other) in [(left, right), (right, left)] {
      guard let function = functions[one] else { continue }
      let both = combined(function, isLeft: one == left, kernelParameters)
      return try addLookup(both, node, other, output)
    }
    let kernel = table.binaryInt8
    let (leftSource, rightSource) = (source(left), source(right))
    let destination = try destination(
      output, overwriting: overwritable([left, right], by: output))
    add(
      Step(
        description: description(node, "binaryInt8"), split: split(broadcast, output)
      ) { memory in
        let arguments = unsafe BinaryInt8Arguments(
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

  private mutating func lowerBinaryFloat32(
    _ parameters: Binary, _ operation: BinaryOperation, _ node: Node, _ left: ValueID, _ right: ValueID
  ) throws(RuntimeError) {
    let output = node.outputs[0]
    let broadcast = broadcast(left, right, output)
    let bounds = try boundsFloat32(parameters.activation, of: node)
    let kernel = table.binaryFloat32
    let (leftSource, rightSource) = (source(left), source(right))
    let destination = try destination(
      output, overwriting: overwritable([left, right], by: output))
    add(
      Step(
        description: description(node, "binaryFloat32"), split: split(broadcast, output)
      ) { memory in
        let arguments = unsafe BinaryFloat32Arguments(
          operation: operation, bounds: bounds, rows: 0, columns: 0,
          left: memory.address(leftSource), leftStrides: broadcast.leftStrides,
          right: memory.address(rightSource), rightStrides: broadcast.rightStrides,
          output: memory.address(destination))
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

  mutating func lowerUnary(_ parameters: Unary, _ node: Node) throws(RuntimeError) {
    let (input, output) = (try operand(node, 0), node.outputs[0])
    switch (type(input).dataType, type(output).dataType, parameters.kind.operation) {
    case (.int8, .int8, _): try lowerLookupInt8(parameters, node, input, output)
    case (.int16, .int16, _) where parameters.kind.hasInt16Kernel:
      try lowerUnaryInt16(parameters, node, input, output)
    case (.float32, .float32, let operation?):
      try lowerUnaryFloat32(parameters, operation, node, input, output)
    default: try lowerUnaryElements(parameters, node, input, output)
    }
  }

  private mutating func lowerUnaryFloat32(
    _ parameters: Unary, _ operation: UnaryOperation, _ node: Node, _ input: ValueID,
    _ output: ValueID
  ) throws(RuntimeError) {
    let bounds = parameters.kind.bounds
    let kernel = table.unaryFloat32
    let source = source(input)
    let destination = try destination(output, overwriting: [input])
    add(
      Step(
        description: description(node, "unaryFloat32"),
        split: split(elements(output), perNanosecond: operation == .clamp ? 4 : 0.5)
      ) { memory in
        let arguments = unsafe UnaryArguments(
          operation: operation, bounds: bounds, count: 0, input: memory.address(source),
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

  private mutating func lowerLookupInt8(
    _ parameters: Unary, _ node: Node, _ input: ValueID, _ output: ValueID
  ) throws(RuntimeError) {
    let quantization = try perTensorQuantization(input, of: node)
    let target = try perTensorQuantization(output, of: node)
    let exact = CodeFunction(parameters, input: quantization, output: target)
    let table: LookupTableInt8
    if let exact {
      table = LookupTableInt8(
        inputZeroPoint: quantization.zeroPoint,
        bounds: try boundsInt8(parameters.kind.bounds, output, of: node), codes: exact.steps)
    } else {
      table = LookupTableInt8(
        inputScale: quantization.scale, inputZeroPoint: quantization.zeroPoint,
        outputScale: target.scale, bounds: try boundsInt8(.none, output, of: node),
        parameters.function)
    }
    if foldedFunctions.contains(output) {
      functions[output] = table
    } else {
      try addLookup(table, node, input, output)
    }
  }

  /// Adds the step of a function of int8 codes by table.
  mutating func addLookup(
    _ table: LookupTableInt8, _ node: Node, _ input: ValueID, _ output: ValueID
  ) throws(RuntimeError) {
    let entries = pack(PackedConstant(table.entries))
    let kernel = self.table.lookupInt8
    let source = source(input)
    let destination = try destination(output, overwriting: [input])
    add(
      Step(
        description: description(node, "lookupInt8"),
        split: split(elements(output), perNanosecond: 2)
      ) { memory in
        let arguments = unsafe LookupInt8Arguments(
          table: memory.address(.packed(entries)), count: 0, input: memory.address(source),
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

  // MARK: Shapes and work

  func broadcast(_ left: ValueID, _ right: ValueID, _ output: ValueID) -> Broadcast {
    Broadcast(left: shape(left), right: shape(right), output: shape(output))
  }

  /// The operands that have every element of the output, so that it may take their place.
  func overwritable(_ operands: [ValueID], by output: ValueID) -> [ValueID] {
    // The operands' own bytes must not be read by another element, so both must not be one value broadcast.
    operands.filter { elements($0) == elements(output) }
  }

  func split(_ broadcast: Broadcast, _ output: ValueID) -> WorkSplit {
    WorkSplit(
      units: broadcast.units, multiple: broadcast.axes.count > 1 ? 1 : 64,
      costNanoseconds: costNanoseconds(elements(output), perNanosecond: 2))
  }

  /// Elements that do not depend on each other, cut at cache lines.
  func split(_ count: Int, perNanosecond rate: Double) -> WorkSplit {
    WorkSplit(
      units: count, multiple: 64, costNanoseconds: costNanoseconds(count, perNanosecond: rate))
  }
}

import KernelInterface
import ModelGraph
import Tensors

/// Elementwise operators through the general kernels.
extension Lowering {
  /// The numbers that the codes of a value are; the unit where it has none.
  func scheme(_ id: ValueID, of node: Node) throws(RuntimeError) -> CodeScheme {
    let type = type(id)
    guard [.int8, .uint8, .int16].contains(type.dataType) else { return CodeScheme() }
    guard
      let quantization = type.quantization, quantization.scales.count == 1,
      quantization.zeroPoints.count == 1, quantization.scale > 0, quantization.scale.isFinite
    else { throw unsupported(node) }
    return CodeScheme(scale: quantization.scale, zeroPoint: quantization.zeroPoint)
  }

  mutating func lowerBinaryElements(
    _ parameters: Binary, _ node: Node, _ left: ValueID, _ right: ValueID
  ) throws(RuntimeError) {
    let output = node.outputs[0]
    let (dataType, operation) = (type(left).dataType, parameters.kind.elementOperation)
    guard
      type(right).dataType == dataType,
      type(output).dataType == (operation.isPredicate ? .bool : dataType),
      operation.takes(dataType)
    else { throw unsupported(node) }
    let broadcast = Broadcast(left: shape(left), right: shape(right), output: shape(output))
    let schemes = (try scheme(left, of: node), try scheme(right, of: node))
    let outputScheme = try scheme(output, of: node)
    let bounds = try boundsFloat32(parameters.activation, of: node)
    let kernel = table.general.binary
    let sizes = (dataType.bitWidth / 8, type(output).dataType.bitWidth / 8)
    let (leftSource, rightSource) = (source(left), source(right))
    let destination = try destination(
      output,
      overwriting: operation.isPredicate
        ? [] : [left, right].filter { elements($0) == elements(output) })
    add(
      Step(
        description: description(node, "binaryElements"),
        split: WorkSplit(
          units: broadcast.units, multiple: broadcast.axes.count > 1 ? 1 : 64,
          costNanoseconds: costNanoseconds(elements(output), perNanosecond: 1))
      ) { memory in
        let arguments = unsafe BinaryElementsArguments(
          operation: operation, type: dataType, leftScheme: schemes.0, rightScheme: schemes.1,
          outputScheme: outputScheme, bounds: bounds, rows: 0, columns: 0,
          left: memory.raw(leftSource), leftStrides: broadcast.leftStrides,
          right: memory.raw(rightSource), rightStrides: broadcast.rightStrides,
          output: memory.raw(destination))
        return { range, _ in
          broadcast.forEachPart(of: range) { part in
            var call = arguments
            (call.rows, call.columns) = (part.rows, part.columns)
            unsafe call.left += part.left * sizes.0
            unsafe call.right += part.right * sizes.0
            unsafe call.output += part.output * sizes.1
            kernel(call)
          }
        }
      })
  }

  mutating func lowerUnaryElements(
    _ parameters: Unary, _ node: Node, _ input: ValueID, _ output: ValueID
  ) throws(RuntimeError) {
    let dataType = type(input).dataType
    guard
      type(output).dataType == dataType, let function = parameters.kind.elementFunction,
      function.takes(dataType)
    else { throw unsupported(node) }
    let (kernel, size, slope) = (table.general.unary, dataType.bitWidth / 8, parameters.slope)
    let source = source(input)
    let destination = try destination(output, overwriting: [input])
    add(
      Step(
        description: description(node, "unaryElements"),
        split: split(elements(output), perNanosecond: 0.5)
      ) { memory in
        let arguments = unsafe UnaryElementsArguments(
          function: function, type: dataType, slope: slope, count: 0, input: memory.raw(source),
          output: memory.raw(destination))
        return { range, _ in
          var call = arguments
          call.count = range.count
          unsafe call.input += range.lowerBound * size
          unsafe call.output += range.lowerBound * size
          kernel(call)
        }
      })
  }

  mutating func lowerCast(_ node: Node) throws(RuntimeError) {
    let (input, output) = (try operand(node, 0), node.outputs[0])
    let (from, to) = (type(input).dataType, type(output).dataType)
    let known: [DataType] = [
      .bool, .int8, .uint8, .int16, .uint16, .int32, .uint32, .int64, .float32, .float16,
    ]
    guard known.contains(from), known.contains(to) else { throw unsupported(node) }
    // Between float16 and integers there is a float32.
    let single = [.float32, .float16].contains(from == .float16 ? to : from)
    guard from != .float16 && to != .float16 || single else {
      let between = temporary(byteCount: elements(input) * 4)
      addCast(node, from: from, source(input), to: .float32, between, count: elements(input))
      let output = try destination(output)
      return addCast(
        node, from: .float32, .buffer(between), to: to, output, count: elements(input))
    }
    try addCast(node, input, output)
  }

  /// Adds a cast that one kernel does.
  mutating func addCast(_ node: Node, _ input: ValueID, _ output: ValueID) throws(RuntimeError) {
    let (from, to) = (type(input).dataType, type(output).dataType)
    let (source, destination) = (source(input), try destination(output))
    addCast(node, from: from, source, to: to, destination, count: elements(output))
  }

  private mutating func addCast(
    _ node: Node, from: DataType, _ source: Source, to: DataType, _ destination: BufferID,
    count: Int
  ) {
    let (kernel, sizes) = (table.general.cast, (from.bitWidth / 8, to.bitWidth / 8))
    add(
      Step(
        description: description(node, "cast"), split: split(count, perNanosecond: 1)
      ) { memory in
        let arguments = unsafe CastArguments(
          inputType: from, outputType: to, count: 0, input: memory.raw(source),
          output: memory.raw(destination))
        return { range, _ in
          var call = arguments
          call.count = range.count
          unsafe call.input += range.lowerBound * sizes.0
          unsafe call.output += range.lowerBound * sizes.1
          kernel(call)
        }
      })
  }

  mutating func lowerSelect(_ node: Node) throws(RuntimeError) {
    let output = node.outputs[0]
    try checkMoves([try operand(node, 1), try operand(node, 2)], node)
    let elementBytes = type(output).dataType.bitWidth / 8
    let condition = try stretched(node, 0, elementBytes: 1)
    let left = try stretched(node, 1, elementBytes: elementBytes)
    let right = try stretched(node, 2, elementBytes: elementBytes)
    let kernel = table.general.select
    let destination = try destination(output)
    add(
      Step(
        description: description(node, "select"),
        split: split(elements(output), perNanosecond: 0.5)
      ) { memory in
        let arguments = unsafe SelectArguments(
          elementBytes: elementBytes, count: 0, condition: memory.address(condition),
          left: memory.raw(left), right: memory.raw(right), output: memory.raw(destination))
        return { range, _ in
          var call = arguments
          call.count = range.count
          unsafe call.condition += range.lowerBound
          unsafe call.left += range.lowerBound * elementBytes
          unsafe call.right += range.lowerBound * elementBytes
          unsafe call.output += range.lowerBound * elementBytes
          kernel(call)
        }
      })
  }

  /// An operand with the output's shape: itself, or stretched by a step of its own.
  private mutating func stretched(
    _ node: Node, _ index: Int, elementBytes: Int
  ) throws(RuntimeError) -> Source {
    let id = try operand(node, index)
    let (own, target) = (shape(id), shape(node.outputs[0]))
    if own == target { return holding(id) }
    var strides = [Int](repeating: 0, count: target.rank)
    // The older form takes one truth for each row.
    let isOfRows =
      index == 0 && own.rank == 1 && target.rank > 1 && own[0] == target[0]
      && own[0] != target[target.rank - 1]
    let lead = isOfRows ? 0 : target.rank - own.rank
    for (axis, stride) in own.strides.enumerated() where own[axis] != 1 {
      strides[lead + axis] = stride
    }
    let source = source(id)
    let copy = StridedCopy(extents: target.extents, strides: strides)
    guard let walk = StridedWalk(copy, elementBytes: elementBytes) else { throw unsupported(node) }
    let place = temporary(byteCount: elements(node.outputs[0]) * elementBytes, steps: 3)
    let kernel = table.general.copyStrided
    add(
      Step(
        description: description(node, "copyStrided"),
        split: .whole(costNanoseconds: costNanoseconds(walk.rows, perNanosecond: 1))
      ) { memory in
        let arguments = unsafe StridedCopyArguments(
          extents: walk.extents, strides: walk.strides, elementBytes: elementBytes,
          input: memory.raw(source), output: memory.raw(place))
        return { _, _ in kernel(arguments, 0..<walk.rows) }
      })
    return .buffer(place)
  }

  /// The place of a value that up to three steps from now read.
  private mutating func holding(_ id: ValueID) -> Source { source(id, steps: 3) }
}

extension ElementOperation {
  /// Whether the general kernel computes it on elements of this type.
  fileprivate func takes(_ type: DataType) -> Bool {
    switch type {
    case .bool: [.logicalAnd, .logicalOr, .equal, .notEqual].contains(self)
    case .float32: ![.logicalAnd, .logicalOr, .bitwiseXor, .rightShift].contains(self)
    case .int32, .int64: ![.logicalAnd, .logicalOr, .arcTangent].contains(self)
    case .int8, .uint8, .int16:
      ![.logicalAnd, .logicalOr, .arcTangent, .bitwiseXor, .rightShift].contains(self)
    default: false
    }
  }
}

extension ElementFunction {
  /// Whether the general kernel computes it on elements of this type.
  fileprivate func takes(_ type: DataType) -> Bool {
    switch type {
    case .float32: self != .logicalNot
    case .int32, .int64: [.absolute, .negate, .sign, .square].contains(self)
    case .bool: self == .logicalNot
    default: false
    }
  }
}

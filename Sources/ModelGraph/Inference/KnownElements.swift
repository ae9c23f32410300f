import ByteParsing
import Tensors

extension Graph {
  /// The elements that node `index` gives its result, when they follow from shapes and constants
  /// and take no more than `limit` bytes; nil when they do not, or when the operator is computed by
  /// kernels only.
  ///
  /// - Precondition: the result's shape is inferred.
  func knownElements(of index: Int, limit: Int) -> ByteView? {
    let node = nodes[index]
    guard node.outputs.count == 1, !inputs.contains(node.outputs[0]) else { return nil }
    let type = self[node.outputs[0]].type
    guard let byteCount = type.byteCount, byteCount <= limit else { return nil }
    return KnownElements(graph: self, index: index, type: type).bytes
  }

  /// The elements of a constant or of a value that `inferShapes` worked out.
  func elements(_ id: ValueID) -> ByteView? { self[id].constant ?? self[id].known }
}

/// Works out one node whose operands are known.
private struct KnownElements {
  let graph: Graph
  let index: Int
  /// Of the result.
  let type: TensorType

  private var node: Node { graph.nodes[index] }
  private var count: Int { type.shape.elementCount ?? 0 }

  private func operand(_ place: Int) -> ByteView? { node.input(place).flatMap(graph.elements) }

  private func operandType(_ place: Int) -> TensorType? {
    node.input(place).map { graph[$0].type }
  }

  private func numbers(_ place: Int) -> Numbers? {
    guard let bytes = operand(place), let type = operandType(place) else { return nil }
    return Numbers(bytes, type)
  }

  var bytes: ByteView? {
    let view = NodeView(graph, index)
    switch node.operation {
    case .generate(let generator): return generated(generator, view)
    case .reshape, .squeeze, .expandDimensions: return operand(0)
    case .move(.spaceToBatch), .move(.batchToSpace): return nil
    case .move(let move):
      // A dry run: what does not resolve was refused with its reason before.
      guard operand(0) != nil, let resolved = try? view.resolve(move) else { return nil }
      return copied(resolved.copy)
    case .stridedCopy(let copy): return copied(copy)
    case .concatenate(let parameters) where parameters.activation == .none:
      return joined(parameters)
    case .gather(let parameters) where parameters.batchDimensions == 0: return gathered(parameters)
    case .cast: return numbers(0).flatMap { $0.bytes(as: type.dataType) }
    case .binary(let parameters) where parameters.activation == .none: return combined(parameters)
    case .select: return selected()
    case .unary(let parameters): return applied(parameters)
    case .reduce(let parameters): return reduced(parameters)
    default: return nil
    }
  }

  private func generated(_ generator: Generator, _ view: NodeView) -> ByteView? {
    switch generator {
    case .shape:
      guard let shape = operandType(0)?.shape else { return nil }
      return Numbers.integers(shape.extents).bytes(as: type.dataType)
    case .rank:
      return operandType(0).flatMap {
        Numbers.integers([$0.shape.rank]).bytes(as: type.dataType)
      }
    case .broadcastShape:
      guard case .integers(let left)? = numbers(0), case .integers(let right)? = numbers(1),
        let shape = try? view.common(Shape(left), Shape(right))
      else { return nil }
      return Numbers.integers(shape.extents).bytes(as: type.dataType)
    case .zerosLike:
      return ByteView([UInt8](repeating: 0, count: type.byteCount ?? 0))
    case .fill:
      return operand(1).map { element in
        ByteView((0..<count).flatMap { _ in element.array })
      }
    case .range:
      guard let start = numbers(0), let step = numbers(2) else { return nil }
      switch (start, step) {
      case (.integers(let start), .integers(let step)):
        return Numbers.integers((0..<count).map { start[0] &+ $0 &* step[0] })
          .bytes(as: type.dataType)
      case (.reals(let start), .reals(let step)):
        return Numbers.reals((0..<count).map { start[0] + Float($0) * step[0] })
          .bytes(as: type.dataType)
      default: return nil
      }
    }
  }

  // MARK: Rearrangements, byte by byte

  private func copied(_ copy: StridedCopy) -> ByteView? {
    guard let bytes = operand(0)?.array else { return nil }
    let size = type.dataType.bitWidth / 8
    guard size > 0, copy.extents.reduce(1, *) == count else { return nil }
    var result: [UInt8] = []
    result.reserveCapacity(count * size)
    var place = [Int](repeating: 0, count: copy.extents.count)
    var from = copy.offset
    for _ in 0..<count {
      guard from >= 0, (from + 1) * size <= bytes.count else { return nil }
      result += bytes[from * size..<(from + 1) * size]
      var axis = place.count - 1
      while axis >= 0 {
        place[axis] += 1
        from += copy.strides[axis]
        if place[axis] < copy.extents[axis] { break }
        from -= copy.extents[axis] * copy.strides[axis]
        place[axis] = 0
        axis -= 1
      }
    }
    return ByteView(result)
  }

  private func joined(_ parameters: Concatenate) -> ByteView? {
    let size = type.dataType.bitWidth / 8
    let shape = type.shape
    let axis = parameters.axis < 0 ? parameters.axis + shape.rank : parameters.axis
    guard size > 0, shape.extents.indices.contains(axis) else { return nil }
    let outer = shape.extents[..<axis].reduce(1, *)
    let inner = shape.extents[(axis + 1)...].reduce(size, *)
    var parts: [(bytes: [UInt8], row: Int)] = []
    for place in node.inputs.indices {
      guard let bytes = operand(place), let part = operandType(place),
        part.quantization == type.quantization
      else { return nil }
      parts.append((bytes.array, (parameters.stacks ? 1 : part.shape[axis]) * inner))
    }
    guard parts.allSatisfy({ $0.bytes.count == outer * $0.row }) else { return nil }
    var result: [UInt8] = []
    for row in 0..<outer {
      for part in parts { result += part.bytes[row * part.row..<(row + 1) * part.row] }
    }
    return ByteView(result)
  }

  private func gathered(_ parameters: Gather) -> ByteView? {
    guard
      let bytes = operand(0)?.array, let data = operandType(0)?.shape,
      case .integers(let indices)? = numbers(1)
    else { return nil }
    let size = type.dataType.bitWidth / 8
    let axis = parameters.axis < 0 ? parameters.axis + data.rank : parameters.axis
    guard size > 0, data.extents.indices.contains(axis) else { return nil }
    let inner = data.extents[(axis + 1)...].reduce(size, *)
    var result: [UInt8] = []
    for outer in 0..<data.extents[..<axis].reduce(1, *) {
      for index in indices {
        let index = index < 0 ? index + data[axis] : index
        guard (0..<data[axis]).contains(index) else { return nil }
        let start = (outer * data[axis] + index) * inner
        guard start + inner <= bytes.count else { return nil }
        result += bytes[start..<start + inner]
      }
    }
    return ByteView(result)
  }

  // MARK: Arithmetic

  /// The element of operand `place` that meets output element `index`.
  private func source(_ place: Int, of index: Int) -> Int {
    guard let shape = operandType(place)?.shape else { return 0 }
    let strides = shape.strides
    var (rest, result) = (index, 0)
    for axis in (0..<type.shape.rank).reversed() {
      let position = rest % type.shape[axis]
      rest /= type.shape[axis]
      let own = axis - (type.shape.rank - shape.rank)
      if own >= 0, shape[own] != 1 { result += position * strides[own] }
    }
    return result
  }

  private func combined(_ parameters: Binary) -> ByteView? {
    guard let left = numbers(0), let right = numbers(1) else { return nil }
    guard operandType(0)?.dataType == operandType(1)?.dataType else { return nil }
    let places = (0..<count).map { (source(0, of: $0), source(1, of: $0)) }
    switch (left, right) {
    case (.integers(let left), .integers(let right)):
      var result: [Int] = []
      for (a, b) in places {
        guard let value = parameters.kind.value(left[a], right[b]) else { return nil }
        result.append(value)
      }
      return Numbers.integers(result).bytes(as: type.dataType)
    case (.reals(let left), .reals(let right)):
      var result: [Float] = []
      for (a, b) in places {
        guard let value = parameters.kind.value(left[a], right[b]) else { return nil }
        result.append(value)
      }
      return Numbers.reals(result).bytes(as: type.dataType)
    default: return nil
    }
  }

  private func selected() -> ByteView? {
    let size = type.dataType.bitWidth / 8
    guard
      case .integers(let condition)? = numbers(0), let left = operand(1)?.array,
      let right = operand(2)?.array, size > 0,
      operandType(0)?.shape == operandType(1)?.shape || operandType(0)?.shape.rank != 1
    else { return nil }
    return ByteView(
      (0..<count).flatMap { index in
        let isLeft = condition[source(0, of: index)] != 0
        let from = source(isLeft ? 1 : 2, of: index) * size
        return (isLeft ? left : right)[from..<from + size]
      })
  }

  private func applied(_ parameters: Unary) -> ByteView? {
    switch (numbers(0), parameters.kind) {
    case (.integers(let values)?, .negate):
      return Numbers.integers(values.map { 0 &- $0 }).bytes(as: type.dataType)
    case (.integers(let values)?, .absolute):
      return Numbers.integers(values.map { $0 < 0 ? 0 &- $0 : $0 }).bytes(as: type.dataType)
    case (.integers(let values)?, .logicalNot):
      return Numbers.integers(values.map { $0 == 0 ? 1 : 0 }).bytes(as: type.dataType)
    case (.reals(let values)?, .negate):
      return Numbers.reals(values.map { -$0 }).bytes(as: type.dataType)
    default: return nil
    }
  }

  /// Only of whole vectors of integers, as shapes are counted, and of nothing.
  private func reduced(_ parameters: Reduce) -> ByteView? {
    if operandType(0)?.shape.elementCount == 0 {
      return parameters.kind.bytesOfNothing(type.dataType).map { element in
        ByteView((0..<count).flatMap { _ in element })
      }
    }
    guard count == 1, case .integers(let values)? = numbers(0), !values.isEmpty else { return nil }
    let result: Int? =
      switch parameters.kind {
      case .sum: values.reduce(0, &+)
      case .product: values.reduce(1, &*)
      case .minimum: values.min()
      case .maximum: values.max()
      case .any: values.contains { $0 != 0 } ? 1 : 0
      case .all: values.allSatisfy { $0 != 0 } ? 1 : 0
      case .mean: nil
      }
    return result.flatMap { Numbers.integers([$0]).bytes(as: type.dataType) }
  }
}

extension NodeView {
  /// How many elements a range has, from its operands.
  func rangeCount() throws(GraphError) -> Int {
    var ends: [Numbers] = []
    for operand in 0..<3 {
      guard let bytes = graph.elements(node.inputs[operand] ?? ValueID(0)),
        let numbers = Numbers(bytes, try type(operand)), try type(operand).shape.elementCount == 1
      else { throw .operandNotConstant(node: index, operand: operand) }
      ends.append(numbers)
    }
    let count: Double
    switch (ends[0], ends[1], ends[2]) {
    case (.integers(let start), .integers(let limit), .integers(let step)):
      count = ((Double(limit[0]) - Double(start[0])) / Double(step[0])).rounded(.up)
    case (.reals(let start), .reals(let limit), .reals(let step)):
      count = ((Double(limit[0]) - Double(start[0])) / Double(step[0])).rounded(.up)
    default: throw .parameterInvalid(node: index)
    }
    guard count.isFinite, count <= Double(GraphLimits.extentMaximum) else {
      throw .parameterInvalid(node: index)
    }
    return max(0, Int(count))
  }
}

import ByteParsing
import ModelGraph
import Tensors

extension Graph {
  /// Turns the way in which converters write one element of a list of tensors into one operator.
  ///
  /// The list is the first axis of `x`. Its elements before `i`, a new element, and its elements
  /// after `i` are joined: `concatenate(x[..<i], element, x[(i + 1)...])`. The parts have shapes
  /// that depend on `i`, the whole has not: it is `x` with a slice updated.
  mutating func recognizeListWrites() {
    let writes = ListWrites(self)
    var result: [Node] = []
    var parts: Set<ValueID> = []
    for (index, node) in nodes.enumerated() {
      guard let write = writes.write(at: index) else {
        result.append(node)
        continue
      }
      parts.formUnion([node.inputs[0], node.inputs[2]].compactMap { $0 })
      // The place of the new element, as the operator wants it: an index for each axis.
      let size = write.indexType.bitWidth / 8
      let zeros = append(
        Value(
          name: "", type: TensorType(write.indexType, [write.rank - 1]),
          constant: ByteView([UInt8](repeating: 0, count: (write.rank - 1) * size))))
      let starts = append(Value(name: "", type: TensorType(write.indexType, [write.rank])))
      result.append(
        Node(
          .concatenate(Concatenate(axis: 0)), inputs: [write.index, zeros], outputs: [starts]))
      result.append(
        Node(
          .dynamicUpdateSlice, inputs: [write.list, write.element, starts], outputs: node.outputs))
    }
    // The parts of a list have no shape that can be planned for.
    let read = Set(result.flatMap { $0.inputs.compactMap { $0 } } + outputs)
    nodes = result.filter { node in
      !node.outputs.allSatisfy { parts.contains($0) && !read.contains($0) }
    }
  }
}

/// One write to a list, as found in a graph.
private struct ListWrite {
  var list: ValueID
  var rank: Int
  var element: ValueID
  /// A vector of one index.
  var index: ValueID
  var indexType: DataType
}

/// Looks for writes to lists.
private struct ListWrites {
  private let graph: Graph
  /// The node that makes each value.
  private let makers: [ValueID: Int]

  init(_ graph: Graph) {
    self.graph = graph
    var makers: [ValueID: Int] = [:]
    for (index, node) in graph.nodes.enumerated() {
      for output in node.outputs { makers[output] = index }
    }
    self.makers = makers
  }

  /// The write that node `index` ends; nil when it is something else.
  func write(at index: Int) -> ListWrite? {
    let node = graph.nodes[index]
    guard case .concatenate(let joint) = node.operation, joint.axis == 0, !joint.stacks,
      joint.activation == .none, node.inputs.count == 3, let element = node.input(1),
      let before = slice(node.input(0)), let after = slice(node.input(2)),
      before.list == after.list, let list = value(before.list), let new = value(element),
      list.type.shape.rank >= 1, new.type.shape.rank == list.type.shape.rank,
      new.type.shape[0] == 1,
      // From the start to the index, and from behind it to the end.
      integers(before.begin)?.allSatisfy({ $0 == 0 }) == true,
      integers(after.size)?.allSatisfy({ $0 == -1 }) == true,
      let first = leading(before.size, rest: -1), let second = leading(after.begin, rest: 0),
      isSuccessor(scalar(second), of: scalar(first)), let type = value(first)?.type
    else { return nil }
    return ListWrite(
      list: before.list, rank: list.type.shape.rank, element: element, index: first,
      indexType: type.dataType)
  }

  private func value(_ id: ValueID) -> Value? {
    graph.values.indices.contains(id.index) ? graph[id] : nil
  }

  private func maker(_ id: ValueID) -> Node? { makers[id].map { graph.nodes[$0] } }

  private func slice(_ id: ValueID?) -> (list: ValueID, begin: ValueID, size: ValueID)? {
    guard let id, let node = maker(id), case .move(.slice) = node.operation,
      let list = node.input(0), let begin = node.input(1), let size = node.input(2)
    else { return nil }
    return (list, begin, size)
  }

  /// The first element of a vector, itself a vector, when all others are the constant `rest`.
  private func leading(_ id: ValueID, rest: Int) -> ValueID? {
    if value(id)?.type.shape == [1] { return id }
    guard let node = maker(id), case .concatenate(let joint) = node.operation, joint.axis == 0,
      !joint.stacks, let first = node.input(0), value(first)?.type.shape == [1]
    else { return nil }
    for operand in node.inputs.dropFirst() {
      guard let operand, let numbers = integers(operand), numbers.allSatisfy({ $0 == rest })
      else { return nil }
    }
    return first
  }

  /// What a value of one element was before it was given another shape.
  private func scalar(_ id: ValueID) -> ValueID {
    var id = id
    // No graph has more reshapes one after the other than nodes.
    for _ in 0..<graph.nodes.count {
      guard let node = maker(id), let operand = node.input(0) else { return id }
      switch node.operation {
      case .reshape, .squeeze, .expandDimensions: id = operand
      default: return id
      }
    }
    return id
  }

  /// Whether `next` is `index` and 1.
  private func isSuccessor(_ next: ValueID, of index: ValueID) -> Bool {
    guard let node = maker(next), case .binary(let parameters) = node.operation,
      parameters.kind == .add, let left = node.input(0), let right = node.input(1)
    else { return false }
    return (scalar(left) == index && integers(right) == [1])
      || (scalar(right) == index && integers(left) == [1])
  }

  /// The elements of a constant int32 or int64 value.
  private func integers(_ id: ValueID) -> [Int]? {
    guard let value = value(id), let bytes = value.constant,
      let count = value.type.shape.elementCount, count <= GraphLimits.parameterElementsMaximum
    else { return nil }
    do throws(ParsingError) {
      var result: [Int] = []
      for index in 0..<count {
        switch value.type.dataType {
        case .int32: result.append(Int(try bytes.load(Int32.self, at: 4 * index)))
        case .int64: result.append(Int(try bytes.load(Int64.self, at: 8 * index)))
        default: return nil
        }
      }
      return result
    } catch {
      return nil
    }
  }
}

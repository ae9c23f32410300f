import ByteParsing
import ModelGraph
import Tensors

/// Puts small graphs together for tests.
struct GraphBuilder {
  var graph = Graph(values: [], nodes: [], inputs: [], outputs: [])

  mutating func input(_ shape: Shape, _ type: DataType = .float32, _ scheme: Quantization? = nil)
    -> ValueID
  {
    let id = graph.append(
      Value(name: "input", type: TensorType(type, shape, quantization: scheme)))
    graph.inputs.append(id)
    return id
  }

  /// A constant of zeros.
  mutating func weights(_ shape: Shape, _ type: DataType = .float32, _ scheme: Quantization? = nil)
    -> ValueID
  {
    let type = TensorType(type, shape, quantization: scheme)
    let zeros = [UInt8](repeating: 0, count: type.byteCount ?? 0)
    return graph.append(Value(name: "weights", type: type, constant: ByteView(zeros)))
  }

  mutating func integers(_ elements: [Int32], _ shape: Shape? = nil) -> ValueID {
    graph.append(
      Value(
        name: "integers", type: TensorType(.int32, shape ?? [elements.count]),
        constant: ByteView(elements)))
  }

  /// Adds a node; its result has no shape yet.
  @discardableResult
  mutating func node(
    _ operation: Operator, _ inputs: [ValueID?], _ type: DataType = .float32,
    _ scheme: Quantization? = nil
  ) -> ValueID {
    let output = graph.append(
      Value(name: operation.name, type: TensorType(type, [], quantization: scheme)))
    graph.nodes.append(Node(operation, inputs: inputs, outputs: [output]))
    return output
  }

  /// The graph with `outputs`, validated and with shapes.
  func finish(_ outputs: ValueID...) throws(GraphError) -> Graph {
    var result = graph
    result.outputs = outputs
    try result.validate()
    try result.inferShapes()
    return result
  }
}

import ByteParsing
import ModelGraph
import Tensors

/// A graph in the making, of one input and one output.
struct GraphBuilder {
  private var graph = Graph(values: [], nodes: [], inputs: [], outputs: [])
  /// What was made last.
  private(set) var last: ValueID

  init(input: TensorType) {
    last = ValueID(0)
    last = graph.append(Value(name: "input", type: input))
    graph.inputs = [last]
  }

  var type: TensorType { graph[last].type }
  var isEmpty: Bool { graph.nodes.isEmpty }

  /// The graph that ends here.
  func finished() -> Graph {
    var graph = graph
    graph.outputs = [last]
    return graph
  }

  /// Applies an operator to what was made last and to constants.
  mutating func apply(_ operation: Operator, _ constants: [ValueID] = [], to result: TensorType) {
    let output = graph.append(Value(name: "", type: result))
    graph.nodes.append(
      Node(operation, inputs: [last] + constants.map { Optional($0) }, outputs: [output]))
    last = output
  }

  mutating func constant(_ numbers: [Float], _ shape: Shape) -> ValueID {
    graph.append(
      Value(name: "", type: TensorType(.float32, shape), constant: ByteView(numbers)))
  }

  mutating func constant(_ numbers: [Int32], _ shape: Shape) -> ValueID {
    graph.append(Value(name: "", type: TensorType(.int32, shape), constant: ByteView(numbers)))
  }

  /// The same numbers under another shape.
  mutating func reshape(_ shape: Shape) {
    guard shape != type.shape else { return }
    var result = type
    result.shape = shape
    apply(.reshape(Reshape(target: shape.extents)), to: result)
  }

  /// The same numbers as codes, as numbers, or as other codes.
  mutating func convert(to wanted: TensorType) {
    guard type.dataType != wanted.dataType || type.quantization != wanted.quantization else {
      return
    }
    if type.dataType != .float32 {
      apply(.dequantize, to: TensorType(.float32, type.shape))
    }
    guard wanted.dataType != .float32 else { return }
    apply(.quantize, to: TensorType(wanted.dataType, type.shape, quantization: wanted.quantization))
  }
}

import ByteParsing
import Tensors

/// One node of a graph with its operands looked up, for rules that check and derive.
struct NodeView {
  let graph: Graph
  /// The node's place in the graph.
  let index: Int
  let node: Node

  init(_ graph: Graph, _ index: Int) {
    self.graph = graph
    self.index = index
    node = graph.nodes[index]
  }

  /// The operand at `operand`, which must be present.
  func value(_ operand: Int) throws(GraphError) -> Value {
    guard let id = node.input(operand) else { throw .operandMissing(node: index, operand: operand) }
    return graph[id]
  }

  /// The operand at `operand`; nil where it is absent.
  func optionalValue(_ operand: Int) -> Value? {
    node.input(operand).map { graph[$0] }
  }

  func type(_ operand: Int) throws(GraphError) -> TensorType { try value(operand).type }

  /// The shape of the operand, whose rank must lie in `ranks`.
  func shape(_ operand: Int, ranks: ClosedRange<Int>) throws(GraphError) -> Shape {
    let shape = try type(operand).shape
    guard ranks.contains(shape.rank) else {
      throw .operandRank(node: index, operand: operand, expected: ranks, actual: shape.rank)
    }
    return shape
  }

  /// Throws unless the operand's extent along `axis` is `expected`.
  func expect(
    _ expected: Int, at axis: Int, of operand: Int, in shape: Shape
  ) throws(GraphError) {
    guard shape[axis] == expected else {
      throw .operandExtent(
        node: index, operand: operand, axis: axis, expected: expected, actual: shape[axis])
    }
  }

  /// `axis` counted from the first, checked against `rank`.
  func normalize(_ axis: Int, rank: Int) throws(GraphError) -> Int {
    guard axis >= -rank, axis < rank else {
      throw .axisOutOfRange(node: index, axis: axis, rank: rank)
    }
    return axis < 0 ? axis + rank : axis
  }

  /// The elements of a known int32 or int64 operand, in order.
  func integers(_ operand: Int) throws(GraphError) -> [Int] {
    let value = try value(operand)
    guard let bytes = value.constant ?? value.known else {
      throw .operandNotConstant(node: index, operand: operand)
    }
    let count = value.type.shape.elementCount ?? .max
    guard count <= GraphLimits.parameterElementsMaximum else {
      throw .operandExtent(
        node: index, operand: operand, axis: 0, expected: GraphLimits.parameterElementsMaximum,
        actual: count)
    }
    let width: Int
    switch value.type.dataType {
    case .int32: width = 4
    case .int64: width = 8
    default:
      throw .operandDataType(node: index, operand: operand, actual: value.type.dataType)
    }
    do throws(ParsingError) {
      var result: [Int] = []
      for i in 0..<count {
        result.append(
          width == 4
            ? Int(try bytes.load(Int32.self, at: 4 * i))
            : Int(try bytes.load(Int64.self, at: 8 * i)))
      }
      return result
    } catch {
      // The constant is shorter than its shape.
      throw .operandNotConstant(node: index, operand: operand)
    }
  }

  /// A result's shape, within the limits.
  func result(_ extents: [Int]) throws(GraphError) -> Shape {
    let shape = Shape(extents)
    guard
      shape.rank <= Shape.rankMaximum,
      extents.allSatisfy({ (0...GraphLimits.extentMaximum).contains($0) }),
      let room = Shape(extents.map { max($0, 1) }).elementCount,
      room <= GraphLimits.elementsMaximum
    else { throw .shapeTooLarge(node: index, shape: shape) }
    return shape
  }
}

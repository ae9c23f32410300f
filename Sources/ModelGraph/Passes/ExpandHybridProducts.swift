import ByteParsing
import Tensors

extension Graph {
  /// Turns a product of float32 matrices with several constant matrices of codes into one product for each pair, whose
  /// results are concatenated; left matrices that are given by columns are turned first.
  mutating func expandHybridProducts() {
    var result: [Node] = []
    for node in nodes {
      if let nodes = expandedHybridProduct(node) {
        result += nodes
      } else {
        result.append(node)
      }
    }
    nodes = result
  }

  private mutating func expandedHybridProduct(_ node: Node) -> [Node]? {
    guard case .batchMatmul(var product) = node.operation,
      var left = node.input(0), let right = node.input(1),
      self[left].type.dataType == .float32, self[right].type.dataType == .int8,
      self[right].constant != nil, let scheme = self[right].type.quantization,
      !scheme.isPerChannel, self[left].type.shape.rank >= 2, self[right].type.shape.rank >= 2
    else { return nil }
    var nodes: [Node] = []
    if product.transposesLeft {
      product.transposesLeft = false
      left = transposedRows(of: left, &nodes)
    }
    let batch = Array(self[node.outputs[0]].type.shape.extents.dropLast(2))
    let count = batch.reduce(1, *)
    let isShared = self[right].type.shape.extents.dropLast(2).allSatisfy { $0 == 1 }
    guard count > 1, !isShared else {
      guard !nodes.isEmpty else { return nil }
      return nodes + [Node(.batchMatmul(product), inputs: [left, right], outputs: node.outputs)]
    }
    guard count <= GraphLimits.groupsMaximum else { return nil }
    var parts: [ValueID] = []
    for index in 0..<count {
      guard
        let part = single(
          product, of: (left, right), matrix: index, in: batch, output: node.outputs[0], &nodes)
      else { return nil }
      parts.append(part)
    }
    join(parts, into: node.outputs[0], &nodes)
    return nodes
  }

  /// The value with the last two axes exchanged.
  private mutating func transposedRows(of id: ValueID, _ nodes: inout [Node]) -> ValueID {
    var type = self[id].type
    let rank = type.shape.rank
    var strides = type.shape.strides
    strides.swapAt(rank - 2, rank - 1)
    type.shape.extents.swapAt(rank - 2, rank - 1)
    let result = append(Value(name: "", type: type))
    let copy = StridedCopy(extents: type.shape.extents, strides: strides, offset: 0)
    nodes.append(Node(.stridedCopy(copy), inputs: [id], outputs: [result]))
    return result
  }

  /// The place, counted in matrices, of an operand's matrix for product `index` of `batch`, to which its leading axes
  /// are broadcast.
  private func place(of index: Int, in batch: [Int], _ operand: Shape) -> Int {
    var (rest, place, stride) = (index, 0, 1)
    let own = operand.extents.dropLast(2).reversed()
    for (extent, whole) in zip(own, batch.reversed()) {
      place += extent == 1 ? 0 : rest % whole * stride
      rest /= whole
      stride *= extent
    }
    return place
  }

  private mutating func single(
    _ product: BatchMatmul, of operands: (left: ValueID, right: ValueID), matrix index: Int,
    in batch: [Int], output: ValueID, _ nodes: inout [Node]
  ) -> ValueID? {
    let (left, right) = (self[operands.left].type.shape, self[operands.right].type.shape)
    let (matrix, own) = (Array(left.extents.suffix(2)), Array(right.extents.suffix(2)))
    let part = append(Value(name: "", type: TensorType(.float32, Shape(matrix))))
    let copy = StridedCopy(
      extents: matrix, strides: [matrix[1], 1],
      offset: place(of: index, in: batch, left) * matrix[0] * matrix[1])
    let size = own[0] * own[1]
    guard
      let slice = try? self[operands.right].constant?.slice(
        at: place(of: index, in: batch, right) * size, count: size)
    else { return nil }
    nodes.append(Node(.stridedCopy(copy), inputs: [operands.left], outputs: [part]))
    let codes = TensorType(
      .int8, Shape(own), quantization: self[operands.right].type.quantization)
    let weights = append(Value(name: "", type: codes, constant: slice))
    let extents = Array(self[output].type.shape.extents.suffix(2))
    let result = append(Value(name: "", type: TensorType(.float32, Shape(extents))))
    nodes.append(Node(.batchMatmul(product), inputs: [part, weights], outputs: [result]))
    return result
  }

  private mutating func join(_ parts: [ValueID], into output: ValueID, _ nodes: inout [Node]) {
    let shape = self[output].type.shape
    var joined = self[output].type
    joined.shape.extents = [
      parts.count * shape[shape.rank - 2], shape[shape.rank - 1],
    ]
    let whole = append(Value(name: "", type: joined))
    nodes.append(Node(.concatenate(Concatenate(axis: 0)), inputs: parts, outputs: [whole]))
    nodes.append(
      Node(.reshape(Reshape(target: shape.extents)), inputs: [whole], outputs: [output]))
  }
}

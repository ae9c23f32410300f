import Tensors

extension Graph {
  /// Makes a product with one constant matrix a fully connected layer, whose weights are packed once.
  ///
  /// Products of codes stay: they round otherwise.
  mutating func multiplyByConstants() throws(GraphError) {
    var folded = 0
    for index in nodes.indices {
      guard case .batchMatmul(let parameters) = nodes[index].operation,
        !parameters.transposesLeft, let left = nodes[index].input(0),
        let right = nodes[index].input(1), self[left].type.dataType == .float32,
        [.float32, .int8].contains(self[right].type.dataType), self[left].constant == nil,
        self[right].isOneMatrix, self[right].type.shape.rank <= self[left].type.shape.rank
      else { continue }
      var value = self[right]
      var extents = Array(value.type.shape.extents.suffix(2))
      if !parameters.transposesRight {
        folded += value.type.byteCount ?? 0
        guard folded <= GraphLimits.foldedBytesMaximum else {
          throw .foldedBytes(needed: folded, limit: GraphLimits.foldedBytesMaximum)
        }
        value.constant = value.constant?.transposed(
          rows: extents[0], columns: extents[1], value.type.dataType)
        extents.reverse()
      }
      value.type.shape = Shape(extents)
      nodes[index].inputs = [left, append(value)]
      nodes[index].operation = .fullyConnected(
        FullyConnected(
          keepsDimensions: true, quantizesAsymmetrically: parameters.quantizesAsymmetrically))
    }
  }
}

extension Value {
  /// True for a constant matrix, with one scale if it has any.
  fileprivate var isOneMatrix: Bool {
    constant != nil && type.shape.rank >= 2
      && type.shape.extents.dropLast(2).allSatisfy { $0 == 1 }
      && !(type.quantization?.isPerChannel ?? false)
  }
}

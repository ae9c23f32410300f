import Tensors

extension Graph {
  /// Makes a product with one constant matrix a fully connected layer, whose weights are packed once.
  ///
  /// Products of codes stay, for they round otherwise, but those of 16 with 8 bits, of which there is no other kernel.
  mutating func multiplyByConstants() throws(GraphError) {
    var folded = 0
    for index in nodes.indices {
      guard case .batchMatmul(let parameters) = nodes[index].operation,
        !parameters.transposesLeft, let left = nodes[index].input(0),
        let right = nodes[index].input(1), self[left].constant == nil,
        self[left].type.dataType.multiplies(self[right].type.dataType),
        self[right].isOneMatrix(isTransposed: parameters.transposesRight),
        self[right].type.shape.rank <= self[left].type.shape.rank
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
      value.type.quantization?.axis = 0
      nodes[index].inputs = [left, append(value)]
      nodes[index].operation = .fullyConnected(
        FullyConnected(
          keepsDimensions: true, quantizesAsymmetrically: parameters.quantizesAsymmetrically))
    }
  }
}

extension Value {
  /// True for a constant matrix, with one scale if it has any, or one for each column of the product.
  fileprivate func isOneMatrix(isTransposed: Bool) -> Bool {
    guard constant != nil, type.shape.rank >= 2,
      type.shape.extents.dropLast(2).allSatisfy({ $0 == 1 })
    else { return false }
    guard let scheme = type.quantization, scheme.isPerChannel else { return true }
    return scheme.axis == type.shape.rank - (isTransposed ? 2 : 1)
  }
}

extension DataType {
  /// Whether a fully connected layer takes activations of this type and such constant weights.
  fileprivate func multiplies(_ weights: DataType) -> Bool {
    switch self {
    case .float32: weights == .float32 || weights == .int8
    case .int16: weights == .int8
    default: false
    }
  }
}

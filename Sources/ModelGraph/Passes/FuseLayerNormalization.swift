import Tensors

extension Graph {
  /// Makes the steps that converters write for a layer normalisation one operator.
  ///
  /// With `m = mean(x)`, `s = 1 / √(mean((x − m)²) + ε)`, times γ where there is one, along the last axis, these are
  /// `x · s + (−m) · s`, `x · s − m · s`, `x · s + (β − m · s)` and `(x − m) · s`. A γ or β that comes after is taken in.
  /// What the steps made stays where others read it, until nothing does.
  mutating func fuseLayerNormalizations() {
    var graph = LayerNormalizationSteps(graph: self, makers: Uses(of: self).producers)
    for index in nodes.indices {
      guard let node = graph.normalization(index) ?? graph.affine(index) else { continue }
      graph.graph.nodes[index] = node
    }
    self = graph.graph
  }
}

/// `γ / √(variance + ε)` of a value's rows.
private struct RowScale {
  var value: ValueID
  var mean: ValueID
  var epsilon: Float
  var gamma: ValueID?
}

/// Reads the steps of a graph backwards.
private struct LayerNormalizationSteps {
  var graph: Graph
  let makers: [Int?]

  /// The node whose result is a whole normalisation.
  func normalization(_ index: Int) -> Node? {
    let result = graph.nodes[index].outputs[0]
    guard graph[result].type.dataType == .float32 else { return nil }
    if let (difference, factor) = operands(of: .multiply, making: result) {
      for (rows, factor) in [(difference, factor), (factor, difference)] {
        guard let scale = scale(factor), isDifference(rows, scale) else { continue }
        return node(scale, subtractsMeanFirst: true, result)
      }
    }
    if let (product, shift) = operands(of: .add, making: result) {
      for (product, shift) in [(product, shift), (shift, product)] {
        if let scale = scaled(product) {
          if isMean(shift, scale, isNegative: true, times: product) {
            return node(scale, result)
          }
          if let (beta, mean) = operands(of: .subtract, making: shift),
            isRow(beta, of: scale.value), isMean(mean, scale, isNegative: false, times: product)
          {
            return node(scale, beta: beta, result)
          }
        }
      }
    }
    if let (product, mean) = operands(of: .subtract, making: result), let scale = scaled(product),
      isMean(mean, scale, isNegative: false, times: product)
    {
      return node(scale, result)
    }
    return nil
  }

  /// The normalisation `(x − mean) · s` before node `index` together with the γ or β that this node applies.
  func affine(_ index: Int) -> Node? {
    let result = graph.nodes[index].outputs[0]
    for kind in [Binary.Kind.multiply, .add] {
      guard let (one, other) = operands(of: kind, making: result) else { continue }
      for (rows, constant) in [(one, other), (other, one)] {
        guard let maker = makers[rows.index],
          case .layerNormalize(let parameters) = graph.nodes[maker].operation,
          parameters.subtractsMeanFirst, isRow(constant, of: rows)
        else { continue }
        var node = graph.nodes[maker]
        // A factor would have to multiply a β that is there already.
        let place = kind == .multiply ? 1 : 2
        guard node.inputs[2] == nil, node.inputs[place] == nil else { continue }
        node.inputs[place] = constant
        node.outputs = [result]
        return node
      }
    }
    return nil
  }

  private func node(
    _ scale: RowScale, beta: ValueID? = nil, subtractsMeanFirst: Bool = false, _ result: ValueID
  ) -> Node? {
    guard graph[scale.value].type == graph[result].type else { return nil }
    let parameters = LayerNormalization(
      epsilon: scale.epsilon, subtractsMeanFirst: subtractsMeanFirst)
    return Node(
      .layerNormalize(parameters), inputs: [scale.value, scale.gamma, beta], outputs: [result])
  }

  /// `x · s` of the `x` that `s` is of.
  private func scaled(_ id: ValueID) -> RowScale? {
    guard let (one, other) = operands(of: .multiply, making: id) else { return nil }
    for (rows, factor) in [(one, other), (other, one)] {
      if let scale = scale(factor), scale.value == rows { return scale }
    }
    return nil
  }

  /// Whether a value is the mean, or what is below zero as far, times the same factor as in `product`.
  private func isMean(
    _ id: ValueID, _ scale: RowScale, isNegative: Bool, times product: ValueID
  ) -> Bool {
    guard let (one, other) = operands(of: .multiply, making: id),
      let factors = operands(of: .multiply, making: product)
    else { return false }
    return [(one, other), (other, one)].contains { mean, factor in
      guard factor == factors.0 || factor == factors.1, factor != scale.value else { return false }
      return isNegative ? operand(of: .negate, making: mean) == scale.mean : mean == scale.mean
    }
  }

  private func scale(_ id: ValueID) -> RowScale? {
    if let scale = plainScale(id) { return scale }
    guard let (one, other) = operands(of: .multiply, making: id) else { return nil }
    for (root, gamma) in [(one, other), (other, one)] {
      guard var scale = plainScale(root), isRow(gamma, of: scale.value) else { continue }
      scale.gamma = gamma
      return scale
    }
    return nil
  }

  /// `1 / √(mean((x − m)²) + ε)`.
  private func plainScale(_ id: ValueID) -> RowScale? {
    guard let sum = operand(of: .reciprocalSquareRoot, making: id),
      let (one, other) = operands(of: .add, making: sum)
    else { return nil }
    for (variance, constant) in [(one, other), (other, one)] {
      guard let epsilon = number(constant), epsilon > 0, let squares = rows(ofMean: variance),
        let (value, mean) = difference(squaredIn: squares), rows(ofMean: mean) == value
      else { continue }
      return RowScale(value: value, mean: mean, epsilon: epsilon, gamma: nil)
    }
    return nil
  }

  /// The value and its mean whose difference is squared.
  private func difference(squaredIn id: ValueID) -> (value: ValueID, mean: ValueID)? {
    if let (one, other) = operands(of: .squaredDifference, making: id) {
      return rows(ofMean: one) == other ? (other, one) : (one, other)
    }
    if let one = operand(of: .square, making: id) { return operands(of: .subtract, making: one) }
    guard let (one, other) = operands(of: .multiply, making: id), one == other else { return nil }
    return operands(of: .subtract, making: one)
  }

  private func isDifference(_ id: ValueID, _ scale: RowScale) -> Bool {
    operands(of: .subtract, making: id).map { $0 == scale.value && $1 == scale.mean } ?? false
  }

  // MARK: Single steps

  private func operands(of kind: Binary.Kind, making id: ValueID) -> (ValueID, ValueID)? {
    guard let maker = makers[id.index], case .binary(let parameters) = graph.nodes[maker].operation,
      parameters.kind == kind, parameters.activation == .none,
      let one = graph.nodes[maker].input(0), let other = graph.nodes[maker].input(1)
    else { return nil }
    return (one, other)
  }

  private func operand(of kind: Unary.Kind, making id: ValueID) -> ValueID? {
    guard let maker = makers[id.index], case .unary(let parameters) = graph.nodes[maker].operation,
      parameters.kind == kind
    else { return nil }
    return graph.nodes[maker].input(0)
  }

  /// What a value is the mean of, along the last axis, which stays.
  private func rows(ofMean id: ValueID) -> ValueID? {
    guard let maker = makers[id.index], case .reduce(let parameters) = graph.nodes[maker].operation,
      parameters.kind == .mean, parameters.keepsDimensions, let axes = parameters.axes,
      let input = graph.nodes[maker].input(0), axes.count == 1
    else { return nil }
    let rank = graph[input].type.shape.rank
    return axes[0] == -1 || axes[0] == rank - 1 ? input : nil
  }

  /// Whether a value is a constant with one number for each column of `rows`.
  private func isRow(_ id: ValueID, of rows: ValueID) -> Bool {
    let shape = graph[id].type.shape
    return graph[id].constant != nil && graph[id].type.dataType == .float32
      && shape.elementCount == shape.extents.last
      && shape.extents.last == graph[rows].type.shape.extents.last
  }

  private func number(_ id: ValueID) -> Float? {
    let value = graph[id]
    guard let bytes = value.constant, value.type.dataType == .float32,
      value.type.shape.elementCount == 1
    else { return nil }
    return try? ConstantReader(bytes: bytes, type: value.type).real(at: 0)
  }
}

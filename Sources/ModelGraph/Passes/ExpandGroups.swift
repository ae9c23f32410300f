import ByteParsing
import Tensors

extension Graph {
  /// Turns a convolution whose output channels read only their own group of input channels into one convolution for
  /// each group, and into a depthwise one where each group is one channel.
  ///
  /// Weights stay views of the same bytes, but for a depthwise convolution, whose layout is another.
  mutating func expandGroups() throws(GraphError) {
    guard nodes.contains(where: { groupCount(of: $0) != nil }) else { return }
    var result: [Node] = []
    var folded = 0
    for node in nodes {
      guard let count = groupCount(of: node), case .convolution2D(let convolution) = node.operation
      else {
        result.append(node)
        continue
      }
      if let weights = node.input(1), self[weights].type.shape[3] == 1 {
        folded += self[weights].type.byteCount ?? 0
        guard folded <= GraphLimits.foldedBytesMaximum else {
          throw .foldedBytes(needed: folded, limit: GraphLimits.foldedBytesMaximum)
        }
        result.append(depthwise(node, convolution))
      } else if let nodes = expanded(node, convolution, groups: count) {
        result += nodes
      } else {
        result.append(node)
      }
    }
    nodes = result
  }

  /// The groups of a convolution with constant weights; nil where there is one, or too many.
  private func groupCount(of node: Node) -> Int? {
    guard case .convolution2D = node.operation, let input = node.input(0),
      let weights = node.input(1), self[weights].constant != nil,
      node.input(2).map({ self[$0].constant != nil }) ?? true
    else { return nil }
    let (channels, own) = (self[input].type.shape[3], self[weights].type.shape[3])
    guard own > 0, own < channels, channels % own == 0 else { return nil }
    let groups = channels / own
    guard self[weights].type.shape[0] % groups == 0 else { return nil }
    // An image is quantised as a whole, so its groups stay together.
    if own > 1, self[input].type.dataType == .float32, self[weights].type.dataType == .int8 {
      return nil
    }
    return own == 1 || groups <= GraphLimits.groupsMaximum ? groups : nil
  }

  /// Weights `[o, h, w, 1]` as `[1, h, w, o]`.
  private mutating func depthwise(_ node: Node, _ convolution: Convolution2D) -> Node {
    guard let id = node.input(1) else { return node }
    var value = self[id]
    let (outputs, height, width) = (
      value.type.shape[0], value.type.shape[1], value.type.shape[2]
    )
    value.constant = value.constant?.transposed(
      rows: outputs, columns: height * width, value.type.dataType)
    value.type.shape = Shape([1, height, width, outputs])
    value.type.quantization?.axis = 3
    var inputs = node.inputs
    inputs[1] = append(value)
    return Node(
      .depthwiseConvolution2D(
        DepthwiseConvolution2D(window: convolution.window, activation: convolution.activation)),
      inputs: inputs, outputs: node.outputs)
  }

  /// A copy of each group's input channels, a convolution of them, and their concatenation.
  private mutating func expanded(
    _ node: Node, _ convolution: Convolution2D, groups: Int
  ) -> [Node]? {
    guard let input = node.input(0), let weights = node.input(1) else { return nil }
    var (nodes, parts): ([Node], [ValueID]) = ([], [])
    var type = self[input].type
    let strides = type.shape.strides
    let channels = type.shape[3] / groups
    type.shape.extents[3] = channels
    var result = self[node.outputs[0]].type
    result.shape.extents[3] /= groups
    for group in 0..<groups {
      guard let own = part(group, of: groups, weights) else { return nil }
      var inputs: [ValueID?] = [append(Value(name: "", type: type)), own]
      if let bias = node.input(2) {
        guard let own = part(group, of: groups, bias) else { return nil }
        inputs.append(own)
      }
      let copy = StridedCopy(
        extents: type.shape.extents, strides: strides, offset: group * channels)
      parts.append(append(Value(name: "", type: result)))
      nodes.append(Node(.stridedCopy(copy), inputs: [input], outputs: [inputs[0]!]))
      nodes.append(Node(.convolution2D(convolution), inputs: inputs, outputs: [parts[group]]))
    }
    nodes.append(
      Node(.concatenate(Concatenate(axis: 3)), inputs: parts, outputs: node.outputs))
    return nodes
  }

  /// One of `count` equal parts of a constant's first axis, as a view of its bytes.
  private mutating func part(_ index: Int, of count: Int, _ id: ValueID) -> ValueID? {
    var value = self[id]
    let (length, bytes) = (value.type.shape[0] / count, (value.constant?.count ?? 0) / count)
    guard let slice = try? value.constant?.slice(at: index * bytes, count: bytes) else {
      return nil
    }
    value.constant = slice
    value.type.shape.extents[0] = length
    if let scheme = value.type.quantization, scheme.isPerChannel {
      let range = index * length..<(index + 1) * length
      guard scheme.axis == 0, scheme.scales.count == length * count else { return nil }
      value.type.quantization = Quantization(
        scales: Array(scheme.scales[range]), zeroPoints: Array(scheme.zeroPoints[range]))
    }
    return append(value)
  }
}

import Tensors

extension NodeView {
  func validateDetection(_ parameters: Detection) throws(GraphError) {
    try expectOperands(3...3)
    for operand in 0..<3 { try expect(type(operand).dataType, of: operand, among: [.float32]) }
    for output in node.outputs where graph[output].type.dataType != .float32 {
      throw .resultDataType(node: index, actual: graph[output].type.dataType)
    }
    let limit = GraphLimits.detectionsMaximum
    let scales = parameters.scales
    guard (1...limit).contains(parameters.detectionsMaximum),
      (1...limit).contains(parameters.classesPerDetection),
      (1...limit).contains(parameters.detectionsPerClass),
      (1...limit).contains(parameters.classes), parameters.scoreThreshold.isFinite,
      parameters.overlapThreshold > 0, parameters.overlapThreshold <= 1,
      scales.min() > 0, scales.max().isFinite
    else { throw .parameterInvalid(node: index) }
  }

  func detection(_ parameters: Detection) throws(GraphError) -> [Shape] {
    let boxes = try shape(0, ranks: 3...3)
    let scores = try shape(1, ranks: 3...3)
    let anchors = try shape(2, ranks: 2...2)
    try expect(1, at: 0, of: 0, in: boxes)
    try expect(1, at: 0, of: 1, in: scores)
    try expect(boxes[1], at: 1, of: 1, in: scores)
    try expect(boxes[1], at: 0, of: 2, in: anchors)
    try expect(4, at: 1, of: 2, in: anchors)
    guard boxes[2] >= 4 else {
      throw .operandExtent(node: index, operand: 0, axis: 2, expected: 4, actual: boxes[2])
    }
    guard (0...1).contains(scores[2] - parameters.classes) else {
      throw .operandExtent(
        node: index, operand: 1, axis: 2, expected: parameters.classes, actual: scores[2])
    }
    let count = parameters.detectionsMaximum * parameters.classesPerDetection
    return [try result([1, count, 4]), try result([1, count]), try result([1, count]), [1]]
  }
}

import Tensors

/// Shapes and types of the steps of audio front ends.
extension NodeView {
  func signal(_ signal: Signal) throws(GraphError) -> [Shape] {
    let input = try shape(0, ranks: 1...Shape.rankMaximum)
    let last = input.rank - 1
    switch signal {
    case .window(let shift):
      let weights = try shape(1, ranks: 1...1)
      guard (0...31).contains(shift), weights[0] > 0, input[last] % weights[0] == 0 else {
        throw .parameterInvalid(node: index)
      }
      return [input]
    case .autoScale: return [input, []]
    case .spectrum(let length):
      guard isTransformLength(length), input[last] <= length else {
        throw .parameterInvalid(node: index)
      }
      return [try result(input.extents.dropLast() + [length + 2])]
    case .inverseSpectrum(let length):
      guard isTransformLength(length) else { throw .parameterInvalid(node: index) }
      try expect(length + 2, at: last, of: 0, in: input)
      return [try result(input.extents.dropLast() + [length])]
    case .energy(let start, let end):
      let input = try shape(0, ranks: 1...1)
      guard input[0] % 2 == 0, 0 <= start, start <= end, end <= input[0] / 2 else {
        throw .parameterInvalid(node: index)
      }
      return [try result([input[0] / 2])]
    case .filterBank(let channels):
      guard (1...GraphLimits.transformLengthMaximum).contains(channels) else {
        throw .parameterInvalid(node: index)
      }
      try expect(try shape(1, ranks: 1...1)[0], at: 0, of: 2, in: try shape(2, ranks: 1...1))
      for operand in 3...5 {
        try expect(channels + 1, at: 0, of: operand, in: try shape(operand, ranks: 1...1))
      }
      return [try result([channels])]
    case .squareRoot:
      guard try type(1).shape.elementCount == 1 else { throw .parameterInvalid(node: index) }
      return [input]
    case .subtractNoise(let parameters):
      guard parameters.bits < 64, parameters.smoothingBits < 32 else {
        throw .parameterInvalid(node: index)
      }
      try expectShape(input, of: 1)
      return [input, input]
    case .gainControl(let shift):
      guard (0...63).contains(shift),
        try type(2).shape.elementCount ?? 0 >= Signal.gainTableCount
      else { throw .parameterInvalid(node: index) }
      try expectShape(input, of: 1)
      return [input]
    case .logarithm(let scale, let bits):
      guard (0...Int(Int32.max)).contains(scale), (0...31).contains(bits) else {
        throw .parameterInvalid(node: index)
      }
      return [input]
    case .overlapAdd(let step): return try overlapAdd(step)
    }
  }

  /// Two pairs at least, which the last step of the transform takes together.
  private func isTransformLength(_ length: Int) -> Bool {
    (4...GraphLimits.transformLengthMaximum).contains(length) && length & (length - 1) == 0
  }

  private func overlapAdd(_ step: Int) throws(GraphError) -> [Shape] {
    let frames = try shape(0, ranks: 2...Shape.rankMaximum)
    let (count, size) = (frames[frames.rank - 2], frames[frames.rank - 1])
    guard (1...max(size, 1)).contains(step) else { throw .parameterInvalid(node: index) }
    let sums = Shape(frames.extents.dropLast(2) + [size])
    try expectShape(sums, of: 1)
    return [try result(frames.extents.dropLast(2) + [count * step]), sums]
  }

  private func expectShape(_ expected: Shape, of operand: Int) throws(GraphError) {
    let actual = try shape(operand, ranks: expected.rank...expected.rank)
    for axis in actual.extents.indices {
      try expect(expected[axis], at: axis, of: operand, in: actual)
    }
  }

  func validateSignal(_ signal: Signal) throws(GraphError) {
    let operands: [[DataType]]
    let results: [DataType]
    switch signal {
    case .window: (operands, results) = ([[.int16], [.int16]], [.int16])
    case .autoScale: (operands, results) = ([[.int16]], [.int16, .int32])
    case .spectrum, .inverseSpectrum:
      (operands, results) = ([[.int16, .int32, .float32]], [try type(0).dataType])
    case .overlapAdd:
      let input = try type(0).dataType
      (operands, results) = ([[.int16, .float32], [input]], [input, input])
    case .energy: (operands, results) = ([[.int16]], [.uint32])
    case .filterBank:
      (operands, results) = ([[.uint32]] + Array(repeating: [.int16], count: 5), [.uint64])
    case .squareRoot: (operands, results) = ([[.uint64], [.int32]], [.uint32])
    case .subtractNoise: (operands, results) = ([[.uint32], [.uint32]], [.uint32, .uint32])
    case .gainControl: (operands, results) = ([[.uint32], [.uint32], [.int16]], [.uint32])
    case .logarithm: (operands, results) = ([[.uint32]], [.int16])
    }
    try expectOperands(operands.count...operands.count)
    for (operand, types) in operands.enumerated() {
      try expect(type(operand).dataType, of: operand, among: types)
    }
    try expectResults(results)
  }
}

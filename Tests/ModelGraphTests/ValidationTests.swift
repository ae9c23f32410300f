import ModelGraph
import Tensors
import Testing

@Suite("Validation")
struct ValidationTests {
  private let scheme = Quantization(scale: 0.5, zeroPoint: 0)

  private func error(_ build: (inout GraphBuilder) -> ValueID) -> GraphError? {
    var builder = GraphBuilder()
    let output = build(&builder)
    do throws(GraphError) {
      _ = try builder.finish(output)
      return nil
    } catch {
      return error
    }
  }

  private func product(
    _ input: DataType, _ weights: DataType, _ result: DataType, _ weightScheme: Quantization?
  ) -> GraphError? {
    error { builder in
      let data = builder.input([1, 1, 1, 2], input, input == .float32 ? nil : scheme)
      let constant = builder.weights([3, 1, 1, 2], weights, weightScheme)
      return builder.node(
        .convolution2D(Convolution2D(window: Window2D())), [data, constant], result,
        result == .float32 ? nil : scheme)
    }
  }

  @Test("convolutions take float, integer and mixed operands")
  func products() {
    let perChannel = Quantization(scales: [1, 2, 3], zeroPoints: [0, 0, 0])
    #expect(product(.float32, .float32, .float32, nil) == nil)
    #expect(product(.float32, .int8, .float32, scheme) == nil)
    #expect(product(.int8, .int8, .int8, perChannel) == nil)
    #expect(product(.int8, .int8, .int8, nil) == .operandQuantization(node: 0, operand: 1))
    #expect(
      product(.int8, .int8, .int8, Quantization(scales: [1, 2], zeroPoints: [0, 0]))
        == .operandQuantization(node: 0, operand: 1))
    #expect(
      product(.int8, .float32, .int8, nil)
        == .operandDataType(node: 0, operand: 1, actual: .float32))
    #expect(
      product(.int8, .int8, .float32, scheme) == .resultDataType(node: 0, actual: .float32))
    #expect(
      product(.bool, .int8, .bool, scheme) == .operandDataType(node: 0, operand: 0, actual: .bool))
  }

  @Test("codes without a scale are refused, as operand and as result")
  func missingScale() {
    let add = Operator.binary(Binary(kind: .add))
    #expect(
      error { builder in
        let input = builder.input([2], .int8)
        return builder.node(add, [input, input], .int8, scheme)
      } == .operandQuantization(node: 0, operand: 0))
    #expect(
      error { builder in
        let input = builder.input([2], .int8, scheme)
        return builder.node(add, [input, input], .int8)
      } == .resultQuantization(node: 0))
    #expect(
      error { builder in
        let zero = Quantization(scale: 0, zeroPoint: 0)
        let input = builder.input([2], .int8, zero)
        return builder.node(.dequantize, [builder.node(add, [input, input], .int8, zero)])
      } == .operandQuantization(node: 0, operand: 0))
  }

  @Test("moves keep the element type")
  func moves() {
    #expect(
      error { builder in
        let input = builder.input([2], .int8, scheme)
        return builder.node(.reshape(Reshape(target: [2])), [input])
      } == .operandDataType(node: 0, operand: 0, actual: .int8))
    #expect(
      error { builder in
        let first = builder.input([2], .float32)
        let second = builder.input([2], .int32)
        return builder.node(.concatenate(Concatenate(axis: 0)), [first, second])
      } == .operandDataType(node: 0, operand: 1, actual: .int32))
  }

  @Test("operand counts, order and beta")
  func nodes() {
    #expect(
      error { builder in builder.node(.softmax(Softmax(beta: .nan)), [builder.input([2])]) }
        == .parameterInvalid(node: 0))
    #expect(
      error { builder in builder.node(.softmax(Softmax(beta: 1)), [builder.input([])]) }
        == .operandRank(node: 0, operand: 0, expected: 1...Shape.rankMaximum, actual: 0))
    #expect(
      error { builder in builder.node(.unary(Unary(kind: .tanh)), []) }
        == .operandCount(node: 0, expected: 1...1, actual: 0))
    #expect(
      error { builder in
        builder.node(.unary(Unary(kind: .tanh)), [builder.input([2])])
        return ValueID(7)
      } == .valueOutOfRange(index: 7, count: 2))
  }
}

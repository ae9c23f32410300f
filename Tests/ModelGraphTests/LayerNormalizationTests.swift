import ByteParsing
import ModelGraph
import Tensors
import Testing

@Suite("Layer normalisations")
struct LayerNormalizationTests {
  /// The ways in which converters write `(x − mean) / √(variance + ε) · γ + β`.
  enum Form: CaseIterable {
    case product, negatedMean, subtractedMean, offsetWithMean, squaredByProduct, operandsSwapped
  }

  private func binary(_ kind: Binary.Kind) -> Operator { .binary(Binary(kind: kind)) }

  private func unary(_ kind: Unary.Kind) -> Operator { .unary(Unary(kind: kind)) }

  private func mean(_ axis: Int) -> Operator {
    .reduce(Reduce(kind: .mean, axes: [axis], keepsDimensions: true))
  }

  private struct Steps {
    var builder = GraphBuilder()
    var input: ValueID
    var mean: ValueID
    var root: ValueID
  }

  /// The steps up to `1 / √(variance + ε)`.
  private func steps(_ form: Form, axis: Int = 2, epsilon: Float = 0.25) -> Steps {
    var builder = GraphBuilder()
    let input = builder.input([1, 4, 24])
    let average = builder.node(mean(axis), [input])
    let squares: ValueID
    switch form {
    case .squaredByProduct:
      let difference = builder.node(binary(.subtract), [input, average])
      squares = builder.node(binary(.multiply), [difference, difference])
    case .operandsSwapped:
      squares = builder.node(binary(.squaredDifference), [average, input])
    default: squares = builder.node(binary(.squaredDifference), [input, average])
    }
    let variance = builder.node(mean(axis), [squares])
    let small = builder.graph.append(
      Value(name: "epsilon", type: TensorType(.float32, []), constant: ByteView([epsilon])))
    let sum = builder.node(binary(.add), [variance, small])
    let root = builder.node(unary(.reciprocalSquareRoot), [sum])
    return Steps(builder: builder, input: input, mean: average, root: root)
  }

  /// A whole normalisation with γ, and with β where the form has a place for it.
  private func graph(_ form: Form) throws -> Graph {
    var steps = steps(form)
    let gamma = steps.builder.graph.append(
      Value(
        name: "gamma", type: TensorType(.float32, [24]),
        constant: ByteView([Float](repeating: 2, count: 24))))
    let scale = steps.builder.node(binary(.multiply), [steps.root, gamma])
    let result: ValueID
    switch form {
    case .product, .squaredByProduct:
      let difference = steps.builder.node(binary(.subtract), [steps.input, steps.mean])
      let rows = steps.builder.node(binary(.multiply), [difference, steps.root])
      let scaled = steps.builder.node(binary(.multiply), [rows, gamma])
      result = steps.builder.node(binary(.add), [scaled, steps.builder.weights([1, 1, 24])])
    case .negatedMean, .operandsSwapped:
      let negative = steps.builder.node(unary(.negate), [steps.mean])
      let shift = steps.builder.node(binary(.multiply), [negative, scale])
      let product = steps.builder.node(binary(.multiply), [scale, steps.input])
      result = steps.builder.node(binary(.add), [shift, product])
    case .subtractedMean:
      let product = steps.builder.node(binary(.multiply), [steps.input, scale])
      let shift = steps.builder.node(binary(.multiply), [steps.mean, scale])
      result = steps.builder.node(binary(.subtract), [product, shift])
    case .offsetWithMean:
      let product = steps.builder.node(binary(.multiply), [steps.input, scale])
      let shift = steps.builder.node(binary(.multiply), [steps.mean, scale])
      let rest = steps.builder.node(binary(.subtract), [steps.builder.weights([24]), shift])
      result = steps.builder.node(binary(.add), [product, rest])
    }
    return try canonicalize(steps.builder.finish(result))
  }

  @Test("each form becomes one operator", arguments: Form.allCases)
  func fuses(form: Form) throws {
    let graph = try graph(form)
    let subtractsMeanFirst = form == .product || form == .squaredByProduct
    let expected = LayerNormalization(epsilon: 0.25, subtractsMeanFirst: subtractsMeanFirst)
    #expect(graph.nodes.map(\.operation) == [.layerNormalize(expected)])
    #expect(graph.nodes[0].inputs[0] == graph.inputs[0])
    #expect(graph[try #require(graph.nodes[0].inputs[1])].name == "gamma")
    let hasOffset = subtractsMeanFirst || form == .offsetWithMean
    #expect((graph.nodes[0].inputs[2] != nil) == hasOffset)
    #expect(graph.outputSpecifications[0].type.shape == [1, 4, 24])
  }

  @Test("what others read stays beside it")
  func keepsWhatIsRead() throws {
    var steps = steps(.product)
    let difference = steps.builder.node(binary(.subtract), [steps.input, steps.mean])
    let result = steps.builder.node(binary(.multiply), [difference, steps.root])
    let graph = try canonicalize(steps.builder.finish(result, steps.mean))
    let expected = LayerNormalization(epsilon: 0.25, subtractsMeanFirst: true)
    #expect(graph.nodes.map(\.operation) == [mean(2), .layerNormalize(expected)])
  }

  @Test("along another axis, with no ε, of another mean or with another factor nothing is fused")
  func leavesOthers() throws {
    for (axis, epsilon, isOtherMean, isOtherFactor) in [
      (1, 0.25, false, false), (2, 0, false, false), (2, 0.25, true, false),
      (2, 0.25, false, true),
    ] as [(Int, Float, Bool, Bool)] {
      var steps = steps(.subtractedMean, axis: axis, epsilon: epsilon)
      let other = steps.builder.input([1, 4, 24])
      let otherMean = steps.builder.node(mean(axis), [other])
      let product = steps.builder.node(binary(.multiply), [steps.input, steps.root])
      let factor = isOtherFactor ? otherMean : steps.root
      let shift = steps.builder.node(
        binary(.multiply), [isOtherMean ? otherMean : steps.mean, factor])
      let result = steps.builder.node(binary(.subtract), [product, shift])
      let graph = try canonicalize(steps.builder.finish(result))
      let isFused = graph.nodes.contains { $0.operation.name == "layerNormalize" }
      #expect(!isFused)
    }
  }
}

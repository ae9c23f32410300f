import ByteParsing
import KernelDispatch
import KernelInterface
import ModelGraph
import Runtime
import Tensors
import TestSupport
import Testing

/// Operators whose parameters an app may choose, with parameters that nobody should choose.
@Suite("Hostile shapes")
struct HostileShapesTests {
  /// An operator on data and on int32 parameters of these shapes.
  struct Subject: Sendable, CustomTestStringConvertible {
    var operation: ModelGraph.Operator
    var data: [Shape] = [[4, 6]]
    var parameters: [Shape]
    var parametersComeFirst = false
    var results: [DataType] = [.float32]
    /// Of the results, where they are outputs themselves.
    var rank = 1

    var testDescription: String { "\(operation)" }

    /// The operator, and what may become of its first result; data are the first inputs.
    func graph() throws -> Graph {
      var values = data.map { Value(name: "data", type: TensorType(.float32, $0)) }
      values += parameters.map { Value(name: "parameter", type: TensorType(.int32, $0)) }
      let inputs = values.indices.map { ValueID($0) }
      let operands =
        parametersComeFirst
        ? Array(inputs[data.count...]) + inputs[..<data.count] : inputs
      let outputs = results.indices.map { ValueID(values.count + $0) }
      for type in results {
        var value = Value(name: "result", type: TensorType(type, [1]))
        value.signatureShape = Shape([Int](repeating: -1, count: rank))
        values.append(value)
      }
      var nodes = [Node(operation, inputs: operands, outputs: outputs)]
      var ends = outputs
      if case .float32 = results[0] {
        let flat = ValueID(values.count)
        let all = Value(name: "", type: TensorType(.int32, [1]), constant: ByteView([-1] as [Int32]))
        var open = Value(name: "flat", type: TensorType(.float32, [1]))
        open.signatureShape = [-1]
        values += [open, all, open, open]
        let following = (1...3).map { ValueID(flat.index + $0) }
        let (whole, twice, sum) = (following[0], following[1], following[2])
        nodes += [
          Node(.reshape(Reshape(target: nil)), inputs: [outputs[0], whole], outputs: [flat]),
          Node(.concatenate(Concatenate(axis: 0)), inputs: [flat, flat], outputs: [twice]),
          Node(
            .reduce(Reduce(kind: .sum, axes: [0], keepsDimensions: true)), inputs: [twice],
            outputs: [sum]),
        ]
        ends = [twice, sum]
      }
      var graph = Graph(values: values, nodes: nodes, inputs: inputs, outputs: ends)
      try graph.validate()
      try graph.inferShapes(deferring: true)
      return graph
    }
  }

  static let subjects: [Subject] = [
    Subject(operation: .reshape(Reshape(target: nil)), parameters: [[3]]),
    Subject(operation: .move(.slice), parameters: [[2], [2]]),
    Subject(operation: .move(.stridedSlice(StridedSlice())), parameters: [[2], [2], [2]]),
    Subject(
      operation: .move(.stridedSlice(StridedSlice(beginMask: 1, shrinkAxisMask: 2))),
      parameters: [[2], [2], [2]]),
    Subject(operation: .move(.tile), parameters: [[2]]),
    Subject(operation: .move(.broadcast), data: [[1, 6]], parameters: [[3]]),
    Subject(operation: .move(.transpose), parameters: [[2]]),
    Subject(operation: .move(.reverse), parameters: [[2]]),
    Subject(operation: .move(.unequalPart(index: 1)), parameters: [[3], []]),
    Subject(operation: .move(.spaceToBatch), data: [[1, 4, 6, 2]], parameters: [[2], [2, 2]]),
    Subject(operation: .move(.batchToSpace), data: [[4, 4, 6, 2]], parameters: [[2], [2, 2]]),
    Subject(operation: .pad(Pad(amounts: nil)), parameters: [[2, 2]]),
    Subject(operation: .mirrorPad(includesEdge: false), parameters: [[2, 2]]),
    Subject(operation: .generate(.fill), data: [[]], parameters: [[3]], parametersComeFirst: true),
    Subject(operation: .generate(.range), data: [], parameters: [[], [], []], results: [.int32]),
    Subject(
      operation: .resize(Resize(kind: .bilinear, alignsCorners: false, hasHalfPixelCenters: true)),
      data: [[1, 4, 6, 2]], parameters: [[2]]),
    Subject(
      operation: .resize(Resize(kind: .nearest, alignsCorners: true, hasHalfPixelCenters: false)),
      data: [[1, 4, 6, 2]], parameters: [[2]]),
    Subject(operation: .top, parameters: [[]], results: [.float32, .int32]),
    Subject(operation: .expandDimensions(ExpandDimensions(axis: nil)), parameters: [[]]),
    Subject(
      operation: .reduce(Reduce(kind: .mean, axes: nil, keepsDimensions: false)),
      parameters: [[2]]),
    Subject(
      operation: .argumentOfExtreme(ArgumentOfExtreme(isMaximum: true)), parameters: [[]],
      results: [.int32]),
    Subject(operation: .segment(Segment(kind: .sum)), parameters: [[4], []]),
    Subject(operation: .spectrum, parameters: [[2]], results: [.complex64], rank: 2),
  ]

  private static let numbers: [Int32] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 24, -1, -2, -3, -7, 64, 1000, 65_536, 1 << 20, 1 << 30, .max,
    .min, .max - 1, .min + 1,
  ]

  @Test("give a result or a reason, and take no more than was stated", arguments: subjects)
  func subject(_ subject: Subject) throws {
    let graph = try subject.graph()
    let plan = try Plan(graph, table: .best, deferredBytes: 1 << 18)
    let instance = try Instance(PreparedModel(plan))
    var random = SplitMix64(seed: 0xD1CE)
    var complete = 0
    for round in 0..<120 {
      // Small numbers first, of which many give shapes.
      let most = round < 30 ? 3 : round < 60 ? 9 : Self.numbers.count
      for (index, input) in graph.inputSpecifications.enumerated() {
        unsafe instance.withInput(index) { bytes in
          for place in 0..<(input.type.shape.elementCount ?? 0) {
            let number = Self.numbers[Int.random(in: 0..<most, using: &random)]
            if case .int32 = input.type.dataType {
              unsafe bytes.storeBytes(of: number, toByteOffset: 4 * place, as: Int32.self)
            } else {
              unsafe bytes.storeBytes(of: Float(place), toByteOffset: 4 * place, as: Float.self)
            }
          }
        }
      }
      instance.run()
      #expect(instance.isComplete == (instance.failure == nil))
      if case .unsupported(let kernels) = instance.failure {
        Issue.record("no kernel for \(kernels)")
      }
      guard instance.isComplete else { continue }
      complete += 1
      for (index, output) in instance.model.outputs.enumerated() {
        let shape = try #require(instance.shape(ofOutput: index))
        let count = unsafe instance.withOutput(index) { bytes in bytes.count }
        #expect(output.type.dataType.byteCount(of: try #require(shape.elementCount)) == count)
      }
    }
    #expect(complete > 0)
    #expect(instance.allocatedBytes == plan.memory.instanceBytes)
  }
}

import ByteParsing
import KernelDispatch
import KernelInterface
import ModelGraph
import Runtime
import Tensors
import TestSupport
import Testing

@Suite("Plan")
struct PlanTests {
  /// A chain of unary operators over one float32 shape.
  private func chain(_ kinds: [Unary.Kind], _ type: TensorType) -> Graph {
    let values = (0...kinds.count).map { Value(name: "v\($0)", type: type) }
    let nodes = kinds.enumerated().map {
      Node(.unary(Unary(kind: $1)), inputs: [ValueID($0)], outputs: [ValueID($0 + 1)])
    }
    return Graph(
      values: values, nodes: nodes, inputs: [ValueID(0)], outputs: [ValueID(kinds.count)])
  }

  @Test("results of a chain of elementwise operators take one place")
  func elementwiseIsInPlace() throws {
    let graph = chain([.logistic, .tanh, .logistic], TensorType(.float32, [64]))
    #expect(try Plan(graph, table: .best).memory.arenaBytes == 256)
  }

  @Test("a function of codes and the product with its operand are one table", arguments: [false, true])
  func functionsAreFolded(isLeft: Bool) throws {
    let input = TensorType(.int8, [256], quantization: Quantization(scale: 0.05, zeroPoint: 7))
    let function = TensorType(.int8, [256], quantization: Quantization(scale: 1 / 256, zeroPoint: -128))
    let product = TensorType(.int8, [256], quantization: Quantization(scale: 0.045, zeroPoint: -30))
    let operands = isLeft ? [ValueID(1), ValueID(0)] : [ValueID(0), ValueID(1)]
    // The second graph shows the function too, which keeps the two apart.
    var answers: [[Int8]] = []
    for outputs in [[ValueID(2)], [ValueID(2), ValueID(1)]] {
      let graph = Graph(
        values: [
          Value(name: "x", type: input), Value(name: "f", type: function),
          Value(name: "y", type: product),
        ],
        nodes: [
          Node(.unary(Unary(kind: .logistic)), inputs: [ValueID(0)], outputs: [ValueID(1)]),
          Node(.binary(Binary(kind: .multiply)), inputs: operands, outputs: [ValueID(2)]),
        ], inputs: [ValueID(0)], outputs: outputs)
      let plan = try Plan(graph, table: .best)
      #expect(plan.steps.count == outputs.count)
      let instance = try Instance(PreparedModel(plan))
      unsafe instance.withInput(0) { bytes in
        unsafe bytes.copyBytes(from: (0...255).map { UInt8($0) })
      }
      instance.run()
      answers.append(
        unsafe instance.withOutput(0) { bytes in unsafe bytes.map { Int8(bitPattern: $0) } })
    }
    #expect(answers[0] == answers[1])
  }

  @Test("layers that read one value share its quantised rows")
  func rowsAreQuantizedOnce() throws {
    let weights = TensorType(.int8, [8, 16], quantization: Quantization(scale: 0.02, zeroPoint: 0))
    let codes = ByteView((0..<128).map { UInt8(truncatingIfNeeded: 37 * $0) })
    let values = [
      Value(name: "x", type: TensorType(.float32, [2, 16])),
      Value(name: "w", type: weights, constant: codes),
      Value(name: "y", type: TensorType(.float32, [2, 8])),
      Value(name: "z", type: TensorType(.float32, [2, 8])),
    ]
    // The same layer twice, quantised alike or not.
    var answers: [[UInt8]] = []
    for isAlike in [true, false] {
      let nodes = [true, isAlike].enumerated().map { index, isAsymmetric in
        Node(
          .fullyConnected(FullyConnected(quantizesAsymmetrically: isAsymmetric)),
          inputs: [ValueID(0), ValueID(1)], outputs: [ValueID(2 + index)])
      }
      let plan = try Plan(
        Graph(
          values: values, nodes: nodes, inputs: [ValueID(0)], outputs: [ValueID(2), ValueID(3)]),
        table: .best)
      let count = plan.steps.count { $0.kernelName == "quantizeRows" }
      #expect(count == (isAlike ? 1 : 2))
      let instance = try Instance(PreparedModel(plan))
      unsafe instance.withInput(0) { bytes in
        for index in 0..<32 {
          let value = Float(index * index % 29) - 9
          unsafe bytes.storeBytes(of: value, toByteOffset: 4 * index, as: Float.self)
        }
      }
      instance.run()
      answers.append(unsafe instance.withOutput(0) { bytes in unsafe [UInt8](bytes) })
      let second = unsafe instance.withOutput(1) { bytes in unsafe [UInt8](bytes) }
      #expect((second == answers[0]) == isAlike)
    }
    #expect(answers[0] == answers[1])
  }

  @Test("operators without a kernel are named once, with their count")
  func missingKernels() throws {
    // There is no mean of truths.
    let mean = Operator.reduce(Reduce(kind: .mean, axes: [0, 2], keepsDimensions: true))
    let graph = Graph(
      values: [
        Value(name: "in", type: TensorType(.bool, [2, 3, 4])),
        Value(name: "a", type: TensorType(.bool, [1, 3, 1])),
        Value(name: "b", type: TensorType(.bool, [1, 3, 1])),
      ],
      nodes: [
        Node(mean, inputs: [ValueID(0)], outputs: [ValueID(1)]),
        Node(mean, inputs: [ValueID(0)], outputs: [ValueID(2)]),
      ], inputs: [ValueID(0)], outputs: [ValueID(1), ValueID(2)])
    #expect(
      throws: RuntimeError.unsupported([
        MissingKernel(name: "mean", inputs: [.bool], outputs: [.bool], count: 2)
      ])
    ) { try Plan(graph, table: .best) }
  }

  @Test("scratch grows with threads, and nothing else does")
  func scratchIsPerThread() throws {
    let path = Fixtures.digitsModel()
    let one = try RunningModel(path, .best).plan.memory
    let four = try RunningModel(path, .best, threads: 4).plan.memory
    #expect(four.scratchBytes == 4 * one.scratchBytes)
    #expect(four.arenaBytes == one.arenaBytes)
    #expect(four.weightsBytes == one.weightsBytes)
  }

  @Test("a tensor of no elements costs nothing and runs")
  func emptyTensor() throws {
    let graph = chain([.tanh], TensorType(.float32, [0, 3]))
    let plan = try Plan(graph, table: .best)
    #expect(plan.memory.arenaBytes == 0)
    try Instance(PreparedModel(plan)).run()
  }

  @Test("each step is described by its operator, kernel and work")
  func stepsAreDescribed() throws {
    let plan = try RunningModel(Fixtures.digitsModel(), .best).plan
    let first = try #require(plan.steps.first)
    #expect(first.operatorName == "convolution2D")
    #expect(first.kernelName == "convolutionInt8")
    #expect(first.multiplyAccumulates > 0)
    #expect(first.byteCount > 0)
  }
}

import ByteParsing
import KernelDispatch
import KernelInterface
import ModelGraph
import Runtime
import Tensors
import TestSupport
import Testing

/// A graph that is run by hand.
struct RunningGraph {
  let instance: Instance

  init(_ graph: Graph, _ table: KernelTable = .best) throws {
    instance = try Instance(PreparedModel(Plan(graph, table: table)))
  }

  /// The floats of every output after a run on `inputs`.
  func run(_ inputs: [[Float]]) -> [[Float]] {
    for (index, input) in inputs.enumerated() {
      unsafe instance.withInput(index) { bytes in
        unsafe input.withUnsafeBytes { unsafe bytes.copyMemory(from: $0) }
      }
    }
    instance.run()
    return instance.model.outputs.indices.map { index in
      unsafe instance.withOutput(index) { bytes in unsafe floats([UInt8](bytes)) }
    }
  }
}

@Suite("Variables")
struct VariableTests {
  private let type = TensorType(.float32, [2])

  /// `output = input + sum`, after which `sum` is the output.
  private func accumulator(initial: ByteView? = nil) -> Graph {
    var graph = Graph(
      values: ["input", "sum", "output"].map { Value(name: $0, type: type) },
      nodes: [Node(.binary(Binary(kind: .add)), inputs: [ValueID(0), ValueID(1)], outputs: [ValueID(2)])],
      inputs: [ValueID(0)], outputs: [ValueID(2)])
    graph.variables = [Variable(current: ValueID(1), next: ValueID(2), initial: initial)]
    return graph
  }

  @Test("keep their elements from one run to the next")
  func areKept() throws {
    let running = try RunningGraph(accumulator())
    #expect(running.run([[1, 2]]) == [[1, 2]])
    #expect(running.run([[10, 20]]) == [[11, 22]])
  }

  @Test("begin with their first elements again after a reset")
  func areReset() throws {
    let running = try RunningGraph(accumulator(initial: ByteView([Float(5), 6])))
    #expect(running.run([[1, 1]]) == [[6, 7]])
    #expect(running.run([[1, 1]]) == [[7, 8]])
    running.instance.reset()
    #expect(running.run([[1, 1]]) == [[6, 7]])
  }

  @Test("of one instance are not those of another")
  func areOfOneInstance() throws {
    let model = try PreparedModel(Plan(accumulator(), table: .best))
    let (first, second) = (try Instance(model), try Instance(model))
    for instance in [first, first, second] {
      unsafe instance.withInput(0) { unsafe $0.storeBytes(of: Float(1), as: Float.self) }
      instance.run()
    }
    #expect(unsafe first.withOutput(0) { unsafe $0.load(as: Float.self) } == 2)
    #expect(unsafe second.withOutput(0) { unsafe $0.load(as: Float.self) } == 1)
  }

  @Test("can take each other's place, and be outputs as they were")
  func areSwapped() throws {
    var graph = Graph(
      values: ["a", "b"].map { Value(name: $0, type: type) }, nodes: [], inputs: [],
      outputs: [ValueID(0), ValueID(1)])
    graph.variables = [
      Variable(current: ValueID(0), next: ValueID(1), initial: ByteView([Float(1), 2])),
      Variable(current: ValueID(1), next: ValueID(0), initial: ByteView([Float(3), 4])),
    ]
    let running = try RunningGraph(graph)
    #expect(running.run([]) == [[1, 2], [3, 4]])
    #expect(running.run([]) == [[3, 4], [1, 2]])
  }

  @Test("that change their shape are refused")
  func keepTheirShape() {
    var graph = accumulator()
    graph.variables[0].next = ValueID(0)
    graph.values[0].type.shape = [1]
    #expect(
      throws: RuntimeError.invalidGraph(
        .variableChangesType(variable: 0, before: [2], after: [1]))
    ) { try Plan(graph, table: .best) }
  }
}

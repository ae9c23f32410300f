import ByteParsing
import CAllocationCounter
import KernelDispatch
import KernelInterface
import ModelGraph
import Runtime
import Tensors
import TestSupport
import Testing

@Suite("Loops and branches", .serialized)
struct ControlTests {
  private static let number = TensorType(.float32, [2])
  private static let truth = TensorType(.bool, [])

  private static func value(_ type: TensorType) -> Value { Value(name: "", type: type) }

  private static func constant(_ numbers: [Float]) -> Value {
    Value(name: "", type: TensorType(.float32, [numbers.count]), constant: ByteView(numbers))
  }

  private static func binary(_ kind: Binary.Kind, _ a: Int, _ b: Int, _ result: Int) -> Node {
    Node(.binary(Binary(kind: kind)), inputs: [ValueID(a), ValueID(b)], outputs: [ValueID(result)])
  }

  /// Whether the first element of the first input is below `limit`; takes three values.
  private static func isBelow(_ limit: Float) -> Graph {
    Graph(
      values: [
        value(TensorType(.float32, [1])), value(number), value(number), constant([limit]),
        value(TensorType(.bool, [1])),
      ],
      nodes: [binary(.less, 0, 3, 4)], inputs: (0..<3).map { ValueID($0) }, outputs: [ValueID(4)])
  }

  /// `(count, a, b)` to `(count + 1, b, a + b)`.
  private static var fibonacci: Graph {
    Graph(
      values: [
        value(TensorType(.float32, [1])), value(number), value(number), constant([1]),
        value(TensorType(.float32, [1])), value(number),
      ],
      nodes: [binary(.add, 0, 3, 4), binary(.add, 1, 2, 5)],
      inputs: (0..<3).map { ValueID($0) }, outputs: [ValueID(4), ValueID(2), ValueID(5)])
  }

  private static func loop(_ condition: Graph, _ body: Graph) -> Graph {
    let count = TensorType(.float32, [1])
    var graph = Graph(
      values: [count, number, number, count, number, number].map(value),
      nodes: [
        Node(
          .loop(Loop(condition: 0, body: 1)), inputs: (0..<3).map { ValueID($0) },
          outputs: (3..<6).map { ValueID($0) })
      ], inputs: (0..<3).map { ValueID($0) }, outputs: (3..<6).map { ValueID($0) })
    graph.subgraphs = [condition, body]
    return graph
  }

  @Test("a loop goes on while its condition holds, and its values move up", arguments: KernelTable.supported)
  func loops(table: KernelTable) throws {
    let running = try RunningGraph(Self.loop(Self.isBelow(10), Self.fibonacci), table)
    #expect(running.run([[0], [0, 1], [1, 1]]) == [[10], [55, 89], [89, 144]])
    // From the start, and not at all.
    #expect(running.run([[8], [0, 1], [1, 1]]) == [[10], [1, 2], [2, 3]])
    #expect(running.run([[10], [0, 1], [1, 1]]) == [[10], [0, 1], [1, 1]])
    #expect(running.instance.isComplete)
  }

  @Test("values that change places in an iteration do not run over one another")
  func swaps() throws {
    var body = Self.fibonacci
    body.nodes.removeLast()
    body.outputs = [ValueID(4), ValueID(2), ValueID(1)]
    let running = try RunningGraph(Self.loop(Self.isBelow(3), body))
    #expect(running.run([[0], [1, 2], [3, 4]]) == [[3], [3, 4], [1, 2]])
  }

  @Test("what no iteration changes is known in the loop, and not copied")
  func invariants() throws {
    var body = Self.fibonacci
    body.nodes[1] = Self.binary(.multiply, 1, 2, 5)
    body.outputs = [ValueID(4), ValueID(5), ValueID(2)]
    var graph = Self.loop(Self.isBelow(3), body)
    #expect(try RunningGraph(graph).run([[0], [1, 2], [2, 3]]) == [[3], [8, 54], [2, 3]])
    // The factor as a constant.
    graph.values[2].constant = ByteView([10, 1] as [Float])
    graph.inputs.removeLast()
    #expect(try RunningGraph(graph).run([[0], [1, 2]]) == [[3], [1000, 2], [10, 1]])
  }

  @Test("a loop without end is ended, and says so")
  func limit() throws {
    let running = try RunningGraph(Self.loop(Self.isBelow(.infinity), Self.fibonacci))
    // Beyond 2²⁴ a float no longer counts, but the limit comes before.
    _ = running.run([[0], [0, 0], [0, 0]])
    #expect(!running.instance.isComplete)
    let ended = try RunningGraph(Self.loop(Self.isBelow(1), Self.fibonacci))
    _ = ended.run([[0], [0, 0], [0, 0]])
    #expect(ended.instance.isComplete)
  }

  /// `condition ? a + b : a · b`.
  private static var branch: Graph {
    func graph(_ kind: Binary.Kind) -> Graph {
      Graph(
        values: [value(number), value(number), value(number)], nodes: [binary(kind, 0, 1, 2)],
        inputs: [ValueID(0), ValueID(1)], outputs: [ValueID(2)])
    }
    var whole = Graph(
      values: [value(number), value(number), value(number), value(truth), value(number), constant([0, 0]),
        value(TensorType(.bool, [2])), value(truth)],
      nodes: [
        binary(.less, 0, 5, 6),
        Node(.reduce(Reduce(kind: .all, axes: [0], keepsDimensions: false)), inputs: [ValueID(6)], outputs: [ValueID(7)]),
        Node(
          .branch(Branch(whenTrue: 0, whenFalse: 1)), inputs: [ValueID(7), ValueID(1), ValueID(2)],
          outputs: [ValueID(4)]),
      ], inputs: (0..<3).map { ValueID($0) }, outputs: [ValueID(4)])
    whole.subgraphs = [graph(.add), graph(.multiply)]
    return whole
  }

  @Test("a branch runs the graph that its condition names", arguments: KernelTable.supported)
  func branches(table: KernelTable) throws {
    let running = try RunningGraph(Self.branch, table)
    #expect(running.run([[-1, -1], [3, 4], [5, 6]]) == [[8, 10]])
    #expect(running.run([[-1, 1], [3, 4], [5, 6]]) == [[15, 24]])
  }

  @Test("a body whose results have other shapes than the next iteration takes is refused")
  func growingValues() {
    var body = Self.fibonacci
    body.values[5].type.shape = [4]
    body.nodes[1] = Node(
      .concatenate(Concatenate(axis: 0)), inputs: [ValueID(1), ValueID(2)], outputs: [ValueID(5)])
    #expect(
      throws: RuntimeError.invalidGraph(
        .inSubgraph(node: 0, .outputShape(output: 2, expected: [2], actual: [4])))
    ) { try RunningGraph(Self.loop(Self.isBelow(3), body)) }
  }

  @Test("a loop without its graphs, or with others, is refused")
  func missingGraphs() {
    var graph = Self.loop(Self.isBelow(3), Self.fibonacci)
    graph.subgraphs.removeLast()
    #expect(throws: RuntimeError.invalidGraph(.subgraphMissing(node: 0))) {
      try RunningGraph(graph)
    }
    #expect(
      throws: RuntimeError.invalidGraph(.resultCount(node: 0, expected: 3, actual: 1))
    ) { try RunningGraph(Self.loop(Self.fibonacci, Self.fibonacci)) }
  }

  @Test("an inference with a loop allocates nothing and faults no page in", arguments: [1, 3])
  func allocatesNothing(threads: Int) throws {
    try #require(cac_is_counting(), "a sanitizer owns the allocator")
    guard let path = SharedModels.path("generated/lstm_50x40.f32.tflite") else { return }
    let running = try RunningModel(path, .best, threads: threads)
    running.write(running.noise(seed: 1))
    running.instance.run()
    let before = (cac_thread_allocation_count(), cac_thread_minor_fault_count())
    for _ in 0..<3 { running.instance.run() }
    #expect(cac_thread_allocation_count() == before.0)
    #expect(cac_thread_minor_fault_count() == before.1)
  }

  @Test("real recurrent networks answer as the reference does", arguments: KernelTable.supported)
  func realLoops(table: KernelTable) throws {
    guard let path = SharedModels.path("generated/lstm_50x40.f32.tflite") else { return }
    let running = try RunningModel(path, table, threads: 2)
    let input = try NumPyArray(path: path + ".golden/c0_in_0.npy")
    let wanted = try NumPyArray(path: path + ".golden/c0_out_0.npy").float32
    let actual = floats(running.outputs(for: [input.bytes])[0])
    #expect(zip(actual, wanted).allSatisfy { abs($0 - $1) < 1e-5 })
  }
}

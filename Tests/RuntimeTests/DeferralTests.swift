import ByteParsing
import CAllocationCounter
import KernelDispatch
import KernelInterface
import ModelGraph
import Runtime
import Tensors
import TestSupport
import Testing

@Suite("Shapes that depend on data", .serialized)
struct DeferralTests {
  private static func value(_ type: DataType, _ shape: Shape) -> Value {
    Value(name: "", type: TensorType(type, shape))
  }

  private static func integers(_ numbers: [Int32]) -> Value {
    Value(name: "", type: TensorType(.int32, [numbers.count]), constant: ByteView(numbers))
  }

  private static func ids(_ numbers: Int...) -> [ValueID] { numbers.map { ValueID($0) } }

  private static func node(
    _ operation: ModelGraph.Operator, _ inputs: [ValueID], _ outputs: [ValueID]
  ) -> Node {
    Node(operation, inputs: inputs, outputs: outputs)
  }

  /// The first rows of `[6, 2]`, as many as the second input says, and their sums.
  private static func rows() throws -> Graph {
    var open = value(.float32, [1, 2])
    open.signatureShape = [-1, 2]
    var graph = Graph(
      values: [
        value(.float32, [6, 2]), value(.float32, [1]), value(.int32, [1]), integers([2]),
        value(.int32, [2]), integers([0, 0]), open, open, value(.float32, [2]),
      ],
      nodes: [
        node(.cast, ids(1), ids(2)),
        node(.concatenate(Concatenate(axis: 0)), ids(2, 3), ids(4)),
        node(.move(.slice), ids(0, 5, 4), ids(6)),
        node(.binary(Binary(kind: .add)), ids(6, 6), ids(7)),
        node(.reduce(Reduce(kind: .sum, axes: [0], keepsDimensions: false)), ids(7), ids(8)),
      ], inputs: ids(0, 1), outputs: ids(7, 8))
    try graph.inferShapes(deferring: true)
    return graph
  }

  private static let data = (1...12).map { Float($0) }

  private static func expected(_ count: Int) -> [[Float]] {
    let doubled = data.prefix(2 * count).map { 2 * $0 }
    let sums = (0..<2).map { column in
      stride(from: column, to: doubled.count, by: 2).reduce(Float(0)) { $0 + doubled[$1] }
    }
    return [doubled, sums]
  }

  @Test("a computed number of rows gives outputs of as many", arguments: KernelTable.supported)
  func computedExtent(table: KernelTable) throws {
    let running = try RunningGraph(Self.rows(), table)
    #expect(running.instance.model.outputs[0].type.shape == [-1, 2])
    #expect(running.instance.model.outputs[1].type.shape == [2])
    #expect(running.instance.shape(ofOutput: 0) == nil)
    for count in [3, 6, 1, 0, 3, 5, 0] {
      #expect(running.run([Self.data, [Float(count)]]) == Self.expected(count))
      #expect(running.instance.isComplete)
      #expect(running.instance.shape(ofOutput: 0) == [count, 2])
      #expect(running.instance.shape(ofOutput: 1) == [2])
    }
  }

  @Test("the deferred part can be profiled as one step")
  func profile() throws {
    let running = try RunningGraph(Self.rows())
    _ = running.run([Self.data, [2]])
    var nanoseconds = [UInt64](repeating: 0, count: running.instance.model.steps.count)
    running.instance.runProfiled(&nanoseconds)
    #expect(running.instance.model.steps.last?.operatorName == "deferred")
    #expect(running.instance.isComplete && nanoseconds.last! > 0)
  }

  @Test("values that give no shapes fail their inference, and no other")
  func impossibleShapes() throws {
    let running = try RunningGraph(Self.rows())
    #expect(running.run([Self.data, [7]]) == [[], []])
    #expect(!running.instance.isComplete)
    guard case .shapes(.parameterInvalid) = running.instance.failure else {
      Issue.record("failed with \(String(describing: running.instance.failure))")
      return
    }
    #expect(running.instance.failure?.phrase.isEmpty == false)
    #expect(running.instance.shape(ofOutput: 0) == nil)
    #expect(running.run([Self.data, [2]]) == Self.expected(2))
    #expect(running.instance.isComplete && running.instance.failure == nil)
  }

  @Test("a plan that is kept allocates nothing")
  func keptPlans() throws {
    let running = try RunningGraph(Self.rows())
    for count in [4, 2, 0] { _ = running.run([Self.data, [Float(count)]]) }
    for count in [4, 2, 0, 2] {
      let (rows, number) = (Self.data, [Float(count)])
      for (index, input) in [rows, number].enumerated() {
        unsafe running.instance.withInput(index) { bytes in
          unsafe input.withUnsafeBytes { unsafe bytes.copyMemory(from: $0) }
        }
      }
      let before = cac_thread_allocation_count()
      running.instance.run()
      #expect(cac_thread_allocation_count() == before)
      #expect(running.instance.shape(ofOutput: 0) == [count, 2])
    }
  }

  /// The input repeated so often as the second input says, which is two numbers.
  private static func repetition() throws -> Graph {
    var open = value(.float32, [1, 1])
    open.signatureShape = [-1, -1]
    var graph = Graph(
      values: [value(.float32, [1, 16]), value(.float32, [2]), value(.int32, [2]), open],
      nodes: [node(.cast, ids(1), ids(2)), node(.move(.tile), ids(0, 2), ids(3))],
      inputs: ids(0, 1), outputs: ids(3))
    try graph.inferShapes(deferring: true)
    return graph
  }

  @Test("memory stays what was stated, however many shapes come, and more is refused")
  func bytes() throws {
    let plan = try Plan(Self.repetition(), table: .best, deferredBytes: 1 << 17)
    #expect(plan.memory.deferredBytes == 1 << 17 && plan.isDeferred)
    #expect(plan.memory.instanceBytes >= 1 << 17)
    let instance = try Instance(PreparedModel(plan))
    #expect(instance.allocatedBytes == plan.memory.instanceBytes)
    let row = (0..<16).map { Float($0) }
    func run(_ times: [Float]) {
      for (index, input) in [row, times].enumerated() {
        unsafe instance.withInput(index) { bytes in
          unsafe input.withUnsafeBytes { unsafe bytes.copyMemory(from: $0) }
        }
      }
      instance.run()
    }
    for round in 1...200 {
      run([Float(round), 2])
      #expect(instance.isComplete, "\(round): \(String(describing: instance.failure))")
      let output = unsafe instance.withOutput(0) { bytes in unsafe floats([UInt8](bytes)) }
      #expect(output == (0..<2 * round).flatMap { _ in row })
    }
    for times: [Float] in [[1024, 2], [2048, 1], [100_000, 100_000], [0x1p30, 0x1p30]] {
      run(times)
      #expect(!instance.isComplete)
      switch instance.failure {
      case .bytes(let needed, let limit): #expect(needed > limit && limit == 1 << 17)
      case .shapes(.shapeTooLarge), .shapes(.parameterInvalid): break
      default: Issue.record("failed with \(String(describing: instance.failure))")
      }
    }
    run([3, 1])
    #expect(instance.isComplete && instance.shape(ofOutput: 0) == [3, 16])
    #expect(instance.allocatedBytes == plan.memory.instanceBytes)
  }

  /// The elements of `[3, 4]` that are not zero and their places, then those of them above 2.
  private static func selections() throws -> Graph {
    func open(_ type: DataType, _ shape: Shape) -> Value {
      var value = value(type, Shape(shape.extents.map { max($0, 1) }))
      value.signatureShape = shape
      return value
    }
    let two = Value(name: "", type: TensorType(.float32, []), constant: ByteView([2] as [Float]))
    var graph = Graph(
      values: [
        value(.float32, [3, 4]), value(.int64, [1]), open(.int64, [-1, 2]), open(.float32, [-1]),
        two, open(.bool, [-1]), open(.int64, [1]), open(.int64, [-1, 1]), open(.float32, [-1]),
        open(.float32, []),
      ],
      nodes: [
        node(.nonzero(.count), ids(0), ids(1)), node(.nonzero(.positions), ids(0, 1), ids(2)),
        node(.gatherND, ids(0, 2), ids(3)),
        node(.binary(Binary(kind: .greater)), ids(3, 4), ids(5)),
        node(.nonzero(.count), ids(5), ids(6)), node(.nonzero(.positions), ids(5, 6), ids(7)),
        node(.gatherND, ids(3, 7), ids(8)),
        node(.reduce(Reduce(kind: .sum, axes: [0], keepsDimensions: false)), ids(8), ids(9)),
      ], inputs: ids(0), outputs: ids(2, 8, 9))
    try graph.inferShapes(deferring: true)
    return graph
  }

  @Test("what is selected can be selected from again", arguments: KernelTable.supported)
  func stages(table: KernelTable) throws {
    let running = try RunningGraph(Self.selections(), table)
    for data: [Float] in [
      [0, 1, 2, 3, 0, 0, -0.0, 0, 4, -5, 0, 6], [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      [Float](repeating: 0, count: 12), [Float](repeating: 3, count: 12),
    ] {
      let outputs = running.run([data])
      #expect(running.instance.isComplete, "\(String(describing: running.instance.failure))")
      let places = data.indices.filter { data[$0] != 0 }
      let above = data.filter { $0 > 2 }
      #expect(running.instance.shape(ofOutput: 0) == [places.count, 2])
      let rows = unsafe running.instance.withOutput(0) { bytes in
        (0..<bytes.count / 8).map { unsafe bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self) }
      }
      #expect(rows == places.flatMap { [Int64($0 / 4), Int64($0 % 4)] })
      #expect(outputs[1] == above && outputs[2] == [above.reduce(0, +)])
    }
  }

  @Test("different elements are listed as they come first", arguments: KernelTable.supported)
  func distinct(table: KernelTable) throws {
    var graph = Graph(
      values: [
        Self.value(.float32, [7]), Self.value(.float32, [7]), Self.value(.int32, [7]),
        Self.value(.int64, [1]), Value(name: "", type: TensorType(.int64, [1]), constant: ByteView([0] as [Int64])),
        Self.value(.float32, [1]),
      ],
      nodes: [
        Self.node(.distinct, Self.ids(0), Self.ids(1, 2, 3)),
        Self.node(.move(.slice), Self.ids(1, 4, 3), Self.ids(5)),
      ], inputs: Self.ids(0), outputs: Self.ids(5, 2))
    graph[ValueID(5)].signatureShape = [-1]
    try graph.inferShapes(deferring: true)
    let running = try RunningGraph(graph, table)
    for (data, values, places): ([Float], [Float], [Int32]) in [
      ([3, 1, 3, 3, 0, -0.0, 1], [3, 1, 0], [0, 1, 0, 0, 2, 2, 1]),
      ([1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7], [0, 1, 2, 3, 4, 5, 6]),
      ([5, 5, 5, 5, 5, 5, 5], [5], [0, 0, 0, 0, 0, 0, 0]),
    ] {
      let outputs = running.run([data])
      #expect(outputs[0] == values)
      #expect(outputs[1].map { Int32(bitPattern: $0.bitPattern) } == places)
    }
  }

  @Test("an output of another shape than the model declares fails its inference")
  func declaredShape() throws {
    var graph = try Self.rows()
    graph[ValueID(7)].signatureShape = [3, 2]
    try graph.inferShapes(deferring: true)
    let running = try RunningGraph(graph)
    #expect(running.run([Self.data, [3]]) == Self.expected(3))
    _ = running.run([Self.data, [4]])
    #expect(running.instance.failure == .outputShape(output: 0, expected: [3, 2], actual: [4, 2]))
  }

  /// The first two rows of `[3, 2]`, or all doubled, as the second input says.
  private static func choice() throws -> Graph {
    let data = value(.float32, [3, 2])
    let cut = Graph(
      values: [data, integers([0, 0]), integers([2, 2]), value(.float32, [2, 2])],
      nodes: [node(.move(.slice), ids(0, 1, 2), ids(3))], inputs: ids(0), outputs: ids(3))
    let doubled = Graph(
      values: [data, value(.float32, [3, 2])],
      nodes: [node(.binary(Binary(kind: .add)), ids(0, 0), ids(1))], inputs: ids(0),
      outputs: ids(1))
    var open = value(.float32, [1, 2])
    open.signatureShape = [-1, 2]
    var graph = Graph(
      values: [data, value(.float32, []), value(.bool, []), open],
      nodes: [
        node(.cast, ids(1), ids(2)),
        node(.branch(Branch(whenTrue: 0, whenFalse: 1)), ids(2, 0), ids(3)),
      ], inputs: ids(0, 1), outputs: ids(3))
    graph.subgraphs = [cut, doubled]
    try graph.inferShapes(deferring: true)
    return graph
  }

  @Test("a branch may give one shape or another", arguments: KernelTable.supported)
  func branches(table: KernelTable) throws {
    let running = try RunningGraph(Self.choice(), table)
    for condition: Float in [1, 0, 1] {
      let expected: [Float] = condition == 1 ? [1, 2, 3, 4] : [2, 4, 6, 8, 10, 12]
      #expect(running.run([[1, 2, 3, 4, 5, 6], [condition]]) == [expected])
      #expect(running.instance.shape(ofOutput: 0) == [condition == 1 ? 2 : 3, 2])
    }
  }

  @Test("what is wrong with shapes is said in numbers")
  func phrases() {
    let mismatch = DeferralFailure.shapes(.reshapeCount(node: 3, elements: 6, target: [4, -1]))
    #expect(mismatch.phrase == "their values give 6 elements for the shape [4, -1]")
    let inside = DeferralFailure.shapes(.inSubgraph(node: 1, .windowInvalid(node: 0)))
    #expect(inside.phrase == "their values give a picture that is too small for a window over it")
    let bytes = DeferralFailure.bytes(needed: 9, limit: 8).phrase
    #expect(bytes == "their values ask for 9 bytes or more, and 8 are set aside for shapes that depend on data")
  }

  @Test("without leave, computed shapes are refused, and so they are in loops")
  func refusals() throws {
    var graph = try Self.rows()
    #expect(throws: GraphError.operandNotConstant(node: 2, operand: 2)) { try graph.inferShapes() }
    // A loop whose body makes a shape of what it computes.
    let body = Graph(
      values: [Self.value(.int32, [1]), Self.value(.float32, [4]), Self.value(.float32, [4])],
      nodes: [Self.node(.move(.tile), Self.ids(1, 0), Self.ids(2))], inputs: Self.ids(0, 1),
      outputs: Self.ids(0, 2))
    let condition = Graph(
      values: [Self.value(.int32, [1]), Self.value(.float32, [4]), Self.value(.bool, [1])],
      nodes: [Self.node(.cast, Self.ids(0), Self.ids(2))], inputs: Self.ids(0, 1),
      outputs: Self.ids(2))
    var loop = Graph(
      values: [
        Self.value(.int32, [1]), Self.value(.float32, [4]), Self.value(.int32, [1]),
        Self.value(.float32, [4]),
      ],
      nodes: [
        Self.node(.loop(Loop(condition: 0, body: 1)), Self.ids(0, 1), Self.ids(2, 3))
      ], inputs: Self.ids(0, 1), outputs: Self.ids(2, 3))
    loop.subgraphs = [condition, body]
    #expect(throws: GraphError.inSubgraph(node: 0, .operandNotConstant(node: 0, operand: 1))) {
      try loop.inferShapes(deferring: true)
    }
  }
}

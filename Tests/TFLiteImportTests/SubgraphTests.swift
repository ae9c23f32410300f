import ByteParsing
import ModelGraph
import TFLiteImport
import Tensors
import TestSupport
import Testing

@Suite("TensorFlow Lite subgraphs")
struct SubgraphTests {
  /// An operator: its code's place, operands, results, the options' place in the union, and the options.
  private typealias Call = (
    code: UInt32, inputs: [Int32], outputs: [Int32], type: Int8, options: [FlatBufferField]
  )

  private static let shape: [Int32] = [2]

  /// A file of subgraphs whose tensors are all vectors of two floats, or of the types given.
  private func file(
    codes: [Int32], _ subgraphs: [(tensors: [Int8], inputs: [Int32], outputs: [Int32], calls: [Call])]
  ) -> ByteView {
    let tables = subgraphs.map { subgraph -> [FlatBufferField] in
      [
        .tables(
          subgraph.tensors.map {
            [.int32s($0 == 6 ? [] : Self.shape), .int8($0), .uint32(0), .string("t")]
          }), .int32s(subgraph.inputs), .int32s(subgraph.outputs),
        .tables(
          subgraph.calls.map {
            [
              .uint32($0.code), .int32s($0.inputs), .int32s($0.outputs), .int8($0.type),
              .table($0.options),
            ]
          }),
      ]
    }
    return ByteView(
      FlatBufferWriter.file(
        identifier: "TFL3",
        root: [
          .uint32(3), .tables(codes.map { [.int8(Int8(clamping: $0)), .absent, .int32(1), .int32($0)] }),
          .tables(tables), .absent, .tables([[]]),
        ]))
  }

  /// `a + b` of tensors 0 and 1.
  private static let sum: Call = (0, [0, 1], [2], 11, [.int8(0)])

  private func call(_ subgraph: UInt32, _ inputs: [Int32], _ outputs: [Int32]) -> Call {
    (1, inputs, outputs, 16, [.uint32(subgraph)])
  }

  @Test("a called subgraph takes the place of its call, each time anew")
  func calls() throws {
    let graph = try TFLiteModel.graph(
      from: file(
        codes: [0, 31],
        [
          ([0, 0, 0, 0], [0, 1], [3], [call(1, [0, 1], [2]), call(1, [2, 1], [3])]),
          ([0, 0, 0], [0, 1], [2], [Self.sum]),
        ]))
    #expect(graph.nodes.count == 2)
    #expect(graph.nodes[0].inputs == [ValueID(0), ValueID(1)])
    #expect(graph.nodes[1].inputs == [graph.nodes[0].outputs[0], ValueID(1)])
    #expect(graph.outputs == graph.nodes[1].outputs)
  }

  @Test("subgraphs that call themselves, or one another too often, are refused")
  func endlessCalls() {
    let itself = file(codes: [0, 31], [([0, 0], [0], [1], [call(0, [0], [1])])])
    #expect(throws: TFLiteError.subgraphDepth(limit: 16)) { try TFLiteModel.graph(from: itself) }
    let many = (0..<12).map { level in
      (
        tensors: [0, 0] as [Int8], inputs: [0] as [Int32], outputs: [1] as [Int32],
        calls: (0..<4).map { _ in call(UInt32(level + 1), [0], [1]) }
      )
    }
    let last: Call = (0, [0, 0], [1], 11, [.int8(0)])
    #expect(throws: TFLiteError.expandedOperators(limit: 1 << 16)) {
      try TFLiteModel.graph(from: file(codes: [0, 31], many + [([0, 0], [0], [1], [last])]))
    }
  }

  @Test("calls that do not fit the subgraph, or name none, are refused")
  func misfits() {
    let misfit = file(
      codes: [0, 31],
      [([0, 0], [0], [1], [call(1, [0], [1])]), ([0, 0, 0], [0, 1], [2], [Self.sum])])
    #expect(
      throws: TFLiteError.callOperands(
        operator: 0, inputs: 1, outputs: 1, expectedInputs: 2, expectedOutputs: 1)
    ) { try TFLiteModel.graph(from: misfit) }
    let nowhere = file(codes: [0, 31], [([0, 0], [0], [1], [call(7, [0], [1])])])
    #expect(throws: TFLiteError.subgraphOutOfRange(index: 7, count: 1)) {
      try TFLiteModel.graph(from: nowhere)
    }
  }

  /// `if condition then a + b else a`.
  private var branch: ByteView {
    file(
      codes: [0, 118],
      [
        ([6, 0, 0, 0], [0, 1, 2], [3], [(1, [0, 1, 2], [3], 92, [.int32(1), .int32(2)])]),
        ([0, 0, 0], [0, 1], [2], [Self.sum]), ([0, 0], [0, 1], [0], []),
      ])
  }

  @Test("a branch keeps both of its subgraphs")
  func branches() throws {
    let graph = try TFLiteModel.graph(from: branch)
    #expect(graph.nodes.map(\.operation) == [.branch(Branch(whenTrue: 0, whenFalse: 1))])
    #expect(graph.subgraphs.count == 2)
    #expect(graph.subgraphs[0].nodes.count == 1)
    #expect(graph.subgraphs[1].outputs == [ValueID(0)])
  }

  @Test("20,000 seeded mutations of files with subgraphs", arguments: 0..<2 as Range<UInt64>)
  func mutations(seed: UInt64) {
    let calls = file(
      codes: [0, 31],
      [
        ([0, 0, 0, 0], [0, 1], [3], [call(1, [0, 1], [2]), call(1, [2, 1], [3])]),
        ([0, 0, 0], [0, 1], [2], [Self.sum]),
      ])
    var mutation = Mutation(seed: seed)
    for whole in [calls.array, branch.array] {
      for _ in 0..<5_000 {
        guard let graph = try? TFLiteModel.graph(from: ByteView(mutation.mutate(whole))) else {
          continue
        }
        _ = try? canonicalize(graph)
      }
    }
  }

  @Test("real networks with mutated loops neither trap nor hang", arguments: 0..<2 as Range<UInt64>)
  func mutatedLoops(seed: UInt64) throws {
    guard let path = SharedModels.path("generated/lstm_50x40.f32.tflite") else { return }
    // Tables lie behind the weights; only they are damaged.
    let whole = try MappedFile(path: path).bytes.array
    let tables = whole.count - min(whole.count, 12_000)
    var mutation = Mutation(seed: seed)
    for _ in 0..<150 {
      let bytes = whole[..<tables] + mutation.mutate(Array(whole[tables...]))
      guard let graph = try? TFLiteModel.graph(from: ByteView(Array(bytes))) else { continue }
      _ = try? canonicalize(graph)
    }
  }
}

import ByteParsing
import KernelDispatch
import KernelInterface
import Runtime
import TFLiteImport
import TestSupport
import Testing

/// Damaged models that the importer lets through: their numbers are strange, not their structure.
@Suite("Damaged models")
struct DamagedModelTests {
  /// Bytes that a test lets a damaged model have.
  private static let peakBytesMaximum = 16 << 20

  /// Plans what `bytes` hold, and runs it once when it is small; a trap or a stray write is the
  /// failure looked for.
  ///
  /// Returns true when it ran.
  private func runs(_ bytes: [UInt8]) -> Bool {
    guard let graph = try? TFLiteModel.graph(from: ByteView(bytes)),
      let plan = try? Plan(graph, table: .best, threads: 1),
      plan.memory.peakBytes <= Self.peakBytesMaximum,
      plan.steps.reduce(0, { $0 + $1.multiplyAccumulates }) < 10_000_000,
      let model = try? PreparedModel(plan), let instance = try? Instance(model)
    else { return false }
    for index in model.inputs.indices {
      unsafe instance.withInput(index) { input in
        for place in input.indices { unsafe input[place] = UInt8(truncatingIfNeeded: place) }
      }
    }
    instance.run()
    return true
  }

  @Test("a small model in every byte")
  func everyByte() {
    let bytes = TFLiteWriter.convolution.bytes()
    #expect(runs(bytes))
    for index in bytes.indices {
      for value in [UInt8(0), 1, 2, 0x7F, 0x80, 0xFF] {
        var damaged = bytes
        damaged[index] = value
        _ = runs(damaged)
      }
    }
  }

  @Test("seeded mutations of models", arguments: [
    Fixtures.digitsModel(1), Fixtures.halfPlusTwoModel, Fixtures.floatDigitsModel,
  ])
  func mutations(path: String) throws {
    let bytes = try MappedFile(path: path).bytes.array
    #expect(runs(bytes))
    var mutation = Mutation(seed: 0xDA3A)
    var ran = 0
    for _ in 0..<3_000 where runs(mutation.mutate(bytes)) { ran += 1 }
    // Most damage falls on weights, which any number may be.
    #expect(ran > 300)
  }

  /// A file of one operator on tensors of these shapes, the constants among them in bytes.
  private static func file(
    _ code: Int32, custom: String? = nil, inputs: [(shape: [Int], type: Int8, bytes: [UInt8]?)],
    outputs: [(shape: [Int], type: Int8)], options: (type: Int8, fields: [FlatBufferField])? = nil,
    customOptions: [String: Int]? = nil, rawOptions: [UInt8]? = nil
  ) -> [UInt8] {
    var file = SingleOperatorFile(code, custom: custom)
    let operands = inputs.map { input in
      input.bytes.map { file.constant(input.shape, type: input.type, bytes: $0) }
        ?? file.input(input.shape, type: input.type)
    }
    let results = outputs.map { file.output($0.shape, type: $0.type) }
    return file.bytes(
      operands, results, optionsType: options?.type ?? 0, options: options?.fields,
      customOptions: customOptions, rawOptions: rawOptions)
  }

  private static func words(_ numbers: [Int32]) -> [UInt8] {
    numbers.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * Int32($0))) } }
  }

  /// Operators that few models have, each in a file of its own.
  private static let rare: [[UInt8]] = [
    file(
      32, custom: "SignalDelay", inputs: [([2, 8], 7, nil)], outputs: [([2, 8], 7)],
      customOptions: ["delay_length": 5]),
    file(
      32, custom: "SignalFramer", inputs: [([2, 8], 7, nil)],
      outputs: [([2, 4, 5], 7), ([], 6)],
      customOptions: ["frame_size": 5, "frame_step": 2, "prefill": 0]),
    file(
      32, custom: "SignalStacker", inputs: [([3], 7, nil)], outputs: [([9], 7), ([], 6)],
      customOptions: [
        "num_channels": 3, "stacker_left_context": 1, "stacker_right_context": 1,
        "stacker_step": 2,
      ]),
    file(
      32, custom: "SignalOverlapAdd", inputs: [([2, 3, 6], 7, nil)], outputs: [([2, 6], 7)],
      customOptions: ["frame_step": 2]),
    file(
      32, custom: "SignalIrfft", inputs: [([2, 18], 7, nil)], outputs: [([2, 16], 7)],
      customOptions: ["fft_length": 16]),
    file(
      32, custom: "CIRCULAR_BUFFER", inputs: [([1, 1, 2, 3], 9, nil)],
      outputs: [([1, 4, 2, 3], 9)], customOptions: ["cycles_max": 1]),
    file(
      32, custom: "MaxUnpooling2D", inputs: [([1, 2, 3, 4], 0, nil), ([1, 2, 3, 4], 0, nil)],
      outputs: [([1, 4, 6, 4], 0)], rawOptions: words([1, 2, 2, 2, 2, 0])),
    file(
      32, custom: "MaxPoolingWithArgmax2D", inputs: [([1, 4, 6, 2], 0, nil)],
      outputs: [([1, 2, 3, 2], 0), ([1, 2, 3, 2], 0)], rawOptions: words([1, 2, 2, 2, 2, 0])),
    file(
      32, custom: "Convolution2DTransposeBias",
      inputs: [
        ([1, 3, 2, 2], 0, nil), ([1, 2, 2, 2], 0, [UInt8](repeating: 0x3E, count: 32)),
        ([1], 0, [0, 0, 0, 0]),
      ], outputs: [([1, 6, 4, 1], 0)], rawOptions: words([1, 2, 2, 0])),
    file(
      80, inputs: [([7], 0, nil)], outputs: [([7], 0)],
      options: (58, [.float(-1), .float(1), .int32(8)])),
    file(
      68,
      inputs: [
        ([2, 2], 2, words([0, 1, 1, 2])), ([2], 2, words([3, 4])), ([2], 0, nil),
        ([], 0, words([0])),
      ], outputs: [([3, 4], 0)]),
    file(
      141,
      inputs: [
        ([5], 2, words([1, 2, 2, 3, 2])), ([1, 1, 2, 2, 1], 0, [UInt8](repeating: 0x3E, count: 16)),
        ([1, 2, 2, 2, 1], 0, nil),
      ], outputs: [([1, 2, 2, 3, 2], 0)],
      options: (106, [.int8(1), .int32(1), .int32(1), .int32(1)])),
  ]

  @Test("seeded mutations of rare operators", arguments: rare.indices)
  func rareMutations(index: Int) {
    #expect(runs(Self.rare[index]))
    var mutation = Mutation(seed: UInt64(0xBA2E + index))
    for _ in 0..<1_500 { _ = runs(mutation.mutate(Self.rare[index])) }
  }
}

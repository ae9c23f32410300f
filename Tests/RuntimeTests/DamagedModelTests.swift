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
}

import ByteParsing
import ModelGraph
import TFLiteImport
import TestSupport
import Testing

@Suite("TensorFlow Lite import of damaged files")
struct FuzzTests {
  /// Imports and canonicalises; true when both succeed. A trap or a hang is the failure looked for.
  @discardableResult
  private func survives(_ bytes: ByteView) -> Bool {
    guard let graph = try? TFLiteModel.graph(from: bytes) else { return false }
    return (try? canonicalize(graph)) != nil
  }

  private static let small = TFLiteWriter.convolution.bytes()

  private static func model(_ name: String) -> [UInt8]? {
    SharedModels.path(name).flatMap { try? MappedFile(path: $0).bytes.array }
  }

  @Test("a file cut at any byte is refused")
  func truncation() throws {
    let whole = ByteView(Self.small)
    #expect(survives(whole))
    for count in 0..<whole.count {
      // The last bytes are padding that nothing reads.
      guard survives(try whole.slice(at: 0, count: count)) else { continue }
      #expect(whole.count - count < 8)
    }
  }

  @Test("a real file cut at any byte near its tables is refused")
  func realTruncation() throws {
    for name in ["mlperf_tiny/kws_ref_model.tflite", "tf_serving/half_plus_two_sigdef.tflite"] {
      guard let bytes = Self.model(name) else { continue }
      let whole = ByteView(bytes)
      let step = Swift.max(1, whole.count / 4_000)
      for count in Swift.stride(from: 0, to: whole.count, by: step) {
        survives(try whole.slice(at: 0, count: count))
      }
    }
  }

  @Test("every byte of a small file at both extremes")
  func everyByte() {
    for index in Self.small.indices {
      for value in [UInt8(0), 1, 0x7F, 0x80, 0xFF] {
        var bytes = Self.small
        bytes[index] = value
        survives(ByteView(bytes))
      }
    }
  }

  @Test("30,000 seeded mutations of a small file", arguments: 0..<3 as Range<UInt64>)
  func mutations(seed: UInt64) {
    var mutation = Mutation(seed: seed)
    for _ in 0..<10_000 { survives(ByteView(mutation.mutate(Self.small))) }
  }

  @Test("seeded mutations of real files", arguments: [
    "mlperf_tiny/kws_ref_model.tflite", "tf_serving/half_plus_two_sigdef.tflite",
    "tflite_micro/hello_world_int8.tflite", "tflite_micro/micro_speech_quantized.tflite",
  ])
  func realMutations(name: String) {
    guard let bytes = Self.model(name) else { return }
    var mutation = Mutation(seed: 0xF1A7)
    // Weights are most of a file; the tables at its ends are what a parser can stumble over.
    let edge = 6_000
    for round in 0..<2_500 {
      if bytes.count <= 2 * edge {
        survives(ByteView(mutation.mutate(bytes)))
      } else if round % 2 == 0 {
        survives(ByteView(mutation.mutate(Array(bytes[..<edge])) + bytes[edge...]))
      } else {
        let tail = bytes.count - edge
        survives(ByteView(bytes[..<tail] + mutation.mutate(Array(bytes[tail...]))))
      }
    }
  }
}

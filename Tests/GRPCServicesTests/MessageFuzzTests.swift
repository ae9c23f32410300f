import ByteParsing
import GRPC
import GRPCServices
import TestSupport
import Testing

@Suite("Messages from outside")
struct MessageFuzzTests {
  static let messages: [(path: String, message: [UInt8])] = [
    (
      "/inference.GRPCInferenceService/ModelInfer",
      written { OpenInferenceMethodTests.half(&$0, raw: bytes([1, 2])) }
    ),
    (
      "/inference.GRPCInferenceService/ModelInfer",
      written { OpenInferenceMethodTests.half(&$0, version: "123") { $0.bytes(6, bytes([1, 2])) } }
    ),
    (
      "/inference.GRPCInferenceService/ModelInfer",
      written {
        OpenInferenceMethodTests.half(
          &$0, name: "image", type: "INT8", extents: [1, 8, 8, 1], model: "digits",
          contents: { $0.packed(2, (0..<64).map { UInt64(bitPattern: Int64($0) - 32) }) })
        $0.entry(4, "timeout") { $0.int64(2, 50) }
        $0.message(6) {
          $0.text(1, "probabilities")
          $0.entry(2, "classification") { $0.int64(2, 3) }
        }
      }
    ),
    (
      "/tensorflow.serving.PredictionService/Predict",
      written {
        TensorFlowMethodTests.spec(&$0, version: 123)
        TensorFlowMethodTests.input(&$0) { $0.bytes(4, bytes([1, 2])) }
        $0.element(3, "y")
      }
    ),
    (
      "/tensorflow.serving.PredictionService/Predict",
      written {
        TensorFlowMethodTests.spec(&$0, "digits", signature: "serving_default")
        TensorFlowMethodTests.input(&$0, "image", type: 6, extents: [2, 8, 8, 1]) {
          $0.packed(7, (0..<64).map { UInt64(bitPattern: Int64($0) - 32) })
        }
      }
    ),
    (
      "/tensorflow.serving.PredictionService/GetModelMetadata",
      written {
        TensorFlowMethodTests.spec(&$0, label: "stable")
        $0.element(2, "signature_def")
      }
    ),
    (
      "/tensorflow.serving.PredictionService/MultiInference",
      written {
        $0.message(1) {
          TensorFlowMethodTests.spec(&$0)
          $0.text(2, "tensorflow/serving/regress")
        }
        TensorFlowMethodTests.examples(&$0, [1, nil], context: 3)
      }
    ),
    (
      "/tensorflow.serving.ModelService/GetModelStatus",
      written { TensorFlowMethodTests.spec(&$0, version: 1) }
    ),
    (
      "/inference.GRPCInferenceService/ModelStatistics",
      written {
        $0.text(1, "digits")
        $0.text(2, "2")
      }
    ),
    (
      "/inference.GRPCInferenceService/RepositoryModelLoad",
      written {
        $0.text(2, "digits")
        $0.entry(3, "other") { $0.bool(1, true) }
      }
    ),
    ("/grpc.health.v1.Health/Check", written { $0.text(1, "PredictionService") }),
    (
      "/inference.GRPCInferenceService/LogSettings",
      written {
        $0.entry(1, "log_info") { $0.element(1, 1) }
        $0.entry(1, "log_verbose_level") { $0.element(2, 2) }
        $0.entry(1, "log_format") { $0.element(3, "default") }
      }
    ),
    (
      "/inference.GRPCInferenceService/TraceSetting",
      written {
        $0.entry(1, "trace_level") { $0.element(1, "TIMESTAMPS") }
        $0.entry(1, "trace_rate") { $0.element(1, "10") }
        $0.text(2, "digits")
      }
    ),
  ]

  @Test("20,000 broken requests are each answered or refused by name", arguments: 1...4)
  func mutations(seed: UInt64) {
    let fixture = MethodFixture.shared
    var random = SplitMix64(seed: seed)
    var answered = 0
    for _ in 0..<5_000 {
      let (path, message) = Self.messages.randomElement(using: &random)!
      let reply = fixture.call(path, message: message.mutated(using: &random))
      if let status = reply.status {
        #expect(status.code != .internal && status.code != .unknown, "\(status)")
        #expect(!status.message.isEmpty)
      } else {
        answered += 1
      }
    }
    // Damage to values alone leaves a request whole.
    #expect((100..<4_900).contains(answered))
    let good = fixture.call(Self.messages[0].path, message: Self.messages[0].message)
    #expect(good.fields.at(6)?.bytes == bytes([2.5, 3]))
  }
}

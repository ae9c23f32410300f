import ByteParsing
import GRPC
import GRPCServices
import Serving
import Testing

@Suite("Open Inference Protocol over gRPC")
struct OpenInferenceMethodTests {
  private let fixture = MethodFixture.shared

  /// A request to half_plus_two of one input.
  static func half(
    _ writer: inout ProtobufWriter, name: String = "x", type: String = "FP32",
    extents: [UInt64] = [2], raw: [UInt8]? = nil, model: String = "half_plus_two",
    version: String = "", contents: ((inout ProtobufWriter) -> Void)? = nil
  ) {
    writer.text(1, model)
    writer.text(2, version)
    writer.text(3, "7")
    writer.message(5) { input in
      input.text(1, name)
      input.text(2, type)
      input.packed(3, extents)
      if let contents { input.message(5, contents) }
    }
    if let raw { writer.bytes(7, raw) }
  }

  @Test("raw tensors are answered raw, typed ones typed")
  func forms() {
    let raw = fixture.infer("ModelInfer") { Self.half(&$0, raw: bytes([1, 2])) }.fields
    #expect(raw.at(1)?.text == "half_plus_two")
    #expect(raw.at(2)?.text == "123")
    #expect(raw.at(3)?.text == "7")
    #expect(raw.at(5, 1)?.text == "y")
    #expect(raw.at(5, 2)?.text == "FP32")
    #expect(raw.at(5, 3)?.bytes == [2])
    #expect(raw.at(5, 5) == nil)
    #expect(raw.at(6)?.bytes == bytes([2.5, 3]))
    let typed = fixture.infer("ModelInfer") {
      Self.half(&$0) { $0.bytes(6, bytes([1, 2])) }
    }.fields
    #expect(typed.at(5, 5, 6)?.bytes == bytes([2.5, 3]))
    #expect(typed.at(6) == nil)
  }

  @Test("integers of the wire become elements, and their range is checked")
  func integers() {
    let picture = [Int64](repeating: -128, count: 64)
    func digits(_ values: [Int64]) -> GRPCReply {
      fixture.infer("ModelInfer") {
        Self.half(
          &$0, name: "image", type: "INT8", extents: [1, 8, 8, 1], model: "digits",
          contents: { $0.packed(2, values.map { UInt64(bitPattern: $0) }) })
      }
    }
    let typed = digits(picture).fields
    var scores: [Int8] = []
    var reader = ProtobufReader(typed.at(5, 5)?.bytes ?? [])
    while let field = try? reader.next() {
      try? reader.integers(field) { scores.append(Int8(truncatingIfNeeded: $0)) }
    }
    let raw = fixture.infer("ModelInfer") {
      Self.half(
        &$0, name: "image", type: "INT8", extents: [1, 8, 8, 1],
        raw: [UInt8](repeating: 0x80, count: 64), model: "digits")
    }.fields
    #expect(scores.count == 10)
    #expect(raw.at(6)?.bytes == scores.map { UInt8(bitPattern: $0) })
    #expect(digits([128] + picture.dropFirst()).status?.code == .invalidArgument)
    #expect(
      digits([128] + picture.dropFirst()).status?.message
        == "inference input 'image' has the element 128, which 'INT8' does not hold")
  }

  @Test("classification gives the best classes in place of the data, in both forms")
  func classification() {
    func ask(_ writer: inout ProtobufWriter) {
      writer.message(6) { output in
        output.text(1, "y")
        output.entry(2, "classification") { $0.int64(2, 1) }
      }
    }
    let typed = fixture.infer("ModelInfer") {
      Self.half(&$0) { $0.bytes(6, bytes([1, 2])) }
      ask(&$0)
    }.fields
    #expect(typed.at(5, 2)?.text == "BYTES")
    #expect(typed.at(5, 5, 8)?.text == "3.0:1")
    let raw = fixture.infer("ModelInfer") {
      Self.half(&$0, raw: bytes([1, 2]))
      ask(&$0)
    }.fields
    #expect(raw.at(6)?.bytes == [5, 0, 0, 0] + Array("3.0:1".utf8))
  }

  @Test("wrong requests are refused with the code and the words of the protocol")
  func refusals() {
    func refused(_ write: (inout ProtobufWriter) -> Void) -> GRPCStatus? {
      fixture.infer("ModelInfer", write).status
    }
    let two = bytes([1, 2])
    for (status, code, message) in [
      (
        refused { Self.half(&$0, raw: two, model: "nope") }, GRPCCode.notFound,
        "Request for unknown model: 'nope' is not found"
      ),
      (
        refused { Self.half(&$0, raw: two, version: "9") }, .notFound,
        "Request for unknown model: 'half_plus_two' version 9 is not found"
      ),
      (
        refused { Self.half(&$0, raw: two, version: "x") }, .invalidArgument,
        "Request for unknown model: 'half_plus_two' version 'x' is not found"
      ),
      (refused { Self.half(&$0, raw: two, model: "absent") }, .unavailable, "Model 'absent' is not ready"),
      (
        refused { Self.half(&$0, type: "INT32", raw: two) }, .invalidArgument,
        "inference input 'x' data-type is 'INT32', but model 'half_plus_two' expects 'FP32'"
      ),
      (
        refused { Self.half(&$0, type: "BYTES", raw: two) }, .invalidArgument,
        "inference input 'x' data-type is 'BYTES', but model 'half_plus_two' expects 'FP32'"
      ),
      (
        refused { Self.half(&$0, name: "z", raw: two) }, .invalidArgument,
        "unexpected inference input 'z' for model 'half_plus_two'"
      ),
      (
        refused { Self.half(&$0, raw: [1, 2, 3]) }, .invalidArgument,
        "unexpected size for input 'x', expecting 8 bytes, got 3"
      ),
      (
        refused { Self.half(&$0, extents: [.max], raw: two) }, .invalidArgument,
        "inference input 'x' has the invalid extent -1 in its shape"
      ),
      (
        refused { Self.half(&$0, raw: two) { $0.bytes(6, two) } }, .invalidArgument,
        "inference input 'x' must not have 'contents' beside raw_input_contents"
      ),
      (
        refused { Self.half(&$0) { $0.bytes(6, bytes([1])) } }, .invalidArgument,
        "inference input 'x' has 1 elements, but its shape holds 2"
      ),
      (
        refused { Self.half(&$0) { $0.bytes(6, bytes([1, 2, 3])) } }, .invalidArgument,
        "inference input 'x' has 3 elements, but its shape holds 2"
      ),
      (
        refused {
          Self.half(&$0, raw: two)
          $0.bytes(7, two)
        }, .invalidArgument, "raw_input_contents holds 2 tensors, the request has 1 inputs"
      ),
      (refused { $0.text(1, "half_plus_two") }, .invalidArgument, "the request has no inputs"),
    ] {
      #expect(status?.code == code)
      #expect(status?.message == message)
    }
  }

  @Test("room for typed tensors is paid for before it is made, and never beyond what the model takes")
  func memory() {
    let budget = Budget(100)
    let memory = CallMemory(budget)
    let message = written {
      Self.half(&$0, extents: [200]) { $0.bytes(6, bytes([Float](repeating: 1, count: 200))) }
    }
    let refused = fixture.call(
      "/inference.GRPCInferenceService/ModelInfer", message: message, memory: memory)
    #expect(refused.status?.code == .resourceExhausted)
    let huge = fixture.infer("ModelInfer") { Self.half(&$0, extents: [1 << 40]) { _ in } }
    #expect(huge.status?.code == .invalidArgument)
  }

  @Test("a deadline that is over is answered and counted as such")
  func deadline() throws {
    let reply = fixture.call(
      "/inference.GRPCInferenceService/ModelInfer",
      message: written { Self.half(&$0, raw: bytes([1, 2])) }, deadline: 1)
    #expect(reply.status?.code == .deadlineExceeded)
    let outcomes = try fixture.manager.service.statuses(of: "half_plus_two")[0].outcomes
    #expect(outcomes[.deadline, default: 0] >= 1)
    let timed = fixture.infer("ModelInfer") {
      Self.half(&$0, raw: bytes([1, 2]))
      $0.entry(4, "timeout") { $0.int64(2, -5) }
    }
    #expect(timed.status?.message == "timeout -5 is below zero")
  }

  @Test("readiness, metadata, configuration and statistics")
  func questions() {
    #expect(fixture.infer("ServerLive").fields.at(1)?.integer == 1)
    #expect(fixture.infer("ServerReady").fields.at(1) == nil)
    #expect(fixture.infer("ModelReady") { $0.text(1, "digits") }.fields.at(1)?.integer == 1)
    let stable = fixture.infer("ModelReady") {
      $0.text(1, "half_plus_two")
      $0.text(2, "stable")
    }
    #expect(stable.fields.at(1)?.integer == 1)
    for unknown in ["nope", "absent"] {
      #expect(fixture.infer("ModelReady") { $0.text(1, unknown) }.body == [])
    }
    let metadata = fixture.infer("ModelMetadata") { $0.text(1, "half_plus_two") }.fields
    #expect(metadata.at(1)?.text == "half_plus_two")
    #expect(metadata.at(2)?.text == "123")
    #expect(metadata.at(4, 1)?.text == "x")
    #expect(metadata.at(4, 2)?.text == "FP32")
    #expect(metadata.at(4, 3)?.bytes == [UInt8](repeating: 0xFF, count: 9) + [1])
    #expect(fixture.infer("ModelMetadata") { $0.text(1, "nope") }.status?.code == .notFound)
    let configuration = fixture.infer("ModelConfig") { $0.text(1, "half_plus_two") }.fields
    #expect(configuration.at(1, 5, 2)?.integer == 11)
    let all = fixture.infer("ModelStatistics").fields
    #expect(all.all(1).map { $0.fields.at(1)?.text } == ["digits", "half_plus_two"])
    #expect(fixture.infer("ModelStatistics") { $0.text(1, "nope") }.status?.code == .notFound)
  }

  @Test("the repository is shown to all, and changed by administrators")
  func repository() {
    let index = fixture.infer("RepositoryIndex").fields
    #expect(index.all(1).map { $0.fields.at(1)?.text } == ["absent", "digits", "half_plus_two"])
    #expect(index.all(1)[1].fields.at(3)?.text == "READY")
    let ready = fixture.infer("RepositoryIndex") { $0.bool(2, true) }.fields
    #expect(ready.all(1).count == 2)
    for name in ["RepositoryModelLoad", "RepositoryModelUnload"] {
      let path = "/inference.GRPCInferenceService/" + name
      let digits = written { $0.text(2, "digits") }
      #expect(fixture.call(path, message: digits, user: 1000).status?.code == .permissionDenied)
      #expect(fixture.call(path, message: digits).body == [])
      #expect(fixture.call(path, message: []).status?.code == .notFound)
    }
    let file = fixture.infer("RepositoryModelLoad") {
      $0.text(2, "digits")
      $0.entry(3, "file:1/model.tflite") { $0.bytes(4, [1]) }
    }
    #expect(file.status?.code == .unimplemented)
  }
}

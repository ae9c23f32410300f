import Agent
import Glibc
import Serving
import Synchronization
import TestSupport
import Testing
import Transport

@Suite("Bounds of requests", .serialized)
struct RequestBoundTests {
  /// A model that gives the mean of `count` numbers.
  private static func writeMean(of count: Int32, to path: String) throws {
    var model = TFLiteWriter()
    model.codes = [(40, 1)]
    model.tensors = [
      .init([1, count], name: "x"), .init([1], type: 2, buffer: 1, name: "axis"),
      .init([1], name: "y"),
    ]
    model.operators = [.init(inputs: [0, 1], outputs: [2], optionsType: 27, options: [.int8(0)])]
    model.inputs = [0]
    model.outputs = [2]
    model.buffers = [[1, 0, 0, 0]]
    let bytes = model.bytes()
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    defer { close(descriptor) }
    // Sound: the pointer and the count are those of `bytes`.
    let written = unsafe write(descriptor, bytes, bytes.count)
    try #require(written == bytes.count)
  }

  private static let count = 262_144

  /// One row of numbers as JSON, 11 bytes for each.
  private static func picture() -> [UInt8] {
    var body = Array("{\"instances\":[[0.12345678".utf8)
    for _ in 1..<count { body += Array(",0.12345678".utf8) }
    return body + Array("]]}".utf8)
  }

  private static func agent(budget: Int?) throws -> RunningAgent {
    let running = try RunningAgent { configuration, directory in
      try writeMean(of: Int32(count), to: directory.path + "/mean.tflite")
      configuration.models = [
        "mean": LocalModel(directory.path + "/mean.tflite"),
        "digits": LocalModel(Fixtures.digitsModel(1)),
      ]
      configuration.memoryBudget = budget
    }
    #expect(try running.waitFor { try running.status().health == .ok })
    return running
  }

  private static func post(
    _ running: RunningAgent, _ path: String, _ body: [UInt8]
  ) throws -> (status: Int, text: String) {
    var client = UnixHTTPClient(path: running.agent.configuration.socket)
    let response = try client.request(method: "POST", path: path, body: body)
    return (response.status, String(decoding: response.body, as: UTF8.self))
  }

  @Test("a large model takes a large body, a small one no larger than its rows need")
  func derived() throws {
    let running = try Self.agent(budget: 64 << 20)
    let charged = running.agent.manager.ledger.chargedBytes
    let answer = try Self.post(running, "/v1/models/mean:predict", Self.picture())
    #expect(answer.status == 200, "\(answer.text.prefix(200))")
    #expect(answer.text.contains("0.1234"), "\(answer.text.prefix(200))")
    #expect(running.waitFor { running.agent.manager.ledger.chargedBytes <= charged })

    let bound = try Self.bytes(of: "digits", running).text + HTTPLimits().bodyBytesMaximum
    for path in ["/v1/models/digits:predict", "/v2/models/digits/versions/1/infer"] {
      let fits = try Self.post(running, path, [UInt8](repeating: 0x20, count: bound))
      #expect(fits.status == 400)
      let refused = try Self.post(running, path, [UInt8](repeating: 0x20, count: bound + 1))
      #expect(refused.status == 413)
      #expect(
        refused.text
          == "{\"error\":\"The request body exceeds \(bound) bytes, the most for the model digits.\"}")
    }
    #expect(try Self.post(running, "/v1/models/other:predict", Self.picture()).status == 413)
    #expect(try Self.post(running, "/v1/models/other:predict", [1]).status == 404)
  }

  private static func bytes(
    of model: String, _ running: RunningAgent
  ) throws -> RequestBytes {
    let found = Found()
    running.agent.manager.service.lease(model, .latest) { result in
      guard case .success(let lease) = result else { return }
      let bytes = RequestBytes(lease.description.inputs, rowsMaximum: 256)
      found.bytes.withLock { $0 = bytes }
    }
    #expect(running.waitFor { found.bytes.withLock { $0 } != nil })
    return try #require(found.bytes.withLock { $0 })
  }

  private final class Found: Sendable { let bytes = Mutex<RequestBytes?>(nil) }

  @Test("the budget bounds the body further, and refuses what it does not hold now")
  func budget() throws {
    let small = try Self.agent(budget: 8 << 20)
    let refused = try Self.post(small, "/v1/models/mean:predict", Self.picture())
    #expect(refused.status == 413)
    #expect(
      refused.text.contains(
        "2097152 bytes, the most for the model mean within the memory that a request may take"))
    // A body of three megabytes becomes at most six of tensors.
    let wide = try Self.agent(budget: 16 << 20)
    let held = try wide.agent.manager.ledger.charge("held", [MemoryItem(.loadBuffers, 7 << 20)])
    let busy = try Self.post(wide, "/v1/models/mean:predict", Self.picture())
    #expect(busy.status == 503)
    #expect(busy.text.contains("memory budget"))
    #expect(try Self.post(wide, "/v1/models/digits:predict", [1]).status == 400)
    held.release()
    #expect(try Self.post(wide, "/v1/models/mean:predict", Self.picture()).status == 200)
  }

  @Test("the bound follows the version that serves, and stays while none does")
  func swapped() throws {
    let running = try Self.agent(budget: 64 << 20)
    let path = "/v1/models/mean:predict"
    #expect(try Self.post(running, path, Self.picture()).status == 200)
    running.agent.manager.hold("mean")
    #expect(try Self.post(running, path, Self.picture()).status == 503)
    var changed = running.agent.configuration
    changed.models["mean"] = LocalModel(Fixtures.digitsModel(1))
    _ = try running.agent.reload(changed)
    #expect(try running.waitFor { try Self.post(running, path, Self.picture()).status == 413 })
    changed.models["mean"] = LocalModel(running.directory.path + "/nowhere")
    changed.models["late"] = LocalModel(running.directory.path + "/nowhere")
    _ = try running.agent.reload(changed)
    // Of a model that is still to come nothing is known but that it may be large.
    #expect(try Self.post(running, "/v1/models/late:predict", Self.picture()).status == 503)
  }
}

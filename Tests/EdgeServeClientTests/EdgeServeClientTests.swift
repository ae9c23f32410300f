import EdgeServeClient
import Synchronization
import TestSupport
import Testing
import Transport

@Suite("Client library")
struct EdgeServeClientTests {
  private func picture(_ pixels: [Int8]? = nil) -> Tensor {
    Tensor("image", shape: [1, 8, 8, 1], pixels ?? [Int8](repeating: 0, count: 64))
  }

  /// What `body` fails with; nil when it does not.
  private func failure(
    _ body: () async throws(EdgeServeError) -> Void
  ) async -> EdgeServeError? {
    do throws(EdgeServeError) {
      try await body()
      return nil
    } catch {
      return error
    }
  }

  @Test("predicts the golden vectors, by version and with chosen outputs")
  func predicts() async throws {
    let agent = try ClientAgent()
    let client = try EdgeServeClient(socketPath: agent.path)
    let (input, output) = try Fixtures.goldenVectors(beside: Fixtures.digitsModel(2))[0]
    var options = PredictionOptions()
    options.outputs = ["probabilities"]
    options.key = "door 7"
    options.priority = .high
    for version in [ModelVersion.serving, .number(2), .label("stable")] {
      let tensor = Tensor("image", .int8, shape: [1, 8, 8, 1], bytes: input.bytes)
      let prediction = try await client.predict("digits", version: version, [tensor], options: options)
      #expect(prediction.model == "digits" && prediction.version == "2" && prediction.fallback == nil)
      let scores = try #require(prediction["probabilities"])
      #expect(scores.shape == [1, 10])
      let expected = output.bytes.map { Int(Int8(bitPattern: $0)) }
      let actual: [Int8] = try scores.elements()
      #expect(zip(actual, expected).allSatisfy { abs(Int($0) - $1) <= 1 })
      #expect(prediction["absent"] == nil)
    }
  }

  @Test("tells what serves, what a model takes, and what is ready")
  func describes() async throws {
    let agent = try ClientAgent()
    let client = try EdgeServeClient(socketPath: agent.path)
    let models = try await client.models()
    #expect(models.map(\.name) == ["digits"] && models.map(\.version) == ["2"])
    let metadata = try await client.metadata(of: "digits", version: .number(2))
    #expect(metadata.model == "digits" && metadata.versions == ["2"] && metadata.labels.isEmpty)
    #expect(metadata.inputs.map(\.name) == ["image"] && metadata.inputs[0].dataType == .int8)
    #expect(metadata.inputs[0].shape == [-1, 8, 8, 1] && metadata.outputs[0].shape == [-1, 10])
    #expect(try await client.isReady())
    #expect(try await client.isReady("digits"))
    #expect(await failure { () throws(EdgeServeError) in _ = try await client.isReady("no/such") }?.reason == .notFound)
  }

  @Test("runs many calls on few connections, in any order")
  func pools() async throws {
    let agent = try ClientAgent()
    var configuration = EdgeServeClient.Configuration(socketPath: agent.path)
    configuration.connectionsMaximum = 3
    configuration.waitingMaximum = 1000
    let client = try EdgeServeClient(configuration)
    let pictures = try Fixtures.goldenVectors(beside: Fixtures.digitsModel(2)).map(\.input.bytes)
    var alone: [[UInt8]] = []
    for bytes in pictures {
      alone.append(
        try await client.predict("digits", [Tensor("image", .int8, shape: [1, 8, 8, 1], bytes: bytes)]).outputs[0].bytes)
    }
    let expected = alone
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for call in 0..<400 {
        group.addTask {
          let place = call % pictures.count
          let tensor = Tensor("image", .int8, shape: [1, 8, 8, 1], bytes: pictures[place])
          return try await client.predict("digits", [tensor]).outputs[0].bytes == expected[place]
        }
      }
      for try await isEqual in group { #expect(isEqual) }
    }
  }

  @Test("tells failures apart by type")
  func failures() async throws {
    let agent = try ClientAgent { request, respond in
      switch request.headers.first("x-request-key") {
      case "slow down": respond(.error(429, "too often", headers: [("Retry-After", "3")]))
      case "later": respond(.error(503, "busy"))
      case "broken": respond(.json(Array("[]".utf8)))
      default: return false
      }
      return true
    }
    let client = try EdgeServeClient(socketPath: agent.path)
    func reason(_ key: String, _ tensors: [Tensor]) async -> EdgeServeError? {
      var options = PredictionOptions()
      options.key = key
      return await failure { () throws(EdgeServeError) in
        _ = try await client.predict("digits", tensors, options: options)
      }
    }
    let limited = await reason("slow down", [picture()])
    #expect(limited?.reason == .tooManyRequests && limited?.retryAfter == .seconds(3))
    #expect(limited?.message == "too often" && limited?.httpStatus == 429)
    #expect(await reason("later", [picture()])?.reason == .unavailable)
    #expect(await reason("broken", [picture()])?.reason == .malformedAnswer)
    #expect(await reason("two\nlines", [picture()])?.reason == .invalidArgument)
    let wrongShape = Tensor("image", shape: [1, 4], [Int8](repeating: 0, count: 4))
    #expect(await reason("x", [wrongShape])?.reason == .badRequest)
    #expect(await reason("x", [])?.reason == .invalidArgument)
    #expect(await reason("x", [Tensor("image", .int8, shape: [3], bytes: [1])])?.reason == .invalidArgument)
    #expect(
      await reason("x", [Tensor("image", .int8, shape: [Int](repeating: 1, count: 9), bytes: [1])])?.reason
        == .invalidArgument)
    #expect(await reason("x", [Tensor](repeating: picture(), count: 65))?.reason == .invalidArgument)
    #expect(await failure { () throws(EdgeServeError) in _ = try picture().elements(as: Float.self) } != nil)
  }

  @Test("says that there is no agent, and what cannot be set")
  func unreachable() async throws {
    var configuration = EdgeServeClient.Configuration(socketPath: "/tmp/edgeserve-no-such.sock")
    let absent = try EdgeServeClient(configuration)
    #expect(await failure { () throws(EdgeServeError) in _ = try await absent.isReady() }?.reason == .unreachable)
    configuration.socketPath = String(repeating: "x", count: 108)
    #expect(throws: EdgeServeError.self) { try EdgeServeClient(configuration) }
    configuration.connectionsMaximum = 0
    #expect(throws: EdgeServeError.self) { try EdgeServeClient(configuration) }
  }

  @Test("bounds calls by time, takes back those of cancelled tasks, and refuses what is too many")
  func bounds() async throws {
    // Keeps who would answer, and answers nothing.
    let kept = Mutex<[@Sendable (HTTPResponse) -> Void]>([])
    let agent = try ClientAgent { _, respond in
      kept.withLock { $0.append(respond) }
      return true
    }
    defer { for respond in kept.withLock({ $0 }) { respond(.error(503, "too late")) } }
    var configuration = EdgeServeClient.Configuration(socketPath: agent.path)
    configuration.connectionsMaximum = 1
    configuration.waitingMaximum = 0
    let strict = try EdgeServeClient(configuration)
    configuration.waitingMaximum = 1
    let client = try EdgeServeClient(configuration)
    var options = PredictionOptions()
    options.timeout = .milliseconds(50)
    let late = await failure { [options] () throws(EdgeServeError) in
      _ = try await client.predict("digits", [picture()], options: options)
    }
    #expect(late?.reason == .deadlineExceeded)

    for (client, expected) in [(strict, EdgeServeError.Reason.tooManyWaiting), (client, .cancelled)] {
      let before = kept.withLock { $0.count }
      let running = Task { await failure { () throws(EdgeServeError) in _ = try await client.models() } }
      while kept.withLock({ $0.count }) == before { await Task.yield() }
      let second = Task { await failure { () throws(EdgeServeError) in _ = try await client.models() } }
      if expected == .cancelled { second.cancel() }
      #expect(await second.value?.reason == expected)
      running.cancel()
      #expect(await running.value?.reason == .cancelled)
    }

    client.close()
    #expect(await failure { () throws(EdgeServeError) in _ = try await client.models() }?.reason == .closed)
  }
}

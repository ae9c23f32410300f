import Agent
import Glibc
import Logging
import Serving
import Synchronization
import TestSupport
import Testing
import Transport

@Suite("Agent", .serialized)
struct AgentTests {
  @Test("answers on the data socket and tells how it is on the admin socket")
  func sockets() throws {
    let running = try RunningAgent { configuration, _ in
      configuration.models = ["digits": LocalModel(Fixtures.digitsModel(2))]
      configuration.memoryBudget = 1 << 20
      configuration.board = "bench"
    }
    #expect(try running.waitFor { try running.serving() == 1 })
    let status = try running.status()
    #expect(status.agent.version == "1.2.3")
    #expect(status.agent.board == "bench")
    #expect(status.agent.pid == Int(getpid()))
    #expect(status.health == .ok)
    #expect(status.memory.budgetBytes == 1 << 20)
    #expect(status.memory.chargedBytes == running.agent.manager.ledger.chargedBytes)
    #expect(status.memory.rssAnonBytes > 0)
    #expect(status.delivery == nil)
    #expect(try running.get("/healthz", admin: true).status == 200)
    #expect(try running.get("/v2/health/ready").status == 200)
    #expect(try running.get("/v1/models/digits").status == 200)
    #expect(try running.get("/elsewhere").status == 404)
    #expect(try running.get("/v1/models/digits", admin: true).status == 404)
  }

  @Test("a reload adds, moves and removes models, and names what needs a restart")
  func reload() throws {
    let running = try RunningAgent { configuration, _ in
      configuration.models = ["digits": LocalModel(Fixtures.digitsModel(1))]
    }
    #expect(try running.waitFor { try running.serving() == 1 })
    var changed = running.agent.configuration
    changed.models = [
      "digits": LocalModel(Fixtures.digitsModel(1)), "more": LocalModel(Fixtures.digitsModel(2)),
    ]
    changed.rateLimit = RateLimit(requestsPerSecond: 0.001, burst: 1)
    changed.memoryBudget = 1 << 20
    changed.socket = "/elsewhere"
    #expect(try running.agent.reload(changed) == ["socket", "memory_budget"])
    #expect(running.agent.configuration.models == changed.models)
    #expect(running.agent.configuration.memoryBudget == nil)
    #expect(try running.waitFor { try running.get("/v2/models/more/ready").status == 200 })
    #expect(try running.get("/v2/models/digits/ready").status == 200)
    var client = UnixHTTPClient(path: running.agent.configuration.socket)
    let ask = { try client.request(method: "POST", path: "/v2/models/more/infer").status }
    #expect(try [ask(), ask()] == [400, 429])

    changed.models = ["more": LocalModel(Fixtures.digitsModel(2))]
    changed.rateLimit = nil
    _ = try running.agent.reload(changed)
    #expect(try running.waitFor { try running.get("/v2/models/digits").status == 404 })
    #expect(try running.status().models.map(\.name) == ["more"])
    #expect(try running.status().health == .ok)
    #expect(try client.request(method: "POST", path: "/v2/models/more/infer").status == 400)

    changed.models = ["bad name": "/x"]
    #expect(throws: AgentError.self) { _ = try running.agent.reload(changed) }
    #expect(try running.status().models.map(\.name) == ["more"])
  }

  @Test("refuses a budget that does not hold its own buffers, and says how much they are")
  func smallBudget() throws {
    #expect(throws: AgentError.budgetTooSmall(needed: 262_144, budget: 100_000)) {
      _ = try RunningAgent { configuration, _ in configuration.memoryBudget = 100_000 }
    }
  }

  @Test("connections are charged, and refused when the budget does not hold one more")
  func connectionBudget() throws {
    let running = try RunningAgent { configuration, _ in
      configuration.models = ["digits": LocalModel(Fixtures.digitsModel(1))]
      configuration.memoryBudget = 262_144 + 32_768 + 20_000
    }
    #expect(try running.waitFor { try running.serving() == 1 })
    var clients = (0..<6).map { _ in UnixHTTPClient(path: running.agent.configuration.socket) }
    let statuses = try clients.indices.map { index in
      try clients[index].request(method: "GET", path: "/v2/health/live").status
    }
    #expect(statuses == [200, 200, 200, 200, 200, 503])
    let status = try running.status()
    #expect(status.memory.chargedBytes <= 262_144 + 32_768 + 20_000)
  }

  @Test("counts requests, stages, memory and swaps for Prometheus")
  func metrics() throws {
    let running = try RunningAgent { configuration, _ in
      configuration.models = ["half": LocalModel(Fixtures.halfPlusTwoModel)]
      configuration.memoryBudget = 1 << 20
      configuration.metricsOnDataSocket = true
    }
    #expect(try running.waitFor { try running.status().health == .ok })
    var client = UnixHTTPClient(path: running.agent.configuration.socket)
    for (body, status) in [("{\"instances\":[1]}", 200), ("{\"instances\":[[1,2]]}", 400)] {
      let response = try client.request(
        method: "POST", path: "/v1/models/half:predict", body: Array(body.utf8))
      #expect(response.status == status)
    }
    _ = try client.request(
      method: "POST", path: "/v1/models/none:predict", body: Array("{}".utf8))
    let text = String(decoding: try running.get("/metrics", admin: true).body, as: UTF8.self)
    let lines = text.split(separator: "\n").map(String.init)
    for line in [
      "edgeserve_requests_total{model=\"half\",version=\"1\",outcome=\"ok\"} 1",
      "edgeserve_requests_total{model=\"\",version=\"\",outcome=\"invalid\"} 1",
      "edgeserve_stage_seconds_count{model=\"half\",version=\"1\",stage=\"infer\"} 1",
      "edgeserve_stage_seconds_bucket{model=\"half\",version=\"1\",stage=\"queue\",le=\"+Inf\"} 1",
      "edgeserve_memory_budget_bytes 1048576",
      "edgeserve_model_state{model=\"half\",version=\"1\",state=\"serving\"} 1",
      "edgeserve_swap_total{model=\"half\",result=\"ok\"} 1",
    ] { #expect(lines.contains(line), "\(line) is not in \(text)") }
    #expect(lines.contains { $0.hasPrefix("edgeserve_build_info{version=\"1.2.3\",arch=") })
    #expect(lines.contains { $0.hasPrefix("edgeserve_load_seconds{model=\"half\"") })
    // Every sample occurs once, as the format demands.
    let names = lines.filter { !$0.hasPrefix("#") }.map { $0.split(separator: " ")[0] }
    #expect(Set(names).count == names.count)
    let onData = try running.get("/monitoring/prometheus/metrics")
    #expect(onData.status == 200)
    #expect(onData.header("content-type") == "text/plain; version=0.0.4; charset=utf-8")
  }

  @Test("tells how many requests of a model are run side by side")
  func instances() throws {
    let running = try RunningAgent { configuration, _ in
      configuration.models = ["digits": LocalModel(Fixtures.digitsModel(2))]
      configuration.models["digits"]?.instances = 2
    }
    #expect(try running.waitFor { try running.serving() == 1 })
    let version = try running.status().models.first?.versions.first
    #expect(version?.instances == 2)
    #expect(version?.instancesRefusal == nil)
    let metrics = String(decoding: try running.get("/metrics", admin: true).body, as: UTF8.self)
    #expect(metrics.contains("edgeserve_instances{model=\"digits\",version=\"1\"} 2\n"))
  }

  @Test("answers with the same bytes on several threads of I/O, with several instances")
  func severalThreads() throws {
    func agent(_ count: Int) throws -> RunningAgent {
      let running = try RunningAgent { configuration, _ in
        configuration.models = ["digits": LocalModel(Fixtures.digitsModel(2))]
        (configuration.ioThreads, configuration.instances) = (count, count)
      }
      #expect(try running.waitFor { try running.serving() == 1 })
      return running
    }
    let bodies = try DigitsTestSplit().images.prefix(32).map { image in
      let codes = image.map { "\(Int8(bitPattern: $0))" }.joined(separator: ",")
      return Array(
        "{\"inputs\":[{\"name\":\"image\",\"datatype\":\"INT8\",\"shape\":[1,8,8,1],\"data\":[\(codes)]}]}"
          .utf8)
    }
    @Sendable func answers(_ socket: String) -> [[UInt8]] {
      var client = UnixHTTPClient(path: socket)
      return bodies.map { body in
        let answer = try? client.request(
          method: "POST", path: "/v2/models/digits/infer", body: body)
        return answer?.status == 200 ? answer?.body ?? [] : []
      }
    }
    let alone = try agent(1)
    let expected = answers(alone.agent.configuration.socket)
    #expect(Set(expected).count > 1 && !expected.contains([]))
    let several = try agent(2)
    let socket = several.agent.configuration.socket
    let rounds = Mutex<[Bool]>([])
    for _ in 0..<4 {
      TestThread.start {
        for _ in 0..<5 {
          let isSame = answers(socket) == expected
          rounds.withLock { $0.append(isSame) }
        }
      }
    }
    #expect(several.waitFor { rounds.withLock { $0.count } == 20 })
    #expect(!rounds.withLock { $0.contains(false) })
  }

  @Test("writes requests down without what they asked, and counts under other servers' names")
  func requestLog() throws {
    let running = try RunningAgent { configuration, directory in
      configuration.models = ["half": LocalModel(Fixtures.halfPlusTwoModel)]
      configuration.metricsCompatibility = [.tensorFlowServing, .triton]
      configuration.requestLog = RequestLogConfiguration(
        directory: directory.path + "/log", percent: 100)
    }
    #expect(try running.waitFor { try running.status().health == .ok })
    var client = UnixHTTPClient(path: running.agent.configuration.socket)
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    for (body, status) in [("{\"instances\":[1234.5]}", 200), ("{\"instances\":[[1,2]]}", 400)] {
      let response = try client.request(
        method: "POST", path: "/v1/models/half:predict",
        headers: [("traceparent", "00-\(trace)-00f067aa0ba902b7-01")], body: Array(body.utf8))
      #expect(response.status == status)
    }
    let metrics = String(decoding: try running.get("/metrics", admin: true).body, as: UTF8.self)
    let lines = metrics.split(separator: "\n").map(String.init)
    for line in [
      ":tensorflow:serving:request_count{model_name=\"half\",status=\"OK\"} 1",
      ":tensorflow:serving:request_count{model_name=\"half\",status=\"INVALID_ARGUMENT\"} 1",
      ":tensorflow:serving:request_latency_bucket{model_name=\"half\",le=\"+Inf\"} 1",
      ":tensorflow:serving:request_latency_count{model_name=\"half\"} 1",
      ":tensorflow:cc:saved_model:load_attempt_count{model_path=\"half\",status=\"success\"} 1",
      "nv_inference_request_success{model=\"half\",version=\"1\"} 1",
      "nv_inference_request_failure{model=\"half\",version=\"1\",reason=\"OTHER\"} 1",
      "nv_inference_count{model=\"half\",version=\"1\"} 1",
      "nv_inference_pending_request_count{model=\"half\",version=\"1\"} 0",
    ] { #expect(lines.contains(line), "\(line) is not in \(metrics)") }
    let names = lines.filter { !$0.hasPrefix("#") }.map { $0.split(separator: " ")[0] }
    #expect(Set(names).count == names.count)
    #expect(lines.filter { $0.hasPrefix(":tensorflow:serving:request_latency_bucket") }.count == 34)
    running.shutdown()
    let written = String(
      decoding: try readFile(running.directory.path + "/log/requests.jsonl"), as: UTF8.self)
    let entries = written.split(separator: "\n")
    #expect(entries.count == 2)
    #expect(entries[0].contains("\"outcome\":\"ok\""))
    #expect(entries[1].contains("\"outcome\":\"invalid\""))
    #expect(entries.allSatisfy { $0.contains("\"trace_id\":\"\(trace)\"") })
    #expect(!written.contains("1234"))
  }

  @Test("an answer of another model, or a constant one, is marked on every protocol")
  func fallback() throws {
    let running = try RunningAgent { configuration, directory in
      var gate = LocalModel(directory.path + "/nowhere")
      gate.fallback.models = ["half"]
      configuration.models = ["gate": gate, "half": LocalModel(Fixtures.halfPlusTwoModel)]
    }
    #expect(try running.waitFor { try running.get("/v2/models/half/ready").status == 200 })
    var client = UnixHTTPClient(path: running.agent.configuration.socket)
    let rows = try client.request(
      method: "POST", path: "/v1/models/gate:predict", body: Array("{\"instances\":[1]}".utf8))
    #expect(rows.status == 200)
    #expect(rows.header("x-fallback") == "half")
    let tensor = "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1],\"data\":[1]}]}"
    let reply = try client.request(
      method: "POST", path: "/v2/models/gate/infer", body: Array(tensor.utf8))
    #expect(reply.header("x-fallback") == "half")
    #expect(
      String(decoding: reply.body, as: UTF8.self).contains(
        "\"parameters\":{\"fallback\":\"half\"}"))
    let itself = try client.request(
      method: "POST", path: "/v1/models/half:predict", body: Array("{\"instances\":[1]}".utf8))
    #expect(itself.header("x-fallback") == nil)
  }

  @Test("the level of the log is shown and changed while it runs")
  func logLevel() throws {
    let running = try RunningAgent { _, _ in }
    var admin = UnixHTTPClient(path: running.agent.configuration.adminSocket)
    func post(_ level: String) throws -> (Int, String) {
      let response = try admin.request(
        method: "POST", path: "/log-level", body: Array("{\"level\":\"\(level)\"}".utf8))
      return (response.status, String(decoding: response.body, as: UTF8.self))
    }
    #expect(try post("debug") == (200, "{\"level\":\"debug\"}"))
    #expect(LogThreshold.level == .debug)
    #expect(try running.get("/log-level", admin: true).body == Array("{\"level\":\"debug\"}".utf8))
    #expect(try post("loud").0 == 400)
    #expect(try post("info").0 == 200)
    var changed = running.agent.configuration
    changed.logLevel = .warning
    #expect(try running.agent.reload(changed) == [])
    #expect(LogThreshold.level == .warning)
    LogThreshold.level = .info
    #expect(try running.get("/log-level").status == 404)
  }

  @Test("keeps metrics from the data socket unless told otherwise")
  func metricsAreOff() throws {
    let running = try RunningAgent { _, _ in }
    #expect(try running.get("/monitoring/prometheus/metrics").status == 404)
    #expect(try running.get("/metrics").status == 404)
  }

  @Test("a user who sends too much is told when to come again, and health is still answered")
  func rateLimit() throws {
    let running = try RunningAgent { configuration, _ in
      configuration.models = ["half": LocalModel(Fixtures.halfPlusTwoModel)]
      configuration.rateLimit = RateLimit(requestsPerSecond: 0.01, burst: 2)
    }
    #expect(try running.waitFor { try running.status().health == .ok })
    var client = UnixHTTPClient(path: running.agent.configuration.socket)
    let responses = try (0..<3).map { _ in
      try client.request(
        method: "POST", path: "/v1/models/half:predict", body: Array("{\"instances\":[1]}".utf8))
    }
    #expect(responses.map(\.status) == [200, 200, 429])
    let wait = responses[2].header("retry-after").flatMap { Int($0) } ?? 0
    #expect((90...100).contains(wait))
    #expect(try running.get("/v2/health/ready").status == 200)
    let text = String(decoding: try running.get("/metrics", admin: true).body, as: UTF8.self)
    #expect(text.contains("outcome=\"rate_limited\"} 1\n"))
  }

  @Test("keeps the admin socket to its own user")
  func permissions() throws {
    let running = try RunningAgent { _, _ in }
    var file = stat()
    #expect(unsafe stat(running.agent.configuration.adminSocket, &file) == 0)
    #expect(file.st_mode & 0o777 == 0o600)
  }

  @Test("ends in order, and removes its sockets")
  func shutdown() throws {
    let running = try RunningAgent { configuration, _ in
      configuration.models = ["digits": LocalModel(Fixtures.digitsModel(1))]
    }
    #expect(try running.waitFor { try running.serving() == 1 })
    running.shutdown()
    #expect(running.agent.manager.ledger.chargedBytes == 0)
    #expect(unsafe access(running.agent.configuration.socket, F_OK) != 0)
    #expect(throws: TransportError.self) { _ = try running.status() }
  }

  @Test("does not start on a socket that another agent serves")
  func socketInUse() throws {
    let running = try RunningAgent { _, _ in }
    let taken = running.agent.configuration.socket
    #expect(throws: AgentError.self) {
      _ = try RunningAgent { configuration, _ in configuration.socket = taken }
    }
  }
}

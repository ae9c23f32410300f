import Agent
import Glibc
import Serving
import TestSupport
import Testing
import Transport

@Suite("Versions of an agent's own models", .serialized)
struct AgentVersionTests {
  /// Puts a version into a directory the way that a copy by hand would, file after directory.
  private static func install(_ version: Int, _ base: String) throws {
    unsafe mkdir(base, 0o755)
    unsafe mkdir("\(base)/\(version)", 0o755)
    let bytes = try readFile(Fixtures.digitsModel(version))
    let file = unsafe open(
      "\(base)/\(version)/model.tflite", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    // Sound: the pointer and count are of the same array.
    let count = unsafe write(file, bytes, bytes.count)
    close(file)
    #expect(count == bytes.count)
  }

  /// Versions 1 and 2 of the digits classifier side by side, in `directory`.
  private static func twoVersions(_ directory: String) throws -> LocalModel {
    for version in 1...2 { try install(version, directory) }
    return LocalModel(directory, policy: .latest(2))
  }

  @Test("a canary that was begun by hand, or taken back, is the same after a restart")
  func canaryOverRestart() throws {
    let shared = TemporaryDirectory()
    let model = try Self.twoVersions(shared.path + "/digits")
    func start() throws -> RunningAgent {
      let running = try RunningAgent { configuration, _ in
        configuration.models = ["digits": model]
        configuration.stateDirectory = shared.path + "/state"
      }
      #expect(
        try running.waitFor {
          try running.status().models.first?.versions.filter { $0.state == "serving" }.count == 2
        })
      return running
    }
    func canary(_ running: RunningAgent) throws -> AgentStatus.Canary? {
      try running.status().models.first?.canary
    }
    var running = try start()
    #expect(try canary(running) == nil)
    let begun = Canary(version: 2, share: 1500)
    try running.agent.manager.setCanary(begun, of: "digits")
    running.shutdown()
    running = try start()
    #expect(try canary(running)?.percent == 15)
    #expect(try canary(running)?.state == "running")
    running.agent.manager.markReverted(
      begun, of: "digits", .latency(canary: 900, stable: 100))
    running.shutdown()
    running = try start()
    #expect(try canary(running)?.state == "reverted")
    #expect(try canary(running)?.cause == "latency-p99")
    running.agent.manager.endCanary(of: "digits")
    running.shutdown()
    running = try start()
    #expect(try canary(running) == nil)
    running.shutdown()
  }

  @Test("a key in the body decides on the canary as one in the head")
  func keysInBodies() throws {
    let shared = TemporaryDirectory()
    let model = try Self.twoVersions(shared.path + "/digits")
    let running = try RunningAgent { configuration, _ in
      configuration.models = ["digits": model]
    }
    #expect(
      try running.waitFor {
        try running.status().models.first?.versions.filter { $0.state == "serving" }.count == 2
      })
    try running.agent.manager.setCanary(Canary(version: 2, share: 5000), of: "digits")
    let zeros = [String](repeating: "0", count: 64).joined(separator: ",")
    let tensor = #"{"name":"image","datatype":"INT8","shape":[1,8,8,1],"data":[\#(zeros)]}"#
    var client = UnixHTTPClient(path: running.agent.configuration.socket)
    func version(_ parameters: String, _ headers: [(String, String)]) throws -> String {
      let body = #"{"inputs":[\#(tensor)],"parameters":{\#(parameters)}}"#
      let response = try client.request(
        method: "POST", path: "/v2/models/digits/infer", headers: headers, body: Array(body.utf8))
      #expect(response.status == 200)
      return String(decoding: response.body, as: UTF8.self).contains(#""model_version":"2""#)
        ? "2" : "1"
    }
    var versions: [String] = []
    for key in (0..<40).map({ "user-\($0)" }) {
      let named = try version("", [("x-request-key", key)])
      #expect(try version(#""priority":1,"request_key":"\#(key)""#, []) == named)
      // The head's counts where there are both.
      #expect(try version(#""request_key":"other""#, [("x-request-key", key)]) == named)
      versions.append(named)
    }
    #expect(Set(versions) == ["1", "2"])
    // The same of TensorFlow Serving's body, seen by who counts the request.
    func requests() throws -> [UInt64] {
      try running.status().models.first?.versions.map(\.requests) ?? []
    }
    for (index, key) in (0..<8).map({ "user-\($0)" }).enumerated() {
      let before = try requests()
      let row = "[" + (0..<8).map { _ in
        "[" + [String](repeating: "[0]", count: 8).joined(separator: ",") + "]"
      }.joined(separator: ",") + "]"
      let body = #"{"instances":[\#(row)],"request_key":"\#(key)"}"#
      let response = try client.request(
        method: "POST", path: "/v1/models/digits:predict", body: Array(body.utf8))
      #expect(response.status == 200)
      let counted = try requests()
      // The highest version is the first.
      #expect(counted[versions[index] == "2" ? 0 : 1] == before[versions[index] == "2" ? 0 : 1] + 1)
    }
  }

  @Test("local models are listed, unloaded and loaded by hand on the admin socket")
  func repository() throws {
    let running = try RunningAgent { configuration, _ in
      configuration.models = ["digits": LocalModel(Fixtures.digitsModel(1))]
    }
    #expect(try running.waitFor { try running.serving() == 1 })
    var admin = UnixHTTPClient(path: running.agent.configuration.adminSocket)
    func post(_ path: String, _ body: String = "") throws -> (Int, String) {
      let response = try admin.request(
        method: "POST", path: "/v2/repository/" + path, body: Array(body.utf8))
      return (response.status, String(decoding: response.body, as: UTF8.self))
    }
    #expect(
      try post("index") == (200, "[{\"name\":\"digits\",\"state\":\"READY\",\"version\":\"1\"}]"))
    #expect(try post("models/digits/unload") == (200, ""))
    #expect(try running.get("/v2/models/digits/ready").status == 503)
    // Polls leave it alone until it is asked for.
    usleep(100_000)
    #expect(try running.serving() == nil)
    #expect(try post("index", "{\"ready\":true}") == (200, "[]"))
    #expect(try post("index").1.contains("\"reason\":\"unloaded\",\"state\":\"UNAVAILABLE\""))
    #expect(try post("models/digits/load") == (200, ""))
    #expect(try running.serving() == 1)
    #expect(try running.get("/v2/models/digits/ready").status == 200)
    #expect(try post("models/none/load").0 == 404)
    #expect(try post("models/none/unload").0 == 404)
    #expect(try post("index", "[]").0 == 400)
    #expect(try running.get("/v2/repository/index").status == 404)
  }

  @Test("versions of one model serve side by side, pinned and rolled back by hand")
  func liveVersions() throws {
    let running = try RunningAgent { configuration, directory in
      let base = directory.path + "/digits"
      for version in 1...2 { try Self.install(version, base) }
      configuration.models = [
        "digits": LocalModel(base, policy: .latest(2), labels: ["canary": 2, "stable": 1])
      ]
    }
    func versions() throws -> [Int64: [String]] {
      Dictionary(
        uniqueKeysWithValues: try running.status().models[0].versions
          .filter { $0.state == "serving" }.map { ($0.version, $0.labels) })
    }
    #expect(try running.waitFor { try versions() == [1: ["stable"], 2: ["canary"]] })
    #expect(try running.status().health == .ok)
    for path in [
      "/v2/models/digits/versions/1/ready", "/v2/models/digits/versions/canary/ready",
      "/v1/models/digits/versions/2", "/v1/models/digits/labels/stable/metadata",
    ] { #expect(try running.get(path).status == 200) }
    let metadata = String(decoding: try running.get("/v2/models/digits").body, as: UTF8.self)
    #expect(metadata.contains("\"versions\":[\"1\",\"2\"]"))
    let policy = String(decoding: try running.get("/v2/models/digits/config").body, as: UTF8.self)
    #expect(policy.contains("\"version_policy\":{\"latest\":{\"num_versions\":2}}"))

    var admin = UnixHTTPClient(path: running.agent.configuration.adminSocket)
    func post(_ action: String, _ body: String = "") throws -> (Int, String) {
      let response = try admin.request(
        method: "POST", path: "/models/digits/" + action, body: Array(body.utf8))
      return (response.status, String(decoding: response.body, as: UTF8.self))
    }
    #expect(try post("rollback") == (200, "{\"version\":1}"))
    #expect(try running.waitFor { try versions().keys.sorted() == [1] })
    let pins = running.directory.path + "/state/pins.json"
    #expect(String(decoding: try readFile(pins), as: UTF8.self) == "{\"digits\":1}")
    // What cannot be kept is said, and serves until the restart.
    unsafe unlink(pins)
    unsafe mkdir(pins, 0o700)
    let (status, answer) = try post("pin", "{\"version\":2}")
    #expect(status == 500 && answer.contains("a restart will undo it: \(pins)"))
    #expect(try running.waitFor { try versions().keys.sorted() == [2] })
    unsafe rmdir(pins)
    #expect(try post("pin", "{\"version\":1}").0 == 200)
    #expect(try running.waitFor { try versions().keys.sorted() == [1] })
    #expect(try post("rollback").0 == 404)
    #expect(try post("pin", "{\"version\":9}").0 == 404)
    #expect(try post("pin", "[]").0 == 400)
    #expect(try post("unpin").0 == 200)
    #expect(try running.waitFor { try versions().keys.sorted() == [1, 2] })
    #expect(try post("label", "{\"label\":\"next\",\"version\":2}").0 == 200)
    #expect(try versions()[2] == ["canary", "next"])
    #expect(try post("label", "{\"label\":\"7\",\"version\":2}").0 == 400)
    #expect(try post("label", "{\"label\":\"x\",\"version\":9}").0 == 404)
    #expect(try post("unload").0 == 200)
    #expect(try running.waitFor { try versions().isEmpty })
    #expect(try running.status().health == .ok)
    #expect(try running.get("/v2/health/ready").status == 200)
    #expect(try post("load").0 == 200)
    #expect(try running.waitFor { try versions().count == 2 })
    #expect(try post("dance").0 == 404)
  }

  @Test("a version is tried with a share of the requests, seen in status and metrics, and promoted")
  func canary() throws {
    let running = try RunningAgent { configuration, directory in
      let base = directory.path + "/digits"
      for version in 1...2 { try Self.install(version, base) }
      configuration.models = [
        "digits": LocalModel(
          base, policy: .latest(2), canary: Canary(version: 2, share: Canary.shareWhole / 20))
      ]
    }
    #expect(
      try running.waitFor {
        try running.status().models[0].versions.filter { $0.state == "serving" }.count == 2
      })
    let status = try #require(try running.status().models[0].canary)
    #expect(status.version == 2 && status.percent == 5 && status.state == "running")
    func metrics() throws -> String {
      String(decoding: try running.get("/metrics", admin: true).body, as: UTF8.self)
    }
    #expect(
      try metrics().contains("edgeserve_canary_weight{model=\"digits\",version=\"2\"} 0.05\n"))
    var client = UnixHTTPClient(path: running.agent.configuration.socket)
    func version(_ key: String) throws -> String? {
      let zeros = (0..<64).map { _ in "0" }.joined(separator: ",")
      let body =
        "{\"inputs\":[{\"name\":\"image\",\"datatype\":\"INT8\",\"shape\":[1,8,8,1],"
        + "\"data\":[\(zeros)]}]}"
      let reply = try client.request(
        method: "POST", path: "/v2/models/digits/infer", headers: [("X-Request-Key", key)],
        body: Array(body.utf8))
      let text = String(decoding: reply.body, as: UTF8.self)
      return text.contains("\"model_version\":\"2\"")
        ? "2" : text.contains("\"model_version\":\"1\"") ? "1" : nil
    }
    let versions = try (0..<400).map { try version("device-\($0)") }
    #expect(versions.allSatisfy { $0 != nil })
    #expect((8...40).contains(versions.filter { $0 == "2" }.count))
    var admin = UnixHTTPClient(path: running.agent.configuration.adminSocket)
    func post(_ action: String, _ body: String = "") throws -> Int {
      try admin.request(
        method: "POST", path: "/models/digits/" + action, body: Array(body.utf8)
      ).status
    }
    #expect(try post("canary", "{\"version\":2,\"percent\":100}") == 200)
    #expect(try version("device-0") == "2")
    #expect(try post("canary", "{\"version\":2,\"percent\":101}") == 400)
    #expect(try post("canary", "{\"version\":9,\"percent\":1}") == 404)
    #expect(try post("canary", "{}") == 400)
    #expect(try post("promote") == 200)
    #expect(try running.status().models[0].canary == nil)
    #expect(try post("promote") == 404)
    #expect(try post("canary", "{\"version\":1,\"percent\":100}") == 200)
    #expect(try version("device-0") == "1")
    #expect(try post("end-canary") == 200)
    #expect(try version("device-0") == "2")
  }

  @Test("a pinned version is the one that serves after a restart")
  func pinOutlivesRestart() throws {
    let running = try RunningAgent { configuration, directory in
      let base = directory.path + "/digits"
      for version in 1...2 { try Self.install(version, base) }
      unsafe mkdir(directory.path + "/state", 0o755)
      directory.write("state/pins.json", "{\"digits\":1}")
      configuration.models = ["digits": LocalModel(base)]
    }
    #expect(try running.waitFor { try running.serving() == 1 })
    usleep(100_000)
    #expect(try running.serving() == 1)
  }

  @Test("takes up versions as they appear in a directory, and keeps what serves when they vanish")
  func directory() throws {
    let running = try RunningAgent { configuration, directory in
      configuration.models = ["digits": LocalModel(directory.path + "/digits")]
    }
    let base = running.directory.path + "/digits"
    #expect(try running.status().health == .failing)
    #expect(try running.get("/healthz", admin: true).status == 503)
    for version in 1...2 {
      try Self.install(version, base)
      #expect(try running.waitFor { try running.serving() == Int64(version) })
    }
    unsafe unlink(base + "/2/model.tflite")
    unsafe rmdir(base + "/2")
    usleep(100_000)
    #expect(try running.serving() == 2)
  }

  @Test("tells of a refused version, and goes on with the one before")
  func refused() throws {
    let running = try RunningAgent { configuration, directory in
      let base = directory.path + "/digits"
      try Self.install(1, base)
      unsafe mkdir(base + "/2", 0o755)
      directory.write("digits/2/model.tflite", "no model at all")
      configuration.models = ["digits": LocalModel(base)]
    }
    #expect(
      try running.waitFor {
        try running.serving() == 1 && running.status().models[0].versions[0].state == "refused"
      })
    let status = try running.status()
    #expect(status.health == .degraded)
    #expect(status.models[0].versions[0].cause == "model-invalid")
    #expect(status.problems.count == 1)
    try Self.install(2, running.directory.path + "/digits")
    #expect(try running.waitFor { try running.serving() == 2 })
    #expect(try running.status().health == .ok)
  }
}

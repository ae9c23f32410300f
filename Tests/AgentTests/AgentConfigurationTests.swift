import Agent
import Serving
import TestSupport
import Testing

@Suite("Agent configuration")
struct AgentConfigurationTests {
  private static let whole = """
    {
      // Comments are allowed.
      models: {digits: "/srv/digits"},
      socket: "/tmp/a.sock", admin_socket: "/tmp/b.sock", state_dir: "/tmp/s",
      memory_budget: "64MiB", threads: 2, kernels: "baseline", board: "pi4",
      poll_milliseconds: 50,
      delivery: {
        broker: {host: "localhost", port: 1884, username: "u", password_file: "/p"},
        fleet: "f", device: "d", root_key_file: "/r", models: ["wake"],
        sync_stride: "1MiB", reconnect_minimum_ms: 10, reconnect_maximum_ms: 100,
      },
    }
    """

  private static func read(_ document: String) throws(AgentError) -> AgentConfiguration {
    var configuration = AgentConfiguration()
    try configuration.apply(document: document)
    return configuration
  }

  @Test("reads every key of a JSON5 document")
  func everyKey() throws {
    let configuration = try Self.read(Self.whole)
    var expected = AgentConfiguration()
    expected.models = ["digits": "/srv/digits"]
    expected.socket = "/tmp/a.sock"
    expected.adminSocket = "/tmp/b.sock"
    expected.stateDirectory = "/tmp/s"
    expected.memoryBudget = 64 << 20
    expected.threads = 2
    expected.kernels = "baseline"
    expected.board = "pi4"
    expected.pollMilliseconds = 50
    expected.delivery = DeliveryConfiguration(
      broker: .init(host: "localhost", port: 1884, username: "u", passwordFile: "/p"),
      fleet: "f", device: "d", rootKeyFile: "/r", models: ["wake"], syncStrideBytes: 1 << 20,
      reconnectMinimumMilliseconds: 10, reconnectMaximumMilliseconds: 100)
    #expect(configuration == expected)
    #expect(configuration.modelNames == ["digits", "wake"])
  }

  @Test("names further brokers, each like the first")
  func fallbackBrokers() throws {
    func read(_ brokers: String) throws -> DeliveryConfiguration? {
      try Self.read(
        "{delivery: {broker: {host: 'a'}, fallback_brokers: \(brokers), fleet: 'f', device: 'd', "
          + "root_key_file: '/r', models: ['m']}}").delivery
    }
    let text = "[{host: 'b', username: 'u'}, {host: 'c', tls: {}}]"
    let brokers = try read(text)?.fallbackBrokers
    var configuration = AgentConfiguration()
    configuration.delivery = try read(text)
    // By their addresses alone: who this device is to them is nobody else's matter.
    #expect(
      configuration.entries.contains(
        ConfigurationEntry(key: "delivery.fallback_brokers", value: "[\"b:1883\",\"c:8883\"]")))
    #expect(
      brokers == [
        .init(host: "b", username: "u"), .init(host: "c", port: 8883, protection: .init()),
      ])
    #expect(
      throws: AgentError.invalidValue(
        key: "delivery.fallback_brokers[1].port", value: "0", expected: "1 to 65535")
    ) { try read("[{host: 'b'}, {host: 'c', port: 0}]") }
    #expect(throws: AgentError.self) {
      try read("[\((0..<8).map { "{host: 'b\($0)'}" }.joined(separator: ","))]")
    }
  }

  @Test("a mirror is a directory or an address, and nothing between them")
  func mirrors() throws {
    func read(_ mirror: String) throws -> String? {
      try Self.read(
        "{delivery: {broker: {host: 'a'}, fleet: 'f', device: 'd', root_key_file: '/r', "
          + "models: ['m'], mirror: '\(mirror)'}}").delivery?.mirror
    }
    for mirror in ["/srv/releases", "https://host/a", "http://10.0.0.1:8080", "https://[::1]/"] {
      #expect(try read(mirror) == mirror)
    }
    for mirror in [
      "ftp://host/", "https://", "https://u@host/", "https://host/?a", "https://host/a b",
      "https://host/" + String(repeating: "a", count: 1024),
    ] {
      #expect(throws: AgentError.self, "\(mirror)") { try read(mirror) }
    }
  }

  @Test("a sync stride is a power of two within its bounds", arguments: [0, 3 << 20, 128 << 20])
  func syncStride(bytes: Int) {
    let error = AgentError.invalidValue(
      key: "delivery.sync_stride", value: "\(bytes)", expected: "a power of two, 256KiB to 64MiB")
    #expect(throws: error) {
      try Self.read(
        "{delivery: {broker: {host: 'a'}, fleet: 'f', device: 'd', root_key_file: '/r', "
          + "models: ['m'], sync_stride: \(bytes)}}")
    }
  }

  @Test("leaves defaults alone where the document is silent")
  func defaults() throws {
    #expect(try Self.read("{}") == AgentConfiguration())
  }

  @Test(
    "refuses an unknown key and names the nearest",
    arguments: [
      ("{sokcet: '/x'}", "sokcet", "socket"),
      ("{memory_buget: 1}", "memory_buget", "memory_budget"),
      ("{zzzzzz: 1}", "zzzzzz", nil),
      (
        "{delivery: {broker: {hst: 'x'}}}", "delivery.broker.hst", "delivery.broker.host"
      ),
    ] as [(String, String, String?)])
  func unknownKey(document: String, key: String, nearest: String?) {
    #expect(throws: AgentError.unknownKey(key: key, nearest: nearest)) {
      _ = try Self.read(document)
    }
  }

  @Test("names the key that is missing, and the place of a wrong type")
  func missingAndMistyped() {
    #expect(throws: AgentError.missingKey(key: "delivery.broker.host")) {
      _ = try Self.read("{delivery: {broker: {}}}")
    }
    #expect {
      _ = try Self.read("{threads: 'two'}")
    } throws: { error in
      if case .malformed(place: "threads", _)? = error as? AgentError { true } else { false }
    }
  }

  @Test("survives every truncation and 20000 mutations of a document")
  func fuzz() {
    let bytes = Array(Self.whole.utf8)
    for count in bytes.indices {
      _ = try? Self.read(String(decoding: bytes[..<count], as: UTF8.self))
    }
    var random = SplitMix64(seed: 0x5EED)
    for _ in 0..<20_000 {
      var mutated = bytes
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        mutated[Int.random(in: mutated.indices, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      }
      _ = try? Self.read(String(decoding: mutated, as: UTF8.self))
    }
  }

  @Test(
    "reads sizes with units",
    arguments: [
      ("1", 1), ("512B", 512), ("4KiB", 4096), ("64MiB", 64 << 20), ("2GiB", 2 << 30),
      ("3MB", 3_000_000),
    ])
  func sizes(text: String, bytes: Int) throws {
    #expect(try ByteSize.parse(text, key: "k") == bytes)
  }

  @Test(
    "refuses sizes that are none",
    arguments: ["", "MiB", "-1", "0", "1.5GB", "1 MiB", "99999999999GiB", "0x10", "٣"])
  func wrongSizes(text: String) {
    #expect(throws: AgentError.self) { _ = try ByteSize.parse(text, key: "k") }
  }

  @Test("takes variables over the file")
  func environment() throws {
    var configuration = try Self.read(Self.whole)
    try configuration.applyEnvironment { name in
      ["EDGESERVE_SOCKET": "/e.sock", "EDGESERVE_MEMORY_BUDGET": "1KiB"][name]
    }
    #expect(configuration.socket == "/e.sock")
    #expect(configuration.memoryBudget == 1024)
    #expect(configuration.adminSocket == "/tmp/b.sock")
  }

  @Test("refuses model names that could become paths", arguments: ["../x", "", ".x", "a/b", "a b"])
  func modelNames(name: String) {
    var configuration = AgentConfiguration()
    configuration.models = [name: "/x"]
    #expect(throws: AgentError.self) { try configuration.validate() }
  }

  @Test("instances are of one model or of all, within their bounds")
  func instances() throws {
    let configuration = try Self.read(
      "{instances: 3, models: {a: '/a', b: {path: '/b', instances: 16}}}")
    try configuration.validate()
    #expect(configuration.instances == 3)
    #expect(configuration.models["a"]?.instances == nil)
    #expect(configuration.models["b"]?.instances == 16)
    let models = configuration.entries.first { $0.key == "models" }?.value
    #expect(try Self.read("{models: \(try #require(models))}").models == configuration.models)
    for (document, key) in [
      ("{instances: 0}", "instances"), ("{models: {b: {path: '/b', instances: 17}}}", "models.b.instances"),
    ] {
      let value = key == "instances" ? "0" : "17"
      #expect(
        throws: AgentError.invalidValue(key: key, value: value, expected: "1 to 16")
      ) { try Self.read(document).validate() }
    }
  }

  @Test("threads of I/O are few")
  func ioThreads() throws {
    #expect(AgentConfiguration().ioThreads == 1)
    let configuration = try Self.read("{io_threads: 8}")
    try configuration.validate()
    #expect(configuration.ioThreads == 8)
    #expect(configuration.entries.contains(ConfigurationEntry(key: "io_threads", value: "8")))
    for count in [0, 9] {
      #expect(
        throws: AgentError.invalidValue(key: "io_threads", value: "\(count)", expected: "1 to 8")
      ) { try Self.read("{io_threads: \(count)}").validate() }
    }
  }

  @Test("bounds how long requests wait, from a millisecond to a day")
  func queueMilliseconds() throws {
    #expect(AgentConfiguration().queueMilliseconds == nil)
    let configuration = try Self.read("{queue_milliseconds: 250}")
    try configuration.validate()
    #expect(configuration.queueMilliseconds == 250)
    for value in [0, 86_400_001] {
      #expect(
        throws: AgentError.invalidValue(
          key: "queue_milliseconds", value: "\(value)", expected: "1 to 86400000")
      ) { try Self.read("{queue_milliseconds: \(value)}").validate() }
    }
  }

  @Test("reads which versions of a model serve, and writes them the same")
  func policies() throws {
    let document = """
      {models: {
        a: "/a", b: {path: "/b", versions: {latest: 3}}, c: {path: "/c", versions: "all"},
        d: {path: "/d", versions: [1, 4], labels: {canary: 4}},
        e: {
          path: "/e", versions: {latest: 2},
          canary: {version: 7, percent: 2.5, window_seconds: 9},
        },
        g: {path: "/g", fallback: ["a"], fallback_answer: {y: [0, 1.5]}},
        f: {path: "/f", inputs: {finite: true, minimum: -40}, cache: "64KiB"},
      }}
      """
    let configuration = try Self.read(document)
    try configuration.validate()
    var canary = Canary(version: 7, share: 250)
    canary.rules.windowSeconds = 9
    var watched = LocalModel("/f")
    watched.inputRules.allowsNonFinite = false
    watched.inputRules.range = -40...(.infinity)
    watched.cacheBytes = 64 << 10
    var gate = LocalModel("/g")
    gate.fallback.models = ["a"]
    gate.fallback.answer = ["y": [0, 1.5]]
    #expect(
      configuration.models == [
        "a": "/a", "b": LocalModel("/b", policy: .latest(3)), "c": LocalModel("/c", policy: .all),
        "d": LocalModel("/d", policy: .specific([1, 4]), labels: ["canary": 4]),
        "e": LocalModel("/e", policy: .latest(2), canary: canary), "f": watched,
        "g": gate,
      ])
    let written = configuration.entries.first { $0.key == "models" }?.value ?? ""
    #expect(try Self.read("{models: \(written)}") == configuration)
  }

  @Test(
    "refuses policies and labels that cannot be",
    arguments: [
      ("{path: '/x', versions: {latest: 0}}", "models.m.versions.latest"),
      ("{path: '/x', versions: {latest: 65}}", "models.m.versions.latest"),
      ("{path: '/x', versions: []}", "models.m.versions"),
      ("{path: '/x', versions: [2, 2]}", "models.m.versions"),
      ("{path: '/x', versions: 'newest'}", "models.m.versions"),
      ("{path: '/x', labels: {'7': 1}}", "models.m.labels"),
      ("{path: '/x', inputs: {minimum: 2, maximum: 1}}", "models.m.inputs.minimum"),
      ("{path: '/x', cache: -1}", "models.m.cache"),
      ("{path: '/x', computed_shapes: 0}", "models.m.computed_shapes"),
      ("{path: '/x', fallback: ['m']}", "models.m.fallback"),
      ("{path: '/x', canary: {version: 2, percent: 5}}", "models.m.canary.version"),
      (
        "{path: '/x', versions: [1, 3], canary: {version: 2, percent: 5}}",
        "models.m.canary.version"
      ),
      (
        "{path: '/x', versions: 'all', canary: {version: 2, percent: 101}}",
        "models.m.canary.percent"
      ),
      ("{path: '/x', versions: [1], labels: {canary: 2}}", "models.m.labels.canary"),
    ])
  func wrongPolicies(model: String, key: String) {
    #expect {
      try Self.read("{models: {m: \(model)}}").validate()
    } throws: { error in
      if case .invalidValue(key, _, _)? = error as? AgentError { true } else { false }
    }
  }

  @Test("refuses a model that is local and delivered")
  func declaredTwice() throws {
    var configuration = try Self.read(Self.whole)
    configuration.models["wake"] = "/x"
    #expect(throws: AgentError.modelDeclaredTwice(model: "wake")) { try configuration.validate() }
  }

  /// The file that packages install.
  private static func example() throws -> [Substring] {
    let path = Fixtures.packageDirectory + "/Packaging/edgeserve.json"
    return try String(decoding: readFile(path), as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false)
  }

  @Test("the example leaves every default as it is")
  func exampleAsInstalled() throws {
    #expect(try Self.read(Self.example().joined(separator: "\n")) == AgentConfiguration())
  }

  @Test("the example explains every key, and is right when all of them are switched on")
  func exampleSwitchedOn() throws {
    let lines = try Self.example().map { line in
      let text = line.drop { $0 == " " }
      return text.hasPrefix("//") && !text.hasPrefix("// ") ? text.dropFirst(2) : line
    }
    let configuration = try Self.read(lines.joined(separator: "\n"))
    try configuration.validate()
    // A shared key takes the place of certificates.
    let silent = configuration.entries.filter { $0.value == "null" && !$0.key.contains(".tls.psk_") }
    #expect(silent == [])
    #expect(lines.contains { $0.contains("psk_identity") })
  }

  @Test("changes are named by key, and models and rate limits do without a restart")
  func changes() throws {
    let before = try Self.read(Self.whole)
    var after = before
    after.delivery = nil
    after.models = [:]
    after.threads = 3
    after.rateLimit = RateLimit(requestsPerSecond: 5, burst: 10)
    let changes = before.changes(to: after)
    #expect(changes.filter(\.isReloadable).map(\.key) == [
      "models", "rate_limit.requests_per_second", "rate_limit.burst",
    ])
    #expect(changes.contains(ConfigurationEntry(key: "threads", value: "3")))
    #expect(changes.contains(ConfigurationEntry(key: "delivery.fleet", value: "null")))
    #expect(before.changes(to: before).isEmpty)
  }
}

import Testing

@testable import Agent
@testable import edgeserve

@Suite("Status screen")
struct StatusScreenTests {
  private static func version(
    _ version: Int64, _ state: String, labels: [String] = [], cause: String? = nil
  ) -> AgentStatus.Version {
    AgentStatus.Version(
      version: version, state: state, labels: labels, requests: 123_456, errors: 2,
      latency: .init(p50: 123, p95: 2_345, p99: 12_345),
      memory: .init(weightsBytes: 9 << 20, arenaBytes: 512), cause: cause)
  }

  private static func status(_ models: [AgentStatus.Model]) -> AgentStatus {
    AgentStatus(
      agent: .init(
        version: "0.1.0", uptimeSeconds: 3725, kernels: "avx2", board: "generic", pid: 42),
      health: .degraded,
      problems: [
        "digits 3 was refused (gate-mismatch): Golden vector 0, output 0, is off by 63.0; "
          + "allowed are 1.0."
      ],
      memory: .init(
        budgetBytes: 64 << 20, chargedBytes: 9 << 20, rssBytes: 20 << 20, rssAnonBytes: 3 << 20),
      models: models,
      delivery: DeliveryStatus(
        broker: "broker.example:1883", connected: true, state: "fetching", release: "digits@3",
        progressPercent: 40))
  }

  private static let digits = AgentStatus.Model(
    name: "digits",
    versions: [
      version(3, "refused", cause: "gate-mismatch"), version(2, "serving", labels: ["stable"]),
    ])

  @Test("shows health first, and everything on one screen without an escape")
  func content() {
    let text = StatusScreen(colour: false).text(Self.status([Self.digits]))
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count <= 24)
    #expect(!text.utf8.contains(0x1B))
    #expect(lines[2].hasPrefix("DEGRADED"))
    for words in [
      "up 1 h 2 min", "123us", "12ms", "charged 9 MiB of 64 MiB (14 %)", "digits@3 fetching 40 %",
      "See gate-mismatch in", "RECENT FAILURES", "The golden vectors came out differently",
    ] {
      #expect(text.contains(words), "\(words)")
    }
  }

  @Test(
    "every problem has a name in the manual",
    arguments: [
      ("m: no version serves yet; one is being loaded.", "loading"),
      ("m: no version serves; none was delivered yet.", "nothing-serves"),
      ("m: the label stable names version 3, which does not serve.", "label-target"),
      ("Delivery: the broker b:1 is not connected.", "broker-unreachable"),
      ("Delivery: m@3 failed (no-space).", "no-space"),
      ("m 3 was refused (over-budget): Too large.", "over-budget"),
      (
        "m 3: its packed weights are in no file, as there is no room on the disk.", "weights-in-memory"
      ),
    ])
  func problemNames(sentence: String, name: String) {
    #expect(ProblemName.of(sentence) == name)
    #expect(ProblemName.all.contains(name))
  }

  @Test("stays within 80 columns, whatever the names")
  func width() {
    let long = AgentStatus.Model(
      name: String(repeating: "m", count: 64),
      versions: [
        Self.version(.max, "rolled-back", labels: ["stable", "canary", "a-long-label"])
      ])
    let text = StatusScreen(colour: false).text(Self.status([long, Self.digits]))
    for line in text.split(separator: "\n") {
      #expect(line.count <= 80, "\(line)")
    }
  }

  @Test("shows of the retired only the latest two")
  func retired() {
    let versions = [Self.version(9, "serving")] + (1...8).reversed().map { Self.version($0, "retired") }
    let model = AgentStatus.Model(name: "m", versions: versions)
    let lines = StatusTable([model]).lines()
    #expect(lines.count == 4)
    #expect(lines[3].contains("7 retired"))
  }

  @Test("colours only when told to")
  func colour() {
    let text = StatusScreen(colour: true).text(Self.status([Self.digits]))
    #expect(text.contains("\u{1B}[33;1mDEGRADED\u{1B}[0m"))
  }

  @Test(
    "reads the document it writes",
    arguments: [nil, 64 << 20] as [Int?])
  func document(budget: Int?) throws {
    var status = Self.status([Self.digits])
    status.memory.budgetBytes = budget
    #expect(try AgentStatus(json: status.json()) == status)
  }

  @Test(
    "writes points in time",
    arguments: [
      (0, "1970-01-01T00:00:00.007Z"), (951_782_399, "2000-02-28T23:59:59.007Z"),
      (951_782_400, "2000-02-29T00:00:00.007Z"), (4_102_444_800, "2100-01-01T00:00:00.007Z"),
      (4_107_542_400, "2100-03-01T00:00:00.007Z"),
    ])
  func time(seconds: Int, text: String) {
    #expect(UTCTime.text(seconds: seconds, milliseconds: 7) == text)
  }
}

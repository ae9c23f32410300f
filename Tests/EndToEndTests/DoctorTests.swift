@testable import Agent
import Glibc
import TestSupport
import Testing

@testable import edgeserve

@Suite("Doctor")
struct DoctorTests {
  private static func device(
    _ adjust: (inout AgentConfiguration) -> Void
  ) -> [String: Finding] {
    var configuration = AgentConfiguration()
    adjust(&configuration)
    let findings = DeviceChecks(configuration: configuration).findings()
    return Dictionary(uniqueKeysWithValues: findings.map { ($0.check, $0) })
  }

  private static func delivered(_ directory: String) -> [String: Finding] {
    device { configuration in
      configuration.stateDirectory = directory
      configuration.delivery = DeliveryConfiguration(
        broker: .init(host: "localhost"), fleet: "f", device: "d", rootKeyFile: "/r", models: [])
    }
  }

  @Test("a budget is measured against what the device has")
  func memory() {
    #expect(Self.device { _ in }["memory"]?.state == .warning)
    #expect(Self.device { $0.memoryBudget = 1 << 20 }["memory"]?.state == .ok)
    let vast = Self.device { $0.memoryBudget = 1 << 50 }["memory"]
    #expect(vast?.state == .problem)
    #expect(vast?.remedy?.contains("memory_budget") == true)
  }

  @Test("kernels that this processor does not run are a problem")
  func kernels() {
    #expect(Self.device { $0.kernels = "abacus" }["kernels"]?.state == .problem)
    #expect(Self.device { _ in }["kernels"]?.state != .problem)
  }

  @Test("where versions are stored is looked at when some are delivered")
  func disk() {
    #expect(Self.device { $0.stateDirectory = "/nowhere/at/all" }["disk"]?.state == .ok)
    let directory = TemporaryDirectory()
    #expect(Self.delivered(directory.path + "/not/yet/there")["disk"]?.state != .problem)
    #expect(Self.delivered("/dev/shm")["disk"]?.state == .warning)
    #expect(Self.delivered("/proc")["disk"]?.state == .problem)
  }

  @Test("what was written is compared with what the board's storage bears")
  func writes() {
    let root = TemporaryDirectory()
    for name in ["/proc", "/proc/7"] { #expect(unsafe mkdir(root.path + name, 0o755) == 0) }
    root.write("proc/7/io", "rchar: 1\nwchar: 2\nread_bytes: 3\nwrite_bytes: \(600 << 20)\n")
    var configuration = AgentConfiguration()
    configuration.board = "raspberry-pi-4"
    var checks = ServiceChecks(configuration: configuration, version: "1")
    checks.facts.root = root.path
    func agent(_ pid: Int, _ seconds: Int) -> AgentStatus.Process {
      AgentStatus.Process(version: "1", uptimeSeconds: seconds, kernels: "k", board: "b", pid: pid)
    }
    #expect(checks.writes(agent(7, 60))?.state == .warning)
    #expect(checks.writes(agent(7, 2 * 86_400))?.state == .ok)
    #expect(checks.writes(agent(8, 60)) == nil)
    checks = ServiceChecks(configuration: AgentConfiguration(), version: "1", facts: checks.facts)
    #expect(checks.writes(agent(7, 60)) == nil)
  }

  @Test("what is well takes a line, what is not has its remedy below, in 80 columns")
  func text() {
    let text = Doctor.text([
      .ok("kernels", "avx2."),
      .problem(
        "disk", "Nothing is left of it, and so much less can be said that a line is too short.",
        "Buy another."),
    ])
    let lines = text.split(separator: "\n")
    #expect(lines.first == "ok       kernels: avx2.")
    #expect(lines.dropFirst().first?.hasPrefix("PROBLEM  disk: Nothing is left") == true)
    #expect(lines.last == "         → Buy another.")
    #expect(lines.allSatisfy { $0.count <= 80 })
  }
}

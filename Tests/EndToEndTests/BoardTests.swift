import Agent
import ArgumentParser
import BoardProfiles
import Glibc
import KernelDispatch
import TestSupport
import Testing

@testable import edgeserve

@Suite("board")
struct BoardTests {
  @Test("a small model fits every board, and what does not is refused with the numbers")
  func fits() throws {
    let fits = try Board.Check.parse([Fixtures.digitsModel()]).fits()
    #expect(fits.count == BoardCatalogue.profiles.count)
    for fit in fits {
      #expect(fit.refusal == nil && fit.verdict == .overlap)
      #expect(fit.neededBytes > 0 && fit.modelBytes < fit.budgetBytes)
      #expect(fit.updatesPerDay > 100 && fit.syncStrideBytes == 4 << 20)
    }
    let generic = try Board.profile("generic").name
    #expect(fits.contains { $0.isExact && $0.board == generic })
  }

  @Test("a budget is compared with one version and with two")
  func verdicts() throws {
    let source = try ModelSource(path: Fixtures.digitsModel())
    var profile = try Board.profile("generic")
    profile.choices.budgetMebibytes = 16
    let fit = try BoardFit(source, profile)
    #expect(fit.modelBytes == AgentMemory.modelBudget(16 << 20, deliveredModels: 1))
    #expect(BoardFit.verdict(needed: fit.modelBytes / 2, of: fit.modelBytes) == .overlap)
    #expect(BoardFit.verdict(needed: fit.modelBytes / 2 + 1, of: fit.modelBytes) == .drainFirst)
    #expect(BoardFit.verdict(needed: fit.modelBytes, of: fit.modelBytes) == .drainFirst)
    #expect(BoardFit.verdict(needed: fit.modelBytes + 1, of: fit.modelBytes) == .no)
  }

  @Test("a name that no board answers to is bad input, and the message names them")
  func unknown() {
    let failure = #expect(throws: CommandFailure.self) { try Board.profile("abacus") }
    #expect(failure?.status == .badInput)
    #expect(failure?.message.contains("raspberry-pi-5") == true)
  }

  @Test("the profile gives what nothing else has set")
  func configuration() throws {
    var configuration = AgentConfiguration()
    configuration.board = "rpi-4"
    try configuration.applyBoard()
    #expect(configuration.board == "raspberry-pi-4")
    #expect(configuration.memoryBudget == 256 << 20 && configuration.threads == 3)
    var own = AgentConfiguration()
    own.board = "rpi-4"
    own.delivery = DeliveryConfiguration(
      broker: .init(host: "localhost"), fleet: "f", device: "d", rootKeyFile: "r", models: [])
    own.threads = 1
    own.memoryBudget = 1 << 20
    try own.applyBoard()
    #expect(own.memoryBudget == 1 << 20 && own.threads == 1)
    #expect(own.delivery?.syncStrideBytes == 4 << 20)
    own.delivery?.syncStrideBytes = 1 << 20
    try own.applyBoard()
    #expect(own.delivery?.syncStrideBytes == 1 << 20)
    var none = AgentConfiguration()
    try none.applyBoard()
    #expect(none == AgentConfiguration())
    var detected = AgentConfiguration()
    detected.board = "auto"
    try detected.applyBoard()
    #expect(BoardCatalogue.named(detected.board ?? "") != nil)
  }

  @Test("a device's own files are read")
  func deviceFacts() throws {
    let root = TemporaryDirectory()
    for name in ["/proc", "/proc/device-tree"] {
      #expect(unsafe mkdir(root.path + name, 0o755) == 0)
    }
    root.write("proc/device-tree/compatible", "raspberrypi,4-model-b\0brcm,bcm2711\0")
    root.write("proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4\0")
    root.write("proc/cpuinfo", "processor\t: 0\nCPU part\t: 0xd08\n")
    root.write("proc/meminfo", "MemTotal:        3884360 kB\n")
    var facts = BoardFacts.ofThisDevice(root: root.path)
    facts.architecture = "aarch64"
    #expect(facts.memoryBytes == 3_884_360 * 1024 && facts.parts == ["0xd08"])
    let detection = try #require(BoardDetection.detect(facts))
    #expect(detection.board == "raspberry-pi-4" && detection.confidence == .certain)
    #expect(BoardFacts.ofThisDevice(root: "/nowhere").compatible.isEmpty)
  }

  @Test("this machine is some board, and has a drop-in for its service")
  func here() throws {
    let profile = try Board.profile("auto")
    #expect(profile.facts.architecture == BoardFacts.machine)
    let service = BoardText.service(profile)
    #expect(
      service.first == "[Service]"
        && service.contains("Environment=EDGESERVE_BOARD=\(profile.name)"))
    #expect(BoardText.lines(profile).count > 8)
  }
}

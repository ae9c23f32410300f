import Agent
import Glibc
import TestSupport
import Testing

@testable import edgeserve

@Suite("support-bundle")
struct SupportBundleTests {
  @Test("holds what helps, and no secret")
  func content() throws {
    let root = TemporaryDirectory()
    for name in ["/proc", "/proc/device-tree"] {
      #expect(unsafe mkdir(root.path + name, 0o755) == 0)
    }
    root.write("proc/cpuinfo", "processor\t: 0\nCPU part\t: 0xd08\nSerial\t\t: 10000000deadbeef\n")
    root.write("proc/meminfo", "MemTotal: 1000 kB\n")
    root.write("password", "hunter2\n")
    var configuration = AgentConfiguration()
    configuration.adminSocket = root.path + "/none.sock"
    configuration.socket = root.path + "/none.sock"
    configuration.delivery = DeliveryConfiguration(
      broker: .init(
        host: "localhost", port: 1, username: "secret-user", passwordFile: root.path + "/password",
        protection: .init(identity: "secret-identity", sharedKeyFile: root.path + "/password")),
      fleet: "f", device: "device-7", rootKeyFile: root.path + "/none", models: ["digits"])
    var bundle = SupportBundle(configuration: configuration)
    bundle.root = root.path
    let files = Dictionary(
      uniqueKeysWithValues: bundle.files().map {
        ($0.name, String(decoding: $0.bytes, as: UTF8.self))
      })
    let all = files.values.joined()
    for secret in ["hunter2", "secret-user", "secret-identity", "deadbeef"] {
      #expect(!all.contains(secret), "\(secret)")
    }
    #expect(files["configuration.json"]?.contains("device-7") == true)
    #expect(files["configuration.json"]?.contains(SupportBundle.redacted) == true)
    #expect(files["cpuinfo.txt"]?.contains("0xd08") == true)
    // What cannot be had says why.
    #expect(files["status.json"]?.contains("none.sock") == true)
    #expect(files["doctor.txt"]?.contains("sockets") == true)
  }

  @Test("the archive is one that tar reads")
  func archive() throws {
    var archive = TarArchive(seconds: 1_800_000_000)
    archive.append("a/empty", [])
    archive.append("a/full", [UInt8](repeating: 65, count: 513))
    let bytes = archive.finished
    #expect(bytes.count == 512 + 512 + 1024 + 1024)
    // The checksum is the sum of the header with blanks in its place.
    let header = Array(bytes[512..<1024])
    let sum = header.enumerated().reduce(0) {
      $0 + ((148..<156).contains($1.offset) ? 32 : Int($1.element))
    }
    let stored = String(decoding: header[148..<154], as: UTF8.self)
    #expect(Int(stored, radix: 8) == sum)
    #expect(String(decoding: header[124..<135], as: UTF8.self) == "00000001001")
  }
}

import Agent
import BoardProfiles
import Glibc
import JSONDocuments
import Transport

/// What a person elsewhere needs to see what is wrong with a device, without its secrets.
struct SupportBundle {
  static let redacted = "(redacted)"
  /// Settings that tell a name by which the device is let in.
  private static let secretKeys: Set<String> = [
    "delivery.broker.username", "delivery.broker.tls.psk_identity",
  ]
  /// Lines of the kernel's files that tell one device from all others.
  private static let secretLines = ["Serial", "serial"]
  private static let fileBytesMaximum = 1 << 20

  let configuration: AgentConfiguration
  /// Where the kernel's files are.
  var root = ""

  /// Files by name; what cannot be had is told in the file's place.
  func files() -> [(name: String, bytes: [UInt8])] {
    let device = BoardFacts.ofThisDevice(root: root)
    var client = UnixHTTPClient(path: configuration.adminSocket)
    let findings =
      DeviceChecks(configuration: configuration).findings()
      + ServiceChecks(configuration: configuration, version: Build.version).findings()
    return [
      ("version.txt", Array((Build.description + "\n").utf8)),
      ("status.json", Self.ask("/status", &client)),
      ("metrics.txt", Self.ask("/metrics", &client)),
      ("configuration.json", Array((NestedObject.text(redactedEntries) + "\n").utf8)),
      ("doctor.txt", Array(Doctor.text(findings).utf8)),
      ("board.json", Self.json(BoardDetection.detect(device))),
      ("cpuinfo.txt", kernelFile("/proc/cpuinfo")), ("meminfo.txt", kernelFile("/proc/meminfo")),
      ("mounts.txt", kernelFile("/proc/mounts")), ("kernel.txt", kernelFile("/proc/version")),
      ("system.txt", kernelFile("/etc/os-release")),
      ("pressure.txt", kernelFile("/proc/pressure/memory")),
    ]
  }

  /// The settings in force; files of keys and passwords are named, and never read.
  private var redactedEntries: [ConfigurationEntry] {
    configuration.entries.map { entry in
      guard Self.secretKeys.contains(entry.key), entry.value != "null" else { return entry }
      return ConfigurationEntry(key: entry.key, value: "\"\(Self.redacted)\"")
    }
  }

  private static func ask(_ resource: String, _ client: inout UnixHTTPClient) -> [UInt8] {
    do throws(TransportError) {
      return try client.request(method: "GET", path: resource).body
    } catch {
      return Array((error.sentence + "\n").utf8)
    }
  }

  private static func json(_ value: (some Encodable)?) -> [UInt8] {
    guard let value, let bytes = try? JSONDocument.encode(value) else {
      return Array("null\n".utf8)
    }
    return bytes + [UInt8(ascii: "\n")]
  }

  private func kernelFile(_ path: String) -> [UInt8] {
    do throws(AgentError) {
      let text = try WholeFile.read(root + path, maximum: Self.fileBytesMaximum)
      let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      return Array(
        lines.filter { line in
          let line = String(decoding: line, as: UTF8.self)
          return !Self.secretLines.contains(where: line.hasPrefix)
        }.joined(separator: [UInt8(ascii: "\n")]))
    } catch {
      return Array((error.sentence + "\n").utf8)
    }
  }
}

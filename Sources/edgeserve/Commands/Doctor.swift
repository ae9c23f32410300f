import Agent
import ArgumentParser

struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Says what is wrong with this device, and what to do.",
    discussion: """
      Looks at the configuration, the processor's kernels, memory, disk and clock, the keys, the
      broker, the sockets, and at what the agent says of itself. Changes nothing. Ends with 1 when
      something keeps the agent from its work.

      Example:
        edgeserve doctor
        edgeserve doctor --config /etc/edgeserve/edgeserve.json --json
      """)

  @OptionGroup var file: Config.File

  @Flag(help: "Print the findings to stdout as one JSON document.")
  var json = false

  func run() throws {
    let findings = self.findings()
    if json {
      try printJSON(["findings": findings])
    } else {
      StandardOutput.write(Array(Self.text(findings).utf8))
      if findings.contains(where: { $0.state != .ok }) {
        StandardError.line("each name is a heading of \(ProblemName.page)")
      }
    }
    let problems = findings.count { $0.state == .problem }
    guard problems == 0 else {
      throw CommandFailure(.failure, problems == 1 ? "1 problem." : "\(problems) problems.")
    }
  }

  private func findings() -> [Finding] {
    var settings: Settings
    do throws(AgentError) {
      settings = try Settings(path: file.config)
      try settings.applyBoard()
      try settings.configuration.validate()
    } catch {
      // Without a configuration there is no telling what to look at.
      return [
        .problem("configuration", error.sentence, "`edgeserve config check` reads it again.")
      ]
    }
    let place = settings.path.map { "\($0) can be used." } ?? "There is no file; defaults are used."
    return [.ok("configuration", place)]
      + DeviceChecks(configuration: settings.configuration).findings()
      + ServiceChecks(configuration: settings.configuration, version: Build.version).findings()
  }

  /// One line for what is well; a remedy below what is not.
  static func text(_ findings: [Finding]) -> String {
    findings.map { finding in
      let mark = switch finding.state {
      case .ok: "ok       "
      case .warning: "warning  "
      case .problem: "PROBLEM  "
      }
      let lines = StatusScreen.wrap(
        finding.check + ": " + finding.finding, indent: "", first: mark)
      let remedy = finding.remedy.map {
        StatusScreen.wrap($0, indent: "", first: "         → ")
      }
      return (lines + (remedy ?? [])).map { $0 + "\n" }.joined()
    }.joined()
  }
}

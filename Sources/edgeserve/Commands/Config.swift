import Agent
import ArgumentParser
import Transport

struct Config: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Checks and shows the agent's configuration.",
    subcommands: [Check.self, Show.self, Diff.self])

  struct File: ParsableArguments {
    @Option(
      help: "The configuration file (default: \(AgentConfiguration.defaultPath), if it exists).")
    var config: String?

    func read() throws -> Settings {
      do throws(AgentError) {
        var settings = try Settings(path: config)
        try settings.applyBoard()
        try settings.configuration.validate()
        return settings
      } catch {
        throw CommandFailure(.badInput, error.sentence)
      }
    }
  }

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Reads the configuration as the agent would, and says what is wrong with it.",
      discussion: """
        Example:
          edgeserve config check --config /etc/edgeserve/edgeserve.json
        """)

    @OptionGroup var file: File

    func run() throws {
      let settings = try file.read()
      StandardError.write(
        (settings.path ?? "Without a file, the configuration") + " can be used.\n")
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows the settings of the file, or all that are in force.",
      discussion: """
        Example:
          edgeserve config show --effective
        """)

    @OptionGroup var file: File
    @Flag(help: "Show defaults and the environment's settings too, and where each comes from.")
    var effective = false
    @Flag(help: "Print one JSON object to stdout, its keys as the file nests them.")
    var json = false

    func run() throws {
      let settings = try file.read()
      let entries = settings.configuration.entries.filter {
        effective || settings.origin(of: $0) == "file"
      }
      if json {
        StandardOutput.write(Array((NestedObject.text(entries) + "\n").utf8))
        return
      }
      var table = TextTable([("KEY", .left), ("VALUE", .left), ("FROM", .left)])
      for entry in entries { table.append([entry.key, entry.value, settings.origin(of: entry)]) }
      StandardOutput.write(Array(table.lines.map { $0 + "\n" }.joined().utf8))
    }
  }

  struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows what a running agent would change if it read its configuration now.",
      discussion: """
        Ends with 0 when nothing would change, and with 1 otherwise.

        Example:
          edgeserve config diff
        """)

    @OptionGroup var file: File
    @Option(name: .customLong("admin-socket"), help: "The agent's admin socket.")
    var adminSocket: String?

    func run() throws {
      let settings = try file.read()
      let path = adminSocket ?? settings.configuration.adminSocket
      let running: [ConfigurationEntry] = try AdminDocument.fetch("/config", at: path)
      let wanted = settings.configuration.entries
      let gone = running.filter { old in !wanted.contains { $0.key == old.key } }
        .map { ConfigurationEntry(key: $0.key, value: "null") }
      var table = TextTable([
        ("KEY", .left), ("RUNNING", .left), ("CONFIGURED", .left), ("TAKES", .left),
      ])
      var count = 0
      for entry in wanted + gone {
        let before = running.first { $0.key == entry.key }?.value ?? "null"
        guard before != entry.value else { continue }
        table.append([entry.key, before, entry.value, entry.isReloadable ? "reload" : "restart"])
        count += 1
      }
      guard count > 0 else {
        StandardError.write("The agent runs with the configuration as it is.\n")
        return
      }
      StandardOutput.write(Array(table.lines.map { $0 + "\n" }.joined().utf8))
      throw CommandFailure(.failure, "\(count) settings differ.")
    }
  }
}

/// JSON text of settings whose keys lie in each other.
enum NestedObject {
  /// - Parameter entries: without those whose value is null.
  static func text(_ entries: [ConfigurationEntry]) -> String {
    object(entries.filter { $0.value != "null" }.map { ($0.key.split(separator: "."), $0.value) })
  }

  private static func object(_ members: [(path: [Substring], value: String)]) -> String {
    var order: [Substring] = []
    for member in members where !order.contains(member.path[0]) { order.append(member.path[0]) }
    let texts = order.map { key in
      let inner = members.filter { $0.path[0] == key }
      let isLeaf = inner[0].path.count == 1
      let value =
        isLeaf ? inner[0].value : object(inner.map { (Array($0.path.dropFirst()), $0.value) })
      return "\"\(key)\":\(value)"
    }
    return "{" + texts.joined(separator: ",") + "}"
  }
}

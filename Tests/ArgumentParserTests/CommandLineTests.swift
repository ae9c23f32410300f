import Testing

@testable import ArgumentParser

private struct Shared: ParsableArguments {
  @Option(help: "The broker.") var broker: String
  @Flag(help: "Protect it.") var tls = false

  mutating func validate() throws {
    if broker == "nowhere" { throw ValidationError("no such broker") }
  }
}

private struct Send: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Sends a file to more places than a line of eighty columns could ever name.",
    discussion: """
      What is written here in several lines
      is one paragraph, filled to eighty columns.

      Example:
        tool send FILE --broker broker.example.org:8883 --tls --base a-long-name b-long-name
      """)

  @Argument(help: "The file.") var file: String
  @Argument(help: ArgumentHelp("Not for people.", visibility: .hidden)) var second: Int?
  @Option(help: "Threads.") var threads = 1
  @Option(parsing: .upToNextOption, help: "Bases.") var base: [String] = ["none"]
  @Option(
    name: [.customLong("in"), .customShort("i")],
    help: ArgumentHelp("Inputs.", valueName: "N=F"))
  var inputs: [String] = []
  @Option(help: "A version.") var version: Int64?
  @Option(help: "A share.") var relativeTolerance = 0.5
  @Flag(help: "As JSON.") var json = false
  @OptionGroup var shared: Shared

  mutating func validate() throws {
    if threads < 1 { throw ValidationError("--threads is at least 1") }
  }
}

private struct Inner: ParsableCommand {
  @Option(help: "Roles.") var role: [String]
  @Flag(help: "As JSON.") var json = false
}

private struct Group: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "A group.", subcommands: [Inner.self])
}

private struct Tool: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tool", abstract: "A tool.", version: "tool 1.0",
    subcommands: [Send.self, Group.self])
}

@Suite("Command lines")
struct CommandLineTests {
  private static func exit(_ words: String...) -> CommandLineExit? {
    do {
      _ = try Tool.parseAsRoot(words)
      return nil
    } catch {
      return error as? CommandLineExit
    }
  }

  /// The first line of a usage error; nil when it is none.
  private static func mistake(_ words: String) -> String? {
    do {
      _ = try Tool.parseAsRoot(words.split(separator: " ").map(String.init))
      return nil
    } catch CommandLineExit.usage(let text) {
      return text.split(separator: "\n").first.map(String.init)
    } catch {
      return nil
    }
  }

  @Test("values by name, place and default")
  func values() throws {
    let bare = try Send.parse(["f", "--broker", "b"])
    #expect(bare.file == "f" && bare.second == nil && bare.threads == 1 && bare.base == ["none"])
    #expect(bare.inputs.isEmpty && bare.version == nil && !bare.json && !bare.shared.tls)
    let words = "--threads=4 f --base x y --json 3 --in 1 -i 2 --broker b=c --tls --version 7"
    let full = try Send.parse(words.split(separator: " ").map(String.init))
    #expect(full.file == "f" && full.second == 3 && full.threads == 4 && full.base == ["x", "y"])
    #expect(full.inputs == ["1", "2"] && full.version == 7 && full.json && full.shared.tls)
    #expect(full.shared.broker == "b=c")
  }

  @Test("numbers below zero are values, and so is everything after two dashes")
  func dashes() throws {
    let below = try Send.parse(["--broker", "b", "--relative-tolerance", "-1e3", "f"])
    #expect(below.relativeTolerance == -1000)
    #expect(try Send.parse(["--broker", "b", "--", "--json"]).file == "--json")
    #expect(try Send.parse(["--broker", "b", "-"]).file == "-")
  }

  @Test(
    "mistakes are told with what was meant",
    arguments: [
      ("sned", "Error: Unknown command 'sned'; did you mean 'send'?"),
      ("xyz", "Error: Unknown command 'xyz'"),
      ("send", "Error: Missing expected argument '<file>'"),
      ("send f", "Error: Missing expected argument '--broker <broker>'"),
      ("send f --brokr b", "Error: Unknown option '--brokr'; did you mean '--broker'?"),
      ("send f --broker", "Error: Missing value for '--broker <broker>'"),
      ("send f --broker --json", "Error: Missing value for '--broker <broker>'"),
      ("send f --threads many", "Error: The value 'many' is invalid for '--threads <threads>'"),
      ("send f --json=yes", "Error: The flag '--json' takes no value"),
      ("send f 1 2 --broker b", "Error: Unexpected argument '2'"),
      ("send f --broker b --threads 0", "Error: --threads is at least 1"),
      ("send f --broker nowhere", "Error: no such broker"),
      ("group innr", "Error: Unknown command 'innr'; did you mean 'inner'?"),
      ("group inner", "Error: Missing expected argument '--role <role>'"),
      ("help send more", "Error: Unexpected argument 'more'"),
      ("--verbose", "Error: Unknown option '--verbose'"),
    ])
  func mistakes(words: String, expected: String) {
    #expect(Self.mistake(words) == expected)
  }

  @Test("help is the same however it is asked for")
  func help() {
    let asked = Self.exit("send", "--help")
    #expect(asked == Self.exit("help", "send"))
    #expect(asked == Self.exit("send", "--broker", "b", "-h"))
    #expect(Self.exit() == Self.exit("--help"))
    #expect(Self.exit("group") == Self.exit("group", "--help"))
    #expect(Self.exit("group", "inner", "--version") == .text("tool 1.0\n"))
    // A command's own option of that name goes before.
    #expect(Self.mistake("send --version") == "Error: Missing value for '--version <version>'")
  }

  @Test("help has 80 columns, leaves examples as they are, and hides what is hidden")
  func helpText() throws {
    guard case .text(let text) = Self.exit("send", "--help") else {
      Issue.record("no help")
      return
    }
    let lines = text.split(separator: "\n")
    #expect(lines.contains("is one paragraph, filled to eighty columns.") == false)
    let example = "  tool send FILE --broker broker.example.org:8883 --tls --base a-long-name"
    #expect(lines.contains { $0.hasPrefix(example) })
    #expect(text.contains("USAGE: tool send <file>"))
    #expect(text.contains("  --threads <threads>     Threads. (default: 1)"))
    #expect(text.contains("  --in, -i <N=F>          Inputs."))
    #expect(!text.contains("second"))
    for line in lines where !line.hasPrefix("USAGE") && !line.hasPrefix("  tool") {
      #expect(line.count <= 80, "\(line)")
    }
  }

  @Test("each shell's script names every command and option", arguments: ["bash", "zsh", "fish"])
  func completions(shell: String) throws {
    guard case .text(let text) = Self.exit("--generate-completion-script", shell) else {
      Issue.record("no script")
      return
    }
    for word in ["send", "group", "inner", "threads", "relative-tolerance", "role", "tls"] {
      #expect(text.contains(word), "\(word)")
    }
    #expect(!text.contains("second"))
  }

  @Test("any words end in a command or in words for people", arguments: 0..<2000)
  func anyWords(seed: UInt64) {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
    func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    let words = [
      "send", "group", "inner", "help", "--help", "-h", "--version", "--", "-", "", "=", "--=",
      "--base", "--in", "-i", "f", "1", "-1", "--json", "--json=", "--threads=2", "--broker",
      "--broker=b", "ü",
    ]
    let line = (0..<next(9)).map { _ in words[next(words.count)] }
    do {
      _ = try Tool.parseAsRoot(line)
    } catch CommandLineExit.text(let text), CommandLineExit.usage(let text) {
      #expect(!text.isEmpty)
    } catch {
      Issue.record("\(line): \(error)")
    }
  }
}

import Agent
import ArgumentParser
import BoardProfiles
import Runtime

struct Board: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tells of the boards that the agent knows, and which one this is.",
    subcommands: [List.self, Show.self, Detect.self, Check.self])

  /// The profile of that name, or bad input.
  static func profile(_ name: String) throws(CommandFailure) -> BoardProfile {
    do throws(AgentError) {
      return try NamedBoard.find(name)
    } catch {
      throw CommandFailure(.badInput, error.sentence)
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists the boards.",
      discussion: """
        Example:
          edgeserve board list
        """)

    @Flag(help: "Print the profiles to stdout as one JSON document.")
    var json = false

    func run() throws {
      if json { return try printJSON(["boards": BoardCatalogue.profiles]) }
      var table = TextTable([
        ("BOARD", .left), ("KERNELS", .left), ("CORES", .right), ("THREADS", .right),
        ("MEMORY", .right), ("BUDGET", .right),
      ])
      for profile in BoardCatalogue.profiles {
        table.append([
          profile.name, profile.facts.kernels, "\(profile.facts.cores)",
          "\(profile.choices.threads)", ByteSize.describe(profile.facts.memoryMebibytes[0] << 20),
          ByteSize.describe(profile.budgetBytes),
        ])
      }
      StandardOutput.write(Array(table.lines.map { $0 + "\n" }.joined().utf8))
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows what is known of a board, and from where.",
      discussion: """
        With --systemd, prints the limits of the service for this board, as \
        `systemctl edit edgeserve` takes them.

        Example:
          edgeserve board show raspberry-pi-4
          edgeserve board show raspberry-pi-4 --systemd
        """)

    @Argument(help: "The board; auto for the one that is detected.")
    var name: String
    @Flag(help: "Print the profile to stdout as one JSON document.")
    var json = false
    @Flag(help: "Print the limits of the service.")
    var systemd = false

    func run() throws {
      let profile = try Board.profile(name)
      if json { return try printJSON(profile) }
      let lines = systemd ? BoardText.service(profile) : BoardText.lines(profile)
      StandardOutput.write(Array(lines.map { $0 + "\n" }.joined().utf8))
    }
  }

  struct Detect: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Says which board this is, and how sure that is.",
      discussion: """
        Looks at the device tree, the processor and the memory. "certain" is a board that names \
        itself, "likely" one with the same chip or processor, "unknown" any other.

        Example:
          edgeserve board detect --json
        """)

    @Flag(help: "Print one JSON document to stdout.")
    var json = false

    func run() throws {
      guard let detection = BoardDetection.detect(.ofThisDevice()) else {
        throw CommandFailure(.failure, "no profile is for \(BoardFacts.machine)")
      }
      if json { return try printJSON(detection) }
      let lines =
        ["\(detection.board) (\(detection.confidence.rawValue))"]
        + (detection.evidence + detection.differences).flatMap {
          StatusScreen.wrap($0, indent: "  ", first: "- ")
        }
      StandardOutput.write(Array(lines.map { $0 + "\n" }.joined().utf8))
    }
  }

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Says whether a model fits boards, before anything is published.",
      discussion: """
        Plans the model as the agent of the board would, and compares what it takes with what the \
        board's budget leaves to models. Ends with 1 when it does not fit a board that is named.

        Example:
          edgeserve board check keyword.tflite
          edgeserve board check keyword.bundle --board raspberry-pi-zero-2-w
        """)

    @Argument(help: "A model file or a bundle.")
    var file: String
    @Option(name: .customLong("board"), help: "A board; repeatable. Without it, all.")
    var boards: [String] = []
    @Flag(help: "Print one JSON document to stdout.")
    var json = false

    func fits() throws(CommandFailure) -> [BoardFit] {
      let source = try ModelSource(path: file)
      var fits: [BoardFit] = []
      for profile in boards.isEmpty ? BoardCatalogue.profiles : [] {
        fits.append(try BoardFit(source, profile))
      }
      for name in boards { fits.append(try BoardFit(source, Board.profile(name))) }
      return fits
    }

    func run() throws {
      let fits = try fits()
      if json {
        try printJSON(["boards": fits])
      } else {
        var table = TextTable([
          ("BOARD", .left), ("NEEDS", .right), ("OF", .right), ("UPDATES A DAY", .right),
          ("VERDICT", .left),
        ])
        for fit in fits {
          table.append([
            fit.board, (fit.isExact ? "" : "at most ") + ByteSize.describe(fit.neededBytes),
            ByteSize.describe(fit.modelBytes), "\(fit.updatesPerDay)", fit.words,
          ])
        }
        StandardOutput.write(Array(table.lines.map { $0 + "\n" }.joined().utf8))
      }
      let misfits = boards.isEmpty ? [] : fits.compactMap(\.refusal)
      guard misfits.isEmpty else {
        throw CommandFailure(.failure, misfits.joined(separator: "; "))
      }
    }
  }
}

/// A profile for people.
enum BoardText {
  static func lines(_ profile: BoardProfile) -> [String] {
    let (facts, choices) = (profile.facts, profile.choices)
    let sizes: [String] = facts.memoryMebibytes.map { ByteSize.describe($0 << 20) }
    var threads = "\(choices.threads)"
    if let processors = choices.processors {
      threads += " on processors " + processors.map { "\($0)" }.joined(separator: ", ")
    }
    let models = AgentMemory.modelBudget(profile.budgetBytes, deliveredModels: 1)
    let budget = ByteSize.describe(profile.budgetBytes)
    let traits = choices.traits.joined(separator: ", ")
    let lines: [String] = [
      profile.title, row("processor", facts.processor), row("kernels", facts.kernels),
      row("memory", sizes.joined(separator: ", ")),
      row(
        "storage",
        "\(facts.storage.rawValue); at most \(choices.dailyWritesMebibytes) MiB written a day, in "
          + "strides of \(choices.syncStrideMebibytes) MiB"),
      row("threads", threads),
      row(
        "budget",
        "\(budget), of it \(ByteSize.describe(models)) for models, the rest for connections and a "
          + "delivery"
      ),
      row(
        "service",
        "at most \(choices.serviceMaximumMebibytes) MiB, with the program and its files"),
      row("build", traits.isEmpty ? "without gRPC" : "with \(traits)"), "  sources",
    ]
    let sources: [String] = profile.sources.flatMap { source in
      let text = source.facts.joined(separator: ", ") + ": " + source.source
      return StatusScreen.wrap(text, indent: "    ", first: "- ")
    }
    return lines + sources
  }

  private static func row(_ name: String, _ text: String) -> String {
    "  " + name + String(repeating: " ", count: 11 - name.count) + text
  }

  /// A drop-in of the service.
  static func service(_ profile: BoardProfile) -> [String] {
    [
      "[Service]", "Environment=EDGESERVE_BOARD=\(profile.name)",
      "MemoryMax=\(profile.choices.serviceMaximumMebibytes)M",
      "TasksMax=\(BoardText.tasks(profile))",
    ]
  }

  /// Compute threads, and those that every agent has, twice over.
  private static func tasks(_ profile: BoardProfile) -> Int { 2 * (profile.choices.threads + 8) }
}

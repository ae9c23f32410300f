import Agent
import ArgumentParser
import JSONDocuments
import Transport

struct Model: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Loads, unloads and pins the models of this device by hand.",
    discussion: """
      For models that come from a path of the device; versions that are delivered come and go with \
      their releases. The agent's user and root may do so.
      """,
    subcommands: [
      Load.self, Unload.self, Pin.self, Unpin.self, RollBack.self, Label.self, Try.self,
      Promote.self, EndCanary.self, Follow.self, EndShadow.self,
    ])

  /// The agent and the model that a command is for.
  struct Target: ParsableArguments {
    @Option(name: .customLong("admin-socket"), help: "The agent's admin socket.")
    var adminSocket: String?
    @Argument(help: "The name of the model.")
    var model: String

    /// A version, asked for or answered.
    struct Numbered: Codable { var version: Int64 }

    /// Asks the agent for `action` with a document; the bytes of its answer.
    @discardableResult
    func post(_ action: String, _ document: some Encodable) throws -> [UInt8] {
      try post(action, JSONDocument.encode(document))
    }

    /// Asks the agent for `action`, which answers with a version.
    func postForVersion(_ action: String) throws -> Int64 {
      try JSONDocument.decode(Numbered.self, from: post(action)).version
    }

    /// Asks the agent for `action`; the bytes of its answer.
    @discardableResult
    func post(_ action: String, _ body: [UInt8] = []) throws -> [UInt8] {
      let path =
        adminSocket ?? AgentConfiguration.environment("EDGESERVE_ADMIN_SOCKET")
        ?? AgentConfiguration().adminSocket
      return try AdminRequest.post(
        "/models/\(percentEncoded(model))/\(action)", body, at: path)
    }

    /// Model names need no encoding; any other text is one that no model has.
    private func percentEncoded(_ name: String) -> String {
      let isPlain = name.utf8.allSatisfy { byte in
        byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "/") && byte != UInt8(ascii: "?")
      }
      return isPlain && !name.isEmpty ? name : "-"
    }
  }

  struct Load: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Loads the newest version now, and takes back an unload.",
      discussion: """
        Waits until it serves, or says why it does not.

        Example:
          edgeserve model load digits
        """)
    @OptionGroup var target: Target

    func run() throws { try target.post("load") }
  }

  struct Unload: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Takes every version out of service until it is loaded again.",
      discussion: """
        Example:
          edgeserve model unload digits
        """)
    @OptionGroup var target: Target

    func run() throws { try target.post("unload") }
  }

  struct Pin: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Serves one version and no other, whatever the policy says.",
      discussion: """
        Holds over restarts, until the model is unpinned.

        Example:
          edgeserve model pin digits 3
        """)
    @OptionGroup var target: Target
    @Argument(help: "The version.")
    var version: Int64

    func run() throws { try target.post("pin", Target.Numbered(version: version)) }
  }

  struct Unpin: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lets the model's policy choose its versions again.",
      discussion: """
        Example:
          edgeserve model unpin digits
        """)
    @OptionGroup var target: Target

    func run() throws { try target.post("unpin") }
  }

  struct RollBack: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "rollback",
      abstract: "Pins the version below the one that serves.",
      discussion: """
        Example:
          edgeserve model rollback digits
        """)
    @OptionGroup var target: Target

    func run() throws {
      let version = try target.postForVersion("rollback")
      StandardError.write("\(target.model) serves version \(version), pinned.\n")
    }
  }

  struct Label: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Points a label at a version that serves.",
      discussion: """
        Until the agent restarts; labels that last are in its configuration.

        Example:
          edgeserve model label digits canary 4
        """)
    @OptionGroup var target: Target
    @Argument(help: "The label.")
    var label: String
    @Argument(help: "The version.")
    var version: Int64

    private struct Body: Encodable {
      var label: String
      var version: Int64
    }

    func run() throws {
      try target.post("label", Body(label: label, version: version))
    }
  }

  struct Try: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "canary",
      abstract: "Sends a share of the requests that name no version to one that serves.",
      discussion: """
        Requests of one key (the field x-request-key) or of one connection go to one version. The \
        version is taken back by itself when more of its requests fail, or its 99th percentile is \
        higher, than the numbers allow; `edgeserve status` tells why.

        Example:
          edgeserve model canary digits 4 --percent 5
        """)
    @OptionGroup var target: Target
    @Argument(help: "The version.")
    var version: Int64
    @Option(help: "The share of the requests.")
    var percent: Double
    @Option(help: "By how many percent more of its requests may fail than of the others.")
    var errorPercent: Double?
    @Option(help: "How many times the others' 99th percentile its own may be.")
    var latencyRatio: Double?
    @Option(help: "The seconds that are looked back upon.")
    var windowSeconds: Int?
    @Option(help: "Requests before it is judged.")
    var requestsMinimum: Int?

    private struct Body: Encodable {
      var version: Int64
      var percent: Double
      var error_percent: Double?
      var latency_p99_ratio: Double?
      var window_seconds: Int?
      var requests_minimum: Int?
    }

    func run() throws {
      try target.post(
        "canary",
        Body(
          version: version, percent: percent, error_percent: errorPercent,
          latency_p99_ratio: latencyRatio, window_seconds: windowSeconds,
          requests_minimum: requestsMinimum))
    }
  }

  struct Follow: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "shadow",
      abstract: "Runs a share of the requests on another version too, and compares the answers.",
      discussion: """
        Nobody gets the answers of the shadow, and nobody waits for it: it runs behind the answer, \
        and where anything else waits it does not run at all. `edgeserve status --json` and the \
        metrics count how the answers compare.

        Example:
          edgeserve model shadow digits 4 --percent 10
        """)
    @OptionGroup var target: Target
    @Argument(help: "The version.")
    var version: Int64
    @Option(help: "The share of the requests that name no version.")
    var percent: Double
    @Option(help: "By how much a number may be off and still agree.")
    var tolerance: Double?

    private struct Body: Encodable {
      var version: Int64
      var percent: Double
      var tolerance: Double?
    }

    func run() throws {
      try target.post("shadow", Body(version: version, percent: percent, tolerance: tolerance))
    }
  }

  struct EndShadow: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "end-shadow",
      abstract: "Runs no more requests on the shadow.",
      discussion: """
        Example:
          edgeserve model end-shadow digits
        """)
    @OptionGroup var target: Target

    func run() throws { try target.post("end-shadow") }
  }

  struct Promote: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Makes the canary the stable version, and ends the trial.",
      discussion: """
        Example:
          edgeserve model promote digits
        """)
    @OptionGroup var target: Target

    func run() throws {
      let version = try target.postForVersion("promote")
      StandardError.write("Version \(version) of \(target.model) is stable.\n")
    }
  }

  struct EndCanary: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "end-canary",
      abstract: "Ends the trial of a version, taken back or not.",
      discussion: """
        Example:
          edgeserve model end-canary digits
        """)
    @OptionGroup var target: Target

    func run() throws { try target.post("end-canary") }
  }
}

import ArgumentParser
import Publishing
import SignedDocuments

/// What commands to one device are told.
struct DeviceOptions: ParsableArguments {
  @Option(help: "The device's name.")
  var device: String

  @OptionGroup var fleet: FleetOptions

  @Option(help: "Days in which the device must hear it; then it holds until the next command.")
  var expiresDays: Int = 30

  @Option(help: "Seconds to wait for the device's answer; 0 to leave it at the broker.")
  var wait: Int = 10

  @Flag(help: "Print one JSON document to stdout.")
  var json = false

  func validate() throws {
    guard Token.isValid(device) else {
      throw ValidationError("--device takes 1 to 64 of A-Z a-z 0-9 _ -")
    }
    guard (1...3650).contains(expiresDays) else {
      throw ValidationError("--expires-days is from 1 to 3650")
    }
    guard (0...3600).contains(wait) else { throw ValidationError("--wait is from 0 to 3600") }
  }

  /// Publishes the last command, changed, and tells what became of it.
  ///
  /// - Returns: whether the device took it up in time.
  @discardableResult
  func speak(_ change: (inout CommandDocument) throws(PublishingError) -> Void) throws -> Bool {
    let commander = Commander(
      keys: try fleet.publisherKeys(), brokers: try fleet.brokerOptions.brokers(),
      recordDirectory: fleet.keys, device: device)
    let (command, answer) = try publishing { () throws(PublishingError) in
      try commander.speak(
        now: secondsSince1970(), seconds: Int64(expiresDays) * 86_400, waitSeconds: wait, change)
    }
    if json { try printJSON(CommandReport(command, answer)) }
    switch answer?.code {
    case AcknowledgementDocument.accepted?:
      StandardError.line("\(device) took up command \(command.sequence)")
      return true
    case let code?:
      throw CommandFailure(
        .failure, "\(device) refused command \(command.sequence): \(CauseSentence.of(code))")
    case nil:
      StandardError.line(
        wait == 0
          ? "command \(command.sequence) lies at the broker for \(device)"
          : "\(device) has not answered; command \(command.sequence) lies at the broker for it")
      return false
    }
  }
}

struct Pin: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Has one device stay at a version, whatever the director says.",
    discussion: """
      The version that serves, or the one named, which must be published; never below a release's \
      security floor. Rollouts pass the device over until `edgeserve unpin`.

      Example:
        edgeserve pin --device kiosk-7 --model digits --version 2 --keys keys --broker broker.local
      """)

  @OptionGroup var options: DeviceOptions

  @OptionGroup var model: ModelName

  @Option(help: "The version to stay at; the one that serves when absent.")
  var version: Int64?

  func run() throws {
    let target = try version.map { version in
      let director = try options.fleet.director(model.model)
      return try publishing { () throws(PublishingError) in
        try director.reference(version: version, now: secondsSince1970())
      }
    }
    try options.speak { (command) throws(PublishingError) in
      command.pin(model.model, to: target)
    }
  }
}

struct Unpin: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Has one device follow the director again.",
    discussion: """
      Example:
        edgeserve unpin --device kiosk-7 --model digits --keys keys --broker broker.local
      """)

  @OptionGroup var options: DeviceOptions

  @OptionGroup var model: ModelName

  func run() throws {
    try options.speak { (command) throws(PublishingError) in try command.unpin(model.model) }
  }
}

struct Hold: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Has one device install nothing, until it is let go or for some hours.",
    discussion: """
      What serves goes on, and a version on trial is still taken back when it fails. Nothing is \
      fetched or installed, from a file neither; rollouts pass the device over. `edgeserve release` \
      lets it go.

      Example:
        edgeserve hold --device kiosk-7 --hours 12 --keys keys --broker broker.local
      """)

  @OptionGroup var options: DeviceOptions

  @Option(help: "Hours after which the device lets itself go; without it, it waits to be let go.")
  var hours: Int64?

  func validate() throws {
    guard hours.map({ (1...87_600).contains($0) }) ?? true else {
      throw ValidationError("--hours is from 1 to 87600")
    }
  }

  func run() throws {
    let until = hours.map { secondsSince1970() + $0 * 3600 } ?? 0
    try options.speak { $0.hold = until }
  }
}

struct LetGo: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "release",
    abstract: "Lets one device install again that `edgeserve hold` keeps from it.",
    discussion: """
      Example:
        edgeserve release --device kiosk-7 --keys keys --broker broker.local
      """)

  @OptionGroup var options: DeviceOptions

  func run() throws {
    try options.speak { (command) throws(PublishingError) in try command.release() }
  }
}

/// The model that a command to a device is about.
struct ModelName: ParsableArguments {
  @Option(help: "The model's name.")
  var model: String

  func validate() throws {
    guard Token.isValid(model) else {
      throw ValidationError("--model takes 1 to 64 of A-Z a-z 0-9 _ -")
    }
  }
}

struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Has one device tell now how it is doing.",
    discussion: """
      Devices tell when something changes, and every hour. This sends the device its last command \
      again under a new number, which it answers and takes as the occasion to tell; what is pinned \
      stays pinned. Ends with status 1 when the device does not answer in time.

      Example:
        edgeserve report --device kiosk-7 --keys keys --broker broker.local
      """)

  @OptionGroup var options: DeviceOptions

  func run() throws {
    let isThere = try options.speak { _ in }
    let devices = try options.fleet.snapshot(of: [options.device], isQuiet: true).sorted
    let rows = FleetFilter.all(devices)
    if !options.json {
      StandardOutput.write(
        Array((FleetTable.lines(rows, now: secondsSince1970()).joined(separator: "\n") + "\n").utf8))
    }
    guard isThere else {
      throw CommandFailure(.failure, "\(options.device) has not answered; what is shown is older")
    }
  }
}

/// What a command to a device came to, as JSON.
private struct CommandReport: Encodable {
  var device: String
  var sequence: Int64
  var pins: [String: Int64?]
  /// In seconds since 1970; 0 until it is let go, left out when it may install.
  var heldUntil: Int64?
  /// Left out when the device has not answered.
  var answer: String?

  enum CodingKeys: String, CodingKey {
    case device, sequence, pins, answer
    case heldUntil = "held_until"
  }

  init(_ command: CommandDocument, _ answer: AcknowledgementDocument?) {
    device = command.device
    sequence = command.sequence
    pins = Dictionary(uniqueKeysWithValues: command.pins.map { ($0.model, $0.target?.sequence) })
    heldUntil = command.hold
    self.answer = answer?.code
  }
}

import Agent
import ArgumentParser
import Cryptography
import ModelDelivery
import Publishing
import SignedDocuments

struct Rollout: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Brings a published version to a growing part of the fleet.",
    discussion: """
      Which devices belong to a part follows from their names and a salt that is new for each \
      rollout, so a device that is in stays in while the part grows.

      Example:
        edgeserve publish --hold --bundle v3.bundle --version 3 --keys keys --broker broker.local
        edgeserve rollout start --model digits --version 3 --percent 1 --keys keys --broker broker.local
        edgeserve rollout run --model digits --keys keys --broker broker.local
      """,
    subcommands: [Start.self, Run.self, Advance.self, Pause.self, Resume.self, Abort.self, Status.self])
}

/// What all steps of a rollout are told.
struct RolloutOptions: ParsableArguments {
  @Option(help: "The model's name.")
  var model: String

  @OptionGroup var fleet: FleetOptions

  @Option(help: "Days until the director document expires.")
  var expiresDays: Int = 30

  @Flag(help: "Print one JSON document to stdout.")
  var json = false

  func validate() throws {
    guard (1...3650).contains(expiresDays) else {
      throw ValidationError("--expires-days is from 1 to 3650")
    }
  }

  /// Publishes the last word, changed, and tells it.
  func speak(_ change: (inout DirectorDocument) throws(PublishingError) -> Void) throws {
    let director = try fleet.director(model)
    let document = try publishing { () throws(PublishingError) in
      try director.speak(
        now: secondsSince1970(), seconds: Int64(expiresDays) * 86_400, change)
    }
    try DirectorReport.tell(document, json: json)
  }

  /// The last word, and the fleet as it stands to it.
  func assessment(
    _ policy: RolloutController.Policy = .init()
  ) throws -> (DirectorDocument, RolloutController.Assessment) {
    let director = try fleet.director(model)
    let document = try publishing { () throws(PublishingError) in try director.latest() }
    let devices = try fleet.snapshot(isQuiet: true).rollout(document)
    let elapsed = secondsSince1970() - document.issued
    return (document, RolloutController(policy: policy).assess(devices, elapsedSeconds: elapsed))
  }
}

/// The part of the fleet that an option names, in hundredths of a percent.
private func part(_ text: String) throws -> Int64 {
  guard let percent = Percent.hundredths(text) else {
    throw CommandFailure(.badInput, "'\(text)' is no part: use 0.01 to 100 percent")
  }
  return percent
}

extension Rollout {
  struct Start: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Begins a rollout.",
      discussion: """
        Example:
          edgeserve rollout start --model digits --version 3 --percent 1 --keys keys --broker broker.local
        """)

    @OptionGroup var options: RolloutOptions

    @Option(help: "A published version.")
    var version: Int64

    @Option(help: "The first part of the fleet, in percent.")
    var percent: String = "1"

    @Option(parsing: .upToNextOption, help: "Only devices with any of these labels.")
    var cohort: [String] = []

    @Option(help: "Seconds over which devices spread their start.")
    var spread: Int64 = 0

    @Option(
      help: """
        The largest update, as 2MiB, over links that cost: for this version it takes the place of \
        metered_update_maximum on devices that have one.
        """)
    var meteredMaximum: String?

    @Flag(help: "Accept a version below the present one.")
    var allowDown = false

    func validate() throws {
      guard version > 0 else { throw ValidationError("--version is a positive number") }
      guard (0...2_592_000).contains(spread) else {
        throw ValidationError("--spread is from 0 to 2592000 seconds")
      }
      guard cohort.count <= DocumentLimits.cohortLabels, cohort.allSatisfy({ Token.isValid($0) })
      else { throw ValidationError("--cohort takes up to 32 labels of A-Z a-z 0-9 _ -") }
    }

    func run() throws {
      let percent = try part(percent)
      let metered = try meteredMaximum.map { text in
        do throws(AgentError) {
          return Int64(try ByteSize.parse(text, key: "--metered-maximum"))
        } catch {
          throw CommandFailure(.badInput, error.sentence)
        }
      }
      let director = try options.fleet.director(options.model)
      let target = try publishing { () throws(PublishingError) in
        try director.reference(version: version, now: secondsSince1970())
      }
      let salt = try randomBytes(8)
      try options.speak { (document) throws(PublishingError) in
        try document.startRollout(
          of: target, percent: percent, cohortLabels: cohort, spreadSeconds: spread, salt: salt,
          allowsDown: allowDown, meteredBytes: metered)
      }
    }
  }

  struct Advance: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Widens a rollout to its next stage, if the devices allow it.",
      discussion: """
        The stages are 1, 10, 50 and 100 percent unless --percent says otherwise. Refused while too \
        few devices have reached this stage, or too many have failed.

        Example:
          edgeserve rollout advance --model digits --keys keys --broker broker.local
        """)

    @OptionGroup var options: RolloutOptions

    @Option(help: "The next part of the fleet, in percent.")
    var percent: String?

    @Flag(help: "Widen it whatever devices tell.")
    var force = false

    func run() throws {
      let requested = try percent.map(part)
      if !force {
        let (_, assessment) = try options.assessment()
        guard assessment.verdict == .advance else {
          throw CommandFailure(
            .failure,
            "the rollout is not ready: \(AssessmentText.sentence(assessment)); "
              + (assessment.verdict == .abort
                ? "abort it, or use --force" : "wait, or use --force"))
        }
      }
      try options.speak { (document) throws(PublishingError) in
        try document.advance(
          to: requested ?? document.nextPercent ?? DirectorDocument.everyone)
      }
    }
  }

  struct Pause: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Holds a rollout: devices that have not begun wait.",
      discussion: """
        Example:
          edgeserve rollout pause --model digits --keys keys --broker broker.local
        """)
    @OptionGroup var options: RolloutOptions
    func run() throws { try options.speak { $0.isPaused = true } }
  }

  struct Resume: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lets a held rollout go on.",
      discussion: """
        Example:
          edgeserve rollout resume --model digits --keys keys --broker broker.local
        """)
    @OptionGroup var options: RolloutOptions
    func run() throws { try options.speak { $0.isPaused = false } }
  }

  struct Abort: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Ends a rollout: every device goes back to the version before.",
      discussion: """
        Example:
          edgeserve rollout abort --model digits --keys keys --broker broker.local
        """)
    @OptionGroup var options: RolloutOptions
    func run() throws {
      try options.speak { (document) throws(PublishingError) in try document.abort() }
    }
  }

  struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Tells how far a rollout is, and what to do next.",
      discussion: """
        Example:
          edgeserve rollout status --model digits --keys keys --broker broker.local
        """)
    @OptionGroup var options: RolloutOptions

    func run() throws {
      let (document, assessment) = try options.assessment()
      if options.json {
        try printJSON(AssessmentDocument(document, assessment))
      } else {
        try DirectorReport.tell(document, json: false)
        StandardError.line(AssessmentText.sentence(assessment))
        StandardError.line("next: \(assessment.verdict.rawValue)")
      }
    }
  }
}

/// An assessment in words.
enum AssessmentText {
  static func sentence(_ assessment: RolloutController.Assessment) -> String {
    "\(assessment.reached) devices have reached it, \(assessment.online) of the "
      + "\(assessment.meant) meant are online, \(assessment.failures) failed "
      + "(the rate lies from \(decimal(assessment.interval.lower * 100, digits: 1)) to "
      + "\(decimal(assessment.interval.upper * 100, digits: 1)) %)"
  }
}

/// An assessment as JSON.
struct AssessmentDocument: Encodable {
  var rollout: DirectorReport
  var next: String
  var meant: Int
  var online: Int
  var reached: Int
  var failures: Int

  init(
    _ document: DirectorDocument, _ assessment: RolloutController.Assessment, next: String? = nil
  ) {
    rollout = DirectorReport(document)
    self.next = next ?? assessment.verdict.rawValue
    meant = assessment.meant
    online = assessment.online
    reached = assessment.reached
    failures = assessment.failures
  }
}

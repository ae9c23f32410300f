import ArgumentParser
import Glibc
import ModelDelivery
import Publishing
import SignedDocuments

extension Rollout {
  /// Takes a rollout through its stages.
  struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Takes a rollout through its stages by itself, or takes it back.",
      discussion: """
        Looks at the fleet again and again: widens the rollout when enough devices of a stage keep \
        the version and too few failed, and aborts it when too many did. Ends with status 0 when \
        everyone has it, and with 1 when it was aborted, here or elsewhere. It keeps nothing: \
        stop it and start it again whenever you like. `rollout pause` holds it.

        Example:
          edgeserve rollout start --model digits --version 3 --percent 1 --keys keys --broker broker.local
          edgeserve rollout run --model digits --stages 1 10 50 --soak 3600 --keys keys --broker broker.local
        """)

    @OptionGroup var options: RolloutOptions

    @OptionGroup var policy: PolicyOptions

    @Option(
      parsing: .upToNextOption, help: "The parts of the fleet in percent; everyone is the last.")
    var stages: [String] = ["1", "10", "50", "100"]

    @Option(help: "Seconds between two looks.")
    var interval: Int64 = 30

    func validate() throws {
      guard (1...86_400).contains(interval) else {
        throw ValidationError("--interval is from 1 to 86400")
      }
      _ = try plan()
    }

    private func plan() throws -> RolloutPlan {
      let parts = stages.compactMap(Percent.hundredths)
      guard parts.count == stages.count, let plan = RolloutPlan(stages: parts) else {
        throw ValidationError("--stages takes percentages from 0.01 to 100 that rise")
      }
      return plan
    }

    func run() throws {
      let plan = try plan()
      while true {
        let (document, assessment) = try options.assessment(policy.policy)
        let step = plan.step(document, assessment)
        try tell(document, assessment, step)
        switch step {
        case .complete: return
        case .ended: throw CommandFailure(.failure, "no rollout of \(options.model) is under way")
        case .abort:
          try options.speak { (document) throws(PublishingError) in try document.abort() }
          throw CommandFailure(
            .failure, "the rollout was aborted: \(AssessmentText.sentence(assessment))")
        case .advance(let percent):
          let stage = document.stage
          try options.speak { (document) throws(PublishingError) in
            // Somebody else may have spoken since: a stage that is no more is not widened.
            guard document.stage == stage, !document.isPaused else {
              throw .rolloutChanged(model: document.model)
            }
            try document.advance(to: percent)
          }
        case .wait, .paused: sleep(UInt32(interval))
        }
      }
    }

    private func tell(
      _ document: DirectorDocument, _ assessment: RolloutController.Assessment,
      _ step: RolloutPlan.Step
    ) throws {
      let next =
        switch step {
        case .wait: "wait"
        case .paused: "paused"
        case .advance(let percent): "advance to \(Percent.text(percent))"
        case .abort: "abort"
        case .complete: "complete"
        case .ended: "ended"
        }
      if options.json {
        try printJSON(AssessmentDocument(document, assessment, next: next))
      } else {
        StandardError.line(
          "\(Percent.text(document.percent)): \(AssessmentText.sentence(assessment)); \(next)")
      }
    }
  }
}

/// When a stage is done, and when a rollout has gone wrong.
struct PolicyOptions: ParsableArguments {
  @Option(help: "Seconds that a stage lasts at least.")
  var soak: Int64 = RolloutController.Policy().soakSeconds

  @Option(help: "The rate of failures that is too high, in percent.")
  var maxFailureRate: Double = RolloutController.Policy().failureRate * 100

  @Option(help: "Devices that must have come to an end of a stage, or all of a smaller one.")
  var minReached: Int = RolloutController.Policy().reachedMinimum

  @Option(help: "Of a stage's devices that are there, the part that must have, in percent.")
  var reachedPart: Double = RolloutController.Policy().reachedPart * 100

  @Option(help: "Failures before which none are judged by their rate.")
  var minFailures: Int = RolloutController.Policy().failuresMinimum

  func validate() throws {
    guard (0...2_592_000).contains(soak) else {
      throw ValidationError("--soak is from 0 to 2592000 seconds")
    }
    guard maxFailureRate > 0, maxFailureRate <= 100 else {
      throw ValidationError("--max-failure-rate is above 0 and at most 100 percent")
    }
    guard (0...100).contains(reachedPart) else {
      throw ValidationError("--reached-part is from 0 to 100 percent")
    }
    guard minReached > 0, minFailures > 0 else {
      throw ValidationError("--min-reached and --min-failures are above 0")
    }
  }

  var policy: RolloutController.Policy {
    var policy = RolloutController.Policy()
    policy.soakSeconds = soak
    policy.failureRate = maxFailureRate / 100
    policy.reachedMinimum = minReached
    policy.reachedPart = reachedPart / 100
    policy.failuresMinimum = minFailures
    return policy
  }
}

import Agent
import JSONDocuments
import ModelDelivery

/// Names of problems, which are headings of the manual's page `problems.md`.
enum ProblemName {
  /// The page, as it is installed.
  static let page = "/usr/share/doc/edgeserve/manual/problems.md"
  /// What the agent says of models without a cause code of deliveries, by words that the sentence has.
  private static let words = [
    ("no version serves yet", "loading"), ("no version serves", "nothing-serves"),
    ("the label ", "label-target"), ("was taken back", "canary"),
    ("packed weights are in no file", "weights-in-memory"),
    ("is not connected", Cause.brokerUnreachable.rawValue),
  ]

  /// The name of a problem of the status document; nil for a sentence of a later agent.
  static func of(_ sentence: String) -> String? {
    if let cause = causes.first(where: { sentence.holds("(\($0))") }) { return cause }
    return words.first { sentence.holds($0.0) }?.1
  }

  private static let causes = Cause.allCases.map(\.rawValue)

  /// Every name that status and doctor show.
  static var all: [String] {
    causes + words.map(\.1).filter { !causes.contains($0) } + Finding.checks
  }
}

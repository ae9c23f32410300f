import ArgumentParser
import Publishing
import SignedDocuments

struct Rollback: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Sends every device back to an earlier version.",
    discussion: """
      The version before the present one, or the one named. A device that still has it needs no \
      download. No device goes below a release's security floor.

      Example:
        edgeserve rollback --model digits --keys keys --broker broker.local
      """)

  @OptionGroup var options: RolloutOptions

  @Option(help: "The version to go back to.")
  var version: Int64?

  func run() throws {
    let director = try options.fleet.director(options.model)
    let named = try version.map { version in
      try publishing { () throws(PublishingError) in
        try director.reference(version: version, now: secondsSince1970())
      }
    }
    try options.speak { (document) throws(PublishingError) in
      guard let target = named ?? document.fallback else {
        throw .noFallback(model: document.model)
      }
      document.rollBack(to: target)
    }
  }
}

struct Refresh: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Signs the director's last word anew, so that it does not run out.",
    discussion: """
      Devices whose director's word has run out go on serving and install nothing. Let a timer run \
      this well before that.

      Example:
        edgeserve refresh --model digits --expires-days 2 --keys keys --broker broker.local
      """)

  @OptionGroup var options: RolloutOptions

  func run() throws { try options.speak { _ in } }
}

import ArgumentParser
import Publishing

/// Who is to hold the root of a fleet.
struct HolderOptions: ParsableArguments {
  @Option(parsing: .upToNextOption, help: "The root.pub files of those who are to hold the root.")
  var rootKey: [String] = []

  @Option(help: "How many of them must sign a root document.")
  var rootThreshold: Int?

  /// The holders that are named; nil when none are.
  func named() throws -> RootHolders? {
    guard !rootKey.isEmpty else {
      guard rootThreshold == nil else {
        throw CommandFailure(.badInput, "--root-threshold goes with --root-key")
      }
      return nil
    }
    guard let threshold = rootThreshold ?? (rootKey.count == 1 ? 1 : nil) else {
      throw CommandFailure(.badInput, "say with --root-threshold how many of the holders must sign")
    }
    return try publishing { () throws(PublishingError) in
      try RootHolders(files: rootKey, threshold: threshold)
    }
  }
}

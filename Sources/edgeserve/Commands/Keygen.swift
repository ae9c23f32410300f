import ArgumentParser

struct Keygen: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Makes the keys of a fleet.")
}

import ArgumentParser

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Runs the agent on this device.")
}

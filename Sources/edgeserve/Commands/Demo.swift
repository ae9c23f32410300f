import ArgumentParser

struct Demo: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Runs broker, publisher, agent and app on this machine.")
}

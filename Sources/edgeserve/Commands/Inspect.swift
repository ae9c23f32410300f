import ArgumentParser

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Shows what a model file needs and whether it can run here.")
}

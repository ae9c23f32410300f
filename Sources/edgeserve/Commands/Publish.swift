import ArgumentParser

struct Publish: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Signs a bundle and publishes it to a broker.")
}

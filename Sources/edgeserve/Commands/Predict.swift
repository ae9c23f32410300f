import ArgumentParser

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Sends one request to a running agent.")
}

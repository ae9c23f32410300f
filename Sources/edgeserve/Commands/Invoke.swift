import ArgumentParser

struct Invoke: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Runs a model file on NumPy arrays.")
}

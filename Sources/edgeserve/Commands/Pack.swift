import ArgumentParser

struct Pack: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Packs a model file, labels and golden vectors into a bundle.")
}

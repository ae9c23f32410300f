import ArgumentParser

struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Shows in one screen how this device is doing.")
}

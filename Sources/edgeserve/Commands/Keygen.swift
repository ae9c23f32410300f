import ArgumentParser
import Cryptography
import Publishing

struct Keygen: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes the keys of a fleet.",
    discussion: """
      Writes the private and public keys of the three roles, and root.cose, the signed root document \
      that devices are to trust. Nothing is overwritten. Keep root.key away from the machine that \
      publishes; publish needs release.key, director.key and root.cose only.

      Example:
        edgeserve keygen --fleet demo --output-dir keys
      """)

  @Option(help: "The fleet's name: 1 to 64 of A-Z a-z 0-9 _ -.")
  var fleet: String

  @Option(help: "The directory to write to; it is made when it is missing.")
  var outputDir: String

  @Option(help: "Days until the root document expires.")
  var expiresDays: Int = 3650

  @Flag(help: "Print one JSON document to stdout.")
  var json = false

  func run() throws {
    guard (1...36_500).contains(expiresDays) else {
      throw CommandFailure(.badInput, "--expires-days is from 1 to 36500")
    }
    let keys: FleetKeys
    do throws(PublishingError) {
      keys = try FleetKeys.generate(
        fleet: fleet, expires: secondsSince1970() + Int64(expiresDays) * 86_400)
      try keys.write(to: outputDir)
    } catch {
      throw CommandFailure(error)
    }
    if json {
      try printJSON(
        KeygenDocument(
          fleet: fleet, rootFile: "\(outputDir)/root.cose",
          rootKey: hexadecimal(keys.root.publicKey.identifier),
          releaseKey: hexadecimal(keys.release.publicKey.identifier),
          directorKey: hexadecimal(keys.director.publicKey.identifier)))
    } else {
      StandardError.line("wrote the keys of fleet \(fleet) to \(outputDir)")
      StandardError.line("devices trust \(outputDir)/root.cose; keep \(outputDir)/root.key offline")
    }
  }
}

/// What `keygen` made, as JSON.
private struct KeygenDocument: Encodable {
  var fleet: String
  var rootFile: String
  var rootKey: String
  var releaseKey: String
  var directorKey: String

  enum CodingKeys: String, CodingKey {
    case fleet
    case rootFile = "root_file"
    case rootKey = "root_key"
    case releaseKey = "release_key"
    case directorKey = "director_key"
  }
}

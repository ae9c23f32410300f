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

      The root can be several people's: each makes a key with --holder and gives root.pub away, and \
      with --root-key the fleet gets a root document that so many of them must sign, with \
      edgeserve sign, before anybody trusts it.

      Examples:
        edgeserve keygen --fleet demo --output-dir keys
        edgeserve keygen --holder --output-dir alice
        edgeserve keygen --fleet demo --root-key alice.pub bob.pub carol.pub --root-threshold 2 \
          --output-dir keys
      """)

  @Option(help: "The fleet's name: 1 to 64 of A-Z a-z 0-9 _ -.")
  var fleet: String?

  @Option(help: "The directory to write to; it is made when it is missing.")
  var outputDir: String

  @Option(help: "Days until the root document expires.")
  var expiresDays: Int = 3650

  @Flag(help: "Make only a root key, for one of several who hold the root.")
  var holder = false

  @OptionGroup var holders: HolderOptions

  @Flag(help: "Print one JSON document to stdout.")
  var json = false

  func validate() throws {
    guard (1...36_500).contains(expiresDays) else {
      throw ValidationError("--expires-days is from 1 to 36500")
    }
    guard holder == (fleet == nil) else {
      throw ValidationError("give either --fleet or --holder")
    }
    guard !holder || holders.rootKey.isEmpty else {
      throw ValidationError("--holder makes one root key; --root-key is for the fleet's keys")
    }
  }

  func run() throws {
    let expires = secondsSince1970() + Int64(expiresDays) * 86_400
    if let fleet {
      if let holders = try holders.named() {
        let signing = try publishing { () throws(PublishingError) in
          try FleetKeys.generate(fleet: fleet, expires: expires, holders: holders, to: outputDir)
        }
        return try RootReport(signing, file: "\(outputDir)/root.cose").print(asJSON: json)
      }
      try generate(fleet, expires)
    } else {
      let key = try publishing { () throws(PublishingError) in
        try KeyDirectory.writeHolder(to: outputDir)
      }
      if json { try printJSON(["root_key": hexadecimal(key.identifier)]) }
      StandardError.line(
        "wrote \(outputDir)/root.key, to be kept offline, and root.pub, to be given away")
    }
  }

  private func generate(_ fleet: String, _ expires: Int64) throws {
    let keys = try publishing { () throws(PublishingError) in
      let keys = try FleetKeys.generate(fleet: fleet, expires: expires)
      try keys.write(to: outputDir)
      return keys
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

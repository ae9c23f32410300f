import ArgumentParser
import Cryptography
import Publishing
import SignedDocuments

struct Rotate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Replaces keys of a fleet.",
    discussion: """
      Writes new keys and the next root document, signed by the old and the new root key, to a new \
      directory. Publish from that directory: devices walk to the new root by themselves, also those \
      that were away for several of them. A release key that was replaced signs no release any more, \
      so publish a new version then.

      With --root-key the root goes to the holders of these keys. Where root.key is not in --keys, or \
      more than one must sign, root.cose is passed from holder to holder, who sign it with \
      edgeserve sign; until enough have, it cannot be published and no device takes it.

      Examples:
        edgeserve rotate --role director --keys keys --output-dir keys-2
        edgeserve rotate --root-key alice.pub bob.pub carol.pub --root-threshold 2 --keys keys \
          --output-dir keys-2
      """)

  @Option(help: "The directory with release.key, director.key and root.cose, and root.key if it is to sign now.")
  var keys: String

  @Option(help: "The directory to write to; it is made when it is missing.")
  var outputDir: String

  @Option(parsing: .upToNextOption, help: "The keys to replace: root, release, director.")
  var role: [String] = []

  @OptionGroup var holders: HolderOptions

  @Option(help: "Days until the new root document expires.")
  var expiresDays: Int = 3650

  @Flag(help: "Print one JSON document to stdout.")
  var json = false

  func validate() throws {
    guard !role.isEmpty || !holders.rootKey.isEmpty,
      role.allSatisfy({ Role(rawValue: $0) != nil })
    else { throw ValidationError("--role takes root, release and director") }
    guard (1...36_500).contains(expiresDays) else {
      throw ValidationError("--expires-days is from 1 to 36500")
    }
  }

  func run() throws {
    let rotation = RootRotation(
      roles: Set(role.compactMap(Role.init(rawValue:))),
      expires: secondsSince1970() + Int64(expiresDays) * 86_400, holders: try holders.named())
    let signing = try publishing { () throws(PublishingError) in
      try rotation.rotate(keys, into: outputDir)
    }
    try RootReport(signing, file: "\(outputDir)/root.cose").print(asJSON: json)
  }
}

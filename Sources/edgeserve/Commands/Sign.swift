import ArgumentParser
import Cryptography
import Publishing
import SignedDocuments

struct Sign: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Signs a root document as one of those who hold the root.",
    discussion: """
      Shows whom the document gives which role, compared with the root document before it, and adds \
      one holder's signature to the file, which is then passed on to the next holder. Needs no \
      network. --root is the root document that devices have now: its holders must sign as well as \
      the new ones, so many as each of the two documents asks for. A fleet's first root document has \
      none before it.

      Example:
        edgeserve sign root.cose --root present-root.cose --key root.key
      """)

  @Argument(help: "The root document to sign; the file is replaced by the signed one.")
  var file: String

  @Option(help: "The file with this holder's root key.")
  var key: String

  @Option(help: "The root document that devices have now; none for a fleet's first.")
  var root: String?

  @Flag(help: "Print one JSON document to stdout.")
  var json = false

  func run() throws {
    var signing = try publishing { () throws(PublishingError) in
      try RootSigning(readFile(file), former: try root.map(Self.trusted))
    }
    if !json { RootReport(signing, file: file).printChanges() }
    try publishing { () throws(PublishingError) in
      try signing.sign(with: try PublisherKeys.read(key, .root))
      try replaceFile(file, signing.message)
    }
    try RootReport(signing, file: file).print(asJSON: json)
  }

  private static func trusted(_ path: String) throws(PublishingError) -> TrustedRoot {
    let message = try readFile(path)
    do throws(DocumentError) { return try TrustedRoot(trusting: message) } catch {
      throw .document(error)
    }
  }
}

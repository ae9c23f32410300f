import ArgumentParser
import Cryptography
import Publishing
import SignedDocuments

struct Show: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints a signed document as JSON.",
    discussion: """
      Reads a root, release or director document as it is published. A root document is checked \
      against its own keys; the others against a trusted root document, when one is given. A \
      document whose signatures do not hold is printed all the same, and the exit status is 1.

      Example:
        edgeserve show keys/director-digits.cose --root keys/root.cose
      """)

  @Argument(help: "The document's file.")
  var file: String

  @Option(help: "The root document to check signatures against.")
  var root: String?

  func run() throws {
    let message = try read(file)
    guard let role = Role.allCases.first(where: { (try? SignedMessage(message, role: $0)) != nil })
    else { throw CommandFailure(.badInput, "\(file) is no signed document") }
    let shown: ShownDocument
    do throws(DocumentError) {
      shown = try ShownDocument(try SignedMessage(message, role: role))
    } catch {
      throw CommandFailure(.badInput, "\(file) is no \(role.rawValue) document: \(error)")
    }
    try printJSON(shown)
    do throws(DocumentError) {
      try check(message, shown, role)
    } catch {
      throw CommandFailure(.failure, "the signatures do not hold: \(error)")
    }
  }

  private func read(_ path: String) throws -> [UInt8] {
    do throws(PublishingError) {
      return try readFile(path, limit: DocumentLimits.messageBytes)
    } catch {
      throw CommandFailure(error)
    }
  }

  /// Throws unless the keys that are there to be asked signed the message; says what was asked.
  private func check(_ message: [UInt8], _ shown: ShownDocument, _ role: Role)
    throws(DocumentError)
  {
    guard role != .root else {
      _ = try TrustedRoot(trusting: message)
      return StandardError.line("signed by its own root keys")
    }
    guard let root, let rootMessage = try? readFile(root) else {
      return StandardError.line("signatures not checked: no root document given")
    }
    let trusted = try TrustedRoot(trusting: rootMessage)
    if let release = shown.release {
      _ = try trusted.authenticate(release: message, model: release.model)
    }
    if let director = shown.director {
      _ = try trusted.authenticate(director: message, model: director.model)
    }
    if let command = shown.command {
      _ = try trusted.authenticate(command: message, device: command.device)
    }
    StandardError.line("signed by the \(role.rawValue) keys of the root document")
  }
}

package import Cryptography
package import SignedDocuments

/// A root document on its way from one holder of a root key to the next, until enough have signed.
///
/// The file that is passed on is the message itself with the signatures so far. Nothing trusts it
/// before it is complete: whoever has the root before it asks for that root's threshold and for its
/// own.
package struct RootSigning: Sendable {
  /// Signatures that hold, and how many are needed.
  package struct Count: Sendable, Equatable {
    package var valid: Int
    package var needed: Int
    package var isReached: Bool { valid >= needed }

    package init(valid: Int, needed: Int) {
      self.valid = valid
      self.needed = needed
    }
  }

  package let document: RootDocument
  /// The root that devices have; nil for a fleet's first document.
  package let former: TrustedRoot?
  private var signed: SignedMessage

  /// A document that nobody has signed.
  init(_ document: RootDocument, former: TrustedRoot?) {
    self.document = document
    self.former = former
    signed = SignedMessage(role: .root, unsigned: document.encode())
  }

  /// Reads what was passed on, which must follow `former`.
  package init(_ message: [UInt8], former: TrustedRoot?) throws(PublishingError) {
    do throws(DocumentError) {
      signed = try SignedMessage(message, role: .root)
      document = try RootDocument.decode(signed.payload)
      let version = (former?.document.version ?? 0) + 1
      guard document.version == version else {
        throw DocumentError.wrongRootVersion(expected: version, actual: document.version)
      }
      if let fleet = former?.document.fleet, fleet != document.fleet {
        throw DocumentError.wrongFleet(expected: fleet, actual: document.fleet)
      }
    } catch {
      throw .document(error)
    }
    self.former = former
  }

  /// What is passed on.
  package var message: [UInt8] { signed.encode() }

  /// Signatures by the keys of the root that devices have; nil for the first document.
  package var formerCount: Count? { former.map { count($0.document) } }
  /// Signatures by the document's own root keys.
  package var ownCount: Count { count(document) }
  /// Whether devices take it.
  package var isComplete: Bool { ownCount.isReached && formerCount?.isReached ?? true }

  /// Adds one holder's signature.
  package mutating func sign(with key: PrivateKey) throws(PublishingError) {
    let holders = document.keys(of: .root) + (former?.document.keys(of: .root) ?? [])
    guard holders.contains(key.publicKey) else { throw .notAHolder }
    guard signed.validSignatureCount(of: [key.publicKey]) == 0 else { throw .signedAlready }
    do throws(CryptographyError) { try signed.add(key) } catch { throw .cryptography(error) }
  }

  private func count(_ document: RootDocument) -> Count {
    Count(
      valid: signed.validSignatureCount(of: document.keys(of: .root)),
      needed: document.threshold(of: .root))
  }
}

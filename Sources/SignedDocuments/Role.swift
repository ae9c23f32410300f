/// Who signs a document; each role has its own keys.
package enum Role: String, Sendable, CaseIterable, Hashable {
  case root, release, director

  /// The key of the role in a root document.
  var code: UInt64 {
    switch self {
    case .root: 1
    case .release: 2
    case .director: 3
    }
  }

  /// What a signature covers besides the message, so that none counts for another role.
  var signatureContext: [UInt8] { Array("edgeserve-1/\(rawValue)".utf8) }

  /// The content type in the protected header of a message.
  var contentType: String { "application/vnd.edgeserve.\(rawValue)+cbor" }
}

/// A secret that a client shows with every request, as `Authorization: Bearer …` (RFC 6750).
package struct BearerToken: Sendable {
  /// Bytes of a token at least and at most.
  package static let bytes = 16...512

  private static let scheme = Array("bearer ".utf8)
  private let secret: [UInt8]

  /// - Returns: nil for a token that is too short or too long, or not of visible characters.
  package init?(_ secret: [UInt8]) {
    guard Self.bytes.contains(secret.count), secret.allSatisfy({ (0x21...0x7E).contains($0) })
    else { return nil }
    self.secret = secret
  }

  /// Whether the field of a request shows this token; how long it takes tells nothing of it.
  package func matches(_ field: String?) -> Bool {
    let shown = Array((field ?? "").utf8)
    let scheme = shown.prefix(Self.scheme.count)
    guard scheme.count == Self.scheme.count,
      zip(scheme, Self.scheme).allSatisfy({ $0 | 0x20 == $1 })
    else { return false }
    let token = Array(shown.dropFirst(Self.scheme.count))
    var difference = token.count ^ secret.count
    // As many steps as the secret has bytes, whatever was shown.
    for index in secret.indices {
      let byte = index < token.count ? token[index] : 0
      difference |= Int(byte ^ secret[index])
    }
    return difference == 0
  }
}

package import ByteParsing

/// Why a signed document is refused.
package enum DocumentError: Error, Equatable, Sendable {
  /// The message has more bytes than any document.
  case tooLarge(limit: Int, actual: Int)
  /// The bytes are not the strict CBOR of the document.
  case malformed(CBORError)
  /// The message is for another role, or its headers are not those of an edgeserve message.
  case wrongHeader(expected: Role)
  /// A field holds a value that it may not: a bad name, a range, a sum that does not add up.
  case invalid(Field)
  /// Fewer keys of the role signed than its threshold asks for.
  case notEnoughSignatures(role: Role, needed: Int, valid: Int)
  /// The document is another fleet's.
  case wrongFleet(expected: String, actual: String)
  /// The document is another model's.
  case wrongModel(expected: String, actual: String)
  /// The release is not the one that the director names.
  case wrongRelease(expected: Int64, actual: Int64)
  /// A root document that is not the next version.
  case wrongRootVersion(expected: Int64, actual: Int64)
  /// The document's time is over: both in seconds since 1970.
  case expired(role: Role, expires: Int64, now: Int64)

  /// The fields whose values are checked beyond their kind.
  package enum Field: String, Sendable {
    case fleet, model, device, keys, keyIdentifier, roles, threshold, files, fileName, sizes
    case objectID, blockCount, tolerance, salt, cohort, percent, text, needs
  }
}

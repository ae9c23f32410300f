package import ByteParsing

/// Why a bundle cannot be read or made.
package enum BundleError: Error, Equatable, Sendable {
  /// The file cannot be mapped, or ends before its header.
  case unreadable(ParsingError)
  /// The file does not start as a bundle does.
  case notABundle
  /// The bundle's format is newer than this reader's.
  case unsupportedFormat(expected: Int, actual: Int)
  /// The header and the file disagree on the file's size.
  case wrongSize(expected: Int64, actual: Int64)
  /// The index is empty, or larger than any index.
  case indexByteCount(limit: Int, actual: Int)
  /// The index is not the one that the header names by its digest.
  case indexDigest
  /// The index is not the strict CBOR of an index.
  case malformedIndex(CBORError)
  /// File `file` of the index has a bad name, or does not lie where files lie.
  case misplacedFile(file: Int)
  /// Bytes between files are not zero.
  case padding(offset: Int)
  /// A role names a file that is not in the bundle.
  case missingFile
  /// The bytes of a file are not those that the index names by their digest.
  case fileDigest(file: Int)
  /// The labels are not UTF-8 lines within their limits.
  case labels
  /// The golden vectors are not the strict CBOR of golden vectors.
  case malformedVectors(CBORError)
  /// The model's name is not a token of 1 to 64 characters.
  case modelName
}

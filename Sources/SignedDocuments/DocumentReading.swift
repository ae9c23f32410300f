import ByteParsing
import Cryptography

/// Decodes the one map that `payload` is, and turns CBOR's errors into the document's.
func readDocument<Document>(
  _ payload: [UInt8], _ body: (inout CBORReader) throws(CBORError) -> Document
) throws(DocumentError) -> Document {
  do throws(CBORError) {
    var reader = CBORReader(payload)
    try reader.beginMap()
    let document = try body(&reader)
    try reader.endMap()
    try reader.finish()
    return document
  } catch {
    throw .malformed(error)
  }
}

extension CBORReader {
  /// A required integer of the open map.
  mutating func integer(_ key: UInt64, in range: ClosedRange<Int64>) throws(CBORError) -> Int64 {
    try require(key)
    return try integer(in: range)
  }

  /// An integer of the open map that may be absent.
  mutating func integerIfPresent(_ key: UInt64, in range: ClosedRange<Int64>) throws(CBORError)
    -> Int64?
  {
    try has(key) ? try integer(in: range) : nil
  }

  /// A required text of the open map.
  mutating func text(_ key: UInt64, maximum: Int) throws(CBORError) -> String {
    try require(key)
    return try text(maximum: maximum)
  }

  /// A text of the open map that may be absent.
  mutating func textIfPresent(_ key: UInt64, maximum: Int) throws(CBORError) -> String? {
    try has(key) ? try text(maximum: maximum) : nil
  }

  /// A required digest of the open map.
  mutating func digest(_ key: UInt64) throws(CBORError) -> Digest {
    try require(key)
    let start = offset
    guard let digest = Digest(try byteString(count: Digest.byteCount)) else {
      throw .outOfRange(offset: start)
    }
    return digest
  }

  /// A boolean of the open map; false when absent.
  mutating func flag(_ key: UInt64) throws(CBORError) -> Bool {
    try has(key) ? try boolean() : false
  }

  /// The items of a map inside the open map.
  mutating func map<T>(_ body: (inout CBORReader) throws(CBORError) -> T) throws(CBORError) -> T {
    try beginMap()
    let value = try body(&self)
    try endMap()
    return value
  }
}

/// A positive version, sequence or threshold.
let positive: ClosedRange<Int64> = 1...Int64.max
/// A size in bytes.
let byteSize: ClosedRange<Int64> = 0...DocumentLimits.rawBytes

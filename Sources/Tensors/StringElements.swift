/// The elements of a tensor of strings: one behind the other, each behind its length in four
/// little-endian bytes.
package enum StringElements {
  package static let lengthBytes = 4

  /// Appends an element.
  ///
  /// - Precondition: its length fits four bytes.
  package static func append(_ element: some Collection<UInt8>, to bytes: inout [UInt8]) {
    let count = UInt32(element.count)
    for shift in stride(from: 0, to: 32, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: count >> UInt32(shift)))
    }
    bytes.append(contentsOf: element)
  }

  /// Where `count` elements lie; nil when the bytes are not exactly so many.
  package static func ranges(_ bytes: ArraySlice<UInt8>, count: Int) -> [Range<Int>]? {
    // So many take these bytes at least; no room is made for what cannot be.
    guard count >= 0, count <= bytes.count / lengthBytes else { return nil }
    var ranges: [Range<Int>] = []
    ranges.reserveCapacity(count)
    var place = bytes.startIndex
    for _ in 0..<count {
      guard bytes.endIndex - place >= lengthBytes else { return nil }
      let length = bytes[place..<place + lengthBytes].reversed().reduce(0) { $0 << 8 | Int($1) }
      place += lengthBytes
      guard length <= bytes.endIndex - place else { return nil }
      ranges.append(place..<place + length)
      place += length
    }
    return place == bytes.endIndex ? ranges : nil
  }

  /// The elements as texts, where they are any; nil when the bytes are not exactly so many.
  package static func strings(_ bytes: [UInt8], count: Int) -> [String]? {
    ranges(bytes[...], count: count)?.map { String(decoding: bytes[$0], as: UTF8.self) }
  }

  /// The elements of `texts`.
  package static func bytes(_ texts: some Sequence<String>) -> [UInt8] {
    texts.reduce(into: []) { append(Array($1.utf8), to: &$0) }
  }
}

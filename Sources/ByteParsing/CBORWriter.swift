/// Writes the strict CBOR subset that `CBORReader` reads; equal input gives equal bytes.
package struct CBORWriter: Sendable {
  /// What has been written.
  package private(set) var bytes: [UInt8] = []

  package init() {}

  /// Appends an unsigned integer.
  package mutating func unsigned(_ value: UInt64) { head(.unsigned, value) }

  /// Appends an integer, negative ones as CBOR's negative kind.
  package mutating func integer(_ value: Int64) {
    if value < 0 {
      head(.negative, UInt64(-1 - value))
    } else {
      head(.unsigned, UInt64(value))
    }
  }

  /// Appends true or false.
  package mutating func boolean(_ value: Bool) { bytes.append(value ? 0xF5 : 0xF4) }

  /// Appends a byte string.
  package mutating func byteString(_ value: [UInt8]) {
    head(.bytes, UInt64(value.count))
    bytes += value
  }

  /// Appends a text string.
  package mutating func text(_ value: String) {
    head(.text, UInt64(value.utf8.count))
    bytes += Array(value.utf8)
  }

  /// Appends a tag; the next item is its content.
  package mutating func tag(_ number: UInt64) { head(.tag, number) }

  /// Appends the head of an array; its `count` items follow.
  package mutating func beginArray(_ count: Int) { head(.array, UInt64(count)) }

  /// Appends an array, each item written by `item`.
  package mutating func array<T>(_ items: [T], _ item: (inout CBORWriter, T) -> Void) {
    beginArray(items.count)
    for value in items { item(&self, value) }
  }

  /// Appends a map whose entries `body` adds.
  package mutating func map(_ body: (inout CBORMapWriter) -> Void) {
    var map = CBORMapWriter()
    body(&map)
    head(.map, UInt64(map.count))
    bytes += map.entries.bytes
  }

  private mutating func head(_ kind: CBORKind, _ value: UInt64) {
    let major = kind.rawValue << 5
    let width: Int
    switch value {
    case ..<24:
      bytes.append(major | UInt8(value))
      return
    case ..<0x100: width = 1
    case ..<0x1_0000: width = 2
    case ..<0x1_0000_0000: width = 4
    default: width = 8
    }
    bytes.append(major | UInt8(24 + width.trailingZeroBitCount))
    for i in (0..<width).reversed() { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * i))) }
  }
}

/// Collects the entries of one map; keys must be added in ascending order.
package struct CBORMapWriter: Sendable {
  fileprivate var entries = CBORWriter()
  fileprivate var count = 0
  private var lastKey: UInt64?

  /// Adds an entry whose value `value` writes as one item.
  package mutating func field(_ key: UInt64, _ value: (inout CBORWriter) -> Void) {
    precondition(lastKey.map { $0 < key } ?? true, "keys ascend")
    lastKey = key
    count += 1
    entries.unsigned(key)
    value(&entries)
  }

  /// Adds an unsigned integer; `value` is not negative.
  package mutating func unsigned(_ key: UInt64, _ value: Int64) {
    field(key) { $0.unsigned(UInt64(value)) }
  }

  /// Adds a boolean.
  package mutating func boolean(_ key: UInt64, _ value: Bool) { field(key) { $0.boolean(value) } }

  /// Adds a byte string.
  package mutating func byteString(_ key: UInt64, _ value: [UInt8]) {
    field(key) { $0.byteString(value) }
  }

  /// Adds a text string.
  package mutating func text(_ key: UInt64, _ value: String) { field(key) { $0.text(value) } }
}

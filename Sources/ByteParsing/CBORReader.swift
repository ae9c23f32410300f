/// Reads a strict subset of CBOR (RFC 8949): shortest forms, definite lengths, no floats, no null,
/// tags only where asked for, map keys unsigned and strictly ascending, bounded depth.
///
/// Input is untrusted: every count is checked against the bytes that are left before anything is
/// allocated for it.
package struct CBORReader: Sendable {
  /// Maps and arrays inside one another that are accepted.
  package static let depthMaximum = 4
  /// Keys from here on are ignored when they are unknown; a smaller unknown key is refused.
  package static let firstOptionalKey: UInt64 = 128

  private let bytes: ArraySlice<UInt8>
  private var position: Int
  private var containers: [Container] = []

  /// An open map or array.
  private struct Container {
    var itemsLeft: UInt64
    /// The key that was read but not yet asked for; maps only.
    var pendingKey: UInt64?
    var lastKey: UInt64?
  }

  /// A reader of the items in `bytes`.
  package init(_ bytes: [UInt8]) { self.init(bytes[...]) }

  /// A reader of the items in `bytes`.
  package init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    self.position = bytes.startIndex
  }

  /// Bytes read so far.
  package var offset: Int { position - bytes.startIndex }

  /// Throws unless every byte has been read.
  package func finish() throws(CBORError) {
    precondition(containers.isEmpty, "a container is still open")
    guard position == bytes.endIndex else {
      throw .trailingBytes(count: bytes.endIndex - position)
    }
  }


  /// An unsigned integer of at most `maximum`.
  package mutating func unsigned(maximum: UInt64 = .max) throws(CBORError) -> UInt64 {
    let start = offset
    let value = try head(.unsigned)
    guard value <= maximum else { throw .outOfRange(offset: start) }
    return value
  }

  /// An unsigned integer in `range`, whose lower bound is not negative.
  package mutating func integer(in range: ClosedRange<Int64>) throws(CBORError) -> Int64 {
    let start = offset
    guard let value = Int64(exactly: try head(.unsigned)), range.contains(value) else {
      throw .outOfRange(offset: start)
    }
    return value
  }

  /// An unsigned or negative integer.
  package mutating func signedInteger() throws(CBORError) -> Int64 {
    let start = offset
    let isNegative = try peek() >> 5 == CBORKind.negative.rawValue
    guard let value = Int64(exactly: try head(isNegative ? .negative : .unsigned)) else {
      throw .outOfRange(offset: start)
    }
    return isNegative ? -1 - value : value
  }

  /// True or false.
  package mutating func boolean() throws(CBORError) -> Bool {
    let byte = try peek()
    guard byte == 0xF4 || byte == 0xF5 else {
      throw .unexpectedKind(offset: offset, expected: .simple, initialByte: byte)
    }
    position += 1
    return byte == 0xF5
  }

  /// A byte string of at most `maximum` bytes.
  package mutating func byteString(maximum: Int) throws(CBORError) -> [UInt8] {
    Array(try string(.bytes, maximum: maximum))
  }

  /// Where the bytes of a byte string of at most `maximum` bytes lie, counted from the start.
  package mutating func byteStringRange(maximum: Int) throws(CBORError) -> Range<Int> {
    let string = try string(.bytes, maximum: maximum)
    return string.startIndex - bytes.startIndex..<string.endIndex - bytes.startIndex
  }

  /// A byte string of exactly `count` bytes.
  package mutating func byteString(count: Int) throws(CBORError) -> [UInt8] {
    let start = offset
    let string = try string(.bytes, maximum: count)
    guard string.count == count else { throw .outOfRange(offset: start) }
    return Array(string)
  }

  /// A text string of at most `maximum` bytes of UTF-8.
  package mutating func text(maximum: Int) throws(CBORError) -> String {
    let start = offset
    let string = try string(.text, maximum: maximum)
    guard let text = String(validating: string, as: UTF8.self) else {
      throw .invalidText(offset: start)
    }
    return text
  }

  /// The tag `number`; its content follows.
  package mutating func tag(_ number: UInt64) throws(CBORError) {
    let start = offset
    guard try head(.tag) == number else { throw .outOfRange(offset: start) }
  }


  /// Opens an array of at most `maximum` items and gives their count; `endArray` closes it.
  package mutating func beginArray(maximum: Int) throws(CBORError) -> Int {
    try begin(.array, maximum: maximum)
  }

  /// Closes the array whose items have all been read.
  package mutating func endArray() { containers.removeLast() }

  /// All items of an array of at most `maximum`, each read by `item`.
  package mutating func array<T>(
    maximum: Int, _ item: (inout CBORReader) throws(CBORError) -> T
  ) throws(CBORError) -> [T] {
    let count = try beginArray(maximum: maximum)
    var items: [T] = []
    items.reserveCapacity(count)
    for _ in 0..<count { items.append(try item(&self)) }
    endArray()
    return items
  }


  /// Opens a map; its keys are asked for in ascending order, and `endMap` closes it.
  package mutating func beginMap() throws(CBORError) {
    _ = try begin(.map, maximum: Int.max)
  }

  /// Throws unless the next item is a map without entries.
  package mutating func emptyMap() throws(CBORError) {
    _ = try begin(.map, maximum: 0)
    containers.removeLast()
  }

  /// Whether the open map holds `key`; its value is then the next item.
  package mutating func has(_ key: UInt64) throws(CBORError) -> Bool {
    try readPendingKey()
    guard containers[containers.count - 1].pendingKey == key else { return false }
    containers[containers.count - 1].pendingKey = nil
    return true
  }

  /// Throws unless the open map holds `key`; its value is then the next item.
  package mutating func require(_ key: UInt64) throws(CBORError) {
    guard try has(key) else { throw .missingKey(key) }
  }

  /// Closes a map: unknown keys from 128 on are passed over, a smaller one is refused.
  package mutating func endMap() throws(CBORError) {
    while true {
      try readPendingKey()
      guard let key = containers[containers.count - 1].pendingKey else { break }
      guard key >= CBORReader.firstOptionalKey else { throw .unknownKey(key) }
      containers[containers.count - 1].pendingKey = nil
      try skipItem()
    }
    containers.removeLast()
  }

  private mutating func readPendingKey() throws(CBORError) {
    let top = containers.count - 1
    guard containers[top].pendingKey == nil, containers[top].itemsLeft > 0 else { return }
    let key = try head(.unsigned)
    if let last = containers[top].lastKey, key <= last { throw .keyOrder(previous: last, key: key) }
    containers[top].pendingKey = key
    containers[top].lastKey = key
    containers[top].itemsLeft -= 1
  }

  /// Passes over one item of any kind in the subset.
  package mutating func skipItem() throws(CBORError) {
    let byte = try peek()
    switch CBORKind(rawValue: byte >> 5) {
    case .unsigned: _ = try head(.unsigned)
    case .negative: _ = try head(.negative)
    case .bytes: _ = try string(.bytes, maximum: bytes.count)
    case .text: _ = try text(maximum: bytes.count)
    case .array:
      for _ in 0..<(try beginArray(maximum: bytes.count)) { try skipItem() }
      endArray()
    case .map:
      try beginMap()
      while true {
        try readPendingKey()
        guard containers[containers.count - 1].pendingKey != nil else { break }
        containers[containers.count - 1].pendingKey = nil
        try skipItem()
      }
      containers.removeLast()
    case .simple where byte == 0xF4 || byte == 0xF5: _ = try boolean()
    case .tag, .simple, nil: throw .unsupported(offset: offset, initialByte: byte)
    }
  }


  private func peek() throws(CBORError) -> UInt8 {
    guard position < bytes.endIndex else {
      throw .truncated(offset: offset, needed: 1, available: 0)
    }
    return bytes[position]
  }

  /// Reads the head of an item of `kind` and gives its argument.
  private mutating func head(_ kind: CBORKind) throws(CBORError) -> UInt64 {
    let start = offset
    let byte = try peek()
    guard byte >> 5 == kind.rawValue else {
      throw .unexpectedKind(offset: start, expected: kind, initialByte: byte)
    }
    let short = byte & 31
    guard short >= 24 else {
      position += 1
      return UInt64(short)
    }
    guard short <= 27 else { throw .unsupported(offset: start, initialByte: byte) }
    let width = 1 << Int(short - 24)
    guard bytes.endIndex - position > width else {
      throw .truncated(
        offset: start, needed: UInt64(width + 1), available: bytes.endIndex - position)
    }
    var value: UInt64 = 0
    for i in 1...width { value = value << 8 | UInt64(bytes[position + i]) }
    // The smallest value that needs this width.
    let least: UInt64 = width == 1 ? 24 : 1 << (4 * UInt64(width))
    guard value >= least else { throw .notShortest(offset: start) }
    position += 1 + width
    return value
  }

  private mutating func string(_ kind: CBORKind, maximum: Int) throws(CBORError)
    -> ArraySlice<UInt8>
  {
    let start = offset
    let count = try head(kind)
    guard count <= UInt64(maximum) else {
      throw .tooLong(offset: start, limit: maximum, actual: count)
    }
    guard count <= UInt64(bytes.endIndex - position) else {
      throw .truncated(offset: offset, needed: count, available: bytes.endIndex - position)
    }
    let string = bytes[position..<position + Int(count)]
    position += Int(count)
    return string
  }

  private mutating func begin(_ kind: CBORKind, maximum: Int) throws(CBORError) -> Int {
    let start = offset
    let count = try head(kind)
    guard containers.count < CBORReader.depthMaximum else {
      throw .tooDeep(limit: CBORReader.depthMaximum)
    }
    guard count <= UInt64(maximum) else {
      throw .tooLong(offset: start, limit: maximum, actual: count)
    }
    // Every item takes a byte at least, a map's entry two.
    let left = UInt64(bytes.endIndex - position)
    guard count <= (kind == .map ? left / 2 : left) else {
      throw .truncated(offset: offset, needed: count, available: Int(left))
    }
    containers.append(Container(itemsLeft: kind == .map ? count : 0))
    return Int(count)
  }
}

/// Reads one message of the Protocol Buffers wire format, field by field, without copying what it
/// reads; messages within it are readers of the same bytes.
///
/// Every read is checked against the end of the message, whatever lengths it claims. After `next`
/// the value of the field must be read or skipped.
///
/// Source: Protocol Buffers, Encoding.
package struct ProtobufReader: Sendable {
  private static let fieldMaximum: UInt64 = (1 << 29) - 1

  private let storage: [UInt8]
  private var position: Int
  private let end: Int

  package init(_ bytes: [UInt8]) {
    storage = bytes
    position = 0
    end = bytes.count
  }

  private init(_ storage: [UInt8], _ range: Range<Int>) {
    self.storage = storage
    position = range.lowerBound
    end = range.upperBound
  }

  /// Bytes that are left.
  package var remainingCount: Int { end - position }

  /// The next field; nil at the end of the message.
  package mutating func next() throws(ProtobufError) -> ProtobufField? {
    guard position < end else { return nil }
    let offset = position
    let key = try varint()
    guard let wireType = ProtobufWireType(rawValue: UInt8(key & 7)), key >> 3 > 0,
      key >> 3 <= Self.fieldMaximum
    else { throw .invalidKey(offset: offset) }
    return ProtobufField(number: Int(key >> 3), wireType: wireType)
  }

  /// Passes over the value of `field`.
  package mutating func skip(_ field: ProtobufField) throws(ProtobufError) {
    switch field.wireType {
    case .varint: _ = try varint()
    case .fixed64: try advance(8)
    case .delimited: _ = try delimitedRange()
    case .fixed32: try advance(4)
    }
  }

  /// The value of an integer field of any width; negative ones as two's complement.
  package mutating func integer(_ field: ProtobufField) throws(ProtobufError) -> UInt64 {
    try expect(.varint, field)
    return try varint()
  }

  package mutating func int64(_ field: ProtobufField) throws(ProtobufError) -> Int64 {
    Int64(bitPattern: try integer(field))
  }

  package mutating func bool(_ field: ProtobufField) throws(ProtobufError) -> Bool {
    try integer(field) != 0
  }

  package mutating func double(_ field: ProtobufField) throws(ProtobufError) -> Double {
    try expect(.fixed64, field)
    return Double(bitPattern: try fixed(UInt64.self))
  }

  /// The bytes of a field, shared with the message.
  package mutating func bytes(_ field: ProtobufField) throws(ProtobufError) -> ArraySlice<UInt8> {
    try expect(.delimited, field)
    return storage[try delimitedRange()]
  }

  package mutating func text(_ field: ProtobufField) throws(ProtobufError) -> String {
    let bytes = try bytes(field)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .invalidText(field: field.number)
    }
    return text
  }

  /// A reader of the message that a field holds.
  package mutating func message(_ field: ProtobufField) throws(ProtobufError) -> ProtobufReader {
    try expect(.delimited, field)
    return ProtobufReader(storage, try delimitedRange())
  }

  /// The elements of a repeated integer field, packed or one by one, each handed to `element`.
  package mutating func integers(
    _ field: ProtobufField, _ element: (UInt64) throws(ProtobufError) -> Void
  ) throws(ProtobufError) {
    guard field.wireType == .delimited else {
      try element(try integer(field))
      return
    }
    var packed = try message(field)
    while packed.position < packed.end { try element(try packed.varint()) }
  }

  /// The little-endian bytes of the elements of a repeated field of four bytes each, packed or one
  /// by one.
  package mutating func fixed32Elements(
    _ field: ProtobufField
  ) throws(ProtobufError) -> ArraySlice<UInt8> {
    try fixedElements(field, .fixed32, width: 4)
  }

  /// The little-endian bytes of the elements of a repeated field of eight bytes each, packed or one
  /// by one.
  package mutating func fixed64Elements(
    _ field: ProtobufField
  ) throws(ProtobufError) -> ArraySlice<UInt8> {
    try fixedElements(field, .fixed64, width: 8)
  }

  private mutating func fixedElements(
    _ field: ProtobufField, _ single: ProtobufWireType, width: Int
  ) throws(ProtobufError) -> ArraySlice<UInt8> {
    let offset = position
    if field.wireType == single {
      try advance(width)
      return storage[offset..<position]
    }
    let packed = try bytes(field)
    guard packed.count % width == 0 else { throw .truncated(offset: offset) }
    return packed
  }

  private func expect(
    _ wireType: ProtobufWireType, _ field: ProtobufField
  ) throws(ProtobufError) {
    guard field.wireType == wireType else {
      throw .wrongWireType(field: field.number, expected: wireType, actual: field.wireType)
    }
  }

  private mutating func varint() throws(ProtobufError) -> UInt64 {
    let offset = position
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while position < end {
      let byte = storage[position]
      position += 1
      // The tenth byte holds the last bit.
      guard shift < 63 || byte <= 1 else { throw .integerTooLong(offset: offset) }
      value |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return value }
      shift += 7
    }
    throw .truncated(offset: offset)
  }

  private mutating func fixed<T: FixedWidthInteger>(_: T.Type) throws(ProtobufError) -> T {
    let offset = position
    try advance(MemoryLayout<T>.size)
    return storage[offset..<position].reversed().reduce(0) { $0 << 8 | T($1) }
  }

  private mutating func delimitedRange() throws(ProtobufError) -> Range<Int> {
    let offset = position
    let count = try varint()
    guard count <= UInt64(end - position) else { throw .truncated(offset: offset) }
    let start = position
    position += Int(count)
    return start..<position
  }

  private mutating func advance(_ count: Int) throws(ProtobufError) {
    guard count <= end - position else { throw .truncated(offset: position) }
    position += count
  }
}

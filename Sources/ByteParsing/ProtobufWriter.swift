/// Writes one message of the Protocol Buffers wire format.
///
/// As the third edition of the language wants it, numbers that are zero, texts that are empty and
/// packed lists without elements are left out, unless a method says otherwise.
package struct ProtobufWriter: Sendable {
  /// What has been written, behind the room that was reserved.
  package private(set) var bytes: [UInt8] = []

  /// - Parameters:
  ///   - prefix: Zero bytes that stand before the message, for the caller to fill.
  ///   - capacity: Bytes that the message is expected to take.
  package init(prefix: Int = 0, capacity: Int = 0) {
    bytes.reserveCapacity(prefix + capacity)
    bytes.append(contentsOf: repeatElement(0, count: prefix))
  }

  package mutating func integer(_ field: Int, _ value: UInt64) {
    guard value != 0 else { return }
    key(field, .varint)
    varint(value)
  }

  package mutating func int64(_ field: Int, _ value: Int64) {
    integer(field, UInt64(bitPattern: value))
  }

  package mutating func bool(_ field: Int, _ value: Bool) { integer(field, value ? 1 : 0) }

  package mutating func float(_ field: Int, _ value: Float) {
    guard value.bitPattern != 0 else { return }
    key(field, .fixed32)
    append(value.bitPattern)
  }

  package mutating func double(_ field: Int, _ value: Double) {
    guard value.bitPattern != 0 else { return }
    key(field, .fixed64)
    append(value.bitPattern)
  }

  package mutating func text(_ field: Int, _ value: String) {
    guard !value.isEmpty else { return }
    element(field, value)
  }

  /// One element of a repeated text field, which may be empty.
  package mutating func element(_ field: Int, _ value: String) {
    key(field, .delimited)
    varint(UInt64(value.utf8.count))
    bytes.append(contentsOf: value.utf8)
  }

  /// One number, written even when it is zero, as members of a choice are.
  package mutating func element(_ field: Int, _ value: UInt64) {
    key(field, .varint)
    varint(value)
  }

  /// Bytes, written even when there are none: an element of a repeated field, or packed numbers that
  /// lie as the wire wants them.
  package mutating func bytes(_ field: Int, _ value: some Collection<UInt8>) {
    key(field, .delimited)
    varint(UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  /// Packed integers; negative ones as two's complement of 64 bits.
  package mutating func packed(_ field: Int, _ values: some Sequence<UInt64>) {
    var list = ProtobufWriter()
    for value in values { list.varint(value) }
    guard !list.bytes.isEmpty else { return }
    bytes(field, list.bytes)
  }

  /// A message, written even when it is empty.
  package mutating func message(_ field: Int, _ body: (inout ProtobufWriter) -> Void) {
    var message = ProtobufWriter()
    body(&message)
    bytes(field, message.bytes)
  }

  /// One entry of a map from text to messages.
  package mutating func entry(
    _ field: Int, _ name: String, _ value: (inout ProtobufWriter) -> Void
  ) {
    message(field) { entry in
      entry.text(1, name)
      entry.message(2, value)
    }
  }

  private mutating func key(_ field: Int, _ wireType: ProtobufWireType) {
    varint(UInt64(field) << 3 | UInt64(wireType.rawValue))
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func append<T: FixedWidthInteger>(_ value: T) {
    for shift in stride(from: 0, to: T.bitWidth, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> T(shift)))
    }
  }
}

/// Writes small FlatBuffers, also ones that no honest writer would make.
///
/// Tables, vectors and strings are values; the writer lays each out behind what points at it, so
/// that all offsets are forward, and gives each table a vtable of its own.
package enum FlatBufferField: Sendable {
  case absent
  case int8(Int8)
  case int32(Int32)
  case uint32(UInt32)
  case uint64(UInt64)
  case float(Float)
  case string(String)
  case bytes([UInt8])
  case int32s([Int32])
  case int64s([Int64])
  case floats([Float])
  case table([FlatBufferField])
  case tables([[FlatBufferField]])
  /// An offset written as it is, whatever lies there.
  case rawOffset(UInt32)
}

package struct FlatBufferWriter {
  private var bytes: [UInt8] = []

  /// The file with `root` as its root table.
  package static func file(identifier: String, root: [FlatBufferField]) -> [UInt8] {
    var writer = FlatBufferWriter()
    writer.bytes = [0, 0, 0, 0] + Array(identifier.utf8)
    let table = writer.table(root)
    writer.patch(0, UInt32(table))
    return writer.bytes
  }

  private mutating func align(_ size: Int) {
    while bytes.count % size != 0 { bytes.append(0) }
  }

  private mutating func append<T: FixedWidthInteger>(_ value: T) {
    for shift in stride(from: 0, to: T.bitWidth, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> T(shift)))
    }
  }

  private mutating func patch(_ place: Int, _ value: UInt32) {
    for byte in 0..<4 {
      bytes[place + byte] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(byte)))
    }
  }

  /// Writes a table and all that it points at; its place.
  private mutating func table(_ fields: [FlatBufferField]) -> Int {
    align(8)
    let vtable = bytes.count
    let vtableByteCount = 4 + 2 * fields.count
    bytes += Array(repeating: 0, count: vtableByteCount)
    align(8)
    let start = bytes.count
    append(Int32(start - vtable))
    var pending: [(place: Int, field: FlatBufferField)] = []
    for (index, field) in fields.enumerated() {
      if case .absent = field { continue }
      if case .uint64 = field { align(8) } else { align(4) }
      let entry = UInt16(bytes.count - start)
      bytes[vtable + 4 + 2 * index] = UInt8(entry & 0xFF)
      bytes[vtable + 5 + 2 * index] = UInt8(entry >> 8)
      switch field {
      case .absent: break
      case .int8(let value): append(value)
      case .int32(let value): append(value)
      case .uint32(let value), .rawOffset(let value): append(value)
      case .uint64(let value): append(value)
      case .float(let value): append(value.bitPattern)
      default:
        pending.append((bytes.count, field))
        append(UInt32(0))
      }
    }
    let sizes = [UInt16(vtableByteCount), UInt16(bytes.count - start)]
    for (index, size) in sizes.enumerated() {
      bytes[vtable + 2 * index] = UInt8(size & 0xFF)
      bytes[vtable + 2 * index + 1] = UInt8(size >> 8)
    }
    for (place, field) in pending { patch(place, UInt32(content(of: field) - place)) }
    return start
  }

  /// Writes what an offset points at; its place.
  private mutating func content(of field: FlatBufferField) -> Int {
    switch field {
    case .table(let fields): return table(fields)
    case .string(let text): return vector(Array(text.utf8) + [0], count: text.utf8.count)
    case .bytes(let bytes): return vector(bytes, count: bytes.count)
    case .int32s(let values): return vector(values)
    case .int64s(let values): return vector(values)
    case .floats(let values): return vector(values.map(\.bitPattern))
    case .tables(let tables):
      let start = vector(tables.map { _ in UInt32(0) })
      for (index, fields) in tables.enumerated() {
        let place = start + 4 + 4 * index
        patch(place, UInt32(table(fields) - place))
      }
      return start
    case .absent, .int8, .int32, .uint32, .uint64, .float, .rawOffset:
      preconditionFailure("a scalar has no content")
    }
  }

  private mutating func vector(_ elements: [UInt8], count: Int) -> Int {
    align(4)
    let start = bytes.count
    append(UInt32(count))
    bytes += elements
    return start
  }

  private mutating func vector<T: FixedWidthInteger>(_ values: [T]) -> Int {
    align(4)
    // 64-bit elements are aligned, not their count.
    if T.bitWidth == 64, bytes.count % 8 == 0 { append(UInt32(0)) }
    let start = bytes.count
    append(UInt32(values.count))
    for value in values { append(value) }
    return start
  }
}

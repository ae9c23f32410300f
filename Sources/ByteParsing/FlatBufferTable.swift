/// A table of a FlatBuffer, verified as it is read; fields are named by their place in the schema.
///
/// Opening a table checks it and its vtable; reading a field checks that the field lies in the
/// table and what it points at in the buffer. Nothing recurses and nothing is trusted, so any bytes
/// may be read.
package struct FlatBufferTable {
  /// The whole buffer; offsets count from its start.
  let bytes: ByteView
  let allowance: FlatBufferAllowance
  /// The table's own place in the buffer.
  package let offset: Int
  private let vtable: Int
  private let vtableByteCount: Int
  private let tableByteCount: Int

  /// Opens the root table of `bytes`, which must carry `identifier` (four ASCII characters).
  package init(root bytes: ByteView, identifier: StaticString) throws(ParsingError) {
    let expected = identifier.withUTF8Buffer { unsafe [UInt8]($0) }
    for (index, byte) in expected.enumerated() where try bytes.byte(at: 4 + index) != byte {
      throw .wrongIdentifier
    }
    try self.init(
      at: Int(bytes.load(UInt32.self, at: 0)), in: bytes,
      allowance: FlatBufferAllowance(fileByteCount: bytes.count))
  }

  init(at offset: Int, in bytes: ByteView, allowance: FlatBufferAllowance) throws(ParsingError) {
    let distance = Int(try bytes.load(Int32.self, at: offset))
    // Both are within 33 bits, so the difference cannot overflow.
    let vtable = offset - distance
    let vtableByteCount = Int(try bytes.load(UInt16.self, at: vtable))
    let tableByteCount = Int(try bytes.load(UInt16.self, at: vtable + 2))
    guard vtableByteCount >= 4, vtableByteCount % 2 == 0, tableByteCount >= 4 else {
      throw .malformedVTable(offset: offset)
    }
    _ = try bytes.slice(at: vtable, count: vtableByteCount)
    _ = try bytes.slice(at: offset, count: tableByteCount)
    self.bytes = bytes
    self.allowance = allowance
    self.offset = offset
    self.vtable = vtable
    self.vtableByteCount = vtableByteCount
    self.tableByteCount = tableByteCount
  }

  /// Where the `size` bytes of `field` are; nil when the table leaves the field out.
  private func place(of field: Int, size: Int) throws(ParsingError) -> Int? {
    let entry = 4 + 2 * field
    guard entry + 2 <= vtableByteCount else { return nil }
    let distance = Int(try bytes.load(UInt16.self, at: vtable + entry))
    guard distance != 0 else { return nil }
    guard distance >= 4, distance + size <= tableByteCount else {
      throw .malformedVTable(offset: offset)
    }
    return offset + distance
  }

  /// What the unsigned offset stored in `field` points at; nil when the field is left out.
  private func target(of field: Int) throws(ParsingError) -> Int? {
    guard let place = try place(of: field, size: 4) else { return nil }
    return place + Int(try bytes.load(UInt32.self, at: place))
  }

  /// The integer in `field`, or the schema's default.
  package func integer<T: FixedWidthInteger & BitwiseCopyable>(
    _ field: Int, default value: T
  ) throws(ParsingError) -> T {
    guard let place = try place(of: field, size: MemoryLayout<T>.size) else { return value }
    return try bytes.load(T.self, at: place)
  }

  /// The 32-bit float in `field`, or the schema's default.
  package func float(_ field: Int, default value: Float) throws(ParsingError) -> Float {
    Float(bitPattern: try integer(field, default: value.bitPattern))
  }

  /// The truth value in `field`, or the schema's default; any byte but 0 is true.
  package func bool(_ field: Int, default value: Bool = false) throws(ParsingError) -> Bool {
    try integer(field, default: UInt8(value ? 1 : 0)) != 0
  }

  /// The table that `field` points at; nil when left out.
  package func table(_ field: Int) throws(ParsingError) -> FlatBufferTable? {
    guard let target = try target(of: field) else { return nil }
    return try FlatBufferTable(at: target, in: bytes, allowance: allowance)
  }

  /// The UTF-8 text that `field` points at; nil when left out.
  package func string(_ field: Int) throws(ParsingError) -> String? {
    guard let text = try byteVector(field) else { return nil }
    try allowance.charge(text.count, at: offset)
    let array = text.array
    guard let string = String(validating: array, as: UTF8.self) else {
      throw .invalidString(offset: offset)
    }
    return string
  }

  /// The bytes that `field` points at, without a copy; nil when left out.
  package func byteVector(_ field: Int) throws(ParsingError) -> ByteView? {
    try vector(field, elementByteCount: 1)?.bytes
  }

  /// The integers that `field` points at; nil when left out.
  package func integers<T: FixedWidthInteger & BitwiseCopyable>(
    _ field: Int, as _: T.Type, limit: Int = FlatBufferAllowance.elementCountMaximum
  ) throws(ParsingError) -> [T]? {
    let size = MemoryLayout<T>.size
    guard let vector = try vector(field, elementByteCount: size) else { return nil }
    try check(vector.count, limit: limit, elementByteCount: size)
    // At once: models have tens of thousands of scales.
    let result = unsafe [T](unsafeUninitializedCapacity: vector.count) { elements, initialized in
      unsafe vector.bytes.withUnsafeBytes { bytes in
        // Sound: the vector has `count` elements of this size, and so has the array room.
        unsafe UnsafeMutableRawBufferPointer(elements).copyMemory(from: bytes)
      }
      initialized = vector.count
    }
    return T(littleEndian: 1) == 1 ? result : result.map { T(littleEndian: $0) }
  }

  /// The 32-bit floats that `field` points at; nil when left out.
  package func floats(
    _ field: Int, limit: Int = FlatBufferAllowance.elementCountMaximum
  ) throws(ParsingError) -> [Float]? {
    try integers(field, as: UInt32.self, limit: limit)?.map { Float(bitPattern: $0) }
  }

  /// The tables that the offsets in the vector at `field` point at; empty when left out.
  package func tables(_ field: Int, limit: Int) throws(ParsingError) -> [FlatBufferTable] {
    guard let place = try target(of: field) else { return [] }
    guard let offsets = try integers(field, as: UInt32.self, limit: limit) else { return [] }
    var result: [FlatBufferTable] = []
    result.reserveCapacity(offsets.count)
    for (index, distance) in offsets.enumerated() {
      let target = place + 4 + 4 * index + Int(distance)
      result.append(try FlatBufferTable(at: target, in: bytes, allowance: allowance))
    }
    return result
  }

  private func vector(
    _ field: Int, elementByteCount: Int
  ) throws(ParsingError) -> (bytes: ByteView, count: Int)? {
    guard let place = try target(of: field) else { return nil }
    let count = Int(try bytes.load(UInt32.self, at: place))
    // Within 32 + 3 bits.
    return (try bytes.slice(at: place + 4, count: count * elementByteCount), count)
  }

  private func check(
    _ count: Int, limit: Int, elementByteCount: Int
  ) throws(ParsingError) {
    guard count <= limit else { throw .tooManyElements(offset: offset, count: count, limit: limit) }
    try allowance.charge(count * elementByteCount, at: offset)
  }
}

/// The device's durable state: two slots of 4096 bytes, written in turn, the newest valid one
/// counts.
///
/// A slot is: magic (8 bytes), generation (8), payload byte count (4), CRC-32C of the slot from the
/// generation on without the checksum itself (4), payload; numbers little-endian. The file has its
/// full size from the start, so that a save needs no space, and a torn save leaves the other slot.
final class StateFile {
  private static let magic = Array("edgestat".utf8)
  private static let headerBytes = 24
  /// Bytes of the largest payload.
  static let payloadBytesMaximum = StorageLimits.stateSlotBytes - headerBytes

  private let files: any FileSystem
  private let file: OpenFile
  private var generation: UInt64 = 0
  /// The newest saved payload; nil before the first save.
  private(set) var payload: [UInt8]?

  init(_ files: any FileSystem) throws(StorageError) {
    self.files = files
    file = try files.open(StoreLayout.stateFile, creating: true)
    do {
      let size = 2 * StorageLimits.stateSlotBytes
      if try files.size(file) < size {
        try files.reserve(file, byteCount: size)
        try files.synchronize(file)
      }
      try files.synchronizeDirectory(StoreLayout.state)
      for slot in 0..<2 {
        let bytes = try files.read(
          file, count: StorageLimits.stateSlotBytes, at: slot * StorageLimits.stateSlotBytes)
        guard let (found, content) = Self.decode(bytes), found % 2 == slot else { continue }
        if found > generation { (generation, payload) = (found, content) }
      }
    } catch {
      files.close(file)
      throw error
    }
  }

  deinit { files.close(file) }

  /// Makes `payload` the durable state; on failure the state before it stays.
  func save(_ payload: [UInt8]) throws(StorageError) {
    guard payload.count <= Self.payloadBytesMaximum else {
      throw .invalidSize(limit: Self.payloadBytesMaximum, actual: payload.count)
    }
    // Odd generations live in slot 1, even ones in slot 0: the next one overwrites the older.
    let next = generation + 1
    let slot = Int(next % 2)
    try files.write(
      file, Self.encode(next, payload), at: slot * StorageLimits.stateSlotBytes)
    try files.synchronize(file)
    generation = next
    self.payload = payload
  }

  static func encode(_ generation: UInt64, _ payload: [UInt8]) -> [UInt8] {
    let covered = littleEndian(generation) + littleEndian(UInt32(payload.count)) + payload
    let checksum = littleEndian(CRC32C.checksum(covered))
    let slot = magic + covered.prefix(12) + checksum + payload
    return slot + [UInt8](repeating: 0, count: StorageLimits.stateSlotBytes - slot.count)
  }

  static func decode(_ slot: [UInt8]) -> (generation: UInt64, payload: [UInt8])? {
    guard slot.count == StorageLimits.stateSlotBytes, Array(slot[..<8]) == magic else { return nil }
    let generation = UInt64(number(slot[8..<16]))
    let count = number(slot[16..<20])
    guard generation > 0, generation < .max, count <= UInt64(payloadBytesMaximum) else {
      return nil
    }
    let payload = Array(slot[headerBytes..<headerBytes + Int(count)])
    let checksum = UInt64(CRC32C.checksum(slot[8..<20] + payload))
    return checksum == number(slot[20..<24]) ? (generation, payload) : nil
  }

  private static func littleEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> T(8 * $0)) }
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}

/// Every bound of the store, in one place.
package enum StorageLimits {
  /// Bytes of one slot of the state file.
  package static let stateSlotBytes = 4096
  /// The longest name of a model, in bytes.
  package static let nameBytesMaximum = 64
  /// The largest bundle, in bytes.
  package static let bundleBytesMaximum = 1 << 30
  /// The largest signed release, in bytes.
  package static let releaseBytesMaximum = 32 * 1024
  /// Bytes read at a time when a file is hashed.
  package static let readBytes = 64 * 1024
  /// Bytes of a version being fetched after which what was written is made durable, and the bounds
  /// of that: erase blocks of SD cards and eMMC commonly have 4 MiB.
  package static let syncStrideBytes = 4 << 20
  package static let syncStrideRange = 256 << 10 ... 64 << 20
  /// Bytes of packed weights that are written at a time, and those of the largest file of them.
  package static let packedWriteBytes = 256 * 1024
  package static let packedBytesMaximum = 1 << 34
  /// The most entries of one directory that are looked at.
  package static let directoryEntriesMaximum = 4096
}

package import Cryptography

/// Verified versions, the one being fetched per model, and the durable state, below one directory.
///
/// `store/<model>/<version>/{bundle,release.cose}`, `staging/<model>/<key>/…` of the same shape,
/// and `state/state`. Used by one thread. Nothing in `store` was ever written in place: a version
/// comes into being by the rename of its synced folder.
package final class ModelStore {
  /// What is to be staged.
  package struct Staging: Sendable, Equatable {
    package var model: String
    package var version: Int64
    /// SHA-256 of the signed release message: one staging folder never serves two releases.
    package var manifest: Digest
    /// Bytes of the bundle.
    package var byteCount: Int
    /// The signed release message.
    package var release: [UInt8]

    package init(
      model: String, version: Int64, manifest: Digest, byteCount: Int, release: [UInt8]
    ) {
      self.model = model
      self.version = version
      self.manifest = manifest
      self.byteCount = byteCount
      self.release = release
    }

    var folder: String { "\(version)-\(manifest.hex.prefix(16))" }
  }

  /// A version by name.
  package struct Version: Hashable, Sendable {
    package var model: String
    package var version: Int64
    package init(model: String, version: Int64) {
      self.model = model
      self.version = version
    }
  }

  let files: any FileSystem
  private let stateFile: StateFile
  var staged: [String: Staged] = [:]
  /// Bytes of a staged version after which what was written is made durable.
  let syncStrideBytes: Int

  /// A version that is being fetched.
  struct Staged {
    let staging: Staging
    let file: OpenFile
    var stride: SyncStride
  }

  /// - Parameter syncStrideBytes: above zero; what is configured lies in
  ///   `StorageLimits.syncStrideRange`.
  package init(
    _ files: any FileSystem, syncStrideBytes: Int = StorageLimits.syncStrideBytes
  ) throws(StorageError) {
    precondition(syncStrideBytes > 0)
    self.files = files
    self.syncStrideBytes = syncStrideBytes
    for path in [StoreLayout.state, StoreLayout.store, StoreLayout.staging] {
      try files.createDirectory(path)
    }
    try files.synchronizeDirectory(StoragePath([]))
    stateFile = try StateFile(files)
  }

  deinit { for entry in staged.values { files.close(entry.file) } }

  /// The newest state that was saved; nil on a new device.
  package var state: [UInt8]? { stateFile.payload }

  /// Bytes of the largest state.
  package static var stateBytesMaximum: Int { StateFile.payloadBytesMaximum }

  /// Makes `state` durable in one step; on failure the state before it stays.
  package func save(_ state: [UInt8]) throws(StorageError) { try stateFile.save(state) }

  /// The path of a version's bundle below the state directory.
  package static func bundlePath(_ version: Version) throws(StorageError) -> String {
    try StoreLayout.store(version.model, version.version).appending(StoreLayout.bundle).text
  }

  /// Whether a stored version is whole: its size and hash are the signed ones.
  package func verify(_ version: Version, byteCount: Int, digest: Digest) throws(StorageError)
    -> Bool
  {
    let path = try StoreLayout.store(version.model, version.version)
      .appending(StoreLayout.bundle)
    return try with(path) { file throws(StorageError) in
      guard try self.files.size(file) == byteCount else { return false }
      return try self.digest(file, byteCount) == digest
    } ?? false
  }

  /// The signed release message of a stored version; nil when there is none.
  package func release(_ version: Version) throws(StorageError) -> [UInt8]? {
    let path = try StoreLayout.store(version.model, version.version)
      .appending(StoreLayout.release)
    return try with(path) { file throws(StorageError) in
      let size = try self.files.size(file)
      guard size <= StorageLimits.releaseBytesMaximum else { return [] }
      return try self.files.read(file, count: size, at: 0)
    }
  }

  /// Up to `count` bytes of a stored version's bundle from an offset.
  package func read(_ version: Version, count: Int, at offset: Int) throws(StorageError)
    -> [UInt8]
  {
    let path = try StoreLayout.store(version.model, version.version)
      .appending(StoreLayout.bundle)
    let file = try files.open(path, creating: false)
    defer { files.close(file) }
    return try files.read(file, count: count, at: offset)
  }

  /// Removes every version that is not kept, and every staging folder of a model not in `staging`.
  ///
  /// - Parameter untouched: models of which nothing is removed.
  package func collectGarbage(
    keep: [String: Set<Int64>], staging: Set<String>, untouched: Set<String>
  ) throws(StorageError) {
    for model in try files.list(StoreLayout.store) where !untouched.contains(model) {
      let folder = StoreLayout.store.appending(model)
      let kept = keep[model] ?? []
      for name in try files.list(folder) {
        if let number = Int64(name), kept.contains(number) { continue }
        try removeFolder(folder.appending(name))
      }
    }
    for model in try files.list(StoreLayout.staging)
    where !untouched.contains(model) && !staging.contains(model) {
      try discardStaging(model, except: nil)
    }
  }

  /// Removes a folder of files.
  func removeFolder(_ folder: StoragePath) throws(StorageError) {
    for name in try files.list(folder) {
      try files.remove(folder.appending(name), directory: false)
    }
    try files.remove(folder, directory: true)
  }

  /// The SHA-256 of the first `byteCount` bytes.
  func digest(_ file: OpenFile, _ byteCount: Int) throws(StorageError) -> Digest {
    let hasher = SHA256()
    var offset = 0
    while offset < byteCount {
      let wanted = min(StorageLimits.readBytes, byteCount - offset)
      let bytes = try files.read(file, count: wanted, at: offset)
      guard !bytes.isEmpty else { break }
      hasher.update(bytes)
      offset += bytes.count
    }
    return hasher.finish()
  }

  /// Opens, runs and closes; nil when there is no such file.
  private func with<R>(
    _ path: StoragePath, _ body: (OpenFile) throws(StorageError) -> R
  ) throws(StorageError) -> R? {
    guard try files.list(path.parent).contains(path.components[path.components.count - 1]) else {
      return nil
    }
    let file = try files.open(path, creating: false)
    defer { files.close(file) }
    return try body(file)
  }
}

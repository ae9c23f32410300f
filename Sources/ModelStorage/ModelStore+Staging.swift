package import Cryptography

/// One version per model on its way into the store.
extension ModelStore {
  /// Sets space aside for a version; true when an earlier attempt's folder was found and is used
  /// on.
  ///
  /// Other staging folders of the model are removed. The store's folder of the model is made here,
  /// so that the later rename needs no space.
  package func reserve(_ staging: Staging) throws(StorageError) -> Bool {
    let limit = StorageLimits.bundleBytesMaximum
    guard (1...limit).contains(staging.byteCount) else {
      throw .invalidSize(limit: limit, actual: staging.byteCount)
    }
    guard (1...StorageLimits.releaseBytesMaximum).contains(staging.release.count) else {
      throw .invalidSize(limit: StorageLimits.releaseBytesMaximum, actual: staging.release.count)
    }
    _ = try StoreLayout.store(staging.model, staging.version)
    let parent = try StoreLayout.staging(staging.model)
    let folder = parent.appending(staging.folder)
    try discardStaging(staging.model, except: staging.folder)
    try files.createDirectory(parent)
    let resuming = try files.list(parent).contains(staging.folder)
    try files.createDirectory(folder)
    let release = try files.open(folder.appending(StoreLayout.release), creating: true)
    do {
      defer { files.close(release) }
      try files.write(release, staging.release, at: 0)
      try files.synchronize(release)
    }
    let file = try files.open(folder.appending(StoreLayout.bundle), creating: true)
    staged[staging.model] = Staged(
      staging: staging, file: file,
      stride: SyncStride(syncStrideBytes, byteCount: staging.byteCount))
    try files.reserve(file, byteCount: staging.byteCount)
    try files.synchronize(file)
    try files.createDirectory(try StoreLayout.store(staging.model))
    for path in [folder, parent, StoreLayout.staging, StoreLayout.store] {
      try files.synchronizeDirectory(path)
    }
    return resuming
  }

  /// The hash of each block of the staged file, the last one possibly shorter.
  package func blockDigests(_ model: String, blockByteCount: Int) throws(StorageError)
    -> [Digest]
  {
    let staged = try stagedFile(model)
    let (staging, file) = (staged.staging, staged.file)
    var digests: [Digest] = []
    for offset in stride(from: 0, to: staging.byteCount, by: blockByteCount) {
      let count = min(blockByteCount, staging.byteCount - offset)
      digests.append(SHA256.hash(try files.read(file, count: count, at: offset)))
    }
    return digests
  }

  /// Writes a block, and makes what was written durable by strides: at a power cut at most a stride
  /// and a block are lost.
  package func write(_ model: String, _ bytes: [UInt8], at offset: Int) throws(StorageError) {
    let staged = try stagedFile(model)
    let size = staged.staging.byteCount
    guard offset >= 0, bytes.count <= size, offset <= size - bytes.count else {
      throw .outsideReservation(size: size, offset: offset, count: bytes.count)
    }
    try files.write(staged.file, bytes, at: offset)
    guard self.staged[model]?.stride.wrote(bytes.count, at: offset) == true else { return }
    try files.synchronize(staged.file)
    self.staged[model]?.stride.synchronized()
  }

  /// Writes blocks of a stored version to the same places; what it has no bytes for is left out.
  package func copyBlocks(
    _ model: String, from version: Int64, blocks: [Int], blockByteCount: Int
  ) throws(StorageError) {
    let staging = try stagedFile(model).staging
    for block in blocks {
      let offset = block * blockByteCount
      let count = min(blockByteCount, staging.byteCount - offset)
      guard count > 0 else { continue }
      let bytes = try read(Version(model: model, version: version), count: count, at: offset)
      try write(model, bytes, at: offset)
    }
  }

  /// Checks the whole file's hash and moves the folder into the store; durable on return.
  package func assemble(_ model: String, digest expected: Digest) throws(StorageError) {
    let entry = try stagedFile(model)
    let (staging, file) = (entry.staging, entry.file)
    guard try files.size(file) == staging.byteCount,
      try digest(file, staging.byteCount) == expected
    else { throw .digestMismatch }
    try files.synchronize(file)
    let folder = try StoreLayout.staging(model).appending(staging.folder)
    let target = try StoreLayout.store(model, staging.version)
    // Left there by a release that was refused or damaged; readers of it hold their mappings.
    try removeFolder(target)
    try files.rename(folder, to: target)
    try files.synchronizeDirectory(target.parent)
    try files.synchronizeDirectory(folder.parent)
    files.close(file)
    staged[model] = nil
  }

  /// Removes what is staged for a model.
  package func discardStaging(_ model: String) throws(StorageError) {
    try discardStaging(model, except: nil)
  }

  func discardStaging(_ model: String, except kept: String?) throws(StorageError) {
    if let entry = staged.removeValue(forKey: model) { files.close(entry.file) }
    let parent = StoreLayout.staging.appending(model)
    for name in try files.list(parent) where name != kept {
      try removeFolder(parent.appending(name))
    }
  }

  private func stagedFile(_ model: String) throws(StorageError) -> Staged {
    guard let entry = staged[model] else { throw .notStaged(model: model) }
    return entry
  }
}

import Glibc
package import ModelStorage

/// A disk in memory that forgets, at a power cut, what was not made durable.
///
/// File data: each write since the file's last synchronisation is kept, lost or torn, each by
/// itself. Names: a journal in order, of which a cut keeps a part from the front that holds at
/// least what was synchronised.
package final class SimulatedDisk: FileSystem {
  private final class Node {
    var durable: [UInt8] = []
    var content: [UInt8] = []
    var pending: [(offset: Int, bytes: [UInt8])] = []
    let isDirectory: Bool
    init(isDirectory: Bool) { self.isDirectory = isDirectory }
  }

  private enum Change {
    case add(String, Node)
    case remove(String)
    case rename(String, String)

    var directories: [String] {
      switch self {
      case .add(let path, _), .remove(let path): [SimulatedDisk.parent(path)]
      case .rename(let source, let target):
        [SimulatedDisk.parent(source), SimulatedDisk.parent(target)]
      }
    }
  }

  private var names: [String: Node] = [:]
  private var durableNames: [String: Node] = [:]
  private var journal: [Change] = []
  private var open: [Int32: Node] = [:]
  private var nextNumber: Int32 = 1
  /// Calls made so far.
  package private(set) var calls: [FileCall] = []
  /// The most bytes of one file that waited to be made durable.
  package private(set) var unsynchronizedBytesMost = 0
  /// Bytes written into files so far.
  package private(set) var writtenBytes = 0
  /// From this call on the power is off: all fail.
  package var cutAt: Int?
  /// Bytes that files may hold together; nil for no bound.
  package var capacity: Int?
  /// Makes single calls fail, by their number and kind, with an `errno`.
  package var failure: ((Int, FileCall) -> Int32?)?

  package init() {}

  /// Whether the power is off.
  package var isCut: Bool { cutAt.map { calls.count > $0 } ?? false }

  /// Turns the power off and on again.
  package func restart(using random: inout some RandomNumberGenerator) {
    let kept = Int.random(in: 0...journal.count, using: &random)
    for change in journal.prefix(kept) { Self.apply(change, &durableNames) }
    journal = []
    names = durableNames
    open = [:]
    for node in names.values {
      for (offset, bytes) in node.pending {
        switch Int.random(in: 0..<3, using: &random) {
        case 0: Self.write(bytes, at: offset, &node.durable)
        case 1:
          let torn = Int.random(in: 0...bytes.count, using: &random)
          Self.write(Array(bytes.prefix(torn)), at: offset, &node.durable)
        default: break
        }
      }
      node.pending = []
      node.content = node.durable
    }
    cutAt = nil
    calls = []
  }

  /// The bytes of a file, as a reader finds them now; nil when there is none.
  package func contents(_ path: String) -> [UInt8]? { names[path]?.content }

  /// Bytes below a directory that a power cut may take.
  package func unsynchronizedBytes(_ directory: String) -> Int {
    names.filter { $0.key.hasPrefix(directory + "/") }
      .reduce(0) { $0 + $1.value.pending.reduce(0) { $0 + $1.bytes.count } }
  }

  /// Flips one bit of a file, durably.
  package func damage(_ path: String, at offset: Int) {
    names[path]?.content[offset] ^= 1
    names[path]?.durable[offset] ^= 1
  }

  package func createDirectory(_ path: StoragePath) throws(StorageError) {
    try enter(.createDirectory)
    if names[path.text] == nil { change(.add(path.text, Node(isDirectory: true))) }
  }

  package func open(_ path: StoragePath, creating: Bool) throws(StorageError) -> OpenFile {
    try enter(.open)
    if names[path.text] == nil {
      guard creating else { throw .system(call: .open, errno: ENOENT) }
      change(.add(path.text, Node(isDirectory: false)))
    }
    guard let node = names[path.text], !node.isDirectory else {
      throw .system(call: .open, errno: EISDIR)
    }
    nextNumber += 1
    open[nextNumber] = node
    return OpenFile(number: nextNumber)
  }

  package func close(_ file: OpenFile) { open[file.number] = nil }

  package func size(_ file: OpenFile) throws(StorageError) -> Int {
    try enter(.size)
    return try node(file, .size).content.count
  }

  package func reserve(_ file: OpenFile, byteCount: Int) throws(StorageError) {
    try enter(.reserve)
    let node = try node(file, .reserve)
    let missing = byteCount - node.content.count
    guard missing > 0 else { return }
    let used = names.values.reduce(0) { $0 + $1.content.count }
    if let capacity, used + missing > capacity { throw .noSpace(call: .reserve) }
    node.pending.append((node.content.count, [UInt8](repeating: 0, count: missing)))
    node.content += [UInt8](repeating: 0, count: missing)
  }

  package func write(_ file: OpenFile, _ bytes: [UInt8], at offset: Int) throws(StorageError) {
    let isTorn = (cutAt.map { calls.count == $0 } ?? false)
    if isTorn { try node(file, .write).pending.append((offset, bytes)) }
    try enter(.write)
    let node = try node(file, .write)
    node.pending.append((offset, bytes))
    Self.write(bytes, at: offset, &node.content)
    writtenBytes += bytes.count
    unsynchronizedBytesMost = max(
      unsynchronizedBytesMost, node.pending.reduce(0) { $0 + $1.bytes.count })
  }

  package func read(_ file: OpenFile, count: Int, at offset: Int) throws(StorageError) -> [UInt8] {
    try enter(.read)
    return Array(try node(file, .read).content.dropFirst(offset).prefix(count))
  }

  package func synchronize(_ file: OpenFile) throws(StorageError) {
    try enter(.synchronize)
    let node = try node(file, .synchronize)
    for (offset, bytes) in node.pending { Self.write(bytes, at: offset, &node.durable) }
    node.pending = []
  }

  package func synchronizeDirectory(_ path: StoragePath) throws(StorageError) {
    try enter(.synchronizeDirectory)
    guard let last = journal.lastIndex(where: { $0.directories.contains(path.text) }) else {
      return
    }
    for change in journal[...last] { Self.apply(change, &durableNames) }
    journal.removeSubrange(...last)
  }

  package func rename(_ path: StoragePath, to target: StoragePath) throws(StorageError) {
    try enter(.rename)
    guard names[path.text] != nil else { throw .system(call: .rename, errno: ENOENT) }
    guard names[target.text] == nil else { throw .system(call: .rename, errno: ENOTEMPTY) }
    change(.rename(path.text, target.text))
  }

  package func remove(_ path: StoragePath, directory: Bool) throws(StorageError) {
    try enter(.remove)
    guard let node = names[path.text] else { return }
    guard node.isDirectory == directory else { throw .system(call: .remove, errno: EISDIR) }
    guard !names.keys.contains(where: { $0.hasPrefix(path.text + "/") }) else {
      throw .system(call: .remove, errno: ENOTEMPTY)
    }
    change(.remove(path.text))
  }

  package func list(_ path: StoragePath) throws(StorageError) -> [String] {
    try enter(.list)
    return names.keys.filter { Self.parent($0) == path.text }
      .map { String($0.split(separator: "/").last ?? "") }.sorted()
  }

  private func enter(_ call: FileCall) throws(StorageError) {
    let number = calls.count
    calls.append(call)
    if let cutAt, number >= cutAt { throw .system(call: call, errno: EIO) }
    if let code = failure?(number, call) {
      throw code == ENOSPC ? .noSpace(call: call) : .system(call: call, errno: code)
    }
  }

  private func node(_ file: OpenFile, _ call: FileCall) throws(StorageError) -> Node {
    guard let node = open[file.number] else { throw .system(call: call, errno: EBADF) }
    return node
  }

  private func change(_ change: Change) {
    journal.append(change)
    Self.apply(change, &names)
  }

  private static func apply(_ change: Change, _ names: inout [String: Node]) {
    switch change {
    case .add(let path, let node): names[path] = node
    case .remove(let path): names[path] = nil
    case .rename(let source, let target):
      for (path, node) in names where path == source || path.hasPrefix(source + "/") {
        names[path] = nil
        names[target + path.dropFirst(source.count)] = node
      }
    }
  }

  private static func write(_ bytes: [UInt8], at offset: Int, _ content: inout [UInt8]) {
    let end = offset + bytes.count
    if content.count < end { content += [UInt8](repeating: 0, count: end - content.count) }
    content.replaceSubrange(offset..<end, with: bytes)
  }

  private static func parent(_ path: String) -> String {
    path.split(separator: "/").dropLast().joined(separator: "/")
  }
}

import Glibc
import KernelDispatch
import KernelInterface
import ModelStorage
import Serving
import Synchronization
import TestSupport
import Testing

/// A state directory with a cache of packed weights of one version of the digits classifier.
private struct CacheFixture {
  let directory = TemporaryDirectory("weights")
  var settings: WeightsCache.Settings
  var file: String { directory.path + "/cache/digits/1/packed" }

  init() {
    settings = WeightsCache.Settings(
      directory: directory.path, diskBytesMaximum: 1 << 20, dailyBytesMaximum: 1 << 20,
      builder: "test")
  }

  /// Loads version 1 with a cache of its own, as after a restart.
  func start(
    threads: Int = 2, table: KernelTable = .best, calls: CallCount? = nil,
    model: String? = nil, adjust: (inout ServingLimits) -> Void = { _ in }
  ) throws -> ServingFixture {
    let fixture = ServingFixture(
      threads: threads, table: table, cache: try open(calls), adjust: adjust)
    try fixture.load(1, path: model).get()
    return fixture
  }

  /// Waits until whoever had the cache before has let go of it.
  func open(_ calls: CallCount? = nil) throws -> WeightsCache {
    var cache: WeightsCache?
    _ = eventually {
      guard let calls else {
        cache = try? WeightsCache(settings)
        return cache != nil
      }
      guard let files = try? FailingFiles(directory.path, calls) else { return false }
      cache = try? WeightsCache(settings, files)
      return cache != nil
    }
    return try #require(cache)
  }

  var inode: UInt64 {
    var status = stat()
    return unsafe stat(file, &status) == 0 ? UInt64(status.st_ino) : 0
  }

  /// Changes the file where it lies.
  func edit(_ body: (inout [UInt8]) -> Void) throws {
    var bytes = try readFile(file)
    body(&bytes)
    DigitsBundle.write(bytes, to: file)
  }
}

/// Counts file calls, and says which one fails.
private final class CallCount: Sendable {
  let count = Atomic<Int>(0)
  let failing: Int?
  let code: Int32

  init(failing: Int? = nil, code: Int32 = EIO) {
    self.failing = failing
    self.code = code
  }
}

/// The files of a directory, of whose calls one can be made to fail.
private final class FailingFiles: FileSystem {
  private let files: SystemFiles
  private let calls: CallCount

  init(_ directory: String, _ calls: CallCount) throws {
    files = try SystemFiles(directory)
    self.calls = calls
  }

  private func enter(_ call: FileCall) throws(StorageError) {
    guard calls.count.wrappingAdd(1, ordering: .relaxed).oldValue == calls.failing else { return }
    throw calls.code == ENOSPC ? .noSpace(call: call) : .system(call: call, errno: calls.code)
  }

  func createDirectory(_ path: StoragePath) throws(StorageError) {
    try enter(.createDirectory)
    try files.createDirectory(path)
  }
  func open(_ path: StoragePath, creating: Bool) throws(StorageError) -> OpenFile {
    try enter(.open)
    return try files.open(path, creating: creating)
  }
  func close(_ file: OpenFile) { files.close(file) }
  func size(_ file: OpenFile) throws(StorageError) -> Int {
    try enter(.size)
    return try files.size(file)
  }
  func reserve(_ file: OpenFile, byteCount: Int) throws(StorageError) {
    try enter(.reserve)
    try files.reserve(file, byteCount: byteCount)
  }
  func write(_ file: OpenFile, _ bytes: [UInt8], at offset: Int) throws(StorageError) {
    try enter(.write)
    try files.write(file, bytes, at: offset)
  }
  func read(_ file: OpenFile, count: Int, at offset: Int) throws(StorageError) -> [UInt8] {
    try enter(.read)
    return try files.read(file, count: count, at: offset)
  }
  func synchronize(_ file: OpenFile) throws(StorageError) {
    try enter(.synchronize)
    try files.synchronize(file)
  }
  func synchronizeDirectory(_ path: StoragePath) throws(StorageError) {
    try enter(.synchronizeDirectory)
    try files.synchronizeDirectory(path)
  }
  func rename(_ path: StoragePath, to target: StoragePath) throws(StorageError) {
    try enter(.rename)
    try files.rename(path, to: target)
  }
  func remove(_ path: StoragePath, directory: Bool) throws(StorageError) {
    try enter(.remove)
    try files.remove(path, directory: directory)
  }
  func list(_ path: StoragePath) throws(StorageError) -> [String] {
    try enter(.list)
    return try files.list(path)
  }
}

@Suite("Packed weights in files", .serialized)
struct WeightsCacheTests {
  private let cache = CacheFixture()
  private let image = try! DigitsTestSplit().images[0]
  private let expected: [UInt8]

  init() throws {
    let plain = ServingFixture()
    try plain.load(1).get()
    expected = try plain.answer(image).outputs[0].bytes
  }

  private func status(_ fixture: ServingFixture) throws -> VersionStatus {
    try #require(try fixture.service.statuses(of: "digits").first { $0.state == .serving })
  }

  /// Expects the right answer, of weights from the file.
  private func expectMapped(_ fixture: ServingFixture, _ comment: Comment? = nil) throws {
    #expect(try fixture.answer(image).outputs[0].bytes == expected, comment)
    let status = try status(fixture)
    #expect(status.weightsRefusal == nil, comment)
    #expect(status.memory.fileBackedBytes > status.memory.weightsBytes, comment)
  }

  @Test("are packed once, mapped from then on, charged as file-backed, and unmapped at the end")
  func life() throws {
    var fixture = try cache.start()
    try expectMapped(fixture)
    let inode = cache.inode
    #expect(inode != 0)
    let charge = try #require(
      fixture.manager.ledger.snapshot().charges.first { $0.name == "digits@1" })
    let bytes = try status(fixture).memory.fileBackedBytes
    #expect(charge.items.contains(MemoryItem(.weightsFileBacked, bytes)))
    let anonymous = try status(fixture).memory.weightsBytes
    #expect(charge.items.contains(MemoryItem(.weightsAnonymous, anonymous)))
    #expect(try readFile(cache.file).count == bytes + PackedWeightsFile.headerBytes)
    let path = cache.file
    func isMapped() -> Bool {
      String(decoding: (try? readFile("/proc/self/maps")) ?? [], as: UTF8.self).contains(path)
    }
    #expect(isMapped())
    fixture.manager.unload(model: "digits", version: 1)
    #expect(eventually { !isMapped() && fixture.manager.ledger.chargedBytes == 0 })
    _ = fixture.manager.shutdown(drainMilliseconds: 1000)
    fixture = ServingFixture()
    fixture = try cache.start()
    try expectMapped(fixture)
    #expect(cache.inode == inode)
  }

  @Test("that are damaged, cut, or not there are packed again, and answer the same")
  func damage() throws {
    do { try expectMapped(try cache.start()) }
    let whole = try readFile(cache.file)
    let edits: [(String, (inout [UInt8]) -> Void)] = [
      ("a weight", { $0[5000] ^= 1 }), ("the last weight", { $0[$0.count - 1] ^= 0x80 }),
      ("the magic", { $0[0] ^= 1 }), ("the format", { $0[8] ^= 1 }), ("the size", { $0[16] ^= 64 }),
      ("the layout", { $0[36] ^= 1 }), ("the model", { $0[50] ^= 1 }),
      ("the header's checksum", { $0[105] ^= 1 }), ("cut in the header", { $0.removeLast($0.count - 100) }),
      ("cut in the weights", { $0.removeLast(64) }), ("longer", { $0.append(0) }), ("empty", { $0 = [] }),
    ]
    for (name, edit) in edits {
      try cache.edit(edit)
      let inode = cache.inode
      try expectMapped(try cache.start(), "\(name)")
      #expect(cache.inode != inode, "\(name)")
      #expect(try Array(readFile(cache.file)[4096...]) == Array(whole[4096...]), "\(name)")
    }
    unsafe unlink(cache.file)
    try expectMapped(try cache.start())
    #expect(try readFile(cache.file).count == whole.count)
  }

  @Test("of other kernels, threads, programs or models are packed again")
  func key() throws {
    do { try expectMapped(try cache.start()) }
    var inode = cache.inode
    func expectAnew(_ comment: Comment) {
      #expect(cache.inode != inode, comment)
      inode = cache.inode
    }
    do { try expectMapped(try cache.start(threads: 1), "threads") }
    expectAnew("threads")
    let baseline = try #require(KernelTable.named("baseline") ?? KernelTable.supported.last)
    if baseline.name != KernelTable.best.name {
      do { try expectMapped(try cache.start(table: baseline), "kernels") }
      expectAnew("kernels")
    }
    var other = cache
    other.settings.builder = "another"
    do { try expectMapped(try other.start()) }
    expectAnew("program")
    // Another model of the same shape under the same name.
    let path = cache.directory.path + "/model.tflite"
    DigitsBundle.write(try readFile(Fixtures.digitsModel(1)), to: path)
    do { try expectMapped(try other.start(model: path)) }
    #expect(cache.inode == inode)
    DigitsBundle.write(try readFile(Fixtures.digitsModel(2)), to: path)
    let plain = ServingFixture()
    try plain.load(2).get()
    let fixture = try other.start(model: path)
    #expect(try fixture.answer(image).outputs[0].bytes == plain.answer(image).outputs[0].bytes)
    expectAnew("model")
  }

  @Test("lie in anonymous memory when the storage fails, at whichever call", arguments: [ENOSPC, EIO])
  func storageFailure(code: Int32) throws {
    let probe = CallCount()
    do { try expectMapped(try cache.start(calls: probe)) }
    let calls = probe.count.load(ordering: .relaxed)
    #expect(calls > 10)
    for failing in 0..<calls {
      unsafe unlink(cache.file)
      let fixture = try cache.start(calls: CallCount(failing: failing, code: code))
      #expect(try fixture.answer(image).outputs[0].bytes == expected)
      let status = try status(fixture)
      #expect(status.weightsRefusal == (code == ENOSPC ? .noSpace : .storage(errno: code)))
      #expect(status.weightsRefusal?.problem != nil)
      #expect(status.memory.fileBackedBytes == 0)
      #expect(status.memory.weightsBytes > 0)
      let charge = try #require(
        fixture.manager.ledger.snapshot().charges.first { $0.name == "digits@1" })
      #expect(charge.items.contains(MemoryItem(.weightsAnonymous, status.memory.weightsBytes)))
    }
    try expectMapped(try cache.start())
  }

  @Test("stay within the bytes of disk and of a day")
  func bounds() throws {
    var small = cache
    small.settings.diskBytesMaximum = 4096
    #expect(try status(small.start()).weightsRefusal == .diskMaximum)
    small = cache
    do { try expectMapped(try small.start()) }
    small.settings.dailyBytesMaximum = try readFile(cache.file).count
    unsafe unlink(cache.file)
    do {
      let fixture = try small.start()
      try expectMapped(fixture)
      // A second version would be more than a day's.
      try fixture.load(2).get()
      #expect(try status(fixture).weightsRefusal == .dailyWrites)
    }
    // A restart writes nothing.
    small.settings.dailyBytesMaximum = 1
    try expectMapped(try small.start())
  }

  @Test("are for one agent at a time")
  func lock() throws {
    let first = try cache.open()
    #expect(throws: WeightsRefusal.unavailable) { try WeightsCache(cache.settings) }
    withExtendedLifetime(first) {}
  }

  @Test("that vanish from under a version answer nothing wrong, and are packed again")
  func torn() throws {
    let fixture = try cache.start()
    try expectMapped(fixture)
    #expect(unsafe truncate(cache.file, 4096) == 0)
    var refused = 0
    let isBack = eventually {
      do {
        let answer = try fixture.answer(image)
        #expect(answer.outputs[0].bytes == expected)
        return fixture.events.all.contains(.weightsDamaged(model: "digits", version: 1))
      } catch {
        #expect(error as? ServingError == .notReady(model: "digits"))
        refused += 1
        return false
      }
    }
    #expect(isBack)
    #expect(refused > 0)
    try expectMapped(fixture)
    #expect(try readFile(cache.file).count > 4096)
    // What was damaged is let go of.
    #expect(
      eventually {
        fixture.manager.ledger.snapshot().charges.filter { $0.name == "digits@1" }.count == 1
      })
  }

  @Test("that rot are found by the scrub, and packed again")
  func scrub() throws {
    let fixture = try cache.start { $0.scrubMilliseconds = 20 }
    try expectMapped(fixture)
    let descriptor = unsafe open(cache.file, O_RDWR)
    var byte = try readFile(cache.file)[6000] ^ 0x10
    #expect(unsafe pwrite(descriptor, &byte, 1, 6000) == 1)
    close(descriptor)
    #expect(
      eventually { fixture.events.all.contains(.weightsDamaged(model: "digits", version: 1)) })
    #expect(
      eventually { (try? fixture.answer(image).outputs[0].bytes) == expected })
    try expectMapped(fixture)
    #expect(try readFile(cache.file)[6000] == byte ^ 0x10)
  }

  @Test("go when nobody keeps their version")
  func garbage() throws {
    let cache = try cache.open()
    let fixture = ServingFixture(cache: cache)
    for version in 1...3 as ClosedRange<Int64> { try fixture.load(version).get() }
    let folder = self.cache.directory.path + "/cache/digits/"
    func isThere(_ version: Int) -> Bool {
      unsafe access(folder + "\(version)/packed", F_OK) == 0
    }
    #expect((1...3).allSatisfy(isThere))
    cache.collectGarbage(keep: ["digits": [2, 3]])
    #expect(!isThere(1) && isThere(2) && isThere(3))
    // What serves does so from a file without a name.
    cache.collectGarbage(keep: [:])
    #expect(!isThere(3))
    let plain = ServingFixture()
    try plain.load(3).get()
    #expect(try fixture.answer(image).outputs[0].bytes == plain.answer(image).outputs[0].bytes)
  }
}

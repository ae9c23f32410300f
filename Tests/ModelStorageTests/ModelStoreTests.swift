import Cryptography
import DeliveryTestSupport
import Glibc
import TestSupport
import Testing

@testable import ModelStorage

private let bundle: [UInt8] = {
  var random = SplitMix64(seed: 0x57012E)
  return (0..<70_000).map { _ in UInt8.random(in: 0...255, using: &random) }
}()

private func staging(_ version: Int64 = 1, model: String = "digits") -> ModelStore.Staging {
  ModelStore.Staging(
    model: model, version: version, manifest: SHA256.hash([UInt8(version)]),
    byteCount: bundle.count, release: [1, 2, 3])
}

private func install(_ store: ModelStore, _ version: Int64, model: String = "digits") throws {
  _ = try store.reserve(staging(version, model: model))
  for offset in stride(from: 0, to: bundle.count, by: 16_384) {
    try store.write(
      model, Array(bundle[offset..<min(offset + 16_384, bundle.count)]), at: offset)
  }
  try store.assemble(model, digest: SHA256.hash(bundle))
}

@Suite("Model store")
struct ModelStoreTests {
  @Test("a version that was written whole is in the store under its name, on a real disk")
  func install() throws {
    let directory = TemporaryDirectory("store")
    let store = try ModelStore(SystemFiles(directory.path))
    try ModelStorageTests.install(store, 3)
    let version = ModelStore.Version(model: "digits", version: 3)
    #expect(try ModelStore.bundlePath(version) == "store/digits/3/bundle")
    #expect(
      try store.verify(version, byteCount: bundle.count, digest: SHA256.hash(bundle)))
    #expect(try store.release(version) == [1, 2, 3])
    #expect(
      try SHA256.hash(file: "\(directory.path)/store/digits/3/bundle") == SHA256.hash(bundle))
  }

  @Test("a bundle whose hash is wrong is not moved into the store")
  func wrongHash() throws {
    let store = try ModelStore(SimulatedDisk())
    _ = try store.reserve(staging())
    try store.write("digits", [1], at: 0)
    #expect(throws: StorageError.digestMismatch) {
      try store.assemble("digits", digest: SHA256.hash(bundle))
    }
    let version = ModelStore.Version(model: "digits", version: 1)
    #expect(try !store.verify(version, byteCount: bundle.count, digest: SHA256.hash(bundle)))
  }

  @Test("what was staged before a restart is found by the same release, and by no other")
  func resume() throws {
    let disk = SimulatedDisk()
    var store = try ModelStore(disk, syncStrideBytes: 16_384)
    #expect(try !store.reserve(staging()))
    try store.write("digits", Array(bundle[..<16_384]), at: 0)
    var random = SplitMix64(seed: 1)
    disk.restart(using: &random)

    store = try ModelStore(disk)
    #expect(try store.reserve(staging()))
    let digests = try store.blockDigests("digits", blockByteCount: 16_384)
    #expect(digests.count == 5)
    #expect(digests[0] == SHA256.hash(Array(bundle[..<16_384])))
    #expect(try !store.reserve(staging(2)))
    #expect(try !store.reserve(staging(1)))
  }

  @Test("a version flipped in one bit is not whole")
  func damage() throws {
    let disk = SimulatedDisk()
    let store = try ModelStore(disk)
    try ModelStorageTests.install(store, 1)
    disk.damage("store/digits/1/bundle", at: 12_345)
    let version = ModelStore.Version(model: "digits", version: 1)
    #expect(try !store.verify(version, byteCount: bundle.count, digest: SHA256.hash(bundle)))
  }

  @Test("garbage is all but what is kept, staged or untouched")
  func garbage() throws {
    let disk = SimulatedDisk()
    let store = try ModelStore(disk)
    for version in [1, 2, 3] as [Int64] { try ModelStorageTests.install(store, version) }
    try ModelStorageTests.install(store, 1, model: "other")
    _ = try store.reserve(staging(4))
    _ = try store.reserve(staging(1, model: "third"))
    try store.collectGarbage(keep: ["digits": [2, 3]], staging: ["digits"], untouched: ["other"])
    #expect(disk.contents("store/digits/1/bundle") == nil)
    #expect(disk.contents("store/digits/2/bundle") == bundle)
    #expect(disk.contents("store/digits/3/bundle") == bundle)
    #expect(disk.contents("store/other/1/bundle") == bundle)
    #expect(try store.reserve(staging(4)))
    #expect(try !store.reserve(staging(1, model: "third")))
  }

  @Test(
    "a name that could leave the directory is refused",
    arguments: ["", "..", ".", "a/b", "a.b", "a\0", String(repeating: "x", count: 65), "é"])
  func names(name: String) throws {
    let store = try ModelStore(SimulatedDisk())
    #expect(throws: StorageError.invalidName(name)) {
      try store.reserve(staging(1, model: name))
    }
    #expect(throws: StorageError.invalidName(name)) {
      try ModelStore.bundlePath(.init(model: name, version: 1))
    }
    #expect(throws: StorageError.invalidVersion(0)) {
      try ModelStore.bundlePath(.init(model: "digits", version: 0))
    }
  }

  @Test("a symbolic link in place of a folder is not followed")
  func links() throws {
    let directory = TemporaryDirectory("store")
    let outside = TemporaryDirectory("outside")
    let store = try ModelStore(SystemFiles(directory.path))
    #expect(unsafe symlink(outside.path, "\(directory.path)/staging/digits") == 0)
    #expect(throws: StorageError.self) { try store.reserve(staging()) }
    #expect(unsafe access("\(outside.path)/1-\(staging().manifest.hex.prefix(16))", F_OK) != 0)
  }

  @Test("a write beyond the reservation is refused", arguments: [-1, 69_998, 70_000, Int.max])
  func bounds(offset: Int) throws {
    let store = try ModelStore(SimulatedDisk())
    _ = try store.reserve(staging())
    #expect(
      throws: StorageError.outsideReservation(size: 70_000, offset: offset, count: 3)
    ) { try store.write("digits", [1, 2, 3], at: offset) }
  }

  @Test("a full disk refuses the reservation, and what is stored stays")
  func full() throws {
    let disk = SimulatedDisk()
    let store = try ModelStore(disk)
    try ModelStorageTests.install(store, 1)
    disk.capacity = 100_000
    #expect(throws: StorageError.noSpace(call: .reserve)) { try store.reserve(staging(2)) }
    let version = ModelStore.Version(model: "digits", version: 1)
    #expect(try store.verify(version, byteCount: bundle.count, digest: SHA256.hash(bundle)))
    try store.save([1, 2, 3])
    #expect(store.state == [1, 2, 3])
  }

  @Test("whatever call fails, the stored version stays whole and a second attempt succeeds")
  func everyCallFails() throws {
    let reference = SimulatedDisk()
    let first = try ModelStore(reference, syncStrideBytes: 32_768)
    try ModelStorageTests.install(first, 1)
    let before = reference.calls.count
    try ModelStorageTests.install(first, 2)
    for number in before..<reference.calls.count {
      let disk = SimulatedDisk()
      let store = try ModelStore(disk, syncStrideBytes: 32_768)
      try ModelStorageTests.install(store, 1)
      disk.failure = { call, _ in call == number ? EIO : nil }
      #expect(throws: StorageError.self) { try ModelStorageTests.install(store, 2) }
      disk.failure = nil
      #expect(disk.contents("store/digits/1/bundle") == bundle)
      try ModelStorageTests.install(store, 2)
      #expect(disk.contents("store/digits/2/bundle") == bundle)
    }
  }

  @Test("cut at any call, the store afterwards holds each version whole or not at all")
  func everyCut() throws {
    let reference = SimulatedDisk()
    let stride = 32_768
    try ModelStorageTests.install(try ModelStore(reference, syncStrideBytes: stride), 1)
    for seed in 0..<4 as Range<UInt64> {
      for cut in 0..<reference.calls.count {
        var random = SplitMix64(seed: seed << 32 | UInt64(cut))
        let disk = SimulatedDisk()
        disk.cutAt = cut
        if let store = try? ModelStore(disk, syncStrideBytes: stride) { try? ModelStorageTests.install(store, 1) }
        #expect(disk.unsynchronizedBytesMost <= stride + 16_384)
        disk.restart(using: &random)
        let found = disk.contents("store/digits/1/bundle")
        #expect(found == nil || found == bundle)
        let store = try ModelStore(disk)
        try ModelStorageTests.install(store, 1)
        #expect(disk.contents("store/digits/1/bundle") == bundle)
      }
    }
  }
  @Test("what was written is made durable in whole strides, in whatever order a window comes in")
  func strides() throws {
    var random = SplitMix64(seed: 0x57121DE)
    let (block, stride, count) = (16_384, 65_536, 41)
    let disk = SimulatedDisk()
    let store = try ModelStore(disk, syncStrideBytes: stride)
    _ = try store.reserve(
      .init(
        model: "digits", version: 1, manifest: SHA256.hash([]), byteCount: count * block - 5,
        release: [1]))
    let before = disk.calls.count { $0 == .synchronize }
    for window in Swift.stride(from: 0, to: count, by: 4) {
      for i in (window..<min(window + 4, count)).shuffled(using: &random) {
        let bytes = [UInt8](repeating: 1, count: i == count - 1 ? block - 5 : block)
        try store.write("digits", bytes, at: i * block)
      }
      #expect(disk.unsynchronizedBytes("staging") == 0, "whole strides up to \(window)")
    }
    #expect(disk.calls.count { $0 == .synchronize } - before == 11)
    #expect(disk.unsynchronizedBytesMost == stride)
  }

  @Test("however blocks come, what is not durable stays below a stride and a block")
  func dirtyBound() throws {
    for seed in 1...50 as ClosedRange<UInt64> {
      var random = SplitMix64(seed: seed)
      let (block, stride, count) = (16_384, 65_536, 37)
      let disk = SimulatedDisk()
      let store = try ModelStore(disk, syncStrideBytes: stride)
      _ = try store.reserve(
        .init(
          model: "digits", version: 1, manifest: SHA256.hash([]), byteCount: count * block,
          release: [1]))
      let before = disk.calls.count { $0 == .synchronize }
      for i in (0..<count).shuffled(using: &random) {
        try store.write("digits", [UInt8](repeating: 1, count: block), at: i * block)
      }
      #expect(disk.unsynchronizedBytesMost <= stride + block)
      // One for each stride that becomes whole, and one for each stride's worth of others.
      #expect(disk.calls.count { $0 == .synchronize } - before <= 20)
    }
  }
}

import ByteParsing
import Cryptography
import DeliveryTestSupport
import Glibc
import TestSupport
import Testing

@testable import ModelStorage

private let weights: [UInt8] = {
  var random = SplitMix64(seed: 0xCAC4E)
  return (0..<300_032).map { _ in UInt8.random(in: 0...255, using: &random) }
}()

private func checksum(_ bytes: [UInt8]) -> UInt64 {
  unsafe bytes.withUnsafeBytes { unsafe PackedWeightsFile.checksum($0) }
}

private let header = PackedWeightsFile.Header(
  layout: 1, model: SHA256.hash([2]),
  stamp: FileStamp(inode: 7, byteCount: 8, modified: -9, changed: 1 << 60),
  byteCount: weights.count, checksum: checksum(weights))

private func write(_ disk: SimulatedDisk, _ place: PackedWeightsPlace) throws {
  try PackedWeightsFile.write(header, at: place.path, disk) { Array(weights[$0..<$0 + $1]) }
}

private let place = PackedWeightsPlace.store(model: "digits", version: 3)
private let path = "store/digits/3/packed"

@Suite("Files of packed weights")
struct PackedWeightsFileTests {
  @Test("what was written is read, aligned, with its header")
  func roundTrip() throws {
    let disk = SimulatedDisk()
    try write(disk, place)
    let bytes = try #require(disk.contents(path))
    let file = try #require(PackedWeightsFile(ByteView(bytes)))
    #expect(file.header == header)
    #expect(file.weights.array == weights)
    #expect(file.isWhole)
    #expect(disk.contents(path + ".new") == nil)
    var other = header
    other.stamp = nil
    try PackedWeightsFile.restamp(other, at: place.path, disk)
    let restamped = try #require(disk.contents(path))
    let again = try #require(PackedWeightsFile(ByteView(restamped)))
    #expect(again.header == other)
    #expect(again.isWhole)
  }

  @Test("every cut and every flipped bit is found")
  func damage() throws {
    let disk = SimulatedDisk()
    try write(disk, place)
    let bytes = try #require(disk.contents(path))
    for count in [0, 1, 107, 108, 4095, 4096, 4097, bytes.count - 64, bytes.count - 1] {
      #expect(PackedWeightsFile(ByteView(Array(bytes[..<count]))) == nil, "cut to \(count)")
    }
    #expect(PackedWeightsFile(ByteView(bytes + [0])) == nil)
    for bit in 0..<108 * 8 {
      var damaged = bytes
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(PackedWeightsFile(ByteView(damaged)) == nil, "header bit \(bit)")
    }
    var random = SplitMix64(seed: 5)
    for _ in 0..<64 {
      var damaged = weights
      let place = Int.random(in: 0..<weights.count, using: &random)
      damaged[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      #expect(checksum(damaged) != header.checksum, "weight byte \(place)")
      // The same bit twice, a lane's distance apart, does not cancel.
      let second = (place + 32 * Int.random(in: 1...100, using: &random)) % weights.count
      damaged[second] ^= damaged[place] ^ weights[place]
      #expect(checksum(damaged) != header.checksum, "weight bytes \(place) and \(second)")
    }
    #expect(checksum(Array(weights.dropLast())) != header.checksum)
    #expect(checksum([]) != checksum([0]))
  }

  @Test("a power cut at any call leaves the file whole, the one before it, or none")
  func powerCut() throws {
    let probe = SimulatedDisk()
    try write(probe, place)
    let calls = probe.calls.count
    #expect(calls > 10)
    for cut in 0..<calls {
      for seed in 0..<4 as Range<UInt64> {
        let disk = SimulatedDisk()
        var random = SplitMix64(seed: seed << 32 | UInt64(cut))
        disk.cutAt = cut
        #expect(throws: StorageError.self) { try write(disk, place) }
        disk.restart(using: &random)
        if let bytes = disk.contents(path) {
          let file = try #require(PackedWeightsFile(ByteView(bytes)), "cut at \(cut)")
          #expect(file.isWhole, "cut at \(cut)")
        }
        // What is left over is in nobody's way.
        try write(disk, place)
        #expect(disk.contents(path)?.count == weights.count + PackedWeightsFile.headerBytes)
        disk.restart(using: &random)
        #expect(disk.contents(path)?.count == weights.count + PackedWeightsFile.headerBytes)
      }
    }
  }

  @Test("a call that fails leaves no file behind", arguments: [ENOSPC, EIO])
  func failure(code: Int32) throws {
    let probe = SimulatedDisk()
    try write(probe, place)
    for failing in 0..<probe.calls.count {
      let disk = SimulatedDisk()
      disk.failure = { number, _ in number == failing ? code : nil }
      let call = probe.calls[failing]
      #expect(throws: code == ENOSPC ? StorageError.noSpace(call: call) : .system(call: call, errno: code)) {
        try write(disk, place)
      }
      #expect(disk.contents(path + ".new") == nil, "call \(failing)")
    }
  }

  @Test("a full disk is found before anything is written")
  func fullDisk() throws {
    let disk = SimulatedDisk()
    disk.capacity = weights.count
    #expect(throws: StorageError.noSpace(call: .reserve)) { try write(disk, place) }
    #expect(disk.writtenBytes == 0)
  }

  @Test("files go with their version, and those of models of the device when they are not kept")
  func garbage() throws {
    let disk = SimulatedDisk()
    let store = try ModelStore(disk)
    for version in 1...3 as ClosedRange<Int64> {
      try write(disk, .store(model: "digits", version: version))
      try write(disk, .cache(model: "wake.word", version: version))
    }
    try write(disk, .cache(model: "gone", version: 1))
    let used = try PackedWeightsPlace.usedBytes(except: place.path, disk)
    #expect(used == 6 * (weights.count + PackedWeightsFile.headerBytes))
    try store.collectGarbage(keep: ["digits": [2, 3]], staging: [], untouched: [])
    #expect(disk.contents("store/digits/1/packed") == nil)
    #expect(disk.contents("store/digits/2/packed") != nil)
    try PackedWeightsPlace.collectGarbage(keep: ["wake.word": [1, 3], "never": [1]], disk)
    #expect(disk.contents("cache/wake.word/1/packed") != nil)
    #expect(disk.contents("cache/wake.word/2/packed") == nil)
    #expect(disk.contents("cache/gone/1/packed") == nil)
    try store.removePackedWeights()
    #expect(try PackedWeightsPlace.usedBytes(except: StoragePath(["none"]), disk) == 0)
    #expect(disk.contents("store/digits/3/packed") == nil)
  }

  @Test("names that could leave the directory are refused", arguments: ["", "..", ".a", "a/b", "a\0"])
  func names(name: String) {
    #expect(throws: StorageError.invalidName(name)) {
      try PackedWeightsPlace.cache(model: name, version: 1).path
    }
    #expect(throws: StorageError.invalidName(name)) {
      try PackedWeightsPlace.store(model: name, version: 1).path
    }
    #expect(throws: StorageError.invalidVersion(0)) {
      try PackedWeightsPlace.cache(model: "a", version: 0).path
    }
  }
}

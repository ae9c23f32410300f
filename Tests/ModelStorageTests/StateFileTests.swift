import DeliveryTestSupport
import TestSupport
import Testing

@testable import ModelStorage

@Suite("State file")
struct StateFileTests {
  @Test("CRC-32C of the check string is the published one")
  func check() {
    #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
    #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
  }

  @Test("the newest state is found again, on a real disk")
  func newest() throws {
    let directory = TemporaryDirectory("state")
    var store = try ModelStore(SystemFiles(directory.path))
    #expect(store.state == nil)
    for i in 0..<7 as Range<UInt8> { try store.save([i, i]) }
    store = try ModelStore(SystemFiles(directory.path))
    #expect(store.state == [6, 6])
  }

  @Test("the largest state fits, one byte more is refused")
  func size() throws {
    let disk = SimulatedDisk()
    let store = try ModelStore(disk)
    let largest = [UInt8](repeating: 7, count: ModelStore.stateBytesMaximum)
    try store.save(largest)
    #expect(try ModelStore(disk).state == largest)
    #expect(
      throws: StorageError.invalidSize(
        limit: ModelStore.stateBytesMaximum, actual: ModelStore.stateBytesMaximum + 1)
    ) { try store.save(largest + [0]) }
    #expect(disk.contents("state/state")?.count == 8192)
  }

  @Test("a save cut at any call leaves the state before it or the new one")
  func cuts() throws {
    for seed in 0..<300 as Range<UInt64> {
      var random = SplitMix64(seed: seed)
      let disk = SimulatedDisk()
      var saved: [UInt8]?
      var store = try ModelStore(disk)
      for step in 0..<12 as Range<UInt8> {
        let next = [UInt8](repeating: step, count: Int.random(in: 1...4000, using: &random))
        disk.cutAt = disk.calls.count + Int.random(in: 0...3, using: &random)
        let isSaved = (try? store.save(next)) != nil
        if isSaved { saved = next }
        disk.restart(using: &random)
        store = try ModelStore(disk)
        #expect(store.state == saved || store.state == next)
        saved = store.state
      }
    }
  }

  @Test("a slot with any byte changed is not taken for a state")
  func flips() {
    let slot = StateFile.encode(41, Array(0..<200))
    #expect(StateFile.decode(slot)?.generation == 41)
    for i in 0..<24 + 200 {
      var damaged = slot
      damaged[i] ^= 1 << UInt8(i % 8)
      #expect(StateFile.decode(damaged) == nil)
    }
  }

  @Test("no seeded mutation of a slot crashes the reader or yields another payload")
  func mutations() {
    let payload = [UInt8](0..<100)
    let slot = StateFile.encode(7, payload)
    var random = SplitMix64(seed: 0xF022)
    for _ in 0..<20_000 {
      var mutated = slot
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        mutated[Int.random(in: 0..<130, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      }
      guard let found = StateFile.decode(mutated) else { continue }
      #expect(found.payload == payload && found.generation == 7)
    }
  }
}

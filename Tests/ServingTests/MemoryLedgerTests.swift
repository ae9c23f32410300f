import Serving
import Testing

@Suite("Memory ledger")
struct MemoryLedgerTests {
  @Test("refuses what does not fit, with the numbers, and charges nothing")
  func refusal() throws {
    let ledger = MemoryLedger(budget: 100)
    let held = try ledger.charge("a@1", [MemoryItem(.arena, 60)])
    #expect(throws: MemoryRefusal(needed: 41, available: 40, budget: 100)) {
      _ = try ledger.charge("b@1", [MemoryItem(.arena, 1), MemoryItem(.scratch, 40)])
    }
    #expect(ledger.chargedBytes == 60)
    held.release()
  }

  @Test("grants exactly what is left")
  func exactFit() throws {
    let ledger = MemoryLedger(budget: 100)
    let charge = try ledger.charge("a@1", [MemoryItem(.arena, 100)])
    #expect(ledger.availableBytes == 0)
    charge.release()
  }

  @Test("takes a charge back once, however often it is released")
  func releasedOnce() throws {
    let ledger = MemoryLedger(budget: 100)
    let other = try ledger.charge("b@1", [MemoryItem(.arena, 10)])
    do {
      let charge = try ledger.charge("a@1", [MemoryItem(.arena, 60)])
      charge.release()
      charge.release()
    }
    #expect(ledger.chargedBytes == 10)
    other.release()
    #expect(ledger.chargedBytes == 0)
  }

  @Test("takes a charge back at the end of its object")
  func releasedAtEnd() throws {
    let ledger = MemoryLedger(budget: 100)
    _ = try ledger.charge("a@1", [MemoryItem(.arena, 60)])
    #expect(ledger.chargedBytes == 0)
    #expect(ledger.snapshot().peakBytes == 60)
  }

  @Test("refuses a sum beyond the address space")
  func overflow() {
    let ledger = MemoryLedger()
    #expect(throws: MemoryRefusal.self) {
      _ = try ledger.charge("a@1", [MemoryItem(.arena, .max), MemoryItem(.scratch, .max)])
    }
  }

  @Test("names who holds what")
  func snapshot() throws {
    let ledger = MemoryLedger(budget: 100)
    let items = [MemoryItem(.weightsAnonymous, 30), MemoryItem(.connectionBuffers, 5)]
    let charge = try ledger.charge("a@1", items)
    let snapshot = ledger.snapshot()
    #expect(snapshot.chargedBytes == 35)
    #expect(snapshot.charges.map(\.name) == ["a@1"])
    #expect(snapshot.charges.first?.items == items)
    charge.release()
  }
}

import Serving
import Tensors
import Testing

@Suite("Memory pools")
struct MemoryPoolTests {
  @Test("charges what goes beyond the reserve, and gives it back")
  func charges() {
    let ledger = MemoryLedger(budget: 100)
    let pool = MemoryPool(ledger, name: "requests", .connectionBuffers)
    #expect(pool.reserve(40) == nil)
    #expect(ledger.chargedBytes == 40)
    #expect(pool.take(30) == nil)
    #expect(ledger.chargedBytes == 40)
    #expect(pool.take(30) == nil)
    #expect(ledger.chargedBytes == 60)
    pool.giveBack(30)
    #expect(ledger.chargedBytes == 40)
    pool.giveBack(30)
    #expect(ledger.chargedBytes == 40)
    pool.close()
    #expect(ledger.chargedBytes == 0)
  }

  @Test("refuses what the budget does not hold, and takes nothing then")
  func refuses() throws {
    let ledger = MemoryLedger(budget: 100)
    let model = try ledger.charge("digits@1", [MemoryItem(.arena, 70)])
    let pool = MemoryPool(ledger, name: "requests", .connectionBuffers)
    #expect(pool.reserve(31) == MemoryRefusal(needed: 31, available: 30, budget: 100))
    #expect(pool.take(20) == nil)
    #expect(pool.take(11) == MemoryRefusal(needed: 11, available: 10, budget: 100))
    #expect(ledger.chargedBytes == 90)
    #expect(ledger.snapshot().refusals == 2)
    model.release()
    #expect(pool.take(80) == nil)
    #expect(pool.take(.max) != nil)
  }

  @Test("a reply that the budget does not hold is refused, and what it took is given back")
  func largeReply() throws {
    let needs = try ServingFixture.needs(1)
    let fixture = ServingFixture(budget: needs + 100) { $0.replyBytesFree = 0 }
    try fixture.load(1).get()
    let lease = try fixture.lease()
    let row = lease.description.inputs[0].type
    let rowBytes = row.byteCount ?? 0
    func request(rows: Int) -> InferenceRequest {
      var request = ServingFixture.request(
        [UInt8](repeating: 0, count: rowBytes * rows), lease.description)
      request.inputs[0].shape = Shape([rows] + row.shape.extents.dropFirst())
      return request
    }
    #expect(throws: Never.self) { _ = try fixture.infer(lease, request(rows: 1)) }
    let charged = fixture.manager.ledger.chargedBytes
    #expect { _ = try fixture.infer(lease, request(rows: 256)) } throws: { error in
      if case .overMemory? = error as? ServingError { true } else { false }
    }
    #expect(fixture.manager.ledger.chargedBytes == charged)
    #expect(throws: Never.self) { _ = try fixture.infer(lease, request(rows: 1)) }
  }
}

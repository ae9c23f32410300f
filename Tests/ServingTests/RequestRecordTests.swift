import KernelDispatch
import KernelInterface
import Serving
import Synchronization
import TestSupport
import Testing

@Suite("Request records")
struct RequestRecordTests {
  @Test("a traceparent is read as the standard has it, and one that is none is passed over")
  func traceContext() throws {
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    let parent = "00f067aa0ba902b7"
    let context = try #require(TraceContext("00-\(trace)-\(parent)-01"))
    #expect(context.traceID == trace)
    #expect(context.parentID == parent)
    // A later version may say more.
    #expect(TraceContext("cc-\(trace)-\(parent)-01-more") == context)
    for wrong in [
      "", "00", "00-\(trace)-\(parent)", "00-\(trace)-\(parent)-01-more",
      "ff-\(trace)-\(parent)-01", "00-\(trace.uppercased())-\(parent)-01",
      "00-\(String(repeating: "0", count: 32))-\(parent)-01",
      "00-\(trace)-\(String(repeating: "0", count: 16))-01", "00-\(trace)_\(parent)-01",
      "00-\(trace)-\(parent)-0g", "cc-\(trace)-\(parent)-01more",
    ] { #expect(TraceContext(wrong) == nil, "\(wrong)") }
    var terms = RequestTerms()
    try terms.take("Traceparent", "00-\(trace)-\(parent)-00")
    #expect(terms.trace == context)
  }

  @Test("an even share of the answered requests is told of, and each that fails")
  func sampling() throws {
    let box = Box()
    let manager = ModelManager(
      ServingConfiguration(
        table: .best, sampler: RequestSampler(share: 2500) { box.append($0) }))
    let loaded = Outcome<Bool>()
    manager.load(
      VersionSource(model: "digits", version: 1, path: Fixtures.digitsModel(1))
    ) { _ in loaded.set(true) }
    _ = loaded.wait()
    let leased = Outcome<VersionLease?>()
    manager.service.lease("digits", .latest) { leased.set(try? $0.get()) }
    let lease = try #require(leased.wait())
    let image = try DigitsTestSplit().images[0]
    var request = ServingFixture.request(image, lease.description)
    try request.terms.take(
      "traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    for _ in 0..<100 {
      let done = Outcome<Bool>()
      manager.service.infer(lease, request) { _ in done.set(true) }
      _ = done.wait()
    }
    #expect(box.all.count == 25)
    let record = try #require(box.all.first)
    #expect(record.model == "digits" && record.version == 1 && record.rows == 1)
    #expect(record.outcome == .ok)
    #expect(record.inferNanoseconds > 0)
    #expect(record.trace?.traceID == "4bf92f3577b34da6a3ce929d0e0e4736")
    #expect(record.inputs.map(\.name) == ["image"])
    request.inputs[0].name = "secret"
    for _ in 0..<10 {
      let done = Outcome<Bool>()
      manager.service.infer(lease, request) { _ in done.set(true) }
      _ = done.wait()
    }
    #expect(box.all.count == 35)
    #expect(box.all.last?.outcome == .invalid)
    // A name that a client made up is not told on.
    #expect(box.all.last?.inputs == [])
  }

  private final class Box: Sendable {
    private let records = Mutex<[RequestRecord]>([])

    var all: [RequestRecord] { records.withLock { $0 } }
    func append(_ record: RequestRecord) { records.withLock { $0.append(record) } }
  }
}

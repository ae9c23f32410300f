import Tensors
import TestSupport
import Testing

@testable import Serving

@Suite("Response cache")
struct ResponseCacheTests {
  private static func request(_ bytes: [UInt8], _ outputs: [String]? = nil) -> InferenceRequest {
    InferenceRequest(
      inputs: [
        NamedTensor(name: "x", dataType: .uint8, shape: Shape([bytes.count]), bytes: bytes)
      ], outputNames: outputs)
  }

  private static func response(_ byte: UInt8) -> InferenceResponse {
    InferenceResponse(
      version: 1,
      outputs: [NamedTensor(name: "y", dataType: .uint8, shape: Shape([1]), bytes: [byte])])
  }

  @Test("gives an answer to a request that is the same in every byte, and to no other")
  func wholeKey() {
    let cache = ResponseCache(bytesMaximum: 1 << 20)
    cache.store(Self.request([1, 2, 3]), Self.response(7))
    #expect(cache.find(Self.request([1, 2, 3]))?.outputs[0].bytes == [7])
    #expect(cache.find(Self.request([1, 2, 4])) == nil)
    #expect(cache.find(Self.request([1, 2, 3], ["y"])) == nil)
    var reshaped = Self.request([1, 2, 3])
    reshaped.inputs[0].shape = Shape([3, 1])
    #expect(cache.find(reshaped) == nil)
    reshaped.inputs[0].name = "z"
    #expect(cache.find(reshaped) == nil)
  }

  @Test("stays within its bytes, and lets go of what was used least recently")
  func bound() {
    let cache = ResponseCache(bytesMaximum: 4 * 1024)
    for number in UInt8(0)..<100 {
      cache.store(Self.request([number]), Self.response(number))
      // The first is asked for again and again.
      #expect(cache.find(Self.request([0]))?.outputs[0].bytes == [0])
      #expect(cache.byteCount <= 4 * 1024)
    }
    #expect(cache.find(Self.request([99])) != nil)
    #expect(cache.find(Self.request([50])) == nil)
    #expect(cache.byteCount > 3 * 1024)
    cache.store(Self.request([UInt8](repeating: 1, count: 8192)), Self.response(1))
    #expect(cache.find(Self.request([UInt8](repeating: 1, count: 8192))) == nil)
    #expect(cache.find(Self.request([99])) != nil)
  }

  @Test("a version answers from it, is charged for it, and takes it along when it goes")
  func version() throws {
    let fixture = ServingFixture()
    let bytes = 64 * 1024
    func load(_ version: Int64, cache: Int) throws {
      let outcome = Outcome<Result<Void, LoadFailure>>()
      fixture.manager.load(
        VersionSource(
          model: "digits", version: version, path: Fixtures.digitsModel(Int(version)),
          cacheBytes: cache)
      ) { outcome.set($0) }
      try outcome.wait().get()
    }
    try load(1, cache: 0)
    let plain = fixture.manager.ledger.chargedBytes
    try load(2, cache: bytes)
    let image = try DigitsTestSplit().images[0]
    let answers = try (0..<3).map { _ in try fixture.answer(image).outputs[0].bytes }
    #expect(Set(answers).count == 1)
    let status = try #require(try fixture.service.statuses(of: "digits").first)
    #expect(status.cacheHits == 2 && status.cacheMisses == 1)
    #expect(status.outcomes == [.ok: 3])
    #expect(status.memory.cacheBytes == bytes)
    #expect(fixture.manager.ledger.chargedBytes >= bytes)
    try load(1, cache: 0)
    #expect(eventually { fixture.manager.ledger.chargedBytes == plain })
    #expect(try fixture.answer(image).version == 1)
  }
}

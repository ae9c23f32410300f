import ArgumentParser
import FoundationEssentials
import KernelDispatch
import KernelInterface
import Tensors
import TestSupport
import Testing

@testable import edgeserve

@Suite("bench")
struct BenchTests {
  private func session() throws -> BenchSession {
    try BenchSession(path: Fixtures.digitsModel(), table: .best, threads: 1)
  }

  @Test("its JSON has the promised keys, operators only with --profile", arguments: [false, true])
  func jsonKeys(isProfiled: Bool) throws {
    let arguments = [Fixtures.digitsModel(), "--runs", "5"] + (isProfiled ? ["--profile"] : [])
    let document = try Bench.parse(arguments).measure(session())
    let json = String(decoding: try JSONEncoder().encode(document), as: UTF8.self)
    let keys = [
      "model", "threads", "kernels", "runs", "latency_us", "min", "p50", "p90", "p99", "mean",
      "prepare_ms", "memory",
    ]
    for key in keys { #expect(json.contains("\"\(key)\":"), "\(key)") }
    #expect(json.contains("\"operators\":") == isProfiled)
  }

  @Test("quantiles lie between neighbours, in microseconds")
  func quantiles() {
    let latency = BenchDocument.Latency([4000, 1000, 3000, 2000])
    #expect(latency.min == 1)
    #expect(latency.p50 == 2.5)
    #expect(latency.mean == 2.5)
    #expect(abs(latency.p90 - 3.7) < 1e-9)
  }

  @Test("shares of a profile add up to one")
  func shares() throws {
    let document = try Bench.parse([Fixtures.digitsModel(), "--runs", "3", "--profile"])
      .measure(session())
    let shares = try #require(document.operators).map(\.share)
    #expect(abs(shares.reduce(0, +) - 1) < 1e-9)
  }

  @Test("a worker says that it is ready, answers each line with as many latencies, and ends with its input")
  func worker() throws {
    var lines = ["run 3", "run 1", "nonsense", "run -1"].makeIterator()
    var answers: [String] = []
    try Bench.parse([Fixtures.digitsModel(), "1", "--worker"])
      .serve(session(), nextLine: { lines.next() }, say: { answers.append($0) })
    #expect(answers.count == 5)
    let ready = answers[0].split(separator: " ")
    #expect(ready.count == 3 && ready[0] == "ready")
    #expect(ready.dropFirst().allSatisfy { (Int($0) ?? 0) > 0 })
    #expect(answers.dropFirst().map { $0.split(separator: " ").count } == [3, 1, 0, 0])
    #expect(answers[1].split(separator: " ").allSatisfy { (Int($0) ?? 0) > 0 })
  }

  @Test("noise is the same every time, and floats lie within −1 and 1")
  func noise() throws {
    var (first, second) = (SeededNoise(seed: 1), SeededNoise(seed: 1))
    let type = TensorType(.float32, [64])
    let bytes = first.bytes(of: type)
    #expect(bytes == second.bytes(of: type))
    #expect(bytes.count == 256)
    for at in stride(from: 0, to: bytes.count, by: 4) {
      let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) }
      #expect(abs(Float(bitPattern: bits)) <= 1)
    }
  }

  @Test("usage that contradicts itself is refused", arguments: [
    ["m", "--threads", "0"], ["m", "--runs", "0"], ["m", "2"],
  ])
  func usage(arguments: [String]) {
    #expect(throws: (any Error).self) { try Bench.parse(arguments) }
  }
}

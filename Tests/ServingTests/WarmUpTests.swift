import ByteParsing
import Glibc
import ModelStorage
import Serving
import TestSupport
import Testing

@Suite("Recorded requests for warm-up")
struct WarmUpTests {
  private let directory = TemporaryDirectory("edgeserve-warm-up")

  /// A record of a TFRecord file.
  private static func record(_ message: [UInt8]) -> [UInt8] {
    func masked(_ bytes: [UInt8]) -> [UInt8] {
      let sum = CRC32C.checksum(bytes)
      return little((sum >> 15 | sum << 17) &+ 0xA282_EAD8)
    }
    let length = little(UInt64(message.count))
    return length + masked(length) + message + masked(message)
  }

  private static func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> T(8 * $0)) }
  }

  /// A `PredictionLog` with one input of type float32.
  private static func log(
    input: String = "x", type: UInt64 = 1, extents: [Int64] = [2],
    _ values: (inout ProtobufWriter) -> Void = { $0.bytes(5, WarmUpTests.floats([1, 2])) }
  ) -> [UInt8] {
    var log = ProtobufWriter()
    log.message(6) { predictLog in
      predictLog.message(1) { request in
        request.message(1) { $0.text(1, "any name") }
        request.entry(2, input) { tensor in
          tensor.integer(1, type)
          tensor.message(2) { shape in
            for extent in extents { shape.message(2) { $0.int64(1, extent) } }
          }
          values(&tensor)
        }
      }
    }
    return log.bytes
  }

  private static func floats(_ values: [Float]) -> [UInt8] {
    values.flatMap { little($0.bitPattern) }
  }

  /// Loads a model as a new version with these bytes as its recorded requests.
  private func load(
    _ fixture: ServingFixture, _ version: Int64, _ records: [UInt8]?,
    model: String = Fixtures.halfPlusTwoModel
  ) -> Result<Void, LoadFailure> {
    let path = "\(directory.path)/\(version)"
    unsafe mkdir(path, 0o755)
    unsafe mkdir(path + "/assets.extra", 0o755)
    unsafe symlink(model, path + "/model.tflite")
    if let records { write(records, path + "/assets.extra/tf_serving_warmup_requests") }
    return fixture.load(version, path: path + "/model.tflite", model: "half")
  }

  private func write(_ bytes: [UInt8], _ path: String) {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    precondition(descriptor >= 0)
    // Sound: the pointer and count are of the same array.
    let count = unsafe Glibc.write(descriptor, bytes, bytes.count)
    precondition(count == bytes.count)
    close(descriptor)
  }

  @Test("are run before the version serves, in every form that TensorFlow writes them")
  func runs() throws {
    // CRC-32C's own check value.
    #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
    let good: [[UInt8]] = [
      Self.log(), Self.log { $0.bytes(4, Self.floats([1, 2])) },
      // One element for all of them, and rows beyond any that could be held.
      Self.log(extents: [1 << 40]) { $0.bytes(5, Self.floats([1])) },
      Self.log(extents: [1 << 40]) { _ in },
      // A log of another kind.
      written { $0.message(2) { $0.text(1, "classify") } },
    ]
    let fixture = ServingFixture()
    for (number, records) in [nil, [], good.flatMap(Self.record)].enumerated() {
      try load(fixture, Int64(number + 1), records).get()
      #expect(try fixture.states("half")[Int64(number + 1)] == .serving)
    }
    // What the runs held is given back.
    #expect(
      eventually {
        let statuses = (try? fixture.service.statuses(of: "half")) ?? []
        return fixture.manager.ledger.chargedBytes
          == statuses.reduce(0) { $0 + $1.memory.totalBytes }
      })
  }

  @Test("stop the version when one of them fails, with its number")
  func refused() throws {
    let good = Self.record(Self.log())
    let cases: [([UInt8], String)] = [
      (Self.record(Self.log(input: "y")), "the model has no input \"y\""),
      (Self.record(Self.log(type: 3)), "the input \"x\" is float32; TensorFlow's type 3 came"),
      (Self.record(Self.log(extents: [2, 1])), "the input \"x\" cannot have the shape [2, 1]"),
      (
        Self.record(Self.log(extents: [3])),
        "the input \"x\" has 2 elements where its shape holds 3"
      ),
      (
        Self.record(
          Self.log(extents: [514]) {
            $0.bytes(4, Self.floats([Float](repeating: 1, count: 514)))
          }),
        "it has 514 rows, more than 256"
      ),
      (
        Self.record(written { $0.message(6) { $0.message(1) { _ in } } }),
        "the input \"x\" is missing"
      ),
      (Array(good.dropLast()), "the file ends in the middle of it"),
      (Array(good.prefix(5)), "the file ends in the middle of it"),
      (Array(good.dropLast()) + [good[good.count - 1] ^ 1], "its checksum does not hold"),
      ([good[0] ^ 1] + good.dropFirst(), "its checksum does not hold"),
    ]
    let fixture = ServingFixture()
    try load(fixture, 1, good).get()
    for (number, one) in cases.enumerated() {
      #expect(throws: LoadFailure.warmUp(record: 1, reason: one.1)) {
        try load(fixture, Int64(number + 2), good + one.0).get()
      }
    }
    let many = Array(repeating: good, count: 1001).flatMap(\.self)
    #expect(throws: LoadFailure.warmUp(record: 1000, reason: "there are more than 1000")) {
      try load(fixture, 100, many).get()
    }
    #expect(try fixture.states("half").filter { $0.value == .serving } == [1: .serving])
    #expect(try fixture.service.statuses(of: "half").first?.cause?.code == "warm-up")
  }

  @Test("are passed over when the time for them is over")
  func bounded() throws {
    let fixture = ServingFixture { $0.warmUpMilliseconds = 0 }
    try load(fixture, 1, Self.record(Self.log()) + Self.record(Self.log(input: "y"))).get()
    #expect(try fixture.states("half") == [1: .serving])
  }

  @Test("stop the version when the model has no result for one of them")
  func withoutResult() throws {
    let model = directory.path + "/repetition.tflite"
    write(ComputedShapesTests.repetition.bytes(), model)
    func log(_ times: [Int32]) -> [UInt8] {
      written { log in
        log.message(6) { predictLog in
          predictLog.message(1) { request in
            request.entry(2, "x") { tensor in
              tensor.integer(1, 1)
              tensor.message(2) { shape in
                for extent in [1, 2] as [Int64] { shape.message(2) { $0.int64(1, extent) } }
              }
              tensor.bytes(4, Self.floats([1, 2]))
            }
            request.entry(2, "times") { tensor in
              tensor.integer(1, 3)
              tensor.message(2) { shape in shape.message(2) { $0.int64(1, 2) } }
              tensor.bytes(4, times.flatMap(Self.little))
            }
          }
        }
      }
    }
    let fixture = ServingFixture()
    let good = Self.record(log([2, 3]))
    try load(fixture, 1, good, model: model).get()
    for (version, times) in [(2, [-1, 1]), (3, [1 << 14, 1 << 10])] as [(Int64, [Int32])] {
      guard
        case .failure(.warmUp(record: 1, let reason)) = load(
          fixture, version, good + Self.record(log(times)), model: model)
      else {
        Issue.record("\(times) has a result")
        continue
      }
      #expect(reason.hasPrefix("the model has no result for its inputs: their values"))
    }
  }

  @Test("of any bytes are run or refused, and nothing else happens")
  func fuzz() throws {
    var random = SplitMix64(seed: 0x3A2)
    let fixture = ServingFixture()
    for version in 1...300 as ClosedRange<Int64> {
      var message = Self.log(type: [1, 3, 9].randomElement(using: &random) ?? 1)
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0..<message.count, using: &random)
        message[place] = UInt8.random(in: 0...255, using: &random)
      }
      if case .failure(let failure) = load(fixture, version, Self.record(message)) {
        #expect(failure.code == "warm-up")
      }
    }
  }
}

/// A message that `body` writes.
private func written(_ body: (inout ProtobufWriter) -> Void) -> [UInt8] {
  var writer = ProtobufWriter()
  body(&writer)
  return writer.bytes
}

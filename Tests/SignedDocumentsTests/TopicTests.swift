import SignedDocuments
import TestSupport
import Testing

@Suite("Topics")
struct TopicTests {
  static let object = Samples.objectID
  static let names: [(Topic, String)] = [
    (.root(fleet: "F", version: 2), "es/1/F/root/2"),
    (.director(fleet: "F", model: "m"), "es/1/F/dir/m"),
    (.release(fleet: "F", model: "m", sequence: 10), "es/1/F/rel/m/10"),
    (.index(fleet: "F", objectID: object), "es/1/F/o/\(object)/h"),
    (.block(fleet: "F", objectID: object, block: 0), "es/1/F/o/\(object)/0"),
    (.block(fleet: "F", objectID: object, block: 5460), "es/1/F/o/\(object)/5460"),
    (.seal(fleet: "F", objectID: object), "es/1/F/o/\(object)/z"),
    (.status(fleet: "F", device: "dev-1"), "es/1/F/s/\(Topic.shard(of: "dev-1"))/dev-1"),
    (.liveness(fleet: "F", device: "dev-1"), "es/1/F/l/\(Topic.shard(of: "dev-1"))/dev-1"),
    (.command(fleet: "F", device: "dev-1"), "es/1/F/c/dev-1"),
    (.acknowledgement(fleet: "F", device: "d"), "es/1/F/a/\(Topic.shard(of: "d"))/d"),
    (.request(fleet: "F", device: "dev-1"), "es/1/F/q/dev-1"),
  ]

  @Test("are written and read as the tree has them", arguments: names)
  func roundTrip(topic: Topic, name: String) {
    #expect(topic.name == name)
    #expect(Topic(name) == topic)
  }

  @Test("have a shard of two digits, the start of the device name's digest")
  func shards() {
    // SHA-256 of "abc" begins with ba7816bf.
    #expect(Topic.shard(of: "abc") == "ba")
  }

  @Test(
    "are nothing else",
    arguments: [
      "", "es", "es/1", "es/1/F", "es/2/F/dir/m", "ES/1/F/dir/m", "es/1/F/dir", "es/1/F/dir/m/",
      "/es/1/F/dir/m", "es/1/F/dir/m/n", "es/1/F/dir/+", "es/1/F/dir/#", "es/1//dir/m",
      "es/1/F/dir/a b", "es/1/F/dir/a.b", "es/1/F/dir/ü", "es/1/F/root/0", "es/1/F/root/01",
      "es/1/F/root/-1", "es/1/F/root/+1", "es/1/F/root/9223372036854775808", "es/1/F/rel/m/0",
      "es/1/F/o/short/h", "es/1/F/o/abcdefghijklmnopqrst-_/x", "es/1/F/o/abcdefghijklmnopqrst-_/5461",
      "es/1/F/o/abcdefghijklmnopqrst-_/00", "es/1/F/s/00/abc", "es/1/F/x/ba/abc",
    ])
  func refusals(name: String) {
    #expect(Topic(name) == nil)
  }

  @Test("hold their ground on 20,000 mutations; what is read is written the same")
  func fuzz() {
    var random = SplitMix64(seed: 0x70)
    for i in 0..<20_000 {
      let bytes = Array(Self.names[i % Self.names.count].1.utf8).mutated(using: &random)
      let name = String(decoding: bytes, as: UTF8.self)
      if let topic = Topic(name) { #expect(topic.name == name) }
    }
  }
}

@Suite("Cohorts")
struct CohortTests {
  private func director(_ percent: Int64, salt: [UInt8] = [1]) -> DirectorDocument {
    var director = Samples.director
    director.percent = percent
    director.salt = salt
    director.cohortLabels = []
    return director
  }

  private let devices = (0..<2000).map { "device-\($0)" }

  @Test("hold everyone at 100 % and nobody at 0 %")
  func ends() {
    #expect(devices.allSatisfy { director(10_000).includes(device: $0, labels: []) })
    #expect(!devices.contains { director(0).includes(device: $0, labels: []) })
  }

  @Test("only grow while the percentage grows, and hold about that part")
  func growth() {
    var before: Set<String> = []
    for percent in [Int64(100), 1000, 5000, 9000] {
      let now = Set(devices.filter { director(percent).includes(device: $0, labels: []) })
      #expect(before.isSubset(of: now))
      let expected = Double(devices.count) * Double(percent) / 10_000
      // Five standard deviations of a binomial count.
      #expect(abs(Double(now.count) - expected) < 5 * (expected * (1 - Double(percent) / 10_000)).squareRoot())
      before = now
    }
  }

  @Test("are others under another salt")
  func salts() {
    let first = devices.filter { director(1000).includes(device: $0, labels: []) }
    let second = devices.filter { director(1000, salt: [2]).includes(device: $0, labels: []) }
    #expect(first != second)
  }

  @Test("hold only devices with one of their labels")
  func labels() {
    var director = director(10_000)
    director.cohortLabels = ["north", "south"]
    #expect(director.includes(device: "d", labels: ["east", "south"]))
    #expect(!director.includes(device: "d", labels: ["east"]))
    #expect(!director.includes(device: "d", labels: []))
  }

  @Test("start within their spread")
  func spread() {
    var director = director(10_000)
    director.spreadSeconds = 60
    let delays = Set(devices.map { director.startDelaySeconds(device: $0) })
    #expect(delays == Set(0..<60))
    director.spreadSeconds = 0
    #expect(director.startDelaySeconds(device: "d") == 0)
  }
}

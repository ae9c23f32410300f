import ByteParsing
import Cryptography
import ModelBundle
import TestSupport
import Testing

@Suite("Bundles")
struct BundleTests {
  static let golden = GoldenVectors(
    tolerance: .init(integerSteps: 2, relativePartsPerBillion: 5, absoluteBillionths: 7),
    vectors: [UInt8(0), 1, 2].map { i in
      GoldenVectors.Vector(
        inputs: [ByteView([i, i, i])], outputs: [ByteView([i]), ByteView([UInt8]())])
    })

  static let contents = BundleContents(
    modelName: "digits", model: (0..<5000).map { UInt8(truncatingIfNeeded: $0) },
    labels: ["zero", "", "zwölf"], golden: golden, peakBytes: 123_456)

  @Test("give back what was put in, the model at an offset that can be mapped")
  func roundTrip() throws {
    let bytes = try Self.contents.encode()
    let bundle = try Bundle(ByteView(bytes))
    try bundle.verifyFiles()
    #expect(bundle.model.array == Self.contents.model)
    #expect(bundle.labels == Self.contents.labels)
    #expect(bundle.index.modelName == "digits" && bundle.index.peakBytes == 123_456)
    #expect(bundle.index.files.allSatisfy { $0.offset % 4096 == 0 })
    let golden = try #require(bundle.golden)
    #expect(golden.tolerance == Self.golden.tolerance)
    #expect(golden.vectors.map { $0.inputs.map(\.array) } == [[[0, 0, 0]], [[1, 1, 1]], [[2, 2, 2]]])
    #expect(golden.vectors.map { $0.outputs.map(\.array) } == [[[0], []], [[1], []], [[2], []]])
  }

  @Test("are equal for equal contents")
  func determinism() throws {
    let bytes = try Self.contents.encode()
    #expect(try Self.contents.encode() == bytes)
  }

  @Test("need neither labels nor golden vectors")
  func modelOnly() throws {
    let bundle = try Bundle(
      ByteView(BundleContents(modelName: "m", model: [1]).encode()))
    #expect(bundle.labels.isEmpty && bundle.golden == nil && bundle.index.peakBytes == nil)
    #expect(bundle.model.array == [1])
  }

  @Test("are not made of a bad name or of labels with a line break")
  func badContents() {
    #expect(throws: BundleError.modelName) {
      try BundleContents(modelName: "a/b", model: [1]).encode()
    }
    #expect(throws: BundleError.labels) {
      try BundleContents(modelName: "m", model: [1], labels: ["a\nb"]).encode()
    }
  }

  @Test("are refused when cut off anywhere")
  func truncation() throws {
    let bytes = try Self.contents.encode()
    for count in Array(0..<600) + Array(stride(from: 600, to: bytes.count, by: 37)) {
      #expect(throws: BundleError.self) { try Bundle(ByteView(Array(bytes.prefix(count)))) }
    }
    #expect(throws: BundleError.self) { try Bundle(ByteView(bytes + [0])) }
  }

  @Test("are refused with any one byte changed")
  func everyByte() throws {
    let bytes = try Self.contents.encode()
    var accepted: [Int] = []
    for place in bytes.indices {
      var changed = bytes
      changed[place] ^= 1 << UInt8(place % 8)
      if (try? Bundle(ByteView(changed)).verifyFiles()) != nil { accepted.append(place) }
    }
    #expect(accepted == [])
  }

  @Test("hold their ground on 20,000 mutated indexes under a right digest")
  func indexFuzz() throws {
    var contents = Self.contents
    contents.model = [1, 2, 3]
    let bytes = try contents.encode()
    let indexByteCount = Int(bytes[12]) | Int(bytes[13]) << 8
    let index = Array(bytes[64..<64 + indexByteCount])
    var random = SplitMix64(seed: 0xB0B)
    var (refused, overruns) = (0, 0)
    for _ in 0..<20_000 {
      let mutated = index.mutated(using: &random)
      var changed = bytes
      changed.replaceSubrange(64..<64 + indexByteCount, with: mutated)
      changed[12] = UInt8(truncatingIfNeeded: mutated.count)
      changed[13] = UInt8(truncatingIfNeeded: mutated.count >> 8)
      for (i, byte) in SHA256.hash(mutated).bytes.enumerated() { changed[32 + i] = byte }
      for i in 0..<8 { changed[16 + i] = UInt8(truncatingIfNeeded: changed.count >> (8 * i)) }
      do throws(BundleError) {
        let bundle = try Bundle(ByteView(changed))
        overruns += bundle.index.files.count { Int($0.offset + $0.size) > changed.count }
      } catch {
        refused += 1
      }
    }
    #expect(refused > 10_000 && overruns == 0)
  }

  @Test("hold their ground on 20,000 mutated golden vector files")
  func vectorsFuzz() {
    let file = Self.golden.encode()
    var random = SplitMix64(seed: 0x60)
    var refused = 0
    for _ in 0..<20_000 {
      let input = file.mutated(using: &random)
      do throws(BundleError) {
        let golden = try GoldenVectors(decoding: ByteView(input))
        #expect(golden.vectors.allSatisfy { $0.inputs.allSatisfy { $0.count <= input.count } })
      } catch {
        refused += 1
      }
    }
    #expect(refused > 5_000)
  }
}

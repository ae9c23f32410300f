import ModelBundle
import Tensors
import Testing

@testable import Serving

@Suite("Golden tolerance")
struct GoldenToleranceTests {
  private static func bytes(_ values: [Float]) -> [UInt8] {
    values.flatMap { value in
      (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
    }
  }

  private static func isWithin(
    _ actual: [UInt8], _ expected: [UInt8], _ type: DataType
  ) -> Bool {
    let excess = GoldenProof.largestExcess(actual, expected, type, .init())
    return excess.difference <= excess.tolerance
  }

  @Test("admits one step of an int8 output, and no second, also across zero")
  func int8Steps() {
    #expect(Self.isWithin([0xFF, 0x80], [0x00, 0x81], .int8))
    #expect(!Self.isWithin([0xFF], [0x01], .int8))
  }

  @Test("scales with the value of a float output")
  func relative() {
    #expect(Self.isWithin(Self.bytes([100.005]), Self.bytes([100]), .float32))
    #expect(!Self.isWithin(Self.bytes([100.02]), Self.bytes([100]), .float32))
    #expect(!Self.isWithin(Self.bytes([0.005]), Self.bytes([0]), .float32))
  }

  @Test("takes NaN for NaN alone, and infinity for itself alone")
  func specialValues() {
    #expect(Self.isWithin(Self.bytes([.nan, .infinity]), Self.bytes([.nan, .infinity]), .float32))
    #expect(!Self.isWithin(Self.bytes([.nan]), Self.bytes([1]), .float32))
    #expect(!Self.isWithin(Self.bytes([1]), Self.bytes([.nan]), .float32))
    #expect(!Self.isWithin(Self.bytes([-.infinity]), Self.bytes([.infinity]), .float32))
  }

  @Test("reads half precision", arguments: [(0x3C00, 1.0), (0x0001, 0x1p-24), (0xC000, -2.0)])
  func half(bits: Int, value: Double) {
    let actual = [UInt8(bits & 0xFF), UInt8(bits >> 8)]
    let excess = GoldenProof.largestExcess(actual, [0, 0], .float16, .init())
    #expect(excess.difference == abs(value))
  }
}

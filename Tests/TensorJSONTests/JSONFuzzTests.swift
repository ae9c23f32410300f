import Tensors
import TensorJSON
import TestSupport
import Testing

@Suite("JSON from outside")
struct JSONFuzzTests {
  @Test("any bytes are read or refused", arguments: [DataType.float32, .int8, .bool])
  func mutations(type: DataType) throws {
    let seeds = [
      "[[1.5,-2e3,NaN],[0.25,1e-7,Infinity]]", "[[1,2,3],[4,5,6]]", "[[true,false],[false,true]]",
      #"{"a":[1,{"b":"A\"x"}],"c":-Infinity,"d":{"e":[[]]}}"#, "3.4028235e38",
    ].map { Array($0.utf8) }
    var random = SplitMix64(seed: 0xF00D + UInt64(type.rawValue))
    for _ in 0..<20_000 {
      let bytes = mutated(seeds.randomElement(using: &random)!, &random)
      var decoder = try TensorDecoder(type, expectedCount: 4, countMaximum: 1000)
      var tensors = JSONReader(bytes)
      if (try? decoder.append(from: &tensors)) != nil {
        let rows = decoder.rowCount
        let decoded = decoder.finish()
        #expect(rows == 1)
        #expect(type.byteCount(of: decoded.rowShape.elementCount ?? -1) == decoded.bytes.count)
      }
      var skipper = JSONReader(bytes)
      try? skipper.skipValue()
      #expect(skipper.position <= bytes.count)
      var postponer = JSONReader(bytes)
      _ = try? postponer.postponeValue()
      #expect(postponer.position <= bytes.count)
    }
  }

  private func mutated(_ seed: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
    var bytes = seed
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let at = Int.random(in: 0..<max(bytes.count, 1), using: &random)
      switch Int.random(in: 0..<5, using: &random) {
      case 0: if !bytes.isEmpty { bytes[at] = UInt8.random(in: 0...255, using: &random) }
      case 1: bytes.insert(Array("[]{},:\"\\-+.0eNI tfn".utf8).randomElement(using: &random)!, at: at)
      case 2: if !bytes.isEmpty { bytes.remove(at: at) }
      case 3: bytes.removeLast(min(bytes.count, Int.random(in: 0...4, using: &random)))
      default: bytes.insert(contentsOf: bytes.suffix(from: at).prefix(6), at: at)
      }
    }
    return bytes
  }
}

import TestSupport
import Tensors
import Testing

@testable import Runtime

@Suite("Pad copies")
struct PadCopiesTests {
  @Test("rows and blocks put every element where the amounts say", arguments: 0..<300)
  func matchesRule(seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    let rank = Int.random(in: 1...5, using: &random)
    let shape = Shape((0..<rank).map { _ in Int.random(in: 1...4, using: &random) })
    let amounts = (0..<rank).map { _ in
      Bool.random(using: &random)
        ? (before: 0, after: 0)
        : (
          before: Int.random(in: 0...2, using: &random),
          after: Int.random(in: 0...2, using: &random)
        )
    }
    let padded = zip(shape.extents, amounts).map { $0 + $1.before + $1.after }
    var expected = [Int](repeating: -1, count: padded.reduce(1, *))
    let count = shape.elementCount ?? 0
    for element in 0..<count {
      var (rest, index, stride) = (element, 0, 1)
      for axis in (0..<rank).reversed() {
        index += (rest % shape[axis] + amounts[axis].before) * stride
        rest /= shape[axis]
        stride *= padded[axis]
      }
      expected[index] = element
    }

    let copies = PadCopies(shape, amounts: amounts, elementBytes: 1)
    var output = [Int](repeating: -1, count: expected.count)
    for block in 0..<copies.blocks {
      let offsets = copies.offsets(ofBlock: block)
      for row in 0..<copies.rows {
        for byte in 0..<copies.rowBytes {
          output[offsets.output + row * copies.outputStrideBytes + byte] =
            offsets.input + row * copies.rowBytes + byte
        }
      }
    }
    #expect(output == expected)
  }
}

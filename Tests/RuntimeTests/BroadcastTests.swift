import KernelInterface
import TestSupport
import Tensors
import Testing

@testable import Runtime

@Suite("Broadcast")
struct BroadcastTests {
  /// The operand's element that belongs to an output element, straight from the rule.
  private func reference(_ operand: Shape, _ output: Shape, _ element: Int) -> Int {
    var (rest, index, stride) = (element, 0, 1)
    for axis in 0..<output.rank {
      let position = rest % output[output.rank - 1 - axis]
      rest /= output[output.rank - 1 - axis]
      guard axis < operand.rank else { continue }
      let extent = operand[operand.rank - 1 - axis]
      index += (extent == 1 ? 0 : position) * stride
      stride *= extent
    }
    return index
  }

  @Test("every output element meets its operands, however the work is cut", arguments: 0..<300)
  func matchesRule(seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    let rank = Int.random(in: 0...5, using: &random)
    let output = Shape((0..<rank).map { _ in Int.random(in: 1...4, using: &random) })
    func operand() -> Shape {
      let kept = output.extents.map { Bool.random(using: &random) ? $0 : 1 }
      return Shape(Array(kept.dropFirst(Int.random(in: 0...rank, using: &random))))
    }
    let (left, right) = (operand(), operand())
    let broadcast = Broadcast(left: left, right: right, output: output)
    let cut = Int.random(in: 0...broadcast.units, using: &random)
    var pairs = [(Int, Int)?](repeating: nil, count: output.elementCount ?? 0)
    for range in [0..<cut, cut..<broadcast.units] where !range.isEmpty {
      broadcast.forEachPart(of: range) { part in
        for row in 0..<part.rows {
          for column in 0..<part.columns {
            let (l, r) = (broadcast.leftStrides, broadcast.rightStrides)
            pairs[part.output + row * part.columns + column] = (
              part.left + row * l.row + column * l.column,
              part.right + row * r.row + column * r.column
            )
          }
        }
      }
    }
    for (element, pair) in pairs.enumerated() {
      #expect(pair?.0 == reference(left, output, element))
      #expect(pair?.1 == reference(right, output, element))
    }
  }

  @Test("equal shapes are one row")
  func equalShapesCollapse() {
    let broadcast = Broadcast(left: [2, 3, 4], right: [2, 3, 4], output: [2, 3, 4])
    #expect(broadcast.axes == [.init(extent: 24, leftStride: 1, rightStride: 1)])
  }
}

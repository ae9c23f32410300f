import KernelDispatch
import KernelInterface
import Tensors
import TestSupport
import Testing

/// Products whose sizes straddle the kernels' blocks, each operand in either order, two batch axes that may repeat.
@Suite("Matrix products")
struct MatrixProductTests {
  private struct Case {
    let rows, columns, depth: Int
    var batch = SIMD8<Int>(repeating: 1)
    let isLeftTransposed, isRightTransposed: Bool
    var leftStrides = SIMD8<Int>()
    var rightStrides = SIMD8<Int>()
    let leftCount, rightCount: Int

    init(_ random: inout SplitMix64) {
      rows = Int.random(in: 1...9, using: &random)
      columns = [1, 7, 8, 9, 16, 31, 33, 50].randomElement(using: &random)!
      depth = Int.random(in: 1...40, using: &random)
      isLeftTransposed = Bool.random(using: &random)
      isRightTransposed = Bool.random(using: &random)
      var (left, right) = (rows * depth, depth * columns)
      for axis in [7, 6] {
        batch[axis] = Int.random(in: 1...3, using: &random)
        if Bool.random(using: &random) {
          leftStrides[axis] = left
          left *= batch[axis]
        }
        if Bool.random(using: &random) {
          rightStrides[axis] = right
          right *= batch[axis]
        }
      }
      (leftCount, rightCount) = (left, right)
    }

    var lines: Int { batch[6] * batch[7] * rows }

    /// `Σ a · b` of every output element.
    func sums<T, R: AdditiveArithmetic>(
      _ left: [T], _ right: [T], _ multiply: (T, T) -> R
    ) -> [R] {
      var sums: [R] = []
      for line in 0..<lines {
        let (row, inner) = (line % rows, line / rows % batch[7])
        let outer = line / rows / batch[7]
        let leftBase = outer * leftStrides[6] + inner * leftStrides[7]
        let rightBase = outer * rightStrides[6] + inner * rightStrides[7]
        for column in 0..<columns {
          var sum = R.zero
          for k in 0..<depth {
            let a = left[leftBase + (isLeftTransposed ? k * rows + row : row * depth + k)]
            let b = right[
              rightBase + (isRightTransposed ? column * depth + k : k * columns + column)]
            sum += multiply(a, b)
          }
          sums.append(sum)
        }
      }
      return sums
    }

    func run<T: BitwiseCopyable>(
      _ table: KernelTable, _ type: DataType, _ left: [T], _ right: [T], fill: T,
      cut: Int
    ) -> [T] {
      var output = [T](repeating: fill, count: lines * columns)
      unsafe left.withUnsafeBytes { left in
        unsafe right.withUnsafeBytes { right in
          unsafe output.withUnsafeMutableBytes { output in
            let arguments = unsafe MatrixProductArguments(
              type: type, rows: rows, columns: columns, depth: depth, batch: batch,
              left: MatrixOperand(
                elements: left.baseAddress!, batchStrides: leftStrides,
                rowStride: isLeftTransposed ? 1 : depth,
                columnStride: isLeftTransposed ? rows : 1),
              right: MatrixOperand(
                elements: right.baseAddress!, batchStrides: rightStrides,
                rowStride: isRightTransposed ? 1 : columns,
                columnStride: isRightTransposed ? depth : 1),
              output: output.baseAddress!)
            table.general.matrixProduct(arguments, cut..<lines)
            table.general.matrixProduct(arguments, 0..<cut)
          }
        }
      }
      return output
    }
  }

  @Test("float32 products are near the formula", arguments: 0..<100)
  func multipliesFloats(seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    let one = Case(&random)
    let (left, right) = (random.floats(one.leftCount), random.floats(one.rightCount))
    let expected = one.sums(left, right) { Double($0) * Double($1) }
    let magnitudes = one.sums(left, right) { abs(Double($0) * Double($1)) }
    let cut = Int.random(in: 0...one.lines, using: &random)
    for table in KernelTable.supported {
      let output = one.run(table, .float32, left, right, fill: .nan, cut: cut)
      #expect(
        output.indices.allSatisfy {
          abs(Double(output[$0]) - expected[$0]) <= 1e-5 * magnitudes[$0]
        }, "\(table.name)")
    }
  }
}

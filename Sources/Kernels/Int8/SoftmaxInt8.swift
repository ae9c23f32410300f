import CVector
import KernelInterface

/// Softmax of int8 codes: `output = round(e / Σ e · 256) − 128` with `e = table[maximum − code]`, saturated.
///
/// The sum runs in the order of the columns, in float32, so every instruction set returns the same bytes.
/// - Source: TensorFlow Lite's table softmax, which its reference kernels use as well.
func softmaxInt8(_ arguments: SoftmaxInt8Arguments, _ rows: Range<Int>) {
  let columns = arguments.columns
  var row = rows.lowerBound
  // Sound: every index stays inside the rows that the maker of the arguments vouches for; the table has 256 entries.
  while row &+ 4 <= rows.upperBound {
    let input = unsafe arguments.input + row &* columns
    let output = unsafe arguments.output + row &* columns
    let first = unsafe SoftmaxRow(input, columns, arguments.table)
    let second = unsafe SoftmaxRow(input + columns, columns, arguments.table)
    let third = unsafe SoftmaxRow(input + 2 &* columns, columns, arguments.table)
    let fourth = unsafe SoftmaxRow(input + 3 &* columns, columns, arguments.table)
    // Four sums at once, because each waits for its last addition.
    var (sum0, sum1, sum2, sum3) = (Float(0), Float(0), Float(0), Float(0))
    var i = 0
    while i < columns {
      unsafe sum0 += first.exponential(i)
      unsafe sum1 += second.exponential(i)
      unsafe sum2 += third.exponential(i)
      unsafe sum3 += fourth.exponential(i)
      i &+= 1
    }
    unsafe first.store(output, columns, sum0)
    unsafe second.store(output + columns, columns, sum1)
    unsafe third.store(output + 2 &* columns, columns, sum2)
    unsafe fourth.store(output + 3 &* columns, columns, sum3)
    row &+= 4
  }
  while row < rows.upperBound {
    let one = unsafe SoftmaxRow(
      arguments.input + row &* columns, columns, arguments.table)
    var (sum, i) = (Float(0), 0)
    while i < columns {
      unsafe sum += one.exponential(i)
      i &+= 1
    }
    unsafe one.store(arguments.output + row &* columns, columns, sum)
    row &+= 1
  }
}

/// A row of codes, and the exponentials from its greatest code down.
// Safe to hold: every use of a pointer is marked where it happens.
@safe private struct SoftmaxRow {
  private let input: UnsafePointer<Int8>
  private let table: UnsafePointer<Float>
  private let maximum: Int

  @inline(__always)
  @unsafe init(_ input: UnsafePointer<Int8>, _ columns: Int, _ table: UnsafePointer<Float>) {
    unsafe self.input = input
    unsafe self.table = table
    var maximum = unsafe input[0]
    var i = 1
    while i < columns {
      maximum = unsafe max(maximum, input[i])
      i &+= 1
    }
    self.maximum = Int(maximum)
  }

  @inline(__always)
  @unsafe func exponential(_ i: Int) -> Float { unsafe table[maximum &- Int(input[i])] }

  @inline(__always)
  @unsafe func store(_ output: UnsafeMutablePointer<Int8>, _ columns: Int, _ sum: Float) {
    let scale = 256 / sum
    var i = 0
    while i < columns {
      // At most 256.5, because the largest exponential is 1 and part of the sum.
      let code = unsafe Int32(exponential(i) * scale + 0.5) &- 128
      unsafe output[i] = Int8(truncatingIfNeeded: min(code, 127))
      i &+= 1
    }
  }
}

/// An int8 function by table: `output[i] = table[input[i] + 128]`.
func lookupInt8(_ arguments: LookupInt8Arguments) {
  // Sound: `count` codes are read and written; a code plus 128 is below the table's 256 entries.
  var i = unsafe cv_lookup(
    arguments.table, arguments.input, arguments.output, arguments.count)
  while i < arguments.count {
    unsafe arguments.output[i] = arguments.table[Int(arguments.input[i]) &+ 128]
    i &+= 1
  }
}

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
  while row < rows.upperBound {
    let input = unsafe arguments.input + row &* columns
    let output = unsafe arguments.output + row &* columns
    var maximum = unsafe input[0]
    var i = 1
    while i < columns {
      maximum = unsafe max(maximum, input[i])
      i &+= 1
    }
    var sum: Float = 0
    i = 0
    while i < columns {
      unsafe sum += arguments.table[Int(maximum) &- Int(input[i])]
      i &+= 1
    }
    let scale = 256 / sum
    i = 0
    while i < columns {
      // At most 256.5, because the largest exponential is 1 and part of the sum.
      let real = unsafe arguments.table[Int(maximum) &- Int(input[i])] * scale
      let code = Int32(real + 0.5) &- 128
      unsafe output[i] = Int8(truncatingIfNeeded: min(code, 127))
      i &+= 1
    }
    row &+= 1
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

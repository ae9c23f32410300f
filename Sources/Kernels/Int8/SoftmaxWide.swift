import KernelInterface

/// Softmax of int8 codes to int16 codes: exponentials by table, their sum with 12 bits before the point, and its
/// reciprocal by three steps of Newton and Raphson, all in integers.
///
/// - Source: the fixed-point softmax of TensorFlow Lite's reference kernels.
func softmaxWide(_ arguments: SoftmaxWideArguments, _ rows: Range<Int>) {
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
    var sum: Int32 = 0
    i = 0
    while i < columns {
      let exponential = unsafe arguments.table[Int(maximum) &- Int(input[i])]
      if exponential >= 0 { sum = sum &+ roundedShift(exponential, 12) }
      i &+= 1
    }
    // Brought between 1 and 2, whose reciprocal is known well.
    let zeros = Int32(truncatingIfNeeded: sum.leadingZeroBitCount)
    let fraction = Int32(
      bitPattern: (UInt32(bitPattern: sum) &<< UInt32(bitPattern: zeros)) &- (1 &<< 31))
    let scale = reciprocalOfOnePlus(fraction)
    let shift = Int(12 &- zeros) &+ 15
    i = 0
    while i < columns {
      let exponential = unsafe arguments.table[Int(maximum) &- Int(input[i])]
      let steps = exponential < 0 ? 0 : roundedShift(product(scale, exponential), shift)
      unsafe output[i] = saturated16(steps &- 32768)
      i &+= 1
    }
    row &+= 1
  }
}

/// The product of two fractions of 2⁻³¹, half away from zero.
@inline(__always)
private func product(_ a: Int32, _ b: Int32) -> Int32 {
  if a == .min && b == .min { return .max }
  let product = Int64(a) &* Int64(b)
  let nudge: Int64 = product >= 0 ? 1 &<< 30 : 1 &- (1 &<< 30)
  return Int32(truncatingIfNeeded: (product &+ nudge) / (1 &<< 31))
}

/// `value · 2^bits`, saturated.
@inline(__always)
private func shifted(_ value: Int32, _ bits: Int64) -> Int32 {
  let wide = Int64(value) &<< bits
  let bounded = wide < -0x8000_0000 ? -0x8000_0000 : wide > 0x7FFF_FFFF ? 0x7FFF_FFFF : wide
  return Int32(truncatingIfNeeded: bounded)
}

/// `1 / (1 + a)` of an `a` from 0 to 1, both in 2⁻³¹.
@inline(__always)
private func reciprocalOfOnePlus(_ a: Int32) -> Int32 {
  let half = Int32(truncatingIfNeeded: (Int64(a) &+ 0x7FFF_FFFF &+ 1) / 2)
  // 48/17 − 32/17 · d in 2⁻²⁹, the best line.
  var x = 1_515_870_810 &+ product(half, -1_010_580_540)
  for _ in 0..<3 {
    let error = (1 &<< 29) &- product(half, x)
    x = x &+ shifted(product(x, error), 2)
  }
  return shifted(x, 1)
}

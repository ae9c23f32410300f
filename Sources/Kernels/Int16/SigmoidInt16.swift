import KernelInterface

/// The logistic function or the hyperbolic tangent of int16 codes, whose results are in units of 2⁻¹⁵.
///
/// - Source: TensorFlow Lite's reference: a table of the logistic function at multiples of 1/24, interpolated;
///   `tanh(x) = 2 σ(2x) − 1`.
func sigmoidInt16(_ arguments: SigmoidInt16Arguments) {
  let (multiplier, shift) = (arguments.multiplier, arguments.shift)
  let round: Int32 = shift > 0 ? 1 &<< (shift &- 1) : 0
  var i = 0
  // Sound: `count` elements are read and written, and the table has 256 entries.
  while i < arguments.count {
    let code = unsafe Int32(arguments.input[i])
    let place = (code &* multiplier &+ round) &>> shift
    let magnitude = UInt32(bitPattern: place < 0 ? 0 &- place : place)
    let value = unsafe arguments.isTangent
      ? tangent(arguments.table, magnitude, isNegative: place < 0)
      : logistic(arguments.table, magnitude, isNegative: place < 0)
    unsafe arguments.output[i] = Int16(truncatingIfNeeded: value)
    i &+= 1
  }
}

@inline(__always)
@unsafe private func logistic(
  _ table: UnsafePointer<UInt16>, _ magnitude: UInt32, isNegative: Bool
) -> Int32 {
  let index = Int(magnitude &>> 9)
  var result: UInt32 = 0x7FFF &<< 10
  if index < 255 {
    let (low, high) = unsafe (UInt32(table[index]), UInt32(table[index &+ 1]))
    result = low &<< 9 &+ (magnitude & 511) &* (high &- low)
  }
  let half: UInt32 = 1 &<< 9
  let signed = isNegative ? 1 &<< 25 &- result &+ half &- 1 : result &+ half
  return Int32(truncatingIfNeeded: signed &>> 10)
}

@inline(__always)
@unsafe private func tangent(
  _ table: UnsafePointer<UInt16>, _ magnitude: UInt32, isNegative: Bool
) -> Int32 {
  let index = Int(magnitude &>> 8)
  var result: Int32 = 0xFFFF &<< 8
  if index < 255 {
    let (low, high) = unsafe (Int32(table[index]), Int32(table[index &+ 1]))
    result = low &<< 8 &+ Int32(magnitude & 255) &* (high &- low)
  }
  let (one, half): (Int32, Int32) = (1 &<< 23, 1 &<< 7)
  let signed = isNegative ? one &- result &+ half &- 1 : result &- one &+ half
  return signed &>> 8
}

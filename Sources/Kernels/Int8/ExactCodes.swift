import CVector
import KernelInterface

/// Codes less the zero point of 16 sums, in the reference's own integers, for the few vectors that have a lane so close
/// to the middle of two codes that float32 could round it to the other.
///
/// - Parameter scales: of 16 channels, and behind them their tie offsets.
@inline(never)
@unsafe func exactCodes(
  _ sums: SIMD16<Int32>, _ scales: UnsafePointer<Float>, _ lowest: Float, _ highest: Float
) -> SIMD16<Int32> {
  let (least, most) = (Int32(lowest), Int32(highest))
  var codes = SIMD16<Int32>()
  var lane = 0
  // Sound: the header has 32 numbers from here, as the caller vouches.
  while lane < 16 {
    let scale = unsafe OutputScale(scale: scales[lane], tieOffset: scales[16 &+ lane])
    let code = scale.apply(sums[lane])
    codes[lane] = code < least ? least : code > most ? most : code
    lane &+= 1
  }
  return codes
}

/// The same of 8 sums with one scale.
@inline(never)
func exactCodes(
  _ sums: SIMD8<Int32>, _ scale: OutputScale, _ lowest: Float, _ highest: Float
) -> SIMD8<Int32> {
  let (least, most) = (Int32(lowest), Int32(highest))
  var codes = SIMD8<Int32>()
  var lane = 0
  while lane < 8 {
    let code = scale.apply(sums[lane])
    codes[lane] = code < least ? least : code > most ? most : code
    lane &+= 1
  }
  return codes
}

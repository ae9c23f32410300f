import CVector
import KernelInterface

/// Codes less the zero point of 16 sums, in the reference's own integers, for the few vectors that have a lane so close
/// to the middle of two codes that float32 could round it to the other: `OutputScale.apply` of each, within the bounds.
@inline(never)
func exactCodes(
  _ sums: SIMD16<Int32>, scales: SIMD16<Float>, tieOffsets: SIMD16<Float>, lowest: Float,
  highest: Float
) -> SIMD16<Int32> {
  let codes = cv_exact_codes_x16(sums, scales, tieOffsets, OutputScale.roundsTwiceMinimum)
  return cv_clamp_s32x16(
    codes, SIMD16(repeating: Int32(lowest)), SIMD16(repeating: Int32(highest)))
}

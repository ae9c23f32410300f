#pragma once

#include "CVectorTypes.h"

// Widening, narrowing, rounding and bounds.

CV_INLINE cv_s32x8 cv_widen_s8x8(cv_s8x8 v) { return __builtin_convertvector(v, cv_s32x8); }
CV_INLINE cv_f32x8 cv_to_float(cv_s32x8 v) { return __builtin_convertvector(v, cv_f32x8); }
// Towards zero. The caller has bounded |v| below 2^31.
CV_INLINE cv_s32x8 cv_truncate(cv_f32x8 v) { return __builtin_convertvector(v, cv_s32x8); }

// Takes the second operand where the first is NaN, so that bounded values are numbers.
CV_INLINE cv_f32x8 cv_max(cv_f32x8 v, cv_f32x8 bound) { return v > bound ? v : bound; }
CV_INLINE cv_f32x8 cv_min(cv_f32x8 v, cv_f32x8 bound) { return v < bound ? v : bound; }
CV_INLINE cv_f32x8 cv_clamp(cv_f32x8 v, cv_f32x8 lowest, cv_f32x8 highest) {
  return cv_min(cv_max(v, lowest), highest);
}
// Keeps NaN, as an activation must.
CV_INLINE cv_f32x8 cv_clamp_keeping_nan(cv_f32x8 v, cv_f32x8 lowest, cv_f32x8 highest) {
  cv_f32x8 w = v < lowest ? lowest : v;
  return w > highest ? highest : w;
}
CV_INLINE cv_s8x16 cv_max_s8(cv_s8x16 a, cv_s8x16 b) { return __builtin_elementwise_max(a, b); }
CV_INLINE cv_s8x16 cv_min_s8(cv_s8x16 a, cv_s8x16 b) { return __builtin_elementwise_min(a, b); }
CV_INLINE cv_s32x8 cv_max_s32(cv_s32x8 a, cv_s32x8 b) { return __builtin_elementwise_max(a, b); }
CV_INLINE cv_s32x8 cv_min_s32(cv_s32x8 a, cv_s32x8 b) { return __builtin_elementwise_min(a, b); }
// Half away from zero. The caller has bounded |v| by 2^22.
CV_INLINE cv_s32x8 cv_round_away(cv_f32x8 v) {
  cv_s32x8 whole = cv_truncate(v);
  // Exact, because |v| is below 2^23.
  cv_f32x8 fraction = v - cv_to_float(whole);
  cv_s32x8 up = (fraction >= (cv_f32x8)0.5f);
  cv_s32x8 down = (fraction <= (cv_f32x8)-0.5f);
  return whole - up + down;
}

// Arithmetic shift by the same amount in every lane.
CV_INLINE cv_s32x8 cv_shift_right(cv_s32x8 v, int32_t bits) { return v >> (cv_s32x8)bits; }

// One fused operation where the instruction set has it, else a product and a sum.
CV_INLINE cv_f32x8 cv_multiply_add(cv_f32x8 sum, cv_f32x8 a, cv_f32x8 b) {
#if defined(__FMA__) || defined(__aarch64__)
  return __builtin_elementwise_fma(a, b, sum);
#else
  return a * b + sum;
#endif
}

// Two vectors of int32 in −128 ... 127 as bytes.
CV_INLINE cv_s8x16 cv_narrow_s32x16(cv_s32x8 low, cv_s32x8 high) {
#if defined(__AVX2__)
  typedef int v8si __attribute__((vector_size(32)));
  typedef short v8hi __attribute__((vector_size(16)));
  typedef long long s64x4 __attribute__((ext_vector_type(4)));
  s64x4 words = (s64x4)__builtin_ia32_packssdw256((v8si)low, (v8si)high);
  return (cv_s8x16)__builtin_ia32_packsswb128((v8hi)words.s02, (v8hi)words.s13);
#elif defined(__SSE2__)
  typedef int v4si __attribute__((vector_size(16)));
  typedef short v8hi __attribute__((vector_size(16)));
  v8hi a = (v8hi)__builtin_ia32_packssdw128((v4si)low.lo, (v4si)low.hi);
  v8hi b = (v8hi)__builtin_ia32_packssdw128((v4si)high.lo, (v4si)high.hi);
  return (cv_s8x16)__builtin_ia32_packsswb128(a, b);
#else
  cv_s8x16 v;
  v.lo = __builtin_convertvector(low, cv_s8x8);
  v.hi = __builtin_convertvector(high, cv_s8x8);
  return v;
#endif
}

// The same sixteen at a time.

CV_INLINE cv_f32x16 cv_to_float_x16(cv_s32x16 v) { return __builtin_convertvector(v, cv_f32x16); }

CV_INLINE cv_f32x16 cv_clamp_x16(cv_f32x16 v, cv_f32x16 lowest, cv_f32x16 highest) {
  cv_f32x16 w = v > lowest ? v : lowest;
  return w < highest ? w : highest;
}

CV_INLINE cv_f32x16 cv_clamp_keeping_nan_x16(cv_f32x16 v, cv_f32x16 lowest, cv_f32x16 highest) {
  cv_f32x16 w = v < lowest ? lowest : v;
  return w > highest ? highest : w;
}

// The magnitude, which is not negative, with the sign of v.
CV_INLINE cv_f32x16 cv_copy_sign_x16(cv_f32x16 magnitude, cv_f32x16 v) {
  return (cv_f32x16)((cv_s32x16)magnitude | ((cv_s32x16)v & (cv_s32x16)INT32_MIN));
}

// Half to even. The caller has bounded |v| by 2^22: adding 1.5·2^23 leaves the integer in the low bits.
CV_INLINE cv_s32x16 cv_round_x16(cv_f32x16 v) {
  return (cv_s32x16)(v + (cv_f32x16)12582912.0f) - (cv_s32x16)0x4B400000;
}

// Half away from zero, |v| below 2^22: the greatest number below a half reaches the next whole number from no value below
// its middle.
CV_INLINE cv_s32x16 cv_round_away_x16(cv_f32x16 v) {
  return __builtin_convertvector(v + cv_copy_sign_x16((cv_f32x16)0x1.fffffep-2f, v), cv_s32x16);
}

CV_INLINE cv_f32x16 cv_multiply_add_x16(cv_f32x16 sum, cv_f32x16 a, cv_f32x16 b) {
#if defined(__FMA__) || defined(__aarch64__)
  return __builtin_elementwise_fma(a, b, sum);
#else
  return a * b + sum;
#endif
}

// v · scale + offset, the offset with the sign of v; the scale is not negative.
CV_INLINE cv_f32x16 cv_scale_away_x16(cv_f32x16 v, cv_f32x16 scale, cv_f32x16 offset) {
  return cv_multiply_add_x16(cv_copy_sign_x16(offset, v), v, scale);
}

// Half to even. The caller has bounded |v| below 2^31.
CV_INLINE cv_s32x16 cv_nearest_x16(cv_f32x16 v) {
#if defined(__AVX512F__)
  typedef float v16sf __attribute__((vector_size(64)));
  typedef int v16si __attribute__((vector_size(64)));
  return (cv_s32x16)__builtin_ia32_cvtps2dq512_mask((v16sf)v, (v16si){0}, (short)-1, 4);
#elif defined(__AVX2__)
  typedef float v8sf __attribute__((vector_size(32)));
  cv_s32x16 whole;
  whole.lo = (cv_s32x8)__builtin_ia32_cvtps2dq256((v8sf)v.lo);
  whole.hi = (cv_s32x8)__builtin_ia32_cvtps2dq256((v8sf)v.hi);
  return whole;
#elif defined(__SSE2__)
  typedef float v4sf __attribute__((vector_size(16)));
  cv_s32x16 whole;
  whole.lo.lo = (cv_s32x4)__builtin_ia32_cvtps2dq((v4sf)v.lo.lo);
  whole.lo.hi = (cv_s32x4)__builtin_ia32_cvtps2dq((v4sf)v.lo.hi);
  whole.hi.lo = (cv_s32x4)__builtin_ia32_cvtps2dq((v4sf)v.hi.lo);
  whole.hi.hi = (cv_s32x4)__builtin_ia32_cvtps2dq((v4sf)v.hi.hi);
  return whole;
#else
  cv_s32x16 whole;
  whole.lo.lo = (cv_s32x4)vcvtnq_s32_f32((float32x4_t)v.lo.lo);
  whole.lo.hi = (cv_s32x4)vcvtnq_s32_f32((float32x4_t)v.lo.hi);
  whole.hi.lo = (cv_s32x4)vcvtnq_s32_f32((float32x4_t)v.hi.lo);
  whole.hi.hi = (cv_s32x4)vcvtnq_s32_f32((float32x4_t)v.hi.hi);
  return whole;
#endif
}

// As bytes; those beyond −128 ... 127 as the nearer of these.
CV_INLINE cv_s8x16 cv_narrow_saturated_x16(cv_s32x16 v) {
#if defined(__AVX512F__)
  typedef int v16si __attribute__((vector_size(64)));
  typedef char v16qi __attribute__((vector_size(16)));
  return (cv_s8x16)__builtin_ia32_pmovsdb512_mask((v16si)v, (v16qi){0}, (short)-1);
#elif defined(__SSE2__)
  return cv_narrow_s32x16(v.lo, v.hi);
#else
  int16x8_t low = vcombine_s16(
      vqmovn_s32((int32x4_t)v.lo.lo), vqmovn_s32((int32x4_t)v.lo.hi));
  int16x8_t high = vcombine_s16(
      vqmovn_s32((int32x4_t)v.hi.lo), vqmovn_s32((int32x4_t)v.hi.hi));
  return (cv_s8x16)vcombine_s8(vqmovn_s16(low), vqmovn_s16(high));
#endif
}

// The whole numbers nearest to v, and the zero point added, as bytes. |v| is below 2^9, the sum a byte; which of two
// whole numbers a half becomes is not said.
CV_INLINE cv_s8x16 cv_codes_x16(cv_f32x16 v, int32_t zero_point) {
#if defined(__AVX512F__)
  // Added to 1.5·2^23 the sum lies in the low bits.
  cv_s32x16 bits = (cv_s32x16)(v + (cv_f32x16)(12582912.0f + (float)zero_point));
  return __builtin_convertvector(bits, cv_s8x16);
#else
  return cv_narrow_saturated_x16(cv_nearest_x16(v) + (cv_s32x16)zero_point);
#endif
}

CV_INLINE cv_s8x16 cv_narrow_x16(cv_s32x16 v) {
#if defined(__AVX512F__)
  return __builtin_convertvector(v, cv_s8x16);
#else
  return cv_narrow_s32x16(v.lo, v.hi);
#endif
}

// v / 2^bits to the nearest whole number, a half away from zero, and minus a half for zero too. |v| is below 2^30.
CV_INLINE cv_s32x16 cv_divide_x16(cv_s32x16 v, int32_t bits) {
  cv_s32x16 half = ((v - 1) >> 31 & -(1 << bits)) + (1 << (bits - 1));
  cv_s32x16 moved = v + half;
  return (moved + (moved >> 31 & ((1 << bits) - 1))) >> bits;
}

// Towards zero. The caller has bounded |v| below 2^31.
CV_INLINE cv_s32x16 cv_truncate_x16(cv_f32x16 v) { return __builtin_convertvector(v, cv_s32x16); }

CV_INLINE int32_t cv_greatest_x16(cv_s32x16 v) { return __builtin_reduce_max(v); }
CV_INLINE int32_t cv_least_x16(cv_s32x16 v) { return __builtin_reduce_min(v); }

// The lowest byte of each.
CV_INLINE cv_s8x16 cv_low_bytes_x16(cv_s32x16 v) { return __builtin_convertvector(v, cv_s8x16); }

CV_INLINE cv_s32x16 cv_widen_x16(cv_s8x16 v) { return __builtin_convertvector(v, cv_s32x16); }

// value · ratio of a `FixedPointScale` in the reference's own integers: the product is rounded half up, then half away
// from zero. `half` is that of the last shift, `mask` all ones where there is one.
CV_INLINE cv_s64x16 cv_apply_ratio_x16(
    cv_s64x16 value, int64_t multiplier, int64_t left, int64_t right, int64_t half, int64_t mask) {
  cv_s64x16 shifted = value << left;
  shifted = __builtin_elementwise_min(shifted, (cv_s64x16)INT32_MAX);
  shifted = __builtin_elementwise_max(shifted, (cv_s64x16)INT32_MIN);
  cv_s64x16 high = (shifted * multiplier + (1LL << 30)) >> 31;
  return (high + half + (high >> 63 & mask)) >> right;
}
CV_INLINE cv_s64x16 cv_long_x16(cv_s32x16 v) { return __builtin_convertvector(v, cv_s64x16); }
// Those within the bounds, which are int32.
CV_INLINE cv_s32x16 cv_bounded_x16(cv_s64x16 v, int32_t lowest, int32_t highest) {
  v = __builtin_elementwise_min(v, (cv_s64x16)(int64_t)highest);
  v = __builtin_elementwise_max(v, (cv_s64x16)(int64_t)lowest);
  return __builtin_convertvector(v, cv_s32x16);
}

// Lane by lane the greater of `farthest` and of the distance from v to the nearest whole number.
CV_INLINE cv_f32x16 cv_farther_x16(cv_f32x16 farthest, cv_f32x16 v) {
#if defined(__AVX512DQ__)
  // The rest beside the nearest whole number, and the greater magnitude of two.
  typedef float v16sf __attribute__((vector_size(64)));
  v16sf rest = __builtin_ia32_reduceps512_mask((v16sf)v, 0, (v16sf)v, (short)-1, 4);
  return (cv_f32x16)__builtin_ia32_rangeps512_mask(
      (v16sf)farthest, rest, 11, rest, (short)-1, 4);
#else
  cv_f32x16 whole = cv_to_float_x16(cv_nearest_x16(v));
  cv_f32x16 distance = (cv_f32x16)((cv_s32x16)(v - whole) & (cv_s32x16)0x7FFFFFFF);
  return farthest > distance ? farthest : distance;
#endif
}

// Whether such a distance came within 2^-13 of a half. At any other a product of float32 that lies within 2^8, and a
// whole number added, rounds as an exact one.
CV_INLINE _Bool cv_is_tie_x16(cv_f32x16 farthest) {
  cv_s32x16 isTie = farthest > (cv_f32x16)(0.5f - 0x1p-13f);
  return __builtin_reduce_or(isTie) != 0;
}

// sum · scale in whole numbers, rounded once or twice as the two parts of an `OutputScale` say; not yet bounded.
CV_INLINE cv_s32x16 cv_exact_codes_x16(
    cv_s32x16 sums, cv_f32x16 scales, cv_f32x16 tie_offsets, float twice_minimum) {
  cv_s32x16 bits = (cv_s32x16)scales;
  cv_s32x16 exponent = (bits >> 23) - 127;
  cv_s32x16 multiplier =
      ((bits & 0x7FFFFF) | 0x800000) << 7 | ((cv_s32x16)tie_offsets & 0x7F);
  // Scales beyond these give no code but zero; zero is one of them.
  cv_s32x16 is_used = (exponent > -33) & (exponent < 31);
  cv_s32x16 right = is_used & (-1 - exponent);
  cv_s32x16 is_twice = (tie_offsets >= (cv_f32x16)twice_minimum) & (right > 0);
  cv_s64x16 product =
      __builtin_convertvector(sums, cv_s64x16) * __builtin_convertvector(multiplier, cv_s64x16);
  // To whole units half up, then to a whole code half away from zero.
  cv_s64x16 high = (product + (1LL << 30)) >> 31;
  cv_s64x16 last = __builtin_convertvector(is_twice ? right : 1, cv_s64x16);
  cv_s64x16 twice = (high + ((cv_s64x16)1LL << (last - 1)) + (high >> 63)) >> last;
  // Half up at once. Without a shift nothing is rounded.
  cv_s32x16 shift = right + 31;
  cv_s64x16 all = __builtin_convertvector(shift > 0 ? shift : 1, cv_s64x16);
  cv_s64x16 once = (product + ((cv_s64x16)1LL << (all - 1))) >> all;
  once = __builtin_convertvector(shift > 0, cv_s64x16) ? once : product;
  cv_s64x16 code = __builtin_convertvector(is_twice, cv_s64x16) ? twice : once;
  code = __builtin_elementwise_min(code, (cv_s64x16)INT32_MAX);
  code = __builtin_elementwise_max(code, (cv_s64x16)INT32_MIN);
  return __builtin_convertvector(code, cv_s32x16) & is_used;
}

// Arithmetic shift by the same amount in every lane.
CV_INLINE cv_s32x16 cv_shift_right_x16(cv_s32x16 v, int32_t bits) { return v >> (cv_s32x16)bits; }

CV_INLINE cv_s32x16 cv_clamp_s32x16(cv_s32x16 v, cv_s32x16 lowest, cv_s32x16 highest) {
  return __builtin_elementwise_min(__builtin_elementwise_max(v, lowest), highest);
}

CV_INLINE cv_s32x16 cv_max_s32x16(cv_s32x16 a, cv_s32x16 b) {
  return __builtin_elementwise_max(a, b);
}

CV_INLINE cv_s32x16 cv_min_s32x16(cv_s32x16 a, cv_s32x16 b) {
  return __builtin_elementwise_min(a, b);
}

CV_INLINE _Bool cv_any_at_most_x16(cv_s32x16 v, int32_t bound) {
  return __builtin_reduce_or(v <= (cv_s32x16)bound) != 0;
}

CV_INLINE cv_f32x16 cv_less_x16(cv_f32x16 a, cv_f32x16 b) { return a < b ? a : b; }
CV_INLINE cv_f32x16 cv_greater_x16(cv_f32x16 a, cv_f32x16 b) { return a > b ? a : b; }
// Of lanes that are numbers.
CV_INLINE float cv_greatest_float_x16(cv_f32x16 v) {
  typedef float cv_f32x4 __attribute__((ext_vector_type(4)));
  typedef float cv_f32x2 __attribute__((ext_vector_type(2)));
  cv_f32x8 eight = cv_max(v.lo, v.hi);
  cv_f32x4 four = eight.lo > eight.hi ? eight.lo : eight.hi;
  cv_f32x2 two = four.lo > four.hi ? four.lo : four.hi;
  return two[0] > two[1] ? two[0] : two[1];
}
CV_INLINE float cv_least_float_x16(cv_f32x16 v) { return -cv_greatest_float_x16(-v); }
// The first where it is not negative, else the product.
CV_INLINE cv_f32x16 cv_prelu_x16(cv_f32x16 a, cv_f32x16 slope) {
  return a >= (cv_f32x16)0.0f ? a : a * slope;
}
// `below` where x is below the bound, else `otherwise`.
CV_INLINE cv_f32x16 cv_select_below_x16(
    cv_f32x16 x, cv_f32x16 bound, cv_f32x16 otherwise, cv_f32x16 below) {
  return x < bound ? below : otherwise;
}

CV_INLINE cv_f32x16 cv_abs_x16(cv_f32x16 v) {
  return (cv_f32x16)((cv_s32x16)v & (cv_s32x16)0x7FFFFFFF);
}
// 2^v; −127 < v < 128.
CV_INLINE cv_f32x16 cv_power_of_two_x16(cv_s32x16 v) { return (cv_f32x16)((v + 127) << 23); }

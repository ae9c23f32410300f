#pragma once

#include "CVectorTypes.h"

// Widening, narrowing, rounding and bounds.

CV_INLINE cv_s16x16 cv_widen_s8x16(cv_s8x16 v) { return __builtin_convertvector(v, cv_s16x16); }
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
CV_INLINE cv_f32x8 cv_abs(cv_f32x8 v) {
  return (cv_f32x8)((cv_s32x8)v & (cv_s32x8)0x7FFFFFFF);
}
// The magnitude, which is not negative, with the sign of v.
CV_INLINE cv_f32x8 cv_copy_sign(cv_f32x8 magnitude, cv_f32x8 v) {
  return (cv_f32x8)((cv_s32x8)magnitude | ((cv_s32x8)v & (cv_s32x8)INT32_MIN));
}
CV_INLINE cv_f32x8 cv_bits_to_float(cv_s32x8 v) { return (cv_f32x8)v; }
CV_INLINE cv_s32x8 cv_bits_of_float(cv_f32x8 v) { return (cv_s32x8)v; }

// Half to even. The caller has bounded |v| by 2^22: adding 1.5·2^23 leaves the integer in the low bits.
CV_INLINE cv_s32x8 cv_round(cv_f32x8 v) {
  return (cv_s32x8)(v + (cv_f32x8)12582912.0f) - (cv_s32x8)0x4B400000;
}

// Half away from zero, bounded as `cv_round`.
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

CV_INLINE cv_f32x16 cv_copy_sign_x16(cv_f32x16 magnitude, cv_f32x16 v) {
  return (cv_f32x16)((cv_s32x16)magnitude | ((cv_s32x16)v & (cv_s32x16)INT32_MIN));
}

CV_INLINE cv_s32x16 cv_round_x16(cv_f32x16 v) {
  return (cv_s32x16)(v + (cv_f32x16)12582912.0f) - (cv_s32x16)0x4B400000;
}

CV_INLINE cv_f32x16 cv_multiply_add_x16(cv_f32x16 sum, cv_f32x16 a, cv_f32x16 b) {
#if defined(__FMA__) || defined(__aarch64__)
  return __builtin_elementwise_fma(a, b, sum);
#else
  return a * b + sum;
#endif
}

CV_INLINE cv_s8x16 cv_narrow_x16(cv_s32x16 v) {
#if defined(__AVX512F__)
  return __builtin_convertvector(v, cv_s8x16);
#else
  return cv_narrow_s32x16(v.lo, v.hi);
#endif
}

CV_INLINE cv_s32x16 cv_widen_x16(cv_s8x16 v) { return __builtin_convertvector(v, cv_s32x16); }

// Whether some lane lies within 2^-13 of the middle of two whole numbers; |v| is bounded by 2^8. Beyond that distance a
// product of float32 rounds as an exact one.
CV_INLINE _Bool cv_has_tie_x16(cv_f32x16 v) {
  cv_f32x16 whole = (v + (cv_f32x16)12582912.0f) - (cv_f32x16)12582912.0f;
  cv_f32x16 distance = (cv_f32x16)((cv_s32x16)(v - whole) & (cv_s32x16)0x7FFFFFFF);
  cv_s32x16 isTie = distance > (cv_f32x16)(0.5f - 0x1p-13f);
  return __builtin_reduce_or(isTie) != 0;
}

CV_INLINE _Bool cv_has_tie(cv_f32x8 v) {
  cv_f32x8 whole = (v + (cv_f32x8)12582912.0f) - (cv_f32x8)12582912.0f;
  cv_s32x8 isTie = cv_abs(v - whole) > (cv_f32x8)(0.5f - 0x1p-13f);
  return __builtin_reduce_or(isTie) != 0;
}

// Whether some lane, as a multiple of 2^bits, lies within `reach` of a whole number.
CV_INLINE _Bool cv_is_near_multiple(cv_s32x8 v, int32_t bits, int32_t reach) {
  cv_s32x8 rest = (v + (cv_s32x8)reach) & (cv_s32x8)((1 << bits) - 1);
  return __builtin_reduce_or(rest <= (cv_s32x8)(2 * reach)) != 0;
}

CV_INLINE cv_f32x16 cv_less_x16(cv_f32x16 a, cv_f32x16 b) { return a < b ? a : b; }
CV_INLINE cv_f32x16 cv_greater_x16(cv_f32x16 a, cv_f32x16 b) { return a > b ? a : b; }
// The first where it is not negative, else the product.
CV_INLINE cv_f32x16 cv_prelu_x16(cv_f32x16 a, cv_f32x16 slope) {
  return a >= (cv_f32x16)0.0f ? a : a * slope;
}
// `below` where x is below the bound, else `otherwise`.
CV_INLINE cv_f32x8 cv_select_below(cv_f32x8 x, cv_f32x8 bound, cv_f32x8 otherwise, cv_f32x8 below) {
  return x < bound ? below : otherwise;
}

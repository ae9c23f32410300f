#pragma once

#include "CVectorMemory.h"
#include "CVectorTypes.h"
#include <stddef.h>

#if defined(__x86_64__)

#pragma clang assume_nonnull begin

typedef short cv_v8hi __attribute__((vector_size(16)));
typedef short cv_v16hi __attribute__((vector_size(32)));
typedef int cv_v8si __attribute__((vector_size(32)));
typedef int cv_v16si __attribute__((vector_size(64)));

// Sums of neighbouring products of int16.
#if defined(__AVX2__)
CV_INLINE cv_s32x8 cv_madd(cv_s16x16 a, cv_s16x16 b) {
  return (cv_s32x8)__builtin_ia32_pmaddwd256((cv_v16hi)a, (cv_v16hi)b);
}
#else
CV_INLINE cv_s32x8 cv_madd(cv_s16x16 a, cv_s16x16 b) {
  cv_s32x8 v;
  v.lo = (cv_s32x4)__builtin_ia32_pmaddwd128((cv_v8hi)a.lo, (cv_v8hi)b.lo);
  v.hi = (cv_s32x4)__builtin_ia32_pmaddwd128((cv_v8hi)a.hi, (cv_v8hi)b.hi);
  return v;
}
#endif

// Matrix tile.

#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)

// `vpdpbusd` multiplies unsigned by signed bytes: activations are packed 128 too high, which the offsets of the packed
// weights take back. Four products and the sum wrap, they do not saturate.
enum { CV_DEPTH_GROUP = 4, CV_ACTIVATION_OFFSET = 128, CV_DEPTHWISE_LINES = 4 };
typedef uint8_t cv_activation;
// 16 channels × 4 weights.
typedef cv_s32x16 cv_weights;
typedef cv_s32x16 cv_activations;

CV_INLINE cv_weights cv_load_weights(const int8_t *p) {
  cv_weights v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

CV_INLINE cv_activations cv_load_activations(const cv_activation *p) {
  int32_t group;
  __builtin_memcpy(&group, p, sizeof group);
  return (cv_activations)group;
}

CV_INLINE void cv_store_activations(cv_activation *p, cv_s8x16 v) {
  cv_s8x16 raised = v ^ (cv_s8x16)INT8_MIN;
  __builtin_memcpy(p, &raised, sizeof raised);
}

CV_INLINE void cv_store_activations_x64(cv_activation *p, cv_s8x64 v) {
  cv_s8x64 raised = v ^ (cv_s8x64)INT8_MIN;
  __builtin_memcpy(p, &raised, sizeof raised);
}

CV_INLINE cv_s32x16 cv_dot(cv_s32x16 sum, cv_weights w, cv_activations a) {
#if defined(__AVX512VNNI__)
  return (cv_s32x16)__builtin_ia32_vpdpbusd512((cv_v16si)sum, (cv_v16si)a, (cv_v16si)w);
#else
  cv_s32x16 v;
  v.lo = (cv_s32x8)__builtin_ia32_vpdpbusd256((cv_v8si)sum.lo, (cv_v8si)a.lo, (cv_v8si)w.lo);
  v.hi = (cv_s32x8)__builtin_ia32_vpdpbusd256((cv_v8si)sum.hi, (cv_v8si)a.hi, (cv_v8si)w.hi);
  return v;
#endif
}

#else

enum { CV_DEPTH_GROUP = 2, CV_ACTIVATION_OFFSET = 0, CV_DEPTHWISE_LINES = 1 };
typedef int16_t cv_activation;
// 16 channels × 2 weights, widened.
typedef cv_s16x32 cv_weights;
typedef cv_s16x16 cv_activations;

CV_INLINE cv_weights cv_load_weights(const int8_t *p) {
  cv_s8x32 v;
  __builtin_memcpy(&v, p, sizeof v);
  return __builtin_convertvector(v, cv_s16x32);
}

CV_INLINE cv_activations cv_load_activations(const cv_activation *p) {
  int32_t pair;
  __builtin_memcpy(&pair, p, sizeof pair);
  return (cv_activations)(cv_s32x8)pair;
}

CV_INLINE void cv_store_activations(cv_activation *p, cv_s8x16 v) {
  cv_s16x16 wide = __builtin_convertvector(v, cv_s16x16);
  __builtin_memcpy(p, &wide, sizeof wide);
}

CV_INLINE void cv_store_activations_x64(cv_activation *p, cv_s8x64 v) {
  for (int i = 0; i < 4; i++) {
    cv_s8x16 part;
    __builtin_memcpy(&part, (const int8_t *)&v + 16 * i, sizeof part);
    cv_store_activations(p + 16 * i, part);
  }
}

CV_INLINE cv_s32x16 cv_dot(cv_s32x16 sum, cv_weights w, cv_activations a) {
  cv_s32x16 v;
  v.lo = sum.lo + cv_madd(w.lo, a);
  v.hi = sum.hi + cv_madd(w.hi, a);
  return v;
}

#endif

// A pair of depth of 8 channels: int8 weights `[8][2]` times two int16 activations.
CV_INLINE cv_s32x8 cv_dot_s16(cv_s32x8 sum, const int8_t *w, const int16_t *pair) {
  cv_s8x16 weights;
  int32_t both;
  __builtin_memcpy(&weights, w, sizeof weights);
  __builtin_memcpy(&both, pair, sizeof both);
  return sum + cv_madd(__builtin_convertvector(weights, cv_s16x16), (cv_s16x16)(cv_s32x8)both);
}

// Depthwise tile, by pairs of taps.

#if defined(__AVX2__)

CV_INLINE intptr_t cv_depthwise_index(intptr_t tap, intptr_t channel) {
  // Within each 128-bit lane, as the unpack instructions interleave: 0-3, 8-11, then 4-7, 12-15.
  intptr_t half = (channel >> 2) & 1, lane = channel >> 3;
  return (half * 8 + lane * 4 + (channel & 3)) * 2 + tap;
}

CV_INLINE cv_s32x16 cv_depthwise_dot(
    cv_s32x16 sum, cv_s8x16 x0, cv_s8x16 x1, const int16_t *w) {
  cv_s16x32 weights;
  __builtin_memcpy(&weights, w, sizeof weights);
  cv_s16x16 a = __builtin_convertvector(x0, cv_s16x16), b = __builtin_convertvector(x1, cv_s16x16);
  cv_s16x16 low = __builtin_shufflevector(
      a, b, 0, 16, 1, 17, 2, 18, 3, 19, 8, 24, 9, 25, 10, 26, 11, 27);
  cv_s16x16 high = __builtin_shufflevector(
      a, b, 4, 20, 5, 21, 6, 22, 7, 23, 12, 28, 13, 29, 14, 30, 15, 31);
  cv_s32x16 v;
  v.lo = sum.lo + cv_madd(low, weights.lo);
  v.hi = sum.hi + cv_madd(high, weights.hi);
  return v;
}

CV_INLINE cv_s32x16 cv_depthwise_sums(cv_s32x16 sum) {
  return __builtin_shufflevector(sum, sum, 0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15);
}

#else

CV_INLINE intptr_t cv_depthwise_index(intptr_t tap, intptr_t channel) { return channel * 2 + tap; }

CV_INLINE cv_s32x8 cv_depthwise_half(
    cv_s32x8 sum, cv_s8x8 x0, cv_s8x8 x1, const int16_t *w) {
  cv_s16x8 a = __builtin_convertvector(x0, cv_s16x8), b = __builtin_convertvector(x1, cv_s16x8);
  cv_s16x16 weights;
  __builtin_memcpy(&weights, w, sizeof weights);
  return sum
      + cv_madd(
          __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15), weights);
}

CV_INLINE cv_s32x16 cv_depthwise_dot(
    cv_s32x16 sum, cv_s8x16 x0, cv_s8x16 x1, const int16_t *w) {
  cv_s32x16 v;
  v.lo = cv_depthwise_half(sum.lo, x0.lo, x1.lo, w);
  v.hi = cv_depthwise_half(sum.hi, x0.hi, x1.hi, w + 16);
  return v;
}

CV_INLINE cv_s32x16 cv_depthwise_sums(cv_s32x16 sum) { return sum; }

#endif

#pragma clang assume_nonnull end

#endif

#pragma once

#include "CVectorTypes.h"

// Integer dot products of the matrix and depthwise tiles, in the form that each instruction set has.
//
// A step of the matrix tile takes CV_DEPTH_GROUP depth elements of 8 output channels at once. The depthwise tile takes
// two taps of 16 channels; `cv_depthwise_index` says where each weight goes, and the two accumulators hold channels in
// the order that is cheap, until `cv_depthwise_low` and `_high` put them in place. All products are exact.

#pragma clang assume_nonnull begin

// A packed depthwise weight: wide enough for the difference of two 8-bit codes.
typedef int16_t cv_depthwise_weight;

#if defined(__ARM_FEATURE_DOTPROD)
enum { CV_DEPTH_GROUP = 4 };
#else
enum { CV_DEPTH_GROUP = 2 };
#endif

#if defined(__x86_64__)

// A packed activation.
typedef int16_t cv_activation;
// 8 channels x CV_DEPTH_GROUP weights.
typedef cv_s16x16 cv_weights;

CV_INLINE cv_weights cv_load_weights(const int8_t *p) {
  cv_s8x16 v;
  __builtin_memcpy(&v, p, sizeof v);
  return __builtin_convertvector(v, cv_s16x16);
}

CV_INLINE void cv_store_activations(cv_activation *p, cv_s8x16 v) {
  cv_s16x16 wide = __builtin_convertvector(v, cv_s16x16);
  __builtin_memcpy(p, &wide, sizeof wide);
}

#if defined(__AVX2__)

typedef cv_s16x16 cv_activations;

CV_INLINE cv_activations cv_load_activations(const cv_activation *p) {
  int32_t pair;
  __builtin_memcpy(&pair, p, sizeof pair);
  return (cv_activations)(cv_s32x8)pair;
}

CV_INLINE cv_s32x8 cv_madd(cv_s16x16 a, cv_s16x16 b) {
  typedef short v16hi __attribute__((vector_size(32)));
  return (cv_s32x8)__builtin_ia32_pmaddwd256((v16hi)a, (v16hi)b);
}

CV_INLINE cv_s32x8 cv_dot(cv_s32x8 sum, cv_weights w, cv_activations a) {
  return sum + cv_madd(w, a);
}

CV_INLINE intptr_t cv_depthwise_index(intptr_t tap, intptr_t channel) {
  // Within each 128-bit lane, as the unpack instructions interleave: 0-3, 8-11, then 4-7, 12-15.
  intptr_t half = (channel >> 2) & 1, lane = channel >> 3;
  return (half * 8 + lane * 4 + (channel & 3)) * 2 + tap;
}

CV_INLINE cv_s16x16 cv_depthwise_weights(const cv_depthwise_weight *p) {
  cv_s16x16 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

CV_INLINE cv_s32x8 cv_depthwise_dot0(
    cv_s32x8 sum, cv_s8x16 x0, cv_s8x16 x1, const cv_depthwise_weight *w) {
  cv_s16x16 a = __builtin_convertvector(x0, cv_s16x16), b = __builtin_convertvector(x1, cv_s16x16);
  cv_s16x16 pairs = __builtin_shufflevector(
      a, b, 0, 16, 1, 17, 2, 18, 3, 19, 8, 24, 9, 25, 10, 26, 11, 27);
  return sum + cv_madd(pairs, cv_depthwise_weights(w));
}

CV_INLINE cv_s32x8 cv_depthwise_dot1(
    cv_s32x8 sum, cv_s8x16 x0, cv_s8x16 x1, const cv_depthwise_weight *w) {
  cv_s16x16 a = __builtin_convertvector(x0, cv_s16x16), b = __builtin_convertvector(x1, cv_s16x16);
  cv_s16x16 pairs = __builtin_shufflevector(
      a, b, 4, 20, 5, 21, 6, 22, 7, 23, 12, 28, 13, 29, 14, 30, 15, 31);
  return sum + cv_madd(pairs, cv_depthwise_weights(w + 16));
}

CV_INLINE cv_s32x8 cv_depthwise_low(cv_s32x8 sum0, cv_s32x8 sum1) {
  return __builtin_shufflevector(sum0, sum1, 0, 1, 2, 3, 8, 9, 10, 11);
}

CV_INLINE cv_s32x8 cv_depthwise_high(cv_s32x8 sum0, cv_s32x8 sum1) {
  return __builtin_shufflevector(sum0, sum1, 4, 5, 6, 7, 12, 13, 14, 15);
}

#else  // SSE2

typedef cv_s16x8 cv_activations;

CV_INLINE cv_activations cv_load_activations(const cv_activation *p) {
  int32_t pair;
  __builtin_memcpy(&pair, p, sizeof pair);
  return (cv_activations)(cv_s32x4)pair;
}

CV_INLINE cv_s32x4 cv_madd(cv_s16x8 a, cv_s16x8 b) {
  typedef short v8hi __attribute__((vector_size(16)));
  return (cv_s32x4)__builtin_ia32_pmaddwd128((v8hi)a, (v8hi)b);
}

CV_INLINE cv_s32x8 cv_dot(cv_s32x8 sum, cv_weights w, cv_activations a) {
  cv_s32x8 v;
  v.lo = sum.lo + cv_madd(w.lo, a);
  v.hi = sum.hi + cv_madd(w.hi, a);
  return v;
}

CV_INLINE intptr_t cv_depthwise_index(intptr_t tap, intptr_t channel) { return channel * 2 + tap; }

CV_INLINE cv_s32x8 cv_depthwise_dot(
    cv_s32x8 sum, cv_s8x8 x0, cv_s8x8 x1, const cv_depthwise_weight *w) {
  cv_s16x8 a = __builtin_convertvector(x0, cv_s16x8), b = __builtin_convertvector(x1, cv_s16x8);
  cv_s16x16 weights;
  __builtin_memcpy(&weights, w, sizeof weights);
  cv_s32x8 v;
  v.lo = sum.lo
      + cv_madd(__builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11), weights.lo);
  v.hi = sum.hi
      + cv_madd(__builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15), weights.hi);
  return v;
}

CV_INLINE cv_s32x8 cv_depthwise_dot0(
    cv_s32x8 sum, cv_s8x16 x0, cv_s8x16 x1, const cv_depthwise_weight *w) {
  return cv_depthwise_dot(sum, x0.lo, x1.lo, w);
}

CV_INLINE cv_s32x8 cv_depthwise_dot1(
    cv_s32x8 sum, cv_s8x16 x0, cv_s8x16 x1, const cv_depthwise_weight *w) {
  return cv_depthwise_dot(sum, x0.hi, x1.hi, w + 16);
}

CV_INLINE cv_s32x8 cv_depthwise_low(cv_s32x8 sum0, cv_s32x8 sum1) { return sum0; }
CV_INLINE cv_s32x8 cv_depthwise_high(cv_s32x8 sum0, cv_s32x8 sum1) { return sum1; }

#endif

// A pair of depth of 8 channels: int8 weights `[8][2]` times two int16 activations.
CV_INLINE cv_s32x8 cv_dot_s16(cv_s32x8 sum, const int8_t *w, const int16_t *pair) {
  return cv_dot(sum, cv_load_weights(w), cv_load_activations(pair));
}

#elif defined(__aarch64__)

typedef int8_t cv_activation;

CV_INLINE void cv_store_activations(cv_activation *p, cv_s8x16 v) {
  __builtin_memcpy(p, &v, sizeof v);
}

CV_INLINE cv_s32x8 cv_join(int32x4_t low, int32x4_t high) {
  cv_s32x8 v;
  v.lo = (cv_s32x4)low;
  v.hi = (cv_s32x4)high;
  return v;
}

#if defined(__ARM_FEATURE_DOTPROD)

typedef cv_s8x32 cv_weights;
typedef cv_s8x16 cv_activations;

CV_INLINE cv_weights cv_load_weights(const int8_t *p) {
  cv_s8x32 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

CV_INLINE cv_activations cv_load_activations(const cv_activation *p) {
  int32_t group;
  __builtin_memcpy(&group, p, sizeof group);
  return (cv_activations)(cv_s32x4)group;
}

CV_INLINE cv_s32x8 cv_dot(cv_s32x8 sum, cv_weights w, cv_activations a) {
  return cv_join(
      vdotq_s32((int32x4_t)sum.lo, (int8x16_t)w.lo, (int8x16_t)a),
      vdotq_s32((int32x4_t)sum.hi, (int8x16_t)w.hi, (int8x16_t)a));
}

#else

typedef cv_s8x16 cv_weights;
typedef cv_s8x16 cv_activations;

CV_INLINE cv_weights cv_load_weights(const int8_t *p) {
  cv_s8x16 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

CV_INLINE cv_activations cv_load_activations(const cv_activation *p) {
  int16_t pair;
  __builtin_memcpy(&pair, p, sizeof pair);
  return (cv_activations)(cv_s16x8)pair;
}

CV_INLINE cv_s32x8 cv_dot(cv_s32x8 sum, cv_weights w, cv_activations a) {
  int8x16_t weights = (int8x16_t)w, activations = (int8x16_t)a;
  return cv_join(
      vpadalq_s16(
          (int32x4_t)sum.lo, vmull_s8(vget_low_s8(weights), vget_low_s8(activations))),
      vpadalq_s16((int32x4_t)sum.hi, vmull_high_s8(weights, activations)));
}

#endif

CV_INLINE cv_s32x8 cv_dot_s16(cv_s32x8 sum, const int8_t *w, const int16_t *pair) {
  int8x8x2_t weights = vld2_s8(w);
  int16x8_t first = vmovl_s8(weights.val[0]), second = vmovl_s8(weights.val[1]);
  int32x4_t low = vmlal_n_s16((int32x4_t)sum.lo, vget_low_s16(first), pair[0]);
  int32x4_t high = vmlal_n_s16((int32x4_t)sum.hi, vget_high_s16(first), pair[0]);
  return cv_join(
      vmlal_n_s16(low, vget_low_s16(second), pair[1]),
      vmlal_n_s16(high, vget_high_s16(second), pair[1]));
}

CV_INLINE intptr_t cv_depthwise_index(intptr_t tap, intptr_t channel) { return tap * 16 + channel; }

CV_INLINE cv_s32x8 cv_depthwise_dot(cv_s32x8 sum, cv_s8x8 x, const cv_depthwise_weight *w) {
  cv_s16x8 v;
  __builtin_memcpy(&v, w, sizeof v);
  int16x8_t weights = (int16x8_t)v, wide = vmovl_s8((int8x8_t)x);
  return cv_join(
      vmlal_s16((int32x4_t)sum.lo, vget_low_s16(wide), vget_low_s16(weights)),
      vmlal_high_s16((int32x4_t)sum.hi, wide, weights));
}

CV_INLINE cv_s32x8 cv_depthwise_dot0(
    cv_s32x8 sum, cv_s8x16 x0, cv_s8x16 x1, const cv_depthwise_weight *w) {
  return cv_depthwise_dot(cv_depthwise_dot(sum, x0.lo, w), x1.lo, w + 16);
}

CV_INLINE cv_s32x8 cv_depthwise_dot1(
    cv_s32x8 sum, cv_s8x16 x0, cv_s8x16 x1, const cv_depthwise_weight *w) {
  return cv_depthwise_dot(cv_depthwise_dot(sum, x0.hi, w + 8), x1.hi, w + 24);
}

CV_INLINE cv_s32x8 cv_depthwise_low(cv_s32x8 sum0, cv_s32x8 sum1) { return sum0; }
CV_INLINE cv_s32x8 cv_depthwise_high(cv_s32x8 sum0, cv_s32x8 sum1) { return sum1; }

#else
#error "edgeserve's kernels need x86-64 or aarch64"
#endif

#pragma clang assume_nonnull end

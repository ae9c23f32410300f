#pragma once

#include "CVectorMemory.h"
#include "CVectorTypes.h"
#include <stddef.h>

#if defined(__aarch64__)

#pragma clang assume_nonnull begin

typedef int8_t cv_activation;

CV_INLINE void cv_store_activations(cv_activation *p, cv_s8x16 v) {
  __builtin_memcpy(p, &v, sizeof v);
}

CV_INLINE void cv_store_activations_x64(cv_activation *p, cv_s8x64 v) {
  __builtin_memcpy(p, &v, sizeof v);
}

CV_INLINE cv_s32x8 cv_join(int32x4_t low, int32x4_t high) {
  cv_s32x8 v;
  v.lo = (cv_s32x4)low;
  v.hi = (cv_s32x4)high;
  return v;
}

// Matrix tile.

#if defined(__ARM_FEATURE_DOTPROD)

enum { CV_DEPTH_GROUP = 4, CV_ACTIVATION_OFFSET = 0, CV_DEPTHWISE_LINES = 1 };
// 16 channels × 4 weights.
typedef cv_s8x64 cv_weights;
typedef cv_s8x16 cv_activations;

CV_INLINE cv_activations cv_load_activations(const cv_activation *p) {
  int32_t group;
  __builtin_memcpy(&group, p, sizeof group);
  return (cv_activations)(cv_s32x4)group;
}

CV_INLINE cv_s32x8 cv_dot_half(cv_s32x8 sum, cv_s8x32 w, cv_activations a) {
  return cv_join(
      vdotq_s32((int32x4_t)sum.lo, (int8x16_t)w.lo, (int8x16_t)a),
      vdotq_s32((int32x4_t)sum.hi, (int8x16_t)w.hi, (int8x16_t)a));
}

#else

enum { CV_DEPTH_GROUP = 2, CV_ACTIVATION_OFFSET = 0, CV_DEPTHWISE_LINES = 1 };
// 16 channels × 2 weights.
typedef cv_s8x32 cv_weights;
typedef cv_s8x16 cv_activations;

CV_INLINE cv_activations cv_load_activations(const cv_activation *p) {
  int16_t pair;
  __builtin_memcpy(&pair, p, sizeof pair);
  return (cv_activations)(cv_s16x8)pair;
}

CV_INLINE cv_s32x8 cv_dot_half(cv_s32x8 sum, cv_s8x16 w, cv_activations a) {
  int8x16_t weights = (int8x16_t)w, activations = (int8x16_t)a;
  return cv_join(
      vpadalq_s16(
          (int32x4_t)sum.lo, vmull_s8(vget_low_s8(weights), vget_low_s8(activations))),
      vpadalq_s16((int32x4_t)sum.hi, vmull_high_s8(weights, activations)));
}

#endif

CV_INLINE cv_weights cv_load_weights(const int8_t *p) {
  cv_weights v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

CV_INLINE cv_s32x16 cv_dot(cv_s32x16 sum, cv_weights w, cv_activations a) {
  cv_s32x16 v;
  v.lo = cv_dot_half(sum.lo, w.lo, a);
  v.hi = cv_dot_half(sum.hi, w.hi, a);
  return v;
}

// A pair of depth of 8 channels: int8 weights `[8][2]` times two int16 activations.
CV_INLINE cv_s32x8 cv_dot_s16(cv_s32x8 sum, const int8_t *w, const int16_t *pair) {
  int8x8x2_t weights = vld2_s8(w);
  int16x8_t first = vmovl_s8(weights.val[0]), second = vmovl_s8(weights.val[1]);
  int32x4_t low = vmlal_n_s16((int32x4_t)sum.lo, vget_low_s16(first), pair[0]);
  int32x4_t high = vmlal_n_s16((int32x4_t)sum.hi, vget_high_s16(first), pair[0]);
  return cv_join(
      vmlal_n_s16(low, vget_low_s16(second), pair[1]),
      vmlal_n_s16(high, vget_high_s16(second), pair[1]));
}

// Depthwise tile, by pairs of taps.

CV_INLINE intptr_t cv_depthwise_index(intptr_t tap, intptr_t channel) { return tap * 16 + channel; }

CV_INLINE cv_s32x8 cv_depthwise_half(cv_s32x8 sum, cv_s8x8 x, const int16_t *w) {
  cv_s16x8 v;
  __builtin_memcpy(&v, w, sizeof v);
  int16x8_t weights = (int16x8_t)v, wide = vmovl_s8((int8x8_t)x);
  return cv_join(
      vmlal_s16((int32x4_t)sum.lo, vget_low_s16(wide), vget_low_s16(weights)),
      vmlal_high_s16((int32x4_t)sum.hi, wide, weights));
}

CV_INLINE cv_s32x16 cv_depthwise_dot(
    cv_s32x16 sum, cv_s8x16 x0, cv_s8x16 x1, const int16_t *w) {
  cv_s32x16 v;
  v.lo = cv_depthwise_half(cv_depthwise_half(sum.lo, x0.lo, w), x1.lo, w + 16);
  v.hi = cv_depthwise_half(cv_depthwise_half(sum.hi, x0.hi, w + 8), x1.hi, w + 24);
  return v;
}

CV_INLINE cv_s32x16 cv_depthwise_sums(cv_s32x16 sum) { return sum; }

#pragma clang assume_nonnull end

#endif

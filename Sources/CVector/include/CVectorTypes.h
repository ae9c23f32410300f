#pragma once

#include <stdint.h>
#if defined(__aarch64__)
#include <arm_neon.h>
#endif

// Wider than most registers on purpose: sixteen numbers are one register of AVX-512, two of AVX2, four of SSE2
// and NEON. Everything below inlines, so no value crosses a call.
#pragma clang diagnostic ignored "-Wpsabi"

#define CV_INLINE static inline __attribute__((always_inline))

typedef int8_t cv_s8x8 __attribute__((ext_vector_type(8)));
typedef int8_t cv_s8x16 __attribute__((ext_vector_type(16)));
typedef int8_t cv_s8x32 __attribute__((ext_vector_type(32)));
typedef int8_t cv_s8x64 __attribute__((ext_vector_type(64)));
typedef int16_t cv_s16x8 __attribute__((ext_vector_type(8)));
typedef int16_t cv_s16x16 __attribute__((ext_vector_type(16)));
typedef int16_t cv_s16x32 __attribute__((ext_vector_type(32)));
typedef int32_t cv_s32x4 __attribute__((ext_vector_type(4)));
typedef int32_t cv_s32x8 __attribute__((ext_vector_type(8)));
typedef int32_t cv_s32x16 __attribute__((ext_vector_type(16)));
typedef int64_t cv_s64x16 __attribute__((ext_vector_type(16)));
typedef float cv_f32x8 __attribute__((ext_vector_type(8)));
typedef float cv_f32x16 __attribute__((ext_vector_type(16)));

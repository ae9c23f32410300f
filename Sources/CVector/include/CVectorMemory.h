#pragma once

#include "CVectorTypes.h"
#include <stddef.h>

// Unaligned loads and stores. The caller vouches for the bytes; a partial form touches `count` elements only.

#pragma clang assume_nonnull begin

// Asks for the line of an address, which may lie behind the memory's end.
CV_INLINE void cv_prefetch(const void *p) { __builtin_prefetch(p); }

CV_INLINE cv_s8x8 cv_load_s8x8(const int8_t *p) {
  cv_s8x8 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

CV_INLINE cv_s8x16 cv_load_s8x16(const int8_t *p) {
  cv_s8x16 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

CV_INLINE cv_s8x64 cv_load_s8x64(const int8_t *p) {
  cv_s8x64 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

CV_INLINE cv_s32x8 cv_load_s32x8(const int32_t *p) {
  cv_s32x8 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

CV_INLINE cv_f32x8 cv_load_f32x8(const float *p) {
  cv_f32x8 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

CV_INLINE cv_s32x16 cv_load_s32x16(const int32_t *p) {
  cv_s32x16 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

CV_INLINE cv_f32x16 cv_load_f32x16(const float *p) {
  cv_f32x16 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

CV_INLINE void cv_store_s8x8(int8_t *p, cv_s8x8 v) { __builtin_memcpy(p, &v, sizeof v); }
CV_INLINE void cv_store_s8x16(int8_t *p, cv_s8x16 v) { __builtin_memcpy(p, &v, sizeof v); }
CV_INLINE void cv_store_s8x64(int8_t *p, cv_s8x64 v) { __builtin_memcpy(p, &v, sizeof v); }
CV_INLINE void cv_store_s16x16(int16_t *p, cv_s16x16 v) { __builtin_memcpy(p, &v, sizeof v); }
CV_INLINE void cv_store_s32x8(int32_t *p, cv_s32x8 v) { __builtin_memcpy(p, &v, sizeof v); }
CV_INLINE void cv_store_f32x8(float *p, cv_f32x8 v) { __builtin_memcpy(p, &v, sizeof v); }

CV_INLINE void cv_store_f32x16(float *p, cv_f32x16 v) { __builtin_memcpy(p, &v, sizeof v); }

CV_INLINE void cv_copy(void *output, const void *input, intptr_t byteCount) {
  __builtin_memcpy(output, input, (size_t)byteCount);
}

#if defined(__AVX512VL__) && defined(__AVX512BW__)

// A masked load or store touches the chosen elements only. Parts of a vector: bytes 0 ... 15, floats 0 ... 7 and 0 ... 15.

typedef char cv_v16qi __attribute__((vector_size(16)));
typedef float cv_v8sf __attribute__((vector_size(32)));
typedef float cv_v16sf __attribute__((vector_size(64)));

CV_INLINE cv_s8x16 cv_load_s8_partial(const int8_t *p, intptr_t count) {
  uint16_t mask = (uint16_t)((1u << count) - 1);
  return (cv_s8x16)__builtin_ia32_loaddquqi128_mask((const cv_v16qi *)p, (cv_v16qi){0}, mask);
}

CV_INLINE void cv_store_s8_partial(int8_t *p, cv_s8x16 v, intptr_t count) {
  uint16_t mask = (uint16_t)((1u << count) - 1);
  __builtin_ia32_storedquqi128_mask((cv_v16qi *)p, (cv_v16qi)v, mask);
}

CV_INLINE cv_f32x8 cv_load_f32_partial(const float *p, intptr_t count) {
  uint8_t mask = (uint8_t)((1u << count) - 1);
  return (cv_f32x8)__builtin_ia32_loadups256_mask((const cv_v8sf *)p, (cv_v8sf){0}, mask);
}

CV_INLINE void cv_store_f32_partial(float *p, cv_f32x8 v, intptr_t count) {
  uint8_t mask = (uint8_t)((1u << count) - 1);
  __builtin_ia32_storeups256_mask((cv_v8sf *)p, (cv_v8sf)v, mask);
}

CV_INLINE cv_f32x16 cv_load_f32x16_partial(const float *p, intptr_t count) {
  uint16_t mask = (uint16_t)((1u << count) - 1);
  return (cv_f32x16)__builtin_ia32_loadups512_mask(p, (cv_v16sf){0}, mask);
}

CV_INLINE void cv_store_f32x16_partial(float *p, cv_f32x16 v, intptr_t count) {
  uint16_t mask = (uint16_t)((1u << count) - 1);
  __builtin_ia32_storeups512_mask(p, (cv_v16sf)v, mask);
}

#else

// The lowest `count` (0 ... 15) bytes, the others zero.
CV_INLINE cv_s8x16 cv_load_s8_partial(const int8_t *p, intptr_t count) {
  uint64_t low = 0, high = 0;
  if (count & 8) {
    __builtin_memcpy(&low, p, 8);
    p += 8;
  }
  uint64_t rest = 0;
  int shift = 0;
  if (count & 4) {
    uint32_t w;
    __builtin_memcpy(&w, p, 4);
    rest = w;
    p += 4;
    shift = 32;
  }
  if (count & 2) {
    uint16_t h;
    __builtin_memcpy(&h, p, 2);
    rest |= (uint64_t)h << shift;
    p += 2;
    shift += 16;
  }
  if (count & 1) rest |= (uint64_t)(uint8_t)*p << shift;
  if (count & 8) high = rest; else low = rest;
  typedef uint64_t u64x2 __attribute__((ext_vector_type(2)));
  u64x2 v = {low, high};
  return (cv_s8x16)v;
}

// Writes the lowest `count` (0 ... 15) bytes.
CV_INLINE void cv_store_s8_partial(int8_t *p, cv_s8x16 v, intptr_t count) {
  typedef uint64_t u64x2 __attribute__((ext_vector_type(2)));
  u64x2 words = (u64x2)v;
  uint64_t rest = words[0];
  if (count & 8) {
    __builtin_memcpy(p, &rest, 8);
    p += 8;
    rest = words[1];
  }
  if (count & 4) {
    uint32_t w = (uint32_t)rest;
    __builtin_memcpy(p, &w, 4);
    p += 4;
    rest >>= 32;
  }
  if (count & 2) {
    uint16_t h = (uint16_t)rest;
    __builtin_memcpy(p, &h, 2);
    p += 2;
    rest >>= 16;
  }
  if (count & 1) *p = (int8_t)rest;
}

// The lowest `count` (0 ... 7) floats, the others zero.
CV_INLINE cv_f32x8 cv_load_f32_partial(const float *p, intptr_t count) {
  cv_f32x8 v = 0;
  if (count > 0) v[0] = p[0];
  if (count > 1) v[1] = p[1];
  if (count > 2) v[2] = p[2];
  if (count > 3) v[3] = p[3];
  if (count > 4) v[4] = p[4];
  if (count > 5) v[5] = p[5];
  if (count > 6) v[6] = p[6];
  return v;
}

// Writes the lowest `count` (0 ... 7) floats.
CV_INLINE void cv_store_f32_partial(float *p, cv_f32x8 v, intptr_t count) {
  if (count > 0) p[0] = v[0];
  if (count > 1) p[1] = v[1];
  if (count > 2) p[2] = v[2];
  if (count > 3) p[3] = v[3];
  if (count > 4) p[4] = v[4];
  if (count > 5) p[5] = v[5];
  if (count > 6) p[6] = v[6];
}

// The lowest `count` (0 ... 15) floats, the others zero.
CV_INLINE cv_f32x16 cv_load_f32x16_partial(const float *p, intptr_t count) {
  cv_f32x16 v = 0;
  if (count >= 8) {
    v.lo = cv_load_f32x8(p);
    v.hi = cv_load_f32_partial(p + 8, count - 8);
  } else {
    v.lo = cv_load_f32_partial(p, count);
  }
  return v;
}

// Writes the lowest `count` (0 ... 15) floats.
CV_INLINE void cv_store_f32x16_partial(float *p, cv_f32x16 v, intptr_t count) {
  if (count >= 8) {
    cv_store_f32x8(p, v.lo);
    cv_store_f32_partial(p + 8, v.hi, count - 8);
  } else {
    cv_store_f32_partial(p, v.lo, count);
  }
}

#endif

#pragma clang assume_nonnull end

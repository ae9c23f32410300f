#pragma once

// Integer dot products of the matrix and depthwise tiles, in the form that each instruction set has.
//
// A step of the matrix tile takes CV_DEPTH_GROUP depth elements of 16 output channels at once. Activations are packed as
// `cv_activation`, which is the code plus CV_ACTIVATION_OFFSET.
//
// The depthwise tile takes CV_DEPTHWISE_LINES taps of one column of 16 channels where that can be four, interleaved by
// `cv_interleave`. Else it takes two taps that follow each other; `cv_depthwise_index` says where each weight goes, and
// the accumulators hold channels in the order that is cheap, until `cv_depthwise_sums` puts them in place.
//
// All products are exact.

#include "CVectorMemory.h"
#include "CVectorProductsX86.h"
#include "CVectorProductsARM.h"

#if !defined(__x86_64__) && !defined(__aarch64__)
#error "edgeserve's kernels need x86-64 or aarch64"
#endif

#pragma clang assume_nonnull begin

// Adds the lowest `count` (1 ... 64) activations to the lanes, in any order.
CV_INLINE cv_s32x16 cv_add_activations(cv_s32x16 sums, const cv_activation *p, intptr_t count) {
#if defined(__AVX512VNNI__)
  typedef char cv_v64qi __attribute__((vector_size(64)));
  uint64_t mask = ~(uint64_t)0 >> (64 - count);
  cv_v64qi v = __builtin_ia32_loaddquqi512_mask((const cv_v64qi *)p, (cv_v64qi){0}, mask);
  return cv_dot(sums, (cv_weights)(cv_s32x16)0x01010101, (cv_activations)v);
#else
  int32_t sum = 0;
  for (intptr_t i = 0; i < count; i++) sum += p[i];
  sums[0] += sum;
  return sums;
#endif
}

// Depthwise tile, by four taps of a column.

// 16 channels × 4 taps.
typedef cv_s32x16 cv_column;

// Codes as unsigned bytes, 128 too high.
CV_INLINE void cv_store_raised(uint8_t *p, cv_s8x16 v) {
  cv_s8x16 raised = v ^ (cv_s8x16)INT8_MIN;
  __builtin_memcpy(p, &raised, sizeof raised);
}

CV_INLINE void cv_store_raised_x64(uint8_t *p, cv_s8x64 v) {
  cv_s8x64 raised = v ^ (cv_s8x64)INT8_MIN;
  __builtin_memcpy(p, &raised, sizeof raised);
}

CV_INLINE cv_s8x16 cv_load_raised(const uint8_t *p) { return cv_load_s8x16((const int8_t *)p); }

// Channel c of four vectors, in lane c.
CV_INLINE cv_column cv_interleave(cv_s8x16 x0, cv_s8x16 x1, cv_s8x16 x2, cv_s8x16 x3) {
  cv_s8x32 x01 = __builtin_shufflevector(
      x0, x1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
      25, 26, 27, 28, 29, 30, 31);
  cv_s8x32 x23 = __builtin_shufflevector(
      x2, x3, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
      25, 26, 27, 28, 29, 30, 31);
#if defined(__AVX512BW__)
  typedef char cv_v64qi __attribute__((vector_size(64)));
  cv_s8x64 rows = __builtin_shufflevector(
      x01, x23, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
      24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
      48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63);
  // A transposition of 4 × 4 words across the quarters of the register, then of 4 × 4 bytes within each.
  cv_s32x16 words = {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15};
  cv_s32x4 quarter = {0x0C080400, 0x0D090501, 0x0E0A0602, 0x0F0B0703};
  cv_s32x16 bytes = __builtin_shufflevector(
      quarter, quarter, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3);
  // Hides that the patterns are constant: the compiler would find others, of more instructions.
  __asm__("" : "+v"(words), "+v"(bytes));
  cv_v16si moved = __builtin_ia32_permvarsi512((cv_v16si)rows, (cv_v16si)words);
  return (cv_column)__builtin_ia32_pshufb512((cv_v64qi)moved, (cv_v64qi)bytes);
#else
  return (cv_column)__builtin_shufflevector(
      x01, x23, 0, 16, 32, 48, 1, 17, 33, 49, 2, 18, 34, 50, 3, 19, 35, 51, 4, 20, 36, 52, 5, 21, 37,
      53, 6, 22, 38, 54, 7, 23, 39, 55, 8, 24, 40, 56, 9, 25, 41, 57, 10, 26, 42, 58, 11, 27, 43, 59,
      12, 28, 44, 60, 13, 29, 45, 61, 14, 30, 46, 62, 15, 31, 47, 63);
#endif
}

// The weights of one channel that a step of the matrix tile takes.
CV_INLINE void cv_copy_depth_group(int8_t *p, const int8_t *weights) {
  __builtin_memcpy(p, weights, CV_DEPTH_GROUP);
}

// The weights of 16 channels that a step of the matrix tile takes, each vector those of one depth element; the last two
// are none's where the group is two.
CV_INLINE void cv_store_depth_group(int8_t *p, cv_s8x16 x0, cv_s8x16 x1, cv_s8x16 x2, cv_s8x16 x3) {
  if (CV_DEPTH_GROUP == 4) {
    cv_column weights = cv_interleave(x0, x1, x2, x3);
    __builtin_memcpy(p, &weights, sizeof weights);
  } else {
    cv_s8x32 weights = __builtin_shufflevector(
        x0, x1, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23, 8, 24, 9, 25, 10, 26, 11, 27,
        12, 28, 13, 29, 14, 30, 15, 31);
    __builtin_memcpy(p, &weights, sizeof weights);
  }
}

// 16 channels of the first of four taps; the others are zero.
CV_INLINE cv_column cv_lowest_of_column(const uint8_t *p) {
  typedef uint8_t cv_u8x16 __attribute__((ext_vector_type(16)));
  cv_u8x16 v;
  __builtin_memcpy(&v, p, sizeof v);
  return __builtin_convertvector(v, cv_column);
}

// Int8 weights `[16][4]` times a column.
CV_INLINE cv_s32x16 cv_column_dot(cv_s32x16 sum, cv_column x, const int8_t *w) {
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
  return cv_dot(sum, cv_load_weights(w), x);
#else
  for (int lane = 0; lane < 16; lane++) {
    for (int tap = 0; tap < 4; tap++) {
      sum[lane] += (int32_t)((uint32_t)x[lane] >> (8 * tap) & 255) * w[4 * lane + tap];
    }
  }
  return sum;
#endif
}

// Functions of int8 codes by table: `output[i] = table[input[i] + 128]` of as many of the `count` codes as whole registers
// hold, which it returns. The output may be the input.
CV_INLINE intptr_t cv_lookup(
    const int8_t *table, const int8_t *input, int8_t *output, intptr_t count) {
  intptr_t i = 0;
#if defined(__AVX512BW__)
  // In words of two neighbouring entries: seven bits of a code choose the word, by the sign one of two halves of the table,
  // and the lowest bit the byte. Even and odd codes are looked up by themselves.
  typedef short cv_v32hi __attribute__((vector_size(64)));
  typedef uint16_t cv_u16x32 __attribute__((ext_vector_type(32)));
  cv_v32hi words[4];
  __builtin_memcpy(words, table, sizeof words);
  for (; i + 64 <= count; i += 64) {
    cv_u16x32 x;
    __builtin_memcpy(&x, input + i, sizeof x);
    cv_v32hi at_even = (cv_v32hi)(x >> 1), at_odd = (cv_v32hi)(x >> 9);
    cv_u16x32 even = (x & 0x80) != 0
        ? (cv_u16x32)__builtin_ia32_vpermi2varhi512(words[0], at_even, words[1])
        : (cv_u16x32)__builtin_ia32_vpermi2varhi512(words[2], at_even, words[3]);
    cv_u16x32 odd = (x & 0x8000) != 0
        ? (cv_u16x32)__builtin_ia32_vpermi2varhi512(words[0], at_odd, words[1])
        : (cv_u16x32)__builtin_ia32_vpermi2varhi512(words[2], at_odd, words[3]);
    even = (x & 1) != 0 ? even >> 8 : even;
    odd = (x & 0x100) != 0 ? odd : odd << 8;
    cv_u16x32 found = (even & 0xFF) | (odd & 0xFF00);
    __builtin_memcpy(output + i, &found, sizeof found);
  }
#elif defined(__AVX2__)
  // Sixteen entries at a time, each as what it differs from those sixteen before: the shuffle gives zero for a negative
  // place, so the differences add up to the entry. Codes that are negative have tables of their own.
  typedef char cv_v32qi __attribute__((vector_size(32)));
  cv_s8x32 parts[16];
  for (int part = 0; part < 16; part++) {
    cv_s8x16 entries = cv_load_s8x16(table + 16 * part);
    if (part % 8 != 0) entries ^= cv_load_s8x16(table + 16 * part - 16);
    parts[part].lo = entries;
    parts[part].hi = entries;
  }
  for (; i + 32 <= count; i += 32) {
    cv_s8x32 place, found = 0;
    __builtin_memcpy(&place, input + i, sizeof place);
    cv_s8x32 negative = place ^ (cv_s8x32)INT8_MIN;
#pragma clang loop unroll(full)
    for (int part = 0; part < 8; part++) {
      found ^= (cv_s8x32)__builtin_ia32_pshufb256((cv_v32qi)parts[part + 8], (cv_v32qi)place);
      found ^= (cv_s8x32)__builtin_ia32_pshufb256((cv_v32qi)parts[part], (cv_v32qi)negative);
      place = __builtin_elementwise_sub_sat(place, (cv_s8x32)16);
      negative = __builtin_elementwise_sub_sat(negative, (cv_s8x32)16);
    }
    __builtin_memcpy(output + i, &found, sizeof found);
  }
#elif defined(__aarch64__)
  uint8x16x4_t first = vld1q_u8_x4((const uint8_t *)table);
  uint8x16x4_t second = vld1q_u8_x4((const uint8_t *)table + 64);
  uint8x16x4_t third = vld1q_u8_x4((const uint8_t *)table + 128);
  uint8x16x4_t fourth = vld1q_u8_x4((const uint8_t *)table + 192);
  for (; i + 16 <= count; i += 16) {
    // An index beyond a part's 64 leaves what the parts before it found.
    uint8x16_t index = veorq_u8(vld1q_u8((const uint8_t *)input + i), vdupq_n_u8(0x80));
    uint8x16_t found = vqtbl4q_u8(first, index);
    found = vqtbx4q_u8(found, second, vsubq_u8(index, vdupq_n_u8(64)));
    found = vqtbx4q_u8(found, third, vsubq_u8(index, vdupq_n_u8(128)));
    found = vqtbx4q_u8(found, fourth, vsubq_u8(index, vdupq_n_u8(192)));
    vst1q_u8((uint8_t *)output + i, found);
  }
#endif
  return i;
}

#pragma clang assume_nonnull end

#include "CProcessor.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <stdint.h>

static uint64_t enabled_state(void) {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t)high << 32 | low;
}

bool cprocessor_has_avx2_fma(void) {
  // -mavx2 implies SSE3, SSSE3, SSE4.1, SSE4.2, POPCNT, CRC32 (with SSE4.2), XSAVE and AVX; -mfma adds FMA.
  const uint32_t leaf1 = bit_SSE3 | bit_SSSE3 | bit_SSE4_1 | bit_SSE4_2 | bit_POPCNT | bit_XSAVE
      | bit_OSXSAVE | bit_AVX | bit_FMA;
  // Bits 1 and 2: the system saves the xmm and ymm registers.
  const uint64_t state = 6;
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || (c & leaf1) != leaf1) return false;
  if ((enabled_state() & state) != state) return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_AVX2) != 0;
}

bool cprocessor_has_avx_vnni(void) {
  uint32_t a, b, c, d;
  if (!cprocessor_has_avx2_fma() || !__get_cpuid_count(7, 1, &a, &b, &c, &d)) return false;
  return (a & bit_AVXVNNI) != 0;
}

bool cprocessor_has_avx512_vnni(void) {
  // -mavx512f implies F16C besides AVX2 and FMA.
  const uint32_t leaf7b = bit_AVX512F | bit_AVX512BW | bit_AVX512VL | bit_AVX512DQ;
  // Bits 5, 6 and 7: the system saves the mask registers and all of the zmm registers.
  const uint64_t state = 0xE6;
  uint32_t a, b, c, d;
  if (!cprocessor_has_avx2_fma() || (enabled_state() & state) != state) return false;
  if (!__get_cpuid(1, &a, &b, &c, &d) || (c & bit_F16C) == 0) return false;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  return (b & leaf7b) == leaf7b && (c & bit_AVX512VNNI) != 0;
}

bool cprocessor_has_neon_dot_product(void) { return false; }

#elif defined(__aarch64__) && defined(__linux__)

#include <asm/hwcap.h>
#include <sys/auxv.h>

bool cprocessor_has_avx2_fma(void) { return false; }
bool cprocessor_has_avx_vnni(void) { return false; }
bool cprocessor_has_avx512_vnni(void) { return false; }

bool cprocessor_has_neon_dot_product(void) {
  // -march=armv8.2-a+dotprod also lets the compiler use v8.1's atomics and rounding multiplies and CRC32.
  const unsigned long needed = HWCAP_ASIMDDP | HWCAP_ATOMICS | HWCAP_ASIMDRDM | HWCAP_CRC32;
  return (getauxval(AT_HWCAP) & needed) == needed;
}

#else

bool cprocessor_has_avx2_fma(void) { return false; }
bool cprocessor_has_avx_vnni(void) { return false; }
bool cprocessor_has_avx512_vnni(void) { return false; }
bool cprocessor_has_neon_dot_product(void) { return false; }

#endif

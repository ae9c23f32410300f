#pragma once

#include <stdbool.h>

// What this processor and its operating system can run. Compiled without instruction-set flags.

/// Every feature that -mavx2 -mfma lets the compiler use, and that the system saves the registers.
bool cprocessor_has_avx2_fma(void);

/// The same, and the byte dot products of AVX-VNNI.
bool cprocessor_has_avx_vnni(void);

/// Every feature that the flags of AVX-512 F, BW, VL, DQ and VNNI let the compiler use, and that the system saves the
/// registers.
bool cprocessor_has_avx512_vnni(void);

/// The signed dot product instructions of Armv8.2.
bool cprocessor_has_neon_dot_product(void);

#pragma once

#include <stdbool.h>

// What this processor and its operating system can run. Compiled without instruction-set flags.

/// Every feature that -mavx2 -mfma lets the compiler use, and that the system saves the registers.
bool cprocessor_has_avx2_fma(void);

/// The signed dot product instructions of Armv8.2.
bool cprocessor_has_neon_dot_product(void);

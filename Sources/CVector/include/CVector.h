#pragma once

// Vector operations that Swift's SIMD types lack, as one-liners over clang's vector extensions.
// They import as SIMDn types, inline into Swift and take the instruction set of the calling module.

#include "CVectorTypes.h"
#include "CVectorMemory.h"
#include "CVectorNumbers.h"
#include "CVectorProducts.h"
#include "CVectorMath.h"

#pragma once
#include <stdbool.h>
#include <stddef.h>

/// Whether allocations are counted in this build; a sanitizer owns the allocator otherwise.
bool cac_is_counting(void);

/// How often any thread of the process has asked for heap memory so far.
size_t cac_allocation_count(void);

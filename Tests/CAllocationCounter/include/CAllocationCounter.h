#pragma once
#include <stdbool.h>
#include <stddef.h>

/// Whether allocations are counted in this build; a sanitizer owns the allocator otherwise.
bool cac_is_counting(void);

/// How often the calling thread has asked for heap memory so far.
size_t cac_thread_allocation_count(void);

/// How many pages the calling thread has faulted in so far without reading from a disk.
size_t cac_thread_minor_fault_count(void);

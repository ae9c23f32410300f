#pragma once

#include <stdbool.h>
#include <stddef.h>

/// Whether the kernel was told that a time server keeps its clock.
bool ckernelfacts_clock_is_synchronised(void);

/// Whether the file system of `path` is kept in memory alone; false when that cannot be told.
bool ckernelfacts_is_volatile(const char *path);

/// Gives the code of the program and of its libraries back to the kernel's page cache, from where it is mapped again as
/// it is run. What start alone needs then counts no more as resident.
void ckernelfacts_release_code(void);

/// Lets this thread and those that it starts run on these processors only; false when the kernel refuses.
bool ckernelfacts_use_processors(const int *numbers, size_t count);

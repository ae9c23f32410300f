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

/// Lets blocks of `bytes` and more go back to the kernel whenever they are freed. Unless it is told, the C library keeps
/// them after the first, up to 32 MiB each, and the process holds what nobody counts any more.
void ckernelfacts_return_blocks(size_t bytes);

/// Lets this thread and those that it starts run on these processors only; false when the kernel refuses.
bool ckernelfacts_use_processors(const int *numbers, size_t count);

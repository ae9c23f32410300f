#pragma once

#include <stdbool.h>

/// Whether the kernel was told that a time server keeps its clock.
bool ckernelfacts_clock_is_synchronised(void);

/// Whether the file system of `path` is kept in memory alone; false when that cannot be told.
bool ckernelfacts_is_volatile(const char *path);

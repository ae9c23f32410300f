#pragma once
// Keeps a mapped file that somebody truncates from ending the process. A signal handler may run no Swift, so that this
// is C.

#include <stdbool.h>
#include <stddef.h>

/// Watches a mapped range: a page that its file no longer backs is replaced by zeros when it is read.
///
/// Returns what names the watch, or -1 when there is no room for one more.
int cf_watch(const void *start, size_t byte_count);

/// Whether a page of the range was replaced since the watch began.
bool cf_was_torn(int watch);

/// Ends a watch; the range must not be read any more.
void cf_unwatch(int watch);

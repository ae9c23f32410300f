#define _GNU_SOURCE
#include "CAllocationCounter.h"

#include <errno.h>
#include <sys/resource.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif

static _Thread_local size_t count;

size_t cac_thread_allocation_count(void) { return count; }

size_t cac_thread_minor_fault_count(void) {
  struct rusage usage;
  getrusage(RUSAGE_THREAD, &usage);
  return (size_t)usage.ru_minflt;
}

#if defined(SANITIZED) || !defined(__GLIBC__)

bool cac_is_counting(void) { return false; }

#else

bool cac_is_counting(void) { return true; }

// The executable's definitions take the place of glibc's, which stay reachable under these names.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
  count++;
  return __libc_malloc(size);
}

void *calloc(size_t n, size_t size) {
  count++;
  return __libc_calloc(n, size);
}

void *realloc(void *old, size_t size) {
  count++;
  return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
  count++;
  return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **out, size_t alignment, size_t size) {
  if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0) return EINVAL;
  void *p = memalign(alignment, size);
  if (p == NULL) return ENOMEM;
  *out = p;
  return 0;
}

#endif

#define _GNU_SOURCE

#include "CKernelFacts.h"

#include <link.h>
#include <linux/magic.h>
#include <malloc.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/timex.h>
#include <sys/vfs.h>
#include <unistd.h>

bool ckernelfacts_clock_is_synchronised(void) {
  struct timex clock = {0};
  return adjtimex(&clock) >= 0 && !(clock.status & STA_UNSYNC);
}

bool ckernelfacts_is_volatile(const char *path) {
  struct statfs status;
  if (statfs(path, &status) != 0) return false;
  return status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC;
}

static int release_code(struct dl_phdr_info *object, size_t size, void *unused) {
  (void)size;
  (void)unused;
  const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
    // Code is never relocated, so that its pages are those of the file; all others may differ.
    if (segment->p_type != PT_LOAD || (segment->p_flags & (PF_X | PF_W)) != PF_X) continue;
    const uintptr_t start = (object->dlpi_addr + segment->p_vaddr + page - 1) & ~(page - 1);
    const uintptr_t end = (object->dlpi_addr + segment->p_vaddr + segment->p_filesz) & ~(page - 1);
    if (start < end) madvise((void *)start, end - start, MADV_DONTNEED);
  }
  return 0;
}

void ckernelfacts_release_code(void) { dl_iterate_phdr(release_code, NULL); }

bool ckernelfacts_use_processors(const int *numbers, size_t count) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (size_t i = 0; i < count; i++) {
    if (numbers[i] < 0 || numbers[i] >= CPU_SETSIZE) return false;
    CPU_SET(numbers[i], &set);
  }
  return sched_setaffinity(0, sizeof set, &set) == 0;
}

void ckernelfacts_return_blocks(size_t bytes) { mallopt(M_MMAP_THRESHOLD, (int)bytes); }

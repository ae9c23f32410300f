#include "CKernelFacts.h"

#include <linux/magic.h>
#include <sys/timex.h>
#include <sys/vfs.h>

bool ckernelfacts_clock_is_synchronised(void) {
  struct timex clock = {0};
  return adjtimex(&clock) >= 0 && !(clock.status & STA_UNSYNC);
}

bool ckernelfacts_is_volatile(const char *path) {
  struct statfs status;
  if (statfs(path, &status) != 0) return false;
  return status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC;
}

#define _GNU_SOURCE
#include "CThreads.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

void ct_wait(const uint32_t *word, uint32_t expected) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, 0, 0, 0);
}

void ct_wake(const uint32_t *word, int count) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, 0, 0, 0);
}

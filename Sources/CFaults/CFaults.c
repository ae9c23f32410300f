#define _GNU_SOURCE
#include "CFaults.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WATCHES = 1024 };

/// `end` is 0 while the place is free, and is written last: the handler then sees a whole range or none.
static struct {
  atomic_bool taken;
  atomic_bool torn;
  _Atomic uintptr_t start;
  _Atomic uintptr_t end;
} watches[WATCHES];

static struct sigaction former;
static uintptr_t page_size;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void on_fault(int signal, siginfo_t *info, void *context) {
  uintptr_t address = (uintptr_t)info->si_addr;
  for (int i = 0; i < WATCHES; i++) {
    uintptr_t end = atomic_load(&watches[i].end);
    if (end == 0 || address >= end || address < atomic_load(&watches[i].start)) continue;
    void *page = (void *)(address & ~(page_size - 1));
    if (mmap(page, page_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) break;
    atomic_store(&watches[i].torn, true);
    return;
  }
  // Not ours: whoever handled it before does, and by default that ends the process.
  if (former.sa_flags & SA_SIGINFO) {
    former.sa_sigaction(signal, info, context);
  } else if (former.sa_handler != SIG_DFL && former.sa_handler != SIG_IGN) {
    former.sa_handler(signal);
  } else {
    sigaction(SIGBUS, &former, NULL);
  }
}

static void install(void) {
  page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, &former);
}

int cf_watch(const void *start, size_t byte_count) {
  pthread_once(&once, install);
  for (int i = 0; i < WATCHES; i++) {
    bool free = false;
    if (!atomic_compare_exchange_strong(&watches[i].taken, &free, true)) continue;
    atomic_store(&watches[i].torn, false);
    atomic_store(&watches[i].start, (uintptr_t)start);
    atomic_store(&watches[i].end, (uintptr_t)start + byte_count);
    return i;
  }
  return -1;
}

bool cf_was_torn(int watch) { return atomic_load(&watches[watch].torn); }

void cf_unwatch(int watch) {
  atomic_store(&watches[watch].end, 0);
  atomic_store(&watches[watch].taken, false);
}

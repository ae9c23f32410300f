#pragma once
// What a spinning or parking thread needs and Swift cannot spell: one instruction and one system call.

#include <stdint.h>

/// Tells the processor that the caller spins, so that it saves power and yields to a sibling thread.
static inline void ct_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  __asm__ volatile("yield");
#endif
}

/// Parks the caller while the word holds `expected`; returns on a wake, a signal, or at once when it differs.
void ct_wait(const uint32_t *word, uint32_t expected);

/// Wakes at most `count` threads that are parked on the word.
void ct_wake(const uint32_t *word, int count);

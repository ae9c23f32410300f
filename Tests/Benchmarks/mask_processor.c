// Answers the cpuid instruction as a processor with AVX2 and FMA but without AVX-512, AVX-VNNI or AMX would.
//
// For libraries whose cpuid instructions were made undefined ones (ud2), which end up here: compare_runtimes.py does so
// to copies of other runtimes. Preloaded: cc -shared -fPIC -O2 -o mask_processor.so mask_processor.c
#define _GNU_SOURCE
#include <cpuid.h>
#include <signal.h>
#include <stdint.h>
#include <ucontext.h>

#define BIT(n) (UINT32_C(1) << (n))

static void answer(int number, siginfo_t *info, void *context) {
  (void)info;
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  const uint8_t *instruction = (const uint8_t *)registers[REG_RIP];
  if (instruction[0] != 0x0f || instruction[1] != 0x0b) {
    signal(number, SIG_DFL);  // Not one of ours: it happens again, and ends the process.
    return;
  }
  uint32_t leaf = (uint32_t)registers[REG_RAX], part = (uint32_t)registers[REG_RCX];
  uint32_t a, b, c, d;
  __cpuid_count(leaf, part, a, b, c, d);
  if (leaf == 7 && part == 0) {
    // AVX-512 F, DQ, IFMA, PF, ER, CD, BW, VL.
    b &= ~(BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) | BIT(31));
    // AVX-512 VBMI, VBMI2, VNNI, BITALG, VPOPCNTDQ; GFNI.
    c &= ~(BIT(1) | BIT(6) | BIT(8) | BIT(11) | BIT(12) | BIT(14));
    // AVX-512 4VNNIW, 4FMAPS, VP2INTERSECT, FP16; AMX BF16, TILE, INT8.
    d &= ~(BIT(2) | BIT(3) | BIT(8) | BIT(22) | BIT(23) | BIT(24) | BIT(25));
  } else if (leaf == 7 && part == 1) {
    // AVX-VNNI, AVX-512 BF16, AMX FP16, AVX-IFMA; AVX-VNNI-INT8, AVX-NE-CONVERT, AVX-VNNI-INT16, AVX10.
    a &= ~(BIT(4) | BIT(5) | BIT(21) | BIT(23));
    d &= ~(BIT(4) | BIT(5) | BIT(10) | BIT(19));
  }
  registers[REG_RAX] = a;
  registers[REG_RBX] = b;
  registers[REG_RCX] = c;
  registers[REG_RDX] = d;
  registers[REG_RIP] += 2;
}

__attribute__((constructor)) static void begin(void) {
  struct sigaction action = {.sa_sigaction = answer, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(SIGILL, &action, NULL);
}

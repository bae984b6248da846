// Put before ggml's C files on x86: its threads wait for each other by spinning on _mm_pause, for
// as long as it takes. When other processes want the cores, the thread that is waited for may stand
// behind the one that spins, for whole time slices. Here a wait that lasts gives its core up
// (docs/decisions/0020-patient-wait.md). Waits of an undisturbed evaluation are shorter than that
// and stay as they are.

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <immintrin.h>
#include <sched.h>
#include <stdint.h>

static inline void slipway_patient_wait(void) {
  static __thread uint64_t since, last;  // cycles
  __builtin_ia32_pause();
  const uint64_t now = __rdtsc();
  if (now - last > 1000) since = now;  // work was done since: another wait
  last = now;
  if (now - since < 150000) return;  // some 50 microseconds
  sched_yield();
  last = __rdtsc();
}

#define _mm_pause() slipway_patient_wait()

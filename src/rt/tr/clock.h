/* rt/tr/clock.h - the tracer's clock: the processor's cycle counter where that is a clock, else CLOCK_MONOTONIC.
 *
 * On x86-64 the cycle counter is taken when it ticks evenly in all power states (CPUID says "invariant") and the kernel
 * offers it as a clock source, which it does not after having seen processors disagree; a tick is 16 cycles (some 6
 * ns), so that most times between events fit into a byte.  On arm64 the virtual counter is taken, as it is.  Otherwise
 * a tick is 64 ns of CLOCK_MONOTONIC, as in Go.
 */
#ifndef WEFT__TR_CLOCK_H
#define WEFT__TR_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

enum { WEFT__TR_TSC_SHIFT = 4, WEFT__TR_NS_SHIFT = 6 };

extern bool weft__tr_clock_counts; /* the cycle counter is used */

static inline uint64_t weft__tr_cycles(void)
{
#if defined(__x86_64__)
	return __rdtsc() >> WEFT__TR_TSC_SHIFT;
#elif defined(__aarch64__)
	uint64_t t;
	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(t));
	return t;
#else
	return 0;
#endif
}

/* Now.  Any thread, signal handlers too.  Threads may disagree by a few ticks. */
static inline uint64_t weft__tr_ticks(void)
{
	if (__builtin_expect(weft__tr_clock_counts, 1))
		return weft__tr_cycles();
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return ((uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec) >> WEFT__TR_NS_SHIFT;
}

/* Chooses the clock and begins to measure its frequency; a second call changes nothing. */
void weft__tr_clock_init(void);

/* Ticks per second, the same for the life of the process: measured over at least 20 ms since weft__tr_clock_init, which
 * the first call waits for. */
uint64_t weft__tr_clock_frequency(void);

/* One moment on three clocks. */
typedef struct weft__tr_moment {
	uint64_t ticks, mono_ns, wall_sec, wall_nsec;
} weft__tr_moment;

void weft__tr_clock_moment(weft__tr_moment *ret);

#endif

/* rt/tr/clock.c - see clock.h. */
#include "rt/tr/clock.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

enum { MEASURE_NS = 20000000, TRIES = 8 };

bool weft__tr_clock_counts;

static pthread_once_t once_init = PTHREAD_ONCE_INIT, once_measure = PTHREAD_ONCE_INIT;
static weft__tr_moment first;
static uint64_t frequency;

static uint64_t mono_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

#if defined(__x86_64__)
static bool kernel_offers_tsc(void)
{
	char text[256] = "";
	FILE *f = fopen("/sys/devices/system/clocksource/clocksource0/available_clocksource", "re");
	if (!f)
		return false;
	bool found = fgets(text, sizeof(text), f) && strstr(text, "tsc");
	fclose(f);
	return found;
}

static bool counter_is_a_clock(void)
{
	const unsigned power_leaf = 0x80000007, invariant_bit = 1u << 8;
	unsigned a, b, c, d;
	return __get_cpuid(power_leaf, &a, &b, &c, &d) && (d & invariant_bit) && kernel_offers_tsc();
}
#elif defined(__aarch64__)
static bool counter_is_a_clock(void)
{
	return true;
}
#else
static bool counter_is_a_clock(void)
{
	return false;
}
#endif

/* The two clocks are read around each other; the closest of several readings counts. */
/* All three between two looks at one clock, of several tries the one that nothing came between. */
void weft__tr_clock_moment(weft__tr_moment *ret)
{
	uint64_t best = UINT64_MAX;
	for (int i = 0; i < TRIES; i++) {
		uint64_t before = mono_ns(), ticks = weft__tr_ticks();
		struct timespec wall;
		clock_gettime(CLOCK_REALTIME, &wall);
		uint64_t after = mono_ns();
		if (after - before >= best)
			continue;
		best = after - before;
		*ret = (weft__tr_moment){
			.ticks = ticks,
			.mono_ns = before + best / 2,
			.wall_sec = (uint64_t)wall.tv_sec,
			.wall_nsec = (uint64_t)wall.tv_nsec,
		};
	}
}

static void init(void)
{
	weft__tr_clock_counts = counter_is_a_clock();
	weft__tr_clock_moment(&first);
}

void weft__tr_clock_init(void)
{
	pthread_once(&once_init, init);
}

static void measure(void)
{
	if (!weft__tr_clock_counts) {
		frequency = 1000000000u >> WEFT__TR_NS_SHIFT;
		return;
	}
	uint64_t since = mono_ns() - first.mono_ns;
	if (since < MEASURE_NS)
		nanosleep(&(struct timespec){ .tv_nsec = (long)(MEASURE_NS - since) }, NULL);
	weft__tr_moment now;
	weft__tr_clock_moment(&now);
	frequency = (uint64_t)((double)(now.ticks - first.ticks) * 1e9 / (double)(now.mono_ns - first.mono_ns) + 0.5);
}

uint64_t weft__tr_clock_frequency(void)
{
	weft__tr_clock_init();
	pthread_once(&once_measure, measure);
	return frequency;
}

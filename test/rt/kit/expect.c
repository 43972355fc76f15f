/* rt/kit/expect.c - what a case says and does while it runs. */
#include "inside.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int n_failures;
static uint64_t seed;

int kit_failures(void)
{
	return n_failures;
}

void kit_seed_set(uint64_t s)
{
	seed = s;
}

uint64_t kit_seed(void)
{
	return seed;
}

uint64_t kit_random(uint64_t *state) /* splitmix64 */
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* One write, so that lines of several goroutines do not mix. */
static void tell(const char *line, int n, size_t size)
{
	size_t all = n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
	if (write(2, line, all) < 0)
		_exit(1);
}

bool kit_expect_at(const char *file, int line, bool good, const char *what)
{
	char text[512];
	if (good)
		return true;
	n_failures++;
	tell(text, snprintf(text, sizeof(text), "%s:%d: not true: %s\n", file, line, what), sizeof(text));
	return false;
}

bool kit_equal_at(const char *file, int line, int64_t a, int64_t b, const char *what)
{
	char text[512];
	if (a == b)
		return true;
	n_failures++;
	tell(text,
		snprintf(text, sizeof(text), "%s:%d: %s: %lld, not %lld\n", file, line, what, (long long)a,
			(long long)b),
		sizeof(text));
	return false;
}

void kit_stop(void)
{
	_exit(1);
}

void kit_skip(const char *why)
{
	fprintf(stderr, "\n%s\n", why);
	_exit(KIT_SKIPPED);
}

void kit_go(weft_fn *fn, void *arg)
{
	int err = weft_go(fn, arg);
	if (err == 0)
		return;
	kit_equal(err, 0);
	kit_stop();
}

void kit_pause(void)
{
	weft_sleep(50 * WEFT_US);
}

void kit_until_parked(size_t n)
{
	weft_stats s;
	for (;;) {
		weft_stats_read(&s);
		if (s.n_parked >= n)
			return;
		weft_yield();
	}
}

#if defined(__has_feature) /* clang */
#if __has_feature(thread_sanitizer)
#define WATCHES_RACES
#elif __has_feature(address_sanitizer)
#define WATCHES_MEMORY
#endif
#elif defined(__SANITIZE_THREAD__)
#define WATCHES_RACES
#elif defined(__SANITIZE_ADDRESS__)
#define WATCHES_MEMORY
#endif

bool kit_watches_races(void)
{
#ifdef WATCHES_RACES
	return true;
#else
	return false;
#endif
}

int kit_slowness(void)
{
	const char *slower = getenv("KIT_SLOWER");
#if defined(WATCHES_RACES)
	int by = 10;
#elif defined(WATCHES_MEMORY)
	int by = 5;
#else
	int by = 1;
#endif
	return slower && atoi(slower) > by ? atoi(slower) : by;
}

size_t kit_times(size_t n)
{
	size_t less = n / (size_t)kit_slowness();
	return less > 0 ? less : 1;
}

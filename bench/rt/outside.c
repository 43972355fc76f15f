/* rt/outside.c - timers and blocking calls. */
#include "bench.h"

#include <math.h>
#include <sys/syscall.h>
#include <unistd.h>

static const weft_ns hour = 3600 * WEFT_SECOND;

static void never(void *arg)
{
	(void)arg;
}

/* A timer of its own each time, as time.AfterFunc() is. */
void bench_timer(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		weft_timer t = { 0 };
		weft_timer_start(&t, weft_in(hour), never, NULL);
		weft_timer_stop(&t);
	}
}

void bench_timer_reset(uint64_t n)
{
	weft_timer t = { 0 };
	weft_timer_start(&t, weft_in(hour), never, NULL);
	for (uint64_t i = 0; i < n; i++) {
		weft_timer_reset(&t, weft_in(hour));
		weft_timer_stop(&t);
	}
}

static void bare_call(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		syscall(SYS_getppid);
}

static void blocking_call(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		weft_syscall_begin();
		syscall(SYS_getppid);
		weft_syscall_end();
	}
}

static double least_ns(double so_far, void (*calls)(uint64_t n))
{
	enum { CALLS = 1000 };
	weft_ns start = weft_now();
	calls(CALLS);
	return fmin(so_far, (double)(weft_now() - start) / CALLS);
}

/* The difference is a tenth of either: many short looks in turn, and the quietest of each. */
void bench_call(void)
{
	double bare = INFINITY, whole = INFINITY;
	for (int i = 0; i < 500; i++) {
		bare = least_ns(bare, bare_call);
		whole = least_ns(whole, blocking_call);
	}
	bench_result("call", whole - bare);
	bench_result("call-bare", bare);
}

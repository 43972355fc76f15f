/* bench/tracer.c - what recording an event costs: time and bytes, by itself, without a scheduler.
 *
 *   bench-tracer [MILLION-EVENTS [FRAMES [FILE]]]
 *   bench-tracer parked N
 *
 * Two goroutines hand a message to and fro on one thread, as a ping-pong over two channels: each round trip is two
 * each of GoUnblock, GoBlock and GoStart; the first two have stacks.  The same calls without a trace are
 * subtracted.  The trace goes to FILE, or is counted and dropped.
 *
 * parked: beside N goroutines that wait, how long starting takes, and what the longest round trip was while the trace
 * started and while generations ended.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "rt/tr/clock.h"
#include "rt/tr/tr.h"

static weft__tr_m m;
static weft__tr_p p;
static weft__tr_g g[2];
static const weft__tr_object chan[2][2] = {
	{ { .kind = WEFT__TR_CHAN, .id = 0x7f0012340080 } },
	{ { .kind = WEFT__TR_CHAN, .id = 0x7f0012340100 } },
};

static weft__tr_g *parked;
static unsigned n_parked;

static void each_m(weft__tr_m_fn *fn, void *arg)
{
	fn(&m, &(weft__tr_m_now){ &p, &g[0], false }, arg);
}
static void each_p(weft__tr_p_fn *fn, void *arg)
{
	fn(&p, true, arg);
}
static void each_g(weft__tr_g_fn *fn, void *arg)
{
	fn(&g[0], &(weft__tr_g_now){ .state = WEFT__TR_RUNNING }, arg);
	fn(&g[1], &(weft__tr_g_now){ .state = WEFT__TR_WAITING }, arg);
	for (unsigned i = 0; i < n_parked; i++)
		fn(&parked[i], &(weft__tr_g_now){ .state = WEFT__TR_WAITING, .entry = "" }, arg);
}
static int procs(void)
{
	return 1;
}

static int drop(const void *at, size_t n, void *arg)
{
	(void)at, (void)n, (void)arg;
	return 0;
}

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Half a round trip: the running goroutine wakes the other one and waits. */
__attribute__((noinline)) static void hand_over(int from)
{
	int to = 1 - from;
	const void *fp = __builtin_frame_address(0);
	weft__tr_go_unblock(&m, &p, &g[from], &g[to], fp);
	weft__tr_go_block(&m, &p, &g[from], WEFT__TR_BLOCK_CHAN_RECV, fp, chan[from]);
	weft__tr_go_start(&m, &p, &g[to]);
}

__attribute__((noinline)) static void deep(unsigned frames, long trips)
{
	if (frames > 1)
		deep(frames - 1, trips);
	else
		for (long i = 0; i < trips; i++) {
			hand_over(0);
			hand_over(1);
		}
	__asm__ volatile("" ::: "memory"); /* no tail call */
}

static double run_ns(unsigned frames, long trips)
{
	uint64_t start = now_ns();
	deep(frames, trips);
	return (double)(now_ns() - start) / (double)trips;
}

static double tick_ns(void)
{
	enum { N = 2000000 };
	uint64_t start = now_ns(), sum = 0;
	for (int i = 0; i < N; i++)
		sum += weft__tr_ticks();
	__asm__ volatile("" : : "r"(sum));
	return (double)(now_ns() - start) / N;
}

static void prepare(void)
{
	m.tid = (uint64_t)syscall(SYS_gettid);
	g[0].id = 1;
	g[1].id = 2;
	g[0].stack_hi = g[1].stack_hi = (uintptr_t)__builtin_frame_address(0);
	weft__tr_init(&(weft__tr_hooks){ .each_m = each_m, .each_p = each_p, .each_g = each_g, .procs = procs });
}

/* Round trips for so long, one being measured each; the longest. */
static double longest_us(double seconds)
{
	uint64_t start = now_ns(), last = start, most = 0;
	while (last - start < (uint64_t)(seconds * 1e9)) {
		hand_over(0);
		hand_over(1);
		uint64_t now = now_ns();
		most = now - last > most ? now - last : most;
		last = now;
	}
	return (double)most / 1000;
}

static int with_parked(unsigned n)
{
	parked = calloc(n, sizeof(*parked));
	for (n_parked = 0; parked && n_parked < n; n_parked++)
		parked[n_parked].id = 3 + n_parked;
	weft__tr_options opt = { .fd = -1, .write = drop };
	double before = longest_us(1);
	uint64_t start = now_ns();
	int rc = weft__tr_start(&opt);
	uint64_t started = now_ns();
	if (rc) {
		fprintf(stderr, "bench-tracer: no trace: %s\n", strerror(-rc));
		return 1;
	}
	double during = longest_us(0.5), later = longest_us(3);
	weft__tr_stop();
	weft__tr_stats s;
	weft__tr_read_stats(&s);
	printf("goroutines        %8u\nstarting          %8.1f us\n"
	       "longest round trip, off            %8.1f us\nlongest round trip, at the start   %8.1f us\n"
	       "longest round trip, 3 s on         %8.1f us\ngenerations       %8llu\n",
		n, (double)(started - start) / 1000, before, during, later, (unsigned long long)s.generations);
	free(parked);
	return 0;
}

int main(int argc, char **argv)
{
	prepare();
	if (argc > 2 && strcmp(argv[1], "parked") == 0)
		return with_parked((unsigned)atoi(argv[2]));
	double millions = argc > 1 ? strtod(argv[1], NULL) : 20;
	unsigned frames = argc > 2 ? (unsigned)atoi(argv[2]) : 6;
	long trips = (long)(millions * 1e6 / 6);
	weft__tr_options opt = { .fd = -1, .write = drop };
	if (argc > 3) {
		opt.write = NULL;
		opt.fd = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	}
	double off = run_ns(frames, trips), on = 1e9;
	weft__tr_stats s;
	for (int round = 0; round < 3; round++) {
		int rc = weft__tr_start(&opt);
		if (rc) {
			fprintf(stderr, "bench-tracer: no trace: %s\n", strerror(-rc));
			return 1;
		}
		double ns = run_ns(frames, trips);
		on = ns < on ? ns : on;
		weft__tr_stop();
		weft__tr_read_stats(&s);
		opt.fd = -1, opt.write = drop;
	}
	printf("round trip, off   %8.1f ns\nround trip, on    %8.1f ns\nan event          %8.1f ns\n"
	       "the clock         %8.1f ns\nbytes an event    %8.2f\nwaits             %8llu\n",
		off, on, (on - off) / 6, tick_ns(), (double)s.bytes / ((double)trips * 6), (unsigned long long)s.waits);
	return 0;
}

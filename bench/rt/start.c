/* rt/start.c - a trace begins beside 100,000 parked goroutines, while others run. */
#include "bench.h"

#include <stdlib.h>

enum { CROWD = 100000, TIMES = 15 };

static void stand(void *arg)
{
	weft_chan_recv(arg, NULL);
}

/* Looks at the clock again and again, for so long; the longest time without a look. */
static weft_ns longest_gap(weft_ns d)
{
	weft_ns start = weft_now(), last = start, longest = 0;
	while (last - start < d) {
		weft_yield();
		weft_ns now = weft_now();
		longest = now - last > longest ? now - last : longest;
		last = now;
	}
	return longest;
}

typedef struct looker {
	weft_chan *begun, *gap;
	weft_ns d;
} looker;

static void look(void *arg)
{
	looker *l = arg;
	weft_chan_send(l->begun, NULL);
	weft_ns gap = longest_gap(l->d);
	weft_chan_send(l->gap, &gap);
}

static int drop(const void *at, size_t n, void *arg)
{
	(void)at, (void)n, (void)arg;
	return 0;
}

static weft_ns took_least = WEFT_FOREVER;

/* The gap of one who looks for d, while a trace begins (or does not). */
static double gap_us(weft_ns d, bool traced)
{
	looker l = { weft_chan_make(0, 0), weft_chan_make(sizeof(weft_ns), 0), d };
	weft_ns gap;
	bench_must(weft_go(look, &l), "weft_go");
	weft_chan_recv(l.begun, NULL);
	weft_sleep(WEFT_MS);
	weft_ns before = weft_now();
	if (traced)
		bench_must(weft_trace_start_with(&(weft_trace_options){ .fd = -1, .write = drop }),
			"weft_trace_start_with");
	weft_ns took = weft_now() - before;
	if (traced && took < took_least)
		took_least = took;
	weft_chan_recv(l.gap, &gap);
	if (traced)
		bench_must(weft_trace_stop(), "weft_trace_stop");
	weft_chan_unref(l.begun);
	weft_chan_unref(l.gap);
	return (double)gap / 1e3;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* What the machine takes is in some of them: so the one in the middle. */
static double usual_gap_us(weft_ns d, bool traced, int n)
{
	double gaps[TIMES];
	for (int i = 0; i < n; i++)
		gaps[i] = gap_us(d, traced);
	qsort(gaps, (size_t)n, sizeof(gaps[0]), by_size);
	return gaps[n / 2];
}

void bench_start(void)
{
	weft_chan *gate = weft_chan_make(0, 0);
	for (int i = 0; i < CROWD; i++)
		bench_must(weft_go(stand, gate), "weft_go");
	weft_sleep(100 * WEFT_MS);
	bench_result("start-gap-off-us", usual_gap_us(30 * WEFT_MS, false, TIMES));
	bench_result("start-gap-us", usual_gap_us(30 * WEFT_MS, true, TIMES));
	bench_result("start-gap-on-us", usual_gap_us(1300 * WEFT_MS, true, 3));
	bench_result("start-us", (double)took_least / 1e3);
}

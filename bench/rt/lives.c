/* rt/lives.c - goroutines that yield, start, end, and wait by the million. */
#include "bench.h"

#include <stdio.h>
#include <string.h>

enum { MANY = 1000 * 1000 };

typedef struct crowd {
	weft_wg done;
	weft_chan *gate;
	uint64_t n, here;
} crowd;

static void yielder(void *arg)
{
	crowd *c = arg;
	for (uint64_t i = 0; i < c->n; i++)
		weft_yield();
	weft_wg_done(&c->done);
}

void bench_yield(uint64_t n)
{
	crowd c = { .n = n };
	weft_wg_add(&c.done, 2);
	bench_must(weft_go(yielder, &c), "weft_go");
	bench_must(weft_go(yielder, &c), "weft_go");
	weft_wg_wait(&c.done);
}

static void nothing(void *arg)
{
	weft_wg_done(arg);
}

void bench_spawn_many(uint64_t n)
{
	weft_wg done = { 0 };
	for (uint64_t i = 0; i < n; i++) {
		weft_wg_add(&done, 1000);
		for (int k = 0; k < 1000; k++)
			bench_must(weft_go(nothing, &done), "weft_go");
		weft_wg_wait(&done);
	}
}

void bench_spawn_one(uint64_t n)
{
	weft_wg done = { 0 };
	for (uint64_t i = 0; i < n; i++) {
		weft_wg_add(&done, 1);
		bench_must(weft_go(nothing, &done), "weft_go");
		weft_wg_wait(&done);
	}
}

static void park(void *arg)
{
	crowd *c = arg;
	__atomic_add_fetch(&c->here, 1, __ATOMIC_RELAXED);
	weft_chan_recv(c->gate, NULL);
	weft_wg_done(&c->done);
}

/* Resident bytes and page tables of this process. */
static double resident_bytes(void)
{
	char line[256];
	double kib = 0, value;
	FILE *f = fopen("/proc/self/status", "r");
	bench_must(f ? 0 : -1, "/proc/self/status");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "VmRSS: %lf", &value) == 1 || sscanf(line, "VmPTE: %lf", &value) == 1)
			kib += value;
	fclose(f);
	return kib * 1024;
}

void bench_parked(void)
{
	crowd c = { .gate = weft_chan_make(0, 0) };
	double before = resident_bytes();
	weft_ns start = weft_now();
	weft_wg_add(&c.done, MANY);
	for (int i = 0; i < MANY; i++)
		bench_must(weft_go(park, &c), "weft_go");
	while (__atomic_load_n(&c.here, __ATOMIC_RELAXED) < MANY)
		weft_yield();
	weft_ns parked = weft_now();
	double after = resident_bytes();
	weft_ns open = weft_now();
	weft_chan_close(c.gate);
	weft_wg_wait(&c.done);
	weft_ns end = weft_now();
	bench_result("parked-create", (double)(parked - start) / MANY);
	bench_result("parked-finish", (double)(end - open) / MANY);
	bench_result("parked-bytes", (after - before) / MANY);
	weft_chan_unref(c.gate);
}

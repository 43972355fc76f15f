/* rt/bench.c - measures one subject of the runtime.
 *
 *   bench-rt NAME [STEPS]     prints `NAME NANOSECONDS` (parked, call, start: see bench.h); STEPS once, or as many as
 *                             take long enough
 *
 * Procs are set from outside (WEFT_PROCS), as bench/rt/run.py does. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPEATS = 3 };

typedef struct subject {
	const char *name;
	void (*steps)(uint64_t n);
	uint64_t per_step;
	void (*alone)(void);
} subject;

static const subject subjects[] = {
#define SUBJECT(function, name, per_step) { name, bench_##function, per_step, NULL },
#include "subjects.def"
#undef SUBJECT
	{ "parked", NULL, 0, bench_parked },
	{ "parked-floor", NULL, 0, bench_parked_floor },
	{ "call", NULL, 0, bench_call },
	{ "start", NULL, 0, bench_start },
};

static weft_ns took(void (*run)(uint64_t n), uint64_t n)
{
	weft_ns start = weft_now();
	run(n);
	return weft_now() - start;
}

double bench_time(void (*run)(uint64_t n))
{
	uint64_t n = 1;
	weft_ns ns = took(run, n);
	while (ns < BENCH_NS) { /* towards a fifth more than enough, by at most ten-fold */
		double grow = ns > 0 ? 1.2 * (double)BENCH_NS / (double)ns : 10;
		n = (uint64_t)((double)n * (grow > 10 ? 10 : grow)) + 1;
		ns = took(run, n);
	}
	for (int i = 1; i < REPEATS; i++) {
		weft_ns again = took(run, n);
		ns = again < ns ? again : ns;
	}
	return (double)ns / (double)n;
}

static uint64_t n_steps;

static void measure(void *arg)
{
	const subject *s = arg;
	if (s->alone)
		s->alone();
	else if (n_steps)
		bench_result(s->name, (double)took(s->steps, n_steps) / (double)(n_steps * s->per_step));
	else
		bench_result(s->name, bench_time(s->steps) / (double)s->per_step);
}

int main(int argc, char **argv)
{
	n_steps = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
	for (size_t i = 0; argc >= 2 && i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		if (strcmp(argv[1], subjects[i].name))
			continue;
		bench_must(weft_main(measure, (void *)&subjects[i], NULL), "weft_main");
		return 0;
	}
	fprintf(stderr, "bench-rt: one of these, please:");
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
		fprintf(stderr, " %s", subjects[i].name);
	fprintf(stderr, "\n");
	return 2;
}

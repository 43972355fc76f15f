/* rt/ledger/programs.c - a hundred random programs, traced while they run, and each trace held against a ledger.
 *
 * Every second program is quiet while a trace starts and stops, so that what must be in the trace is known exactly; in
 * the others start and stop race with everything.  A trace that does not hold is left in /tmp. */
#include "../kit/rtkit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acts.h"
#include "ledger.h"
#include "rt/tr/tr.h"

enum { ACTORS_MAX = 10, NOISES_MAX = 6 };

typedef struct program {
	unsigned number;
	bool quiet, collects, flips;
	unsigned n_actors, n_noises, n_traces;
	actor main, actors[ACTORS_MAX + NOISES_MAX];
	wb_buf traces[LEDGER_TRACES];
	atomic_bool halt, end;
	atomic_uint n_halted;
	uint64_t collections[4]; /* seen around a trace */
} program;

static program prog;

/* ---- who plays ---- */

static void stand_still(void)
{
	atomic_fetch_add(&prog.n_halted, 1);
	while (atomic_load(&prog.halt))
		look_away();
	atomic_fetch_sub(&prog.n_halted, 1);
}

static void play(actor *a)
{
	while (!atomic_load(&prog.end)) {
		if (atomic_load(&prog.halt))
			stand_still();
		act(a, prog.collects);
	}
}

static void play_noise(actor *a)
{
	ledger_without_waits(a->id);
	while (!atomic_load(&prog.end)) {
		if (atomic_load(&prog.halt))
			stand_still();
		noise(a);
	}
}

static void start_all(void)
{
	for (unsigned i = 0; i < prog.n_actors + prog.n_noises; i++) {
		prog.actors[i].play = i < prog.n_actors ? play : play_noise;
		actor_start(&prog.main, &prog.actors[i]);
	}
}

static void end_all(void)
{
	atomic_store(&prog.end, true);
	for (unsigned i = 0; i < prog.n_actors + prog.n_noises; i++)
		actor_await(&prog.actors[i]);
}

/* ---- the coordinator ---- */

static void quiet_begin(void)
{
	if (!prog.quiet)
		return;
	atomic_store(&prog.halt, true);
	while (atomic_load(&prog.n_halted) < prog.n_actors + prog.n_noises)
		look_away();
}

static void quiet_end(void)
{
	atomic_store(&prog.halt, false);
	while (atomic_load(&prog.n_halted))
		look_away();
}

static int append(const void *at, size_t n, void *arg)
{
	wb_buf_put(arg, at, n);
	return 0;
}

static void pause_for(uint64_t most_us)
{
	weft_sleep((weft_ns)pick(&prog.main, most_us) * WEFT_US);
}

static uint64_t collections(void)
{
	weft_gc_stats s;
	weft_gc_read(&s);
	return s.n_collections;
}

/* A snapshot ends a generation. */
static void flip(int null)
{
	uint32_t before = ledger_before();
	kit_equal(weft_trace_snapshot(null), 0);
	ledger_add(prog.main.id, before, LEDGER_SYSCALLS, 1);
}

static void start_trace(unsigned k)
{
	weft_trace_options opt = {
		.fd = -1, .write = append, .write_arg = &prog.traces[k], .buffer_bytes = (size_t)512 << 20
	};
	if (prog.flips) {
		opt.window_bytes = 1 << 16;
		opt.window = WEFT_SECOND;
	}
	uint32_t before = ledger_before();
	quiet_begin();
	prog.collections[0] = collections();
	ledger_starting();
	kit_equal(weft_trace_start_with(&opt), 0);
	ledger_on();
	prog.collections[1] = collections();
	quiet_end();
	ledger_perhaps(prog.main.id, before, LEDGER_SYSCALLS);
}

static void stop_trace(unsigned k)
{
	weft__tr_stats stats;
	uint32_t before = ledger_before();
	quiet_begin();
	prog.collections[2] = collections();
	ledger_stopping();
	kit_equal(weft_trace_stop(), 0);
	ledger_off();
	weft__tr_read_stats(&stats);
	kit_equal(stats.odd, 0);
	prog.collections[3] = collections();
	quiet_end();
	ledger_perhaps(prog.main.id, before, LEDGER_SYSCALLS);
	/* One that runs at either end may be in it or not. */
	uint64_t within = prog.collections[2] - prog.collections[1], all = prog.collections[3] - prog.collections[0];
	bool exact = prog.quiet;
	ledger_collections(k, exact || within == 0 ? within : within - 1, exact ? all : all + 1);
}

static void coordinate(void *unused)
{
	(void)unused;
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	actor_enter(&prog.main);
	ledger_without_waits(prog.main.id);
	noise_open();
	if (prog.collects)
		weft_new(1); /* the heap starts with a system call of its own */
	start_all();
	for (unsigned k = 0; k < prog.n_traces; k++) {
		pause_for(2000);
		start_trace(k);
		for (uint64_t i = pick(&prog.main, 4); i > 0; i--) {
			pause_for(4000);
			if (prog.flips)
				flip(null);
		}
		pause_for(6000);
		stop_trace(k);
	}
	end_all();
	noise_close();
	close(null);
}

/* ---- a program ---- */

static void save(unsigned k)
{
	char path[64];
	snprintf(path, sizeof(path), "/tmp/ledger-%u-%u.trace", prog.number, k);
	FILE *f = fopen(path, "wb");
	if (f && fwrite(prog.traces[k].at, 1, prog.traces[k].n, f) == prog.traces[k].n)
		fprintf(stderr, "the trace: %s\n", path);
	if (f)
		fclose(f);
}

static void run(unsigned number)
{
	prog.number = number;
	prog.main.random = kit_seed() * 1000003 + number;
	prog.quiet = number % 2;
	prog.flips = pick(&prog.main, 3) != 0;
	prog.collects = number % 4 == 2 && !kit_watches_races();
	prog.n_actors = 1 + (unsigned)pick(&prog.main, ACTORS_MAX);
	prog.n_noises = (unsigned)pick(&prog.main, NOISES_MAX + 1);
	prog.n_traces = 1 + (unsigned)pick(&prog.main, 4);
	weft_options opt = { .procs = 1 + (int)pick(&prog.main, 4) };
	kit_equal(weft_main(coordinate, NULL, &opt), 0);
	for (unsigned k = 0; k < prog.n_traces; k++) {
		if (!kit_expect(ledger_holds(k, &prog.traces[k])))
			save(k);
		wb_buf_free(&prog.traces[k]);
	}
}

#define PROGRAM(n)                                                                                                 \
	CASE(program_##n, "the trace has everything that the ledger has, once, and nothing else", .outside = true, \
		.seconds = 30)                                                                                     \
	{                                                                                                          \
		run(n);                                                                                            \
	}
#define TEN(t)                                                                                            \
	PROGRAM(t##0)                                                                                     \
	PROGRAM(t##1) PROGRAM(t##2) PROGRAM(t##3) PROGRAM(t##4) PROGRAM(t##5) PROGRAM(t##6) PROGRAM(t##7) \
		PROGRAM(t##8) PROGRAM(t##9)

/* From 100: a number that begins with 0 would be octal. */
TEN(10) TEN(11) TEN(12) TEN(13) TEN(14) TEN(15) TEN(16) TEN(17) TEN(18) TEN(19)

/* Random lives of goroutines, traced: every trace is valid, and has everything that was told, once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fakesched.h"
#include "rt/ctx/ctx.h"
#include "rt/tr/tr.h"
#include "tracecheck.h"

static uint64_t rng = 88172645463325252u;
enum { SLOWER = WEFT__CTX_SANITIZED ? 4 : 1 }; /* where each run takes so much longer */
static unsigned runs = 1;

static unsigned below(unsigned n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (unsigned)((rng * 0x2545f4914f6cdd1du >> 33) % n);
}

static fs_options any_options(void)
{
	return (fs_options){
		.seed = rng,
		.n_threads = 1 + below(6),
		.n_procs = 1 + below(4),
		.n_goroutines = 1 + below(60),
		.deep = 1 + below(12),
		.quiet_percent = below(50),
	};
}

static weft__tr_options into(wb_buf *trace)
{
	return (weft__tr_options){ .fd = -1, .write = tracecheck_sink, .write_arg = trace };
}

/* Says what it was when it fails, and leaves the trace for a look. */
static void check(const wb_buf *trace, const fs *f, bool whole, const fs_options *o)
{
	uint64_t hogs;
	bool valid = tracecheck_valid(trace), complete = !whole || tracecheck_complete(trace, f),
	     carrier = tracecheck_carrier(trace, whole, &hogs), statuses = tracecheck_statuses(trace, o->n_procs);
	bool waits = tracecheck_waits(trace, whole, hogs), computes = tracecheck_computes(trace, &hogs);
	if (!valid || !complete || !carrier || !statuses || !waits || !computes) {
		printf("# seed %llu: valid %d, complete %d, carrier %d, statuses %d, waits %d, computes %d: see "
		       "/tmp/tr-random.trace\n",
			(unsigned long long)o->seed, valid, complete, carrier, statuses, waits, computes);
		tracecheck_save(trace, "/tmp/tr-random.trace");
	}
	assert_true(valid);
	assert_true(complete);
	assert_true(carrier);
	assert_true(statuses);
	assert_true(waits);
	assert_true(computes);
	weft__tr_stats s;
	weft__tr_read_stats(&s);
	assert_int_equal(s.odd, 0);
}

/* One thread makes the steps of all; generations end between any two. */
static void test_steps(void **state)
{
	(void)state;
	for (unsigned run = 0; run < runs * 100 / SLOWER; run++) {
		fs_options o = any_options();
		wb_buf trace = { 0 };
		weft__tr_options opt = into(&trace);
		fs *f = fs_open(&o);
		assert_int_equal(weft__tr_start(&opt), 0);
		unsigned flips = below(12), steps = 100 + below(1500);
		for (unsigned i = 0; i < steps; i++) {
			fs_step(f, below(o.n_threads + 1));
			if (below(steps) < flips)
				assert_int_equal(weft__tr_flip(), 0);
		}
		assert_int_equal(weft__tr_stop(), 0);
		check(&trace, f, /* whole= */ true, &o);
		wb_buf_free(&trace);
		fs_close(f);
	}
}

/* The trace begins in the middle, and a second one follows. */
static void test_begun_late(void **state)
{
	(void)state;
	for (unsigned run = 0; run < runs * 60 / SLOWER; run++) {
		fs_options o = any_options();
		fs *f = fs_open(&o);
		for (unsigned k = 0; k < 2; k++) {
			wb_buf trace = { 0 };
			weft__tr_options opt = into(&trace);
			for (unsigned i = below(2000); i > 0; i--)
				fs_step(f, below(o.n_threads + 1));
			assert_int_equal(weft__tr_start(&opt), 0);
			for (unsigned i = below(1000); i > 0; i--) {
				fs_step(f, below(o.n_threads + 1));
				if (below(200) == 0)
					assert_int_equal(weft__tr_flip(), 0);
			}
			assert_int_equal(weft__tr_stop(), 0);
			check(&trace, f, /* whole= */ false, &o);
			wb_buf_free(&trace);
		}
		fs_close(f);
	}
}

/* Real threads; generations end whenever. */
static void test_threads(void **state)
{
	(void)state;
	for (unsigned run = 0; run < runs * 40 / SLOWER; run++) {
		fs_options o = any_options();
		wb_buf trace = { 0 };
		weft__tr_options opt = into(&trace);
		fs *f = fs_open(&o);
		assert_int_equal(weft__tr_start(&opt), 0);
		fs_begin(f, 500 + below(3000));
		while (fs_running(f))
			assert_int_equal(weft__tr_flip(), 0);
		fs_wait(f);
		assert_int_equal(weft__tr_stop(), 0);
		check(&trace, f, /* whole= */ true, &o);
		wb_buf_free(&trace);
		fs_close(f);
	}
}

/* Real threads; traces begin and end whenever. */
static void test_threads_on_and_off(void **state)
{
	(void)state;
	for (unsigned run = 0; run < runs * 10 / SLOWER; run++) {
		fs_options o = any_options();
		fs *f = fs_open(&o);
		fs_begin(f, 5000 + below(20000));
		do {
			wb_buf trace = { 0 };
			weft__tr_options opt = into(&trace);
			assert_int_equal(weft__tr_start(&opt), 0);
			for (unsigned i = below(4); i > 0; i--)
				assert_int_equal(weft__tr_flip(), 0);
			assert_int_equal(weft__tr_stop(), 0);
			check(&trace, f, /* whole= */ false, &o);
			wb_buf_free(&trace);
		} while (fs_running(f));
		fs_wait(f);
		fs_close(f);
	}
}

int main(void)
{
	const char *seed = getenv("WEFT_SEED"), *times = getenv("WEFT_RUNS");
	if (seed)
		rng ^= strtoull(seed, NULL, 10) * 0x9e3779b97f4a7c15u;
	if (times)
		runs = (unsigned)strtoul(times, NULL, 10);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_begun_late),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_threads_on_and_off),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A proc is stolen while a generation ends.  In the new one, before the writer has finished the old one on the thread
 * that loses it: what it held must still be told there, in that thread's own stream.  In the old one, after the writer
 * has: the theft counts from what was told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <time.h>

#include "fakesched.h"
#include "rt/tr/tr.h"
#include "tracecheck.h"

/* The writer goes through the threads from the last that joined to the first: GATE, when it is held, keeps it from the
 * others. */
enum { VICTIM, THIEF, GATE, ALL };

static bool was_taken; /* the victim's proc, before the trace began */

static weft__tr_m m[ALL];
static weft__tr_p p[ALL];
static weft__tr_g g[ALL];

static void each_m(weft__tr_m_fn *fn, void *arg)
{
	for (int i = 0; i < ALL; i++) {
		bool taken = i == VICTIM && was_taken;
		fn(&m[i], &(weft__tr_m_now){ taken ? NULL : &p[i], &g[i], .in_syscall = taken, .computes = taken },
			arg);
	}
}

static void each_p(weft__tr_p_fn *fn, void *arg)
{
	for (int i = 0; i < ALL; i++)
		fn(&p[i], i != VICTIM || !was_taken, arg);
}

static void each_g(weft__tr_g_fn *fn, void *arg)
{
	for (int i = 0; i < ALL; i++)
		fn(&g[i], &(weft__tr_g_now){ .state = i == VICTIM && was_taken ? WEFT__TR_SYSCALL : WEFT__TR_RUNNING },
			arg);
}

static int procs(void)
{
	return ALL;
}

static void *flip(void *unused)
{
	(void)unused;
	weft__tr_flip();
	return NULL;
}

static void pause_a_little(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
}

/* Of the goroutine whose next telling is held up, in its section, until the writer has finished the generation on the
 * thread that joined last. */
static const weft__tr_g *held_up;
static pthread_t flipper;

static bool is_finished(weft__tr_m *one, uint64_t gen)
{
	pthread_mutex_lock(&one->lock);
	bool ret = one->finished >= gen;
	pthread_mutex_unlock(&one->lock);
	return ret;
}

static size_t label(const weft__tr_g *of, char *ret, size_t n)
{
	(void)ret, (void)n;
	if (of == held_up) {
		held_up = NULL;
		uint64_t gen = atomic_load(&weft__tr_gen);
		assert_int_equal(pthread_create(&flipper, NULL, flip, NULL), 0);
		while (!is_finished(&m[ALL - 1], gen))
			pause_a_little();
	}
	return 0;
}

static void begin(wb_buf *trace)
{
	for (int i = 0; i < ALL; i++) {
		m[i] = (weft__tr_m){ .tid = FS_TIDS_FROM + (uint64_t)i, .lock = PTHREAD_MUTEX_INITIALIZER };
		p[i] = (weft__tr_p){ .id = i };
		g[i] = (weft__tr_g){ .id = 1 + (uint64_t)i };
	}
	weft__tr_init(&(weft__tr_hooks){
		.each_m = each_m, .each_p = each_p, .each_g = each_g, .procs = procs, .label = label });
	weft__tr_options opt = { .fd = -1, .write = tracecheck_sink, .write_arg = trace };
	assert_int_equal(weft__tr_start(&opt), 0);
	assert_int_equal(weft__tr_flip(), 0); /* all have joined */
}

/* The next generation has begun, and the writer stands at the gate. */
static void flip_as_far_as_gate(void)
{
	uint64_t old = atomic_load(&weft__tr_gen);
	pthread_mutex_lock(&m[GATE].lock);
	assert_int_equal(pthread_create(&flipper, NULL, flip, NULL), 0);
	while (atomic_load(&weft__tr_gen) == old)
		pause_a_little();
}

static void open_gate(void)
{
	pthread_mutex_unlock(&m[GATE].lock);
	pthread_join(flipper, NULL);
}

static void end(wb_buf *trace)
{
	assert_int_equal(weft__tr_stop(), 0);
	assert_true(tracecheck_valid(trace));
	assert_true(tracecheck_statuses(trace, ALL));
	weft__tr_stats s;
	weft__tr_read_stats(&s);
	assert_int_equal(s.odd, 0);
	wb_buf_free(trace);
}

/* When the victim's call began, and whether it has told anything in the generation that ends. */
static void steal(bool call_in_this_generation)
{
	wb_buf trace = { 0 };
	begin(&trace);
	weft__tr_syscall_begin(&m[VICTIM], &p[VICTIM], &g[VICTIM], NULL);
	if (!call_in_this_generation)
		assert_int_equal(weft__tr_flip(), 0);
	flip_as_far_as_gate();
	weft__tr_proc_steal(&m[THIEF], &p[THIEF], &g[THIEF], &p[VICTIM], &m[VICTIM]);
	open_gate();
	weft__tr_syscall_end_blocked(&m[VICTIM], NULL, &g[VICTIM]);
	end(&trace);
}

static void test_of_call(void **state)
{
	(void)state;
	steal(true);
	steal(false);
}

/* A goroutine that computes is told to be in a call, in the new generation at once. */
static void test_of_hog(void **state)
{
	(void)state;
	wb_buf trace = { 0 };
	begin(&trace);
	flip_as_far_as_gate();
	weft__tr_hog(&m[VICTIM], &p[VICTIM], &g[VICTIM]);
	weft__tr_proc_steal(&m[THIEF], &p[THIEF], &g[THIEF], &p[VICTIM], &m[VICTIM]);
	open_gate();
	weft__tr_syscall_end_blocked(&m[VICTIM], NULL, &g[VICTIM]);
	end(&trace);
}

/* So many generations say that it computes without a proc; those behind its return do not. */
static void hog_goes_on(bool from_before)
{
	enum { GENERATIONS = 3 };
	uint64_t n;
	wb_buf trace = { 0 };
	was_taken = from_before;
	begin(&trace);
	was_taken = false;
	if (!from_before) {
		weft__tr_hog(&m[VICTIM], &p[VICTIM], &g[VICTIM]);
		weft__tr_proc_steal(&m[THIEF], &p[THIEF], &g[THIEF], &p[VICTIM], &m[VICTIM]);
	}
	for (int i = 0; i < GENERATIONS; i++)
		assert_int_equal(weft__tr_flip(), 0);
	weft__tr_syscall_end_blocked(&m[VICTIM], NULL, &g[VICTIM]);
	assert_int_equal(weft__tr_flip(), 0);
	weft__tr_proc_start(&m[VICTIM], &p[VICTIM], NULL);
	weft__tr_go_start(&m[VICTIM], &p[VICTIM], &g[VICTIM]);
	weft__tr_syscall_begin(&m[VICTIM], &p[VICTIM], &g[VICTIM], NULL);
	assert_int_equal(weft__tr_flip(), 0);
	weft__tr_syscall_end(&m[VICTIM], &p[VICTIM], &g[VICTIM]);
	assert_int_equal(weft__tr_stop(), 0);
	assert_true(tracecheck_valid(&trace));
	assert_true(tracecheck_statuses(&trace, ALL));
	assert_true(tracecheck_computes(&trace, &n));
	assert_int_equal(n, GENERATIONS + (from_before ? 2 : 0)); /* begin() makes two more */
	wb_buf_free(&trace);
}

static void test_hog_goes_on(void **state)
{
	(void)state;
	hog_goes_on(false);
	hog_goes_on(true);
}

static void test_in_old_generation(void **state)
{
	(void)state;
	enum { LAST = ALL - 1 };
	wb_buf trace = { 0 };
	begin(&trace);
	weft__tr_syscall_begin(&m[LAST], &p[LAST], &g[LAST], NULL);
	assert_int_equal(weft__tr_flip(), 0);
	held_up = &g[THIEF];
	weft__tr_proc_steal(&m[THIEF], &p[THIEF], &g[THIEF], &p[LAST], &m[LAST]);
	assert_null(held_up);
	pthread_join(flipper, NULL);
	weft__tr_syscall_end_blocked(&m[LAST], NULL, &g[LAST]);
	end(&trace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_of_call),
		cmocka_unit_test(test_of_hog),
		cmocka_unit_test(test_hog_goes_on),
		cmocka_unit_test(test_in_old_generation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

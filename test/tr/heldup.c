/* Threads that are held up where it matters most, for as long as it takes for traces to end and begin: before they get
 * a lock, and when they wake up (both wrapped by the linker). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "fakesched.h"
#include "rt/tr/inside.h"
#include "rt/tr/tr.h"
#include "rt/tr/writer.h"
#include "tracecheck.h"

enum { HELD, OTHER, ALL };

static weft__tr_m m[ALL];
static weft__tr_p p[ALL];
static weft__tr_g g[ALL];
static _Atomic bool inside; /* HELD is */

static void pause_a_little(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
}

static void wait_for(_Atomic bool *fact)
{
	while (!atomic_load(fact))
		pause_a_little();
}

/* ---- holding up ---- */

/* One at a time: the thread that takes it stands still when it comes to `at`. */
static struct {
	const void *at; /* a lock to be taken, or a condition that has been waited for */
	_Atomic bool there, go;
} stop;
static _Thread_local bool takes_stop;
static _Thread_local unsigned joined_locks; /* how often this thread has taken that lock */

static void stand_still(const void *at)
{
	if (!takes_stop || at != stop.at)
		return;
	takes_stop = false;
	atomic_store(&stop.there, true);
	wait_for(&stop.go);
}

int __real_pthread_mutex_lock(pthread_mutex_t *l);
int __wrap_pthread_mutex_lock(pthread_mutex_t *l);
int __real_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *l);
int __wrap_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *l);

int __wrap_pthread_mutex_lock(pthread_mutex_t *l)
{
	stand_still(l);
	joined_locks += l == &weft__tr.joined_lock;
	return __real_pthread_mutex_lock(l);
}

static _Atomic unsigned n_waiting; /* for conditions, so far */

/* Whoever wakes up late has the lock late. */
int __wrap_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *l)
{
	atomic_fetch_add(&n_waiting, 1);
	int rc = __real_pthread_cond_wait(c, l);
	pthread_mutex_unlock(l);
	stand_still(c);
	__real_pthread_mutex_lock(l);
	return rc;
}

static pthread_t start(void *(*fn)(void *), void *arg)
{
	pthread_t t;
	assert_int_equal(pthread_create(&t, NULL, fn, arg), 0);
	return t;
}

static pthread_t start_held(void *(*fn)(void *), void *arg, const void *at)
{
	stop.at = at;
	atomic_store(&stop.there, false);
	atomic_store(&stop.go, false);
	return start(fn, arg);
}

static void let_go(pthread_t t)
{
	atomic_store(&stop.go, true);
	pthread_join(t, NULL);
}

/* ---- the scheduler ---- */

/* As the real one, waits until threads are outside. */
static void each_m(weft__tr_m_fn *fn, void *arg)
{
	for (int i = ALL - 1; i >= 0; i--) {
		while (i == HELD && atomic_load(&inside))
			pause_a_little();
		fn(&m[i], &(weft__tr_m_now){ &p[i], &g[i], false }, arg);
	}
}

static void each_p(weft__tr_p_fn *fn, void *arg)
{
	for (int i = 0; i < ALL; i++)
		fn(&p[i], true, arg);
}

static weft__tr_g waits; /* a goroutine that does, with a label */

static void each_g(weft__tr_g_fn *fn, void *arg)
{
	for (int i = 0; i < ALL; i++)
		fn(&g[i], &(weft__tr_g_now){ .state = WEFT__TR_RUNNING }, arg);
	fn(&waits, &(weft__tr_g_now){ .state = WEFT__TR_WAITING }, arg);
}

static int procs(void)
{
	return ALL;
}

static void (*at_label)(const weft__tr_g *of), (*at_samples)(void);

static size_t label(const weft__tr_g *of, char *ret, size_t n)
{
	if (at_label)
		at_label(of);
	return fs_label(of->id, ret, n);
}

static void samples(uint64_t first, uint64_t gen, weft__tr_sample_fn *fn, void *arg)
{
	(void)first, (void)gen, (void)fn, (void)arg;
	if (at_samples)
		at_samples();
}

static void set_up(void)
{
	for (int i = 0; i < ALL; i++) {
		m[i] = (weft__tr_m){ .tid = FS_TIDS_FROM + (uint64_t)i, .lock = PTHREAD_MUTEX_INITIALIZER };
		p[i] = (weft__tr_p){ .id = i };
		g[i] = (weft__tr_g){ .id = 1 + (uint64_t)i };
	}
	waits = (weft__tr_g){ .id = 3 }; /* fs_label: one with a label */
	at_label = NULL;
	at_samples = NULL;
	weft__tr_init(&(weft__tr_hooks){ .each_m = each_m,
		.each_p = each_p,
		.each_g = each_g,
		.procs = procs,
		.label = label,
		.samples = samples });
}

static void begin(wb_buf *trace)
{
	weft__tr_options opt = { .fd = -1, .write = tracecheck_sink, .write_arg = trace, .window_bytes = 1 << 20 };
	assert_int_equal(weft__tr_start(&opt), 0);
}

static void end(wb_buf *trace)
{
	assert_int_equal(weft__tr_stop(), 0);
	assert_true(tracecheck_valid(trace));
	assert_true(tracecheck_statuses(trace, ALL));
	wb_buf_free(trace);
}

/* ---- one trace ends and another begins ---- */

static unsigned locks_to_join;

static void *tell_something(void *unused)
{
	(void)unused;
	takes_stop = true;
	weft__tr_heap_alloc(&m[HELD], &p[HELD], &g[HELD], 1);
	locks_to_join = joined_locks;
	atomic_store(&inside, false);
	return NULL;
}

static void *end_collection(void *unused)
{
	(void)unused;
	takes_stop = true;
	weft__tr_gc_end(&m[HELD], &p[HELD], &g[HELD]);
	atomic_store(&inside, false);
	return NULL;
}

/* While fn is on its way from one generation to the next. */
static void exchange_traces(void *(*fn)(void *))
{
	wb_buf first = { 0 }, second = { 0 };
	set_up();
	begin(&first);
	assert_int_equal(weft__tr_flip(), 0); /* all have joined */
	weft__tr_gc_begin(&m[HELD], &p[HELD], &g[HELD], NULL);
	assert_int_equal(weft__tr_flip(), 0);
	atomic_store(&inside, true);
	pthread_t t = start_held(fn, NULL, &m[HELD].lock);
	wait_for(&stop.there);
	end(&first);
	begin(&second);
	let_go(t);
	assert_int_equal(weft__tr_flip(), 0);
	end(&second);
}

/* It has seen that it has joined; that is another trace's list by now. */
static void test_joins_the_second(void **state)
{
	(void)state;
	exchange_traces(tell_something);
	assert_int_equal(locks_to_join, 1);
}

/* The collection has begun in the first trace, and only there. */
static void test_ends_in_the_second(void **state)
{
	(void)state;
	exchange_traces(end_collection);
}

/* ---- who asks gets an answer of its own ---- */

static void *ask_for_flip(void *ret)
{
	takes_stop = true;
	*(int *)ret = weft__tr_flip();
	return NULL;
}

typedef struct asked {
	int fd, rc;
	bool held;
} asked;

static void *ask_for_snapshot(void *arg)
{
	asked *a = arg;
	takes_stop = a->held;
	a->rc = weft__tr_snapshot(a->fd);
	return NULL;
}

static void *ask_to_stop(void *unused)
{
	(void)unused;
	assert_int_equal(weft__tr_stop(), 0);
	return NULL;
}

static bool stop_is_asked(void)
{
	weft__tr_requests *r = &weft__tr_the_writer.ask;
	pthread_mutex_lock(&r->lock);
	bool ret = r->stop;
	pthread_mutex_unlock(&r->lock);
	return ret;
}

static _Atomic bool busy, idle_again;

static void keep_busy(void)
{
	atomic_store(&busy, true);
	wait_for(&idle_again);
}

static void *flip(void *unused)
{
	(void)unused;
	weft__tr_flip();
	return NULL;
}

/* The writer, busy with something else, is asked for something and then to stop; whoever has asked first wakes up when
 * the next trace runs. */
static void ask_too_late(void *(*fn)(void *), void *arg)
{
	wb_buf first = { 0 }, second = { 0 };
	set_up();
	begin(&first);
	assert_int_equal(weft__tr_flip(), 0);
	asked null = { .fd = open("/dev/null", O_WRONLY | O_CLOEXEC), .rc = -1 };
	ask_for_snapshot(&null);
	assert_int_equal(null.rc, 0);
	atomic_store(&busy, false);
	atomic_store(&idle_again, false);
	at_samples = keep_busy;
	pthread_t occupier = start(flip, NULL);
	wait_for(&busy);
	unsigned before = atomic_load(&n_waiting);
	pthread_t t = start_held(fn, arg, &weft__tr_the_writer.ask.done);
	while (atomic_load(&n_waiting) == before)
		pause_a_little();
	pthread_t stopper = start(ask_to_stop, NULL);
	while (!stop_is_asked())
		pause_a_little();
	at_samples = NULL;
	atomic_store(&idle_again, true);
	pthread_join(stopper, NULL);
	pthread_join(occupier, NULL);
	assert_true(tracecheck_valid(&first));
	begin(&second);
	let_go(t);
	end(&second);
	wb_buf_free(&first);
	close(null.fd);
}

static void test_asked_for_too_late(void **state)
{
	(void)state;
	int rc = 1;
	ask_too_late(ask_for_flip, &rc);
	assert_int_equal(rc, -EINVAL);
	asked a = { .fd = open("/dev/null", O_WRONLY | O_CLOEXEC), .rc = 1, .held = true };
	ask_too_late(ask_for_snapshot, &a);
	assert_int_equal(a.rc, -EINVAL);
	close(a.fd);
}

/* A snapshot has failed, and the next is done before the first one's owner wakes up. */
static void test_answers_are_not_mixed_up(void **state)
{
	(void)state;
	wb_buf trace = { 0 };
	set_up();
	begin(&trace);
	asked full = { .fd = open("/dev/full", O_WRONLY | O_CLOEXEC), .rc = 1, .held = true };
	asked null = { .fd = open("/dev/null", O_WRONLY | O_CLOEXEC), .rc = 1 };
	pthread_t t = start_held(ask_for_snapshot, &full, &weft__tr_the_writer.ask.done);
	wait_for(&stop.there);
	ask_for_snapshot(&null);
	let_go(t);
	assert_int_equal(null.rc, 0);
	assert_int_equal(full.rc, -ENOSPC);
	assert_int_equal(weft__tr_snapshot(-1), -EBADF);
	close(full.fd);
	close(null.fd);
	end(&trace);
}

/* ---- the writer is held up ---- */

static void *remake_the_waiting(void *unused)
{
	(void)unused;
	takes_stop = true;
	weft__tr_go_unblock(&m[OTHER], &p[OTHER], &g[OTHER], &waits, NULL);
	weft__tr_go_block(&m[OTHER], &p[OTHER], &g[OTHER], WEFT__TR_BLOCK_SELECT, NULL, NULL);
	weft__tr_go_start(&m[OTHER], &p[OTHER], &waits);
	weft__tr_go_destroy(&m[OTHER], &p[OTHER], &waits);
	waits.id = 4; /* without a label */
	atomic_store(&inside, false);
	return NULL;
}

static pthread_t remaker;

/* Of the goroutine that the writer is about to mention: it ends, or its owner comes as far as the writer lets it. */
static void end_it(const weft__tr_g *of)
{
	if (of != &waits || !weft__tr_writes)
		return;
	at_label = NULL;
	atomic_store(&inside, true);
	remaker = start_held(remake_the_waiting, NULL, &weft__tr.late_lock);
	while (atomic_load(&inside) && !atomic_load(&stop.there))
		pause_a_little();
}

static void test_label_of_one_that_ends(void **state)
{
	(void)state;
	wb_buf trace = { 0 };
	set_up();
	begin(&trace);
	assert_int_equal(weft__tr_flip(), 0);
	at_label = end_it;
	assert_int_equal(weft__tr_flip(), 0);
	assert_null(at_label);
	let_go(remaker);
	assert_int_equal(weft__tr_stop(), 0);
	assert_true(tracecheck_valid(&trace));
	assert_true(tracecheck_waits(&trace, /* exact= */ false, /* hogs= */ 0));
	wb_buf_free(&trace);
}

static pthread_t thief;
static _Atomic bool full;

static int sink(const void *at, size_t n, void *arg)
{
	return atomic_load(&full) ? -ENOSPC : tracecheck_sink(at, n, arg);
}

static void *steal(void *unused)
{
	(void)unused;
	takes_stop = true;
	weft__tr_proc_steal(&m[OTHER], &p[OTHER], &g[OTHER], &p[HELD], &m[HELD]);
	return NULL;
}

static void steal_when_it_fails(void)
{
	thief = start_held(steal, NULL, &m[HELD].lock);
	wait_for(&stop.there);
	atomic_store(&full, true);
}

/* The thief is still in its section, and the writer, which waits for that, has done with the victim. */
static void test_theft_when_it_fails(void **state)
{
	(void)state;
	wb_buf trace = { 0 };
	set_up();
	atomic_store(&full, false);
	weft__tr_options opt = { .fd = -1, .write = sink, .write_arg = &trace };
	assert_int_equal(weft__tr_start(&opt), 0);
	assert_int_equal(weft__tr_flip(), 0);
	weft__tr_syscall_begin(&m[HELD], &p[HELD], &g[HELD], NULL);
	at_samples = steal_when_it_fails;
	pthread_t flipper = start(flip, NULL);
	wait_for(&full);
	for (bool joined = true; joined; pause_a_little()) {
		pthread_mutex_lock(&m[HELD].lock);
		joined = weft__tr_has_joined(&m[HELD]);
		pthread_mutex_unlock(&m[HELD].lock);
	}
	let_go(thief);
	pthread_join(flipper, NULL);
	assert_int_equal(weft__tr_stop(), -ENOSPC);
	wb_buf_free(&trace);
}

static void *tell_much(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < 1 << 18; i++)
		weft__tr_heap_alloc(&m[OTHER], &p[OTHER], &g[OTHER], UINT64_MAX);
	return NULL;
}

static void while_names_are_looked_up(void)
{
	pthread_join(start(tell_much, NULL), NULL);
}

/* What is told after the end needs no buffers, however long the writer takes. */
static void test_much_after_the_end(void **state)
{
	(void)state;
	wb_buf trace = { 0 };
	set_up();
	weft__tr_options opt = {
		.fd = -1, .write = tracecheck_sink, .write_arg = &trace, .buffer_bytes = 1, .patience_ns = 1
	};
	assert_int_equal(weft__tr_start(&opt), 0);
	assert_int_equal(weft__tr_flip(), 0);
	weft__tr_heap_alloc(&m[OTHER], &p[OTHER], &g[OTHER], 1);
	at_samples = while_names_are_looked_up;
	end(&trace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_joins_the_second),
		cmocka_unit_test(test_ends_in_the_second),
		cmocka_unit_test(test_asked_for_too_late),
		cmocka_unit_test(test_answers_are_not_mixed_up),
		cmocka_unit_test(test_theft_when_it_fails),
		cmocka_unit_test(test_label_of_one_that_ends),
		cmocka_unit_test(test_much_after_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

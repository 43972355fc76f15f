/* Where a trace goes, and what happens when that fails: the trace ends, what was whole stays readable, the program goes
 * on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "fakesched.h"
#include "kit.h"
#include "os/pages.h"
#include "rt/tr/inside.h"
#include "rt/tr/tr.h"
#include "tracecheck.h"

static const fs_options usual = { .seed = 7, .n_threads = 3, .n_procs = 2, .n_goroutines = 20 };

/* A sink with faults. */
typedef struct faulty {
	wb_buf got;
	unsigned calls, fail_at; /* the call that fails, from 1; 0: none */
	int error;
	long sleep_ns;      /* of each call */
	_Atomic bool stuck; /* calls wait while it is set */
	int ended;          /* as told */
	unsigned n_ended;
} faulty;

static int put(const void *at, size_t n, void *arg)
{
	faulty *s = arg;
	if (s->sleep_ns)
		nanosleep(&(struct timespec){ .tv_nsec = s->sleep_ns }, NULL);
	while (atomic_load(&s->stuck))
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	if (++s->calls == s->fail_at)
		return s->error;
	wb_buf_put(&s->got, at, n);
	return 0;
}

static void ended(int error, void *arg)
{
	faulty *s = arg;
	s->ended = error;
	s->n_ended++;
}

static weft__tr_options into(faulty *s)
{
	return (weft__tr_options){ .fd = -1, .write = put, .write_arg = s, .ended = ended, .ended_arg = s };
}

static void steps(fs *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		fs_step(f, i * 7 % 4);
}

static void test_misuse(void **state)
{
	(void)state;
	faulty s = { 0 };
	weft__tr_options nowhere = { .fd = -1 }, opt = into(&s);
	fs *f = fs_open(&usual);
	assert_int_equal(weft__tr_stop(), -EINVAL);
	assert_int_equal(weft__tr_flip(), -EINVAL);
	assert_int_equal(weft__tr_snapshot(1), -EINVAL);
	assert_int_equal(weft__tr_start(&nowhere), -EINVAL);
	assert_int_equal(weft__tr_start(&opt), 0);
	assert_int_equal(weft__tr_start(&opt), -EBUSY);
	assert_int_equal(weft__tr_snapshot(1), -EINVAL); /* no window */
	assert_int_equal(weft__tr_snapshot_soon(1), -EINVAL);
	assert_int_equal(weft__tr_stop(), 0);
	assert_int_equal(weft__tr_stop(), -EINVAL);
	assert_int_equal(s.n_ended, 0); /* it did not end by itself */
	wb_buf_free(&s.got);
	fs_close(f);
}

static void test_each_write_fails(void **state)
{
	(void)state;
	for (unsigned nth = 1; nth <= 60; nth++) {
		faulty s = { .fail_at = nth, .error = -ENOSPC };
		weft__tr_options opt = into(&s);
		fs *f = fs_open(&usual);
		assert_int_equal(weft__tr_start(&opt), 0);
		for (unsigned i = 0; i < 6; i++) {
			steps(f, 200);
			weft__tr_flip();
		}
		int rc = weft__tr_stop();
		assert_int_equal(rc, s.calls >= nth ? -ENOSPC : 0);
		assert_int_equal(s.ended, rc);
		assert_int_equal(s.n_ended, rc != 0);
		s.got.n = tracecheck_whole(&s.got);
		if (s.got.n)
			assert_true(tracecheck_valid(&s.got));
		steps(f, 200); /* on it goes */
		wb_buf_free(&s.got);
		fs_close(f);
	}
}

static int stop_with_fd(int fd)
{
	weft__tr_options opt = { .fd = fd };
	fs *f = fs_open(&usual);
	assert_int_equal(weft__tr_start(&opt), 0);
	steps(f, 300);
	int rc = weft__tr_stop();
	steps(f, 300);
	fs_close(f);
	return rc;
}

static void test_files(void **state)
{
	(void)state;
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), null = open("/dev/null", O_WRONLY | O_CLOEXEC), broken[2];
	assert_int_equal(pipe(broken), 0);
	close(broken[0]);
	assert_int_equal(stop_with_fd(full), -ENOSPC);
	assert_int_equal(stop_with_fd(broken[1]), -EPIPE); /* and no signal */
	assert_int_equal(stop_with_fd(null), 0);
	close(null);
	assert_int_equal(stop_with_fd(null), -EBADF);
	close(full);
	close(broken[1]);
}

/* A generation that is read must be what happened; what memory lacks for may only be names. */
static void one_failing(uint64_t nth, bool pages, bool *ret_reached)
{
	faulty s = { 0 };
	weft__tr_options opt = into(&s);
	opt.window_bytes = 1 << 20;
	fs *f = fs_open(&usual);
	uint64_t before = wb_fault_count();
	if (pages)
		wo_pages_fault(WO_PAGES_RESERVE, nth, ENOMEM);
	else
		wb_fault_arm(nth, /* sticky= */ true);
	int rc = weft__tr_start(&opt);
	if (rc == 0) {
		steps(f, 400);
		weft__tr_flip();
		steps(f, 400);
		rc = weft__tr_stop();
	}
	*ret_reached = pages ? rc != 0 : wb_fault_count() - before >= nth;
	wo_pages_fault(WO_PAGES_RESERVE, 0, 0);
	wb_fault_arm(0, false);
	assert_true(rc == 0 || rc == -ENOMEM);
	if (rc == 0 && !s.got.failed)
		assert_true(tracecheck_complete(&s.got, f));
	wb_buf_free(&s.got);
	fs_close(f);
}

static void test_no_memory(void **state)
{
	(void)state;
	bool reached = true;
	for (uint64_t nth = 1; nth < 400 && reached; nth += 1 + nth / 20)
		one_failing(nth, /* pages= */ false, &reached);
	reached = true;
	for (uint64_t nth = 1; nth < 9 && reached; nth++)
		one_failing(nth, /* pages= */ true, &reached);
	assert_false(reached);
}

static uint64_t waits(void)
{
	weft__tr_stats st;
	weft__tr_read_stats(&st);
	return st.waits;
}

/* Few buffers, and a reader that stands still for a while: threads wait, nothing is lost, and the trace says so. */
static void test_slow(void **state)
{
	(void)state;
	faulty s = { .sleep_ns = 1000000 };
	weft__tr_options opt = into(&s);
	opt.buffer_bytes = 1;
	opt.patience_ns = -1;
	fs *f = fs_open(&usual);
	assert_int_equal(weft__tr_start(&opt), 0);
	steps(f, 2000);
	assert_int_equal(weft__tr_flip(), 0);
	atomic_store(&s.stuck, true);
	fs_begin(f, 60000);
	while (waits() == 0 && fs_running(f))
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	atomic_store(&s.stuck, false);
	fs_wait(f);
	assert_int_equal(weft__tr_stop(), 0);
	assert_true(tracecheck_valid(&s.got));
	assert_true(tracecheck_complete(&s.got, f));
	uint64_t hogs;
	assert_true(tracecheck_carrier(&s.got, true, &hogs));
	assert_true(waits() > 0);
	assert_int_equal(tracecheck_stalls(&s.got), waits());
	wb_buf_free(&s.got);
	fs_close(f);
}

/* A reader that stands still: after a while the trace ends, and the program goes on. */
static void test_stuck(void **state)
{
	(void)state;
	faulty s = { 0 };
	weft__tr_options opt = into(&s);
	opt.buffer_bytes = 1;
	opt.patience_ns = 20000000;
	fs *f = fs_open(&usual);
	assert_int_equal(weft__tr_start(&opt), 0);
	steps(f, 2000);
	assert_int_equal(weft__tr_flip(), 0);
	atomic_store(&s.stuck, true);
	fs_run(f, 60000); /* would wait for ever */
	atomic_store(&s.stuck, false);
	assert_int_equal(weft__tr_stop(), -ENOBUFS);
	assert_int_equal(s.ended, -ENOBUFS);
	s.got.n = tracecheck_whole(&s.got);
	assert_true(tracecheck_generations(&s.got) >= 1);
	assert_true(tracecheck_valid(&s.got));
	wb_buf_free(&s.got);
	fs_close(f);
}

/* ThreadSanitizer allows no threads after a fork. */
#if defined(__SANITIZE_THREAD__)
enum { THREADS_AFTER_FORK = 0 };
#elif defined(__has_feature)
enum { THREADS_AFTER_FORK = !__has_feature(thread_sanitizer) };
#else
enum { THREADS_AFTER_FORK = 1 };
#endif

/* In the child: no trace runs, and one can be started. */
static int child(fs *f)
{
	faulty s = { 0 };
	weft__tr_options opt = into(&s);
	if (weft__tr_on() || weft__tr_stop() != -EINVAL)
		return 1;
	steps(f, 100);
	if (!THREADS_AFTER_FORK)
		return 0;
	if (weft__tr_start(&opt))
		return 2;
	steps(f, 500);
	if (weft__tr_flip())
		return 3;
	steps(f, 500);
	return weft__tr_stop() || !tracecheck_valid(&s.got) ? 4 : 0;
}

static void test_fork(void **state)
{
	(void)state;
	faulty s = { 0 };
	weft__tr_options opt = into(&s);
	fs *f = fs_open(&usual);
	assert_int_equal(weft__tr_start(&opt), 0);
	steps(f, 500);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(child(f));
	int status;
	steps(f, 500);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(weft__tr_stop(), 0);
	assert_true(tracecheck_valid(&s.got));
	assert_true(tracecheck_complete(&s.got, f));
	wb_buf_free(&s.got);
	fs_close(f);
}

/* So many texts that the tables are exchanged. */
static void test_many_texts(void **state)
{
	(void)state;
	faulty s = { 0 };
	weft__tr_options opt = into(&s);
	fs *f = fs_open(&usual);
	assert_int_equal(weft__tr_start(&opt), 0);
	for (unsigned part = 0; part < 4; part++) {
		fs_labels(f, part * 200000, 200000);
		steps(f, 500);
		assert_int_equal(weft__tr_flip(), 0);
	}
	steps(f, 500);
	assert_int_equal(weft__tr_stop(), 0);
	weft__tr_stats st;
	weft__tr_read_stats(&st);
	assert_int_equal(st.lost_strings, 0);
	assert_true(tracecheck_valid(&s.got));
	assert_true(tracecheck_complete(&s.got, f));
	wb_buf_free(&s.got);
	fs_close(f);
}

static uint64_t once_ids(void)
{
	return atomic_load(&weft__tr.once_ids[atomic_load(&weft__tr_gen) & 1]);
}

/* Texts outside of tables are numbered in each generation: over the days there would be too many of them. */
static void test_numbers_begin_anew(void **state)
{
	(void)state;
	faulty s = { 0 };
	weft__tr_options opt = into(&s);
	fs *f = fs_open(&usual);
	assert_int_equal(weft__tr_start(&opt), 0);
	for (unsigned i = 0; i < 4; i++) {
		steps(f, 2000);
		assert_true(once_ids() > 10);
		assert_int_equal(weft__tr_flip(), 0);
		assert_int_equal(once_ids(), 0);
	}
	assert_int_equal(weft__tr_stop(), 0);
	assert_true(tracecheck_valid(&s.got));
	assert_true(tracecheck_complete(&s.got, f));
	wb_buf_free(&s.got);
	fs_close(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_misuse),
		cmocka_unit_test(test_each_write_fails),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_stuck),
		cmocka_unit_test(test_many_texts),
		cmocka_unit_test(test_numbers_begin_anew),
		cmocka_unit_test(test_fork),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

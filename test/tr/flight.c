/* The flight recorder: any window of generations is a trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fakesched.h"
#include "kit.h"
#include "rt/tr/tr.h"
#include "rt/tr/window.h"
#include "tracecheck.h"

static const fs_options usual = { .seed = 3, .n_threads = 4, .n_procs = 3, .n_goroutines = 30 };

static void steps(fs *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		fs_step(f, i * 7 % 5);
}

static wb_buf read_fd(FILE *file)
{
	wb_buf b = { 0 };
	char piece[4096];
	rewind(file);
	for (size_t n; (n = fread(piece, 1, sizeof(piece), file)) > 0;)
		wb_buf_put(&b, piece, n);
	return b;
}

static void snapshot(wb_buf *ret)
{
	FILE *file = tmpfile();
	assert_non_null(file);
	assert_int_equal(weft__tr_snapshot(fileno(file)), 0);
	*ret = read_fd(file);
	fclose(file);
}

static void test_any_window(void **state)
{
	(void)state;
	weft__tr_options opt = { .fd = -1, .window_bytes = 60000 };
	fs *f = fs_open(&usual);
	assert_int_equal(weft__tr_start(&opt), 0);
	size_t most = 0;
	for (unsigned i = 0; i < 40; i++) {
		wb_buf b;
		steps(f, 500);
		snapshot(&b);
		assert_true(tracecheck_valid(&b));
		size_t n = tracecheck_generations(&b);
		most = n > most ? n : most;
		assert_true(n == 1 || b.n <= opt.window_bytes + 16);
		wb_buf_free(&b);
	}
	assert_true(most > 3 && most < 40); /* several, but not all */
	assert_int_equal(weft__tr_stop(), 0);
	fs_close(f);
}

/* Beside a trace that goes to a file, with threads. */
static void test_beside_a_trace(void **state)
{
	(void)state;
	wb_buf whole = { 0 };
	weft__tr_options opt = { .fd = -1, .write = tracecheck_sink, .write_arg = &whole, .window_bytes = 1 << 20 };
	fs *f = fs_open(&usual);
	assert_int_equal(weft__tr_start(&opt), 0);
	fs_begin(f, 20000);
	while (fs_running(f)) {
		wb_buf b;
		snapshot(&b);
		assert_true(tracecheck_valid(&b));
		wb_buf_free(&b);
	}
	fs_wait(f);
	assert_int_equal(weft__tr_stop(), 0);
	assert_true(tracecheck_valid(&whole));
	assert_true(tracecheck_complete(&whole, f));
	wb_buf_free(&whole);
	fs_close(f);
}

static int soon_fd, soon_rc;

static void on_signal(int sig)
{
	(void)sig;
	soon_rc = weft__tr_snapshot_soon(soon_fd);
}

static void test_from_a_signal(void **state)
{
	(void)state;
	weft__tr_options opt = { .fd = -1, .window_bytes = 1 << 20 };
	fs *f = fs_open(&usual);
	FILE *file = tmpfile();
	assert_int_equal(weft__tr_start(&opt), 0);
	steps(f, 500);
	soon_fd = dup(fileno(file));
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	assert_int_equal(soon_rc, 0);
	while (fcntl(soon_fd, F_GETFD) >= 0) /* closed when done */
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	wb_buf b = read_fd(file);
	assert_true(tracecheck_valid(&b));
	assert_int_equal(tracecheck_generations(&b), 1);
	wb_buf_free(&b);
	fclose(file);
	assert_int_equal(weft__tr_stop(), 0);
	fs_close(f);
}

/* ---- readers that take their time ---- */

typedef struct asked {
	int fd, rc;
	_Atomic bool done;
} asked;

static void *ask(void *arg)
{
	asked *a = arg;
	a->rc = weft__tr_snapshot(a->fd);
	atomic_store(&a->done, true);
	return NULL;
}

/* Nobody reads: the snapshot is given up, and the trace has all that happened meanwhile. */
static void test_reader_stands_still(void **state)
{
	(void)state;
	wb_buf whole = { 0 };
	weft__tr_options opt = { .fd = -1,
		.write = tracecheck_sink,
		.write_arg = &whole,
		.window_bytes = 1 << 20,
		.buffer_bytes = 1 << 20,
		.snapshot_patience_ns = 200000000 };
	fs *f = fs_open(&usual);
	int fds[2];
	asked a = { 0 };
	pthread_t t;
	assert_int_equal(pipe(fds), 0);
	fcntl(fds[1], F_SETPIPE_SZ, 4096);
	a.fd = fds[1];
	assert_int_equal(weft__tr_start(&opt), 0);
	steps(f, 2000);
	assert_int_equal(pthread_create(&t, NULL, ask, &a), 0);
	while (!atomic_load(&a.done)) {
		steps(f, 200);
		assert_int_equal(weft__tr_flip(), 0); /* generations go on */
	}
	pthread_join(t, NULL);
	assert_int_equal(a.rc, -ETIMEDOUT);
	assert_int_equal(weft__tr_snapshot_soon(dup(fds[1])), 0); /* given up by the end, too */
	assert_int_equal(weft__tr_stop(), 0);
	assert_true(tracecheck_valid(&whole));
	assert_true(tracecheck_complete(&whole, f));
	close(fds[1]);
	char page[8192];
	assert_true(read(fds[0], page, sizeof(page)) > 0);
	assert_int_equal(read(fds[0], page, sizeof(page)), 0); /* no other end is left open */
	close(fds[0]);
	wb_buf_free(&whole);
	fs_close(f);
}

/* One that reads slowly gets all of it, as it was when it was asked for, though the window has gone on. */
static void test_reader_is_slow(void **state)
{
	(void)state;
	weft__tr_options opt = { .fd = -1, .window_bytes = 20000 };
	fs *f = fs_open(&usual);
	int fds[2];
	asked a = { 0 };
	pthread_t t;
	wb_buf b = { 0 };
	assert_int_equal(pipe(fds), 0);
	fcntl(fds[1], F_SETPIPE_SZ, 4096);
	a.fd = fds[1];
	assert_int_equal(weft__tr_start(&opt), 0);
	steps(f, 2000);
	assert_int_equal(pthread_create(&t, NULL, ask, &a), 0);
	char piece[1000];
	fcntl(fds[0], F_SETFL, O_NONBLOCK); /* all may have come before the other thread says that it is done */
	for (ssize_t n; (n = read(fds[0], piece, sizeof(piece))) != 0;) {
		if (n > 0)
			wb_buf_put(&b, piece, (size_t)n);
		steps(f, 50);
		assert_int_equal(weft__tr_flip(), 0);
		if (atomic_load(&a.done) && a.fd >= 0) {
			close(fds[1]);
			a.fd = -1;
		}
	}
	pthread_join(t, NULL);
	assert_int_equal(a.rc, 0);
	assert_true(tracecheck_valid(&b));
	assert_int_equal(weft__tr_stop(), 0);
	close(fds[0]);
	wb_buf_free(&b);
	fs_close(f);
}

static void add(weft__tr_window *w, size_t n, int64_t now_ns)
{
	char bytes[1000] = { 0 };
	weft__tr_window_add(w, bytes, n);
	assert_true(weft__tr_window_end(w, now_ns));
}

static void test_limits(void **state)
{
	(void)state;
	weft__tr_window w = { .max_bytes = 1000, .max_ns = 50 };
	add(&w, 400, 10);
	add(&w, 400, 20);
	assert_int_equal(w.n, 2);
	add(&w, 200, 30); /* just fits */
	assert_int_equal(w.n, 3);
	add(&w, 1, 40);
	assert_int_equal(w.n, 3);
	assert_int_equal(w.bytes, 601);
	add(&w, 1, 70); /* the oldest is just young enough */
	assert_int_equal(w.n, 4);
	add(&w, 1, 71);
	assert_int_equal(w.n, 4);
	add(&w, 900, 500); /* too old, all of them */
	assert_int_equal(w.n, 1);
	w.max_bytes = 100; /* one always stays */
	add(&w, 1000, 501);
	assert_int_equal(w.n, 1);
	assert_int_equal(w.bytes, 1000);
	weft__tr_window_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_any_window),
		cmocka_unit_test(test_beside_a_trace),
		cmocka_unit_test(test_from_a_signal),
		cmocka_unit_test(test_reader_stands_still),
		cmocka_unit_test(test_reader_is_slow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

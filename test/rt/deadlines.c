/* rt/deadlines.c - moments after which calls fail, for every kind of descriptor that has them: what packages net and os
 * say of SetDeadline, and the cases of both timeout_test.go. */
#include "kit/rtkit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static weft_wg done;
static atomic_int count;
static const weft_ns hour = 3600 * WEFT_SECOND;

/* Moments that have passed however they are looked at. */
static const weft_ns passed[] = { INT64_MIN, INT64_MIN + 1, -1, 0, 1 };
enum { N_PASSED = sizeof(passed) / sizeof(passed[0]) };

/* ---- kinds ---- */

/* What is written to `in` comes out of `out`. */
typedef struct ends {
	weft_fd *out, *in;
} ends;

static void connect_over(ends *e, const char *network, const char *address)
{
	weft_fd *l = NULL;
	char at[128];
	kit_require(kit_equal(weft_listen(network, address, &l), 0));
	kit_require(weft_fd_local(l, at, sizeof(at)) > 0);
	kit_require(kit_equal(weft_dial(network, at, weft_in(60 * WEFT_SECOND), &e->in), 0));
	kit_require(kit_equal(weft_accept(l, &e->out), 0));
	kit_equal(weft_fd_close(l), 0);
}

static void open_tcp(ends *e)
{
	connect_over(e, "tcp", "127.0.0.1:0");
}

static void open_unix(ends *e)
{
	char name[64];
	snprintf(name, sizeof(name), "@weft-deadlines-%d", getpid());
	connect_over(e, "unix", name);
}

static void open_pipe(ends *e)
{
	kit_require(kit_equal(weft_pipe(&e->out, &e->in), 0));
}

/* In blocking mode, as standard input and output are. */
static void open_wrapped(ends *e)
{
	int fds[2];
	kit_require(!pipe2(fds, O_CLOEXEC));
	kit_require(kit_equal(weft_fd_wrap(fds[0], &e->out), 0));
	kit_require(kit_equal(weft_fd_wrap(fds[1], &e->in), 0));
}

static const struct {
	const char *name;
	void (*open)(ends *);
} kinds[] = {
	{ "TCP", open_tcp },
	{ "Unix socket", open_unix },
	{ "pipe", open_pipe },
	{ "wrapped pipe", open_wrapped },
};
enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static void of_each_kind(void (*check)(ends *e))
{
	for (size_t k = 0; k < N_KINDS; k++) {
		ends e = { NULL, NULL };
		fprintf(stderr, "of a %s:\n", kinds[k].name);
		kinds[k].open(&e);
		check(&e);
		weft_fd_close(e.in);
		weft_fd_close(e.out);
	}
}

/* ---- goroutines that block in a call, each with a reference of its own ---- */

enum { BIG = 8 << 20 }; /* more than the kernel buffers */
static char big[BIG];

typedef struct blocked {
	weft_fd *f;
	ssize_t want;
	atomic_bool ended;
} blocked;

static void end_blocked(blocked *b)
{
	weft_fd_unref(b->f);
	b->ended = true;
	weft_wg_done(&done);
}

static void read_blocked(void *arg)
{
	blocked *b = arg;
	char c;
	kit_equal(weft_read(b->f, &c, 1), b->want);
	end_blocked(b);
}

static void write_blocked(void *arg)
{
	blocked *b = arg;
	kit_equal(weft_write_all(b->f, big, BIG), b->want);
	end_blocked(b);
}

static void accept_blocked(void *arg)
{
	blocked *b = arg;
	weft_fd *f = NULL;
	kit_equal(weft_accept(b->f, &f), b->want);
	kit_expect(!f);
	end_blocked(b);
}

static void start_blocked(weft_fn *fn, blocked *b, weft_fd *f, ssize_t want)
{
	*b = (blocked){ .f = weft_fd_ref(f), .want = want };
	weft_wg_add(&done, 1);
	kit_go(fn, b);
	kit_until_parked(1);
	weft_sleep(WEFT_MS);
	kit_expect(!b->ended);
}

/* ---- reading ---- */

static void read_late(ends *e)
{
	char buf[10];
	struct iovec iov = { buf, sizeof(buf) };
	kit_equal(weft_write_all(e->in, "abc", 3), 0);
	kit_equal(weft_read(e->out, buf, sizeof(buf)), 3); /* a short read: the next may wait first */
	kit_equal(weft_write_all(e->in, "de", 2), 0);
	for (int i = 0; i < N_PASSED; i++) {
		kit_equal(weft_fd_read_deadline(e->out, passed[i]), 0);
		kit_equal(weft_read(e->out, buf, sizeof(buf)), -ETIMEDOUT);
		kit_equal(weft_readv(e->out, &iov, 1), -ETIMEDOUT);
		kit_equal(weft_read_full(e->out, buf, 2), -ETIMEDOUT);
		kit_equal(weft_fd_read_deadline(e->out, i % 2 ? WEFT_FOREVER : weft_in(hour)), 0);
	}
	kit_equal(weft_read(e->out, buf, sizeof(buf)), 2);
	kit_expect(!memcmp(buf, "de", 2));
}

CASE(read_deadline_passed,
	"net.Conn: If the deadline is exceeded a call to Read will return an error, even if there is data ready (Go's "
	"TestReadTimeout)")
{
	of_each_kind(read_late);
}

static void read_waits_again(ends *e)
{
	blocked b;
	kit_equal(weft_fd_read_deadline(e->out, 0), 0);
	kit_equal(weft_fd_write_deadline(e->in, 0), 0);
	kit_equal(weft_fd_read_deadline(e->out, WEFT_FOREVER), 0);
	start_blocked(read_blocked, &b, e->out, -ECANCELED);
	kit_equal(weft_fd_close(e->out), 0);
	e->out = NULL;
	weft_wg_wait(&done);
}

CASE(read_deadline_taken_back,
	"net.Conn: A zero value for t means I/O operations will not time out (Go's TestReadTimeoutMustNotReturn)")
{
	of_each_kind(read_waits_again);
}

static const weft_ns durations[] = { 1, 2, 5, 50, 200, 750, WEFT_US, 5 * WEFT_US, 25 * WEFT_US, 250 * WEFT_US, WEFT_MS,
	2 * WEFT_MS };
enum { N_DURATIONS = sizeof(durations) / sizeof(durations[0]) };

static void read_times_out(ends *e)
{
	char c;
	for (int i = 0; i < N_DURATIONS; i++) {
		weft_ns moment = weft_in(durations[i]);
		kit_equal(weft_fd_read_deadline(e->out, moment), 0);
		kit_equal(weft_read(e->out, &c, 1), -ETIMEDOUT);
		kit_expect(weft_now() >= moment);
	}
	kit_equal(weft_fd_read_deadline(e->out, WEFT_FOREVER), 0);
	kit_equal(weft_write(e->in, "x", 1), 1);
	kit_equal(weft_read(e->out, &c, 1), 1);
}

CASE(various_deadlines, "Go's TestVariousDeadlines, TestReadTimeoutFluctuation: from a nanosecond up, none comes early")
{
	of_each_kind(read_times_out);
}

/* ---- writing ---- */

static void write_late(ends *e)
{
	char buf[10];
	struct iovec iov = { buf, 1 };
	for (int i = 0; i < N_PASSED; i++) {
		kit_equal(weft_fd_write_deadline(e->in, passed[i]), 0);
		kit_equal(weft_write(e->in, "a", 1), -ETIMEDOUT);
		kit_equal(weft_writev(e->in, &iov, 1), -ETIMEDOUT);
		kit_equal(weft_write_all(e->in, "bc", 2), -ETIMEDOUT);
		kit_equal(weft_fd_write_deadline(e->in, i % 2 ? WEFT_FOREVER : weft_in(hour)), 0);
	}
	kit_equal(weft_write(e->in, "ok", 2), 2);
	kit_equal(weft_read(e->out, buf, sizeof(buf)), 2); /* and nothing of what was late */
}

CASE(write_deadline_passed,
	"net.Conn: If the deadline is exceeded a call to Write will return an error, even if there is buffer space "
	"(Go's TestWriteTimeout)")
{
	of_each_kind(write_late);
}

static void write_waits_again(ends *e)
{
	blocked b;
	kit_equal(weft_fd_read_deadline(e->out, 0), 0);
	kit_equal(weft_fd_write_deadline(e->in, 0), 0);
	kit_equal(weft_fd_write_deadline(e->in, WEFT_FOREVER), 0);
	start_blocked(write_blocked, &b, e->in, -ECANCELED);
	kit_equal(weft_fd_close(e->in), 0);
	e->in = NULL;
	weft_wg_wait(&done);
}

CASE(write_deadline_taken_back, "Go's TestWriteTimeoutMustNotReturn: the same of a write, which a close ends")
{
	of_each_kind(write_waits_again);
}

static void write_times_out(ends *e)
{
	for (int i = 0; i < N_DURATIONS; i++) {
		weft_ns moment = weft_in(durations[i]);
		int err;
		kit_equal(weft_fd_write_deadline(e->in, moment), 0);
		while ((err = weft_write_all(e->in, big, 1 << 16)) == 0) {
		}
		kit_equal(err, -ETIMEDOUT);
		kit_expect(weft_now() >= moment);
	}
}

CASE(various_write_deadlines,
	"Go's TestWriteTimeoutFluctuation: what the kernel has room for is written, then the deadline comes")
{
	of_each_kind(write_times_out);
}

/* ---- several deadlines, several goroutines ---- */

static void deadline_for_the_waiting(ends *e)
{
	blocked r, w;
	for (int i = 0; i < 4; i++) {
		weft_ns before = i % 2 ? weft_in(hour) : WEFT_FOREVER, now = i < 2 ? weft_in(WEFT_MS) : passed[i];
		kit_equal(weft_fd_read_deadline(e->out, before), 0);
		start_blocked(read_blocked, &r, e->out, -ETIMEDOUT);
		kit_equal(weft_fd_read_deadline(e->out, now), 0);
		weft_wg_wait(&done);
	}
	for (int i = 0; i < 4; i++) {
		weft_ns before = i % 2 ? weft_in(hour) : WEFT_FOREVER, now = i < 2 ? weft_in(WEFT_MS) : passed[i];
		kit_equal(weft_fd_write_deadline(e->in, before), 0);
		start_blocked(write_blocked, &w, e->in, -ETIMEDOUT);
		kit_equal(weft_fd_write_deadline(e->in, now), 0);
		weft_wg_wait(&done);
	}
}

CASE(deadline_for_the_waiting,
	"net.Conn: A deadline applies to all future and pending I/O, not just the immediately following call (Go's "
	"TestReadTimeoutUnblocksRead)")
{
	of_each_kind(deadline_for_the_waiting);
}

static void both_ways(void (*open)(ends *))
{
	ends e;
	blocked r, w;
	open(&e);
	start_blocked(read_blocked, &r, e.in, -ETIMEDOUT);
	start_blocked(write_blocked, &w, e.in, -ETIMEDOUT);
	weft_ns moment = weft_in(WEFT_MS);
	kit_equal(weft_fd_deadline(e.in, moment, moment), 0);
	weft_wg_wait(&done);
	kit_expect(weft_now() >= moment);
	weft_fd_close(e.in);
	weft_fd_close(e.out);
}

CASE(deadline_both_ways, "net.Conn: SetDeadline is equivalent to calling both SetReadDeadline and SetWriteDeadline.")
{
	both_ways(open_tcp);
	both_ways(open_unix);
}

static void write_prolonged(void *arg)
{
	for (int i = 0; i < (int)kit_times(300); i++) {
		kit_equal(weft_fd_write_deadline(arg, weft_in(hour + i)), 0);
		kit_equal(weft_write(arg, "x", 1), 1);
	}
	weft_wg_done(&done);
}

static void prolong(ends *e)
{
	char c;
	weft_wg_add(&done, 1);
	kit_go(write_prolonged, e->in);
	for (int i = 0; i < (int)kit_times(300); i++) {
		kit_equal(weft_fd_read_deadline(e->out, weft_in(hour - i * WEFT_US)), 0);
		kit_equal(weft_read(e->out, &c, 1), 1);
	}
	weft_wg_wait(&done);
}

CASE(prolonged_deadlines, "Go's TestReadWriteProlongedTimeout: a deadline before each call, of which none comes")
{
	of_each_kind(prolong);
}

static ends raced;
static weft_wg setters;
static atomic_int n_read, n_written;
static atomic_bool stop;

static void set_short_deadlines(void *arg)
{
	(void)arg;
	for (int i = 0; !stop; i++) {
		kit_equal(weft_fd_read_deadline(raced.out, weft_in(i % 3 * WEFT_US)), 0);
		kit_equal(weft_fd_write_deadline(raced.in, weft_in(i % 4 * WEFT_US)), 0);
		if (i % 8 == 0)
			weft_sleep(2 * WEFT_US);
		weft_yield();
	}
	weft_wg_done(&setters);
}

/* One reader and one writer: what is written comes, in order. */
static void read_raced(void *arg)
{
	for (int i = 0; i < (int)(intptr_t)arg; i++) {
		unsigned char c;
		ssize_t n = weft_read(raced.out, &c, 1);
		kit_expect(n == 1 || n == -ETIMEDOUT);
		if (n == 1)
			kit_equal(c, n_read++ & 0xff);
	}
	weft_wg_done(&done);
}

static void write_raced(void *arg)
{
	for (int i = 0; i < (int)(intptr_t)arg; i++) {
		unsigned char c = (unsigned char)n_written;
		ssize_t n = weft_write(raced.in, &c, 1);
		kit_expect(n == 1 || n == -ETIMEDOUT);
		n_written += n == 1;
	}
	weft_wg_done(&done);
}

static void expect_the_rest(void)
{
	unsigned char buf[256];
	ssize_t n;
	kit_equal(weft_fd_read_deadline(raced.out, WEFT_FOREVER), 0);
	kit_equal(weft_fd_close(raced.in), 0);
	raced.in = NULL;
	while ((n = weft_read(raced.out, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			kit_equal(buf[i], n_read++ & 0xff);
	kit_equal(n, 0);
	kit_equal(n_read, n_written);
}

static void race(ends *e)
{
	intptr_t n = (intptr_t)kit_times(500);
	raced = *e;
	n_read = n_written = 0;
	stop = false;
	weft_wg_add(&done, 2);
	weft_wg_add(&setters, 1);
	kit_go(read_raced, (void *)n);
	kit_go(write_raced, (void *)n);
	kit_go(set_short_deadlines, NULL);
	weft_wg_wait(&done);
	stop = true;
	weft_wg_wait(&setters);
	expect_the_rest();
	e->in = NULL;
}

CASE(deadlines_race,
	"Go's TestReadWriteDeadlineRace: deadlines of microseconds are set while one reads and one writes; "
	"nothing is lost")
{
	of_each_kind(race);
}

/* Several of each, which set the deadlines themselves. */
static void read_racy(void *arg)
{
	unsigned char buf[16];
	for (int i = 0; i < (int)(intptr_t)arg; i++) {
		ssize_t n = weft_read(raced.out, buf, sizeof(buf));
		kit_expect(n > 0 || n == -ETIMEDOUT);
		if (n > 0)
			n_read += (int)n;
		else
			kit_equal(weft_fd_read_deadline(raced.out, weft_in(50 * WEFT_US)), 0);
	}
	weft_wg_done(&done);
}

static void write_racy(void *arg)
{
	for (int i = 0; i < (int)(intptr_t)arg; i++) {
		ssize_t n = weft_write(raced.in, big, 10);
		kit_expect(n > 0 || n == -ETIMEDOUT);
		if (n > 0)
			n_written += (int)n;
		else
			kit_equal(weft_fd_write_deadline(raced.in, weft_in(50 * WEFT_US)), 0);
	}
	weft_wg_done(&done);
}

static void race_of_many(ends *e)
{
	intptr_t n = (intptr_t)kit_times(100);
	char buf[256];
	ssize_t got;
	raced = *e;
	n_read = n_written = 0;
	kit_equal(weft_fd_read_deadline(e->out, 0), 0);
	kit_equal(weft_fd_write_deadline(e->in, 0), 0);
	weft_wg_add(&done, 8);
	for (int i = 0; i < 4; i++) {
		kit_go(read_racy, (void *)n);
		kit_go(write_racy, (void *)n);
	}
	weft_wg_wait(&done);
	kit_equal(weft_fd_read_deadline(e->out, WEFT_FOREVER), 0);
	kit_equal(weft_fd_close(e->in), 0);
	e->in = NULL;
	while ((got = weft_read(e->out, buf, sizeof(buf))) > 0)
		n_read += (int)got;
	kit_equal(n_read, n_written);
}

CASE(racy_reads_and_writes, "Go's os.TestRacyRead, TestRacyWrite: several read and write, and each sets deadlines")
{
	of_each_kind(race_of_many);
}

static ends all[N_KINDS];
static weft_ns from;

static void set_earlier(void *arg)
{
	for (weft_ns j = (weft_ns)kit_times(100); j > 0; j--)
		for (int k = 0; k < N_KINDS; k++) {
			weft_ns by = from + hour + (intptr_t)arg * j * k * WEFT_SECOND;
			kit_equal(weft_fd_read_deadline(all[k].out, by + hour), 0);
			kit_equal(weft_fd_write_deadline(all[k].in, by), 0);
		}
	weft_wg_done(&done);
}

CASE(concurrent_set_deadline,
	"Go's TestConcurrentSetDeadline: goroutines set deadlines of the same descriptors, earlier and earlier")
{
	char c;
	from = weft_now();
	for (int k = 0; k < N_KINDS; k++)
		kinds[k].open(&all[k]);
	weft_wg_add(&done, 8);
	for (intptr_t i = 0; i < 8; i++)
		kit_go(set_earlier, (void *)i);
	weft_wg_wait(&done);
	for (int k = 0; k < N_KINDS; k++) {
		weft_ns moment = weft_in(WEFT_MS);
		kit_equal(weft_fd_read_deadline(all[k].out, moment), 0);
		kit_equal(weft_read(all[k].out, &c, 1), -ETIMEDOUT);
		kit_expect(weft_now() >= moment);
		weft_fd_close(all[k].out);
		weft_fd_close(all[k].in);
	}
}

/* ---- deadlines and closing ---- */

static void set_until_closed(void *arg)
{
	int err;
	for (int i = 0; (err = weft_fd_read_deadline(arg, i % 2 ? weft_in(i % 50 * WEFT_US) : WEFT_FOREVER)) == 0; i++)
		if (i % 4 == 0)
			weft_yield();
	kit_equal(err, -ECANCELED);
	weft_fd_unref(arg);
	weft_wg_done(&done);
}

static void read_until_closed(void *arg)
{
	ssize_t n;
	char c;
	while ((n = weft_read(arg, &c, 1)) == -ETIMEDOUT)
		weft_yield();
	kit_equal(n, -ECANCELED);
	weft_fd_unref(arg);
	weft_wg_done(&done);
}

static void close_under_deadlines(ends *e)
{
	weft_fd *f = weft_fd_ref(e->out);
	weft_wg_add(&done, 3);
	kit_go(set_until_closed, weft_fd_ref(f));
	kit_go(read_until_closed, weft_fd_ref(f));
	kit_go(set_until_closed, weft_fd_ref(f));
	weft_sleep(200 * WEFT_US);
	kit_equal(weft_fd_close(e->out), 0);
	e->out = NULL;
	weft_wg_wait(&done);
	kit_equal(weft_fd_deadline(f, weft_in(hour), WEFT_FOREVER), -ECANCELED);
	kit_equal(weft_fd_write_deadline(f, 0), -ECANCELED);
	weft_fd_unref(f);
}

CASE(close_under_deadlines, "net.ErrClosed: setting a deadline of what is closed; and closing what deadlines come for")
{
	for (int i = 0; i < 5; i++)
		of_each_kind(close_under_deadlines);
}

static void never(ends *e)
{
	blocked b;
	kit_equal(weft_fd_read_deadline(e->out, WEFT_FOREVER - 1), 0);
	start_blocked(read_blocked, &b, e->out, 1);
	kit_equal(weft_fd_read_deadline(e->out, weft_in(WEFT_FOREVER)), 0);
	kit_equal(weft_fd_read_deadline(e->out, weft_in(WEFT_FOREVER / 2)), 0);
	weft_sleep(WEFT_MS);
	kit_expect(!b.ended);
	kit_equal(weft_write(e->in, "x", 1), 1);
	weft_wg_wait(&done);
}

CASE(deadlines_beyond_the_clock, "Go's TestDialTimeoutMaxDuration, for reads: the latest deadlines do not come at once")
{
	of_each_kind(never);
}

CASE(no_deadlines_for_files, "os.ErrNoDeadline: Go's TestNonpollableDeadline: files and directories have none")
{
	char name[64];
	weft_fd *f = NULL;
	snprintf(name, sizeof(name), "/tmp/weft-deadlines-%d.file", getpid());
	kit_require(kit_equal(weft_open(name, O_RDWR | O_CREAT, 0600, &f), 0));
	kit_equal(weft_fd_deadline(f, weft_in(hour), weft_in(hour)), -EOPNOTSUPP);
	kit_equal(weft_fd_read_deadline(f, 0), -EOPNOTSUPP);
	kit_equal(weft_fd_write_deadline(f, WEFT_FOREVER), -EOPNOTSUPP);
	kit_equal(weft_write(f, "x", 1), 1); /* none of them counts */
	kit_equal(weft_fd_close(f), 0);
	unlink(name);
	kit_require(kit_equal(weft_open("/", O_RDONLY | O_DIRECTORY, 0, &f), 0));
	kit_equal(weft_fd_read_deadline(f, 0), -EOPNOTSUPP);
	kit_equal(weft_fd_close(f), 0);
}

/* ---- accepting ---- */

static weft_fd *listen_at(const char *network, const char *at, char *ret, size_t n)
{
	weft_fd *l = NULL;
	kit_require(kit_equal(weft_listen(network, at, &l), 0));
	kit_require(weft_fd_local(l, ret, n) > 0);
	return l;
}

static void accept_late(const char *network, const char *at)
{
	char address[128];
	weft_fd *l = listen_at(network, at, address, sizeof(address)), *waiting = NULL, *f = NULL;
	kit_equal(weft_dial(network, address, weft_in(60 * WEFT_SECOND), &waiting), 0);
	for (int i = 0; i < N_PASSED; i++) {
		kit_equal(weft_fd_read_deadline(l, passed[i]), 0);
		kit_equal(weft_accept(l, &f), -ETIMEDOUT);
		kit_equal(weft_accept(l, &f), -ETIMEDOUT);
		kit_equal(weft_fd_deadline(l, WEFT_FOREVER, 0), 0); /* that of writing does not matter */
	}
	kit_equal(weft_accept(l, &f), 0);
	weft_fd_close(f);
	weft_fd_close(waiting);
	for (int i = 0; i < N_DURATIONS; i++) {
		weft_ns moment = weft_in(durations[i]);
		kit_equal(weft_fd_read_deadline(l, moment), 0);
		kit_equal(weft_accept(l, &f), -ETIMEDOUT);
		kit_expect(weft_now() >= moment);
	}
	blocked b;
	kit_equal(weft_fd_read_deadline(l, WEFT_FOREVER), 0);
	start_blocked(accept_blocked, &b, l, -ECANCELED);
	kit_equal(weft_fd_close(l), 0);
	weft_wg_wait(&done);
}

CASE(accept_deadlines,
	"net.TCPListener.SetDeadline: Go's TestAcceptTimeout, even if a connection waits; TestAcceptTimeoutMustReturn, "
	"TestAcceptTimeoutMustNotReturn")
{
	char name[64];
	snprintf(name, sizeof(name), "@weft-deadlines-%d", getpid());
	accept_late("tcp", "127.0.0.1:0");
	accept_late("unix", name);
	accept_late("unixpacket", name);
}

/* ---- dialling ---- */

CASE(dial_deadlines,
	"Go's TestDialTimeout, TestDialTimeoutMaxDuration: deadlines of dials long ago and beyond the clock")
{
	char address[128];
	weft_fd *l = listen_at("tcp", "127.0.0.1:0", address, sizeof(address)), *f = NULL;
	for (int i = 0; i < N_PASSED; i++) {
		kit_equal(weft_dial("tcp", address, passed[i], &f), -ETIMEDOUT);
		kit_equal(weft_dial("unix", "@nobody", passed[i], &f), -ETIMEDOUT);
		kit_expect(!f);
	}
	const weft_ns late[] = { WEFT_FOREVER, WEFT_FOREVER - 1, weft_in(WEFT_FOREVER), weft_in(WEFT_FOREVER / 2) };
	for (size_t i = 0; i < sizeof(late) / sizeof(late[0]); i++) {
		char c;
		kit_require(kit_equal(weft_dial("tcp", address, late[i], &f), 0));
		kit_equal(weft_fd_read_deadline(f, 0), 0);
		kit_equal(weft_read(f, &c, 1), -ETIMEDOUT);
		kit_equal(weft_fd_close(f), 0);
	}
	weft_fd_close(l);
}

static int n_open(void)
{
	int n = 0;
	DIR *d = opendir("/proc/self/fd");
	kit_require(d != NULL);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void accept_all(void *arg)
{
	weft_fd *f;
	int err;
	while ((err = weft_accept(arg, &f)) == 0)
		weft_fd_close(f);
	kit_equal(err, -ECANCELED);
	weft_fd_unref(arg);
	weft_wg_done(&done);
}

static char dialled[128];
static weft_wg dialers;

static void dial_in_time(void *arg)
{
	uint64_t random = kit_seed() + (uint64_t)(uintptr_t)arg;
	for (int i = 0; i < (int)kit_times(100); i++) {
		weft_fd *f = NULL;
		int err = weft_dial("tcp", dialled, weft_in((weft_ns)(kit_random(&random) % (100 * WEFT_US))), &f);
		kit_expect(err == 0 || err == -ETIMEDOUT);
		kit_equal(f != NULL, err == 0);
		count += err == 0;
		weft_fd_close(f);
	}
	weft_wg_done(&dialers);
}

CASE(dials_race_with_deadlines,
	"Go's TestDialContextCancelRace, TestTCPSpuriousConnSetupCompletionWithCancel: a dial is done or late, and "
	"leaves no descriptor")
{
	weft_fd *l = listen_at("tcp", "127.0.0.1:0", dialled, sizeof(dialled));
	weft_sleep(WEFT_US); /* the poller is there */
	int before = n_open();
	weft_wg_add(&done, 1);
	weft_wg_add(&dialers, 3);
	for (intptr_t i = 0; i < 3; i++)
		kit_go(dial_in_time, (void *)i);
	kit_go(accept_all, weft_fd_ref(l));
	weft_wg_wait(&dialers);
	kit_equal(weft_fd_close(l), 0);
	weft_wg_wait(&done);
	kit_equal(n_open(), before - 1);
}

/* ---- datagrams ---- */

static void datagrams_in_time(const char *network, const char *at)
{
	char address[128], buf[20];
	weft_fd *out = listen_at(network, at, address, sizeof(address)), *in = NULL;
	struct sockaddr_storage to;
	socklen_t n_to = sizeof(to);
	kit_require(!getsockname(weft_fd_number(out), (struct sockaddr *)&to, &n_to));
	kit_require(kit_equal(weft_dial(network, address, WEFT_FOREVER, &in), 0));
	kit_equal(weft_write(in, "packet", 6), 6);
	for (int i = 0; i < N_PASSED; i++) {
		kit_equal(weft_fd_deadline(out, passed[i], passed[i]), 0);
		kit_equal(weft_recvfrom(out, buf, sizeof(buf), 0, NULL, NULL), -ETIMEDOUT);
		kit_equal(weft_read(out, buf, sizeof(buf)), -ETIMEDOUT);
		kit_equal(weft_sendto(out, "x", 1, 0, (struct sockaddr *)&to, n_to), -ETIMEDOUT);
		kit_equal(weft_fd_deadline(in, passed[i], passed[i]), 0);
		kit_equal(weft_write(in, "x", 1), -ETIMEDOUT);
	}
	kit_equal(weft_fd_deadline(out, WEFT_FOREVER, weft_in(hour)), 0);
	kit_equal(weft_recvfrom(out, buf, sizeof(buf), 0, NULL, NULL), 6);
	for (int i = 0; i < N_DURATIONS; i++) {
		weft_ns moment = weft_in(durations[i]);
		kit_equal(weft_fd_read_deadline(out, moment), 0);
		kit_equal(weft_recvfrom(out, buf, sizeof(buf), 0, NULL, NULL), -ETIMEDOUT);
		kit_expect(weft_now() >= moment);
	}
	blocked b;
	kit_equal(weft_fd_read_deadline(out, WEFT_FOREVER), 0);
	start_blocked(read_blocked, &b, out, -ECANCELED);
	kit_equal(weft_fd_close(out), 0);
	weft_wg_wait(&done);
	weft_fd_close(in);
}

CASE(datagram_deadlines,
	"net.PacketConn: Go's TestReadFromTimeout, TestWriteToTimeout, TestReadFromTimeoutFluctuation, "
	"TestCloseUnblocksReadUDP")
{
	char name[64];
	snprintf(name, sizeof(name), "@weft-deadlines-%d", getpid());
	datagrams_in_time("udp", "127.0.0.1:0");
	datagrams_in_time("unixgram", name);
}

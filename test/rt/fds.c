/* rt/fds.c - descriptors under stress: numbers used again, signals, limits, memory that runs out, and kinds that are no
 * sockets. */
#include "kit/rtkit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/alloc.h"

static weft_wg done;
static atomic_int count;

/* ---- pieces ---- */

static weft_fd *listen_tcp(char address[static 64])
{
	weft_fd *l = NULL;
	kit_require(kit_equal(weft_listen("tcp", "127.0.0.1:0", &l), 0));
	kit_expect(weft_fd_local(l, address, 64) > 0);
	return l;
}

static weft_fd *dial_tcp(const char *address)
{
	weft_fd *f = NULL;
	kit_require(kit_equal(weft_dial("tcp", address, weft_in(60 * WEFT_SECOND), &f), 0));
	return f;
}

/* Both ends of a TCP connection, without a listener. */
static void connect_tcp(weft_fd *ret[static 2])
{
	char address[64];
	weft_fd *l = listen_tcp(address);
	ret[0] = dial_tcp(address);
	kit_require(kit_equal(weft_accept(l, &ret[1]), 0));
	kit_equal(weft_fd_close(l), 0);
}

/* A goroutine that reads one byte, on a reference of its own. */
typedef struct reader {
	weft_fd *f;
	ssize_t want;
	atomic_bool ended;
} reader;

static void read_one(void *arg)
{
	reader *r = arg;
	char c;
	kit_equal(weft_read(r->f, &c, 1), r->want);
	weft_fd_unref(r->f);
	r->ended = true;
	weft_wg_done(&done);
}

static void start_reader(reader *r, weft_fd *f, ssize_t want)
{
	weft_stats before;
	weft_stats_read(&before);
	r->f = weft_fd_ref(f);
	r->want = want;
	r->ended = false;
	weft_wg_add(&done, 1);
	kit_go(read_one, r);
	kit_until_parked(before.n_parked + 1);
}

/* ---- short reads ---- */

static void write_and_end(void *arg)
{
	kit_equal(weft_write_all(arg, "abc", 3), 0);
	kit_equal(weft_fd_shutdown(arg, SHUT_WR), 0);
	weft_wg_done(&done);
}

CASE(short_read_then_end, "net.Conn: the end of a stream is seen however it comes together with the last bytes")
{
	char buf[10];
	for (int i = 0; i < (int)kit_times(300); i++) {
		weft_fd *f[2];
		connect_tcp(f);
		weft_wg_add(&done, 1);
		kit_go(write_and_end, f[0]);
		if (i % 3 == 1)
			weft_wg_wait(&done);
		if (i % 3 == 2)
			weft_sleep(i * WEFT_US);
		kit_equal(weft_read_full(f[1], buf, 10), 3); /* a short read, then the end */
		weft_wg_wait(&done);
		kit_equal(weft_fd_close(f[0]), 0);
		kit_equal(weft_fd_close(f[1]), 0);
	}
}

CASE(short_read_after_deadline, "net.Conn: a deadline that cut a read off loses nothing of what comes later")
{
	weft_fd *f[2];
	char buf[10];
	connect_tcp(f);
	for (int i = 0; i < (int)kit_times(500); i++) {
		kit_equal(weft_write_all(f[0], "abc", 3), 0);
		kit_equal(weft_read(f[1], buf, 10), 3);
		kit_equal(weft_fd_read_deadline(f[1], weft_in(i % 50 * WEFT_US)), 0);
		ssize_t n = weft_read(f[1], buf, 10);
		kit_equal(n, -ETIMEDOUT);
		if (i % 2)
			kit_equal(weft_write_all(f[0], "d", 1), 0);
		kit_equal(weft_read(f[1], buf, 10), -ETIMEDOUT);
		kit_equal(weft_fd_read_deadline(f[1], WEFT_FOREVER), 0);
		if (i % 2)
			kit_equal(weft_read(f[1], buf, 10), 1);
	}
	kit_equal(weft_fd_close(f[0]), 0);
	kit_equal(weft_fd_close(f[1]), 0);
}

CASE(urgent_data, "net.h: a short read before urgent data does not hide what stands behind it")
{
	weft_fd *f[2];
	char buf[10];
	connect_tcp(f);
	for (int i = 0; i < 20; i++) {
		kit_equal(weft_write_all(f[0], "ab", 2), 0);
		kit_equal(weft_sendto(f[0], "!", 1, MSG_OOB, NULL, 0), 1);
		kit_equal(weft_write_all(f[0], "cd", 2), 0);
		if (i % 2)
			weft_sleep(WEFT_MS);
		kit_equal(weft_read_full(f[1], buf, 4), 4);
		kit_expect(!memcmp(buf, "abcd", 4));
	}
	kit_equal(weft_fd_close(f[0]), 0);
	kit_equal(weft_fd_close(f[1]), 0);
}

CASE(low_water, "net.h: options that change what a short read means may be set with the descriptor's number")
{
	weft_fd *f[2];
	char buf[10];
	int low = 4;
	connect_tcp(f);
	kit_equal(setsockopt(weft_fd_number(f[1]), SOL_SOCKET, SO_RCVLOWAT, &low, sizeof(low)), 0);
	for (int i = 0; i < 20; i++) {
		kit_equal(weft_write_all(f[0], "ab", 2), 0);
		kit_equal(weft_read(f[1], buf, 10), 2); /* fewer than the mark: nobody tells that they are there */
	}
	kit_equal(weft_fd_close(f[0]), 0);
	kit_equal(weft_fd_close(f[1]), 0);
}

/* ---- deadlines ---- */

CASE(put_off_before_it_comes, "net.Conn: SetReadDeadline: the last one set counts, later or earlier")
{
	weft_fd *f[2];
	char c;
	reader it;
	connect_tcp(f);
	kit_equal(weft_fd_read_deadline(f[0], weft_in(20 * WEFT_MS)), 0);
	kit_equal(weft_fd_read_deadline(f[0], weft_in(3600 * WEFT_SECOND)), 0);
	start_reader(&it, f[0], 1);
	weft_sleep(40 * WEFT_MS);
	kit_expect(!it.ended);
	kit_equal(weft_write(f[1], "x", 1), 1);
	weft_wg_wait(&done);
	weft_ns moment = weft_in(WEFT_MS);
	for (int i = 0; i < 20; i++) {
		kit_equal(weft_fd_read_deadline(f[0], moment), 0);
		moment += (i % 5 - 1) * WEFT_MS; /* earlier, too */
	}
	kit_equal(weft_fd_read_deadline(f[0], moment), 0);
	kit_equal(weft_read(f[0], &c, 1), -ETIMEDOUT);
	kit_expect(weft_now() >= moment);
	kit_equal(weft_fd_close(f[0]), 0);
	kit_equal(weft_fd_close(f[1]), 0);
}

/* ---- numbers used again ---- */

/* Opens, uses and closes pairs of descriptors again and again, in each of the ways in which a read ends. */
static void use_and_close(void *arg)
{
	uint64_t random = kit_seed() + (uint64_t)(uintptr_t)arg;
	for (int i = 0; i < (int)kit_times(400); i++) {
		weft_fd *r, *w;
		uint64_t dice = kit_random(&random);
		int way = (int)(dice % 3);
		kit_require(kit_equal(weft_pipe(&r, &w), 0));
		reader it = { .f = weft_fd_ref(r), .want = way == 0 ? 1 : way == 1 ? -ECANCELED : 0 };
		weft_wg_add(&done, 1);
		kit_go(read_one, &it);
		if (dice & 8)
			weft_yield();
		if (dice & 16)
			weft_sleep(10 * WEFT_US);
		if (way == 0)
			kit_equal(weft_write(w, "x", 1), 1);
		else
			weft_fd_close(way == 1 ? r : w);
		kit_until(it.ended);
		if (way != 1)
			weft_fd_close(r);
		if (way != 2)
			weft_fd_close(w);
	}
	weft_wg_done(&done);
}

CASE(numbers_storm,
	"net.h: numbers of descriptors are used again while goroutines wait in others (stale events of the poller)",
	.seconds = 30)
{
	weft_wg_add(&done, 8);
	for (int i = 0; i < 8; i++)
		kit_go(use_and_close, (void *)(intptr_t)(i + 1));
	weft_wg_wait(&done);
}

static void *close_outside(void *arg)
{
	usleep(1000);
	kit_equal(weft_fd_close(arg), 0);
	return NULL;
}

CASE(closed_by_a_thread, "net.h: weft_fd_close(): any thread")
{
	for (int i = 0; i < 10; i++) {
		weft_fd *f[2];
		pthread_t t;
		reader it;
		connect_tcp(f);
		start_reader(&it, f[0], -ECANCELED);
		kit_require(!pthread_create(&t, NULL, close_outside, f[0]));
		weft_wg_wait(&done);
		pthread_join(t, NULL);
		kit_equal(weft_fd_close(f[1]), 0);
	}
}

CASE(waiting_for_a_turn_and_closed, "net.h: those who wait for their turn return -ECANCELED, too")
{
	enum { N = 20 };
	weft_fd *f[2];
	reader its[N];
	connect_tcp(f);
	for (int i = 0; i < N; i++)
		start_reader(&its[i], f[0], -ECANCELED);
	kit_equal(weft_fd_close(f[0]), 0);
	weft_wg_wait(&done);
	kit_equal(weft_fd_close(f[1]), 0);
}

CASE(waiting_for_a_turn_and_late, "net.Conn: a deadline ends all reads, those who wait for their turn, too")
{
	enum { N = 20 };
	weft_fd *f[2];
	reader its[N];
	connect_tcp(f);
	for (int i = 0; i < N; i++)
		start_reader(&its[i], f[0], -ETIMEDOUT);
	kit_equal(weft_fd_read_deadline(f[0], weft_in(WEFT_MS)), 0);
	weft_wg_wait(&done);
	kit_equal(weft_fd_close(f[0]), 0);
	kit_equal(weft_fd_close(f[1]), 0);
}

/* ---- many ---- */

CASE(thousand_wait, "net: a goroutine for each connection, all waiting; each gets what was sent to it")
{
	enum { N = 1000 };
	int n = (int)kit_times(N) + 20;
	static weft_fd *f[N + 20][2];
	static reader its[N + 20];
	for (int i = 0; i < n; i++) {
		int fds[2];
		kit_require(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
		kit_require(!weft_fd_wrap(fds[0], &f[i][0]) && !weft_fd_wrap(fds[1], &f[i][1]));
		start_reader(&its[i], f[i][0], 1);
	}
	for (int i = n - 1; i >= 0; i -= 2)
		kit_equal(weft_write(f[i][1], "x", 1), 1);
	for (int i = n - 1; i >= 0; i -= 2)
		kit_until(its[i].ended);
	for (int i = n - 2; i >= 0; i -= 2) {
		kit_expect(!its[i].ended);
		kit_equal(weft_write(f[i][1], "x", 1), 1);
	}
	weft_wg_wait(&done);
	for (int i = 0; i < n; i++) {
		kit_equal(weft_fd_close(f[i][0]), 0);
		kit_equal(weft_fd_close(f[i][1]), 0);
	}
}

static void accept_until_closed(void *arg)
{
	weft_fd *f;
	int err;
	while ((err = weft_accept(arg, &f)) == 0) {
		count++;
		kit_equal(weft_fd_close(f), 0);
	}
	kit_equal(err, -ECANCELED);
	weft_fd_unref(arg);
	weft_wg_done(&done);
}

static char storm_at[64];

static void dial_and_wait_end(void *arg)
{
	char c;
	(void)arg;
	for (int i = 0; i < 10; i++) {
		weft_fd *f = dial_tcp(storm_at);
		kit_equal(weft_read(f, &c, 1), 0);
		kit_equal(weft_fd_close(f), 0);
	}
	weft_wg_done(&done);
}

CASE(accept_storm, "net.Listener: several goroutines accept, many dial; every connection is accepted once",
	.seconds = 20)
{
	weft_fd *l = listen_tcp(storm_at);
	weft_wg dialled = { 0 };
	int n = (int)kit_times(50) + 4;
	weft_wg_add(&done, 5);
	for (int i = 0; i < 5; i++)
		kit_go(accept_until_closed, weft_fd_ref(l));
	for (int i = 0; i < n; i++)
		kit_equal(weft_wg_go(&dialled, dial_and_wait_end, (weft_wg_add(&done, 1), NULL)), 0);
	weft_wg_wait(&dialled);
	kit_equal(count, n * 10);
	kit_equal(weft_fd_close(l), 0);
	weft_wg_wait(&done);
}

/* ---- signals ---- */

static atomic_bool storm_over;

static void on_signal(int number)
{
	(void)number;
}

/* To every thread: a signal to the process goes to the first one that takes it. */
static void *send_signals(void *arg)
{
	(void)arg;
	while (!storm_over) {
		DIR *threads = opendir("/proc/self/task");
		for (struct dirent *d; threads && (d = readdir(threads)) != NULL;)
			if (atoi(d->d_name))
				syscall(SYS_tgkill, getpid(), atoi(d->d_name), SIGUSR1);
		closedir(threads);
		usleep(50);
	}
	return NULL;
}

static void echo(void *arg)
{
	char buf[100];
	ssize_t n;
	while ((n = weft_read(arg, buf, sizeof(buf))) > 0)
		kit_equal(weft_write_all(arg, buf, (size_t)n), 0);
	kit_equal(n, 0);
	kit_equal(weft_fd_close(arg), 0);
	weft_wg_done(&done);
}

static void work_under_signals(void *arg)
{
	char name[64], buf[8192] = "";
	snprintf(name, sizeof(name), "/tmp/weft-test-%d-%d", getpid(), (int)(intptr_t)arg);
	for (int i = 0; i < (int)kit_times(30) + 2; i++) {
		weft_fd *f[2], *file;
		connect_tcp(f);
		weft_wg_add(&done, 1);
		kit_go(echo, f[1]);
		for (int k = 0; k < 10; k++) {
			kit_equal(weft_write_all(f[0], "abc", 3), 0);
			kit_equal(weft_read_full(f[0], buf, 3), 3);
		}
		kit_equal(weft_fd_close(f[0]), 0);
		kit_require(kit_equal(weft_open(name, O_RDWR | O_CREAT, 0600, &file), 0));
		kit_equal(weft_write_all(file, buf, sizeof(buf)), 0);
		kit_equal(weft_pread(file, buf, sizeof(buf), 0), sizeof(buf));
		kit_equal(weft_fd_close(file), 0);
		weft_sleep(100 * WEFT_US);
	}
	unlink(name);
	weft_wg_done(&done);
}

static char fifo[64];

static void open_other_side(void *arg)
{
	weft_fd *w = NULL;
	weft_sleep(3 * WEFT_MS);
	kit_equal(weft_open(fifo, O_WRONLY, 0, &w), 0);
	kit_equal(weft_write(w, "x", 1), 1);
	kit_equal(weft_fd_close(w), 0);
	(void)arg;
	weft_wg_done(&done);
}

/* A call that really blocks its thread. */
static void open_fifos(void *arg)
{
	(void)arg;
	snprintf(fifo, sizeof(fifo), "/tmp/weft-test-%d.fifo", getpid());
	kit_require(!mkfifo(fifo, 0600));
	for (int i = 0; i < 20; i++) {
		weft_fd *r = NULL;
		char c;
		weft_wg_add(&done, 1);
		kit_go(open_other_side, NULL);
		kit_require(kit_equal(weft_open(fifo, O_RDONLY, 0, &r), 0));
		kit_equal(weft_read(r, &c, 1), 1);
		kit_equal(weft_read(r, &c, 1), 0);
		kit_equal(weft_fd_close(r), 0);
	}
	unlink(fifo);
	weft_wg_done(&done);
}

CASE(signal_storm, "net.h: EINTR never comes through", .seconds = 30)
{
	struct sigaction a = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK }; /* without SA_RESTART */
	pthread_t t;
	sigaction(SIGUSR1, &a, NULL);
	kit_require(!pthread_create(&t, NULL, send_signals, NULL));
	weft_wg_add(&done, 5);
	kit_go(open_fifos, NULL);
	for (int i = 0; i < 4; i++)
		kit_go(work_under_signals, (void *)(intptr_t)i);
	weft_wg_wait(&done);
	storm_over = true;
	pthread_join(t, NULL);
}

/* ---- limits ---- */

CASE(no_more_numbers, "net.h: -EMFILE is an answer, and nothing is lost by it")
{
	char address[64];
	weft_fd *l = listen_tcp(address), *f = NULL, *g = NULL, *a = NULL;
	weft_fd *client = dial_tcp(address);
	int first = dup(0);
	struct rlimit old, none;
	kit_require(first >= 0 && !close(first) && !getrlimit(RLIMIT_NOFILE, &old));
	none = (struct rlimit){ .rlim_cur = (rlim_t)first, .rlim_max = old.rlim_max };
	kit_require(!setrlimit(RLIMIT_NOFILE, &none));
	kit_equal(weft_accept(l, &a), -EMFILE);
	kit_equal(weft_dial("tcp", address, WEFT_FOREVER, &f), -EMFILE);
	kit_equal(weft_listen("tcp", "127.0.0.1:0", &f), -EMFILE);
	kit_equal(weft_pipe(&f, &g), -EMFILE);
	kit_equal(weft_open("/dev/null", O_RDONLY, 0, &f), -EMFILE);
	kit_expect(!f && !g && !a);
	kit_require(!setrlimit(RLIMIT_NOFILE, &old));
	kit_equal(weft_accept(l, &a), 0); /* it was kept */
	kit_equal(weft_write_all(client, "x", 1), 0);
	char c;
	kit_equal(weft_read(a, &c, 1), 1);
	weft_fd_close(a);
	weft_fd_close(client);
	weft_fd_close(l);
}

static int try_everything(const char *address, weft_fd *l)
{
	weft_fd *f = NULL, *g = NULL, *h = NULL;
	int err = weft_pipe(&f, &g);
	if (err == 0) {
		weft_fd_close(f);
		weft_fd_close(g);
		f = NULL;
		err = weft_listen("unix", "@weft-test-memory", &f);
	}
	if (err == 0) {
		weft_fd_close(f);
		err = weft_dial("tcp", address, weft_in(60 * WEFT_SECOND), &h);
	}
	if (err == 0) {
		err = weft_accept(l, &f);
		if (err == 0)
			weft_fd_close(f);
		weft_fd_close(h);
	}
	struct sockaddr_storage found;
	if (err == 0 && weft_lookup("127.0.0.1", WEFT_FOREVER, &found, 1) < 0)
		err = -ENOMEM;
	return err;
}

CASE(no_more_memory, "net.h: -ENOMEM for every allocation that fails, and no descriptor is left open", .procs = 1)
{
	char address[64];
	weft_fd *l = listen_tcp(address);
	kit_equal(try_everything(address, l), 0);
	int before = dup(0), err = -1;
	close(before);
	for (uint64_t nth = 1; err != 0 && nth < 1000; nth++) {
		wb_fault_arm(nth, /* sticky= */ false);
		err = try_everything(address, l);
		wb_fault_arm(0, false);
		kit_expect(err == 0 || err == -ENOMEM);
		weft_fd *left = NULL; /* a connection that was dialled, and could not be accepted */
		weft_fd_read_deadline(l, weft_in(WEFT_MS));
		while (weft_accept(l, &left) == 0)
			weft_fd_close(left);
		weft_fd_read_deadline(l, WEFT_FOREVER);
	}
	kit_equal(err, 0);
	int after = dup(0);
	kit_equal(after, before);
	close(after);
	weft_fd_close(l);
}

CASE(queue_is_full, "net.Dialer: a Unix listener without room: the dial waits, and its deadline holds")
{
	int l = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct {
		sa_family_t family;
		char name[20];
	} at = { AF_UNIX, "" };
	snprintf(at.name + 1, sizeof(at.name) - 1, "weft-full-%d", getpid());
	socklen_t n = (socklen_t)(sizeof(sa_family_t) + 1 + strlen(at.name + 1));
	char address[32];
	snprintf(address, sizeof(address), "@%s", at.name + 1);
	kit_require(!bind(l, (struct sockaddr *)&at, n) && !listen(l, 0));
	weft_fd *f[8] = { NULL };
	int err = 0, n_open = 0;
	while (n_open < 8 && (err = weft_dial("unix", address, weft_in(20 * WEFT_MS), &f[n_open])) == 0)
		n_open++;
	kit_equal(err, -ETIMEDOUT);
	kit_expect(n_open >= 1);
	close(accept(l, NULL, NULL)); /* room for one more */
	kit_equal(weft_dial("unix", address, weft_in(60 * WEFT_SECOND), &f[n_open]), 0);
	for (int i = 0; i < 8; i++)
		weft_fd_close(f[i]);
	close(l);
}

/* ---- other kinds ---- */

CASE(terminal, "net.h: a terminal is read without stalling others, keeps its mode, and has deadlines")
{
	int master, slave;
	char buf[20];
	weft_fd *f = NULL;
	kit_require(!openpty(&master, &slave, NULL, NULL, NULL));
	kit_require(kit_equal(weft_fd_wrap(slave, &f), 0));
	kit_equal(fcntl(slave, F_GETFL) & O_NONBLOCK, 0);
	kit_equal(weft_fd_read_deadline(f, weft_in(WEFT_MS)), 0);
	kit_equal(weft_read(f, buf, sizeof(buf)), -ETIMEDOUT);
	kit_equal(weft_fd_read_deadline(f, WEFT_FOREVER), 0);
	reader it;
	start_reader(&it, f, 1);
	kit_equal(write(master, "y\n", 2), 2);
	weft_wg_wait(&done);
	kit_equal(weft_read(f, buf, sizeof(buf)), 1); /* the end of the line */
	kit_equal(weft_write_all(f, "hello", 5), 0);
	start_reader(&it, f, -ECANCELED);
	kit_equal(weft_fd_close(f), 0);
	weft_wg_wait(&done);
	close(master);
}

CASE(blocking_pipe, "net.h: a wrapped pipe keeps its mode: it may be another program's standard output")
{
	enum { BIG = 300000 };
	int fds[2];
	weft_fd *r = NULL, *w = NULL;
	kit_require(!pipe(fds));
	kit_equal(weft_fd_wrap(fds[0], &r), 0);
	kit_equal(weft_fd_wrap(fds[1], &w), 0);
	kit_equal((fcntl(fds[0], F_GETFL) | fcntl(fds[1], F_GETFL)) & O_NONBLOCK, 0);
	reader it;
	start_reader(&it, r, 1);
	kit_equal(weft_write(w, "x", 1), 1);
	weft_wg_wait(&done);
	char *big = calloc(2, BIG);
	kit_equal(weft_fd_write_deadline(w, weft_in(5 * WEFT_MS)), 0);
	kit_equal(weft_write_all(w, big, BIG), -ETIMEDOUT); /* full */
	kit_equal(weft_fd_write_deadline(w, WEFT_FOREVER), 0);
	ssize_t n = 0;
	kit_equal(weft_fd_read_deadline(r, weft_in(5 * WEFT_MS)), 0);
	while (n >= 0)
		n = weft_read(r, big, BIG);
	kit_equal(n, -ETIMEDOUT); /* empty again */
	kit_equal(weft_fd_close(w), 0);
	kit_equal(weft_fd_close(r), 0);
	free(big);
}

CASE(others, "net.h: any kind: events, timers, devices, directories, memory")
{
	uint64_t n = 0;
	weft_fd *f = NULL;
	char buf[8];
	int event = eventfd(0, EFD_CLOEXEC), timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	struct itimerspec soon = { .it_value.tv_nsec = 3000000 };
	kit_equal(weft_fd_wrap(event, &f), 0);
	kit_equal(weft_fd_wrap(event, &f), -EEXIST);
	kit_equal(weft_fd_read_deadline(f, weft_in(WEFT_MS)), 0);
	kit_equal(weft_read(f, &n, 8), -ETIMEDOUT);
	kit_equal(weft_fd_read_deadline(f, WEFT_FOREVER), 0);
	n = 3;
	kit_equal(weft_write(f, &n, 8), 8);
	kit_equal(weft_read(f, &n, 8), 8);
	kit_equal(n, 3);
	kit_equal(weft_fd_close(f), 0);
	timerfd_settime(timer, 0, &soon, NULL);
	kit_equal(weft_fd_wrap(timer, &f), 0);
	kit_equal(weft_read(f, &n, 8), 8);
	kit_equal(n, 1);
	kit_equal(weft_fd_close(f), 0);
	kit_equal(weft_open("/dev/null", O_RDWR, 0, &f), 0);
	kit_equal(weft_write_all(f, "abc", 3), 0);
	kit_equal(weft_read(f, buf, 8), 0);
	kit_equal(weft_fd_read_deadline(f, 0), -EOPNOTSUPP);
	kit_equal(weft_fd_close(f), 0);
	kit_equal(weft_open("/tmp", O_RDONLY | O_DIRECTORY, 0, &f), 0);
	kit_equal(weft_read(f, buf, 8), -EISDIR);
	kit_equal(weft_fd_shutdown(f, SHUT_RDWR), -ENOTSOCK);
	kit_equal(weft_fd_peer(f, buf, 8), -ENOTSOCK);
	kit_equal(weft_fd_close(f), 0);
}

/* ---- doing nothing ---- */

CASE(idle_is_idle, "net: a program that waits for a descriptor takes no processor time", .soft = true)
{
	weft_fd *f[2];
	reader it;
	struct rusage before, after;
	connect_tcp(f);
	start_reader(&it, f[0], 1);
	weft_sleep(300 * WEFT_MS); /* the monitor comes to rest */
	getrusage(RUSAGE_SELF, &before);
	weft_sleep(500 * WEFT_MS);
	getrusage(RUSAGE_SELF, &after);
	kit_expect(after.ru_nvcsw - before.ru_nvcsw < 40); /* 500 with a thread that looks each millisecond */
	kit_equal(weft_write(f[1], "x", 1), 1);
	weft_wg_wait(&done);
	kit_equal(weft_fd_close(f[0]), 0);
	kit_equal(weft_fd_close(f[1]), 0);
}

/* rt/conns.c - listeners, connections and pipes, beside their deadlines: the cases of the tests of Go's packages net,
 * os and internal/poll. */
#include "kit/rtkit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rt/net/fd.h"

static weft_wg done;
static atomic_int count;

/* ---- pieces ---- */

static weft_fd *listen_at(const char *network, const char *at, char ret[static 128])
{
	weft_fd *l = NULL;
	kit_require(kit_equal(weft_listen(network, at, &l), 0));
	kit_require(weft_fd_local(l, ret, 128) >= 0);
	return l;
}

static weft_fd *dial(const char *network, const char *at)
{
	weft_fd *f = NULL;
	kit_require(kit_equal(weft_dial(network, at, weft_in(60 * WEFT_SECOND), &f), 0));
	return f;
}

static const char *own_name(const char *what)
{
	static char name[64];
	static weft_ns began; /* a process of before may have had this one's number, and have left something behind */
	began = began ? began : weft_wall();
	snprintf(name, sizeof(name), "%s-%d-%llx", what, getpid(), (unsigned long long)began);
	return name;
}

/* A connection: the dialled end and the accepted one. */
static void connect_over(weft_fd *ret[static 2], const char *network)
{
	char at[128];
	weft_fd *l = listen_at(network, strcmp(network, "tcp") ? own_name("@weft-conns") : "127.0.0.1:0", at);
	ret[0] = dial(network, at);
	kit_require(kit_equal(weft_accept(l, &ret[1]), 0));
	kit_equal(weft_fd_close(l), 0);
}

static void close_both(weft_fd *f[static 2])
{
	weft_fd_close(f[0]);
	weft_fd_close(f[1]);
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
	*r = (reader){ .f = weft_fd_ref(f), .want = want };
	weft_wg_add(&done, 1);
	kit_go(read_one, r);
	kit_until_parked(1);
}

static const char *const streams[] = { "tcp", "unix", "unixpacket" };
enum { N_STREAMS = sizeof(streams) / sizeof(streams[0]) };

/* ---- reads and writes of nothing ---- */

static void read_nothing(weft_fd *out, weft_fd *in)
{
	char c = 'c';
	kit_equal(weft_read(out, &c, 0), 0); /* does not wait */
	kit_equal(weft_read(out, NULL, 0), 0);
	kit_equal(weft_read_full(out, &c, 0), 0);
	kit_equal(weft_write(in, "", 0), 0);
	kit_equal(weft_write_all(in, "", 0), 0);
	kit_equal(weft_write(in, "x", 1), 1);
	kit_equal(weft_read(out, &c, 0), 0); /* takes nothing away */
	kit_equal(weft_read(out, &c, 1), 1);
	kit_equal(c, 'x');
}

CASE(nothing_is_read, "Go's net.TestZeroByteRead, os.TestRead0: a read of no bytes returns at once, and takes nothing")
{
	weft_fd *f[2];
	for (int i = 0; i < 2; i++) {
		connect_over(f, streams[i]);
		read_nothing(f[0], f[1]);
		close_both(f);
	}
	kit_equal(weft_pipe(&f[0], &f[1]), 0);
	read_nothing(f[0], f[1]);
	close_both(f);
	int fds[2];
	kit_require(!pipe2(fds, O_CLOEXEC)); /* in blocking mode */
	kit_equal(weft_fd_wrap(fds[0], &f[0]), 0);
	kit_equal(weft_fd_wrap(fds[1], &f[1]), 0);
	read_nothing(f[0], f[1]);
	close_both(f);
}

static void empty_datagrams(const char *network, const char *address)
{
	char at[128], buf[10];
	weft_fd *out = listen_at(network, address, at), *in = dial(network, at);
	for (int i = 0; i < 4; i++) {
		kit_equal(weft_write(in, "", 0), 0);
		kit_equal(i % 2 ? weft_read(out, buf, 10) : weft_recvfrom(out, buf, 10, 0, NULL, NULL), 0);
	}
	for (int i = 0; i < 4; i++) {
		kit_equal(weft_write(in, "lost", 4), 4);
		kit_equal(i % 2 ? weft_read(out, NULL, 0) : weft_recvfrom(out, NULL, 0, 0, NULL, NULL), 0);
	}
	kit_equal(weft_write(in, "last", 4), 4);
	kit_equal(weft_read(out, buf, 10), 4);
	kit_expect(!memcmp(buf, "last", 4));
	weft_fd_close(in);
	weft_fd_close(out);
}

CASE(datagrams_of_nothing,
	"Go's TestUDPZeroBytePayload, TestUDPZeroByteBuffer, TestUnixgramZeroBytePayload, TestUnixgramZeroByteBuffer")
{
	empty_datagrams("udp", "127.0.0.1:0");
	empty_datagrams("unixgram", own_name("@weft-conns"));
}

/* ---- one direction, and both, are closed ---- */

CASE(close_read,
	"net.TCPConn.CloseRead: shuts down the reading side (Go's TestCloseRead): a read ends, one that waits, too")
{
	for (int i = 0; i < N_STREAMS; i++) {
		weft_fd *f[2];
		char c;
		reader r;
		connect_over(f, streams[i]);
		start_reader(&r, f[0], 0);
		kit_equal(weft_fd_shutdown(f[0], SHUT_RD), 0);
		weft_wg_wait(&done);
		kit_equal(weft_read(f[0], &c, 1), 0);
		kit_equal(weft_write(f[0], "x", 1), 1); /* the other way is open */
		kit_equal(weft_read(f[1], &c, 1), 1);
		close_both(f);
	}
}

CASE(close_write,
	"net.TCPConn.CloseWrite: shuts down the writing side (Go's TestCloseWrite): the peer reads the end, here "
	"it is -EPIPE")
{
	for (int i = 0; i < N_STREAMS; i++) {
		weft_fd *f[2];
		char c;
		reader r;
		connect_over(f, streams[i]);
		start_reader(&r, f[1], 0);
		kit_equal(weft_fd_shutdown(f[0], SHUT_WR), 0);
		weft_wg_wait(&done);
		kit_equal(weft_write(f[0], "x", 1), -EPIPE);
		kit_equal(weft_write_all(f[0], "x", 1), -EPIPE);
		kit_equal(weft_writev(f[0], &(struct iovec){ "x", 1 }, 1), -EPIPE);
		kit_equal(weft_read(f[1], &c, 1), 0);
		kit_equal(weft_fd_shutdown(f[1], SHUT_WR), 0);
		kit_equal(weft_read(f[0], &c, 1), 0);
		close_both(f);
	}
}

CASE(closed_twice,
	"Go's os.TestDoubleCloseError, net.TestConnClose, TestListenerClose, TestPacketConnClose, TestCloseError")
{
	weft_fd *f[4];
	char at[128], c;
	connect_over(f, "tcp");
	f[2] = listen_at("tcp", "127.0.0.1:0", at);
	f[3] = listen_at("udp", "127.0.0.1:0", at);
	for (int i = 0; i < 4; i++) {
		weft_fd *other = NULL;
		weft_fd_ref(f[i]);
		kit_equal(weft_fd_close(weft_fd_ref(f[i])), 0);
		kit_equal(weft_fd_close(weft_fd_ref(f[i])), -ECANCELED);
		kit_equal(weft_fd_close(f[i]), -ECANCELED);
		kit_equal(weft_read(f[i], &c, 1), -ECANCELED);
		kit_equal(weft_read(f[i], &c, 0), -ECANCELED);
		kit_equal(weft_write_all(f[i], "x", 1), -ECANCELED);
		kit_equal(weft_accept(f[i], &other), -ECANCELED);
		kit_equal(weft_fd_shutdown(f[i], SHUT_RD), -ECANCELED);
		kit_equal(weft_fd_local(f[i], at, sizeof(at)), -ECANCELED);
		kit_equal(weft_fd_peer(f[i], at, sizeof(at)), -ECANCELED);
		weft_fd_unref(f[i]);
	}
}

/* Uses a descriptor until it is closed, with a reference of its own. */
static void read_until_closed(void *arg)
{
	char buf[16];
	ssize_t n;
	while ((n = weft_read(arg, buf, sizeof(buf))) >= 0)
		weft_yield();
	kit_equal(n, -ECANCELED);
	weft_fd_unref(arg);
	weft_wg_done(&done);
}

static void write_until_closed(void *arg)
{
	ssize_t n;
	while ((n = weft_write(arg, "some bytes", 10)) >= 0)
		weft_yield();
	kit_expect(n == -ECANCELED || n == -EPIPE);
	weft_fd_unref(arg);
	weft_wg_done(&done);
}

static void close_it(void *arg)
{
	int err = weft_fd_close(arg);
	kit_expect(err == 0 || err == -ECANCELED);
	count += err == 0;
	weft_wg_done(&done);
}

static void close_race(weft_fd *out, weft_fd *in)
{
	count = 0;
	weft_wg_add(&done, 4);
	kit_go(read_until_closed, weft_fd_ref(out));
	kit_go(write_until_closed, weft_fd_ref(in));
	weft_yield();
	weft_sleep(20 * WEFT_US);
	kit_go(close_it, weft_fd_ref(out));
	kit_go(close_it, out);
	if (in != out) {
		weft_wg_add(&done, 1);
		kit_go(close_it, in);
	}
	weft_wg_wait(&done);
	kit_equal(count, in == out ? 1 : 2);
}

CASE(close_races,
	"Go's os.TestFileIOCloseRace, TestPipeIOCloseRace, TestPipeCloseRace, net.TestFileCloseRace: one close "
	"succeeds, and ends all that is going on")
{
	const char *name = own_name("/tmp/weft-conns");
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < (int)kit_times(20); i++) {
		weft_fd *f[2];
		kit_require(kit_equal(weft_open(name, O_RDWR | O_CREAT | O_TRUNC, 0600, &f[0]), 0));
		close_race(f[0], f[0]);
		kit_require(kit_equal(weft_pipe(&f[0], &f[1]), 0));
		close_race(f[0], f[1]);
		connect_over(f, "unix");
		close_race(f[0], f[0]);
		weft_fd_close(f[1]);
	}
	unlink(name);
}

static void look_at_number(void *arg)
{
	for (int i = 0; i < 100; i++) {
		kit_expect(weft_fd_number(arg) >= 0);
		weft_yield();
	}
	weft_fd_unref(arg);
	weft_wg_done(&done);
}

CASE(number_while_reading, "Go's os.TestFdRace, TestFdReadRace: the number may be asked for while another reads")
{
	weft_fd *f[2];
	reader r;
	connect_over(f, "tcp");
	start_reader(&r, f[0], -ETIMEDOUT);
	weft_wg_add(&done, 10);
	for (int i = 0; i < 10; i++)
		kit_go(look_at_number, weft_fd_ref(f[0]));
	kit_expect(!r.ended);
	kit_equal(weft_fd_read_deadline(f[0], weft_in(WEFT_MS)), 0);
	weft_wg_wait(&done);
	close_both(f);
}

CASE(too_many_at_once, "Go's internal/poll.TestMutexOverflowPanic: more calls at once than can be counted",
	.dies = "panic: too many concurrent operations on a single file or socket (max 1048575)")
{
	weft_fd *f[2];
	char c;
	connect_over(f, "tcp");
	atomic_fetch_add(&f[0]->state, WEFT__FD_CALL * 1048575); /* as if so many were in it */
	weft_read(f[0], &c, 1);
}

/* ---- listening ---- */

static int free_port(void)
{
	char at[128];
	weft_fd *l = listen_at("tcp", "127.0.0.1:0", at);
	weft_fd_close(l);
	return atoi(strrchr(at, ':') + 1);
}

CASE(listen_again, "Go's TestClosingListener, TestTCPListenAfterClose, TestListenError: an address is in use until its "
		   "listener is "
		   "closed, and free at once then")
{
	static const char *const networks[] = { "tcp", "udp", "unix", "unixgram", "unixpacket" };
	char at[128];
	for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
		const char *address = i < 2 ? "127.0.0.1:0" : own_name("/tmp/weft-conns");
		weft_fd *l = listen_at(networks[i], address, at), *second = NULL;
		for (int k = 0; k < 3; k++) {
			kit_equal(weft_listen(networks[i], at, &second), -EADDRINUSE);
			kit_expect(!second);
			weft_fd *client = dial(networks[i], at);
			weft_fd_close(client);
			kit_equal(weft_fd_close(l), 0);
			l = listen_at(networks[i], at, at);
		}
		kit_equal(weft_fd_close(l), 0);
	}
	kit_equal(weft_listen("unix", "/there/is/no/such/folder", &(weft_fd *){ NULL }), -ENOENT);
}

CASE(aborted_connection,
	"Go's TestAcceptIgnoreAbortedConnRequest: a connection that its client gave up does not end accepting")
{
	char at[128], buf[4];
	weft_fd *l = listen_at("tcp", "127.0.0.1:0", at);
	struct linger reset = { .l_onoff = 1 };
	for (int i = 0; i < 5; i++) {
		weft_fd *gone = dial("tcp", at), *f = NULL;
		kit_equal(setsockopt(weft_fd_number(gone), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
		kit_equal(weft_fd_close(gone), 0);
		weft_fd *client = dial("tcp", at);
		kit_equal(weft_write(client, "x", 1), 1);
		kit_require(kit_equal(weft_accept(l, &f), 0));
		ssize_t n = weft_read(f, buf, sizeof(buf));
		kit_expect(n == 1 || n == -ECONNRESET); /* Linux hands out the one that was reset, too */
		if (n < 0) {
			kit_equal(weft_read(f, buf, sizeof(buf)), 0);
			weft_fd_close(f);
			kit_require(kit_equal(weft_accept(l, &f), 0));
			kit_equal(weft_read(f, buf, sizeof(buf)), 1);
		}
		weft_fd_close(f);
		weft_fd_close(client);
	}
	weft_fd_close(l);
}

static bool has_v6(void)
{
	weft_fd *l = NULL;
	if (weft_listen("tcp", "[::1]:0", &l) < 0)
		return false;
	weft_fd_close(l);
	return true;
}

static void accept_two(const char *listen, const char *one, const char *two)
{
	char at[128], text[64];
	weft_fd *l = listen_at("tcp", listen, at), *f = NULL;
	const char *const hosts[] = { one, two };
	for (int i = 0; i < 2; i++) {
		snprintf(text, sizeof(text), "%s%s", hosts[i], strrchr(at, ':'));
		weft_fd *client = dial("tcp", text);
		kit_equal(weft_accept(l, &f), 0);
		weft_fd_close(client);
		weft_fd_close(f);
	}
	weft_fd_close(l);
}

static void receive_two(void)
{
	static const char *const hosts[] = { "127.0.0.1", "[::1]" };
	char at[128], text[64], buf[4];
	weft_fd *out = listen_at("udp", ":0", at);
	for (int i = 0; i < 2; i++) {
		snprintf(text, sizeof(text), "%s%s", hosts[i], strrchr(at, ':'));
		weft_fd *in = dial("udp", text);
		kit_equal(weft_write(in, "x", 1), 1);
		kit_equal(weft_read(out, buf, sizeof(buf)), 1);
		weft_fd_close(in);
	}
	weft_fd_close(out);
}

CASE(both_families, "Go's TestDualStackTCPListener, TestDualStackUDPListener, TestWildWildcardListener, TestDialLocal: "
		    "no host is every address, of "
		    "both families; to dial it is this machine")
{
	accept_two(":0", "127.0.0.1", "");
	accept_two("0.0.0.0:0", "127.0.0.1", "");
	if (!has_v6())
		return;
	accept_two(":0", "127.0.0.1", "[::1]");
	receive_two();
	char four[64], six[64], at[128];
	int port = free_port();
	snprintf(four, sizeof(four), "127.0.0.1:%d", port);
	snprintf(six, sizeof(six), "[::1]:%d", port);
	weft_fd *a = listen_at("tcp4", four, at), *b = listen_at("tcp6", six, at), *f = NULL;
	kit_equal(weft_dial("tcp6", four, weft_in(WEFT_SECOND), &f) < 0, true); /* no such address there */
	kit_equal(weft_fd_close(a), 0);
	kit_equal(weft_dial("tcp", four, weft_in(60 * WEFT_SECOND), &f), -ECONNREFUSED);
	weft_fd_close(b);
}

/* ---- Unix sockets ---- */

static bool there(const char *path)
{
	return access(path, F_OK) == 0;
}

CASE(unlink_once, "Go's TestUnixUnlink: closing a listener removes its path, once, and not that of a copy")
{
	char at[128];
	const char *path = own_name("/tmp/weft-conns");
	weft_fd *l = listen_at("unix", path, at), *copy = NULL;
	kit_require(kit_equal(weft_fd_wrap(dup(weft_fd_number(l)), &copy), 0));
	kit_equal(weft_fd_close(copy), 0);
	kit_expect(there(path));
	weft_fd_ref(l);
	kit_equal(weft_fd_close(l), 0);
	kit_expect(!there(path));
	int other = open(path, O_CREAT | O_RDWR, 0600);
	kit_equal(weft_fd_close(weft_fd_ref(l)), -ECANCELED);
	weft_fd_unref(l);
	kit_expect(there(path)); /* that is another's */
	close(other);
	unlink(path);
}

CASE(names_of_unix_sockets,
	"Go's TestUnixConnLocalAndRemoteNames, TestUnixAbstractLongNameNulStart: names of every length; who has none")
{
	char longest[109] = "@", at[128], text[128];
	struct sockaddr_un un;
	memset(longest + 1, 'x', 106); /* 107 bytes */
	weft_fd *l = listen_at("unix", longest, at), *f = dial("unix", longest), *none = NULL;
	kit_expect(!strcmp(at, longest));
	kit_equal(weft_fd_peer(f, text, sizeof(text)), 107);
	kit_expect(!strcmp(text, longest));
	kit_equal(weft_fd_local(f, text, sizeof(text)), 0); /* it is not bound */
	weft_fd_close(f);
	weft_fd_close(l);
	memset(longest + 1, 'x', 107);
	kit_equal(sizeof(un.sun_path), 108);
	kit_equal(weft_listen("unix", longest, &none), -ENAMETOOLONG);
	kit_equal(weft_listen("unix", "", &none), -EINVAL);
}

CASE(unnamed_sender, "Go's TestReadUnixgramWithUnnamedSocket: a packet of a socket without a name has no sender")
{
	char at[128], buf[64];
	weft_fd *out = listen_at("unixgram", own_name("@weft-conns"), at), *in = dial("unixgram", at);
	struct sockaddr_un from;
	socklen_t n_from = sizeof(from);
	kit_equal(weft_write(in, "12345", 5), 5);
	kit_equal(weft_recvfrom(out, buf, sizeof(buf), 0, (struct sockaddr *)&from, &n_from), 5);
	kit_expect(n_from <= sizeof(sa_family_t));
	weft_fd_close(in);
	weft_fd_close(out);
}

CASE(datagrams_and_addresses, "Go's TestUnixgramWrite, TestWriteToUDP: a socket that is not connected writes to an "
			      "address, another to its own "
			      "peer")
{
	static const char *const networks[] = { "udp", "unixgram" };
	static const int no_peer[] = { -EDESTADDRREQ, -ENOTCONN };
	for (int i = 0; i < 2; i++) {
		char at[128], other[128], buf[10];
		weft_fd *a = listen_at(networks[i], i ? own_name("@weft-conns") : "127.0.0.1:0", at),
			*c = dial(networks[i], at);
		weft_fd *b = listen_at(networks[i], i ? own_name("@weft-other") : "127.0.0.1:0", other);
		struct sockaddr_storage to;
		socklen_t n_to = sizeof(to);
		kit_require(!getsockname(weft_fd_number(a), (struct sockaddr *)&to, &n_to));
		kit_equal(weft_write(b, "x", 1), no_peer[i]);
		kit_equal(weft_sendto(b, "ab", 2, 0, (struct sockaddr *)&to, n_to), 2);
		kit_equal(weft_read(a, buf, sizeof(buf)), 2);
		kit_equal(weft_write(c, "abc", 3), 3);
		kit_equal(weft_read(a, buf, sizeof(buf)), 3);
		kit_equal(weft_fd_read_deadline(a, 0), 0);
		kit_equal(weft_recvfrom(a, buf, sizeof(buf), 0, NULL, NULL), -ETIMEDOUT);
		weft_fd_close(a);
		weft_fd_close(b);
		weft_fd_close(c);
	}
}

CASE(packets_in_order, "net: \"unixpacket\" is connected, and keeps the bounds of packets (Go's "
		       "TestUnixAndUnixpacketServer)")
{
	weft_fd *f[2];
	char buf[10];
	connect_over(f, "unixpacket");
	for (int i = 0; i < 5; i++) {
		kit_equal(weft_write(f[0], "packet", 6), 6);
		kit_equal(weft_write(f[0], "two", 3), 3);
		kit_equal(weft_read(f[1], buf, sizeof(buf)), 6);
		kit_equal(weft_read(f[1], buf, 2), 2); /* the rest is lost */
	}
	kit_equal(weft_fd_close(f[0]), 0);
	kit_equal(weft_read(f[1], buf, sizeof(buf)), 0);
	weft_fd_close(f[1]);
}

/* ---- pieces ---- */

enum { PIECES = 3000 }; /* more than the kernel takes at once */

static void write_pieces(void *arg)
{
	static struct iovec iov[PIECES];
	static char bytes[PIECES];
	for (int i = 0; i < PIECES; i++) {
		bytes[i] = (char)i;
		iov[i] = (struct iovec){ &bytes[i], 1 };
	}
	for (int at = 0; at < PIECES;) {
		ssize_t n = weft_writev(arg, iov + at, PIECES - at);
		kit_require(n > 0);
		at += (int)n;
	}
	weft_wg_done(&done);
}

CASE(many_pieces, "Go's TestBuffers_WriteTo: more pieces than the kernel takes at once are a short write, none is lost")
{
	weft_fd *f[2];
	char buf[PIECES];
	connect_over(f, "tcp");
	weft_wg_add(&done, 1);
	kit_go(write_pieces, f[0]);
	kit_equal(weft_read_full(f[1], buf, PIECES), PIECES);
	for (int i = 0; i < PIECES; i++)
		kit_equal(buf[i], (char)i);
	weft_wg_wait(&done);
	close_both(f);
}

static void write_endlessly(void *arg)
{
	static char much[1 << 16];
	struct iovec iov[2] = { { much, sizeof(much) }, { much, sizeof(much) } };
	ssize_t n;
	while ((n = weft_writev(arg, iov, 2)) > 0) {
	}
	kit_expect(n == -EPIPE || n == -ECONNRESET);
	weft_wg_done(&done);
}

CASE(endless_write, "Go's TestEndlessWrite, TestWritevError: writing ends with an error when the peer closes")
{
	for (int i = 0; i < N_STREAMS - 1; i++) {
		weft_fd *f[2];
		char buf[1000];
		connect_over(f, streams[i]);
		weft_wg_add(&done, 1);
		kit_go(write_endlessly, f[0]);
		kit_equal(weft_read_full(f[1], buf, sizeof(buf)), sizeof(buf));
		kit_until_parked(1);
		kit_equal(weft_fd_close(f[1]), 0);
		weft_wg_wait(&done);
		weft_fd_close(f[0]);
	}
}

/* ---- pipes and files ---- */

static void open_writer(void *arg)
{
	weft_fd **w = arg;
	kit_equal(weft_open(own_name("/tmp/weft-conns"), O_WRONLY, 0, w), 0);
	weft_wg_done(&done);
}

/* Reads the end each time the last writer has closed, and what the next one writes. */
static void writers_come_and_go(weft_fd *r, weft_fd *w)
{
	char buf[10];
	reader it;
	for (int i = 0; i < 3; i++) {
		kit_equal(weft_write(w, "abc", 3), 3);
		kit_equal(weft_read(r, buf, sizeof(buf)), 3);
		start_reader(&it, r, 0);
		kit_equal(weft_fd_close(w), 0);
		weft_wg_wait(&done);
		kit_equal(weft_read(r, buf, sizeof(buf)), 0);
		weft_wg_add(&done, 1);
		open_writer(&w); /* there is a reader: it does not wait */
	}
	weft_fd_close(w);
}

CASE(fifo_end,
	"Go's os.TestFifoEOF, TestFIFONonBlockingEOF, TestOpenFileNonBlocking: the end of a FIFO is the end of its "
	"writers, opened with and without waiting")
{
	weft_fd *r = NULL, *w = NULL;
	char c;
	const char *path = own_name("/tmp/weft-conns");
	kit_require(!mkfifo(path, 0600));
	weft_wg_add(&done, 1);
	kit_go(open_writer, &w);
	kit_equal(weft_open(path, O_RDONLY, 0, &r), 0); /* each waits for the other */
	weft_wg_wait(&done);
	writers_come_and_go(r, w);
	kit_equal(weft_fd_close(r), 0);
	kit_equal(weft_open(path, O_WRONLY | O_NONBLOCK, 0, &w), -ENXIO);
	kit_equal(weft_open(path, O_RDONLY | O_NONBLOCK, 0, &r), 0);
	kit_equal(weft_read(r, &c, 1), 0); /* nobody has it open */
	kit_equal(weft_open(path, O_WRONLY, 0, &w), 0);
	writers_come_and_go(r, w);
	kit_equal(weft_fd_close(r), 0);
	unlink(path);
}

CASE(pipe_without_reader, "Go's os.TestEPIPE: -EPIPE, also for a write that waits")
{
	static char much[1 << 20];
	weft_fd *r, *w;
	for (int i = 0; i < 3; i++) {
		kit_require(kit_equal(weft_pipe(&r, &w), 0));
		weft_wg_add(&done, 1);
		if (i == 0)
			close_it(r);
		else
			kit_go(close_it, r);
		kit_equal(weft_write_all(w, much, sizeof(much)), -EPIPE);
		kit_equal(weft_write(w, "x", 1), -EPIPE);
		kit_equal(weft_writev(w, &(struct iovec){ much, 1 }, 1), -EPIPE);
		weft_wg_wait(&done);
		kit_equal(weft_fd_close(w), 0);
	}
}

static int without_reader(void)
{
	int p[2];
	kit_require(!pipe(p));
	close(p[0]);
	return p[1];
}

CASE(pipe_in_blocking_mode, "net.h: a peer that is gone is -EPIPE, never a SIGPIPE")
{
	weft_fd *w;
	kit_require(kit_equal(weft_fd_wrap(without_reader(), &w), 0));
	kit_equal(weft_write(w, "x", 1), -EPIPE);
	kit_equal(weft_fd_close(w), 0);
}

/* The case's own text goes elsewhere. */
static ssize_t write_standard(int number)
{
	weft_fd *w;
	int before = dup(number), broken = without_reader();
	kit_equal(dup2(broken, number), number);
	kit_require(kit_equal(weft_fd_wrap(number, &w), 0));
	ssize_t ret = weft_write(w, "x", 1);
	kit_equal(dup2(before, number), number);
	return ret;
}

#define STANDARD                                                                                                \
	"os/signal, SIGPIPE: A write to a broken pipe on file descriptors 1 or 2 (standard output or standard " \
	"error) will cause the program to exit with a SIGPIPE signal"

CASE(standard_output_without_reader, STANDARD, .status = -SIGPIPE)
{
	write_standard(STDOUT_FILENO);
}

CASE(standard_error_without_reader, STANDARD, .status = -SIGPIPE)
{
	write_standard(STDERR_FILENO);
}

CASE(standard_output_of_who_ignores, "net.h: a program that ignores or handles the signal gets -EPIPE there, too")
{
	signal(SIGPIPE, SIG_IGN);
	kit_equal(write_standard(STDOUT_FILENO), -EPIPE);
}

static atomic_int n_signals;

static void count_signal(int signal)
{
	(void)signal;
	n_signals++;
}

CASE(own_handler_for_pipes, "os/signal, SIGPIPE: the file descriptor number does not matter: the signal is delivered, "
			    "and the Write will fail with EPIPE")
{
	weft_fd *w;
	signal(SIGPIPE, count_signal);
	kit_equal(write_standard(STDOUT_FILENO), -EPIPE);
	kit_require(kit_equal(weft_fd_wrap(without_reader(), &w), 0));
	kit_equal(weft_write(w, "x", 1), -EPIPE);
	kit_equal(weft_fd_close(w), 0);
	kit_equal(n_signals, 2);
}

CASE(others_write_as_before, "net.h: the program ends by SIGPIPE, as it does by any write(2) of its own",
	.status = -SIGPIPE)
{
	weft_fd *w;
	int fd = without_reader();
	kit_require(kit_equal(weft_fd_wrap(fd, &w), 0));
	kit_equal(weft_write(w, "x", 1), -EPIPE);
	kit_expect(write(fd, "x", 1) < 0);
}

CASE(sent_to_the_program, "kill(2): SIGPIPE that somebody sends ends the program", .status = -SIGPIPE)
{
	kill(getpid(), SIGPIPE);
	weft_sleep(10 * WEFT_SECOND);
}

CASE(started_programs_find_default, "net.h: programs that are started find the default")
{
	int status = system("kill -PIPE $$");
	kit_expect(WIFSIGNALED(status));
	kit_equal(WTERMSIG(status), SIGPIPE);
}

static weft_fd *shared_out, *shared_in;
static atomic_int n_taken, n_given;
static atomic_bool over;

/* Another program, which has the same open files, takes and gives what it can. */
static void *share_from_outside(void *arg)
{
	int out = dup(weft_fd_number(shared_out)), in = dup(weft_fd_number(shared_in));
	char bytes[2000];
	(void)arg;
	while (!over) {
		ssize_t n = read(out, bytes, sizeof(bytes));
		n_taken += n > 0 ? (int)n : 0;
		n = write(in, bytes, sizeof(bytes));
		n_given += n > 0 ? (int)n : 0;
		sched_yield();
	}
	close(out);
	close(in);
	return NULL;
}

static void write_shared(void *arg)
{
	char bytes[3000] = "";
	for (int i = 0; i < (int)kit_times(500); i++) {
		ssize_t n = weft_write(shared_in, bytes, sizeof(bytes));
		kit_require(n > 0);
		n_given += (int)n;
	}
	over = true;
	pthread_join(*(pthread_t *)arg, NULL);
	kit_equal(weft_fd_close(shared_in), 0);
	weft_wg_done(&done);
}

CASE(mode_changed_by_others,
	"net.h: EAGAIN never comes through, though another program makes an open file non-blocking and is faster (Go's "
	"os.TestReadNonblockingFd)")
{
	int fds[2];
	pthread_t t;
	char bytes[3000];
	ssize_t n;
	kit_require(!pipe2(fds, O_CLOEXEC));
	kit_equal(weft_fd_wrap(fds[0], &shared_out), 0);
	kit_equal(weft_fd_wrap(fds[1], &shared_in), 0);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	weft_wg_add(&done, 1);
	kit_require(!pthread_create(&t, NULL, share_from_outside, NULL));
	kit_go(write_shared, &t);
	while ((n = weft_read(shared_out, bytes, sizeof(bytes))) > 0)
		n_taken += (int)n;
	kit_equal(n, 0);
	weft_wg_wait(&done);
	kit_equal(n_taken, n_given);
	weft_fd_close(shared_out);
}

static weft_fd *file;

static void write_own_part(void *arg)
{
	char part[100];
	intptr_t i = (intptr_t)arg;
	memset(part, (int)('a' + i), sizeof(part));
	kit_equal(weft_pwrite(file, part, sizeof(part), i * 100), 100);
	weft_wg_done(&done);
}

CASE(offsets,
	"Go's os.TestReadAt, TestReadAtNegativeOffset, TestWriteAtConcurrent, TestReadAtEOF, TestAppend, TestSeek")
{
	const char *name = own_name("/tmp/weft-conns");
	char buf[1100];
	kit_require(kit_equal(weft_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &file), 0));
	weft_wg_add(&done, 10);
	for (intptr_t i = 0; i < 10; i++)
		kit_go(write_own_part, (void *)i);
	weft_wg_wait(&done);
	kit_equal(weft_pread(file, buf, sizeof(buf), 0), 1000);
	for (int i = 0; i < 1000; i++)
		kit_equal(buf[i], 'a' + i / 100);
	kit_equal(weft_pread(file, buf, 10, 1000), 0);
	kit_equal(weft_pread(file, buf, 10, -1), -EINVAL);
	kit_equal(weft_pwrite(file, buf, 10, -10), -EINVAL);
	kit_equal(lseek(weft_fd_number(file), 990, SEEK_SET), 990);
	kit_equal(weft_read_full(file, buf, sizeof(buf)), 10);
	kit_equal(weft_fd_close(file), 0);
	kit_require(kit_equal(weft_open(name, O_WRONLY | O_APPEND, 0, &file), 0));
	kit_equal(weft_write(file, "end", 3), 3);
	kit_equal(weft_read(file, buf, 1), -EBADF);
	kit_equal(weft_fd_close(file), 0);
	kit_require(kit_equal(weft_open(name, O_RDONLY, 0, &file), 0));
	kit_equal(weft_read(file, buf, sizeof(buf)), 1003);
	kit_equal(weft_write(file, "x", 1), -EBADF);
	kit_equal(weft_fd_close(file), 0);
	unlink(name);
}

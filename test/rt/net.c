/* rt/net.c - sockets, pipes and files: what package net says of connections, and the cases of its tests. */
#include "kit/rtkit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static weft_wg done;
static atomic_int count;

/* ---- pairs ---- */

static weft_fd *listen_at(const char *network, const char *address, char *ret, size_t n)
{
	weft_fd *l = NULL;
	kit_require(kit_equal(weft_listen(network, address, &l), 0));
	kit_expect(weft_fd_local(l, ret, n) > 0);
	return l;
}

static weft_fd *dial(const char *network, const char *address)
{
	weft_fd *f = NULL;
	kit_require(kit_equal(weft_dial(network, address, weft_in(60 * WEFT_SECOND), &f), 0));
	return f;
}

typedef struct pair {
	weft_fd *listener, *here, *there;
	char address[128];
} pair;

static void pair_open(pair *p, const char *network, const char *address)
{
	p->listener = listen_at(network, address, p->address, sizeof(p->address));
	p->here = dial(network, p->address);
	kit_require(kit_equal(weft_accept(p->listener, &p->there), 0));
}

static void pair_close(pair *p)
{
	kit_equal(weft_fd_close(p->here), 0);
	kit_equal(weft_fd_close(p->there), 0);
	kit_equal(weft_fd_close(p->listener), 0);
}

static void tcp(pair *p)
{
	pair_open(p, "tcp", "127.0.0.1:0");
}

/* Goroutines that block in a call on one descriptor, and what that must return; each holds a reference, because the
 * descriptor may be closed before the call begins. */
typedef struct blocked {
	weft_fd *f;
	ssize_t want;
	char *big;
	atomic_int stage;
} blocked;

static void read_blocked(void *arg)
{
	blocked *b = arg;
	char c;
	kit_equal(weft_read(b->f, &c, 1), b->want);
	weft_fd_unref(b->f);
	b->stage++;
	weft_wg_done(&done);
}

enum { BIG = 16 << 20 }; /* more than the kernel buffers */

static void write_blocked(void *arg)
{
	blocked *b = arg;
	kit_equal(weft_write_all(b->f, b->big, BIG), b->want);
	weft_fd_unref(b->f);
	b->stage++;
	weft_wg_done(&done);
}

static void accept_blocked(void *arg)
{
	blocked *b = arg;
	weft_fd *f = NULL;
	kit_equal(weft_accept(b->f, &f), b->want);
	kit_expect(!f);
	weft_fd_unref(b->f);
	b->stage++;
	weft_wg_done(&done);
}

static void start_blocked(weft_fn *fn, blocked *b)
{
	b->stage = 0;
	weft_wg_add(&done, 1);
	weft_fd_ref(b->f);
	kit_go(fn, b);
	kit_until_parked(1);
	weft_sleep(WEFT_MS);
	kit_equal(b->stage, 0);
}

/* ---- streams ---- */

static void echo(void *arg)
{
	char buf[1000];
	ssize_t n;
	while ((n = weft_read(arg, buf, sizeof(buf))) > 0)
		kit_equal(weft_write_all(arg, buf, (size_t)n), 0);
	kit_equal(n, 0);
	kit_equal(weft_fd_close(arg), 0);
	weft_wg_done(&done);
}

static void ask_and_close(weft_fd *f, int n)
{
	char text[64], got[64];
	for (int i = 0; i < n; i++) {
		int len = snprintf(text, sizeof(text), "message %d of %llu", i, (unsigned long long)weft_id());
		kit_equal(weft_write_all(f, text, (size_t)len), 0);
		memset(got, 0, sizeof(got));
		kit_equal(weft_read_full(f, got, (size_t)len), len);
		kit_expect(!memcmp(got, text, (size_t)len));
	}
	kit_equal(weft_fd_close(f), 0);
}

static void stream_over(const char *network, const char *address)
{
	pair p;
	pair_open(&p, network, address);
	weft_wg_add(&done, 1);
	kit_go(echo, p.there);
	ask_and_close(p.here, 50);
	weft_wg_wait(&done);
	kit_equal(weft_fd_close(p.listener), 0);
}

CASE(tcp_stream, "net: Dial connects to a server, Listen creates servers (TCP, IPv4)")
{
	stream_over("tcp", "127.0.0.1:0");
	stream_over("tcp4", "127.0.0.1:0");
	stream_over("tcp", ":0");
}

CASE(unix_stream, "net: \"unix\": a path, or a name without a place in the file system")
{
	char path[100];
	snprintf(path, sizeof(path), "/tmp/weft-test-%d.sock", getpid());
	stream_over("unix", path);
	kit_expect(access(path, F_OK) != 0); /* removed with the listener */
	snprintf(path, sizeof(path), "@weft-test-%d", getpid());
	stream_over("unix", path);
}

CASE(addresses, "net.Conn: LocalAddr returns the local network address; RemoteAddr returns the remote one")
{
	pair p;
	char a[64], b[64], small[5];
	tcp(&p);
	kit_expect(!strncmp(p.address, "127.0.0.1:", 10));
	kit_expect(weft_fd_peer(p.here, a, sizeof(a)) > 0);
	kit_expect(!strcmp(a, p.address));
	kit_expect(weft_fd_local(p.here, a, sizeof(a)) > 0);
	kit_expect(weft_fd_peer(p.there, b, sizeof(b)) > 0);
	kit_expect(!strcmp(a, b));
	kit_equal(weft_fd_peer(p.here, small, sizeof(small)), strlen(p.address));
	kit_expect(!strcmp(small, "127."));
	pair_close(&p);
}

static void serve(void *arg)
{
	weft_fd *f;
	int err;
	while ((err = weft_accept(arg, &f)) == 0) {
		weft_wg_add(&done, 1);
		kit_go(echo, f);
	}
	kit_equal(err, -ECANCELED);
	weft_wg_done(&done);
}

static char served_at[128];

static void be_client(void *arg)
{
	(void)arg;
	ask_and_close(dial("tcp", served_at), 20);
	count++;
	weft_wg_done(&done);
}

CASE(many_connections, "net: many clients and one server in one process")
{
	int n = (int)kit_times(300) + 20;
	weft_fd *l = listen_at("tcp", "127.0.0.1:0", served_at, sizeof(served_at));
	weft_wg_add(&done, n + 1);
	kit_go(serve, weft_fd_ref(l));
	for (int i = 0; i < n; i++)
		kit_go(be_client, NULL);
	kit_until(count == n);
	kit_equal(weft_fd_close(l), 0);
	weft_wg_wait(&done);
	weft_fd_unref(l);
}

static void read_pattern(void *arg)
{
	blocked *b = arg;
	unsigned char *at = malloc(BIG);
	kit_equal(weft_read_full(b->f, at, BIG), BIG);
	kit_expect(!memcmp(at, b->big, BIG));
	kit_equal(weft_read(b->f, at, 1), 0);
	free(at);
	weft_wg_done(&done);
}

CASE(large_writes, "net.Conn: what does not fit the kernel's buffers waits for the reader and arrives whole, in order")
{
	pair p;
	tcp(&p);
	blocked b = { .f = p.there, .big = malloc(BIG) };
	for (size_t i = 0; i < BIG; i++)
		b.big[i] = (char)(i * 7 + i / 4096);
	weft_wg_add(&done, 1);
	kit_go(read_pattern, &b);
	kit_equal(weft_write_all(p.here, b.big, BIG), 0);
	kit_equal(weft_fd_shutdown(p.here, SHUT_WR), 0);
	weft_wg_wait(&done);
	free(b.big);
	pair_close(&p);
}

CASE(vectors, "net.Buffers: several pieces in one call, in order")
{
	pair p;
	char a[4] = "", b[100] = "";
	tcp(&p);
	struct iovec out[] = { { "one", 3 }, { "", 0 }, { "two", 3 }, { "three", 5 } };
	struct iovec in[] = { { a, 3 }, { b, sizeof(b) } };
	kit_equal(weft_writev(p.here, out, 4), 11);
	kit_equal(weft_readv(p.there, in, 2), 11);
	kit_expect(!strcmp(a, "one"));
	kit_expect(!strcmp(b, "twothree"));
	pair_close(&p);
}

CASE(end_of_stream, "net.h: 0 at the end of the file, again and again; read_full gives what there was")
{
	pair p;
	char buf[10];
	tcp(&p);
	kit_equal(weft_write_all(p.here, "abc", 3), 0);
	kit_equal(weft_fd_shutdown(p.here, SHUT_WR), 0);
	kit_equal(weft_read_full(p.there, buf, 10), 3);
	kit_equal(weft_read(p.there, buf, 10), 0);
	kit_equal(weft_read(p.there, buf, 10), 0);
	kit_equal(weft_write_all(p.there, "d", 1), 0); /* the other way is still open */
	kit_equal(weft_read(p.here, buf, 10), 1);
	pair_close(&p);
}

CASE(peer_is_gone, "net.h: a peer that is gone is -EPIPE or -ECONNRESET, never a SIGPIPE")
{
	pair p;
	ssize_t n = 0;
	char buf[1000] = "";
	tcp(&p);
	kit_equal(weft_write_all(p.here, "unread", 6), 0); /* so that the close resets */
	kit_equal(weft_fd_close(p.there), 0);
	for (int i = 0; i < 1000 && n >= 0; i++) {
		n = weft_write(p.here, buf, sizeof(buf));
		weft_yield();
	}
	kit_expect(n == -EPIPE || n == -ECONNRESET);
	kit_equal(weft_fd_close(p.here), 0);
	kit_equal(weft_fd_close(p.listener), 0);
}

/* ---- several goroutines on one descriptor ---- */

CASE(both_directions,
	"net.Conn: Multiple goroutines may invoke methods on a Conn simultaneously: reading does not keep writing out")
{
	pair p;
	char c = 0;
	tcp(&p);
	blocked b = { .f = p.here, .want = 1 };
	start_blocked(read_blocked, &b);
	kit_equal(weft_write_all(p.here, "x", 1), 0);
	kit_equal(weft_read(p.there, &c, 1), 1);
	kit_equal(weft_write_all(p.there, "y", 1), 0);
	weft_wg_wait(&done);
	pair_close(&p);
}

CASE(many_readers, "net.h: calls in one direction are served one after the other")
{
	enum { N = 20 };
	pair p;
	tcp(&p);
	blocked b = { .f = p.here, .want = 1 };
	weft_wg_add(&done, N);
	for (int i = 0; i < N; i++) {
		weft_fd_ref(b.f);
		kit_go(read_blocked, &b);
	}
	kit_until_parked(N);
	for (int i = 0; i < N; i++) {
		kit_equal(weft_write_all(p.there, "x", 1), 0);
		kit_until(b.stage == i + 1);
	}
	weft_wg_wait(&done);
	pair_close(&p);
}

/* ---- deadlines ---- */

CASE(read_deadline,
	"net.Conn: SetReadDeadline sets the deadline for future Read calls and any currently-blocked Read call.")
{
	pair p;
	char c;
	tcp(&p);
	for (int i = 0; i < 10; i++) {
		weft_ns moment = weft_in(i * WEFT_MS / 2);
		weft_fd_read_deadline(p.here, moment);
		kit_equal(weft_read(p.here, &c, 1), -ETIMEDOUT);
		kit_expect(weft_now() >= moment);
		kit_equal(weft_read(p.here, &c, 1), -ETIMEDOUT); /* it stays passed */
	}
	kit_equal(weft_write_all(p.here, "x", 1), 0); /* the other direction has none */
	weft_fd_read_deadline(p.here, WEFT_FOREVER);
	kit_equal(weft_write_all(p.there, "y", 1), 0);
	kit_equal(weft_read(p.here, &c, 1), 1);
	kit_equal(c, 'y');
	pair_close(&p);
}

CASE(deadline_for_the_blocked,
	"net.Conn: a deadline set now ends a Read that waits already (Go's TestReadTimeoutUnblocksRead)")
{
	pair p;
	char c;
	tcp(&p);
	for (int i = 0; i < 20; i++) {
		blocked b = { .f = p.here, .want = -ETIMEDOUT };
		weft_fd_deadline(p.here, i % 2 ? weft_in(3600 * WEFT_SECOND) : WEFT_FOREVER, WEFT_FOREVER);
		start_blocked(read_blocked, &b);
		weft_fd_read_deadline(p.here, i % 3 ? weft_in(WEFT_MS) : weft_now() - 1);
		weft_wg_wait(&done);
	}
	weft_fd_deadline(p.here, WEFT_FOREVER, WEFT_FOREVER);
	kit_equal(weft_write_all(p.there, "y", 1), 0);
	kit_equal(weft_read(p.here, &c, 1), 1);
	pair_close(&p);
}

CASE(deadline_put_off,
	"net.Conn: An idle timeout can be implemented by repeatedly extending the deadline after successful calls.")
{
	pair p;
	char c;
	tcp(&p);
	for (int i = 0; i < 200; i++) {
		weft_fd_read_deadline(p.here, weft_in(60 * WEFT_SECOND));
		kit_equal(weft_write_all(p.there, "x", 1), 0);
		kit_equal(weft_read(p.here, &c, 1), 1);
	}
	blocked b = { .f = p.here, .want = 1 };
	weft_fd_read_deadline(p.here, weft_in(20 * WEFT_MS));
	start_blocked(read_blocked, &b);
	weft_fd_read_deadline(p.here, WEFT_FOREVER); /* put off while it waits */
	weft_sleep(40 * WEFT_MS);
	kit_equal(b.stage, 0);
	kit_equal(weft_write_all(p.there, "x", 1), 0);
	weft_wg_wait(&done);
	pair_close(&p);
}

CASE(write_deadline, "net.Conn: SetWriteDeadline: even if write times out, some of the data may have been written")
{
	pair p;
	tcp(&p);
	blocked b = { .f = p.here, .want = -ETIMEDOUT, .big = calloc(1, BIG) };
	weft_fd_write_deadline(p.here, weft_in(20 * WEFT_MS));
	weft_wg_add(&done, 1);
	weft_fd_ref(b.f);
	write_blocked(&b);
	kit_equal(weft_write(p.here, b.big, 1), -ETIMEDOUT);
	weft_fd_deadline(p.here, WEFT_FOREVER, WEFT_FOREVER);
	start_blocked(write_blocked, &b);
	weft_fd_write_deadline(p.here, 0);
	weft_wg_wait(&done);
	free(b.big);
	pair_close(&p);
}

CASE(accept_deadline,
	"net.TCPListener: SetDeadline sets the deadline associated with the listener; read_by governs accepting")
{
	char address[64];
	weft_fd *l = listen_at("tcp", "127.0.0.1:0", address, sizeof(address)), *f = NULL;
	weft_fd_read_deadline(l, weft_in(WEFT_MS));
	kit_equal(weft_accept(l, &f), -ETIMEDOUT);
	kit_expect(!f);
	weft_fd_read_deadline(l, WEFT_FOREVER);
	weft_fd *client = dial("tcp", address);
	kit_equal(weft_accept(l, &f), 0);
	weft_fd_close(f);
	weft_fd_close(client);
	weft_fd_close(l);
}

static void set_deadlines(void *arg)
{
	uint64_t random = kit_seed();
	for (int i = 0; i < (int)kit_times(2000); i++) {
		weft_fd_read_deadline(arg, kit_random(&random) % 2 ? weft_now() : weft_in(WEFT_SECOND));
		if (i % 10 == 0)
			weft_yield();
	}
	weft_fd_read_deadline(arg, 0);
	weft_wg_done(&done);
}

CASE(deadlines_race_with_reads, "net: deadlines are moved while reads begin, wait and end (Go's TestVariousDeadlines, "
				"TestReadWriteDeadlineRace)")
{
	pair p;
	char c;
	tcp(&p);
	weft_wg_add(&done, 1);
	kit_go(set_deadlines, p.here);
	for (int i = 0; i < (int)kit_times(2000); i++)
		kit_equal(weft_read(p.here, &c, 1), -ETIMEDOUT);
	weft_wg_wait(&done);
	weft_fd_read_deadline(p.here, WEFT_FOREVER);
	kit_equal(weft_write_all(p.there, "x", 1), 0);
	kit_equal(weft_read(p.here, &c, 1), 1);
	pair_close(&p);
}

/* ---- close ---- */

CASE(close_unblocks, "net.Conn: Close closes the connection.  Any blocked Read or Write operations will be unblocked "
		     "and return errors.")
{
	for (int i = 0; i < 20; i++) {
		pair p;
		tcp(&p);
		blocked r = { .f = p.here, .want = -ECANCELED },
			w = { .f = p.here, .want = -ECANCELED, .big = calloc(1, BIG) };
		start_blocked(read_blocked, &r);
		if (i % 2)
			start_blocked(write_blocked, &w);
		kit_equal(weft_fd_close(p.here), 0);
		weft_wg_wait(&done);
		free(w.big);
		kit_equal(weft_fd_close(p.there), 0);
		kit_equal(weft_fd_close(p.listener), 0);
	}
}

CASE(close_unblocks_accept,
	"net.Listener: Close closes the listener.  Any blocked Accept operations will be unblocked and return errors.")
{
	char address[64];
	blocked b = { .f = listen_at("tcp", "127.0.0.1:0", address, sizeof(address)), .want = -ECANCELED };
	start_blocked(accept_blocked, &b);
	kit_equal(weft_fd_close(b.f), 0);
	weft_wg_wait(&done);
	weft_fd *f = NULL;
	kit_equal(weft_dial("tcp", address, weft_in(WEFT_SECOND), &f), -ECONNREFUSED);
}

CASE(use_after_close, "net.ErrClosed: an I/O call on a network connection that has already been closed")
{
	pair p;
	char c;
	tcp(&p);
	weft_fd *ours = weft_fd_ref(p.here);
	kit_equal(weft_fd_close(p.here), 0);
	kit_equal(weft_read(ours, &c, 1), -ECANCELED);
	kit_equal(weft_write(ours, "x", 1), -ECANCELED);
	kit_equal(weft_fd_close(weft_fd_ref(ours)), -ECANCELED);
	kit_equal(weft_read(p.there, &c, 1), 0); /* the peer sees it at once, in spite of our reference */
	weft_fd_unref(ours);
	kit_equal(weft_fd_close(p.there), 0);
	kit_equal(weft_fd_close(p.listener), 0);
	kit_equal(weft_fd_close(NULL), 0);
}

static void close_soon(void *arg)
{
	weft_fd_close(arg);
	weft_wg_done(&done);
}

CASE(numbers_used_again,
	"net.h: a descriptor's number is used again at once; no event of the old one reaches the new one",
	.seconds = 30)
{
	char c;
	for (int i = 0; i < (int)kit_times(500); i++) {
		pair p;
		tcp(&p);
		weft_wg_add(&done, 1);
		kit_equal(weft_write_all(p.there, "x", 1), 0);
		kit_go(close_soon, p.here);
		weft_fd_close(p.there);
		weft_wg_wait(&done);
		pair q;
		pair_open(&q, "tcp", "127.0.0.1:0");
		weft_fd_read_deadline(q.here, weft_in(i % 8 ? 0 : 100 * WEFT_US));
		kit_equal(weft_read(q.here, &c, 1), -ETIMEDOUT); /* nothing was sent to this one */
		pair_close(&q);
		weft_fd_close(p.listener);
	}
}

static void read_until_closed(void *arg)
{
	char buf[100];
	ssize_t n;
	while ((n = weft_read(arg, buf, sizeof(buf))) > 0) {
	}
	kit_expect(n == -ECANCELED || n == 0 || n == -ECONNRESET);
	weft_fd_unref(arg);
	weft_wg_done(&done);
}

static void write_until_closed(void *arg)
{
	char buf[100] = "";
	ssize_t n;
	while ((n = weft_write(arg, buf, sizeof(buf))) > 0) {
	}
	kit_expect(n == -ECANCELED || n == -EPIPE || n == -ECONNRESET);
	weft_fd_unref(arg);
	weft_wg_done(&done);
}

CASE(close_under_load, "net: connections are closed from anywhere while both sides read and write")
{
	for (int i = 0; i < (int)kit_times(50) + 2; i++) {
		pair p;
		tcp(&p);
		weft_wg_add(&done, 4);
		kit_go(read_until_closed, weft_fd_ref(p.here));
		kit_go(write_until_closed, weft_fd_ref(p.here));
		kit_go(read_until_closed, weft_fd_ref(p.there));
		kit_go(write_until_closed, weft_fd_ref(p.there));
		weft_sleep(i * 50 * WEFT_US);
		weft_fd_close(i % 2 ? p.here : p.there);
		weft_sleep(i % 3 * 50 * WEFT_US);
		weft_fd_close(i % 2 ? p.there : p.here);
		weft_wg_wait(&done);
		weft_fd_close(p.listener);
	}
}

/* ---- dialling ---- */

CASE(refused, "net.Dial: connection refused")
{
	char address[64];
	weft_fd *f = NULL;
	weft_fd_close(listen_at("tcp", "127.0.0.1:0", address, sizeof(address)));
	kit_equal(weft_dial("tcp", address, WEFT_FOREVER, &f), -ECONNREFUSED);
	kit_equal(weft_dial("unix", "/tmp/there/is/no/such.sock", WEFT_FOREVER, &f), -ENOENT);
	kit_expect(!f);
}

CASE(deadline_of_dial, "net.Dialer: Deadline is the absolute point in time after which dials will fail.")
{
	/* A listener with a full queue does not answer. */
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM, 0), err = 0;
	kit_require(!bind(l, (struct sockaddr *)&a, n) && !listen(l, 0) && !getsockname(l, (struct sockaddr *)&a, &n));
	char address[64];
	snprintf(address, sizeof(address), "127.0.0.1:%d", ntohs(a.sin_port));
	weft_fd *f[8] = { NULL };
	for (int i = 0; i < 8 && err == 0; i++)
		err = weft_dial("tcp", address, weft_in(50 * WEFT_MS), &f[i]);
	kit_equal(err, -ETIMEDOUT);
	for (int i = 0; i < 8; i++)
		weft_fd_close(f[i]);
	close(l);
	weft_fd *late = NULL;
	kit_equal(weft_dial("tcp", "127.0.0.1:1", weft_now() - 1, &late), -ETIMEDOUT);
}

CASE(bad_addresses, "net.h: -EINVAL for an address that is none, -EPROTONOSUPPORT for an unknown network")
{
	static const char *const bad[] = { "", "127.0.0.1", "127.0.0.1:", ":http:80", "[::1", "[::1]80",
		"127.0.0.1:70000", "127.0.0.1:-1" };
	weft_fd *f = NULL;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!kit_equal(weft_dial("tcp", bad[i], weft_in(WEFT_SECOND), &f), -EINVAL))
			fprintf(stderr, "  address \"%s\"\n", bad[i]);
	kit_equal(weft_dial("carrier pigeon", "127.0.0.1:80", WEFT_FOREVER, &f), -EPROTONOSUPPORT);
	kit_equal(weft_listen("tcp7", "127.0.0.1:80", &f), -EPROTONOSUPPORT);
	kit_expect(!f);
}

/* ---- datagrams ---- */

CASE(udp, "net: packets keep their bounds, and say where they came from")
{
	char address[64], buf[100], from_text[64];
	struct sockaddr_in from;
	socklen_t n_from = sizeof(from);
	weft_fd *server = listen_at("udp", "127.0.0.1:0", address, sizeof(address)), *client = dial("udp", address);
	kit_equal(weft_write(client, "one", 3), 3);
	kit_equal(weft_write(client, "second", 6), 6);
	kit_equal(weft_write(client, "", 0), 0);
	kit_equal(weft_recvfrom(server, buf, sizeof(buf), 0, (struct sockaddr *)&from, &n_from), 3);
	kit_expect(weft_fd_local(client, from_text, sizeof(from_text)) > 0);
	kit_equal(ntohs(from.sin_port), atoi(strrchr(from_text, ':') + 1));
	kit_equal(weft_recvfrom(server, buf, 3, 0, NULL, NULL), 3); /* the rest of a packet is lost */
	kit_equal(weft_read(server, buf, sizeof(buf)), 0);
	kit_equal(weft_sendto(server, "answer", 6, 0, (struct sockaddr *)&from, n_from), 6);
	kit_equal(weft_read(client, buf, sizeof(buf)), 6);
	weft_fd_read_deadline(server, weft_in(WEFT_MS));
	kit_equal(weft_recvfrom(server, buf, sizeof(buf), 0, NULL, NULL), -ETIMEDOUT);
	weft_fd_close(server);
	weft_fd_close(client);
}

static void receive_from(void *f)
{
	char c;
	kit_equal(weft_recvfrom(f, &c, 1, 0, NULL, NULL), 1);
	weft_wg_done(&done);
}

CASE(dont_wait, "net.h: with MSG_DONTWAIT: -EAGAIN at once where it would wait")
{
	char buf[1024] = "", path[64];
	weft_fd *server, *client;
	snprintf(path, sizeof(path), "@weft-dont-wait-%d", getpid());
	kit_require(kit_equal(weft_listen("unixgram", path, &server), 0));
	kit_require(kit_equal(weft_dial("unixgram", path, WEFT_FOREVER, &client), 0));
	kit_equal(weft_recvfrom(server, buf, 1, MSG_DONTWAIT, NULL, NULL), -EAGAIN);
	weft_wg_add(&done, 1);
	kit_go(receive_from, server);
	kit_until_parked(1);
	kit_equal(weft_recvfrom(server, buf, 1, MSG_DONTWAIT, NULL, NULL), -EAGAIN); /* another waits already */
	kit_equal(weft_sendto(client, "x", 1, MSG_DONTWAIT, NULL, 0), 1);
	weft_wg_wait(&done);
	ssize_t ret;
	int n = 0;
	while ((ret = weft_sendto(client, buf, sizeof(buf), MSG_DONTWAIT, NULL, 0)) == sizeof(buf))
		n++;
	kit_equal(ret, -EAGAIN); /* the queue is full */
	for (; n > 0; n--)
		kit_equal(weft_recvfrom(server, buf, sizeof(buf), MSG_DONTWAIT, NULL, NULL), sizeof(buf));
	kit_equal(weft_recvfrom(server, buf, 1, MSG_DONTWAIT, NULL, NULL), -EAGAIN);
	weft_fd_read_deadline(server, 1);
	kit_equal(weft_recvfrom(server, buf, 1, MSG_DONTWAIT, NULL, NULL), -ETIMEDOUT);
	weft_fd_close(weft_fd_ref(server));
	kit_equal(weft_recvfrom(server, buf, 1, MSG_DONTWAIT, NULL, NULL), -ECANCELED);
	weft_fd_unref(server);
	weft_fd_close(client);
}

CASE(unix_datagrams, "net: \"unixgram\"")
{
	char path[100], buf[10];
	snprintf(path, sizeof(path), "/tmp/weft-test-%d.dgram", getpid());
	weft_fd *server = NULL, *client;
	kit_require(kit_equal(weft_listen("unixgram", path, &server), 0));
	client = dial("unixgram", path);
	kit_equal(weft_write(client, "abc", 3), 3);
	kit_equal(weft_write(client, "de", 2), 2);
	kit_equal(weft_read(server, buf, sizeof(buf)), 3);
	kit_equal(weft_read(server, buf, sizeof(buf)), 2);
	weft_fd_close(client);
	weft_fd_close(server);
	kit_expect(access(path, F_OK) != 0);
}

/* ---- pipes, files, whatever ---- */

CASE(pipes, "net.h: a pipe parks its reader and, when full, its writer; closing the one ends the other")
{
	weft_fd *r = NULL, *w = NULL;
	char c;
	kit_require(kit_equal(weft_pipe(&r, &w), 0));
	blocked b = { .f = r, .want = 1 };
	start_blocked(read_blocked, &b);
	kit_equal(weft_write(w, "x", 1), 1);
	weft_wg_wait(&done);
	b.want = 0;
	start_blocked(read_blocked, &b);
	kit_equal(weft_fd_close(w), 0);
	weft_wg_wait(&done);
	kit_equal(weft_read(r, &c, 1), 0);
	kit_equal(weft_fd_close(r), 0);
}

CASE(files, "os.File: regular files are read and written at a position or at an offset")
{
	char name[100], buf[100] = "";
	snprintf(name, sizeof(name), "/tmp/weft-test-%d.file", getpid());
	weft_fd *f = NULL, *s[2] = { NULL };
	kit_require(kit_equal(weft_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &f), 0));
	kit_equal(weft_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &s[0]), -EEXIST);
	kit_equal(weft_write_all(f, "hello, world", 12), 0);
	kit_equal(weft_pwrite(f, "W", 1, 7), 1);
	kit_equal(weft_pread(f, buf, sizeof(buf), 7), 5);
	kit_expect(!strcmp(buf, "World"));
	kit_equal(weft_read(f, buf, sizeof(buf)), 0); /* the position is still at the end */
	kit_equal(weft_pread(f, buf, sizeof(buf), 100), 0);
	kit_equal(weft_fd_close(f), 0);
	unlink(name);
	kit_equal(weft_open(name, O_RDONLY, 0, &f), -ENOENT);
	kit_equal(weft_pipe(&s[0], &s[1]), 0);
	kit_equal(weft_pread(s[0], buf, 1, 0), -ESPIPE);
	weft_fd_close(s[0]);
	weft_fd_close(s[1]);
}

CASE(wrapping, "net.h: takes over an open descriptor of any kind; weft_fd_close() closes it")
{
	int fds[2];
	char c;
	weft_fd *a = NULL, *b = NULL, *z = NULL;
	kit_require(!socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	kit_equal(weft_fd_wrap(fds[0], &a), 0);
	kit_equal(weft_fd_wrap(fds[1], &b), 0);
	kit_equal(weft_fd_number(a), fds[0]);
	blocked r = { .f = b, .want = 1 };
	start_blocked(read_blocked, &r);
	kit_equal(weft_write(a, "x", 1), 1);
	weft_wg_wait(&done);
	kit_equal(weft_fd_close(a), 0);
	kit_equal(fcntl(fds[0], F_GETFD), -1);
	kit_equal(weft_read(b, &c, 1), 0);
	weft_fd_unref(b); /* the last one closes */
	kit_equal(fcntl(fds[1], F_GETFD), -1);
	kit_equal(weft_fd_wrap(fds[0], &a), -EBADF);
	kit_equal(weft_fd_wrap(-1, &a), -EBADF);
	kit_equal(weft_fd_wrap(open("/dev/zero", O_RDONLY), &z), 0);
	c = 1;
	kit_equal(weft_read(z, &c, 1), 1);
	kit_equal(c, 0);
	weft_fd_close(z);
}

/* ---- names ---- */

CASE(names, "net.Resolver: LookupHost looks up the given host, addresses as text included")
{
	struct sockaddr_storage found[8];
	kit_equal(weft_lookup("127.0.0.1", WEFT_FOREVER, found, 8), 1);
	kit_equal(found[0].ss_family, AF_INET);
	kit_equal(((struct sockaddr_in *)&found[0])->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	kit_equal(weft_lookup("::1", WEFT_FOREVER, found, 8), 1);
	kit_equal(found[0].ss_family, AF_INET6);
	kit_expect(weft_lookup("localhost", weft_in(30 * WEFT_SECOND), found, 8) >= 1);
	int n = weft_lookup("one.of.localhost", weft_in(30 * WEFT_SECOND), found, 8); /* RFC 6761, 6.3 */
	kit_expect(n >= 1);
	for (int i = 0; i < n; i++)
		if (found[i].ss_family == AF_INET)
			kit_equal(((struct sockaddr_in *)&found[i])->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	kit_expect(weft_lookup("notlocalhost.invalid", weft_in(30 * WEFT_SECOND), found, 8) < 0);
	int err = weft_lookup("no.such.host.invalid", weft_in(30 * WEFT_SECOND), found, 8);
	kit_expect(err == -ENOENT || err == -EIO || err == -ETIMEDOUT); /* without a network: the name servers fail */
}

/* ---- the rest ---- */

static void *connect_later(void *arg)
{
	usleep(30000);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)(intptr_t)arg),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	kit_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	close(fd);
	return NULL;
}

CASE(waiting_is_no_deadlock, "go.h: no deadlock while a goroutine waits for a descriptor")
{
	char address[64];
	weft_fd *l = listen_at("tcp", "127.0.0.1:0", address, sizeof(address)), *f = NULL;
	pthread_t t;
	kit_require(!pthread_create(&t, NULL, connect_later, (void *)(intptr_t)atoi(strrchr(address, ':') + 1)));
	kit_equal(weft_accept(l, &f), 0);
	pthread_join(t, NULL);
	weft_fd_close(f);
	weft_fd_close(l);
}

static void *use_outside(void *arg)
{
	char c;
	weft_fd *f = NULL;
	kit_equal(weft_read(arg, &c, 1), -EPERM);
	kit_equal(weft_dial("tcp", "127.0.0.1:1", WEFT_FOREVER, &f), -EPERM);
	weft_fd_read_deadline(arg, 0); /* for any thread */
	return NULL;
}

CASE(outside, "net.h: -EPERM outside a goroutine; deadlines are for any thread")
{
	pair p;
	pthread_t t;
	tcp(&p);
	blocked b = { .f = p.here, .want = -ETIMEDOUT };
	start_blocked(read_blocked, &b);
	kit_require(!pthread_create(&t, NULL, use_outside, p.here));
	weft_wg_wait(&done);
	pthread_join(t, NULL);
	pair_close(&p);
}

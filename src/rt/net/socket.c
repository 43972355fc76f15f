/* rt/net/socket.c - listening, accepting, dialling. */
#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "os/io.h"
#include "os/thread.h"
#include "rt/net/address.h"
#include "rt/net/fdio.h"
#include "rt/net/lookup.h"

enum {
	ADDRESSES_MAX = 16, /* of one name that are tried */
	SELF_CONNECTS = 3,  /* times that a connection to itself is thrown away */
};
#define TRY_LEAST_NS (2 * WEFT_SECOND)

/* What a socket is to be. */
struct kind {
	int family; /* that was asked for: AF_UNSPEC is both of IP */
	int type;
};

static void turn_on(int fd, int level, int option)
{
	const int on = 1;
	setsockopt(fd, level, option, &on, sizeof(on));
}

static bool is_tcp(const struct kind *k)
{
	return k->type == SOCK_STREAM && k->family != AF_UNIX;
}

/* A socket of that family with the options that all of its kind have, or a negative errno. */
static int open_socket(const struct kind *k, int family)
{
	int fd = wo_io_socket(family, k->type);
	if (fd < 0)
		return fd;
	if (is_tcp(k))
		turn_on(fd, IPPROTO_TCP, TCP_NODELAY); /* an accepted one has it from its listener */
	else if (family != AF_UNIX)
		turn_on(fd, SOL_SOCKET, SO_BROADCAST);
	return fd;
}

/* A descriptor of fd, which is closed when that fails. */
static int adopt(int fd, const struct kind *k, weft_fd **ret)
{
	weft_fd *f;
	int err = weft__fd_make(fd, /* blocking= */ false, &f);
	if (err < 0) {
		wo_io_close(fd);
		return err;
	}
	f->socket = true;
	f->stream = k->type == SOCK_STREAM;
	f->counts_bytes = is_tcp(k);
	*ret = f;
	return 0;
}

/* ---- where to ---- */

static int find_ip(const struct kind *k, const char *text, weft_ns deadline, weft__address *ret, int most)
{
	char host[WEFT__HOST_BYTES];
	const char *service;
	int err = weft__address_cut(text, host, &service);
	if (err < 0)
		return err;
	int port = weft__lookup_port(service, k->type, deadline);
	if (port < 0)
		return port;
	int n = 1;
	if (*host)
		n = weft__lookup(host, k->family, deadline, ret, most);
	else
		weft__address_number(k->family == AF_INET ? "0.0.0.0" : "::", ret);
	if (n > most)
		n = most;
	for (int i = 0; i < n; i++)
		weft__address_set_port(&ret[i], port);
	return n;
}

/* Addresses that the text means, without those that there is no room for; how many, or an error. */
static int find(const struct kind *k, const char *text, weft_ns deadline, weft__address *ret, int most)
{
	if (k->family != AF_UNIX)
		return find_ip(k, text, deadline, ret, most);
	int err = weft__address_unix(text, ret);
	return err < 0 ? err : 1;
}

static int kind_of(const char *network, struct kind *ret)
{
	if (!weft__self_g(weft__self()))
		return -EPERM;
	return weft__address_network(network, &ret->family, &ret->type);
}

/* ---- listening ---- */

static int bind_and_listen(int fd, const struct kind *k, const weft__address *a)
{
	if (a->at.any.sa_family == AF_INET6) {
		/* ":80" is for both families where the network is not said to be one. */
		int only_v6 = k->family == AF_INET6 || !weft__address_is_wildcard(a);
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof(only_v6));
	}
	if (is_tcp(k))
		turn_on(fd, SOL_SOCKET, SO_REUSEADDR);
	int err = wo_io_bind(fd, &a->at.any, a->n);
	if (err < 0 || k->type == SOCK_DGRAM)
		return err;
	return wo_io_listen(fd, INT_MAX); /* as many as the system allows */
}

/* A path that is to be removed, copied; "" for none.  NULL without memory. */
static char *path_of(const weft__address *a)
{
	const char *path = a->at.any.sa_family == AF_UNIX ? a->at.un.sun_path : "";
	char *copy = wb_malloc(strlen(path) + 1);
	return copy ? strcpy(copy, path) : NULL;
}

static int listen_at(const struct kind *k, const weft__address *a, weft_fd **ret)
{
	char *path = path_of(a);
	if (!path)
		return -ENOMEM;
	int fd = open_socket(k, a->at.any.sa_family);
	int err = fd < 0 ? fd : bind_and_listen(fd, k, a);
	weft_fd *f = NULL;
	bool bound = err == 0;
	if (bound)
		err = adopt(fd, k, &f);
	else if (fd >= 0)
		wo_io_close(fd);
	if (bound && err < 0 && *path)
		unlink(path);
	if (err < 0 || !*path) {
		wb_free(path);
		path = NULL;
	}
	if (err < 0)
		return err;
	f->path = path;
	*ret = f;
	return 0;
}

/* The first address of IPv4, as Go does, else the first. */
static const weft__address *preferred(const weft__address *a, int n)
{
	for (int i = 0; i < n; i++)
		if (a[i].at.any.sa_family == AF_INET)
			return &a[i];
	return a;
}

int weft_listen(const char *network, const char *address, weft_fd **ret)
{
	struct kind k;
	weft__address found[ADDRESSES_MAX];
	int err = kind_of(network, &k);
	if (err < 0)
		return err;
	int n = find(&k, address, WEFT_FOREVER, found, ADDRESSES_MAX);
	if (n < 0)
		return n;
	const weft__address *a = preferred(found, n);
	err = listen_at(&k, a, ret);
	if (err != -EAFNOSUPPORT || k.family != AF_UNSPEC || !weft__address_is_wildcard(a))
		return err;
	/* A kernel without IPv6: its other half, then. */
	weft__address v4;
	weft__address_number("0.0.0.0", &v4);
	weft__address_set_port(&v4, ntohs(a->at.v6.sin6_port));
	return listen_at(&k, &v4, ret);
}

int weft_accept(weft_fd *listener, weft_fd **ret)
{
	ssize_t fd = weft__io_do(listener, &(weft__io){ .kind = WEFT__IO_ACCEPT });
	if (fd < 0)
		return (int)fd;
	weft_fd *f;
	int err = weft__fd_make((int)fd, /* blocking= */ false, &f);
	if (err < 0) {
		wo_io_close((int)fd);
		return err;
	}
	f->socket = true;
	f->stream = listener->stream;
	f->counts_bytes = listener->counts_bytes;
	*ret = f;
	return 0;
}

/* ---- dialling ---- */

/* A Unix socket whose listener has no room: nobody tells when it has, so a thread waits. */
static int connect_blocking(int fd, const weft__address *a, weft_ns deadline)
{
	int err;
	do {
		weft_ns left = deadline == WEFT_FOREVER ? 0 : deadline - wo_now_ns();
		if (left < 0)
			return -ETIMEDOUT;
		weft__m *m = weft__enter();
		weft__call_begin(m);
		err = wo_io_connect_within(fd, &a->at.any, a->n, left);
		m = weft__call_end();
		weft__leave(m);
	} while (err == -EINTR);
	return err == -EAGAIN ? -ETIMEDOUT : err;
}

/* Begins to connect: 0 when it is connected, -EINPROGRESS, or why it cannot be. */
static int begin_connect(int fd, const struct kind *k, const weft__address *a, weft_ns deadline)
{
	int err = wo_io_connect(fd, &a->at.any, a->n);
	if (err == -EAGAIN && k->family == AF_UNIX)
		return connect_blocking(fd, a, deadline);
	return err == -EINTR ? -EINPROGRESS : err;
}

static int wait_connected(weft_fd *f, weft_ns deadline)
{
	int err = weft_fd_write_deadline(f, deadline);
	if (err == 0)
		err = (int)weft__io_do(f, &(weft__io){ .kind = WEFT__IO_CONNECT });
	int reset = weft_fd_write_deadline(f, WEFT_FOREVER);
	return err < 0 ? err : reset;
}

/* TCP allows a socket to connect to itself, and a port that is free for the caller sometimes happens to be the one that
 * it dials. */
static bool is_own_peer(int fd)
{
	weft__address own = { .n = sizeof(own.at) }, peer = { .n = sizeof(peer.at) };
	return wo_io_local(fd, &own.at.any, &own.n) == 0 && wo_io_peer(fd, &peer.at.any, &peer.n) == 0 &&
	       own.n == peer.n && memcmp(&own.at, &peer.at, own.n) == 0;
}

static int dial_once(const struct kind *k, const weft__address *a, weft_ns deadline, weft_fd **ret)
{
	int fd = open_socket(k, a->at.any.sa_family);
	if (fd < 0)
		return fd;
	int begun = begin_connect(fd, k, a, deadline);
	if (begun < 0 && begun != -EINPROGRESS) {
		wo_io_close(fd);
		return begun;
	}
	weft_fd *f;
	int err = adopt(fd, k, &f);
	if (err < 0)
		return err;
	if (begun < 0)
		err = wait_connected(f, deadline);
	if (err == 0 && is_tcp(k) && is_own_peer(fd))
		err = -EADDRNOTAVAIL;
	if (err < 0)
		weft_fd_close(f);
	else
		*ret = f;
	return err;
}

static int dial_address(const struct kind *k, const weft__address *a, weft_ns deadline, weft_fd **ret)
{
	int err;
	int left = is_tcp(k) ? SELF_CONNECTS : 1;
	do
		err = dial_once(k, a, deadline, ret);
	while (err == -EADDRNOTAVAIL && --left > 0);
	return err;
}

/* The share of the time left that each of n addresses gets, so that one that does not answer leaves some to the others.
 * Source: Go, net/dial.go (partialDeadline). */
static weft_ns share_of(weft_ns deadline, int n)
{
	if (deadline == WEFT_FOREVER || n <= 1)
		return deadline;
	weft_ns now = wo_now_ns(), left = deadline - now, share = left / n;
	if (share < TRY_LEAST_NS)
		share = left < TRY_LEAST_NS ? left : TRY_LEAST_NS;
	return now + share;
}

/* "Every own address" is none that can be dialled: this machine. */
static void make_local(const struct kind *k, weft__address *a)
{
	if (k->family == AF_UNIX || !weft__address_is_wildcard(a))
		return;
	int port = ntohs(a->at.any.sa_family == AF_INET ? a->at.v4.sin_port : a->at.v6.sin6_port);
	weft__address_number(k->family == AF_INET6 ? "::1" : "127.0.0.1", a);
	weft__address_set_port(a, port);
}

int weft_dial(const char *network, const char *address, weft_ns deadline, weft_fd **ret)
{
	struct kind k;
	weft__address found[ADDRESSES_MAX];
	int err = kind_of(network, &k);
	if (err < 0)
		return err;
	int n = find(&k, address, deadline, found, ADDRESSES_MAX);
	if (n < 0)
		return n;
	int first = 0;
	for (int i = 0; i < n; i++) {
		if (deadline != WEFT_FOREVER && deadline <= wo_now_ns())
			return first < 0 ? first : -ETIMEDOUT;
		make_local(&k, &found[i]);
		err = dial_address(&k, &found[i], share_of(deadline, n - i), ret);
		if (err == 0)
			return 0;
		first = first < 0 ? first : err;
	}
	return first;
}

/* ---- the rest ---- */

int weft_fd_shutdown(weft_fd *f, int how)
{
	weft__m *m = weft__enter();
	int err = weft__fd_hold(f);
	if (err == 0) {
		err = wo_io_shutdown(f->fd, how);
		weft__fd_release(&m, f);
	}
	weft__leave(m);
	return err;
}

static int name(const weft_fd *of, int (*get)(int fd, struct sockaddr *ret, socklen_t *n), char *ret, size_t n)
{
	weft_fd *f = (weft_fd *)(uintptr_t)of;
	weft__m *m = weft__enter();
	int err = weft__fd_hold(f);
	if (err == 0) {
		weft__address a = { .n = sizeof(a.at) };
		err = get(f->fd, &a.at.any, &a.n);
		if (err == 0)
			err = weft__address_text(&a, ret, n);
		weft__fd_release(&m, f);
	}
	weft__leave(m);
	return err;
}

int weft_fd_local(const weft_fd *f, char *ret, size_t n)
{
	return name(f, wo_io_local, ret, n);
}

int weft_fd_peer(const weft_fd *f, char *ret, size_t n)
{
	return name(f, wo_io_peer, ret, n);
}

/* os/io.c - see io.h. */
#include "os/io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "os/sigpipe.h"

/* Not inlined, not even by link-time optimisation: in a caller that changes threads the compiler would keep the address
 * of the first thread's errno. */
__attribute__((noinline)) static ssize_t result(ssize_t n)
{
	return n < 0 ? -errno : n;
}

#define RETRY(call)                        \
	__extension__({                    \
		ssize_t n_;                \
		do                         \
			n_ = result(call); \
		while (n_ == -EINTR);      \
		n_;                        \
	})

ssize_t wo_io_read(int fd, void *buf, size_t n)
{
	return RETRY(read(fd, buf, n));
}

static bool is_spared(int fd)
{
	return fd != STDOUT_FILENO && fd != STDERR_FILENO;
}

/* Not inlined for the reason of result(). */
__attribute__((noinline)) ssize_t wo_io_write(int fd, const void *buf, size_t n)
{
	wo_sigpipe_spared = is_spared(fd);
	ssize_t ret = RETRY(write(fd, buf, n));
	wo_sigpipe_spared = false;
	return ret;
}

ssize_t wo_io_readv(int fd, const struct iovec *iov, int n_iov)
{
	return RETRY(readv(fd, iov, n_iov));
}

__attribute__((noinline)) ssize_t wo_io_writev(int fd, const struct iovec *iov, int n_iov)
{
	wo_sigpipe_spared = is_spared(fd);
	ssize_t ret = RETRY(writev(fd, iov, n_iov));
	wo_sigpipe_spared = false;
	return ret;
}

ssize_t wo_io_pread(int fd, void *buf, size_t n, off_t offset)
{
	return RETRY(pread(fd, buf, n, offset));
}

ssize_t wo_io_pwrite(int fd, const void *buf, size_t n, off_t offset)
{
	return RETRY(pwrite(fd, buf, n, offset));
}

ssize_t wo_io_recv(int fd, void *buf, size_t n)
{
	return RETRY(recv(fd, buf, n, 0));
}

ssize_t wo_io_send(int fd, const void *buf, size_t n)
{
	return RETRY(send(fd, buf, n, MSG_NOSIGNAL));
}

ssize_t wo_io_sendv(int fd, const struct iovec *iov, int n_iov)
{
	struct msghdr m = { .msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)n_iov };
	return RETRY(sendmsg(fd, &m, MSG_NOSIGNAL));
}

ssize_t wo_io_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *from, socklen_t *n_from)
{
	return RETRY(recvfrom(fd, buf, n, flags, from, n_from));
}

ssize_t wo_io_sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *to, socklen_t n_to)
{
	return RETRY(sendto(fd, buf, n, flags | MSG_NOSIGNAL, to, n_to));
}

int wo_io_open(const char *path, int flags, mode_t mode)
{
	return (int)RETRY(open(path, flags | O_CLOEXEC, mode));
}

int wo_io_close(int fd)
{
	int err = (int)result(close(fd));
	return err == -EINTR ? 0 : err;
}

int wo_io_pipe(int ret[static 2])
{
	return (int)result(pipe2(ret, O_CLOEXEC | O_NONBLOCK));
}

bool wo_io_is_unblocked(int fd)
{
	int flags = (int)result(fcntl(fd, F_GETFL));
	return flags >= 0 && (flags & O_NONBLOCK);
}

int wo_io_unblock(int fd)
{
	int flags = (int)result(fcntl(fd, F_GETFL));
	if (flags < 0)
		return flags;
	return flags & O_NONBLOCK ? 0 : (int)result(fcntl(fd, F_SETFL, flags | O_NONBLOCK));
}

int wo_io_socket(int family, int type)
{
	return (int)result(socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

int wo_io_accept(int fd)
{
	int got;
	do
		got = (int)RETRY(accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
	while (got == -ECONNABORTED);
	return got;
}

int wo_io_connect(int fd, const struct sockaddr *to, socklen_t n_to)
{
	return (int)result(connect(fd, to, n_to));
}

int wo_io_connected(int fd)
{
	int err = 0;
	socklen_t n = sizeof(err);
	int ret = (int)result(getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n));
	if (ret < 0 || err != 0)
		return ret < 0 ? ret : -err;
	/* Without an error it may still be on its way. */
	struct sockaddr_storage peer;
	n = sizeof(peer);
	ret = (int)result(getpeername(fd, (struct sockaddr *)&peer, &n));
	return ret == -ENOTCONN ? -EAGAIN : ret;
}

int wo_io_connect_within(int fd, const struct sockaddr *to, socklen_t n_to, int64_t ns)
{
	const int64_t second = 1000000000;
	struct timeval limit = { .tv_sec = (time_t)(ns / second), .tv_usec = (suseconds_t)(ns % second / 1000) };
	if (ns > 0 && limit.tv_sec == 0 && limit.tv_usec == 0)
		limit.tv_usec = 1;
	int flags = (int)result(fcntl(fd, F_GETFL));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
	int ret = (int)result(connect(fd, to, n_to));
	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	return ret;
}

int wo_io_bind(int fd, const struct sockaddr *at, socklen_t n_at)
{
	return (int)result(bind(fd, at, n_at));
}

int wo_io_listen(int fd, int backlog)
{
	return (int)result(listen(fd, backlog));
}

int wo_io_shutdown(int fd, int how)
{
	return (int)result(shutdown(fd, how));
}

int wo_io_local(int fd, struct sockaddr *ret, socklen_t *n)
{
	return (int)result(getsockname(fd, ret, n));
}

int wo_io_peer(int fd, struct sockaddr *ret, socklen_t *n)
{
	return (int)result(getpeername(fd, ret, n));
}

static bool can(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	return RETRY(poll(&p, 1, 0)) != 0;
}

bool wo_io_can_read(int fd)
{
	return can(fd, POLLIN | POLLRDHUP);
}

bool wo_io_can_write(int fd)
{
	return can(fd, POLLOUT);
}

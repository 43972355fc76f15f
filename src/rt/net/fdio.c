/* rt/net/fdio.c - reading and writing descriptors. */
#include "rt/net/fdio.h"

#include <errno.h>
#include <limits.h>

#include "os/io.h"

/* Reading and writing are compiled once for each usual call, with all that is known of it: this is most of what the
 * library does in a server, between system calls that leave little of it in the nearest caches. */
#define INLINE static inline __attribute__((always_inline))

/* The system call itself, once. */
INLINE ssize_t attempt(const weft_fd *f, const weft__io *io)
{
	switch (io->kind) {
	case WEFT__IO_READ: return f->socket ? wo_io_recv(f->fd, io->buf, io->n) : wo_io_read(f->fd, io->buf, io->n);
	case WEFT__IO_READV: return wo_io_readv(f->fd, io->iov, io->n_iov);
	case WEFT__IO_PREAD: return wo_io_pread(f->fd, io->buf, io->n, io->offset);
	case WEFT__IO_RECVFROM: return wo_io_recvfrom(f->fd, io->buf, io->n, io->flags, io->address, io->ret_n_address);
	case WEFT__IO_ACCEPT: return wo_io_accept(f->fd);
	case WEFT__IO_WRITE: return f->socket ? wo_io_send(f->fd, io->buf, io->n) : wo_io_write(f->fd, io->buf, io->n);
	case WEFT__IO_WRITEV:
		return f->socket ? wo_io_sendv(f->fd, io->iov, io->n_iov) : wo_io_writev(f->fd, io->iov, io->n_iov);
	case WEFT__IO_PWRITE: return wo_io_pwrite(f->fd, io->buf, io->n, io->offset);
	case WEFT__IO_SENDTO: return wo_io_sendto(f->fd, io->buf, io->n, io->flags, io->address, io->n_address);
	case WEFT__IO_CONNECT: return wo_io_connected(f->fd);
	}
	return -EINVAL;
}

INLINE enum weft__poll_mode mode_of(weft__io_kind kind)
{
	return kind >= WEFT__IO_WRITE ? WEFT__POLL_WRITE : WEFT__POLL_READ;
}

/* The thread waits, others get the proc. */
static ssize_t block(weft__m **m, const weft_fd *f, const weft__io *io)
{
	weft__call_begin(*m);
	ssize_t ret = attempt(f, io);
	*m = weft__call_end();
	return ret;
}

/* Until a call would not block: 0, or an error. */
static int until_ready(weft__m **m, const weft_fd *f, enum weft__poll_mode mode)
{
	for (;;) {
		int err = weft__pd_prepare(f->pd, mode);
		if (err < 0)
			return err;
		if (mode == WEFT__POLL_READ ? wo_io_can_read(f->fd) : wo_io_can_write(f->fd))
			return 0;
		err = weft__pd_wait(m, f->pd, mode);
		if (err < 0)
			return err;
	}
}

/* In blocking mode: the call comes when it will not block, unless another process is faster; or one has changed the
 * mode and is faster, then there is another time. */
static ssize_t look_first(weft__m **m, const weft_fd *f, const weft__io *io)
{
	weft__io part = *io;
	if (io->kind == WEFT__IO_WRITE && io->n > PIPE_BUF)
		part.n = PIPE_BUF; /* a pipe that can be written to has room for so many */
	for (;;) {
		int err = until_ready(m, f, mode_of(io->kind));
		if (err < 0)
			return err;
		ssize_t ret = block(m, f, &part);
		if (ret != -EAGAIN)
			return ret;
	}
}

static ssize_t not_tried_first(weft__m **m, const weft_fd *f, const weft__io *io)
{
	return f->pd ? look_first(m, f, io) : block(m, f, io);
}

INLINE ssize_t try_first(weft__m **m, const weft_fd *f, const weft__io *io)
{
	enum weft__poll_mode mode = mode_of(io->kind);
	for (;;) {
		int err = weft__pd_prepare(f->pd, mode);
		if (weft__unlikely(err < 0))
			return err;
		ssize_t ret = attempt(f, io);
		if (weft__likely(ret != -EAGAIN))
			return ret;
		err = weft__pd_wait(m, f->pd, mode);
		if (weft__unlikely(err < 0))
			return err;
	}
}

/* Reads a socket that the last read has emptied only once more has come.  A read that fills its buffer, or that comes
 * after the peer's end, says nothing, and the next is tried first. */
INLINE ssize_t read_counting(weft__m **m, weft_fd *f, const weft__io *io)
{
	if (f->emptied && !weft__pd_is_odd(f->pd)) {
		f->emptied = false; /* whatever happens: what has come may be forgotten with the error */
		int err = weft__pd_wait(m, f->pd, WEFT__POLL_READ);
		if (weft__unlikely(err < 0))
			return err;
	}
	ssize_t ret = try_first(m, f, io);
	f->emptied = ret > 0 && (size_t)ret < io->n && !atomic_load_explicit(&f->options, memory_order_relaxed);
	return ret;
}

/* In a turn. */
INLINE ssize_t transfer(weft__m **m, weft_fd *f, const weft__io *io)
{
	if (weft__unlikely(f->tried_last))
		return not_tried_first(m, f, io);
	if (io->kind == WEFT__IO_READ && f->counts_bytes)
		return read_counting(m, f, io);
	if (mode_of(io->kind) == WEFT__POLL_READ)
		f->emptied = false; /* it says nothing any more */
	return try_first(m, f, io);
}

/* MSG_DONTWAIT.  In a turn. */
static ssize_t once(const weft_fd *f, const weft__io *io)
{
	int err = f->pd ? weft__pd_prepare(f->pd, mode_of(io->kind)) : 0;
	return err < 0 ? err : attempt(f, io);
}

static ssize_t without_waiting(weft__m **m, weft_fd *f, const weft__io *io)
{
	enum weft__poll_mode mode = mode_of(io->kind);
	int err = weft__fd_try_begin(f, mode);
	if (err < 0)
		return err;
	if (mode == WEFT__POLL_READ)
		f->emptied = false;
	ssize_t ret = once(f, io);
	weft__fd_end(m, f, mode);
	return ret;
}

INLINE ssize_t by_turns(weft__m **m, weft_fd *f, const weft__io *io)
{
	if (weft__unlikely(io->flags & MSG_DONTWAIT))
		return without_waiting(m, f, io);
	enum weft__poll_mode mode = mode_of(io->kind);
	int err = weft__fd_begin(m, f, mode);
	if (weft__unlikely(err < 0))
		return err;
	ssize_t ret = io->kind == WEFT__IO_READ && io->n == 0 && f->stream ? 0 : transfer(m, f, io);
	weft__fd_end(m, f, mode);
	return ret;
}

INLINE ssize_t in_goroutine(weft_fd *f, const weft__io *io)
{
	weft__m *m = weft__enter();
	ssize_t ret = weft__likely(weft__self_g(m) != NULL) ? by_turns(&m, f, io) : -EPERM;
	weft__leave(m);
	return ret;
}

ssize_t weft__io_do(weft_fd *f, const weft__io *io)
{
	return in_goroutine(f, io);
}

/* ---- the calls ---- */

ssize_t weft_read(weft_fd *f, void *buf, size_t n)
{
	return in_goroutine(f, &(weft__io){ .kind = WEFT__IO_READ, .buf = buf, .n = n });
}

ssize_t weft_write(weft_fd *f, const void *buf, size_t n)
{
	return in_goroutine(f, &(weft__io){ .kind = WEFT__IO_WRITE, .buf = (void *)(uintptr_t)buf, .n = n });
}

/* Without a turn: it does not touch the position. */
static ssize_t at_offset(weft_fd *f, const weft__io *io)
{
	weft__m *m = weft__enter();
	ssize_t ret = weft__self_g(m) ? weft__fd_hold(f) : -EPERM;
	if (ret == 0) {
		ret = block(&m, f, io);
		weft__fd_release(&m, f);
	}
	weft__leave(m);
	return ret;
}

ssize_t weft_pread(weft_fd *f, void *buf, size_t n, off_t offset)
{
	return at_offset(f, &(weft__io){ .kind = WEFT__IO_PREAD, .buf = buf, .n = n, .offset = offset });
}

ssize_t weft_pwrite(weft_fd *f, const void *buf, size_t n, off_t offset)
{
	return at_offset(
		f, &(weft__io){ .kind = WEFT__IO_PWRITE, .buf = (void *)(uintptr_t)buf, .n = n, .offset = offset });
}

/* More than the kernel takes at once is a short read or write. */
static int at_most(int n_iov)
{
	return n_iov > IOV_MAX ? IOV_MAX : n_iov;
}

ssize_t weft_readv(weft_fd *f, const struct iovec *iov, int n_iov)
{
	return weft__io_do(f, &(weft__io){ .kind = WEFT__IO_READV, .iov = iov, .n_iov = at_most(n_iov) });
}

ssize_t weft_writev(weft_fd *f, const struct iovec *iov, int n_iov)
{
	return weft__io_do(f, &(weft__io){ .kind = WEFT__IO_WRITEV, .iov = iov, .n_iov = at_most(n_iov) });
}

ssize_t weft_recvfrom(weft_fd *f, void *buf, size_t n, int flags, struct sockaddr *from, socklen_t *n_from)
{
	return weft__io_do(f, &(weft__io){ .kind = WEFT__IO_RECVFROM,
				      .buf = buf,
				      .n = n,
				      .flags = flags,
				      .address = from,
				      .ret_n_address = n_from });
}

ssize_t weft_sendto(weft_fd *f, const void *buf, size_t n, int flags, const struct sockaddr *to, socklen_t n_to)
{
	return weft__io_do(f, &(weft__io){ .kind = WEFT__IO_SENDTO,
				      .buf = (void *)(uintptr_t)buf,
				      .n = n,
				      .flags = flags,
				      .address = (struct sockaddr *)(uintptr_t)to,
				      .n_address = n_to });
}

/* ---- all of it ---- */

/* Goes on until n bytes are through, or the end of the file, all in one turn: how many, or a negative errno. */
INLINE ssize_t whole(weft_fd *f, weft__io_kind kind, char *buf, size_t n)
{
	weft__m *m = weft__enter();
	enum weft__poll_mode mode = mode_of(kind);
	int err = weft__likely(weft__self_g(m) != NULL) ? weft__fd_begin(&m, f, mode) : -EPERM;
	if (weft__unlikely(err < 0)) {
		weft__leave(m);
		return err;
	}
	size_t done = 0;
	ssize_t ret = 0;
	while (done < n) {
		ret = transfer(&m, f, &(weft__io){ .kind = kind, .buf = buf + done, .n = n - done });
		if (ret <= 0)
			break;
		done += (size_t)ret;
		m = weft__enter(); /* as at the beginning of each call: others may want to run */
	}
	weft__fd_end(&m, f, mode);
	weft__leave(m);
	return ret < 0 ? ret : (ssize_t)done;
}

int weft_write_all(weft_fd *f, const void *buf, size_t n)
{
	ssize_t ret = whole(f, WEFT__IO_WRITE, (char *)(uintptr_t)buf, n);
	if (weft__unlikely(ret < 0))
		return (int)ret;
	return (size_t)ret == n ? 0 : -EIO; /* a write of nothing without an error: a broken driver */
}

ssize_t weft_read_full(weft_fd *f, void *buf, size_t n)
{
	return whole(f, WEFT__IO_READ, buf, n);
}

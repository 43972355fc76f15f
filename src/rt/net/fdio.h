/* rt/net/fdio.h - one call on a descriptor, tried first and waited for only when it would block. */
#ifndef WEFT__FDIO_H
#define WEFT__FDIO_H

#include "rt/net/fd.h"

typedef enum weft__io_kind {
	WEFT__IO_READ,
	WEFT__IO_READV,
	WEFT__IO_PREAD,
	WEFT__IO_RECVFROM,
	WEFT__IO_ACCEPT,
	WEFT__IO_WRITE,
	WEFT__IO_WRITEV,
	WEFT__IO_PWRITE,
	WEFT__IO_SENDTO,
	WEFT__IO_CONNECT, /* waits for the end of a connect(2) that was begun */
} weft__io_kind;

typedef struct weft__io {
	weft__io_kind kind;
	void *buf;
	size_t n;
	const struct iovec *iov;
	int n_iov;
	off_t offset;
	int flags;
	struct sockaddr *address;
	socklen_t n_address;
	socklen_t *ret_n_address;
} weft__io;

/* Does it, in a turn of its direction: its result or a negative errno.  Not inside the runtime. */
ssize_t weft__io_do(weft_fd *f, const weft__io *io);

#endif

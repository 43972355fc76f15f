/* weft/net.h - sockets, pipes, terminals and files that park the goroutine instead of the thread.
 *
 * Any number of goroutines may use one descriptor; calls in one direction are served one after the other, reading and
 * writing do not disturb each other.  Errors are those of the calls of the same name, and
 *   -ETIMEDOUT   the deadline has passed; it stays passed until set anew,
 *   -ECANCELED   the descriptor has been closed, before the call or during it,
 *   -EPERM       outside a goroutine.
 * EINTR never comes through, nor does EAGAIN unless asked for by MSG_DONTWAIT.
 * A peer that is gone is -EPIPE, never a SIGPIPE, unless standard output or error (1, 2) is a pipe without a reader:
 * then the program ends by SIGPIPE, as it does by any write(2) of its own, and as `program | head` should.  A program
 * that ignores or handles the signal gets -EPIPE there, too.  weft_main() has a handler for it where it finds the
 * default action; programs that are started find the default.  Same as Go: package os/signal, "SIGPIPE".
 */
#ifndef WEFT_NET_H
#define WEFT_NET_H

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <weft/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- descriptors ---- */

/* Closes the descriptor for everybody and gives back the caller's reference.
 *
 * Goroutines that wait in it return -ECANCELED; the kernel's descriptor is closed when the last of them has left the
 * call.  Returns 0, the error of close(2) when nobody was in a call, or -ECANCELED when it was closed before.  NULL is
 * fine: 0.  Any thread.
 * A goroutine in a call keeps the memory alive; one that may begin a call after another has closed needs a reference
 * of its own.  Same as Go: net.Conn.Close ("Any blocked Read or Write operations will be unblocked and return errors").
 */
WEFT_API int weft_fd_close(weft_fd *f);
WEFT_API weft_fd *weft_fd_ref(weft_fd *f); /* returns f; any thread */
WEFT_API void weft_fd_unref(weft_fd *f);   /* the last one closes; any thread */

/* Takes over an open descriptor of any kind; weft_fd_close() closes it.
 *
 * A socket is made non-blocking, which every holder of the same open file sees.  All else is left in its mode, because
 * standard input and output are shared with other programs: in blocking mode each call waits until the descriptor is
 * ready, and blocks a thread only where another process is faster, or a terminal takes a part of a write; one that is
 * non-blocking already is cheaper to use.  On failure `fd` stays the caller's.
 * Errors: -EBADF, -EEXIST (it has a weft_fd already), -ENOMEM, -ENOSPC (the system's limit of watched descriptors),
 * -EPERM when the scheduler does not run.  Any thread.
 */
WEFT_API int weft_fd_wrap(int fd, weft_fd **ret);
/* The kernel's number, for options and the like; valid until closed.  Do not close it, do not make it blocking.  Reads
 * of a TCP socket cost a system call more from then on, because options may change what a short read means. */
WEFT_API int weft_fd_number(const weft_fd *f);

/* Moments after which reading (and accepting) or writing fails with -ETIMEDOUT, for calls that wait already, too.
 *
 * WEFT_FOREVER: none.  A moment that has passed fails them at once.  Two goroutines may set them at the same time.
 * Returns 0; -ECANCELED; -EOPNOTSUPP where calls block a thread (regular files); -ENOMEM, and then the moment counts as
 * passed.  Cost: moving one into the future, as before each call, does not touch the timers.  Any thread.
 * Same as Go: Conn.SetReadDeadline. */
WEFT_API int weft_fd_deadline(weft_fd *f, weft_ns read_by, weft_ns write_by);
WEFT_API int weft_fd_read_deadline(weft_fd *f, weft_ns read_by);
WEFT_API int weft_fd_write_deadline(weft_fd *f, weft_ns write_by);

/* ---- reading and writing ---- */

/* Up to n bytes: how many, at least 1 when n is; 0 at the end of the file. */
WEFT_API ssize_t weft_read(weft_fd *f, void *buf, size_t n);
WEFT_API ssize_t weft_readv(weft_fd *f, const struct iovec *iov, int n_iov);
WEFT_API ssize_t weft_write(weft_fd *f, const void *buf, size_t n); /* may write less than n */
WEFT_API ssize_t weft_writev(weft_fd *f, const struct iovec *iov, int n_iov);
/* All n bytes: 0, or an error, and then nobody knows how many were written. */
WEFT_API int weft_write_all(weft_fd *f, const void *buf, size_t n);
/* n bytes, or fewer at the end of the file: how many.  An error loses those read before. */
WEFT_API ssize_t weft_read_full(weft_fd *f, void *buf, size_t n);
/* At an offset, leaving the position alone: files only (-ESPIPE). */
WEFT_API ssize_t weft_pread(weft_fd *f, void *buf, size_t n, off_t offset);
WEFT_API ssize_t weft_pwrite(weft_fd *f, const void *buf, size_t n, off_t offset);

/* ---- files ---- */

/* As open(2); close-on-exec is set.  Opening, and reading and writing regular files, are blocking calls (weft/block.h):
 * the thread waits, other goroutines do not.  A FIFO opens when its other side does, or at once with O_NONBLOCK. */
WEFT_API int weft_open(const char *path, int flags, mode_t mode, weft_fd **ret);
WEFT_API int weft_pipe(weft_fd **ret_read, weft_fd **ret_write);

/* ---- sockets ---- */

/* Networks and their addresses:
 *
 *   tcp tcp4 tcp6              "host:port", "[::1]:443", ":8080" (every own address; dialling: this machine); port 0:
 *                              any free one; ports of services by name ("host:http")
 *   udp udp4 udp6              the same
 *   unix unixgram unixpacket   a path, at most 107 bytes; "@name" has no place in the file system
 *
 * Errors besides those of the kernel: -EINVAL for an address that is none, -ENAMETOOLONG for a path,
 * -EPROTONOSUPPORT for an unknown network, and those of weft_lookup(). */

/* Listens (stream) or binds (datagram), with a queue as long as the system allows.  Accepting waits in weft_accept(); a
 * datagram socket is read at once.  A Unix socket's path is removed when the descriptor is closed.  Of several
 * addresses of a name the first one of IPv4 is taken, as Go does. */
WEFT_API int weft_listen(const char *network, const char *address, weft_fd **ret);
/* Waits for a connection.  After -EMFILE and -ENFILE the connection is still in the queue: close something, or wait,
 * and call again. */
WEFT_API int weft_accept(weft_fd *listener, weft_fd **ret);
/* Connects, trying each address of the name in turn until the deadline, which they share: the first error when all
 * fail.  TCP_NODELAY is set, as Go does, also on accepted connections. */
WEFT_API int weft_dial(const char *network, const char *address, weft_ns deadline, weft_fd **ret);

/* Datagrams: as recvfrom(2) and sendto(2); `from` and `n_from` may be NULL.  With MSG_DONTWAIT: -EAGAIN at once where
 * it would wait, for the kernel or for another goroutine that is in a call in this direction. */
WEFT_API ssize_t weft_recvfrom(weft_fd *f, void *buf, size_t n, int flags, struct sockaddr *from, socklen_t *n_from);
WEFT_API ssize_t weft_sendto(
	weft_fd *f, const void *buf, size_t n, int flags, const struct sockaddr *to, socklen_t n_to);

/* As shutdown(2): SHUT_WR tells the peer that no more will come. */
WEFT_API int weft_fd_shutdown(weft_fd *f, int how);

/* The socket's own address and the peer's, as text in the form above.  Returns the length, as snprintf() (cut and ended
 * by 0 when n is too small), or an error. */
WEFT_API int weft_fd_local(const weft_fd *f, char *ret, size_t n);
WEFT_API int weft_fd_peer(const weft_fd *f, char *ret, size_t n);

/* Addresses of a host name (or of an address as text), the preferred first, without a port: fills up to n, returns how
 * many there are.  Other goroutines run meanwhile; the answer of a query that the deadline cut off is dropped.
 * "localhost" and names below it are this machine's, also where no table says so (RFC 6761).
 * Errors: -ENOENT no such host, -EIO the name servers failed, -ETIMEDOUT, -ENOMEM. */
WEFT_API int weft_lookup(const char *host, weft_ns deadline, struct sockaddr_storage *ret, size_t n);

#ifdef __cplusplus
}
#endif
#endif

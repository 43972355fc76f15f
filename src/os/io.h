/* os/io.h - reading, writing and connecting descriptors.
 *
 * As the system calls of the same names, with a negative errno instead of -1 and errno, so that a caller may go on on
 * another thread at once; they begin again after a signal, except where said.  Those for sockets never raise SIGPIPE;
 * for pipes see sigpipe.h.
 */
#ifndef WO_IO_H
#define WO_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

ssize_t wo_io_read(int fd, void *buf, size_t n);
ssize_t wo_io_write(int fd, const void *buf, size_t n);
ssize_t wo_io_readv(int fd, const struct iovec *iov, int n_iov);
ssize_t wo_io_writev(int fd, const struct iovec *iov, int n_iov);
ssize_t wo_io_pread(int fd, void *buf, size_t n, off_t offset);
ssize_t wo_io_pwrite(int fd, const void *buf, size_t n, off_t offset);

ssize_t wo_io_recv(int fd, void *buf, size_t n);
ssize_t wo_io_send(int fd, const void *buf, size_t n);
ssize_t wo_io_sendv(int fd, const struct iovec *iov, int n_iov);
ssize_t wo_io_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *from, socklen_t *n_from);
ssize_t wo_io_sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *to, socklen_t n_to);

int wo_io_open(const char *path, int flags, mode_t mode); /* close-on-exec is set */
int wo_io_close(int fd);                                  /* never again after a signal: the descriptor is gone */
int wo_io_pipe(int ret[static 2]);                        /* both ends non-blocking and close-on-exec */
int wo_io_unblock(int fd);                                /* sets O_NONBLOCK, when it is not set */
bool wo_io_is_unblocked(int fd);

/* Sockets that are made here are non-blocking and close-on-exec. */
int wo_io_socket(int family, int type);
int wo_io_accept(int fd); /* a connection that was given up by its peer meanwhile is passed over */
int wo_io_connect(int fd, const struct sockaddr *to, socklen_t n_to); /* -EINTR: it goes on */
/* The same in blocking mode, for at most ns (0: as long as it takes; then -EAGAIN), and then in non-blocking mode
 * again. -EINTR: begin again. */
int wo_io_connect_within(int fd, const struct sockaddr *to, socklen_t n_to, int64_t ns);
/* How a connection that was begun is getting on: 0 connected, -EAGAIN not yet, or why it failed. */
int wo_io_connected(int fd);

int wo_io_bind(int fd, const struct sockaddr *at, socklen_t n_at);
int wo_io_listen(int fd, int backlog);
int wo_io_shutdown(int fd, int how);
int wo_io_local(int fd, struct sockaddr *ret, socklen_t *n);
int wo_io_peer(int fd, struct sockaddr *ret, socklen_t *n);

/* Would reading (writing) not block now?  True as well where it would fail. */
bool wo_io_can_read(int fd);
bool wo_io_can_write(int fd);

#endif

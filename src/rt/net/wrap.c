/* rt/net/wrap.c - descriptors of files, pipes, terminals, and of what others have opened. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/io.h"
#include "rt/net/fd.h"

/* Its bytes have no bounds between them. */
static bool is_stream(int fd, mode_t mode)
{
	int type = 0;
	socklen_t n = sizeof(type);
	if (S_ISSOCK(mode))
		return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_STREAM;
	return S_ISFIFO(mode) || S_ISCHR(mode);
}

/* own: nobody else has the open file, so that its mode can be changed. */
static int wrap(int fd, bool own, weft_fd **ret)
{
	struct stat st;
	weft_fd *f;
	if (fstat(fd, &st) < 0)
		return -EBADF;
	int err = weft__fd_make(fd, S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode), &f);
	if (err < 0)
		return err;
	f->socket = S_ISSOCK(st.st_mode);
	f->stream = is_stream(fd, st.st_mode);
	if (f->pd && (own || f->socket))
		wo_io_unblock(fd);
	else if (f->pd)
		f->tried_last = !wo_io_is_unblocked(fd);
	*ret = f;
	return 0;
}

int weft_fd_wrap(int fd, weft_fd **ret)
{
	return weft__sched.started ? wrap(fd, /* own= */ false, ret) : -EPERM;
}

int weft_open(const char *path, int flags, mode_t mode, weft_fd **ret)
{
	weft__m *m = weft__enter();
	if (!weft__self_g(m)) {
		weft__leave(m);
		return -EPERM;
	}
	weft__call_begin(m);
	int fd = wo_io_open(path, flags, mode);
	m = weft__call_end();
	weft__leave(m);
	if (fd < 0)
		return fd;
	int err = wrap(fd, /* own= */ true, ret);
	if (err < 0)
		wo_io_close(fd);
	return err;
}

int weft_pipe(weft_fd **ret_read, weft_fd **ret_write)
{
	int fds[2];
	weft_fd *r, *w;
	if (!weft__sched.started)
		return -EPERM;
	int err = wo_io_pipe(fds);
	if (err < 0)
		return err;
	err = wrap(fds[0], /* own= */ true, &r);
	if (err < 0) {
		wo_io_close(fds[0]);
		wo_io_close(fds[1]);
		return err;
	}
	err = wrap(fds[1], /* own= */ true, &w);
	if (err < 0) {
		wo_io_close(fds[1]);
		weft_fd_close(r);
		return err;
	}
	*ret_read = r;
	*ret_write = w;
	return 0;
}

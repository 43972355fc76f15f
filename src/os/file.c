/* os/file.c - see file.h. */
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int wo_open_read(const char *path, int *ret_fd)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

void wo_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

int wo_map_fd(int fd, wo_map *ret)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -ESPIPE;
	if ((uint64_t)st.st_size > SIZE_MAX)
		return -EFBIG;
	wo_map m = { (const uint8_t *)"", 0 };
	if (st.st_size > 0) {
		void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p == MAP_FAILED)
			return -errno;
		m = (wo_map){ p, (size_t)st.st_size };
	}
	*ret = m;
	return 0;
}

int wo_map_file(const char *path, wo_map *ret)
{
	int fd = -1;
	int rc = wo_open_read(path, &fd);
	if (rc < 0)
		return rc;
	rc = wo_map_fd(fd, ret);
	wo_close(fd);
	return rc;
}

void wo_unmap(wo_map *m)
{
	if (m->n)
		munmap((void *)(uintptr_t)m->at, m->n);
	*m = (wo_map){ (const uint8_t *)"", 0 };
}

static void advise(const wo_map *m, size_t from, size_t to, int advice)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	from = (from + page - 1) / page * page;
	to = to >= m->n ? (m->n + page - 1) / page * page : to / page * page;
	if (m->n && from < to)
		madvise((void *)(uintptr_t)(m->at + from), to - from, advice);
}

void wo_map_release(const wo_map *m, size_t from, size_t to)
{
	advise(m, from, to, MADV_DONTNEED);
}

void wo_map_willneed(const wo_map *m, size_t from, size_t to)
{
	advise(m, from, to, MADV_WILLNEED);
}

int wo_scratch(int *ret_fd)
{
	const char *dir = getenv("TMPDIR");
	int fd = open(dir && *dir ? dir : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		fd = memfd_create("scratch", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int wo_write_all(int fd, const void *at, size_t n)
{
	const char *p = at;
	while (n) {
		ssize_t k = write(fd, p, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0 && errno == EAGAIN) { /* the other end of the pipe is behind, and somebody wants O_NONBLOCK */
			poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, -1);
			continue;
		}
		if (k < 0)
			return -errno;
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

enum { PIECE_BYTES = 4096, LOOK_MS = 100 }; /* a pipe that is ready has room for a page */

long wo_write_some(int fd, const void *at, size_t n, int wait_ms)
{
	int ready = poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, wait_ms);
	if (ready <= 0)
		return ready == 0 || errno == EINTR ? 0 : -errno;
	ssize_t k = write(fd, at, n < PIECE_BYTES ? n : PIECE_BYTES);
	return k >= 0 ? k : errno == EINTR || errno == EAGAIN ? 0 : -errno;
}

int wo_write_while(int fd, const void *at, size_t n, bool (*given_up)(void))
{
	const char *p = at;
	while (n) {
		if (given_up())
			return -ECANCELED;
		long k = wo_write_some(fd, p, n, LOOK_MS);
		if (k < 0)
			return (int)k;
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

bool wo_may_wait(int fd)
{
	struct stat st;
	return fstat(fd, &st) < 0 || !S_ISREG(st.st_mode);
}

long wo_read(int fd, void *at, size_t n)
{
	for (;;) {
		ssize_t k = read(fd, at, n);
		if (k >= 0 || errno != EINTR)
			return k < 0 ? -errno : (long)k;
	}
}

bool wo_exists(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

uint64_t wo_file_bytes(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

wo_file_mark wo_file_mark_of(const char *path)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return (wo_file_mark){ 0 };
	return (wo_file_mark){
		.device = st.st_dev,
		.inode = st.st_ino,
		.bytes = (uint64_t)st.st_size,
		.changed_ns = st.st_ctim.tv_sec * (int64_t)1000000000 + st.st_ctim.tv_nsec,
		.regular = S_ISREG(st.st_mode),
	};
}

bool wo_file_mark_same(const wo_file_mark *a, const wo_file_mark *b)
{
	return a->device == b->device && a->inode == b->inode && a->bytes == b->bytes &&
	       a->changed_ns == b->changed_ns && a->regular == b->regular;
}

/* os/pages.c - see pages.h. */
#include "os/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/file.h"

/* Newer than the headers that we build with. */
enum { GUARD_INSTALL = 102 };       /* Linux 6.13 */
enum { PIDFD_SELF_GROUP = -10001 }; /* Linux 6.15 */
enum { LIST_MAX = 512 };

/* ---- failing on purpose ---- */

static struct {
	_Atomic uint64_t left; /* calls until the first that fails; 0: none will */
	_Atomic int error;
} faults[WO_PAGES_CALLS];

void wo_pages_fault(wo_pages_call call, uint64_t nth, int error)
{
	atomic_store(&faults[call].error, error);
	atomic_store(&faults[call].left, nth);
}

/* 0, or the negative errno that this call has to fail with. */
static int fault(wo_pages_call call)
{
	uint64_t left = atomic_load_explicit(&faults[call].left, memory_order_relaxed);
	if (__builtin_expect(left == 0, 1))
		return 0;
	if (left > 1) {
		atomic_fetch_sub(&faults[call].left, 1);
		return 0;
	}
	return -atomic_load(&faults[call].error);
}

/* ---- address space ---- */

static void *map(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return at == MAP_FAILED ? NULL : at;
}

/* Maps twice as much and cuts off what is not aligned. */
static void *map_aligned(size_t bytes)
{
	char *at = map(2 * bytes);
	if (!at)
		return NULL;
	size_t before = -(uintptr_t)at & (bytes - 1);
	if (before)
		munmap(at, before);
	munmap(at + before + bytes, bytes - before);
	return at + before;
}

int wo_pages_reserve(size_t bytes, void **ret)
{
	int rc = fault(WO_PAGES_RESERVE);
	if (rc)
		return rc;
	/* The kernel places a mapping next to the last one: after an aligned one it is aligned, and becomes one with
	 * it. */
	void *at = map(bytes);
	if (at && ((uintptr_t)at & (bytes - 1))) {
		munmap(at, bytes);
		at = map_aligned(bytes);
	}
	if (!at)
		return -ENOMEM;
	madvise(at, bytes, MADV_NOHUGEPAGE); /* EINVAL where there are no huge pages: then there is nothing to forbid */
	*ret = at;
	return 0;
}

void wo_pages_release(void *at, size_t bytes)
{
	munmap(at, bytes);
}

/* ---- lists of places ---- */

/* What stands for this process in process_madvise: a constant of newer kernels, else a descriptor for this one call
 * (kept, it would mean the parent after a fork, and something else once a daemon has closed all it does not know). */
static long advise_list(const struct iovec *v, size_t n, int advice)
{
	static _Atomic bool old;
	if (!atomic_load_explicit(&old, memory_order_relaxed)) {
		long rc = syscall(SYS_process_madvise, PIDFD_SELF_GROUP, v, n, advice, 0);
		if (rc >= 0 || errno != EBADF)
			return rc;
		atomic_store_explicit(&old, true, memory_order_relaxed);
	}
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (fd < 0)
		return -1;
	long rc = syscall(SYS_process_madvise, fd, v, n, advice, 0);
	int error = errno;
	close(fd);
	errno = error;
	return rc;
}

/* How many places of a list, from the first, `bytes` cover. */
static size_t covered(const struct iovec *v, size_t n, size_t bytes)
{
	size_t i = 0;
	while (i < n && bytes >= v[i].iov_len)
		bytes -= v[i++].iov_len;
	return i;
}

/* One step: at least one place, or negative errno. */
static long advise_some(const struct iovec *v, size_t n, int advice)
{
	if (n > 1) {
		n = n < LIST_MAX ? n : LIST_MAX;
		long bytes = advise_list(v, n, advice);
		size_t done = bytes > 0 ? covered(v, n, (size_t)bytes) : 0;
		if (done)
			return (long)done;
		/* Refused altogether (an old kernel, a sandbox), or the first place is bad: that the next call tells.
		 */
	}
	return madvise(v[0].iov_base, v[0].iov_len, advice) < 0 ? -errno : 1;
}

static int advise(const struct iovec *v, size_t n, int advice, size_t *ret_n)
{
	size_t done = 0;
	long rc = 0;
	while (done < n && (rc = advise_some(v + done, n - done, advice)) > 0)
		done += (size_t)rc;
	*ret_n = done;
	return done < n ? (int)rc : 0;
}

/* Can the kernel itself not read there? */
static bool unreadable(const void *at)
{
	int fd[2];
	if (pipe2(fd, O_CLOEXEC) < 0)
		return false;
	bool refused = write(fd[1], at, 1) < 0 && errno == EFAULT;
	close(fd[0]);
	close(fd[1]);
	return refused;
}

/* Emulators say yes to any advice and do nothing: so it is tried. */
static bool probe_guard(void)
{
	size_t bytes = wo_page_bytes();
	void *at = map(bytes);
	if (!at)
		return false;
	bool can = madvise(at, bytes, GUARD_INSTALL) == 0 && unreadable(at);
	munmap(at, bytes);
	return can;
}

bool wo_pages_can_guard(void)
{
	static _Atomic int answer = -1; /* not asked yet */
	if (atomic_load(&answer) < 0)
		atomic_store(&answer, probe_guard());
	return atomic_load(&answer);
}

int wo_pages_guard(const struct iovec *v, size_t n, size_t *ret_n)
{
	*ret_n = 0;
	int rc = fault(WO_PAGES_GUARD);
	return rc ? rc : advise(v, n, GUARD_INSTALL, ret_n);
}

int wo_pages_deny(void *at, size_t bytes)
{
	int rc = fault(WO_PAGES_DENY);
	if (rc)
		return rc;
	return mprotect(at, bytes, PROT_NONE) < 0 ? -errno : 0;
}

int wo_pages_populate(const struct iovec *v, size_t n)
{
	size_t done;
	int rc = fault(WO_PAGES_POPULATE);
	return rc ? rc : advise(v, n, MADV_POPULATE_WRITE, &done);
}

int wo_pages_drop(const struct iovec *v, size_t n)
{
	size_t done;
	int rc = fault(WO_PAGES_DROP);
	return rc ? rc : advise(v, n, MADV_DONTNEED, &done);
}

size_t wo_pages_present_below(const void *end, size_t bytes)
{
	size_t page = wo_page_bytes(), present = 0;
	unsigned char in = 1;
	while (present < bytes && mincore((char *)(uintptr_t)end - present - page, page, &in) == 0 && (in & 1))
		present += page;
	return present;
}

/* ---- limits ---- */

size_t wo_page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

size_t wo_maps_max(void)
{
	char text[32];
	size_t max = 0;
	int fd;
	if (wo_open_read("/proc/sys/vm/max_map_count", &fd) == 0) {
		long n = wo_read(fd, text, sizeof(text));
		for (long i = 0; i < n && text[i] >= '0' && text[i] <= '9'; i++)
			max = max * 10 + (size_t)(text[i] - '0');
		wo_close(fd);
	}
	return max ? max : 65530;
}

size_t wo_maps_used(void)
{
	char text[4096];
	size_t lines = 0;
	long n;
	int fd;
	if (wo_open_read("/proc/self/maps", &fd) < 0)
		return 0;
	while ((n = wo_read(fd, text, sizeof(text))) > 0)
		for (long i = 0; i < n; i++)
			lines += text[i] == '\n';
	wo_close(fd);
	return lines;
}

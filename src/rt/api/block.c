/* rt/api/block.c - see weft/block.h. */
#include <weft/block.h>
#include <weft/go.h>

#include <errno.h>
#include <netdb.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rt/sched/park.h"

/* Not inlined: the address of errno must not be kept over a switch. */
__attribute__((noinline)) static void set_errno(int value)
{
	errno = value;
}

void weft_syscall_begin(void)
{
	weft__m *m = weft__enter();
	if (weft__self_g(m))
		weft__call_begin(m);
	else
		weft__leave(m);
}

void weft_syscall_end(void)
{
	weft__m *m = weft__self();
	if (!weft__self_g(m))
		return;
	int saved = errno;
	m = weft__call_end();
	weft__leave(m);
	set_errno(saved);
}

void weft_blocking(weft_fn *fn, void *arg)
{
	weft__blocking(fn, arg);
}

/* ---- the usual ones ---- */

/* The value of a call that says -1 and errno, with the thread's claim on a proc given up meanwhile. */
#define BLOCKING(type, call)                        \
	__extension__({                             \
		weft_syscall_begin();               \
		type ret_ = (call);                 \
		if (ret_ == (type)-1)               \
			ret_ = (type)-weft_errno(); \
		weft_syscall_end();                 \
		ret_;                               \
	})

long weft_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	return BLOCKING(long, syscall(number, a, b, c, d, e, f));
}

pid_t weft_waitpid(pid_t pid, int *ret_status, int options)
{
	return BLOCKING(pid_t, waitpid(pid, ret_status, options));
}

int weft_fsync(int fd)
{
	return BLOCKING(int, fsync(fd));
}

int weft_fdatasync(int fd)
{
	return BLOCKING(int, fdatasync(fd));
}

int weft_flock(int fd, int operation)
{
	return BLOCKING(int, flock(fd, operation));
}

/* ---- names ---- */

struct names {
	const char *node, *service;
	const struct addrinfo *hints;
	struct addrinfo *found;
	int result, error;
};

static void look_up(void *arg)
{
	struct names *n = arg;
	n->result = getaddrinfo(n->node, n->service, n->hints, &n->found);
	n->error = errno;
}

int weft_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
	struct names n = { .node = node, .service = service, .hints = hints };
	weft__blocking(look_up, &n);
	if (n.result == 0)
		*ret = n.found;
	set_errno(n.error); /* of EAI_SYSTEM */
	return n.result;
}

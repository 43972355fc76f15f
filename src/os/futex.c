/* os/futex.c - see futex.h. */
#include "os/futex.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(_Atomic uint32_t) == sizeof(uint32_t), "the kernel looks at plain words");

static struct timespec timespec_of(int64_t ns)
{
	return (struct timespec){ .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
}

static int wait(_Atomic uint32_t *at, int op, uint32_t expected, const struct timespec *time)
{
	long rc = syscall(SYS_futex, at, op | FUTEX_PRIVATE_FLAG, expected, time, NULL, FUTEX_BITSET_MATCH_ANY);
	return rc < 0 ? -errno : 0;
}

int wo_futex_wait(_Atomic uint32_t *at, uint32_t expected, int64_t timeout_ns)
{
	struct timespec t = timespec_of(timeout_ns < 0 ? 0 : timeout_ns);
	return wait(at, FUTEX_WAIT, expected, timeout_ns < 0 ? NULL : &t);
}

int wo_futex_wait_until(_Atomic uint32_t *at, uint32_t expected, int64_t deadline_ns)
{
	struct timespec t = timespec_of(deadline_ns < 0 ? 0 : deadline_ns);
	return wait(at, FUTEX_WAIT_BITSET, expected, &t);
}

int wo_futex_wake(_Atomic uint32_t *at, int n)
{
	long rc = syscall(SYS_futex, at, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
	return rc < 0 ? 0 : (int)rc;
}

/* os/cputimer.c - see cputimer.h. */
#include "os/cputimer.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

enum { NS = 1000000000 };

/* The kernel's name for the CPU time of a thread (CPUCLOCK_SCHED, per thread). */
static clockid_t clock_of(uint64_t thread_id)
{
	return (clockid_t)(~(unsigned)thread_id << 3 | 6);
}

static struct timespec time_of(int64_t ns)
{
	return (struct timespec){ .tv_sec = ns / NS, .tv_nsec = ns % NS };
}

int wo_cputimer_start(timer_t *ret, uint64_t thread_id, wo_cputimer_clock clock, int64_t first_ns, int64_t period_ns,
	int signal, void *cookie)
{
	struct sigevent ev = {
		.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = signal, .sigev_value.sival_ptr = cookie
	};
	ev.sigev_notify_thread_id = (pid_t)thread_id;
	timer_t t;
	if (timer_create(clock == WO_CPUTIMER_CPU ? clock_of(thread_id) : CLOCK_MONOTONIC, &ev, &t) < 0)
		return -errno;
	struct itimerspec when = { .it_value = time_of(first_ns), .it_interval = time_of(period_ns) };
	if (timer_settime(t, 0, &when, NULL) < 0) {
		int err = -errno;
		timer_delete(t);
		return err;
	}
	*ret = t;
	return 0;
}

void wo_cputimer_stop(timer_t t)
{
	timer_delete(t);
}

int wo_cputimer_periods(const siginfo_t *info, const void *cookie)
{
	return info->si_code == SI_TIMER && info->si_value.sival_ptr == cookie ? 1 + info->si_overrun : 0;
}

wo_registers wo_registers_of(const void *context)
{
	const ucontext_t *uc = context;
#if defined(__x86_64__)
	return (wo_registers){ (uintptr_t)uc->uc_mcontext.gregs[REG_RIP], (uintptr_t)uc->uc_mcontext.gregs[REG_RBP],
		(uintptr_t)uc->uc_mcontext.gregs[REG_RSP], 0 };
#elif defined(__aarch64__)
	return (wo_registers){ uc->uc_mcontext.pc, uc->uc_mcontext.regs[29], uc->uc_mcontext.sp,
		uc->uc_mcontext.regs[30] };
#endif
}

int wo_threads_each(void (*fn)(uint64_t thread_id, void *arg), void *arg)
{
	DIR *d = opendir("/proc/self/task");
	if (!d)
		return -errno;
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		if (e->d_name[0] != '.')
			fn(strtoull(e->d_name, NULL, 10), arg);
	closedir(d);
	return 0;
}

/* Asks the kernel for a change of signal masks of no kind: it reads the mask first, or cannot. */
static bool can_read(uintptr_t at)
{
	enum { NO_SUCH_CHANGE = -1 };
	return syscall(SYS_rt_sigprocmask, NO_SUCH_CHANGE, at, NULL, sizeof(uint64_t)) < 0 && errno == EINVAL;
}

/* Word by word; the two ends say whether the pages between are there: at most two pages. */
__attribute__((no_sanitize("address", "thread"))) static bool copy_here(uintptr_t from, void *to, size_t n)
{
	uintptr_t *words = to;
	if (n % sizeof(*words) != 0 || from % sizeof(*words) != 0 || n > WO_PEEK_BYTES_MAX)
		return false;
	if (n > 0 && !(can_read(from) && can_read(from + n - sizeof(*words))))
		return false;
	for (size_t i = 0; i < n / sizeof(*words); i++)
		words[i] = ((const volatile uintptr_t *)from)[i];
	return true;
}

/* Emulators and some sandboxes have no process_vm_readv. */
bool wo_peek(uintptr_t from, void *to, size_t n)
{
	struct iovec local = { to, n }, remote = { (void *)from, n };
	ssize_t k = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
	return k == (ssize_t)n || (k < 0 && (errno == ENOSYS || errno == EPERM) && copy_here(from, to, n));
}

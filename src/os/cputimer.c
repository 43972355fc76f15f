/* os/cputimer.c - see cputimer.h. */
#include "os/cputimer.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
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
		(uintptr_t)uc->uc_mcontext.gregs[REG_RSP] };
#elif defined(__aarch64__)
	return (wo_registers){ uc->uc_mcontext.pc, uc->uc_mcontext.regs[29], uc->uc_mcontext.sp };
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

bool wo_peek(uintptr_t from, void *to, size_t n)
{
	struct iovec local = { to, n }, remote = { (void *)from, n };
	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)n;
}

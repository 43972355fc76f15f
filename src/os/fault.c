/* os/fault.c - see fault.h. */
#include "os/fault.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/cputimer.h"

static const int signals[] = { SIGSEGV, SIGBUS };
enum { N_SIGNALS = sizeof(signals) / sizeof(*signals) };

static struct sigaction before[N_SIGNALS];
static void (*watcher)(const wo_fault *f);

static wo_fault fault_of(int signal, const siginfo_t *info, const void *uc)
{
	wo_registers r = wo_registers_of(uc);
	return (wo_fault){ .signal = signal, .addr = info->si_addr, .pc = r.pc, .fp = r.fp, .sp = r.sp };
}

/* Sent by somebody, not raised by an instruction: then si_addr means nothing. */
static bool was_sent(const siginfo_t *info)
{
	return info->si_code <= 0;
}

/* The default: back to the instruction, which faults again and ends the process as if we had not been there.  A signal
 * that was sent is sent again: it arrives when the handler returns. */
static void as_default(int signal, const siginfo_t *info)
{
	sigaction(signal, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
	if (was_sent(info))
		raise(signal);
}

static void as_before(const struct sigaction *old, int signal, siginfo_t *info, void *uc)
{
	if (old->sa_flags & SA_SIGINFO)
		old->sa_sigaction(signal, info, uc);
	else if (old->sa_handler == SIG_DFL || (old->sa_handler == SIG_IGN && !was_sent(info)))
		as_default(signal, info);
	else if (old->sa_handler != SIG_IGN)
		old->sa_handler(signal);
}

static void handler(int signal, siginfo_t *info, void *uc)
{
	int error = errno;
	if (!was_sent(info)) {
		wo_fault f = fault_of(signal, info, uc);
		watcher(&f);
	}
	as_before(&before[signal == SIGBUS], signal, info, uc);
	errno = error;
}

int wo_fault_watch(void (*fn)(const wo_fault *f))
{
	static atomic_flag once = ATOMIC_FLAG_INIT;
	if (atomic_flag_test_and_set(&once))
		return -EALREADY;
	watcher = fn;
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < N_SIGNALS; i++)
		if (sigaction(signals[i], &sa, &before[i]) < 0)
			return -errno;
	return 0;
}

/* ---- alternate stacks ---- */

enum { OWN_BYTES = 64 << 10 };

/* The kernel's frame has all vector registers in it: it says itself how much that is. */
static size_t wanted_bytes(void)
{
#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif
	size_t frame = getauxval(AT_MINSIGSTKSZ);
	return (frame > 2048 ? frame : 2048) + OWN_BYTES;
}

static size_t whole_pages(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	return (n + page - 1) / page * page;
}

int wo_sigstack_init(wo_sigstack *s)
{
	stack_t old;
	if (sigaltstack(NULL, &old) < 0)
		return -errno;
	*s = (wo_sigstack){ .old_at = old.ss_sp, .old_n_bytes = old.ss_size, .old_flags = old.ss_flags };
	if (!(old.ss_flags & SS_DISABLE) && old.ss_size >= wanted_bytes())
		return 0;
	size_t guard = whole_pages(1), bytes = whole_pages(wanted_bytes());
	char *at = mmap(NULL, guard + bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (at == MAP_FAILED)
		return -errno;
	stack_t ss = { .ss_sp = at + guard, .ss_size = bytes };
	if (mprotect(at, guard, PROT_NONE) < 0 || sigaltstack(&ss, NULL) < 0) {
		int error = errno;
		munmap(at, guard + bytes);
		return -error;
	}
	s->at = at;
	s->n_bytes = guard + bytes;
	return 0;
}

void wo_sigstack_done(wo_sigstack *s)
{
	if (!s->at)
		return;
	stack_t old = { .ss_sp = s->old_at, .ss_size = s->old_n_bytes, .ss_flags = s->old_flags & SS_DISABLE };
	if (sigaltstack(&old, NULL) == 0) /* else it is in use, and stays */
		munmap(s->at, s->n_bytes);
	s->at = NULL;
}

/* os/cputimer.h - signals for each so much CPU time of a thread, and what a handler may look at. */
#ifndef WO_CPUTIMER_H
#define WO_CPUTIMER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Which clock: the thread's CPU time, which kernels look at only with each of their ticks; or real time, which comes
 * as often as one asks for, and to threads that sleep as well. */
typedef enum wo_cputimer_clock { WO_CPUTIMER_CPU, WO_CPUTIMER_REAL } wo_cputimer_clock;

/* Has `signal` sent to the thread, one of this process, each period_ns of its time, first after first_ns; with `cookie`
 * as its value.  0 or negative errno: -EINVAL when the thread is gone, -EAGAIN. */
int wo_cputimer_start(timer_t *ret, uint64_t thread_id, wo_cputimer_clock clock, int64_t first_ns, int64_t period_ns,
	int signal, void *cookie);
void wo_cputimer_stop(timer_t t);

/* Of such a signal, in its handler: how many periods it stands for; 0: it is another's. */
int wo_cputimer_periods(const siginfo_t *info, const void *cookie);

/* What the code that a signal has interrupted had in its registers; context: the handler's third argument. */
typedef struct wo_registers {
	uintptr_t pc, fp, sp;
	uintptr_t link; /* where a function returns to that has not saved that; 0: not on this processor */
} wo_registers;

wo_registers wo_registers_of(const void *context);

/* Calls fn for each thread of this process.  0 or negative errno. */
int wo_threads_each(void (*fn)(uint64_t thread_id, void *arg), void *arg);

/* Copies n bytes from an address that may not be there; false: it is not, or the kernel does not let us.  Where it lets
 * nobody (emulators, some sandboxes), whole words only, and at most WO_PEEK_BYTES_MAX.
 * Async-signal-safe. */
enum { WO_PEEK_BYTES_MAX = 4096 };
bool wo_peek(uintptr_t from, void *to, size_t n);

#endif

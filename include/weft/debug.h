/* weft/debug.h - looking into a running program.
 *
 * WEFT_PROCS=N     procs, whatever the program says.
 * WEFT_DEBUG=...   any of these, with commas between; anything else is a fatal error that lists them:
 *   seed=N         seed of all random choices
 *   hard=1         rare schedules on purpose: random stealing, a yield at every safe point
 *   leaks=1        at the end: goroutines that are still parked, with their stacks, on standard error
 *   leaks=2        the same, and exit status 3 when there are any
 *   crash=1        panics and fatal errors end with SIGABRT (a core file) after their message
 *   hog=MS         reports goroutines that ran for longer than this without a call of the library; 0: never
 *   sched=MS       a line about the scheduler on standard error, every so often
 *   guard=0        stacks without guard pages
 *
 * SIGQUIT (Ctrl-\) writes weft_dump() to standard error and ends the program with status 2, as Go does, unless the
 * program had a handler of its own before weft_main().
 */
#ifndef WEFT_DEBUG_H
#define WEFT_DEBUG_H

#include <weft/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Writes every goroutine to fd: "goroutine 7 [chan receive, 2 minutes]: NAME", its stack, where it was started.
 * What it waits for is in Go's words: chan send, chan receive (nil chan), select (no cases), sleep, sync.Mutex.Lock,
 * sync.WaitGroup.Wait, sync.Cond.Wait, semacquire, IO wait, syscall, and so on.
 * Goroutines that are running in other threads are shown without a stack.  0, or the error of write(2).  Any thread.
 * Same as Go: runtime.Stack, debug.SetTraceback("all"). */
WEFT_API int weft_dump(int fd);

typedef struct weft_stats {
	size_t n_goroutines, n_runnable, n_parked;
	size_t n_in_syscall; /* goroutines in blocking calls */
	int n_procs, n_procs_idle;
	int n_threads, n_threads_idle, n_threads_spinning;
	size_t n_timers, n_descriptors;
	size_t stack_bytes; /* address space of stacks, in use or pooled */
	uint64_t n_started; /* goroutines, ever */
	uint64_t n_switches, n_steals, n_retakes, n_wakeups;
} weft_stats;
/* A moment's picture, taken without stopping anything: the numbers need not fit together.  Any thread. */
WEFT_API void weft_stats_read(weft_stats *ret);

#ifdef __cplusplus
}
#endif
#endif

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
 *   locks=1        who holds a mutex or rwmutex is written down always, not only while a trace runs: dumps say it, and
 *                  the report of a deadlock names the goroutines that wait for each other in a circle
 * WEFT_DEBUG_ADDR=host:port   serves the debug endpoint (below) from the start, and says where on standard error; a
 *                  port alone, and 0 for any free one, will do
 *
 * WEFT_TRACE, WEFT_CPUPROFILE, WEFT_MEMPROFILE: see weft/trace.h and weft/prof.h.
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
 * Before a parked goroutine stands which object that is, where it is one: "# goroutine 7 waits for mutex 'accounts',
 * held by goroutine 12", "# goroutine 8 waits for channel 0x7f04 (full, 4 of 4)", "# goroutine 9 waits in select
 * over 2: 'jobs', 0x7f08" (the channels by address, each once; of more than 16 cases only how many channels).
 * Who holds a lock is known while a trace runs and with WEFT_DEBUG=locks=1 - not always, as then every lock that nobody
 * contends would look up its goroutine and write it down -, and then circles come first of all ("# a circle: goroutine
 * 7 waits for ...").
 * Goroutines that are running in other threads are shown without a stack.  0, or the error of write(2).  Any thread.
 * Same as Go: runtime.Stack, debug.SetTraceback("all"). */
WEFT_API int weft_dump(int fd);

/* ---- names of what goroutines wait for ---- */

/* Names a channel, a group, or a structure of weft/sync.h, by its address: dumps and traces say "mutex 'accounts'"
 * instead of where it lies in memory.  A copy is kept, cut after WEFT_NAME_MAX bytes; NULL or "" takes the name away.
 *
 * Channels and groups lose it when they are freed.  Memory of the caller's does not tell when it dies: take the name
 * away, or name what comes to lie there.  A trace has the names of the objects that were alive while it ran, no matter
 * whether it was running when they were named.  Any thread, at any time, also before weft_main(); object is not looked
 * at.
 * 0; -EINVAL for object NULL; -ENOSPC when WEFT_NAMES_MAX have a name. */
WEFT_API int weft_name(const void *object, const char *name);
/* The same for a descriptor; its name goes when it is closed.  -EPERM for one that blocks threads: nobody is seen to
 * wait for it. */
WEFT_API int weft_fd_name(weft_fd *f, const char *name);
enum { WEFT_NAMES_MAX = 4096, WEFT_NAME_MAX = 64 };

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

/* ---- the debug endpoint ----
 *
 * Go's net/http/pprof for C: `go tool pprof http://ADDRESS/debug/pprof/heap`, `curl -o trace.out
 * 'http://ADDRESS/debug/pprof/trace?seconds=5'`, `weft fetch ADDRESS`, or a browser.  docs/debug.md has all paths. */

/* Answers on goroutines until weft_debug_stop() or the end of the program.
 *
 * address: "host:port"; ":port", "port" and NULL (any free port) are of this machine only, and so is every address that
 * does not name another.  Requests of web pages, and those that call this server by a name that it does not have, are
 * refused; so are more than 32 at once, and recordings of more than 10 minutes.  There is no password: who can reach
 * the address can see inside the program, and slow it down.
 * Returns 0 when it listens; -EBUSY when one is served already, -EPERM outside a goroutine, and errors as
 * weft_listen().  A program that serves waits for requests: it is never found in a deadlock.
 * Same as Go: import _ "net/http/pprof", http.ListenAndServe. */
WEFT_API int weft_debug_serve(const char *address);
/* "127.0.0.1:6060", where it listens: the length, as weft_fd_local(); -EINVAL when it does not, -EPERM. */
WEFT_API int weft_debug_address(char *ret, size_t n);
/* Closes it, ends recordings that clients wait for, and returns when all its goroutines are over: 0; -EINVAL when none
 * is served, -EPERM. */
WEFT_API int weft_debug_stop(void);

#ifdef __cplusplus
}
#endif
#endif

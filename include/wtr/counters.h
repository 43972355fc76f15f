/* wtr/counters.h - counts and sizes over time: goroutines by state, heap, procs. */
#ifndef WTR_COUNTERS_H
#define WTR_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtr/error.h>
#include <wtr/open.h>
#include <wtr/where.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The counter tracks of `go tool trace`, and what it leaves out of them. */
#define WTR_COUNTERS(X)                                                                             \
	X(RUNNING, "running", "", "goroutines on a proc")                                           \
	X(SYSCALL, "syscall", "", "goroutines in a system call")                                    \
	X(RUNNABLE, "runnable", "", "goroutines ready, waiting for a proc")                         \
	X(WAITING, "waiting", "", "goroutines waiting, those for the collector aside")              \
	X(GC_WAITING, "gc_waiting", "", "goroutines waiting in a mark assist")                      \
	X(HEAP, "heap", "bytes", "heap in use")                                                     \
	X(GOAL, "goal", "bytes", "heap at which the next collection is to end")                     \
	X(PROCS_RUNNING, "procs_running", "", "procs held by a thread; each is a thread that runs") \
	X(GOMAXPROCS, "gomaxprocs", "", "procs there are")
typedef enum wtr_counter {
#define WTR_COUNTER_ENUM(ID, name, unit, doc) WTR_COUNTER_##ID,
	WTR_COUNTERS(WTR_COUNTER_ENUM)
#undef WTR_COUNTER_ENUM
		WTR_COUNTER_COUNT
} wtr_counter;
WTR_API const char *wtr_counter_name(unsigned counter); /* NULL for a number that is none */

/* Of one step: the value at its end, and the highest in it (from its beginning on). */
typedef struct wtr_counter_step {
	int64_t last[WTR_COUNTER_COUNT], most[WTR_COUNTER_COUNT];
} wtr_counter_step;

/* Fills ret[n]: step i is [from_ns + i * step_ns, from_ns + (i + 1) * step_ns), absolute.  A metric that is not known
 * yet is -1.  Reads the trace once.  Damage is no error: *ret_end (may be NULL) says why reading ended.  E_NOMEM, E_IO,
 * E_USAGE (step_ns or n is 0). */
WTR_API wtr_code wtr_counters(wtr_trace *t, int64_t from_ns, int64_t step_ns, size_t n, wtr_counter_step *ret,
	wtr_error *ret_end, wtr_error *err);

/* The same with only the goroutines that `where` lets through (bound, about goroutines, with an index that has the part
 * GOROUTINES; NULL: all).  Heap and procs are everybody's. */
WTR_API wtr_code wtr_counters_where(wtr_trace *t, wtr_where *where, int64_t from_ns, int64_t step_ns, size_t n,
	wtr_counter_step *ret, wtr_error *ret_end, wtr_error *err);

#ifdef __cplusplus
}
#endif
#endif

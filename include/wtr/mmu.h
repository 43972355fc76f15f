/* wtr/mmu.h - how much of the procs' time is left to the program beside garbage collection, over windows of any length.
 *
 * MMU(w) is the lowest mean utilization of any window of length w; MUD its distribution over all windows.  Definitions
 * are Go's (internal/trace, MutatorUtilizationV2), and docs/analyses.md says where they are wrong.
 */
#ifndef WTR_MMU_H
#define WTR_MMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtr/error.h>
#include <wtr/open.h>
#include <wtr/where.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What takes time from the program. */
#define WTR_LOSSES_TO_GC(X)                                               \
	X(STW, "stw", "the world is stopped for the garbage collector")   \
	X(BACKGROUND, "background", "mark workers")                       \
	X(ASSIST, "assist", "goroutines mark in exchange for allocating") \
	X(SWEEP, "sweep", "goroutines sweep before allocating")
typedef enum wtr_gc_cause {
#define WTR_GC_CAUSE_ENUM(ID, name, doc) WTR_GC_##ID,
	WTR_LOSSES_TO_GC(WTR_GC_CAUSE_ENUM)
#undef WTR_GC_CAUSE_ENUM
		WTR_GC_CAUSES
} wtr_gc_cause;
WTR_API const char *wtr_gc_cause_name(unsigned cause); /* NULL for a number that is none */

typedef struct wtr_mmu_query {
	unsigned causes;    /* bits of 1 << wtr_gc_cause: what counts as lost */
	bool per_goroutine; /* each proc by itself: what a goroutine sees that stays on one; dedicated workers do not
			     * count.  Else the system as a whole */
	bool ranged;
	int64_t from_ns, to_ns; /* absolute */
	bool as_go;             /* count mark workers as Go 1.22 to 1.27 do */
	wtr_where *where;       /* bound, about goroutines, with an index that has the part GOROUTINES: only their
				 * assists and sweeps count as lost; stopped worlds and mark workers are everybody's.
				 * NULL: all */
} wtr_mmu_query;

typedef struct wtr_mmu wtr_mmu;

/* Reads the trace once (twice when it is damaged, as wtr_profile_make()).  *ret is the caller's and does not need the
 * trace.  E_NOMEM, E_IO, E_LIMIT (the number of procs changes over and over). */
WTR_API wtr_code wtr_mmu_make(wtr_trace *t, const wtr_mmu_query *q, wtr_mmu **ret, wtr_error *err);
WTR_API void wtr_mmu_free(wtr_mmu *m); /* m may be NULL */

/* The part [from_ns, to_ns) (absolute) of curves of the whole time, as wtr_mmu_make() makes it with the same query and
 * this range; nothing is read.  `whole` may be asked by many threads at once.  E_NOMEM. */
WTR_API wtr_code wtr_mmu_within(const wtr_mmu *whole, int64_t from_ns, int64_t to_ns, wtr_mmu **ret, wtr_error *err);

typedef struct wtr_mmu_totals {
	size_t series;              /* 1, or one per proc; 0: the trace does not say how many procs there are */
	size_t points;              /* changes of utilization, in all series */
	int64_t length_ns;          /* of the longest series */
	double mean;                /* utilization over all of the time */
	double lost[WTR_GC_CAUSES]; /* shares of all time; with `mean` they add up to 1 */
	wtr_error end;              /* why reading ended */
} wtr_mmu_totals;
WTR_API void wtr_mmu_get_totals(const wtr_mmu *m, wtr_mmu_totals *ret);

/* The lowest mean utilization of any window of this length, 0 to 1; of the whole series where it is shorter. */
WTR_API double wtr_mmu_at(const wtr_mmu *m, int64_t window_ns);

/* Quantiles (0 to 1) of the mean utilization over all windows of this length: ret[i] is what a share q[i] of the
 * windows does not exceed.  False: out of memory. */
WTR_API bool wtr_mmu_quantiles(const wtr_mmu *m, int64_t window_ns, const double *q, size_t n, double *ret);

/* A window with little left for the program. */
typedef struct wtr_mmu_window {
	int64_t start_ns, end_ns; /* absolute */
	size_t series;
	double utilization;
	double lost[WTR_GC_CAUSES]; /* shares of the window's time; with `utilization` they add up to 1 */
} wtr_mmu_window;

/* The `n` lowest windows of this length that do not overlap, lowest first; returns how many there are.  SIZE_MAX: out
 * of memory. */
WTR_API size_t wtr_mmu_worst(const wtr_mmu *m, int64_t window_ns, wtr_mmu_window *ret, size_t n);

/* The `n` window lengths of a curve, evenly on a logarithmic scale, as `go tool trace` draws it. */
WTR_API void wtr_mmu_windows(const wtr_mmu *m, int64_t *ret, size_t n);

#ifdef __cplusplus
}
#endif
#endif

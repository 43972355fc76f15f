/* wtr/why.h - what a stretch of time of a goroutine was spent on: the critical path, backwards over wake-ups.
 *
 * While the goroutine runs, is ready or is in a system call, the time is its own.  While it waits, the path goes on
 * with whoever ended the wait, as far as the wait reaches back; then it returns.  What nobody in the trace ended
 * (network, timers) is outside.  docs/analyses.md has the rules.
 */
#ifndef WTR_WHY_H
#define WTR_WHY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtr/error.h>
#include <wtr/report.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wtr_why wtr_why;

/* One piece of the path; they follow each other without gaps. */
typedef struct wtr_why_piece {
	int64_t from_ns, to_ns; /* absolute */
	int64_t g;              /* whose time it is */
	uint32_t depth;         /* 0: the goroutine asked about; 1: who it waited for; ... */
	uint8_t cls;            /* wtr_class; a wait is outside, or cannot be followed further; NONE: nobody is known */
	uint32_t stack;         /* where it was, or where it stopped running; 0: not known */
	wtr_str reason;         /* of a wait */
} wtr_why_piece;

/* Pieces of the same state, start function and stack. */
typedef struct wtr_why_part {
	wtr_str name; /* start function of whose time it is */
	uint8_t cls;
	uint32_t stack;
	uint64_t n;
	int64_t ns;
} wtr_why_part;

/* Waits on the path that were ended by the same function at the same place. */
typedef struct wtr_why_edge {
	uint32_t stack, waker_stack; /* of one of them */
	uint64_t n;
	int64_t ns;       /* by so much the path would be shorter at most, were these waits nothing */
	int64_t g, waker; /* of the longest one */
	int64_t longest_ns, longest_at_ns;
} wtr_why_edge;

/* Who ran on procs while the path was ready to run. */
typedef struct wtr_why_other {
	wtr_str name; /* start function */
	uint64_t n;   /* goroutines x stretches */
	int64_t ns;   /* sum over procs */
} wtr_why_other;

typedef struct wtr_why_totals {
	int64_t g, from_ns, to_ns;
	int64_t by_class[WTR_CLASS_COUNT];
	int64_t own_ns;        /* at depth 0 */
	int64_t gc_ns, stw_ns; /* mark phases and stopped worlds inside */
	size_t pieces, parts, edges, others;
	bool cut; /* longer than what is kept; the oldest part is missing */
} wtr_why_totals;

/* The path of goroutine `g` from to_ns back to from_ns.  Needs an index with the part LANES, which must live as long as
 * the answer.  E_USAGE: no such goroutine, or it is not there in that time; E_NOMEM. */
WTR_API wtr_code wtr_why_make(
	const wtr_index *x, int64_t g, int64_t from_ns, int64_t to_ns, wtr_why **ret, wtr_error *err);
WTR_API void wtr_why_free(wtr_why *w); /* w may be NULL */

WTR_API void wtr_why_get_totals(const wtr_why *w, wtr_why_totals *ret);
WTR_API const wtr_why_piece *wtr_why_pieces(const wtr_why *w); /* by time */
WTR_API const wtr_why_part *wtr_why_parts(const wtr_why *w);   /* most first */
WTR_API const wtr_why_edge *wtr_why_edges(const wtr_why *w);   /* most first */
WTR_API const wtr_why_other *wtr_why_others(const wtr_why *w); /* most first */

#ifdef __cplusplus
}
#endif
#endif

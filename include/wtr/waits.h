/* wtr/waits.h - who waits for what, and for whom: channels, locks and other objects of a trace that names them
 * (wtr/object.h), and the wait-for graph at any moment.
 */
#ifndef WTR_WAITS_H
#define WTR_WAITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtr/error.h>
#include <wtr/object.h>
#include <wtr/report.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wtr_waits wtr_waits;

/* Reads the whole trace once and keeps of each goroutine when it turned to waiting for something else.
 *
 * Ownership: *ret is the caller's until wtr_waits_free(); it needs the trace no longer.
 * Errors: damage inside the trace is none; E_NOMEM or E_IO leave *ret untouched.
 * Threads: finished, it is immutable.
 */
WTR_API wtr_code wtr_waits_make(wtr_trace *t, wtr_waits **ret, wtr_error *err);
WTR_API void wtr_waits_free(wtr_waits *w); /* w may be NULL */

/* An object, and the waits for it alone.  A wait that goes on counts up to the end of the trace. */
typedef struct wtr_waited {
	uint64_t id, attr; /* as in wtr_object */
	uint64_t n;
	int64_t ns;
	uint64_t n_full; /* of those: senders that found a channel full; the others found it empty */
	int64_t full_ns;
	uint64_t n_select;                            /* waits for it among others; in none of the sums */
	int64_t longest_ns, longest_at_ns, longest_g; /* the longest wait: how long, its beginning, whose */
	int64_t waker;                                /* goroutine that ended the newest wait; WTR_NONE: not known */
	uint32_t first_holder, n_holders;             /* in wtr_waits_holders() */
	uint8_t kind;                                 /* wtr_object_kind */
	wtr_str name;                                 /* the newest; empty: none.  Living as long as the wtr_waits */
} wtr_waited;

/* A goroutine that held a lock while others waited for it, as they found it when they began to wait. */
typedef struct wtr_held {
	uint32_t object; /* in wtr_waits_objects() */
	int64_t g;
	uint64_t n; /* waits */
	int64_t ns, longest_ns;
} wtr_held;

/* Most waited for first; none when the trace does not say what is waited for. */
WTR_API const wtr_waited *wtr_waits_objects(const wtr_waits *w, size_t *ret_n);
/* By object, most first. */
WTR_API const wtr_held *wtr_waits_holders(const wtr_waits *w, size_t *ret_n);

/* What goroutine g, which waits at time_ns, waits for: as wtr_wait_objects(). */
WTR_API size_t wtr_waits_of(const wtr_waits *w, int64_t g, int64_t time_ns, wtr_object *ret, size_t n);

/* ---- at a moment ---- */

typedef struct wtr_graph wtr_graph;

/* A goroutine that waits. */
typedef struct wtr_waiting {
	int64_t g;
	wtr_str name;   /* its start function */
	wtr_str reason; /* living as long as the index, like name */
	int64_t since_ns;
	bool open_start; /* it began to wait before the trace did */
	uint32_t stack;
	uint32_t first, n;    /* what for, in wtr_graph_objects(); n 0: not known */
	int64_t holder;       /* whom it waits for: who holds the lock; WTR_NONE: not known, or no lock */
	uint8_t holder_state; /* wtr_gstate of that goroutine then */
	uint32_t cycle;       /* 1, 2, ..: in this cycle, the next row of which is its holder; 0: in none */
} wtr_waiting;

/* The goroutines that wait at time_ns: those in cycles first, cycle by cycle, then those that wait for a holder, then
 * the others; longest first.  The holder is what the newest of those that wait for the lock found. x: an index of the
 * same trace with the part LANES; it must live as long as *ret.  E_NOMEM. */
WTR_API wtr_code wtr_graph_make(
	const wtr_waits *w, const wtr_index *x, int64_t time_ns, wtr_graph **ret, wtr_error *err);
WTR_API void wtr_graph_free(wtr_graph *g); /* g may be NULL */
WTR_API const wtr_waiting *wtr_graph_rows(const wtr_graph *g, size_t *ret_n);
WTR_API const wtr_object *wtr_graph_objects(const wtr_graph *g);
WTR_API uint32_t wtr_graph_cycles(const wtr_graph *g);

#ifdef __cplusplus
}
#endif
#endif

/* read/source.h - one pass over a trace's ordered events; v1 and v2 each have one behind the same face.
 *
 * A source writes events into the caller's array.  It never looks at more of the trace than it needs, keeps nothing per
 * event, and belongs to one thread.
 */
#ifndef WTR_READ_SOURCE_H
#define WTR_READ_SOURCE_H

#include <wtr/check.h>
#include <wtr/error.h>
#include <wtr/event.h>
#include <wtr/open.h>

/* Counters of odd things (diag.def). */
typedef enum wtr__diag_id {
#define DIAG(ID, name, severity, text) WTR__DIAG_##ID,
#include "read/diag.def"
	WTR__DIAG_COUNT
} wtr__diag_id;

typedef struct wtr__source wtr__source;
struct wtr__source {
	/* Writes at most `cap` (>= 4) events to `out`; 0 at the end or at an error, then `err` is set. */
	size_t (*next)(wtr__source *s, wtr_event *out, size_t cap);
	void (*close)(wtr__source *s); /* frees s itself */
	void (*release)(wtr__source *s,
		size_t i); /* tables of generations 0 .. i are not needed any more; any thread; may be NULL */
	wtr_error  err;                /* code OK at the proper end */
	wtr_losses losses;
	uint64_t   diag[WTR__DIAG_COUNT];
	size_t     gen;                /* index + 1 of the generation that the newest event belongs to; v1: 0 */
	uint64_t   done_bytes;         /* of the trace, for progress */
};

/* NULL, with *err filled, when the pass cannot begin (memory). */
wtr__source *wtr__v1_source(wtr_trace *t, wtr_error *err);
/* From generation `first` on, as if the trace began there. */
wtr__source *wtr__v2_source(wtr_trace *t, size_t first, wtr_error *err);

/* Fills *err and returns its code.  `fmt` must not end in a stop. */
wtr_code wtr__fail(wtr_error *err, wtr_code code, uint64_t offset, uint64_t generation, int64_t thread,
	const char *event, const char *rule, const char *fmt, ...) __attribute__((format(printf, 8, 9)));

#endif

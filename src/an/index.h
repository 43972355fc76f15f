/* an/index.h - an index from the inside: the pass that fills it, and its parts.
 *
 * One thread orders events into blocks of a ring; every sink runs in a thread of its own and sees every block in order
 * (build.c).  Sinks keep what they need and hand it to the index in finish.
 */
#ifndef AN_INDEX_H
#define AN_INDEX_H

#include <wtr/report.h>

#include "base/arena.h"
#include "base/idmap.h"
#include "base/intern.h"

typedef struct an_lanes an_lanes; /* lanes.h */

/* What happened to a goroutine and its lane does not say, as the summary counted it (notes.c). */
typedef enum an_note_kind {
	AN_NOTE_NAMED,   /* its name became known later than it did */
	AN_NOTE_LOST,    /* its proc left it in its system call */
	AN_NOTE_NO_PROC, /* found in a system call that has no proc any more */
	AN_NOTE_RANGE,   /* a range that counts */
	AN_NOTE_DROPPED, /* one that counts only while it is not over */
} an_note_kind;

typedef struct an_note {
	int64_t  g;                /* id */
	int64_t  from_ns, to_ns;   /* of a range; else to_ns alone: when it happened */
	int64_t  known_ns;         /* of a range: the event that told of it */
	uint32_t name;             /* of a range: in wtr_index.texts */
	an_note_kind kind;
} an_note;

struct wtr_index {
	wtr_trace *trace;
	unsigned   parts;
	wtr_totals totals;
	wb_arena   arena;          /* everything below that has no owner of its own */
	wb_intern  texts;          /* every wtr_str of every table */
	struct {
		void  *rows;       /* wb_malloc'ed; struct wtr_<name>_row */
		size_t n;
	} tables[WTR_TABLE_COUNT];
	wb_idmap   goroutine_rows; /* goroutine id -> row of its last life */
	wb_idmap   final_waits;    /* goroutine id -> wtr_event.wait, of those that wait at the end for what is known */
	an_lanes  *lanes;          /* NULL unless asked for, and then: */
	an_note   *notes;          /* by row of the goroutines table, of each in the order of events */
	uint32_t  *first_note;     /* of a row; there is one more than rows */
};

/* A consumer of all events, in order. */
typedef struct an_sink an_sink;
struct an_sink {
	bool (*events)(an_sink *s, const wtr_event *ev, size_t n); /* false: out of memory, the build stops */
	bool (*finish)(an_sink *s, wtr_index *x); /* after the last event; sinks finish in order, one after the other */
	void (*free)(an_sink *s);                                  /* also after finish */
};

/* Absolute times, from included, to not. */
typedef struct an_window_ns {
	int64_t from_ns, to_ns;
} an_window_ns;

/* Totals, goroutines, tables (summary.c); of a part of the time if `within` is not NULL. */
an_sink *an_summary_sink(wtr_trace *t, unsigned parts, const an_window_ns *within);
/* One pass over the trace with a sink that is not an index's; its finish is not called.  Why reading ended goes to
 * *ret_end.  E_NOMEM or E_IO when there is no answer. */
wtr_code an_pass(wtr_trace *t, an_sink *s, wtr_error *ret_end, wtr_error *err);
/* The same with several sinks, at most AN_PASS_SINKS, each in a thread of its own where there may be so many; what was
 * stepped over goes to *ret_losses. */
enum { AN_PASS_SINKS = 3 };
wtr_code an_pass_of(wtr_trace *t, an_sink *const *sinks, unsigned n, wtr_error *ret_end, wtr_losses *ret_losses,
	wtr_error *err);

/* An index, of a part of the time if `within` is not NULL, and one more sink in the same pass, whose finish is not
 * called; NULL: none. */
wtr_code an_index_with(wtr_trace *t, unsigned parts, const an_window_ns *within, an_sink *extra, wtr_index **ret,
	wtr_error *err);

/* Lanes (lanes.c); its finish runs after the summary's, so the goroutine table is there. */
an_sink *an_lanes_sink(wtr_trace *t);
void     an_lanes_free(an_lanes *l); /* NULL is fine */

#endif

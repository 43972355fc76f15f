/* wtr/where.h - which time, and which of the things in it: what --range and --filter mean, here and in the viewer.
 *
 * docs/filter.md is the language for users; src/an/where.def lists its fields.
 */
#ifndef WTR_WHERE_H
#define WTR_WHERE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtr/error.h>
#include <wtr/event.h>
#include <wtr/report.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- times ---- */

typedef enum wtr_moment_kind {
	WTR_MOMENT_NONE,     /* not given: the start, or the end */
	WTR_MOMENT_SINCE,    /* ns since the first event: 1.2s */
	WTR_MOMENT_ABSOLUTE, /* ns of the trace's own clock: @123 */
	WTR_MOMENT_BEFORE,   /* ns before the last event: -5ms */
	WTR_MOMENT_AFTER,    /* ns after the beginning of the period: +5ms */
	WTR_MOMENT_WALL,     /* ns since 1970, UTC: 2026-11-24T15:04:05.5Z */
	WTR_MOMENT_CLOCK,    /* ns since midnight UTC: 15:04:05.5, the first such time in the trace's day or the next */
} wtr_moment_kind;

typedef struct wtr_moment {
	wtr_moment_kind kind;
	int64_t ns;
} wtr_moment;

/* From `from` (included) to `to` (excluded).  All zero: everything. */
typedef struct wtr_period {
	wtr_moment from, to;
} wtr_period;

/* A duration: 1500 (ns), 100ns, 30us, 5ms, 1.2s, 2m, 1h; exact to the nanosecond.  False when it is none. */
WTR_API bool wtr_duration_parse(const char *at, size_t n, int64_t *ret_ns);

/* One time in any of the forms above (not AFTER).  E_USAGE, with the place in err->offset, when it is none. */
WTR_API wtr_code wtr_moment_parse(const char *at, size_t n, wtr_moment *ret, wtr_error *err);

/* "T0..T1"; either may be left out. */
WTR_API wtr_code wtr_period_parse(const char *at, size_t n, wtr_period *ret, wtr_error *err);

/* Whether a period can only be resolved with the end or the wall clock of the trace; else start_ns is enough. */
WTR_API bool wtr_period_needs_totals(const wtr_period *p);

/* Absolute times of a period.  The end of an open one is one ns behind the last event, so that this one is in it.
 * E_USAGE: it lies outside of the trace, ends before it begins, or names a wall clock that the trace does not know;
 * err->what says which, and what the trace has. */
WTR_API wtr_code wtr_period_resolve(
	const wtr_period *p, const wtr_totals *t, int64_t *ret_from_ns, int64_t *ret_to_ns, wtr_error *err);

/* ---- filters ---- */

/* What a filter is asked about; bits of `about` in where.def. */
typedef enum wtr_about {
	WTR_ABOUT_GOROUTINE = 1 << 0, /* a goroutine as a whole: a row of its table */
	WTR_ABOUT_SPAN = 1 << 1,      /* a state interval of a goroutine */
	WTR_ABOUT_EVENT = 1 << 2,     /* an event of a cursor */
	WTR_ABOUT_TASK = 1 << 3,      /* a user task */
	WTR_ABOUT_REGION = 1 << 4,    /* a user region */
} wtr_about;

typedef struct wtr_where wtr_where;

/* Parses a filter.  An empty text is a filter that lets everything through.
 *
 * Ownership: *ret is the caller's until wtr_where_free(); the text is copied.
 * Errors: E_USAGE with the place in err->offset (bytes from the start of the text) and, in err->what, what would be
 *   right there; E_NOMEM.  *ret untouched.
 * Threads: a filter remembers what it found out, so it belongs to one thread at a time.
 */
WTR_API wtr_code wtr_where_parse(const char *at, size_t n, wtr_about about, wtr_where **ret, wtr_error *err);
WTR_API void wtr_where_free(wtr_where *w); /* w may be NULL */

/* The parts of an index (wtr_part) that the filter asks; 0: none, it can do without. */
WTR_API unsigned wtr_where_parts(const wtr_where *w);

/* Connects a filter with a trace.  `x` may be NULL when wtr_where_parts() is 0; otherwise it lives at least as long as
 * the filter is asked.  E_USAGE as wtr_period_resolve() for the times in it. */
WTR_API wtr_code wtr_where_bind(
	wtr_where *w, wtr_trace *t, const wtr_index *x, const wtr_totals *totals, wtr_error *err);

/* Whether a bound filter lets something through; w may be NULL, which lets everything through.  What a filter is asked
 * about must be what it was parsed for. */
WTR_API bool wtr_where_goroutine(wtr_where *w, const wtr_goroutine_row *g);
WTR_API bool wtr_where_event(wtr_where *w, const wtr_event *e);
WTR_API bool wtr_where_task(wtr_where *w, const wtr_task_row *t);
WTR_API bool wtr_where_region(wtr_where *w, const wtr_region_row *r);

/* How many things a filter has been asked about so far, and how many of them it let through; of spans, those that have
 * a length.  w may be NULL. */
WTR_API void wtr_where_tally(const wtr_where *w, uint64_t *ret_asked, uint64_t *ret_passed);

/* "g, fn, state, ...": the fields that filters about that may name.  Static. */
WTR_API const char *wtr_where_fields(wtr_about about);

/* Field number i of the language: its name, what it means, and which things have it (bits of wtr_about); NULL behind
 * the last.  Static. */
WTR_API const char *wtr_where_field(unsigned i, const char **ret_doc, unsigned *ret_about);

#ifdef __cplusplus
}
#endif
#endif

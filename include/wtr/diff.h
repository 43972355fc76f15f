/* wtr/diff.h - two traces, two parts of one or two sets of traces beside each other: what changed, by how much, and
 * whether that may be chance.
 *
 * A side is gathered from one trace or several; the traces may be closed then.  docs/diff.md says how things are
 * matched and where the intervals come from.  Equal input gives equal answers: what is random has a fixed seed.
 */
#ifndef WTR_DIFF_H
#define WTR_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtr/error.h>
#include <wtr/findings.h>
#include <wtr/open.h>
#include <wtr/profile.h>
#include <wtr/report.h>
#include <wtr/where.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- sides ---- */

enum { WTR_SIDE_TRACES_MAX = 2000 };

typedef struct wtr_side wtr_side;

typedef struct wtr_side_query {
	bool ranged; /* only [from_ns, to_ns), absolute */
	int64_t from_ns, to_ns;
	wtr_where *where; /* bound, about spans; NULL: everything.  With one, only what goroutines do is compared */
} wtr_side_query;

WTR_API wtr_side *wtr_side_new(void); /* NULL: out of memory */
WTR_API void wtr_side_free(wtr_side *s); /* s may be NULL */

/* Adds a trace and what is found in it; reads it once, with a filter twice.  `x` is its index with the part EVENTS.
 * E_NOMEM, E_IO (progress returned false), E_LIMIT (too many traces); then the side is as good as nothing and is to be
 * freed.  Damage is none: what is before it counts. */
WTR_API wtr_code wtr_side_add(
	wtr_side *s, wtr_trace *t, const wtr_index *x, const wtr_side_query *q, wtr_error *err);

typedef struct wtr_side_totals {
	size_t traces;
	int64_t duration_ns; /* of all of them */
	uint64_t goroutines;
} wtr_side_totals;
WTR_API void wtr_side_get_totals(const wtr_side *s, wtr_side_totals *ret);

/* ---- comparing ---- */

/* What a row is about. */
#define WTR_DIFF_KINDS(X)                                                                   \
	X(STATE, "state", "a state, of all goroutines: a value is one stay in it")          \
	X(RANGE, "range", "collections and stops of the world, by kind")                    \
	X(TASK, "task", "user tasks of a type that begin and end in the trace")             \
	X(REGION, "region", "user regions of a type")                                       \
	X(GROUP, "group", "a state, of goroutines with one start function and creation stack")
typedef enum wtr_diff_kind {
#define WTR_DIFF_ENUM(ID, name, doc) WTR_DIFF_##ID,
	WTR_DIFF_KINDS(WTR_DIFF_ENUM)
#undef WTR_DIFF_ENUM
		WTR_DIFF_KIND_COUNT
} wtr_diff_kind;
WTR_API const char *wtr_diff_kind_name(unsigned kind); /* NULL for a number that is none */

/* What is measured of the values (durations) of a row on one side. */
#define WTR_STATS(X)                                                                        \
	X(RATE, "rate", "", "how many, per second")                                         \
	X(TIME, "time", "ns", "their sum, per second")                                      \
	X(MEAN, "mean", "ns", "")                                                           \
	X(P50, "p50", "ns", "percentiles are exact: the smallest value that so many do not exceed") \
	X(P90, "p90", "ns", "")                                                             \
	X(P99, "p99", "ns", "")                                                             \
	X(P999, "p999", "ns", "")                                                           \
	X(MAX, "max", "ns", "")
typedef enum wtr_stat {
#define WTR_STAT_ENUM(ID, name, unit, doc) WTR_STAT_##ID,
	WTR_STATS(WTR_STAT_ENUM)
#undef WTR_STAT_ENUM
		WTR_STAT_COUNT
} wtr_stat;
WTR_API const char *wtr_stat_name(unsigned stat); /* NULL for a number that is none */

/* One figure on both sides.  The interval is that of (b - a) / a, and holds 99 times in 100; there is none (`known`
 * is false) for MAX, when a side has no values or too few of them, and when a is 0. */
typedef struct wtr_change {
	double a, b;
	bool known;
	double low, high;
	bool sure; /* known, and 0 is not in it */
} wtr_change;

typedef struct wtr_diff_row {
	wtr_diff_kind kind;
	unsigned cls;         /* STATE, GROUP: wtr_class */
	wtr_str name;         /* GROUP: start function; RANGE: as wtr_range_name(); else the type.  STATE: empty */
	wtr_str created;      /* GROUP: functions of the creation stack, innermost first, a line feed after each */
	uint64_t n_a, n_b;    /* values */
	bool few;             /* a side has too few to say more than that: fewer than WTR_DIFF_FEW units */
	wtr_change stats[WTR_STAT_COUNT];
	double effect;        /* Cliff's delta, -1 .. 1: how much likelier b has the larger value */
	bool changed;         /* time, p50 or p99 surely did, or a side has none of it */
} wtr_diff_row;
enum { WTR_DIFF_FEW = 6 };

typedef struct wtr_diff wtr_diff;

/* Ownership: *ret is the caller's until wtr_diff_free(); both sides must live as long.  E_NOMEM.  The sides are only
 * read. */
WTR_API wtr_code wtr_diff_make(const wtr_side *a, const wtr_side *b, wtr_diff **ret, wtr_error *err);
WTR_API void wtr_diff_free(wtr_diff *d); /* d may be NULL */

/* Rows by kind, of each what changed first, then by how much time per second changed; states are in the order of
 * wtr_class. */
WTR_API size_t wtr_diff_rows(const wtr_diff *d, const wtr_diff_row **ret);

/* A finding on both sides: of one rule, about things of the same names.  Of several, the most severe counts. */
typedef enum wtr_finding_verdict {
	WTR_FINDING_NEW,
	WTR_FINDING_GONE,
	WTR_FINDING_WORSE, /* by WTR_FINDING_STEP or more */
	WTR_FINDING_BETTER,
	WTR_FINDING_SAME,
} wtr_finding_verdict;
enum { WTR_FINDING_STEP = 5 };

typedef struct wtr_finding_change {
	const char *rule, *title; /* static */
	wtr_str about;            /* its texts, a line feed after each */
	unsigned a, b;            /* severity; 0: not there */
	wtr_finding_verdict verdict;
} wtr_finding_change;

/* New ones first, then those that are worse, gone, better and the same; most severe first. */
WTR_API size_t wtr_diff_findings(const wtr_diff *d, const wtr_finding_change **ret);
WTR_API const char *wtr_finding_verdict_name(unsigned verdict); /* "new"; NULL for a number that is none */

/* ---- limits: what must not get worse ---- */

/* "sched.p99:+10%", "task=order.p50:+5ms", "fn=main.worker.block.time:+20%": a row, a figure, and how much more of it
 * is allowed on side b. */
typedef struct wtr_limit {
	wtr_diff_kind kind;
	unsigned cls;
	wtr_str name; /* in the text that was parsed */
	wtr_stat stat;
	bool percent;
	double more; /* percent, else ns (rate: per second) */
} wtr_limit;

/* E_USAGE with the place in err->offset, and what would be right there. */
WTR_API wtr_code wtr_limit_parse(const char *at, size_t n, wtr_limit *ret, wtr_error *err);

typedef enum wtr_limit_verdict {
	WTR_LIMIT_KEPT,
	WTR_LIMIT_CHANCE,   /* more than allowed, but that may be chance */
	WTR_LIMIT_EXCEEDED,
	WTR_LIMIT_NOTHING,  /* neither side has such a thing */
} wtr_limit_verdict;
/* *ret_row is the row that decides (of several groups with one start function, the worst); NULL if there is none. */
WTR_API wtr_limit_verdict wtr_limit_check(const wtr_limit *l, const wtr_diff *d, const wtr_diff_row **ret_row);

/* ---- profiles ---- */

/* Stacks of two profiles (or sets of them) of one kind, matched by the names of their functions. */
typedef struct wtr_stacks wtr_stacks;

typedef struct wtr_stacks_record {
	uint64_t count_a, count_b;
	int64_t ns_a, ns_b;
	const char *state; /* OFFCPU: wtr_class_name(); else "".  Static */
} wtr_stacks_record;

typedef struct wtr_stacks_func { /* `flat` and `cum` as in wtr_profile_func */
	wtr_str name;
	int64_t flat_a, flat_b, cum_a, cum_b; /* ns, or the count where there is no ns */
} wtr_stacks_func;

typedef struct wtr_stacks_totals {
	wtr_profile_kind kind;
	size_t records;
	wtr_stacks_record all;
	int64_t duration_a_ns, duration_b_ns;
} wtr_stacks_totals;

WTR_API wtr_stacks *wtr_stacks_new(wtr_profile_kind kind); /* NULL: out of memory */
WTR_API void wtr_stacks_free(wtr_stacks *s);               /* s may be NULL */
/* Adds a profile to side 0 or 1; it may be freed then.  False: out of memory, and `s` is only to be freed. */
WTR_API bool wtr_stacks_add(wtr_stacks *s, unsigned side, const wtr_profile *p);
/* Puts records in order, most changed first.  False: out of memory. */
WTR_API bool wtr_stacks_finish(wtr_stacks *s);
WTR_API void wtr_stacks_get_totals(const wtr_stacks *s, wtr_stacks_totals *ret);
WTR_API bool wtr_stacks_get_record(const wtr_stacks *s, size_t i, wtr_stacks_record *ret);
/* As wtr_profile_frames(); pc is 0, and file and line are those of the first stack with these names. */
WTR_API size_t wtr_stacks_frames(const wtr_stacks *s, size_t i, wtr_frame *ret, size_t n);
/* What a value of side a is to be multiplied by to stand beside one of b: the duration of b by that of a. */
WTR_API double wtr_stacks_scale(const wtr_stacks *s);
/* All functions, most changed (flat, a scaled) first; wtr_stacks_free_funcs().  NULL: out of memory. */
WTR_API wtr_stacks_func *wtr_stacks_funcs(const wtr_stacks *s, size_t *ret_n);
WTR_API void wtr_stacks_free_funcs(wtr_stacks_func *f);

#ifdef __cplusplus
}
#endif
#endif

/* wtr/findings.h - what is odd about a trace: rules that look at everything in it and say what they find, worst first.
 *
 * docs/analyses.md defines every rule; `weft findings` prints them.  A finding is numbers, times, goroutines and
 * stacks; its sentences are templates (wtr_finding.sentence) that name them.
 */
#ifndef WTR_FINDINGS_H
#define WTR_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtr/error.h>
#include <wtr/event.h>
#include <wtr/open.h>
#include <wtr/report.h>
#include <wtr/where.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A rule.  Static.  Severity is 100 * x / (x + half), rounded, of what it measures: 50 where x is `half`. */
typedef struct wtr_rule {
	const char *name, *title;
	double half;
	const char *measure;    /* what x is */
	const char *why, *next; /* why it matters; what to look at next */
} wtr_rule;
WTR_API const wtr_rule *wtr_rule_get(unsigned rule); /* NULL behind the last */

typedef enum wtr_value_unit {
	WTR_VALUE_COUNT,
	WTR_VALUE_NS,
	WTR_VALUE_BYTES,
	WTR_VALUE_PERCENT,   /* number */
	WTR_VALUE_NUMBER,    /* number */
	WTR_VALUE_TEXT,      /* text; empty: not known */
	WTR_VALUE_GOROUTINE, /* an id */
} wtr_value_unit;

typedef struct wtr_finding_value {
	const char *name; /* as the sentence has it.  Static */
	wtr_value_unit unit;
	int64_t n;
	double number;
	wtr_str text;
} wtr_finding_value;

typedef struct wtr_finding_range {
	int64_t from_ns, to_ns; /* absolute */
} wtr_finding_range;

typedef struct wtr_finding_goroutine {
	int64_t g;
	wtr_str name;           /* start function; empty: not known */
	int64_t from_ns, to_ns; /* where to look at it; absolute */
} wtr_finding_goroutine;

typedef struct wtr_finding_stack {
	const char *role; /* "waits at", "created at", ...  Static */
	uint32_t stack;   /* for wtr_findings_frames() */
} wtr_finding_stack;

enum { WTR_FINDING_VALUES = 14, WTR_FINDING_RANGES = 8, WTR_FINDING_GOROUTINES = 8, WTR_FINDING_STACKS = 4 };

typedef struct wtr_finding {
	const wtr_rule *rule;
	unsigned severity; /* 0 to 100 */
	bool probable;     /* the trace does not say for sure: who waits for which lock, say, is taken from stacks */
	double value;      /* what the rule measures */
	/* "{waits|wait} at {site}, {longest} the longest": {name} is a value, {name|word} a count with its word. Static
	 */
	const char *sentence;
	size_t n_values, n_ranges, n_goroutines, n_stacks;
	wtr_finding_value values[WTR_FINDING_VALUES];
	wtr_finding_range ranges[WTR_FINDING_RANGES];             /* the worst first, apart; never empty */
	wtr_finding_goroutine goroutines[WTR_FINDING_GOROUTINES]; /* the worst first */
	wtr_finding_stack stacks[WTR_FINDING_STACKS];
	/* Coverage: it is about `seen` of `of` things of this kind. */
	uint64_t seen, of;
	const char *things; /* "waits".  Static */
} wtr_finding;

typedef struct wtr_findings_query {
	bool ranged; /* only [from_ns, to_ns), absolute */
	int64_t from_ns, to_ns;
	wtr_where *where; /* bound, about spans: narrows what is about goroutines; NULL: everything */
} wtr_findings_query;

/* What was looked at. */
typedef struct wtr_findings_totals {
	size_t n;
	unsigned worst;         /* severity of the first, 0 when there is none */
	int64_t from_ns, to_ns; /* absolute */
	uint64_t events, goroutines, procs;
	wtr_losses losses;
	wtr_error end; /* why reading ended; code OK at the proper end */
} wtr_findings_totals;

typedef struct wtr_findings wtr_findings;

/* Reads the trace once, all rules together.
 *
 * Ownership: *ret is the caller's until wtr_findings_free(), and does not need the trace.
 * Errors: E_NOMEM, E_IO (progress returned false); damage is none, it is a finding.
 * Threads: any number may ask finished findings.
 */
WTR_API wtr_code wtr_findings_make(wtr_trace *t, const wtr_findings_query *q, wtr_findings **ret, wtr_error *err);
/* The same, and an index with these parts (wtr_part) of the same time, from one pass.  Errors as both. */
WTR_API wtr_code wtr_findings_make_with_index(wtr_trace *t, const wtr_findings_query *q, unsigned parts,
	wtr_index **ret_index, wtr_findings **ret, wtr_error *err);
WTR_API void wtr_findings_free(wtr_findings *f); /* f may be NULL */

WTR_API void wtr_findings_get_totals(const wtr_findings *f, wtr_findings_totals *ret);
/* Finding i, most severe first; NULL behind the last. */
WTR_API const wtr_finding *wtr_findings_get(const wtr_findings *f, size_t i);
/* Writes at most `n` frames of a stack of a finding, innermost first, and returns how many it has. */
WTR_API size_t wtr_findings_frames(const wtr_findings *f, uint32_t stack, wtr_frame *ret, size_t n);

#ifdef __cplusplus
}
#endif
#endif

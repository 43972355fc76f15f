/* an/side.h - one side of a comparison from the inside (wtr/diff.h is what others see).
 *
 * side.c         gathers durations from traces
 * diff.c         rows in order, and asking for them
 * diff_rows.c    rows: what both sides have
 * diff_draw.c    how far a figure may be off: resampling
 * diff_find.c    findings
 * diff_limit.c   limits
 * diff_stacks.c  profiles
 */
#ifndef AN_SIDE_H
#define AN_SIDE_H

#include <wtr/diff.h>

#include "base/idmap.h"
#include "base/intern.h"
#include "base/vec.h"

/* A trace is cut into so many equal parts of its time. */
enum { AN_SLICES = 32 };

/* Durations of one thing. */
typedef struct an_series {
	uint32_t key; /* in `keys` of its side */
	uint8_t kind, cls;
	WB_VEC(int64_t) ns;
	WB_VEC(uint16_t) unit; /* of each: trace * AN_SLICES + slice in which it ended */
} an_series;

/* A finding of one of the traces. */
typedef struct an_found {
	const wtr_rule *rule;
	uint32_t key; /* in `keys` of its side: rule, its texts */
	unsigned severity;
} an_found;

struct wtr_side {
	wb_intern keys; /* a letter for the kind, name, a zero byte, creation stack */
	wb_idmap of;    /* key * WTR_CLASS_COUNT + class -> series */
	WB_VEC(an_series) all;
	WB_VEC(an_found) found;    /* by key once */
	WB_VEC(int64_t) durations; /* of each trace */
	uint64_t goroutines;
	int64_t from_ns; /* of the trace that is being added */
	uint64_t slice_ns;
	int threads; /* as many as the traces were opened for, of several the fewest; 0: no trace yet */
};

/* The number of a key; WB_INTERN_NONE: out of memory. */
uint32_t an_side_key(wtr_side *s, wtr_diff_kind kind, wtr_str name, wtr_str created);
/* Its parts. */
wtr_str an_side_name(const wtr_side *s, uint32_t key);
wtr_str an_side_created(const wtr_side *s, uint32_t key);

/* ---- diff_find.c ---- */

/* Adds what was found in the trace that was added last.  False: out of memory. */
bool an_side_add_findings(wtr_side *s, const wtr_findings *f);

typedef WB_VEC(wtr_finding_change) an_found_changes;
bool an_found_compare(const wtr_side *a, const wtr_side *b, an_found_changes *ret);

/* ---- diff_rows.c ---- */

/* All rows with values on either side, in no order.  False: out of memory. */
typedef WB_VEC(wtr_diff_row) an_diff_rows;
bool an_diff_rows_make(const wtr_side *a, const wtr_side *b, an_diff_rows *ret);

/* ---- diff_draw.c ---- */

/* The durations of a row on one side. */
typedef struct an_values {
	const wtr_side *side;
	int64_t *ns;    /* sorted once an_values_figures() was called */
	uint16_t *unit; /* the units of the durations before they were sorted */
	size_t n;
} an_values;

/* Sorts, with room for as many durations again, and fills in the figures (all 0 when there is nothing). */
void an_values_figures(an_values *v, int64_t *room, double ret[WTR_STAT_COUNT]);

/* What resampling gave: an_draws.at[stat * AN_DRAWS + i]. */
enum { AN_DRAWS = 1000 };
typedef struct an_draws {
	double *at;
	bool few;
} an_draws;

/* Resamples; before the durations are sorted.  The same seed gives the same draws. */
bool an_values_draw(const an_values *v, uint64_t seed, an_draws *ret);

/* The interval of (b - a) / a that holds 99 times in 100. */
void an_draws_interval(const an_draws *a, const an_draws *b, wtr_stat stat, double *ret_low, double *ret_high);

#endif

/* an/profile.h - profiles from the inside: who gathers them, and what is left of it.
 *
 * profile.c         a pass over the trace, and what each kind takes
 * profile_lanes.c   the same of those that a finished index knows enough for
 * profile_ask.c     finished profiles: order, frames, functions
 */
#ifndef AN_PROFILE_H
#define AN_PROFILE_H

#include <wtr/profile.h>

#include "an/follow.h"
#include "an/index.h"

/* One record while it grows.  Which stacks it is about depends on the kind. */
typedef struct an_prow {
	uint64_t count;
	int64_t ns;
	uint32_t stack, waker; /* OFFWAKE: the waker's */
	uint32_t state;        /* OFFCPU: wtr_class */
} an_prow;

struct wtr_profile {
	wtr_profile_kind kind;
	wtr_profile_totals totals;
	an_stackset stacks;
	WB_VEC(an_prow) rows;
};

/* ---- what a kind is about ---- */

unsigned an_profile_states(wtr_profile_kind kind);            /* bits of wtr_gstate */
bool an_profile_waits(wtr_profile_kind kind, wtr_str reason); /* whether waits for this reason count */
static inline bool an_profile_is_delay(wtr_profile_kind kind) /* one of the four of go tool trace */
{
	return kind <= WTR_PROFILE_SCHED;
}

/* ---- while it grows ---- */

/* The row of a key, which may be `fresh`; UINT32_MAX: out of memory. */
uint32_t an_profile_row_slow(wtr_profile *p, wb_idmap *rows, uint64_t key, const an_prow *fresh);
static inline uint32_t an_profile_row(wtr_profile *p, wb_idmap *rows, uint64_t key, const an_prow *fresh)
{
	uint32_t i = wb_idmap_get(rows, key);
	return __builtin_expect(i != WB_IDMAP_NONE, 1) ? i : an_profile_row_slow(p, rows, key, fresh);
}

/* Puts the rows in order and sums them up. */
void an_profile_finish(wtr_profile *p);

/* ---- profile_lanes.c ---- */

/* Whether q->index has the answer. */
bool an_profile_in_lanes(const wtr_trace *t, const wtr_profile_query *q);
wtr_profile *an_profile_from_lanes(const wtr_trace *t, const wtr_profile_query *q); /* NULL: out of memory */

#endif

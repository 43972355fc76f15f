/* out/answers.h - answers as JSON, the same for the command line and the viewer's server (docs/json.md).
 *
 * Each writes members of the object that is open.  Times are ns since `start_ns`, the first event of the trace.
 */
#ifndef OUT_ANSWERS_H
#define OUT_ANSWERS_H

#include <wtr/counters.h>
#include <wtr/diff.h>
#include <wtr/latency.h>
#include <wtr/mmu.h>
#include <wtr/profile.h>
#include <wtr/requests.h>
#include <wtr/waits.h>
#include <wtr/why.h>

#include "out/json.h"

/* {"what": ..., "rule": ..., ...}, or null for an OK code. */
void out_error_json(out_json *j, const wtr_error *err);

/* At most `limit` functions and as many stacks; 0: all. */
void out_profile_json(out_json *j, const wtr_profile *p, size_t limit);

/* The curve, and the `n_worst` (0, or too many: OUT_MMU_WORST_MAX) lowest windows of one length. */
enum { OUT_MMU_WORST_MAX = 100 };
void out_mmu_json(
	out_json *j, const wtr_mmu *m, const wtr_mmu_query *q, int64_t window_ns, size_t n_worst, int64_t start_ns);

/* Tasks or regions by type, and at most `limit` (0: all) of them one by one, slowest first. */
void out_latency_json(
	out_json *j, const wtr_index *x, const wtr_latencies *l, wtr_about about, size_t limit, int64_t start_ns);

/* `n` steps, the first one from `first_ns` on (since the trace's start). */
void out_counters_json(out_json *j, const wtr_counter_step *s, size_t n, int64_t first_ns, int64_t step_ns);

/* A critical path; at most `limit` (0: all) pieces, waits and others. */
/* What a piece of a path that is a wait was for, as wtr_waits_of(); waits may be NULL. */
size_t out_why_objects(const wtr_waits *waits, const wtr_why_piece *p, wtr_object *ret, size_t n);
/* waits: what the waits on the path were for; NULL: not known. */
void out_why_json(out_json *j, const wtr_trace *t, const wtr_why *w, const wtr_waits *waits, size_t limit,
	int64_t start_ns);

/* Requests by type, of each at most `limit` (0: all) of the slowest. */
void out_requests_json(out_json *j, const wtr_requests *r, size_t limit, int64_t start_ns);

/* What changed: at most `limit` rows of each kind; 0: all. */
void out_diff_json(out_json *j, const wtr_diff *d, size_t limit);
/* The traces of a side: how many, how long, how many goroutines. */
void out_side_json(out_json *j, const wtr_side *s);
/* Two profiles: at most `limit` functions and as many stacks; 0: all. */
void out_stacks_json(out_json *j, const wtr_stacks *s, size_t limit);

#endif

/* an/find/findings.c - one pass for all rules, then the findings in order. */
#include <stdlib.h>

#include "an/find/find.h"
#include "an/find/pass.h"
#include "read/source.h"
#include "read/trace.h"

struct wtr_findings {
	wtr_findings_totals totals;
	an_stackset stacks;
	wtr_finding *found;
};

static int worst_first(const void *a, const void *b)
{
	const wtr_finding *x = a, *y = b;
	if (x->severity != y->severity)
		return x->severity > y->severity ? -1 : 1;
	if (x->rule != y->rule)
		return x->rule < y->rule ? -1 : 1;
	return x->value != y->value
		       ? (x->value > y->value ? -1 : 1)
		       : (x->ranges[0].from_ns > y->ranges[0].from_ns) - (x->ranges[0].from_ns < y->ranges[0].from_ns);
}

/* Takes what lasts out of the pass. */
static wtr_findings *taken(an_find *f, const wtr_findings_totals *t)
{
	wtr_findings *r = wb_calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->totals = *t;
	r->totals.n = f->found.n;
	r->found = f->found.at;
	r->stacks = f->follow.stacks;
	f->follow.stacks = (an_stackset){ 0 };
	f->found.at = NULL;
	for (size_t i = 0; i < r->totals.n; i++) /* where nothing smaller is known, it is about everything */
		if (r->found[i].n_ranges == 0) {
			r->found[i].ranges[0] = (wtr_finding_range){ t->from_ns, t->to_ns };
			r->found[i].n_ranges = 1;
		}
	if (r->totals.n)
		qsort(r->found, r->totals.n, sizeof(*r->found), worst_first);
	r->totals.worst = r->totals.n ? r->found[0].severity : 0;
	return r;
}

wtr_code an_find_done(an_find *f, wtr_code rc, wtr_findings_totals *t, wtr_findings **ret, wtr_error *err)
{
	wtr_findings *r = NULL;
	if (rc == WTR_OK && (!an_find_finish(f, t) || !(r = taken(f, t))))
		rc = WTR_E_NOMEM;
	an_find_free(f);
	if (rc == WTR_OK)
		*ret = r;
	else if (rc == WTR_E_NOMEM)
		wtr__fail(err, rc, 0, 0, WTR_NONE, "", "memory", "out of memory");
	return rc;
}

wtr_code wtr_findings_make(wtr_trace *t, const wtr_findings_query *q, wtr_findings **ret, wtr_error *err)
{
	wtr_findings_totals totals = { 0 };
	an_find *f = an_find_new(t, q);
	wtr_code rc = f ? an_pass_of(t, &(an_sink *){ an_find_sink(f) }, 1, &totals.end, &totals.losses, err)
			: WTR_E_NOMEM;
	return an_find_done(f, rc, &totals, ret, err);
}

wtr_code wtr_findings_make_with_index(wtr_trace *t, const wtr_findings_query *q, unsigned parts,
	wtr_index **ret_index, wtr_findings **ret, wtr_error *err)
{
	wtr_findings_totals totals = { 0 };
	wtr_totals all;
	wtr_index *x = NULL;
	an_window_ns within = { q->from_ns, q->to_ns };
	an_find *f = an_find_new(t, q);
	wtr_code rc = f ? an_index_with(t, parts, q->ranged ? &within : NULL, an_find_sink(f), &x, err) : WTR_E_NOMEM;
	if (rc == WTR_OK) {
		wtr_get_totals(x, &all);
		totals.end = all.end;
		totals.losses = all.losses;
	}
	rc = an_find_done(f, rc, &totals, ret, err);
	if (rc == WTR_OK)
		*ret_index = x;
	else
		wtr_index_free(x);
	return rc;
}

void wtr_findings_free(wtr_findings *f)
{
	if (!f)
		return;
	an_stackset_free(&f->stacks);
	wb_free(f->found);
	wb_free(f);
}

void wtr_findings_get_totals(const wtr_findings *f, wtr_findings_totals *ret)
{
	*ret = f->totals;
}

const wtr_finding *wtr_findings_get(const wtr_findings *f, size_t i)
{
	return i < f->totals.n ? &f->found[i] : NULL;
}

size_t wtr_findings_frames(const wtr_findings *f, uint32_t stack, wtr_frame *ret, size_t n)
{
	return an_stackset_frames(&f->stacks, stack, ret, n);
}

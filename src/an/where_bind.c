/* an/where_bind.c - a filter meets a trace: what is true of a goroutine for life, and when it is in which task or
 * region.
 */
#include <stdlib.h>
#include <string.h>

#include "an/where.h"
#include "an/index.h"
#include "read/source.h"

static bool no_memory(wtr_error *err)
{
	wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
	return false;
}

/* ---- goroutines, for life ---- */

static bool creator_is(const wtr_where *w, const an_term *t, const wtr_goroutine_row *g)
{
	if (t->want == AN_WANT_NUMBER)
		return g->creator != WTR_NONE && an_term_number(t, g->creator);
	const wtr_goroutine_row *c = g->creator == WTR_NONE ? NULL : wtr_goroutine(w->x, g->creator);
	return c && an_term_text(t, c->name);
}

/* Rows that the start function or the creator decides.  Start functions are looked at once per group. */
static bool bind_rows(wtr_where *w, an_term *t)
{
	size_t n = wtr_table_rows(w->x, WTR_TABLE_GOROUTINES), n_groups = wtr_table_rows(w->x, WTR_TABLE_GROUPS);
	const wtr_goroutine_row *g = wtr_table_data(w->x, WTR_TABLE_GOROUTINES);
	const wtr_group_row *groups = wtr_table_data(w->x, WTR_TABLE_GROUPS);
	bool creator = t->field == AN_FIELD_CREATOR, number = t->want == AN_WANT_NUMBER;
	t->rows = wb_calloc(n + 1, 1);
	uint8_t *yes = wb_calloc(n_groups + 1, 1);
	for (size_t i = 0; yes && t->rows && !number && i < n_groups; i++)
		yes[i] = an_term_text(t, groups[i].name);
	for (size_t i = 0; yes && t->rows && i < n; i++)
		t->rows[i] = creator ? creator_is(w, t, &g[i]) : !number && yes[g[i].group];
	wb_free(yes);
	return yes && t->rows;
}

/* ---- stretches of time ---- */

typedef struct stay {
	int64_t g, from_ns, to_ns;
} stay;
typedef WB_VEC(stay) stays;

static int by_g(const void *a, const void *b)
{
	const stay *x = a, *y = b;
	if (x->g != y->g)
		return x->g < y->g ? -1 : 1;
	return x->from_ns < y->from_ns ? -1 : x->from_ns > y->from_ns;
}

/* Sorts, melts what overlaps, and puts all of it into the term. */
static bool keep_stays(an_term *t, stays *all)
{
	if (all->n)
		qsort(all->at, all->n, sizeof(all->at[0]), by_g);
	for (size_t i = 0; i < all->n; i++) {
		const stay *s = &all->at[i];
		bool same = i && all->at[i - 1].g == s->g;
		an_stretch *last = t->stretches.n ? &t->stretches.at[t->stretches.n - 1] : NULL;
		if (same && last->to_ns >= s->from_ns) {
			last->to_ns = s->to_ns > last->to_ns ? s->to_ns : last->to_ns;
			continue;
		}
		if (!same && (!wb_idmap_set(&t->first, (uint64_t)s->g, (uint32_t)t->ends.n) ||
				     !wb_vec_add(&t->ends, (uint32_t)t->stretches.n)))
			return false;
		if (!wb_vec_add(&t->stretches, (an_stretch){ s->from_ns, s->to_ns }))
			return false;
	}
	return wb_vec_add(&t->ends, (uint32_t)t->stretches.n);
}

/* A start or an end that the trace does not know is that of the trace. */
static stay stay_of(const wtr_where *w, int64_t g, int64_t from, int64_t to)
{
	return (stay){ g, from == WTR_NEVER ? w->totals.start_ns : from, to == WTR_NEVER ? w->totals.end_ns : to };
}

static bool region_stays(wtr_where *w, an_term *t, stays *ret)
{
	const wtr_region_row *r = wtr_table_data(w->x, WTR_TABLE_REGIONS);
	size_t n = wtr_table_rows(w->x, WTR_TABLE_REGIONS);
	for (size_t i = 0; i < n; i++)
		if (!r[i].inherited && an_term_text(t, r[i].name) &&
			!wb_vec_add(ret, stay_of(w, r[i].g, r[i].start_ns, r[i].end_ns)))
			return false;
	return true;
}

static bool task_is(const an_term *t, const wtr_task_row *task)
{
	return t->want == AN_WANT_NUMBER ? an_term_number(t, (int64_t)task->id) : an_term_text(t, task->name);
}

static bool task_stays(wtr_where *w, an_term *t, stays *ret)
{
	const wtr_task_row *tasks = wtr_table_data(w->x, WTR_TABLE_TASKS);
	const wtr_task_goroutine_row *of = wtr_table_data(w->x, WTR_TABLE_TASK_GOROUTINES);
	size_t n = wtr_table_rows(w->x, WTR_TABLE_TASKS);
	for (size_t i = 0; i < n; i++) {
		if (!task_is(t, &tasks[i]))
			continue;
		if (!wb_idmap_set(&t->ids, tasks[i].id, (uint32_t)i))
			return false;
		for (uint32_t k = 0; k < tasks[i].n_goroutines; k++)
			if (!wb_vec_add(ret,
				    stay_of(w, of[tasks[i].first_goroutine + k].g, tasks[i].start_ns, tasks[i].end_ns)))
				return false;
	}
	return true;
}

/* Tasks with a log whose category or message does. */
static bool bind_logs(wtr_where *w, an_term *t)
{
	const wtr_log_row *logs = wtr_table_data(w->x, WTR_TABLE_LOGS);
	size_t n = wtr_table_rows(w->x, WTR_TABLE_LOGS);
	for (size_t i = 0; i < n; i++)
		if ((an_term_text(t, logs[i].category) || an_term_text(t, logs[i].message)) &&
			!wb_idmap_set(&t->ids, logs[i].task, 1))
			return false;
	return true;
}

/* ---- all of it ---- */

static bool bind_any(wtr_where *w, an_term *t, stays *all)
{
	if (w->about != WTR_ABOUT_TASK && !bind_rows(w, t))
		return false;
	if (w->about == WTR_ABOUT_TASK && !bind_logs(w, t))
		return false;
	return task_stays(w, t, all) && region_stays(w, t, all) && keep_stays(t, all);
}

static bool bind_term(wtr_where *w, an_term *t)
{
	stays all = { 0 };
	bool ok = true;
	switch (t->field) {
	case AN_FIELD_ANY: ok = bind_any(w, t, &all); break;
	case AN_FIELD_FN:
	case AN_FIELD_CREATOR: ok = bind_rows(w, t); break;
	case AN_FIELD_WAKER: ok = t->want == AN_WANT_NUMBER || bind_rows(w, t); break;
	case AN_FIELD_REGION: ok = region_stays(w, t, &all) && keep_stays(t, &all); break;
	case AN_FIELD_TASK: ok = task_stays(w, t, &all) && keep_stays(t, &all); break;
	case AN_FIELD_LOG: ok = w->about != WTR_ABOUT_TASK || bind_logs(w, t); break;
	default: break;
	}
	wb_vec_free(&all);
	return ok;
}

wtr_code wtr_where_bind(wtr_where *w, wtr_trace *t, const wtr_index *x, const wtr_totals *totals, wtr_error *err)
{
	w->trace = t;
	w->x = x;
	w->totals = *totals;
	for (unsigned i = 0; i < w->n_terms; i++) {
		an_term *term = &w->terms[i];
		if (term->want == AN_WANT_PERIOD) {
			wtr_error why = { 0 };
			if (wtr_period_resolve(&term->period, totals, &term->from_ns, &term->to_ns, &why) != WTR_OK)
				return wtr__fail(err, WTR_E_USAGE, term->at, 0, WTR_NONE, "", why.rule, "%s", why.what);
		}
		if (!bind_term(w, term)) {
			no_memory(err);
			return WTR_E_NOMEM;
		}
	}
	return WTR_OK;
}

/* serve/asking.c - questions about a range and a filter: the answers of `weft profile` and its like, for the page. */
#include <string.h>

#include "base/alloc.h"
#include "out/answers.h"
#include "out/finding.h"
#include "out/goroutines.h"
#include "out/waiting.h"
#include "serve/site.h"

/* What a question is about.  The filter is freed by scope_done(). */
typedef struct scope {
	bool ranged;
	int64_t from_ns, to_ns;
	wtr_where *where;
} scope;

static bool refused(const wtr_error *err, ws_answer *ret)
{
	if (err->code == WTR_E_NOMEM)
		ret->body.failed = true;
	else
		ws_refuse(ret, 400, "%s", err->what);
	return false;
}

/* Parses and binds; both texts may be empty.  False: *ret is the refusal. */
static bool scope_of(const ws_model *m, wtr_about about, wtr_str range, wtr_str filter, scope *s, ws_answer *ret)
{
	wtr_error err = { 0 };
	wtr_period p;
	*s = (scope){ .ranged = range.n != 0, .from_ns = m->totals.start_ns, .to_ns = m->totals.end_ns + 1 };
	if (!m->trace) {
		ws_refuse(ret, 404, "there is no trace to ask");
		return false;
	}
	if (range.n && (wtr_period_parse(range.at, range.n, &p, &err) != WTR_OK ||
			       wtr_period_resolve(&p, &m->totals, &s->from_ns, &s->to_ns, &err) != WTR_OK))
		return refused(&err, ret);
	if (filter.n == 0)
		return true;
	if (wtr_where_parse(filter.at, filter.n, about, &s->where, &err) != WTR_OK)
		return refused(&err, ret);
	if (wtr_where_bind(s->where, m->trace, m->index, &m->totals, &err) == WTR_OK)
		return true;
	wtr_where_free(s->where);
	s->where = NULL;
	return refused(&err, ret);
}

static void scope_done(scope *s)
{
	wtr_where_free(s->where);
}

static void begin(out_json *j, ws_answer *ret)
{
	out_json_to_buf(j, &ret->body, 0);
	out_json_object(j);
}

static void end(out_json *j, ws_answer *ret)
{
	out_json_object_end(j);
	if (!out_json_done(j))
		ret->body.failed = true;
}

/* ---- /api/goroutines ---- */

/* The place of a word in "a|b|c"; *ret stays when it is empty. */
static bool word_of(wtr_str word, const char *words, const char *what, unsigned *ret, ws_answer *refusal)
{
	if (word.n == 0)
		return true;
	unsigned i = 0;
	for (const char *at = words; *at; i++) {
		size_t n = strcspn(at, "|");
		if (n == word.n && memcmp(at, word.at, n) == 0) {
			*ret = i;
			return true;
		}
		at += n + (at[n] == '|');
	}
	ws_refuse(refusal, 400, "%s may not be '%.*s': it is one of %s", what, (int)word.n, word.at, words);
	return false;
}

/* The rows of x, which is of the whole trace or of a part of its time. */
static void answer_goroutines(const ws_model *m, const wtr_index *x, const ws_goroutines_args *a, wtr_where *where,
	unsigned by, unsigned sort, ws_answer *ret)
{
	wb_arena arena = { 0 };
	size_t n, most = a->n ? (size_t)a->n : WS_ROWS_DEFAULT;
	const out_group_by grouping = (out_group_by)by;
	out_row *rows = out_goroutine_rows(m->trace, x, where, a->by.n ? &grouping : NULL, (out_sort)sort, &arena, &n);
	if (rows) {
		out_json j;
		begin(&j, ret);
		out_json_put_u64(&j, "rows", n);
		out_json_key(&j, a->by.n ? "groups" : "goroutines");
		out_json_array(&j);
		for (size_t i = 0; i < n && i < most; i++)
			out_row_json(&j, m->trace, x, &rows[i], m->totals.start_ns);
		out_json_array_end(&j);
		end(&j, ret);
	} else {
		ret->body.failed = true;
	}
	wb_arena_free(&arena);
}

void ws_api_goroutines(ws_site *site, const ws_model *m, const ws_goroutines_args *a, ws_answer *ret)
{
	(void)site;
	unsigned by = 0, sort = OUT_SORT_EXEC;
	wtr_error err = { 0 };
	wtr_index *part = NULL;
	scope s;
	if (!word_of(a->by, OUT_GROUPINGS, "by", &by, ret) || !word_of(a->sort, OUT_SORTS, "sort", &sort, ret) ||
		!scope_of(m, WTR_ABOUT_GOROUTINE, a->range, a->filter, &s, ret))
		return;
	if (s.ranged && wtr_index_within(m->index, s.from_ns, s.to_ns, &part, &err) != WTR_OK)
		refused(&err, ret);
	else
		answer_goroutines(m, part ? part : m->index, a, s.where, by, sort, ret);
	wtr_index_free(part);
	scope_done(&s);
}

/* ---- /api/tasks, /api/regions ---- */

static void answer_latency(const ws_model *m, wtr_about about, wtr_str range, wtr_str filter, int64_t n, ws_answer *ret)
{
	wtr_latencies *l;
	wtr_error err = { 0 };
	scope s;
	if (!scope_of(m, about, range, filter, &s, ret))
		return;
	wtr_latency_query q = {
		.about = about, .where = s.where, .ranged = s.ranged, .from_ns = s.from_ns, .to_ns = s.to_ns
	};
	if (wtr_latency_make(m->trace, m->index, &q, &l, &err) == WTR_OK) {
		out_json j;
		begin(&j, ret);
		out_latency_json(&j, m->index, l, about, n ? (size_t)n : WS_ROWS_DEFAULT, m->totals.start_ns);
		end(&j, ret);
		wtr_latency_free(l);
	} else {
		refused(&err, ret);
	}
	scope_done(&s);
}

void ws_api_tasks(ws_site *site, const ws_model *m, const ws_tasks_args *a, ws_answer *ret)
{
	(void)site;
	answer_latency(m, WTR_ABOUT_TASK, a->range, a->filter, a->n, ret);
}

void ws_api_regions(ws_site *site, const ws_model *m, const ws_regions_args *a, ws_answer *ret)
{
	(void)site;
	answer_latency(m, WTR_ABOUT_REGION, a->range, a->filter, a->n, ret);
}

/* ---- /api/counters ---- */

void ws_api_counters(ws_site *site, const ws_model *m, const ws_counters_args *a, ws_answer *ret)
{
	(void)site;
	wtr_error err = { 0 };
	scope s;
	if (!scope_of(m, WTR_ABOUT_GOROUTINE, (wtr_str){ "", 0 }, a->filter, &s, ret))
		return;
	wtr_counter_step *steps = wb_calloc((size_t)a->n, sizeof(*steps));
	int64_t from;
	if (__builtin_add_overflow(m->totals.start_ns, a->t, &from))
		from = a->t < 0 ? INT64_MIN + 1 : INT64_MAX;
	if (!steps) {
		ret->body.failed = true;
	} else if (wtr_counters_where(m->trace, s.where, from, a->step, (size_t)a->n, steps, NULL, &err) != WTR_OK) {
		refused(&err, ret);
	} else {
		out_json j;
		begin(&j, ret);
		out_counters_json(&j, steps, (size_t)a->n, a->t, a->step);
		end(&j, ret);
	}
	wb_free(steps);
	scope_done(&s);
}

/* ---- /api/why, /api/requests ---- */

static int64_t absolute(const ws_model *m, int64_t t)
{
	int64_t r;
	if (__builtin_add_overflow(m->totals.start_ns, t, &r))
		r = t < 0 ? INT64_MIN + 1 : INT64_MAX;
	return r;
}

void ws_api_why(ws_site *site, const ws_model *m, const ws_why_args *a, ws_answer *ret)
{
	(void)site;
	wtr_why *w;
	wtr_error err = { 0 };
	scope s;
	if (!scope_of(m, WTR_ABOUT_SPAN, (wtr_str){ "", 0 }, (wtr_str){ "", 0 }, &s, ret))
		return;
	if (wtr_why_make(m->index, a->g, absolute(m, a->from), absolute(m, a->to), &w, &err) != WTR_OK) {
		refused(&err, ret);
		return;
	}
	out_json j;
	begin(&j, ret);
	const wtr_waits *waits = wtr_names_objects(m->trace) ? ws_model_waits(m, &err) : NULL;
	out_why_json(&j, m->trace, w, waits, a->n ? (size_t)a->n : WS_ROWS_DEFAULT, m->totals.start_ns);
	end(&j, ret);
	wtr_why_free(w);
}

void ws_api_waits(ws_site *site, const ws_model *m, const ws_waits_args *a, ws_answer *ret)
{
	(void)site;
	wtr_error err = { 0 };
	wtr_graph *g;
	scope s;
	if (!scope_of(m, WTR_ABOUT_SPAN, (wtr_str){ "", 0 }, (wtr_str){ "", 0 }, &s, ret))
		return;
	const wtr_waits *w = ws_model_waits(m, &err);
	if (!w || wtr_graph_make(w, m->index, absolute(m, a->t), &g, &err) != WTR_OK) {
		refused(&err, ret);
		return;
	}
	size_t n = a->n ? (size_t)a->n : WS_ROWS_DEFAULT;
	out_json j;
	begin(&j, ret);
	if (a->g) {
		out_chain_json(&j, m->trace, w, g, a->g, m->totals.start_ns);
	} else {
		out_graph_json(&j, m->trace, g, n, m->totals.start_ns);
		out_waited_json(&j, w, n, m->totals.start_ns);
	}
	end(&j, ret);
	wtr_graph_free(g);
}

void ws_api_requests(ws_site *site, const ws_model *m, const ws_requests_args *a, ws_answer *ret)
{
	(void)site;
	wtr_requests *r;
	wtr_error err = { 0 };
	scope s;
	if (!scope_of(m, WTR_ABOUT_REGION, a->range, a->filter, &s, ret))
		return;
	wtr_code rc = wtr_requests_where(m->trace, m->index, s.where, s.from_ns, s.to_ns, a->inferred, &r, &err);
	scope_done(&s);
	if (rc != WTR_OK) {
		refused(&err, ret);
		return;
	}
	out_json j;
	begin(&j, ret);
	out_requests_json(&j, r, a->n ? (size_t)a->n : WS_ROWS_DEFAULT, m->totals.start_ns);
	end(&j, ret);
	wtr_requests_free(r);
}

/* ---- /api/diff ---- */

/* What is in a part of the time; NULL: *ret is the refusal. */
static wtr_side *side_of(const ws_model *m, wtr_str range, wtr_str filter, ws_answer *ret)
{
	wtr_error err = { 0 };
	scope s;
	if (!scope_of(m, WTR_ABOUT_SPAN, range, filter, &s, ret))
		return NULL;
	wtr_side_query q = { .ranged = s.ranged, .from_ns = s.from_ns, .to_ns = s.to_ns, .where = s.where };
	wtr_side *side = wtr_side_new();
	wtr_code rc = side ? wtr_side_add(side, m->trace, m->index, &q, &err) : WTR_E_NOMEM;
	scope_done(&s);
	if (rc == WTR_OK)
		return side;
	err.code = rc;
	wtr_side_free(side);
	refused(&err, ret);
	return NULL;
}

static void side_member(out_json *j, const char *key, const wtr_side *s)
{
	out_json_key(j, key);
	out_json_object(j);
	out_side_json(j, s);
	out_json_object_end(j);
}

void ws_api_diff(ws_site *site, const ws_model *m, const ws_diff_args *a, ws_answer *ret)
{
	(void)site;
	wtr_diff *d;
	wtr_error err = { 0 };
	wtr_side *first = side_of(m, a->a, a->filter, ret);
	wtr_side *second = first ? side_of(m, a->b, a->filter, ret) : NULL;
	if (second && wtr_diff_make(first, second, &d, &err) == WTR_OK) {
		out_json j;
		begin(&j, ret);
		side_member(&j, "a", first);
		side_member(&j, "b", second);
		out_diff_json(&j, d, a->n ? (size_t)a->n : WS_ROWS_DEFAULT);
		end(&j, ret);
		wtr_diff_free(d);
	} else if (second) {
		refused(&err, ret);
	}
	wtr_side_free(first);
	wtr_side_free(second);
}

/* ---- /api/findings ---- */

void ws_api_findings(ws_site *site, const ws_model *m, const ws_findings_args *a, ws_answer *ret)
{
	(void)site;
	wtr_findings *f;
	wtr_error err = { 0 };
	scope s;
	if (!scope_of(m, WTR_ABOUT_SPAN, a->range, a->filter, &s, ret))
		return;
	wtr_findings_query q = { .ranged = s.ranged, .from_ns = s.from_ns, .to_ns = s.to_ns, .where = s.where };
	if (wtr_findings_make(m->trace, &q, &f, &err) == WTR_OK) {
		out_json j;
		begin(&j, ret);
		out_findings_json(&j, f, a->n ? (size_t)a->n : WS_ROWS_DEFAULT, m->totals.start_ns);
		end(&j, ret);
		wtr_findings_free(f);
	} else {
		refused(&err, ret);
	}
	scope_done(&s);
}

/* ---- /api/mmu ---- */

void ws_api_mmu(ws_site *site, const ws_model *m, const ws_mmu_args *a, ws_answer *ret)
{
	(void)site;
	enum { FLAGS_GIVEN = 1 };
	wtr_mmu_query q = { .causes = a->given & FLAGS_GIVEN ? (unsigned)a->flags : 7, .per_goroutine = a->per };
	wtr_mmu *mmu;
	wtr_error err = { 0 };
	scope s;
	if (!scope_of(m, WTR_ABOUT_GOROUTINE, a->range, a->filter, &s, ret))
		return;
	q.ranged = s.ranged;
	q.from_ns = s.from_ns;
	q.to_ns = s.to_ns;
	q.where = s.where;
	wtr_code rc = ws_model_mmu(m, &q, &mmu, &err);
	scope_done(&s);
	if (rc != WTR_OK) {
		refused(&err, ret);
		return;
	}
	out_json j;
	begin(&j, ret);
	out_mmu_json(&j, mmu, &q, a->window ? a->window : 10000000, a->n ? (size_t)a->n : 10, m->totals.start_ns);
	end(&j, ret);
	wtr_mmu_free(mmu);
}

/* ---- /api/profile ---- */

static bool profile_kind(wtr_str word, wtr_profile_kind *ret)
{
	const char *name;
	for (unsigned k = 0; (name = wtr_profile_name(k)); k++)
		if (strlen(name) == word.n && memcmp(name, word.at, word.n) == 0) {
			*ret = (wtr_profile_kind)k;
			return true;
		}
	return false;
}

static void answer_profile(const ws_model *m, const ws_profile_args *a, wtr_profile_query *q, ws_answer *ret)
{
	wtr_profile *p;
	wtr_error err = { 0 };
	if (wtr_profile_make(m->trace, q, &p, &err) != WTR_OK) {
		refused(&err, ret);
		return;
	}
	out_json j;
	begin(&j, ret);
	out_profile_json(&j, p, a->n ? (size_t)a->n : WS_ROWS_DEFAULT);
	end(&j, ret);
	wtr_profile_free(p);
}

void ws_api_profile(ws_site *site, const ws_model *m, const ws_profile_args *a, ws_answer *ret)
{
	(void)site;
	wtr_profile_query q = { 0 };
	scope s;
	if (!profile_kind(a->kind, &q.kind)) {
		ws_refuse(ret, 400, "there is no profile '%.*s'", (int)a->kind.n, a->kind.at);
		return;
	}
	if (!scope_of(m, WTR_ABOUT_SPAN, a->range, a->filter, &s, ret))
		return;
	q.ranged = s.ranged;
	q.from_ns = s.from_ns;
	q.to_ns = s.to_ns;
	q.where = s.where;
	q.index = m->index;
	answer_profile(m, a, &q, ret);
	scope_done(&s);
}

/* an/side.c - gathers what a trace has to say to a comparison. */
#include "an/side.h"

#include <string.h>

#include "an/find/pass.h"
#include "an/follow.h"
#include "an/index.h"
#include "base/buf.h"
#include "os/thread.h"
#include "read/source.h"
#include "read/trace.h"

/* ---- series ---- */

uint32_t an_side_key(wtr_side *s, wtr_diff_kind kind, wtr_str name, wtr_str created)
{
	wb_buf b = { 0 };
	wb_buf_putc(&b, (char)('a' + kind));
	wb_buf_put(&b, name.at, name.n);
	wb_buf_putc(&b, 0);
	wb_buf_put(&b, created.at, created.n);
	uint32_t no = b.failed ? WB_INTERN_NONE : wb_intern_add(&s->keys, b.at, b.n);
	wb_buf_free(&b);
	return no;
}

wtr_str an_side_name(const wtr_side *s, uint32_t key)
{
	wb_text t = wb_intern_text(&s->keys, key);
	return (wtr_str){ t.at + 1, strlen(t.at + 1) };
}

wtr_str an_side_created(const wtr_side *s, uint32_t key)
{
	wb_text t = wb_intern_text(&s->keys, key);
	size_t from = strlen(t.at) + 1;
	return from > t.n ? (wtr_str){ "", 0 } : (wtr_str){ t.at + from, t.n - from };
}

static an_series *series(wtr_side *s, uint32_t key, wtr_diff_kind kind, unsigned cls)
{
	uint64_t id = (uint64_t)key * WTR_CLASS_COUNT + cls;
	uint32_t i = wb_idmap_get(&s->of, id);
	if (__builtin_expect(i != WB_IDMAP_NONE, 1))
		return &s->all.at[i];
	i = (uint32_t)s->all.n;
	if (!wb_vec_add(&s->all, (an_series){ .key = key, .kind = (uint8_t)kind, .cls = (uint8_t)cls }) ||
		!wb_idmap_set(&s->of, id, i))
		return NULL;
	return &s->all.at[i];
}

static bool put(wtr_side *s, uint32_t key, wtr_diff_kind kind, unsigned cls, int64_t ns, int64_t end_ns)
{
	an_series *to = key == WB_INTERN_NONE ? NULL : series(s, key, kind, cls);
	uint64_t slice = end_ns > s->from_ns ? ((uint64_t)end_ns - (uint64_t)s->from_ns) / s->slice_ns : 0;
	size_t unit = (s->durations.n - 1) * AN_SLICES + (size_t)(slice < AN_SLICES ? slice : AN_SLICES - 1);
	return to && wb_vec_add(&to->ns, ns) && wb_vec_add(&to->unit, (uint16_t)unit);
}

/* ---- what goroutines do ---- */

typedef struct gather {
	an_sink sink;
	an_follow follow;
	wtr_side *side;
	const wtr_index *x;
	wtr_side_query q;
	an_span_source from;
	wb_idmap by_creation; /* creation stack -> the key that was made for it last */
	wtr_frame frames[AN_STACK_MAX];
	bool oom;
} gather;

/* The key of a start function and a creation stack, by name. */
static uint32_t make_key(gather *g, const wtr_goroutine_row *r)
{
	wb_buf created = { 0 };
	size_t n = r ? wtr_stack(g->x->trace, r->create_stack, g->frames, AN_STACK_MAX) : 0;
	for (size_t i = 0; i < n && i < AN_STACK_MAX; i++) {
		wb_buf_put(&created, g->frames[i].func.at, g->frames[i].func.n);
		wb_buf_putc(&created, '\n');
	}
	wtr_str name = r ? r->name : (wtr_str){ "", 0 };
	name.n = strnlen(name.at, name.n); /* a zero byte ends it in a key */
	uint32_t key = created.failed ? WB_INTERN_NONE
				      : an_side_key(g->side, WTR_DIFF_GROUP, name, (wtr_str){ created.at, created.n });
	wb_buf_free(&created);
	return key;
}

static bool named(const wtr_side *s, uint32_t key, wtr_str name)
{
	wtr_str is = an_side_name(s, key);
	return is.n == name.n && memcmp(is.at, name.at, name.n) == 0;
}

static uint32_t group_key(gather *g, int64_t id)
{
	const wtr_goroutine_row *r = wtr_goroutine(g->x, id);
	uint64_t stack = r ? r->create_stack : 0;
	g->side->goroutines++;
	uint32_t key = wb_idmap_get(&g->by_creation, stack);
	if (key != WB_IDMAP_NONE && r && named(g->side, key, r->name))
		return key;
	key = make_key(g, r);
	g->oom |= key == WB_INTERN_NONE || !wb_idmap_set(&g->by_creation, stack, key);
	return key;
}

static void over(void *user, an_follow *w, an_follower *f, const wtr_event *end)
{
	gather *g = user;
	int64_t from = f->from_ns, to = end ? end->time_ns : w->now_ns;
	if (g->q.ranged) {
		from = from > g->q.from_ns ? from : g->q.from_ns;
		to = to < g->q.to_ns ? to : g->q.to_ns;
	}
	if (to <= from)
		return;
	an_state_span s = an_follow_span(w, f, end, from, to);
	int64_t ns = an_where_span(g->q.where, &g->from, &s);
	if (ns <= 0 || s.cls == WTR_CLASS_NONE)
		return;
	if (!f->create)
		f->create = group_key(g, f->id) + 1;
	g->oom |= !f->create || !put(g->side, f->create - 1, WTR_DIFF_GROUP, s.cls, ns, to);
}

static bool gather_events(an_sink *sink, const wtr_event *ev, size_t n)
{
	gather *g = (gather *)sink;
	for (size_t i = 0; i < n; i++) {
		if (ev[i].kind != WTR_KIND_STATE_TRANSITION)
			an_follow_other(&g->follow, &ev[i]);
		else if (ev[i].resource == WTR_RES_GOROUTINE)
			an_follow_transition(&g->follow, &ev[i]);
	}
	return !g->oom && !g->follow.oom && an_where_memory(g->q.where);
}

static bool no_finish(an_sink *sink, wtr_index *x)
{
	(void)sink;
	(void)x;
	return true;
}

static void no_free(an_sink *sink)
{
	(void)sink;
}

static void gather_free(gather *g)
{
	if (!g)
		return;
	an_follow_free(&g->follow);
	wb_idmap_free(&g->by_creation);
	wb_free(g);
}

static gather *gather_new(wtr_side *s, wtr_trace *t, const wtr_index *x, const wtr_side_query *q)
{
	gather *g = wb_calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->sink = (an_sink){ gather_events, no_finish, no_free };
	g->side = s;
	g->x = x;
	g->q = *q;
	g->follow.over = over;
	g->follow.user = g;
	g->from = an_follow_source(&g->follow);
	an_where_asker(q->where);
	if (an_follow_init(&g->follow, t))
		return g;
	gather_free(g);
	return NULL;
}

static bool gather_end(gather *g)
{
	an_follow_end(&g->follow);
	return !g->oom && !g->follow.oom && an_where_memory(g->q.where);
}

/* ---- reading ---- */

/* One pass for both questions.  A filter takes one asker at a time: it remembers answers by the asker's numbers. */
static wtr_code read_both(gather *g, wtr_trace *t, const wtr_side_query *q, wtr_findings **ret, wtr_error *err)
{
	const wtr_findings_query about = {
		.ranged = q->ranged, .from_ns = q->from_ns, .to_ns = q->to_ns, .where = q->where
	};
	wtr_findings_totals totals = { 0 };
	if (q->where) {
		wtr_code rc = an_pass(t, &g->sink, &totals.end, err);
		return rc == WTR_OK ? wtr_findings_make(t, &about, ret, err) : rc;
	}
	an_find *f = an_find_new(t, &about);
	wtr_code rc = f ? an_pass_of(t, (an_sink *[]){ &g->sink, an_find_sink(f) }, 2, &totals.end, &totals.losses, err)
			: WTR_E_NOMEM;
	return an_find_done(f, rc, &totals, ret, err);
}

/* What goroutines do, and what is found. */
static wtr_code read_trace(wtr_side *s, wtr_trace *t, const wtr_index *x, const wtr_side_query *q, wtr_error *err)
{
	wtr_findings *found = NULL;
	gather *g = gather_new(s, t, x, q);
	wtr_code rc = g ? read_both(g, t, q, &found, err) : WTR_E_NOMEM;
	if (rc == WTR_OK && (!gather_end(g) || !an_side_add_findings(s, found)))
		rc = WTR_E_NOMEM;
	wtr_findings_free(found);
	gather_free(g);
	return rc;
}

/* ---- tasks, regions, ranges ---- */

/* A thing with both ends, if it meets the time that is asked for. */
static bool put_whole(
	wtr_side *s, const wtr_side_query *q, wtr_diff_kind kind, wtr_str name, int64_t start_ns, int64_t end_ns)
{
	if (start_ns == WTR_NEVER || end_ns == WTR_NEVER || end_ns < start_ns)
		return true;
	if (q->ranged && (start_ns >= q->to_ns || end_ns < q->from_ns))
		return true;
	name.n = strnlen(name.at, name.n);
	uint32_t key = an_side_key(s, kind, name, (wtr_str){ "", 0 });
	return put(s, key, kind, WTR_CLASS_NONE, end_ns - start_ns, end_ns);
}

static bool ranges(wtr_side *s, const wtr_index *x, const wtr_side_query *q)
{
	const wtr_range_row *r = wtr_table_data(x, WTR_TABLE_RANGES);
	bool ok = true;
	for (size_t i = 0; ok && i < wtr_table_rows(x, WTR_TABLE_RANGES); i++) {
		const char *type = wtr_range_name(r[i].type);
		wb_buf name = { 0 };
		wb_buf_puts(&name, type);
		if (r[i].kind.n) {
			wb_buf_puts(&name, " (");
			wb_buf_put(&name, r[i].kind.at, r[i].kind.n);
			wb_buf_putc(&name, ')');
		}
		ok = !name.failed &&
		     put_whole(s, q, WTR_DIFF_RANGE, (wtr_str){ name.at, name.n }, r[i].start_ns, r[i].end_ns);
		wb_buf_free(&name);
	}
	return ok;
}

static bool annotations(wtr_side *s, const wtr_index *x, const wtr_side_query *q)
{
	const wtr_task_row *t = wtr_table_data(x, WTR_TABLE_TASKS);
	const wtr_region_row *r = wtr_table_data(x, WTR_TABLE_REGIONS);
	bool ok = true;
	for (size_t i = 0; ok && i < wtr_table_rows(x, WTR_TABLE_TASKS); i++)
		ok = t[i].id == 0 || put_whole(s, q, WTR_DIFF_TASK, t[i].name, t[i].start_ns, t[i].end_ns);
	for (size_t i = 0; ok && i < wtr_table_rows(x, WTR_TABLE_REGIONS); i++)
		ok = r[i].inherited || put_whole(s, q, WTR_DIFF_REGION, r[i].name, r[i].start_ns, r[i].end_ns);
	return ok;
}

/* ---- sides ---- */

wtr_side *wtr_side_new(void)
{
	wtr_side *s = wb_calloc(1, sizeof(*s));
	if (s && wb_intern_add(&s->keys, "", 0) == 0)
		return s;
	wtr_side_free(s);
	return NULL;
}

void wtr_side_free(wtr_side *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->all.n; i++) {
		wb_vec_free(&s->all.at[i].ns);
		wb_vec_free(&s->all.at[i].unit);
	}
	wb_vec_free(&s->all);
	wb_vec_free(&s->durations);
	wb_vec_free(&s->found);
	wb_idmap_free(&s->of);
	wb_intern_free(&s->keys);
	wb_free(s);
}

static bool begin(wtr_side *s, const wtr_index *x, const wtr_side_query *q)
{
	wtr_totals t;
	wtr_get_totals(x, &t);
	int64_t from = t.start_ns, to = t.end_ns;
	if (q->ranged) {
		from = from > q->from_ns ? from : q->from_ns;
		to = to < q->to_ns ? to : q->to_ns;
	}
	uint64_t ns = to > from ? (uint64_t)to - (uint64_t)from : 0; /* of a hostile clock beyond INT64_MAX */
	s->from_ns = from;
	s->slice_ns = ns / AN_SLICES + 1;
	int threads = x->trace->opt.threads ? x->trace->opt.threads : wo_processors();
	s->threads = s->threads && s->threads < threads ? s->threads : threads;
	return wb_vec_add(&s->durations, ns < INT64_MAX ? (int64_t)ns : INT64_MAX);
}

wtr_code wtr_side_add(wtr_side *s, wtr_trace *t, const wtr_index *x, const wtr_side_query *q, wtr_error *err)
{
	if (s->durations.n >= WTR_SIDE_TRACES_MAX)
		return wtr__fail(err, WTR_E_LIMIT, 0, 0, WTR_NONE, "", "side.traces", "more than %d traces on one side",
			WTR_SIDE_TRACES_MAX);
	wtr_code rc = begin(s, x, q) ? read_trace(s, t, x, q, err) : WTR_E_NOMEM;
	if (rc == WTR_OK && !q->where && (!ranges(s, x, q) || !annotations(s, x, q)))
		rc = WTR_E_NOMEM;
	return rc == WTR_E_NOMEM ? wtr__fail(err, rc, 0, 0, WTR_NONE, "", "memory", "out of memory") : rc;
}

void wtr_side_get_totals(const wtr_side *s, wtr_side_totals *ret)
{
	*ret = (wtr_side_totals){ .traces = s->durations.n, .goroutines = s->goroutines };
	for (size_t i = 0; i < s->durations.n; i++)
		ret->duration_ns += s->durations.at[i];
}

/* an/requests.c - requests from tasks, or from stacks. */
#include <stdlib.h>
#include <string.h>

#include <wtr/requests.h>

#include "an/summary.h"
#include "an/where.h"
#include "read/source.h"

enum { FRAMES = 128 };

struct wtr_requests {
	wtr_trace *t;
	const wtr_index *x;
	wtr_where *where;
	int64_t from_ns, to_ns;
	bool any; /* was found, whatever the filter says of it */
	wb_intern names;
	WB_VEC(wtr_request) all;
	WB_VEC(wtr_request_group) groups;
};

static bool is(wtr_str s, const char *text)
{
	return s.n == strlen(text) && memcmp(s.at, text, s.n) == 0;
}

static bool begins(wtr_str s, const char *text)
{
	return s.n >= strlen(text) && memcmp(s.at, text, strlen(text)) == 0;
}

/* ---- what a goroutine did ---- */

/* Adds what it did in [start, end) by class. */
static void split(const wtr_index *x, wtr_request *q)
{
	wtr_lane lane = { WTR_LANE_GOROUTINE, q->g };
	wtr_span s;
	int64_t known = 0;
	bool there = wtr_span_at(x, lane, q->start_ns, &s) || wtr_span_step(x, lane, q->start_ns, 1, &s);
	for (; there && s.start_ns < q->end_ns; there = wtr_span_step(x, lane, s.start_ns, 1, &s)) {
		int64_t a = s.start_ns > q->start_ns ? s.start_ns : q->start_ns;
		int64_t b = s.end_ns < q->end_ns ? s.end_ns : q->end_ns;
		if (b <= a)
			continue;
		q->by_class[s.cls] += b - a;
		known += b - a;
	}
	q->by_class[WTR_CLASS_NONE] = q->end_ns - q->start_ns - known;
}

static bool wanted(wtr_requests *r, const wtr_request *q)
{
	wtr_region_row as = {
		.g = q->g, .task = q->task, .name = q->name, .start_ns = q->start_ns, .end_ns = q->end_ns
	};
	return wtr_where_region(r->where, &as);
}

static bool add(wtr_requests *r, wtr_request q)
{
	if (q.end_ns < r->from_ns || q.end_ns >= r->to_ns || q.end_ns < q.start_ns)
		return true;
	r->any = true;
	if (!wanted(r, &q))
		return true;
	uint32_t name = wb_intern_add(&r->names, q.name.at, q.name.n);
	if (name == WB_INTERN_NONE)
		return false;
	wb_text text = wb_intern_text(&r->names, name);
	q.name = (wtr_str){ text.at, text.n };
	split(r->x, &q);
	return wb_vec_add(&r->all, q);
}

/* ---- from tasks ---- */

static bool from_tasks(wtr_requests *r)
{
	const wtr_task_row *t = wtr_table_data(r->x, WTR_TABLE_TASKS);
	const wtr_task_goroutine_row *of = wtr_table_data(r->x, WTR_TABLE_TASK_GOROUTINES);
	size_t n = wtr_table_rows(r->x, WTR_TABLE_TASKS);
	for (size_t i = 0; i < n; i++) {
		if (t[i].id == 0 || t[i].start_ns == WTR_NEVER || t[i].end_ns == WTR_NEVER)
			continue;
		int64_t g = t[i].n_goroutines ? of[t[i].first_goroutine].g : WTR_NONE;
		if (!add(r, (wtr_request){
				    WTR_REQUESTS_TASKS, t[i].name, t[i].id, g, t[i].start_ns, t[i].end_ns, { 0 } }))
			return false;
	}
	return true;
}

/* ---- from stacks: net/http ---- */

/* Whether a connection's goroutine waits for the next request: it reads, and no handler is on its stack. */
static bool waits_for_request(const wtr_requests *r, const wtr_span *s)
{
	wtr_frame f[FRAMES];
	size_t n = wtr_stack(r->t, s->stack, f, FRAMES);
	bool reads = false;
	if (s->state != WTR_G_WAITING)
		return false;
	n = n < FRAMES ? n : FRAMES;
	for (size_t i = 0; i < n; i++) {
		if (is(f[i].func, "net/http.serverHandler.ServeHTTP"))
			return false;
		reads |= is(f[i].func, "net/http.(*conn).readRequest") || is(f[i].func, "bufio.(*Reader).Peek");
	}
	return reads;
}

/* The innermost handler on a stack; empty if there is none. */
static wtr_str handler_of(const wtr_requests *r, uint32_t stack)
{
	wtr_frame f[FRAMES];
	size_t n = wtr_stack(r->t, stack, f, FRAMES);
	n = n < FRAMES ? n : FRAMES;
	for (size_t i = 1; i < n; i++)
		if (is(f[i].func, "net/http.HandlerFunc.ServeHTTP"))
			return f[i - 1].func;
	return (wtr_str){ "", 0 };
}

static bool from_connection(wtr_requests *r, int64_t g)
{
	wtr_lane lane = { WTR_LANE_GOROUTINE, g };
	wtr_request q = { .source = WTR_REQUESTS_HTTP, .g = g, .name = { "", 0 } };
	wtr_span s;
	bool busy = false;
	for (bool there = wtr_span_step(r->x, lane, INT64_MIN, 1, &s); there;
		there = wtr_span_step(r->x, lane, s.start_ns, 1, &s)) {
		if (waits_for_request(r, &s)) {
			q.end_ns = s.start_ns;
			if (busy && !add(r, q))
				return false;
			busy = true; /* what comes next begins with a request */
			q.start_ns = s.end_ns;
			q.name = (wtr_str){ "", 0 };
		} else if (q.name.n == 0) {
			q.name = handler_of(r, s.stack);
		}
		if (s.open_end)
			break;
	}
	return true;
}

/* ---- from stacks: all ---- */

static bool from_stacks(wtr_requests *r)
{
	const wtr_goroutine_row *g = wtr_table_data(r->x, WTR_TABLE_GOROUTINES);
	size_t n = wtr_table_rows(r->x, WTR_TABLE_GOROUTINES);
	for (size_t i = 0; i < n; i++) {
		bool ok = true;
		if (is(g[i].name, "net/http.(*conn).serve"))
			ok = from_connection(r, g[i].id);
		else if (begins(g[i].name, "google.golang.org/grpc.(*Server).serveStreams.func") &&
			 g[i].end_ns != WTR_NEVER)
			ok = add(r, (wtr_request){ WTR_REQUESTS_GRPC, g[i].name, 0, g[i].id, g[i].create_ns,
					    g[i].end_ns, { 0 } });
		if (!ok)
			return false;
	}
	return true;
}

/* ---- order ---- */

static int64_t took(const wtr_request *q)
{
	return q->end_ns - q->start_ns;
}

static int by_group(const void *a, const void *b)
{
	const wtr_request *x = a, *y = b;
	int c = an_text_order(x->name, y->name);
	if (c == 0 && x->source != y->source)
		c = x->source < y->source ? -1 : 1;
	if (c)
		return c;
	if (took(x) != took(y))
		return took(x) > took(y) ? -1 : 1;
	return x->start_ns != y->start_ns ? (x->start_ns < y->start_ns ? -1 : 1) : x->g < y->g ? -1 : x->g > y->g;
}

static int slowest_first(const void *a, const void *b)
{
	const wtr_request_group *x = a, *y = b;
	return x->max_ns != y->max_ns ? (x->max_ns > y->max_ns ? -1 : 1) : x->first < y->first ? -1 : 1;
}

static int64_t percentile(const wtr_request *q, size_t n, unsigned percent)
{
	size_t rank = (n * percent + 99) / 100;
	return took(&q[n - (rank ? rank : 1)]);
}

static bool group(wtr_requests *r)
{
	if (r->all.n)
		qsort(r->all.at, r->all.n, sizeof(r->all.at[0]), by_group);
	for (size_t i = 0, n; i < r->all.n; i += n) {
		const wtr_request *q = &r->all.at[i];
		for (n = 1; i + n < r->all.n && q[n].source == q->source && an_text_order(q[n].name, q->name) == 0; n++)
			;
		wtr_request_group g = { .name = q->name, .source = q->source, .n = n, .first = i, .max_ns = took(q) };
		g.p50_ns = percentile(q, n, 50);
		g.p90_ns = percentile(q, n, 90);
		g.p99_ns = percentile(q, n, 99);
		if (!wb_vec_add(&r->groups, g))
			return false;
	}
	if (r->groups.n)
		qsort(r->groups.at, r->groups.n, sizeof(r->groups.at[0]), slowest_first);
	return true;
}

wtr_code wtr_requests_make(wtr_trace *t, const wtr_index *x, int64_t from_ns, int64_t to_ns, bool inferred,
	wtr_requests **ret, wtr_error *err)
{
	return wtr_requests_where(t, x, NULL, from_ns, to_ns, inferred, ret, err);
}

wtr_code wtr_requests_where(wtr_trace *t, const wtr_index *x, wtr_where *where, int64_t from_ns, int64_t to_ns,
	bool inferred, wtr_requests **ret, wtr_error *err)
{
	wtr_requests *r = wb_calloc(1, sizeof(*r));
	bool ok = r != NULL;
	if (ok) {
		*r = (wtr_requests){ .t = t, .x = x, .where = where, .from_ns = from_ns, .to_ns = to_ns };
		ok = wb_intern_add(&r->names, "", 0) == 0 && (inferred || from_tasks(r)) &&
		     (r->any || from_stacks(r)) && an_where_memory(where) && group(r);
	}
	if (ok) {
		*ret = r;
		return WTR_OK;
	}
	wtr_requests_free(r);
	return wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
}

void wtr_requests_free(wtr_requests *r)
{
	if (!r)
		return;
	wb_intern_free(&r->names);
	wb_vec_free(&r->all);
	wb_vec_free(&r->groups);
	wb_free(r);
}

size_t wtr_requests_all(const wtr_requests *r, const wtr_request **ret)
{
	*ret = r->all.at;
	return r->all.n;
}

size_t wtr_requests_groups(const wtr_requests *r, const wtr_request_group **ret)
{
	*ret = r->groups.at;
	return r->groups.n;
}

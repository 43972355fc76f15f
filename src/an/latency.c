/* an/latency.c - tasks and regions by type. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <wtr/latency.h>

#include "an/summary.h"
#include "base/buf.h"
#include "read/source.h"

typedef struct member {
	int64_t ns;
	uint32_t row, group;
	bool counts; /* in the distribution */
} member;

struct wtr_latencies {
	wtr_latency_query q;
	const wtr_index *x;
	wtr_totals totals;
	wb_arena arena;
	wb_intern keys; /* name, a zero byte, function -> group */
	WB_VEC(wtr_latency_group) groups;
	WB_VEC(member) members; /* by group, slowest first, once made */
	uint32_t *rows;         /* of all members in that order */
	uint32_t *slowest;      /* the same, slowest of all first */
	size_t *first;          /* of each group, and behind the last */
};

static double bucket_log(void)
{
	return log(10) / 5;
}

unsigned wtr_latency_bucket(int64_t ns)
{
	unsigned b = ns <= 0 ? 0 : (unsigned)(log((double)ns) / bucket_log());
	return b < WTR_LATENCY_BUCKETS ? b : WTR_LATENCY_BUCKETS - 1;
}

int64_t wtr_latency_bucket_ns(unsigned bucket)
{
	return (int64_t)(exp((double)bucket * bucket_log()) + 0.5);
}

/* ---- gathering ---- */

static uint32_t group_of(wtr_latencies *l, wtr_str name, wtr_str func)
{
	wb_buf b = { 0 };
	wb_buf_putc(&b, 'k'); /* so that no key is empty */
	wb_buf_put(&b, name.at, name.n);
	wb_buf_putc(&b, 0);
	wb_buf_put(&b, func.at, func.n);
	uint32_t no = b.failed ? WB_INTERN_NONE : wb_intern_add(&l->keys, b.at, b.n);
	wb_buf_free(&b);
	if (no == WB_INTERN_NONE)
		return no;
	if (no > l->groups.n) { /* number 0 is the empty text */
		char *f = wb_copy(&l->arena, func.at, func.n);
		if (!f || !wb_vec_add(&l->groups,
				  (wtr_latency_group){ .name = name, .func = { f, func.n }, .min_ns = INT64_MAX }))
			return WB_INTERN_NONE;
	}
	return no - 1;
}

/* Whether [from, to] meets the range that was asked for. */
static bool in_range(const wtr_latencies *l, int64_t from, int64_t to)
{
	return !l->q.ranged || (from < l->q.to_ns && to >= l->q.from_ns);
}

static bool add(wtr_latencies *l, uint32_t row, wtr_str name, wtr_str func, int64_t from, int64_t to, bool complete,
	bool counts)
{
	uint32_t group = group_of(l, name, func);
	if (group == WB_INTERN_NONE)
		return false;
	wtr_latency_group *g = &l->groups.at[group];
	int64_t ns = to - from;
	g->n++;
	g->complete += complete;
	if (counts) {
		g->sum_ns += ns;
		g->min_ns = ns < g->min_ns ? ns : g->min_ns;
		g->max_ns = ns > g->max_ns ? ns : g->max_ns;
		g->buckets[wtr_latency_bucket(ns)]++;
	}
	return wb_vec_add(&l->members, (member){ ns, row, group, counts });
}

static bool gather_tasks(wtr_latencies *l)
{
	const wtr_task_row *t = wtr_table_data(l->x, WTR_TABLE_TASKS);
	size_t n = wtr_table_rows(l->x, WTR_TABLE_TASKS);
	for (uint32_t i = 0; i < n; i++) {
		bool complete = t[i].start_ns != WTR_NEVER && t[i].end_ns != WTR_NEVER;
		int64_t from = t[i].start_ns == WTR_NEVER ? l->totals.start_ns : t[i].start_ns;
		int64_t to = t[i].end_ns == WTR_NEVER ? l->totals.end_ns : t[i].end_ns;
		if (t[i].id == 0 || !in_range(l, from, to) || !wtr_where_task(l->q.where, &t[i]))
			continue;
		if (!add(l, i, t[i].name, (wtr_str){ "", 0 }, from, to, complete, complete))
			return false;
	}
	return true;
}

static wtr_str outermost(const wtr_trace *t, uint32_t stack, wtr_frame *frames, size_t cap)
{
	size_t n = wtr_stack(t, stack, frames, cap);
	n = n < cap ? n : cap;
	return n ? frames[n - 1].func : (wtr_str){ "", 0 };
}

static void add_times(wtr_latency_group *g, const wtr_index *x, const wtr_region_row *r)
{
	const wtr_region_block_time_row *b = wtr_table_data(x, WTR_TABLE_REGION_BLOCK_TIMES);
	g->exec_ns += r->exec_ns;
	g->sched_ns += r->sched_ns;
	g->syscall_ns += r->syscall_ns + r->syscall_block_ns;
	for (uint32_t k = 0; k < r->n_block; k++)
		g->block_ns += b[r->first_block + k].ns;
}

static bool gather_regions(wtr_latencies *l, wtr_trace *t)
{
	enum { FRAMES = 128 };
	const wtr_region_row *r = wtr_table_data(l->x, WTR_TABLE_REGIONS);
	size_t n = wtr_table_rows(l->x, WTR_TABLE_REGIONS);
	wtr_frame frames[FRAMES];
	for (uint32_t i = 0; i < n; i++) {
		bool complete = r[i].start_ns != WTR_NEVER && r[i].end_ns != WTR_NEVER;
		int64_t from = r[i].start_ns == WTR_NEVER ? l->totals.start_ns : r[i].start_ns;
		int64_t to = r[i].end_ns == WTR_NEVER ? l->totals.end_ns : r[i].end_ns;
		if (r[i].inherited || !in_range(l, from, to) || !wtr_where_region(l->q.where, &r[i]))
			continue;
		wtr_str func = outermost(t, r[i].start_stack, frames, FRAMES);
		if (!add(l, i, r[i].name, func, from, to, complete, true))
			return false;
		add_times(&l->groups.at[l->members.at[l->members.n - 1].group], l->x, &r[i]);
	}
	return true;
}

/* ---- order ---- */

static int slowest_first(const void *a, const void *b)
{
	const member *x = a, *y = b;
	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static int by_group(const void *a, const void *b)
{
	const member *x = a, *y = b;
	return x->group != y->group ? (x->group < y->group ? -1 : 1) : slowest_first(a, b);
}

typedef struct ranked {
	wtr_latency_group g;
	uint32_t was;
} ranked;

static int most_first(const void *a, const void *b)
{
	const wtr_latency_group *x = &((const ranked *)a)->g, *y = &((const ranked *)b)->g;
	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	int c = an_text_order(x->name, y->name);
	return c ? c : an_text_order(x->func, y->func);
}

/* Puts groups in order and renumbers their members. */
static bool rank(wtr_latencies *l)
{
	size_t n = l->groups.n;
	ranked *r = wb_calloc(n + 1, sizeof(*r));
	uint32_t *place = wb_calloc(n + 1, sizeof(*place));
	bool ok = r && place;
	for (uint32_t i = 0; ok && i < n; i++)
		r[i] = (ranked){ l->groups.at[i], i };
	if (ok && n)
		qsort(r, n, sizeof(*r), most_first);
	for (uint32_t i = 0; ok && i < n; i++) {
		l->groups.at[i] = r[i].g;
		place[r[i].was] = i;
	}
	for (size_t i = 0; ok && i < l->members.n; i++)
		l->members.at[i].group = place[l->members.at[i].group];
	wb_free(r);
	wb_free(place);
	return ok;
}

/* Of `n` durations, slowest first, the one that a share of `per_mille` does not exceed. */
static int64_t percentile(const member *m, size_t n, unsigned per_mille)
{
	size_t rank = (n * per_mille + 999) / 1000;
	return n ? m[n - (rank ? rank : 1)].ns : 0;
}

static void percentiles(wtr_latency_group *g, const member *m, size_t n, member *room)
{
	size_t k = 0;
	for (size_t i = 0; i < n; i++)
		if (m[i].counts)
			room[k++] = m[i];
	if (k == 0)
		g->min_ns = 0;
	g->p50_ns = percentile(room, k, 500);
	g->p90_ns = percentile(room, k, 900);
	g->p99_ns = percentile(room, k, 990);
	g->p999_ns = percentile(room, k, 999);
}

static bool arrange(wtr_latencies *l)
{
	size_t n = l->members.n;
	l->rows = wb_new(&l->arena, uint32_t, n + 1);
	l->slowest = wb_new(&l->arena, uint32_t, n + 1);
	l->first = wb_new(&l->arena, size_t, l->groups.n + 1);
	member *room = wb_calloc(n + 1, sizeof(*room));
	bool ok = room && l->rows && l->slowest && l->first && rank(l);
	if (ok && n)
		qsort(l->members.at, n, sizeof(l->members.at[0]), by_group);
	for (size_t g = 0, i = 0; ok && g < l->groups.n; g++) {
		l->first[g] = i;
		while (i < n && l->members.at[i].group == g) {
			l->rows[i] = l->members.at[i].row;
			i++;
		}
		l->first[g + 1] = i;
		percentiles(&l->groups.at[g], l->members.at + l->first[g], i - l->first[g], room);
	}
	if (ok && n) {
		memcpy(room, l->members.at, n * sizeof(*room));
		qsort(room, n, sizeof(*room), slowest_first);
		for (size_t i = 0; i < n; i++)
			l->slowest[i] = room[i].row;
	}
	wb_free(room);
	return ok;
}

/* ---- all of it ---- */

wtr_code wtr_latency_make(
	wtr_trace *t, const wtr_index *x, const wtr_latency_query *q, wtr_latencies **ret, wtr_error *err)
{
	if (q->about != WTR_ABOUT_TASK && q->about != WTR_ABOUT_REGION)
		return wtr__fail(
			err, WTR_E_USAGE, 0, 0, WTR_NONE, "", "latency.about", "latencies are of tasks or regions");
	wtr_latencies *l = wb_calloc(1, sizeof(*l));
	if (l) {
		l->q = *q;
		l->x = x;
		wtr_get_totals(x, &l->totals);
		bool ok = wb_intern_add(&l->keys, "", 0) == 0 &&
			  (q->about == WTR_ABOUT_TASK ? gather_tasks(l) : gather_regions(l, t)) && arrange(l);
		if (ok) {
			*ret = l;
			return WTR_OK;
		}
		wtr_latency_free(l);
	}
	return wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
}

void wtr_latency_free(wtr_latencies *l)
{
	if (!l)
		return;
	wb_intern_free(&l->keys);
	wb_vec_free(&l->groups);
	wb_vec_free(&l->members);
	wb_arena_free(&l->arena);
	wb_free(l);
}

size_t wtr_latency_groups(const wtr_latencies *l, const wtr_latency_group **ret)
{
	*ret = l->groups.at;
	return l->groups.n;
}

size_t wtr_latency_members(const wtr_latencies *l, size_t group, const uint32_t **ret)
{
	if (group >= l->groups.n)
		return 0;
	*ret = l->rows + l->first[group];
	return l->first[group + 1] - l->first[group];
}

size_t wtr_latency_all(const wtr_latencies *l, const uint32_t **ret)
{
	*ret = l->slowest;
	return l->members.n;
}

int64_t wtr_latency_ns(const wtr_latencies *l, uint32_t row)
{
	bool tasks = l->q.about == WTR_ABOUT_TASK;
	const wtr_task_row *t = wtr_table_data(l->x, WTR_TABLE_TASKS);
	const wtr_region_row *r = wtr_table_data(l->x, WTR_TABLE_REGIONS);
	int64_t from = tasks ? t[row].start_ns : r[row].start_ns, to = tasks ? t[row].end_ns : r[row].end_ns;
	from = from == WTR_NEVER ? l->totals.start_ns : from;
	return (to == WTR_NEVER ? l->totals.end_ns : to) - from;
}

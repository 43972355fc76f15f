/* an/waits_graph.c - who waits for whom at a moment, and in which circles. */
#include <stdlib.h>

#include "an/index.h"
#include "an/waits.h"
#include "read/source.h"

struct wtr_graph {
	WB_VEC(wtr_waiting) rows;
	WB_VEC(wtr_object) objects;
	uint32_t cycles;
};

typedef struct making {
	const wtr_waits *w;
	const wtr_index *x;
	int64_t time_ns;
	wtr_graph *g;
	wb_idmap row_of;         /* goroutine -> row */
	wb_intern locks;         /* locks that are waited for */
	WB_VEC(uint32_t) newest; /* by lock: the row whose wait began last */
} making;

/* ---- rows ---- */

static bool add_row(making *k, const struct wtr_goroutine_row *of, const wtr_span *s)
{
	wtr_graph *g = k->g;
	wtr_object o[WTR_WAIT_OBJECTS_MAX];
	size_t n = wtr_waits_of(k->w, s->g, k->time_ns, o, WTR_WAIT_OBJECTS_MAX);
	wtr_waiting row = {
		.g = s->g,
		.name = of->name,
		.reason = s->reason,
		.since_ns = s->start_ns,
		.open_start = s->open_start,
		.stack = s->stack,
		.first = (uint32_t)g->objects.n,
		.n = (uint32_t)n,
		.holder = WTR_NONE,
	};
	if (!wb_vec_reserve(&g->objects, n))
		return false;
	for (size_t i = 0; i < n; i++)
		g->objects.at[g->objects.n++] = o[i];
	return wb_idmap_set(&k->row_of, (uint64_t)s->g, (uint32_t)g->rows.n) && wb_vec_add(&g->rows, row);
}

static bool collect(making *k)
{
	const struct wtr_goroutine_row *all = wtr_table_data(k->x, WTR_TABLE_GOROUTINES);
	size_t n = wtr_table_rows(k->x, WTR_TABLE_GOROUTINES);
	for (size_t i = 0; i < n; i++) {
		wtr_span s;
		wtr_lane lane = { WTR_LANE_GOROUTINE, all[i].id };
		if (wtr_span_at(k->x, lane, k->time_ns, &s) && s.state == WTR_G_WAITING && !add_row(k, &all[i], &s))
			return false;
	}
	return true;
}

/* ---- whom ---- */

/* The lock that a row waits for; NULL: none, or its holder cannot be known. */
static const wtr_object *lock_of(const wtr_graph *g, const wtr_waiting *r)
{
	const wtr_object *o = r->n == 1 ? &g->objects.at[r->first] : NULL;
	return o && (o->kind == WTR_OBJECT_MUTEX || o->kind == WTR_OBJECT_RWMUTEX) ? o : NULL;
}

/* From 0 on; UINT32_MAX: out of memory. */
static uint32_t lock_no(making *k, const wtr_object *o)
{
	uint64_t key[2] = { o->id, o->kind };
	uint32_t i = wb_intern_add(&k->locks, (const char *)key, sizeof(key)); /* 0 is the empty text */
	return i == WB_INTERN_NONE ? UINT32_MAX : i - 1;
}

static bool find_newest(making *k)
{
	wtr_graph *g = k->g;
	for (uint32_t i = 0; i < g->rows.n; i++) {
		const wtr_object *o = lock_of(g, &g->rows.at[i]);
		if (!o)
			continue;
		uint32_t lock = lock_no(k, o);
		if (lock == UINT32_MAX || (lock == k->newest.n && !wb_vec_add(&k->newest, i)))
			return false;
		if (g->rows.at[i].since_ns > g->rows.at[k->newest.at[lock]].since_ns)
			k->newest.at[lock] = i;
	}
	return true;
}

static uint8_t state_at(const making *k, int64_t g)
{
	wtr_span s;
	bool there = wtr_span_at(k->x, (wtr_lane){ WTR_LANE_GOROUTINE, g }, k->time_ns, &s);
	return there ? s.state : WTR_G_NOTEXIST;
}

static bool name_holders(making *k)
{
	wtr_graph *g = k->g;
	if (!find_newest(k))
		return false;
	for (size_t i = 0; i < g->rows.n; i++) {
		const wtr_object *o = lock_of(g, &g->rows.at[i]);
		if (!o)
			continue;
		int64_t holder = lock_of(g, &g->rows.at[k->newest.at[lock_no(k, o)]])->holder;
		if (holder == g->rows.at[i].g) /* woken since, and waits again: it has let go */
			holder = o->holder;
		g->rows.at[i].holder = holder;
		g->rows.at[i].holder_state = holder == WTR_NONE ? WTR_G_UNDETERMINED : state_at(k, holder);
	}
	return true;
}

/* ---- circles ---- */

static uint32_t next_of(const making *k, uint32_t row)
{
	int64_t holder = k->g->rows.at[row].holder;
	return holder == WTR_NONE ? WB_IDMAP_NONE : wb_idmap_get(&k->row_of, (uint64_t)holder);
}

/* From each row along the holders: where a way meets itself, it is a circle.  order[row]: its place for sorting. */
static void find_cycles(making *k, uint32_t *seen, uint32_t *order)
{
	wtr_graph *g = k->g;
	for (uint32_t i = 0, step = 0; i < g->rows.n; i++) {
		uint32_t from = step + 1, at = i;
		while (at != WB_IDMAP_NONE && !seen[at]) {
			seen[at] = ++step;
			at = next_of(k, at);
		}
		if (at == WB_IDMAP_NONE || seen[at] < from)
			continue;
		g->cycles++;
		for (uint32_t n = 0; !g->rows.at[at].cycle; at = next_of(k, at)) {
			g->rows.at[at].cycle = g->cycles;
			order[at] = n++;
		}
	}
}

typedef struct sorted {
	wtr_waiting row;
	uint32_t order; /* in its circle */
} sorted;

static int first_first(const void *a, const void *b)
{
	const sorted *x = a, *y = b;
	if (!x->row.cycle != !y->row.cycle)
		return x->row.cycle ? -1 : 1;
	if (x->row.cycle != y->row.cycle)
		return x->row.cycle < y->row.cycle ? -1 : 1;
	if (x->row.cycle)
		return x->order < y->order ? -1 : 1;
	if ((x->row.holder == WTR_NONE) != (y->row.holder == WTR_NONE))
		return x->row.holder != WTR_NONE ? -1 : 1;
	if (x->row.since_ns != y->row.since_ns)
		return x->row.since_ns < y->row.since_ns ? -1 : 1;
	return x->row.g < y->row.g ? -1 : x->row.g > y->row.g;
}

static bool put_in_order(making *k)
{
	size_t n = k->g->rows.n;
	uint32_t *seen = wb_calloc(n + 1, sizeof(*seen)), *order = wb_calloc(n + 1, sizeof(*order));
	sorted *rows = wb_calloc(n + 1, sizeof(*rows));
	bool ok = seen && order && rows;
	if (ok) {
		find_cycles(k, seen, order);
		for (size_t i = 0; i < n; i++)
			rows[i] = (sorted){ k->g->rows.at[i], order[i] };
		qsort(rows, n, sizeof(*rows), first_first);
		for (size_t i = 0; i < n; i++)
			k->g->rows.at[i] = rows[i].row;
	}
	wb_free(seen);
	wb_free(order);
	wb_free(rows);
	return ok;
}

wtr_code wtr_graph_make(const wtr_waits *w, const wtr_index *x, int64_t time_ns, wtr_graph **ret, wtr_error *err)
{
	making k = { .w = w, .x = x, .time_ns = time_ns, .g = wb_calloc(1, sizeof(*k.g)) };
	bool ok = k.g && collect(&k) && name_holders(&k) && put_in_order(&k);
	wb_idmap_free(&k.row_of);
	wb_intern_free(&k.locks);
	wb_vec_free(&k.newest);
	if (ok) {
		*ret = k.g;
		return WTR_OK;
	}
	wtr_graph_free(k.g);
	return wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
}

void wtr_graph_free(wtr_graph *g)
{
	if (!g)
		return;
	wb_vec_free(&g->rows);
	wb_vec_free(&g->objects);
	wb_free(g);
}

const wtr_waiting *wtr_graph_rows(const wtr_graph *g, size_t *ret_n)
{
	*ret_n = g->rows.n;
	return g->rows.at;
}

const wtr_object *wtr_graph_objects(const wtr_graph *g)
{
	return g->objects.at;
}

uint32_t wtr_graph_cycles(const wtr_graph *g)
{
	return g->cycles;
}

/* an/why.c - the critical path, walked backwards over the lanes. */
#include <stdlib.h>
#include <string.h>

#include <wtr/why.h>

#include "an/index.h"
#include "base/idmap.h"
#include "base/intern.h"
#include "base/vec.h"
#include "read/source.h"

enum { PIECES_MAX = 1 << 20, DEPTH_MAX = 64 };

/* A wait that is being explained: when the path gets back to its beginning, it returns to `g`. */
typedef struct wait {
	int64_t g, from_ns;
} wait;

struct wtr_why {
	wtr_why_totals totals;
	WB_VEC(wtr_why_piece) pieces;
	WB_VEC(wtr_why_part) parts;
	WB_VEC(wtr_why_edge) edges;
	WB_VEC(wtr_why_other) others;
};

typedef struct walk {
	const wtr_index *x;
	wtr_why *w;
	wait waits[DEPTH_MAX];
	unsigned depth;
	int64_t g, t, from_ns;
	wb_idmap edge_of;  /* stack pair -> edge */
	wb_idmap other_of; /* group -> other */
	bool oom;
} walk;

static wtr_lane lane_of(int64_t g)
{
	return (wtr_lane){ WTR_LANE_GOROUTINE, g };
}

/* ---- what is found on the way ---- */

static void add_piece(walk *k, int64_t from, const wtr_span *s, unsigned cls, uint32_t stack)
{
	wtr_why_piece p = { .from_ns = from,
		.to_ns = k->t,
		.g = k->g,
		.depth = k->depth,
		.cls = (uint8_t)cls,
		.stack = stack,
		.reason = s && cls != WTR_CLASS_RUNNING ? s->reason : (wtr_str){ "", 0 } };
	k->w->totals.by_class[cls] += k->t - from;
	if (k->depth == 0)
		k->w->totals.own_ns += k->t - from;
	k->oom |= !wb_vec_add(&k->w->pieces, p);
	k->t = from;
}

/* `ns` of the wait lie in the stretch that is asked about. */
static void add_edge(walk *k, const wtr_span *wait_span, const wtr_span *woken, int64_t ns)
{
	uint64_t key = (uint64_t)wait_span->stack << 32 | woken->waker_stack;
	uint32_t i = wb_idmap_get(&k->edge_of, key);
	if (i == WB_IDMAP_NONE) {
		i = (uint32_t)k->w->edges.n;
		wtr_why_edge e = { .stack = wait_span->stack, .waker_stack = woken->waker_stack };
		if (!wb_vec_add(&k->w->edges, e) || !wb_idmap_set(&k->edge_of, key, i)) {
			k->oom = true;
			return;
		}
	}
	wtr_why_edge *e = &k->w->edges.at[i];
	e->n++;
	e->ns += ns;
	if (ns > e->longest_ns) {
		e->longest_ns = ns;
		e->longest_at_ns = woken->start_ns - ns;
		e->g = k->g;
		e->waker = woken->waker;
	}
}

static void add_other(walk *k, int64_t g, int64_t ns)
{
	const wtr_goroutine_row *r = wtr_goroutine(k->x, g);
	uint32_t group = r ? r->group : UINT32_MAX, i = wb_idmap_get(&k->other_of, group);
	if (i == WB_IDMAP_NONE) {
		i = (uint32_t)k->w->others.n;
		if (!wb_vec_add(&k->w->others, (wtr_why_other){ .name = r ? r->name : (wtr_str){ "", 0 } }) ||
			!wb_idmap_set(&k->other_of, group, i)) {
			k->oom = true;
			return;
		}
	}
	k->w->others.at[i].n++;
	k->w->others.at[i].ns += ns;
}

/* Who held the procs in [from, to), while somebody was ready. */
static void look_at_procs(walk *k, int64_t from, int64_t to)
{
	const wtr_proc_row *p = wtr_table_data(k->x, WTR_TABLE_PROCS);
	size_t n = wtr_table_rows(k->x, WTR_TABLE_PROCS);
	for (size_t i = 0; i < n; i++) {
		wtr_lane lane = { WTR_LANE_PROC, p[i].id };
		wtr_span s;
		bool there = wtr_span_at(k->x, lane, from, &s) || wtr_span_step(k->x, lane, from, 1, &s);
		for (; there && s.start_ns < to; there = wtr_span_step(k->x, lane, s.start_ns, 1, &s)) {
			int64_t a = s.start_ns > from ? s.start_ns : from, b = s.end_ns < to ? s.end_ns : to;
			if (b > a && s.g != WTR_NONE)
				add_other(k, s.g, b - a);
		}
	}
}

/* ---- the walk ---- */

static bool waiting(const wtr_span *s)
{
	return s->state == WTR_G_WAITING;
}

/* The earliest time that the current goroutine is asked about. */
static int64_t floor_of(const walk *k)
{
	return k->depth ? k->waits[k->depth - 1].from_ns : k->from_ns;
}

static void go_back(walk *k)
{
	while (k->depth && k->t <= k->waits[k->depth - 1].from_ns) {
		k->depth--;
		k->g = k->waits[k->depth].g;
	}
}

/* A wait of the current goroutine that ends at k->t: goes on with whoever ended it.  False: that is not possible. */
static bool follow(walk *k, const wtr_span *s)
{
	wtr_span woken, waker;
	int64_t floor = floor_of(k), from = s->start_ns > floor ? s->start_ns : floor;
	if (s->end_ns != k->t || !wtr_span_at(k->x, lane_of(k->g), k->t, &woken) || woken.waker == WTR_NONE ||
		woken.waker == k->g || k->depth == DEPTH_MAX)
		return false;
	if (!wtr_span_at(k->x, lane_of(woken.waker), k->t - 1, &waker) || waiting(&waker))
		return false;
	add_edge(k, s, &woken, k->t - from);
	k->waits[k->depth++] = (wait){ k->g, from };
	k->g = woken.waker;
	return true;
}

/* Nothing of the goroutine before k->t: it was created then, and the path goes on with its creator. */
static bool to_creator(walk *k)
{
	wtr_span first;
	if (!wtr_span_at(k->x, lane_of(k->g), k->t, &first) || first.waker == WTR_NONE || first.waker == k->g)
		return false;
	wtr_span there;
	if (!wtr_span_at(k->x, lane_of(first.waker), k->t - 1, &there) || waiting(&there))
		return false;
	k->g = first.waker;
	return true;
}

/* Where a goroutine was when it stopped running. */
static uint32_t stopped_at(walk *k, const wtr_span *s)
{
	wtr_span after;
	if (s->stack)
		return s->stack;
	return s->end_ns > s->start_ns && wtr_span_at(k->x, lane_of(k->g), s->end_ns, &after) ? after.stack : 0;
}

static void step(walk *k)
{
	wtr_span s;
	int64_t floor = floor_of(k);
	if (!wtr_span_at(k->x, lane_of(k->g), k->t - 1, &s)) {
		if (!to_creator(k))
			add_piece(k, floor, NULL, WTR_CLASS_NONE, 0);
		return;
	}
	if (waiting(&s) && follow(k, &s))
		return;
	int64_t from = s.start_ns > floor ? s.start_ns : floor, to = k->t;
	bool running = s.state == WTR_G_RUNNING;
	add_piece(k, from, &s, s.cls, running ? stopped_at(k, &s) : s.stack);
	if (s.state == WTR_G_RUNNABLE)
		look_at_procs(k, from, to);
}

/* ---- the answer ---- */

static int64_t inside(const wtr_index *x, wtr_lane_kind kind, int64_t from, int64_t to)
{
	wtr_lane lane = { kind, 0 };
	wtr_span s;
	int64_t ns = 0;
	bool there = wtr_span_at(x, lane, from, &s) || wtr_span_step(x, lane, from, 1, &s);
	for (; there && s.start_ns < to; there = wtr_span_step(x, lane, s.start_ns, 1, &s)) {
		int64_t a = s.start_ns > from ? s.start_ns : from, b = s.end_ns < to ? s.end_ns : to;
		ns += b > a ? b - a : 0;
	}
	return ns;
}

static int edges_most_first(const void *a, const void *b)
{
	const wtr_why_edge *x = a, *y = b;
	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return x->longest_at_ns < y->longest_at_ns ? -1 : x->longest_at_ns > y->longest_at_ns;
}

static int others_most_first(const void *a, const void *b)
{
	const wtr_why_other *x = a, *y = b;
	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return x->n > y->n ? -1 : x->n < y->n;
}

static int parts_most_first(const void *a, const void *b)
{
	const wtr_why_part *x = a, *y = b;
	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return x->stack != y->stack ? (x->stack < y->stack ? -1 : 1) : x->cls < y->cls ? -1 : x->cls > y->cls;
}

/* Sums pieces up by state, start function and stack. */
static bool sum_up(walk *k)
{
	wtr_why *w = k->w;
	wb_intern keys = { 0 };
	bool ok = wb_intern_add(&keys, "", 0) == 0;
	for (size_t i = 0; ok && i < w->pieces.n; i++) {
		const wtr_why_piece *p = &w->pieces.at[i];
		const wtr_goroutine_row *r = wtr_goroutine(k->x, p->g);
		uint32_t key[3] = { r ? r->group : UINT32_MAX, p->cls, p->stack };
		uint32_t no = wb_intern_add(&keys, (const char *)key, sizeof(key));
		ok = no != WB_INTERN_NONE;
		if (ok && no > w->parts.n)
			ok = wb_vec_add(&w->parts,
				(wtr_why_part){
					.name = r ? r->name : (wtr_str){ "", 0 }, .cls = p->cls, .stack = p->stack });
		if (ok) {
			w->parts.at[no - 1].n++;
			w->parts.at[no - 1].ns += p->to_ns - p->from_ns;
		}
	}
	wb_intern_free(&keys);
	if (ok && w->parts.n)
		qsort(w->parts.at, w->parts.n, sizeof(w->parts.at[0]), parts_most_first);
	return ok;
}

static void finish(walk *k)
{
	wtr_why *w = k->w;
	for (size_t i = 0, n = w->pieces.n; i < n / 2; i++) { /* it was walked backwards */
		wtr_why_piece p = w->pieces.at[i];
		w->pieces.at[i] = w->pieces.at[n - 1 - i];
		w->pieces.at[n - 1 - i] = p;
	}
	if (w->edges.n)
		qsort(w->edges.at, w->edges.n, sizeof(w->edges.at[0]), edges_most_first);
	if (w->others.n)
		qsort(w->others.at, w->others.n, sizeof(w->others.at[0]), others_most_first);
	w->totals.pieces = w->pieces.n;
	w->totals.parts = w->parts.n;
	w->totals.edges = w->edges.n;
	w->totals.others = w->others.n;
	w->totals.gc_ns = inside(k->x, WTR_LANE_GC, w->totals.from_ns, w->totals.to_ns);
	w->totals.stw_ns = inside(k->x, WTR_LANE_STW, w->totals.from_ns, w->totals.to_ns);
}

static wtr_code not_there(int64_t g, wtr_error *err)
{
	return wtr__fail(err, WTR_E_USAGE, 0, 0, WTR_NONE, "", "why.goroutine",
		"goroutine %lld is not there at that time; weft goroutines lists them", (long long)g);
}

wtr_code wtr_why_make(const wtr_index *x, int64_t g, int64_t from_ns, int64_t to_ns, wtr_why **ret, wtr_error *err)
{
	wtr_span s;
	wtr_totals t;
	wtr_get_totals(x, &t);
	to_ns = to_ns < t.end_ns ? to_ns : t.end_ns;
	from_ns = from_ns > t.start_ns ? from_ns : t.start_ns;
	if (to_ns <= from_ns || !wtr_span_at(x, lane_of(g), to_ns - 1, &s))
		return not_there(g, err);
	walk k = { .x = x, .g = g, .t = to_ns, .from_ns = from_ns };
	k.w = wb_calloc(1, sizeof(*k.w));
	if (k.w) {
		k.w->totals = (wtr_why_totals){ .g = g, .from_ns = from_ns, .to_ns = to_ns };
		while (k.t > from_ns && !k.oom && k.w->pieces.n < PIECES_MAX) {
			step(&k);
			go_back(&k);
		}
		k.w->totals.cut = k.t > from_ns;
		k.w->totals.from_ns = k.t;
	}
	wb_idmap_free(&k.edge_of);
	wb_idmap_free(&k.other_of);
	if (!k.w || k.oom || !sum_up(&k)) {
		wtr_why_free(k.w);
		return wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
	}
	finish(&k);
	*ret = k.w;
	return WTR_OK;
}

void wtr_why_free(wtr_why *w)
{
	if (!w)
		return;
	wb_vec_free(&w->pieces);
	wb_vec_free(&w->parts);
	wb_vec_free(&w->edges);
	wb_vec_free(&w->others);
	wb_free(w);
}

void wtr_why_get_totals(const wtr_why *w, wtr_why_totals *ret)
{
	*ret = w->totals;
}

const wtr_why_piece *wtr_why_pieces(const wtr_why *w)
{
	return w->pieces.at;
}

const wtr_why_part *wtr_why_parts(const wtr_why *w)
{
	return w->parts.at;
}

const wtr_why_edge *wtr_why_edges(const wtr_why *w)
{
	return w->edges.at;
}

const wtr_why_other *wtr_why_others(const wtr_why *w)
{
	return w->others.at;
}

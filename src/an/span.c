/* an/span.c - the span of a lane at a time, with all that is known about it. */
#include "an/lanes.h"

/* A stretch of a lane: one span of it, or a gap. */
typedef struct stretch {
	uint64_t from, to;
	unsigned cls;
	uint32_t what;       /* of the strip below; on threads of the proc, or an_blocked_in() */
	bool     open;       /* the lane began before the trace */
	const an_p *proc;    /* the proc that it comes from */
} stretch;

static wtr_str text(const an_lanes *l, uint32_t i)
{
	wb_text t = wb_intern_text(&l->texts, i);
	return (wtr_str){ t.at, t.n };
}

/* The stretch of a strip at t; before its first span there is a gap. */
static bool strip_stretch(const an_lanes *l, const an_strip *s, uint64_t t, stretch *ret)
{
	an_place p;
	if (t >= l->store.end)
		return false;
	*ret = (stretch){ .to = s->first ? s->first->start : l->store.end };
	if (s->first && t >= s->first->start) {
		if (!an_strip_find(&l->store, s, t, &p))
			return false;
		*ret = (stretch){ .from = p.start, .to = p.end, .what = p.what };
	}
	if (s->kind != AN_STRIP_SUMS)
		ret->cls = an_class(&l->store, s->kind, ret->what);
	return true;
}

static bool thread_stretch(const an_lanes *l, const an_m *m, uint64_t t, stretch *ret)
{
	stretch held, on;
	if (!strip_stretch(l, &m->strip, t, &held))
		return false;
	held.open = m->open;
	if (an_without_proc(held.what))
		held.cls = an_class_without_proc(held.what);
	if (!held.what || an_without_proc(held.what)) {
		*ret = held;
		return true;
	}
	const an_p *p = l->ps.at[an_proc_held(held.what)];
	if (!strip_stretch(l, &p->strip, t, &on))
		return false;
	on.from = on.from < held.from ? held.from : on.from;
	on.to = on.to > held.to ? held.to : on.to;
	on.open = m->open && p->open;
	on.proc = p;
	*ret = on;
	return true;
}

static bool stretch_at(const an_lanes *l, wtr_lane lane, uint64_t t, stretch *ret)
{
	uint32_t i;
	const an_strip *s = an_lane_strip(l, lane, &i);
	if (!s)
		return false;
	if (lane.kind == WTR_LANE_THREAD)
		return thread_stretch(l, l->ms.at[i], t, ret);
	if (!strip_stretch(l, s, t, ret))
		return false;
	ret->open = an_lane_open(l, lane.kind, i);
	ret->proc = lane.kind == WTR_LANE_PROC ? l->ps.at[i] : NULL;
	return true;
}

/* ---- what is known about it ---- */

static int64_t p_id(const an_lanes *l, uint32_t p) { return p == AN_NO ? WTR_NONE : l->ps.at[p]->id; }
static int64_t m_id(const an_lanes *l, uint32_t m) { return m == AN_NO ? WTR_NONE : l->ms.at[m]->id; }

/* Who ran on a proc at t. */
static int64_t on_proc(const an_lanes *l, uint32_t p, uint64_t t)
{
	an_place at;
	if (p == AN_NO || !an_strip_find(&l->store, &l->ps.at[p]->strip, t, &at) || !at.what)
		return WTR_NONE;
	return an_g_at(l, an_proc_g(at.what))->id;
}

/* A goroutine that did not run since its stack was last seen still has that stack. */
static uint32_t stack_before(const an_lanes *l, const an_strip *s, uint64_t t)
{
	an_place p;
	for (unsigned i = 0; i < 4 && t > s->first->start; i++, t = p.start) {
		if (!an_strip_find(&l->store, s, t - 1, &p))
			return 0;
		const an_what *w = &l->dict.whats.at[p.what];
		if (w->stack)
			return w->stack;
		if (w->state == WTR_G_RUNNING || w->state == WTR_G_NOTEXIST)
			return 0;
	}
	return 0;
}

static void tell_goroutine(const an_lanes *l, const an_g *g, const stretch *at, wtr_span *ret)
{
	const an_what *w = &l->dict.whats.at[at->what];
	ret->state = w->state;
	ret->reason = text(l, w->reason);
	ret->stack = w->stack ? w->stack : stack_before(l, &g->strip, at->from);
	ret->g = g->id;
	ret->p = p_id(l, w->p);
	ret->m = m_id(l, w->m);
	ret->waker = w->flags & AN_WAKER_RUNS ? on_proc(l, w->waker_p, at->from) : w->g;
	ret->waker_stack = w->waker_stack;
	ret->waker_p = p_id(l, w->waker_p);
}

/* A goroutine on a proc or in a thread: its own lane knows how it got there. */
static void tell_use(const an_lanes *l, uint32_t gi, const stretch *at, wtr_span *ret)
{
	const an_g *g = an_g_at(l, gi);
	an_place p;
	ret->g = g->id;
	ret->state = WTR_P_RUNNING;
	if (!an_strip_find(&l->store, &g->strip, at->from, &p))
		return;
	const an_what *w = &l->dict.whats.at[p.what];
	ret->stack = w->stack ? w->stack : stack_before(l, &g->strip, p.start);
	ret->reason = text(l, w->reason);
	ret->m = m_id(l, w->m);
}

static void tell_range(const an_lanes *l, const stretch *at, wtr_span *ret)
{
	const an_what *w = &l->dict.whats.at[at->what];
	ret->state = WTR_P_RUNNING;
	ret->reason = text(l, w->reason);
	ret->stack = w->stack;
	ret->g = w->g;
	ret->p = p_id(l, w->p);
	ret->m = m_id(l, w->m);
}

static void tell(const an_lanes *l, wtr_lane lane, const stretch *at, wtr_span *ret)
{
	*ret = (wtr_span){
		.start_ns = l->start + (int64_t)at->from,
		.end_ns = l->start + (int64_t)at->to,
		.cls = (uint8_t)at->cls,
		.open_start = at->open && at->from == 0,
		.open_end = at->to == l->store.end,
		.reason = { "", 0 },
		.g = WTR_NONE,
		.p = WTR_NONE,
		.m = WTR_NONE,
		.waker = WTR_NONE,
		.waker_p = WTR_NONE,
	};
	switch (lane.kind) {
	case WTR_LANE_GOROUTINE:
		tell_goroutine(l, an_g_at(l, wb_idmap_get(&l->g_ids, (uint64_t)lane.id)), at, ret);
		break;
	case WTR_LANE_PROC:
		tell_use(l, an_proc_g(at->what), at, ret);
		ret->p = lane.id;
		break;
	case WTR_LANE_THREAD:
		tell_use(l, at->proc ? an_proc_g(at->what) : an_g_without_proc(at->what), at, ret);
		ret->p = at->proc ? at->proc->id : WTR_NONE;
		ret->m = lane.id;
		break;
	default:
		tell_range(l, at, ret);
		break;
	}
}

bool wtr_span_at(const wtr_index *x, wtr_lane lane, int64_t time_ns, wtr_span *ret)
{
	const an_lanes *l = x->lanes;
	stretch at;
	if (!l || time_ns < l->start || !stretch_at(l, lane, (uint64_t)time_ns - (uint64_t)l->start, &at) || !at.cls)
		return false;
	tell(l, lane, &at, ret);
	return true;
}

bool wtr_span_step(const wtr_index *x, wtr_lane lane, int64_t time_ns, int direction, wtr_span *ret)
{
	const an_lanes *l = x->lanes;
	if (!l || l->store.end == 0)
		return false;
	stretch at = { 0 };
	uint64_t t = time_ns < l->start ? 0 : (uint64_t)time_ns - (uint64_t)l->start;
	bool inside = time_ns >= l->start && t < l->store.end;
	if (inside && !stretch_at(l, lane, t, &at))
		return false;
	if (!inside) /* nothing there: everything is after, or before */
		at = time_ns < l->start ? (stretch){ 0 } : (stretch){ .from = l->store.end, .to = l->store.end };
	for (;;) {
		if (direction < 0 ? at.from == 0 : at.to >= l->store.end)
			return false;
		if (!stretch_at(l, lane, direction < 0 ? at.from - 1 : at.to, &at))
			return false;
		if (at.cls) {
			tell(l, lane, &at, ret);
			return true;
		}
	}
}

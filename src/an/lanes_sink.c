/* an/lanes_sink.c - from ordered events to lanes (lanes.h).
 *
 * Goroutine lanes follow the goroutine's own transitions.  Proc lanes show which goroutine holds the proc: that follows
 * from the contexts of the same transitions, and a proc that goes idle holds nobody.  A thread's lane says only which
 * proc it holds, or that it sits in a system call without one.  What was found in a state by a status event was in it
 * since the trace began.  A repeated state (from == to) is nothing new.
 */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "an/classes.h"
#include "an/lanes.h"
#include "an/taken.h"

enum { HOT = 512, QUICK = 512, FRAMES_MAX = 4096 };
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* Kinds of keys of the cache in front of the dictionary. */
enum { KEY_WAIT = 1, KEY_WOKEN, KEY_CREATED, KEY_STOP, KEY_SYSCALL, KEY_RUN };

typedef struct hot {
	uint64_t a, b;  /* b holds the kind of key, so it is never 0 */
	uint32_t what;
} hot;

/* The same for the two commonest kinds of event, which have but two things to tell. */
typedef struct quick {
	uint64_t key;
	uint32_t what;
} quick;

typedef struct sink {
	an_sink   face;
	an_lanes *l;
	an_text_source  from;
	bool      begun;
	uint64_t  now, sync;        /* of the event, of the last Sync */
	uint32_t  stw_depth;
	uint32_t  worker_group;     /* of runtime.gcBgMarkWorker */
	wb_idmap  reason_ids;       /* string id -> text */
	wb_idmap  stack_groups;     /* stack id -> group; stacks that do not tell are not there */
	WB_VEC(uint8_t) reason_cls; /* by text */
	WB_VEC(wtr_frame) frames;
	an_lates  lates;
	quick     waits[QUICK];     /* stack, reason */
	quick     wakes[QUICK];     /* stack, proc */
	hot       hot[HOT];
} sink;

/* ---- texts ---- */

/* The number of a reason in l->texts. */
static bool reason_of(sink *s, uint32_t string, uint32_t *ret)
{
	if (string == 0) {
		*ret = 0;
		return true;
	}
	uint32_t k = wb_idmap_get(&s->reason_ids, string);
	if (k == WB_IDMAP_NONE) {
		wtr_str text = s->from.string(s->from.user, string);
		k = wb_intern_add(&s->l->texts, text.at, text.n);
		if (k == WB_INTERN_NONE)
			return false;
		if (s->reason_cls.n <= k && !wb_vec_add(&s->reason_cls, (uint8_t)an_reason_class(text)))
			return false;
		if (!wb_idmap_set(&s->reason_ids, string, k))
			return false;
	}
	*ret = k;
	return true;
}

/* Into s->frames; too long a stack is none. */
static bool frames_of(sink *s, uint32_t stack)
{
	size_t n = s->from.stack(s->from.user, stack, NULL, 0);
	s->frames.n = 0;
	if (n == 0 || n > FRAMES_MAX)
		return true;
	if (!wb_vec_reserve(&s->frames, n))
		return false;
	s->from.stack(s->from.user, stack, s->frames.at, n);
	s->frames.n = n;
	return true;
}

/* The group of goroutines whose first stack this is; AN_NO for a stack that does not tell. */
static bool group_of(sink *s, uint32_t stack, uint32_t *ret)
{
	an_lanes *l = s->l;
	*ret = wb_idmap_get(&s->stack_groups, stack);
	if (*ret != WB_IDMAP_NONE)
		return true;
	*ret = AN_NO;
	if (!frames_of(s, stack))
		return false;
	wtr_str func = s->frames.n ? s->frames.at[s->frames.n - 1].func : (wtr_str){ "", 0 };
	if (func.n == 0)
		return true;
	uint32_t k = wb_intern_add(&l->names, func.at, func.n);
	if (k == WB_INTERN_NONE)
		return false;
	while (l->groups.n <= k)
		if (!wb_vec_add(&l->groups, (an_group){ .row = AN_NO }))
			return false;
	*ret = k;
	return wb_idmap_set(&s->stack_groups, stack, k);
}

/* ---- things by id ---- */

static bool get_g(sink *s, int64_t id, uint32_t *ret)
{
	an_lanes *l = s->l;
	*ret = wb_idmap_get(&l->g_ids, (uint64_t)id);
	if (__builtin_expect(*ret != WB_IDMAP_NONE, 1))
		return true;
	if (l->n_g >= UINT32_MAX / 8)
		return false;
	if (l->n_g % AN_G_SEGMENT == 0) {
		an_g *segment = wb_new(&l->store.arena, an_g, AN_G_SEGMENT);
		if (!segment || !wb_vec_add(&l->gs, segment))
			return false;
	}
	if (!wb_idmap_set(&l->g_ids, (uint64_t)id, l->n_g))
		return false;
	an_g *g = an_g_at(l, l->n_g);
	g->id = id;
	g->p = AN_NO;
	g->strip.kind = AN_STRIP_DICT;
	*ret = l->n_g++;
	return true;
}

static bool get_p(sink *s, int64_t id, uint32_t *ret)
{
	an_lanes *l = s->l;
	*ret = wb_idmap_get(&l->p_ids, (uint64_t)id);
	if (__builtin_expect(*ret != WB_IDMAP_NONE, 1))
		return true;
	an_p *p = wb_new(&l->store.arena, an_p, 1);
	uint32_t n = (uint32_t)l->ps.n;
	if (!p || n >= UINT32_MAX / 8 || !wb_vec_add(&l->ps, p))
		return false;
	p->id = id;
	p->g = p->m = AN_NO;
	p->g_id = p->m_id = WTR_NONE;
	p->strip.kind = AN_STRIP_PROC;
	*ret = n;
	return wb_idmap_set(&l->p_ids, (uint64_t)id, n);
}

static bool get_m(sink *s, int64_t id, uint32_t *ret)
{
	an_lanes *l = s->l;
	*ret = wb_idmap_get(&l->m_ids, (uint64_t)id);
	if (__builtin_expect(*ret != WB_IDMAP_NONE, 1))
		return true;
	an_m *m = wb_new(&l->store.arena, an_m, 1);
	uint32_t n = (uint32_t)l->ms.n;
	if (!m || n >= UINT32_MAX / 8 || !wb_vec_add(&l->ms, m))
		return false;
	m->id = id;
	m->p = AN_NO;
	m->strip.kind = AN_STRIP_SUMS;
	*ret = n;
	return wb_idmap_set(&l->m_ids, (uint64_t)id, n);
}

/* ---- the dictionary, behind a small cache ---- */

static inline hot *hot_at(sink *s, uint64_t a, uint64_t b)
{
	uint64_t h = (a ^ b * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xbf58476d1ce4e5b9);
	return &s->hot[h >> 32 & (HOT - 1)];
}

static bool remember(sink *s, hot *h, uint64_t a, uint64_t b, const an_what *w, uint32_t *ret)
{
	if (!an_dict_add(&s->l->dict, w, ret))
		return false;
	s->l->store.cls = s->l->dict.cls;
	*h = (hot){ a, b, *ret };
	return true;
}

#define WHAT_EMPTY .g = WTR_NONE, .p = AN_NO, .m = AN_NO, .waker_p = AN_NO

static inline bool what_waiting(sink *s, const wtr_event *e, uint32_t *ret)
{
	uint64_t a = (uint64_t)e->transition_stack << 32 | e->str, b = KEY_WAIT;
	hot *h = hot_at(s, a, b);
	if (__builtin_expect(h->a == a && h->b == b, 1)) {
		*ret = h->what;
		return true;
	}
	an_what w = { WHAT_EMPTY, .stack = e->transition_stack, .state = WTR_G_WAITING };
	if (!reason_of(s, e->str, &w.reason))
		return false;
	w.cls = e->str ? s->reason_cls.at[w.reason] : WTR_CLASS_BLOCKED;
	if (w.cls == WTR_CLASS_LOCK) {
		if (!frames_of(s, e->transition_stack))
			return false;
		w.cls = (uint8_t)an_wait_class(w.cls, an_collects(s->frames.at, s->frames.n));
	}
	return remember(s, h, a, b, &w, ret);
}

/* Who is behind the event: most often the goroutine that runs on the event's proc. */
static bool waker_of(sink *s, const wtr_event *e, uint32_t *ret_p, int64_t *ret_g)
{
	*ret_p = AN_NO;
	*ret_g = e->g;
	if (e->p == WTR_NONE)
		return true;
	if (!get_p(s, e->p, ret_p))
		return false;
	const an_p *p = s->l->ps.at[*ret_p];
	if (e->g != WTR_NONE && p->g != AN_NO && p->g_id == e->g)
		*ret_g = INT64_MIN; /* found in the proc's lane when asked for */
	return true;
}

static bool what_woken(sink *s, const wtr_event *e, wtr_gstate to, bool created, uint32_t *ret)
{
	uint32_t p;
	int64_t g;
	if (!waker_of(s, e, &p, &g))
		return false;
	uint64_t a = (uint64_t)e->stack << 32 | e->transition_stack;
	uint64_t b =
		(uint64_t)p << 32 | (uint64_t)to << 16 | (g == WTR_NONE) << 8 | (created ? KEY_CREATED : KEY_WOKEN);
	hot *h = hot_at(s, a, b);
	bool plain = g == INT64_MIN || g == WTR_NONE;
	if (__builtin_expect(plain && h->a == a && h->b == b, 1)) {
		*ret = h->what;
		return true;
	}
	an_what w = { WHAT_EMPTY, .stack = e->transition_stack, .waker_stack = e->stack, .state = (uint8_t)to };
	w.g = plain ? WTR_NONE : g;
	w.waker_p = p;
	w.flags = AN_BY_OTHER | (g == INT64_MIN ? AN_WAKER_RUNS : 0);
	w.cls = to == WTR_G_RUNNABLE ? WTR_CLASS_RUNNABLE : to == WTR_G_WAITING ? WTR_CLASS_BLOCKED : WTR_CLASS_SYSCALL;
	hot unused;
	return remember(s, plain ? h : &unused, a, b, &w, ret);
}

static inline bool what_stopped(sink *s, const wtr_event *e, uint32_t *ret)
{
	uint64_t a = (uint64_t)e->transition_stack << 32 | e->str, b = KEY_STOP;
	hot *h = hot_at(s, a, b);
	if (__builtin_expect(h->a == a && h->b == b, 1)) {
		*ret = h->what;
		return true;
	}
	an_what w = { WHAT_EMPTY, .stack = e->transition_stack, .state = WTR_G_RUNNABLE, .cls = WTR_CLASS_RUNNABLE };
	return reason_of(s, e->str, &w.reason) && remember(s, h, a, b, &w, ret);
}

/* Running, or in a system call, on proc p (AN_NO) and thread m (AN_NO). */
static inline bool what_executing(
	sink *s, wtr_gstate state, uint8_t cls, uint32_t p, uint32_t m, uint32_t stack, uint32_t *ret)
{
	uint64_t a = (uint64_t)stack << 32 | p,
		 b = (uint64_t)m << 32 | (uint64_t)cls << 8 | (state == WTR_G_RUNNING ? KEY_RUN : KEY_SYSCALL);
	hot *h = hot_at(s, a, b);
	if (__builtin_expect(h->a == a && h->b == b, 1)) {
		*ret = h->what;
		return true;
	}
	an_what w = { WHAT_EMPTY, .stack = stack, .state = (uint8_t)state, .cls = cls };
	w.p = p;
	w.m = m;
	return remember(s, h, a, b, &w, ret);
}

/* ---- marks ---- */

static bool mark(sink *s, wtr_lane_kind kind, uint32_t i, unsigned mark, uint64_t t)
{
	an_lanes *l = s->l;
	uint64_t key = an_mark_key(kind, i);
	uint32_t k = wb_idmap_get(&l->mark_ids, key);
	if (k == WB_IDMAP_NONE) {
		k = (uint32_t)l->marks.n;
		if (!wb_vec_add(&l->marks, (an_marks){ 0 }))
			return false;
		if (!wb_idmap_set(&l->mark_ids, key, k))
			return false;
	}
	an_times *at = &l->marks.at[k].at[mark];
	return wb_vec_add(at, t);
}

/* A point on the lanes of the event's context. */
static bool mark_context(sink *s, const wtr_event *e, unsigned what)
{
	const an_lanes *l = s->l;
	uint64_t t = s->now;
	uint32_t i;
	if (e->g != WTR_NONE && (i = wb_idmap_get(&l->g_ids, (uint64_t)e->g)) != WB_IDMAP_NONE &&
		!mark(s, WTR_LANE_GOROUTINE, i, what, t))
		return false;
	if (e->p != WTR_NONE && (i = wb_idmap_get(&l->p_ids, (uint64_t)e->p)) != WB_IDMAP_NONE &&
		!mark(s, WTR_LANE_PROC, i, what, t))
		return false;
	return e->m == WTR_NONE || (i = wb_idmap_get(&l->m_ids, (uint64_t)e->m)) == WB_IDMAP_NONE ||
	       mark(s, WTR_LANE_THREAD, i, what, t);
}

/* ---- procs and threads ---- */

static inline bool p_push(sink *s, an_p *p, uint64_t t, uint32_t what)
{
	if (p->what == what)
		return true;
	unsigned cls = an_proc_class(p->what);
	if (cls)
		p->sum[cls - 1] += t - p->since;
	p->since = t;
	p->what = what;
	return an_strip_push(&s->l->store, &p->strip, t, what, NULL);
}

/* ns per class of a proc up to t. */
static void p_sum(const an_p *p, uint64_t t, uint64_t *ret)
{
	memcpy(ret, p->sum, sizeof(p->sum));
	unsigned cls = an_proc_class(p->what);
	if (cls)
		ret[cls - 1] += t - p->since;
}

/* Adds what a thread did up to t to the sums of its open block. */
static void m_account(const an_lanes *l, an_m *m, uint64_t t)
{
	if (an_without_proc(m->what)) {
		m->sum[an_class_without_proc(m->what) - 1] += t - m->since;
	} else if (m->what) {
		uint64_t now[AN_CLASSES];
		p_sum(l->ps.at[an_proc_held(m->what)], t, now);
		for (unsigned c = 0; c < AN_CLASSES; c++)
			m->sum[c] += now[c] - m->snap[c];
		memcpy(m->snap, now, sizeof(now));
	}
	m->since = t;
}

static bool m_push(sink *s, an_m *m, uint64_t t, uint32_t what)
{
	if (m->what == what)
		return true;
	m_account(s->l, m, t);
	m->what = what;
	if (what && !an_without_proc(what))
		p_sum(s->l->ps.at[an_proc_held(what)], t, m->snap);
	return an_strip_push(&s->l->store, &m->strip, t, what, m->sum);
}

/* Thread m holds proc p from t on. */
static bool hold(sink *s, uint32_t pi, uint32_t mi, uint64_t t)
{
	an_lanes *l = s->l;
	an_p *p = l->ps.at[pi];
	an_m *m = l->ms.at[mi];
	if (p->m == mi)
		return true;
	if (t == 0 && (an_strip_begun(&p->strip) || an_strip_begun(&m->strip) || m->p != AN_NO || p->m != AN_NO))
		t = s->now; /* one of them was seen before */
	if (p->m != AN_NO) {
		an_m *old = l->ms.at[p->m];
		old->p = AN_NO;
		if (!m_push(s, old, t, 0))
			return false;
	}
	if (m->p != AN_NO) {
		l->ps.at[m->p]->m = AN_NO;
		l->ps.at[m->p]->m_id = WTR_NONE;
	}
	p->m = mi;
	p->m_id = m->id;
	p->run[0] = p->run[1] = 0;
	m->p = pi;
	if (t == 0)
		m->open = true;
	return m_push(s, m, t, an_holds(pi));
}

/* The goroutine leaves its proc. */
static inline bool leave_proc(sink *s, an_g *g, uint64_t t)
{
	if (g->p == AN_NO)
		return true;
	an_p *p = s->l->ps.at[g->p];
	g->p = AN_NO;
	p->g = AN_NO;
	return p_push(s, p, t, 0);
}

static inline bool take_proc(sink *s, an_g *g, uint32_t gi, uint32_t pi, unsigned on, uint64_t t)
{
	an_lanes *l = s->l;
	an_p *p = l->ps.at[pi];
	if (p->g != gi) {
		if (p->g != AN_NO)
			an_g_at(l, p->g)->p = AN_NO;
		if (g->p != AN_NO && g->p != pi && !leave_proc(s, g, t))
			return false;
		p->g = gi;
		p->g_id = g->id;
		g->p = pi;
	}
	if (!p_push(s, p, t, an_proc_what(gi, on)))
		return false;
	if (t < s->now && p->m != AN_NO) /* it ran before it was seen; its thread may have come to it later */
		p_sum(p, l->ms.at[p->m]->since, l->ms.at[p->m]->snap);
	return true;
}

/* A thread that showed what g does without a proc does so no more. */
static bool left_thread(sink *s, an_g *g, uint32_t gi, int64_t m_id, uint64_t t)
{
	uint32_t was = g->flags & AN_G_TAKEN ? an_goes_on(gi) : an_blocked_in(gi);
	uint32_t mi = m_id == WTR_NONE ? WB_IDMAP_NONE : wb_idmap_get(&s->l->m_ids, (uint64_t)m_id);
	g->flags &= (uint8_t)~AN_G_TAKEN;
	if (mi == WB_IDMAP_NONE || s->l->ms.at[mi]->what != was)
		return true;
	return m_push(s, s->l->ms.at[mi], t, 0);
}

/* What the thread of a proc shows that has lost it while g was there. */
static uint32_t without_proc(const an_g *g, uint32_t gi)
{
	return !g ? 0 : g->flags & AN_G_TAKEN ? an_goes_on(gi) : g->state == WTR_G_SYSCALL ? an_blocked_in(gi) : 0;
}

static bool on_proc(sink *s, const wtr_event *e)
{
	an_lanes *l = s->l;
	wtr_pstate from = (wtr_pstate)wtr_from(e), to = (wtr_pstate)wtr_to(e);
	uint32_t pi, mi;
	if (!get_p(s, e->id, &pi))
		return false;
	if (from == to)
		return true;
	an_p *p = l->ps.at[pi];
	uint64_t t = s->now;
	if (to == WTR_P_RUNNING) {
		if (e->m == WTR_NONE)
			return true;
		if (!get_m(s, e->m, &mi))
			return false;
		return hold(s, pi, mi, from == WTR_P_UNDETERMINED ? 0 : t);
	}
	an_g *g = p->g == AN_NO ? NULL : an_g_at(l, p->g);
	if (p->m != AN_NO) {
		an_m *m = l->ms.at[p->m];
		m->p = AN_NO;
		if (!m_push(s, m, t, without_proc(g, p->g)))
			return false;
		p->m = AN_NO;
		p->m_id = WTR_NONE;
	}
	return !g || leave_proc(s, g, t);
}

/* ---- goroutines ---- */

static bool late(sink *s, uint32_t gi, uint64_t from, uint64_t to, uint32_t *list, int times)
{
	if (!wb_vec_add(&s->lates, (an_late){ from, to, gi, *list, times }))
		return false;
	*list = (uint32_t)s->lates.n;
	return true;
}

/* Tells goroutines by their first stack: which group, and whether it works for the collector. */
static bool name(sink *s, an_g *g, uint32_t gi, uint32_t stack, uint64_t t)
{
	uint32_t group;
	if (!group_of(s, stack, &group))
		return false;
	if (group == AN_NO)
		return true;
	an_lanes *l = s->l;
	if (an_strip_begun(&g->strip) && group != g->group) { /* what it did so far was counted among the nameless */
		if (!late(s, gi, 0, t, &l->groups.at[g->group].fixes, -1) ||
			!late(s, gi, 0, t, &l->groups.at[group].fixes, 1))
			return false;
		/* from now on here: as if it had come now */
		if (!an_census_move(&l->groups.at[g->group].census, t, g->cls, 0) ||
			!an_census_move(&l->groups.at[group].census, t, 0, g->cls))
			return false;
	}
	g->group = group;
	g->flags |= AN_G_NAMED;
	if (group == s->worker_group)
		g->flags |= AN_G_WORKER;
	return true;
}

static ALWAYS_INLINE bool g_push(sink *s, an_g *g, uint64_t t, uint32_t what)
{
	an_lanes *l = s->l;
	unsigned cls = l->store.cls[what], was = g->cls;
	g->cls = (uint8_t)cls;
	return an_strip_push(&l->store, &g->strip, t, what, NULL) &&
	       an_census_move(&l->groups.at[g->group].census, t, was, cls);
}

/* Found in a state: it has been there since the trace began. */
static bool g_found(sink *s, an_g *g, uint32_t gi, const wtr_event *e, uint32_t what)
{
	an_lanes *l = s->l;
	unsigned cls = l->store.cls[what];
	uint64_t t = s->now;
	g->cls = (uint8_t)cls;
	g->flags |= AN_G_OPEN;
	an_found_g found = { .sync = s->sync < t ? s->sync : t, .known = t, .stack = e->stack };
	if (!wb_idmap_set(&l->found_of, gi, (uint32_t)l->founds.n) || !wb_vec_add(&l->founds, found))
		return false;
	return an_strip_push(&l->store, &g->strip, 0, what, NULL) &&
	       an_census_move(&l->groups.at[g->group].census, t, 0, cls) &&
	       late(s, gi, 0, t, &l->groups.at[g->group].fixes, 1);
}

static bool assist_over(sink *s, an_g *g, uint32_t gi)
{
	if (!(g->flags & AN_G_ASSIST))
		return true;
	g->flags &= (uint8_t)~AN_G_ASSIST;
	return mark(s, WTR_LANE_GOROUTINE, gi, AN_MARK_ASSIST, s->now);
}

static inline bool to_running(sink *s, an_g *g, uint32_t gi, const wtr_event *e, uint64_t t, uint32_t *ret)
{
	an_lanes *l = s->l;
	bool worker = g->flags & AN_G_WORKER;
	uint32_t pi = AN_NO, mi = AN_NO;
	if (e->p != WTR_NONE) {
		if (!get_p(s, e->p, &pi))
			return false;
		an_p *p = l->ps.at[pi];
		if (__builtin_expect(p->m_id == e->m && p->m != AN_NO, 1))
			mi = p->m;
		else if (e->m != WTR_NONE && (!get_m(s, e->m, &mi) || !hold(s, pi, mi, t)))
			return false;
		uint64_t since = t == 0 && an_strip_begun(&p->strip)
					 ? s->now
					 : t; /* found running, but the proc was seen before */
		if (since == 0)
			p->open = true;
		if (!take_proc(s, g, gi, pi, worker ? AN_ON_GC : AN_ON_RUNNING, since))
			return false;
	} else if (e->m != WTR_NONE && !get_m(s, e->m, &mi)) {
		return false;
	}
	return what_executing(s, WTR_G_RUNNING, worker ? WTR_CLASS_GC : WTR_CLASS_RUNNING, pi, mi, 0, ret);
}

/* A thread without a proc, from t on; 0: it was found so. */
static bool thread_shows(sink *s, uint32_t mi, uint32_t what, uint64_t t)
{
	an_m *m = s->l->ms.at[mi];
	uint64_t since = t == 0 && an_strip_begun(&m->strip) ? s->now : t;
	if (since == 0)
		m->open = true;
	return m_push(s, m, since, what);
}

static bool to_syscall(sink *s, an_g *g, uint32_t gi, const wtr_event *e, uint64_t t, uint32_t *ret)
{
	an_lanes *l = s->l;
	uint32_t pi = g->p, mi = AN_NO;
	if (e->m != WTR_NONE && !get_m(s, e->m, &mi))
		return false;
	if (pi == AN_NO && wtr_from(e) == WTR_G_UNDETERMINED && e->p != WTR_NONE) {
		/* The status of another thread's system call comes in the context of the thread that wrote it, proc
		 * included. */
		if (!get_p(s, e->p, &pi))
			return false;
		if (l->ps.at[pi]->g != AN_NO || l->ps.at[pi]->m_id != e->m)
			pi = AN_NO;
	}
	if (pi != AN_NO) {
		an_p *p = l->ps.at[pi];
		uint64_t since = t == 0 && an_strip_begun(&p->strip) ? s->now : t;
		if (since == 0)
			p->open = true;
		if (!take_proc(s, g, gi, pi, AN_ON_SYSCALL, since))
			return false;
	} else if (mi != AN_NO && l->ms.at[mi]->p == AN_NO) {
		if (!thread_shows(s, mi, an_blocked_in(gi), t))
			return false;
	}
	if (wtr_from(e) == WTR_G_NOTEXIST)
		return what_woken(s, e, WTR_G_SYSCALL, true, ret);
	return what_executing(s, WTR_G_SYSCALL, WTR_CLASS_SYSCALL, pi, mi, e->transition_stack, ret);
}

/* Found running on a thread, whose proc was taken or is about to be. */
static bool found_taken(sink *s, an_g *g, uint32_t gi, uint32_t mi, uint64_t t)
{
	uint32_t pi = s->l->ms.at[mi]->p;
	if (pi == AN_NO)
		return thread_shows(s, mi, an_goes_on(gi), t);
	return s->l->ps.at[pi]->g != AN_NO || take_proc(s, g, gi, pi, AN_ON_RUNNING, s->now);
}

/* It goes on running, on its thread, without a proc. */
static bool to_taken(sink *s, an_g *g, uint32_t gi, const wtr_event *e, uint64_t t, uint32_t *ret)
{
	static const char text[] = "proc taken";
	an_what w = { WHAT_EMPTY, .state = WTR_G_RUNNING, .cls = WTR_CLASS_RUNNING };
	if (e->m != WTR_NONE && !get_m(s, e->m, &w.m))
		return false;
	if (wtr_from(e) == WTR_G_UNDETERMINED && e->m != WTR_NONE && !found_taken(s, g, gi, w.m, t))
		return false;
	w.reason = wb_intern_add(&s->l->texts, text, sizeof(text) - 1);
	if (w.reason == WB_INTERN_NONE)
		return false;
	if (s->reason_cls.n <= w.reason && !wb_vec_add(&s->reason_cls, (uint8_t)WTR_CLASS_BLOCKED))
		return false;
	g->flags |= AN_G_TAKEN; /* the thread shows it when the proc goes, which is the next event */
	hot unused;
	return remember(s, &unused, 0, 0, &w, ret);
}

/* ---- the three commonest transitions, where nothing is unusual ----
 *
 * They do what change_state() below does, for known goroutines on procs held by known threads. */

static ALWAYS_INLINE quick *quick_at(quick *table, uint64_t key)
{
	return &table[key * UINT64_C(0x9e3779b97f4a7c15) >> 55];
}

static ALWAYS_INLINE bool p_push_known(sink *s, an_p *p, uint64_t t, uint32_t what)
{
	p->since = t;
	p->what = what;
	return an_strip_push(&s->l->store, &p->strip, t, what, NULL);
}

static ALWAYS_INLINE an_p *known_p(const sink *s, int64_t id, uint32_t *ret)
{
	*ret = wb_idmap_get(&s->l->p_ids, (uint64_t)id);
	return *ret == WB_IDMAP_NONE ? NULL : s->l->ps.at[*ret];
}

/* GoStart on a proc that has nobody. */
static ALWAYS_INLINE bool start(sink *s, an_g *g, uint32_t gi, an_p *p, uint32_t pi, uint64_t t)
{
	unsigned worker = (g->flags & AN_G_WORKER) != 0;
	uint32_t *run = &p->run[worker];
	if (__builtin_expect(*run == 0, 0)
	    && !what_executing(s, WTR_G_RUNNING, worker ? WTR_CLASS_GC : WTR_CLASS_RUNNING, pi, p->m, 0, run))
		return false;
	p->g = gi;
	p->g_id = g->id;
	g->p = pi;
	g->state = WTR_G_RUNNING;
	return p_push_known(s, p, t, an_proc_what(gi, worker ? AN_ON_GC : AN_ON_RUNNING)) && g_push(s, g, t, *run);
}

/* GoBlock. */
static ALWAYS_INLINE bool stop(sink *s, an_g *g, const wtr_event *e, uint64_t t)
{
	uint64_t key = (uint64_t)e->transition_stack << 32 | e->str;
	quick *q = quick_at(s->waits, key);
	if (__builtin_expect(q->key != key, 0)) {
		if (!what_waiting(s, e, &q->what))
			return false;
		q->key = key;
	}
	an_p *p = s->l->ps.at[g->p];
	p->sum[an_proc_class(p->what) - 1] += t - p->since;
	p->g = AN_NO;
	g->p = AN_NO;
	g->state = WTR_G_WAITING;
	return p_push_known(s, p, t, 0) && g_push(s, g, t, q->what);
}

/* GoUnblock by the goroutine that runs on the proc. */
static ALWAYS_INLINE bool wake(sink *s, an_g *g, const wtr_event *e, uint64_t t)
{
	uint64_t key = (uint64_t)e->stack << 32 | (uint32_t)e->p;
	quick *q = quick_at(s->wakes, key);
	if (__builtin_expect(q->key != key, 0)) {
		if (!what_woken(s, e, WTR_G_RUNNABLE, false, &q->what))
			return false;
		q->key = key;
	}
	g->state = WTR_G_RUNNABLE;
	return g_push(s, g, t, q->what);
}

static bool change_state(sink *s, const wtr_event *e);

/* Kind, resource and states of an event in one number. */
#define SHAPE(from, to)                                                  \
	(WTR_KIND_STATE_TRANSITION | (uint32_t)WTR_RES_GOROUTINE << 16 | \
		(uint32_t)(WTR_G_##from << 4 | WTR_G_##to) << 24)

static ALWAYS_INLINE uint32_t shape_of(const wtr_event *e)
{
	uint32_t v;
	static_assert(offsetof(wtr_event, detail) == offsetof(wtr_event, kind) + 3 &&
			      offsetof(wtr_event, resource) == offsetof(wtr_event, kind) + 2,
		"shape_of");
	memcpy(&v, &e->kind, sizeof(v));
	return v & 0xffff00ffu; /* without the wire type */
}

static bool on_event(sink *s, const wtr_event *e);

static ALWAYS_INLINE bool on_common(sink *s, const wtr_event *e)
{
	uint32_t shape = shape_of(e), gi, pi;
	if (shape != SHAPE(RUNNABLE, RUNNING) && shape != SHAPE(RUNNING, WAITING) && shape != SHAPE(WAITING, RUNNABLE))
		return on_event(s, e);
	gi = wb_idmap_get(&s->l->g_ids, (uint64_t)e->id);
	if (__builtin_expect(gi == WB_IDMAP_NONE, 0))
		return change_state(s, e);
	an_g *g = an_g_at(s->l, gi);
	an_p *p;
	if (__builtin_expect(g->state != e->detail >> 4 || (e->transition_stack && !(g->flags & AN_G_NAMED)), 0))
		return change_state(s, e);
	if (shape == SHAPE(RUNNABLE, RUNNING)) {
		if (g->p == AN_NO && (p = known_p(s, e->p, &pi)) != NULL && p->g == AN_NO && p->what == 0 &&
			p->m != AN_NO && p->m_id == e->m)
			return start(s, g, gi, p, pi, s->now);
	} else if (shape == SHAPE(RUNNING, WAITING)) {
		if (g->p != AN_NO)
			return stop(s, g, e, s->now);
	} else if (e->transition_stack == 0 && (uint64_t)e->p <= INT32_MAX && (p = known_p(s, e->p, &pi)) != NULL &&
		   p->g != AN_NO && p->g_id == e->g) {
		return wake(s, g, e, s->now);
	}
	return change_state(s, e);
}

static bool change_state(sink *s, const wtr_event *e)
{
	wtr_gstate from = wtr_from(e), to = wtr_to(e);
	uint32_t gi, what = 0;
	if (!get_g(s, e->id, &gi))
		return false;
	if (from == to)
		return true;
	an_g *g = an_g_at(s->l, gi);
	bool found = from == WTR_G_UNDETERMINED && !an_strip_begun(&g->strip);
	s->l->again |= an_strip_begun(&g->strip) ? g->state == WTR_G_NOTEXIST || from == WTR_G_UNDETERMINED
						 : from != WTR_G_NOTEXIST && from != WTR_G_UNDETERMINED;
	uint64_t t = found ? 0 : s->now;
	if (from == WTR_G_NOTEXIST && e->transition_stack)
		g->flags &= (uint8_t)~(AN_G_NAMED | AN_G_WORKER);
	if (e->transition_stack && __builtin_expect(!(g->flags & AN_G_NAMED), 0)) {
		if (from == WTR_G_NOTEXIST && g->cls == 0) {
			uint32_t group; /* a new life is counted where it belongs from its beginning */
			if (!group_of(s, e->transition_stack, &group))
				return false;
			if (group != AN_NO) {
				g->group = group;
				g->flags |= AN_G_NAMED | (group == s->worker_group ? AN_G_WORKER : 0);
			}
		} else if (!name(s, g, gi, e->transition_stack, s->now)) {
			return false;
		}
	}
	bool executes = to == WTR_G_RUNNING || to == WTR_G_SYSCALL, ok;
	if (!executes && !leave_proc(s, g, t))
		return false;
	if ((g->state == WTR_G_SYSCALL || g->flags & AN_G_TAKEN) && !left_thread(s, g, gi, e->m, t))
		return false;
	switch (to) {
	case WTR_G_RUNNING:
		ok = to_running(s, g, gi, e, t, &what);
		break;
	case WTR_G_SYSCALL:
		to = an_to(e);
		ok = e->wait == WTR_PROC_TAKEN ? to_taken(s, g, gi, e, t, &what) : to_syscall(s, g, gi, e, t, &what);
		break;
	case WTR_G_WAITING:
		ok = from == WTR_G_NOTEXIST ? what_woken(s, e, to, true, &what) : what_waiting(s, e, &what);
		break;
	case WTR_G_RUNNABLE:
		ok = from == WTR_G_NOTEXIST  ? what_woken(s, e, to, true, &what)
		     : from == WTR_G_WAITING ? what_woken(s, e, to, false, &what)
					     : what_stopped(s, e, &what);
		break;
	case WTR_G_NOTEXIST:
		ok = assist_over(s, g, gi);
		break;
	default:
		ok = true; /* a status that says nothing */
		break;
	}
	if (!ok)
		return false;
	g->state = (uint8_t)to;
	return found ? g_found(s, g, gi, e, what) : g_push(s, g, t, what);
}

/* A collector's worker tells what it is right after it started to run. */
static bool on_label(sink *s, const wtr_event *e)
{
	an_lanes *l = s->l;
	uint32_t gi = wb_idmap_get(&l->g_ids, (uint64_t)e->id);
	if (gi == WB_IDMAP_NONE)
		return true;
	an_g *g = an_g_at(l, gi);
	wtr_str text;
	if (g->flags & AN_G_WORKER || (text = s->from.string(s->from.user, e->str)).n < 4 ||
		memcmp(text.at, "GC (", 4) != 0)
		return true;
	g->flags |= AN_G_WORKER;
	if (g->state != WTR_G_RUNNING)
		return true;
	uint32_t what, m = g->p == AN_NO ? AN_NO : l->ps.at[g->p]->m;
	if (g->p != AN_NO && !p_push(s, l->ps.at[g->p], s->now, an_proc_what(gi, AN_ON_GC)))
		return false;
	return what_executing(s, WTR_G_RUNNING, WTR_CLASS_GC, g->p, m, 0, &what) && g_push(s, g, s->now, what);
}

/* ---- ranges ---- */

/* The GC or STW lane: something of this goroutine begins. */
static bool range_begins(sink *s, an_strip *strip, const wtr_event *e, uint64_t t)
{
	an_what w = { WHAT_EMPTY, .stack = e->stack, .state = WTR_P_RUNNING, .cls = WTR_CLASS_GC };
	w.g = e->g;
	uint32_t what;
	if (!reason_of(s, e->str, &w.reason) || (e->p != WTR_NONE && !get_p(s, e->p, &w.p)) ||
		(e->m != WTR_NONE && !get_m(s, e->m, &w.m)))
		return false;
	if (!an_dict_add(&s->l->dict, &w, &what))
		return false;
	s->l->store.cls = s->l->dict.cls;
	return an_strip_push(&s->l->store, strip, t, what, NULL);
}

static bool on_gc(sink *s, const wtr_event *e)
{
	an_lanes *l = s->l;
	bool begins = e->kind != WTR_KIND_RANGE_END;
	if (begins == l->gc_on)
		return true; /* active again */
	l->gc_on = begins;
	if (!begins)
		return an_strip_push(&l->store, &l->gc, s->now, 0, NULL);
	bool found = e->kind == WTR_KIND_RANGE_ACTIVE && !an_strip_begun(&l->gc);
	l->gc_open |= found;
	return range_begins(s, &l->gc, e, found ? 0 : s->now);
}

static bool on_stw(sink *s, const wtr_event *e)
{
	an_lanes *l = s->l;
	if (e->kind == WTR_KIND_RANGE_END) {
		if (s->stw_depth == 0 || --s->stw_depth > 0)
			return true;
		return mark_context(s, e, AN_MARK_STW) && an_strip_push(&l->store, &l->stw, s->now, 0, NULL);
	}
	return s->stw_depth++ > 0 || (mark_context(s, e, AN_MARK_STW) && range_begins(s, &l->stw, e, s->now));
}

static bool on_assist(sink *s, const wtr_event *e)
{
	uint32_t gi = wb_idmap_get(&s->l->g_ids, (uint64_t)e->id);
	if (gi == WB_IDMAP_NONE)
		return true;
	an_g *g = an_g_at(s->l, gi);
	if (e->kind == WTR_KIND_RANGE_END)
		return assist_over(s, g, gi);
	if (g->flags & AN_G_ASSIST)
		return true;
	g->flags |= AN_G_ASSIST;
	if (e->kind == WTR_KIND_RANGE_BEGIN) { /* a point on the proc and the thread, an interval on the goroutine */
		wtr_event there = *e;
		there.g = WTR_NONE;
		if (!mark_context(s, &there, AN_MARK_ASSIST))
			return false;
	}
	return mark(s, WTR_LANE_GOROUTINE, gi, AN_MARK_ASSIST, e->kind == WTR_KIND_RANGE_ACTIVE ? 0 : s->now);
}

static bool on_range(sink *s, const wtr_event *e)
{
	switch (e->detail) {
	case WTR_RANGE_STW:
		return on_stw(s, e);
	case WTR_RANGE_GC_MARK:
		return on_gc(s, e);
	case WTR_RANGE_MARK_ASSIST:
		return on_assist(s, e);
	default:
		return true;
	}
}

/* ---- the face ---- */

static bool on_event(sink *s, const wtr_event *e)
{
	switch (e->kind) {
	case WTR_KIND_STATE_TRANSITION:
		if (e->resource == WTR_RES_GOROUTINE)
			return change_state(s, e);
		return e->resource != WTR_RES_PROC || on_proc(s, e);
	case WTR_KIND_RANGE_BEGIN:
	case WTR_KIND_RANGE_ACTIVE:
	case WTR_KIND_RANGE_END:
		return on_range(s, e);
	case WTR_KIND_SYNC:
		s->sync = s->now;
		return true;
	case WTR_KIND_LABEL:
		return on_label(s, e);
	case WTR_KIND_LOG:
		return mark_context(s, e, AN_MARK_LOG);
	case WTR_KIND_STACK_SAMPLE:
		return mark_context(s, e, AN_MARK_SAMPLE);
	default:
		return true;
	}
}

static bool sink_events(an_sink *face, const wtr_event *ev, size_t n)
{
	sink *s = (sink *)face;
	if (n && !s->begun) {
		s->begun = true;
		s->l->start = ev[0].time_ns;
	}
	for (size_t i = 0; i < n; i++) {
		s->now = (uint64_t)ev[i].time_ns - (uint64_t)s->l->start;
		if (!on_common(s, &ev[i]))
			return false;
	}
	return true;
}

static bool sink_finish(an_sink *face, wtr_index *x)
{
	sink *s = (sink *)face;
	an_lanes *l = s->l;
	for (size_t i = 0; i < l->ms.n; i++)
		m_account(l, l->ms.at[i], s->now);
	if (!an_lanes_finish(l, x, s->now, &s->lates))
		return false;
	x->lanes = l;
	s->l = NULL;
	return true;
}

static void sink_free(an_sink *face)
{
	sink *s = (sink *)face;
	an_lanes_free(s->l);
	wb_idmap_free(&s->reason_ids);
	wb_idmap_free(&s->stack_groups);
	wb_vec_free(&s->reason_cls);
	wb_vec_free(&s->frames);
	wb_vec_free(&s->lates);
	wb_free(s);
}

an_lanes *an_sink_lanes(an_sink *face)
{
	return ((sink *)face)->l;
}

/* Numbers that are known beforehand: nothing, the empty reason, the nameless group and that of the collector's
 * workers. */
static bool prepare(sink *s)
{
	an_lanes *l = s->l;
	s->sync = UINT64_MAX;
	static const char worker[] = "runtime.gcBgMarkWorker";
	an_what waiting = { WHAT_EMPTY, .state = WTR_G_WAITING, .cls = WTR_CLASS_BLOCKED };
	uint32_t number;
	if (!an_dict_add(&l->dict, &waiting, &number) || wb_intern_add(&l->texts, "", 0) == WB_INTERN_NONE ||
		!wb_vec_add(&s->reason_cls, WTR_CLASS_BLOCKED))
		return false;
	l->store.cls = l->dict.cls;
	if (wb_intern_add(&l->names, "", 0) == WB_INTERN_NONE)
		return false;
	s->worker_group = wb_intern_add(&l->names, worker, sizeof(worker) - 1);
	while (l->groups.n <= 1)
		if (!wb_vec_add(&l->groups, (an_group){ .row = AN_NO }))
			return false;
	return s->worker_group != WB_INTERN_NONE;
}

an_sink *an_lanes_sink_from(an_text_source texts)
{
	sink *s = wb_calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->face = (an_sink){ .events = sink_events, .finish = sink_finish, .free = sink_free };
	s->from = texts;
	for (unsigned i = 0; i < QUICK; i++)
		s->waits[i].key = s->wakes[i].key = UINT64_MAX;
	s->l = wb_calloc(1, sizeof(*s->l));
	if (!s->l || !prepare(s)) {
		sink_free(&s->face);
		return NULL;
	}
	return &s->face;
}

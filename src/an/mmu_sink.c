/* an/mmu_sink.c - utilization curves from a pass over the events.
 *
 * Go's rules (internal/trace/gc.go), but two: a mark worker counts as long as it runs (Go never stops counting one, and
 * counts it again each time it starts), and the end of a curve is always there (Go's ends early when it ends at 0).
 * With as_go they are Go's, for comparing.
 */
#include <string.h>

#include "an/index.h"
#include "an/mmu.h"
#include "an/where.h"
#include "base/idmap.h"
#include "read/source.h"
#include "read/trace.h"

/* Far beyond what Go has; a hostile trace gets no further. */
enum { PROCS_MAX = 1024, SERIES_MAX = 1 << 16 };

/* Which proc an event touched. */
enum { NO_PROC = -1, ALL_PROCS = -2 };

/* Of a goroutine, in its entry of the map. */
enum { ASSISTS = 1, WORKS = 2, RUNS = 4 };

typedef struct proc {
	int gc; /* how often something for the collector is going on here; Go's can go below 0 */
	int by[WTR_GC_CAUSES];
	uint32_t series;
} proc;

typedef struct procs_at {
	int64_t t;
	size_t n;
} procs_at;

typedef struct sink {
	an_sink face;
	wtr_trace *trace;
	wtr_mmu_query q;
	int64_t limit_ns;
	wtr_mmu *m;
	WB_VEC(proc) ps;
	WB_VEC(procs_at) counts;
	wb_idmap gs;    /* goroutine -> flags */
	wb_idmap kinds; /* string id of a stop-the-world -> 1 for the collector, 0 not */
	int stw;
	int64_t sync_n, sync_ns, now_ns;
	size_t lost[WTR_GC_CAUSES]; /* procs, the world not being stopped */
	int64_t touched;            /* a proc, NO_PROC, ALL_PROCS: where there may be a point to write */
	bool oom, limit;
} sink;

/* ---- points ---- */

/* Go's addUtil: nothing when nothing changes; of two at a time the lower one. */
static void add_point(sink *s, uint32_t series, const an_upoint *p)
{
	an_useries *u = &s->m->series.at[series];
	an_upoint *last = u->points.n ? &u->points.at[u->points.n - 1] : NULL;
	if (last && p->util == last->util && (s->q.as_go || memcmp(p->lost, last->lost, sizeof(p->lost)) == 0))
		return;
	if (last && p->t == last->t) {
		if (p->util < last->util)
			*last = *p;
		return;
	}
	s->oom |= !wb_vec_add(&u->points, *p);
}

/* What a proc is lost to while the world is not stopped: of several things, the first. */
static unsigned cause_of(const proc *p)
{
	static const uint8_t order[] = { WTR_GC_ASSIST, WTR_GC_BACKGROUND, WTR_GC_SWEEP };
	for (size_t i = 0; i < sizeof(order); i++)
		if (p->by[order[i]] > 0)
			return order[i];
	return WTR_GC_BACKGROUND;
}

static void look_at_system(sink *s)
{
	an_upoint p = { .t = s->now_ns };
	size_t all = 0;
	for (unsigned c = 0; c < WTR_GC_CAUSES; c++) {
		size_t n = s->stw > 0 ? (c == WTR_GC_STW ? s->ps.n : 0) : s->lost[c];
		p.lost[c] = (double)n / (double)s->ps.n;
		all += n;
	}
	p.util = 1 - (double)all / (double)s->ps.n;
	add_point(s, 0, &p);
}

static void look_at_proc(sink *s, const proc *p)
{
	an_upoint u = { .t = s->now_ns, .util = 1 };
	if (s->stw > 0 || p->gc > 0) {
		u.util = 0;
		u.lost[s->stw > 0 ? WTR_GC_STW : cause_of(p)] = 1;
	}
	add_point(s, p->series, &u);
}

/* Writes down what has changed. */
static void look(sink *s)
{
	if (s->touched == NO_PROC)
		return;
	if (!s->q.per_goroutine)
		look_at_system(s);
	else if (s->touched >= 0)
		look_at_proc(s, &s->ps.at[s->touched]);
	else
		for (size_t i = 0; i < s->ps.n; i++)
			look_at_proc(s, &s->ps.at[i]);
	s->touched = NO_PROC;
}

/* Counts a proc among the lost ones, or (by -1) no more. */
static void count_lost(sink *s, const proc *p, int by)
{
	if (p->gc > 0)
		s->lost[cause_of(p)] += (size_t)by;
}

/* ---- procs ---- */

static void begin_series(sink *s)
{
	proc p = { .series = 0 };
	if (s->q.per_goroutine || s->m->series.n == 0) {
		p.series = (uint32_t)s->m->series.n;
		s->limit |= p.series >= SERIES_MAX;
		if (!wb_vec_add(&s->m->series, (an_useries){ .end = s->now_ns })) {
			s->oom = true;
			return;
		}
		add_point(s, p.series, &(an_upoint){ .t = s->now_ns, .util = 1 });
	}
	s->oom |= !wb_vec_add(&s->ps, p);
}

static void procs_change(sink *s, uint64_t value)
{
	size_t n = value < PROCS_MAX ? (size_t)value : PROCS_MAX;
	for (size_t i = n; i < s->ps.n; i++) {
		count_lost(s, &s->ps.at[i], -1);
		if (!s->q.per_goroutine)
			continue;
		add_point(s, s->ps.at[i].series, &(an_upoint){ .t = s->now_ns });
		s->m->series.at[s->ps.at[i].series].end = s->now_ns;
	}
	s->ps.n = n < s->ps.n ? n : s->ps.n;
	s->touched = ALL_PROCS;
	while (s->ps.n < n && !s->oom && !s->limit)
		begin_series(s);
	if (s->counts.n == 0 || s->counts.at[s->counts.n - 1].n != n)
		s->oom |= !wb_vec_add(&s->counts, (procs_at){ s->now_ns, n });
}

static void count(sink *s, int64_t p, wtr_gc_cause cause, int by)
{
	if (p < 0 || (uint64_t)p >= s->ps.n) /* Go's tool crashes here */
		return;
	count_lost(s, &s->ps.at[p], -1);
	s->ps.at[p].gc += by;
	s->ps.at[p].by[cause] += by;
	count_lost(s, &s->ps.at[p], 1);
	if (s->touched != ALL_PROCS)
		s->touched = p;
}

/* ---- ranges ---- */

static uint32_t flags_of(const sink *s, int64_t g)
{
	uint32_t f = wb_idmap_get(&s->gs, (uint64_t)g);
	return f == WB_IDMAP_NONE ? 0 : f;
}

static void set_flags(sink *s, int64_t g, uint32_t f)
{
	if (g != WTR_NONE)
		s->oom |= !wb_idmap_set(&s->gs, (uint64_t)g, f);
}

static bool asked(const sink *s, wtr_gc_cause c)
{
	return s->q.causes >> c & 1;
}

/* Whether the world is stopped for the collector.  The end may come in a later generation, when the text is gone. */
static bool for_gc(sink *s, const wtr_event *e)
{
	uint32_t known = wb_idmap_get(&s->kinds, e->str);
	if (known != WB_IDMAP_NONE)
		return known;
	wtr_str kind = wtr_string(s->trace, e->str);
	bool yes = memmem(kind.at, kind.n, "GC", 2) != NULL;
	s->oom |= !wb_idmap_set(&s->kinds, e->str, yes);
	return yes;
}

/* A range that was there before the trace: its part of a proc was lost in all that is written down already. */
static void fix_up(sink *s, wtr_gc_cause cause)
{
	if (s->q.per_goroutine || s->m->series.n == 0)
		return;
	an_useries *u = &s->m->series.at[0];
	size_t k = 0;
	for (size_t i = 0; i < u->points.n; i++) {
		an_upoint *p = &u->points.at[i];
		while (k + 1 < s->counts.n && s->counts.at[k + 1].t < p->t)
			k++;
		double part = 1 / (double)s->counts.at[k].n;
		part = part < p->util ? part : p->util;
		p->util -= part;
		p->lost[cause] += part;
	}
}

/* Whether the filter is about whoever assists or sweeps.  A sweep ends where it has begun to count. */
static bool is_mine(sink *s, const wtr_event *e)
{
	if (!s->q.where)
		return true;
	if (e->detail == WTR_RANGE_SWEEP && e->kind == WTR_KIND_RANGE_END)
		return e->p >= 0 && (uint64_t)e->p < s->ps.n && s->ps.at[e->p].by[WTR_GC_SWEEP] > 0;
	return an_where_id(s->q.where, e->detail == WTR_RANGE_SWEEP ? e->g : e->id);
}

static void range(sink *s, const wtr_event *e)
{
	bool begins = e->kind != WTR_KIND_RANGE_END, active = e->kind == WTR_KIND_RANGE_ACTIVE;
	bool assist = e->detail == WTR_RANGE_MARK_ASSIST && asked(s, WTR_GC_ASSIST);
	bool sweep = e->detail == WTR_RANGE_SWEEP && asked(s, WTR_GC_SWEEP);
	if (active && s->sync_n > 1)
		return; /* nothing new */
	if ((assist || sweep) && !is_mine(s, e))
		return;
	if (active && assist && flags_of(s, s->q.as_go ? e->g : e->id) & RUNS)
		fix_up(s, WTR_GC_ASSIST);
	else if (active && sweep)
		fix_up(s, WTR_GC_SWEEP);
	if (e->detail == WTR_RANGE_STW && asked(s, WTR_GC_STW) && for_gc(s, e)) {
		s->stw += begins ? 1 : -1;
		s->touched = ALL_PROCS;
	} else if (sweep) {
		count(s, e->p, WTR_GC_SWEEP, begins ? 1 : -1);
	} else if (assist) {
		count(s, e->p, WTR_GC_ASSIST, begins ? 1 : -1);
		uint32_t f = flags_of(s, e->id);
		set_flags(s, e->id, begins ? f | ASSISTS : f & ~(uint32_t)ASSISTS);
	}
}

/* ---- goroutines ---- */

static bool executing(unsigned state)
{
	return state == WTR_G_RUNNING || state == WTR_G_SYSCALL;
}

static void transition(sink *s, const wtr_event *e)
{
	bool was = executing(wtr_from(e)), is = executing(wtr_to(e));
	uint32_t f = flags_of(s, e->id);
	if (was == is && (f & RUNS) == (is ? RUNS : 0))
		return;
	if (!(f & (ASSISTS | WORKS)) && s->sync_n > 1)
		return; /* who runs is only asked for what was there before the trace */
	if (was != is && f & (ASSISTS | WORKS)) {
		count(s, e->p, f & WORKS ? WTR_GC_BACKGROUND : WTR_GC_ASSIST, is ? 1 : -1);
		if (!is && !s->q.as_go)
			f &= ~(uint32_t)WORKS; /* its next start is followed by a label again */
	}
	f = is ? f | RUNS : f & ~(uint32_t)RUNS;
	if (f || flags_of(s, e->id))
		set_flags(s, e->id, f);
}

static void label(sink *s, const wtr_event *e)
{
	if (!asked(s, WTR_GC_BACKGROUND))
		return;
	wtr_str l = wtr_string(s->trace, e->str);
	bool idle = l.n == 9 && memcmp(l.at, "GC (idle)", 9) == 0;
	bool dedicated = l.n == 14 && memcmp(l.at, "GC (dedicated)", 14) == 0;
	if (l.n < 3 || memcmp(l.at, "GC ", 3) != 0 || idle || (dedicated && s->q.per_goroutine))
		return;
	uint32_t f = flags_of(s, e->g);
	if (f & WORKS && !s->q.as_go)
		return;
	set_flags(s, e->g, f | WORKS);
	count(s, e->p, WTR_GC_BACKGROUND, 1);
}

/* ---- the sink ---- */

static void one(sink *s, const wtr_event *e)
{
	s->now_ns = e->time_ns;
	if (e->kind == WTR_KIND_SYNC) {
		s->sync_n = e->id;
		s->sync_ns = e->time_ns;
	}
	bool procs = e->kind == WTR_KIND_METRIC && e->detail == WTR_METRIC_GOMAXPROCS;
	if (procs)
		procs_change(s, e->value[0]);
	if (s->ps.n == 0)
		return;
	switch (e->kind) {
	case WTR_KIND_RANGE_BEGIN:
	case WTR_KIND_RANGE_ACTIVE:
	case WTR_KIND_RANGE_END: range(s, e); break;
	case WTR_KIND_LABEL: label(s, e); break;
	case WTR_KIND_STATE_TRANSITION:
		if (e->resource != WTR_RES_GOROUTINE)
			return;
		transition(s, e);
		break;
	default:
		if (!procs)
			return;
	}
	look(s);
}

static bool sink_events(an_sink *face, const wtr_event *ev, size_t n)
{
	sink *s = (sink *)face;
	for (size_t i = 0; i < n && !s->oom && !s->limit && ev[i].time_ns <= s->limit_ns; i++)
		one(s, &ev[i]);
	return !s->oom && !s->limit;
}

static bool no_finish(an_sink *face, wtr_index *x)
{
	(void)face;
	(void)x;
	return true;
}

static void no_free(an_sink *face)
{
	(void)face;
}

static void end_series(sink *s)
{
	for (size_t i = 0; i < s->ps.n; i++) {
		an_useries *u = &s->m->series.at[s->ps.at[i].series];
		u->end = s->now_ns;
		if (!s->q.as_go)
			continue;
		const an_upoint *last = &u->points.at[u->points.n - 1];
		if (last->util == 0)
			u->end = last->t;
		else
			add_point(s, s->ps.at[i].series, &(an_upoint){ .t = s->now_ns });
	}
}

static wtr_code one_pass(
	wtr_trace *t, const wtr_mmu_query *q, int64_t limit_ns, int64_t *ret_sync, wtr_mmu **ret, wtr_error *err)
{
	sink s = { .face = { sink_events, no_finish, no_free },
		.trace = t,
		.q = *q,
		.limit_ns = limit_ns,
		.touched = NO_PROC };
	wtr_error end = { 0 };
	s.m = wb_calloc(1, sizeof(*s.m));
	wtr_code rc = s.m ? an_pass(t, &s.face, &end, err) : WTR_E_NOMEM;
	if (rc == WTR_OK) {
		end_series(&s);
		*ret_sync = s.sync_ns;
		rc = s.oom ? WTR_E_NOMEM : WTR_OK;
	}
	wb_vec_free(&s.ps);
	wb_vec_free(&s.counts);
	wb_idmap_free(&s.gs);
	wb_idmap_free(&s.kinds);
	if (s.limit && rc == WTR_E_NOMEM)
		rc = wtr__fail(
			err, WTR_E_LIMIT, 0, 0, WTR_NONE, "", "mmu.series", "the number of procs changes too often");
	if (rc != WTR_OK) {
		wtr_mmu_free(s.m);
		return rc == WTR_E_NOMEM ? wtr__fail(err, rc, 0, 0, WTR_NONE, "", "memory", "out of memory") : rc;
	}
	s.m->totals.end = end;
	an_mmu_finish(s.m, q->ranged ? q->from_ns : INT64_MIN, q->ranged ? q->to_ns : INT64_MAX);
	*ret = s.m;
	return WTR_OK;
}

wtr_code wtr_mmu_make(wtr_trace *t, const wtr_mmu_query *q, wtr_mmu **ret, wtr_error *err)
{
	if (an_where_wants_goroutines(q->where, err) != WTR_OK)
		return WTR_E_USAGE;
	int64_t sync = 0;
	wtr_mmu *m = NULL;
	wtr_code rc = one_pass(t, q, INT64_MAX, &sync, &m, err);
	if (rc == WTR_OK && m->totals.end.code != WTR_OK && t->opt.damage == WTR_AS_GO) {
		wtr_mmu_free(m);
		rc = one_pass(t, q, sync, &sync, &m, err);
	}
	if (rc == WTR_OK)
		*ret = m;
	return rc;
}

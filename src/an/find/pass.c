/* an/find/pass.c - the one pass: every event changes the world, and every state interval that is over goes to the rules
 * that are about such intervals. */
#include <string.h>

#include "an/find/find.h"
#include "an/find/pass.h"
#include "read/source.h"
#include "read/trace.h"

/* ---- a state begins ---- */

static uint32_t own_stack(an_find *f, const wtr_event *e)
{
	uint32_t id = e->transition_stack ? e->transition_stack : e->g == e->id ? e->stack : 0;
	return id ? an_stack_number(f, id) : 0;
}

static void name_it(an_find *f, an_find_g *g, const wtr_event *e)
{
	const an_place *p = an_place_of_stack(f, own_stack(f, e));
	g->group = p ? p->group : 0;
}

static an_find_g *born(an_find *f, size_t i, const an_follower *l, const wtr_event *e)
{
	while (f->gs.n <= i)
		if (!wb_vec_add(&f->gs, (an_find_g){ 0 })) {
			f->follow.oom = true;
			return NULL;
		}
	an_find_g *g = &f->gs.at[i];
	bool made = wtr_from(e) == WTR_G_NOTEXIST;
	*g = (an_find_g){ .born_ns = made ? e->time_ns : WTR_NEVER, .assist_from_ns = WTR_NEVER };
	g->create = made ? l->stack : 0;
	g->woken_by = WTR_NONE;
	f->goroutines++;
	if (made)
		an_fanout_born(f, g, e->time_ns);
	return g;
}

/* By the object, where the trace names one that goroutines meet at. */
static an_wait *wait_begun(an_find *f, const an_follower *l, an_find_g *g, const wtr_event *e)
{
	uint8_t cls = (uint8_t)an_follow_class(&f->follow, l);
	wtr_object o = { 0 };
	size_t n = e->wait ? wtr_wait_objects(f->follow.trace, e->wait, &o, 1) : 0;
	g->holder = n == 1 && (o.kind == WTR_OBJECT_MUTEX || o.kind == WTR_OBJECT_RWMUTEX) ? o.holder : WTR_NONE;
	bool met = n == 1 && o.kind != WTR_OBJECT_NONE && o.kind != WTR_OBJECT_TIMER && o.kind != WTR_OBJECT_FD;
	return met ? an_wait_for(f, l->stack, cls, &o) : an_wait_at(f, l->stack, cls);
}

static void waits(an_find *f, an_follower *l, an_find_g *g, const wtr_event *e)
{
	if (wtr_from(e) == WTR_G_UNDETERMINED)
		g->found = own_stack(f, e);
	an_wait *w = wait_begun(f, l, g, e);
	g->wait_at = w ? (uint32_t)(w - f->waits.at) + 1 : 0;
	if (!w)
		return;
	if (w->now++ == 0)
		w->busy_from_ns = e->time_ns;
	w->most = w->now > w->most ? w->now : w->most;
	an_herd_waits(f, g, (uint32_t)(w - f->waits.at));
	an_serial_waits(f, g, l->id, e->time_ns);
}

static bool is_users(const an_find *f, const an_find_g *g)
{
	return g->worker == 0 && !(g->group && f->groups.at[g->group].system);
}

static void enters(an_find *f, an_follower *l, const wtr_event *e)
{
	size_t i = (size_t)(l - f->follow.all.at);
	bool is_new = wtr_from(e) == WTR_G_NOTEXIST || wtr_from(e) == WTR_G_UNDETERMINED || i >= f->gs.n;
	an_find_g *g = is_new ? born(f, i, l, e) : &f->gs.at[i];
	an_world *w = &f->world;
	if (!g)
		return;
	if (g->group == 0)
		name_it(f, g, e);
	if (wtr_from(e) == WTR_G_NOTEXIST && l->state == WTR_G_SYSCALL && e->time_ns >= w->from_ns)
		f->rules.syscall.callbacks++;
	switch (l->state) {
	case WTR_G_RUNNING:
		w->running++;
		w->workers += g->worker == 1;
		w->users += is_users(f, g);
		an_world_take(w, l->p, true);
		g->wanted_ns = w->wanted_ns;
		an_serial_runs(f, g, e->time_ns);
		break;
	case WTR_G_RUNNABLE:
		w->ready++;
		memcpy(g->cause_ns, w->by_cause, sizeof(g->cause_ns));
		g->lost = w->lost;
		if (wtr_from(e) != WTR_G_WAITING)
			g->woken_at = 0;
		break;
	case WTR_G_WAITING: waits(f, l, g, e); break;
	default: break;
	}
}

/* ---- a state is over ---- */

static void waited(an_find *f, const an_find_span *s)
{
	an_wait *w = s->g->wait_at ? &f->waits.at[s->g->wait_at - 1] : NULL;
	if (!w)
		return;
	w->n++;
	w->ns += s->to_ns - s->from_ns;
	w->longest_ns = s->to_ns - s->from_ns > w->longest_ns ? s->to_ns - s->from_ns : w->longest_ns;
	if (s->end) {
		w->handed += w->now > 0 && s->end->g != WTR_NONE;
		w->by_nobody += s->end->g == WTR_NONE;
		w->longest_over_ns = s->whole_ns > w->longest_over_ns ? s->whole_ns : w->longest_over_ns;
		s->g->waits++;
	}
	enum { FEW = 16 };
	if (w->n == FEW && !(w->worst = wb_new(&f->arena, an_worst, 1)))
		f->follow.oom = true;
	if (w->worst)
		an_worst_add(
			w->worst, (an_worst_one){ s->to_ns - s->from_ns, s->from_ns, s->to_ns, s->f->id, s->g->group });
}

/* The world without it. */
static void leaves(an_find *f, an_follower *l, an_find_g *g, const wtr_event *end, int64_t now)
{
	an_world *w = &f->world;
	switch (l->state) {
	case WTR_G_RUNNING:
		w->running--;
		w->workers -= g->worker == 1;
		w->users -= is_users(f, g);
		if (end && wtr_to(end) != WTR_G_SYSCALL)
			an_world_take(w, end->p, false);
		break;
	case WTR_G_RUNNABLE: w->ready--; break;
	case WTR_G_WAITING: {
		an_wait *at = g->wait_at ? &f->waits.at[g->wait_at - 1] : NULL;
		if (at && at->now && --at->now == 0 && now > at->busy_from_ns)
			at->busy_ns += now - at->busy_from_ns;
		break;
	}
	default: break;
	}
}

static bool asked(an_find *f, const an_find_span *s)
{
	if (!f->q.where)
		return true;
	an_state_span is = an_follow_span(&f->follow, s->f, s->end, s->from_ns, s->to_ns);
	return an_where_span(f->q.where, &f->from, &is) > 0;
}

static void running_over(an_find *f, const an_find_span *s)
{
	s->g->by_class[WTR_CLASS_RUNNING] += s->to_ns - s->from_ns;
	s->g->last_run_ns = s->whole_ns;
	an_sched_running_over(f, s);
	an_gc_running_over(f, s);
	an_greedy_running_over(f, s);
	an_herd_running_over(f, s);
	an_serial_running_over(f, s);
}

static void ready_over(an_find *f, const an_find_span *s)
{
	s->g->by_class[WTR_CLASS_RUNNABLE] += s->to_ns - s->from_ns;
	if (s->g->group && f->groups.at[s->g->group].system)
		return;
	an_sched_ready_over(f, s);
	an_idle_ready_over(f, s);
	an_pingpong_ready_over(f, s);
	an_netpoll_ready_over(f, s);
}

static void tell(an_find *f, const an_find_span *s)
{
	switch (s->f->state) {
	case WTR_G_RUNNING: running_over(f, s); break;
	case WTR_G_RUNNABLE: ready_over(f, s); break;
	case WTR_G_WAITING:
		s->g->by_class[an_follow_class(&f->follow, s->f)] += s->to_ns - s->from_ns;
		an_gc_waited(f, s);
		waited(f, s);
		if (s->end && wtr_to(s->end) == WTR_G_RUNNABLE)
			an_woken(f, s);
		break;
	case WTR_G_SYSCALL:
		s->g->by_class[WTR_CLASS_SYSCALL] += s->to_ns - s->from_ns;
		an_syscall_over(f, s);
		break;
	default: break;
	}
}

static void died(an_find *f, const an_follower *l, an_find_g *g, int64_t now)
{
	if (g->assist_from_ns != WTR_NEVER)
		an_gc_assist_end(f, l, g, now);
	an_fanout_died(f, g, now);
	an_serial_waits(f, g, l->id, now);
	an_outliers_died(f, g);
}

static void over(void *user, an_follow *w, an_follower *l, const wtr_event *end)
{
	an_find *f = user;
	size_t i = (size_t)(l - w->all.at);
	if (i >= f->gs.n) /* memory was out when it began */
		return;
	an_find_span s = { .f = l, .g = &f->gs.at[i], .end = end };
	int64_t now = end ? end->time_ns : f->world.now_ns;
	leaves(f, l, s.g, end, now);
	s.whole_ns = now - l->from_ns;
	s.from_ns = l->from_ns > f->world.from_ns ? l->from_ns : f->world.from_ns;
	s.to_ns = now < f->world.to_ns ? now : f->world.to_ns;
	if (s.to_ns > s.from_ns && asked(f, &s))
		tell(f, &s);
	if (end && wtr_to(end) == WTR_G_NOTEXIST)
		died(f, l, s.g, now);
}

/* ---- events ---- */

static void label(an_find *f, const wtr_event *e)
{
	an_follower *l = an_follow_get(&f->follow, (int64_t)e->id);
	wtr_str s = wtr_string(f->follow.trace, e->str);
	if (!l || (size_t)(l - f->follow.all.at) >= f->gs.n)
		return;
	an_find_g *g = &f->gs.at[l - f->follow.all.at];
	bool idle = s.n == 9 && memcmp(s.at, "GC (idle)", 9) == 0;
	uint8_t was = g->worker;
	bool user = is_users(f, g);
	g->worker = s.n >= 4 && memcmp(s.at, "GC (", 4) == 0 ? (idle ? 2 : 1) : was;
	if (l->state != WTR_G_RUNNING)
		return;
	f->world.workers += (unsigned)(g->worker == 1) - (unsigned)(was == 1);
	f->world.users += (unsigned)is_users(f, g) - (unsigned)user;
}

static void range(an_find *f, const wtr_event *e)
{
	if (e->detail == WTR_RANGE_STW) {
		an_stw_range(f, e);
		an_greedy_stop(f, e);
	} else {
		an_gc_range(f, e);
	}
}

static void metric(an_find *f, const wtr_event *e)
{
	if (e->detail == WTR_METRIC_GOMAXPROCS)
		an_world_procs_told(&f->world, e->value[0]);
	else if (e->detail == WTR_METRIC_HEAP_GOAL_BYTES)
		f->rules.gc.goal_bytes = e->value[0];
}

static void other(an_find *f, const wtr_event *e)
{
	an_follow_other(&f->follow, e);
	switch (e->kind) {
	case WTR_KIND_LABEL: label(f, e); break;
	case WTR_KIND_RANGE_BEGIN:
	case WTR_KIND_RANGE_ACTIVE:
	case WTR_KIND_RANGE_END: range(f, e); break;
	case WTR_KIND_METRIC: metric(f, e); break;
	case WTR_KIND_TASK_BEGIN:
	case WTR_KIND_TASK_END:
	case WTR_KIND_REGION_BEGIN:
	case WTR_KIND_REGION_END: an_outliers_event(f, e); break;
	default: break;
	}
}

static inline void one(an_find *f, const wtr_event *e)
{
	an_world_move(&f->world, e->time_ns);
	if (e->kind != WTR_KIND_STATE_TRANSITION) {
		other(f, e);
	} else if (e->resource == WTR_RES_GOROUTINE) {
		an_follower *l = an_follow_transition(&f->follow, e);
		if (l)
			enters(f, l, e);
	} else if (e->resource == WTR_RES_PROC && !an_world_proc_event(&f->world, e)) {
		f->follow.oom = true;
	}
	an_world_turn(&f->world);
}

static bool events(an_sink *sink, const wtr_event *ev, size_t n)
{
	an_find *f = (an_find *)sink;
	if (n && !f->begun) {
		f->begun = true;
		f->world.now_ns = ev[0].time_ns;
		f->world.from_ns = f->q.ranged && f->q.from_ns > ev[0].time_ns ? f->q.from_ns : ev[0].time_ns;
		f->world.to_ns = f->q.ranged ? f->q.to_ns : INT64_MAX;
	}
	for (size_t i = 0; i < n && !f->over; i++) {
		f->over = ev[i].time_ns >= f->world.to_ns;
		if (f->over)
			break;
		f->events += ev[i].time_ns >= f->world.from_ns;
		one(f, &ev[i]);
	}
	return !f->follow.oom && an_where_memory(f->q.where);
}

/* ---- beginning and end ---- */

an_sink *an_find_sink(an_find *f)
{
	return &f->sink;
}

void an_find_free(an_find *f)
{
	if (!f)
		return;
	an_follow_free(&f->follow);
	an_world_free(&f->world);
	wb_vec_free(&f->gs);
	wb_vec_free(&f->groups);
	wb_idmap_free(&f->group_of);
	wb_vec_free(&f->places);
	wb_vec_free(&f->waits);
	wb_idmap_free(&f->wait_of);
	wb_idmap_free(&f->wait_on);
	wb_vec_free(&f->found);
	an_fanout_free(f);
	an_outliers_free(f);
	an_serial_free(f);
	wb_arena_free(&f->arena);
	wb_free(f);
}

an_find *an_find_new(wtr_trace *t, const wtr_findings_query *q)
{
	an_find *f = wb_calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->sink.events = events;
	f->q = *q;
	f->follow.over = over;
	f->follow.user = f;
	f->from = an_follow_source(&f->follow);
	an_where_asker(q->where);
	f->rules.gc.mark_from_ns = WTR_NEVER;
	f->rules.greedy.stop_ns = WTR_NEVER;
	if (an_follow_init(&f->follow, t) && wb_vec_add(&f->groups, (an_find_group){ .system = true }))
		return f;
	an_find_free(f);
	return NULL;
}

static void end_all(an_find *f)
{
	an_world *w = &f->world;
	if (!f->over && w->to_ns > w->now_ns + 1) /* the end of what counts is that of the trace */
		w->to_ns = w->now_ns + 1;
	an_world_move(w, w->to_ns);
	w->now_ns = w->to_ns;
	an_follow_end(&f->follow);
	an_stw_end(f);
	an_gc_end(f);
}

static void report(an_find *f)
{
	an_leak_report(f);
	an_deadlock_report(f);
	an_convoy_report(f);
	an_rwmutex_report(f);
	an_sched_report(f);
	an_idle_report(f);
	an_greedy_report(f);
	an_netpoll_report(f);
	an_pingpong_report(f);
	an_herd_report(f);
	an_fanout_report(f);
	an_serial_report(f);
	an_syscall_report(f);
	an_gc_report(f);
	an_stw_report(f);
	an_outliers_report(f);
}

bool an_find_finish(an_find *f, wtr_findings_totals *t)
{
	if (f->begun)
		end_all(f);
	t->from_ns = f->world.from_ns;
	t->to_ns = f->world.to_ns;
	t->events = f->events;
	t->goroutines = f->goroutines;
	t->procs = (uint64_t)f->world.procs;
	if (t->to_ns > t->from_ns)
		report(f);
	an_health_report(f, t);
	return !f->follow.oom && an_where_memory(f->q.where);
}

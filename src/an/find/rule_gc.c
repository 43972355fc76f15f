/* an/find/rule_gc.c - what the collector takes: mark workers and assists. */
#include "an/find/find.h"

enum { CYCLES_LEAST = 3 };

/* The part of [from, to) that counts. */
static int64_t part(const an_world *w, int64_t *from, int64_t *to)
{
	*from = *from > w->from_ns ? *from : w->from_ns;
	*to = *to < w->to_ns ? *to : w->to_ns;
	return *to > *from ? *to - *from : 0;
}

/* Of an assist that began at `from`, what lies in the state interval. */
static int64_t assist_part(const an_find_span *s)
{
	int64_t from = s->g->assist_from_ns;
	return from == WTR_NEVER || from >= s->to_ns ? 0 : s->to_ns - (from > s->from_ns ? from : s->from_ns);
}

void an_gc_running_over(an_find *f, const an_find_span *s)
{
	an_rule_gc *r = &f->rules.gc;
	int64_t ns = s->to_ns - s->from_ns, assisted = s->g->assisted_ns + assist_part(s);
	s->g->assisted_ns = 0;
	if (s->g->worker == 1)
		r->worker_ns += ns;
	if (f->groups.at[s->g->group].system && s->g->group != 0)
		return;
	r->running_ns += ns;
	r->assist_ns += assisted;
	f->groups.at[s->g->group].assist_ns += assisted;
}

void an_gc_waited(an_find *f, const an_find_span *s)
{
	int64_t ns = assist_part(s);
	if (ns == 0 || (f->groups.at[s->g->group].system && s->g->group != 0))
		return;
	f->rules.gc.assist_waited_ns += ns;
	f->groups.at[s->g->group].assist_ns += ns;
}

void an_gc_assist_end(an_find *f, const an_follower *l, an_find_g *g, int64_t to_ns)
{
	an_rule_gc *r = &f->rules.gc;
	int64_t from = g->assist_from_ns, to = to_ns, ns = part(&f->world, &from, &to);
	g->assist_from_ns = WTR_NEVER;
	if (ns == 0)
		return;
	if (l->state == WTR_G_RUNNING)
		g->assisted_ns += to - (l->from_ns > from ? l->from_ns : from);
	r->assists++;
	an_worst_add(&r->worst_assist, (an_worst_one){ ns, from, to, l->id, g->group });
}

static void mark_end(an_find *f, int64_t to_ns)
{
	an_rule_gc *r = &f->rules.gc;
	int64_t from = r->mark_from_ns, to = to_ns, ns = from == WTR_NEVER ? 0 : part(&f->world, &from, &to);
	r->mark_from_ns = WTR_NEVER;
	f->world.marks = 0;
	if (ns == 0)
		return;
	r->cycles++;
	an_worst_add(&r->worst_mark, (an_worst_one){ ns, from, to, WTR_NONE, 0 });
}

static void mark(an_find *f, const wtr_event *e)
{
	an_rule_gc *r = &f->rules.gc;
	if (e->kind == WTR_KIND_RANGE_END) {
		mark_end(f, e->time_ns);
	} else if (r->mark_from_ns == WTR_NEVER) {
		r->mark_from_ns = e->time_ns;
		f->world.marks = 1;
	}
}

void an_gc_range(an_find *f, const wtr_event *e)
{
	if (e->detail == WTR_RANGE_GC_MARK) {
		mark(f, e);
		return;
	}
	an_follower *l = e->detail == WTR_RANGE_MARK_ASSIST ? an_follow_get(&f->follow, e->id) : NULL;
	if (!l || (size_t)(l - f->follow.all.at) >= f->gs.n)
		return;
	an_find_g *g = &f->gs.at[l - f->follow.all.at];
	if (e->kind != WTR_KIND_RANGE_END && g->assist_from_ns == WTR_NEVER)
		g->assist_from_ns = e->time_ns;
	else if (e->kind == WTR_KIND_RANGE_END && g->assist_from_ns != WTR_NEVER)
		an_gc_assist_end(f, l, g, e->time_ns);
}

void an_gc_end(an_find *f)
{
	mark_end(f, f->world.to_ns);
	for (size_t i = 0; i < f->gs.n && i < f->follow.all.n; i++)
		if (f->follow.all.at[i].state != WTR_G_NOTEXIST && f->gs.at[i].assist_from_ns != WTR_NEVER)
			an_gc_assist_end(f, &f->follow.all.at[i], &f->gs.at[i], f->world.to_ns);
}

static void report_assists(an_find *f)
{
	const an_rule_gc *r = &f->rules.gc;
	int64_t sum = r->assist_ns + r->assist_waited_ns;
	/* Goroutines that wait in an assist would run without it. */
	double x = 100 * (double)sum / an_evidence(r->running_ns + r->assist_waited_ns);
	wtr_finding *d = an_found(f, AN_RULE_ASSIST, AN_FORM_ASSIST_SHARE, x);
	uint32_t most = 0;
	if (!d)
		return;
	for (uint32_t i = 1; i < f->groups.n; i++)
		most = f->groups.at[i].assist_ns > f->groups.at[most].assist_ns ? i : most;
	an_found_ns(d, "ran", r->assist_ns);
	an_found_percent(d, "share", (double)r->assist_ns, (double)r->running_ns);
	an_found_ns(d, "waited", r->assist_waited_ns);
	an_found_ns(d, "sum", sum);
	an_found_count(d, "assists", r->assists);
	an_found_text(d, "name", an_group_name(f, most));
	an_found_ns(d, "most", f->groups.at[most].assist_ns);
	an_found_ns(d, "longest", r->worst_assist.n ? r->worst_assist.at[0].ns : 0);
	an_found_worst(f, d, &r->worst_assist);
	an_found_of(d, r->assists, r->assists, "assists");
}

static void report_cycles(an_find *f)
{
	const an_rule_gc *r = &f->rules.gc;
	const an_world *w = &f->world;
	double window = (double)an_window(f), took = (double)(r->worker_ns + r->assist_ns);
	double x = 100 * took / (an_evidence(an_window(f)) * (double)(w->procs > 0 ? w->procs : 1));
	bool goal = r->goal_bytes > 0 && r->goal_bytes < UINT64_C(1) << 50;
	wtr_finding *d = r->cycles < CYCLES_LEAST
				 ? NULL
				 : an_found(f, AN_RULE_GC, goal ? AN_FORM_GC_RATE : AN_FORM_GC_NO_GOAL, x);
	if (!d)
		return;
	an_found_count(d, "cycles", r->cycles);
	an_found_number(d, "rate", (double)r->cycles / window * 1e9);
	an_found_percent(d, "share", took, (double)w->capacity_ns);
	an_found_percent(d, "under_way", (double)w->mark_ns, window);
	if (goal)
		an_found_bytes(d, "goal", r->goal_bytes);
	an_found_ns(d, "workers", r->worker_ns);
	an_found_ns(d, "assists", r->assist_ns);
	an_found_worst(f, d, &r->worst_mark);
	an_found_of(d, r->cycles, r->cycles, "collections");
}

void an_gc_report(an_find *f)
{
	report_assists(f);
	report_cycles(f);
}

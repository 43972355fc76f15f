/* an/find/rule_greedy.c - goroutines that keep their proc when it is wanted: by who stops the world, or by others that
 * are ready. */
#include "an/find/find.h"

enum { SLOW_NS = 1000000, RUN_LEAST_NS = 20000000 }; /* Go takes procs away after 10 ms */

static void stopped(an_find *f)
{
	an_rule_greedy *r = &f->rules.greedy;
	int64_t from = r->stop_ns > f->world.from_ns ? r->stop_ns : f->world.from_ns, delay = r->last_ns - from;
	r->stops++;
	if (r->last_ns == WTR_NEVER || delay <= 0)
		return;
	r->slow += delay >= SLOW_NS;
	if (r->worst_stop.n == 0 || delay > r->worst_stop.at[0].ns)
		r->stack = r->last_stack;
	an_worst_add(&r->worst_stop, (an_worst_one){ delay, from, r->last_ns, r->last_g, r->last_group });
}

void an_greedy_stop(an_find *f, const wtr_event *e)
{
	an_rule_greedy *r = &f->rules.greedy;
	if (e->kind == WTR_KIND_RANGE_BEGIN && r->stop_ns == WTR_NEVER) {
		r->stop_ns = e->time_ns;
		r->stopper = e->g;
		r->last_ns = WTR_NEVER;
	} else if (e->kind == WTR_KIND_RANGE_END && r->stop_ns != WTR_NEVER) {
		stopped(f);
		r->stop_ns = WTR_NEVER;
	}
}

static uint32_t where_stopped(an_find *f, const an_find_span *s)
{
	uint32_t id = !s->end ? 0 : s->end->transition_stack ? s->end->transition_stack : s->end->stack;
	return id ? an_stack_number(f, id) : 0;
}

void an_greedy_running_over(an_find *f, const an_find_span *s)
{
	an_rule_greedy *r = &f->rules.greedy;
	if (r->stop_ns != WTR_NEVER && s->f->id != r->stopper && s->f->from_ns < r->stop_ns) {
		r->last_ns = s->to_ns;
		r->last_g = s->f->id;
		r->last_group = s->g->group;
		r->last_stack = where_stopped(f, s);
	}
	int64_t wanted = f->world.wanted_ns - s->g->wanted_ns;
	if (wanted < RUN_LEAST_NS || s->g->worker || (s->g->group && f->groups.at[s->g->group].system))
		return;
	if (r->worst_run.n == 0 || wanted > r->worst_run.at[0].ns) {
		r->run_stack = where_stopped(f, s);
		r->run_ns = s->to_ns - s->from_ns;
	}
	an_worst_add(&r->worst_run, (an_worst_one){ wanted, s->from_ns, s->to_ns, s->f->id, s->g->group });
}

static wtr_finding *begin(an_find *f, an_form form, const an_worst *w, uint32_t stack)
{
	wtr_finding *d = w->n ? an_found(f, AN_RULE_GREEDY, form, (double)w->at[0].ns / 1e6) : NULL;
	if (!d)
		return NULL;
	an_found_g(d, "g", w->at[0].g);
	an_found_text(d, "name", an_group_name(f, w->at[0].group));
	an_found_ns(d, "delay", w->at[0].ns);
	an_found_worst(f, d, w);
	an_found_stack(d, "stopped at", stack);
	return d;
}

void an_greedy_report(an_find *f)
{
	const an_rule_greedy *r = &f->rules.greedy;
	wtr_finding *d = begin(f, AN_FORM_GREEDY_STOP, &r->worst_stop, r->stack);
	if (d) {
		an_found_count(d, "stops", r->stops);
		an_found_count(d, "slow", r->slow);
		an_found_of(d, r->slow, r->stops, "stops");
	}
	d = begin(f, AN_FORM_GREEDY_RUN, &r->worst_run, r->run_stack);
	if (d) {
		an_found_ns(d, "run", r->run_ns);
		an_found_of(d, r->worst_run.n, r->worst_run.n, "long runs");
	}
}

/* an/find/rule_sched.c - how long goroutines wait for a proc, and what is so meanwhile. */
#include "an/find/find.h"

enum { WAITS_LEAST = 100 };

void an_sched_ready_over(an_find *f, const an_find_span *s)
{
	an_rule_sched *r = &f->rules.sched;
	int64_t ns = s->to_ns - s->from_ns;
	f->groups.at[s->g->group].ready_ns += ns;
	an_spread_add(&r->waits, ns);
	for (unsigned c = 0; c < AN_CAUSES; c++)
		r->by_cause[c] += f->world.by_cause[c] - s->g->cause_ns[c];
	an_worst_add(&r->worst, (an_worst_one){ ns, s->from_ns, s->to_ns, s->f->id, s->g->group });
}

void an_sched_running_over(an_find *f, const an_find_span *s)
{
	an_find_group *g = &f->groups.at[s->g->group];
	g->run_ns += s->to_ns - s->from_ns;
	g->wanted_ns += f->world.wanted_ns - s->g->wanted_ns;
}

/* Who ran most while others were ready and no proc was idle. */
static uint32_t blamed(const an_find *f)
{
	uint32_t most = 0;
	for (uint32_t i = 1; i < f->groups.n; i++)
		if (f->groups.at[i].wanted_ns > f->groups.at[most].wanted_ns || most == 0)
			most = i;
	return most;
}

void an_sched_report(an_find *f)
{
	static const an_form forms[AN_CAUSES] = {
		[AN_CAUSE_STOPPED] = AN_FORM_SCHED_STOPPED,
		[AN_CAUSE_IDLE] = AN_FORM_SCHED_IDLE,
		[AN_CAUSE_SEARCHING] = AN_FORM_SCHED_SEARCHING,
		[AN_CAUSE_COLLECTOR] = AN_FORM_SCHED_COLLECTOR,
		[AN_CAUSE_BUSY] = AN_FORM_SCHED_BUSY,
	};
	const an_rule_sched *r = &f->rules.sched;
	int64_t p99 = an_spread_percentile(&r->waits, 990), all = 0;
	unsigned top = 0;
	for (unsigned c = 0; c < AN_CAUSES; c++) {
		all += r->by_cause[c];
		top = r->by_cause[c] > r->by_cause[top] ? c : top;
	}
	wtr_finding *d = r->waits.n < WAITS_LEAST ? NULL : an_found(f, AN_RULE_SCHED, forms[top], (double)p99 / 1e6);
	if (!d)
		return;
	an_found_count(d, "waits", r->waits.n);
	an_found_ns(d, "p99", p99);
	an_found_ns(d, "longest", r->waits.max_ns);
	an_found_percent(d, "share", (double)r->by_cause[top], (double)all);
	an_found_text(d, "blamed", an_group_name(f, blamed(f)));
	static const char *const names[AN_CAUSES] = { "stopped", "idle_procs", "searching", "collector", "all_taken" };
	for (unsigned c = 0; c < AN_CAUSES; c++)
		an_found_percent(d, names[c], (double)r->by_cause[c], (double)all);
	an_found_worst(f, d, &r->worst);
	an_found_of(d, r->waits.n, r->waits.n, "waits");
}

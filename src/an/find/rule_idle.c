/* an/find/rule_idle.c - goroutines that are ready while procs are idle, for longer than waking a thread takes. */
#include "an/find/find.h"

enum { WAKING_NS = 100000 };

void an_idle_ready_over(an_find *f, const an_find_span *s)
{
	an_rule_idle *r = &f->rules.idle;
	int64_t idle = f->world.by_cause[AN_CAUSE_IDLE] - s->g->cause_ns[AN_CAUSE_IDLE];
	if (idle < WAKING_NS)
		return;
	r->n++;
	r->lost_ns += f->world.lost - s->g->lost;
	an_worst_add(&r->worst, (an_worst_one){ idle, s->from_ns, s->to_ns, s->f->id, s->g->group });
}

void an_idle_report(an_find *f)
{
	const an_rule_idle *r = &f->rules.idle;
	int64_t procs = f->world.procs > 0 ? f->world.procs : 1;
	double x = 100 * r->lost_ns / (an_evidence(an_window(f)) * (double)procs);
	wtr_finding *d = r->n ? an_found(f, AN_RULE_IDLE, AN_FORM_IDLE_LOST, x) : NULL;
	if (!d)
		return;
	an_found_percent(d, "share", r->lost_ns, (double)f->world.capacity_ns);
	an_found_count(d, "waits", r->n);
	an_found_ns(d, "longest", r->worst.at[0].ns);
	an_found_ns(d, "lost", (int64_t)r->lost_ns);
	an_found_worst(f, d, &r->worst);
	an_found_of(d, r->n, f->rules.sched.waits.n, "waits for procs");
}

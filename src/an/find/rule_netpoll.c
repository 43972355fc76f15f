/* an/find/rule_netpoll.c - from the network's wake-up to a proc. */
#include "an/find/find.h"

enum { WAITS_LEAST = 50, TOGETHER_NS = 20000 };

void an_netpoll_woken(an_find *f, int64_t now)
{
	an_rule_netpoll *r = &f->rules.netpoll;
	r->burst = r->burst && now - r->last_ns < TOGETHER_NS ? r->burst + 1 : 1;
	r->most = r->burst > r->most ? r->burst : r->most;
	r->last_ns = now;
}

void an_netpoll_ready_over(an_find *f, const an_find_span *s)
{
	an_rule_netpoll *r = &f->rules.netpoll;
	if (s->g->woken_at == 0 || s->g->woken_by != WTR_NONE ||
		f->waits.at[s->g->woken_at - 1].cls != WTR_CLASS_NETWORK)
		return;
	int64_t ns = s->to_ns - s->from_ns;
	an_spread_add(&r->waits, ns);
	an_worst_add(&r->worst, (an_worst_one){ ns, s->from_ns, s->to_ns, s->f->id, s->g->group });
}

void an_netpoll_report(an_find *f)
{
	const an_rule_netpoll *r = &f->rules.netpoll;
	int64_t p99 = an_spread_percentile(&r->waits, 990);
	wtr_finding *d =
		r->waits.n < WAITS_LEAST ? NULL : an_found(f, AN_RULE_NETPOLL, AN_FORM_NETPOLL_SLOW, (double)p99 / 1e6);
	if (!d)
		return;
	an_found_count(d, "waits", r->waits.n);
	an_found_ns(d, "p99", p99);
	an_found_ns(d, "longest", r->waits.max_ns);
	an_found_count(d, "most", r->most);
	an_found_worst(f, d, &r->worst);
	an_found_of(d, r->waits.n, f->rules.sched.waits.n, "waits for procs");
}

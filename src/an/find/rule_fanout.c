/* an/find/rule_fanout.c - goroutines of one place that wait for procs far longer than they run. */
#include "an/find/find.h"

enum { LEAST = 500, LEAST_AT_A_TIME = 64, SMALL_NS = 100000 };

static an_fanout *of(an_find *f, uint32_t create)
{
	uint32_t i = create ? wb_idmap_get(&f->rules.fanout.of, create) : WB_IDMAP_NONE;
	return i == WB_IDMAP_NONE ? NULL : &f->rules.fanout.all.at[i];
}

void an_fanout_born(an_find *f, an_find_g *g, int64_t now)
{
	an_rule_fanout *r = &f->rules.fanout;
	an_fanout *o = of(f, g->create);
	if (!o && g->create) {
		if (!wb_vec_add(&r->all, (an_fanout){ .create = g->create, .first_ns = now }) ||
			!wb_idmap_set(&r->of, g->create, (uint32_t)r->all.n - 1)) {
			f->follow.oom = true;
			return;
		}
		o = &r->all.at[r->all.n - 1];
	}
	if (!o)
		return;
	o->now++;
	o->most = o->now > o->most ? o->now : o->most;
}

void an_fanout_died(an_find *f, const an_find_g *g, int64_t now)
{
	an_fanout *o = of(f, g->create);
	if (!o)
		return;
	o->group = g->group;
	o->now -= o->now > 0;
	o->n++;
	o->run_ns += g->by_class[WTR_CLASS_RUNNING];
	o->ready_ns += g->by_class[WTR_CLASS_RUNNABLE];
	o->last_ns = now;
}

void an_fanout_report(an_find *f)
{
	const an_rule_fanout *r = &f->rules.fanout;
	for (size_t i = 0; i < r->all.n; i++) {
		const an_fanout *o = &r->all.at[i];
		if (o->n < LEAST || o->most < LEAST_AT_A_TIME || o->run_ns / (int64_t)o->n >= SMALL_NS)
			continue;
		double x = (double)o->ready_ns / (double)(o->run_ns > 0 ? o->run_ns : 1);
		wtr_finding *d = an_found(f, AN_RULE_FANOUT, AN_FORM_FANOUT_SMALL, x);
		if (!d)
			continue;
		an_found_count(d, "n", o->n);
		an_found_text(d, "name", an_group_name(f, o->group));
		an_found_ns(d, "run", o->run_ns / (int64_t)o->n);
		an_found_ns(d, "ready", o->ready_ns / (int64_t)o->n);
		an_found_count(d, "most", o->most);
		an_found_text(d, "site", an_stack_site(f, o->create));
		an_found_range(d, o->first_ns > f->world.from_ns ? o->first_ns : f->world.from_ns, o->last_ns);
		an_found_stack(d, "made at", o->create);
		an_found_of(d, o->n, f->goroutines, "goroutines");
	}
}

void an_fanout_free(an_find *f)
{
	wb_vec_free(&f->rules.fanout.all);
	wb_idmap_free(&f->rules.fanout.of);
}

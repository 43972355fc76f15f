/* an/find/rule_serial.c - work that others wait for and that one goroutine does while nothing else runs. */
#include "an/find/find.h"

enum { WOKEN_LEAST = 2, TOGETHER_LEAST = 10 }; /* percent: else the program is not a parallel one */

/* How long it has been alone since it last waited. */
static int64_t alone(const an_find *f, const an_find_g *g)
{
	return g->alone_ns + f->world.alone_ns - g->alone_from;
}

void an_serial_runs(an_find *f, an_find_g *g, int64_t now)
{
	g->alone_from = f->world.alone_ns;
	if (g->alone_since_ns == 0)
		g->alone_since_ns = now;
}

void an_serial_running_over(an_find *f, const an_find_span *s)
{
	s->g->alone_ns = alone(f, s->g);
}

void an_serial_woken(an_find *f, const an_find_span *s, an_find_g *waker)
{
	int64_t ns = alone(f, waker);
	bool system = waker->worker || (waker->group && f->groups.at[waker->group].system);
	if (system || ns <= 0 || s->to_ns - s->from_ns < ns)
		return;
	waker->alone_told_ns = ns;
	waker->alone_woken++;
	waker->alone_at = an_stack_number(f, s->end->stack);
}

static an_serial *serial_at(an_find *f, const an_find_g *g)
{
	an_rule_serial *r = &f->rules.serial;
	uint32_t i = wb_idmap_get(&r->of, g->alone_at);
	if (i != WB_IDMAP_NONE)
		return &r->all.at[i];
	if (!wb_vec_add(&r->all, (an_serial){ .group = g->group, .stack = g->alone_at }) ||
		!wb_idmap_set(&r->of, g->alone_at, (uint32_t)r->all.n - 1)) {
		f->follow.oom = true;
		return NULL;
	}
	return &r->all.at[r->all.n - 1];
}

/* It waits, or is over: what it did alone, for those that it woke. */
void an_serial_waits(an_find *f, an_find_g *g, int64_t id, int64_t now)
{
	an_serial *s = g->alone_woken >= WOKEN_LEAST ? serial_at(f, g) : NULL;
	if (s) {
		int64_t from = g->alone_since_ns > f->world.from_ns ? g->alone_since_ns : f->world.from_ns;
		s->woken += g->alone_woken;
		s->ns += g->alone_told_ns;
		an_worst_add(&s->worst, (an_worst_one){ g->alone_told_ns, from, now, id, g->group });
	}
	g->alone_ns = g->alone_told_ns = g->alone_since_ns = 0;
	g->alone_woken = 0;
}

void an_serial_report(an_find *f)
{
	const an_rule_serial *r = &f->rules.serial;
	if (f->world.together_ns * (100 / TOGETHER_LEAST) < an_window(f))
		return;
	for (size_t i = 0; i < r->all.n; i++) {
		const an_serial *s = &r->all.at[i];
		double x = 100 * (double)s->ns / an_evidence(an_window(f));
		wtr_finding *d = an_found(f, AN_RULE_SERIAL, AN_FORM_SERIAL_ALONE, x);
		if (!d)
			continue;
		an_found_text(d, "name", an_group_name(f, s->group));
		an_found_ns(d, "sum", s->ns);
		an_found_percent(d, "share", (double)s->ns, (double)an_window(f));
		an_found_count(d, "woken", s->woken);
		an_found_text(d, "site", an_stack_site(f, s->stack));
		an_found_worst(f, d, &s->worst);
		an_found_stack(d, "woke them at", s->stack);
		an_found_of(d, (uint64_t)s->ns, (uint64_t)f->world.alone_ns, "ns that one goroutine ran alone");
	}
}

void an_serial_free(an_find *f)
{
	wb_vec_free(&f->rules.serial.all);
	wb_idmap_free(&f->rules.serial.of);
}

/* an/find/rule_stw.c - stopped worlds by kind. */
#include "an/find/find.h"

/* The last one takes what does not find room. */
static an_stop_kind *kind_of(an_find *f, const wtr_event *e)
{
	an_rule_stw *r = &f->rules.stw;
	wtr_str s = wtr_string(f->follow.trace, e->str);
	uint32_t name = wb_intern_add(&f->follow.stacks.texts, s.at, s.n);
	if (name == WB_INTERN_NONE) {
		f->follow.oom = true;
		return NULL;
	}
	for (unsigned i = 0; i < r->n_kinds; i++)
		if (r->kinds[i].name == name)
			return &r->kinds[i];
	if (r->n_kinds == AN_STOP_KINDS)
		return &r->kinds[AN_STOP_KINDS - 1];
	r->kinds[r->n_kinds] = (an_stop_kind){ .name = name, .from_ns = WTR_NEVER };
	return &r->kinds[r->n_kinds++];
}

static void ends(an_find *f, an_stop_kind *k, int64_t g, int64_t now)
{
	an_rule_stw *r = &f->rules.stw;
	int64_t from = k->from_ns > f->world.from_ns ? k->from_ns : f->world.from_ns;
	int64_t to = now < f->world.to_ns ? now : f->world.to_ns;
	k->from_ns = WTR_NEVER;
	f->world.stops--;
	if (to <= from)
		return;
	k->n++;
	k->ns += to - from;
	r->n++;
	r->ns += to - from;
	const an_find_g *who = an_g_of(f, g);
	an_worst_add(&r->worst, (an_worst_one){ to - from, from, to, g, who ? who->group : 0 });
}

void an_stw_range(an_find *f, const wtr_event *e)
{
	an_stop_kind *k = kind_of(f, e);
	if (!k)
		return;
	if (e->kind == WTR_KIND_RANGE_END) {
		if (k->from_ns != WTR_NEVER)
			ends(f, k, e->g, e->time_ns);
	} else if (k->from_ns == WTR_NEVER) {
		k->from_ns = e->time_ns;
		f->world.stops++;
	}
}

void an_stw_end(an_find *f)
{
	for (unsigned i = 0; i < f->rules.stw.n_kinds; i++)
		if (f->rules.stw.kinds[i].from_ns != WTR_NEVER)
			ends(f, &f->rules.stw.kinds[i], WTR_NONE, f->world.to_ns);
}

void an_stw_report(an_find *f)
{
	const an_rule_stw *r = &f->rules.stw;
	double x = 100 * (double)f->world.stop_ns / an_evidence(an_window(f));
	wtr_finding *d = r->n ? an_found(f, AN_RULE_STW, AN_FORM_STW_SUM, x) : NULL;
	unsigned most = 0;
	if (!d)
		return;
	for (unsigned i = 1; i < r->n_kinds; i++)
		most = r->kinds[i].ns > r->kinds[most].ns ? i : most;
	wb_text kind = wb_intern_text(&f->follow.stacks.texts, r->kinds[most].name);
	an_found_count(d, "stops", r->n);
	an_found_ns(d, "sum", f->world.stop_ns);
	an_found_percent(d, "share", (double)f->world.stop_ns, (double)an_window(f));
	an_found_ns(d, "longest", r->worst.n ? r->worst.at[0].ns : 0);
	an_found_text(d, "kind", (wtr_str){ kind.at, kind.n });
	an_found_ns(d, "kind_sum", r->kinds[most].ns);
	an_found_worst(f, d, &r->worst);
	an_found_of(d, r->n, r->n, "stops");
}

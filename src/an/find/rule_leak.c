/* an/find/rule_leak.c - goroutines that wait at the end, have waited for long or become more, and were not woken. */
#include "an/find/find.h"

enum { LEAST = 3, GROWING_LEAST = 8, QUARTERS = 4 };

/* Those with the same beginning that wait at the same place. */
typedef struct suspects {
	uint32_t group, create, stack;
	unsigned n, made, quarters; /* quarters: a bit for each quarter of the time in which one was made */
	double weight;              /* of those that have waited long */
	double grown;               /* of those made in the trace */
	int64_t longest_ns, last_ns;
	an_worst worst;
} suspects;

typedef struct look {
	an_find *f;
	WB_VEC(suspects) all;
	wb_idmap of; /* create and wait -> suspects */
} look;

static suspects *suspects_of(look *k, const an_find_g *g, uint32_t stack)
{
	uint64_t key = (uint64_t)g->create << 32 | stack;
	uint32_t i = wb_idmap_get(&k->of, key);
	if (i != WB_IDMAP_NONE)
		return &k->all.at[i];
	i = (uint32_t)k->all.n;
	if (!wb_vec_add(&k->all, (suspects){ .group = g->group, .create = g->create, .stack = stack }) ||
		!wb_idmap_set(&k->of, key, i)) {
		k->f->follow.oom = true;
		return NULL;
	}
	return &k->all.at[i];
}

static bool may_be_stuck(const an_find *f, const an_follower *l, const an_find_g *g)
{
	if (l->state != WTR_G_WAITING || (g->group && f->groups.at[g->group].system))
		return false;
	unsigned cls = an_follow_class(&f->follow, l);
	return cls == WTR_CLASS_BLOCKED || cls == WTR_CLASS_LOCK;
}

static bool asked(an_find *f, an_follower *l, int64_t from)
{
	if (!f->q.where)
		return true;
	an_state_span is = an_follow_span(&f->follow, l, NULL, from, f->world.to_ns);
	return an_where_span(f->q.where, &f->from, &is) > 0;
}

static void look_at(look *k, an_follower *l, const an_find_g *g)
{
	const an_world *w = &k->f->world;
	int64_t from = l->from_ns > w->from_ns ? l->from_ns : w->from_ns, ns = w->to_ns - from;
	int64_t window = w->to_ns - w->from_ns;
	if (ns <= 0 || !asked(k->f, l, from))
		return;
	suspects *s = suspects_of(k, g, l->stack ? l->stack : g->found);
	if (!s)
		return;
	bool made = g->born_ns != WTR_NEVER && g->born_ns >= w->from_ns;
	double weight = (g->waits ? 0.25 : 1) * (made ? 1 : 0.1);
	s->n++;
	s->weight += ns >= window / 2 ? weight : 0;
	s->longest_ns = ns > s->longest_ns ? ns : s->longest_ns;
	an_worst_add(&s->worst, (an_worst_one){ ns, from, w->to_ns, l->id, g->group });
	if (!made)
		return;
	s->made++;
	s->grown += weight;
	s->quarters |= 1u << (unsigned)((double)(g->born_ns - w->from_ns) / (double)window * QUARTERS);
	s->last_ns = g->born_ns > s->last_ns ? g->born_ns : s->last_ns;
}

static void tell(an_find *f, const suspects *s, unsigned all)
{
	bool grows = s->made >= GROWING_LEAST && __builtin_popcount(s->quarters) >= QUARTERS - 1;
	double x = grows && s->grown > s->weight ? s->grown : s->weight;
	wtr_finding *d =
		s->n < LEAST ? NULL : an_found(f, AN_RULE_LEAK, grows ? AN_FORM_LEAK_GROWS : AN_FORM_LEAK_STAYS, x);
	if (!d)
		return;
	d->probable = true;
	an_found_count(d, "n", s->n);
	an_found_text(d, "name", an_group_name(f, s->group));
	an_found_text(d, "site", an_stack_site(f, s->stack));
	an_found_ns(d, "longest", s->longest_ns);
	an_found_count(d, "new", s->made);
	an_found_ns(d, "before_end", s->made ? f->world.to_ns - s->last_ns : 0);
	an_found_worst(f, d, &s->worst);
	an_found_stack(d, "waits at", s->stack);
	an_found_stack(d, "created at", s->create);
	an_found_of(d, s->n, all, "waiting goroutines");
}

void an_leak_report(an_find *f)
{
	look k = { .f = f };
	unsigned n = 0;
	for (size_t i = 0; i < f->follow.all.n && i < f->gs.n; i++) {
		an_follower *l = &f->follow.all.at[i];
		n += l->state == WTR_G_WAITING;
		if (may_be_stuck(f, l, &f->gs.at[i]))
			look_at(&k, l, &f->gs.at[i]);
	}
	for (size_t i = 0; i < k.all.n; i++)
		tell(f, &k.all.at[i], n);
	wb_vec_free(&k.all);
	wb_idmap_free(&k.of);
}

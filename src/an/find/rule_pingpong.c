/* an/find/rule_pingpong.c - pairs of goroutines that wake each other in turn, from one proc or thread to another. */
#include "an/find/find.h"

enum { TURNS_LEAST = 200 };

void an_pingpong_woken(const an_find_span *s, uint32_t wait, an_find_g *waker)
{
	bool turn = waker->woken_by == s->f->id && waker->woken_at && !waker->answered;
	waker->answered |= turn;
	s->g->answered = false;
	uint32_t a = wait + 1, b = waker->woken_at;
	s->g->turn = !turn ? 0 : a < b ? (uint64_t)a << 32 | b : (uint64_t)b << 32 | a;
}

static an_turns *turns_of(an_find *f, uint64_t key)
{
	an_turns *t = &f->rules.pingpong.all[(key * UINT64_C(0x9e3779b97f4a7c15)) >> 56];
	_Static_assert(AN_PAIRS == 256, "eight bits of the hash");
	if (t->n == 0)
		t->key = key;
	return t->key == key ? t : NULL;
}

void an_pingpong_ready_over(an_find *f, const an_find_span *s)
{
	an_turns *t = s->g->turn && s->g->woken_at && s->end ? turns_of(f, s->g->turn) : NULL;
	if (!t)
		return;
	const an_find_g *other = an_g_of(f, s->g->woken_by);
	if (t->n++ == 0) {
		t->g = s->f->id;
		t->group = s->g->group;
		t->other = s->g->woken_by;
		t->other_group = other ? other->group : 0;
		t->stack = f->waits.at[s->g->woken_at - 1].stack;
		t->first_ns = s->from_ns;
	}
	t->across += s->end->p != s->g->woken_p || s->end->m != s->g->woken_m;
	t->ns += s->to_ns - s->from_ns;
	t->last_ns = s->to_ns;
}

static void tell(an_find *f, const an_turns *t)
{
	double x = 100 * (double)t->ns / an_evidence(an_window(f));
	wtr_finding *d = an_found(f, AN_RULE_PINGPONG, AN_FORM_PINGPONG_TURNS, x);
	if (!d)
		return;
	an_found_g(d, "g", t->g);
	an_found_text(d, "name", an_group_name(f, t->group));
	an_found_g(d, "other_g", t->other);
	an_found_text(d, "other_name", an_group_name(f, t->other_group));
	an_found_count(d, "turns", t->n);
	an_found_number(d, "rate", (double)t->n / ((double)an_window(f) / 1e9));
	an_found_percent(d, "across", (double)t->across, (double)t->n);
	an_found_percent(d, "share", (double)t->ns, (double)an_window(f));
	an_found_range(d, t->first_ns, t->last_ns);
	an_found_goroutine(d, t->g, an_group_name(f, t->group), t->first_ns, t->last_ns);
	an_found_goroutine(d, t->other, an_group_name(f, t->other_group), t->first_ns, t->last_ns);
	an_found_stack(d, "waits at", t->stack);
	an_found_of(d, t->n, f->rules.sched.waits.n, "waits for procs");
}

void an_pingpong_report(an_find *f)
{
	for (unsigned i = 0; i < AN_PAIRS; i++) {
		const an_turns *t = &f->rules.pingpong.all[i];
		if (t->n >= TURNS_LEAST && t->across * 2 >= t->n)
			tell(f, t);
	}
}

/* an/find/rule_herd.c - many goroutines woken at once, most of which find nothing to do. */
#include "an/find/find.h"

enum { BURST_LEAST = 8, BURSTS_LEAST = 3, TOGETHER_NS = 50000, FUTILE_NS = 100000 };

/* A burst is over. */
static void count(an_find *f, an_burst *b, bool by_nobody, uint32_t waker)
{
	an_wait *w = b->wait && b->n >= BURST_LEAST ? &f->waits.at[b->wait - 1] : NULL;
	unsigned n = b->n;
	*b = (an_burst){ .from_ns = b->from_ns, .last_ns = b->last_ns };
	if (!w)
		return;
	if (!w->burst_worst && !(w->burst_worst = wb_new(&f->arena, an_worst, 1))) {
		f->follow.oom = true;
		return;
	}
	w->bursts++;
	w->burst_woken += n;
	w->burst_by_nobody += by_nobody;
	w->burst_waker = waker;
	w->burst_most = n > w->burst_most ? n : w->burst_most;
	an_worst_add(w->burst_worst, (an_worst_one){ n, b->from_ns, b->last_ns + 1, WTR_NONE, waker });
}

void an_herd_woken(an_find *f, const an_find_span *s, uint32_t wait, an_find_g *waker)
{
	an_burst *b = waker ? &waker->burst : &f->rules.herd.nobody[(uint64_t)s->end->p % AN_NOBODY];
	bool goes_on = b->wait == wait + 1 && (waker || s->to_ns - b->from_ns < TOGETHER_NS);
	if (!goes_on) {
		count(f, b, !waker, waker ? waker->group : 0);
		*b = (an_burst){ .wait = wait + 1, .from_ns = s->to_ns };
	}
	b->n++;
	b->last_ns = s->to_ns;
	s->g->in_burst = b->n > 1;
}

void an_herd_running_over(an_find *f, const an_find_span *s)
{
	if (s->g->burst.wait)
		count(f, &s->g->burst, false, s->g->group);
}

void an_herd_waits(an_find *f, an_find_g *g, uint32_t wait)
{
	if (g->in_burst && g->woken_at == wait + 1 && g->last_run_ns < FUTILE_NS)
		f->waits.at[wait].futile++;
	g->in_burst = false;
}

/* Whoever is woken by a send or by the network has something to do; a condition is for those who look whether they
 * have. */
static bool is_herd(const an_wait *w)
{
	bool timers = w->cls == WTR_CLASS_SLEEP && w->burst_by_nobody * 2 > w->bursts;
	bool futile = w->call == AN_CALL_COND && w->futile * 2 >= w->burst_woken;
	return w->bursts >= BURSTS_LEAST && (timers || futile);
}

void an_herd_report(an_find *f)
{
	for (unsigned i = 0; i < AN_NOBODY; i++)
		count(f, &f->rules.herd.nobody[i], true, 0);
	for (size_t i = 0; i < f->waits.n; i++) {
		const an_wait *w = &f->waits.at[i];
		bool timers = w->cls == WTR_CLASS_SLEEP;
		double width = w->bursts ? (double)w->burst_woken / (double)w->bursts : 0;
		wtr_finding *d = !is_herd(w) ? NULL
					     : an_found(f, AN_RULE_HERD,
						       timers ? AN_FORM_HERD_TIMERS : AN_FORM_HERD_WOKEN, width);
		if (!d)
			continue;
		d->probable = !timers && !w->exact;
		an_found_count(d, "bursts", w->bursts);
		an_found_number(d, "width", width);
		an_found_count(d, "most", w->burst_most);
		an_found_text(d, "site", an_stack_site(f, w->stack));
		if (!timers)
			an_found_text(d, "name", an_group_name(f, w->burst_waker));
		an_found_percent(d, "futile", (double)w->futile, (double)w->burst_woken);
		an_found_worst(f, d, w->burst_worst);
		an_found_stack(d, "wait at", w->stack);
		an_found_of(d, w->burst_woken, w->n, "waits there");
	}
}

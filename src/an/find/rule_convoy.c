/* an/find/rule_convoy.c - places where goroutines queue for a lock. */
#include "an/find/find.h"

enum { WAITS_LEAST = 20 };

static bool is_queue(const an_wait *w)
{
	return w->cls == WTR_CLASS_LOCK && w->call != AN_CALL_COND && w->call != AN_CALL_GROUP && w->n >= WAITS_LEAST &&
	       w->most >= 2 && w->handed * 4 >= w->n;
}

void an_convoy_report(an_find *f)
{
	uint64_t all = 0;
	for (size_t i = 0; i < f->waits.n; i++)
		all += f->waits.at[i].cls == WTR_CLASS_LOCK ? f->waits.at[i].n : 0;
	for (size_t i = 0; i < f->waits.n; i++) {
		const an_wait *w = &f->waits.at[i];
		double x = (double)w->ns / an_evidence(an_window(f));
		wtr_finding *d = is_queue(w) ? an_found(f, AN_RULE_CONVOY, AN_FORM_CONVOY_QUEUE, x) : NULL;
		if (!d)
			continue;
		d->probable = !w->exact;
		an_found_number(d, "depth", (double)w->ns / (double)an_window(f));
		an_found_count(d, "most", w->most);
		an_found_text(d, "lock", w->object.n ? w->object : (wtr_str){ "the lock", 8 });
		an_found_text(d, "site", an_stack_site(f, w->stack));
		an_found_count(d, "waits", w->n);
		an_found_ns(d, "mean", w->ns / (int64_t)w->n);
		an_found_percent(d, "handed", (double)w->handed, (double)w->n);
		an_found_ns(d, "hold", w->busy_ns / (int64_t)w->n);
		an_found_stack(d, "waits at", w->stack);
		if (w->worst)
			an_found_worst(f, d, w->worst);
		an_found_of(d, w->n, all, "waits for locks");
	}
}

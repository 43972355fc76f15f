/* an/find/rule_syscall.c - how many system calls there are, and what they cost besides their time. */
#include "an/find/find.h"

enum { SHORT_NS = 20000, A_CALL = 20 };

void an_syscall_over(an_find *f, const an_find_span *s)
{
	an_rule_syscall *r = &f->rules.syscall;
	int64_t ns = s->to_ns - s->from_ns;
	an_wait *w = an_wait_at(f, s->f->stack, WTR_CLASS_SYSCALL);
	if (w) {
		w->n++;
		w->ns += ns;
	}
	if (!s->end)
		return;
	r->calls++;
	r->brief += ns < SHORT_NS;
	r->lost += wtr_to(s->end) == WTR_G_RUNNABLE;
	if (wtr_to(s->end) == WTR_G_RUNNABLE)
		an_worst_add(&r->worst, (an_worst_one){ ns, s->from_ns, s->to_ns, s->f->id, s->g->group });
}

void an_syscall_report(an_find *f)
{
	const an_rule_syscall *r = &f->rules.syscall;
	double seconds = an_evidence(an_window(f)) / 1e9;
	double each = (double)r->lost + (double)r->callbacks + (double)r->calls / A_CALL;
	unsigned form = r->callbacks ? AN_FORM_SYSCALL_CALLBACKS : AN_FORM_SYSCALL_CALLS;
	wtr_finding *d = an_found(f, AN_RULE_SYSCALL, form, each / 1000 / seconds);
	const an_wait *most = NULL;
	if (!d)
		return;
	for (size_t i = 0; i < f->waits.n; i++)
		if (f->waits.at[i].cls == WTR_CLASS_SYSCALL && (!most || f->waits.at[i].n > most->n))
			most = &f->waits.at[i];
	an_found_count(d, "calls", r->calls);
	an_found_number(d, "rate", (double)r->calls / ((double)an_window(f) / 1e9));
	an_found_text(d, "site", most ? an_stack_site(f, most->stack) : (wtr_str){ "", 0 });
	an_found_percent(d, "short", (double)r->brief, (double)r->calls);
	an_found_count(d, "lost", r->lost);
	if (r->callbacks)
		an_found_count(d, "callbacks", r->callbacks);
	an_found_worst(f, d, &r->worst);
	if (most)
		an_found_stack(d, "called at", most->stack);
	an_found_of(d, most ? most->n : 0, r->calls, "system calls");
}

/* an/find/rule_rwmutex.c - readers that wait because a writer waits.
 *
 * A trace of Go does not say which lock is meant.  But readers are woken by the writer that they waited for, so the
 * pair is known: what counts is the time in which both waited.
 */
#include "an/find/find.h"

enum { READERS_LEAST = 4 };

static an_rw_pair *pair_of(an_rule_rwmutex *r, uint32_t reader, uint32_t writer)
{
	for (unsigned i = 0; i < r->n; i++)
		if (r->pairs[i].reader == reader && r->pairs[i].writer == writer)
			return &r->pairs[i];
	if (r->n == AN_RW_PAIRS)
		return NULL;
	r->pairs[r->n] = (an_rw_pair){ .reader = reader, .writer = writer };
	return &r->pairs[r->n++];
}

void an_rwmutex_woken(an_find *f, const an_find_span *s, const an_wait *w, const an_find_g *waker)
{
	if (w->call != AN_CALL_RLOCK || waker->writer_at == 0)
		return;
	int64_t from = s->from_ns > waker->writer_from_ns ? s->from_ns : waker->writer_from_ns;
	int64_t to = s->to_ns < waker->writer_to_ns ? s->to_ns : waker->writer_to_ns;
	an_rw_pair *p =
		to > from ? pair_of(&f->rules.rwmutex, (uint32_t)(w - f->waits.at), waker->writer_at - 1) : NULL;
	if (!p)
		return;
	p->n++;
	p->ns += to - from;
	an_worst_add(&p->worst, (an_worst_one){ to - from, from, to, s->f->id, s->g->group });
}

void an_rwmutex_report(an_find *f)
{
	const an_rule_rwmutex *r = &f->rules.rwmutex;
	for (unsigned i = 0; i < r->n; i++) {
		const an_rw_pair *p = &r->pairs[i];
		const an_wait *reader = &f->waits.at[p->reader], *writer = &f->waits.at[p->writer];
		double x = (double)p->ns / an_evidence(an_window(f));
		wtr_finding *d = p->n < READERS_LEAST ? NULL : an_found(f, AN_RULE_RWMUTEX, AN_FORM_RWMUTEX_STARVED, x);
		if (!d)
			continue;
		d->probable = !reader->exact || !writer->exact;
		an_found_count(d, "waits", p->n);
		an_found_text(d, "lock", reader->object.n ? reader->object : (wtr_str){ "what a lock guards", 18 });
		an_found_text(d, "site", an_stack_site(f, reader->stack));
		an_found_text(d, "writer_site", an_stack_site(f, writer->stack));
		an_found_ns(d, "sum", p->ns);
		an_found_ns(d, "longest", p->worst.at[0].ns);
		an_found_count(d, "writers", writer->n);
		an_found_worst(f, d, &p->worst);
		an_found_stack(d, "readers wait at", reader->stack);
		an_found_stack(d, "the writer waits at", writer->stack);
		an_found_of(d, p->n, reader->n, "waits for the read lock");
	}
}

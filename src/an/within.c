/* an/within.c - an index of a part of the time: what was counted before it is forgotten, what is going on counts from
 * its beginning. */
#include <string.h>

#include "an/summary.h"

static void forget_goroutine(an_summary *s, uint32_t g)
{
	an_ghot *h = &s->hot.at[g];
	an_gcold *c = &s->cold.at[g];
	memset(h->sum_ns, 0, sizeof(h->sum_ns));
	h->since_ns = s->from_ns;
	c->count_ns = s->from_ns;
	c->total_ns = 0;
	c->syscall_ns = c->syscall_block_ns = 0;
	c->more_waits = 0; /* the list is left behind: it is short, and dies with the index's making */
	c->n_regions = 0;
	for (uint32_t i = c->ranges; i; i = s->granges.at[i - 1].next) {
		an_grange *r = &s->granges.at[i - 1];
		r->ns = 0;
		r->counted = false;
		if (r->since_ns != WTR_NEVER)
			r->since_ns = s->from_ns;
	}
}

static void forget_the_dead(an_summary *s)
{
	for (size_t i = 0; i < s->goroutines.n; i++) {
		uint64_t id = (uint64_t)s->goroutines.at[i].id;
		if (wb_idmap_get(&s->g_rows, id) == AN_DONE + (uint32_t)i)
			wb_idmap_del(&s->g_rows, id);
	}
	s->goroutines.n = s->block_times.n = s->range_times.n = s->n_dropped = 0;
}

static void forget_ranges(an_summary *s)
{
	for (unsigned i = 0; i < AN_RANGES; i++) {
		wtr_range_sum_row *r = &s->range_sums[i];
		*r = (wtr_range_sum_row){ .open = r->open, .begins = r->open };
		s->global_ranges[i].since_ns = s->from_ns;
	}
	for (size_t i = 0; i < s->range_slots.n; i++)
		s->range_slots.at[i].since_ns = s->from_ns;
}

static void forget_totals(an_summary *s)
{
	const wtr_totals *was = &s->totals;
	s->totals = (wtr_totals){
		.start_ns = was->start_ns,
		.heap_last_bytes = was->heap_last_bytes,
		.goal_last_bytes = was->goal_last_bytes,
	};
	memset(s->g_transitions, 0, sizeof(s->g_transitions));
	memset(s->p_transitions, 0, sizeof(s->p_transitions));
	memset(s->experimental, 0, sizeof(s->experimental));
	for (size_t i = 0; i < s->procs.n; i++) {
		an_proc *p = &s->procs.at[i];
		p->row = (wtr_proc_row){ .id = p->row.id };
		p->since_ns = s->from_ns;
	}
	for (size_t i = 0; i < s->threads.n; i++)
		s->threads.at[i].events = 0;
	for (size_t i = 0; i < s->labels.n; i++)
		s->labels.at[i].n = 0;
	if (s->gomaxprocs.n)
		s->gomaxprocs.at[0] = s->gomaxprocs.at[s->gomaxprocs.n - 1];
	s->gomaxprocs.n = s->gomaxprocs.n ? 1 : 0;
}

void an_within_begin(an_summary *s)
{
	for (uint32_t g = 0; g < s->cold.n; g++)
		if (s->cold.at[g].used)
			forget_goroutine(s, g);
	forget_the_dead(s);
	forget_ranges(s);
	forget_totals(s);
}

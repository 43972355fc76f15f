/* an/kept.c - what a part of a trace says of the time before it (docs/carrier.md): tasks and regions that go on, and
 * where goroutines come from. */
#include "an/summary.h"
#include "read/v2/carried.h"

static uint32_t text_no(an_summary *s, wtr_str text)
{
	uint32_t no = wb_intern_add(&s->texts.all, text.at, text.n);
	s->oom |= no == WB_INTERN_NONE;
	return no == WB_INTERN_NONE ? 0 : no;
}

void an_kept_begin(an_summary *s, const wtr_event *sync)
{
	s->kept = wtr__carrier_of(s->trace, sync->value[0]);
	for (size_t i = 0; s->kept && i < s->kept->tasks.n; i++) {
		const wtr__kept_task *t = &s->kept->tasks.at[i];
		an_task_kept(s, t->id, t->parent ? t->parent : (uint64_t)WTR_NONE, text_no(s, t->name));
	}
}

void an_kept_goroutine(an_summary *s, uint32_t g)
{
	if (!s->kept)
		return;
	size_t n;
	const wtr__kept_origin *o = wtr__carrier_origin(s->kept, s->cold.at[g].id);
	const wtr__kept_region *r = wtr__carrier_regions(s->kept, s->cold.at[g].id, &n);
	if (o) {
		an_g_name(s, g, o->start);
		s->cold.at[g].create_stack = o->create;
	}
	for (size_t i = 0; i < n; i++)
		an_regions_kept(s, g, r[i].task, text_no(s, r[i].name));
}

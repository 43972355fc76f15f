/* edit/cut.c - parts of traces, and whole ones of broken ones; see wtr/edit.h. */
#include <wtr/edit.h>

#include "edit/rewrite.h"
#include "read/source.h"
#include "read/v2/container.h"

/* When a generation begins; false when that cannot be read. */
static bool begins_at(wtr_trace *t, size_t i, int64_t *ret_ns)
{
	wtr_generation g;
	if (!wtr_get_generation(t, i, &g) || t->v2->gens.at[i].ns_per_tick == 0)
		return false;
	*ret_ns = wtr__ns(t->v2->gens.at[i].min_time, t->v2->gens.at[i].ns_per_tick);
	return true;
}

/* The first generation, from 1 on, that begins behind from_ns; 0: not known. */
static size_t generation_behind(wtr_trace *t, int64_t from_ns)
{
	if (!t->v2 || t->opt.damage == WTR_REPAIR)
		return 0;
	size_t low = 0, high = t->v2->gens.n; /* the first that begins behind from_ns is in low .. high */
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int64_t ns;
		if (!begins_at(t, mid, &ns))
			return 0;
		if (ns <= from_ns)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

wtr_code wtr_cut(
	wtr_trace *t, const wtr_cut_options *opt, wtr_write_fn *put, void *user, wtr_edit_result *ret, wtr_error *err)
{
	wtr_cut_options all = { 0 };
	we_part part = { .t = t };
	size_t behind = opt && opt->has_from ? generation_behind(t, opt->from_ns) : 0;
	/* That which holds from_ns, and the one before: times follow on those before, see alone.h. */
	part.first = behind < 2 ? 0 : behind - 2;
	we_job job = { .parts = &part, .n_parts = 1, .cut = opt ? opt : &all, .put = put, .user = user };
	job.one_before = behind >= 2;
	job.whole = t->opt.damage == WTR_REPAIR;
	return we_rewrite(&job, ret, err);
}

wtr_code wtr_repair(wtr_trace *t, wtr_write_fn *put, void *user, wtr_edit_result *ret, wtr_error *err)
{
	we_part part = { .t = t };
	we_job job = { .parts = &part, .n_parts = 1, .whole = true, .put = put, .user = user };
	return we_rewrite(&job, ret, err);
}

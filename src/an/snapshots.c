/* an/snapshots.c - traces beside the median of all: see wtr/snapshots.h. */
#include <wtr/snapshots.h>

#include <math.h>
#include <stdlib.h>

#include <wtr/findings.h>

#include "base/alloc.h"
#include "read/source.h"

static const char *const names[][3] = {
#define NAME(ID, name, unit, doc) { name, unit, doc },
	WTR_TRAITS(NAME)
#undef NAME
};

const char *wtr_trait_name(unsigned trait, const char **ret_unit, const char **ret_doc)
{
	if (trait >= WTR_TRAIT_COUNT)
		return NULL;
	*ret_unit = names[trait][1];
	*ret_doc = names[trait][2];
	return names[trait][0];
}

static void times(const wtr_index *x, double seconds, double *traits)
{
	const wtr_goroutine_row *g = wtr_table_data(x, WTR_TABLE_GOROUTINES);
	for (size_t i = 0; i < wtr_table_rows(x, WTR_TABLE_GOROUTINES); i++) {
		traits[WTR_TRAIT_RUNNING] += (double)g[i].exec_ns / seconds;
		traits[WTR_TRAIT_READY] += (double)g[i].sched_ns / seconds;
		traits[WTR_TRAIT_SYSCALL] += (double)(g[i].syscall_ns + g[i].syscall_block_ns) / seconds;
	}
}

wtr_code wtr_snapshot_make(wtr_trace *t, const wtr_index *x, wtr_snapshot *ret, wtr_error *err)
{
	wtr_snapshot s = { 0 };
	wtr_findings *f;
	wtr_totals all;
	wtr_code rc = wtr_findings_make(t, &(wtr_findings_query){ 0 }, &f, err);
	if (rc != WTR_OK)
		return rc;
	wtr_findings_totals found;
	wtr_findings_get_totals(f, &found);
	wtr_findings_free(f);
	wtr_get_totals(x, &all);
	double seconds = all.end_ns > all.start_ns ? (double)(all.end_ns - all.start_ns) / 1e9 : 1;
	times(x, seconds, s.traits);
	s.traits[WTR_TRAIT_EVENTS] = (double)all.events / seconds;
	s.traits[WTR_TRAIT_GOROUTINES] = (double)all.goroutines;
	s.traits[WTR_TRAIT_MARK] = (double)all.gc_mark_ns / seconds;
	s.traits[WTR_TRAIT_STOPPED] = (double)all.stw_ns / seconds;
	s.traits[WTR_TRAIT_LONGEST] = (double)all.stw_longest_ns;
	s.traits[WTR_TRAIT_HEAP] = (double)all.heap_max_bytes;
	s.traits[WTR_TRAIT_SEVERITY] = found.worst;
	*ret = s;
	return WTR_OK;
}

static int in_order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Sorts them. */
static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), in_order);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void rank_trait(wtr_snapshot *all, size_t n, unsigned trait, double *room)
{
	for (size_t i = 0; i < n; i++)
		room[i] = all[i].traits[trait];
	double middle = median(room, n);
	for (size_t i = 0; i < n; i++)
		room[i] = fabs(all[i].traits[trait] - middle);
	double usual = 1.4826 * median(room, n), least = 0.05 * fabs(middle);
	usual = usual > least ? usual : least;
	for (size_t i = 0; i < n; i++) {
		wtr_snapshot *s = &all[i];
		double off = fabs(s->traits[trait] - middle);
		s->median[trait] = middle;
		s->odd[trait] = off <= 0 ? 0 : usual > 0 ? off / usual : 20; /* what nobody else has at all */
		if (s->odd[trait] <= s->oddness)
			continue;
		s->oddness = s->odd[trait];
		s->most = (wtr_trait)trait;
	}
}

wtr_code wtr_snapshots_rank(wtr_snapshot *all, size_t n, wtr_error *err)
{
	double *room = wb_calloc(n + 1, sizeof(*room));
	if (!room)
		return wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
	for (size_t i = 0; i < n; i++)
		all[i].oddness = 0;
	for (unsigned k = 0; k < WTR_TRAIT_COUNT && n >= 3; k++)
		rank_trait(all, n, k, room);
	wb_free(room);
	return WTR_OK;
}

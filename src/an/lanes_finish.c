/* an/lanes_finish.c - after the last event: strips sealed, late counts, order of lanes, and the way back: freeing. */
#include <stdlib.h>
#include <string.h>

#include "an/lanes.h"

static bool seal(an_lanes *l)
{
	an_store *st = &l->store;
	for (uint32_t i = 0; i < l->n_g; i++)
		if (!an_strip_seal(st, &an_g_at(l, i)->strip, NULL))
			return false;
	for (size_t i = 0; i < l->ps.n; i++)
		if (!an_strip_seal(st, &l->ps.at[i]->strip, NULL))
			return false;
	for (size_t i = 0; i < l->ms.n; i++)
		if (!an_strip_seal(st, &l->ms.at[i]->strip, l->ms.at[i]->sum))
			return false;
	return an_strip_seal(st, &l->gc, NULL) && an_strip_seal(st, &l->stw, NULL);
}

/* Counts a list of late spans in a census. */
static bool count_late(const an_lanes *l, an_census *c, const an_lates *lates, uint32_t list)
{
	if (!list)
		return true;
	an_fix f;
	if (!an_fix_begin(&f, c))
		return false;
	for (uint32_t i = list; i; i = lates->at[i - 1].next) {
		const an_late *late = &lates->at[i - 1];
		const an_strip *s = &an_g_at(l, late->g)->strip;
		if (!s->first)
			continue;
		uint64_t from = late->from < s->first->start ? s->first->start : late->from;
		an_place p;
		if (from >= late->to || !an_strip_find(&l->store, s, from, &p))
			continue;
		do
			an_fix_add(&f, p.start < from ? from : p.start, p.end < late->to ? p.end : late->to,
				l->store.cls[p.what], late->times);
		while (p.end < late->to && an_strip_next(&l->store, &p));
	}
	an_fix_apply(&f);
	return true;
}

static bool end_censuses(an_lanes *l, const an_lates *lates)
{
	uint64_t end = l->store.end;
	for (size_t i = 0; i < l->groups.n; i++) {
		an_group *g = &l->groups.at[i];
		if (!an_census_end(&g->census, end) || !count_late(l, &g->census, lates, g->fixes))
			return false;
	}
	return an_census_sum(&l->all, l->groups.at, l->groups.n, sizeof(*l->groups.at), end);
}

typedef struct key {
	int64_t  create;
	uint32_t row;
} key;

static int by_creation(const void *a, const void *b)
{
	const key *x = a, *y = b;
	if (x->create != y->create)
		return x->create < y->create ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row; /* rows are by id */
}

/* Rows of the goroutines table by group, then by creation. */
static bool put_in_order(an_lanes *l, const wtr_goroutine_row *rows)
{
	uint32_t n = l->n_rows;
	l->order = wb_new(&l->store.arena, uint32_t, n + 1);
	l->first = wb_new(&l->store.arena, uint32_t, l->n_groups + 2);
	key *keys = wb_malloc(((size_t)n + 1) * sizeof(*keys));
	if (!l->order || !l->first || !keys) {
		wb_free(keys);
		return false;
	}
	for (uint32_t i = 0; i < n; i++)
		if (rows[i].group < l->n_groups)
			l->first[rows[i].group + 2]++;
	for (uint32_t g = 0; g < l->n_groups; g++)
		l->first[g + 2] += l->first[g + 1];
	for (uint32_t i = 0; i < n; i++)
		if (rows[i].group < l->n_groups)
			keys[l->first[rows[i].group + 1]++] = (key){ rows[i].create_ns, i };
	for (uint32_t g = 0; g < l->n_groups; g++) {
		uint32_t a = l->first[g], m = l->first[g + 1] - a;
		bool sorted = true;
		for (uint32_t i = 1; i < m && sorted; i++)
			sorted = by_creation(&keys[a + i - 1], &keys[a + i]) < 0;
		if (!sorted)
			qsort(keys + a, m, sizeof(*keys), by_creation);
	}
	for (uint32_t i = 0; i < l->first[l->n_groups]; i++)
		l->order[i] = keys[i].row;
	wb_free(keys);
	return true;
}

/* What belongs together: goroutines and rows, groups and rows. */
static bool map_rows(an_lanes *l, const wtr_goroutine_row *rows)
{
	l->census_of = wb_new(&l->store.arena, uint32_t, l->n_groups + 1);
	l->g_of_row = wb_new(&l->store.arena, uint32_t, l->n_rows + 1);
	if (!l->census_of || !l->g_of_row)
		return false;
	memset(l->census_of, 0xff, l->n_groups * sizeof(*l->census_of));
	for (uint32_t i = 0; i < l->n_g; i++)
		an_g_at(l, i)->row = AN_NO;
	for (uint32_t i = 0; i < l->n_rows; i++) {
		uint32_t gi = wb_idmap_get(&l->g_ids, (uint64_t)rows[i].id);
		l->g_of_row[i] = gi;
		if (gi == WB_IDMAP_NONE)
			continue;
		an_g *g = an_g_at(l, gi);
		g->row = i;
		if (rows[i].group < l->n_groups) {
			l->census_of[rows[i].group] = g->group;
			l->groups.at[g->group].row = rows[i].group;
		}
	}
	return true;
}

bool an_lanes_finish(an_lanes *l, const wtr_index *x, uint64_t end, const an_lates *lates)
{
	const wtr_goroutine_row *rows = x->tables[WTR_TABLE_GOROUTINES].rows;
	size_t n_rows = x->tables[WTR_TABLE_GOROUTINES].n, n_groups = x->tables[WTR_TABLE_GROUPS].n;
	if (n_rows >= AN_NO - 2 || n_groups >= AN_NO - 2)
		return false;
	l->store.end = end;
	l->n_rows = (uint32_t)n_rows;
	l->n_groups = (uint32_t)n_groups;
	return seal(l) && end_censuses(l, lates) && map_rows(l, rows) && put_in_order(l, rows);
}

void an_lanes_free(an_lanes *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->marks.n; i++)
		for (unsigned k = 0; k < AN_MARKS; k++)
			wb_vec_free(&l->marks.at[i].at[k]);
	for (size_t i = 0; i < l->groups.n; i++)
		an_census_free(&l->groups.at[i].census);
	an_census_free(&l->all);
	wb_vec_free(&l->marks);
	wb_vec_free(&l->groups);
	wb_vec_free(&l->gs);
	wb_vec_free(&l->ps);
	wb_vec_free(&l->ms);
	wb_idmap_free(&l->g_ids);
	wb_idmap_free(&l->found_of);
	wb_vec_free(&l->founds);
	wb_idmap_free(&l->p_ids);
	wb_idmap_free(&l->m_ids);
	wb_idmap_free(&l->mark_ids);
	wb_intern_free(&l->texts);
	wb_intern_free(&l->names);
	an_dict_free(&l->dict);
	wb_arena_free(&l->store.arena);
	wb_free(l);
}

size_t wtr_group_goroutines(const wtr_index *x, uint32_t group, size_t first, uint32_t *ret, size_t n)
{
	const an_lanes *l = x->lanes;
	if (!l || group >= l->n_groups)
		return 0;
	size_t have = l->first[group + 1] - l->first[group];
	if (first >= have)
		return 0;
	if (n > have - first)
		n = have - first;
	memcpy(ret, l->order + l->first[group] + first, n * sizeof(*ret));
	return n;
}

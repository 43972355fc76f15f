/* an/gtables.c - goroutines that are over, and the tables of goroutines.
 *
 * A goroutine that ends becomes a row at once and its slot is free for the next one: most goroutines of a large trace
 * are short-lived, so what is touched on the way stays small.  Rows stand in the order of their ends until they are
 * published.
 */
#include "an/summary.h"

#include <stdlib.h>

/* ---- rows ---- */

enum { DROPPED = 255 }; /* in final_state: another goroutine has taken the id since */

static void add_block_rows(an_summary *s, uint32_t g, wtr_goroutine_row *row)
{
	an_stat st;
	an_g_stat(s, g, s->last_ns, &st);
	row->first_block = (uint32_t)s->block_times.n;
	row->n_block = st.n_waits;
	for (unsigned i = 0; i < st.n_waits; i++) {
		row->block_ns += st.wait_ns[i];
		wtr_str reason = an_reason_text(&s->texts, st.wait_reason[i]);
		AN_ADD(s, block_times, (wtr_block_time_row){ 0, reason, st.wait_ns[i] });
	}
}

static void add_range_rows(an_summary *s, uint32_t g, wtr_goroutine_row *row)
{
	row->first_range = (uint32_t)s->range_times.n;
	for (uint32_t i = s->cold.at[g].ranges; i; i = s->granges.at[i - 1].next) {
		const an_grange *r = &s->granges.at[i - 1];
		if (!r->counted)
			continue;
		wtr_str name = an_text(&s->texts, s->texts.range_text[r->no]);
		AN_ADD(s, range_times, (wtr_range_time_row){ 0, name, r->ns });
		row->n_range++;
	}
}

static wtr_goroutine_row row_of(const an_summary *s, uint32_t g)
{
	const an_ghot *h = &s->hot.at[g];
	const an_gcold *c = &s->cold.at[g];
	return (wtr_goroutine_row){
		.id = c->id,
		.name = an_text(&s->texts, c->name),
		.creator = c->creator,
		.create_stack = c->create_stack,
		.entry_stack = c->entry_stack,
		.create_ns = c->create_ns,
		.start_ns = c->start_ns,
		.end_ns = c->end_ns,
		.total_ns = c->total_ns,
		.exec_ns = h->sum_ns[AN_SUM_EXEC],
		.sched_ns = h->sum_ns[AN_SUM_SCHED],
		.syscall_ns = c->syscall_ns,
		.syscall_block_ns = c->syscall_block_ns,
		.n_regions = c->n_regions,
		.group = c->name, /* its number, until there are groups */
		.final_state = h->final_state,
		.final_reason = an_reason_text(&s->texts, h->final_reason),
	};
}

void an_g_unknown(wtr_goroutine_row *r)
{
	int64_t known = r->exec_ns + r->sched_ns + r->syscall_ns + r->syscall_block_ns + r->block_ns;
	r->unknown_ns = known < r->total_ns ? r->total_ns - known : 0;
}

void an_g_retire(an_summary *s, uint32_t g)
{
	wtr_goroutine_row row = row_of(s, g);
	add_block_rows(s, g, &row);
	add_range_rows(s, g, &row);
	an_g_unknown(&row);
	if (s->goroutines.n >= AN_DONE - 1 ||
		!wb_idmap_set(&s->g_rows, (uint64_t)row.id, AN_DONE + (uint32_t)s->goroutines.n)) {
		s->oom = true;
		return;
	}
	if (row.final_state == WTR_G_WAITING && s->cold.at[g].wait && s->parts & WTR_PART_OBJECTS)
		s->oom |= !wb_idmap_set(&s->final_waits, (uint64_t)row.id, s->cold.at[g].wait);
	AN_ADD(s, goroutines, row);
	AN_ADD(s, free_slots, g);
	s->cold.at[g].used = false;
}

void an_g_forget(an_summary *s, uint32_t row)
{
	s->goroutines.at[row].final_state = DROPPED;
	s->n_dropped++;
}

/* Takes out dropped rows and what belongs to them.  Rows and their parts are in the same order, so all of it moves
 * down. */
static void compact(an_summary *s)
{
	size_t n = 0, blocks = 0, ranges = 0;
	for (size_t i = 0; i < s->goroutines.n && s->n_dropped; i++) {
		wtr_goroutine_row r = s->goroutines.at[i];
		if (r.final_state == DROPPED)
			continue;
		uint32_t block = r.first_block, range = r.first_range;
		r.first_block = (uint32_t)blocks;
		r.first_range = (uint32_t)ranges;
		for (uint32_t k = 0; k < r.n_block; k++)
			s->block_times.at[blocks++] = s->block_times.at[block + k];
		for (uint32_t k = 0; k < r.n_range; k++)
			s->range_times.at[ranges++] = s->range_times.at[range + k];
		s->goroutines.at[n++] = r;
	}
	if (!s->n_dropped)
		return;
	s->goroutines.n = n;
	s->block_times.n = blocks;
	s->range_times.n = ranges;
}

/* ---- order ---- */

typedef struct keyed {
	int64_t  id;
	uint32_t row;
} keyed;

static int by_id(const void *a, const void *b)
{
	const keyed *x = a, *y = b;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Brings row order[i].row to place i, for all i. */
static void permute(wtr_goroutine_row *rows, keyed *order, size_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (order[i].row == i)
			continue;
		wtr_goroutine_row first = rows[i];
		for (uint32_t to = i;;) {
			uint32_t from = order[to].row;
			order[to].row = to;
			if (from == i) {
				rows[to] = first;
				break;
			}
			rows[to] = rows[from];
			to = from;
		}
	}
}

static bool sort_rows(an_summary *s)
{
	size_t n = s->goroutines.n;
	keyed *order = wb_calloc(n + 1, sizeof(*order));
	if (!order)
		return false;
	for (size_t i = 0; i < n; i++)
		order[i] = (keyed){ s->goroutines.at[i].id, (uint32_t)i };
	qsort(order, n, sizeof(*order), by_id);
	permute(s->goroutines.at, order, n);
	wb_free(order);
	return true;
}

/* ---- groups ---- */

typedef WB_VEC(wtr_group_row) group_rows;

/* Adds a goroutine to the group of its start function; `rows_of` maps name numbers to rows. */
static bool add_to_group(wb_idmap *rows_of, group_rows *out, wtr_goroutine_row *r)
{
	uint32_t name = r->group, i = wb_idmap_get(rows_of, name);
	if (i == WB_IDMAP_NONE) {
		i = (uint32_t)out->n;
		if (!wb_vec_add(out, (wtr_group_row){ .name = r->name }) || !wb_idmap_set(rows_of, name, i))
			return false;
	}
	wtr_group_row *g = &out->at[i];
	g->n++;
	g->total_ns += r->total_ns;
	g->exec_ns += r->exec_ns;
	g->sched_ns += r->sched_ns;
	g->syscall_ns += r->syscall_ns;
	g->syscall_block_ns += r->syscall_block_ns;
	g->block_ns += r->block_ns;
	g->unknown_ns += r->unknown_ns;
	r->group = i;
	return true;
}

typedef struct ordered_group {
	wtr_group_row row;
	uint32_t      was;
} ordered_group;

static int by_exec(const void *a, const void *b)
{
	const wtr_group_row *x = &((const ordered_group *)a)->row, *y = &((const ordered_group *)b)->row;
	if (x->exec_ns != y->exec_ns)
		return x->exec_ns > y->exec_ns ? -1 : 1;
	return an_text_order(x->name, y->name);
}

static bool sort_groups(group_rows *groups, an_summary *s)
{
	ordered_group *order = wb_calloc(groups->n + 1, sizeof(*order));
	uint32_t *place = wb_calloc(groups->n + 1, sizeof(*place));
	bool ok = order && place;
	if (ok) {
		for (size_t i = 0; i < groups->n; i++)
			order[i] = (ordered_group){ groups->at[i], (uint32_t)i };
		qsort(order, groups->n, sizeof(*order), by_exec);
		for (size_t i = 0; i < groups->n; i++) {
			groups->at[i] = order[i].row;
			place[order[i].was] = (uint32_t)i;
		}
		for (size_t i = 0; i < s->goroutines.n; i++)
			s->goroutines.at[i].group = place[s->goroutines.at[i].group];
	}
	wb_free(order);
	wb_free(place);
	return ok;
}

static bool publish_groups(an_summary *s, wtr_index *x)
{
	group_rows groups = { 0 };
	wb_idmap rows_of = { 0 };
	bool ok = true;
	for (size_t i = 0; ok && i < s->goroutines.n; i++)
		ok = add_to_group(&rows_of, &groups, &s->goroutines.at[i]);
	ok = ok && sort_groups(&groups, s);
	wb_idmap_free(&rows_of);
	AN_PUBLISH(x, GROUPS, &groups);
	return ok;
}

/* ---- tables ---- */

static int by_wait(const void *a, const void *b)
{
	const wtr_block_time_row *x = a, *y = b;
	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return an_text_order(x->reason, y->reason);
}

static int by_range(const void *a, const void *b)
{
	const wtr_range_time_row *x = a, *y = b;
	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return an_text_order(x->name, y->name);
}

/* What a goroutine spent its time on, most first. */
static void sort_times(an_summary *s, const wtr_goroutine_row *r)
{
	if (r->n_block > 1)
		qsort(s->block_times.at + r->first_block, r->n_block, sizeof(s->block_times.at[0]), by_wait);
	if (r->n_range > 1)
		qsort(s->range_times.at + r->first_range, r->n_range, sizeof(s->range_times.at[0]), by_range);
}

/* Everything that names a row of goroutines by its place. */
static bool number_rows(an_summary *s)
{
	for (uint32_t i = 0; i < s->goroutines.n; i++) {
		const wtr_goroutine_row *r = &s->goroutines.at[i];
		sort_times(s, r);
		for (uint32_t k = 0; k < r->n_block; k++)
			s->block_times.at[r->first_block + k].goroutine = i;
		for (uint32_t k = 0; k < r->n_range; k++)
			s->range_times.at[r->first_range + k].goroutine = i;
		if (!wb_idmap_set(&s->g_rows, (uint64_t)r->id, i))
			return false;
	}
	return true;
}

bool an_g_publish(an_summary *s, wtr_index *x)
{
	compact(s);
	x->totals.goroutines = s->goroutines.n;
	for (size_t i = 0; i < s->goroutines.n; i++)
		x->totals.regions += s->goroutines.at[i].n_regions;
	if (!(s->parts & (WTR_PART_GOROUTINES | WTR_PART_EVENTS | WTR_PART_LANES)))
		return true;
	if (!sort_rows(s) || !number_rows(s) || !an_notes_publish(s, x) || !publish_groups(s, x))
		return false;
	x->goroutine_rows = s->g_rows;
	s->g_rows = (wb_idmap){ 0 };
	x->final_waits = s->final_waits;
	s->final_waits = (wb_idmap){ 0 };
	AN_PUBLISH(x, GOROUTINES, &s->goroutines);
	AN_PUBLISH(x, BLOCK_TIMES, &s->block_times);
	AN_PUBLISH(x, RANGE_TIMES, &s->range_times);
	return true;
}

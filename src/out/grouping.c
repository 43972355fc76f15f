/* out/grouping.c - see grouping.h. */
#include "out/grouping.h"

#include "base/intern.h"

static wtr_str group_name(const wtr_trace *t, const wtr_goroutine_row *g, out_group_by by)
{
	if (by == OUT_BY_START)
		return g->name;
	if (by == OUT_BY_STATE) {
		const char *s = wtr_gstate_name(g->final_state);
		return (wtr_str){ s, __builtin_strlen(s) };
	}
	wtr_frame f;
	return wtr_stack(t, g->create_stack, &f, 1) ? f.func : (wtr_str){ "", 0 };
}

static void add(out_group *sum, const wtr_goroutine_row *g)
{
	sum->n++;
	sum->first_id = sum->n == 1 || g->id < sum->first_id ? g->id : sum->first_id;
	sum->total_ns += g->total_ns;
	sum->exec_ns += g->exec_ns;
	sum->sched_ns += g->sched_ns;
	sum->syscall_ns += g->syscall_ns;
	sum->syscall_block_ns += g->syscall_block_ns;
	sum->block_ns += g->block_ns;
	sum->unknown_ns += g->unknown_ns;
}

size_t out_group_goroutines(
	const wtr_trace *t, const wtr_index *x, wtr_where *where, out_group_by by, wb_arena *a, out_group **ret)
{
	const wtr_goroutine_row *g = wtr_table_data(x, WTR_TABLE_GOROUTINES);
	size_t n = wtr_table_rows(x, WTR_TABLE_GOROUTINES), n_groups = 0;
	wb_intern names = { 0 };
	uint32_t *number = wb_new(a, uint32_t, n ? n : 1);
	for (size_t i = 0; number && i < n; i++) {
		number[i] = WB_INTERN_NONE;
		if (!wtr_where_goroutine(where, &g[i]))
			continue;
		wtr_str s = group_name(t, &g[i], by);
		number[i] = wb_intern_add(&names, s.at, s.n);
		a->failed |= number[i] == WB_INTERN_NONE;
		if (number[i] + (size_t)1 > n_groups)
			n_groups = number[i] + (size_t)1;
	}
	out_group *rows = a->failed ? NULL : wb_new(a, out_group, n_groups ? n_groups : 1);
	for (size_t i = 0; rows && i < n; i++) {
		if (number[i] == WB_INTERN_NONE)
			continue;
		rows[number[i]].name = group_name(t, &g[i], by);
		add(&rows[number[i]], &g[i]);
	}
	wb_intern_free(&names);
	if (!rows)
		return 0;
	size_t kept = 0; /* number 0 is the empty name, which may be nobody's */
	for (size_t i = 0; i < n_groups; i++)
		if (rows[i].n)
			rows[kept++] = rows[i];
	*ret = rows;
	return kept;
}

/* out/goroutines.c - see goroutines.h. */
#include "out/goroutines.h"

#include <stdlib.h>
#include <string.h>

#include "out/objects.h"

/* ---- rows ---- */

static int by_key(const void *a, const void *b)
{
	const out_row *x = a, *y = b;
	if (x->key != y->key)
		return x->key > y->key ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static int by_name(const void *a, const void *b)
{
	const out_row *x = a, *y = b;
	size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
	int c = n ? memcmp(x->name.at, y->name.at, n) : 0;
	if (c)
		return c;
	return x->name.n != y->name.n ? (x->name.n < y->name.n ? -1 : 1) : by_key(a, b);
}

static int64_t sort_key(out_sort sort, const out_sums *s, uint64_t count, int64_t id, int64_t create)
{
	const int64_t keys[] = {
		[OUT_SORT_EXEC] = s->exec_ns, [OUT_SORT_SCHED] = s->sched_ns, [OUT_SORT_BLOCK] = s->block_ns,
		[OUT_SORT_SYSCALL] = s->syscall_ns + s->syscall_block_ns, [OUT_SORT_TOTAL] = s->total_ns,
		[OUT_SORT_COUNT] = (int64_t)count, [OUT_SORT_NAME] = 0, [OUT_SORT_ID] = -id,
		[OUT_SORT_CREATE] = -create,
	};
	return keys[sort];
}

static out_row of_goroutine(const wtr_goroutine_row *g, out_sort sort)
{
	int64_t created = g->create_ns == WTR_NEVER ? INT64_MAX : g->create_ns;
	return (out_row){ .g = g, .name = g->name, .id = g->id, .key = sort_key(sort, OUT_SUMS(g), 1, g->id, created) };
}

static out_row of_group(const out_group *g, out_sort sort)
{
	int64_t key = sort_key(sort, OUT_SUMS(g), g->n, g->first_id, g->first_id);
	return (out_row){ .group = g, .name = g->name, .id = g->first_id, .key = key };
}

out_row *out_goroutine_rows(const wtr_trace *t, const wtr_index *x, wtr_where *where, const out_group_by *by,
	out_sort sort, wb_arena *a, size_t *ret_n)
{
	const wtr_goroutine_row *g = wtr_table_data(x, WTR_TABLE_GOROUTINES);
	out_group *groups = NULL;
	size_t n = wtr_table_rows(x, WTR_TABLE_GOROUTINES), kept = 0;
	if (by)
		n = out_group_goroutines(t, x, where, *by, a, &groups);
	out_row *rows = a->failed ? NULL : wb_new(a, out_row, n ? n : 1);
	for (size_t i = 0; rows && i < n; i++)
		if (groups)
			rows[kept++] = of_group(&groups[i], sort);
		else if (wtr_where_goroutine(where, &g[i]))
			rows[kept++] = of_goroutine(&g[i], sort);
	if (rows)
		qsort(rows, kept, sizeof(*rows), sort == OUT_SORT_NAME ? by_name : by_key);
	*ret_n = kept;
	return rows;
}

/* ---- JSON ---- */

void out_sums_json(out_json *j, const out_sums *s)
{
	out_json_put_i64(j, "total_ns", s->total_ns);
	out_json_put_i64(j, "exec_ns", s->exec_ns);
	out_json_put_i64(j, "sched_ns", s->sched_ns);
	out_json_put_i64(j, "block_ns", s->block_ns);
	out_json_put_i64(j, "syscall_ns", s->syscall_ns);
	out_json_put_i64(j, "syscall_block_ns", s->syscall_block_ns);
	out_json_put_i64(j, "unknown_ns", s->unknown_ns);
}

static void reasons_json(out_json *j, const wtr_index *x, const wtr_goroutine_row *g)
{
	const wtr_block_time_row *blocks = wtr_table_data(x, WTR_TABLE_BLOCK_TIMES);
	const wtr_range_time_row *ranges = wtr_table_data(x, WTR_TABLE_RANGE_TIMES);
	out_json_key(j, "block_by_reason");
	out_json_array(j);
	for (uint32_t i = 0; i < g->n_block; i++) {
		out_json_object(j);
		out_json_put_str(j, "reason", blocks[g->first_block + i].reason);
		out_json_put_i64(j, "ns", blocks[g->first_block + i].ns);
		out_json_object_end(j);
	}
	out_json_array_end(j);
	out_json_key(j, "ranges");
	out_json_array(j);
	for (uint32_t i = 0; i < g->n_range; i++) {
		out_json_object(j);
		out_json_put_str(j, "name", ranges[g->first_range + i].name);
		out_json_put_i64(j, "ns", ranges[g->first_range + i].ns);
		out_json_object_end(j);
	}
	out_json_array_end(j);
}

size_t out_final_objects(
	const wtr_trace *t, const wtr_index *x, const wtr_goroutine_row *g, wtr_object *ret, size_t n)
{
	uint32_t wait = g->final_state == WTR_G_WAITING ? wtr_goroutine_wait(x, g->id) : 0;
	return wait ? wtr_wait_objects(t, wait, ret, n) : 0;
}

static void goroutine_json(
	out_json *j, const wtr_trace *t, const wtr_index *x, const wtr_goroutine_row *g, int64_t start_ns)
{
	out_json_object(j);
	out_json_put_i64(j, "id", g->id);
	out_json_put_str(j, "name", g->name);
	out_json_put_id(j, "creator", g->creator);
	out_json_put_ns(j, "create_ns", g->create_ns, start_ns);
	out_json_put_ns(j, "start_ns", g->start_ns, start_ns);
	out_json_put_ns(j, "end_ns", g->end_ns, start_ns);
	out_sums_json(j, OUT_SUMS(g));
	reasons_json(j, x, g);
	out_json_put_text(j, "state", wtr_gstate_name(g->final_state));
	out_json_put_str(j, "reason", g->final_reason);
	wtr_object o[WTR_WAIT_OBJECTS_MAX];
	size_t n = out_final_objects(t, x, g, o, WTR_WAIT_OBJECTS_MAX);
	if (n) {
		out_json_key(j, "objects");
		out_objects_json(j, o, n);
	}
	out_json_object_end(j);
}

static void group_json(out_json *j, const out_group *g)
{
	out_json_object(j);
	out_json_put_str(j, "name", g->name);
	out_json_put_u64(j, "n", g->n);
	out_sums_json(j, OUT_SUMS(g));
	out_json_object_end(j);
}

void out_row_json(out_json *j, const wtr_trace *t, const wtr_index *x, const out_row *r, int64_t start_ns)
{
	if (r->group)
		group_json(j, r->group);
	else
		goroutine_json(j, t, x, r->g, start_ns);
}

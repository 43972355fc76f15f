/* cli/cmd_goroutines.c - where goroutines, or groups of them, spent their time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "out/grouping.h"
#include "out/json.h"
#include "out/table.h"
#include "out/units.h"

enum { SORT_EXEC, SORT_SCHED, SORT_BLOCK, SORT_SYSCALL, SORT_TOTAL, SORT_COUNT, SORT_NAME, SORT_ID, SORT_CREATE };
enum { ROWS_SHOWN = 30 };

/* One row to print: a goroutine or a group, with what it is sorted by. */
typedef struct row {
	const wtr_goroutine_row *g;  /* one of these two */
	const out_group         *group;
	int64_t                  key; /* most first */
	wtr_str                  name;
	int64_t                  id;
} row;

static int by_key(const void *a, const void *b)
{
	const row *x = a, *y = b;
	if (x->key != y->key)
		return x->key > y->key ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static int by_name(const void *a, const void *b)
{
	const row *x = a, *y = b;
	size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
	int c = n ? memcmp(x->name.at, y->name.at, n) : 0;
	if (c)
		return c;
	return x->name.n != y->name.n ? (x->name.n < y->name.n ? -1 : 1) : by_key(a, b);
}

static int64_t sort_key(unsigned sort, const cli_sums *s, uint64_t count, int64_t id, int64_t create)
{
	const int64_t keys[] = {
		[SORT_EXEC] = s->exec_ns, [SORT_SCHED] = s->sched_ns, [SORT_BLOCK] = s->block_ns,
		[SORT_SYSCALL] = s->syscall_ns + s->syscall_block_ns, [SORT_TOTAL] = s->total_ns,
		[SORT_COUNT] = (int64_t)count, [SORT_NAME] = 0, [SORT_ID] = -id, [SORT_CREATE] = -create,
	};
	return keys[sort];
}

static row of_goroutine(const wtr_goroutine_row *g, unsigned sort)
{
	int64_t created = g->create_ns == WTR_NEVER ? INT64_MAX : g->create_ns;
	return (row){ .g = g, .name = g->name, .id = g->id, .key = sort_key(sort, CLI_SUMS(g), 1, g->id, created) };
}

static row of_group(const out_group *g, unsigned sort)
{
	int64_t key = sort_key(sort, CLI_SUMS(g), g->n, g->first_id, g->first_id);
	return (row){ .group = g, .name = g->name, .id = g->first_id, .key = key };
}

/* All rows, sorted; their number in *ret_n.  NULL: out of memory. */
static row *make_rows(
	const cli_args *a, cli_scope *scope, const wtr_trace *t, const wtr_index *x, wb_arena *arena, size_t *ret_n)
{
	unsigned sort = cli_choice(a, CLI_OPT_SORT, SORT_EXEC);
	const wtr_goroutine_row *g = wtr_table_data(x, WTR_TABLE_GOROUTINES);
	out_group *groups = NULL;
	size_t n = wtr_table_rows(x, WTR_TABLE_GOROUTINES);
	if (cli_has(a, CLI_OPT_GROUP_BY))
		n = out_group_goroutines(
			t, x, scope->where, (out_group_by)cli_choice(a, CLI_OPT_GROUP_BY, 0), arena, &groups);
	row *rows = arena->failed ? NULL : wb_new(arena, row, n ? n : 1);
	size_t kept = 0;
	for (size_t i = 0; rows && i < n; i++)
		if (groups)
			rows[kept++] = of_group(&groups[i], sort);
		else if (wtr_where_goroutine(scope->where, &g[i]))
			rows[kept++] = of_goroutine(&g[i], sort);
	n = kept;
	if (rows)
		qsort(rows, n, sizeof(*rows), sort == SORT_NAME ? by_name : by_key);
	*ret_n = n;
	return rows;
}

/* ---- text ---- */

static void state_cell(out_table *t, const wtr_goroutine_row *g)
{
	wb_buf *cell = out_cell(t, "");
	wb_buf_puts(cell, g->final_state == WTR_G_NOTEXIST ? "ended" : wtr_gstate_name(g->final_state));
	if (g->final_state == WTR_G_WAITING && g->final_reason.n) {
		wb_buf_puts(cell, ": ");
		out_clean(cell, g->final_reason.at, g->final_reason.n);
	}
}

static void text_rows(wb_buf *b, const row *rows, size_t n, size_t shown, bool groups, unsigned by, int64_t start_ns)
{
	static const char *const titles[] = { "start function", "created by", "state at the end" };
	out_table t = { .n_columns = groups ? 7 : 9, .columns = {
		{ groups ? "goroutines" : "id", OUT_RIGHT }, { "exec", OUT_RIGHT }, { "sched", OUT_RIGHT },
		{ "block", OUT_RIGHT }, { "syscall", OUT_RIGHT }, { "total", OUT_RIGHT },
		{ groups ? titles[by] : "created", groups ? OUT_LEFT : OUT_RIGHT }, { "at the end", OUT_LEFT },
		{ "start function", OUT_LEFT } } };
	for (size_t i = 0; i < shown; i++) {
		const wtr_goroutine_row *g = rows[i].g;
		const out_group *s = rows[i].group;
		if (s) {
			out_count(out_cell(&t, ""), s->n);
			cli_times(&t, CLI_SUMS(s));
			cli_name(&t, s->name);
		} else {
			wb_buf_i64(out_cell(&t, ""), g->id);
			cli_times(&t, CLI_SUMS(g));
			wb_buf *cell = out_cell(&t, "");
			if (g->create_ns == WTR_NEVER)
				wb_buf_putc(cell, '-');
			else
				out_duration(cell, g->create_ns - start_ns);
			state_cell(&t, g);
			cli_name(&t, g->name);
		}
	}
	out_table_print(&t, b, "", cli_styled(CLI_DIM), cli_styled(CLI_PLAIN));
	out_table_free(&t);
	if (n == 0)
		wb_buf_printf(b, "%sno goroutine matches%s\n", cli_styled(CLI_DIM), cli_styled(CLI_PLAIN));
	if (shown < n) {
		wb_buf_puts(b, cli_styled(CLI_DIM));
		out_count(b, n - shown);
		wb_buf_printf(b, " more: --limit=0 shows all%s\n", cli_styled(CLI_PLAIN));
	}
}

/* ---- JSON ---- */

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

static void goroutine_json(out_json *j, const wtr_index *x, const wtr_goroutine_row *g, int64_t start_ns)
{
	out_json_object(j);
	out_json_put_i64(j, "id", g->id);
	out_json_put_str(j, "name", g->name);
	out_json_put_id(j, "creator", g->creator);
	out_json_put_ns(j, "create_ns", g->create_ns, start_ns);
	out_json_put_ns(j, "start_ns", g->start_ns, start_ns);
	out_json_put_ns(j, "end_ns", g->end_ns, start_ns);
	cli_times_json(j, CLI_SUMS(g));
	reasons_json(j, x, g);
	out_json_put_text(j, "state", wtr_gstate_name(g->final_state));
	out_json_put_str(j, "reason", g->final_reason);
	out_json_object_end(j);
}

static void group_json(out_json *j, const out_group *g)
{
	out_json_object(j);
	out_json_put_str(j, "name", g->name);
	out_json_put_u64(j, "n", g->n);
	cli_times_json(j, CLI_SUMS(g));
	out_json_object_end(j);
}

static int print_json(const cli_args *a, const cli_scope *scope, const wtr_index *x, const row *rows, size_t n,
	size_t shown, int64_t start_ns)
{
	wb_buf b = { 0 };
	out_json j;
	out_json_to_buf(&j, &b, OUT_JSON_PRETTY);
	out_json_object(&j);
	out_json_put_text(&j, "group_by", a->values[CLI_OPT_GROUP_BY]);
	cli_scope_json(&j, scope, start_ns);
	out_json_put_u64(&j, "rows", n);
	out_json_key(&j, cli_has(a, CLI_OPT_GROUP_BY) ? "groups" : "goroutines");
	out_json_array(&j);
	bool written = true;
	for (size_t i = 0; i < shown && written; i++) {
		if (rows[i].group)
			group_json(&j, rows[i].group);
		else
			goroutine_json(&j, x, rows[i].g, start_ns);
		written = cli_flush(&b, false);
	}
	out_json_array_end(&j);
	cli_damage_json(&j, x);
	out_json_object_end(&j);
	if (written)
		return cli_print_json(&j, &b);
	out_json_done(&j);
	wb_buf_free(&b);
	return CLI_UNREADABLE;
}

static int print_rows(const cli_args *a, cli_scope *scope, const wtr_trace *t, const wtr_index *x)
{
	wb_arena arena = { 0 };
	wtr_totals totals;
	size_t n = 0;
	bool json = cli_has(a, CLI_OPT_JSON);
	int rc = CLI_UNREADABLE;
	wtr_get_totals(x, &totals);
	row *rows = make_rows(a, scope, t, x, &arena, &n);
	uint64_t limit = cli_number(a, CLI_OPT_LIMIT, json ? 0 : ROWS_SHOWN);
	size_t shown = limit && limit < n ? (size_t)limit : n;
	if (!rows) {
		fputs("weft: out of memory\n", stderr);
	} else if (json) {
		rc = print_json(a, scope, x, rows, n, shown, totals.start_ns);
	} else {
		wb_buf b = { 0 };
		text_rows(&b, rows, n, shown, cli_has(a, CLI_OPT_GROUP_BY), cli_choice(a, CLI_OPT_GROUP_BY, 0),
			totals.start_ns);
		rc = cli_flush(&b, true) ? CLI_OK : CLI_UNREADABLE;
		wb_buf_free(&b);
	}
	wb_arena_free(&arena);
	return rc;
}

int cli_run_GOROUTINES(const cli_args *a)
{
	wtr_trace *t;
	cli_scope scope;
	int rc = cli_scope_parse(a, WTR_ABOUT_GOROUTINE, &scope);
	if (rc != CLI_OK)
		return rc;
	wtr_index *x = cli_scope_index(&scope, WTR_PART_TOTALS | WTR_PART_GOROUTINES, &t, &rc);
	if (!x) {
		cli_scope_free(&scope);
		return rc;
	}
	rc = print_rows(a, &scope, t, x);
	if (rc == CLI_OK && !cli_has(a, CLI_OPT_JSON))
		cli_warn_damage(a->operands[0], x);
	cli_scope_close(&scope, t, x);
	return rc;
}

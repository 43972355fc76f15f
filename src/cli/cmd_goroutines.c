/* cli/cmd_goroutines.c - where goroutines, or groups of them, spent their time. */
#include <stdio.h>

#include "cli/cli.h"
#include "out/json.h"
#include "out/objects.h"
#include "out/table.h"
#include "out/units.h"

enum { ROWS_SHOWN = 30 };

/* The answer: rows, of which the first `shown` are told. */
typedef struct found {
	const wtr_trace *t;
	const wtr_index *x;
	const out_row *rows;
	size_t n, shown;
	int64_t start_ns;
} found;

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

static void goroutine_cells(out_table *t, const found *f, const wtr_goroutine_row *g, bool objects)
{
	wb_buf_i64(out_cell(t, ""), g->id);
	cli_times(t, OUT_SUMS(g));
	wb_buf *cell = out_cell(t, "");
	if (g->create_ns == WTR_NEVER)
		wb_buf_putc(cell, '-');
	else
		out_duration(cell, g->create_ns - f->start_ns);
	state_cell(t, g);
	if (objects) {
		wtr_object o[WTR_WAIT_OBJECTS_MAX];
		out_wait(out_cell(t, ""), o, out_final_objects(f->t, f->x, g, o, WTR_WAIT_OBJECTS_MAX));
	}
	cli_name(t, g->name);
}

static void group_cells(out_table *t, const out_group *s)
{
	out_count(out_cell(t, ""), s->n);
	cli_times(t, OUT_SUMS(s));
	cli_name(t, s->name);
}

/* Traces of Go never say what a goroutine waits for: no column then. */
static bool any_object(const found *f)
{
	for (size_t i = 0; i < f->shown; i++)
		if (f->rows[i].g && out_final_objects(f->t, f->x, f->rows[i].g, NULL, 0) > 0)
			return true;
	return false;
}

static void text_rows(wb_buf *b, const found *f, bool groups, unsigned by)
{
	static const char *const titles[] = { "start function", "created by", "state at the end" };
	const bool objects = any_object(f);
	out_table t = {
		.columns = { { groups ? "goroutines" : "id", OUT_RIGHT }, { "exec", OUT_RIGHT }, { "sched", OUT_RIGHT },
			{ "block", OUT_RIGHT }, { "syscall", OUT_RIGHT }, { "total", OUT_RIGHT },
			{ groups ? titles[by] : "created", groups ? OUT_NAME : OUT_SPARE }, { "at the end", OUT_NAME },
			{ objects ? "waits for" : "start function", OUT_NAME }, { "start function", OUT_NAME } }
	};
	t.n_columns = groups ? 7 : objects ? 10 : 9;
	for (size_t i = 0; i < f->shown; i++) {
		if (f->rows[i].group)
			group_cells(&t, f->rows[i].group);
		else
			goroutine_cells(&t, f, f->rows[i].g, objects);
	}
	cli_table(b, &t, "");
	out_table_free(&t);
	if (f->n == 0)
		wb_buf_printf(b, "%sno goroutine matches%s\n", cli_styled(CLI_DIM), cli_styled(CLI_PLAIN));
	if (f->shown < f->n) {
		wb_buf_puts(b, cli_styled(CLI_DIM));
		out_count(b, f->n - f->shown);
		wb_buf_printf(b, " more: --limit=0 shows all%s\n", cli_styled(CLI_PLAIN));
	}
}

/* ---- JSON ---- */

static int print_json(const cli_args *a, const cli_scope *scope, const found *f)
{
	wb_buf b = { 0 };
	out_json j;
	out_json_to_buf(&j, &b, OUT_JSON_PRETTY);
	out_json_object(&j);
	out_json_put_text(&j, "group_by", a->values[CLI_OPT_GROUP_BY]);
	cli_scope_json(&j, scope, f->start_ns);
	out_json_put_u64(&j, "rows", f->n);
	out_json_key(&j, cli_has(a, CLI_OPT_GROUP_BY) ? "groups" : "goroutines");
	out_json_array(&j);
	bool written = true;
	for (size_t i = 0; i < f->shown && written; i++) {
		out_row_json(&j, f->t, f->x, &f->rows[i], f->start_ns);
		written = cli_flush(&b, false);
	}
	out_json_array_end(&j);
	cli_damage_json(&j, f->x);
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
	found f = { .t = t, .x = x };
	bool json = cli_has(a, CLI_OPT_JSON);
	int rc = CLI_UNREADABLE;
	wtr_get_totals(x, &totals);
	f.start_ns = totals.start_ns;
	out_group_by by = (out_group_by)cli_choice(a, CLI_OPT_GROUP_BY, 0);
	f.rows = out_goroutine_rows(t, x, scope->where, cli_has(a, CLI_OPT_GROUP_BY) ? &by : NULL,
		(out_sort)cli_choice(a, CLI_OPT_SORT, OUT_SORT_EXEC), &arena, &f.n);
	uint64_t limit = cli_number(a, CLI_OPT_LIMIT, json ? 0 : ROWS_SHOWN);
	f.shown = limit && limit < f.n ? (size_t)limit : f.n;
	if (!f.rows) {
		fputs("weft: out of memory\n", cli_err());
	} else if (json) {
		rc = print_json(a, scope, &f);
	} else {
		wb_buf b = { 0 };
		text_rows(&b, &f, cli_has(a, CLI_OPT_GROUP_BY), by);
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
	wtr_index *x = cli_scope_index(&scope, WTR_PART_TOTALS | WTR_PART_OBJECTS, &t, &rc);
	if (!x) {
		cli_scope_free(&scope);
		return rc;
	}
	rc = print_rows(a, &scope, t, x);
	if (rc == CLI_OK)
		cli_scope_note(&scope, /* once= */ true);
	if (rc == CLI_OK && !cli_has(a, CLI_OPT_JSON))
		cli_warn_damage(a->operands[0], x);
	cli_scope_close(&scope, t, x);
	return rc;
}

/* cli/cmd_counters.c - goroutines by state, heap and procs over time. */
#include <stdio.h>

#include "base/alloc.h"
#include "cli/cli.h"
#include "out/answers.h"
#include "out/units.h"

enum { STEPS_SHOWN = 40, STEPS_MAX = 1000000 };

static void gauge(out_table *t, int64_t v, bool bytes)
{
	wb_buf *cell = out_cell(t, "");
	if (v < 0)
		wb_buf_putc(cell, '-');
	else if (bytes)
		out_bytes(cell, (uint64_t)v);
	else
		out_count(cell, (uint64_t)v);
}

static void text(wb_buf *b, const wtr_counter_step *s, size_t n, int64_t first_ns, int64_t step_ns)
{
	out_table t = { .n_columns = 1, .columns = { { "until", OUT_RIGHT } } };
	for (unsigned c = 0; c < WTR_COUNTER_COUNT; c++) {
		t.columns[t.n_columns].title = wtr_counter_name(c);
		t.columns[t.n_columns++].side = c == WTR_COUNTER_GOMAXPROCS ? OUT_SPARE : OUT_RIGHT;
	}
	for (size_t i = 0; i < n; i++) {
		out_seconds(out_cell(&t, ""), first_ns + step_ns * (int64_t)(i + 1));
		for (unsigned c = 0; c < WTR_COUNTER_COUNT; c++)
			gauge(&t, s[i].last[c], c == WTR_COUNTER_HEAP || c == WTR_COUNTER_GOAL);
	}
	cli_table(b, &t, "");
	out_table_free(&t);
}

static int print(const cli_args *a, const cli_scope *scope, const wtr_counter_step *s, size_t n, int64_t step_ns,
	const wtr_totals *t)
{
	wb_buf b = { 0 };
	int64_t first = scope->from_ns - t->start_ns;
	if (cli_has(a, CLI_OPT_JSON)) {
		out_json j;
		out_json_to_buf(&j, &b, OUT_JSON_PRETTY);
		out_json_object(&j);
		cli_scope_json(&j, scope, t->start_ns);
		out_counters_json(&j, s, n, first, step_ns);
		out_json_key(&j, "ended");
		out_error_json(&j, &t->end);
		out_json_object_end(&j);
		return cli_print_json(&j, &b);
	}
	text(&b, s, n, first, step_ns);
	int rc = cli_flush(&b, true) ? CLI_OK : CLI_UNREADABLE;
	wb_buf_free(&b);
	return rc;
}

static int make(const cli_args *a, cli_scope *scope, wtr_trace *t, const wtr_totals *totals)
{
	int64_t whole = scope->to_ns - scope->from_ns;
	wtr_error err = { 0 };
	if (scope->to_ns > totals->end_ns + 1)
		whole = totals->end_ns + 1 - scope->from_ns;
	int64_t step = cli_length(a, CLI_OPT_STEP, (whole + STEPS_SHOWN - 1) / STEPS_SHOWN);
	step = step > 0 ? step : 1;
	uint64_t n = (uint64_t)((whole + step - 1) / step);
	n = n ? n : 1;
	if (n > STEPS_MAX)
		return cli_usage(
			a->command, "--step: that is %llu steps; %d at most", (unsigned long long)n, STEPS_MAX);
	wtr_counter_step *s = wb_calloc((size_t)n, sizeof(*s));
	if (!s) {
		fputs("weft: out of memory\n", cli_err());
		return CLI_UNREADABLE;
	}
	int rc = CLI_UNREADABLE;
	if (wtr_counters_where(t, scope->where, scope->from_ns, step, (size_t)n, s, NULL, &err) == WTR_OK)
		rc = print(a, scope, s, (size_t)n, step, totals);
	else
		cli_error(a->operands[0], &err);
	wb_free(s);
	return rc;
}

int cli_run_COUNTERS(const cli_args *a)
{
	cli_scope scope;
	wtr_totals totals;
	wtr_trace *t = NULL;
	int rc = cli_scope_parse(a, WTR_ABOUT_GOROUTINE, &scope);
	scope.parts = WTR_PART_GOROUTINES;
	if (rc != CLI_OK)
		return rc;
	wtr_index *x = cli_index(a, WTR_PART_TOTALS | cli_scope_parts(&scope), &t);
	rc = x ? cli_scope_bind(&scope, t, x) : CLI_UNREADABLE;
	if (rc == CLI_OK) {
		wtr_get_totals(x, &totals);
		rc = make(a, &scope, t, &totals);
		if (rc == CLI_OK)
			cli_scope_note(&scope, /* once= */ true);
		if (rc == CLI_OK && !cli_has(a, CLI_OPT_JSON))
			cli_warn_damage(a->operands[0], x);
	}
	cli_scope_free(&scope);
	wtr_index_free(x);
	wtr_close(t);
	return rc;
}

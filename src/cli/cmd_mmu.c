/* cli/cmd_mmu.c - how much time garbage collection leaves to the program. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "out/answers.h"
#include "out/units.h"

enum { WORST_SHOWN = 10 };

/* "stw,assist" (or with |, as go tool trace has it) to bits. */
static bool parse_flags(const cli_args *a, unsigned *ret)
{
	const char *s = a->values[CLI_OPT_FLAGS];
	unsigned bits = 0;
	if (!s) {
		*ret = 1u << WTR_GC_STW | 1u << WTR_GC_BACKGROUND | 1u << WTR_GC_ASSIST;
		return true;
	}
	for (;; s++) {
		size_t n = strcspn(s, ",|");
		unsigned c = 0;
		while (c < WTR_GC_CAUSES &&
			(strlen(wtr_gc_cause_name(c)) != n || memcmp(wtr_gc_cause_name(c), s, n) != 0))
			c++;
		if (c == WTR_GC_CAUSES) {
			cli_usage(a->command, "--flags: '%.*s' is none of stw, background, assist, sweep", (int)n, s);
			return false;
		}
		bits |= 1u << c;
		s += n;
		if (!*s) {
			*ret = bits;
			return true;
		}
	}
}

/* ---- text ---- */

static void percent(out_table *t, double v)
{
	wb_buf_printf(out_cell(t, ""), "%.1f %%", 100 * v);
}

static void causes(out_table *t, const double *lost, unsigned asked)
{
	for (unsigned c = 0; c < WTR_GC_CAUSES; c++)
		if (asked >> c & 1)
			percent(t, lost[c]);
}

static size_t cause_titles(out_table *t, unsigned asked)
{
	for (unsigned c = 0; c < WTR_GC_CAUSES; c++)
		if (asked >> c & 1) {
			t->columns[t->n_columns].title = wtr_gc_cause_name(c);
			t->columns[t->n_columns++].side = OUT_RIGHT;
		}
	return t->n_columns;
}

/* Windows of 100us, 1ms, ... up to the length of the trace. */
static void curve(wb_buf *b, const wtr_mmu *m, const wtr_mmu_query *q)
{
	wtr_mmu_totals all;
	out_table t = { .n_columns = 5,
		.columns = { { "window", OUT_RIGHT }, { "lowest", OUT_RIGHT }, { "0.1 % below", OUT_RIGHT },
			{ "1 % below", OUT_RIGHT }, { "5 % below", OUT_RIGHT } } };
	static const double quantiles[] = { 0.001, 0.01, 0.05 };
	wtr_mmu_get_totals(m, &all);
	cause_titles(&t, q->causes);
	for (int64_t w = 10000; w <= 10000000000; w *= 10) {
		wtr_mmu_window worst = { .utilization = 1 };
		double v[3] = { 0 };
		if (w > all.length_ns)
			break;
		wtr_mmu_worst(m, w, &worst, 1);
		wtr_mmu_quantiles(m, w, quantiles, 3, v);
		out_duration(out_cell(&t, ""), w);
		percent(&t, wtr_mmu_at(m, w));
		for (unsigned i = 0; i < 3; i++)
			percent(&t, v[i]);
		causes(&t, worst.lost, q->causes);
	}
	cli_table(b, &t, "");
	out_table_free(&t);
}

static void worst(
	wb_buf *b, const cli_args *a, const wtr_mmu *m, const wtr_mmu_query *q, int64_t window, int64_t start_ns)
{
	wtr_mmu_window w[OUT_MMU_WORST_MAX];
	size_t limit = (size_t)cli_number(a, CLI_OPT_LIMIT, WORST_SHOWN);
	size_t n = wtr_mmu_worst(m, window, w, limit && limit < OUT_MMU_WORST_MAX ? limit : OUT_MMU_WORST_MAX);
	out_table t = { .n_columns = 2, .columns = { { "from", OUT_RIGHT }, { "left", OUT_RIGHT } } };
	cause_titles(&t, q->causes);
	if (q->per_goroutine) {
		t.columns[t.n_columns].title = "series";
		t.columns[t.n_columns++].side = OUT_RIGHT;
	}
	bool none = n == SIZE_MAX || n == 0;
	if (none && !cli_has(a, CLI_OPT_WINDOW))
		return;
	if (none) {
		wb_buf_puts(b, "\nthere is no window of ");
		out_duration(b, window);
		wb_buf_puts(b, " in it; it may be too long\n");
		return;
	}
	wb_buf_puts(b, "\nthe windows of ");
	out_duration(b, window);
	wb_buf_puts(b, " with the least left, and what took the rest\n\n");
	for (size_t i = 0; i < n; i++) {
		out_seconds(out_cell(&t, ""), w[i].start_ns - start_ns);
		percent(&t, w[i].utilization);
		causes(&t, w[i].lost, q->causes);
		if (q->per_goroutine)
			wb_buf_u64(out_cell(&t, ""), w[i].series);
	}
	cli_table(b, &t, "");
	out_table_free(&t);
}

static void text(
	wb_buf *b, const cli_args *a, const wtr_mmu *m, const wtr_mmu_query *q, int64_t window, int64_t start_ns)
{
	wtr_mmu_totals t;
	wtr_mmu_get_totals(m, &t);
	if (t.series == 0) {
		wb_buf_puts(b, "the trace does not say how many procs there are\n");
		return;
	}
	wb_buf line = { 0 };
	wb_buf_puts(&line, "of ");
	out_duration(&line, t.length_ns);
	wb_buf_puts(&line, " left to the program; lost to");
	const char *comma = "";
	for (unsigned c = 0; c < WTR_GC_CAUSES; c++)
		if (q->causes >> c & 1) {
			wb_buf_printf(&line, "%s %s %.2f %%", comma, wtr_gc_cause_name(c), 100 * t.lost[c]);
			comma = ",";
		}
	wb_buf_printf(b, "%s%.2f %%%s ", cli_styled(CLI_BOLD), 100 * t.mean, cli_styled(CLI_PLAIN));
	cli_wrapped(b, wb_buf_cstr(&line), 8, 8);
	wb_buf_free(&line);
	wb_buf_putc(b, '\n');
	curve(b, m, q);
	worst(b, a, m, q, window, start_ns);
}

static int print(const cli_args *a, const cli_scope *scope, const wtr_mmu *m, const wtr_mmu_query *q, int64_t start_ns)
{
	int64_t window = cli_length(a, CLI_OPT_WINDOW, 10000000);
	wb_buf b = { 0 };
	if (cli_has(a, CLI_OPT_JSON)) {
		out_json j;
		out_json_to_buf(&j, &b, OUT_JSON_PRETTY);
		out_json_object(&j);
		cli_scope_json(&j, scope, start_ns);
		out_mmu_json(&j, m, q, window, (size_t)cli_number(a, CLI_OPT_LIMIT, WORST_SHOWN), start_ns);
		out_json_object_end(&j);
		return cli_print_json(&j, &b);
	}
	text(&b, a, m, q, window, start_ns);
	int rc = cli_flush(&b, true) ? CLI_OK : CLI_UNREADABLE;
	wb_buf_free(&b);
	return rc;
}

static int make(const cli_args *a, cli_scope *scope, wtr_trace *t, wtr_mmu_query *q)
{
	wtr_mmu *m;
	wtr_error err = { 0 };
	wtr_mmu_totals totals;
	q->ranged = scope->ranged;
	q->from_ns = scope->from_ns;
	q->to_ns = scope->to_ns;
	q->where = scope->where;
	wtr_code rc = wtr_mmu_make(t, q, &m, &err);
	cli_progress_done();
	if (rc != WTR_OK) {
		cli_error(a->operands[0], &err);
		return CLI_UNREADABLE;
	}
	wtr_mmu_get_totals(m, &totals);
	int status = cli_scope_recheck(scope, t, &totals.end);
	if (status == CLI_OK)
		status = print(a, scope, m, q, cli_start_ns(t));
	if (status == CLI_OK)
		cli_scope_note(scope, /* once= */ false);
	if (status == CLI_OK && totals.end.code != WTR_OK && !cli_has(a, CLI_OPT_JSON)) {
		cli_error(a->operands[0], &totals.end);
		cli_hint("the answer covers what go tool trace would show of it; --repair takes all that can be read");
	}
	wtr_mmu_free(m);
	return status;
}

int cli_run_MMU(const cli_args *a)
{
	wtr_mmu_query q = { .per_goroutine = cli_has(a, CLI_OPT_PER_GOROUTINE), .as_go = cli_has(a, CLI_OPT_AS_GO) };
	cli_scope scope;
	wtr_trace *t;
	if (!parse_flags(a, &q.causes))
		return CLI_USAGE;
	int rc = cli_scope_parse(a, WTR_ABOUT_GOROUTINE, &scope);
	scope.parts = WTR_PART_GOROUTINES;
	if (rc == CLI_OK && cli_scope_open(&scope, &t, &rc)) {
		rc = make(a, &scope, t, &q);
		cli_scope_close(&scope, t, NULL);
	}
	cli_scope_free(&scope);
	return rc;
}

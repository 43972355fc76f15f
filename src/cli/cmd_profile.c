/* cli/cmd_profile.c - profiles: as a table, as collapsed stacks, or as a file for pprof. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/writing.h"
#include "out/answers.h"
#include "out/pprof.h"
#include "out/units.h"

enum { ROWS_SHOWN = 30 };

static bool find_kind(const char *word, wtr_profile_kind *ret)
{
	for (unsigned k = 0; wtr_profile_name(k); k++)
		if (strcmp(wtr_profile_name(k), word) == 0) {
			*ret = (wtr_profile_kind)k;
			return true;
		}
	return false;
}

static int no_such_kind(const cli_args *a)
{
	wb_buf all = { 0 };
	for (unsigned k = 0; wtr_profile_name(k); k++)
		wb_buf_printf(&all, "%s%s", k ? ", " : "", wtr_profile_name(k));
	int rc = cli_usage(a->command, "there is no profile '%s', but %s", a->operands[0], wb_buf_cstr(&all));
	wb_buf_free(&all);
	return rc;
}

/* ---- the table ---- */

/* What is counted of a record: ns, or how often for kinds without. */
static void value(wb_buf *b, bool has_ns, uint64_t count, int64_t ns)
{
	if (has_ns)
		out_duration(b, ns);
	else
		out_count(b, count);
}

static void share(out_table *t, bool has_ns, uint64_t count, int64_t ns, const wtr_profile_totals *all)
{
	wb_buf *cell = out_cell(t, "");
	double part = has_ns ? (double)ns : (double)count, whole = has_ns ? (double)all->ns : (double)all->count;
	wb_buf_printf(cell, "%.1f %%", whole > 0 ? 100 * part / whole : 0);
}

static void at_once(wb_buf *b, const wtr_profile_totals *t)
{
	out_table table = { .n_columns = 3,
		.columns = { { "at once", OUT_RIGHT }, { "running", OUT_RIGHT }, { "ready", OUT_RIGHT } } };
	double all = t->duration_ns > 0 ? (double)t->duration_ns : 1;
	for (unsigned i = 0; i < WTR_PROFILE_AT_ONCE; i++) {
		if (!t->running_ns[i] && !t->runnable_ns[i])
			continue;
		wb_buf_printf(out_cell(&table, ""), i + 1 < WTR_PROFILE_AT_ONCE ? "%u" : "%u or more", i);
		wb_buf_printf(out_cell(&table, ""), "%.1f %%", 100 * (double)t->running_ns[i] / all);
		wb_buf_printf(out_cell(&table, ""), "%.1f %%", 100 * (double)t->runnable_ns[i] / all);
	}
	cli_table(b, &table, "");
	out_table_free(&table);
	wb_buf_putc(b, '\n');
}

static void head(wb_buf *b, const wtr_profile_totals *t, bool has_ns)
{
	wb_buf_printf(b, "%s%s%s: ", cli_styled(CLI_BOLD), wtr_profile_name(t->kind), cli_styled(CLI_PLAIN));
	if (has_ns) {
		out_duration(b, t->ns);
		wb_buf_puts(b, " in ");
	}
	out_count(b, t->count);
	wb_buf_printf(b, " %s, ", wtr_profile_value(t->kind, 0));
	out_counted(b, t->records, "stack", "stacks");
	wb_buf_puts(b, ", of ");
	out_duration(b, t->duration_ns);
	wb_buf_puts(b, "\n\n");
}

static bool print_top(const cli_args *a, wb_buf *b, const wtr_profile *p)
{
	wtr_profile_totals all;
	size_t n = 0, limit = (size_t)cli_number(a, CLI_OPT_LIMIT, ROWS_SHOWN);
	wtr_profile_get_totals(p, &all);
	wtr_profile_func *f = wtr_profile_funcs(p, &n);
	bool has_ns = wtr_profile_value(all.kind, 1)[0];
	size_t shown = limit && limit < n ? limit : n;
	out_table t = { .n_columns = 6,
		.columns = { { "flat", OUT_RIGHT }, { "", OUT_RIGHT }, { "cum", OUT_RIGHT }, { "", OUT_RIGHT },
			{ has_ns ? wtr_profile_value(all.kind, 0) : "", OUT_RIGHT }, { "function", OUT_NAME } } };
	head(b, &all, has_ns);
	if (all.kind == WTR_PROFILE_ALONE)
		at_once(b, &all);
	for (size_t i = 0; f && i < shown; i++) {
		value(out_cell(&t, ""), has_ns, f[i].flat_count, f[i].flat_ns);
		share(&t, has_ns, f[i].flat_count, f[i].flat_ns, &all);
		value(out_cell(&t, ""), has_ns, f[i].cum_count, f[i].cum_ns);
		share(&t, has_ns, f[i].cum_count, f[i].cum_ns, &all);
		wb_buf *cell = out_cell(&t, "");
		if (has_ns)
			out_count(cell, f[i].cum_count);
		cli_name(&t, f[i].name);
	}
	if (n)
		cli_table(b, &t, "");
	out_table_free(&t);
	if (shown < n) {
		wb_buf_puts(b, cli_styled(CLI_DIM));
		out_count(b, n - shown);
		wb_buf_printf(b, " more: --limit=0 shows all%s\n", cli_styled(CLI_PLAIN));
	}
	wtr_profile_free_funcs(f);
	return f != NULL;
}

/* ---- ways out ---- */

static int write_file(const cli_args *a, const char *path, const wtr_profile *p)
{
	cli_writing w;
	wb_buf b = { 0 };
	int rc = CLI_UNREADABLE;
	if (!out_pprof(&b, p))
		fputs("weft: out of memory\n", cli_err());
	else if (cli_writing_open(a, path, &w, &rc)) {
		cli_writing_put(&w, b.at, b.n);
		rc = cli_writing_close(&w, true) ? CLI_OK : CLI_UNREADABLE;
	}
	wb_buf_free(&b);
	return rc;
}

static int print_json(const cli_args *a, const cli_scope *scope, const wtr_profile *p, int64_t start_ns)
{
	wb_buf b = { 0 };
	out_json j;
	out_json_to_buf(&j, &b, OUT_JSON_PRETTY);
	out_json_object(&j);
	cli_scope_json(&j, scope, start_ns);
	out_profile_json(&j, p, (size_t)cli_number(a, CLI_OPT_LIMIT, 0));
	out_json_object_end(&j);
	return cli_print_json(&j, &b);
}

static int print(const cli_args *a, const cli_scope *scope, const wtr_profile *p, int64_t start_ns)
{
	if (cli_has(a, CLI_OPT_OUTPUT))
		return write_file(a, a->values[CLI_OPT_OUTPUT], p);
	if (cli_has(a, CLI_OPT_JSON))
		return print_json(a, scope, p, start_ns);
	wb_buf b = { 0 };
	if (cli_has(a, CLI_OPT_FLAME))
		out_folded(&b, p);
	else
		b.failed = !print_top(a, &b, p);
	int rc = cli_flush(&b, true) ? CLI_OK : CLI_UNREADABLE;
	wb_buf_free(&b);
	return rc;
}

static void warn(const cli_args *a, const wtr_profile *p)
{
	wtr_profile_totals t;
	wtr_profile_get_totals(p, &t);
	if (t.end.code == WTR_OK || cli_has(a, CLI_OPT_JSON))
		return;
	cli_error(a->operands[1], &t.end);
	cli_hint("the profile covers what go tool trace would show of it; --repair takes all that can be read");
}

static int make(const cli_args *a, cli_scope *scope, wtr_trace *t, wtr_profile_query *q)
{
	wtr_profile *p;
	wtr_error err = { 0 };
	q->ranged = scope->ranged;
	q->from_ns = scope->from_ns;
	q->to_ns = scope->to_ns;
	q->where = scope->where;
	wtr_code rc = wtr_profile_make(t, q, &p, &err);
	cli_progress_done();
	if (rc == WTR_E_USAGE)
		return cli_usage(a->command, "%s", err.what);
	if (rc != WTR_OK) {
		cli_error(a->operands[1], &err);
		return CLI_UNREADABLE;
	}
	wtr_profile_totals totals;
	wtr_profile_get_totals(p, &totals);
	int status = cli_scope_recheck(scope, t, &totals.end);
	if (status == CLI_OK)
		status = print(a, scope, p, cli_has(a, CLI_OPT_RANGE) ? cli_start_ns(t) : 0);
	if (status == CLI_OK) {
		cli_scope_note(scope, /* once= */ true);
		warn(a, p);
	}
	wtr_profile_free(p);
	return status;
}

bool cli_profile_ending(const cli_args *a, wb_buf *ret)
{
	wb_buf_printf(ret, ".%s.pb.gz", a->operands[0]);
	return true;
}

int cli_run_PROFILE(const cli_args *a)
{
	wtr_profile_query q = { 0 };
	cli_scope scope;
	wtr_trace *t;
	if (!find_kind(a->operands[0], &q.kind))
		return no_such_kind(a);
	int rc = cli_scope_parse(a, WTR_ABOUT_SPAN, &scope);
	if (rc == CLI_OK && cli_scope_open(&scope, &t, &rc)) {
		rc = make(a, &scope, t, &q);
		cli_scope_close(&scope, t, NULL);
	}
	cli_scope_free(&scope);
	return rc;
}

int cli_print_pprof(const cli_args *a, const char *path)
{
	wtr_profile_query q = { .kind = (wtr_profile_kind)cli_choice(a, CLI_OPT_PPROF, 0), .as_go = true };
	wtr_profile *p;
	wtr_error err = { 0 };
	wtr_trace *t = cli_open(a);
	if (!t)
		return CLI_NO; /* as Go */
	int rc = CLI_NO;
	if (wtr_profile_make(t, &q, &p, &err) == WTR_OK) {
		rc = write_file(a, "-", p);
		wtr_profile_free(p);
	} else {
		cli_error(path, &err);
	}
	wtr_close(t);
	return rc;
}

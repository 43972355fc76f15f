/* cli/cmd_tasks.c - user tasks and regions: by type with their latencies, or one by one. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "out/answers.h"
#include "out/units.h"

enum { ROWS_SHOWN = 30, BAR = 40 };

typedef struct answer {
	const cli_args *a;
	cli_scope scope;
	wtr_about about;
	wtr_trace *t;
	wtr_index *x;
	wtr_latencies *l;
	int64_t start_ns;
} answer;

static bool regions(const answer *w)
{
	return w->about == WTR_ABOUT_REGION;
}

static void duration(out_table *t, int64_t ns)
{
	out_duration(out_cell(t, ""), ns);
}

static void when(out_table *t, int64_t ns, int64_t start_ns)
{
	wb_buf *cell = out_cell(t, "");
	if (ns == WTR_NEVER)
		wb_buf_putc(cell, '-');
	else
		out_seconds(cell, ns - start_ns);
}

static void name_cell(out_table *t, wtr_str name)
{
	wb_buf *cell = out_cell(t, cli_styled(CLI_BOLD));
	out_clean(cell, name.at, name.n);
}

static void more(wb_buf *b, size_t n)
{
	wb_buf_puts(b, cli_styled(CLI_DIM));
	out_count(b, n);
	wb_buf_printf(b, " more: --limit=0 shows all%s\n", cli_styled(CLI_PLAIN));
}

static size_t shown_of(const cli_args *a, size_t n)
{
	size_t limit = (size_t)cli_number(a, CLI_OPT_LIMIT, ROWS_SHOWN);
	return limit && limit < n ? limit : n;
}

/* ---- types ---- */

static void types(wb_buf *b, const answer *w)
{
	const wtr_latency_group *g;
	size_t n = wtr_latency_groups(w->l, &g), shown = shown_of(w->a, n);
	out_table t = { .n_columns = 8,
		.columns = { { regions(w) ? "regions" : "tasks", OUT_RIGHT }, { "complete", OUT_RIGHT },
			{ "min", OUT_RIGHT }, { "p50", OUT_RIGHT }, { "p90", OUT_RIGHT }, { "p99", OUT_RIGHT },
			{ "max", OUT_RIGHT }, { "type", OUT_NAME } } };
	if (regions(w)) {
		t.columns[t.n_columns].title = "of goroutines that began in";
		t.columns[t.n_columns++].side = OUT_NAME;
	}
	for (size_t i = 0; i < shown; i++) {
		out_count(out_cell(&t, ""), g[i].n);
		out_count(out_cell(&t, ""), g[i].complete);
		duration(&t, g[i].min_ns);
		duration(&t, g[i].p50_ns);
		duration(&t, g[i].p90_ns);
		duration(&t, g[i].p99_ns);
		duration(&t, g[i].max_ns);
		name_cell(&t, g[i].name);
		if (regions(w))
			cli_name(&t, g[i].func);
	}
	if (n)
		cli_table(b, &t, "");
	else
		wb_buf_printf(b, "no %s matches\n", regions(w) ? "region" : "task");
	out_table_free(&t);
	if (shown < n)
		more(b, n - shown);
}

static void histogram(wb_buf *b, const wtr_latency_group *g)
{
	uint32_t most = 1;
	out_table t = { .n_columns = 3, .columns = { { "from", OUT_RIGHT }, { "", OUT_RIGHT }, { "", OUT_LEFT } } };
	for (unsigned k = 0; k < WTR_LATENCY_BUCKETS; k++)
		most = g->buckets[k] > most ? g->buckets[k] : most;
	for (unsigned k = 0; k < WTR_LATENCY_BUCKETS; k++) {
		if (!g->buckets[k])
			continue;
		duration(&t, k ? wtr_latency_bucket_ns(k) : 0);
		out_count(out_cell(&t, ""), g->buckets[k]);
		wb_buf *bar = out_cell(&t, "");
		for (uint64_t i = 0; i < ((uint64_t)g->buckets[k] * BAR + most - 1) / most; i++)
			wb_buf_putc(bar, '#');
	}
	wb_buf name = { 0 };
	out_clean(&name, g->name.at, g->name.n);
	wb_buf_printf(b, "\n%s", cli_styled(CLI_BOLD));
	cli_wrapped(b, wb_buf_cstr(&name), 2, 0);
	wb_buf_puts(b, cli_styled(CLI_PLAIN));
	b->failed |= name.failed;
	wb_buf_free(&name);
	cli_table(b, &t, "  ");
	out_table_free(&t);
}

static void histograms(wb_buf *b, const answer *w)
{
	const wtr_latency_group *g;
	size_t n = wtr_latency_groups(w->l, &g), shown = shown_of(w->a, n);
	for (size_t i = 0; i < shown; i++)
		histogram(b, &g[i]);
}

/* ---- one by one ---- */

static void list_tasks(out_table *t, const answer *w, const uint32_t *rows, size_t n)
{
	const wtr_task_row *tasks = wtr_table_data(w->x, WTR_TABLE_TASKS);
	for (size_t i = 0; i < n; i++) {
		const wtr_task_row *r = &tasks[rows[i]];
		wb_buf_u64(out_cell(t, ""), r->id);
		when(t, r->start_ns, w->start_ns);
		when(t, r->end_ns, w->start_ns);
		duration(t, wtr_latency_ns(w->l, rows[i]));
		out_count(out_cell(t, ""), r->n_goroutines);
		out_count(out_cell(t, ""), r->n_regions);
		out_count(out_cell(t, ""), r->n_logs);
		name_cell(t, r->name);
	}
}

static void list_regions(out_table *t, const answer *w, const uint32_t *rows, size_t n)
{
	const wtr_region_row *all = wtr_table_data(w->x, WTR_TABLE_REGIONS);
	for (size_t i = 0; i < n; i++) {
		const wtr_region_row *r = &all[rows[i]];
		wb_buf_i64(out_cell(t, ""), r->g);
		wb_buf_u64(out_cell(t, ""), r->task);
		when(t, r->start_ns, w->start_ns);
		duration(t, wtr_latency_ns(w->l, rows[i]));
		duration(t, r->exec_ns);
		duration(t, r->sched_ns);
		duration(t, r->total_ns - r->exec_ns - r->sched_ns - r->syscall_ns - r->syscall_block_ns);
		duration(t, r->syscall_ns + r->syscall_block_ns);
		name_cell(t, r->name);
	}
}

static void list(wb_buf *b, const answer *w)
{
	const uint32_t *rows;
	size_t n = wtr_latency_all(w->l, &rows), shown = shown_of(w->a, n);
	out_table tasks = { .n_columns = 8,
		.columns = { { "task", OUT_RIGHT }, { "start", OUT_RIGHT }, { "end", OUT_SPARE }, { "took", OUT_RIGHT },
			{ "goroutines", OUT_RIGHT }, { "regions", OUT_RIGHT }, { "logs", OUT_RIGHT },
			{ "type", OUT_NAME } } };
	out_table of_regions = { .n_columns = 9,
		.columns = { { "goroutine", OUT_RIGHT }, { "task", OUT_RIGHT }, { "start", OUT_RIGHT },
			{ "took", OUT_RIGHT }, { "exec", OUT_RIGHT }, { "sched", OUT_RIGHT }, { "block", OUT_RIGHT },
			{ "syscall", OUT_RIGHT }, { "type", OUT_NAME } } };
	out_table *t = regions(w) ? &of_regions : &tasks;
	if (regions(w))
		list_regions(t, w, rows, shown);
	else
		list_tasks(t, w, rows, shown);
	if (n)
		cli_table(b, t, "");
	else
		wb_buf_printf(b, "no %s matches\n", regions(w) ? "region" : "task");
	out_table_free(t);
	if (shown < n)
		more(b, n - shown);
}

/* Logs of the tasks that match, in time order. */
static void logs(wb_buf *b, const answer *w)
{
	const wtr_log_row *log = wtr_table_data(w->x, WTR_TABLE_LOGS);
	const wtr_task_row *tasks = wtr_table_data(w->x, WTR_TABLE_TASKS);
	const uint32_t *rows;
	size_t n = wtr_table_rows(w->x, WTR_TABLE_LOGS), n_tasks = wtr_latency_all(w->l, &rows), shown = 0;
	out_table t = { .n_columns = 5,
		.columns = { { "time", OUT_RIGHT }, { "task", OUT_RIGHT }, { "goroutine", OUT_RIGHT },
			{ "category", OUT_LEFT }, { "message", OUT_LEFT } } };
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;
		while (k < n_tasks && tasks[rows[k]].id != log[i].task)
			k++;
		if (k == n_tasks)
			continue;
		when(&t, log[i].time_ns, w->start_ns);
		wb_buf_u64(out_cell(&t, ""), log[i].task);
		wb_buf_i64(out_cell(&t, ""), log[i].g);
		wb_buf *cell = out_cell(&t, "");
		out_clean(cell, log[i].category.at, log[i].category.n);
		name_cell(&t, log[i].message);
		shown++;
	}
	if (shown)
		cli_table(b, &t, "");
	else
		wb_buf_puts(b, "no logs\n");
	out_table_free(&t);
}

/* ---- all of it ---- */

static int print(const answer *w)
{
	wb_buf b = { 0 };
	if (cli_has(w->a, CLI_OPT_JSON)) {
		out_json j;
		out_json_to_buf(&j, &b, OUT_JSON_PRETTY);
		out_json_object(&j);
		cli_scope_json(&j, &w->scope, w->start_ns);
		out_latency_json(&j, w->x, w->l, w->about, (size_t)cli_number(w->a, CLI_OPT_LIMIT, 0), w->start_ns);
		cli_damage_json(&j, w->x);
		out_json_object_end(&j);
		return cli_print_json(&j, &b);
	}
	if (cli_has(w->a, CLI_OPT_LOGS) && !regions(w))
		logs(&b, w);
	else if (cli_has(w->a, CLI_OPT_LIST))
		list(&b, w);
	else
		types(&b, w);
	if (cli_has(w->a, CLI_OPT_HISTOGRAM))
		histograms(&b, w);
	int rc = cli_flush(&b, true) ? CLI_OK : CLI_UNREADABLE;
	wb_buf_free(&b);
	if (rc == CLI_OK)
		cli_warn_damage(w->a->operands[0], w->x);
	return rc;
}

static int make(answer *w)
{
	wtr_error err = { 0 };
	wtr_totals totals;
	wtr_latency_query q = { .about = w->about,
		.where = w->scope.where,
		.ranged = w->scope.ranged,
		.from_ns = w->scope.from_ns,
		.to_ns = w->scope.to_ns };
	wtr_get_totals(w->x, &totals);
	w->start_ns = totals.start_ns;
	if (wtr_latency_make(w->t, w->x, &q, &w->l, &err) != WTR_OK) {
		cli_error(w->a->operands[0], &err);
		return CLI_UNREADABLE;
	}
	int rc = print(w);
	if (rc == CLI_OK)
		cli_scope_note(&w->scope, /* once= */ true);
	wtr_latency_free(w->l);
	return rc;
}

static int run(const cli_args *a, wtr_about about)
{
	answer w = { .a = a, .about = about };
	int rc = cli_scope_parse(a, about, &w.scope);
	if (rc != CLI_OK)
		return rc;
	w.x = cli_index(a, WTR_PART_EVENTS | cli_scope_parts(&w.scope), &w.t);
	rc = w.x ? cli_scope_bind(&w.scope, w.t, w.x) : CLI_UNREADABLE;
	if (rc == CLI_OK)
		rc = make(&w);
	cli_scope_free(&w.scope);
	wtr_index_free(w.x);
	wtr_close(w.t);
	return rc;
}

int cli_run_TASKS(const cli_args *a)
{
	return run(a, WTR_ABOUT_TASK);
}

int cli_run_REGIONS(const cli_args *a)
{
	return run(a, WTR_ABOUT_REGION);
}

/* cli/cmd_summary.c - a trace on one screen. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/findings.h"
#include "out/finding.h"
#include "out/gotext.h"
#include "out/grouping.h"
#include "out/table.h"
#include "out/units.h"

enum { GROUPS_SHOWN = 10, FINDINGS_SHOWN = 3 };

typedef struct summary {
	const char *path;
	wtr_info info;
	wtr_totals totals;
	const wtr_index *x;
	wtr_findings *found; /* NULL with a filter: they are not about goroutines as a whole */
	out_group *groups;
	cli_scope scope;
	wb_arena arena;
	size_t n_groups, shown;
} summary;

/* ---- text ---- */

static void label(wb_buf *b, const char *name)
{
	size_t from = b->n;
	wb_buf_puts(b, "  ");
	wb_buf_puts(b, name);
	out_pad(b, from, 15);
}

static void put_share(wb_buf *b, int64_t part, int64_t whole)
{
	if (whole > 0)
		wb_buf_printf(b, " (%.3g %%)", 100 * (double)part / (double)whole);
}

/* Who wrote it, how large it is and how it was read. */
static void file_line(wb_buf *b, const summary *s)
{
	wb_buf_printf(b, "%s, ", s->info.written_by);
	out_bytes(b, s->info.file_bytes);
	if (strcmp(s->info.compression, "none") != 0) {
		wb_buf_printf(b, " %s, ", s->info.compression);
		out_bytes(b, s->info.trace_bytes);
		wb_buf_puts(b, " inflated");
	}
	wb_buf_puts(b, ", ");
	if (s->info.version >= 22) {
		out_counted(b, s->info.generations, "generation", "generations");
		wb_buf_puts(b, ", ");
	}
}

static void head(wb_buf *b, const summary *s)
{
	const char *path = cli_path(s->path),
		   *how = s->totals.end.code == WTR_OK ? "read to its end" : "damaged: see below";
	wb_buf line = { 0 };
	file_line(&line, s);
	size_t width = out_width(path, strlen(path)) + 2 + out_width(line.at, line.n) + strlen(how);
	bool two = cli_columns() && width > cli_columns();
	wb_buf_printf(b, "%s%s%s%s%s%s%s%s\n\n", cli_styled(CLI_BOLD), path, cli_styled(CLI_PLAIN), two ? "\n  " : "  ",
		wb_buf_cstr(&line), cli_styled(s->totals.end.code == WTR_OK ? CLI_GREEN : CLI_RED), how,
		cli_styled(CLI_PLAIN));
	b->failed |= line.failed;
	wb_buf_free(&line);
}

static void span(wb_buf *b, const summary *s)
{
	const wtr_totals *t = &s->totals;
	label(b, "span");
	out_duration(b, t->to_ns - t->from_ns);
	if (s->scope.ranged) {
		wb_buf_puts(b, " from ");
		out_seconds(b, t->from_ns - t->start_ns);
		wb_buf_puts(b, " to ");
		out_seconds(b, t->to_ns - t->start_ns);
	}
	if (t->has_wall) {
		wb_buf_puts(b, s->scope.ranged ? ", " : " from ");
		out_rfc3339(b, t->wall_start_ns + (t->from_ns - t->start_ns));
	}
	wb_buf_putc(b, '\n');
	label(b, "events");
	out_count(b, t->events);
	if (t->cpu_samples) {
		wb_buf_puts(b, ", with ");
		out_counted(b, t->cpu_samples, "CPU sample", "CPU samples");
	}
	wb_buf_putc(b, '\n');
}

static void actors(wb_buf *b, const summary *s)
{
	const wtr_totals *t = &s->totals;
	const wtr_gomaxprocs_row *g = wtr_table_data(s->x, WTR_TABLE_GOMAXPROCS);
	size_t n = wtr_table_rows(s->x, WTR_TABLE_GOMAXPROCS);
	label(b, "goroutines");
	uint64_t n_goroutines = 0;
	for (size_t i = 0; i < s->n_groups; i++)
		n_goroutines += s->groups[i].n;
	out_count(b, n_goroutines);
	wb_buf_puts(b, " in ");
	out_counted(b, s->n_groups, "group", "groups");
	wb_buf_puts(b, "; ");
	out_counted(b, t->procs, "proc", "procs");
	if (n) {
		wb_buf_puts(b, ", GOMAXPROCS ");
		for (size_t i = 0; i < n && i < 5; i++) {
			wb_buf_puts(b, i ? " then " : "");
			wb_buf_u64(b, g[i].value);
		}
		wb_buf_puts(b, n > 5 ? " ..." : "");
	}
	wb_buf_puts(b, "; ");
	out_counted(b, t->threads, "thread", "threads");
	wb_buf_putc(b, '\n');
}

static void pauses(wb_buf *b, const summary *s)
{
	const wtr_totals *t = &s->totals;
	int64_t whole = t->to_ns - t->from_ns;
	label(b, "GC");
	if (t->gc_count == 0) {
		wb_buf_puts(b, "none");
	} else {
		out_counted(b, t->gc_count, "mark phase", "mark phases");
		wb_buf_puts(b, ", ");
		out_duration(b, t->gc_mark_ns);
		put_share(b, t->gc_mark_ns, whole);
	}
	wb_buf_putc(b, '\n');
	label(b, "pauses");
	if (t->stw_count == 0) {
		wb_buf_puts(b, "none");
	} else {
		out_counted(b, t->stw_count, "stop-the-world", "stop-the-worlds");
		wb_buf_puts(b, ", ");
		out_duration(b, t->stw_ns);
		put_share(b, t->stw_ns, whole);
		wb_buf_puts(b, ", longest ");
		out_duration(b, t->stw_longest_ns);
	}
	wb_buf_putc(b, '\n');
	if (t->heap_samples) {
		label(b, "heap");
		out_bytes(b, t->heap_max_bytes);
		wb_buf_puts(b, " at most, ");
		out_bytes(b, t->heap_last_bytes);
		wb_buf_puts(b, " at the end");
		if (t->goal_samples) {
			wb_buf_puts(b, "; goal ");
			out_bytes(b, t->goal_last_bytes);
		}
		wb_buf_putc(b, '\n');
	}
}

static void annotations(wb_buf *b, const summary *s)
{
	const wtr_totals *t = &s->totals;
	uint64_t logs = t->by_kind[WTR_KIND_LOG];
	if (!t->tasks && !t->regions && !logs)
		return;
	label(b, "annotations");
	out_counted(b, t->tasks, "task", "tasks");
	wb_buf_puts(b, ", ");
	out_counted(b, t->regions, "region", "regions");
	wb_buf_puts(b, ", ");
	out_counted(b, logs, "log", "logs");
	wb_buf_putc(b, '\n');
}

static void health(wb_buf *b, const summary *s)
{
	const wtr_totals *t = &s->totals;
	uint64_t lost = t->losses.bytes > s->info.lost_bytes ? t->losses.bytes : s->info.lost_bytes;
	if (t->end.code != WTR_OK) {
		wb_buf where = { 0 };
		label(b, "damage");
		wb_buf_puts(b, cli_styled(CLI_RED));
		out_clean(b, t->end.what, strlen(t->end.what));
		wb_buf_puts(b, cli_styled(CLI_PLAIN));
		cli_error_place(&where, &t->end);
		if (where.n)
			wb_buf_printf(b, " (%s)", wb_buf_cstr(&where));
		wb_buf_free(&where);
		wb_buf_putc(b, '\n');
	}
	if (lost && s->info.trace_bytes) {
		label(b, "lost");
		out_bytes(b, lost);
		put_share(b, (int64_t)lost, (int64_t)s->info.trace_bytes);
		wb_buf_puts(b, t->end.code != WTR_OK ? "; weft check says more, --repair reads on behind it\n" : "\n");
	}
	if (t->losses.events || t->losses.batches || t->losses.generations) {
		label(b, "left out");
		out_counted(b, t->losses.events, "event", "events");
		wb_buf_puts(b, ", ");
		out_counted(b, t->losses.batches, "batch", "batches");
		wb_buf_puts(b, ", ");
		out_counted(b, t->losses.generations, "generation", "generations");
		wb_buf_putc(b, '\n');
	}
}

static void busiest(wb_buf *b, const summary *s)
{
	out_table t = { .n_columns = 7,
		.columns = { { "goroutines", OUT_RIGHT }, { "exec", OUT_RIGHT }, { "sched", OUT_RIGHT },
			{ "block", OUT_RIGHT }, { "syscall", OUT_RIGHT }, { "total", OUT_RIGHT },
			{ "busiest by start function", OUT_NAME } } };
	for (size_t i = 0; i < s->shown; i++) {
		const out_group *g = &s->groups[i];
		out_count(out_cell(&t, ""), g->n);
		cli_times(&t, OUT_SUMS(g));
		cli_name(&t, g->name);
	}
	wb_buf_putc(b, '\n');
	cli_table(b, &t, "  ");
	out_table_free(&t);
	if (s->shown < s->n_groups) {
		wb_buf_printf(b, "  %s", cli_styled(CLI_DIM));
		out_count(b, s->n_groups - s->shown);
		wb_buf_printf(b, " more: weft goroutines --group-by=start%s\n", cli_styled(CLI_PLAIN));
	}
}

static void print_text(wb_buf *b, const summary *s)
{
	head(b, s);
	if (s->found)
		cli_findings_brief(b, s->found, FINDINGS_SHOWN);
	span(b, s);
	actors(b, s);
	pauses(b, s);
	annotations(b, s);
	health(b, s);
	if (s->shown)
		busiest(b, s);
}

/* ---- JSON ---- */

static void file_json(out_json *j, const summary *s)
{
	out_json_put_text(j, "file", s->path);
	out_json_put_u64(j, "version", s->info.version);
	out_json_put_text(j, "written_by", s->info.written_by);
	out_json_put_text(j, "compression", s->info.compression);
	out_json_put_u64(j, "file_bytes", s->info.file_bytes);
	out_json_put_u64(j, "trace_bytes", s->info.trace_bytes);
	out_json_put_u64(j, "generations", s->info.generations);
}

static void kinds_json(out_json *j, const wtr_totals *t)
{
	out_json_key(j, "by_kind");
	out_json_object(j);
	for (unsigned k = 1; k < WTR_KIND_COUNT; k++)
		out_json_put_u64(j, wtr_kind_name(k), t->by_kind[k]);
	out_json_object_end(j);
}

static void gc_json(out_json *j, const wtr_totals *t)
{
	out_json_key(j, "gc");
	out_json_object(j);
	out_json_put_u64(j, "count", t->gc_count);
	out_json_put_i64(j, "mark_ns", t->gc_mark_ns);
	out_json_object_end(j);
	out_json_key(j, "stw");
	out_json_object(j);
	out_json_put_u64(j, "count", t->stw_count);
	out_json_put_u64(j, "open", t->stw_open);
	out_json_put_i64(j, "ns", t->stw_ns);
	out_json_put_i64(j, "longest_ns", t->stw_longest_ns);
	out_json_object_end(j);
}

static void heap_json(out_json *j, const summary *s)
{
	const wtr_totals *t = &s->totals;
	const wtr_gomaxprocs_row *g = wtr_table_data(s->x, WTR_TABLE_GOMAXPROCS);
	size_t n = wtr_table_rows(s->x, WTR_TABLE_GOMAXPROCS);
	out_json_key(j, "gomaxprocs");
	out_json_array(j);
	for (size_t i = 0; i < n; i++) {
		out_json_object(j);
		out_json_put_i64(j, "time_ns", g[i].time_ns - t->start_ns);
		out_json_put_u64(j, "value", g[i].value);
		out_json_object_end(j);
	}
	out_json_array_end(j);
	out_json_key(j, "heap");
	if (!t->heap_samples && !t->goal_samples) {
		out_json_null(j);
		return;
	}
	out_json_object(j);
	out_json_put_u64(j, "max_bytes", t->heap_max_bytes);
	out_json_put_u64(j, "last_bytes", t->heap_last_bytes);
	out_json_put_u64(j, "goal_max_bytes", t->goal_max_bytes);
	out_json_put_u64(j, "goal_last_bytes", t->goal_last_bytes);
	out_json_object_end(j);
}

static void groups_json(out_json *j, const summary *s)
{
	out_json_key(j, "groups");
	out_json_array(j);
	for (size_t i = 0; i < s->shown; i++) {
		const out_group *g = &s->groups[i];
		out_json_object(j);
		out_json_put_str(j, "name", g->name);
		out_json_put_u64(j, "n", g->n);
		out_sums_json(j, OUT_SUMS(g));
		out_json_object_end(j);
	}
	out_json_array_end(j);
}

static void findings_json(out_json *j, const summary *s)
{
	const wtr_finding *d;
	out_json_key(j, "findings");
	if (!s->found) {
		out_json_null(j);
		return;
	}
	out_json_array(j);
	for (size_t i = 0; (d = wtr_findings_get(s->found, i)); i++) {
		wb_buf text = { 0 };
		out_finding_sentence(&text, d);
		out_json_object(j);
		out_json_put_text(j, "rule", d->rule->name);
		out_json_put_u64(j, "severity", d->severity);
		out_json_put_text(j, "sentence", wb_buf_cstr(&text));
		out_json_object_end(j);
		j->failed |= text.failed;
		wb_buf_free(&text);
	}
	out_json_array_end(j);
}

static void print_json(out_json *j, const summary *s)
{
	const wtr_totals *t = &s->totals;
	out_json_object(j);
	file_json(j, s);
	out_json_put_i64(j, "duration_ns", t->to_ns - t->from_ns);
	cli_scope_json(j, &s->scope, t->start_ns);
	out_json_key(j, "wall_start_unix_ns");
	if (t->has_wall)
		out_json_digits(j, t->wall_start_ns);
	else
		out_json_null(j);
	out_json_put_u64(j, "events", t->events);
	kinds_json(j, t);
	out_json_put_u64(j, "goroutines", t->goroutines);
	out_json_put_u64(j, "procs", t->procs);
	out_json_put_u64(j, "threads", t->threads);
	out_json_put_u64(j, "tasks", t->tasks);
	out_json_put_u64(j, "regions", t->regions);
	out_json_put_u64(j, "cpu_samples", t->cpu_samples);
	gc_json(j, t);
	heap_json(j, s);
	findings_json(j, s);
	out_json_put_u64(j, "n_groups", s->n_groups);
	groups_json(j, s);
	cli_damage_json(j, s->x);
	out_json_object_end(j);
}

static int by_exec(const void *a, const void *b)
{
	const out_group *x = a, *y = b;
	if (x->exec_ns != y->exec_ns)
		return x->exec_ns > y->exec_ns ? -1 : 1;
	size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
	int c = n ? memcmp(x->name.at, y->name.at, n) : 0;
	return c ? c : (x->name.n > y->name.n) - (x->name.n < y->name.n);
}

static bool find_groups(summary *s, const wtr_trace *t)
{
	s->n_groups = out_group_goroutines(t, s->x, s->scope.where, OUT_BY_START, &s->arena, &s->groups);
	if (s->n_groups)
		qsort(s->groups, s->n_groups, sizeof(*s->groups), by_exec);
	return !s->arena.failed;
}

/* Opens, and answers both questions in one pass.  NULL: *ret_rc is the exit status. */
static wtr_index *ask(summary *s, wtr_trace **ret_trace, int *ret_rc)
{
	const unsigned parts = WTR_PART_TOTALS | WTR_PART_GOROUTINES;
	wtr_error err = { 0 };
	wtr_index *x = NULL;
	if (s->scope.where)
		return cli_scope_index(&s->scope, parts, ret_trace, ret_rc);
	if (!cli_scope_open(&s->scope, ret_trace, ret_rc))
		return NULL;
	wtr_findings_query q = { s->scope.ranged, s->scope.from_ns, s->scope.to_ns, NULL };
	if (wtr_findings_make_with_index(*ret_trace, &q, parts, &x, &s->found, &err) == WTR_OK) {
		cli_progress_done();
		wtr_findings_totals totals;
		wtr_findings_get_totals(s->found, &totals);
		*ret_rc = s->scope.ranged ? cli_scope_recheck(&s->scope, *ret_trace, &totals.end)
					  : cli_scope_bind(&s->scope, *ret_trace, x);
		if (*ret_rc == CLI_OK)
			return x;
		wtr_findings_free(s->found);
	} else {
		cli_error(s->path, &err);
		*ret_rc = CLI_UNREADABLE;
	}
	cli_scope_close(&s->scope, *ret_trace, x);
	return NULL;
}

int cli_run_SUMMARY(const cli_args *a)
{
	wtr_trace *t;
	summary s = { .path = a->operands[0] };
	bool json = cli_has(a, CLI_OPT_JSON);
	int rc = cli_scope_parse(a, WTR_ABOUT_GOROUTINE, &s.scope);
	wtr_index *x = rc == CLI_OK ? ask(&s, &t, &rc) : NULL;
	if (!x) {
		cli_scope_free(&s.scope);
		return rc;
	}
	s.x = x;
	wb_buf b = { 0 };
	wtr_get_info(t, &s.info);
	wtr_get_totals(x, &s.totals);
	b.failed = !find_groups(&s, t);
	uint64_t limit = cli_number(a, CLI_OPT_LIMIT, json ? 0 : GROUPS_SHOWN);
	s.shown = limit && limit < s.n_groups ? (size_t)limit : s.n_groups;
	if (json) {
		out_json j;
		out_json_to_buf(&j, &b, OUT_JSON_PRETTY);
		print_json(&j, &s);
		rc = cli_print_json(&j, &b);
	} else {
		print_text(&b, &s);
		rc = cli_flush(&b, true) ? CLI_OK : CLI_UNREADABLE;
		wb_buf_free(&b);
	}
	wb_arena_free(&s.arena);
	wtr_findings_free(s.found);
	if (rc == CLI_OK)
		cli_scope_note(&s.scope, /* once= */ true);
	cli_scope_close(&s.scope, t, x);
	return rc;
}

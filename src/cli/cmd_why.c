/* cli/cmd_why.c - what a goroutine, task or region spent its time on, over wake-ups; and the requests of a trace. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "out/answers.h"
#include "out/objects.h"
#include "out/units.h"

enum { ROWS_SHOWN = 15, FRAMES = 128 };

/* Whose time, and which. */
typedef struct target {
	int64_t g, from_ns, to_ns;
} target;

typedef struct answer {
	const cli_args *a;
	cli_scope scope;
	wtr_trace *t;
	wtr_index *x;
	wtr_waits *waits; /* NULL: the trace does not say what is waited for */
	wtr_totals totals;
} answer;

/* ---- whose time ---- */

static bool named(wtr_str s, const char *text)
{
	return s.n == strlen(text) && memcmp(s.at, text, s.n) == 0;
}

static bool in_range(const answer *w, int64_t from, int64_t to)
{
	return !w->scope.ranged || (from < w->scope.to_ns && to >= w->scope.from_ns);
}

/* Of the goroutines of a task, the one that ran at its end; else the first. */
static int64_t goroutine_of(const answer *w, const wtr_task_row *t)
{
	const wtr_task_goroutine_row *of = wtr_table_data(w->x, WTR_TABLE_TASK_GOROUTINES);
	wtr_span s;
	for (uint32_t i = 0; i < t->n_goroutines; i++) {
		int64_t g = of[t->first_goroutine + i].g;
		if (wtr_span_at(w->x, (wtr_lane){ WTR_LANE_GOROUTINE, g }, t->end_ns, &s) && s.cls == WTR_CLASS_RUNNING)
			return g;
	}
	return t->n_goroutines ? of[t->first_goroutine].g : WTR_NONE;
}

/* The slowest task of that type, or the one of that id. */
static bool find_task(answer *w, const char *text, target *ret)
{
	const wtr_task_row *t = wtr_table_data(w->x, WTR_TABLE_TASKS);
	bool by_id = text[strspn(text, "0123456789")] == 0, found = false;
	uint64_t id = strtoull(text, NULL, 10);
	for (size_t i = 0; i < wtr_table_rows(w->x, WTR_TABLE_TASKS); i++) {
		if (t[i].start_ns == WTR_NEVER || t[i].end_ns == WTR_NEVER || !in_range(w, t[i].start_ns, t[i].end_ns))
			continue;
		if ((by_id ? t[i].id != id : !named(t[i].name, text)) || !wtr_where_task(w->scope.where, &t[i]))
			continue;
		if (found && t[i].end_ns - t[i].start_ns <= ret->to_ns - ret->from_ns)
			continue;
		*ret = (target){ goroutine_of(w, &t[i]), t[i].start_ns, t[i].end_ns };
		found = true;
	}
	return found;
}

static bool find_region(answer *w, const char *text, target *ret)
{
	const wtr_region_row *r = wtr_table_data(w->x, WTR_TABLE_REGIONS);
	bool found = false;
	for (size_t i = 0; i < wtr_table_rows(w->x, WTR_TABLE_REGIONS); i++) {
		bool whole = r[i].start_ns != WTR_NEVER && r[i].end_ns != WTR_NEVER;
		if (!whole || !named(r[i].name, text) || !in_range(w, r[i].start_ns, r[i].end_ns) ||
			!wtr_where_region(w->scope.where, &r[i]))
			continue;
		if (found && r[i].end_ns - r[i].start_ns <= ret->to_ns - ret->from_ns)
			continue;
		*ret = (target){ r[i].g, r[i].start_ns, r[i].end_ns };
		found = true;
	}
	return found;
}

/* Whoever ran last in the range. */
static bool find_last(const answer *w, target *ret)
{
	const wtr_proc_row *p = wtr_table_data(w->x, WTR_TABLE_PROCS);
	int64_t last = INT64_MIN, to = w->scope.to_ns < w->totals.end_ns ? w->scope.to_ns : w->totals.end_ns;
	for (size_t i = 0; i < wtr_table_rows(w->x, WTR_TABLE_PROCS); i++) {
		wtr_lane lane = { WTR_LANE_PROC, p[i].id };
		wtr_span s;
		if (!wtr_span_at(w->x, lane, to - 1, &s) && !wtr_span_step(w->x, lane, to - 1, -1, &s))
			continue;
		int64_t end = s.end_ns < to ? s.end_ns : to;
		if (end <= last || s.g == WTR_NONE)
			continue;
		last = end;
		*ret = (target){ s.g, w->scope.from_ns, end };
	}
	return last > w->scope.from_ns;
}

static bool life_of(answer *w, const wtr_goroutine_row *g, target *ret)
{
	if (!g || !wtr_where_goroutine(w->scope.where, g))
		return false;
	int64_t end = g->end_ns == WTR_NEVER ? w->totals.end_ns : g->end_ns;
	*ret = (target){ g->id, g->create_ns == WTR_NEVER ? w->totals.start_ns : g->create_ns, end };
	if (w->scope.ranged) {
		ret->from_ns = ret->from_ns > w->scope.from_ns ? ret->from_ns : w->scope.from_ns;
		ret->to_ns = ret->to_ns < w->scope.to_ns ? ret->to_ns : w->scope.to_ns;
	}
	return ret->to_ns > ret->from_ns;
}

/* Of the goroutines that the filter lets through, the one that is there longest. */
static bool find_longest(answer *w, target *ret)
{
	const wtr_goroutine_row *g = wtr_table_data(w->x, WTR_TABLE_GOROUTINES);
	bool found = false;
	for (size_t i = 0; i < wtr_table_rows(w->x, WTR_TABLE_GOROUTINES); i++) {
		target t;
		if (!life_of(w, &g[i], &t) || (found && t.to_ns - t.from_ns <= ret->to_ns - ret->from_ns))
			continue;
		*ret = t;
		found = true;
	}
	return found;
}

/* The exit status, after saying what is wrong. */
static int find(answer *w, target *ret)
{
	const cli_args *a = w->a;
	if (cli_has(a, CLI_OPT_GOROUTINE))
		return life_of(w, wtr_goroutine(w->x, (int64_t)cli_number(a, CLI_OPT_GOROUTINE, 0)), ret)
			       ? CLI_OK
			       : cli_usage(a->command, "the trace has no goroutine %s; weft goroutines lists them",
					 a->values[CLI_OPT_GOROUTINE]);
	if (cli_has(a, CLI_OPT_TASK))
		return find_task(w, a->values[CLI_OPT_TASK], ret)
			       ? CLI_OK
			       : cli_usage(a->command,
					 "there is no task '%s' that begins and ends; weft tasks lists them",
					 a->values[CLI_OPT_TASK]);
	if (cli_has(a, CLI_OPT_REGION))
		return find_region(w, a->values[CLI_OPT_REGION], ret)
			       ? CLI_OK
			       : cli_usage(a->command,
					 "there is no region '%s' that begins and ends; weft regions lists them",
					 a->values[CLI_OPT_REGION]);
	if (cli_has(a, CLI_OPT_FILTER))
		return find_longest(w, ret) ? CLI_OK : cli_usage(a->command, "the filter lets no goroutine through");
	return find_last(w, ret) ? CLI_OK : cli_usage(a->command, "nobody runs in that range: name a --goroutine");
}

/* ---- text ---- */

static void name_of(wb_buf *b, const wtr_index *x, int64_t g)
{
	const wtr_goroutine_row *r = g == WTR_NONE ? NULL : wtr_goroutine(x, g);
	if (g == WTR_NONE)
		wb_buf_puts(b, "nobody known");
	else
		wb_buf_printf(b, "G%lld", (long long)g);
	if (r && r->name.n) {
		wb_buf_putc(b, ' ');
		out_clean(b, r->name.at, r->name.n);
	}
}

/* The innermost function that is not the runtime's own. */
static void place(wb_buf *b, const wtr_trace *t, uint32_t stack)
{
	wtr_frame f[FRAMES];
	size_t n = wtr_stack(t, stack, f, FRAMES), i = 0;
	n = n < FRAMES ? n : FRAMES;
	while (i + 1 < n && f[i].func.n >= 8 && memcmp(f[i].func.at, "runtime.", 8) == 0)
		i++;
	if (n)
		out_clean(b, f[i].func.at, f[i].func.n);
	else
		wb_buf_putc(b, '-');
}

static void share(out_table *t, int64_t part, int64_t whole)
{
	wb_buf_printf(out_cell(t, ""), "%.1f %%", whole > 0 ? 100 * (double)part / (double)whole : 0);
}

static void head(wb_buf *b, const answer *w, const wtr_why_totals *all)
{
	wb_buf line = { 0 }, name = { 0 };
	name_of(&name, w->x, all->g);
	out_seconds(&line, all->from_ns - w->totals.start_ns);
	wb_buf_puts(&line, " to ");
	out_seconds(&line, all->to_ns - w->totals.start_ns);
	wb_buf_puts(&line, ": ");
	out_duration(&line, all->to_ns - all->from_ns);
	wb_buf_puts(&line, ", of which its own ");
	out_duration(&line, all->own_ns);
	if (all->gc_ns) {
		wb_buf_puts(&line, "; a collection under way for ");
		out_duration(&line, all->gc_ns);
	}
	if (all->stw_ns) {
		wb_buf_puts(&line, ", the world stopped for ");
		out_duration(&line, all->stw_ns);
	}
	wb_buf_puts(&line, all->cut ? "; the older part of the path is missing" : "");
	wb_buf_printf(b, "%s%s%s, ", cli_styled(CLI_BOLD), wb_buf_cstr(&name), cli_styled(CLI_PLAIN));
	cli_wrapped(b, wb_buf_cstr(&line), 2, out_width(name.at, name.n) + 2);
	wb_buf_putc(b, '\n');
	b->failed |= line.failed || name.failed;
	wb_buf_free(&line);
	wb_buf_free(&name);
}

/* "still waiting, for 3.2ms, for mutex 'accounts', held by G12 transfer": of a path that ends so. */
static void last_wait(wb_buf *b, const answer *w, const wtr_why *y, const wtr_why_totals *all)
{
	wtr_object o[WTR_WAIT_OBJECTS_MAX];
	const wtr_why_piece *p = all->pieces ? &wtr_why_pieces(y)[all->pieces - 1] : NULL;
	size_t n = p ? out_why_objects(w->waits, p, o, WTR_WAIT_OBJECTS_MAX) : 0;
	if (n == 0 || p->g != all->g)
		return;
	wb_buf_puts(b, "still waiting, for ");
	out_duration(b, p->to_ns - p->from_ns);
	wb_buf_puts(b, ", for ");
	out_wait(b, o, n);
	const wtr_goroutine_row *r = n == 1 && o->holder != WTR_NONE ? wtr_goroutine(w->x, o->holder) : NULL;
	if (r && r->name.n) {
		wb_buf_putc(b, ' ');
		out_clean(b, r->name.at, r->name.n);
	}
	wb_buf_puts(b, "\n\n");
}

static void parts(wb_buf *b, const answer *w, const wtr_why *y, const wtr_why_totals *all, size_t limit)
{
	const wtr_why_part *p = wtr_why_parts(y);
	out_table t = { .n_columns = 6,
		.columns = { { "time", OUT_RIGHT }, { "", OUT_RIGHT }, { "pieces", OUT_RIGHT }, { "state", OUT_LEFT },
			{ "goroutine", OUT_NAME }, { "at", OUT_NAME } } };
	for (size_t i = 0; i < all->parts && i < limit; i++) {
		out_duration(out_cell(&t, ""), p[i].ns);
		share(&t, p[i].ns, all->to_ns - all->from_ns);
		out_count(out_cell(&t, ""), p[i].n);
		wb_buf_puts(out_cell(&t, ""), wtr_class_name(p[i].cls));
		cli_name(&t, p[i].name);
		place(out_cell(&t, ""), w->t, p[i].stack);
	}
	cli_table(b, &t, "");
	out_table_free(&t);
}

static void waited_for(wb_buf *cell, const wtr_waits *waits, const wtr_why_edge *e)
{
	wtr_object o[WTR_WAIT_OBJECTS_MAX];
	out_wait(cell, o, wtr_waits_of(waits, e->g, e->longest_at_ns, o, WTR_WAIT_OBJECTS_MAX));
}

static void edges(wb_buf *b, const answer *w, const wtr_why *y, const wtr_why_totals *all, size_t limit)
{
	const wtr_why_edge *e = wtr_why_edges(y);
	out_table t = { .n_columns = w->waits ? 7 : 6,
		.columns = { { "at most", OUT_RIGHT }, { "", OUT_RIGHT }, { "waits", OUT_RIGHT }, { "at", OUT_NAME },
			{ "ended by", OUT_NAME }, { "at", OUT_NAME }, { "the longest for", OUT_NAME } } };
	for (size_t i = 0; i < all->edges && i < limit; i++) {
		out_duration(out_cell(&t, ""), e[i].ns);
		share(&t, e[i].ns, all->to_ns - all->from_ns);
		out_count(out_cell(&t, ""), e[i].n);
		place(out_cell(&t, ""), w->t, e[i].stack);
		name_of(out_cell(&t, ""), w->x, e[i].waker);
		place(out_cell(&t, ""), w->t, e[i].waker_stack);
		if (w->waits)
			waited_for(out_cell(&t, ""), w->waits, &e[i]);
	}
	if (all->edges == 0)
		return;
	wb_buf_puts(b, "\nwaits on the path, and by how much it would be shorter without them\n\n");
	cli_table(b, &t, "");
	out_table_free(&t);
}

static void others(wb_buf *b, const wtr_why *y, const wtr_why_totals *all, size_t limit)
{
	const wtr_why_other *o = wtr_why_others(y);
	out_table t = { .n_columns = 2, .columns = { { "ran", OUT_RIGHT }, { "start function", OUT_NAME } } };
	for (size_t i = 0; i < all->others && i < limit; i++) {
		out_duration(out_cell(&t, ""), o[i].ns);
		cli_name(&t, o[i].name);
	}
	if (all->others == 0)
		return;
	wb_buf_puts(b, "\non the procs while the path was ready to run\n\n");
	cli_table(b, &t, "");
	out_table_free(&t);
}

static int print_why(const answer *w, const wtr_why *y)
{
	wtr_why_totals all;
	wb_buf b = { 0 };
	wtr_why_get_totals(y, &all);
	if (cli_has(w->a, CLI_OPT_JSON)) {
		out_json j;
		out_json_to_buf(&j, &b, OUT_JSON_PRETTY);
		out_json_object(&j);
		out_why_json(&j, w->t, y, w->waits, (size_t)cli_number(w->a, CLI_OPT_LIMIT, 0), w->totals.start_ns);
		cli_damage_json(&j, w->x);
		out_json_object_end(&j);
		return cli_print_json(&j, &b);
	}
	size_t limit = (size_t)cli_number(w->a, CLI_OPT_LIMIT, ROWS_SHOWN);
	limit = limit ? limit : SIZE_MAX;
	head(&b, w, &all);
	last_wait(&b, w, y, &all);
	parts(&b, w, y, &all, limit);
	edges(&b, w, y, &all, limit);
	others(&b, y, &all, limit);
	int rc = cli_flush(&b, true) ? CLI_OK : CLI_UNREADABLE;
	wb_buf_free(&b);
	return rc;
}

static int why(answer *w)
{
	target at = { 0 };
	wtr_why *y;
	wtr_error err = { 0 };
	int rc = find(w, &at);
	if (rc != CLI_OK)
		return rc;
	wtr_code code = wtr_why_make(w->x, at.g, at.from_ns, at.to_ns, &y, &err);
	if (code == WTR_E_USAGE)
		return cli_usage(w->a->command, "%s", err.what);
	if (code != WTR_OK) {
		cli_error(w->a->operands[0], &err);
		return CLI_UNREADABLE;
	}
	if (wtr_names_objects(w->t) && wtr_waits_make(w->t, &w->waits, &err) != WTR_OK) {
		wtr_why_free(y);
		cli_error(w->a->operands[0], &err);
		return CLI_UNREADABLE;
	}
	rc = print_why(w, y);
	wtr_why_free(y);
	wtr_waits_free(w->waits);
	return rc;
}

/* ---- requests ---- */

static void classes(out_table *t, const wtr_request *q)
{
	static const uint8_t shown[] = { WTR_CLASS_RUNNING, WTR_CLASS_RUNNABLE, WTR_CLASS_BLOCKED, WTR_CLASS_LOCK,
		WTR_CLASS_NETWORK, WTR_CLASS_SYSCALL, WTR_CLASS_SLEEP, WTR_CLASS_GC };
	for (size_t i = 0; i < sizeof(shown); i++) {
		wb_buf *cell = out_cell(t, "");
		if (q->by_class[shown[i]])
			out_duration(cell, q->by_class[shown[i]]);
		else
			wb_buf_putc(cell, '-');
	}
}

static void request_row(out_table *t, const answer *w, const wtr_request *q, const char *what)
{
	wb_buf_puts(out_cell(t, ""), what);
	out_duration(out_cell(t, ""), q->end_ns - q->start_ns);
	classes(t, q);
	out_seconds(out_cell(t, ""), q->start_ns - w->totals.start_ns);
	wb_buf *cell = out_cell(t, "");
	if (q->task)
		wb_buf_printf(cell, "task %llu, ", (unsigned long long)q->task);
	wb_buf_printf(cell, q->g == WTR_NONE ? "-" : "G%lld", (long long)q->g);
}

static void request_title(wb_buf *b, const wtr_request_group *g)
{
	wb_buf line = { 0 };
	out_clean(&line, g->name.at, g->name.n);
	wb_buf_printf(&line, "%s%s: ", g->name.n ? "" : "(not known)",
		g->source == WTR_REQUESTS_TASKS ? "" : " (inferred from stacks)");
	out_counted(&line, g->n, "request", "requests");
	wb_buf_puts(&line, ", p50 ");
	out_duration(&line, g->p50_ns);
	wb_buf_puts(&line, ", p90 ");
	out_duration(&line, g->p90_ns);
	wb_buf_puts(&line, ", p99 ");
	out_duration(&line, g->p99_ns);
	wb_buf_puts(&line, ", max ");
	out_duration(&line, g->max_ns);
	wb_buf_puts(b, cli_styled(CLI_BOLD));
	cli_wrapped(b, wb_buf_cstr(&line), 2, 0);
	wb_buf_puts(b, cli_styled(CLI_PLAIN));
	b->failed |= line.failed;
	wb_buf_free(&line);
}

static void request_types(wb_buf *b, const answer *w, const wtr_requests *r, size_t limit)
{
	const wtr_request_group *g;
	const wtr_request *all;
	size_t n = wtr_requests_groups(r, &g);
	wtr_requests_all(r, &all);
	for (size_t i = 0; i < n && i < limit; i++) {
		out_table t = { .n_columns = 12,
			.columns = { { "", OUT_LEFT }, { "took", OUT_RIGHT }, { "running", OUT_RIGHT },
				{ "runnable", OUT_RIGHT }, { "blocked", OUT_RIGHT }, { "lock", OUT_RIGHT },
				{ "network", OUT_RIGHT }, { "syscall", OUT_RIGHT }, { "sleep", OUT_RIGHT },
				{ "gc", OUT_RIGHT }, { "start", OUT_RIGHT }, { "who", OUT_LEFT } } };
		wb_buf_puts(b, i ? "\n" : "");
		request_title(b, &g[i]);
		request_row(&t, w, &all[g[i].first], "worst");
		request_row(&t, w, &all[g[i].first + g[i].n / 2], "median");
		cli_table(b, &t, "  ");
		out_table_free(&t);
	}
	uint64_t asked, passed;
	wtr_where_tally(w->scope.where, &asked, &passed);
	if (n == 0 && asked)
		wb_buf_puts(b, "no request matches\n");
	else if (n == 0)
		wb_buf_puts(b, "no requests: no user task begins and ends, and no stack is one of net/http's or gRPC's "
			       "servers\n");
}

static int requests(answer *w)
{
	wtr_requests *r;
	wtr_error err = { 0 };
	wb_buf b = { 0 };
	size_t limit = (size_t)cli_number(w->a, CLI_OPT_LIMIT, cli_has(w->a, CLI_OPT_JSON) ? 0 : ROWS_SHOWN);
	if (wtr_requests_where(w->t, w->x, w->scope.where, w->scope.from_ns, w->scope.to_ns,
		    cli_has(w->a, CLI_OPT_INFERRED), &r, &err) != WTR_OK) {
		cli_error(w->a->operands[0], &err);
		return CLI_UNREADABLE;
	}
	int rc;
	if (cli_has(w->a, CLI_OPT_JSON)) {
		out_json j;
		out_json_to_buf(&j, &b, OUT_JSON_PRETTY);
		out_json_object(&j);
		cli_scope_json(&j, &w->scope, w->totals.start_ns);
		out_requests_json(&j, r, limit, w->totals.start_ns);
		cli_damage_json(&j, w->x);
		out_json_object_end(&j);
		rc = cli_print_json(&j, &b);
	} else {
		request_types(&b, w, r, limit ? limit : SIZE_MAX);
		rc = cli_flush(&b, true) ? CLI_OK : CLI_UNREADABLE;
		wb_buf_free(&b);
	}
	wtr_requests_free(r);
	return rc;
}

/* ---- both ---- */

static int run(const cli_args *a, wtr_about about, int (*ask)(answer *))
{
	answer w = { .a = a };
	int rc = cli_scope_parse(a, about, &w.scope);
	if (rc != CLI_OK)
		return rc;
	w.x = cli_index(a, WTR_PART_ALL, &w.t);
	rc = w.x ? cli_scope_bind(&w.scope, w.t, w.x) : CLI_UNREADABLE;
	if (rc == CLI_OK) {
		wtr_get_totals(w.x, &w.totals);
		rc = ask(&w);
		if (rc == CLI_OK)
			cli_scope_note(&w.scope, /* once= */ true);
		if (rc == CLI_OK && !cli_has(a, CLI_OPT_JSON))
			cli_warn_damage(a->operands[0], w.x);
	}
	cli_scope_free(&w.scope);
	wtr_index_free(w.x);
	wtr_close(w.t);
	return rc;
}

/* What --filter chooses among. */
static wtr_about about_what(const cli_args *a)
{
	if (cli_has(a, CLI_OPT_GOROUTINE))
		return WTR_ABOUT_GOROUTINE;
	if (cli_has(a, CLI_OPT_TASK))
		return WTR_ABOUT_TASK;
	return cli_has(a, CLI_OPT_REGION) ? WTR_ABOUT_REGION : WTR_ABOUT_GOROUTINE;
}

int cli_run_WHY(const cli_args *a)
{
	if (!cli_has(a, CLI_OPT_GOROUTINE) && !cli_has(a, CLI_OPT_TASK) && !cli_has(a, CLI_OPT_REGION) &&
		!cli_has(a, CLI_OPT_RANGE) && !cli_has(a, CLI_OPT_FILTER))
		return cli_usage(a->command,
			"why what: --goroutine=ID, --task=ID|TYPE, --region=TYPE, --filter=FILTER or --range=T0..T1");
	return run(a, about_what(a), why);
}

int cli_run_REQUESTS(const cli_args *a)
{
	return run(a, WTR_ABOUT_REGION, requests);
}

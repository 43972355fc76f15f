/* cli/cmd_diff.c - two traces, parts of one or folders of them beside each other. */
#include <stdio.h>
#include <string.h>

#include "cli/diffing.h"
#include "cli/writing.h"
#include "out/answers.h"
#include "out/pprof.h"
#include "out/units.h"

enum { ROWS_SHOWN = 10, LIMITS_MAX = 32, FUNCTIONS_SHOWN = 30 };

typedef struct limits {
	wtr_limit of[LIMITS_MAX];
	wtr_str text[LIMITS_MAX];
	size_t n;
} limits;

/* ---- --fail-on ---- */

static int parse_limits(const cli_args *a, limits *ret)
{
	const char *s = a->values[CLI_OPT_FAIL_ON];
	wtr_error err = { 0 };
	while (s && *s) {
		size_t n = strcspn(s, ",");
		if (ret->n == LIMITS_MAX)
			return cli_usage(a->command, "--fail-on takes at most %d limits", LIMITS_MAX);
		if (wtr_limit_parse(s, n, &ret->of[ret->n], &err) != WTR_OK)
			return cli_usage(a->command, "--fail-on: '%.*s': %s", (int)n, s, err.what);
		ret->text[ret->n++] = (wtr_str){ s, n };
		s += n + (s[n] == ',');
	}
	return CLI_OK;
}

static const char *verdict_word(wtr_limit_verdict v)
{
	static const char *const words[] = {
		[WTR_LIMIT_KEPT] = "kept",
		[WTR_LIMIT_CHANCE] = "within chance",
		[WTR_LIMIT_EXCEEDED] = "exceeded",
		[WTR_LIMIT_NOTHING] = "nothing to compare",
	};
	return words[v];
}

/* ---- cells ---- */

static void figure(wb_buf *b, wtr_stat stat, double v)
{
	if (stat == WTR_STAT_RATE)
		wb_buf_printf(b, v < 10 ? "%.2f/s" : "%.0f/s", v);
	else
		out_duration(b, (int64_t)(v + 0.5));
}

static void percent(wb_buf *b, double a, double v)
{
	if (a <= 0)
		wb_buf_puts(b, v > 0 ? "new" : "");
	else if (v <= 0)
		wb_buf_puts(b, "gone");
	else if (v / a >= 10)
		wb_buf_printf(b, "x%.0f", v / a);
	else
		wb_buf_printf(b, "%+.*f %%", v / a > 0.9 && v / a < 1.1 ? 1 : 0, 100 * (v / a - 1));
}

static void cells(out_table *t, const wtr_diff_row *r, wtr_stat stat)
{
	const wtr_change *c = &r->stats[stat];
	figure(out_cell(t, r->n_a ? "" : cli_styled(CLI_DIM)), stat, c->a);
	figure(out_cell(t, r->n_b ? "" : cli_styled(CLI_DIM)), stat, c->b);
	cli_style style = !c->sure ? CLI_DIM : c->b > c->a ? CLI_RED : CLI_GREEN;
	wb_buf *cell = out_cell(t, cli_styled(style));
	percent(cell, c->a, c->b);
	wb_buf_puts(cell, c->sure ? " *" : "  ");
}

static wtr_str first_line(wtr_str s)
{
	const char *end = s.n ? memchr(s.at, '\n', s.n) : NULL;
	return (wtr_str){ s.at, end ? (size_t)(end - s.at) : s.n };
}

static bool same_name(const wtr_diff_row *r, const wtr_diff_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (&rows[i] != r && rows[i].kind == r->kind && rows[i].cls == r->cls && rows[i].name.n == r->name.n &&
			memcmp(rows[i].name.at, r->name.at, r->name.n) == 0)
			return true;
	return false;
}

static void row_name(out_table *t, const wtr_diff_row *r, const wtr_diff_row *rows, size_t n)
{
	if (r->kind == WTR_DIFF_STATE) {
		wb_buf_puts(out_cell(t, cli_styled(CLI_BOLD)), wtr_class_name(r->cls));
		return;
	}
	cli_name(t, r->name);
	if (r->kind != WTR_DIFF_GROUP)
		return;
	wb_buf_printf(&t->text, "%s  %s", "", wtr_class_name(r->cls));
	wtr_str by = first_line(r->created);
	if (by.n && same_name(r, rows, n)) {
		wb_buf_puts(&t->text, ", by ");
		out_clean(&t->text, by.at, by.n);
	}
}

/* ---- the table ---- */

typedef struct view {
	const wtr_diff_row *rows;
	size_t n;
	wtr_stat stat;
	size_t limit; /* 0: all, also what did not change */
} view;

static void table(wb_buf *b, const view *v, size_t from, size_t to, const char *what)
{
	const char *stat = wtr_stat_name(v->stat);
	out_table t = { .n_columns = 8,
		.columns = { { "time/s", OUT_RIGHT }, { "in b", OUT_RIGHT }, { "", OUT_RIGHT }, { stat, OUT_RIGHT },
			{ "in b", OUT_RIGHT }, { "", OUT_RIGHT }, { "effect", OUT_RIGHT }, { what, OUT_NAME } } };
	for (size_t i = from; i < to; i++) {
		const wtr_diff_row *r = &v->rows[i];
		cells(&t, r, WTR_STAT_TIME);
		cells(&t, r, v->stat);
		wb_buf_printf(out_cell(&t, r->changed ? "" : cli_styled(CLI_DIM)), "%+.2f", r->effect);
		row_name(&t, r, v->rows, v->n);
	}
	cli_table(b, &t, "");
	out_table_free(&t);
}

/* Rows of one kind, [from, to): states all, of the rest what changed. */
static void section(wb_buf *b, const view *v, size_t from, size_t to)
{
	static const char *const titles[WTR_DIFF_KIND_COUNT] = { [WTR_DIFF_STATE] = "all goroutines",
		[WTR_DIFF_RANGE] = "collector",
		[WTR_DIFF_TASK] = "tasks",
		[WTR_DIFF_REGION] = "regions",
		[WTR_DIFF_GROUP] = "goroutines" };
	size_t changed = from, shown;
	while (changed < to && v->rows[changed].changed)
		changed++;
	shown = v->rows[from].kind == WTR_DIFF_STATE || !v->limit ? to : changed;
	if (v->limit && shown - from > v->limit && v->rows[from].kind != WTR_DIFF_STATE)
		shown = from + v->limit;
	wb_buf_putc(b, '\n');
	if (shown > from)
		table(b, v, from, shown, titles[v->rows[from].kind]);
	else
		wb_buf_printf(b, "%s: ", titles[v->rows[from].kind]);
	if (shown == to)
		return;
	wb_buf_puts(b, cli_styled(CLI_DIM));
	if (shown < changed) {
		out_count(b, changed - shown);
		wb_buf_puts(b, " more changed; ");
	}
	out_count(b, to - changed);
	wb_buf_printf(b, " without a sure change: --limit=0 shows them%s\n", cli_styled(CLI_PLAIN));
}

static void found(wb_buf *b, const wtr_diff *d, size_t limit)
{
	static const cli_style styles[] = { [WTR_FINDING_NEW] = CLI_RED,
		[WTR_FINDING_GONE] = CLI_GREEN,
		[WTR_FINDING_WORSE] = CLI_RED,
		[WTR_FINDING_BETTER] = CLI_GREEN,
		[WTR_FINDING_SAME] = CLI_DIM };
	const wtr_finding_change *f;
	size_t n = wtr_diff_findings(d, &f), shown = 0;
	while (shown < n && (limit == 0 || (shown < limit && f[shown].verdict != WTR_FINDING_SAME)))
		shown++;
	if (shown == 0)
		return;
	out_table t = { .n_columns = 4,
		.columns = {
			{ "severity", OUT_RIGHT }, { "in b", OUT_RIGHT }, { "", OUT_LEFT }, { "finding", OUT_LEFT } } };
	for (size_t i = 0; i < shown; i++) {
		wb_buf_printf(out_cell(&t, ""), f[i].a ? "%u" : "-", f[i].a);
		wb_buf_printf(out_cell(&t, ""), f[i].b ? "%u" : "-", f[i].b);
		wb_buf_puts(out_cell(&t, cli_styled(styles[f[i].verdict])), wtr_finding_verdict_name(f[i].verdict));
		wb_buf *cell = out_cell(&t, "");
		wb_buf_puts(cell, f[i].title);
		wtr_str about = first_line(f[i].about);
		wb_buf_puts(cell, about.n ? ": " : "");
		out_clean(cell, about.at, about.n);
	}
	wb_buf_putc(b, '\n');
	cli_table(b, &t, "");
	out_table_free(&t);
}

static void side_line(wb_buf *b, char letter, const cli_side *s)
{
	wtr_side_totals t;
	wtr_side_get_totals(s->side, &t);
	wb_buf_printf(b, "%s%c%s  ", cli_styled(CLI_BOLD), letter, cli_styled(CLI_PLAIN));
	out_clean(b, s->text, strlen(s->text));
	if (s->range && !strchr(s->text, '@'))
		wb_buf_printf(b, " %s", s->range);
	wb_buf_puts(b, ": ");
	if (t.traces != 1) {
		out_counted(b, t.traces, "trace", "traces");
		wb_buf_puts(b, ", ");
	}
	out_duration(b, t.duration_ns);
	wb_buf_puts(b, ", ");
	out_counted(b, t.goroutines, "goroutine", "goroutines");
	wb_buf_putc(b, '\n');
}

static void print_limits(wb_buf *b, const limits *l, const wtr_diff *d)
{
	for (size_t i = 0; i < l->n; i++) {
		const wtr_diff_row *r;
		wtr_limit_verdict v = wtr_limit_check(&l->of[i], d, &r);
		wb_buf_puts(b, i ? "" : "\n");
		out_clean(b, l->text[i].at, l->text[i].n);
		wb_buf_puts(b, "  ");
		if (r) {
			const wtr_change *c = &r->stats[l->of[i].stat];
			figure(b, l->of[i].stat, c->a);
			wb_buf_puts(b, ", then ");
			figure(b, l->of[i].stat, c->b);
			wb_buf_puts(b, " (");
			percent(b, c->a, c->b);
			wb_buf_puts(b, "): ");
		}
		wb_buf_printf(b, "%s%s%s\n", cli_styled(v == WTR_LIMIT_EXCEEDED ? CLI_RED : CLI_BOLD), verdict_word(v),
			cli_styled(CLI_PLAIN));
	}
}

static void print_text(const cli_args *a, wb_buf *b, const cli_side sides[2], const wtr_diff *d)
{
	static const wtr_stat stats[] = { WTR_STAT_MEAN, WTR_STAT_P50, WTR_STAT_P90, WTR_STAT_P99, WTR_STAT_P999,
		WTR_STAT_MAX, WTR_STAT_RATE };
	view v = { .stat = stats[cli_choice(a, CLI_OPT_STAT, 3)],
		.limit = (size_t)cli_number(a, CLI_OPT_LIMIT, ROWS_SHOWN) };
	size_t changed = 0, from = 0;
	v.n = wtr_diff_rows(d, &v.rows);
	side_line(b, 'a', &sides[0]);
	side_line(b, 'b', &sides[1]);
	found(b, d, v.limit);
	for (size_t i = 0; i < v.n; i++) {
		changed += v.rows[i].changed;
		if (i + 1 < v.n && v.rows[i + 1].kind == v.rows[i].kind)
			continue;
		section(b, &v, from, i + 1);
		from = i + 1;
	}
	wb_buf_printf(b, "\n%s", cli_styled(CLI_DIM));
	cli_wrapped(b,
		changed ? "* surely: so in 99 of 100 resamplings.  effect: -1 all values of b are smaller, 0 alike, +1 "
			  "larger"
			: "no difference that is more than chance",
		0, 0);
	wb_buf_puts(b, cli_styled(CLI_PLAIN));
}

/* ---- JSON ---- */

static void side_json(out_json *j, const char *key, const cli_side *s)
{
	out_json_key(j, key);
	out_json_object(j);
	out_json_put_text(j, "name", s->text);
	out_json_put_text(j, "range", s->range);
	out_side_json(j, s->side);
	out_json_put_u64(j, "unreadable", s->unreadable);
	out_json_object_end(j);
}

static void limits_json(out_json *j, const limits *l, const wtr_diff *d)
{
	out_json_key(j, "limits");
	out_json_array(j);
	for (size_t i = 0; i < l->n; i++) {
		const wtr_diff_row *r;
		out_json_object(j);
		out_json_put_str(j, "limit", l->text[i]);
		out_json_put_text(j, "verdict", verdict_word(wtr_limit_check(&l->of[i], d, &r)));
		out_json_object_end(j);
	}
	out_json_array_end(j);
}

static int print_json(const cli_args *a, const cli_side sides[2], const wtr_diff *d, const limits *l)
{
	wb_buf b = { 0 };
	out_json j;
	out_json_to_buf(&j, &b, OUT_JSON_PRETTY);
	out_json_object(&j);
	side_json(&j, "a", &sides[0]);
	side_json(&j, "b", &sides[1]);
	out_json_put_text(&j, "filter", a->values[CLI_OPT_FILTER]);
	out_diff_json(&j, d, (size_t)cli_number(a, CLI_OPT_LIMIT, 0));
	limits_json(&j, l, d);
	out_json_object_end(&j);
	return cli_print_json(&j, &b);
}

static int print_diff(const cli_args *a, const cli_side sides[2], const wtr_diff *d, const limits *l)
{
	int rc;
	if (cli_has(a, CLI_OPT_JSON)) {
		rc = print_json(a, sides, d, l);
	} else {
		wb_buf b = { 0 };
		print_text(a, &b, sides, d);
		print_limits(&b, l, d);
		rc = cli_flush(&b, true) ? CLI_OK : CLI_UNREADABLE;
		wb_buf_free(&b);
	}
	for (size_t i = 0; rc == CLI_OK && i < l->n; i++) {
		const wtr_diff_row *r;
		wtr_limit_verdict v = wtr_limit_check(&l->of[i], d, &r);
		rc = v == WTR_LIMIT_EXCEEDED || v == WTR_LIMIT_NOTHING ? CLI_NO : CLI_OK;
	}
	return rc;
}

static int compare(const cli_args *a, cli_side sides[2], const limits *l)
{
	wtr_diff *d;
	wtr_error err = { 0 };
	for (unsigned i = 0; i < 2; i++) {
		int rc = cli_side_gather(a, &sides[i], i, NULL, 0);
		if (rc != CLI_OK)
			return rc;
	}
	if (wtr_diff_make(sides[0].side, sides[1].side, &d, &err) != WTR_OK) {
		fprintf(cli_err(), "weft: %s\n", err.what);
		return CLI_UNREADABLE;
	}
	int rc = print_diff(a, sides, d, l);
	wtr_diff_free(d);
	return rc;
}

/* ---- profiles ---- */

static void amount(wb_buf *b, bool has_ns, double v)
{
	if (has_ns)
		out_duration(b, (int64_t)(v + (v < 0 ? -0.5 : 0.5)));
	else
		wb_buf_printf(b, "%.0f", v);
}

static bool print_functions(const cli_args *a, wb_buf *b, const wtr_stacks *s)
{
	wtr_stacks_totals all;
	size_t n = 0, limit = (size_t)cli_number(a, CLI_OPT_LIMIT, FUNCTIONS_SHOWN);
	wtr_stacks_get_totals(s, &all);
	wtr_stacks_func *f = wtr_stacks_funcs(s, &n);
	bool has_ns = wtr_profile_value(all.kind, 1)[0];
	double scale = wtr_stacks_scale(s);
	out_table t = { .n_columns = 6,
		.columns = { { "flat", OUT_RIGHT }, { "in b", OUT_RIGHT }, { "more", OUT_RIGHT }, { "cum", OUT_RIGHT },
			{ "in b", OUT_RIGHT }, { "function", OUT_NAME } } };
	for (size_t i = 0; f && i < n && (limit == 0 || i < limit); i++) {
		double flat = (double)f[i].flat_a * scale, then = (double)f[i].flat_b;
		amount(out_cell(&t, ""), has_ns, flat);
		amount(out_cell(&t, ""), has_ns, then);
		amount(out_cell(&t, cli_styled(then > flat ? CLI_RED : CLI_GREEN)), has_ns, then - flat);
		amount(out_cell(&t, ""), has_ns, (double)f[i].cum_a * scale);
		amount(out_cell(&t, ""), has_ns, (double)f[i].cum_b);
		cli_name(&t, f[i].name);
	}
	wb_buf_printf(b, "%s%s%s, a's values times %.3g for the same length of time\n\n", cli_styled(CLI_BOLD),
		wtr_profile_name(all.kind), cli_styled(CLI_PLAIN), scale);
	cli_table(b, &t, "");
	out_table_free(&t);
	wtr_stacks_free_funcs(f);
	return f != NULL;
}

static int write_pprof(const cli_args *a, const wtr_stacks *s)
{
	cli_writing w;
	wb_buf b = { 0 };
	int rc = CLI_UNREADABLE;
	if (!out_pprof_stacks(&b, s))
		fputs("weft: out of memory\n", cli_err());
	else if (cli_writing_open(a, a->values[CLI_OPT_OUTPUT], &w, &rc)) {
		cli_writing_put(&w, b.at, b.n);
		rc = cli_writing_close(&w, true) ? CLI_OK : CLI_UNREADABLE;
	}
	wb_buf_free(&b);
	return rc;
}

static int print_profile(const cli_args *a, const cli_side sides[2], const wtr_stacks *s)
{
	wb_buf b = { 0 };
	if (cli_has(a, CLI_OPT_OUTPUT))
		return write_pprof(a, s);
	if (cli_has(a, CLI_OPT_JSON)) {
		out_json j;
		out_json_to_buf(&j, &b, OUT_JSON_PRETTY);
		out_json_object(&j);
		out_json_put_text(&j, "a", sides[0].text);
		out_json_put_text(&j, "b", sides[1].text);
		out_stacks_json(&j, s, (size_t)cli_number(a, CLI_OPT_LIMIT, 0));
		out_json_object_end(&j);
		return cli_print_json(&j, &b);
	}
	if (cli_has(a, CLI_OPT_FLAME))
		out_folded_stacks(&b, s);
	else
		b.failed |= !print_functions(a, &b, s);
	int rc = cli_flush(&b, true) ? CLI_OK : CLI_UNREADABLE;
	wb_buf_free(&b);
	return rc;
}

static int compare_profiles(const cli_args *a, cli_side sides[2])
{
	wtr_profile_kind kind = (wtr_profile_kind)cli_choice(a, CLI_OPT_PROFILE, 0);
	wtr_stacks *s = wtr_stacks_new(kind);
	int rc = s ? CLI_OK : CLI_UNREADABLE;
	for (unsigned i = 0; i < 2 && rc == CLI_OK; i++)
		rc = cli_side_gather(a, &sides[i], i, s, kind);
	if (rc == CLI_OK)
		rc = wtr_stacks_finish(s) ? print_profile(a, sides, s) : CLI_UNREADABLE;
	wtr_stacks_free(s);
	return rc;
}

int cli_run_DIFF(const cli_args *a)
{
	cli_side sides[2] = { 0 };
	limits l = { .n = 0 };
	int rc = parse_limits(a, &l);
	bool profile = cli_has(a, CLI_OPT_PROFILE);
	if (rc == CLI_OK && !profile && (cli_has(a, CLI_OPT_FLAME) || cli_has(a, CLI_OPT_OUTPUT)))
		rc = cli_usage(a->command, "which profile? --profile=sched goes with --flame and --output");
	if (rc == CLI_OK && profile && l.n)
		rc = cli_usage(a->command, "--fail-on is about durations, not about profiles: leave --profile out");
	if (rc == CLI_OK)
		rc = cli_sides_parse(a, sides);
	if (rc == CLI_OK)
		rc = profile ? compare_profiles(a, sides) : compare(a, sides, &l);
	cli_sides_free(sides);
	return rc;
}

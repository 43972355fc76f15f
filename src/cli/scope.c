/* cli/scope.c - --range, --filter and the options that are short for a filter. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "out/units.h"

/* ---- the filter's text ---- */

static void put_quoted(wb_buf *b, const char *s)
{
	wb_buf_putc(b, '"');
	for (; *s; s++) {
		if (*s == '"')
			wb_buf_putc(b, '\\');
		wb_buf_putc(b, *s);
	}
	wb_buf_putc(b, '"');
}

/* --goroutine=17 is g:17; --task=12 task:12; --task=order task:="order"; --region likewise. */
static void put_short(wb_buf *b, const cli_args *a, cli_option_id id, const char *field)
{
	const char *v = a->values[id];
	if (!(a->command->options >> id & 1) || !v)
		return;
	wb_buf_printf(b, " %s:", field);
	if (id != CLI_OPT_REGION && strspn(v, "0123456789") == strlen(v)) {
		wb_buf_puts(b, v);
		return;
	}
	wb_buf_putc(b, '=');
	put_quoted(b, v);
}

/* Everything that narrows, as one filter. */
static void whole_text(wb_buf *b, const cli_args *a, bool goroutine)
{
	const char *filter = a->values[CLI_OPT_FILTER];
	if (filter && filter[strspn(filter, " \t")])
		wb_buf_printf(b, "(%s)", filter);
	if (goroutine)
		put_short(b, a, CLI_OPT_GOROUTINE, "g");
	put_short(b, a, CLI_OPT_TASK, "task");
	put_short(b, a, CLI_OPT_REGION, "region");
}

/* What is wrong with the text of an option, with a mark under the place. */
static int wrong(const char *option, const char *text, const wtr_error *err)
{
	cli_progress_done();
	if (err->code == WTR_E_NOMEM) {
		fputs("weft: out of memory\n", cli_err());
		return CLI_UNREADABLE;
	}
	fprintf(cli_err(), "weft: --%s: %s\n", option, err->what);
	size_t at = err->offset < strlen(text) ? (size_t)err->offset : strlen(text);
	if (strpbrk(text, "\n\r\t") == NULL)
		fprintf(cli_err(), "  %s\n  %*s^\n", text, (int)at, "");
	return CLI_USAGE;
}

int cli_scope_parse(const cli_args *a, wtr_about about, cli_scope *ret)
{
	wtr_error err = { 0 };
	wtr_where *alone = NULL;
	const char *range = a->values[CLI_OPT_RANGE], *filter = a->values[CLI_OPT_FILTER];
	*ret = (cli_scope){ .args = a, .about = about };
	if (range && wtr_period_parse(range, strlen(range), &ret->period, &err) != WTR_OK)
		return wrong("range", range, &err);
	if (filter && wtr_where_parse(filter, strlen(filter), about, &alone, &err) != WTR_OK)
		return wrong("filter", filter, &err);
	wtr_where_free(alone);
	wb_buf b = { 0 };
	whole_text(&b, a, about != WTR_ABOUT_EVENT);
	int rc = CLI_OK;
	if (b.n && wtr_where_parse(b.at, b.n, about, &ret->where, &err) != WTR_OK)
		rc = wrong("filter", wb_buf_cstr(&b), &err);
	wb_buf_free(&b);
	return rc;
}

unsigned cli_scope_parts(const cli_scope *s)
{
	return wtr_where_parts(s->where) | (s->where ? s->parts : 0) |
	       (cli_has(s->args, CLI_OPT_RANGE) ? WTR_PART_TOTALS : 0);
}

int cli_scope_bind(cli_scope *s, wtr_trace *t, const wtr_index *x)
{
	const char *range = s->args->values[CLI_OPT_RANGE], *filter = s->args->values[CLI_OPT_FILTER];
	wtr_error err = { 0 };
	wtr_totals totals = { 0 };
	if (x)
		wtr_get_totals(x, &totals);
	s->from_ns = totals.start_ns;
	s->to_ns = totals.end_ns + 1;
	s->ranged = range != NULL;
	if (range && wtr_period_resolve(&s->period, &totals, &s->from_ns, &s->to_ns, &err) != WTR_OK)
		return wrong("range", range, &err);
	if (!s->where || wtr_where_bind(s->where, t, x, &totals, &err) == WTR_OK)
		return CLI_OK;
	err.offset -= err.offset > 0; /* the parenthesis around it is ours */
	return wrong("filter", filter ? filter : "", &err);
}

/* "goroutine", "goroutines": what a filter is asked about. */
static const char *thing(wtr_about about, bool many)
{
	switch (about) {
	case WTR_ABOUT_GOROUTINE: return many ? "goroutines" : "goroutine";
	case WTR_ABOUT_SPAN: return many ? "spans" : "span";
	case WTR_ABOUT_EVENT: return many ? "events" : "event";
	case WTR_ABOUT_TASK: return many ? "tasks" : "task";
	case WTR_ABOUT_REGION: break;
	}
	return many ? "regions" : "region";
}

/* What chooses, as it was written. */
static void chooser(wb_buf *b, const cli_args *a, wtr_about about)
{
	static const cli_option_id shorts[] = { CLI_OPT_GOROUTINE, CLI_OPT_TASK, CLI_OPT_REGION, CLI_OPT_FILTER };
	for (size_t i = about == WTR_ABOUT_EVENT; i < sizeof(shorts) / sizeof(*shorts); i++) {
		const char *v = a->values[shorts[i]];
		if (!v)
			continue;
		wb_buf_printf(b, " --%s=", cli_options[shorts[i]].name);
		out_clean(b, v, strlen(v));
	}
}

void cli_scope_note(const cli_scope *s, bool once)
{
	uint64_t asked, passed;
	wb_buf b = { 0 };
	wtr_where_tally(s->where, &asked, &passed);
	if (asked == 0 || passed)
		return;
	if (once) {
		out_counted(&b, asked, thing(s->about, false), thing(s->about, true));
		wb_buf_puts(&b, asked == 1 ? " was" : " were");
		wb_buf_puts(&b, " looked at, and none matches");
	} else {
		wb_buf_printf(&b, "no %s matches", thing(s->about, false));
	}
	chooser(&b, s->args, s->about);
	cli_progress_done();
	fprintf(cli_err(), "weft: %s\n", wb_buf_cstr(&b));
	wb_buf_free(&b);
}

void cli_scope_free(cli_scope *s)
{
	wtr_where_free(s->where);
	s->where = NULL;
}

/* ---- without reading the trace first ---- */

/* Resolves a range whose two ends the beginning of the trace tells, and which surely begins within it.  False: only a
 * pass over all of it can, or is needed for the filter anyway. */
static bool resolve_early(cli_scope *s, wtr_trace *t)
{
	wtr_error err = { 0 };
	wtr_info info;
	wtr_get_info(t, &info);
	s->early = false;
	if (!cli_has(s->args, CLI_OPT_RANGE) || s->where || wtr_period_needs_totals(&s->period) ||
		s->period.to.kind == WTR_MOMENT_NONE || info.damage.code != WTR_OK)
		return false;
	wtr_totals totals = { .start_ns = cli_start_ns(t), .end_ns = wtr_reaches_ns(t) };
	if (totals.end_ns <= totals.start_ns ||
		wtr_period_resolve(&s->period, &totals, &s->from_ns, &s->to_ns, &err) != WTR_OK)
		return false;
	s->ranged = s->early = true;
	return true;
}

int cli_scope_recheck(cli_scope *s, wtr_trace *t, const wtr_error *end)
{
	wtr_index *x;
	wtr_error err = { 0 };
	if (!s->early || end->code == WTR_OK)
		return CLI_OK;
	if (wtr_index_build(t, WTR_PART_TOTALS, &x, &err) != WTR_OK) {
		cli_error(s->args->operands[s->args->n_operands - 1], &err);
		return CLI_UNREADABLE;
	}
	int rc = cli_scope_bind(s, t, x);
	wtr_index_free(x);
	return rc;
}

/* ---- with a trace ---- */

/* The index that binding needs, of an open trace. */
static wtr_index *whole_index(cli_scope *s, wtr_trace *t, unsigned parts, int *ret_rc)
{
	wtr_index *x = NULL;
	wtr_error err = { 0 };
	*ret_rc = CLI_UNREADABLE;
	if (wtr_index_build(t, parts, &x, &err) != WTR_OK) {
		cli_error(s->args->operands[s->args->n_operands - 1], &err);
		return NULL;
	}
	cli_progress_done();
	*ret_rc = cli_scope_bind(s, t, x);
	return x;
}

/* The index of the range; its trace may end in damage before. */
static wtr_index *part_index(cli_scope *s, wtr_trace *t, unsigned parts, int *ret_rc)
{
	wtr_index *x;
	wtr_error err = { 0 };
	wtr_totals totals;
	if (wtr_index_build_within(t, parts, s->from_ns, s->to_ns, &x, &err) != WTR_OK) {
		cli_error(s->args->operands[s->args->n_operands - 1], &err);
		*ret_rc = CLI_UNREADABLE;
		return NULL;
	}
	wtr_get_totals(x, &totals);
	*ret_rc = cli_scope_recheck(s, t, &totals.end);
	return x;
}

wtr_index *cli_scope_index(cli_scope *s, unsigned parts, wtr_trace **ret_trace, int *ret_rc)
{
	wtr_index *x = NULL, *part = NULL;
	wtr_trace *t = cli_open(s->args);
	*ret_rc = t ? CLI_OK : CLI_UNREADABLE;
	if (t && !resolve_early(s, t)) {
		unsigned needed = cli_scope_parts(s);
		x = whole_index(s, t, cli_has(s->args, CLI_OPT_RANGE) ? needed : parts | needed, ret_rc);
	}
	if (*ret_rc == CLI_OK && s->ranged)
		part = part_index(s, t, parts, ret_rc);
	if (*ret_rc != CLI_OK) {
		wtr_index_free(part);
		wtr_index_free(x);
		wtr_close(t);
		return NULL;
	}
	cli_progress_done();
	s->whole = part ? x : NULL;
	*ret_trace = t;
	return part ? part : x;
}

void cli_scope_close(cli_scope *s, wtr_trace *t, wtr_index *x)
{
	cli_scope_free(s);
	wtr_index_free(x);
	wtr_index_free(s->whole);
	s->whole = NULL;
	wtr_close(t);
}

bool cli_scope_open(cli_scope *s, wtr_trace **ret_trace, int *ret_rc)
{
	unsigned parts = cli_scope_parts(s);
	wtr_trace *t = cli_open(s->args);
	*ret_rc = t ? CLI_OK : CLI_UNREADABLE;
	s->whole = NULL;
	if (t && !resolve_early(s, t)) {
		if (parts)
			s->whole = whole_index(s, t, parts, ret_rc);
		else
			*ret_rc = cli_scope_bind(s, t, NULL);
	}
	*ret_trace = t;
	if (*ret_rc == CLI_OK)
		return true;
	if (t)
		cli_scope_close(s, t, NULL);
	return false;
}

void cli_scope_json(out_json *j, const cli_scope *s, int64_t start_ns)
{
	out_json_key(j, "range");
	if (s->ranged) {
		out_json_object(j);
		out_json_put_i64(j, "from_ns", s->from_ns - start_ns);
		out_json_put_i64(j, "to_ns", s->to_ns - start_ns);
		out_json_object_end(j);
	} else {
		out_json_null(j);
	}
	wb_buf b = { 0 };
	whole_text(&b, s->args, true);
	out_json_put_text(j, "filter", b.n ? wb_buf_cstr(&b) + (b.at[0] == ' ') : NULL);
	wb_buf_free(&b);
}

/* cli/cmd_findings.c - what is odd about a trace, and whether that is too much. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/findings.h"
#include "out/finding.h"
#include "out/units.h"

enum { FRAMES = 128, FRAMES_SHOWN = 5, WHO_SHOWN = 4, INDENT = 7 };

/* ---- text ---- */

static void label(wb_buf *b, const char *name)
{
	wb_buf_printf(b, "%*s%s%-6s%s", INDENT, "", cli_styled(CLI_DIM), name, cli_styled(CLI_PLAIN));
}

static void said(wb_buf *b, const char *name, const char *text)
{
	label(b, name);
	cli_wrapped(b, text, INDENT + 6, INDENT + 6);
}

static cli_style severity_style(unsigned severity)
{
	return severity >= 75 ? CLI_RED : severity >= 50 ? CLI_YELLOW : CLI_CYAN;
}

static void sentence(wb_buf *b, const wtr_finding *d)
{
	wb_buf text = { 0 };
	out_finding_sentence(&text, d);
	wb_buf_puts(&text, ".");
	cli_wrapped(b, wb_buf_cstr(&text), INDENT, INDENT);
	b->failed |= text.failed;
	wb_buf_free(&text);
}

static void when(wb_buf *b, const wtr_finding *d, int64_t start_ns)
{
	label(b, "when");
	out_seconds(b, d->ranges[0].from_ns - start_ns);
	wb_buf_puts(b, "s..");
	out_seconds(b, d->ranges[0].to_ns - start_ns);
	wb_buf_putc(b, 's');
	if (d->n_ranges > 1)
		wb_buf_printf(b, " is the worst; %zu more in --json", d->n_ranges - 1);
	wb_buf_putc(b, '\n');
}

static void who(wb_buf *b, const wtr_finding *d)
{
	wb_buf text = { 0 };
	for (size_t i = 0; i < d->n_goroutines && i < WHO_SHOWN; i++) {
		wb_buf_printf(&text, "%sG%lld ", i ? ", " : "", (long long)d->goroutines[i].g);
		if (d->goroutines[i].name.n)
			out_clean(&text, d->goroutines[i].name.at, d->goroutines[i].name.n);
		else
			wb_buf_puts(&text, "(not known)");
	}
	if (d->n_goroutines > WHO_SHOWN)
		wb_buf_puts(&text, ", ...");
	if (text.n)
		said(b, "who", wb_buf_cstr(&text));
	b->failed |= text.failed;
	wb_buf_free(&text);
}

static void frame(wb_buf *b, const wtr_frame *f)
{
	const char *slash = f->file.n ? memrchr(f->file.at, '/', f->file.n) : NULL;
	size_t skip = slash ? (size_t)(slash - f->file.at) + 1 : 0;
	out_clean(b, f->func.at, f->func.n);
	if (f->file.n) {
		wb_buf_puts(b, " (");
		out_clean(b, f->file.at + skip, f->file.n - skip);
		wb_buf_printf(b, ":%llu)", (unsigned long long)f->line);
	}
}

static void stack(wb_buf *b, const wtr_findings *f, const wtr_finding_stack *s)
{
	wtr_frame frames[FRAMES];
	wb_buf text = { 0 };
	size_t n = wtr_findings_frames(f, s->stack, frames, FRAMES);
	wb_buf_printf(&text, "%s ", s->role);
	for (size_t i = 0; i < n && i < FRAMES_SHOWN; i++) {
		wb_buf_puts(&text, i ? " < " : "");
		frame(&text, &frames[i]);
	}
	wb_buf_puts(&text, n > FRAMES_SHOWN ? " < ..." : "");
	said(b, "stack", wb_buf_cstr(&text));
	b->failed |= text.failed;
	wb_buf_free(&text);
}

static void finding(wb_buf *b, const wtr_findings *f, const wtr_finding *d, int64_t start_ns)
{
	wb_buf seen = { 0 };
	wb_buf_printf(b, "%s%4u%s   %s%s%s  %s%s%s\n", cli_styled(severity_style(d->severity)), d->severity,
		cli_styled(CLI_PLAIN), cli_styled(CLI_BOLD), d->rule->title, cli_styled(CLI_PLAIN), cli_styled(CLI_DIM),
		d->rule->name, cli_styled(CLI_PLAIN));
	wb_buf_printf(b, "%*s", INDENT, "");
	sentence(b, d);
	said(b, "why", d->rule->why);
	said(b, "next", d->rule->next);
	when(b, d, start_ns);
	who(b, d);
	for (size_t i = 0; i < d->n_stacks; i++)
		stack(b, f, &d->stacks[i]);
	out_finding_coverage(&seen, d);
	if (d->probable)
		wb_buf_puts(&seen,
			"; probable: the trace does not name what they wait for, places in the code stand for it");
	said(b, "about", wb_buf_cstr(&seen));
	b->failed |= seen.failed;
	wb_buf_free(&seen);
}

static void head(wb_buf *b, const wtr_findings_totals *t)
{
	if (t->n)
		out_counted(b, t->n, "finding", "findings");
	else
		wb_buf_puts(b, "nothing found");
	wb_buf_puts(b, " in ");
	out_duration(b, t->to_ns - t->from_ns);
	wb_buf_puts(b, ": ");
	out_counted(b, t->events, "event", "events");
	wb_buf_puts(b, ", ");
	out_counted(b, t->goroutines, "goroutine", "goroutines");
	wb_buf_puts(b, ", ");
	out_counted(b, t->procs, "proc", "procs");
	wb_buf_putc(b, '\n');
}

static void text(wb_buf *b, const wtr_findings *f, size_t limit, int64_t start_ns)
{
	wtr_findings_totals t;
	const wtr_finding *d;
	wtr_findings_get_totals(f, &t);
	head(b, &t);
	size_t i = 0;
	for (; (d = wtr_findings_get(f, i)) && (limit == 0 || i < limit); i++) {
		wb_buf_putc(b, '\n');
		finding(b, f, d, start_ns);
	}
	if (i < t.n)
		wb_buf_printf(b, "\n%s%zu more: --limit=0 shows all%s\n", cli_styled(CLI_DIM), t.n - i,
			cli_styled(CLI_PLAIN));
}

void cli_findings_brief(wb_buf *b, const wtr_findings *f, size_t limit)
{
	const wtr_finding *d;
	wtr_findings_totals t;
	wtr_findings_get_totals(f, &t);
	for (size_t i = 0; i < limit && (d = wtr_findings_get(f, i)); i++) {
		wb_buf_printf(
			b, "%s%4u%s   ", cli_styled(severity_style(d->severity)), d->severity, cli_styled(CLI_PLAIN));
		sentence(b, d);
	}
	if (t.n > limit)
		wb_buf_printf(b, "%*s%s%zu more: weft findings%s\n", INDENT, "", cli_styled(CLI_DIM), t.n - limit,
			cli_styled(CLI_PLAIN));
	if (t.n)
		wb_buf_putc(b, '\n');
}

/* ---- all of it ---- */

/* "severity>=50"; false: it is no such thing, and standard error says so. */
static bool parse_limit(const cli_args *a, unsigned *ret)
{
	static const char begin[] = "severity>=";
	const char *s = a->values[CLI_OPT_FAIL_ON];
	*ret = 101;
	if (!s)
		return true;
	const char *digits = s + sizeof(begin) - 1;
	size_t n = strncmp(s, begin, sizeof(begin) - 1) == 0 ? strspn(digits, "0123456789") : 0;
	if (n == 0 || n > 3 || digits[n] || (*ret = (unsigned)atoi(digits)) > 100) {
		cli_usage(a->command, "--fail-on: '%s' is not severity>=N with N from 0 to 100", s);
		return false;
	}
	return true;
}

static int print(const cli_args *a, const cli_scope *scope, const wtr_findings *f, int64_t start_ns)
{
	size_t limit = (size_t)cli_number(a, CLI_OPT_LIMIT, 0);
	wb_buf b = { 0 };
	if (cli_has(a, CLI_OPT_JSON)) {
		out_json j;
		out_json_to_buf(&j, &b, OUT_JSON_PRETTY);
		out_json_object(&j);
		cli_scope_json(&j, scope, start_ns);
		out_findings_json(&j, f, limit, start_ns);
		out_json_object_end(&j);
		return cli_print_json(&j, &b);
	}
	text(&b, f, limit, start_ns);
	int rc = cli_flush(&b, true) ? CLI_OK : CLI_UNREADABLE;
	wb_buf_free(&b);
	return rc;
}

static int make(const cli_args *a, cli_scope *scope, wtr_trace *t, unsigned fail_on)
{
	wtr_findings_query q = { scope->ranged, scope->from_ns, scope->to_ns, scope->where };
	wtr_findings *f;
	wtr_findings_totals totals;
	wtr_error err = { 0 };
	wtr_code rc = wtr_findings_make(t, &q, &f, &err);
	cli_progress_done();
	if (rc != WTR_OK) {
		cli_error(a->operands[0], &err);
		return CLI_UNREADABLE;
	}
	wtr_findings_get_totals(f, &totals);
	int status = cli_scope_recheck(scope, t, &totals.end);
	if (status == CLI_OK)
		status = print(a, scope, f, cli_start_ns(t));
	if (status == CLI_OK)
		cli_scope_note(scope, /* once= */ false);
	wtr_findings_free(f);
	if (status == CLI_OK && totals.n && totals.worst >= fail_on)
		return CLI_NO;
	return status;
}

int cli_run_FINDINGS(const cli_args *a)
{
	cli_scope scope;
	wtr_trace *t;
	unsigned fail_on;
	if (!parse_limit(a, &fail_on))
		return CLI_USAGE;
	int rc = cli_scope_parse(a, WTR_ABOUT_SPAN, &scope);
	if (rc == CLI_OK && cli_scope_open(&scope, &t, &rc)) {
		rc = make(a, &scope, t, fail_on);
		cli_scope_close(&scope, t, NULL);
	}
	cli_scope_free(&scope);
	return rc;
}

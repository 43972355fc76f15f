/* cli/cmd_events.c - the ordered events, for people, for programs, or as Go prints them. */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/near.h"
#include "cli/cli.h"
#include "out/eventtext.h"
#include "out/gotext.h"
#include "out/units.h"

enum { FORMAT_TEXT, FORMAT_GO, FORMAT_JSON };

typedef struct printer {
	wtr_trace *trace;
	unsigned format;
	bool stacks, hint; /* hint: say what to do about damage */
	int64_t start_ns;
	uint64_t left; /* events still to print */
	bool any;      /* one is printed */
	wtr_where *where;
	bool grep;
	regex_t regex;
	out_stack_cache *cache;
	wb_buf out, text; /* text: what grep looks at, where that is not what is printed */
	out_json json;
} printer;

/* ---- which events ---- */

static bool parse_type(const cli_args *a, wtr_filter *f)
{
	wb_near near = { .word = a->values[CLI_OPT_TYPE], .n = strlen(a->values[CLI_OPT_TYPE]) };
	for (unsigned type = 0; type < 256; type++) {
		const char *name = wtr_type_name(type);
		if (strcmp(name, "Bad") == 0)
			continue;
		wb_near_try(&near, name);
		if (strcasecmp(name, near.word) != 0)
			continue;
		if (type == 0) { /* Sync is no wire event */
			f->kinds |= (uint32_t)1 << WTR_KIND_SYNC;
			return true;
		}
		f->has_type = true;
		f->type = (uint8_t)type;
		return true;
	}
	if (near.best[0])
		cli_usage(a->command, "there is no event type '%s'; did you mean %s?", near.word, near.best);
	else
		cli_usage(a->command, "there is no event type '%s' (GoCreate, GoBlock, ProcStart, STWBegin, ...)",
			near.word);
	return false;
}

static int64_t absolute(const char *text, int64_t start_ns)
{
	int64_t ns = 0;
	bool abs = false;
	cli_time(text, &ns, &abs);
	if (!abs && __builtin_add_overflow(ns, start_ns, &ns))
		ns = INT64_MAX;
	return ns;
}

/* Takes the narrower one of two bounds. */
static void narrow(const cli_scope *scope, wtr_filter *f)
{
	if (!scope->ranged)
		return;
	f->from_ns = !f->has_from || scope->from_ns > f->from_ns ? scope->from_ns : f->from_ns;
	f->to_ns = !f->has_to || scope->to_ns < f->to_ns ? scope->to_ns : f->to_ns;
	f->has_from = f->has_to = true;
}

static bool make_filter(const cli_args *a, wtr_filter *f)
{
	if (cli_has(a, CLI_OPT_KIND) && !cli_kinds(a, CLI_OPT_KIND, &f->kinds))
		return false;
	if (cli_has(a, CLI_OPT_TYPE) && !parse_type(a, f))
		return false;
	f->has_g = cli_has(a, CLI_OPT_GOROUTINE);
	f->g = (int64_t)cli_number(a, CLI_OPT_GOROUTINE, 0);
	f->has_p = cli_has(a, CLI_OPT_PROC);
	f->p = (int64_t)cli_number(a, CLI_OPT_PROC, 0);
	f->has_m = cli_has(a, CLI_OPT_THREAD);
	f->m = (int64_t)cli_number(a, CLI_OPT_THREAD, 0);
	return true;
}

static void set_times(const cli_args *a, wtr_filter *f, int64_t start_ns)
{
	f->has_from = cli_has(a, CLI_OPT_FROM);
	f->has_to = cli_has(a, CLI_OPT_TO);
	if (f->has_from)
		f->from_ns = absolute(a->values[CLI_OPT_FROM], start_ns);
	if (f->has_to)
		f->to_ns = absolute(a->values[CLI_OPT_TO], start_ns);
}

static bool compile_grep(const cli_args *a, printer *p)
{
	if (!cli_has(a, CLI_OPT_GREP))
		return true;
	int rc = regcomp(&p->regex, a->values[CLI_OPT_GREP], REG_EXTENDED | REG_NOSUB | REG_NEWLINE);
	if (rc) {
		char why[160];
		regerror(rc, &p->regex, why, sizeof(why));
		cli_usage(a->command, "--grep: %s: '%s'", why, a->values[CLI_OPT_GREP]);
		return false;
	}
	p->grep = true;
	return true;
}

/* ---- printing ---- */

static void put_text(printer *p, wb_buf *b, const wtr_event *e)
{
	out_event_text(b, p->trace, e, p->start_ns, p->cache);
	wb_buf_putc(b, '\n');
	if (p->stacks)
		out_event_stacks(b, p->trace, e);
}

static bool matches(printer *p, wb_buf *b, size_t from)
{
	if (!p->grep)
		return true;
	const char *text = wb_buf_cstr(b);
	return b->failed || regexec(&p->regex, text + from, 0, NULL, 0) == 0;
}

static void print_event(printer *p, const wtr_event *e)
{
	size_t from = p->out.n;
	if (p->format == FORMAT_JSON) {
		p->text.n = 0;
		if (p->grep)
			put_text(p, &p->text, e);
		if (!matches(p, &p->text, 0))
			return;
		out_event_json(&p->json, p->trace, e, p->start_ns, p->stacks);
		out_json_line(&p->json);
	} else {
		if (p->format == FORMAT_GO)
			out_gotext_cached(&p->out, p->trace, e, p->cache);
		else
			put_text(p, &p->out, e);
		if (!matches(p, &p->out, from)) {
			p->out.n = from;
			return;
		}
	}
	p->left--;
	p->any = true;
}

/* All events of the cursor; false when they cannot be written. */
static bool print_all(printer *p, wtr_cursor *c)
{
	const wtr_event *e;
	size_t n;
	while (p->left && (n = wtr_next(c, &e)) > 0) {
		for (size_t i = 0; i < n && p->left; i++) {
			if (!wtr_where_event(p->where, &e[i]))
				continue;
			print_event(p, &e[i]);
			if (!cli_flush(&p->out, false))
				return false;
		}
		if (p->text.failed)
			p->out.failed = true;
	}
	return cli_flush(&p->out, true);
}

static int print_cursor(printer *p, wtr_cursor *c, const char *path)
{
	if (p->format == FORMAT_JSON)
		out_json_to_buf(&p->json, &p->out, 0);
	bool written = print_all(p, c);
	if (p->format == FORMAT_JSON)
		out_json_done(&p->json);
	if (!written)
		return CLI_UNREADABLE;
	if (p->left && wtr_cursor_error(c)->code != WTR_OK) {
		cli_error(path, wtr_cursor_error(c));
		if (p->hint)
			cli_hint("events up to there are printed; --repair goes on behind it, weft check says more");
		return CLI_UNREADABLE;
	}
	return CLI_OK;
}

/* Says how much was looked at when nothing came of it. */
static void note_nothing(const printer *p, const wtr_cursor *c, const wtr_filter *f)
{
	uint64_t seen = wtr_cursor_seen(c);
	wb_buf b = { 0 };
	if (seen == 0 && !f->has_from && !f->has_to)
		return;
	if (seen) {
		out_counted(&b, seen, "event was", "events were");
		wb_buf_puts(&b, " looked at, and none matches");
	} else {
		wb_buf_puts(&b, "no event is in that time");
	}
	cli_progress_done();
	fprintf(cli_err(), "weft: %s\n", wb_buf_cstr(&b));
	if (seen && p->grep && !p->stacks)
		cli_hint("--grep looks at stacks too with --stacks");
	wb_buf_free(&b);
}

/* Opens the cursor, prints, and lets go of everything but the trace. */
static int print_filtered(printer *p, const wtr_filter *f, const char *path)
{
	wtr_error err = { 0 };
	int rc = CLI_UNREADABLE;
	p->cache = out_stack_cache_new();
	wtr_cursor *c = wtr_cursor_open(p->trace, f, &err);
	if (c)
		rc = print_cursor(p, c, path);
	else
		cli_error(path, &err);
	if (rc == CLI_OK && !p->any && f)
		note_nothing(p, c, f);
	wtr_cursor_close(c);
	out_stack_cache_free(p->cache);
	wb_buf_free(&p->out);
	wb_buf_free(&p->text);
	return rc;
}

/* Opens the trace, with an index if the scope needs one, and prints. */
static int print_scope(const cli_args *a, printer *p, cli_scope *scope, wtr_filter *f)
{
	int rc;
	if (!cli_scope_open(scope, &p->trace, &rc))
		return rc;
	p->start_ns = cli_start_ns(p->trace);
	p->where = scope->where;
	set_times(a, f, p->start_ns);
	if (f->has_from && f->has_to && f->to_ns < f->from_ns) {
		rc = cli_usage(a->command, "--to=%s is before --from=%s", a->values[CLI_OPT_TO],
			a->values[CLI_OPT_FROM]);
	} else {
		narrow(scope, f);
		rc = print_filtered(p, f, a->operands[0]);
	}
	cli_scope_close(scope, p->trace, NULL);
	return rc;
}

int cli_run_EVENTS(const cli_args *a)
{
	printer p = { .stacks = cli_has(a, CLI_OPT_STACKS), .hint = !cli_has(a, CLI_OPT_REPAIR) };
	wtr_filter f = { 0 };
	p.left = cli_number(a, CLI_OPT_LIMIT, 0);
	p.left = p.left ? p.left : UINT64_MAX;
	p.format = cli_choice(a, CLI_OPT_FORMAT, cli_has(a, CLI_OPT_JSON) ? FORMAT_JSON : FORMAT_TEXT);
	if (cli_has(a, CLI_OPT_JSON) && p.format != FORMAT_JSON)
		return cli_usage(a->command, "--json and --format=%s: one of them", a->values[CLI_OPT_FORMAT]);
	if (!make_filter(a, &f))
		return CLI_USAGE;
	cli_scope scope;
	int rc = cli_scope_parse(a, WTR_ABOUT_EVENT, &scope);
	if (rc == CLI_OK && !compile_grep(a, &p))
		rc = CLI_USAGE;
	if (rc == CLI_OK)
		rc = print_scope(a, &p, &scope, &f);
	cli_scope_free(&scope);
	if (p.grep)
		regfree(&p.regex);
	return rc;
}

int cli_print_parsed(const cli_args *a, const char *path)
{
	printer p = { .format = FORMAT_GO, .left = UINT64_MAX };
	p.trace = cli_open(a);
	if (!p.trace)
		return CLI_NO; /* as Go */
	int rc = print_filtered(&p, NULL, path);
	wtr_close(p.trace);
	return rc == CLI_OK ? CLI_OK : CLI_NO;
}

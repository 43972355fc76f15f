/* cli/opening.c - opening what a command is about, and saying what is wrong with it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "out/grouping.h"
#include "out/units.h"

const char *cli_path(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard input" : path;
}

static void place(wb_buf *b, const char *fmt, uint64_t v)
{
	wb_buf_puts(b, b->n ? ", " : "");
	wb_buf_puts(b, fmt);
	wb_buf_u64(b, v);
}

void cli_error_place(wb_buf *b, const wtr_error *err)
{
	if (err->code == WTR_E_IO || err->code == WTR_E_NOMEM || err->code == WTR_E_USAGE)
		return;
	wb_buf t = { 0 };
	place(&t, "offset ", err->offset);
	if (err->generation)
		place(&t, "generation ", err->generation);
	if (err->thread >= 0)
		place(&t, "thread ", (uint64_t)err->thread);
	if (err->event && err->event[0]) {
		wb_buf_puts(&t, ", ");
		wb_buf_puts(&t, err->event);
	}
	wb_buf_put(b, t.at, t.n);
	wb_buf_free(&t);
}

void cli_error(const char *path, const wtr_error *err)
{
	wb_buf where = { 0 }, what = { 0 };
	const char *sentence = err->what[0] ? err->what : wtr_strerror(err->code);
	cli_error_place(&where, err);
	out_clean(&what, sentence, strlen(sentence)); /* it may hold texts of the trace */
	cli_progress_done();
	fprintf(cli_err(), "weft: %s: %s", cli_path(path), wb_buf_cstr(&what));
	if (where.n)
		fprintf(cli_err(), " (%s)", wb_buf_cstr(&where));
	fputc('\n', cli_err());
	wb_buf_free(&where);
	wb_buf_free(&what);
}

void cli_hint(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fputs("  ", cli_err());
	vfprintf(cli_err(), fmt, ap);
	fputc('\n', cli_err());
	va_end(ap);
}

int cli_threads(const cli_args *a)
{
	uint64_t n = cli_number(a, CLI_OPT_THREADS, 0);
	return n < 1024 ? (int)n : 1024;
}

void cli_open_error(const char *path, const wtr_error *err)
{
	cli_error(path, err);
	switch (err->code) {
	case WTR_E_MAGIC:
		cli_hint("a Go execution trace begins with \"go 1.\"; runtime/trace, go test -trace and "
			 "/debug/pprof/trace write them");
		break;
	case WTR_E_VERSION: cli_hint("weft reads what Go 1.11 to 1.27 write"); break;
	default: break;
	}
}

/* Of a command line that names no command: its first word was taken for a file. */
static void hint_at_commands(const char *word)
{
	if (strpbrk(word, "./") || strcmp(word, "-") == 0)
		return;
	if (cli_near_command(word))
		cli_hint("if a command was meant: weft %s", cli_near_command(word));
	else
		cli_hint("if '%s' was meant as a command: weft help lists them", word);
}

static wtr_trace *open_path(const cli_args *a, const char *path, cli_progress_fn *progress, void *user)
{
	wtr_options opt = {
		.damage = cli_has(a, CLI_OPT_REPAIR) ? WTR_REPAIR : WTR_AS_GO,
		.threads = cli_threads(a),
		/* rows hold stacks */
		.keep_tables =
			cli_choice(a, CLI_OPT_GROUP_BY, OUT_BY_START) == OUT_BY_CREATOR || cli_has(a, CLI_OPT_FILTER),
		.progress = progress,
		.progress_user = user,
	};
	wtr_trace *t;
	wtr_error err = { 0 };
	cli_sink_reading();
	if (wtr_open(path, &opt, &t, &err) == WTR_OK)
		return t;
	cli_open_error(path, &err);
	if (err.code == WTR_E_IO && !a->command->name[0])
		hint_at_commands(path);
	return NULL;
}

wtr_trace *cli_open_with(const cli_args *a, cli_progress_fn *progress, void *user)
{
	return open_path(a, a->operands[a->n_operands - 1], progress, user);
}

wtr_trace *cli_open_path(const cli_args *a, const char *path)
{
	return open_path(a, path, cli_progress, NULL);
}

wtr_trace *cli_open(const cli_args *a)
{
	return cli_open_with(a, cli_progress, NULL);
}

wtr_index *cli_index(const cli_args *a, unsigned parts, wtr_trace **ret_trace)
{
	wtr_trace *t = cli_open(a);
	if (!t)
		return NULL;
	wtr_index *x;
	wtr_error err = { 0 };
	if (wtr_index_build(t, parts, &x, &err) == WTR_OK) {
		cli_progress_done();
		*ret_trace = t;
		return x;
	}
	cli_error(a->operands[a->n_operands - 1], &err);
	wtr_close(t);
	return NULL;
}

int64_t cli_start_ns(wtr_trace *t)
{
	wtr_cursor *c = wtr_cursor_open(t, NULL, NULL);
	const wtr_event *e;
	int64_t start = c && wtr_next(c, &e) ? e->time_ns : 0;
	wtr_cursor_close(c);
	return start;
}

void cli_warn_damage(const char *path, const wtr_index *x)
{
	wtr_totals t;
	wtr_get_totals(x, &t);
	if (t.end.code != WTR_OK)
		cli_warn_end(path, &t.end);
}

void cli_warn_end(const char *path, const wtr_error *end)
{
	cli_error(path, end);
	cli_hint("the answer covers what stands before it; weft check says more, --repair reads on behind it");
}

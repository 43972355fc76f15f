/* cli/print.c - standard output, colours. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "os/term.h"
#include "out/units.h"

bool cli_flush(wb_buf *b, bool all)
{
	if (b->failed) {
		cli_progress_done();
		fputs("weft: out of memory\n", cli_err());
		return false;
	}
	if (!all && b->n < 128 << 10)
		return true;
	if (b->n)
		cli_progress_done();
	if (fwrite(b->at, 1, b->n, cli_out()) != b->n || (all && fflush(cli_out()) != 0)) {
		fprintf(cli_err(), "weft: standard output: %s\n", strerror(errno));
		return false;
	}
	b->n = 0;
	return true;
}

int cli_print_json(out_json *j, wb_buf *b)
{
	bool whole = out_json_done(j);
	if (!whole)
		b->failed = true;
	else if (b->n && b->at[b->n - 1] != '\n')
		wb_buf_putc(b, '\n');
	int rc = cli_flush(b, true) ? CLI_OK : CLI_UNREADABLE;
	wb_buf_free(b);
	return rc;
}

void cli_error_json(out_json *j, const wtr_error *err)
{
	out_json_object(j);
	out_json_put_text(j, "what", err->what[0] ? err->what : wtr_strerror(err->code));
	out_json_put_text(j, "rule", err->rule ? err->rule : "");
	out_json_put_u64(j, "offset", err->offset);
	out_json_put_u64(j, "generation", err->generation);
	out_json_put_id(j, "thread", err->thread);
	out_json_put_text(j, "event", err->event ? err->event : "");
	out_json_object_end(j);
}

void cli_damage_json(out_json *j, const wtr_index *x)
{
	wtr_totals t;
	wtr_get_totals(x, &t);
	bool lost = t.losses.events || t.losses.batches || t.losses.generations || t.losses.bytes;
	out_json_key(j, "damage");
	if (t.end.code == WTR_OK && !lost) {
		out_json_null(j);
		return;
	}
	out_json_object(j);
	out_json_key(j, "end");
	if (t.end.code == WTR_OK)
		out_json_null(j);
	else
		cli_error_json(j, &t.end);
	out_json_put_u64(j, "lost_events", t.losses.events);
	out_json_put_u64(j, "lost_batches", t.losses.batches);
	out_json_put_u64(j, "lost_generations", t.losses.generations);
	out_json_put_u64(j, "lost_bytes", t.losses.bytes);
	out_json_object_end(j);
}

size_t cli_columns(void)
{
	enum { MOST = 10000 };
	static _Atomic int known = -1; /* asked for every table, by several threads */
	if (known < 0) {
		const char *said = getenv("COLUMNS");
		int n = said && *said && strspn(said, "0123456789") == strlen(said) ? atoi(said) : 0;
		if (n <= 0)
			n = wo_is_terminal(1) ? wo_columns(1) : 0;
		known = n > 0 && n <= MOST ? n : 0;
	}
	return (size_t)known;
}

void cli_table(wb_buf *b, out_table *t, const char *indent)
{
	t->limit = cli_columns();
	out_table_print(t, b, indent, cli_styled(CLI_DIM), cli_styled(CLI_PLAIN));
}

void cli_wrapped(wb_buf *b, const char *text, size_t indent, size_t column)
{
	enum { MOST = 100, LEAST = 30 };
	size_t limit = cli_columns() && cli_columns() < MOST ? cli_columns() : MOST;
	limit = limit < indent + LEAST ? indent + LEAST : limit;
	for (bool first = true; *text; first = false) {
		size_t n = strcspn(text, " "), width = out_width(text, n);
		if (!first && column + 1 + width > limit) {
			wb_buf_printf(b, "\n%*s", (int)indent, "");
			column = indent;
		} else if (!first) {
			wb_buf_putc(b, ' ');
			column++;
		}
		wb_buf_put(b, text, n);
		column += width;
		text += n + (text[n] == ' ');
	}
	wb_buf_putc(b, '\n');
}

void cli_times(out_table *t, const out_sums *s)
{
	const int64_t v[] = { s->exec_ns, s->sched_ns, s->block_ns, s->syscall_ns + s->syscall_block_ns, s->total_ns };
	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		wb_buf *cell = out_cell(t, v[i] ? "" : cli_styled(CLI_DIM));
		if (v[i])
			out_duration(cell, v[i]);
		else
			wb_buf_putc(cell, '-');
	}
}

void cli_name(out_table *t, wtr_str name)
{
	wb_buf *cell = out_cell(t, cli_styled(name.n ? CLI_BOLD : CLI_DIM));
	if (name.n)
		out_clean(cell, name.at, name.n);
	else
		wb_buf_puts(cell, "(not known)");
}

bool cli_coloured(void)
{
	static int known; /* 1: yes, -1: no; asked for every cell of a table */
	if (!known) {
		const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
		bool dumb = term && strcmp(term, "dumb") == 0;
		known = !(no && *no) && !dumb && wo_is_terminal(1) ? 1 : -1;
	}
	return known > 0;
}

const char *cli_styled(cli_style s)
{
	static const char *const codes[] = {
		"\033[0m", "\033[1m", "\033[2m", "\033[31m", "\033[32m", "\033[33m", "\033[34m", "\033[36m",
	};
	return cli_coloured() ? codes[s] : "";
}

/* cli/cmd_check.c - is a trace sound?  Where not: what is wrong, what can be read, and what repair makes of it. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "out/units.h"

enum { NOTES_MAX = 32, NOTE_INDENT = 12 };

/* What a pass over the events found. */
typedef struct pass {
	wtr_error  error;  /* OK: read to the end */
	wtr_losses losses;
	uint64_t   events;
	int64_t    start_ns, end_ns;
	struct {
		const char  *name, *text;
		wtr_severity severity;
		uint64_t     n;
	} notes[NOTES_MAX];
	size_t n_notes;
} pass;

typedef struct finding {
	const char *path;
	wtr_info    info;     /* version 0: it is no trace */
	pass        as_go;
	pass        repaired; /* events 0: not tried, or nothing to be had */
	wtr_error   error;    /* the first thing wrong; OK: the trace is sound */
} finding;

static void take_note(void *user, const char *name, wtr_severity severity, uint64_t n, const char *text)
{
	pass *p = user;
	if (p->n_notes < NOTES_MAX) {
		p->notes[p->n_notes].name = name;
		p->notes[p->n_notes].text = text;
		p->notes[p->n_notes].severity = severity;
		p->notes[p->n_notes++].n = n;
	}
}

static void read_through(wtr_trace *t, pass *p)
{
	wtr_cursor *c = wtr_cursor_open(t, NULL, &p->error);
	const wtr_event *e;
	size_t n;
	if (!c)
		return;
	while ((n = wtr_next(c, &e)) > 0) {
		if (p->events == 0)
			p->start_ns = e[0].time_ns;
		p->end_ns = e[n - 1].time_ns;
		p->events += n;
	}
	p->error = *wtr_cursor_error(c);
	wtr_cursor_losses(c, &p->losses);
	wtr_diag(c, take_note, p);
	wtr_cursor_close(c);
}

/* What --repair would make of it; only of what can be read twice. */
static void try_repair(const cli_args *a, finding *f)
{
	if (strcmp(f->path, "-") == 0)
		return;
	wtr_options opt = {
		.damage = WTR_REPAIR,
		.threads = cli_threads(a),
		.progress = cli_progress,
	};
	wtr_trace *t;
	if (wtr_open(f->path, &opt, &t, NULL) != WTR_OK)
		return;
	read_through(t, &f->repaired);
	wtr_close(t);
}

/* False: the file could not be looked at. */
static bool examine(const cli_args *a, finding *f)
{
	wtr_options opt = { .threads = cli_threads(a), .progress = cli_progress };
	wtr_trace *t;
	wtr_code code = wtr_open(f->path, &opt, &t, &f->error);
	if (code == WTR_OK) {
		wtr_get_info(t, &f->info);
		read_through(t, &f->as_go);
		f->error = f->as_go.error;
		if (f->error.code == WTR_OK)
			wtr_validate(t, &f->error);
		wtr_close(t);
	}
	cli_progress_done();
	switch (f->error.code) {
	case WTR_OK:
		return true;
	case WTR_E_IO:
	case WTR_E_NOMEM:
	case WTR_E_LIMIT:
	case WTR_E_USAGE:
		cli_error(f->path, &f->error);
		return false;
	case WTR_E_MAGIC:
	case WTR_E_VERSION:
		return true;
	default:
		try_repair(a, f);
		cli_progress_done();
		return true;
	}
}

static const char *verdict(const finding *f)
{
	switch (f->error.code) {
	case WTR_OK: return "sound";
	case WTR_E_MAGIC: return "not a trace";
	case WTR_E_VERSION: return "unknown version";
	case WTR_E_TRUNC: return "torn";
	default: return "broken";
	}
}

static uint64_t lost_bytes(const finding *f)
{
	return f->as_go.losses.bytes > f->info.lost_bytes ? f->as_go.losses.bytes : f->info.lost_bytes;
}

/* ---- text ---- */

static void label(wb_buf *b, const char *name)
{
	size_t from = b->n;
	wb_buf_puts(b, "  ");
	wb_buf_puts(b, name);
	out_pad(b, from, NOTE_INDENT);
}

static void put_events(wb_buf *b, const pass *p)
{
	out_count(b, p->events);
	wb_buf_puts(b, " over ");
	out_duration(b, p->end_ns - p->start_ns);
}

static void put_lost(wb_buf *b, const finding *f)
{
	label(b, "lost");
	out_count(b, lost_bytes(f));
	wb_buf_printf(b, " of ");
	out_count(b, f->info.trace_bytes);
	wb_buf_printf(b, " bytes (%.1f %%)\n", 100 * (double)lost_bytes(f) / (double)f->info.trace_bytes);
}

static void put_repair(wb_buf *b, const finding *f)
{
	const wtr_losses *l = &f->repaired.losses;
	label(b, "--repair");
	wb_buf_puts(b, "reads ");
	put_events(b, &f->repaired);
	if (l->events || l->batches || l->generations) {
		wb_buf_puts(b, "; leaves out ");
		out_counted(b, l->events, "event", "events");
		wb_buf_puts(b, ", ");
		out_counted(b, l->batches, "batch", "batches");
		wb_buf_puts(b, ", ");
		out_counted(b, l->generations, "generation", "generations");
	}
	wb_buf_putc(b, '\n');
}

static void print_text(wb_buf *b, const finding *f)
{
	bool sound = f->error.code == WTR_OK;
	wb_buf_puts(b, cli_path(f->path));
	wb_buf_printf(b, ": %s%s%s\n", cli_styled(sound ? CLI_GREEN : CLI_RED), verdict(f), cli_styled(CLI_PLAIN));
	if (f->info.version) {
		label(b, "trace");
		wb_buf_printf(b, "%s, ", f->info.written_by);
		out_bytes(b, f->info.trace_bytes);
		wb_buf_puts(b, ", ");
		out_counted(b, f->info.generations, "generation", "generations");
		wb_buf_putc(b, '\n');
		label(b, sound ? "events" : "readable");
		put_events(b, &f->as_go);
		wb_buf_putc(b, '\n');
	}
	if (!sound) {
		wb_buf where = { 0 };
		label(b, "what");
		out_clean(b, f->error.what, strlen(f->error.what));
		cli_error_place(&where, &f->error);
		if (where.n && f->error.code != WTR_E_MAGIC && f->error.code != WTR_E_VERSION)
			wb_buf_printf(b, " (%s)", wb_buf_cstr(&where));
		wb_buf_free(&where);
		if (f->error.rule && f->error.rule[0]) {
			wb_buf_putc(b, '\n');
			label(b, "rule");
			wb_buf_puts(b, f->error.rule);
		}
		wb_buf_putc(b, '\n');
	}
	if (f->info.trace_bytes && lost_bytes(f))
		put_lost(b, f);
	if (f->repaired.events > f->as_go.events)
		put_repair(b, f);
	for (size_t i = 0; i < f->as_go.n_notes; i++) {
		label(b, i ? "" : "noted");
		wb_buf line = { 0 };
		out_count(&line, f->as_go.notes[i].n);
		wb_buf_printf(&line, " %s: %s", f->as_go.notes[i].name, f->as_go.notes[i].text);
		cli_wrapped(b, wb_buf_cstr(&line), NOTE_INDENT, NOTE_INDENT);
		wb_buf_free(&line);
	}
}

/* ---- JSON ---- */

static void losses_json(out_json *j, const wtr_losses *l)
{
	out_json_put_u64(j, "lost_events", l->events);
	out_json_put_u64(j, "lost_batches", l->batches);
	out_json_put_u64(j, "lost_generations", l->generations);
}

static void print_json(out_json *j, const finding *f)
{
	static const char *const severities[] = { "info", "loss", "error" };
	out_json_object(j);
	out_json_put_text(j, "file", f->path);
	out_json_put_text(j, "verdict", verdict(f));
	out_json_put_u64(j, "version", f->info.version);
	out_json_put_text(j, "written_by", f->info.version ? f->info.written_by : NULL);
	out_json_put_u64(j, "trace_bytes", f->info.trace_bytes);
	out_json_put_u64(j, "generations", f->info.generations);
	out_json_put_u64(j, "events", f->as_go.events);
	out_json_put_i64(j, "duration_ns", f->as_go.end_ns - f->as_go.start_ns);
	out_json_put_u64(j, "lost_bytes", lost_bytes(f));
	out_json_key(j, "error");
	if (f->error.code == WTR_OK)
		out_json_null(j);
	else
		cli_error_json(j, &f->error);
	out_json_key(j, "repair");
	if (f->repaired.events > f->as_go.events) {
		out_json_object(j);
		out_json_put_u64(j, "events", f->repaired.events);
		out_json_put_i64(j, "duration_ns", f->repaired.end_ns - f->repaired.start_ns);
		losses_json(j, &f->repaired.losses);
		out_json_object_end(j);
	} else {
		out_json_null(j);
	}
	out_json_key(j, "notes");
	out_json_array(j);
	for (size_t i = 0; i < f->as_go.n_notes; i++) {
		out_json_object(j);
		out_json_put_text(j, "name", f->as_go.notes[i].name);
		out_json_put_text(j, "severity", severities[f->as_go.notes[i].severity]);
		out_json_put_u64(j, "n", f->as_go.notes[i].n);
		out_json_put_text(j, "text", f->as_go.notes[i].text);
		out_json_object_end(j);
	}
	out_json_array_end(j);
	out_json_object_end(j);
}

int cli_run_CHECK(const cli_args *a)
{
	finding f = { .path = a->operands[0] };
	wb_buf b = { 0 };
	if (!examine(a, &f))
		return CLI_UNREADABLE;
	bool printed;
	if (cli_has(a, CLI_OPT_JSON)) {
		out_json j;
		out_json_to_buf(&j, &b, OUT_JSON_PRETTY);
		print_json(&j, &f);
		printed = cli_print_json(&j, &b) == CLI_OK;
	} else {
		print_text(&b, &f);
		printed = cli_flush(&b, true);
		wb_buf_free(&b);
	}
	if (!printed)
		return CLI_UNREADABLE;
	return f.error.code == WTR_OK ? CLI_OK : CLI_NO;
}

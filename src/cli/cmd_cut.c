/* cli/cmd_cut.c - traces made of traces: cut, repaired, joined. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wtr/edit.h>

#include "cli/cli.h"
#include "cli/writing.h"
#include "out/units.h"

static int say(const cli_args *a, const char *out, const wtr_edit_result *r)
{
	if (strcmp(out, "-") == 0)
		return CLI_OK;
	wb_buf b = { 0 };
	if (cli_has(a, CLI_OPT_JSON)) {
		out_json j;
		out_json_to_buf(&j, &b, OUT_JSON_PRETTY);
		out_json_object(&j);
		out_json_put_u64(&j, "events", r->events);
		out_json_put_u64(&j, "added", r->added);
		out_json_put_u64(&j, "left_out", r->left_out);
		out_json_put_u64(&j, "generations", r->generations);
		out_json_put_u64(&j, "bytes", r->bytes);
		out_json_put_i64(&j, "duration_ns", r->end_ns - r->start_ns);
		out_json_key(&j, "end");
		if (r->end.code == WTR_OK)
			out_json_null(&j);
		else
			cli_error_json(&j, &r->end);
		out_json_object_end(&j);
		return cli_print_json(&j, &b);
	}
	out_counted(&b, r->events, "event", "events");
	wb_buf_puts(&b, " over ");
	out_duration(&b, r->end_ns - r->start_ns);
	wb_buf_puts(&b, ", ");
	out_bytes(&b, r->bytes);
	wb_buf_puts(&b, "; ");
	out_count(&b, r->added);
	wb_buf_puts(&b, " of them added, ");
	out_count(&b, r->left_out);
	wb_buf_puts(&b, " left out\n");
	int rc = cli_flush(&b, true) ? CLI_OK : CLI_UNREADABLE;
	wb_buf_free(&b);
	return rc;
}

/* Ends what has been written, and says how it went. */
static int end(const cli_args *a, cli_writing *w, wtr_code code, const wtr_edit_result *r, const wtr_error *err)
{
	if (!cli_writing_close(w, code == WTR_OK))
		return CLI_UNREADABLE;
	if (code != WTR_OK) {
		cli_error(a->operands[0], err);
		return code == WTR_E_USAGE ? CLI_USAGE : CLI_UNREADABLE;
	}
	if (r->end.code != WTR_OK && !cli_has(a, CLI_OPT_JSON)) {
		cli_error(a->operands[0], &r->end);
		cli_hint("what stands before it was written");
	}
	return say(a, w->path, r);
}

int cli_run_REPAIR(const cli_args *a)
{
	wtr_options opt = { .damage = WTR_REPAIR, .threads = cli_threads(a), .progress = cli_progress };
	wtr_trace *t;
	wtr_error err = { 0 };
	cli_writing w;
	int status = CLI_OK;
	if (wtr_open(a->operands[0], &opt, &t, &err) != WTR_OK) {
		cli_error(a->operands[0], &err);
		return CLI_UNREADABLE;
	}
	if (cli_writing_open(a, a->operands[1], &w, &status)) {
		wtr_edit_result r;
		wtr_code code = wtr_repair(t, cli_writing_put, &w, &r, &err);
		status = end(a, &w, code, &r, &err);
	}
	wtr_close(t);
	return status;
}

int cli_run_CUT(const cli_args *a)
{
	wtr_options opt = { .threads = cli_threads(a), .progress = cli_progress };
	wtr_trace *t;
	wtr_error err = { 0 };
	cli_writing w;
	int status = CLI_OK;
	if (wtr_open(a->operands[0], &opt, &t, &err) != WTR_OK) {
		cli_error(a->operands[0], &err);
		return CLI_UNREADABLE;
	}
	wtr_cut_options cut = { 0 };
	bool absolute;
	if (cli_has(a, CLI_OPT_FROM)) {
		cut.has_from = cli_time(a->values[CLI_OPT_FROM], &cut.from_ns, &absolute);
		if (!absolute)
			cut.from_ns += cli_start_ns(t);
	}
	if (cli_has(a, CLI_OPT_TO)) {
		cut.has_to = cli_time(a->values[CLI_OPT_TO], &cut.to_ns, &absolute);
		if (!absolute)
			cut.to_ns += cli_start_ns(t);
	}
	if (cli_writing_open(a, a->operands[1], &w, &status)) {
		wtr_edit_result r;
		wtr_code code = wtr_cut(t, &cut, cli_writing_put, &w, &r, &err);
		status = end(a, &w, code, &r, &err);
	}
	wtr_close(t);
	return status;
}

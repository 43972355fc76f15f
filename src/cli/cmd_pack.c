/* cli/cmd_pack.c - traces in fewer bytes, and back. */
#include <string.h>

#include <wtr/edit.h>

#include "cli/cli.h"
#include "cli/writing.h"
#include "out/units.h"

typedef wtr_code pack_fn(const char *, const wtr_options *, wtr_write_fn *, void *, wtr_pack_result *, wtr_error *);

static double ratio(const wtr_pack_result *r)
{
	return r->packed_bytes ? (double)r->trace_bytes / (double)r->packed_bytes : 0;
}

/* Nothing, when the file itself went to standard output. */
static int say_packed(const cli_args *a, const wtr_pack_result *r)
{
	if (strcmp(a->operands[1], "-") == 0)
		return CLI_OK;
	wb_buf b = { 0 };
	if (cli_has(a, CLI_OPT_JSON)) {
		out_json j;
		out_json_to_buf(&j, &b, OUT_JSON_PRETTY);
		out_json_object(&j);
		out_json_put_u64(&j, "trace_bytes", r->trace_bytes);
		out_json_put_u64(&j, "packed_bytes", r->packed_bytes);
		out_json_object_end(&j);
		return cli_print_json(&j, &b);
	}
	out_bytes(&b, r->trace_bytes);
	wb_buf_puts(&b, ", packed ");
	out_bytes(&b, r->packed_bytes);
	wb_buf_printf(&b, ": %.1f times smaller\n", ratio(r));
	int rc = cli_flush(&b, true) ? CLI_OK : CLI_UNREADABLE;
	wb_buf_free(&b);
	return rc;
}

static int run(const cli_args *a, pack_fn *fn, wtr_pack_result *ret)
{
	cli_writing w;
	int status = CLI_OK;
	if (!cli_writing_open(a, a->operands[1], &w, &status))
		return status;
	wtr_options opt = { .threads = cli_threads(a), .progress = cli_progress };
	wtr_error err = { 0 };
	wtr_code code = fn(a->operands[0], &opt, cli_writing_put, &w, ret, &err);
	if (!cli_writing_close(&w, code == WTR_OK))
		return CLI_UNREADABLE;
	if (code == WTR_OK)
		return CLI_OK;
	cli_error(a->operands[0], &err);
	return CLI_UNREADABLE;
}

int cli_run_PACK(const cli_args *a)
{
	wtr_pack_result r;
	int rc = run(a, wtr_pack, &r);
	return rc == CLI_OK ? say_packed(a, &r) : rc;
}

int cli_run_UNPACK(const cli_args *a)
{
	return run(a, wtr_unpack, NULL);
}

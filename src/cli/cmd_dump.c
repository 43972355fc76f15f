/* cli/cmd_dump.c - a trace file as text, and back; also go tool trace's -d=wire and -d=footprint. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <wtr/text.h>

#include "cli/cli.h"
#include "os/term.h"

/* Where the text or the bytes go. */
typedef struct target {
	FILE *file;
	int   error; /* errno of a failed write */
} target;

static bool put(void *user, const char *at, size_t n)
{
	target *t = user;
	if (fwrite(at, 1, n, t->file) == n)
		return true;
	t->error = errno;
	return false;
}

static bool open_target(const cli_args *a, target *t)
{
	const char *path = a->values[CLI_OPT_OUTPUT];
	*t = (target){ .file = stdout };
	if (!path || strcmp(path, "-") == 0)
		return true;
	t->file = fopen(path, "wb");
	if (!t->file)
		fprintf(stderr, "weft: %s: %s\n", path, strerror(errno));
	return t->file != NULL;
}

/* False when something could not be written, and standard error says so. */
static bool close_target(const cli_args *a, target *t)
{
	if (t->file == stdout) {
		if (fflush(stdout) != 0 && !t->error)
			t->error = errno;
	} else if (fclose(t->file) != 0 && !t->error) {
		t->error = errno;
	}
	const char *name = t->file == stdout ? "standard output" : a->values[CLI_OPT_OUTPUT];
	if (t->error)
		fprintf(stderr, "weft: %s: %s\n", name, strerror(t->error));
	return !t->error;
}

int cli_run_DUMP(const cli_args *a)
{
	target t;
	wtr_error err = { 0 };
	wtr_dump_result r = { 0 };
	if (!open_target(a, &t))
		return CLI_UNREADABLE;
	wtr_code code = wtr_dump(a->operands[0], NULL, put, &t, &r, &err);
	if (!close_target(a, &t))
		return CLI_UNREADABLE;
	if (code == WTR_OK)
		return CLI_OK;
	cli_error(a->operands[0], &err);
	if (r.lost_bytes && r.trace_bytes)
		cli_hint("%llu of %llu bytes are no records; they are in the text as they are",
			(unsigned long long)r.lost_bytes, (unsigned long long)r.trace_bytes);
	return CLI_UNREADABLE;
}

int cli_run_ASSEMBLE(const cli_args *a)
{
	if (!cli_has(a, CLI_OPT_OUTPUT) && wo_is_terminal(1))
		return cli_usage(a->command, "assemble writes bytes, not for a terminal: --output=FILE");
	target t;
	wtr_error err = { 0 };
	if (!open_target(a, &t))
		return CLI_UNREADABLE;
	wtr_code code = wtr_assemble_file(a->operands[0], put, &t, &err);
	if (!close_target(a, &t))
		return CLI_UNREADABLE;
	if (code == WTR_OK)
		return CLI_OK;
	cli_error(a->operands[0], &err);
	return CLI_UNREADABLE;
}

int cli_print_wire(const cli_args *a, const char *path, bool footprint)
{
	(void)a;
	target t = { .file = stdout };
	wtr_error err = { 0 };
	wtr_dump_options opt = { .mode = footprint ? WTR_DUMP_FOOTPRINT : WTR_DUMP_WIRE };
	wtr_code code = wtr_dump(path, &opt, put, &t, NULL, &err);
	if (!close_target(a, &t))
		return CLI_NO;
	if (code == WTR_OK)
		return CLI_OK;
	cli_error(path, &err);
	return CLI_NO; /* as Go */
}

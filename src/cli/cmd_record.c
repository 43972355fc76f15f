/* cli/cmd_record.c - runs a program on libweft with its tracer on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "os/file.h"
#include "os/process.h"

/* WEFT_TRACE's own form (include/weft/trace.h). */
static bool set_variable(const cli_args *a, const char *path)
{
	char value[4096];
	int64_t ns = 0;
	bool absolute;
	const char *window = a->values[CLI_OPT_KEEP];
	if (strchr(path, ',')) {
		cli_usage(a->command, "%s: the name of the trace must not have a comma in it", path);
		return false;
	}
	if (window && (!cli_time(window, &ns, &absolute) || absolute || ns < 1000000)) {
		cli_usage(a->command, "--keep wants a time of a millisecond or more, such as 10s, not %s", window);
		return false;
	}
	int n = window ? snprintf(value, sizeof(value), "%s,window=%lldms", path, (long long)(ns / 1000000))
		       : snprintf(value, sizeof(value), "%s", path);
	return n > 0 && (size_t)n < sizeof(value) && setenv("WEFT_TRACE", value, 1) == 0;
}

int cli_run_RECORD(const cli_args *a)
{
	const char *path = a->values[CLI_OPT_OUTPUT] ? a->values[CLI_OPT_OUTPUT] : "trace.out";
	if (!set_variable(a, path))
		return CLI_USAGE;
	remove(path); /* so that one which is there afterwards is new */
	char *argv[CLI_OPERANDS_MAX + 1] = { 0 };
	for (size_t i = 0; i < a->n_operands; i++)
		argv[i] = (char *)(uintptr_t)a->operands[i];
	int status;
	int err = wo_process_run(argv, &status);
	if (err < 0) {
		fprintf(stderr, "weft: %s: %s\n", argv[0], strerror(-err));
		return CLI_UNREADABLE;
	}
	FILE *f = fopen(path, "rb");
	if (!f) {
		fprintf(stderr, "weft: %s: it wrote no trace: is it a program on libweft?\n", argv[0]);
		return status ? status : CLI_NO;
	}
	fclose(f);
	fprintf(stderr, "weft: the trace is in %s: weft %s\n", path, path);
	return status;
}

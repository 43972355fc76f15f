/* cli/cmd_record.c - runs a program with its tracer on: one on libweft, or a test of Go. */
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

/* ---- Go's tests ----
 *
 * Their tracer is started by a flag: of `go test`, and of the programs that `go test -c` makes. */

/* "go", "/usr/local/go/bin/go"; "math.test" */
static bool is_named(const char *program, const char *name)
{
	const char *base = strrchr(program, '/');
	base = base ? base + 1 : program;
	size_t n = strlen(base), k = strlen(name);
	return *name == '.' ? n > k && strcmp(base + n - k, name) == 0 : strcmp(base, name) == 0;
}

/* Behind which word the flag goes; 0: it is no test of Go. */
static size_t place_of_flag(char *const *argv)
{
	if (is_named(argv[0], "go") && argv[1] && strcmp(argv[1], "test") == 0)
		return 2;
	return is_named(argv[0], ".test") ? 1 : 0;
}

static bool has_flag(char *const *argv, const char *name)
{
	size_t n = strlen(name);
	for (size_t i = 1; argv[i] && strcmp(argv[i], "-args") != 0; i++) {
		const char *word = argv[i] + strspn(argv[i], "-");
		if (word > argv[i] && strncmp(word, name, n) == 0 && (word[n] == '=' || word[n] == 0))
			return true;
	}
	return false;
}

/* Adds the flag to argv, which has room; `text` is for it.  The exit status; CLI_OK when there is nothing to say. */
static int add_flag(const cli_args *a, const char *path, char **argv, size_t n, char *text, size_t text_bytes)
{
	size_t at = place_of_flag(argv);
	const char *flag = at == 2 ? "trace" : "test.trace";
	if (at == 0)
		return CLI_OK;
	if (cli_has(a, CLI_OPT_KEEP))
		return cli_usage(a->command, "--keep is for programs on libweft: Go's tests record all of the time");
	if (has_flag(argv, flag))
		return cli_usage(a->command, "-%s is what weft adds by itself: say with -o where the trace goes", flag);
	if ((size_t)snprintf(text, text_bytes, "-%s=%s", flag, path) >= text_bytes)
		return cli_usage(a->command, "%.80s...: the name of the trace is too long", path);
	memmove(argv + at + 1, argv + at, (n - at) * sizeof(*argv));
	argv[at] = text;
	return CLI_OK;
}

/* ---- the run ---- */

int cli_run_RECORD(const cli_args *a)
{
	const char *path = a->values[CLI_OPT_OUTPUT] ? a->values[CLI_OPT_OUTPUT] : "trace.out";
	char *argv[CLI_OPERANDS_MAX + 2] = { 0 }, flag[4096];
	for (size_t i = 0; i < a->n_operands; i++)
		argv[i] = (char *)(uintptr_t)a->operands[i];
	int status = add_flag(a, path, argv, a->n_operands, flag, sizeof(flag));
	if (status != CLI_OK)
		return status;
	if (!set_variable(a, path))
		return CLI_USAGE;
	wo_file_mark before = wo_file_mark_of(path), after;
	if (before.inode && !before.regular)
		return cli_usage(a->command, "%s is not a file that a trace can be written to", path);
	int err = wo_process_run(argv, &status);
	if (err < 0) {
		fprintf(stderr, "weft: %s: %s\n", argv[0], strerror(-err));
		return CLI_UNREADABLE;
	}
	after = wo_file_mark_of(path);
	if (!after.inode || wo_file_mark_same(&before, &after)) {
		fprintf(stderr, "weft: %s: it wrote no trace: is it a program on libweft, or a test of Go?\n", argv[0]);
		return status ? status : CLI_NO;
	}
	fprintf(stderr, "weft: the trace is in %s: weft %s\n", path, path);
	return status;
}

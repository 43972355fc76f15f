/* cli/cmd_fetch.c - a trace from a running program, by HTTP. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/writing.h"
#include "fetch/fetch.h"

enum { URL_BYTES = 4096, SECONDS_MAX = 86400, SILENT_S = 30 };
static const uint64_t bytes_max = UINT64_C(16) << 30;

static const char magic[] = "go 1.";
enum { MAGIC_BYTES = sizeof(magic) - 1 };

typedef struct fetching {
	cli_writing writing;
	char first[MAGIC_BYTES]; /* of what came */
	size_t n_first;
	bool no_trace;
} fetching;

static bool put(void *user, const char *at, size_t n)
{
	fetching *f = user;
	size_t k = MAGIC_BYTES - f->n_first < n ? MAGIC_BYTES - f->n_first : n;
	memcpy(f->first + f->n_first, at, k);
	f->n_first += k;
	f->no_trace = memcmp(f->first, magic, f->n_first) != 0;
	return !f->no_trace && cli_writing_put(&f->writing, at, n);
}

static bool progress(void *user, uint64_t bytes)
{
	(void)user;
	return cli_progress(NULL, "fetching", bytes, 0);
}

/* What came is something else. */
static void say_no_trace(const fetching *f, const char *url)
{
	cli_progress_done();
	fprintf(stderr, "weft: %s: that is not a trace\n", url);
	if (f->n_first >= 2 && memcmp(f->first, "\x1f\x8b", 2) == 0)
		cli_hint("if it is a profile: go tool pprof %s", url);
	else
		cli_hint("traces come from /debug/pprof/trace, and from /debug/flight of programs on libweft");
}

static void say_error(const fetching *f, const char *url, const fetch_error *err)
{
	cli_progress_done();
	if (f->no_trace || (err->stopped && f->writing.error == 0)) {
		say_no_trace(f, url);
		return;
	}
	if (err->stopped) /* the file cannot be written, and closing it says so */
		return;
	fprintf(stderr, "weft: %s: %s\n", url, err->what);
	if (err->status == 404 && strstr(url, "/debug/pprof/trace"))
		cli_hint("does the program import net/http/pprof, or call weft_debug_serve()?");
}

/* Exit status. */
static int get(const cli_args *a, const char *url, const char *path)
{
	fetching f = { 0 };
	int status = CLI_OK;
	if (!cli_writing_open(a, path, &f.writing, &status))
		return status;
	fetch_error err;
	const fetch_options opt = {
		.silent_s = fetch_seconds(url, 1) + SILENT_S,
		.bytes_max = bytes_max,
		.put = put,
		.progress = progress,
		.user = &f,
	};
	bool good = fetch_get(url, &opt, &err);
	if (!good) {
		say_error(&f, url, &err);
	} else if (f.n_first < MAGIC_BYTES) {
		good = false;
		say_no_trace(&f, url);
	}
	return cli_writing_close(&f.writing, good) && good ? CLI_OK : CLI_UNREADABLE;
}

static int view(const cli_args *a, const char *path)
{
	cli_args v = *a;
	v.command = &cli_commands[CLI_CMD_VIEW];
	v.operands[0] = path;
	v.n_operands = 1;
	return cli_run_VIEW(&v);
}

int cli_run_FETCH(const cli_args *a)
{
	char url[URL_BYTES];
	const char *path = a->values[CLI_OPT_OUTPUT] ? a->values[CLI_OPT_OUTPUT] : "trace.out";
	uint64_t seconds = cli_number(a, CLI_OPT_SECONDS, 0);
	if (seconds > SECONDS_MAX || (cli_has(a, CLI_OPT_SECONDS) && seconds == 0))
		return cli_usage(a->command, "--seconds wants a number from 1 to %d", SECONDS_MAX);
	if (!fetch_url(a->operands[0], (unsigned)seconds, url, sizeof(url)))
		return cli_usage(a->command, "%s: not an address of the web: host:port, or http://host:port/path",
			a->operands[0]);
	if (cli_has(a, CLI_OPT_VIEW) && strcmp(path, "-") == 0)
		return cli_usage(a->command, "--view wants a file: not -o -");
	int status = get(a, url, path);
	if (status != CLI_OK || strcmp(path, "-") == 0)
		return status;
	if (cli_has(a, CLI_OPT_VIEW))
		return view(a, path);
	fprintf(stderr, "weft: the trace is in %s: weft %s\n", path, path);
	return CLI_OK;
}

/* cli/cmd_fetch.c - a trace, or a profile, from a running program by HTTP. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/writing.h"
#include "fetch/fetch.h"

enum { URL_BYTES = 4096, SECONDS_MAX = 86400, SILENT_S = 30 };
static const uint64_t bytes_max = UINT64_C(16) << 30;

enum { MAGIC_BYTES_MAX = 5 };

/* What should come, by the URL. */
typedef struct wanted {
	const char *what;  /* "trace" */
	const char *magic; /* that it begins with */
	const char *path;  /* where it goes if nobody says */
	const char *opens; /* the command that does */
	unsigned seconds;  /* that it takes if the URL does not say */
} wanted;
static const wanted trace = { "trace", "go 1.", "trace.out", "weft", 1 };
static const wanted profile = { "profile", "\x1f\x8b", "profile.out", "go tool pprof", 30 };

typedef struct fetching {
	const wanted *want;
	cli_writing writing;
	char first[MAGIC_BYTES_MAX]; /* of what came */
	size_t n_first;
	bool other; /* it is something else */
} fetching;

static bool put(void *user, const char *at, size_t n)
{
	fetching *f = user;
	size_t left = strlen(f->want->magic) - f->n_first, k = left < n ? left : n;
	memcpy(f->first + f->n_first, at, k);
	f->n_first += k;
	f->other = memcmp(f->first, f->want->magic, f->n_first) != 0;
	return !f->other && cli_writing_put(&f->writing, at, n);
}

static bool progress(void *user, uint64_t bytes)
{
	(void)user;
	return cli_progress(NULL, "fetching", bytes, 0);
}

/* What came is something else. */
static void say_other(const fetching *f, const char *url)
{
	cli_progress_done();
	fprintf(stderr, "weft: %s: that is not a %s\n", url, f->want->what);
	if (f->want == &profile)
		cli_hint("profiles are compressed profile.proto: without debug= in the URL");
	else if (f->n_first >= 2 && memcmp(f->first, profile.magic, 2) == 0)
		cli_hint("if it is a profile: go tool pprof %s", url);
	else
		cli_hint("traces come from /debug/pprof/trace, and from /debug/flight of programs on libweft");
}

static void say_error(const fetching *f, const char *url, const fetch_error *err)
{
	cli_progress_done();
	if (f->other || (err->stopped && f->writing.error == 0)) {
		say_other(f, url);
		return;
	}
	if (err->stopped) /* the file cannot be written, and closing it says so */
		return;
	fprintf(stderr, "weft: %s: %s\n", url, err->what);
	if (err->silent)
		cli_hint("is the program running, and that its port? What listens: net/http/pprof in Go; of libweft, "
			 "WEFT_DEBUG_ADDR, weft_debug_serve()");
	if (err->status == 404 && strstr(url, "/debug/pprof/trace"))
		cli_hint("does the program import net/http/pprof, or call weft_debug_serve()?");
}

/* Exit status. */
static int get(const cli_args *a, const wanted *want, const char *url, const char *path)
{
	fetching f = { .want = want };
	int status = CLI_OK;
	if (!cli_writing_open(a, path, &f.writing, &status))
		return status;
	fetch_error err;
	const fetch_options opt = {
		.silent_s = fetch_seconds(url, want->seconds) + SILENT_S,
		.bytes_max = bytes_max,
		.put = put,
		.progress = progress,
		.user = &f,
	};
	bool good = fetch_get(url, &opt, &err);
	if (!good) {
		say_error(&f, url, &err);
	} else if (f.n_first < strlen(want->magic)) {
		good = false;
		say_other(&f, url);
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

/* CLI_OK, or what is wrong with the words. */
static int check(const cli_args *a, const wanted *want, const char *path)
{
	if (cli_has(a, CLI_OPT_VIEW) && want != &trace)
		return cli_usage(
			a->command, "--view is for traces: a profile opens with go tool pprof -http=: %s", path);
	if (cli_has(a, CLI_OPT_VIEW) && strcmp(path, "-") == 0)
		return cli_usage(a->command, "--view wants a file: not -o -");
	return CLI_OK;
}

static int wrong_address(const cli_args *a)
{
	const char *given = a->operands[0];
	if (given[0] == ':' && given[1])
		return cli_usage(
			a->command, "%s: not an address of the web: of this machine, localhost%s", given, given);
	return cli_usage(a->command, "%s: not an address of the web: host:port, or http://host:port/path", given);
}

int cli_run_FETCH(const cli_args *a)
{
	char url[URL_BYTES];
	uint64_t seconds = cli_number(a, CLI_OPT_SECONDS, 0);
	if (seconds > SECONDS_MAX || (cli_has(a, CLI_OPT_SECONDS) && seconds == 0))
		return cli_usage(a->command, "--seconds wants a number from 1 to %d", SECONDS_MAX);
	if (!fetch_url(a->operands[0], (unsigned)seconds, url, sizeof(url)))
		return wrong_address(a);
	const wanted *want = fetch_is_profile(url) ? &profile : &trace;
	const char *path = a->values[CLI_OPT_OUTPUT] ? a->values[CLI_OPT_OUTPUT] : want->path;
	int status = check(a, want, path);
	if (status == CLI_OK)
		status = get(a, want, url, path);
	if (status != CLI_OK || strcmp(path, "-") == 0)
		return status;
	if (cli_has(a, CLI_OPT_VIEW))
		return view(a, path);
	fprintf(stderr, "weft: the %s is in %s: %s %s\n", want->what, path, want->opens, path);
	return CLI_OK;
}

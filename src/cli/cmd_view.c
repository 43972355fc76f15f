/* cli/cmd_view.c - a trace in the browser. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "os/term.h"
#include "os/thread.h"
#include "serve/serve.h"

/* What both the reading threads and this one know. */
typedef struct view {
	const char *path;
	ws_server  *server;
	_Atomic bool stopped; /* Ctrl-C came */
} view;

/* The line that editors wait for, as Go's log package writes it. */
static void log_line(const char *before, const char *url)
{
	char when[32];
	struct tm tm;
	time_t now = time(NULL);
	localtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y/%m/%d %H:%M:%S", &tm);
	cli_progress_done();
	fprintf(stderr, "%s %sTrace viewer is listening on %s\n", when, before, url);
}

static bool progress(void *user, const char *doing, uint64_t done, uint64_t total)
{
	view *v = user;
	if (v->server)
		ws_progress(v->server, doing, done, total);
	cli_progress(NULL, doing, done, total);
	if (!v->stopped && wo_stop_wait(0))
		v->stopped = true;
	return !v->stopped;
}

/* ---- the browser ---- */

static const int64_t browser_ns = 3000000000; /* one that runs that long has opened */
enum { STEP_NS = 20000000 };

/* False when Ctrl-C came meanwhile. */
static bool try_browser(view *v, const char *program, bool *opened)
{
	const char *const argv[] = { program, ws_url(v->server), NULL };
	int pid, status = 0;
	if (wo_spawn(argv, &pid) < 0)
		return true;
	for (int64_t left = browser_ns; left > 0; left -= STEP_NS) {
		if (wo_ended(pid, &status)) {
			*opened = status == 0;
			return true;
		}
		if (wo_stop_wait(STEP_NS))
			v->stopped = true;
		if (v->stopped)
			return false;
	}
	*opened = true;
	return true;
}

/* Tries $BROWSER, the desktop's own choice and the usual names, in this order. */
static void open_browser(view *v)
{
	const char *mine = getenv("BROWSER");
	bool desktop = getenv("DISPLAY") || getenv("WAYLAND_DISPLAY"), opened = false;
	const char *const programs[] = {
		mine && *mine ? mine : NULL,
#ifdef __APPLE__
		"/usr/bin/open",
#else
		desktop ? "xdg-open" : NULL,
#endif
		"chrome", "google-chrome", "chromium", "firefox",
	};
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs) && !opened; i++)
		if (programs[i] && !try_browser(v, programs[i], &opened))
			return;
	if (!opened)
		cli_hint("no browser could be started: open that address in one");
}

typedef struct browsing {
	view     *v;
	pthread_t thread;
	bool      running;
} browsing;

static void *browse(void *user)
{
	open_browser(user);
	return NULL;
}

/* ---- serving ---- */

static ws_server *start(const cli_args *a, const char *path)
{
	const char *given = a->values[CLI_OPT_HTTP];
	wb_buf address = { 0 };
	/* ":6060" is this machine only, as in Go 1.27.  As a number: not every machine knows the name localhost. */
	wb_buf_puts(&address, !given ? "127.0.0.1:0" : given[0] == ':' ? "127.0.0.1" : "");
	wb_buf_puts(&address, given ? given : "");
	ws_options opt = { .address = wb_buf_cstr(&address), .title = cli_path(path) };
	ws_error err = { 0 };
	ws_server *s = ws_start(NULL, NULL, &opt, &err);
	if (!s)
		fprintf(stderr, "weft: --http=%s: %s\n", wb_buf_cstr(&address), err.what);
	wb_buf_free(&address);
	return s;
}

/* Says what of a damaged trace is shown; false when there is nothing to show. */
static bool report(const view *v, const wtr_index *x)
{
	wtr_totals t;
	wtr_get_totals(x, &t);
	if (t.end.code == WTR_OK)
		return true;
	cli_error(v->path, &t.end);
	if (t.valid_events == 0 || t.end_ns <= t.start_ns) {
		cli_hint("nothing before it can be shown; weft check says more");
		return false;
	}
	cli_hint("what stands before it is shown; weft check says more, --repair reads on behind it");
	return true;
}

/* Indexes and shows `t` until Ctrl-C. */
static int show(const cli_args *a, view *v, wtr_trace *t)
{
	browsing b = { .v = v };
	wtr_index *x = NULL;
	wtr_error err = { 0 };
	int rc = CLI_OK;
	bool quiet = cli_has(a, CLI_OPT_NO_BROWSER);
	log_line(quiet ? "" : "Opening browser. ", ws_url(v->server));
	if (!quiet)
		b.running = wo_thread_start(&b.thread, browse, v) == 0;
	wtr_code code = wtr_index_build(t, WTR_PART_ALL, &x, &err);
	cli_progress_done();
	if (code != WTR_OK && !v->stopped) {
		cli_error(v->path, &err);
		rc = CLI_UNREADABLE;
	} else if (code == WTR_OK && !report(v, x)) {
		rc = CLI_UNREADABLE;
	} else if (code == WTR_OK && ws_set_index(v->server, t, x) < 0) {
		fputs("weft: out of memory\n", stderr);
		rc = CLI_UNREADABLE;
	} else if (code == WTR_OK) {
		while (!v->stopped && !wo_stop_wait(STEP_NS))
			continue;
	}
	v->stopped = true;
	if (b.running)
		pthread_join(b.thread, NULL);
	ws_stop(v->server);
	wtr_index_free(x);
	return rc;
}

int cli_run_VIEW(const cli_args *a)
{
	view v = { .path = a->operands[a->n_operands - 1] };
	wo_stop_block();
	wtr_trace *t = cli_open_with(a, progress, &v);
	if (!t)
		return v.stopped ? CLI_OK : CLI_UNREADABLE;
	v.server = start(a, v.path);
	int rc = v.server ? show(a, &v, t) : CLI_USAGE;
	wtr_close(t);
	return rc;
}

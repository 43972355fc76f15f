/* serve/serve.h - the viewer's server: one trace, one page, over HTTP.  docs/server.md says what it answers.
 *
 *	ws_error err;
 *	ws_server *s = ws_start(NULL, NULL, &(ws_options){ .address = "127.0.0.1:0", .title = path }, &err);
 *	...                              the page can be loaded and shows the progress
 *	ws_progress(s, "reading", done, total);
 *	ws_set_index(s, trace, index);   now it shows the trace
 *	...
 *	ws_stop(s);
 *	wtr_index_free(index);
 *	wtr_close(trace);
 */
#ifndef WS_SERVE_H
#define WS_SERVE_H

#include <stdbool.h>
#include <stdint.h>

#include <wtr/report.h>

typedef struct ws_server ws_server;

/* All zero is the default. */
typedef struct ws_options {
	const char *address;    /* to listen on, as net.Listen takes it: "host:port"; ":port" is every interface,
	                         * port 0 any free one.  NULL: "127.0.0.1:0" */
	const char *title;      /* of the page; NULL: the trace's path */
	const char
		*assets_dir; /* serve the page's files from here instead of the built-in ones (for work on the page) */
	int         threads;    /* that answer; 0: 2 */
} ws_options;

typedef struct ws_error {
	int  code;              /* negative errno */
	char what[200];         /* one sentence, no trailing stop */
} ws_error;

/* Listens and answers in the background until ws_stop().
 *
 * `t` and `x` may both be NULL: then the page says that the trace is being read until ws_set_index().
 * Ownership: the caller's until ws_stop(); trace and index must live longer than the server.
 * Errors: NULL and *err filled: an address that is none (-EINVAL), cannot be had (-EADDRINUSE, ...), no memory.
 */
ws_server *ws_start(wtr_trace *t, const wtr_index *x, const ws_options *opt, ws_error *err);
void ws_stop(ws_server *s); /* s may be NULL; waits for answers under way */

/* Where to point a browser: "http://127.0.0.1:41234".  Lives as long as the server. */
const char *ws_url(const ws_server *s);

/* How far reading has got, for the page.  total 0: not known.  From any thread; after ws_set_index() nobody looks at
 * it. A text longer than 63 bytes is cut. */
void ws_progress(ws_server *s, const char *doing, uint64_t done, uint64_t total);

/* The trace is ready.  Once; from any thread.  0 or -ENOMEM. */
int ws_set_index(ws_server *s, wtr_trace *t, const wtr_index *x);

#endif

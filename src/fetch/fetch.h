/* fetch/fetch.h - a file from a URL, as it comes.
 *
 * libcurl does the work: http and https, redirections, proxies from the environment (none for this machine's own
 * addresses).
 */
#ifndef FETCH_FETCH_H
#define FETCH_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Takes the next n bytes; false ends the transfer. */
typedef bool fetch_put_fn(void *user, const char *at, size_t n);
/* Called every so often; false ends the transfer. */
typedef bool fetch_progress_fn(void *user, uint64_t bytes);

typedef struct fetch_options {
	unsigned silent_s;  /* seconds without a byte after which it is given up */
	uint64_t bytes_max; /* longer files are refused; 0: any */
	fetch_put_fn *put;
	fetch_progress_fn *progress; /* NULL: none */
	void *user;                  /* of both */
} fetch_options;

typedef struct fetch_error {
	unsigned status; /* of HTTP, when that is what is wrong; 0: it is something else */
	bool stopped;    /* put or progress said so */
	bool silent;     /* the host is there, but nothing listens at the port */
	char what[300];  /* one line without a stop: why, in the server's own words when it says */
} fetch_error;

/* Gets all of it.  False: *err says why, and what has been put so far is not the file. */
bool fetch_get(const char *url, const fetch_options *opt, fetch_error *err);

/* ---- which URL is meant ---- */

/* Makes a URL of what people write: without a scheme it is http, without a path /debug/pprof/trace, and a trace or
 * profile asks for `seconds` (0: what the server thinks right) unless the URL says.  False: it is none, or does not
 * fit. */
bool fetch_url(const char *given, unsigned seconds, char *ret, size_t n);
/* Whether the URL asks net/http/pprof for a profile, such as /debug/pprof/heap. */
bool fetch_is_profile(const char *url);
/* How many seconds the URL asks for; `otherwise` when it does not say. */
unsigned fetch_seconds(const char *url, unsigned otherwise);

#endif

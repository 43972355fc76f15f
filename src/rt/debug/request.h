/* rt/debug/request.h - a request of HTTP/1, taken apart: its head, and the parameters of its query.
 *
 * Not libmicrohttpd, which the viewer stands on: that has threads and a loop of its own, and every program on libweft
 * would carry it.  What is understood is what a browser, curl, `go tool pprof` and `weft fetch` send: one request a
 * connection, no trailers, no continuation lines.  Nothing here looks at a socket: the fuzzer calls it directly.
 */
#ifndef WEFT__REQUEST_H
#define WEFT__REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WEFT__HEAD_MAX = 16384 }; /* bytes of a head, with the empty line at its end */

typedef enum weft__method { WEFT__GET, WEFT__HEAD, WEFT__POST, WEFT__OTHER_METHOD } weft__method;

/* Texts lie in the bytes that were parsed, ended by 0. */
typedef struct weft__request {
	weft__method method;
	int minor;         /* 1 of HTTP/1.1 */
	const char *path;  /* decoded */
	const char *query; /* as sent, behind the '?'; "" */
	const char *host;  /* NULL: not sent, here and below */
	const char *origin, *fetch_site, *fetch_mode, *fetch_dest;
	unsigned n_hosts;
	bool sized, coded;   /* has a Content-Length, a Transfer-Encoding */
	uint64_t body_bytes; /* that it announces */
} weft__request;

/* Where the head ends that begins at `at`: behind its empty line, or 0 when that is not there yet.  Looks at the bytes
 * from `seen` on, and those just before. */
size_t weft__request_end(const char *at, size_t n, size_t seen);

/* Takes a whole head apart, in place.  0; or the status to refuse it with (400, 501, 505), and *ret is as it was. */
int weft__request_parse(char *at, size_t n, weft__request *ret);

/* The value of the first parameter of that name, decoded and ended by 0.  False: there is none, its escapes are broken,
 * or it does not fit. */
bool weft__query_text(const char *query, const char *name, char *ret, size_t n);
/* The same as an integer, the whole of it; `otherwise` when it is none. */
int64_t weft__query_int(const char *query, const char *name, int64_t otherwise);

#endif

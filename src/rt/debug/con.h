/* rt/debug/con.h - a connection of the debug endpoint: one request comes in, one answer goes out, and it is closed.
 *
 * Everything has a limit in time: the head of a request, and each piece of an answer.  After a write has failed all
 * further ones do nothing, so that whoever answers need not look: weft__con_gone() says so where it matters.
 */
#ifndef WEFT__CON_H
#define WEFT__CON_H

#include <stdarg.h>

#include <weft/ctx.h>
#include <weft/net.h>
#include <weft/sync.h>

#include "rt/debug/request.h"

enum { WEFT__BODY_MAX = 65536 }; /* bytes of a request's body */

typedef struct weft__con {
	weft_fd *fd;
	weft_ctx *ctx; /* ends with the server, and when the client has gone */
	weft__request rq;
	char *in; /* WEFT__HEAD_MAX bytes: what has come, and what rq's texts lie in */
	size_t n_in, n_head;
	char *body; /* of the request, ended by 0; NULL: none.  To be freed */
	bool failed, chunked;
	weft_wg watching;
} weft__con;

/* ---- the request ---- */

/* Reads head and body.  0; the status to refuse it with; negative errno when there is nobody to answer. */
int weft__con_read(weft__con *c);

/* From now on the context ends when the client closes its side; until _unwatch, which waits for the goroutine that
 * looks.  What the client sends meanwhile is thrown away. */
void weft__con_watch(weft__con *c);
void weft__con_unwatch(weft__con *c);
bool weft__con_gone(weft__con *c);

/* ---- the answer ---- */

typedef struct weft__head {
	unsigned status;
	const char *type;  /* media type */
	const char *saved; /* name under which a browser saves it; NULL: it is shown */
	const char *more;  /* further headers, each with its end of line; NULL: none */
} weft__head;

/* True when the client wants no more than the head: that has been sent then.  For answers that take long to make. */
bool weft__con_head_only(weft__con *c, const weft__head *h);
/* An answer of n bytes. */
void weft__con_answer(weft__con *c, const weft__head *h, const char *at, size_t n);
/* An answer that is all of an open file; fd is closed. */
void weft__con_answer_file(weft__con *c, const weft__head *h, int fd);
/* One whose length is not known: any number of puts, and the end; without the end the client knows that it is cut. */
void weft__con_begin(weft__con *c, const weft__head *h);
void weft__con_put(weft__con *c, const void *at, size_t n);
void weft__con_end(weft__con *c);

/* One line of text, in the form of Go's pprof handlers. */
void weft__con_refuse(weft__con *c, unsigned status, const char *fmt, ...) WEFT_PRINTF(3, 4);

/* Says that no more comes, and takes for a moment what the client still sends: to close at once would throw away what
 * it has not read yet.  Then closes. */
void weft__con_close(weft__con *c);

#endif

/* rt/debug/routes.c - whose request it is, and who answers it. */
#include <string.h>

#include "rt/debug/server.h"

enum { PLAIN, BODY };

static const struct route {
	const char *path;
	void (*answer)(weft__con *c);
	int methods;
} routes[] = {
#define ROUTE(path, name, methods, says) { path, weft__debug_##name, methods },
#include "rt/debug/routes.def"
};

static const char index_path[] = "/debug/pprof/";

static const struct route *route_of(const char *path)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (strcmp(path, routes[i].path) == 0)
			return &routes[i];
	/* Profiles by name stand beneath the page, which knows them. */
	return strncmp(path, index_path, sizeof(index_path) - 1) == 0 ? &routes[0] : NULL;
}

/* The page itself may be opened from elsewhere; all else is for that page, and for tools. */
static bool trusted(weft__con *c, const wo_trust *t, const char *address)
{
	const weft__request *rq = &c->rq;
	bool page = strcmp(rq->path, index_path) == 0;
	if (rq->n_hosts != 1 || !wo_host_trusted(t, rq->host))
		weft__con_refuse(
			c, 403, "this is not the address of this server; it is http://%s%s", address, index_path);
	else if (!wo_origin_trusted(rq->origin, rq->host) ||
		 !wo_fetch_trusted(rq->fetch_site, rq->fetch_mode, rq->fetch_dest, page))
		weft__con_refuse(c, 403, "only the page of this server may ask");
	else
		return true;
	return false;
}

static void go_to_index(weft__con *c)
{
	const weft__head h = {
		.status = 302, .type = "text/plain; charset=utf-8", .more = "Location: /debug/pprof/\r\n"
	};
	weft__con_answer(c, &h, "", 0);
}

void weft__debug_answer(weft__con *c, const wo_trust *t, const char *address)
{
	const weft__request *rq = &c->rq;
	const struct route *r = route_of(rq->path);
	bool plain = rq->method == WEFT__GET || rq->method == WEFT__HEAD;
	if (!trusted(c, t, address))
		return;
	if (strcmp(rq->path, "/") == 0 || strcmp(rq->path, "/debug/pprof") == 0)
		go_to_index(c);
	else if (!r)
		weft__con_refuse(c, 404, "404 page not found");
	else if (!plain && !(r->methods == BODY && rq->method == WEFT__POST))
		weft__con_refuse(c, 405, "only GET and HEAD are answered here");
	else if (plain && rq->body_bytes)
		weft__con_refuse(c, 400, "a request has no body here");
	else
		r->answer(c);
}

void weft__debug_refuse(weft__con *c, int status)
{
	static const struct {
		int status;
		const char *says;
	} reasons[] = {
		{ 408, "the request did not come within 5 seconds" },
		{ 413, "a request's body has at most 65536 bytes" },
		{ 431, "a request's head has at most 16384 bytes" },
		{ 501, "a request has no transfer coding here: send a Content-Length" },
		{ 505, "HTTP/1.1 and HTTP/1.0 are understood" },
	};
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status) {
			weft__con_refuse(c, (unsigned)status, "%s", reasons[i].says);
			return;
		}
	weft__con_refuse(c, (unsigned)status, "this is not a request of HTTP/1");
}

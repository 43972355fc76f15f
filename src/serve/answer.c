/* serve/answer.c - from a request to its answer: trust, routing, the page's files. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "os/file.h"
#include "out/json.h"
#include "serve/site.h"

const char *const ws_common_headers[] = {
	"Content-Security-Policy",
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
	"frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
	"Cross-Origin-Opener-Policy",
	"same-origin",
	"Cross-Origin-Resource-Policy",
	"same-origin",
	"Referrer-Policy",
	"no-referrer",
	"X-Content-Type-Options",
	"nosniff",
	"X-Frame-Options",
	"DENY",
	NULL,
};

typedef struct route {
	const char *path;
	bool early;
	void (*call)(ws_site *site, const ws_model *m, const ws_args *a, ws_answer *ret);
} route;

#define API(name, path, early, doc)                                                                 \
	static void call_##name(ws_site *site, const ws_model *m, const ws_args *a, ws_answer *ret) \
	{                                                                                           \
		ws_api_##name(site, m, &a->name, ret);                                              \
	}
#define ARG(api, kind, name, need, least, most, doc)
#define END(name)
#include "serve/api.def"

static const route routes[WS_API_COUNT] = {
#define API(name, path, early, doc) { path, early, call_##name },
#define ARG(api, kind, name, need, least, most, doc)
#define END(name)
#include "serve/api.def"
};

static void say(ws_answer *ret, unsigned status, const char *type)
{
	ret->status = status;
	ret->type = type;
}

/* When not even an error can be built. */
static void out_of_memory(ws_answer *ret)
{
	static const char text[] = "{\"error\":\"out of memory\"}";
	ws_answer_free(ret);
	*ret = (ws_answer){ .status = 500, .type = "application/json", .fixed = text, .n_fixed = sizeof(text) - 1 };
}

void ws_refuse(ws_answer *ret, unsigned status, const char *fmt, ...)
{
	char what[400];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	ws_answer_free(ret);
	out_json j;
	out_json_to_buf(&j, &ret->body, 0);
	out_json_object(&j);
	out_json_put_text(&j, "error", what);
	out_json_object_end(&j);
	say(ret, status, "application/json");
	if (!out_json_done(&j))
		out_of_memory(ret);
}

void ws_answer_free(ws_answer *a)
{
	wb_buf_free(&a->body);
	*a = (ws_answer){ 0 };
}

/* ---- the page's files ---- */

static bool read_asset(const char *dir, const ws_asset *as, wb_buf *to)
{
	wb_buf path = { 0 };
	wb_buf_printf(&path, "%s/%s", dir, as->file);
	int fd = -1, rc = path.failed ? -1 : wo_open_read(wb_buf_cstr(&path), &fd);
	wb_buf_free(&path);
	if (rc < 0)
		return false;
	long n = 0;
	char *room;
	while ((room = wb_buf_room(to, 65536)) && (n = wo_read(fd, room, 65536)) > 0)
		to->n += (size_t)n;
	wo_close(fd);
	return room && n == 0;
}

bool ws_accepts(const char *header, const char *token)
{
	size_t n = strlen(token);
	for (const char *p = header; p && *p; p += strcspn(p, ","), p += *p == ',') {
		p += strspn(p, " \t");
		if (strncmp(p, token, n) || strchr("abcdefghijklmnopqrstuvwxyz-", p[n] ? p[n] : ' '))
			continue;
		const char *q = p + n + strspn(p + n, " \t;");
		return strncmp(q, "q=0", 3) || (q[3] == '.' && strspn(q + 4, "0") < strspn(q + 4, "0123456789"));
	}
	return false;
}

static bool names_etag(const char *if_none_match, const char *etag)
{
	return if_none_match && (strstr(if_none_match, etag) || !strcmp(if_none_match, "*"));
}

static void answer_asset(const ws_site *site, const ws_asset *as, const ws_request *rq, ws_answer *ret)
{
	say(ret, 200, as->type);
	if (site->assets_dir) {
		if (!read_asset(site->assets_dir, as, &ret->body))
			ws_refuse(ret, 404, "%s is not in the directory of assets", as->file);
		return;
	}
	bool gz = as->gz != as->gz_end && ws_accepts(rq->accept_encoding, "gzip");
	ret->etag = gz ? as->etag_gz : as->etag;
	ret->encoding = gz ? "gzip" : NULL;
	if (names_etag(rq->if_none_match, ret->etag)) {
		ret->status = 304;
		return;
	}
	ret->fixed = gz ? as->gz : as->at;
	ret->n_fixed = (size_t)((gz ? as->gz_end : as->end) - (gz ? as->gz : as->at));
}

/* ---- routing ---- */

static bool path_is(const char *target, size_t n, const char *path)
{
	return strlen(path) == n && !memcmp(target, path, n);
}

static void answer_api(ws_site *site, ws_api_id api, const char *query, ws_answer *ret)
{
	char room[WS_TARGET_MAX];
	ws_args args;
	const ws_model *m = atomic_load_explicit(&site->model, memory_order_acquire);
	if (!ws_args_parse(api, query, room, &args, ret))
		return;
	if (!m && !routes[api].early) {
		ws_refuse(ret, 503, "the trace is still being read");
		return;
	}
	say(ret, 200, "application/json");
	ret->compressible = true;
	routes[api].call(site, m, &args, ret);
	if (ret->body.failed)
		out_of_memory(ret);
}

/* The page may be opened from elsewhere; everything else is for the page alone. */
static bool trusted(const ws_site *site, const ws_request *rq, bool page, ws_answer *ret)
{
	if (rq->n_hosts != 1 || !wo_host_trusted(&site->trust, rq->host))
		ws_refuse(ret, 403, "this is not the address of this server; it is %s/", site->url);
	else if (!wo_origin_trusted(rq->origin, rq->host) ||
		 !wo_fetch_trusted(rq->fetch_site, rq->fetch_mode, rq->fetch_dest, page))
		ws_refuse(ret, 403, "only the page of this server may ask");
	else
		return true;
	return false;
}

void ws_answer_request(ws_site *site, const ws_request *rq, ws_answer *ret)
{
	*ret = (ws_answer){ 0 };
	const char *target = rq->target;
	size_t n = strcspn(target, "?");
	bool page = path_is(target, n, "/");
	if (!trusted(site, rq, page, ret))
		return;
	if (rq->method == WS_OTHER_METHOD) {
		ws_refuse(ret, 405, "only GET and HEAD are answered");
		return;
	}
	if (rq->has_body) {
		ws_refuse(ret, 400, "a request has no body here");
		return;
	}
	if (strlen(target) >= WS_TARGET_MAX) {
		ws_refuse(ret, 414, "a request has less than %d bytes", WS_TARGET_MAX);
		return;
	}
	for (size_t i = 0; i < WS_API_COUNT; i++) {
		if (path_is(target, n, routes[i].path)) {
			answer_api(site, (ws_api_id)i, target[n] ? target + n + 1 : target + n, ret);
			return;
		}
	}
	for (const ws_asset *as = ws_assets; as->path; as++) {
		if (path_is(target, n, as->path)) {
			answer_asset(site, as, rq, ret);
			return;
		}
	}
	ws_refuse(ret, 404, "there is nothing at this path");
}

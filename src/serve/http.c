/* serve/http.c - the server: libmicrohttpd's threads around ws_answer_request(). */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <microhttpd.h>
#include <zlib.h>

#include "base/alloc.h"
#include "os/net.h"
#include "serve/serve.h"
#include "serve/site.h"

enum {
	CONNECTIONS_MAX = 64,
	CONNECTION_BYTES = 96 * 1024, /* a request of WS_TARGET_MAX and its headers, as received and as parsed */
	IDLE_SECONDS = 60,
	GZIP_FROM_BYTES = 1024,
};

struct ws_server {
	ws_site site;
	struct MHD_Daemon *daemon;
};

/* One request, from its first line on. */
typedef struct pending {
	bool seen;     /* the handler was called once, with the headers */
	char target[]; /* as sent: libmicrohttpd takes its own copy apart */
} pending;

/* ---- requests ---- */

static void *on_target(void *cls, const char *uri, struct MHD_Connection *con)
{
	(void)cls;
	(void)con;
	size_t n = strlen(uri);
	pending *p = wb_malloc(sizeof(*p) + n + 1);
	if (!p)
		return NULL;
	p->seen = false;
	memcpy(p->target, uri, n + 1);
	return p;
}

static void on_completed(void *cls, struct MHD_Connection *con, void **con_cls, enum MHD_RequestTerminationCode why)
{
	(void)cls;
	(void)con;
	(void)why;
	wb_free(*con_cls);
	*con_cls = NULL;
}

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	(void)kind;
	ws_request *rq = cls;
	const struct {
		const char *name;
		const char **to;
	} wanted[] = {
		{ "Host", &rq->host },
		{ "Origin", &rq->origin },
		{ "Sec-Fetch-Site", &rq->fetch_site },
		{ "Sec-Fetch-Mode", &rq->fetch_mode },
		{ "Sec-Fetch-Dest", &rq->fetch_dest },
		{ "If-None-Match", &rq->if_none_match },
		{ "Accept-Encoding", &rq->accept_encoding },
	};
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!strcasecmp(name, wanted[i].name))
			*wanted[i].to = value ? value : "";
	rq->n_hosts += !strcasecmp(name, "Host");
	rq->has_body |= !strcasecmp(name, "Transfer-Encoding") ||
			(!strcasecmp(name, "Content-Length") && value && strcmp(value, "0"));
	return MHD_YES;
}

/* ---- answers ---- */

static void free_body(void *at)
{
	wb_free(at);
}

/* Replaces the body by its gzip form, if that can be had and is smaller. */
static void gzip_body(ws_answer *a)
{
	z_stream z = { 0 };
	wb_buf to = { 0 };
	if (deflateInit2(&z, 3, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return;
	char *room = wb_buf_room(&to, a->body.n);
	z.next_in = (Bytef *)a->body.at;
	z.avail_in = (uInt)a->body.n;
	z.next_out = (Bytef *)room;
	z.avail_out = (uInt)a->body.n;
	bool smaller = room && deflate(&z, Z_FINISH) == Z_STREAM_END;
	to.n = z.total_out;
	deflateEnd(&z);
	if (!smaller) {
		wb_buf_free(&to);
		return;
	}
	wb_buf_free(&a->body);
	a->body = to;
	a->encoding = "gzip";
}

static void add_headers(struct MHD_Response *r, const ws_answer *a)
{
	for (const char *const *h = ws_common_headers; *h; h += 2)
		MHD_add_response_header(r, h[0], h[1]);
	if (a->type)
		MHD_add_response_header(r, "Content-Type", a->type);
	if (a->encoding)
		MHD_add_response_header(r, "Content-Encoding", a->encoding);
	MHD_add_response_header(r, "Vary", "Accept-Encoding");
	if (a->etag)
		MHD_add_response_header(r, "ETag", a->etag);
	MHD_add_response_header(r, "Cache-Control", a->etag ? "no-cache" : "no-store");
	if (a->status == 405)
		MHD_add_response_header(r, "Allow", "GET, HEAD");
	if (a->status == 503)
		MHD_add_response_header(r, "Retry-After", "1");
}

/* Hands the answer over; what it owns is gone afterwards. */
static enum MHD_Result send_answer(struct MHD_Connection *con, ws_answer *a)
{
	struct MHD_Response *r;
	if (a->body.n) {
		r = MHD_create_response_from_buffer_with_free_callback(a->body.n, a->body.at, free_body);
		if (r)
			a->body = (wb_buf){ 0 };
	} else {
		r = MHD_create_response_from_buffer(a->n_fixed, (void *)(uintptr_t)a->fixed, MHD_RESPMEM_PERSISTENT);
	}
	enum MHD_Result rc = MHD_NO; /* closes the connection */
	if (r) {
		add_headers(r, a);
		rc = MHD_queue_response(con, a->status, r);
		MHD_destroy_response(r);
	}
	ws_answer_free(a);
	return rc;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *con, const char *url, const char *method,
	const char *version, const char *upload, size_t *upload_n, void **con_cls)
{
	(void)url;
	(void)version;
	(void)upload;
	ws_server *s = cls;
	pending *p = *con_cls;
	if (!p)
		return MHD_NO;
	ws_request rq = {
		.method = !strcmp(method, "GET")    ? WS_GET
			  : !strcmp(method, "HEAD") ? WS_HEAD
						    : WS_OTHER_METHOD,
		.target = p->target,
	};
	MHD_get_connection_values(con, MHD_HEADER_KIND, on_header, &rq);
	rq.has_body |= *upload_n != 0;
	/* A request without a body is answered on the second call, when it is read whole; then the connection stays
	 * open for the next one. With a body it is refused at once, and the connection closed. */
	if (!p->seen && !rq.has_body && rq.method != WS_OTHER_METHOD) {
		p->seen = true;
		return MHD_YES;
	}
	ws_answer a;
	ws_answer_request(&s->site, &rq, &a);
	if (!s->site.trust.loopback && a.compressible && a.body.n > GZIP_FROM_BYTES &&
		ws_accepts(rq.accept_encoding, "gzip"))
		gzip_body(&a);
	return send_answer(con, &a);
}

/* ---- start and stop ---- */

static void *fail(ws_error *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void *fail(ws_error *err, int code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	if (err) {
		err->code = code;
		vsnprintf(err->what, sizeof(err->what), fmt, ap);
	}
	va_end(ap);
	return NULL;
}

static char *copy_text(const char *s, bool *failed)
{
	if (!s)
		return NULL;
	size_t n = strlen(s) + 1;
	char *p = wb_malloc(n);
	if (p)
		memcpy(p, s, n);
	else
		*failed = true;
	return p;
}

static void site_free(ws_site *site)
{
	ws_model_free(atomic_load(&site->model));
	wb_free(site->title);
	wb_free(site->assets_dir);
	pthread_mutex_destroy(&site->lock);
}

static void name_site(ws_site *site, const wo_listener *l, const char *host)
{
	wo_trust *t = &site->trust;
	t->port = l->port;
	t->loopback = l->loopback;
	t->wildcard = l->wildcard;
	snprintf(t->name, sizeof(t->name), "%s", host);
	snprintf(t->bound, sizeof(t->bound), "%s", l->address);
	const char *shown = l->wildcard ? "127.0.0.1" : l->address;
	bool v6 = l->v6 && !l->wildcard;
	snprintf(site->url, sizeof(site->url), "http://%s%s%s:%u", v6 ? "[" : "", shown, v6 ? "]" : "", l->port);
}

/* False: *err is filled, and nothing listens. */
static bool listen_at(ws_server *s, const char *address, wo_listener *l, ws_error *err)
{
	char host[256], port[32];
	if (!wo_split_address(address, host, sizeof(host), port, sizeof(port)))
		return fail(err, -EINVAL, "'%.120s' is not an address to listen on: it has the form host:port or :port",
			address);
	int rc = wo_listen(host, port, l);
	if (rc < 0)
		return fail(err, rc, "cannot listen on %.120s: %s", address, strerror(-rc));
	name_site(&s->site, l, host);
	return true;
}

static struct MHD_Daemon *start_daemon(ws_server *s, int fd, int threads)
{
	sigset_t old;
	wo_signals_hold(&old);
	/* poll, not epoll: with few connections it costs nothing, and libmicrohttpd's edge-triggered epoll can miss the
	 * end of a half-closed connection that comes together with data; the place would be taken until the idle
	 * timeout. */
	struct MHD_Daemon *d = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL, NULL,
		on_request, s, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE, (unsigned)threads,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_BYTES, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, on_target, NULL,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
	wo_signals_restore(&old);
	return d;
}

ws_server *ws_start(wtr_trace *t, const wtr_index *x, const ws_options *opt, ws_error *err)
{
	const ws_options none = { 0 };
	opt = opt ? opt : &none;
	ws_server *s = wb_calloc(1, sizeof(*s));
	if (!s)
		return fail(err, -ENOMEM, "out of memory");
	bool failed = false;
	pthread_mutex_init(&s->site.lock, NULL);
	s->site.title = copy_text(opt->title, &failed);
	s->site.assets_dir = copy_text(opt->assets_dir, &failed);
	wo_listener l = { .fd = -1 };
	if (failed || (x && ws_set_index(s, t, x) < 0)) {
		fail(err, -ENOMEM, "out of memory");
	} else if (listen_at(s, opt->address ? opt->address : "127.0.0.1:0", &l, err)) {
		s->daemon = start_daemon(s, l.fd, opt->threads > 0 ? opt->threads : 2);
		if (s->daemon)
			return s;
		fail(err, -ENOMEM, "the server's threads could not be started");
		close(l.fd);
	}
	site_free(&s->site);
	wb_free(s);
	return NULL;
}

void ws_stop(ws_server *s)
{
	if (!s)
		return;
	MHD_stop_daemon(s->daemon); /* closes the socket, too */
	site_free(&s->site);
	wb_free(s);
}

const char *ws_url(const ws_server *s)
{
	return s->site.url;
}

ws_site *ws_site_of(ws_server *s)
{
	return &s->site;
}

void ws_progress(ws_server *s, const char *doing, uint64_t done, uint64_t total)
{
	pthread_mutex_lock(&s->site.lock);
	snprintf(s->site.doing, sizeof(s->site.doing), "%s", doing);
	s->site.done = done;
	s->site.total = total;
	pthread_mutex_unlock(&s->site.lock);
}

int ws_set_index(ws_server *s, wtr_trace *t, const wtr_index *x)
{
	ws_model *m = ws_model_of(t, x), *none = NULL;
	if (!m)
		return -ENOMEM;
	if (!atomic_compare_exchange_strong(&s->site.model, &none, m))
		ws_model_free(m); /* the first one stays */
	return 0;
}

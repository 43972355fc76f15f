/* rt/debug/server.c - weft_debug_serve(): listens, and has each connection answered by a goroutine. */
#include "rt/debug/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft/debug.h>
#include <weft/go.h>
#include <weft/time.h>

#include "base/alloc.h"
#include "os/trust.h"
#include "rt/net/address.h"
#include "rt/sched/scheduler.h"

enum { CONNECTIONS_MAX = 32, STACK_BYTES = 128 << 10, ADDRESS_BYTES = 300 };
static const weft_ns exhausted_ns = 100 * WEFT_MS; /* between attempts when descriptors are out */

typedef struct client {
	weft__con con;
	struct server *server;
	struct client *prev, *next;
} client;

typedef struct server {
	weft_fd *listener;
	wo_trust trust;
	char address[ADDRESS_BYTES];
	weft_ctx *ctx;
	weft_wg running; /* the accepting goroutine, and one for each client */
	weft_mutex lock;
	client *clients;
	int n_clients;
} server;

/* The one of this process; under the lock. */
static struct {
	weft_mutex lock;
	server *now;
} the;

/* ---- one client ---- */

static void link_client(client *cl, bool in)
{
	server *s = cl->server;
	weft_lock(&s->lock);
	if (in) {
		cl->next = s->clients;
		s->clients = cl;
	} else {
		*(cl->prev ? &cl->prev->next : &s->clients) = cl->next;
	}
	if (cl->next)
		cl->next->prev = in ? cl : cl->prev;
	s->n_clients += in ? 1 : -1;
	weft_unlock(&s->lock);
}

static void client_free(client *cl)
{
	weft_ctx_unref(cl->con.ctx);
	wb_free(cl->con.in);
	wb_free(cl->con.body);
	wb_free(cl);
}

static void serve_client(void *arg)
{
	client *cl = arg;
	server *s = cl->server;
	weft__con *c = &cl->con;
	int rc = weft__con_read(c);
	if (rc > 0)
		weft__debug_refuse(c, rc);
	else if (rc == 0) {
		weft__con_watch(c);
		weft__debug_answer(c, &s->trust, s->address);
		weft__con_unwatch(c);
	}
	/* Out of the list first: who ends the server touches descriptors of the list. */
	link_client(cl, /* in= */ false);
	weft__con_close(c);
	client_free(cl);
	weft_wg_done(&s->running);
}

static client *client_make(server *s, weft_fd *f)
{
	client *cl = wb_calloc(1, sizeof(*cl));
	if (!cl)
		return NULL;
	cl->server = s;
	cl->con.fd = f;
	cl->con.in = wb_malloc(WEFT__HEAD_MAX);
	cl->con.ctx = weft_ctx_make(s->ctx, WEFT_FOREVER);
	if (cl->con.in && cl->con.ctx)
		return cl;
	client_free(cl);
	return NULL;
}

/* Too many at once: says so, and throws away what has come, or closing would throw away the answer. */
static void turn_away(weft_fd *f)
{
	static const char text[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n"
				   "Retry-After: 1\r\nConnection: close\r\n\r\n"
				   "too many requests at the same time\n";
	char dropped[4096];
	weft_fd_deadline(f, weft_now(), weft_in(WEFT_SECOND));
	weft_write_all(f, text, sizeof(text) - 1);
	weft_fd_shutdown(f, SHUT_WR);
	weft_read(f, dropped, sizeof(dropped));
	weft_fd_close(f);
}

static void admit(server *s, weft_fd *f)
{
	weft_lock(&s->lock);
	bool room = s->n_clients < CONNECTIONS_MAX; /* nobody else adds any */
	weft_unlock(&s->lock);
	client *cl = room ? client_make(s, f) : NULL;
	if (!cl) {
		turn_away(f);
		return;
	}
	link_client(cl, /* in= */ true);
	weft_wg_add(&s->running, 1);
	const weft_go_options opt = { .name = "debug request", .stack_bytes = STACK_BYTES };
	if (weft_go_with(serve_client, cl, &opt) == 0)
		return;
	link_client(cl, /* in= */ false);
	client_free(cl);
	turn_away(f);
	weft_wg_done(&s->running);
}

static void accept_all(void *arg)
{
	server *s = arg;
	weft_fd *f;
	int err;
	while ((err = weft_accept(s->listener, &f)) != -ECANCELED && err != -EPERM) {
		if (err == 0)
			admit(s, f);
		else
			weft_ctx_sleep(s->ctx, exhausted_ns);
	}
	weft_wg_done(&s->running);
}

/* ---- the server ---- */

/* Of "6060", ":6060" and NULL the host is this machine. */
static int full_address(const char *given, char ret[static ADDRESS_BYTES])
{
	const char *before = !given || !*given     ? "127.0.0.1:0"
			     : given[0] == ':'     ? "127.0.0.1"
			     : !strchr(given, ':') ? "127.0.0.1:"
						   : "";
	int n = snprintf(ret, ADDRESS_BYTES, "%s%s", before, given ? given : "");
	return n < ADDRESS_BYTES ? 0 : -EINVAL;
}

/* What clients may call it. */
static int name_server(server *s, const char *asked)
{
	wo_trust *t = &s->trust;
	char port[16];
	if (!wo_split_address(asked, t->name, sizeof(t->name), port, sizeof(port)))
		return -EINVAL;
	int n = weft_fd_local(s->listener, s->address, sizeof(s->address));
	if (n < 0)
		return n;
	if (!wo_split_address(s->address, t->bound, sizeof(t->bound), port, sizeof(port)))
		return -EINVAL;
	weft__address a;
	t->port = (unsigned)strtoul(port, NULL, 10);
	t->any_port = true;
	t->loopback = strncmp(t->bound, "127.", 4) == 0 || strcmp(t->bound, "::1") == 0;
	t->wildcard = weft__address_number(t->bound, &a) && weft__address_is_wildcard(&a);
	return 0;
}

static void server_free(server *s)
{
	weft_fd_close(s->listener);
	weft_ctx_unref(s->ctx);
	wb_free(s);
}

static int start(const char *address, server **ret)
{
	char asked[ADDRESS_BYTES];
	server *s = wb_calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	int err = full_address(address, asked);
	if (err == 0)
		err = weft_listen("tcp", asked, &s->listener);
	if (err == 0)
		err = name_server(s, asked);
	if (err == 0 && !(s->ctx = weft_ctx_make(NULL, WEFT_FOREVER)))
		err = -ENOMEM;
	if (err == 0) {
		const weft_go_options opt = { .name = "debug endpoint", .stack_bytes = STACK_BYTES };
		weft_wg_add(&s->running, 1);
		err = weft_go_with(accept_all, s, &opt);
	}
	if (err < 0)
		server_free(s);
	else
		*ret = s;
	return err;
}

int weft_debug_serve(const char *address)
{
	if (!weft_id())
		return -EPERM;
	weft_lock(&the.lock);
	int err = the.now ? -EBUSY : start(address, &the.now);
	weft_unlock(&the.lock);
	return err;
}

int weft_debug_address(char *ret, size_t n)
{
	if (!weft_id())
		return -EPERM;
	weft_lock(&the.lock);
	int k = the.now ? snprintf(ret, n, "%s", the.now->address) : -EINVAL;
	weft_unlock(&the.lock);
	return k;
}

int weft_debug_stop(void)
{
	if (!weft_id())
		return -EPERM;
	weft_lock(&the.lock);
	server *s = the.now;
	the.now = NULL;
	weft_unlock(&the.lock);
	if (!s)
		return -EINVAL;
	weft_fd_close(weft_fd_ref(s->listener)); /* the accepting goroutine may be about to call */
	weft_ctx_cancel(s->ctx);
	weft_lock(&s->lock);
	for (client *cl = s->clients; cl; cl = cl->next)
		weft_fd_deadline(cl->con.fd, weft_now(), weft_now());
	weft_unlock(&s->lock);
	weft_wg_wait(&s->running);
	server_free(s);
	return 0;
}

void weft__debug_from_env(void)
{
	const char *address = getenv("WEFT_DEBUG_ADDR");
	if (!address || !*address)
		return;
	int err = weft_debug_serve(address);
	if (err < 0) {
		char line[ADDRESS_BYTES + 100];
		snprintf(line, sizeof(line), "WEFT_DEBUG_ADDR: %.200s: %s (host:port, or a port of this machine)",
			address, strerror(-err));
		weft__fatal(line);
	}
	char at[ADDRESS_BYTES];
	if (weft_debug_address(at, sizeof(at)) > 0)
		fprintf(stderr, "weft: debug endpoint at http://%s/debug/pprof/\n", at);
}

/* rt/debug/profpages.c - profiles: of CPU time for the next seconds, and all others by name. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <weft/gc.h>
#include <weft/prof.h>
#include <weft/time.h>

#include "base/buf.h"
#include "rt/prof/profiles.h"
#include "rt/debug/server.h"

enum { CPU_SECONDS = 30 };

static int gather(const void *at, size_t n, void *arg)
{
	wb_buf *b = arg;
	wb_buf_put(b, at, n);
	return b->failed ? -ENOMEM : 0;
}

/* ---- CPU time ---- */

static const char *why_not(int err)
{
	return err == -EBUSY ? "cpu profiling already in use" : strerror(-err);
}

void weft__debug_profile(weft__con *c)
{
	static const weft__head h = { .status = 200, .type = "application/octet-stream", .saved = "profile" };
	weft_ns ns = weft__debug_seconds(c, CPU_SECONDS * WEFT_SECOND);
	wb_buf b = { 0 };
	if (ns < 0 || weft__con_head_only(c, &h))
		return;
	int err = weft_cpu_profile_start_with(&(weft_cpu_profile_options){ .fd = -1, .sink = gather, .sink_arg = &b });
	if (err < 0) {
		weft__con_refuse(c, 500, "Could not enable CPU profiling: %s", why_not(err));
		return;
	}
	weft_ctx_sleep(c->ctx, ns);
	err = weft_cpu_profile_stop();
	if (err == 0)
		weft__con_answer(c, &h, b.at, b.n);
	else
		weft__con_refuse(c, 500, "Could not write the profile: %s", strerror(-err));
	wb_buf_free(&b);
}

/* ---- by name ---- */

static bool exists(const char *name)
{
	const char *known;
	for (size_t i = 0; (known = weft_profile_name(i)); i++)
		if (strcmp(known, name) == 0)
			return true;
	return false;
}

struct lapse {
	weft__con *con;
	weft_ns ns;
};

static int wait_for(void *arg)
{
	const struct lapse *l = arg;
	return weft_ctx_sleep(l->con->ctx, l->ns);
}

static void send_difference(weft__con *c, const char *name, weft_ns ns)
{
	char saved[64];
	snprintf(saved, sizeof(saved), "%s-delta", name);
	const weft__head h = { .status = 200, .type = "application/octet-stream", .saved = saved };
	wb_buf b = { 0 };
	if (weft__con_head_only(c, &h))
		return;
	int err = weft__profile_delta(name, wait_for, &(struct lapse){ c, ns }, &b);
	if (err == 0)
		weft__con_answer(c, &h, b.at, b.n);
	else
		weft__con_refuse(c, 500, err == -ECANCELED ? "context canceled" : "failed to collect profile");
	wb_buf_free(&b);
}

/* Go's: what is taken, in which order it is looked at, and what is said of the rest. */
static void answer_difference(weft__con *c, const char *name)
{
	int64_t seconds = weft__query_int(c->rq.query, "seconds", 0);
	if (seconds <= 0)
		weft__con_refuse(c, 400, "invalid value for \"seconds\" - must be a positive integer");
	else if (seconds > WEFT__SECONDS_MAX)
		weft__con_refuse(c, 400, "profile duration exceeds server's WriteTimeout");
	else if (weft__query_int(c->rq.query, "debug", 0) != 0)
		weft__con_refuse(c, 400, "seconds and debug params are incompatible");
	else
		send_difference(c, name, seconds * WEFT_SECOND);
}

static void send_profile(weft__con *c, const char *name, int debug)
{
	const weft__head h = {
		.status = 200,
		.type = debug ? "text/plain; charset=utf-8" : "application/octet-stream",
		.saved = debug ? NULL : name,
	};
	wb_buf b = { 0 };
	int err = weft_profile_write_to(name, gather, &b, debug);
	if (err == 0)
		weft__con_answer(c, &h, b.at, b.n);
	else
		weft__con_refuse(c, 500, "Could not write the profile: %s", strerror(-err));
	wb_buf_free(&b);
}

bool weft__debug_profile_named(weft__con *c, const char *name)
{
	char text[64];
	if (!exists(name))
		return false;
	if (weft__query_text(c->rq.query, "seconds", text, sizeof(text)) && *text) {
		answer_difference(c, name);
		return true;
	}
	if (strcmp(name, "heap") == 0 && weft__query_int(c->rq.query, "gc", 0) > 0)
		weft_gc();
	int64_t debug = weft__query_int(c->rq.query, "debug", 0);
	send_profile(c, name, debug < 0 ? 1 : debug > 2 ? 2 : (int)debug);
	return true;
}

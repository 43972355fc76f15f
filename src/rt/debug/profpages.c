/* rt/debug/profpages.c - profiles: of CPU time for the next seconds, and all others by name. */
#include <errno.h>
#include <string.h>

#include <weft/gc.h>
#include <weft/prof.h>
#include <weft/time.h>

#include "base/buf.h"
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
	char text[24];
	if (!exists(name))
		return false;
	if (weft__query_text(c->rq.query, "seconds", text, sizeof(text)) && *text) {
		weft__con_refuse(c, 400, "\"seconds\" parameter is not supported for this profile type");
		return true;
	}
	if (strcmp(name, "heap") == 0 && weft__query_int(c->rq.query, "gc", 0) > 0)
		weft_gc();
	int64_t debug = weft__query_int(c->rq.query, "debug", 0);
	send_profile(c, name, debug < 0 ? 1 : debug > 2 ? 2 : (int)debug);
	return true;
}

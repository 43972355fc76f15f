/* rt/debug.c - the debug endpoint's calls; what it answers to clients is for test/debug. */
#include "kit/rtkit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static char at[128];

static void serve(void)
{
	kit_require(kit_equal(weft_debug_serve("127.0.0.1:0"), 0));
	kit_require(weft_debug_address(at, sizeof(at)) > 0);
}

static weft_fd *dial(void)
{
	weft_fd *f = NULL;
	kit_require(kit_equal(weft_dial("tcp", at, weft_in(60 * WEFT_SECOND), &f), 0));
	return f;
}

/* Sends `text` and reads until the other side closes; how much came. */
static size_t exchange(weft_fd *f, const char *text, char *ret, size_t n)
{
	kit_equal(weft_write_all(f, text, strlen(text)), 0);
	ssize_t got = weft_read_full(f, ret, n - 1);
	ret[got > 0 ? got : 0] = 0;
	return got > 0 ? (size_t)got : 0;
}

static void request(const char *target, char *ret, size_t n)
{
	snprintf(ret, n, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", target, at);
}

static bool asked(const char *target, const char *want)
{
	char text[256], answer[4096];
	request(target, text, sizeof(text));
	weft_fd *f = dial();
	exchange(f, text, answer, sizeof(answer));
	weft_fd_close(f);
	return strstr(answer, want) != NULL;
}

CASE(serves, "debug.h: answers on goroutines until weft_debug_stop()")
{
	serve();
	kit_expect(strncmp(at, "127.0.0.1:", 10) == 0);
	kit_equal(weft_debug_address(NULL, 0), (int)strlen(at));
	kit_expect(asked("/debug/pprof/cmdline", "HTTP/1.1 200 OK\r\n"));
	kit_equal(weft_debug_stop(), 0);
	weft_fd *f;
	kit_equal(weft_dial("tcp", at, weft_in(60 * WEFT_SECOND), &f), -ECONNREFUSED);
}

CASE(one_at_a_time, "debug.h: -EBUSY when one is served already; after weft_debug_stop() another may be")
{
	for (int i = 0; i < 3; i++) {
		serve();
		kit_equal(weft_debug_serve("127.0.0.1:0"), -EBUSY);
		kit_expect(asked("/debug/pprof/cmdline", " 200 "));
		kit_equal(weft_debug_stop(), 0);
	}
	kit_equal(weft_debug_stop(), -EINVAL);
	kit_equal(weft_debug_address(at, sizeof(at)), -EINVAL);
}

CASE(addresses, "debug.h: \":port\", \"port\" and NULL are of this machine only; errors as weft_listen()")
{
	static const char *const good[] = { NULL, "", "0", ":0", "localhost:0", "127.0.0.1:0" };
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		kit_equal(weft_debug_serve(good[i]), 0);
		kit_expect(weft_debug_address(at, sizeof(at)) > 0 && strncmp(at, "127.0.0.1:", 10) == 0);
		kit_equal(weft_debug_stop(), 0);
	}
	static const char *const bad[] = { "127.0.0.1:70000", "1.2.3.4.5:x:y", "[::1", "127.0.0.1:" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		kit_expect(weft_debug_serve(bad[i]) < 0);
	serve();
	char taken[128];
	memcpy(taken, at, sizeof(at));
	kit_equal(weft_debug_stop(), 0);
	weft_fd *l = NULL;
	kit_equal(weft_listen("tcp", taken, &l), 0);
	kit_equal(weft_debug_serve(taken), -EADDRINUSE);
	weft_fd_close(l);
}

CASE(outside, "debug.h: -EPERM outside a goroutine", .outside = true)
{
	kit_equal(weft_debug_serve(NULL), -EPERM);
	kit_equal(weft_debug_address(at, sizeof(at)), -EPERM);
	kit_equal(weft_debug_stop(), -EPERM);
}

CASE(stop_with_clients, "debug.h: weft_debug_stop() ends recordings, and returns when all its goroutines are over")
{
	size_t before = weft_count();
	serve();
	char text[256], first[1];
	weft_fd *quiet = dial(), *half = dial(), *tracing = dial();
	weft_write_all(half, "GET /debug", 10);
	request("/debug/pprof/trace?seconds=600", text, sizeof(text));
	weft_write_all(tracing, text, strlen(text));
	kit_equal(weft_read(tracing, first, 1), 1);
	kit_until(weft_trace_on());
	kit_equal(weft_debug_stop(), 0);
	kit_expect(!weft_trace_on());
	kit_until(weft_count() == before);
	weft_fd_close(quiet);
	weft_fd_close(half);
	weft_fd_close(tracing);
}

static weft_wg all;

static void ask_often(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < kit_times(20); i++)
		kit_expect(asked("/debug/pprof/cmdline", " 200 "));
	weft_wg_done(&all);
}

CASE(many_at_once, "debug.h: answers on goroutines: up to 32 clients at once", .seconds = 60)
{
	serve();
	weft_wg_add(&all, 8);
	for (int i = 0; i < 8; i++)
		kit_go(ask_often, NULL);
	weft_wg_wait(&all);
	kit_equal(weft_debug_stop(), 0);
}

CASE(client_goes, "debug.h: a client that goes away ends its trace", .seconds = 60)
{
	serve();
	char text[256], first[1];
	request("/debug/pprof/trace?seconds=600", text, sizeof(text));
	for (int i = 0; i < 3; i++) {
		weft_fd *f = dial();
		weft_write_all(f, text, strlen(text));
		kit_equal(weft_read(f, first, 1), 1);
		kit_until(weft_trace_on());
		weft_fd_close(f);
		kit_until(!weft_trace_on());
	}
	kit_equal(weft_debug_stop(), 0);
}

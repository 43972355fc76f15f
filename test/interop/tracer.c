/* Traces that the tracer of libweft writes, read by Go's own reader: accepted, and with as many events as libwtr finds.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wtr/wtr.h>

#include "fakesched.h"
#include "goserve.h"
#include "rt/tr/tr.h"
#include "tracecheck.h"

enum { STEPPED = 200, THREADED = 60 };

static uint64_t rng = 0x2545f4914f6cdd1du;

static unsigned below(unsigned n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (unsigned)((rng * 0x2545f4914f6cdd1du >> 33) % n);
}

static fs *any_life(wb_buf *trace, const fs_options *o, bool late)
{
	weft__tr_options opt = { .fd = -1, .write = tracecheck_sink, .write_arg = trace };
	fs *f = fs_open(o);
	if (late)
		for (unsigned i = below(1000); i > 0; i--)
			fs_step(f, below(o->n_threads + 1));
	return weft__tr_start(&opt) == 0 ? f : NULL;
}

static void stepped(wb_buf *trace)
{
	fs_options o = {
		.seed = rng, .n_threads = 1 + below(6), .n_procs = 1 + below(4), .n_goroutines = 1 + below(40)
	};
	fs *f = any_life(trace, &o, below(2));
	for (unsigned i = 200 + below(1000); f && i > 0; i--) {
		fs_step(f, below(o.n_threads + 1));
		if (below(200) == 0)
			weft__tr_flip();
	}
	weft__tr_stop();
	fs_close(f);
}

static void threaded(wb_buf *trace)
{
	fs_options o = {
		.seed = rng, .n_threads = 1 + below(6), .n_procs = 1 + below(4), .n_goroutines = 1 + below(40)
	};
	fs *f = any_life(trace, &o, below(2));
	fs_begin(f, 500 + below(1500));
	while (fs_running(f))
		weft__tr_flip();
	fs_wait(f);
	weft__tr_stop();
	fs_close(f);
}

static uint64_t our_count(const wb_buf *trace)
{
	wtr_trace *t;
	if (wtr_open_bytes(trace->at, trace->n, NULL, &t, NULL) != WTR_OK)
		return 0;
	wtr_cursor *c = wtr_cursor_open(t, NULL, NULL);
	uint64_t all = 0;
	const wtr_event *e;
	for (size_t n; (n = wtr_next(c, &e)) > 0;)
		all += n;
	bool ok = wtr_cursor_error(c)->code == WTR_OK;
	wtr_cursor_close(c);
	wtr_close(t);
	return ok ? all : 0;
}

/* Each event is a line that begins with "M="; its stacks follow. */
static uint64_t go_count(wb_buf *text)
{
	uint64_t n = 0;
	for (const char *s = wb_buf_cstr(text); s; s = strchr(s, '\n'), s = s ? s + 1 : NULL)
		n += strncmp(s, "M=", 2) == 0;
	return n;
}

static unsigned compare(go_server *g, void make(wb_buf *), unsigned times)
{
	unsigned wrong = 0;
	for (unsigned i = 0; i < times; i++) {
		wb_buf trace = { 0 }, text = { 0 };
		make(&trace);
		int status = go_ask_bytes(g, &trace, &text);
		uint64_t ours = our_count(&trace), theirs = go_count(&text);
		if (status != 0 || ours != theirs || ours == 0) {
			wrong++;
			printf("# Go's status %d; %llu events by us, %llu by Go: see /tmp/tr-interop.trace\n", status,
				(unsigned long long)ours, (unsigned long long)theirs);
			tracecheck_save(&trace, "/tmp/tr-interop.trace");
		}
		wb_buf_free(&trace);
		wb_buf_free(&text);
	}
	return wrong;
}

int main(void)
{
	go_server g;
	if (!go_start(&g))
		return 2;
	printf("1..2\n");
	unsigned a = compare(&g, stepped, STEPPED), b = compare(&g, threaded, THREADED);
	printf("%s 1 - step by step\n%s 2 - with threads\n", a ? "not ok" : "ok", b ? "not ok" : "ok");
	return a || b;
}

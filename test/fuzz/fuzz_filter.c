/* Filters, ranges and times: whatever comes in is parsed or refused at a place in it, and what is parsed can be asked.
 */
#include <string.h>

#include <wtr/wtr.h>

#include "an/where.h"
#include "base/buf.h"
#include "fuzz.h"
#include "kit.h"

enum { INPUT_MAX = 4096 };

/* A small trace with an index, made once. */
static const char trace_text[] =
	"Trace Go1.26\n"
	"EventBatch gen=1 m=18446744073709551615 time=100\n"
	"Sync\n"
	"Frequency freq=15625000\n"
	"ClockSnapshot dt=1 mono=99 sec=1740755049 nsec=123\n"
	"EventBatch gen=1 m=7 time=110\n"
	"ProcStatus dt=1 p=0 pstatus=1\n"
	"GoStatus dt=1 g=7 m=7 gstatus=2\n"
	"EndOfGeneration\n";

static wtr_trace *trace;
static wtr_index *tables;
static wb_buf     bytes;

static bool append(void *user, const char *at, size_t n)
{
	wb_buf_put(user, at, n);
	return true;
}

static void make_trace(void)
{
	if (trace)
		return;
	kit_check(wtr_assemble(trace_text, sizeof(trace_text) - 1, append, &bytes, NULL) == WTR_OK);
	kit_check(wtr_open_bytes(bytes.at, bytes.n, &(wtr_options){ .threads = 1 }, &trace, NULL) == WTR_OK);
	kit_check(wtr_index_build(trace, WTR_PART_EVENTS, &tables, NULL) == WTR_OK);
	kit_check(wtr_goroutine(tables, 7) != NULL);
}

static size_t frames(void *user, uint32_t stack, wtr_frame *ret, size_t n)
{
	(void)user;
	for (size_t i = 0; i < n && i < 2; i++)
		ret[i] = (wtr_frame){ .func = { "main.(*T).run", i ? 13 : 8 } };
	return stack ? 2 : 0;
}

static wtr_str reason(void *user, uint32_t no)
{
	(void)user;
	return no ? (wtr_str){ "chan receive", 12 } : (wtr_str){ "", 0 };
}

static void ask(wtr_where *w, wtr_about about, wtr_error *err)
{
	static const wtr_totals totals = { .start_ns = 1000, .end_ns = 2000, .has_wall = true, .wall_start_ns = 86399 };
	static const an_span_source from = { NULL, frames, reason };
	wtr_goroutine_row g = *wtr_goroutine(tables, 7);
	wtr_event e = { .time_ns = 1500, .g = 7, .p = 1, .m = 2, .kind = WTR_KIND_LOG };
	wtr_task_row t = { .id = 5, .start_ns = 1200, .end_ns = WTR_NEVER, .name = { "job", 3 } };
	wtr_region_row r = { .g = 7, .task = 5, .start_ns = WTR_NEVER, .end_ns = 1900, .name = { "load", 4 } };
	an_state_span s = {
		.g = 7, .from_ns = 1100, .to_ns = 1900, .waker = 1, .stack = 1, .reason = 1, .state = WTR_G_WAITING
	};
	if (wtr_where_bind(w, trace, tables, &totals, err) != WTR_OK)
		return;
	switch (about) {
	case WTR_ABOUT_GOROUTINE: kit_check(wtr_where_goroutine(w, &g) == wtr_where_goroutine(w, &g)); break;
	case WTR_ABOUT_EVENT: kit_check(wtr_where_event(w, &e) == wtr_where_event(w, &e)); break;
	case WTR_ABOUT_TASK: kit_check(wtr_where_task(w, &t) == wtr_where_task(w, &t)); break;
	case WTR_ABOUT_REGION: kit_check(wtr_where_region(w, &r) == wtr_where_region(w, &r)); break;
	default: {
		int64_t ns = an_where_span(w, &from, &s);
		kit_check(ns >= 0 && ns <= 800 && ns == an_where_span(w, &from, &s));
	}
	}
}

static void periods(const char *at, size_t n)
{
	static const wtr_totals totals = { .start_ns = INT64_MAX - 5000, .end_ns = INT64_MAX - 10 };
	wtr_error err = { 0 };
	wtr_period p;
	wtr_moment m;
	int64_t from, to;
	if (wtr_period_parse(at, n, &p, &err) != WTR_OK)
		kit_check(err.code == WTR_E_USAGE && err.what[0] && err.offset <= n);
	else if (wtr_period_resolve(&p, &totals, &from, &to, &err) == WTR_OK)
		kit_check(from < to);
	if (wtr_moment_parse(at, n, &m, &err) != WTR_OK)
		kit_check(err.code == WTR_E_USAGE && err.offset <= n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < 1 || n > INPUT_MAX)
		return -1;
	wtr_about about = (wtr_about)(1u << data[0] % 5);
	const char *text = (const char *)data + 1;
	make_trace();
	wtr_where *w = NULL;
	wtr_error err = { 0 };
	periods(text, n - 1);
	if (wtr_where_parse(text, n - 1, about, &w, &err) != WTR_OK) {
		kit_check(err.code == WTR_E_USAGE && err.what[0] && err.rule[0] && err.offset <= n && !w);
		return 0;
	}
	ask(w, about, &err);
	wtr_where_free(w);
	return 0;
}

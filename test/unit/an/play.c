/* test/unit/an/play.c - see play.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "fmt/text.h"
#include "play.h"
#include "read/trace.h"

static const char trace_text[] =
	"Trace Go1.26\n"
	"EventBatch gen=1 m=18446744073709551615 time=1\nSync\nFrequency freq=1000000000\nClockSnapshot dt=1 mono=1 "
	"sec=1 nsec=1\n"
	"EventBatch gen=1 m=1 time=10\n"
	"GoStatusStack dt=1 g=1 m=18446744073709551615 gstatus=1 stack=1\n"
	"GoStatusStack dt=1 g=2 m=18446744073709551615 gstatus=1 stack=2\n"
	"GoStatusStack dt=1 g=3 m=18446744073709551615 gstatus=1 stack=3\n"
	"GoStatusStack dt=1 g=4 m=18446744073709551615 gstatus=1 stack=4\n"
	"EventBatch gen=1 m=1 time=20\n"
	"Stacks\n"
	"Stack id=1\n\tpc=1 func=1 file=5 line=1\n\tpc=2 func=2 file=5 line=2\n"
	"Stack id=2\n\tpc=3 func=3 file=5 line=3\n"
	"Stack id=3\n\tpc=4 func=4 file=5 line=4\n"
	"Stack id=4\n\tpc=5 func=0 file=5 line=5\n"
	"EventBatch gen=1 m=1 time=20\n"
	"Strings\n"
	"String id=1\n\tdata=\"main.leaf\"\nString id=2\n\tdata=\"main.main\"\nString id=3\n\tdata=\"main.work\"\n"
	"String id=4\n\tdata=\"runtime.bgsweep\"\nString id=5\n\tdata=\"a.go\"\n"
	"EndOfGeneration\n";

static wb_buf bytes_of(const char *text)
{
	wb_buf b = { 0 };
	wf_text_error err;
	assert_int_equal(wf_text_assemble(text, strlen(text), &b, &err), WF_TEXT_OK);
	return b;
}

static wb_buf bytes; /* of the trace that is open: traces borrow them */

void play_open(play *y, unsigned parts)
{
	*y = (play){ .now = 1000, .g = WTR_NONE, .p = WTR_NONE, .m = WTR_NONE };
	wtr_options opt = { .threads = 1, .keep_tables = true };
	bytes = bytes_of(trace_text);
	assert_int_equal(wtr_open_bytes(bytes.at, bytes.n, &opt, &y->trace, NULL), WTR_OK);
	wtr_cursor *c = wtr_cursor_open(y->trace, NULL, NULL);
	assert_non_null(c);
	const wtr_event *ev;
	uint32_t *stacks[] = { &y->main_stack, &y->work_stack, &y->system_stack, &y->bare_stack };
	for (size_t n; (n = wtr_next(c, &ev)) != 0;)
		for (size_t i = 0; i < n; i++)
			if (ev[i].kind == WTR_KIND_STATE_TRANSITION)
				*stacks[ev[i].id - 1] = ev[i].transition_stack;
	assert_int_equal(wtr_cursor_error(c)->code, WTR_OK);
	wtr_cursor_close(c);
	assert_true(y->bare_stack != 0);
	y->x = wb_calloc(1, sizeof(*y->x));
	y->x->parts = parts;
	y->sink = an_summary_sink(y->trace, parts, NULL);
	assert_non_null(y->sink);
}

void play_at(play *y, int64_t time_ns, wtr_event e)
{
	y->now = time_ns;
	play_event(y, e);
}

void play_event(play *y, wtr_event e)
{
	e.time_ns = y->now++;
	e.g = y->g;
	e.p = y->p;
	e.m = y->m;
	assert_true(y->sink->events(y->sink, &e, 1));
}

void play_finish(play *y)
{
	assert_true(y->sink->finish(y->sink, y->x));
	y->sink->free(y->sink);
	y->sink = NULL;
}

void play_close(play *y)
{
	if (y->sink)
		y->sink->free(y->sink);
	wtr_index_free(y->x);
	wtr_close(y->trace);
	wb_buf_free(&bytes);
}

uint32_t play_text(play *y, const char *text)
{
	return wtr__extra_string(y->trace, text, strlen(text));
}

wtr_event play_go(play *y, int64_t id, wtr_gstate from, wtr_gstate to, const char *reason)
{
	return (wtr_event){ .kind = WTR_KIND_STATE_TRANSITION,
		.resource = WTR_RES_GOROUTINE,
		.id = id,
		.detail = (uint8_t)(from << 4 | to),
		.str = play_text(y, reason) };
}

wtr_event play_proc(int64_t id, wtr_pstate from, wtr_pstate to)
{
	return (wtr_event){ .kind = WTR_KIND_STATE_TRANSITION,
		.resource = WTR_RES_PROC,
		.id = id,
		.detail = (uint8_t)(from << 4 | to) };
}

wtr_event play_sync(int64_t n)
{
	return (wtr_event){ .kind = WTR_KIND_SYNC, .id = n };
}

wtr_event play_range(play *y, wtr_kind kind, wtr_range range, int64_t id, const char *stw_kind)
{
	static const wtr_resource of[WTR_RANGE_COUNT] = { [WTR_RANGE_STW] = WTR_RES_GOROUTINE,
		[WTR_RANGE_SWEEP] = WTR_RES_PROC,
		[WTR_RANGE_MARK_ASSIST] = WTR_RES_GOROUTINE };
	return (wtr_event){ .kind = (uint8_t)kind,
		.detail = (uint8_t)range,
		.resource = (uint8_t)of[range],
		.id = id,
		.str = play_text(y, stw_kind) };
}

wtr_event play_region(play *y, wtr_kind kind, uint64_t task, const char *name)
{
	return (wtr_event){ .kind = (uint8_t)kind, .id = (int64_t)task, .str = play_text(y, name) };
}

wtr_event play_task(play *y, wtr_kind kind, uint64_t task, uint64_t parent, const char *name)
{
	return (wtr_event){
		.kind = (uint8_t)kind, .id = (int64_t)task, .value = { parent }, .str = play_text(y, name)
	};
}

wtr_event play_log(play *y, uint64_t task, const char *category, const char *message)
{
	return (wtr_event){
		.kind = WTR_KIND_LOG, .id = (int64_t)task, .str = play_text(y, category), .str2 = play_text(y, message)
	};
}

static bool is(wtr_str s, const char *text)
{
	return s.n == strlen(text) && memcmp(s.at, text, s.n) == 0;
}

int64_t play_waited(const play *y, const wtr_goroutine_row *g, const char *reason)
{
	PLAY_ROWS(y, BLOCK_TIMES, block_time);
	for (uint32_t i = 0; i < g->n_block; i++)
		if (is(block_time[g->first_block + i].reason, reason))
			return block_time[g->first_block + i].ns;
	return -1;
}

int64_t play_ranged(const play *y, const wtr_goroutine_row *g, const char *name)
{
	PLAY_ROWS(y, RANGE_TIMES, range_time);
	for (uint32_t i = 0; i < g->n_range; i++)
		if (is(range_time[g->first_range + i].name, name))
			return range_time[g->first_range + i].ns;
	return -1;
}

int64_t play_region_waited(const play *y, const wtr_region_row *r, const char *reason)
{
	PLAY_ROWS(y, REGION_BLOCK_TIMES, region_block_time);
	for (uint32_t i = 0; i < r->n_block; i++)
		if (is(region_block_time[r->first_block + i].reason, reason))
			return region_block_time[r->first_block + i].ns;
	return -1;
}

/* rt/gctrace.c - what a trace says about collections and the heap. */
#include "kit/rtkit.h"

#include <string.h>

#include <wtr/wtr.h>

#include "base/buf.h"
#include "second.h"

static int append(const void *at, size_t n, void *arg)
{
	wb_buf_put(arg, at, n);
	return 0;
}

static wb_buf trace;
static void *kept[1000];

__attribute__((noinline)) static void forces_it(void)
{
	weft_gc();
	__asm__ volatile("" ::: "memory"); /* no tail call */
}

__attribute__((noinline)) static void grows(void)
{
	for (int i = 0; i < 1000; i++)
		kept[i] = weft_new(10000);
}

static void collect(void *unused)
{
	(void)unused;
	weft_new(1);
	kit_equal(weft_trace_start_with(&(weft_trace_options){ .fd = -1, .write = append, .write_arg = &trace }), 0);
	grows();
	forces_it();
	memset(kept, 0, sizeof(kept));
	forces_it();
	kit_equal(weft_trace_stop(), 0);
}

/* What happened in one collection, in order: B begin, S stop of the world, s its end, E end, W sweep, w its end. */
typedef struct story {
	char steps[4096];
	size_t n;
	unsigned n_forced, n_sizes, n_goals;
	uint64_t most, last, least_goal, reclaimed;
} story;

static bool has_frame(wtr_trace *t, uint32_t stack, const char *name)
{
	wtr_frame f[16];
	size_t n = wtr_stack(t, stack, f, 16);
	for (size_t i = 0; i < n && i < 16; i++)
		if (f[i].func.n == strlen(name) && memcmp(f[i].func.at, name, f[i].func.n) == 0)
			return true;
	return false;
}

static void step(story *s, char c)
{
	if (s->n < sizeof(s->steps) - 1)
		s->steps[s->n++] = c;
}

static void see_range(story *s, wtr_trace *t, const wtr_event *e)
{
	static const char letters[WTR_RANGE_COUNT] = { 'S', 'B', 'W', 'A' };
	bool begin = e->kind == WTR_KIND_RANGE_BEGIN;
	char c = letters[e->detail];
	step(s, begin ? c : c == 'B' ? 'E' : (char)(c | 0x20));
	if (begin && e->detail == WTR_RANGE_GC_MARK)
		s->n_forced += has_frame(t, e->stack, "forces_it");
	if (!begin && e->detail == WTR_RANGE_SWEEP) {
		kit_expect(e->value[0] >= e->value[1]);
		s->reclaimed += e->value[1];
	}
}

static void see(story *s, wtr_trace *t, const wtr_event *e)
{
	if (e->kind == WTR_KIND_RANGE_BEGIN || e->kind == WTR_KIND_RANGE_END)
		see_range(s, t, e);
	if (e->kind == WTR_KIND_METRIC && e->detail == WTR_METRIC_HEAP_BYTES) {
		s->n_sizes++;
		s->last = e->value[0];
		s->most = s->last > s->most ? s->last : s->most;
	}
	if (e->kind == WTR_KIND_METRIC && e->detail == WTR_METRIC_HEAP_GOAL_BYTES) {
		s->n_goals++;
		s->least_goal = s->n_goals == 1 || e->value[0] < s->least_goal ? e->value[0] : s->least_goal;
	}
}

static void read_story(story *s)
{
	wtr_trace *t;
	kit_require(wtr_open_bytes(trace.at, trace.n, NULL, &t, NULL) == WTR_OK);
	wtr_cursor *c = wtr_cursor_open(t, NULL, NULL);
	const wtr_event *e;
	for (size_t n; (n = wtr_next(c, &e)) > 0;)
		for (size_t i = 0; i < n; i++)
			see(s, t, &e[i]);
	kit_equal(wtr_cursor_error(c)->code, WTR_OK);
	wtr_cursor_close(c);
	wtr_close(t);
}

CASE(collections,
	"trace.h: garbage collections; tr.h: begin, stop of the world, sweep, and the heap's size as it changes",
	.outside = true)
{
	static story s;
	second_result r;
	kit_equal(weft_main(collect, NULL, NULL), 0);
	if (!kit_expect(second_check(trace.at, trace.n, &r)))
		kit_require(!r.why[0]);
	read_story(&s);
	kit_expect(s.n >= 12 && s.n % 6 == 0);
	for (size_t i = 0; i < s.n; i += 6)
		kit_expect(memcmp(s.steps + i, "BSsEWw", 6) == 0);
	kit_equal(s.n_forced, 2);
	kit_expect(s.n_sizes >= 20); /* ten million bytes, told about each 64 KiB */
	kit_expect(s.most >= 10000000);
	kit_expect(s.last < s.most / 2);
	kit_expect(s.reclaimed >= 5000000);
	kit_expect(s.n_goals >= 2 && s.least_goal > 0);
	wb_buf_free(&trace);
}

/* an/counters.c - gauges that follow the events, read off at every step. */
#include <wtr/counters.h>
#include <wtr/event.h>

#include "an/index.h"
#include "an/taken.h"
#include "an/where.h"
#include "base/idmap.h"
#include "read/source.h"

enum { ASSISTS = 8 }; /* beside the state of a goroutine */

typedef struct sink {
	an_sink face;
	wtr_where *where;
	int64_t from_ns, step_ns;
	size_t n, at; /* at: the step that is being filled */
	wtr_counter_step *ret;
	int64_t now[WTR_COUNTER_COUNT], most[WTR_COUNTER_COUNT];
	wb_idmap gs, ps; /* goroutine -> state, and ASSISTS; proc -> 1 while it runs */
	bool oom, begun;
} sink;

const char *wtr_counter_name(unsigned counter)
{
	static const char *const names[] = {
#define NAME(ID, name, unit, doc) name,
		WTR_COUNTERS(NAME)
#undef NAME
	};
	return counter < WTR_COUNTER_COUNT ? names[counter] : NULL;
}

static void set(sink *s, wtr_counter c, int64_t v)
{
	s->now[c] = v;
	s->most[c] = v > s->most[c] ? v : s->most[c];
}

/* Which counter a goroutine is in; WTR_COUNTER_COUNT: none. */
static wtr_counter counter_of(uint32_t g)
{
	switch (g & 7) {
	case WTR_G_RUNNING: return WTR_COUNTER_RUNNING;
	case WTR_G_SYSCALL: return WTR_COUNTER_SYSCALL;
	case WTR_G_RUNNABLE: return WTR_COUNTER_RUNNABLE;
	case WTR_G_WAITING: return g & ASSISTS ? WTR_COUNTER_GC_WAITING : WTR_COUNTER_WAITING;
	default: return WTR_COUNTER_COUNT;
	}
}

static void change(sink *s, int64_t id, uint32_t was, uint32_t is)
{
	wtr_counter a = counter_of(was), b = counter_of(is);
	s->oom |= !wb_idmap_set(&s->gs, (uint64_t)id, is);
	if (a == b)
		return;
	if (a != WTR_COUNTER_COUNT)
		set(s, a, s->now[a] - 1);
	if (b != WTR_COUNTER_COUNT)
		set(s, b, s->now[b] + 1);
}

/* Bits of `gs`: the state, ASSISTS, and whether the filter keeps the goroutine out. */
enum { STRANGER = 16 };

static uint32_t state_of(const sink *s, int64_t id)
{
	uint32_t g = wb_idmap_get(&s->gs, (uint64_t)id);
	if (g == WB_IDMAP_NONE)
		return an_where_id(s->where, id) ? WTR_G_NOTEXIST : STRANGER;
	return g;
}

static void transition(sink *s, const wtr_event *e)
{
	if (e->resource == WTR_RES_GOROUTINE) {
		uint32_t was = state_of(s, e->id), to = an_to(e);
		if (was == STRANGER) {
			s->oom |= !wb_idmap_set(&s->gs, (uint64_t)e->id, STRANGER);
			return;
		}
		change(s, e->id, was, to == WTR_G_NOTEXIST ? to : (was & ASSISTS) | to);
	} else if (e->resource == WTR_RES_PROC) {
		uint32_t was = wb_idmap_get(&s->ps, (uint64_t)e->id), is = (wtr_pstate)wtr_to(e) == WTR_P_RUNNING;
		was = was == WB_IDMAP_NONE ? 0 : was;
		if (was != is)
			set(s, WTR_COUNTER_PROCS_RUNNING, s->now[WTR_COUNTER_PROCS_RUNNING] + (is ? 1 : -1));
		s->oom |= !wb_idmap_set(&s->ps, (uint64_t)e->id, is);
	}
}

static void metric(sink *s, const wtr_event *e)
{
	static const wtr_counter of[WTR_METRIC_COUNT] = {
		[WTR_METRIC_GOMAXPROCS] = WTR_COUNTER_GOMAXPROCS,
		[WTR_METRIC_HEAP_BYTES] = WTR_COUNTER_HEAP,
		[WTR_METRIC_HEAP_GOAL_BYTES] = WTR_COUNTER_GOAL,
	};
	uint64_t v = e->value[0], none = UINT64_C(1) << 50; /* "no goal" is a huge one */
	if (e->detail == WTR_METRIC_HEAP_GOAL_BYTES && v > none)
		v = 0;
	if (e->detail < WTR_METRIC_COUNT)
		set(s, of[e->detail], v > INT64_MAX ? INT64_MAX : (int64_t)v);
}

static void assist(sink *s, const wtr_event *e)
{
	uint32_t was = state_of(s, e->id);
	if (was == STRANGER)
		return;
	change(s, e->id, was, e->kind == WTR_KIND_RANGE_END ? was & ~(uint32_t)ASSISTS : was | ASSISTS);
}

static void put(sink *s)
{
	for (unsigned c = 0; c < WTR_COUNTER_COUNT; c++) {
		s->ret[s->at].last[c] = s->now[c];
		s->ret[s->at].most[c] = s->most[c];
		s->most[c] = s->now[c];
	}
	s->at++;
}

/* What was highest before the first step does not count. */
static void begin(sink *s)
{
	s->begun = true;
	for (unsigned c = 0; c < WTR_COUNTER_COUNT; c++)
		s->most[c] = s->now[c];
}

/* The end of the step that is being filled. */
static int64_t step_end(const sink *s)
{
	int64_t r;
	if (__builtin_mul_overflow(s->step_ns, (int64_t)s->at + 1, &r) || __builtin_add_overflow(r, s->from_ns, &r))
		return INT64_MAX;
	return r;
}

static bool sink_events(an_sink *face, const wtr_event *ev, size_t n)
{
	sink *s = (sink *)face;
	for (size_t i = 0; i < n && !s->oom && s->at < s->n; i++) {
		const wtr_event *e = &ev[i];
		if (!s->begun && e->time_ns >= s->from_ns)
			begin(s);
		while (s->at < s->n && e->time_ns >= step_end(s))
			put(s);
		if (e->kind == WTR_KIND_STATE_TRANSITION)
			transition(s, e);
		else if (e->kind == WTR_KIND_METRIC)
			metric(s, e);
		else if (e->kind >= WTR_KIND_RANGE_BEGIN && e->kind <= WTR_KIND_RANGE_END &&
			 e->detail == WTR_RANGE_MARK_ASSIST)
			assist(s, e);
	}
	return !s->oom && an_where_memory(s->where);
}

static bool no_finish(an_sink *face, wtr_index *x)
{
	(void)face;
	(void)x;
	return true;
}

static void no_free(an_sink *face)
{
	(void)face;
}

wtr_code wtr_counters(wtr_trace *t, int64_t from_ns, int64_t step_ns, size_t n, wtr_counter_step *ret,
	wtr_error *ret_end, wtr_error *err)
{
	return wtr_counters_where(t, NULL, from_ns, step_ns, n, ret, ret_end, err);
}

wtr_code wtr_counters_where(wtr_trace *t, wtr_where *where, int64_t from_ns, int64_t step_ns, size_t n,
	wtr_counter_step *ret, wtr_error *ret_end, wtr_error *err)
{
	if (step_ns <= 0 || n == 0)
		return wtr__fail(err, WTR_E_USAGE, 0, 0, WTR_NONE, "", "counters.step",
			"a step takes time, and there is at least one");
	wtr_code rc = an_where_wants_goroutines(where, err);
	if (rc != WTR_OK)
		return rc;
	sink s = { .face = { sink_events, no_finish, no_free },
		.where = where,
		.from_ns = from_ns,
		.step_ns = step_ns,
		.n = n,
		.ret = ret };
	wtr_error end = { 0 };
	s.now[WTR_COUNTER_HEAP] = s.now[WTR_COUNTER_GOAL] = s.now[WTR_COUNTER_GOMAXPROCS] = -1;
	s.most[WTR_COUNTER_HEAP] = s.most[WTR_COUNTER_GOAL] = s.most[WTR_COUNTER_GOMAXPROCS] = -1;
	rc = an_pass(t, &s.face, &end, err);
	while (rc == WTR_OK && s.at < s.n)
		put(&s);
	wb_idmap_free(&s.gs);
	wb_idmap_free(&s.ps);
	if (rc == WTR_OK && ret_end)
		*ret_end = end;
	return rc;
}

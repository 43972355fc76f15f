/* test/unit/an/made.c - see made.h. */
#include "made.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static uint64_t seed_now = 1;

uint64_t made_random(void)
{
	seed_now ^= seed_now << 13;
	seed_now ^= seed_now >> 7;
	seed_now ^= seed_now << 17;
	return seed_now * UINT64_C(0x2545f4914f6cdd1d) >> 11;
}

/* Texts: 1 .. are reasons; 50 a label. */
static const char *const reasons[] = { "", "chan receive", "sync", "network", "sleep", "wait until GC ends",
	"something new" };
static const uint8_t reason_cls[] = { WTR_CLASS_BLOCKED, WTR_CLASS_BLOCKED, WTR_CLASS_LOCK, WTR_CLASS_NETWORK,
	WTR_CLASS_SLEEP, WTR_CLASS_GC, WTR_CLASS_BLOCKED };
enum {
	REASONS = 7,
	TEXT_WORKER = 50,
	TEXT_STW = 51,
	TEXT_PREEMPTED = 52,
	STACK_ENTRY = 1000,
	GROUPS = 4,
	WORKER_GROUP = 3
};

wtr_str made_string(void *user, uint32_t id)
{
	(void)user;
	const char *s = id < REASONS        ? reasons[id]
			: id == TEXT_WORKER ? "GC (dedicated)"
			: id == TEXT_STW    ? "GC mark termination"
					    : "preempted";
	return (wtr_str){ s, strlen(s) };
}

/* Stack STACK_ENTRY + k starts in function k; so does every stack k + 4 * i of its goroutines. */
static const char *const functions[GROUPS] = { "main.main", "main.worker", "net/http.serve", "runtime.gcBgMarkWorker" };

size_t made_stack(void *user, uint32_t id, wtr_frame *ret, size_t n)
{
	(void)user;
	const char *f = functions[id % GROUPS];
	if (n > 0)
		ret[0] = (wtr_frame){ .func = { "leaf", 4 }, .pc = id };
	if (n > 1)
		ret[1] = (wtr_frame){ .func = { f, strlen(f) }, .pc = 1 };
	return 2;
}

static unsigned group_of(unsigned g) { return g % 40 == 39 ? WORKER_GROUP : g % (GROUPS - 1); }
static uint32_t own_stack(unsigned g) { return (uint32_t)(4 * (1 + made_random() % 6) + group_of(g)); }

/* ---- the scheduler ---- */

typedef struct sched {
	made    *k;
	int64_t  now, pace;
	wtr_gstate g_state[MADE_G];
	int      g_p[MADE_G], g_m[MADE_G]; /* -1 */
	bool     assist[MADE_G];
	int      p_g[MADE_P], p_m[MADE_P];
	int      m_p[MADE_M], m_g[MADE_M]; /* m_g: in a system call, with or without a proc */
	unsigned max_g;
	bool     gc, stw;
	int64_t  stw_g;
} sched;

static bool add(made_lane *lane, made_span s)
{
	if (lane->n)
		lane->at[lane->n - 1].to = s.from;
	s.to = INT64_MAX;
	return wb_vec_add(lane, s);
}

static made_span span_of(int64_t from, uint8_t cls, uint8_t state, int64_t g, int64_t p, int64_t m)
{
	return (made_span){ .from = from,
		.cls = cls,
		.state = state,
		.reason = "",
		.g = g,
		.p = p,
		.m = m,
		.waker = WTR_NONE,
		.waker_p = WTR_NONE };
}

static int64_t id_of(int g) { return g < 0 ? WTR_NONE : g + 1; }
static int64_t m_id(int m) { return m < 0 ? WTR_NONE : 100 + m; }

/* An event in the context of thread m. */
static wtr_event *event(sched *s, int m, wtr_kind kind)
{
	s->now += 1 + (int64_t)(made_random() % (uint64_t)(2 * s->pace));
	if (made_random() % 2000 == 0)
		s->now += 3 * INT64_C(4294967296) / 2; /* longer than 32 bits */
	int g = m < 0 ? -1 : s->m_g[m] >= 0 ? s->m_g[m] : s->m_p[m] >= 0 ? s->p_g[s->m_p[m]] : -1;
	wtr_event e = { .time_ns = s->now,
		.m = m_id(m),
		.p = m < 0 || s->m_p[m] < 0 ? WTR_NONE : s->m_p[m],
		.g = id_of(g),
		.kind = (uint8_t)kind };
	if (!wb_vec_add(&s->k->ev, e))
		abort();
	return &s->k->ev.at[s->k->ev.n - 1];
}

static wtr_event *g_event(sched *s, int m, unsigned g, wtr_gstate from, wtr_gstate to)
{
	wtr_event *e = event(s, m, WTR_KIND_STATE_TRANSITION);
	e->resource = WTR_RES_GOROUTINE;
	e->id = id_of((int)g);
	e->detail = (uint8_t)(from << 4 | to);
	return e;
}

static wtr_event *p_event(sched *s, int m, unsigned p, wtr_pstate from, wtr_pstate to)
{
	wtr_event *e = event(s, m, WTR_KIND_STATE_TRANSITION);
	e->resource = WTR_RES_PROC;
	e->id = p;
	e->detail = (uint8_t)(from << 4 | to);
	return e;
}

/* What a goroutine's lane shows from this event on. */
static made_span *g_shows(sched *s, unsigned g, wtr_gstate state, uint8_t cls)
{
	made_span span = span_of(s->now, cls, (uint8_t)state, id_of((int)g), WTR_NONE, WTR_NONE);
	if (!add(&s->k->g[g], span))
		abort();
	s->g_state[g] = state;
	return &s->k->g[g].at[s->k->g[g].n - 1];
}

static uint8_t run_cls(unsigned g) { return group_of(g) == WORKER_GROUP ? WTR_CLASS_GC : WTR_CLASS_RUNNING; }

static void p_shows(sched *s, int p, int g, uint8_t cls)
{
	made_span span = span_of(s->now, g < 0 ? WTR_CLASS_NONE : cls, WTR_P_RUNNING, id_of(g), p, WTR_NONE);
	made_lane *lane = &s->k->p[p];
	if (g < 0 && lane->n == 0)
		return;
	if (!add(lane, span))
		abort();
}

/* Threads: a held proc is written down as class 255, to be looked up in the proc's lane. */
static void m_shows(sched *s, int m, int p, int g)
{
	made_span span = span_of(s->now,
		p >= 0   ? 255
		: g >= 0 ? WTR_CLASS_SYSCALL
			 : WTR_CLASS_NONE,
		WTR_P_RUNNING, id_of(g), p, m_id(m));
	made_lane *lane = &s->k->m[m];
	if (lane->n == 0 && p < 0 && g < 0)
		return;
	if (!add(lane, span))
		abort();
}

static void begin_at_start(made_lane *lane, int64_t start)
{
	lane->at[lane->n - 1].from = start;
	lane->at[lane->n - 1].open = true;
}

static int pick_m(const sched *s, bool with_p)
{
	unsigned first = (unsigned)(made_random() % MADE_M);
	for (unsigned i = 0; i < MADE_M; i++) {
		int m = (int)((first + i) % MADE_M);
		if ((s->m_p[m] >= 0) == with_p && (with_p || s->m_g[m] < 0))
			return m;
	}
	return -1;
}

static int pick_g(const sched *s, wtr_gstate state)
{
	unsigned first = (unsigned)(made_random() % s->max_g);
	for (unsigned i = 0; i < s->max_g; i++)
		if (s->g_state[(first + i) % s->max_g] == state)
			return (int)((first + i) % s->max_g);
	return -1;
}

static void leave(sched *s, int g)
{
	int p = s->g_p[g], m = s->g_m[g];
	if (p >= 0) {
		s->p_g[p] = -1;
		p_shows(s, p, -1, 0);
	}
	if (m >= 0)
		s->m_g[m] = -1;
	s->g_p[g] = s->g_m[g] = -1;
}

static void run(sched *s, int m, int g)
{
	int p = s->m_p[m];
	made_span *span = g_shows(s, (unsigned)g, WTR_G_RUNNING, run_cls((unsigned)g));
	span->p = p;
	span->m = m_id(m);
	s->p_g[p] = g;
	s->g_p[g] = p;
	s->g_m[g] = m;
	p_shows(s, p, g, run_cls((unsigned)g));
}

/* The goroutine running on the thread, or -1. */
static int runs(const sched *s, int m)
{
	return m >= 0 && s->m_p[m] >= 0 && s->m_g[m] < 0 ? s->p_g[s->m_p[m]] : -1;
}

static void woken(made_span *span, const wtr_event *e)
{
	span->waker = e->g;
	span->waker_p = e->p;
	span->waker_stack = e->stack;
}

static void do_start(sched *s)
{
	int m = pick_m(s, true), g = pick_g(s, WTR_G_RUNNABLE);
	if (m < 0 || g < 0 || s->p_g[s->m_p[m]] >= 0 || s->m_g[m] >= 0)
		return;
	g_event(s, m, (unsigned)g, WTR_G_RUNNABLE, WTR_G_RUNNING);
	run(s, m, g);
}

static void do_block(sched *s)
{
	int m = pick_m(s, true), g = runs(s, m);
	if (g < 0)
		return;
	uint32_t why = (uint32_t)(made_random() % REASONS);
	wtr_event *e = g_event(s, m, (unsigned)g, WTR_G_RUNNING, WTR_G_WAITING);
	e->str = why;
	e->transition_stack = e->stack = own_stack((unsigned)g);
	leave(s, g);
	made_span *span = g_shows(s, (unsigned)g, WTR_G_WAITING, reason_cls[why]);
	span->reason = reasons[why];
	span->stack = e->stack;
}

static void do_stop(sched *s)
{
	int m = pick_m(s, true), g = runs(s, m);
	if (g < 0)
		return;
	wtr_event *e = g_event(s, m, (unsigned)g, WTR_G_RUNNING, WTR_G_RUNNABLE);
	e->str = TEXT_PREEMPTED;
	e->transition_stack = e->stack = own_stack((unsigned)g);
	leave(s, g);
	made_span *span = g_shows(s, (unsigned)g, WTR_G_RUNNABLE, WTR_CLASS_RUNNABLE);
	span->reason = "preempted";
	span->stack = e->stack;
}

/* By the goroutine on the thread, by a thread that has a proc only, or by one that has nothing. */
static void do_unblock(sched *s)
{
	int g = pick_g(s, WTR_G_WAITING), m = pick_m(s, made_random() % 8 != 0);
	if (g < 0)
		return;
	wtr_event *e = g_event(s, m, (unsigned)g, WTR_G_WAITING, WTR_G_RUNNABLE);
	e->stack = e->g == WTR_NONE ? 0 : own_stack((unsigned)e->g - 1);
	woken(g_shows(s, (unsigned)g, WTR_G_RUNNABLE, WTR_CLASS_RUNNABLE), e);
}

static void do_create(sched *s)
{
	if (s->k->n_g >= s->max_g)
		return;
	int m = pick_m(s, true), by = runs(s, m);
	if (by < 0)
		return;
	unsigned g = s->k->n_g++;
	bool blocked = made_random() % 8 == 0;
	wtr_event *e = g_event(s, m, g, WTR_G_NOTEXIST, blocked ? WTR_G_WAITING : WTR_G_RUNNABLE);
	e->transition_stack = STACK_ENTRY + group_of(g);
	e->stack = own_stack((unsigned)by);
	made_span *span = g_shows(
		s, g, blocked ? WTR_G_WAITING : WTR_G_RUNNABLE, blocked ? WTR_CLASS_BLOCKED : WTR_CLASS_RUNNABLE);
	span->stack = e->transition_stack;
	woken(span, e);
}

static void assist_over(sched *s, int g)
{
	if (s->assist[g] && !wb_vec_add(&s->k->assists[g], s->now))
		abort();
	s->assist[g] = false;
}

static void do_end(sched *s)
{
	int m = pick_m(s, true), g = runs(s, m);
	if (g < 0)
		return;
	g_event(s, m, (unsigned)g, WTR_G_RUNNING, WTR_G_NOTEXIST);
	leave(s, g);
	g_shows(s, (unsigned)g, WTR_G_NOTEXIST, WTR_CLASS_NONE);
	assist_over(s, g);
}

static void do_syscall(sched *s)
{
	int m = pick_m(s, true), g = runs(s, m);
	if (g < 0)
		return;
	wtr_event *e = g_event(s, m, (unsigned)g, WTR_G_RUNNING, WTR_G_SYSCALL);
	e->transition_stack = e->stack = own_stack((unsigned)g);
	made_span *span = g_shows(s, (unsigned)g, WTR_G_SYSCALL, WTR_CLASS_SYSCALL);
	span->stack = e->stack;
	span->p = s->m_p[m];
	span->m = m_id(m);
	s->m_g[m] = g;
	p_shows(s, s->m_p[m], g, WTR_CLASS_SYSCALL);
}

/* Back with the proc, or without it. */
static void do_sysexit(sched *s)
{
	int g = pick_g(s, WTR_G_SYSCALL);
	if (g < 0)
		return;
	int m = s->g_m[g], p = s->g_p[g];
	if (p >= 0) {
		g_event(s, m, (unsigned)g, WTR_G_SYSCALL, WTR_G_RUNNING);
		s->m_g[m] = -1;
		run(s, m, g);
		return;
	}
	g_event(s, m, (unsigned)g, WTR_G_SYSCALL, WTR_G_RUNNABLE);
	s->m_g[m] = s->g_m[g] = -1;
	if (s->m_p[m] < 0)
		m_shows(s, m, -1, -1);
	g_shows(s, (unsigned)g, WTR_G_RUNNABLE, WTR_CLASS_RUNNABLE);
}

/* A proc goes idle: by itself, or taken from a thread in a system call. */
static void do_idle(sched *s)
{
	unsigned p = (unsigned)(made_random() % MADE_P);
	int m = s->p_m[p], g = s->p_g[p], by = m;
	if (m < 0 || (g >= 0 && s->g_state[g] != WTR_G_SYSCALL) || (g < 0 && s->m_g[m] >= 0))
		return;
	if (g >= 0 && made_random() % 2)
		by = pick_m(s, true);
	p_event(s, by, p, WTR_P_RUNNING, WTR_P_IDLE);
	s->p_m[p] = -1;
	s->p_g[p] = -1;
	s->m_p[m] = -1;
	if (g >= 0) {
		s->g_p[g] = -1;
		p_shows(s, (int)p, -1, 0);
	}
	m_shows(s, m, -1, g);
}

/* A thread takes an idle proc; also one whose goroutine lost its proc in a system call. */
static void do_procstart(sched *s)
{
	unsigned p = (unsigned)(made_random() % MADE_P);
	int m = pick_m(s, false), other = (int)(made_random() % MADE_M);
	if (s->m_p[other] < 0)
		m = other;
	if (s->p_m[p] >= 0 || m < 0)
		return;
	p_event(s, m, p, WTR_P_IDLE, WTR_P_RUNNING);
	s->p_m[p] = m;
	s->m_p[m] = (int)p;
	m_shows(s, m, (int)p, -1);
}

static wtr_event *range(sched *s, int m, wtr_kind kind, wtr_range range, wtr_resource res, int64_t id)
{
	wtr_event *e = event(s, m, kind);
	e->detail = (uint8_t)range;
	e->resource = (uint8_t)res;
	e->id = id;
	return e;
}

static void do_gc(sched *s)
{
	int m = pick_m(s, true), g = runs(s, m);
	if (g < 0)
		return;
	range(s, m, s->gc ? WTR_KIND_RANGE_END : WTR_KIND_RANGE_BEGIN, WTR_RANGE_GC_MARK, WTR_RES_NONE, 0);
	s->gc = !s->gc;
	made_span span =
		span_of(s->now, s->gc ? WTR_CLASS_GC : WTR_CLASS_NONE, WTR_P_RUNNING, id_of(g), s->m_p[m], m_id(m));
	if (!add(&s->k->gc, span))
		abort();
}

static void do_stw(sched *s)
{
	int m = pick_m(s, true), g = runs(s, m);
	if (g < 0)
		return;
	wtr_event *e = range(
		s, m, s->stw ? WTR_KIND_RANGE_END : WTR_KIND_RANGE_BEGIN, WTR_RANGE_STW, WTR_RES_GOROUTINE, id_of(g));
	e->str = TEXT_STW;
	s->stw = !s->stw;
	made_span span =
		span_of(s->now, s->stw ? WTR_CLASS_GC : WTR_CLASS_NONE, WTR_P_RUNNING, id_of(g), s->m_p[m], m_id(m));
	span.reason = "GC mark termination";
	if (!add(&s->k->stw, span))
		abort();
}

static void do_assist(sched *s)
{
	int m = pick_m(s, true), g = runs(s, m);
	if (g < 0)
		return;
	range(s, m, s->assist[g] ? WTR_KIND_RANGE_END : WTR_KIND_RANGE_BEGIN, WTR_RANGE_MARK_ASSIST, WTR_RES_GOROUTINE,
		id_of(g));
	bool was = s->assist[g];
	assist_over(s, g);
	s->assist[g] = !was;
	if (!was && !wb_vec_add(&s->k->assists[g], s->now))
		abort();
}

static void do_log(sched *s)
{
	int m = pick_m(s, true), g = runs(s, m);
	if (g < 0)
		return;
	event(s, m, WTR_KIND_LOG);
	if (!wb_vec_add(&s->k->logs[g], s->now))
		abort();
}

/* A status that repeats what is known. */
static void do_repeat(sched *s)
{
	int g = (int)(made_random() % s->k->n_g), m = pick_m(s, true);
	if (s->g_state[g] != WTR_G_NOTEXIST && s->g_state[g] != WTR_G_UNDETERMINED)
		g_event(s, m, (unsigned)g, s->g_state[g], s->g_state[g]);
}

/* One coroutine goes on in the place of another: three events. */
static void do_switch(sched *s)
{
	int m = pick_m(s, true), g = runs(s, m), to = pick_g(s, WTR_G_WAITING);
	if (g < 0 || to < 0)
		return;
	wtr_event *e = g_event(s, m, (unsigned)to, WTR_G_WAITING, WTR_G_RUNNABLE);
	woken(g_shows(s, (unsigned)to, WTR_G_RUNNABLE, WTR_CLASS_RUNNABLE), e);
	g_event(s, m, (unsigned)g, WTR_G_RUNNING, WTR_G_WAITING);
	leave(s, g);
	g_shows(s, (unsigned)g, WTR_G_WAITING, WTR_CLASS_BLOCKED);
	g_event(s, m, (unsigned)to, WTR_G_RUNNABLE, WTR_G_RUNNING);
	run(s, m, to);
}

/* What was there when the trace began. */
static void begin(sched *s)
{
	made *k = s->k;
	event(s, -1, WTR_KIND_SYNC);
	k->start = s->now;
	for (int p = 0; p < MADE_P / 2; p++) {
		s->m_p[p] = -1;
		p_event(s, p, (unsigned)p, WTR_P_UNDETERMINED, WTR_P_RUNNING)->p = WTR_NONE;
		s->m_p[p] = p;
		s->p_m[p] = p;
		m_shows(s, p, p, -1);
		begin_at_start(&k->m[p], k->start);
	}
	for (unsigned g = 0; g < 8 && g < s->max_g; g++) {
		static const wtr_gstate found[] = { WTR_G_RUNNING, WTR_G_WAITING, WTR_G_RUNNABLE, WTR_G_SYSCALL };
		wtr_gstate state = g < 2 ? WTR_G_RUNNING : g == 2 ? WTR_G_SYSCALL : found[1 + g % 2];
		int m = g < 3 ? (int)g : -1;
		wtr_event *e = g_event(s, m, g, WTR_G_UNDETERMINED, state);
		k->n_g++;
		/* The first ones tell their name at once, the others when they first block. */
		if (g % 2)
			e->transition_stack = e->stack = own_stack(g);
		uint32_t stack = e->transition_stack;
		if (state == WTR_G_RUNNING) {
			run(s, m, (int)g);
			begin_at_start(&k->p[m], k->start);
			if (group_of(g) == WORKER_GROUP)
				abort();
		} else if (state == WTR_G_SYSCALL) {
			made_span *span = g_shows(s, g, state, WTR_CLASS_SYSCALL);
			span->p = m;
			span->m = m_id(m);
			s->m_g[m] = (int)g;
			s->p_g[m] = (int)g;
			s->g_p[g] = m;
			s->g_m[g] = m;
			p_shows(s, m, (int)g, WTR_CLASS_SYSCALL);
			begin_at_start(&k->p[m], k->start);
		} else {
			g_shows(s, g, state, state == WTR_G_WAITING ? WTR_CLASS_BLOCKED : WTR_CLASS_RUNNABLE);
		}
		made_lane *lane = &k->g[g];
		begin_at_start(lane, k->start);
		lane->at[0].stack = state == WTR_G_RUNNING ? 0 : stack;
	}
}

static void (*const steps_of[])(sched *) = {
	do_start,
	do_start,
	do_start,
	do_start,
	do_start,
	do_block,
	do_block,
	do_block,
	do_unblock,
	do_unblock,
	do_unblock,
	do_unblock,
	do_stop,
	do_create,
	do_syscall,
	do_sysexit,
	do_sysexit,
	do_idle,
	do_procstart,
	do_procstart,
	do_repeat,
	do_log,
	do_assist,
	do_switch,
	do_switch,
};

made *made_run(unsigned seed, size_t steps, unsigned max_g, int64_t pace_ns)
{
	seed_now = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	made *k = wb_calloc(1, sizeof(*k));
	sched *s = wb_calloc(1, sizeof(*s));
	if (!k || !s)
		abort();
	*s = (sched){ .k = k, .now = 1000 + (int64_t)(made_random() % 1000000), .pace = pace_ns, .max_g = max_g };
	memset(s->g_p, 0xff, sizeof(s->g_p));
	memset(s->g_m, 0xff, sizeof(s->g_m));
	memset(s->p_g, 0xff, sizeof(s->p_g));
	memset(s->p_m, 0xff, sizeof(s->p_m));
	memset(s->m_p, 0xff, sizeof(s->m_p));
	memset(s->m_g, 0xff, sizeof(s->m_g));
	begin(s);
	for (size_t i = 0; i < steps; i++) {
		steps_of[made_random() % (sizeof(steps_of) / sizeof(*steps_of))](s);
		if (made_random() % 64 == 0)
			do_gc(s);
		if (made_random() % 64 == 0)
			do_stw(s);
		if (made_random() % 256 == 0)
			do_end(s);
	}
	event(s, -1, WTR_KIND_SYNC);
	k->end = s->now;
	wtr_lane lane;
	const made_lane *truth;
	for (size_t i = 0; made_lane_at(k, i, &lane, &truth); i++)
		if (truth->n)
			truth->at[truth->n - 1].to = k->end;
	wb_free(s);
	return k;
}

bool made_lane_at(const made *k, size_t i, wtr_lane *ret, const made_lane **truth)
{
	if (i < k->n_g) {
		*ret = (wtr_lane){ WTR_LANE_GOROUTINE, (int64_t)i + 1 };
		*truth = &k->g[i];
	} else if ((i -= k->n_g) < MADE_P) {
		*ret = (wtr_lane){ WTR_LANE_PROC, (int64_t)i };
		*truth = &k->p[i];
	} else if ((i -= MADE_P) < MADE_M) {
		*ret = (wtr_lane){ WTR_LANE_THREAD, 100 + (int64_t)i };
		*truth = &k->m[i];
	} else if ((i -= MADE_M) == 0) {
		*ret = (wtr_lane){ WTR_LANE_GC, 0 };
		*truth = &k->gc;
	} else if (i == 1) {
		*ret = (wtr_lane){ WTR_LANE_STW, 0 };
		*truth = &k->stw;
	} else {
		return false;
	}
	return true;
}

void made_free(made *k)
{
	for (unsigned i = 0; i < MADE_G; i++) {
		wb_vec_free(&k->g[i]);
		wb_vec_free(&k->logs[i]);
		wb_vec_free(&k->assists[i]);
	}
	for (unsigned i = 0; i < MADE_P; i++)
		wb_vec_free(&k->p[i]);
	for (unsigned i = 0; i < MADE_M; i++)
		wb_vec_free(&k->m[i]);
	wb_vec_free(&k->gc);
	wb_vec_free(&k->stw);
	wb_vec_free(&k->ev);
	wb_free(k);
}

/* ---- the index ---- */

/* The rows that the summary would have made: goroutines in reverse order of creation, to be put in order. */
static bool tables(const made *k, wtr_index *x)
{
	wtr_goroutine_row *rows = wb_calloc(k->n_g, sizeof(*rows));
	x->tables[WTR_TABLE_GOROUTINES].rows = rows;
	wtr_group_row *groups = wb_calloc(GROUPS, sizeof(*groups));
	x->tables[WTR_TABLE_GROUPS].rows = groups;
	if (!rows || !groups)
		return false;
	x->tables[WTR_TABLE_GOROUTINES].n = k->n_g;
	x->tables[WTR_TABLE_GROUPS].n = GROUPS;
	for (unsigned g = 0; g < k->n_g; g++)
		rows[g] = (wtr_goroutine_row){
			.id = g + 1, .create_ns = k->end - k->g[g].at[0].from, .group = GROUPS - 1 - group_of(g)
		};
	return true;
}

wtr_index *made_index(const made *k, size_t batch)
{
	wtr_index *x = wb_calloc(1, sizeof(*x));
	an_sink *s = an_lanes_sink_from((an_text_source){ NULL, made_string, made_stack });
	bool ok = x && s && tables(k, x);
	for (size_t i = 0; ok && i < k->ev.n; i += batch)
		ok = s->events(s, k->ev.at + i, k->ev.n - i < batch ? k->ev.n - i : batch);
	ok = ok && s->finish(s, x);
	if (s)
		s->free(s);
	if (ok)
		return x;
	made_index_free(x);
	return NULL;
}

void made_index_free(wtr_index *x)
{
	if (!x)
		return;
	an_lanes_free(x->lanes);
	wb_free(x->tables[WTR_TABLE_GOROUTINES].rows);
	wb_free(x->tables[WTR_TABLE_GROUPS].rows);
	wb_free(x);
}

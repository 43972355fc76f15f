/* kit/second.c - see second.h. */
#include "second.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT64_MAX

enum {
	ARGS_MAX = 5,
	BATCH_MAX = 65536,
	STRING_MAX = 1024,
	FRAMES_MAX = 128,
	ID_MAX = 1 << 26, /* of goroutines, strings and stacks: more is no mistake, but too much for this program */
	PROC_MAX = 1 << 16,
};

/* Arguments behind the time: goroutine, proc, thread, sequence number, string, stack, task, value, state.  Context:
 * which of thread, proc and goroutine the event needs ('M'), may have ('m') and must not have ('-'). */
typedef struct shape {
	const char *name, *args, *context;
} shape;

static const shape shapes[SECOND_TYPES] = {
	[9] = { "ProcsChange", "vk", "MPG" },
	[10] = { "ProcStart", "ps", "M-g" },
	[11] = { "ProcStop", "", "MPg" },
	[12] = { "ProcSteal", "psm", "Mpg" },
	[13] = { "ProcStatus", "pv", NULL },
	[14] = { "GoCreate", "gkk", "MPg" }, /* timers make goroutines in the scheduler, in Go too */
	[15] = { "GoCreateSyscall", "g", "Mp-" },
	[16] = { "GoStart", "gs", "MP-" },
	[17] = { "GoDestroy", "", "MPG" },
	[18] = { "GoDestroySyscall", "", "MpG" },
	[19] = { "GoStop", "rk", "MPG" },
	[20] = { "GoBlock", "rk", "MPG" },
	[21] = { "GoUnblock", "gsk", NULL },
	[22] = { "GoSyscallBegin", "sk", "MPG" },
	[23] = { "GoSyscallEnd", "", "MPG" },
	[24] = { "GoSyscallEndBlocked", "", "MpG" },
	[25] = { "GoStatus", "gmv", NULL },
	[26] = { "STWBegin", "rk", "MPG" },
	[27] = { "STWEnd", "", "MPG" },
	[28] = { "GCActive", "s", "MPG" },
	[29] = { "GCBegin", "sk", "MPG" },
	[30] = { "GCEnd", "s", "MPG" },
	[31] = { "GCSweepActive", "p", NULL },
	[32] = { "GCSweepBegin", "k", "MPg" },
	[33] = { "GCSweepEnd", "vv", "MPg" },
	[34] = { "GCMarkAssistActive", "g", NULL },
	[35] = { "GCMarkAssistBegin", "k", "MPG" },
	[36] = { "GCMarkAssistEnd", "", "MPG" },
	[37] = { "HeapAlloc", "v", "MPg" },
	[38] = { "HeapGoal", "v", "MPg" },
	[39] = { "GoLabel", "r", "MPG" },
	[40] = { "UserTaskBegin", "ttrk", "MPG" },
	[41] = { "UserTaskEnd", "tk", "MPG" },
	[42] = { "UserRegionBegin", "trk", "MPG" },
	[43] = { "UserRegionEnd", "trk", "MPG" },
	[44] = { "UserLog", "trrk", "MPG" },
	[45] = { "GoSwitch", "gs", "MPG" },
	[46] = { "GoSwitchDestroy", "gs", "MPG" },
	[47] = { "GoCreateBlocked", "gkk", "MPg" },
	[48] = { "GoStatusStack", "gmvk", NULL },
};

typedef struct text {
	const uint8_t *at;
	size_t n;
} text;

typedef struct region {
	uint64_t task;
	text name;
} region;

/* States of goroutines and procs, numbered as on the wire; 0: there is none. */
enum { RUNNABLE = 1, RUNNING, SYSCALL, WAITING };
enum { P_RUNNING = 1, P_IDLE, P_SYSCALL, P_ABANDONED };

typedef struct goroutine {
	uint8_t state;
	bool assists, stops; /* open ranges */
	uint64_t gen, seq;   /* of its counter */
	uint64_t said;       /* generation whose first mention was a status, or its creation */
	region *regions;
	size_t n_regions, cap;
} goroutine;

typedef struct proc {
	uint8_t state;
	bool sweeps;
	uint64_t gen, seq, said;
} proc;

typedef struct thread {
	uint64_t id, g, p;
} thread;

typedef struct event {
	uint64_t time, arg[ARGS_MAX];
	uint8_t type;
} event;

/* One thread's events of a generation. */
typedef struct stream {
	uint64_t m, time; /* of the last event read */
	event *at;
	size_t n, cap, next;
	bool tried; /* in this round */
} stream;

typedef struct entry {
	uint64_t gen;
	text text;
} entry;

typedef struct pc {
	uint64_t pc, line, func, file;
} pc;

typedef struct task {
	uint64_t id;
	bool open;
} task;

typedef struct checker {
	const uint8_t *start, *at, *end;
	second_result *ret;
	jmp_buf fail;
	uint64_t gen, first_gen, last_time;
	bool started; /* an event of the trace was taken: thread and goroutine tables are not empty */

	entry *strings, *stacks;
	size_t n_strings, n_stacks;
	pc *pcs;
	size_t n_pcs, cap_pcs;
	unsigned n_freqs, n_clocks;

	goroutine *gs;
	size_t n_gs;
	proc *ps;
	size_t n_ps;
	thread *ms;
	size_t n_ms, cap_ms;
	task *tasks;
	size_t n_tasks, cap_tasks;
	stream *streams;
	size_t n_streams, cap_streams;
	uint64_t gc_seq;
	enum { GC_UNKNOWN, GC_OFF, GC_ON } gc;
	unsigned n_stopped;     /* open stops of the world */
	char retry[SECOND_WHY]; /* why the last event could not be taken yet */
} checker;

__attribute__((noreturn, format(printf, 2, 3))) static void fail(checker *c, const char *format, ...)
{
	char why[SECOND_WHY - 64];
	va_list args;
	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	snprintf(c->ret->why, SECOND_WHY, "generation %" PRIu64 ", byte %zu: %s", c->gen, (size_t)(c->at - c->start),
		why);
	longjmp(c->fail, 1);
}

/* *at has room for element i, zeroed. */
static void grow(checker *c, void *at, size_t *n, size_t i, size_t bytes)
{
	void **p = at;
	if (i < *n)
		return;
	size_t to = i + 1 > *n * 2 ? i + 1 : *n * 2;
	void *new = realloc(*p, to * bytes);
	if (!new)
		fail(c, "no memory");
	memset((char *)new + *n *bytes, 0, (to - *n) * bytes);
	*p = new;
	*n = to;
}

/* ---- bytes ---- */

static uint8_t take_byte(checker *c, const uint8_t *end)
{
	if (c->at >= end)
		fail(c, "it ends inside of something");
	return *c->at++;
}

static uint64_t take_number(checker *c, const uint8_t *end)
{
	uint64_t v = 0;
	for (unsigned i = 0; i < 10; i++) {
		uint8_t b = take_byte(c, end);
		if (i == 9 && b > 1)
			break;
		v |= (uint64_t)(b & 0x7f) << (7 * i);
		if (!(b & 0x80))
			return v;
	}
	fail(c, "a number of more than 64 bits");
}

/* ---- sections ---- */

static entry *define(checker *c, entry **table, size_t *n, uint64_t id, const char *what)
{
	if (id == 0 || id >= ID_MAX)
		fail(c, "%s %" PRIu64 " cannot be defined", what, id);
	grow(c, table, n, id, sizeof(entry));
	entry *e = &(*table)[id];
	if (e->gen == c->gen)
		fail(c, "%s %" PRIu64 " is defined twice", what, id);
	e->gen = c->gen;
	return e;
}

static void take_strings(checker *c, const uint8_t *end)
{
	while (c->at < end) {
		if (take_byte(c, end) != 5)
			fail(c, "no string in a string table");
		uint64_t id = take_number(c, end), n = take_number(c, end);
		if (n > STRING_MAX || n > (uint64_t)(end - c->at))
			fail(c, "string %" PRIu64 " has %" PRIu64 " bytes", id, n);
		define(c, &c->strings, &c->n_strings, id, "string")->text = (text){ c->at, n };
		c->at += n;
	}
}

static void take_stacks(checker *c, const uint8_t *end)
{
	while (c->at < end) {
		if (take_byte(c, end) != 3)
			fail(c, "no stack in a stack table");
		uint64_t id = take_number(c, end), n = take_number(c, end);
		if (n > FRAMES_MAX)
			fail(c, "stack %" PRIu64 " has %" PRIu64 " frames", id, n);
		define(c, &c->stacks, &c->n_stacks, id, "stack");
		for (; n > 0; n--) {
			pc f = { .pc = take_number(c, end) };
			f.func = take_number(c, end);
			f.file = take_number(c, end);
			f.line = take_number(c, end);
			size_t room = c->cap_pcs;
			grow(c, &c->pcs, &room, c->n_pcs, sizeof(pc));
			c->cap_pcs = room;
			c->pcs[c->n_pcs++] = f;
		}
	}
}

static void take_samples(checker *c, const uint8_t *end)
{
	while (c->at < end) {
		if (take_byte(c, end) != 7)
			fail(c, "no sample in a table of samples");
		for (int i = 0; i < 5; i++)
			take_number(c, end);
	}
}

static void take_sync(checker *c, const uint8_t *end)
{
	while (c->at < end)
		switch (take_byte(c, end)) {
		case 8:
			c->n_freqs++;
			if (take_number(c, end) == 0)
				fail(c, "frequency 0");
			break;
		case 51:
			c->n_clocks++;
			for (int i = 0; i < 4; i++)
				take_number(c, end);
			break;
		default: fail(c, "neither a frequency nor a clock in a sync section");
		}
}

/* ---- events ---- */

static stream *stream_of(checker *c, uint64_t m)
{
	for (size_t i = 0; i < c->n_streams; i++)
		if (c->streams[i].m == m)
			return &c->streams[i];
	grow(c, &c->streams, &c->cap_streams, c->n_streams, sizeof(stream));
	stream *s = &c->streams[c->n_streams++];
	s->m = m;
	return s;
}

static void take_events(checker *c, const uint8_t *end, uint64_t m, uint64_t time)
{
	stream *s = stream_of(c, m);
	if (time < s->time)
		fail(c, "thread %" PRId64 ": a batch begins before the one ahead of it ends", (int64_t)m);
	while (c->at < end) {
		uint8_t type = take_byte(c, end);
		if (type >= SECOND_TYPES || !shapes[type].name)
			fail(c, "no timed event has number %u", type);
		event e = { .type = type };
		uint64_t dt = take_number(c, end);
		if (dt == 0 || time + dt < time)
			fail(c, "%s: no time has passed", shapes[type].name);
		e.time = time += dt;
		for (unsigned i = 0; shapes[type].args[i]; i++)
			e.arg[i] = take_number(c, end);
		grow(c, &s->at, &s->cap, s->n, sizeof(event));
		s->at[s->n++] = e;
		c->ret->n[type]++;
	}
	s->time = time;
}

static void take_batch(checker *c)
{
	uint64_t gen = take_number(c, c->end), m = take_number(c, c->end), time = take_number(c, c->end);
	uint64_t size = take_number(c, c->end);
	if (size > BATCH_MAX || size > (uint64_t)(c->end - c->at))
		fail(c, "a batch of %" PRIu64 " bytes", size);
	if (c->gen == 0)
		c->gen = gen;
	if (gen == 0 || gen != c->gen)
		fail(c, "a batch of generation %" PRIu64, gen);
	const uint8_t *end = c->at + size;
	switch (size ? *c->at : 0) {
	case 2: c->at++, take_stacks(c, end); break;
	case 4: c->at++, take_strings(c, end); break;
	case 6: c->at++, take_samples(c, end); break;
	case 50: c->at++, take_sync(c, end); break;
	default: take_events(c, end, m, time);
	}
}

/* ---- ids ---- */

static text string_of(checker *c, uint64_t id)
{
	if (id == 0)
		return (text){ 0 };
	if (id >= c->n_strings || c->strings[id].gen != c->gen)
		fail(c, "string %" PRIu64 " is not defined", id);
	return c->strings[id].text;
}

static void check_ids(checker *c, const event *e)
{
	const char *args = shapes[e->type].args;
	for (unsigned i = 0; args[i]; i++) {
		uint64_t v = e->arg[i];
		if (args[i] == 'r')
			string_of(c, v);
		if (args[i] == 'k' && v != 0 && (v >= c->n_stacks || c->stacks[v].gen != c->gen))
			fail(c, "%s: stack %" PRIu64 " is not defined", shapes[e->type].name, v);
		if ((args[i] == 'g' && v >= ID_MAX) || (args[i] == 'p' && v >= PROC_MAX))
			fail(c, "%s: %c %" PRIu64, shapes[e->type].name, args[i], v);
	}
}

static int by_pc(const void *a, const void *b)
{
	const pc *p = a, *q = b;
	return (p->pc > q->pc) - (p->pc < q->pc);
}

/* One address, one place. */
static void check_pcs(checker *c)
{
	if (c->n_pcs)
		qsort(c->pcs, c->n_pcs, sizeof(pc), by_pc);
	for (size_t i = 0; i < c->n_pcs; i++) {
		const pc *p = &c->pcs[i];
		string_of(c, p->func);
		string_of(c, p->file);
		if (i && p[-1].pc == p->pc && (p[-1].line != p->line || p[-1].func != p->func || p[-1].file != p->file))
			fail(c, "address %" PRIx64 " is in two places", p->pc);
	}
}

/* ---- what there is ---- */

static goroutine *g_of(checker *c, uint64_t id)
{
	grow(c, &c->gs, &c->n_gs, id, sizeof(goroutine));
	return &c->gs[id];
}

static proc *p_of(checker *c, uint64_t id)
{
	grow(c, &c->ps, &c->n_ps, id, sizeof(proc));
	return &c->ps[id];
}

static thread *m_of(checker *c, uint64_t id, bool make)
{
	for (size_t i = 0; i < c->n_ms; i++)
		if (c->ms[i].id == id)
			return &c->ms[i];
	if (!make)
		return NULL;
	grow(c, &c->ms, &c->cap_ms, c->n_ms, sizeof(thread));
	c->ms[c->n_ms] = (thread){ .id = id, .g = NONE, .p = NONE };
	return &c->ms[c->n_ms++];
}

/* An event that cannot come now: perhaps after one of another thread. */
__attribute__((format(printf, 2, 3))) static bool later(checker *c, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(c->retry, sizeof(c->retry), format, args);
	va_end(args);
	return false;
}

static bool follows(const checker *c, uint64_t gen, uint64_t seq, uint64_t now)
{
	return gen == c->gen && now == seq + 1;
}

/* What the event stands in, as the rules name it. */
typedef struct context {
	thread *m;
	const char *name;
} context;

static void need_one(checker *c, char need, bool there, const char *what, const char *name)
{
	if ((need == 'M' && !there) || (need == '-' && there))
		fail(c, "%s %s a %s", name, there ? "with" : "without", what);
}

static void need(checker *c, const context *x, const event *e)
{
	const char *needs = shapes[e->type].context;
	if (!needs)
		return;
	need_one(c, needs[0] == 'M' ? 'M' : 0, x->m->id != NONE, "thread", x->name);
	need_one(c, needs[1] == 'P' ? 'M' : needs[1], x->m->p != NONE, "proc", x->name);
	need_one(c, needs[2] == 'G' ? 'M' : needs[2], x->m->g != NONE, "goroutine", x->name);
}

static goroutine *current(checker *c, const context *x, uint8_t state)
{
	goroutine *g = x->m->g == NONE ? NULL : g_of(c, x->m->g);
	if (!g || g->state != state)
		fail(c, "%s in thread %" PRIu64 ": its goroutine %" PRId64 " is in state %u, not %u", x->name, x->m->id,
			(int64_t)x->m->g, g ? g->state : 0, state);
	return g;
}

static proc *current_p(checker *c, const context *x)
{
	proc *p = x->m->p == NONE ? NULL : p_of(c, x->m->p);
	if (!p)
		fail(c, "%s in thread %" PRIu64 ", which has no proc", x->name, x->m->id);
	return p;
}

static void reset(goroutine *g, uint64_t gen)
{
	g->gen = gen;
	g->seq = 0;
}

static void end_goroutine(checker *c, goroutine *g)
{
	if (g->stops)
		fail(c, "a goroutine ends that has stopped the world");
	free(g->regions);
	*g = (goroutine){ 0 };
}

/* ---- the rules ---- */

static bool take_g_status(checker *c, const context *x, const event *e)
{
	goroutine *g = g_of(c, e->arg[0]);
	uint64_t on = e->arg[1], state = e->arg[2];
	if (state < RUNNABLE || state > WAITING)
		fail(c, "%s %" PRIu64 ": state %" PRIu64, x->name, e->arg[0], state);
	if (g->said == c->gen)
		fail(c, "%s: goroutine %" PRIu64 " is mentioned already", x->name, e->arg[0]);
	if (g->state ? g->state != state : c->gen != c->first_gen)
		fail(c, "%s: goroutine %" PRIu64 " is in state %u, not %" PRIu64, x->name, e->arg[0], g->state, state);
	if (state == RUNNING || state == SYSCALL) {
		if (on != x->m->id || on == NONE)
			fail(c, "%s: goroutine %" PRIu64 " runs, and is told by another thread", x->name, e->arg[0]);
		if (g->state && x->m->g != e->arg[0])
			fail(c, "%s: goroutine %" PRIu64 " is not on thread %" PRIu64, x->name, e->arg[0], on);
		if (!g->state && x->m->g != NONE)
			fail(c, "%s: thread %" PRIu64 " runs %" PRIu64 " already", x->name, on, x->m->g);
		x->m->g = e->arg[0];
	}
	g->state = (uint8_t)state;
	g->said = c->gen;
	reset(g, c->gen);
	return true;
}

static bool take_p_status(checker *c, const context *x, const event *e)
{
	proc *p = p_of(c, e->arg[0]);
	uint64_t state = e->arg[1];
	if (state < P_RUNNING || state > P_ABANDONED)
		fail(c, "ProcStatus %" PRIu64 ": state %" PRIu64, e->arg[0], state);
	if (p->said == c->gen)
		fail(c, "proc %" PRIu64 " is mentioned already", e->arg[0]);
	bool left = state == P_ABANDONED && p->state == P_SYSCALL;
	if (p->state && !left && p->state != state)
		fail(c, "ProcStatus: proc %" PRIu64 " is in state %u, not %" PRIu64, e->arg[0], p->state, state);
	if (state == P_RUNNING || state == P_SYSCALL) {
		if (x->m->id == NONE || (x->m->p != NONE && x->m->p != e->arg[0]) || (p->state && x->m->p != e->arg[0]))
			fail(c, "ProcStatus: proc %" PRIu64 " is not on thread %" PRId64, e->arg[0], (int64_t)x->m->id);
		x->m->p = e->arg[0];
	}
	if (!left)
		p->state = (uint8_t)state;
	p->said = c->gen;
	p->gen = c->gen;
	p->seq = 0;
	return true;
}

static bool take_proc_start(checker *c, const context *x, const event *e)
{
	proc *p = p_of(c, e->arg[0]);
	if (p->state != P_IDLE || !follows(c, p->gen, p->seq, e->arg[1]) || x->m->p != NONE)
		return later(c, "ProcStart %" PRIu64 ": in state %u", e->arg[0], p->state);
	need(c, x, e);
	p->state = P_RUNNING;
	p->seq = e->arg[1];
	x->m->p = e->arg[0];
	return true;
}

static bool take_proc_stop(checker *c, const context *x, const event *e)
{
	need(c, x, e);
	proc *p = current_p(c, x);
	if (p->state != P_RUNNING && p->state != P_SYSCALL)
		fail(c, "ProcStop %" PRIu64 ": in state %u", x->m->p, p->state);
	p->state = P_IDLE;
	x->m->p = NONE;
	return true;
}

static bool take_proc_steal(checker *c, const context *x, const event *e)
{
	proc *p = p_of(c, e->arg[0]);
	if ((p->state != P_SYSCALL && p->state != P_ABANDONED) || !follows(c, p->gen, p->seq, e->arg[1]))
		return later(c, "ProcSteal %" PRIu64 ": in state %u", e->arg[0], p->state);
	need(c, x, e);
	bool left = p->state == P_ABANDONED;
	p->state = P_IDLE;
	p->seq = e->arg[1];
	if (left)
		return true;
	thread *victim = m_of(c, e->arg[2], false);
	if (!victim || victim->p != e->arg[0])
		fail(c, "ProcSteal: thread %" PRIu64 " does not hold proc %" PRIu64, e->arg[2], e->arg[0]);
	victim->p = NONE;
	return true;
}

static bool take_create(checker *c, const context *x, const event *e, uint8_t state)
{
	need(c, x, e);
	if (x->m->g != NONE && e->type != 15)
		current(c, x, RUNNING);
	goroutine *g = g_of(c, e->arg[0]);
	if (g->state)
		fail(c, "%s: goroutine %" PRIu64 " is there already", x->name, e->arg[0]);
	g->state = state;
	g->said = c->gen;
	reset(g, c->gen);
	if (state == SYSCALL)
		x->m->g = e->arg[0];
	return true;
}

static bool take_go_start(checker *c, const context *x, const event *e)
{
	goroutine *g = g_of(c, e->arg[0]);
	if (g->state != RUNNABLE || !follows(c, g->gen, g->seq, e->arg[1]))
		return later(c, "GoStart %" PRIu64 ": in state %u", e->arg[0], g->state);
	need(c, x, e);
	g->state = RUNNING;
	g->seq = e->arg[1];
	x->m->g = e->arg[0];
	return true;
}

static bool take_go_unblock(checker *c, const event *e)
{
	goroutine *g = g_of(c, e->arg[0]);
	if (g->state != WAITING || !follows(c, g->gen, g->seq, e->arg[1]))
		return later(c, "GoUnblock %" PRIu64 ": in state %u", e->arg[0], g->state);
	g->state = RUNNABLE;
	g->seq = e->arg[1];
	return true;
}

static bool take_go_switch(checker *c, const context *x, const event *e)
{
	need(c, x, e);
	current(c, x, RUNNING);
	goroutine *next = g_of(c, e->arg[0]), *g = g_of(c, x->m->g);
	if (next->state != WAITING || !follows(c, next->gen, next->seq, e->arg[1]))
		return later(c, "%s %" PRIu64 ": in state %u", x->name, e->arg[0], next->state);
	if (e->type == 46)
		end_goroutine(c, g);
	else
		g->state = WAITING;
	next->state = RUNNING;
	next->seq = e->arg[1];
	x->m->g = e->arg[0];
	return true;
}

static bool take_go_end(checker *c, const context *x, const event *e)
{
	need(c, x, e);
	goroutine *g = current(c, x, RUNNING);
	if (e->type == 17)
		end_goroutine(c, g);
	else
		g->state = e->type == 19 ? RUNNABLE : WAITING;
	x->m->g = NONE;
	return true;
}

static bool take_syscall_begin(checker *c, const context *x, const event *e)
{
	need(c, x, e);
	goroutine *g = current(c, x, RUNNING);
	proc *p = current_p(c, x);
	if (!follows(c, p->gen, p->seq, e->arg[0]))
		fail(c, "GoSyscallBegin: number %" PRIu64 " of proc %" PRIu64 " after %" PRIu64, e->arg[0], x->m->p,
			p->seq);
	g->state = SYSCALL;
	p->state = P_SYSCALL;
	p->seq = e->arg[0];
	return true;
}

static bool take_syscall_end(checker *c, const context *x, const event *e)
{
	need(c, x, e);
	goroutine *g = current(c, x, SYSCALL);
	proc *p = current_p(c, x);
	if (p->state != P_SYSCALL)
		fail(c, "GoSyscallEnd: proc %" PRIu64 " is in state %u", x->m->p, p->state);
	g->state = RUNNING;
	p->state = P_RUNNING;
	return true;
}

static bool take_syscall_end_blocked(checker *c, const context *x, const event *e)
{
	if (x->m->p != NONE && p_of(c, x->m->p)->state == P_SYSCALL)
		return later(c, "GoSyscallEndBlocked: thread %" PRIu64 " still has its proc", x->m->id);
	need(c, x, e);
	current(c, x, SYSCALL)->state = RUNNABLE;
	x->m->g = NONE;
	return true;
}

static bool take_stw(checker *c, const context *x, const event *e)
{
	need(c, x, e);
	goroutine *g = g_of(c, x->m->g);
	bool begin = e->type == 26;
	if (g->stops == begin)
		fail(c, "%s: the world is %sstopped by goroutine %" PRIu64, x->name, begin ? "" : "not ", x->m->g);
	g->stops = begin;
	c->n_stopped += begin ? 1 : -1u;
	return true;
}

static bool take_gc(checker *c, const context *x, const event *e)
{
	uint64_t seq = e->arg[0];
	bool unknown = c->gc == GC_UNKNOWN;
	if (unknown && (e->type == 30 || (e->type == 28 && c->gen != c->first_gen)))
		fail(c, "%s, and no begin", x->name);
	if (!unknown && e->type == 28 && c->gen == c->first_gen)
		fail(c, "%s in the first generation, which knows of it already", x->name);
	if (!unknown && seq != c->gc_seq + 1)
		return later(c, "%s %" PRIu64 " after %" PRIu64, x->name, seq, c->gc_seq);
	if (!unknown && (c->gc == GC_ON) == (e->type == 29))
		fail(c, "%s while it is %s", x->name, c->gc == GC_ON ? "on" : "off");
	if (!unknown)
		need(c, x, e);
	c->gc_seq = seq;
	c->gc = e->type == 30 ? GC_OFF : GC_ON;
	return true;
}

static bool take_range(checker *c, const context *x, const event *e, bool *open, bool begin)
{
	need(c, x, e);
	if (*open == begin)
		fail(c, "%s, and it is %s", x->name, begin ? "begun already" : "not begun");
	*open = begin;
	return true;
}

/* In the first generation it says that a range is open; later it repeats that. */
static bool take_active(checker *c, const context *x, bool there, bool *open)
{
	if (!there || *open == (c->gen == c->first_gen))
		fail(c, "%s of what is not there, or not as it says", x->name);
	*open = true;
	return true;
}

static bool take_task_begin(checker *c, const context *x, const event *e)
{
	need(c, x, e);
	for (size_t i = 0; i < c->n_tasks; i++)
		if (c->tasks[i].id == e->arg[0] && c->tasks[i].open)
			fail(c, "task %" PRIu64 " begins twice", e->arg[0]);
	if (e->arg[0] == 0)
		fail(c, "task 0 begins");
	grow(c, &c->tasks, &c->cap_tasks, c->n_tasks, sizeof(task));
	c->tasks[c->n_tasks++] = (task){ e->arg[0], true };
	return true;
}

static bool take_task_end(checker *c, const context *x, const event *e)
{
	need(c, x, e);
	for (size_t i = 0; i < c->n_tasks; i++)
		if (c->tasks[i].id == e->arg[0]) {
			c->tasks[i] = c->tasks[--c->n_tasks];
			break;
		}
	return true;
}

static bool take_region(checker *c, const context *x, const event *e)
{
	need(c, x, e);
	goroutine *g = g_of(c, x->m->g);
	region r = { e->arg[0], string_of(c, e->arg[1]) };
	if (e->type == 42) {
		grow(c, &g->regions, &g->cap, g->n_regions, sizeof(region));
		g->regions[g->n_regions++] = r;
		return true;
	}
	if (g->n_regions == 0) /* begun before the trace */
		return true;
	region top = g->regions[--g->n_regions];
	if (top.task != r.task || top.name.n != r.name.n || memcmp(top.name.at, r.name.at, r.name.n))
		fail(c, "a region ends that is not the innermost one of goroutine %" PRIu64, x->m->g);
	return true;
}

/* False: not now. */
static bool take(checker *c, uint64_t m, const event *e)
{
	context x = { m_of(c, m, true), shapes[e->type].name };
	switch (e->type) {
	case 10: return take_proc_start(c, &x, e);
	case 11: return take_proc_stop(c, &x, e);
	case 12: return take_proc_steal(c, &x, e);
	case 13: return take_p_status(c, &x, e);
	case 14: return take_create(c, &x, e, RUNNABLE);
	case 15: return take_create(c, &x, e, SYSCALL);
	case 16: return take_go_start(c, &x, e);
	case 17:
	case 19:
	case 20: return take_go_end(c, &x, e);
	case 18: fail(c, "GoDestroySyscall is not for this library");
	case 21: return take_go_unblock(c, e);
	case 22: return take_syscall_begin(c, &x, e);
	case 23: return take_syscall_end(c, &x, e);
	case 24: return take_syscall_end_blocked(c, &x, e);
	case 25:
	case 48: return take_g_status(c, &x, e);
	case 26:
	case 27: return take_stw(c, &x, e);
	case 28:
	case 29:
	case 30: return take_gc(c, &x, e);
	case 31: return take_active(c, &x, p_of(c, e->arg[0])->state != 0, &p_of(c, e->arg[0])->sweeps);
	case 32:
	case 33: return take_range(c, &x, e, &current_p(c, &x)->sweeps, e->type == 32);
	case 34: return take_active(c, &x, g_of(c, e->arg[0])->state != 0, &g_of(c, e->arg[0])->assists);
	case 35:
	case 36: need(c, &x, e); return take_range(c, &x, e, &g_of(c, x.m->g)->assists, e->type == 35);
	case 40: return take_task_begin(c, &x, e);
	case 41: return take_task_end(c, &x, e);
	case 42:
	case 43: return take_region(c, &x, e);
	case 45:
	case 46: return take_go_switch(c, &x, e);
	case 47: return take_create(c, &x, e, WAITING);
	default: need(c, &x, e); return true;
	}
}

/* ---- order ---- */

/* The stream with the earliest event that was not tried in this round. */
static stream *earliest(checker *c)
{
	stream *best = NULL;
	for (size_t i = 0; i < c->n_streams; i++) {
		stream *s = &c->streams[i];
		if (!s->tried && s->next < s->n && (!best || s->at[s->next].time < best->at[best->next].time))
			best = s;
	}
	return best;
}

static bool one_more(checker *c)
{
	for (size_t i = 0; i < c->n_streams; i++)
		c->streams[i].tried = false;
	stream *s = earliest(c);
	if (!s)
		return false;
	char why[SECOND_WHY] = "";
	for (; s; s = earliest(c)) {
		const event *e = &s->at[s->next];
		check_ids(c, e);
		if (take(c, s->m, e)) {
			s->next++;
			return true;
		}
		if (!why[0])
			memcpy(why, c->retry, sizeof(why));
		s->tried = true;
	}
	fail(c, "no thread can go on: %s", why);
}

/* ---- generations ---- */

static void check_mentions(checker *c)
{
	for (size_t i = 0; i < c->n_gs; i++)
		if (c->gs[i].state && c->gs[i].said != c->gen)
			fail(c, "goroutine %zu, in state %u, is not mentioned", i, c->gs[i].state);
	for (size_t i = 0; i < c->n_ps; i++)
		if (c->ps[i].state && c->ps[i].said != c->gen)
			fail(c, "proc %zu, in state %u, is not mentioned", i, c->ps[i].state);
}

static void end_generation(checker *c)
{
	if (c->n_freqs != 1 || c->n_clocks != 1)
		fail(c, "%u frequencies and %u clocks", c->n_freqs, c->n_clocks);
	if (!c->first_gen)
		c->first_gen = c->gen;
	check_pcs(c);
	while (one_more(c))
		;
	check_mentions(c);
	if (c->n_stopped)
		fail(c, "it ends while the world is stopped");
	for (size_t i = 0; i < c->n_streams; i++)
		c->streams[i].n = c->streams[i].next = 0;
	c->n_pcs = c->n_freqs = c->n_clocks = 0;
	c->ret->generations++;
	c->gen = 0;
}

static void run(checker *c)
{
	static const char header[16] = "go 1.26 trace";
	if (c->end - c->at < 16 || memcmp(c->at, header, 16))
		fail(c, "no header of version 1.26");
	c->at += 16;
	while (c->at < c->end)
		switch (*c->at++) {
		case 1: take_batch(c); break;
		case 52:
			if (c->gen == 0)
				fail(c, "the end of a generation without a batch");
			end_generation(c);
			break;
		default: fail(c, "neither a batch nor the end of a generation");
		}
	if (c->gen)
		fail(c, "the last generation has no end");
}

static void clean_up(checker *c)
{
	for (size_t i = 0; i < c->n_gs; i++)
		free(c->gs[i].regions);
	for (size_t i = 0; i < c->cap_streams; i++)
		free(c->streams[i].at);
	free(c->gs);
	free(c->ps);
	free(c->ms);
	free(c->tasks);
	free(c->streams);
	free(c->strings);
	free(c->stacks);
	free(c->pcs);
	free(c);
}

bool second_check(const void *at, size_t n, second_result *ret)
{
	*ret = (second_result){ 0 };
	checker *c = calloc(1, sizeof(*c));
	if (!c) {
		snprintf(ret->why, sizeof(ret->why), "no memory");
		return false;
	}
	c->start = c->at = at;
	c->end = c->start + n;
	c->ret = ret;
	if (setjmp(c->fail) == 0)
		run(c);
	clean_up(c);
	return ret->why[0] == 0;
}

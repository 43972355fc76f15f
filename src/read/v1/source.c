/* read/v1/source.c - the ordered events of a v1 trace as the events of today.
 *
 * Which v1 event becomes which event, with what context, is as Go 1.27 converts (internal/trace, tracev1.go), oddities
 * included: format in docs/format.md, "v1: conversion"; where the analyses correct it, docs/go-differences.md.
 */
#include <string.h>

#include "fmt/wire.h"
#include "read/source.h"
#include "read/trace.h"
#include "read/v1/replay.h"

typedef struct proc {
	int64_t pid, m;
	int64_t current_m; /* m of its events: WTR_NONE without has_m or pid */
	bool    has_m, seen;
} proc;

typedef struct task {
	uint64_t parent;
	uint32_t name;
} task;

/* How a common event is converted: one that starts, stops or wakes a goroutine.  Indexed by the first byte. */
typedef struct row {
	uint64_t arg;              /* all ones: it is about goroutine argument 0, else about its context */
	uint64_t start, stay;      /* all ones: the proc's goroutine becomes argument 0; stays */
	uint32_t text;             /* id of the reason */
	uint32_t own, transition;  /* all ones: the stack is the context's; is that of the transition */
	uint8_t  numbers, skip;    /* varints, 0: not common; bytes before them */
	uint8_t  type, detail;
	bool     wakes;
} row;

typedef struct source {
	wtr__source    base;
	wtr__v1       *v;
	wtr__v1_replay replay;
	proc          *procs;      /* like v->procs, then the samples */
	bool           begun, ended;
	bool           before_init; /* no Gomaxprocs event so far */
	WB_VEC(uint64_t) created;  /* before_init: goroutines made and not seen since, in order */
	wb_idmap       created_at; /* ... where */
	size_t         next_created; /* of those still to be told */
	int64_t        told_ns;    /* ... at this time */
	int64_t        last_ns;
	uint64_t       syscall, unblock; /* positions in v->syscalls, v->unblocks */
	uint32_t       stw_kind;
	wb_idmap       task_ids;
	WB_VEC(task)   tasks;
	uint32_t       free_task;  /* + 1; linked through name */
	row            rows[256];
} source;

enum { OUT_MAX = 2 }; /* events that one v1 event becomes at most */

static int64_t ns_of(const source *s, int64_t ticks)
{
	double ns = (double)(int64_t)((uint64_t)ticks - (uint64_t)s->v->first_ts) * s->v->ns_per_tick;
	/* What does not fit becomes what Go makes of it on amd64. */
	return ns >= -0x1p63 && ns < 0x1p63 ? (int64_t)ns : INT64_MIN;
}

static void no_memory(source *s)
{
	wtr__fail(&s->base.err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory while reading the trace");
}

/* ---- filling events ---- */

static inline void transition(wtr_event *o, uint8_t type, uint8_t resource, int64_t id, unsigned from, unsigned to)
{
	o->kind = WTR_KIND_STATE_TRANSITION;
	o->type = type;
	o->resource = resource;
	o->id = id;
	o->detail = (uint8_t)(from << 4 | to);
}

static inline void go(wtr_event *o, uint8_t type, uint64_t id, unsigned from, unsigned to)
{
	transition(o, type, WTR_RES_GOROUTINE, (int64_t)id, from, to);
}

static inline void metric(wtr_event *o, uint8_t type, unsigned which, uint64_t value)
{
	o->kind = WTR_KIND_METRIC;
	o->type = type;
	o->detail = (uint8_t)which;
	o->value[0] = value;
}

static inline void range(wtr_event *o, uint8_t kind, uint8_t type, unsigned which, uint8_t resource)
{
	o->kind = kind;
	o->type = type;
	o->detail = (uint8_t)which;
	o->resource = resource;
	o->id = resource == WTR_RES_GOROUTINE ? o->g : resource == WTR_RES_PROC ? o->p : 0;
}

static inline uint32_t stack_of(source *s, const wtr__v1_event *e)
{
	return wtr__v1_stack_id(s->v, e->stack, &s->base.diag[WTR__DIAG_UNKNOWN_STACKS]);
}

static inline uint32_t string_of(source *s, uint64_t wire)
{
	return wtr__v1_string_id(s->v, wire, &s->base.diag[WTR__DIAG_UNKNOWN_STRINGS]);
}

/* The goroutine leaves the processor, for a reason. */
static inline void stops(
	source *s, wtr_event *o, const wtr__v1_event *e, uint8_t type, unsigned to, wtr__v1_text reason)
{
	go(o, type, e->g, WTR_G_RUNNING, to);
	o->str = s->v->texts[reason];
	o->stack = o->transition_stack = stack_of(s, e);
}

/* ---- goroutines seen before tracing has really begun ---- */

static bool note_created(source *s, uint64_t g)
{
	if (wb_idmap_get(&s->created_at, g) != WB_IDMAP_NONE)
		return true;
	return wb_idmap_set(&s->created_at, g, (uint32_t)s->created.n) && wb_vec_add(&s->created, g);
}

static void note_seen(source *s, uint64_t g)
{
	if (s->before_init)
		wb_idmap_del(&s->created_at, g);
}

/* Statuses of those that were only created: they are runnable. */
static size_t tell_created(source *s, wtr_event *out, size_t cap)
{
	size_t n = 0;
	while (s->next_created < s->created.n && n < cap) {
		size_t i = s->next_created++;
		uint64_t g = s->created.at[i];
		if (wb_idmap_get(&s->created_at, g) != i)
			continue;
		wtr_event *o = &out[n++];
		*o = (wtr_event){ .time_ns = s->told_ns, .m = WTR_NONE, .p = WTR_NONE, .g = WTR_NONE };
		go(o, WF_EV_GO_STATUS, g, WTR_G_UNDETERMINED, WTR_G_RUNNABLE);
	}
	if (s->next_created == s->created.n) {
		wb_vec_free(&s->created);
		wb_idmap_free(&s->created_at);
		s->next_created = 0;
	}
	return n;
}

/* ---- tasks: their ends are told parent and name ---- */

static bool task_begin(source *s, const wtr__v1_event *e, uint32_t name)
{
	task t = { e->a[1], name };
	uint32_t i = wb_idmap_get(&s->task_ids, e->a[0]);
	if (i != WB_IDMAP_NONE) {
		s->tasks.at[i] = t;
		return true;
	}
	if (s->free_task) {
		i = s->free_task - 1;
		s->free_task = s->tasks.at[i].name;
		s->tasks.at[i] = t;
	} else {
		i = (uint32_t)s->tasks.n;
		if (!wb_vec_add(&s->tasks, t))
			return false;
	}
	return wb_idmap_set(&s->task_ids, e->a[0], i);
}

static void task_end(source *s, const wtr__v1_event *e, wtr_event *o)
{
	uint32_t i = wb_idmap_get(&s->task_ids, e->a[0]);
	if (i == WB_IDMAP_NONE) {
		o->value[0] = (uint64_t)WTR_NONE;
		return;
	}
	o->value[0] = s->tasks.at[i].parent; /* 0, not none, for a task without one: so does Go */
	o->str = s->tasks.at[i].name;
	wb_idmap_del(&s->task_ids, e->a[0]);
	s->tasks.at[i].name = s->free_task;
	s->free_task = i + 1;
}

/* ---- conversion ---- */

static uint32_t message_of(const source *s, uint64_t offset)
{
	const wtr__v1 *v = s->v;
	if (v->at[offset] == 0)
		return 0;
	size_t low = 0, high = v->messages.n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (v->messages.at[mid] < offset)
			low = mid + 1;
		else
			high = mid;
	}
	return low < v->messages.n && v->messages.at[low] == offset ? (uint32_t)(v->tables.strings.n + low) : 0;
}

static uint32_t stw_kind(const source *s, uint64_t kind)
{
	const unsigned kinds = WTR__V1_TEXT_COUNT - WTR__V1_STW_UNKNOWN;
	if (s->v->version < 21)
		kind = kind <= 1 ? kind + 1 : 0;
	return s->v->texts[WTR__V1_STW_UNKNOWN + (kind < kinds ? kind : 0)];
}

/* Tasks, regions, logs.  False: out of memory. */
static bool convert_user(source *s, const wtr__v1_event *e, wtr_event *o)
{
	o->id = (int64_t)e->a[0];
	o->stack = stack_of(s, e);
	switch (e->type) {
	case WF_V1_UserTaskCreate:
		o->kind = WTR_KIND_TASK_BEGIN;
		o->type = WF_EV_USER_TASK_BEGIN;
		o->value[0] = e->a[1] ? e->a[1] : (uint64_t)WTR_NONE;
		o->str = string_of(s, e->a[2]);
		return task_begin(s, e, o->str);
	case WF_V1_UserTaskEnd:
		o->kind = WTR_KIND_TASK_END;
		o->type = WF_EV_USER_TASK_END;
		task_end(s, e, o);
		return true;
	case WF_V1_UserRegion:
		o->kind = e->a[1] == 0 ? WTR_KIND_REGION_BEGIN : WTR_KIND_REGION_END;
		o->type = e->a[1] == 0 ? WF_EV_USER_REGION_BEGIN : WF_EV_USER_REGION_END;
		o->str = string_of(s, e->a[2]);
		return true;
	default:
		o->kind = WTR_KIND_LOG;
		o->type = WF_EV_USER_LOG;
		o->str = string_of(s, e->a[1]);
		o->str2 = message_of(s, e->a[2]);
		return true;
	}
}

/* The rare rest; the number of events written, or -1 with s->base.err set. */
static int convert_rare(source *s, const wtr__v1_event *e, proc *p, wtr_event *o)
{
	switch (e->type) {
	case WF_V1_Gomaxprocs:
		if (s->before_init) {
			s->before_init = false;
			s->told_ns = o->time_ns;
			return 0;
		}
		metric(o, WF_EV_PROCS_CHANGE, WTR_METRIC_GOMAXPROCS, e->a[0]);
		o->stack = stack_of(s, e);
		return 1;
	case WF_V1_ProcStart:
		p->has_m = true;
		p->m = (int64_t)e->a[0];
		o->m = p->current_m = p->pid != WTR_NONE ? p->m : WTR_NONE;
		transition(o, p->seen ? WF_EV_PROC_START : WF_EV_PROC_STATUS, WTR_RES_PROC, p->pid,
			p->seen ? WTR_P_IDLE : WTR_P_UNDETERMINED, WTR_P_RUNNING);
		p->seen = true;
		return 1;
	case WF_V1_ProcStop:
		transition(o, p->seen ? WF_EV_PROC_STOP : WF_EV_PROC_STATUS, WTR_RES_PROC, p->pid,
			p->seen ? WTR_P_RUNNING : WTR_P_UNDETERMINED, WTR_P_IDLE);
		p->seen = true;
		p->has_m = false;
		p->current_m = WTR_NONE;
		return 1;
	case WF_V1_GCStart:
		o->p = WTR__V1_P_GC;
		o->m = WTR_NONE;
		range(o, WTR_KIND_RANGE_BEGIN, WF_EV_GC_BEGIN, WTR_RANGE_GC_MARK, WTR_RES_NONE);
		o->stack = stack_of(s, e);
		return 1;
	case WF_V1_GCDone:
		range(o, WTR_KIND_RANGE_END, WF_EV_GC_END, WTR_RANGE_GC_MARK, WTR_RES_NONE);
		return 1;
	case WF_V1_STWStart:
		range(o, WTR_KIND_RANGE_BEGIN, WF_EV_STW_BEGIN, WTR_RANGE_STW, WTR_RES_GOROUTINE);
		o->str = s->stw_kind = stw_kind(s, e->a[0]);
		return 1;
	case WF_V1_STWDone:
		range(o, WTR_KIND_RANGE_END, WF_EV_STW_END, WTR_RANGE_STW, WTR_RES_GOROUTINE);
		o->str = s->stw_kind;
		return 1;
	case WF_V1_GCSweepStart:
		range(o, WTR_KIND_RANGE_BEGIN, WF_EV_GC_SWEEP_BEGIN, WTR_RANGE_SWEEP, WTR_RES_PROC);
		o->stack = stack_of(s, e);
		return 1;
	case WF_V1_GCSweepDone:
		range(o, WTR_KIND_RANGE_END, WF_EV_GC_SWEEP_END, WTR_RANGE_SWEEP, WTR_RES_PROC);
		o->value[0] = e->a[0];
		o->value[1] = e->a[1];
		return 1;
	case WF_V1_GCMarkAssistStart:
		range(o, WTR_KIND_RANGE_BEGIN, WF_EV_GC_MARK_ASSIST_BEGIN, WTR_RANGE_MARK_ASSIST, WTR_RES_GOROUTINE);
		o->stack = stack_of(s, e);
		return 1;
	case WF_V1_GCMarkAssistDone:
		range(o, WTR_KIND_RANGE_END, WF_EV_GC_MARK_ASSIST_END, WTR_RANGE_MARK_ASSIST, WTR_RES_GOROUTINE);
		return 1;
	case WF_V1_GoWaiting:
		go(o, WF_EV_GO_STATUS, e->a[0], WTR_G_UNDETERMINED, WTR_G_WAITING);
		note_seen(s, e->a[0]);
		return 1;
	case WF_V1_GoInSyscall:
		go(o, WF_EV_GO_STATUS, e->a[0], WTR_G_UNDETERMINED, WTR_G_SYSCALL);
		note_seen(s, e->a[0]);
		return 1;
	case WF_V1_GoStartLabel:
		o->m = p->has_m ? p->m : 0; /* so does Go */
		go(o, WF_EV_GO_START, e->a[0], WTR_G_RUNNABLE, WTR_G_RUNNING);
		o[1] = (wtr_event){ .time_ns = o->time_ns,
			.m = o->m,
			.p = o->p,
			.g = o->g,
			.id = o->g,
			.str = string_of(s, e->a[2]),
			.kind = WTR_KIND_LABEL,
			.type = WF_EV_GO_LABEL,
			.resource = WTR_RES_GOROUTINE };
		return 2;
	case WF_V1_CPUSample:
		o->p = (int64_t)e->a[0];
		o->m = WTR_NONE;
		o->kind = WTR_KIND_STACK_SAMPLE;
		o->type = WF_EV_CPU_SAMPLE;
		o->stack = wtr__v1_stack_id(s->v, e->stack, &s->base.diag[WTR__DIAG_SAMPLES_UNKNOWN_STACK]);
		return 1;
	case WF_V1_UserTaskCreate:
	case WF_V1_UserTaskEnd:
	case WF_V1_UserRegion:
	case WF_V1_UserLog:
		if (convert_user(s, e, o))
			return 1;
		no_memory(s);
		return -1;
	case WF_V1_FutileWakeup:
	default:
		if (s->v->repair) {
			s->base.losses.events++;
			s->base.diag[WTR__DIAG_SKIPPED_EVENTS]++;
			return 0;
		}
		wtr__fail(&s->base.err, WTR_E_FORMAT, (uint64_t)(e->at - s->v->at), 0, WTR_NONE,
			wf_v1_specs[e->type].name, "v1.futile-wakeup",
			"events of type %u are not written since Go 1.5 and have no meaning today", e->type);
		return -1;
	}
}

/* Writes what an event becomes: 0 .. OUT_MAX events, or -1 with s->base.err set.  *o has time and context. */
static inline int convert(source *s, const wtr__v1_event *e, proc *p, wtr_event *o)
{
	switch (e->type) {
	case WF_V1_GoCreate:
		if (s->before_init) {
			if (note_created(s, e->a[0]))
				return 0;
			no_memory(s);
			return -1;
		}
		go(o, WF_EV_GO_CREATE, e->a[0], WTR_G_NOTEXIST, WTR_G_RUNNABLE);
		o->transition_stack = e->a[1] <= UINT32_MAX
					      ? wtr__v1_stack_id(s->v, e->a[1], &s->base.diag[WTR__DIAG_UNKNOWN_STACKS])
					      : 0;
		o->stack = stack_of(s, e);
		return 1;
	case WF_V1_GoStart:
	case WF_V1_GoStartLocal:
		if (__builtin_expect(s->before_init, 0)) {
			go(o, WF_EV_GO_STATUS, e->a[0], WTR_G_UNDETERMINED, WTR_G_RUNNING);
			note_seen(s, e->a[0]);
		} else {
			go(o, WF_EV_GO_START, e->a[0], WTR_G_RUNNABLE, WTR_G_RUNNING);
		}
		return 1;
	case WF_V1_GoEnd:
		go(o, WF_EV_GO_DESTROY, e->g, WTR_G_RUNNING, WTR_G_NOTEXIST);
		return 1;
	case WF_V1_GoStop: stops(s, o, e, WF_EV_GO_BLOCK, WTR_G_WAITING, WTR__V1_FOREVER); return 1;
	case WF_V1_GoSched: stops(s, o, e, WF_EV_GO_STOP, WTR_G_RUNNABLE, WTR__V1_GOSCHED); return 1;
	case WF_V1_GoPreempt: stops(s, o, e, WF_EV_GO_STOP, WTR_G_RUNNABLE, WTR__V1_PREEMPTED); return 1;
	case WF_V1_GoSleep: stops(s, o, e, WF_EV_GO_BLOCK, WTR_G_WAITING, WTR__V1_SLEEP); return 1;
	case WF_V1_GoBlock: stops(s, o, e, WF_EV_GO_BLOCK, WTR_G_WAITING, WTR__V1_EMPTY); return 1;
	case WF_V1_GoBlockSend: stops(s, o, e, WF_EV_GO_BLOCK, WTR_G_WAITING, WTR__V1_CHAN_SEND); return 1;
	case WF_V1_GoBlockRecv: stops(s, o, e, WF_EV_GO_BLOCK, WTR_G_WAITING, WTR__V1_CHAN_RECV); return 1;
	case WF_V1_GoBlockSelect: stops(s, o, e, WF_EV_GO_BLOCK, WTR_G_WAITING, WTR__V1_SELECT); return 1;
	case WF_V1_GoBlockSync: stops(s, o, e, WF_EV_GO_BLOCK, WTR_G_WAITING, WTR__V1_SYNC); return 1;
	case WF_V1_GoBlockCond: stops(s, o, e, WF_EV_GO_BLOCK, WTR_G_WAITING, WTR__V1_SYNC_COND); return 1;
	case WF_V1_GoBlockNet: stops(s, o, e, WF_EV_GO_BLOCK, WTR_G_WAITING, WTR__V1_NETWORK); return 1;
	case WF_V1_GoBlockGC: stops(s, o, e, WF_EV_GO_BLOCK, WTR_G_WAITING, WTR__V1_MARK_ASSIST_WAIT); return 1;
	case WF_V1_GoUnblock:
	case WF_V1_GoUnblockLocal: {
		unsigned by = wtr__v1_bits_next(&s->v->unblocks, &s->unblock, 2);
		if (by != WTR__V1_BY_PROC) {
			o->p = by == WTR__V1_BY_NET ? WTR__V1_P_NET : WTR__V1_P_TIMER;
			o->m = WTR_NONE;
		}
		go(o, WF_EV_GO_UNBLOCK, e->a[0], WTR_G_WAITING, WTR_G_RUNNABLE);
		o->stack = stack_of(s, e);
		return 1;
	}
	case WF_V1_GoSysCall: {
		bool blocks = wtr__v1_bits_next(&s->v->syscalls, &s->syscall, 1);
		go(o, WF_EV_GO_SYSCALL_BEGIN, e->g, WTR_G_RUNNING, WTR_G_SYSCALL);
		o->stack = o->transition_stack = stack_of(s, e);
		if (blocks)
			return 1;
		o->m = p->has_m ? p->m : 0; /* so does Go */
		o[1] = (wtr_event){ .time_ns = o->time_ns + 1, .m = o->m, .p = o->p, .g = o->g };
		go(&o[1], WF_EV_GO_SYSCALL_END, e->g, WTR_G_SYSCALL, WTR_G_RUNNING);
		return 2;
	}
	case WF_V1_GoSysExit:
	case WF_V1_GoSysExitLocal:
		o->p = WTR__V1_P_SYSCALL;
		o->m = WTR_NONE;
		go(o, WF_EV_GO_SYSCALL_END_BLOCKED, e->g, WTR_G_SYSCALL, WTR_G_RUNNABLE);
		return 1;
	case WF_V1_GoSysBlock:
		return 0;
	case WF_V1_HeapAlloc: metric(o, WF_EV_HEAP_ALLOC, WTR_METRIC_HEAP_BYTES, e->a[0]); return 1;
	case WF_V1_HeapGoal: metric(o, WF_EV_HEAP_GOAL, WTR_METRIC_HEAP_GOAL_BYTES, e->a[0]); return 1;
	default:
		return convert_rare(s, e, p, o);
	}
}

/* ---- the pass ---- */

static void sync(source *s, wtr_event *o, int64_t ns, int64_t n, uint64_t generation)
{
	*o = (wtr_event){ .time_ns = ns, .m = WTR_NONE, .p = WTR_NONE, .g = WTR_NONE, .id = n, .kind = WTR_KIND_SYNC };
	o->value[0] = generation;
	s->begun = true;
}

/* Delivered times increase. */
static inline void stamp(source *s, wtr_event *o, int n)
{
	for (int i = 0; i < n; i++) {
		if (__builtin_expect(o[i].time_ns <= s->last_ns, 0)) {
			o[i].time_ns = s->last_ns + 1;
			s->base.diag[WTR__DIAG_SQUEEZED_TIMES]++;
		}
		s->last_ns = o[i].time_ns;
	}
}

/* The next v1 event, converted: its number of events, -1 at the end or at an error. */
static inline int step(source *s, wtr_event *o)
{
	const wtr__v1 *v = s->v;
	wtr__v1_step what = wtr__v1_replay_next(&s->replay);
	if (what == WTR__V1_EVENT) {
		const wtr__v1_event *e = &s->replay.held;
		proc *p = &s->procs[s->replay.held_stream];
		memset(o, 0, sizeof(*o));
		o->time_ns = ns_of(s, e->ts);
		o->p = p->pid;
		o->m = p->current_m;
		o->g = e->g ? (int64_t)e->g : WTR_NONE;
		return convert(s, e, p, o);
	}
	if (what == WTR__V1_END)
		return -1;
	const wtr__v1_moved *x = &v->moved.at[s->replay.moved - 1];
	*o = (wtr_event){
		.time_ns = ns_of(s, x->ts), .m = WTR_NONE, .p = WTR__V1_P_SYSCALL, .g = x->g ? (int64_t)x->g : WTR_NONE
	};
	go(o, WF_EV_GO_SYSCALL_END_BLOCKED, x->g, WTR_G_SYSCALL, WTR_G_RUNNABLE);
	return 1;
}

/* ---- the common events ---- */

static void add_row(source *s, unsigned type, row r)
{
	const wf_v1_spec *spec = &wf_v1_specs[type];
	unsigned c = spec->n_args < 3 ? spec->n_args : 3;
	r.numbers = (uint8_t)(spec->n_args + 1);
	r.skip = c == 3 ? 2 : 1;
	s->rows[c << 6 | type] = r;
}

static void add_stop(source *s, unsigned type, uint8_t wire, unsigned to, wtr__v1_text reason)
{
	add_row(s, type, (row){ .text = s->v->texts[reason], .own = UINT32_MAX, .transition = UINT32_MAX, .type = wire,
		.detail = (uint8_t)(WTR_G_RUNNING << 4 | to) });
}

static void add_rows(source *s)
{
	if (s->v->long_lengths)
		return;
	row start = { .arg = UINT64_MAX,
		.start = UINT64_MAX,
		.type = WF_EV_GO_START,
		.detail = WTR_G_RUNNABLE << 4 | WTR_G_RUNNING };
	row wake = { .arg = UINT64_MAX,
		.stay = UINT64_MAX,
		.own = UINT32_MAX,
		.type = WF_EV_GO_UNBLOCK,
		.detail = WTR_G_WAITING << 4 | WTR_G_RUNNABLE,
		.wakes = true };
	add_row(s, WF_V1_GoStart, start);
	add_row(s, WF_V1_GoStartLocal, start);
	add_row(s, WF_V1_GoUnblock, wake);
	add_row(s, WF_V1_GoUnblockLocal, wake);
	add_stop(s, WF_V1_GoSched, WF_EV_GO_STOP, WTR_G_RUNNABLE, WTR__V1_GOSCHED);
	add_stop(s, WF_V1_GoPreempt, WF_EV_GO_STOP, WTR_G_RUNNABLE, WTR__V1_PREEMPTED);
	add_stop(s, WF_V1_GoSleep, WF_EV_GO_BLOCK, WTR_G_WAITING, WTR__V1_SLEEP);
	add_stop(s, WF_V1_GoBlock, WF_EV_GO_BLOCK, WTR_G_WAITING, WTR__V1_EMPTY);
	add_stop(s, WF_V1_GoBlockSend, WF_EV_GO_BLOCK, WTR_G_WAITING, WTR__V1_CHAN_SEND);
	add_stop(s, WF_V1_GoBlockRecv, WF_EV_GO_BLOCK, WTR_G_WAITING, WTR__V1_CHAN_RECV);
	add_stop(s, WF_V1_GoBlockSelect, WF_EV_GO_BLOCK, WTR_G_WAITING, WTR__V1_SELECT);
	add_stop(s, WF_V1_GoBlockSync, WF_EV_GO_BLOCK, WTR_G_WAITING, WTR__V1_SYNC);
	add_stop(s, WF_V1_GoBlockCond, WF_EV_GO_BLOCK, WTR_G_WAITING, WTR__V1_SYNC_COND);
	add_stop(s, WF_V1_GoBlockNet, WF_EV_GO_BLOCK, WTR_G_WAITING, WTR__V1_NETWORK);
	add_stop(s, WF_V1_GoBlockGC, WF_EV_GO_BLOCK, WTR_G_WAITING, WTR__V1_MARK_ASSIST_WAIT);
}

/* Writes common events as long as they come; they are not before anything in v->moved.  Returns how many. */
static size_t common(source *s, wtr_event *out, size_t cap)
{
	const wtr__v1 *v = s->v;
	wtr__v1_replay *r = &s->replay;
	if (s->before_init || r->has_held || v->pick_bytes != 1)
		return 0;
	const uint8_t *pick = r->pick, *const pick_end = r->pick_end;
	const int64_t until = r->moved < v->moved.n ? v->moved.at[r->moved].ts : INT64_MAX, first_ts = v->first_ts;
	const size_t n_procs = v->procs.n, n_direct = v->tables.stack_ids.n_direct;
	const uint32_t *const direct = v->tables.stack_ids.direct;
	const double ns_per_tick = v->ns_per_tick;
	int64_t last_ns = s->last_ns;
	uint64_t unblock = s->unblock;
	size_t n = 0;
	for (; n < cap && pick < pick_end && *pick < n_procs; pick++) {
		wtr__v1_stream *st = &r->streams[*pick];
		const uint8_t *p = st->at;
		if (__builtin_expect(st->end - p < 2 + 8, 0))
			break;
		const row *h = &s->rows[*p];
		uint64_t w = wtr__v1_load(p + h->skip), ends[5];
		ends[0] = 0;
		ends[1] = ~w & V1_HIGH;
		ends[2] = ends[1] & (ends[1] - 1);
		ends[3] = ends[2] & (ends[2] - 1);
		ends[4] = ends[3] & (ends[3] - 1);
		uint64_t end = ends[h->numbers];
		if (__builtin_expect(end == 0, 0))
			break;
		uint64_t dt = w & (ends[1] ^ (ends[1] - 1)) & ~V1_HIGH,
			 a0 = (w & (ends[2] ^ (ends[2] - 1))) >> __builtin_ctzll(ends[1]) >> 1 & ~V1_HIGH;
		uint64_t stack = (w & (end ^ (end - 1))) >> __builtin_ctzll(ends[h->numbers - 1]) >> 1 & ~V1_HIGH;
		dt = wtr__v1_compact(dt);
		a0 = wtr__v1_compact(a0);
		stack = wtr__v1_compact(stack) & h->own;
		int64_t ts = (int64_t)((uint64_t)st->ts + dt);
		if (__builtin_expect((ts >= until) | (stack >= n_direct), 0))
			break;
		uint32_t id = direct[stack] - 1;
		unsigned by =
			(unsigned)(v->unblocks.words.at[unblock >> 6] >> (unblock & 63)) & 3 & -(unsigned)h->wakes;
		double ns = (double)(int64_t)((uint64_t)ts - (uint64_t)first_ts) * ns_per_tick;
		if (__builtin_expect((id == WTR__UNKNOWN) | (by != 0) | !(ns < 0x1p62 && ns > -0x1p62), 0))
			break;
		unblock += 2u * h->wakes;
		const proc *pr = &s->procs[*pick];
		uint64_t g = (a0 & h->start) | (st->g & ~h->start);
		st->g = (a0 & h->start) | (st->g & h->stay);
		st->ts = ts;
		st->at = p + h->skip + (__builtin_ctzll(end) >> 3) + 1;
		int64_t t = (int64_t)ns;
		s->base.diag[WTR__DIAG_SQUEEZED_TIMES] += t <= last_ns;
		last_ns = t > last_ns ? t : last_ns + 1;
		out[n++] = (wtr_event){
			.time_ns = last_ns,
			.m = pr->current_m,
			.p = pr->pid,
			.g = g ? (int64_t)g : WTR_NONE,
			.id = (int64_t)((a0 & h->arg) | (g & ~h->arg)),
			.stack = id,
			.transition_stack = id & h->transition,
			.str = h->text,
			.kind = WTR_KIND_STATE_TRANSITION,
			.type = h->type,
			.resource = WTR_RES_GOROUTINE,
			.detail = h->detail,
		};
	}
	r->index += (uint32_t)(pick - r->pick);
	r->pick = pick;
	s->last_ns = last_ns;
	s->unblock = unblock;
	return n;
}

static size_t next(wtr__source *base, wtr_event *out, size_t cap)
{
	source *s = (source *)base;
	const wtr__v1 *v = s->v;
	size_t n = 0;
	if (!s->begun && v->n_events > v->skipped_events)
		sync(s, &out[n++], -1, 1, 1);
	while (cap - n >= OUT_MAX && !s->ended) {
		if (__builtin_expect(s->created.n != 0 && !s->before_init, 0)) {
			size_t k = tell_created(s, out + n, cap - n);
			stamp(s, out + n, (int)k);
			n += k;
			continue;
		}
		n += common(s, out + n, cap - n);
		if (cap - n < OUT_MAX)
			break;
		int k = step(s, out + n);
		if (__builtin_expect(k < 0, 0)) {
			s->ended = true;
			if (base->err.code == WTR_OK) {
				sync(s, &out[n], s->last_ns + 1, s->begun ? 2 : 1, 0);
				n++;
			}
			break;
		}
		stamp(s, out + n, k);
		n += (size_t)k;
	}
	base->done_bytes = s->ended ? v->n : (uint64_t)((double)v->n * s->replay.index / ((double)v->n_events + 1));
	return n;
}

static void close(wtr__source *base)
{
	source *s = (source *)base;
	wtr__v1_replay_close(&s->replay);
	wb_free(s->procs);
	wb_vec_free(&s->created);
	wb_idmap_free(&s->created_at);
	wb_idmap_free(&s->task_ids);
	wb_vec_free(&s->tasks);
	wb_free(s);
}

wtr__source *wtr__v1_source(wtr_trace *t, wtr_error *err)
{
	wtr__v1 *v = t->v1;
	source *s = wb_calloc(1, sizeof(*s));
	if (s)
		s->procs = wb_calloc(v->procs.n + 1, sizeof(*s->procs));
	if (!s || !s->procs || !wtr__v1_replay_open(&s->replay, v)) {
		if (s)
			close(&s->base);
		wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory while reading the trace");
		return NULL;
	}
	s->base.next = next;
	s->base.close = close;
	s->base.err = (wtr_error){ .thread = WTR_NONE, .event = "", .rule = "" };
	s->base.losses.events = v->skipped_events;
	s->base.losses.batches = v->lost_batches;
	s->base.losses.bytes = v->lost_bytes;
	s->base.diag[WTR__DIAG_UNKNOWN_STRINGS] = v->unknown_strings;
	s->base.diag[WTR__DIAG_SKIPPED_EVENTS] = v->skipped_events;
	s->base.diag[WTR__DIAG_FORCED_STATES] = v->forced_states;
	s->base.diag[WTR__DIAG_SKIPPED_BATCHES] = v->lost_batches;
	s->v = v;
	for (size_t i = 0; i < v->procs.n; i++)
		s->procs[i] = (proc){ .pid = v->procs.at[i].pid, .current_m = WTR_NONE };
	s->procs[v->procs.n] = (proc){ .pid = WTR_NONE, .current_m = WTR_NONE };
	add_rows(s);
	s->before_init = true;
	s->last_ns = -1;
	return &s->base;
}

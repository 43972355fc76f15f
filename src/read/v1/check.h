/* read/v1/check.h - does the ordered list of events make sense?
 *
 * Goroutines and procs move through their states, one event after the other; an event that does not fit is a fault.
 * These are the rules of Go's postProcessTrace (internal/trace/internal/tracev1, parser.go).
 */
#ifndef READ_V1_CHECK_H
#define READ_V1_CHECK_H

#include "read/v1/replay.h"

/* Faults: FAULT(ID, rule, text).  The text goes behind "goroutine G on proc P: ". */
#define WTR__V1_FAULTS(FAULT)                                                                                     \
	FAULT(PROC_STARTED, "v1.proc-started", "the proc runs already")                                           \
	FAULT(PROC_STOPPED, "v1.proc-stopped", "the proc does not run")                                           \
	FAULT(PROC_BUSY, "v1.proc-busy", "the proc still runs a goroutine")                                       \
	FAULT(GC_NESTED, "v1.gc-nested", "the previous collection has not ended")                                 \
	FAULT(GC_END, "v1.gc-end", "no collection to end")                                                        \
	FAULT(STW_NESTED, "v1.stw-nested", "the previous stop-the-world has not ended")                           \
	FAULT(STW_END, "v1.stw-end", "no stop-the-world to end")                                                  \
	FAULT(SWEEP_NESTED, "v1.sweep-nested", "the previous sweep of the proc has not ended")                    \
	FAULT(SWEEP_END, "v1.sweep-end", "no sweep of the proc to end")                                           \
	FAULT(ASSIST_NESTED, "v1.assist-nested", "the previous mark assist of the goroutine has not ended")       \
	FAULT(NOT_RUNNABLE, "v1.not-runnable", "the goroutine is not runnable")                                   \
	FAULT(NOT_RUNNING, "v1.not-running", "the goroutine is not running")                                      \
	FAULT(OTHER_RUNS, "v1.other-runs", "the proc does not run this goroutine")                                \
	FAULT(NO_GOROUTINE, "v1.no-goroutine", "only goroutines can do this, and none runs")                      \
	FAULT(EXISTS, "v1.goroutine-exists", "the goroutine to create exists already")                            \
	FAULT(NOT_WAITING, "v1.not-waiting", "the goroutine to wake is not waiting")                              \
	FAULT(TASK_TWICE, "v1.task-twice", "the task exists already")                                             \
	FAULT(REGION_MISMATCH, "v1.region-mismatch", "the innermost open region of the goroutine is another one") \
	FAULT(REGION_MODE, "v1.region-mode", "a region event must be a begin or an end")                          \
	FAULT(STRAY_SYSEXIT, "v1.sysexit-stray", "a system call returns that never blocked")                      \
	FAULT(EARLY_SYSEXIT, "v1.sysexit-early", "a system call returns before it blocked")                       \
	FAULT(NO_MEMORY, "memory", "out of memory")

typedef enum wtr__v1_fault {
	WTR__V1_FINE,
#define FAULT(ID, rule, text) WTR__V1_FAULT_##ID,
	WTR__V1_FAULTS(FAULT)
#undef FAULT
} wtr__v1_fault;

enum { WTR__V1_DEAD, WTR__V1_RUNNABLE, WTR__V1_RUNNING, WTR__V1_WAITING };

/* What is known of a goroutine while merging and checking.  The merge looks at the first eight bytes as one number. */
typedef struct wtr__v1_g {
	union {
		uint64_t word;
		struct {
			uint8_t  status;     /* merge: its state ... */
			uint8_t  state;      /* check: its state */
			bool     on_net;     /* check, when waiting: for the network */
			bool     in_syscall; /* ... in the system call that began at blocked_ts */
			uint32_t waiters;    /* ... and how many procs wait for a state of it ... */
		};
	};
	uint64_t seq;          /* ... and its sequence number */
	uint64_t id;
	int64_t  blocked_ts;   /* ticks of its last GoSysBlock or GoInSyscall; 0: none */
	uint32_t regions;      /* innermost open region + 1, in wtr__v1_check.regions */
	uint32_t syscall;      /* number + 1 of its GoSysCall, until its next event is seen */
	bool     exists;       /* check: was named before */
	bool     assist;
	bool     timer;        /* is the timer goroutine */
} wtr__v1_g;

typedef struct wtr__v1_region {
	uint64_t task, name;
	uint32_t outer;        /* + 1; or the next free one */
} wtr__v1_region;

/* What is known of a proc. */
typedef struct wtr__v1_p {
	uint64_t g;
	bool     running, sweep;
} wtr__v1_p;

typedef struct wtr__v1_check {
	WB_VEC(wtr__v1_g) gs;            /* [0] is goroutine 0: no goroutine */
	wb_idmap       ids;              /* goroutine -> index in gs */
	wb_idmap       tasks;            /* open ones */
	WB_VEC(wtr__v1_region) regions;
	uint32_t       free_region;      /* + 1 */
	bool           gc, stw;
	wtr__v1_bits  *syscalls, *unblocks;
	uint32_t       n_syscalls;
} wtr__v1_check;

bool wtr__v1_check_open(wtr__v1_check *c, const wtr__v1 *v, wtr__v1_bits *syscalls, wtr__v1_bits *unblocks);
void wtr__v1_check_close(wtr__v1_check *c);

/* The index of a goroutine, made if it is new; WTR__V1_NONE: out of memory.  Moves gs. */
uint32_t wtr__v1_new_g(wtr__v1_check *c, uint64_t id);
static inline uint32_t wtr__v1_find_g(wtr__v1_check *c, uint64_t id)
{
	uint32_t i = wb_idmap_get(&c->ids, id);
	return __builtin_expect(i != WB_IDMAP_NONE, 1) ? i : wtr__v1_new_g(c, id);
}

/* Tasks and regions: rare, out of line. */
wtr__v1_fault wtr__v1_check_user(wtr__v1_check *c, wtr__v1_g *g, const wtr__v1_event *e);
void          wtr__v1_drop_regions(wtr__v1_check *c, wtr__v1_g *g);
const char   *wtr__v1_fault_rule(wtr__v1_fault f);
const char   *wtr__v1_fault_text(wtr__v1_fault f);

/* The goroutine runs here. */
static inline wtr__v1_fault wtr__v1_running(const wtr__v1_g *g, const wtr__v1_p *p, const wtr__v1_event *e)
{
	if (__builtin_expect(g->state != WTR__V1_RUNNING, 0))
		return WTR__V1_FAULT_NOT_RUNNING;
	if (__builtin_expect(p->g != e->g, 0))
		return WTR__V1_FAULT_OTHER_RUNS;
	return __builtin_expect(e->g == 0, 0) ? WTR__V1_FAULT_NO_GOROUTINE : WTR__V1_FINE;
}

/* Checks an event in context goroutine `g`; `arg` is the goroutine it creates or wakes, if any. */
static inline wtr__v1_fault wtr__v1_check_event(
	wtr__v1_check *c, wtr__v1_g *g, wtr__v1_g *arg, wtr__v1_p *p, int64_t pid, const wtr__v1_event *e)
{
	wtr__v1_fault f;
	if (g->syscall) {
		if (e->type == WF_V1_GoSysBlock)
			wtr__v1_bits_set(c->syscalls, g->syscall - 1);
		g->syscall = 0;
	}
	switch (e->type) {
	case WF_V1_GoStart:
	case WF_V1_GoStartLocal:
	case WF_V1_GoStartLabel:
		if (g->state != WTR__V1_RUNNABLE)
			return WTR__V1_FAULT_NOT_RUNNABLE;
		if (p->g != 0)
			return WTR__V1_FAULT_PROC_BUSY;
		g->state = WTR__V1_RUNNING;
		p->g = e->g;
		return WTR__V1_FINE;
	case WF_V1_GoSleep:
	case WF_V1_GoBlock:
	case WF_V1_GoBlockSend:
	case WF_V1_GoBlockRecv:
	case WF_V1_GoBlockSelect:
	case WF_V1_GoBlockSync:
	case WF_V1_GoBlockCond:
	case WF_V1_GoBlockNet:
	case WF_V1_GoBlockGC:
	case WF_V1_GoSysBlock:
		if ((f = wtr__v1_running(g, p, e)) != WTR__V1_FINE)
			return f;
		g->state = WTR__V1_WAITING;
		g->on_net = e->type == WF_V1_GoBlockNet;
		g->in_syscall = e->type == WF_V1_GoSysBlock;
		p->g = 0;
		return WTR__V1_FINE;
	case WF_V1_GoUnblock:
	case WF_V1_GoUnblockLocal: {
		if (g->state != WTR__V1_RUNNING)
			return WTR__V1_FAULT_NOT_RUNNING;
		bool timer = g->timer || pid == WTR__V1_P_TIMER;
		if (!timer && p->g != e->g)
			return WTR__V1_FAULT_OTHER_RUNS;
		if (arg->state != WTR__V1_WAITING)
			return WTR__V1_FAULT_NOT_WAITING;
		arg->state = WTR__V1_RUNNABLE;
		unsigned by = arg->on_net ? WTR__V1_BY_NET : timer ? WTR__V1_BY_TIMER : WTR__V1_BY_PROC;
		return wtr__v1_bits_add(c->unblocks, by, 2) ? WTR__V1_FINE : WTR__V1_FAULT_NO_MEMORY;
	}
	case WF_V1_GoSysCall:
		if ((f = wtr__v1_running(g, p, e)) != WTR__V1_FINE)
			return f;
		g->syscall = ++c->n_syscalls;
		return wtr__v1_bits_add(c->syscalls, 0, 1) ? WTR__V1_FINE : WTR__V1_FAULT_NO_MEMORY;
	case WF_V1_GoSysExit:
	case WF_V1_GoSysExitLocal:
		if (g->state != WTR__V1_WAITING)
			return WTR__V1_FAULT_NOT_WAITING;
		g->state = WTR__V1_RUNNABLE;
		return WTR__V1_FINE;
	case WF_V1_GoSched:
	case WF_V1_GoPreempt:
		if ((f = wtr__v1_running(g, p, e)) != WTR__V1_FINE)
			return f;
		g->state = WTR__V1_RUNNABLE;
		p->g = 0;
		return WTR__V1_FINE;
	case WF_V1_GoCreate:
		f = wtr__v1_running(g, p, e);
		if (f != WTR__V1_FINE && f != WTR__V1_FAULT_NO_GOROUTINE)
			return f;
		if (arg->exists)
			return WTR__V1_FAULT_EXISTS;
		arg->exists = true;
		arg->state = WTR__V1_RUNNABLE;
		return WTR__V1_FINE;
	case WF_V1_GoEnd:
	case WF_V1_GoStop:
		if ((f = wtr__v1_running(g, p, e)) != WTR__V1_FINE)
			return f;
		g->state = WTR__V1_DEAD;
		p->g = 0;
		if (e->type == WF_V1_GoEnd && g->regions)
			wtr__v1_drop_regions(c, g);
		return WTR__V1_FINE;
	case WF_V1_GoWaiting:
	case WF_V1_GoInSyscall:
		if (g->state != WTR__V1_RUNNABLE)
			return WTR__V1_FAULT_NOT_RUNNABLE;
		g->state = WTR__V1_WAITING;
		g->on_net = false;
		g->in_syscall = e->type == WF_V1_GoInSyscall;
		return WTR__V1_FINE;
	case WF_V1_ProcStart:
		if (p->running)
			return WTR__V1_FAULT_PROC_STARTED;
		p->running = true;
		return WTR__V1_FINE;
	case WF_V1_ProcStop:
		if (!p->running)
			return WTR__V1_FAULT_PROC_STOPPED;
		if (p->g != 0)
			return WTR__V1_FAULT_PROC_BUSY;
		p->running = false;
		return WTR__V1_FINE;
	case WF_V1_GCStart:
		f = c->gc ? WTR__V1_FAULT_GC_NESTED : WTR__V1_FINE;
		c->gc = true;
		return f;
	case WF_V1_GCDone:
		f = c->gc ? WTR__V1_FINE : WTR__V1_FAULT_GC_END;
		c->gc = false;
		return f;
	case WF_V1_STWStart:
		f = c->stw ? WTR__V1_FAULT_STW_NESTED : WTR__V1_FINE;
		c->stw = true;
		return f;
	case WF_V1_STWDone:
		f = c->stw ? WTR__V1_FINE : WTR__V1_FAULT_STW_END;
		c->stw = false;
		return f;
	case WF_V1_GCSweepStart:
		f = p->sweep ? WTR__V1_FAULT_SWEEP_NESTED : WTR__V1_FINE;
		p->sweep = true;
		return f;
	case WF_V1_GCSweepDone:
		f = p->sweep ? WTR__V1_FINE : WTR__V1_FAULT_SWEEP_END;
		p->sweep = false;
		return f;
	case WF_V1_GCMarkAssistStart:
		f = g->assist ? WTR__V1_FAULT_ASSIST_NESTED : WTR__V1_FINE;
		g->assist = g->exists = true;
		return f;
	case WF_V1_GCMarkAssistDone:
		g->assist = false;
		g->exists = true;
		return WTR__V1_FINE;
	case WF_V1_UserTaskCreate:
	case WF_V1_UserTaskEnd:
	case WF_V1_UserRegion:
		return wtr__v1_check_user(c, g, e);
	default:
		return WTR__V1_FINE;
	}
}

#endif

/* rt/tr/tr.h - the execution tracer: what the scheduler tells it, and how a trace is started and stopped.
 *
 * The tracer writes Go's execution trace format (version 1.26).  It is told what happens and never asks; what it needs
 * to know when a trace begins comes through weft__tr_hooks.
 *
 * When no trace runs each call is one load and a branch not taken.  When one runs, calls write into the thread's own
 * buffer: no lock, no allocation, no system call, except where a thread enters a new generation (about once a second)
 * or fills a buffer and none is free.
 *
 * The order of telling.  Others learn from the scheduler's queues and states who may touch a goroutine or proc next,
 * so:
 *   - what ends (block, stop, destroy, proc stop, syscall begin) is told before others can see it: before the lock is
 *     dropped, the goroutine queued, the proc put on the idle list;
 *   - what begins (start, proc start, unblock, create) is told when the caller owns the thing and nobody else can get
 * it yet: a goroutine after it came off the run queue, before it goes on one;
 *   - the state that each_g and each_p show changes after the telling.
 * Nothing else is asked of the scheduler: no call may be left out, and none may come from a signal handler.
 *
 * Contexts.  m is the calling thread's, p the proc it holds or NULL, g the goroutine on it or NULL.  The scheduler sets
 * the members marked with (s) and may read them; the rest is the tracer's.  All zeroes otherwise is ready for use.
 *
 * Stacks.  fp is a frame pointer on g's stack: the first frame shown is the place that its function was called from.
 * NULL: no stack.  Frames are looked for between fp and g->stack_hi only.
 */
#ifndef WEFT__TR_H
#define WEFT__TR_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fmt/carrier.h"

typedef struct weft__tr_g {
	uint64_t id;           /* (s) from 1, never used again */
	uintptr_t stack_hi;    /* (s) end of its stack; 0: no stacks */
	_Atomic uint64_t word; /* generation, status, open range: see inside.h */
	uint32_t seq;
	uint32_t stack; /* where it blocked */
} weft__tr_g;

typedef struct weft__tr_p {
	int32_t id; /* (s) */
	uint32_t seq;
	_Atomic uint64_t word;
} weft__tr_p;

enum { WEFT__TR_MEMOS = 64 };

typedef struct weft__tr_m {
	uint64_t tid;             /* (s) of the kernel */
	_Atomic uint32_t writing; /* inside a call */
	_Atomic uint64_t gen;     /* that buf is of; 0: none */
	uint8_t *at, *end;        /* in buf: next byte, and where room gets short */
	uint64_t last;            /* ticks of the newest event */
	struct weft__tr_tables *tab;
	weft__tr_p *p; /* as told so far: what this thread holds */
	weft__tr_g *g;
	struct weft__tr_buf *buf, *side;
	uint8_t *side_at, *chunk; /* in side: next byte; the open piece's text, or NULL */
	_Atomic bool joined;      /* the running trace: changes with joined_lock and its own */
	uint64_t finished;        /* newest generation whose buffers it has handed over */
	/* Of the carrier, in this generation: see carrier.c. */
	uint32_t chunks, as_guessed;
	uint64_t objects[WF_CARRIER_SLOTS];
	uint64_t guess[WF_CARRIER_GUESSES][2];
	struct weft__tr_entry *memo[WEFT__TR_MEMOS]; /* stacks seen lately, by their lowest frame */
	uintptr_t pcs[128];              /* the stack that is looked at: here, as goroutines' stacks are short */
	struct weft__tr_m *next, **link; /* all that have joined */
	pthread_mutex_t lock;            /* who is not this thread, or changes generation, holds it */
} weft__tr_m;

/* The number of the running generation; 0: no trace.  Read by the calls below: acquired, as who reads 0 goes on without
 * any lock, and the writer's last looks at goroutines must be over (a plain load on x86). */
extern _Atomic uint64_t weft__tr_gen __attribute__((visibility("hidden")));

static inline bool weft__tr_on(void)
{
#ifdef WEFT__TR_NONE /* to measure what asking costs: bench/rt/traced.py */
	return false;
#else
	return __builtin_expect(atomic_load_explicit(&weft__tr_gen, memory_order_acquire) != 0, 0);
#endif
}

/* Why a goroutine waits or stops, and what the world is stopped for (texts.def). */
typedef enum weft__tr_text {
	WEFT__TR_EMPTY,
#define BLOCK(ID, text) WEFT__TR_BLOCK_##ID,
#define STOP(ID, text)  WEFT__TR_STOP_##ID,
#define STW(ID, text)   WEFT__TR_STW_##ID,
#include "rt/tr/texts.def"
	WEFT__TR_TEXTS
} weft__tr_text;

/* What a goroutine waits for.  Go's format has no place for it: it goes into the carrier (docs/carrier.md). */
typedef enum weft__tr_kind {
	WEFT__TR_NOTHING,
#define OBJECT(ID, text, attr, holder) WEFT__TR_##ID,
#include "fmt/objects.def"
	WEFT__TR_KINDS
} weft__tr_kind;

typedef struct weft__tr_object {
	weft__tr_kind kind;
	uint64_t id;     /* any number that tells it from others of its kind, such as its address */
	uint64_t attr;   /* what objects.def says: a channel's capacity, a descriptor's number */
	uint64_t holder; /* goroutine that holds the lock; 0: not known */
	bool send;       /* of a channel among several: waits to send to it */
} weft__tr_object;

#define WEFT__TR_CALL(name, params, args)          \
	void weft__tr_##name##_on params;          \
	static inline void weft__tr_##name params  \
	{                                          \
		if (weft__tr_on())                 \
			weft__tr_##name##_on args; \
	}

/* ---- procs ---- */

/* m takes an idle proc.  g: NULL, or the goroutine on m that comes back from a system call. */
WEFT__TR_CALL(proc_start, (weft__tr_m * m, weft__tr_p *p, weft__tr_g *g), (m, p, g))
/* m gives its proc up: idle now.  g: NULL, or a goroutine in a system call. */
WEFT__TR_CALL(proc_stop, (weft__tr_m * m, weft__tr_p *p, weft__tr_g *g), (m, p, g))
/* m gives p up, and takes `to` that is idle; its goroutine, which runs, goes on. */
WEFT__TR_CALL(proc_change, (weft__tr_m * m, weft__tr_p *p, weft__tr_g *g, weft__tr_p *to), (m, p, g, to))
/* m takes the proc `stolen` away from `victim`, whose goroutine is in a system call (or told to be, see hog) and which
 * is held outside the runtime during the call: idle now.  victim may be m itself. */
WEFT__TR_CALL(proc_steal, (weft__tr_m * m, weft__tr_p *p, weft__tr_g *g, weft__tr_p *stolen, weft__tr_m *victim),
	(m, p, g, stolen, victim))
/* The number of procs has changed; while the world is stopped. */
WEFT__TR_CALL(procs_change, (weft__tr_m * m, weft__tr_p *p, weft__tr_g *g, int n, const void *fp), (m, p, g, n, fp))

/* ---- goroutines ---- */

/* g makes `created`, runnable, which will begin with the function `entry`. */
WEFT__TR_CALL(go_create,
	(weft__tr_m * m, weft__tr_p *p, weft__tr_g *g, weft__tr_g *created, const void *entry, const void *fp),
	(m, p, g, created, entry, fp))
/* m begins to run g. */
WEFT__TR_CALL(go_start, (weft__tr_m * m, weft__tr_p *p, weft__tr_g *g), (m, p, g))
WEFT__TR_CALL(go_destroy, (weft__tr_m * m, weft__tr_p *p, weft__tr_g *g), (m, p, g))
/* g waits.  why: WEFT__TR_BLOCK_*; what: up to a kind of WEFT__TR_NOTHING, or NULL. */
WEFT__TR_CALL(go_block,
	(weft__tr_m * m, weft__tr_p *p, weft__tr_g *g, weft__tr_text why, const void *fp, const weft__tr_object *what),
	(m, p, g, why, fp, what))
/* g is runnable again.  why: WEFT__TR_STOP_*. */
WEFT__TR_CALL(
	go_stop, (weft__tr_m * m, weft__tr_p *p, weft__tr_g *g, weft__tr_text why, const void *fp), (m, p, g, why, fp))
/* `woken` waits no longer: runnable.  p and g may be NULL (poller, timers, monitor). */
WEFT__TR_CALL(go_unblock, (weft__tr_m * m, weft__tr_p *p, weft__tr_g *g, weft__tr_g *woken, const void *fp),
	(m, p, g, woken, fp))
/* g waits and `next`, which waited, runs in its place. */
WEFT__TR_CALL(go_switch, (weft__tr_m * m, weft__tr_p *p, weft__tr_g *g, weft__tr_g *next), (m, p, g, next))

/* ---- system calls and other times outside ---- */

WEFT__TR_CALL(syscall_begin, (weft__tr_m * m, weft__tr_p *p, weft__tr_g *g, const void *fp), (m, p, g, fp))
/* The proc was kept. */
WEFT__TR_CALL(syscall_end, (weft__tr_m * m, weft__tr_p *p, weft__tr_g *g), (m, p, g))
/* The proc was lost: g is runnable.  p: NULL, or another one, told with proc_start before. */
WEFT__TR_CALL(syscall_end_blocked, (weft__tr_m * m, weft__tr_p *p, weft__tr_g *g), (m, p, g))
/* The goroutine on m has computed for long: told by another thread while m is held outside the runtime.  In Go's format
 * it enters a system call; the carrier says what it was.  proc_steal follows, and the goroutine comes back with
 * syscall_end_blocked. */
WEFT__TR_CALL(hog, (weft__tr_m * m, weft__tr_p *p, weft__tr_g *g), (m, p, g))

/* ---- stopping the world, collecting ---- */

/* From begin to end no generation ends; one at a time.  why: WEFT__TR_STW_*.  Trace or no trace both are called: the
 * ends tell the tracer that it may go on. */
void weft__tr_stw_begin(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g, weft__tr_text why, const void *fp);
void weft__tr_stw_end(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g);

/* An end without a begin in the same trace is not written. */
WEFT__TR_CALL(gc_begin, (weft__tr_m * m, weft__tr_p *p, weft__tr_g *g, const void *fp), (m, p, g, fp))
WEFT__TR_CALL(gc_end, (weft__tr_m * m, weft__tr_p *p, weft__tr_g *g), (m, p, g))
WEFT__TR_CALL(sweep_begin, (weft__tr_m * m, weft__tr_p *p, weft__tr_g *g, const void *fp), (m, p, g, fp))
WEFT__TR_CALL(sweep_end, (weft__tr_m * m, weft__tr_p *p, weft__tr_g *g, uint64_t swept_bytes, uint64_t reclaimed_bytes),
	(m, p, g, swept_bytes, reclaimed_bytes))
WEFT__TR_CALL(assist_begin, (weft__tr_m * m, weft__tr_p *p, weft__tr_g *g, const void *fp), (m, p, g, fp))
WEFT__TR_CALL(assist_end, (weft__tr_m * m, weft__tr_p *p, weft__tr_g *g), (m, p, g))
WEFT__TR_CALL(heap_alloc, (weft__tr_m * m, weft__tr_p *p, weft__tr_g *g, uint64_t bytes), (m, p, g, bytes))
WEFT__TR_CALL(heap_goal, (weft__tr_m * m, weft__tr_p *p, weft__tr_g *g, uint64_t bytes), (m, p, g, bytes))

/* ---- what users tell; texts are cut at WF_STRING_BYTES_MAX bytes ---- */

typedef struct weft__tr_str {
	const char *at;
	size_t n;
} weft__tr_str;

/* Task ids are from 1, never used again; parent 0: none.  Regions and logs outside of tasks have task 0.  Regions of a
 * goroutine nest: the caller sees to it, for a reader stops at one that does not. */
WEFT__TR_CALL(task_begin,
	(weft__tr_m * m, weft__tr_p *p, weft__tr_g *g, uint64_t task, uint64_t parent, weft__tr_str name,
		const void *fp),
	(m, p, g, task, parent, name, fp))
WEFT__TR_CALL(
	task_end, (weft__tr_m * m, weft__tr_p *p, weft__tr_g *g, uint64_t task, const void *fp), (m, p, g, task, fp))
WEFT__TR_CALL(region_begin,
	(weft__tr_m * m, weft__tr_p *p, weft__tr_g *g, uint64_t task, weft__tr_str name, const void *fp),
	(m, p, g, task, name, fp))
WEFT__TR_CALL(region_end,
	(weft__tr_m * m, weft__tr_p *p, weft__tr_g *g, uint64_t task, weft__tr_str name, const void *fp),
	(m, p, g, task, name, fp))
WEFT__TR_CALL(log,
	(weft__tr_m * m, weft__tr_p *p, weft__tr_g *g, uint64_t task, weft__tr_str category, weft__tr_str message,
		const void *fp),
	(m, p, g, task, category, message, fp))
WEFT__TR_CALL(label, (weft__tr_m * m, weft__tr_p *p, weft__tr_g *g, weft__tr_str label), (m, p, g, label))

/* ---- threads ---- */

/* m ends: hands over what it has.  Trace or no trace.  It holds no proc and no goroutine. */
void weft__tr_m_exit(weft__tr_m *m);

/* ---- what the tracer asks, on its own thread ---- */

typedef enum weft__tr_state {
	WEFT__TR_DEAD,
	WEFT__TR_RUNNABLE,
	WEFT__TR_RUNNING,
	WEFT__TR_SYSCALL,
	WEFT__TR_WAITING
} weft__tr_state;

typedef struct weft__tr_m_now {
	weft__tr_p *p; /* NULL: none */
	weft__tr_g *g;
	bool in_syscall; /* g and p are (or g is, when its proc was taken) */
	bool computes;   /* it is not: its proc was taken while it computed */
} weft__tr_m_now;

typedef struct weft__tr_g_now {
	weft__tr_state state;
	const void *entry;    /* its function, or NULL */
	uintptr_t pc, fp;     /* of a parked goroutine; 0: no stack */
	weft__tr_object what; /* that it waits for, if that is one thing */
} weft__tr_g_now;

typedef void weft__tr_m_fn(weft__tr_m *m, const weft__tr_m_now *now, void *arg);
typedef void weft__tr_p_fn(weft__tr_p *p, bool running, void *arg);
typedef void weft__tr_g_fn(weft__tr_g *g, const weft__tr_g_now *now, void *arg);

/* A sample of the CPU profiler.  p < 0: none; g 0: none. */
typedef struct weft__tr_sample {
	uint64_t ticks; /* weft__tr_ticks() at the time */
	uint64_t tid;
	int32_t p;
	uint64_t g;
	unsigned n;
	uintptr_t *pcs; /* return addresses, innermost first */
} weft__tr_sample;

typedef void weft__tr_sample_fn(const weft__tr_sample *s, void *arg);

enum { WEFT__TR_NAME_BYTES = 64 };

typedef struct weft__tr_hooks {
	/* Calls fn once for every thread, at a moment when it is outside the runtime, and holds it there meanwhile.
	 * Threads that sleep count as outside.  Those that begin later may be left out.  Only when a trace starts. */
	void (*each_m)(weft__tr_m_fn *fn, void *arg);
	/* Calls fn for all procs, used or not.  Nothing is held. */
	void (*each_p)(weft__tr_p_fn *fn, void *arg);
	/* Calls fn for every goroutine, dead ones as it likes.  Nothing is held: they may run, end, and be born again
	 * meanwhile, as long as the memory stays and its id is written before go_create is told. */
	void (*each_g)(weft__tr_g_fn *fn, void *arg);
	int (*procs)(void);
	/* The label of a goroutine, which may be changing it: its bytes, at most n; 0: it has none.  May be NULL. */
	size_t (*label)(const weft__tr_g *g, char *ret, size_t n);
	/* The name of an object, from place i of n_names of a table, as it was in generation gen: its bytes, at most
	 * WEFT__TR_NAME_BYTES; 0: none at that place.  May be NULL. */
	size_t (*name)(uint32_t i, uint64_t gen, uint64_t *ret_id, char *ret);
	uint32_t n_names;
	/* Hands out the samples taken in generations `first` to `gen` that it has not handed out yet, and forgets those
	 * from before; may be NULL. */
	void (*samples)(uint64_t first, uint64_t gen, weft__tr_sample_fn *fn, void *arg);
} weft__tr_hooks;

/* Once, before all else. */
void weft__tr_init(const weft__tr_hooks *hooks);
/* The floor above's word for hooks.samples, before any trace. */
void weft__tr_samples_from(void (*samples)(uint64_t first, uint64_t gen, weft__tr_sample_fn *fn, void *arg));

/* ---- traces ---- */

typedef struct weft__tr_options {
	/* Where the trace goes: fd, or write (0, or a negative errno that ends the trace).  Neither (fd -1, write NULL)
	 * with a window.  fd stays the caller's. */
	int fd;
	int (*write)(const void *at, size_t n, void *arg);
	void *write_arg;

	/* Flight recorder: finished generations kept in memory for weft__tr_snapshot, the newest, as long as they take
	 * this many bytes and are this old at most (one always is kept).  0 bytes: none. */
	size_t window_bytes;
	int64_t window_ns;

	int64_t gen_ns;      /* a generation ends after so long; 0: 1 s */
	size_t gen_bytes;    /* or so many bytes; 0: 16 MiB */
	size_t buffer_bytes; /* for all threads; 0: 64 MiB */
	/* When all buffers are full threads wait for the writer.  After so long the trace ends with -ENOBUFS and the
	 * program goes on; 0: 1 s; negative: they wait for ever. */
	int64_t patience_ns;

	int64_t snapshot_patience_ns; /* a snapshot of which nobody takes anything for so long is given up; 0: 5 s */

	/* The trace has ended by itself: on the tracer's thread.  May be NULL. */
	void (*ended)(int error, void *arg);
	void *ended_arg;
} weft__tr_options;

/* Starts a trace: 0 or a negative errno.  -EBUSY: one runs (or has ended by itself and was not stopped yet); -EINVAL:
 * nowhere to write to; -ENOSYS: the kernel has no membarrier(2); -ENOMEM, -EAGAIN.  Does not wait for anybody. */
int weft__tr_start(const weft__tr_options *opt);

/* Stops it, waits until all is written, and frees everything: 0, or the negative errno that ended the trace before;
 * -EINVAL: none runs.  The caller's thread must count as outside the runtime, as for a blocking call. */
int weft__tr_stop(void);

/* Ends the running generation and waits until it is written: for tests, and before something may go wrong.  As stop. */
int weft__tr_flip(void);

/* Writes the window, up to now, to fd: a whole trace.  As stop; -EINVAL without a window, -ETIMEDOUT when nobody takes
 * anything of it for so long that it is given up: fd then has a part.  The trace goes on meanwhile.  One at a time:
 * others wait for their turn. */
int weft__tr_snapshot(int fd);
/* The same without waiting: from anywhere, also a signal handler.  fd is closed when done, or given up; stop waits for
 * that.  -EBUSY: another is to begin first.  With an error fd stays the caller's. */
int weft__tr_snapshot_soon(int fd);

/* A process that is forked from a traced one is not traced, and may start a trace of its own. */

typedef struct weft__tr_stats {
	uint64_t generations, bytes;        /* written so far */
	uint64_t waits, wait_ns;            /* of threads for a free buffer */
	uint64_t lost_stacks, lost_strings; /* left out because tables were full */
	uint64_t odd;                       /* tellings that contradict what was told before */
} weft__tr_stats;

void weft__tr_read_stats(weft__tr_stats *ret); /* of the running trace, else the last one */

#endif

/* rt/sched/scheduler.h - the scheduler: run queues, threads and procs, the monitor.
 *
 * Public calls and the floors above use park.h and enter.h; here is what these are made of, and the rest.
 *
 * Invariant 2 (no lost wake-up).  Who makes a goroutine runnable: publishes it on a queue, full barrier, then looks
 * for idle procs and spinning threads, and wakes one unless there is none or one spins.  A thread that goes to sleep:
 * gives its proc back, stops spinning, full barrier, and looks through all queues, timers and the poller once more.
 * A spinning thread that finds work wakes another.  One that naps (nap.h) counts as spinning, and ends as it does.
 * Source: Go, runtime/proc.go, "Worker thread parking/unparking".
 * Who holds the only proc needs no barrier: no other is idle, and whoever is to sleep is itself.
 */
#ifndef WEFT__SCHED_H
#define WEFT__SCHED_H

#include "rt/sched/gmp.h"

typedef struct weft__queue {
	weft__g *head, *tail;
	uint32_t n;
} weft__queue;

static inline void weft__queue_push(weft__queue *q, weft__g *g)
{
	g->link = NULL;
	if (q->tail)
		q->tail->link = g;
	else
		q->head = g;
	q->tail = g;
	q->n++;
}

static inline weft__g *weft__queue_pop(weft__queue *q)
{
	weft__g *g = q->head;
	if (g) {
		q->head = g->link;
		if (!q->head)
			q->tail = NULL;
		q->n--;
	}
	return g;
}

/* All of `list`, which is empty then, behind what q has. */
static inline void weft__queue_append(weft__queue *q, weft__queue *list)
{
	if (!list->head)
		return;
	if (q->tail)
		q->tail->link = list->head;
	else
		q->head = list->head;
	q->tail = list->tail;
	q->n += list->n;
	*list = (weft__queue){ 0 };
}

enum { WEFT__PROCS_MAX = 1024 };

/* See nap.h. */
enum weft__nap_state {
	WEFT__NAP_NONE,
	WEFT__NAP_ON,     /* a thread naps */
	WEFT__NAP_WANTED, /* and another has been made runnable: it will look again */
};

typedef void weft__ask_fn(void);

typedef struct weft__scheduler {
	weft__lock lock;
	/* Under the lock. */
	weft__queue global;
	weft__m *idle_m;
	weft__m *spare_m;      /* descriptors without a thread: outside the runtime, with tid 0 */
	int32_t n_m, n_idle_m; /* threads that run goroutines, and those of them asleep without a proc */
	int32_t m_max;
	weft__p *idle_p;
	int32_t n_stopped; /* procs that have stopped for stop_world */
	/* Read without it. */
	_Atomic bool started; /* and the first goroutine has not ended */
	_Atomic bool begun;   /* the first goroutine has a thread: until then a missing thread is weft_main's to tell */
	_Atomic uint32_t n_global;
	_Atomic int32_t n_idle_p;
	_Atomic int32_t n_spinning;   /* with the one that naps */
	_Atomic uint32_t nap;         /* weft__nap_state */
	weft__note nap_over;
	_Atomic bool stopping;        /* the world stops or has stopped */
	_Atomic(weft__m *) all_m;     /* they are never freed */
	_Atomic int64_t last_poll_ns; /* 0: a thread is in the poller now */
	_Atomic int64_t poll_until_ns;
	_Atomic(weft__p *) all_p[WEFT__PROCS_MAX]; /* never freed; the monitor looks at any time */
	_Atomic int32_t n_p;                       /* changed only while the world is stopped */
	_Atomic uint64_t next_id;
	_Atomic int64_t n_made_outside; /* goroutines made by threads without a proc */
	_Atomic int32_t n_external;     /* what else may wake a goroutine (a signal handler, a thread of the library) */
	weft__note stopped;             /* the last proc has stopped */
	weft__lock stw;
	/* The monitor. */
	weft__note monitor;
	weft__m *monitor_m;
	_Atomic bool monitor_sleeps;
	_Atomic(weft__ask_fn *) asked; /* weft__monitor_ask */
	_Atomic int64_t now_ns;        /* the monitor's clock: some 10 ms behind */
	/* Options. */
	size_t stack_bytes;
	int stack_class;
	bool hard;
	uint64_t seed;
	/* What the monitor reports, when asked to (prof/reports.h). */
	int64_t hog_ns, report_ns;
	void (*hog_report)(weft__g *g, int64_t ns);
	void (*report)(int64_t ns);
	/* Ends of the program. */
	weft__note main_done;
	/* Statistics. */
	_Atomic uint64_t n_steals, n_retakes, n_wakes;
	_Atomic bool no_thread;   /* a thread that was wanted could not be had, or not from there: the monitor tries */
	weft__note thread_wanted; /* the same, while it waits for its next tick */
	_Atomic int thread_error; /* why: negative errno; 0 after one that could */
} weft__scheduler;

extern weft__scheduler weft__sched __attribute__((visibility("hidden")));

/* ---- queues (runq.c) ---- */

/* On the proc of the calling thread; `next`: before all others, inheriting the time slice. */
void weft__runq_put(weft__p *p, weft__g *g, bool next);
/* The next one; *ret_inherit when it is to inherit the time slice.  NULL when the queue is empty. */
weft__g *weft__runq_get(weft__p *p, bool *ret_inherit);
/* The same, past the one that is to run next. */
weft__g *weft__runq_get_ring(weft__p *p);
bool weft__runq_empty(weft__p *p);
/* Half of what `from` has, `most` at most, less the one returned, goes to p's queue.  Any proc's owner. */
weft__g *weft__runq_steal(weft__p *p, weft__p *from, uint32_t most, bool take_next);
/* Under sched.lock. */
void weft__global_put(weft__g *g);
weft__g *weft__global_get(weft__p *p, uint32_t most);
/* Takes sched.lock: all of the list, and wakes as many threads as may help. */
void weft__inject(weft__queue *list);

/* ---- goroutines (make.c) ---- */

typedef struct weft__start {
	void (*fn)(void *);
	void (*entry)(void *); /* what it is called after in dumps and traces; NULL: fn */
	void *arg;
	size_t copy_bytes; /* not 0: fn gets a copy of so many bytes at arg, on the new stack */
	int stack_class;
	uintptr_t from; /* who starts it: a return address */
	char *name;     /* its own from now on, or NULL */
} weft__start;

/* A goroutine, runnable but on no queue.  p is the calling thread's, or NULL.  NULL: *ret_error. */
weft__g *weft__g_make(weft__p *p, const weft__start *start, int *ret_error);
/* Ends the running goroutine: its last words, then the next one. */
_Noreturn void weft__g_end(weft__m *m);
/* What a goroutine leaves that had more than its stack (a name, open regions, a thread of its own); its labels stay
 * until its stack has been left. */
weft__m *weft__g_end_slow(weft__m *m, weft__g *g);
/* The memory of a goroutine that has ended. */
void weft__g_keep(weft__p *p, weft__g *g);
/* Calls fn for each goroutine that lives, or may be just about to be born or to die.  Only while the world is stopped
 * is that exact. */
void weft__g_each(void (*fn)(weft__g *g, void *arg), void *arg);
int64_t weft__g_count(void); /* that live */
uint64_t weft__g_made(void); /* since the start */
weft__g *weft__g_of_stack(void *hi);
/* g is looked at, then next, and it goes on like this.  A list through a million of them misses every cache with every
 * step; but mostly they were made one after the other, and lie at even distances: fetches one some steps further; and
 * what is on its stack where `also` is on next's, or NULL. */
void weft__g_fetch_crowd(const weft__g *g, const weft__g *next, const void *also);

/* ---- threads (threads.c) ---- */

/* What threads have that are not of the runtime. */
extern weft__m weft__no_m;

void weft__threads_init(void); /* a second call changes nothing */
/* A new thread's descriptor, in the list of all; NULL without memory. */
weft__m *weft__make_m(void);
/* A thread that begins with p, which is the caller's, counted in n_m; 0 or negative errno. */
int weft__thread_start(weft__p *p, bool spinning);
/* A descriptor for this thread, which is not of the runtime, so that it can wake goroutines: it counts as external
 * until it ends. */
weft__m *weft__thread_call_in(void);
/* The stack of whoever started m's thread: how many frames; 0: it has none. */
size_t weft__m_made_at(weft__m *m, uintptr_t ret[WEFT__M_FRAMES]);

/* ---- threads and procs (scheduler.c) ---- */

/* With m->next_p, runs whatever there is; on the thread's own stack.  Returns, without a proc, and as something
 * external, when a goroutine has ended that the thread was tied to: then nothing else may run here. */
void weft__schedule(weft__m *m);
/* Wakes a thread for an idle proc, unless one spins already. */
void weft__wake_another(void);
/* After giving the proc back: has work come meanwhile?  Then an idle proc for it. */
weft__p *weft__look_again(void);
/* A thread for p, which the caller owns: an idle one, or a new one. */
void weft__start_m(weft__p *p, bool spinning);
/* p is nobody's any more, and may have work: starts a thread for it or puts it on the idle list. */
void weft__hand_off(weft__p *p);
/* Takes p from a thread that is outside the runtime (enter.h): the thread, or NULL when it is inside.  by: the caller.
 */
weft__m *weft__take_proc(weft__m *by, weft__p *p);
/* Around what may wake a goroutine though no thread of the scheduler runs: meanwhile there is no deadlock.  The end
 * looks whether there is one now: threads that went to sleep in between did not find it. */
void weft__external_begin(void);
void weft__external_end(void);
/* A thread that is not of the runtime and has made a call: it may wake goroutines, and counts as external until it
 * ends. */
bool weft__called_in(const weft__m *m);
/* Under sched.lock. */
weft__p *weft__idle_p_get(void);
void weft__idle_p_put(weft__p *p);
/* What the context before left to do; on the new context, first of all. */
void weft__after_slow(weft__m *m);

/* Stops all procs, at once: computing goroutines and blocking calls lose theirs, goroutines inside the runtime go on to
 * its border.  Only one caller at a time: others wait.  In a goroutine, or on a thread without one. */
weft__m *weft__stop_world(weft__m *m, weft__tr_text why);
/* n procs from now on (0: as before). */
void weft__start_world(weft__m *m, int32_t n);

/* ---- the monitor (monitor.c) ---- */

void *weft__monitor(void *m);
void weft__monitor_wake(void);
/* Has fn called on the monitor's thread, soon.  Async-signal-safe; one at a time. */
void weft__monitor_ask(weft__ask_fn *fn);

/* ---- broken invariants ---- */

/* One line, all goroutines, abort.  `what` names the invariant. */
_Noreturn void weft__throw(const char *what);
/* "fatal error: " and all goroutines, exit status 2. */
_Noreturn void weft__fatal(const char *what);
/* The floor above's: writes the calling goroutine, or all of them, to fd (prof/dump.c). */
extern void (*weft__dump_hook)(int fd, bool all);
/* What else is to be done before the program ends, on a thread that is outside the runtime (api/trace.c); may be NULL.
 */
extern void (*weft__end_hook)(void);
extern bool weft__crash_aborts; /* WEFT_DEBUG=crash=1 */

#endif

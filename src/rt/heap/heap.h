/* rt/heap/heap.h - the collected heap: libgc (Boehm-Demers-Weiser), told where goroutines keep their pointers.
 *
 * libgc stops threads by signal and looks at each from its stack pointer to a bottom that it was told once.  Our
 * threads run on stacks that change with every switch; nothing is said to libgc at a switch.  Instead its signal
 * handler is wrapped: it notes where the thread was stopped.  With the world stopped, the stack that holds this address
 * gives the bottom; every other living goroutine's stack is parked, and its saved stack pointer - stored before a
 * switch changes the register - says how much of it is alive.  So it is right at every instruction of a switch.
 *
 * Before the first use (weft__heap_start) nothing of it costs anything.  After it every thread that runs goroutines
 * must join before a pointer into the heap can reach it (sched/collect.c).
 *
 * Locks: weft__heap_new may collect, on the caller's stack, with all joined threads stopped anywhere, so the caller
 * holds none, and the hooks take none.
 */
#ifndef WEFT__HEAP_H
#define WEFT__HEAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Told what is alive: [lo, hi) is looked into. */
typedef void weft__heap_range_fn(void *lo, void *hi);

typedef struct weft__heap_hooks {
	/* Calls fn for [saved stack pointer, top) of each goroutine that is not dead, parked or not.  The world is
	 * stopped: no locks, no allocation. */
	void (*each_stack)(weft__heap_range_fn *fn);
	/* Finalizers are ready to be called (weft__heap_finalize).  Inside an allocation: no locks but the scheduler's.
	 */
	void (*finalizers_ready)(void);
	/* What the collector does, on the thread that collects: for the tracer. */
	void (*event)(int event);
} weft__heap_hooks;

/* Of `event`. */
enum weft__heap_event {
	WEFT__HEAP_BEGIN,
	WEFT__HEAP_STOPPING,
	WEFT__HEAP_STARTED, /* the world runs again */
	WEFT__HEAP_SWEEP,   /* what is dead is known, and now given back; the rest of it when somebody allocates */
	WEFT__HEAP_SWEPT,
	WEFT__HEAP_END
};

void weft__heap_init(const weft__heap_hooks *hooks); /* once, before the first goroutine */
bool weft__heap_started(void);
/* These, and leaving, on the thread's own stack, not a goroutine's; a second call changes nothing. */
void weft__heap_start(void);
void weft__heap_join(void);       /* this thread; nothing before the start */
bool weft__heap_joined(void);     /* false after the above: out of memory */
void weft__heap_leave(void);      /* before a thread ends */
size_t weft__heap_finalize(void); /* calls finalizers; how many */
size_t weft__heap_bytes(void);    /* in use, about; 0 before the start */
uint64_t weft__heap_cycles(void); /* collections so far */

/* *link, in memory where no pointers are looked for, becomes NULL when the object is gone; until then it holds its
 * address in a form that keeps it from nobody.  False: out of memory. */
bool weft__heap_link(void **link, const void *object);
/* About where the next collection comes: what was in use after the last one, and what libgc lets be new until then.
 * SIZE_MAX: it does not, or there was none yet. */
size_t weft__heap_goal(void);

typedef struct weft__heap_pauses {
	_Atomic uint64_t n;
	_Atomic int64_t sum_ns, last_ns, max_ns;
} weft__heap_pauses;

const weft__heap_pauses *weft__heap_read_pauses(void);

#endif

/* rt/sched/gmp.h - goroutines, threads (M) and procs (P).
 *
 * A proc is the right to run goroutines: a thread holds at most one, and runs goroutines only while it does.  The
 * names and most of the policy are those of Go's scheduler (runtime/proc.go, runtime2.go).  What differs: a goroutine
 * switches straight to the next one without passing through a scheduler stack, and C code cannot be stopped anywhere,
 * so a thread that computes for long has its proc taken while it is provably outside the runtime (enter.h).
 */
#ifndef WEFT__GMP_H
#define WEFT__GMP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/fault.h"
#include "rt/ctx/ctx.h"
#include "rt/heap/pins.h"
#include "rt/lock/lock.h"
#include "rt/lock/note.h"
#include "rt/stack/stack.h"
#include "rt/tr/tr.h"

typedef struct weft__g weft__g;
typedef struct weft__m weft__m;
typedef struct weft__p weft__p;
typedef struct weft__timer weft__timer;

#define weft__likely(x)   __builtin_expect(!!(x), 1)
#define weft__unlikely(x) __builtin_expect(!!(x), 0)

typedef enum weft__state {
#define STATE(ID, text) WEFT__G_##ID,
#include "rt/sched/states.def"
} weft__state;

typedef enum weft__reason {
#define REASON(ID, text, trace, kind, blocks) WEFT__WAIT_##ID,
#include "rt/sched/states.def"
} weft__reason;

enum weft__gflag {
	WEFT__G_LOCKED = 1 << 0, /* weft_thread_lock: runs on g->locked_m only */
	WEFT__G_SYSTEM = 1 << 1, /* the runtime's own: not counted for deadlocks, not in dumps unless asked */
	WEFT__G_MAIN = 1 << 2,
	WEFT__G_UNTOLD = 1 << 3, /* its creation has not been told to the tracer (tell.h) */
};

enum { WEFT__WAITS_FOR_MAX = 16 }; /* of a select, that traces tell */

/* What one goroutine waits with, on one queue: on its own stack, which never moves. */
typedef struct weft__waiter weft__waiter;

/* A goroutine.  It lives at the top of its own stack, so that a parked one costs a page; stacks are never unmapped, so
 * a stale pointer can always be read. */
struct weft__g {
	weft__ctx ctx;         /* where it goes on, when it does not run */
	weft__g *link;         /* run queue or free list: it is on one at most */
	_Atomic uint8_t state; /* weft__state; written by whoever owns the goroutine */
	uint8_t reason;        /* weft__reason, while it waits */
	uint8_t flags;         /* weft__gflag */
	uint8_t stack_class;
	_Atomic uint32_t select_won; /* 0 until a case of its select has been chosen: by compare and swap */
	_Atomic uint32_t gate;       /* whether its deadline came before or after it was parked (wait/waiter.h) */
	weft__waiter *won;           /* what woke it: set by the waker, read after the park */
	_Atomic(weft__m *) m;        /* the thread that runs it, or NULL */
	/* What else it takes to begin and to end: one that never waits touches two lines more. */
	_Alignas(64) void (*fn)(void *);
	void *arg;
	weft__tr_g tr;                         /* the tracer's; the goroutine's id is in it */
	void (*entry)(void *);                 /* what it is called after: fn, or what fn calls */
	uintptr_t created_at;                  /* return address of the weft_go that made it */
	uint64_t creator;                      /* id */
	void *stack_lo, *stack_hi;             /* usable memory; the goroutine itself ends at stack_hi */
	char *name;                            /* its own, or NULL */
	void **locals;                         /* values by key (local.h) */
	struct weft__cleanup *at_end;          /* clean-ups (local.h) */
	struct weft__regions *regions;         /* open ones, for the tracer (api/trace.c) */
	_Atomic(struct weft__labels *) labels; /* labels.h; its own signal handlers look at it */
	/* While it waits, or is tied to a thread. */
	int64_t since_ns;        /* when it began to wait; 0: nobody asked for it */
	uint64_t wait_attr;      /* of wait_object, as fmt/objects.def says; without one: channels of a select */
	union {
		uint64_t wait_holder;      /* id of the goroutine that holds the lock; 0: not known */
		const void *const *select; /* without wait_object: the channels, on its stack if they are few */
	};
	const void *wait_object; /* the channel, lock or descriptor it waits for */
	weft__m *locked_m;
	uint32_t lock_depth;
	_Atomic bool untold; /* the same as WEFT__G_UNTOLD, for other threads */
};

enum weft__pstate {
	WEFT__P_IDLE,    /* on sched.idle_p */
	WEFT__P_RUNNING, /* held by p->m */
	WEFT__P_STOPPED, /* the world is stopped */
	WEFT__P_DEAD,    /* beyond weft_procs */
};

/* A ring has room for most crowds: what goes through the global queue is touched twice more.  BATCH: how many go there
 * or come from there at once. */
enum { WEFT__RUNQ = 1024, WEFT__RUNQ_BATCH = 128 };

/* A timer heap: one for each proc (timer.h). */
typedef struct weft__timers {
	weft__lock lock;
	_Atomic int64_t first_ns; /* when the earliest is due; INT64_MAX: none.  Read without the lock */
	struct weft__timer_slot *heap;
	uint32_t n, cap;
	weft__pins pins;
	weft__pin *fired; /* of the timer whose function runs now */
} weft__timers;

struct weft__p {
	/* Taken from by thieves. */
	_Alignas(64) _Atomic uint32_t runq_head;
	/* Written by the proc's owner. */
	_Alignas(64) _Atomic uint32_t runq_tail;
	uint32_t until_slow;        /* switches left until the next look at the global queue, timers and poller */
	_Atomic(weft__g *) runnext; /* runs next, and inherits the time slice */
	bool alone;                 /* there is no other proc, so no thief; changed while the world is stopped */
	weft__g *free[WEFT__STACK_CLASSES]; /* ended goroutines by class of stack, the last one first */
	uint32_t n_free[WEFT__STACK_CLASSES];
	uint64_t next_id, end_id;        /* goroutine ids taken in advance */
	_Atomic int64_t n_made, n_ended; /* goroutines, since the start */
	_Atomic uint32_t sched_tick;     /* time slices begun */
	_Atomic uint32_t call_tick;      /* blocking calls begun */
	uint32_t lone_fails, lone_skip;  /* see weft__ready_slow */
	uint32_t slow_looks;
	uint64_t rng;
	_Atomic(weft__m *) m;
	_Atomic uint32_t state; /* weft__pstate */
	int32_t id;
	weft__p *link;        /* sched.idle_p */
	weft__m *stolen_from; /* the thread that will miss it, while the world is stopped */
	weft__timers timers;
	weft__tr_p tr;
	/* The monitor's. */
	bool hog_reported;
	uint32_t seen_sched_tick, seen_call_tick;
	int64_t seen_sched_ns, seen_call_ns;
	_Alignas(64) _Atomic(weft__g *) runq[WEFT__RUNQ];
};

/* What the next context on a thread does for the one that has just left. */
typedef enum weft__after {
	WEFT__AFTER_NOTHING,
	WEFT__AFTER_DROP,    /* drop the lock m->after_arg */
	WEFT__AFTER_CALL,    /* m->after_fn(m->after_arg) */
	WEFT__AFTER_REQUEUE, /* put m->after_g on the local queue */
	WEFT__AFTER_GLOBAL,  /* put it on the global queue */
	WEFT__AFTER_END,     /* it has ended: keep its memory for the next */
} weft__after;

/* Bits of m->attn. */
enum weft__attn {
	WEFT__ATTN_TAKING = 1 << 0,  /* somebody is about to take the proc: ask under m->lock how it went */
	WEFT__ATTN_TAKEN = 1 << 1,   /* the proc is gone */
	WEFT__ATTN_YIELD = 1 << 2,   /* the time slice is over, or the world is to stop */
	WEFT__ATTN_FOREIGN = 1 << 3, /* not a thread of the runtime, or not any more */
	WEFT__ATTN_JOIN = 1 << 5,    /* the collected heap has started, and must know this thread */
	WEFT__ATTN_HARD = 1 << 4,    /* rare schedules are forced: yield now and then; never cleared */
};

enum { WEFT__M_FRAMES = 32 };

struct weft__m {
	_Atomic uint32_t in_rt; /* inside the runtime: owns its proc for sure */
	_Atomic uint32_t attn;  /* weft__attn: why to take the slow way in */
	_Atomic(weft__g *) g;   /* runs here; NULL on the scheduler's stack */
	_Atomic(weft__p *) p;
	weft__after after;
	void *after_arg;
	void (*after_fn)(void *);
	weft__g *after_g;
	weft__ctx g0; /* the thread's own stack, where the scheduler runs */
	uint64_t rng;
	int64_t heap_left; /* bytes to allocate until one is recorded (prof/allocs.h) */
	bool heap_drawn;
	_Atomic uint32_t in_call; /* between weft_syscall_begin and _end */
	_Atomic int64_t call_ns;
	weft__lock retake;
	bool spinning;
	/* What waking it was good for (nap.c). */
	bool dull;          /* what it took from others last was short */
	uint32_t n_soon;    /* so many times in a row it had not slept for long */
	int64_t woken_ns;   /* when it began to look for work */
	int64_t took_ns;    /* the same, or when it looked at others' queues after that */
	uint32_t took_tick; /* sched_tick of its proc then */
	weft__note park;
	weft__p *next_p; /* handed over by whoever wakes it */
	weft__g *locked_g;
	bool ends;              /* this thread is about to, with locked_g; not ours: it may at any time */
	bool spare;             /* has no thread; under sched.lock */
	const void *frame;      /* of the call that may collect: where the stacks of that begin */
	weft__m *link;          /* sched.idle_m, spare_m */
	_Atomic(weft__m *) all; /* sched.all_m */
	weft__tr_m tr;          /* the tracer's; the kernel's id of the thread is in it */
	wo_sigstack sigstack;
	/* What the goroutine that is about to park here waits for, when that is several things; n: 0, it is not. */
	unsigned n_waits_for;
	weft__tr_object waits_for[WEFT__WAITS_FOR_MAX + 1];
	uintptr_t made_at[WEFT__M_FRAMES]; /* the stack that started its thread; under sched.lock */
	uint32_t n_made_at;
};

extern __thread weft__m *weft__m_here __attribute__((tls_model("initial-exec")));

/* The thread that runs this.  Never keep it over a switch: a goroutine may go on on another thread, and compilers keep
 * addresses of thread-locals, hence the assembly. */
static inline weft__m *weft__self(void)
{
	weft__m *m;
#if defined(__x86_64__)
	__asm__ volatile("movq weft__m_here@gottpoff(%%rip), %0\n\tmovq %%fs:(%0), %0" : "=r"(m) : : "memory");
#elif defined(__aarch64__)
	uint64_t t;
	__asm__ volatile(
		"mrs %1, tpidr_el0\n\tadrp %0, :gottprel:weft__m_here\n\tldr %0, [%0, :gottprel_lo12:weft__m_here]\n\t"
		"ldr %0, [%1, %0]"
		: "=&r"(m), "=&r"(t)
		:
		: "memory");
#else
#error "no stack switch for this processor"
#endif
	return m;
}

static inline weft__g *weft__self_g(weft__m *m)
{
	return atomic_load_explicit(&m->g, memory_order_relaxed);
}

static inline weft__p *weft__self_p(weft__m *m)
{
	return atomic_load_explicit(&m->p, memory_order_relaxed);
}

static inline weft__state weft__g_state(const weft__g *g)
{
	return (weft__state)atomic_load_explicit(&((weft__g *)(uintptr_t)g)->state, memory_order_acquire);
}

static inline void weft__g_set_state(weft__g *g, weft__state s)
{
	atomic_store_explicit(&g->state, (uint8_t)s, memory_order_release);
}

static inline void weft__fetch_line(uintptr_t at)
{
#if defined(__x86_64__)
	__asm__ volatile("prefetchw (%0)" : : "r"(at)); /* compilers must be told that the processor has it: all have */
#else
	__builtin_prefetch((const void *)at, /* to be written= */ 1);
#endif
}

/* Fetches what making a goroutine writes: of its descriptor, and of the stack beneath.  Any pointer will do. */
static inline void weft__g_fetch(const weft__g *g)
{
	uintptr_t at = (uintptr_t)g;
	weft__fetch_line(at);
	weft__fetch_line(at + 64);
	weft__fetch_line(at - 64);
}

/* Xorshift: for choices, not for secrets. */
static inline uint64_t weft__rng(uint64_t *s)
{
	uint64_t x = *s;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *s = x;
}

#endif

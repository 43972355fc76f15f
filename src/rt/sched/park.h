/* rt/sched/park.h - a goroutine waits, another wakes it.
 *
 * A goroutine that waits publishes itself under a lock (a channel's, a semaphore's) and parks; that lock is dropped by
 * the next goroutine on the thread, once the registers of the first are saved: so whoever finds a waiter under the lock
 * finds it parked.  Woken goroutines go on in the thread that has them next.
 */
#ifndef WEFT__PARK_H
#define WEFT__PARK_H

#include "rt/sched/enter.h"
#include "rt/sched/labels.h"
#include "rt/sched/scheduler.h"
#include "rt/sched/tell.h"
#include "rt/sched/watch.h"

/* Goroutines that switch to each other look at the global queue, timers and the poller each so many switches
 * (Go's schedtick % 61). */
enum { WEFT__SLOW_TICKS = 61 };

static inline void weft__do_after(weft__m *m)
{
	WEFT__SWITCH_TO(m);
	weft__after after = m->after;
	if (weft__likely(after == WEFT__AFTER_DROP)) {
		m->after = WEFT__AFTER_NOTHING;
		weft__lock_drop(m->after_arg);
	} else if (after != WEFT__AFTER_NOTHING) {
		weft__after_slow(m);
	}
}

/* The goroutine to switch to at once, or NULL: then the scheduler has to look. */
static inline weft__g *weft__next(weft__m *m)
{
	weft__p *p = weft__self_p(m);
	if (weft__unlikely(--p->until_slow == 0) || weft__unlikely(m->locked_g != NULL))
		return NULL;
	bool inherit;
	weft__g *next = weft__runq_get(p, &inherit);
	if (weft__unlikely(!next))
		return NULL;
	if (weft__unlikely(next->flags & (WEFT__G_LOCKED | WEFT__G_UNTOLD))) {
		weft__runq_put(p, next, true);
		return NULL;
	}
	if (!inherit)
		atomic_store_explicit(&p->sched_tick, atomic_load_explicit(&p->sched_tick, memory_order_relaxed) + 1,
			memory_order_relaxed);
	return next;
}

/* Makes g the one that m runs. */
static inline void weft__set_running(weft__m *m, weft__g *g)
{
	atomic_store_explicit(&m->g, g, memory_order_relaxed);
	atomic_store_explicit(&g->m, m, memory_order_relaxed);
	WEFT__TELL(m, go_start);
	weft__g_set_state(g, WEFT__G_RUNNING);
}

/* Leaves g, which has its new state, with m->after set; comes back when g runs again: the thread it is on then.
 * Inlined: each return behind a switch is one that the processor predicts from the calls of another goroutine. */
static inline __attribute__((always_inline)) weft__m *weft__switch_away(weft__m *m, weft__g *g)
{
	atomic_store_explicit(&g->m, NULL, memory_order_relaxed);
	weft__g *next = weft__next(m);
	if (weft__likely(next != NULL)) {
		weft__set_running(m, next);
		WEFT__SWITCH_FROM(m);
		weft__ctx_switch(&g->ctx, &next->ctx);
	} else {
		atomic_store_explicit(&m->g, NULL, memory_order_relaxed);
		WEFT__SWITCH_FROM(m);
		weft__ctx_switch(&g->ctx, &m->g0);
	}
	m = weft__self();
	weft__do_after(m);
	return m;
}

static inline weft__m *weft__park_now(
	weft__m *m, weft__lock *lock, weft__reason why, const void *object, const void *fp)
{
	weft__g *g = weft__self_g(m);
	g->reason = (uint8_t)why;
	g->wait_object = object;
	g->since_ns = atomic_load_explicit(&weft__sched.now_ns, memory_order_relaxed);
	m->after = WEFT__AFTER_DROP;
	m->after_arg = lock;
	if (weft__tr_on())
		weft__tell_block(m, fp);
	weft__g_set_state(g, WEFT__G_WAITING);
	return weft__switch_away(m, g);
}

weft__m *weft__park_watched(weft__m *m, weft__lock *lock, weft__reason why, const void *object, const void *fp);

/* Parks the running goroutine; `lock` (held) is dropped when it may be woken. */
static inline weft__m *weft__park(weft__m *m, weft__lock *lock, weft__reason why, const void *object)
{
	if (weft__watch_blocks())
		return weft__park_watched(m, lock, why, object, WEFT__FRAME);
	return weft__park_now(m, lock, why, object, WEFT__FRAME);
}

/* The same; fn(arg) is called, on another stack, when it may be woken: it must not park. */
weft__m *weft__park_call(weft__m *m, void (*fn)(void *), void *arg, weft__reason why, const void *object);

/* Makes g, which is parked, runnable, and says so: it runs next on this thread's proc unless another takes it first.
 * From any thread that has entered. */
void weft__ready_slow(weft__m *m, weft__g *g);

/* Onto a queue, and others are woken for it. */
static inline void weft__ready_new(weft__m *m, weft__g *g)
{
	weft__p *p = weft__self_p(m);
	if (weft__likely(p != NULL)) {
		/* On the scheduler's stack (timers) the first that is woken runs first. */
		bool next = weft__self_g(m) || !atomic_load_explicit(&p->runnext, memory_order_relaxed);
		weft__runq_put(p, g, next);
		if (weft__unlikely(atomic_load_explicit(&weft__sched.n_idle_p, memory_order_relaxed) != 0))
			weft__ready_slow(m, NULL);
	} else {
		weft__ready_slow(m, g);
	}
}

static inline void weft__ready(weft__m *m, weft__g *g)
{
	WEFT__TELL(m, go_unblock, &g->tr, WEFT__FRAME);
	weft__g_set_state(g, WEFT__G_RUNNABLE);
	weft__ready_new(m, g);
}

/* The same for what weft__g_make has made.  Told first: a generation that ends in between would mention a goroutine
 * that it sees, and then it must not be created any more. */
static inline __attribute__((always_inline)) void weft__ready_made(weft__m *m, weft__g *g)
{
	weft__g *self = weft__self_g(m);
	g->creator = self ? self->tr.id : 0;
	if (weft__tr_on())
		weft__tell_create(m, g, WEFT__FRAME);
	weft__g_set_state(g, WEFT__G_RUNNABLE);
	weft__ready_new(m, g);
}

/* g begins with the labels of the goroutine that makes it. */
void weft__inherit(weft__g *g, weft__g *from);

/* The same for many at once, to be collected under a lock: list them, then wake them without it.  A crowd is touched
 * only once on its way to a queue.  w: what g waits with. */
static inline void weft__ready_list(weft__m *m, weft__queue *list, weft__g *g, const weft__waiter *w)
{
	if (list->tail)
		weft__g_fetch_crowd(list->tail, g, w);
	WEFT__TELL(m, go_unblock, &g->tr, WEFT__FRAME);
	weft__g_set_state(g, WEFT__G_RUNNABLE);
	weft__queue_push(list, g);
}

static inline void weft__ready_listed(weft__m *m, weft__queue *list)
{
	if (list->n > WEFT__RUNQ_BATCH) {
		weft__inject(list);
		return;
	}
	for (weft__g *g; (g = weft__queue_pop(list)) != NULL;)
		weft__ready_new(m, g);
}

/* Starts a goroutine, which runs next on this thread's proc.  0 or -ENOMEM.  From any thread that has entered. */
static inline __attribute__((always_inline)) int weft__go(weft__m *m, const weft__start *start)
{
	int err;
	weft__g *g = weft__g_make(weft__self_p(m), start, &err);
	if (weft__unlikely(!g))
		return err;
	weft__g *self = weft__self_g(m);
	if (weft__unlikely(self && atomic_load_explicit(&self->labels, memory_order_relaxed)))
		weft__inherit(g, self);
	weft__ready_made(m, g);
	return 0;
}

/* To the end of the local queue (the global one when `far`), and on with another. */
weft__m *weft__yield(weft__m *m, bool far);

/* The runtime's own blocking calls: outside, with the goroutine's proc up for taking. */
void weft__call_begin(weft__m *m);
weft__m *weft__call_end(void);

/* ---- the thread's own stack, which is large (outside.c) ---- */

/* fn(arg) there, in the middle of a goroutine, which stays on this thread; or here, outside one.  Must not park. */
void weft__on_own_stack(weft__m *m, void (*fn)(void *arg), void *arg);
/* The same for what may block the thread: the proc is up for taking meanwhile.  Not inside the runtime. */
void weft__blocking(void (*fn)(void *arg), void *arg);

#endif

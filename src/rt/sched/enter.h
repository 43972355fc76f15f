/* rt/sched/enter.h - the border between a goroutine's own code and the runtime.
 *
 * Every public call begins with weft__enter and ends with weft__leave.  Between them the thread surely owns its proc;
 * outside, the proc may be taken at any moment, because a call blocks the thread, because the goroutine computes for
 * too long, or because the world stops.  Both ends are plain stores.  It works like this:
 *
 *   thread:  in_rt = 1; compiler barrier; if (attn) slow way             (weft__enter)
 *   taker:   lock m->retake; attn |= TAKING; membarrier; in_rt == 0?     (weft__take_proc)
 *              yes: the proc is the taker's, attn = TAKEN.  no: it is not, attn = as before.  Unlock.
 *
 * Invariant 1: of the two, at least one sees what the other has written: membarrier(2) makes every other thread of the
 * process pass a full barrier, so that the thread itself needs none.  A thread that sees TAKING takes the slow way,
 * where it waits for m->retake and so for the decision.  Where the system call is missing, weft__border_fence makes the
 * thread pay for a real barrier.
 */
#ifndef WEFT__ENTER_H
#define WEFT__ENTER_H

#include "rt/sched/gmp.h"

extern bool weft__border_fence __attribute__((visibility("hidden"))); /* set once, before the first goroutine */

weft__m *weft__enter_slow(weft__m *m);

static inline void weft__border(void)
{
	if (weft__unlikely(weft__border_fence))
		atomic_thread_fence(memory_order_seq_cst);
	else
		atomic_signal_fence(memory_order_seq_cst);
}

/* Into the runtime.  The thread that runs this from now on; without a goroutine (weft__self_g is NULL) when the
 * caller is not one. */
static inline weft__m *weft__enter(void)
{
	weft__m *m = weft__self();
	atomic_store_explicit(&m->in_rt, 1, memory_order_relaxed);
	weft__border();
	if (weft__unlikely(atomic_load_explicit(&m->attn, memory_order_acquire) != 0))
		return weft__enter_slow(m);
	return m;
}

/* Out of it; m as it is now (weft__self after anything that may park). */
static inline void weft__leave(weft__m *m)
{
	atomic_store_explicit(&m->in_rt, 0, memory_order_release);
}

/* For TSan, to whom contexts are threads: what a context did on a thread comes before what the next one does there.
 * That hides races between goroutines that happen to run on one thread; two threads show them. */
#if WEFT__CTX_TSAN
void __tsan_acquire(void *at);
void __tsan_release(void *at);
#define WEFT__SWITCH_FROM(m) __tsan_release(m)
#define WEFT__SWITCH_TO(m)   __tsan_acquire(m)
#else
#define WEFT__SWITCH_FROM(m) ((void)(m))
#define WEFT__SWITCH_TO(m)   ((void)(m))
#endif

/* A thread without a proc and goroutine that sleeps counts as outside. */
static inline void weft__idle_begin(weft__m *m)
{
	weft__leave(m);
}

void weft__idle_end(weft__m *m);

#endif

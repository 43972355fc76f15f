/* rt/wait/waiter.h - goroutines in queues: of a channel, a lock, a condition.
 *
 * A waiter lives on the stack of the goroutine that waits.  One goroutine may have several (select), and a deadline:
 * then whoever wants to wake it must win, by weft__waiter_wins, and the losers' waiters stay queued until the goroutine
 * takes them out itself.
 */
#ifndef WEFT__WAITER_H
#define WEFT__WAITER_H

#include "rt/sched/park.h"
#include "rt/sched/timer.h"

struct weft__waiter {
	weft__waiter *next, *prev;
	weft__g *g;
	void *elem;     /* to copy from or to, or NULL */
	uint32_t index; /* of its case */
	bool queued;
	bool contested; /* others may wake the goroutine too */
	bool ok;        /* set by the waker: an element changed hands (false: closed) */
};

typedef struct weft__waitq {
	weft__waiter *first, *last;
} weft__waitq;

/* Some look at it without the lock. */
static inline void weft__waitq_set_first(weft__waitq *q, weft__waiter *w)
{
	__atomic_store_n(&q->first, w, __ATOMIC_RELAXED);
}

static inline void weft__waitq_put(weft__waitq *q, weft__waiter *w)
{
	w->next = NULL;
	w->prev = q->last;
	if (q->last)
		q->last->next = w;
	else
		weft__waitq_set_first(q, w);
	q->last = w;
	w->queued = true;
}

static inline void weft__waitq_remove(weft__waitq *q, weft__waiter *w)
{
	if (!w->queued)
		return;
	if (w->prev)
		w->prev->next = w->next;
	else
		weft__waitq_set_first(q, w->next);
	if (w->next)
		w->next->prev = w->prev;
	else
		q->last = w->prev;
	w->queued = false;
}

enum { WEFT__WON_BY_WAITER = 1, WEFT__WON_BY_DEADLINE = 2 };

static inline bool weft__waiter_wins(weft__g *g, uint32_t by)
{
	uint32_t nobody = 0;
	return atomic_compare_exchange_strong_explicit(
		&g->select_won, &nobody, by, memory_order_acq_rel, memory_order_relaxed);
}

/* The first waiter that can still be woken; the caller must make its goroutine runnable. */
static inline weft__waiter *weft__waitq_take(weft__waitq *q)
{
	for (;;) {
		weft__waiter *w = q->first;
		if (!w)
			return NULL;
		weft__waitq_remove(q, w);
		if (weft__likely(!w->contested) || weft__waiter_wins(w->g, WEFT__WON_BY_WAITER)) {
			w->g->won = w;
			return w;
		}
	}
}

/* ---- deadlines ----
 *
 * The timer may fire before the goroutine is parked.  The gate says who came second, and that one makes it runnable:
 * weft__deadline_parked is called by the next context on the thread, before any lock is dropped. */

typedef struct weft__deadline {
	weft__timer timer;
} weft__deadline;

/* Before the waiters are queued; they must be contested.  0 or -ENOMEM. */
int weft__deadline_start(weft__m *m, weft__deadline *d, int64_t ns);
/* True: the deadline has come before, so after dropping its locks the caller must call weft__ready for g. */
bool weft__deadline_parked(weft__g *g);
/* After the park. */
void weft__deadline_stop(weft__deadline *d);

/* As weft__park, between weft__deadline_start (which comes before the lock) and weft__deadline_stop.  When the deadline
 * was first, the waiter may still be queued afterwards. */
weft__m *weft__park_timed(weft__m *m, weft__lock *lock, weft__reason why, const void *object);

/* For calls that return nothing and would have to wait where no goroutine runs: panics. */
_Noreturn void weft__outside(const char *call);

#endif

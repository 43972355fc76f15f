/* rt/wait/cond.c - condition variables: waiters in a line of their own, in the order they came.
 *
 * The line is locked from before the mutex is unlocked until the goroutine is parked.  So a signal after the unlock
 * finds the waiter in line, and parked. */
#include <errno.h>

#include <weft/sync.h>

#include "os/thread.h"
#include "rt/wait/mutex.h"

/* What a weft_cond is in here. */
typedef struct inside {
	weft__lock lock;
	_Atomic uint32_t n_waits; /* changed under the lock */
	weft__waitq line;
} inside;

_Static_assert(sizeof(inside) == sizeof(weft_cond), "the public structure has room");
_Static_assert(_Alignof(inside) == _Alignof(weft_cond), "and is aligned alike");

static inside *of(weft_cond *c)
{
	return (inside *)c;
}

static void count(inside *c, int by)
{
	uint32_t n = atomic_load_explicit(&c->n_waits, memory_order_relaxed);
	atomic_store_explicit(&c->n_waits, n + (uint32_t)by, memory_order_relaxed);
}

/* ---- wait ---- */

/* In line, and the mutex unlocked: it is locked, the line. */
static void begin(weft__m *m, inside *c, weft__waiter *w, weft_mutex *mutex)
{
	weft__lock_take(&c->lock, WEFT__RANK_COND);
	weft__waitq_put(&c->line, w);
	count(c, 1);
	/* A mutex that is handed over wants its new owner to run soon: it does, because this one parks. */
	weft__mutex_unlock(m, mutex);
}

static void lock_again(weft__m **m, weft_mutex *mutex)
{
	if (!weft_try_lock(mutex))
		weft__mutex_lock(m, mutex, WEFT__WAIT_MUTEX, mutex);
}

void weft_cond_wait(weft_cond *cond, weft_mutex *mutex)
{
	weft__m *m = weft__enter();
	weft__waiter w = { .g = weft__self_g(m) };
	if (!w.g)
		weft__outside("weft_cond_wait");
	inside *c = of(cond);
	begin(m, c, &w, mutex);
	m = weft__park(m, &c->lock, WEFT__WAIT_COND, cond);
	lock_again(&m, mutex);
	weft__leave(m);
}

/* With a goroutine and a deadline that is still to come.  As weft_cond_wait_until. */
static int wait_until(weft__m **m, inside *c, weft_mutex *mutex, int64_t deadline_ns)
{
	weft__waiter w = { .g = weft__self_g(*m), .contested = true };
	weft__deadline d;
	int err = weft__deadline_start(*m, &d, deadline_ns);
	if (err < 0)
		return err;
	begin(*m, c, &w, mutex);
	*m = weft__park_timed(*m, &c->lock, WEFT__WAIT_COND, c);
	weft__deadline_stop(&d);
	weft__lock_take(&c->lock, WEFT__RANK_COND);
	if (w.queued)
		count(c, -1);
	weft__waitq_remove(&c->line, &w);
	weft__lock_drop(&c->lock);
	lock_again(m, mutex);
	return w.ok ? 0 : -ETIMEDOUT;
}

int weft_cond_wait_until(weft_cond *cond, weft_mutex *mutex, weft_ns deadline)
{
	if (deadline == INT64_MAX && weft__self_g(weft__self())) {
		weft_cond_wait(cond, mutex);
		return 0;
	}
	weft__m *m = weft__enter();
	int err = -EPERM;
	if (weft__self_g(m)) {
		/* Even without waiting, others get their turn at the mutex, as they would with a moment left. */
		int64_t now = wo_now_ns();
		err = wait_until(&m, of(cond), mutex, deadline > now ? deadline : now);
	}
	weft__leave(m);
	return err;
}

/* ---- wake ---- */

static weft__waiter *take(inside *c)
{
	for (weft__waiter *w; (w = c->line.first) != NULL;) {
		weft__waitq_remove(&c->line, w);
		count(c, -1);
		if (w->contested && !weft__waiter_wins(w->g, WEFT__WON_BY_WAITER))
			continue;
		w->ok = true;
		return w;
	}
	return NULL;
}

static void wake(inside *c, bool all)
{
	/* Who is in line since before this call is counted: the unlock of the mutex has come between. */
	if (atomic_load_explicit(&c->n_waits, memory_order_acquire) == 0)
		return;
	weft__m *m = weft__enter();
	weft__queue woken = { 0 };
	weft__lock_take(&c->lock, WEFT__RANK_COND);
	for (weft__waiter *w; (all || woken.n == 0) && (w = take(c)) != NULL;)
		weft__ready_list(m, &woken, w->g, w);
	weft__lock_drop(&c->lock);
	weft__ready_listed(m, &woken);
	weft__leave(m);
}

void weft_cond_signal(weft_cond *c)
{
	wake(of(c), /* all= */ false);
}

void weft_cond_broadcast(weft_cond *c)
{
	wake(of(c), /* all= */ true);
}

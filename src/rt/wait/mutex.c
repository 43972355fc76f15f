/* rt/wait/mutex.c - mutual exclusion.  Source: Go, internal/sync/mutex.go.
 *
 * Normally a goroutine that is woken competes with those that come just then, and mostly loses: they run already.  That
 * is fast, and not fair.  So when a waiter has lost for 1 ms it makes the mutex starve: now an unlock hands the mutex
 * over to the first in line, and newcomers stand in line at once.  The mutex stops starving with the last waiter, or
 * with one that has waited for less.
 *
 * What is not contended costs a compare-and-swap and a subtraction, and never enters the runtime.  Nor does what nobody
 * holds while one of those who want it is awake already: so that an owner who takes it again and again pays for its
 * rivals now and then only, and keeps the line in its cache. */
#include "rt/wait/mutex.h"

#include "os/thread.h"
#include "rt/sched/nap.h"
#include "rt/wait/sema.h"

/* Bits of the state; above them the number of waiters. */
enum {
	LOCKED = 1,
	WOKEN = 2, /* somebody awake is after it: unlocking need not wake another */
	STARVING = 4,
	WAITER = 8,
};

enum {
	STARVING_NS = 1000000,
	SPINS = 4, /* tries before a waiter parks */
	PAUSES = 30,
};

bool weft__keeps_holders;

static uint32_t state_of(const weft_mutex *mutex)
{
	return __atomic_load_n(&mutex->state, __ATOMIC_RELAXED);
}

static bool change(weft_mutex *mutex, uint32_t *old, uint32_t new)
{
	return __atomic_compare_exchange_n(
		&mutex->state, old, new, /* weak= */ false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* Who holds it is told in traces and dumps, and written down while there is a trace, or when asked for: always would
 * have each lock that nobody contends look up its goroutine, and dirty one word more.  Each unlock wipes it out, so
 * that what is there is never wrong, only missing. */
static inline void hold(weft_mutex *mutex)
{
	if (weft__tells_holders())
		__atomic_store_n(&mutex->holder, weft__holder_here(), __ATOMIC_RELAXED);
}

static inline void let_go(weft_mutex *mutex)
{
	if (weft__unlikely(weft__mutex_holder(mutex) != 0))
		__atomic_store_n(&mutex->holder, 0, __ATOMIC_RELAXED);
}

static inline bool try_lock(weft_mutex *mutex)
{
	uint32_t old = state_of(mutex);
	if (weft__unlikely(old & (LOCKED | STARVING)) || weft__unlikely(!change(mutex, &old, old | LOCKED)))
		return false;
	hold(mutex);
	return true;
}

/* ---- lock ---- */

/* One that wants the mutex and did not get it at once. */
typedef struct contender {
	int64_t since_ns; /* it began to wait; 0: it has not yet */
	bool starving;
	bool woken; /* the WOKEN bit is its own */
	int spins;
} contender;

/* Spinning pays when the owner runs on another proc, and nothing else waits for this one. */
static bool may_spin(weft__m *m, const contender *c)
{
	weft__p *p = weft__self_p(m);
	if (c->spins >= SPINS || !p || weft__sched.n_p == 1)
		return false;
	int32_t others = atomic_load_explicit(&weft__sched.n_idle_p, memory_order_relaxed) +
			 weft__looking() + 1;
	return weft__sched.n_p > others && weft__runq_empty(p);
}

static void spin(weft_mutex *mutex, contender *c)
{
	uint32_t old = state_of(mutex);
	if (!c->woken && !(old & WOKEN) && old >= WAITER && change(mutex, &old, old | WOKEN))
		c->woken = true;
	for (int i = 0; i < PAUSES; i++)
		weft__pause();
	c->spins++;
}

/* What the state becomes when c takes the mutex, or stands in line for it. */
static uint32_t next_state(const contender *c, uint32_t old)
{
	uint32_t new = old;
	if (!(old & STARVING))
		new |= LOCKED;
	if (old & (LOCKED | STARVING))
		new += WAITER;
	if (c->starving && (old & LOCKED))
		new |= STARVING;
	if (c->woken && !(new &WOKEN))
		weft__throw("a mutex lost its woken bit");
	return c->woken ? new & ~(uint32_t)WOKEN : new;
}

/* The mutex starves and has been handed to c, which is still counted as a waiter. */
static void accept(weft_mutex *mutex, const contender *c)
{
	uint32_t old = state_of(mutex);
	if ((old & (LOCKED | WOKEN)) || old < WAITER)
		weft__throw("a mutex was handed over in a wrong state");
	uint32_t less = WAITER - LOCKED;
	if (!c->starving || old / WAITER == 1)
		less += STARVING;
	__atomic_fetch_sub(&mutex->state, less, __ATOMIC_ACQUIRE);
	hold(mutex);
}

void weft__mutex_lock(weft__m **m, weft_mutex *mutex, weft__reason why, const void *object)
{
	contender c = { 0 };
	uint32_t old = state_of(mutex);
	for (;;) {
		if ((old & (LOCKED | STARVING)) == LOCKED && may_spin(*m, &c)) {
			spin(mutex, &c);
			old = state_of(mutex);
			continue;
		}
		if (!weft__self_g(*m) && (old & (LOCKED | STARVING)))
			weft__outside("weft_lock");
		if (!change(mutex, &old, next_state(&c, old)))
			continue;
		if (!(old & (LOCKED | STARVING))) {
			hold(mutex);
			return;
		}
		bool again = c.since_ns != 0;
		if (!again)
			c.since_ns = wo_now_ns();
		weft__sema_take(m, &mutex->sema,
			&(weft__sema_how){ why, /* first= */ again, object, INT64_MAX, weft__mutex_holder(mutex),
				/* expected= */ true });
		c.starving = c.starving || wo_now_ns() - c.since_ns > STARVING_NS;
		old = state_of(mutex);
		if (old & STARVING) {
			accept(mutex, &c);
			return;
		}
		c.woken = true;
		c.spins = 0;
	}
}

static __attribute__((noinline)) void lock_slow(weft_mutex *mutex)
{
	weft__m *m = weft__enter();
	weft__mutex_lock(&m, mutex, WEFT__WAIT_MUTEX, mutex);
	weft__leave(m);
}

void weft_lock(weft_mutex *m)
{
	if (weft__unlikely(!try_lock(m)))
		lock_slow(m);
}

bool weft_try_lock(weft_mutex *m)
{
	return try_lock(m);
}

/* ---- unlock ---- */

/* The mutex has been unlocked, and there was more in the state than that.  As weft__mutex_unlock. */
static bool wake_waiter(weft__m *m, weft_mutex *mutex, uint32_t state)
{
	if (!((state + LOCKED) & LOCKED))
		weft__fatal("sync: unlock of unlocked mutex");
	if (state & STARVING) {
		weft__sema_hand(m, &mutex->sema);
		return true;
	}
	/* Nobody to wake, or somebody else sees to it. */
	while (state >= WAITER && !(state & (LOCKED | WOKEN | STARVING))) {
		if (change(mutex, &state, (state - WAITER) | WOKEN)) {
			weft__sema_hand(m, &mutex->sema);
			break;
		}
	}
	return false;
}

bool weft__mutex_unlock(weft__m *m, weft_mutex *mutex)
{
	let_go(mutex);
	uint32_t state = __atomic_sub_fetch(&mutex->state, LOCKED, __ATOMIC_RELEASE);
	return state != 0 && wake_waiter(m, mutex, state);
}

static __attribute__((noinline)) void unlock_slow(weft_mutex *mutex, uint32_t state)
{
	weft__m *m = weft__self();
	if ((state & (LOCKED | WOKEN | STARVING)) == WOKEN && atomic_load_explicit(&m->attn, memory_order_relaxed) == 0)
		return; /* somebody is awake who will see that it is free, and this thread need not yield */
	m = weft__enter();
	if (wake_waiter(m, mutex, state) && weft__self_g(m))
		m = weft__yield(m, /* far= */ false);
	weft__leave(m);
}

void weft_unlock(weft_mutex *m)
{
	let_go(m);
	uint32_t state = __atomic_sub_fetch(&m->state, LOCKED, __ATOMIC_RELEASE);
	if (weft__unlikely(state != 0))
		unlock_slow(m, state);
}

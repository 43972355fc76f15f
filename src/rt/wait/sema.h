/* rt/wait/sema.h - goroutines that wait at an address: what mutexes and their kin are made of.
 *
 * A semaphore is a number, in 32 bits anywhere in memory, that is taken from and given to.  Whoever finds nothing to
 * take waits in a table of the runtime, so that the number is all that a lock needs to have.  Source: Go,
 * runtime/sema.go.  What differs: what is given goes straight to the waiter, so that nobody takes it on the way.
 */
#ifndef WEFT__SEMA_H
#define WEFT__SEMA_H

#include "rt/wait/waiter.h"

typedef struct weft__sema_how {
	weft__reason why;
	bool first;          /* before those who wait already */
	const void *object;  /* of which the number is a part, for dumps */
	int64_t deadline_ns; /* INT64_MAX: none */
	uint64_t holder;     /* goroutine that holds the lock; 0: not known, or it is none */
	bool expected;       /* whoever gives knows of the wait, and uses weft__sema_hand: nobody need be told of it */
} weft__sema_how;

/* Takes one, if there is one. */
static inline bool weft__sema_try(uint32_t *sema)
{
	uint32_t n = __atomic_load_n(sema, __ATOMIC_SEQ_CST);
	while (n > 0)
		if (__atomic_compare_exchange_n(sema, &n, n - 1, /* weak= */ true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			return true;
	return false;
}

/* Takes one, or parks until it is given one.  0; -ETIMEDOUT, -ENOMEM (with a deadline only), -EPERM without a
 * goroutine.  *m is the thread afterwards. */
int weft__sema_take(weft__m **m, uint32_t *sema, const weft__sema_how *how);

/* Gives one, to who has waited longest if anybody waits: true, and that goroutine runs next here. */
bool weft__sema_give(weft__m *m, uint32_t *sema);
/* The same where somebody waits, or is about to: cheaper then. */
bool weft__sema_hand(weft__m *m, uint32_t *sema);

#endif

/* rt/wait/mutex.h - mutexes, for what is made of them. */
#ifndef WEFT__MUTEX_H
#define WEFT__MUTEX_H

#include <weft/sync.h>

#include "rt/wait/waiter.h"

/* weft_lock and weft_unlock, inside the runtime; `why` and `object` are for dumps.  *m is the thread afterwards. */
void weft__mutex_lock(weft__m **m, weft_mutex *mutex, weft__reason why, const void *object);
/* The goroutine that holds it, as traces tell; 0: not known. */
static inline uint64_t weft__mutex_holder(const weft_mutex *mutex)
{
	return __atomic_load_n(&mutex->holder, __ATOMIC_RELAXED);
}

/* Holders are written down while a trace runs, and for who asked for it. */
extern bool weft__keeps_holders __attribute__((visibility("hidden"))); /* WEFT_DEBUG=locks=1 */
static inline bool weft__tells_holders(void)
{
	return weft__tr_on() || weft__unlikely(weft__keeps_holders);
}

/* The goroutine that runs here, for what remembers who holds it; 0: none. */
static inline uint64_t weft__holder_here(void)
{
	weft__m *m = weft__self();
	weft__g *g = m ? weft__self_g(m) : NULL;
	return g ? g->tr.id : 0;
}

/* True: the mutex now belongs to a goroutine that runs next here, so the caller should park or yield soon. */
bool weft__mutex_unlock(weft__m *m, weft_mutex *mutex);

#endif

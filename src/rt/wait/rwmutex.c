/* rt/wait/rwmutex.c - any number of readers or one writer.  Source: Go, sync/rwmutex.go.
 *
 * A writer takes the mutex of the writers, then subtracts READERS_MAX from the number of readers: so readers that come
 * see a negative number and wait, and those that were there before count themselves off in n_departing. */
#include <weft/sync.h>

#include "rt/wait/mutex.h"
#include "rt/wait/sema.h"

enum { READERS_MAX = 1 << 30 };

static bool wait(weft__m **m, uint32_t *sema, weft__reason why, const weft_rwmutex *rw, uint64_t holder)
{
	weft__sema_how how = { why, /* first= */ false, rw, INT64_MAX, holder, /* expected= */ true };
	return weft__sema_take(m, sema, &how) == 0;
}

/* One of the readers, for traces: the last that came, if it has not left. */
static inline void hold(weft_rwmutex *rw)
{
	if (weft__tells_holders())
		__atomic_store_n(&rw->reader, weft__holder_here(), __ATOMIC_RELAXED);
}

static inline uint64_t reader(const weft_rwmutex *rw)
{
	return __atomic_load_n(&rw->reader, __ATOMIC_RELAXED);
}

static inline void let_go(weft_rwmutex *rw)
{
	uint64_t last = reader(rw);
	if (weft__unlikely(last != 0) && last == weft__holder_here())
		__atomic_store_n(&rw->reader, 0, __ATOMIC_RELAXED);
}

/* ---- readers ---- */

void weft_rlock(weft_rwmutex *m)
{
	if (weft__likely(__atomic_add_fetch(&m->n_readers, 1, __ATOMIC_ACQUIRE) >= 0)) {
		hold(m);
		return;
	}
	weft__m *self = weft__enter();
	bool good = wait(&self, &m->reader_sema, WEFT__WAIT_RWMUTEX_R, m, weft__mutex_holder(&m->writers));
	hold(m);
	weft__leave(self);
	if (!good)
		weft__outside("weft_rlock");
}

bool weft_try_rlock(weft_rwmutex *m)
{
	int32_t n = __atomic_load_n(&m->n_readers, __ATOMIC_RELAXED);
	while (n >= 0)
		if (__atomic_compare_exchange_n(
			    &m->n_readers, &n, n + 1, /* weak= */ true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
			hold(m);
			return true;
		}
	return false;
}

/* A writer waits; n readers are left, less READERS_MAX. */
static __attribute__((noinline)) void depart(weft_rwmutex *rw, int32_t n)
{
	if (n == -1 || n == -READERS_MAX - 1)
		weft__fatal("sync: RUnlock of unlocked RWMutex");
	weft__m *m = weft__enter();
	if (__atomic_sub_fetch(&rw->n_departing, 1, __ATOMIC_ACQ_REL) == 0)
		weft__sema_hand(m, &rw->writer_sema);
	weft__leave(m);
}

void weft_runlock(weft_rwmutex *m)
{
	let_go(m);
	int32_t n = __atomic_sub_fetch(&m->n_readers, 1, __ATOMIC_ACQ_REL);
	if (weft__unlikely(n < 0))
		depart(m, n);
}

/* ---- writers ---- */

void weft_wlock(weft_rwmutex *m)
{
	weft__m *self = weft__enter();
	if (!weft_try_lock(&m->writers))
		weft__mutex_lock(&self, &m->writers, WEFT__WAIT_RWMUTEX_W, m);
	int32_t n = __atomic_fetch_sub(&m->n_readers, READERS_MAX, __ATOMIC_ACQ_REL);
	bool good = n == 0 || __atomic_add_fetch(&m->n_departing, n, __ATOMIC_ACQ_REL) == 0 ||
		    wait(&self, &m->writer_sema, WEFT__WAIT_RWMUTEX_W, m, reader(m));
	weft__leave(self);
	if (!good)
		weft__outside("weft_wlock");
}

bool weft_try_wlock(weft_rwmutex *m)
{
	if (!weft_try_lock(&m->writers))
		return false;
	int32_t none = 0;
	if (__atomic_compare_exchange_n(
		    &m->n_readers, &none, -READERS_MAX, /* weak= */ false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return true;
	weft_unlock(&m->writers);
	return false;
}

void weft_wunlock(weft_rwmutex *m)
{
	int32_t n = __atomic_add_fetch(&m->n_readers, READERS_MAX, __ATOMIC_ACQ_REL);
	if (n >= READERS_MAX)
		weft__fatal("sync: Unlock of unlocked RWMutex");
	weft__m *self = weft__enter();
	for (; n > 0; n--)
		weft__sema_hand(self, &m->reader_sema);
	if (weft__mutex_unlock(self, &m->writers) && weft__self_g(self))
		self = weft__yield(self, /* far= */ false);
	weft__leave(self);
}

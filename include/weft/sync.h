/* weft/sync.h - locks and other meetings of goroutines, as in Go's package sync.
 *
 * All zero is ready to use.  They park goroutines, never threads, and are no use to a thread that is not of the
 * runtime, except where "any thread" is said.  What is locked has no owner: another goroutine may unlock it.
 * Their fields are the library's.
 */
#ifndef WEFT_SYNC_H
#define WEFT_SYNC_H

#include <stdbool.h>

#include <weft/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- mutual exclusion ---- */

typedef struct weft_mutex {
	uint32_t state, sema;
	uint64_t holder; /* goroutine that has locked it, where that is written down (weft/debug.h); 0: not known */
} weft_mutex;

/* Fair in the end: whoever has waited for more than 1 ms gets the mutex before newcomers ("starvation mode").
 * weft_unlock() of an unlocked one is a fatal error: "sync: unlock of unlocked mutex".
 * Order: an unlock is synchronized before any later lock.  Same as Go: sync.Mutex. */
WEFT_API void weft_lock(weft_mutex *m);
WEFT_API bool weft_try_lock(weft_mutex *m); /* true: it is locked now.  Any thread. */
WEFT_API void weft_unlock(weft_mutex *m);   /* any thread */

/* Any number of readers or one writer.  Same as Go: sync.RWMutex. */
typedef struct weft_rwmutex {
	weft_mutex writers;
	uint32_t writer_sema, reader_sema;
	int32_t n_readers, n_departing;
	uint64_t reader; /* one of those that hold it, while a trace runs; 0: not known */
} weft_rwmutex;

/* A waiting writer keeps new readers out, so a goroutine must not read-lock twice.  Fatal errors: "sync: RUnlock of
 * unlocked RWMutex", "sync: Unlock of unlocked RWMutex". */
WEFT_API void weft_rlock(weft_rwmutex *m);
WEFT_API bool weft_try_rlock(weft_rwmutex *m); /* any thread */
WEFT_API void weft_runlock(weft_rwmutex *m);   /* any thread */
WEFT_API void weft_wlock(weft_rwmutex *m);
WEFT_API bool weft_try_wlock(weft_rwmutex *m); /* any thread */
WEFT_API void weft_wunlock(weft_rwmutex *m);   /* any thread */

/* ---- conditions ---- */

typedef struct weft_cond {
	uint32_t lock, n_waits;
	void *first, *last;
} weft_cond;

/* Unlocks *m, parks until woken, locks *m again.  Never wakes by itself, but what was waited for may be gone by then:
 * check again.  The waiter that came first is woken first.  Same as Go: sync.Cond. */
WEFT_API void weft_cond_wait(weft_cond *c, weft_mutex *m);
/* 0, -ETIMEDOUT or -ENOMEM; *m is locked again in all cases. */
WEFT_API int weft_cond_wait_until(weft_cond *c, weft_mutex *m, weft_ns deadline);
WEFT_API void weft_cond_signal(weft_cond *c);    /* wakes one, if any; any thread */
WEFT_API void weft_cond_broadcast(weft_cond *c); /* wakes all; any thread */

/* ---- counting ---- */

typedef struct weft_wg {
	uint64_t state;
	uint32_t sema, unused;
} weft_wg;

/* A counter that goroutines wait for to become 0.
 * Panics: "sync: negative WaitGroup counter", "sync: WaitGroup misuse: Add called concurrently with Wait", "sync:
 * WaitGroup is reused before previous Wait has returned".
 * Order: what brings it to 0 is synchronized before the return of those who waited.  Same as Go: sync.WaitGroup. */
WEFT_API void weft_wg_add(weft_wg *wg, int n); /* n may be negative; any thread */
WEFT_API void weft_wg_done(weft_wg *wg);       /* adds -1; any thread */
WEFT_API void weft_wg_wait(weft_wg *wg);
WEFT_API int weft_wg_wait_until(weft_wg *wg, weft_ns deadline); /* 0, -ETIMEDOUT or -ENOMEM */
/* Adds 1, starts fn(arg) in a goroutine, subtracts 1 when that ends (also by weft_exit()).  Errors as weft_go(), and
 * then nothing was added.  Same as Go: WaitGroup.Go. */
WEFT_API int weft_wg_go(weft_wg *wg, weft_fn *fn, void *arg);

/* Permits that can be taken while there are any; WEFT_SEMA(n) starts with n of them, all zero with none. */
typedef struct weft_sema {
	uint32_t value, unused;
} weft_sema;
#define WEFT_SEMA(n)   \
	{              \
		(n), 0 \
	}

/* Those who wait are served in the order they came. */
WEFT_API void weft_sema_acquire(weft_sema *s);
WEFT_API bool weft_sema_try_acquire(weft_sema *s);                    /* any thread */
WEFT_API int weft_sema_acquire_until(weft_sema *s, weft_ns deadline); /* 0, -ETIMEDOUT or -ENOMEM */
WEFT_API void weft_sema_release(weft_sema *s);                        /* gives one; any thread */

/* ---- once ---- */

typedef struct weft_once {
	uint32_t done, unused;
	weft_mutex lock;
} weft_once;

/* Calls fn(arg) the first time; whoever comes meanwhile waits for its end.  fn counts as called when it ends by
 * weft_exit(), too.  fn must not call weft_once_do() on the same: deadlock.  Same as Go: sync.Once. */
WEFT_API void weft_once_do(weft_once *o, weft_fn *fn, void *arg);

#ifdef __cplusplus
}
#endif
#endif

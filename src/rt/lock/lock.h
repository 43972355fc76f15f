/* rt/lock/lock.h - locks of the runtime itself: held for some tens of nanoseconds, never over a switch of goroutines
 * (but see weft__park in sched/park.h, which lets the next goroutine drop one).
 *
 * Dropping is a plain store, half the price of an exchange: so nobody is woken, and a thread that does not get the lock
 * soon yields its processor and then polls with short sleeps.  That happens only when the kernel has stopped the
 * holder.  A zeroed lock is free.  Any thread of the process may use one; not from signal handlers.
 */
#ifndef WEFT__LOCK_H
#define WEFT__LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct weft__lock {
	_Atomic uint32_t held;
} weft__lock;

typedef enum weft__rank {
	WEFT__RANK_NONE,
#define LOCK(ID, what) WEFT__RANK_##ID,
#include "rt/lock/locks.def"
} weft__rank;

/* Checked builds: every take and drop is held against locks.def. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WEFT__LOCK_CHECKED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WEFT__LOCK_CHECKED 1
#endif
#endif
#ifndef WEFT__LOCK_CHECKED
#define WEFT__LOCK_CHECKED 0
#endif

void weft__lock_wait(weft__lock *l);                    /* the slow half of weft__lock_take */
void weft__lock_note_take(weft__lock *l, weft__rank r); /* the checker's two ends */
void weft__lock_note_drop(weft__lock *l);

/* A hint to the processor that the thread is spinning. */
static inline void weft__pause(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("isb" ::: "memory");
#endif
}

static inline bool weft__lock_try(weft__lock *l, weft__rank r)
{
	uint32_t is_free = 0;
	bool got = atomic_compare_exchange_strong_explicit(
		&l->held, &is_free, 1, memory_order_acquire, memory_order_relaxed);
	if (WEFT__LOCK_CHECKED && got)
		weft__lock_note_take(l, r);
	(void)r;
	return got;
}

static inline void weft__lock_take(weft__lock *l, weft__rank r)
{
	if (WEFT__LOCK_CHECKED)
		weft__lock_note_take(l, r);
	(void)r;
	uint32_t is_free = 0;
	if (__builtin_expect(!atomic_compare_exchange_strong_explicit(
				     &l->held, &is_free, 1, memory_order_acquire, memory_order_relaxed),
		    0))
		weft__lock_wait(l);
}

static inline void weft__lock_drop(weft__lock *l)
{
	if (WEFT__LOCK_CHECKED)
		weft__lock_note_drop(l);
	atomic_store_explicit(&l->held, 0, memory_order_release);
}

#endif

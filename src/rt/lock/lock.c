#include "rt/lock/lock.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
	SPINS = 100, /* longer than any lock is held by a thread that runs */
	YIELDS = 16,
	SLEEP_FIRST_NS = 2000,
	SLEEP_MOST_NS = 200000, /* a fraction of the kernel's time slice */
	HELD_MAX = 64,          /* select locks its channels at once; more are not checked */
};

static bool take(weft__lock *l)
{
	uint32_t is_free = 0;
	return atomic_load_explicit(&l->held, memory_order_relaxed) == 0 &&
	       atomic_compare_exchange_weak_explicit(&l->held, &is_free, 1, memory_order_acquire, memory_order_relaxed);
}

void weft__lock_wait(weft__lock *l)
{
	for (int i = 0; i < SPINS; i++) {
		if (take(l))
			return;
		weft__pause();
	}
	for (int i = 0; i < YIELDS; i++) {
		if (take(l))
			return;
		sched_yield();
	}
	for (long ns = SLEEP_FIRST_NS;; ns = ns < SLEEP_MOST_NS ? ns * 2 : ns) {
		if (take(l))
			return;
		nanosleep(&(struct timespec){ .tv_nsec = ns }, NULL);
	}
}

/* ---- the checker ---- */

static const char *const names[] = {
	"none",
#define LOCK(ID, what) #ID ": " what,
#include "rt/lock/locks.def"
};

static __thread struct {
	weft__lock *lock;
	weft__rank rank;
} held[HELD_MAX];
static __thread int n_held;

/* Not inlined, here and below: its caller may go on on another thread after a switch, and must not keep the address of
 * this thread's list. */
__attribute__((noinline)) void weft__lock_note_take(weft__lock *l, weft__rank r)
{
	for (int i = 0; i < n_held && i < HELD_MAX; i++) {
		if (held[i].rank < r || (held[i].rank == r && held[i].lock < l))
			continue;
		fprintf(stderr, "weft: lock order: took '%s' while holding '%s'\n", names[r], names[held[i].rank]);
		abort();
	}
	if (n_held < HELD_MAX) {
		held[n_held].lock = l;
		held[n_held].rank = r;
	}
	n_held++;
}

__attribute__((noinline)) void weft__lock_note_drop(weft__lock *l)
{
	int n = n_held < HELD_MAX ? n_held : HELD_MAX;
	for (int i = 0; i < n; i++) {
		if (held[i].lock != l)
			continue;
		held[i] = held[n - 1];
		break;
	}
	n_held--;
}

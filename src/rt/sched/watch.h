/* rt/sched/watch.h - for how long goroutines wait, told to the profilers above. */
#ifndef WEFT__WATCH_H
#define WEFT__WATCH_H

#include "rt/sched/gmp.h"

/* Not 0: each wait is told, when it is over, to weft__watch_blocked. */
extern _Atomic int64_t weft__watch_block_ns __attribute__((visibility("hidden")));
/* Not 0: each wait for a lock is told, by who ends it, to weft__watch_contended, with the time that it and others have
 * cost. */
extern _Atomic int64_t weft__watch_mutex_n __attribute__((visibility("hidden")));

/* Called on the goroutine, inside the runtime, with no lock held; the stack to blame is that from fp on.  Set before
 * the first goroutine. */
typedef void weft__watch_fn(int64_t ns, uintptr_t fp);
extern weft__watch_fn *weft__watch_blocked, *weft__watch_contended;

static inline bool weft__watch_blocks(void)
{
	return weft__unlikely(atomic_load_explicit(&weft__watch_block_ns, memory_order_relaxed) != 0);
}

/* A wait begins: its time, 0 for one that is not told; and is over. */
int64_t weft__watch_begin(weft__reason why);
void weft__watch_end(int64_t since_ns, uintptr_t fp);

#endif

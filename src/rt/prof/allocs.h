/* rt/prof/allocs.h - the heap profile: one allocation is recorded for so many bytes, on average, with its stack.
 *
 * What is recorded has a weak link of libgc's, which says when it is gone.  As in Go, what a profile tells of the
 * collected heap is as of the last collection: what was allocated since may be garbage, and would look like a leak.
 * Source: Go, runtime/mprof.go.
 */
#ifndef WEFT__ALLOCS_H
#define WEFT__ALLOCS_H

#include <stddef.h>

#include "rt/sched/gmp.h"

enum { WEFT__ALLOCS_RATE = 512 << 10 };

/* m, in a goroutine, inside the runtime, has allocated `bytes` at `at`, and it is the turn of one to be recorded. */
void weft__allocs_sample(weft__m *m, void *at, size_t bytes);

/* Bytes until the next one is recorded. */
int64_t weft__allocs_next_in(uint64_t *rng);

/* After every allocation of the collected heap.  m NULL: before the first goroutine; at NULL: there was none. */
static inline void weft__allocs_count(weft__m *m, void *at, size_t bytes)
{
	if (weft__likely(m && at) && weft__unlikely((m->heap_left -= (int64_t)(bytes + !bytes)) < 0))
		weft__allocs_sample(m, at, bytes);
}

#endif

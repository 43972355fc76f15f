/* rt/sched/collect.h - what the scheduler does for the collected heap: shows it the goroutines, has threads join it. */
#ifndef WEFT__COLLECT_H
#define WEFT__COLLECT_H

#include "rt/sched/gmp.h"

void weft__collect_init(void); /* once, before the first goroutine */

/* Before an allocation, in a goroutine, inside the runtime: the heap runs, and knows this thread.  Which thread that
 * is. */
weft__m *weft__collect_prepare(weft__m *m);

/* This thread joins the heap: what WEFT__ATTN_JOIN asks for. */
void weft__collect_join(weft__m *m);

/* Has the goroutine for finalizers look. */
void weft__collect_finalize(void);

/* While a trace runs, behind an allocation: tells how large the heap is, when that has changed by much or a generation
 * has not heard of it yet. */
void weft__collect_tell_heap(weft__m *m);
/* ... and from when on it collects. */
void weft__collect_goal_changed(void);

#endif

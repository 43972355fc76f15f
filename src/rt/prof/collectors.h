/* rt/prof/collectors.h - where the profiles of weft_profile_write come from: each fills a table and its rate.
 *
 * On a thread's own stack, outside the runtime.  self: the goroutine that asks, whose stack is walked from self_fp, or
 * NULL.  What is missing for lack of memory makes the table fail. */
#ifndef WEFT__COLLECTORS_H
#define WEFT__COLLECTORS_H

#include "rt/prof/doc.h"
#include "rt/sched/gmp.h"

typedef struct weft__prof_ask {
	weft__g *self;
	uintptr_t self_fp;
} weft__prof_ask;

typedef void weft__prof_collect(weft__prof_doc *d, const weft__prof_ask *by);

weft__prof_collect weft__goroutines_collect; /* {goroutines} */
weft__prof_collect weft__threads_collect;    /* {threads} */
weft__prof_collect weft__block_collect;      /* {waits, ns} */
weft__prof_collect weft__mutex_collect;      /* {contentions, ns} */
weft__prof_collect weft__allocs_collect;     /* {allocated, bytes, in use, bytes} */

/* What was allocated, from what was recorded. */
void weft__allocs_scale(const weft__prof_doc *d, weft__prof_row *row);

#endif

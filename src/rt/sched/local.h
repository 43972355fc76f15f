/* rt/sched/local.h - what a goroutine has of its own: values by key, and clean-ups for its end. */
#ifndef WEFT__LOCAL_H
#define WEFT__LOCAL_H

#include <weft/types.h>

#include "rt/sched/gmp.h"

/* Something to be done at the end, in the caller's memory. */
typedef struct weft__cleanup {
	struct weft__cleanup *before;
	weft_fn *fn;
	void *arg;
	bool owned; /* by weft_at_end: freed after the call */
} weft__cleanup;

/* Has c->fn(c->arg) called if the running goroutine ends before weft__local_pull(c).  Nothing outside a goroutine. */
void weft__local_push(weft__cleanup *c);
void weft__local_pull(weft__cleanup *c);

/* Runs g's clean-ups, then the ends of its values; by g itself, outside the runtime, because they may park. */
void weft__local_end(weft__g *g);

/* Calls fn for memory in which pointers of g lie, for the collector: the world may have been stopped anywhere. */
void weft__local_each(weft__g *g, void (*fn)(void *lo, void *hi));

#endif

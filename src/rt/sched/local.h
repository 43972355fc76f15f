/* rt/sched/local.h - what a goroutine has of its own: values by key, and clean-ups for its end. */
#ifndef WEFT__LOCAL_H
#define WEFT__LOCAL_H

#include "rt/sched/gmp.h"

/* Runs g's clean-ups, then the ends of its values; by g itself, outside the runtime, because they may park. */
void weft__local_end(weft__g *g);

#endif

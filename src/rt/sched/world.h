/* rt/sched/world.h - beginning and end of the scheduler; stopping it is in scheduler.h. */
#ifndef WEFT__WORLD_H
#define WEFT__WORLD_H

#include "rt/sched/scheduler.h"

typedef struct weft__world_options {
	int32_t procs; /* 1 to WEFT__PROCS_MAX */
	int32_t threads_max;
	size_t stack_bytes; /* of goroutines that ask for none */
	uint64_t seed;
	bool hard;
} weft__world_options;

/* Once.  0 or negative errno; nothing runs yet. */
int weft__world_init(const weft__world_options *opt);
/* Runs the first goroutine, while the calling thread sleeps; 0 when somebody has woken sched.main_done.
 * Negative errno: it could not be started. */
int weft__world_run(const weft__start *start);

/* With the world stopped: timers of procs from n on (0: none of them) go to the first proc. */
void weft__timers_merge(int32_t n);

#endif

/* rt/prof/contention.h - the profiles of blocking and of mutexes: see collectors.h, and sched/watch.h. */
#ifndef WEFT__CONTENTION_H
#define WEFT__CONTENTION_H

/* Once, before the first goroutine. */
void weft__contention_init(void);

#endif

/* rt/prof/reports.h - what a running or ending program says about itself when asked to (WEFT_DEBUG). */
#ifndef WEFT__REPORTS_H
#define WEFT__REPORTS_H

#include <stdint.h>

/* Goroutines that are parked, to fd. */
void weft__dump_parked(int fd);

/* From now on, on standard error: goroutines that run for longer than hog_ns without a call of the library, and a line
 * about the scheduler each sched_ns; 0: not. */
void weft__reports_init(int64_t hog_ns, int64_t sched_ns);

#endif

/* edit/timeline.h - a trace as tracks of slices, for viewers of other makers. */
#ifndef WE_TIMELINE_H
#define WE_TIMELINE_H

#include <wtr/report.h>
#include <wtr/text.h>

#include "base/buf.h"

typedef enum we_timeline { WE_TIMELINE_PERFETTO, WE_TIMELINE_CHROME } we_timeline;

/* Writes procs, goroutines by start function, collections, stop-the-worlds, who woke whom, regions, user tasks,
 * logs, and counters of the heap and of GOMAXPROCS.  `x` has EVENTS and LANES.  Errors: E_IO, E_NOMEM. */
wtr_code we_timeline_write(const wtr_index *x, we_timeline format, wtr_write_fn *put, void *user, wtr_error *err);

#endif

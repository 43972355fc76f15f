/* edit/ahead.h - the events of a trace, ordered by a thread of their own while the caller works on those before.
 *
 * With wtr_options.threads == 1 there is no such thread, and each call orders what it hands out.
 */
#ifndef WE_AHEAD_H
#define WE_AHEAD_H

#include <wtr/event.h>

typedef struct we_ahead we_ahead;

/* From generation `first` on, as if the trace began there; of events before from_ns only the Syncs.  NULL, with *err
 * filled: out of memory. */
we_ahead *we_ahead_open(wtr_trace *t, size_t first, int64_t from_ns, wtr_error *err);
void we_ahead_close(we_ahead *a);

/* Like wtr_next(): 0 at the end, and then we_ahead_error() says why; what it returns is good until the next call. */
size_t we_ahead_next(we_ahead *a, const wtr_event **ret);
const wtr_error *we_ahead_error(const we_ahead *a);

#endif

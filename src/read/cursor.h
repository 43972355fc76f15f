/* read/cursor.h - cursors for our own floors: events into the caller's memory, tables released when told. */
#ifndef WTR_READ_CURSOR_H
#define WTR_READ_CURSOR_H

#include <wtr/event.h>

/* Like wtr_cursor_open() without a filter, from generation `first` on, as if the trace began there (v1: the whole
 * trace). */
wtr_cursor *wtr__cursor_open_at(wtr_trace *t, size_t first, wtr_error *err);

/* Like wtr_next(), but unfiltered, and into `out` (cap >= 4).  Strings and stacks of generation i (value[0]-1 of its
 * Sync event) stay until wtr__cursor_release(c, i), which may come from another thread. */
size_t wtr__cursor_fill(wtr_cursor *c, wtr_event *out, size_t cap);

/* No one needs the tables of generations 0 .. i any more.  Does nothing with wtr_options.keep_tables. */
void wtr__cursor_release(wtr_cursor *c, size_t i);

#endif

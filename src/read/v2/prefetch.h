/* read/v2/prefetch.h - builds the tables of the next generations on other threads while one is being ordered. */
#ifndef WTR_READ_V2_PREFETCH_H
#define WTR_READ_V2_PREFETCH_H

#include "read/v2/container.h"

typedef struct wtr__prefetch wtr__prefetch;

/* Begins at generation `first`. As many workers as wtr_options.threads and the generations make useful, also none.
 * NULL: out of memory. */
wtr__prefetch *wtr__prefetch_start(wtr_trace *t, size_t first);

/* The tables of generation i, kept until released.  Generations are asked for in order. */
wtr_code wtr__prefetch_get(wtr__prefetch *p, size_t i, wtr_error *err);

/* Generations 0 .. i are not needed any more by whoever got them.  Any thread. */
void wtr__prefetch_release(wtr__prefetch *p, size_t i);

void wtr__prefetch_stop(wtr__prefetch *p); /* releases what is still held; NULL is fine */

#endif

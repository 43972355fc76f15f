/* rt/heap/ranges.h - memory from malloc in which the collector looks for pointers: buffers of channels, users' roots.
 *
 * The collector may look while a thread is stopped anywhere in these functions: slots are filled and emptied by single
 * stores, and never move. */
#ifndef WEFT__RANGES_H
#define WEFT__RANGES_H

#include <stddef.h>

#include "rt/heap/heap.h"

typedef struct weft__range weft__range;

/* NULL without memory.  Any thread; also before the heap starts. */
weft__range *weft__range_add(const void *at, size_t bytes);
void weft__range_drop(weft__range *r); /* NULL is fine */
/* The newest one that was added with just these; NULL. */
weft__range *weft__range_of(const void *at, size_t bytes);

void weft__heap_ranges_each(weft__heap_range_fn *fn);

#endif

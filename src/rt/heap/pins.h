/* rt/heap/pins.h - pairs of values that the collector takes for pointers: what a waiting timer keeps.
 *
 * A pin is a place of its own, which never moves and is never freed: so the collector finds every pin whole while
 * threads are stopped anywhere, and while threads that it does not know go on, and looks into nothing that its user may
 * have freed. */
#ifndef WEFT__PINS_H
#define WEFT__PINS_H

#include "rt/heap/heap.h"

typedef struct weft__pin {
	const void *_Atomic a, *_Atomic b;
	struct weft__pin *next_free; /* the pool's */
} weft__pin;

/* Free ones; under its owner's lock.  All zero: none yet. */
typedef struct weft__pins {
	weft__pin *free;
} weft__pins;

/* Keeps what a and b point to, if these are of the heap.  NULL without memory. */
weft__pin *weft__pin_take(weft__pins *pool, const void *a, const void *b);
/* These instead. */
void weft__pin_set(weft__pin *pin, const void *a, const void *b);
/* Nothing any more; into any pool.  NULL is fine. */
void weft__pin_drop(weft__pins *pool, weft__pin *pin);

void weft__heap_pins_each(weft__heap_range_fn *fn);

#endif

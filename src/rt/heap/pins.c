/* rt/heap/pins.c - see pins.h. */
#include "rt/heap/pins.h"

#include "base/alloc.h"

enum { CHUNK = 170 }; /* of four kilobytes */

struct chunk {
	struct chunk *before;
	weft__pin pins[CHUNK];
};

static _Atomic(struct chunk *) chunks; /* of all pools */

static bool grow(weft__pins *pool)
{
	struct chunk *c = wb_calloc(1, sizeof(*c));
	if (!c)
		return false;
	for (int i = 0; i + 1 < CHUNK; i++)
		c->pins[i].next_free = &c->pins[i + 1];
	pool->free = c->pins;
	struct chunk *first = atomic_load(&chunks);
	do
		c->before = first;
	while (!atomic_compare_exchange_weak(&chunks, &first, c));
	return true;
}

void weft__pin_set(weft__pin *pin, const void *a, const void *b)
{
	atomic_store_explicit(&pin->a, a, memory_order_release);
	atomic_store_explicit(&pin->b, b, memory_order_release);
}

weft__pin *weft__pin_take(weft__pins *pool, const void *a, const void *b)
{
	if (!pool->free && !grow(pool))
		return NULL;
	weft__pin *pin = pool->free;
	pool->free = pin->next_free;
	weft__pin_set(pin, a, b);
	return pin;
}

void weft__pin_drop(weft__pins *pool, weft__pin *pin)
{
	if (!pin)
		return;
	weft__pin_set(pin, NULL, NULL);
	pin->next_free = pool->free;
	pool->free = pin;
}

void weft__heap_pins_each(weft__heap_range_fn *fn)
{
	for (struct chunk *c = atomic_load(&chunks); c; c = c->before)
		fn(c->pins, c->pins + CHUNK);
}

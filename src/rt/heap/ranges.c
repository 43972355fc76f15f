/* rt/heap/ranges.c - see ranges.h. */
#include "rt/heap/ranges.h"

#include "base/alloc.h"
#include "rt/lock/lock.h"

enum { CHUNK = 254 };

struct weft__range {
	_Atomic(const void *) at; /* NULL: free */
	size_t bytes;
	weft__range *next_free;
};

struct chunk {
	struct chunk *before;
	weft__range ranges[CHUNK];
};

static weft__lock lock;
static weft__range *free_ranges;
static _Atomic(struct chunk *) chunks;

static bool grow(void)
{
	struct chunk *c = wb_calloc(1, sizeof(*c));
	if (!c)
		return false;
	for (int i = 0; i < CHUNK; i++)
		c->ranges[i].next_free = i + 1 < CHUNK ? &c->ranges[i + 1] : NULL;
	weft__lock_take(&lock, WEFT__RANK_STACK);
	c->ranges[CHUNK - 1].next_free = free_ranges;
	free_ranges = c->ranges;
	c->before = atomic_load(&chunks);
	atomic_store(&chunks, c);
	weft__lock_drop(&lock);
	return true;
}

weft__range *weft__range_add(const void *at, size_t bytes)
{
	for (;;) {
		weft__lock_take(&lock, WEFT__RANK_STACK);
		weft__range *r = free_ranges;
		if (r)
			free_ranges = r->next_free;
		weft__lock_drop(&lock);
		if (r) {
			r->bytes = bytes;
			atomic_store_explicit(&r->at, at, memory_order_release);
			return r;
		}
		if (!grow())
			return NULL;
	}
}

void weft__range_drop(weft__range *r)
{
	if (!r)
		return;
	atomic_store(&r->at, NULL);
	weft__lock_take(&lock, WEFT__RANK_STACK);
	r->next_free = free_ranges;
	free_ranges = r;
	weft__lock_drop(&lock);
}

weft__range *weft__range_of(const void *at, size_t bytes)
{
	for (struct chunk *c = atomic_load(&chunks); c; c = c->before)
		for (int i = 0; i < CHUNK; i++)
			if (atomic_load(&c->ranges[i].at) == at && c->ranges[i].bytes == bytes)
				return &c->ranges[i];
	return NULL;
}

void weft__heap_ranges_each(weft__heap_range_fn *fn)
{
	for (struct chunk *c = atomic_load(&chunks); c; c = c->before)
		for (int i = 0; i < CHUNK; i++) {
			char *at = (char *)(uintptr_t)atomic_load_explicit(&c->ranges[i].at, memory_order_acquire);
			if (at)
				fn(at, at + c->ranges[i].bytes);
		}
}

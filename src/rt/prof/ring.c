/* rt/prof/ring.c - see ring.h. */
#include "rt/prof/ring.h"

#include "base/alloc.h"

bool weft__ring_init(weft__ring *r, uint64_t n_slots)
{
	*r = (weft__ring){ .slots = wb_calloc(n_slots, sizeof(*r->slots)), .n_slots = n_slots };
	for (uint64_t i = 0; r->slots && i < n_slots; i++)
		atomic_init(&r->slots[i].turn, i);
	return r->slots != NULL;
}

void weft__ring_done(weft__ring *r)
{
	wb_free(r->slots);
	r->slots = NULL;
}

static weft__sample *slot(weft__ring *r, uint64_t at)
{
	return &r->slots[at & (r->n_slots - 1)];
}

weft__sample *weft__ring_claim(weft__ring *r)
{
	uint64_t at = atomic_load_explicit(&r->head, memory_order_relaxed);
	for (;;) {
		weft__sample *s = slot(r, at);
		uint64_t turn = atomic_load_explicit(&s->turn, memory_order_acquire);
		if (turn < at)
			return NULL; /* not read since the last round */
		if (turn > at)
			at = atomic_load_explicit(&r->head, memory_order_relaxed);
		else if (atomic_compare_exchange_weak(&r->head, &at, at + 1))
			return s;
	}
}

void weft__ring_put(weft__sample *s)
{
	uint64_t turn = atomic_load_explicit(&s->turn, memory_order_relaxed);
	atomic_store_explicit(&s->turn, turn + 1, memory_order_release);
}

weft__sample *weft__ring_get(weft__ring *r)
{
	uint64_t at = atomic_load_explicit(&r->tail, memory_order_relaxed);
	weft__sample *s = slot(r, at);
	return atomic_load_explicit(&s->turn, memory_order_acquire) == at + 1 ? s : NULL;
}

void weft__ring_next(weft__ring *r)
{
	uint64_t at = atomic_load_explicit(&r->tail, memory_order_relaxed);
	atomic_store_explicit(&slot(r, at)->turn, at + r->n_slots, memory_order_release);
	atomic_store_explicit(&r->tail, at + 1, memory_order_release);
}

uint64_t weft__ring_claimed(const weft__ring *r)
{
	return atomic_load(&((weft__ring *)(uintptr_t)r)->head);
}

uint64_t weft__ring_read(const weft__ring *r)
{
	return atomic_load(&((weft__ring *)(uintptr_t)r)->tail);
}

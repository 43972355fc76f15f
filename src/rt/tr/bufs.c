/* rt/tr/bufs.c - see bufs.h. */
#include "rt/tr/bufs.h"

#include <errno.h>

#include "os/pages.h"

static size_t map_bytes(size_t max)
{
	size_t bytes = 1;
	while (bytes < (max + WEFT__TR_HELD_MAX + WEFT__TR_RESERVE) * WEFT__TR_BUF_BYTES)
		bytes *= 2;
	return bytes;
}

int weft__tr_bufs_init(weft__tr_bufs *p, size_t bytes)
{
	size_t max = bytes / WEFT__TR_BUF_BYTES;
	if (max < 4)
		max = 4;
	if (max > UINT32_MAX / 2)
		return -ENOMEM;
	void *at;
	int rc = wo_pages_reserve(map_bytes(max), &at);
	if (rc)
		return rc;
	*p = (weft__tr_bufs){ .at = at, .max = (uint32_t)max };
	return 0;
}

void weft__tr_bufs_done(weft__tr_bufs *p)
{
	if (p->at)
		wo_pages_release(p->at, map_bytes(p->max));
	*p = (weft__tr_bufs){ 0 };
}

static uint32_t index_of(const weft__tr_bufs *p, const weft__tr_buf *b)
{
	return (uint32_t)(b - p->at) + 1;
}

/* `next` may be read while another thread that was faster writes it: the swap fails then. */
static uint32_t next_of(weft__tr_buf *b)
{
	return atomic_load_explicit(&b->next, memory_order_relaxed);
}
static void set_next(weft__tr_buf *b, uint32_t next)
{
	atomic_store_explicit(&b->next, next, memory_order_relaxed);
}

static weft__tr_buf *take_used(weft__tr_bufs *p)
{
	uint64_t head = atomic_load_explicit(&p->free, memory_order_acquire), next;
	do {
		if ((uint32_t)head == 0)
			return NULL;
		next = ((head >> 32) + 1) << 32 | next_of(&p->at[(uint32_t)head - 1]);
	} while (!atomic_compare_exchange_weak_explicit(
		&p->free, &head, next, memory_order_acquire, memory_order_acquire));
	return &p->at[(uint32_t)head - 1];
}

void weft__tr_bufs_allow(weft__tr_bufs *p, int n)
{
	atomic_fetch_add_explicit(&p->held, (uint32_t)n, memory_order_relaxed);
}

static uint32_t limit_of(const weft__tr_bufs *p, bool reserve)
{
	uint32_t held = atomic_load_explicit(&p->held, memory_order_relaxed);
	return p->max + (held < WEFT__TR_HELD_MAX ? held : WEFT__TR_HELD_MAX) + (reserve ? WEFT__TR_RESERVE : 0);
}

static weft__tr_buf *take_fresh(weft__tr_bufs *p)
{
	uint32_t i = atomic_load_explicit(&p->fresh, memory_order_relaxed);
	do {
		if (i == p->max + WEFT__TR_HELD_MAX + WEFT__TR_RESERVE)
			return NULL;
	} while (!atomic_compare_exchange_weak_explicit(
		&p->fresh, &i, i + 1, memory_order_relaxed, memory_order_relaxed));
	return &p->at[i];
}

weft__tr_buf *weft__tr_bufs_take(weft__tr_bufs *p, bool reserve)
{
	if (atomic_fetch_add_explicit(&p->taken, 1, memory_order_relaxed) >= limit_of(p, reserve)) {
		atomic_fetch_sub_explicit(&p->taken, 1, memory_order_relaxed);
		return NULL;
	}
	weft__tr_buf *b;
	do /* not all are taken: a second look finds the one that another thread has just exchanged */
		b = take_used(p);
	while (!b && !(b = take_fresh(p)));
	set_next(b, 0);
	return b;
}

void weft__tr_bufs_give(weft__tr_bufs *p, weft__tr_buf *b)
{
	uint64_t head = atomic_load_explicit(&p->free, memory_order_relaxed);
	do
		set_next(b, (uint32_t)head);
	while (!atomic_compare_exchange_weak_explicit(&p->free, &head, ((head >> 32) + 1) << 32 | index_of(p, b),
		memory_order_release, memory_order_relaxed));
	atomic_fetch_sub_explicit(&p->taken, 1, memory_order_relaxed);
}

void weft__tr_bufs_push(weft__tr_bufs *p, weft__tr_buf *b)
{
	uint32_t head = atomic_load_explicit(&p->full, memory_order_relaxed);
	do
		set_next(b, head);
	while (!atomic_compare_exchange_weak_explicit(
		&p->full, &head, index_of(p, b), memory_order_release, memory_order_relaxed));
}

weft__tr_buf *weft__tr_bufs_pull(weft__tr_bufs *p)
{
	uint32_t at = atomic_exchange_explicit(&p->full, 0, memory_order_acquire), oldest = 0;
	while (at) {
		weft__tr_buf *b = &p->at[at - 1];
		uint32_t next = next_of(b);
		set_next(b, oldest);
		oldest = at;
		at = next;
	}
	return oldest ? &p->at[oldest - 1] : NULL;
}

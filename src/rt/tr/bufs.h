/* rt/tr/bufs.h - buffers of 64 KiB, one batch each, for all threads of a trace.
 *
 * Taking and giving are one compare-and-swap; no call allocates.  Address space for all is reserved at the start and
 * backed where touched.  Of the bytes asked for, those that threads hold half full are not counted: each thread that
 * joins raises the limit by what it may hold.  Beyond it there is a reserve for threads that must finish an old
 * generation.
 */
#ifndef WEFT__TR_BUFS_H
#define WEFT__TR_BUFS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WEFT__TR_BUF_BYTES = 64 << 10, WEFT__TR_RESERVE = 256, WEFT__TR_HELD_MAX = 2048 };

typedef struct weft__tr_buf {
	uint64_t gen;
	_Atomic uint32_t next; /* index + 1 in a list; 0: last */
	uint32_t n;            /* bytes, once it is handed over */
	uint8_t *data;         /* of its batch; NULL: no batch, the bytes go out as they are */
	uint8_t bytes[WEFT__TR_BUF_BYTES - 24];
} weft__tr_buf;

_Static_assert(sizeof(weft__tr_buf) == WEFT__TR_BUF_BYTES, "buffers fill their pages");

typedef struct weft__tr_bufs {
	weft__tr_buf *at;
	uint32_t max;          /* of full ones */
	_Atomic uint32_t held; /* that threads may hold besides: at most WEFT__TR_HELD_MAX counts */
	_Atomic uint64_t
		free; /* list: index + 1 below, a count of changes above (so that an old head never fits again) */
	_Atomic uint32_t fresh; /* never used so far: from here on */
	_Atomic uint32_t full;  /* list of buffers to be written, newest first: index + 1 */
	_Atomic uint32_t taken;
} weft__tr_bufs;

int weft__tr_bufs_init(weft__tr_bufs *p, size_t bytes); /* 0 or -ENOMEM */
void weft__tr_bufs_done(weft__tr_bufs *p);              /* zeroed is fine */

/* A thread more may hold n buffers (or less, when n is negative). */
void weft__tr_bufs_allow(weft__tr_bufs *p, int n);

/* An empty buffer, or NULL when all that may be are taken (`reserve`: when the reserve is, too).  Any thread. */
weft__tr_buf *weft__tr_bufs_take(weft__tr_bufs *p, bool reserve);
void weft__tr_bufs_give(weft__tr_bufs *p, weft__tr_buf *b);

/* Hands a buffer to the writer.  Any thread. */
void weft__tr_bufs_push(weft__tr_bufs *p, weft__tr_buf *b);

/* All that were handed over since the last call, oldest first, linked by weft__tr_bufs_next.  The writer only. */
weft__tr_buf *weft__tr_bufs_pull(weft__tr_bufs *p);

/* Makes b follow a, in a list of one thread. */
static inline void weft__tr_bufs_link(const weft__tr_bufs *p, weft__tr_buf *a, weft__tr_buf *b)
{
	atomic_store_explicit(&a->next, (uint32_t)(b - p->at) + 1, memory_order_relaxed);
}

static inline weft__tr_buf *weft__tr_bufs_next(const weft__tr_bufs *p, const weft__tr_buf *b)
{
	uint32_t next = atomic_load_explicit(&b->next, memory_order_relaxed);
	return next ? &p->at[next - 1] : NULL;
}

#endif

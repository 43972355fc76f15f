/* rt/wait/chan.h - the inside of a channel, for chan.c and select.c. */
#ifndef WEFT__CHAN_H
#define WEFT__CHAN_H

#include <string.h>

#include <weft/chan.h>

#include "rt/heap/ranges.h"
#include "rt/wait/waiter.h"

struct weft_chan {
	weft__lock lock;
	_Atomic uint32_t n_refs;
	size_t elem_bytes, cap;
	_Atomic size_t n;        /* buffered; changed under the lock */
	size_t send_at, recv_at; /* places in the buffer */
	weft__waitq senders, receivers;
	_Atomic uint32_t closed;
	_Atomic uint32_t n_offers;      /* see weft__chan_offer */
	void (*at_free)(weft_chan *ch); /* of who made it for a purpose (timers) */
	void *owner;
	weft__range *range; /* the collector looks into the buffer */
	_Alignas(16) char buffer[];
};

/* Elements are mostly a word. */
static inline void weft__elem_copy(void *to, const void *from, size_t n)
{
	if (weft__likely(n == 8))
		memcpy(to, from, 8);
	else if (n)
		memcpy(to, from, n);
}

/* Under the lock, before anything that may make a send or receive ready.  So whoever finds the same count, the lock
 * free and nothing ready, and later the same count again, knows that nothing was ready in between. */
static inline void weft__chan_offer(weft_chan *ch)
{
	uint32_t n = atomic_load_explicit(&ch->n_offers, memory_order_relaxed);
	atomic_store_explicit(&ch->n_offers, n + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
}

static inline char *weft__chan_place(weft_chan *ch, size_t i)
{
	return ch->buffer + i * ch->elem_bytes;
}

static inline void weft__chan_push(weft_chan *ch, const void *elem)
{
	weft__chan_offer(ch);
	weft__elem_copy(weft__chan_place(ch, ch->send_at), elem, ch->elem_bytes);
	ch->send_at = ch->send_at + 1 == ch->cap ? 0 : ch->send_at + 1;
	atomic_store_explicit(&ch->n, atomic_load_explicit(&ch->n, memory_order_relaxed) + 1, memory_order_relaxed);
}

static inline void weft__chan_pop(weft_chan *ch, void *ret)
{
	weft__chan_offer(ch);
	if (ret)
		weft__elem_copy(ret, weft__chan_place(ch, ch->recv_at), ch->elem_bytes);
	ch->recv_at = ch->recv_at + 1 == ch->cap ? 0 : ch->recv_at + 1;
	atomic_store_explicit(&ch->n, atomic_load_explicit(&ch->n, memory_order_relaxed) - 1, memory_order_relaxed);
}

/* The state of one try, under the lock.  When a waiter was served it is in *ret_wake: make it runnable after dropping
 * the lock. */
typedef enum weft__try { WEFT__TRY_WAIT, WEFT__TRY_DONE, WEFT__TRY_CLOSED } weft__try;

static inline weft__try weft__chan_try_send(weft_chan *ch, const void *elem, weft__g **ret_wake)
{
	if (weft__unlikely(atomic_load_explicit(&ch->closed, memory_order_relaxed)))
		return WEFT__TRY_CLOSED;
	weft__waiter *w = weft__waitq_take(&ch->receivers);
	if (w) {
		if (w->elem)
			weft__elem_copy(w->elem, elem, ch->elem_bytes);
		w->ok = true;
		*ret_wake = w->g;
		return WEFT__TRY_DONE;
	}
	if (atomic_load_explicit(&ch->n, memory_order_relaxed) == ch->cap)
		return WEFT__TRY_WAIT;
	weft__chan_push(ch, elem);
	return WEFT__TRY_DONE;
}

static inline weft__try weft__chan_try_recv(weft_chan *ch, void *ret, weft__g **ret_wake)
{
	weft__waiter *w;
	if (atomic_load_explicit(&ch->n, memory_order_relaxed) > 0) {
		weft__chan_pop(ch, ret);
		w = weft__waitq_take(&ch->senders);
		if (w) {
			weft__chan_push(ch, w->elem);
			w->ok = true;
			*ret_wake = w->g;
		}
		return WEFT__TRY_DONE;
	}
	w = weft__waitq_take(&ch->senders);
	if (w) {
		if (ret)
			weft__elem_copy(ret, w->elem, ch->elem_bytes);
		w->ok = true;
		*ret_wake = w->g;
		return WEFT__TRY_DONE;
	}
	if (!atomic_load_explicit(&ch->closed, memory_order_relaxed))
		return WEFT__TRY_WAIT;
	if (ret && ch->elem_bytes)
		memset(ret, 0, ch->elem_bytes);
	return WEFT__TRY_CLOSED;
}

/* Could a try succeed?  Without the lock: true when in doubt. */
static inline bool weft__chan_may_send(weft_chan *ch)
{
	/* Closed first: full after that, it was full while it was open, since nobody can fill what is closed. */
	return atomic_load_explicit(&ch->closed, memory_order_acquire) ||
	       (ch->cap ? atomic_load_explicit(&ch->n, memory_order_relaxed) < ch->cap
			: __atomic_load_n(&ch->receivers.first, __ATOMIC_RELAXED) != NULL);
}

static inline bool weft__chan_may_recv(weft_chan *ch)
{
	/* The order matters: what is closed stays so.  Empty first and not closed after that, there was a moment when
	 * it was both; the other way round it may be closed and drained in between, and was ready all the time.
	 * Source: Go 1.27, runtime/chan.go, chanrecv. */
	bool some = ch->cap ? atomic_load_explicit(&ch->n, memory_order_acquire) > 0
			    : __atomic_load_n(&ch->senders.first, __ATOMIC_ACQUIRE) != NULL;
	return some || atomic_load_explicit(&ch->closed, memory_order_acquire);
}

/* weft_chan_close, inside the runtime; false: it was closed before. */
bool weft__chan_close(weft__m *m, weft_chan *ch);

#endif

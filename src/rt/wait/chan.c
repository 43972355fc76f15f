/* rt/wait/chan.c - channels.  Source: the Go specification, and runtime/chan.go for the order of waiters. */
#include "rt/wait/chan.h"

#include <errno.h>

#include <weft/go.h>

#include "base/alloc.h"
#include "rt/sched/objnames.h"

weft_chan *weft_chan_make(size_t elem_bytes, size_t cap)
{
	size_t bytes;
	if (__builtin_mul_overflow(elem_bytes, cap, &bytes) || bytes > SIZE_MAX / 2 || elem_bytes > UINT32_MAX)
		return NULL;
	weft_chan *ch = wb_calloc(1, sizeof(*ch) + bytes);
	if (!ch)
		return NULL;
	ch->elem_bytes = elem_bytes;
	ch->cap = cap;
	atomic_init(&ch->n_refs, 1);
	if (bytes >= sizeof(void *)) {
		ch->range = weft__range_add(ch->buffer, bytes & ~(sizeof(void *) - 1));
		if (!ch->range) {
			wb_free(ch);
			return NULL;
		}
	}
	return ch;
}

weft_chan *weft_chan_ref(weft_chan *ch)
{
	if (ch)
		atomic_fetch_add_explicit(&ch->n_refs, 1, memory_order_relaxed);
	return ch;
}

void weft_chan_unref(weft_chan *ch)
{
	if (!ch || atomic_fetch_sub_explicit(&ch->n_refs, 1, memory_order_acq_rel) != 1)
		return;
	weft__range_drop(ch->range);
	weft__objname_forget(ch);
	if (ch->at_free)
		ch->at_free(ch);
	wb_free(ch);
}

static int outside(weft__m *m)
{
	weft__leave(m);
	return -EPERM;
}

static int wait_for_ever(weft__m *m, weft__reason why)
{
	static weft__lock nobody;
	if (!weft__self_g(m))
		return outside(m);
	weft__lock_take(&nobody, WEFT__RANK_CHAN);
	weft__park(m, &nobody, why, NULL);
	weft__throw("a goroutine that waits for ever was woken");
}

/* ---- send ---- */

int weft_chan_send(weft_chan *ch, const void *elem)
{
	weft__m *m = weft__enter();
	if (weft__unlikely(!ch))
		return wait_for_ever(m, WEFT__WAIT_CHAN_SEND_NIL);
	if (weft__unlikely(!weft__self_g(m)))
		return outside(m);
	weft__g *wake = NULL;
	weft__lock_take(&ch->lock, WEFT__RANK_CHAN);
	weft__try done = weft__chan_try_send(ch, elem, &wake);
	if (weft__likely(done == WEFT__TRY_WAIT)) {
		weft__waiter w = { .g = weft__self_g(m), .elem = (void *)(uintptr_t)elem };
		weft__chan_offer(ch);
		weft__waitq_put(&ch->senders, &w);
		w.g->wait_attr = ch->cap;
		m = weft__park(m, &ch->lock, WEFT__WAIT_CHAN_SEND, ch);
		done = w.ok ? WEFT__TRY_DONE : WEFT__TRY_CLOSED;
	} else {
		weft__lock_drop(&ch->lock);
		if (wake)
			weft__ready(m, wake);
	}
	weft__leave(m);
	if (weft__likely(done == WEFT__TRY_DONE))
		return 0;
	weft_panic("send on closed channel");
}

int weft_chan_try_send(weft_chan *ch, const void *elem)
{
	if (!ch || !weft__chan_may_send(ch))
		return -EAGAIN;
	weft__m *m = weft__enter();
	weft__g *wake = NULL;
	weft__lock_take(&ch->lock, WEFT__RANK_CHAN);
	weft__try done = weft__chan_try_send(ch, elem, &wake);
	weft__lock_drop(&ch->lock);
	if (wake)
		weft__ready(m, wake);
	weft__leave(m);
	if (done == WEFT__TRY_CLOSED)
		weft_panic("send on closed channel");
	return done == WEFT__TRY_DONE ? 0 : -EAGAIN;
}

int weft_chan_send_until(weft_chan *ch, const void *elem, weft_ns deadline)
{
	weft_case c = { WEFT_OP_SEND, ch, (void *)(uintptr_t)elem, 0 };
	int i = weft_select_until(&c, 1, deadline);
	return i < 0 ? i : 0;
}

/* ---- receive ---- */

int weft_chan_recv(weft_chan *ch, void *ret)
{
	weft__m *m = weft__enter();
	if (weft__unlikely(!ch))
		return wait_for_ever(m, WEFT__WAIT_CHAN_RECV_NIL);
	if (weft__unlikely(!weft__self_g(m)))
		return outside(m);
	weft__g *wake = NULL;
	weft__lock_take(&ch->lock, WEFT__RANK_CHAN);
	weft__try done = weft__chan_try_recv(ch, ret, &wake);
	if (weft__likely(done == WEFT__TRY_WAIT)) {
		weft__waiter w = { .g = weft__self_g(m), .elem = ret };
		weft__chan_offer(ch);
		weft__waitq_put(&ch->receivers, &w);
		w.g->wait_attr = ch->cap;
		m = weft__park(m, &ch->lock, WEFT__WAIT_CHAN_RECV, ch);
		done = w.ok ? WEFT__TRY_DONE : WEFT__TRY_CLOSED;
	} else {
		weft__lock_drop(&ch->lock);
		if (wake)
			weft__ready(m, wake);
	}
	weft__leave(m);
	return done == WEFT__TRY_DONE;
}

int weft_chan_try_recv(weft_chan *ch, void *ret)
{
	if (!ch || !weft__chan_may_recv(ch))
		return -EAGAIN;
	weft__m *m = weft__enter();
	weft__g *wake = NULL;
	weft__lock_take(&ch->lock, WEFT__RANK_CHAN);
	weft__try done = weft__chan_try_recv(ch, ret, &wake);
	weft__lock_drop(&ch->lock);
	if (wake)
		weft__ready(m, wake);
	weft__leave(m);
	return done == WEFT__TRY_DONE ? 1 : done == WEFT__TRY_CLOSED ? 0 : -EAGAIN;
}

int weft_chan_recv_until(weft_chan *ch, void *ret, weft_ns deadline)
{
	weft_case c = { WEFT_OP_RECV, ch, ret, 0 };
	int i = weft_select_until(&c, 1, deadline);
	return i < 0 ? i : c.result;
}

/* ---- close ---- */

bool weft__chan_close(weft__m *m, weft_chan *ch)
{
	weft__queue wake = { 0 };
	weft__lock_take(&ch->lock, WEFT__RANK_CHAN);
	bool closed = atomic_load_explicit(&ch->closed, memory_order_relaxed);
	weft__chan_offer(ch);
	atomic_store_explicit(&ch->closed, 1, memory_order_release);
	for (weft__waiter *w; !closed && (w = weft__waitq_take(&ch->receivers)) != NULL;) {
		if (w->elem && ch->elem_bytes)
			memset(w->elem, 0, ch->elem_bytes);
		w->ok = false;
		weft__ready_list(m, &wake, w->g, w);
	}
	for (weft__waiter *w; !closed && (w = weft__waitq_take(&ch->senders)) != NULL;) {
		w->ok = false;
		weft__ready_list(m, &wake, w->g, w);
	}
	weft__lock_drop(&ch->lock);
	weft__ready_listed(m, &wake);
	return !closed;
}

void weft_chan_close(weft_chan *ch)
{
	if (!ch)
		weft_panic("close of nil channel");
	weft__m *m = weft__enter();
	bool good = weft__chan_close(m, ch);
	weft__leave(m);
	if (!good)
		weft_panic("close of closed channel");
}

size_t weft_chan_len(const weft_chan *ch)
{
	return ch ? atomic_load_explicit(&((weft_chan *)(uintptr_t)ch)->n, memory_order_relaxed) : 0;
}

size_t weft_chan_cap(const weft_chan *ch)
{
	return ch ? ch->cap : 0;
}

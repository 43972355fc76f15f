/* weft/chan.h - typed queues between goroutines, and waiting for several of them at once. */
#ifndef WEFT_CHAN_H
#define WEFT_CHAN_H

#include <weft/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a channel for elements of `elem_bytes` (0 is fine: a signal), with room for `cap`; cap 0 makes a send meet its
 * receive.
 *
 * Ownership: the caller holds one reference, given back by weft_chan_unref().  Elements are copied in and out; the
 * channel never owns what they point to.  Whoever is in a call on a channel must hold a reference (or know who does).
 * Errors: NULL when elem_bytes * cap is too large or memory is out.  Any thread.
 * Same as Go: "Making slices, maps and channels".
 */
WEFT_API weft_chan *weft_chan_make(size_t elem_bytes, size_t cap);
WEFT_API weft_chan *weft_chan_ref(weft_chan *ch); /* returns ch; any thread; NULL is fine */
WEFT_API void weft_chan_unref(weft_chan *ch);

/* Sends the bytes at `elem`, parking the goroutine until a receiver takes them or the buffer has room.
 *
 * Returns 0, or -EPERM outside a goroutine.  Panics with "send on closed channel", also when it is closed while this
 * goroutine waits.  ch NULL: waits for ever.  elem may be NULL when elements have 0 bytes.
 * Order: first in, first out, also among waiting senders.  The send is synchronized before the end of its receive; and
 * the k-th receive before the end of the (k+cap)-th send.
 * Same as Go: "Send statements".
 */
WEFT_API int weft_chan_send(weft_chan *ch, const void *elem);
/* Gives up at the deadline: -ETIMEDOUT, and nothing was sent.  A deadline that has passed does not wait, but sends if
 * it can at once.  Also -ENOMEM, here and for other calls with a deadline: no memory for its timer. */
WEFT_API int weft_chan_send_until(weft_chan *ch, const void *elem, weft_ns deadline);
/* Never waits: -EAGAIN when it would have to (and for ch NULL).  Any thread. */
WEFT_API int weft_chan_try_send(weft_chan *ch, const void *elem);

/* Takes one element into *ret, parking the goroutine until there is one.
 *
 * Returns 1 and fills *ret; or 0, *ret zeroed, once the channel is closed and empty; -EPERM outside a goroutine.
 * ch NULL: waits for ever.  ret NULL: the element is dropped.
 * Order: first in, first out; waiting receivers are served in the order they came.
 * Same as Go: `v, ok := <-ch` ("Receive operator").
 */
WEFT_API int weft_chan_recv(weft_chan *ch, void *ret);
/* -ETIMEDOUT at the deadline; *ret is then untouched. */
WEFT_API int weft_chan_recv_until(weft_chan *ch, void *ret, weft_ns deadline);
/* -EAGAIN instead of waiting (and for ch NULL); *ret is then untouched.  Any thread. */
WEFT_API int weft_chan_try_recv(weft_chan *ch, void *ret);

/* Says that nothing more will be sent: receivers get what is buffered, then 0, and waiting senders panic.
 *
 * Panics with "close of closed channel" or "close of nil channel".  Any thread.
 * Order: the close is synchronized before a receive that returns 0 because of it.
 * Same as Go: "Close".
 */
WEFT_API void weft_chan_close(weft_chan *ch);

/* Elements buffered now, and room for how many; 0 for NULL.  Any thread.  Same as Go: "Length and capacity". */
WEFT_API size_t weft_chan_len(const weft_chan *ch);
WEFT_API size_t weft_chan_cap(const weft_chan *ch);

/* ---- select ---- */

enum { WEFT_OP_NONE, WEFT_OP_SEND, WEFT_OP_RECV };

/* One communication that a select may do.  elem: what to send, or where to put what is received (may be NULL). */
typedef struct weft_case {
	int op;
	weft_chan *ch; /* NULL: this case is never ready */
	void *elem;
	int result; /* of the case that ran: 1 or 0 (closed) for a receive, as weft_chan_recv(); 0 for a send */
} weft_case;

/* Initialisers: `weft_case cases[] = { WEFT_RECV(in, &value), WEFT_SEND(out, &other) };` */
#define WEFT_SEND(ch, elem)                           \
	{                                             \
		WEFT_OP_SEND, (ch), (void *)(elem), 0 \
	}
#define WEFT_RECV(ch, elem)                           \
	{                                             \
		WEFT_OP_RECV, (ch), (void *)(elem), 0 \
	}

/* Waits until one of n communications can proceed, does it, and returns its index.
 *
 * When several can, one is chosen by a uniform pseudo-random selection.  Cases with op NONE or ch NULL are never
 * chosen; n 0 waits for ever.  The same channel may stand in several cases, and for both directions.  Only the chosen
 * case's *elem and `result` are written.
 * Errors: -EPERM outside a goroutine; -EINVAL for an unknown op or n over WEFT_SELECT_MAX; -ENOMEM (n over 16 only).
 * Panics with "send on closed channel" when a send on a closed channel is chosen: it counts as ready.
 * Same as Go: "Select statements".
 */
#define WEFT_SELECT_MAX 65536
WEFT_API int weft_select(weft_case *cases, size_t n);
/* -ETIMEDOUT when none was ready by the deadline. */
WEFT_API int weft_select_until(weft_case *cases, size_t n, weft_ns deadline);
/* -EAGAIN when none is ready: select with a default case.  Any thread. */
WEFT_API int weft_select_try(weft_case *cases, size_t n);

#ifdef __cplusplus
}
#endif
#endif

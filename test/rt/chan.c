/* rt/chan.c - channels: what Go's specification and memory model say of them, and the cases of Go's own tests. */
#include "kit/rtkit.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

typedef struct meeting {
	weft_chan *ch, *reply;
	atomic_int stage;
	int result, value, plain;
	weft_wg done;
} meeting;

static weft_chan *make(size_t cap)
{
	weft_chan *ch = weft_chan_make(sizeof(int), cap);
	kit_require(ch);
	return ch;
}

static void put(weft_chan *ch, int v)
{
	kit_equal(weft_chan_send(ch, &v), 0);
}

static int take(weft_chan *ch)
{
	int v = -1;
	kit_equal(weft_chan_recv(ch, &v), 1);
	return v;
}

/* ---- nil ---- */

CASE(send_to_nil, "Spec, Send statements: A send on a nil channel blocks forever.", .dies = KIT_DEADLOCK)
{
	int v = 1;
	weft_chan_send(NULL, &v);
}

CASE(recv_from_nil, "Spec, Receive operator: Receiving from a nil channel blocks forever.", .dies = KIT_DEADLOCK)
{
	int v;
	weft_chan_recv(NULL, &v);
}

CASE(close_nil, "Spec, Close: Closing the nil channel also causes a run-time panic.",
	.dies = "panic: close of nil channel")
{
	weft_chan_close(NULL);
}

CASE(len_of_nil, "Spec, Length and capacity: The length of a nil channel is 0.  The capacity of a nil channel is 0.")
{
	kit_equal(weft_chan_len(NULL), 0);
	kit_equal(weft_chan_cap(NULL), 0);
}

CASE(try_with_nil, "chan.h: -EAGAIN when it would have to wait, and for ch NULL")
{
	int v = 5;
	kit_equal(weft_chan_try_send(NULL, &v), -EAGAIN);
	kit_equal(weft_chan_try_recv(NULL, &v), -EAGAIN);
	kit_equal(v, 5);
}

CASE(until_with_nil, "chan.h: a send or receive on NULL waits, but not beyond its deadline")
{
	int v = 5;
	kit_equal(weft_chan_send_until(NULL, &v, weft_in(WEFT_MS)), -ETIMEDOUT);
	kit_equal(weft_chan_recv_until(NULL, &v, weft_in(WEFT_MS)), -ETIMEDOUT);
	kit_equal(v, 5);
}

/* ---- close ---- */

CASE(send_on_closed, "Spec, Send statements: A send on a closed channel proceeds by causing a run-time panic.",
	.dies = "panic: send on closed channel")
{
	weft_chan *ch = make(0);
	weft_chan_close(ch);
	put(ch, 1);
}

CASE(send_on_closed_with_room,
	"Spec, Send statements: A send on a closed channel panics, also when the buffer has room.",
	.dies = "panic: send on closed channel")
{
	weft_chan *ch = make(3);
	weft_chan_close(ch);
	put(ch, 1);
}

CASE(try_send_on_closed, "Spec, Close: Sending to a closed channel causes a run-time panic.",
	.dies = "panic: send on closed channel")
{
	weft_chan *ch = make(1);
	int v = 1;
	weft_chan_close(ch);
	weft_chan_try_send(ch, &v);
}

static void close_when_waiting(void *arg)
{
	kit_until_parked(1);
	weft_chan_close(arg);
}

CASE(close_under_sender, "Spec, Close: a sender that waits when the channel is closed panics, too.",
	.dies = "panic: send on closed channel")
{
	weft_chan *ch = make(0);
	kit_go(close_when_waiting, ch);
	put(ch, 1);
}

CASE(close_closed, "Spec, Close: Closing a closed channel causes a run-time panic.",
	.dies = "panic: close of closed channel")
{
	weft_chan *ch = make(1);
	weft_chan_close(ch);
	weft_chan_close(ch);
}

CASE(recv_after_close, "Spec, Close: After calling close, and after any previously sent values have been received, "
		       "receive operations will return the zero value for the channel's type without blocking.")
{
	weft_chan *ch = make(10);
	for (int i = 0; i < 10; i++)
		put(ch, 100 + i);
	weft_chan_close(ch);
	kit_equal(weft_chan_len(ch), 10);
	for (int i = 0; i < 10; i++)
		kit_equal(take(ch), 100 + i);
	for (int i = 0; i < 3; i++) {
		int v = 77;
		kit_equal(weft_chan_recv(ch, &v), 0);
		kit_equal(v, 0);
		v = 77;
		kit_equal(weft_chan_try_recv(ch, &v), 0);
		kit_equal(v, 0);
		v = 77;
		kit_equal(weft_chan_recv_until(ch, &v, 0), 0);
		kit_equal(v, 0);
	}
	kit_equal(weft_chan_recv(ch, NULL), 0);
	weft_chan_unref(ch);
}

static void recv_closed(void *arg)
{
	meeting *m = arg;
	int v = 77;
	kit_equal(weft_chan_recv(m->ch, &v), 0);
	kit_equal(v, 0);
	weft_wg_done(&m->done);
}

CASE(close_wakes_all_receivers, "Go's TestChan: close unblocks every receiver that waits")
{
	meeting m = { .ch = make(0) };
	weft_wg_add(&m.done, 50);
	for (int i = 0; i < 50; i++)
		kit_go(recv_closed, &m);
	kit_until_parked(50);
	weft_chan_close(m.ch);
	weft_wg_wait(&m.done);
	weft_chan_unref(m.ch);
}

static void close_it(void *arg)
{
	weft_chan_close(arg);
	weft_chan_unref(arg);
}

CASE(close_unblocks_with_buffer, "Go's TestChan: a receive that waits in a buffered channel ends with its close")
{
	for (int i = 0; i < 200; i++) {
		weft_chan *ch = make((size_t)i % 4);
		int v = 77;
		kit_go(close_it, weft_chan_ref(ch));
		kit_equal(weft_chan_recv(ch, &v), 0);
		kit_equal(v, 0);
		weft_chan_unref(ch);
	}
}

/* ---- meeting ---- */

static void send_staged(void *arg)
{
	meeting *m = arg;
	int v = 42;
	m->result = weft_chan_send(m->ch, &v);
	m->stage = 1;
	weft_wg_done(&m->done);
}

CASE(unbuffered_send_waits, "Spec, Channel types: If the capacity is zero or absent, the channel is unbuffered and "
			    "communication succeeds only when both a sender and receiver are ready.")
{
	meeting m = { .ch = make(0), .result = -1 };
	weft_wg_add(&m.done, 1);
	kit_go(send_staged, &m);
	kit_until_parked(1);
	for (int i = 0; i < 20; i++)
		weft_yield();
	kit_equal(m.stage, 0);
	kit_equal(weft_chan_len(m.ch), 0);
	kit_equal(take(m.ch), 42);
	weft_wg_wait(&m.done);
	kit_equal(m.stage, 1);
	kit_equal(m.result, 0);
	weft_chan_unref(m.ch);
}

CASE(buffered_send_does_not_wait, "Spec, Channel types: Otherwise, the channel is buffered and communication succeeds "
				  "without blocking if the buffer is not full (sends) or not empty (receives).")
{
	for (size_t cap = 1; cap <= 100; cap++) {
		weft_chan *ch = make(cap);
		kit_equal(weft_chan_cap(ch), cap);
		for (size_t i = 0; i < cap; i++) {
			kit_equal(weft_chan_len(ch), i);
			put(ch, (int)i);
		}
		int v = -1;
		kit_equal(weft_chan_len(ch), cap);
		kit_equal(weft_chan_try_send(ch, &v), -EAGAIN);
		kit_equal(weft_chan_send_until(ch, &v, weft_now() - 1), -ETIMEDOUT);
		kit_equal(weft_chan_len(ch), cap);
		for (size_t i = 0; i < cap; i++)
			kit_equal(take(ch), i);
		kit_equal(weft_chan_try_recv(ch, &v), -EAGAIN);
		kit_equal(weft_chan_recv_until(ch, &v, weft_now() - 1), -ETIMEDOUT);
		kit_equal(v, -1);
		weft_chan_unref(ch);
	}
}

static void recv_staged(void *arg)
{
	meeting *m = arg;
	m->result = weft_chan_recv(m->ch, &m->value);
	m->stage = 1;
	weft_wg_done(&m->done);
}

CASE(empty_blocks_receivers, "Go's TestChan: a receive from an empty channel blocks, buffered or not")
{
	for (size_t cap = 0; cap < 20; cap++) {
		meeting m = { .ch = make(cap) };
		weft_wg_add(&m.done, 1);
		kit_go(recv_staged, &m);
		kit_until_parked(1);
		kit_equal(m.stage, 0);
		put(m.ch, 9);
		weft_wg_wait(&m.done);
		kit_equal(m.result, 1);
		kit_equal(m.value, 9);
		weft_chan_unref(m.ch);
	}
}

CASE(full_blocks_senders, "Go's TestChan: a send to a full channel blocks until there is room")
{
	for (int cap = 0; cap < 20; cap++) {
		meeting m = { .ch = make((size_t)cap), .result = -1 };
		for (int i = 0; i < cap; i++)
			put(m.ch, i);
		weft_wg_add(&m.done, 1);
		kit_go(send_staged, &m);
		kit_until_parked(1);
		kit_equal(m.stage, 0);
		for (int i = 0; i < cap; i++)
			kit_equal(take(m.ch), i);
		kit_equal(take(m.ch), 42);
		weft_wg_wait(&m.done);
		kit_equal(m.result, 0);
		weft_chan_unref(m.ch);
	}
}

CASE(try_meets_waiting, "chan.h: a try form takes what a waiting goroutine offers, without a buffer")
{
	meeting a = { .ch = make(0) }, b = { .ch = make(0), .result = -1 };
	int v = 7;
	weft_wg_add(&a.done, 1);
	kit_go(recv_staged, &a);
	kit_until_parked(1);
	kit_equal(weft_chan_try_send(a.ch, &v), 0);
	weft_wg_wait(&a.done);
	kit_equal(a.value, 7);
	weft_wg_add(&b.done, 1);
	kit_go(send_staged, &b);
	kit_until_parked(1);
	kit_equal(weft_chan_try_recv(b.ch, &v), 1);
	kit_equal(v, 42);
	weft_wg_wait(&b.done);
	weft_chan_unref(a.ch);
	weft_chan_unref(b.ch);
}

/* ---- deadlines ---- */

CASE(timed_out_receiver_is_gone, "chan.h: -ETIMEDOUT, and the receiver that gave up takes nothing later")
{
	weft_chan *ch = make(0);
	int v = 5;
	for (int i = 0; i < 20; i++)
		kit_equal(weft_chan_recv_until(ch, &v, weft_in(i * WEFT_MS / 10)), -ETIMEDOUT);
	kit_equal(v, 5);
	kit_equal(weft_chan_try_send(ch, &v), -EAGAIN);
	weft_chan_unref(ch);
}

CASE(timed_out_sender_is_gone, "chan.h: -ETIMEDOUT, and nothing was sent")
{
	weft_chan *ch = make(0);
	int v = 5;
	for (int i = 0; i < 20; i++)
		kit_equal(weft_chan_send_until(ch, &v, weft_in(i * WEFT_MS / 10)), -ETIMEDOUT);
	kit_equal(weft_chan_try_recv(ch, &v), -EAGAIN);
	weft_chan_unref(ch);
}

CASE(deadline_not_needed, "chan.h: a deadline that does not come changes nothing")
{
	meeting m = { .ch = make(0), .result = -1 };
	int v = 0;
	for (int i = 0; i < 100; i++) {
		weft_wg_add(&m.done, 1);
		kit_go(send_staged, &m);
		kit_equal(weft_chan_recv_until(m.ch, &v, i % 2 ? WEFT_FOREVER : weft_in(60 * WEFT_SECOND)), 1);
		kit_equal(v, 42);
		weft_wg_wait(&m.done);
	}
	weft_chan_unref(m.ch);
}

static void send_with_deadlines(void *arg)
{
	meeting *m = arg;
	uint64_t random = kit_seed();
	for (int i = 0; i < (int)kit_times(2000); i++)
		while (weft_chan_send_until(m->ch, &i, weft_in((weft_ns)(kit_random(&random) % 30000))) == -ETIMEDOUT) {
		}
	weft_chan_close(m->ch);
}

CASE(deadlines_race_with_meetings, "chan.h: with deadlines on both sides nothing is lost and nothing comes twice")
{
	meeting m = { .ch = make(0) };
	uint64_t random = ~kit_seed();
	int next = 0, v = -1, ret;
	kit_go(send_with_deadlines, &m);
	while ((ret = weft_chan_recv_until(m.ch, &v, weft_in((weft_ns)(kit_random(&random) % 30000)))) != 0)
		if (ret == 1)
			kit_equal(v, next++);
		else
			kit_equal(ret, -ETIMEDOUT);
	kit_equal(next, kit_times(2000));
	weft_chan_unref(m.ch);
}

/* ---- order ---- */

static void send_hundred(void *arg)
{
	for (int i = 0; i < 100; i++)
		put(arg, i);
}

CASE(fifo, "Spec, Channel types: Channels act as first-in-first-out queues.")
{
	for (size_t cap = 0; cap < 200; cap += 7) {
		weft_chan *ch = make(cap);
		kit_go(send_hundred, ch);
		for (int i = 0; i < 100; i++)
			kit_equal(take(ch), i);
		weft_chan_unref(ch);
	}
}

typedef struct queued {
	weft_chan *ch;
	int number;
	atomic_int *order;
	int got;
	weft_wg *done;
} queued;

static void queued_recv(void *arg)
{
	queued *q = arg;
	q->got = take(q->ch);
	weft_wg_done(q->done);
}

static void queued_send(void *arg)
{
	queued *q = arg;
	put(q->ch, q->number);
	weft_wg_done(q->done);
}

CASE(receivers_are_served_in_order, "chan.h: waiting receivers are served in the order they came", .soft = true)
{
	enum { N = 20 };
	queued q[N];
	weft_wg done = { 0 };
	weft_chan *ch = make(0);
	weft_wg_add(&done, N);
	for (int i = 0; i < N; i++) {
		q[i] = (queued){ ch, i, NULL, -1, &done };
		kit_go(queued_recv, &q[i]);
		kit_until_parked((size_t)i + 1);
	}
	for (int i = 0; i < N; i++)
		put(ch, i);
	weft_wg_wait(&done);
	for (int i = 0; i < N; i++)
		kit_equal(q[i].got, i);
	weft_chan_unref(ch);
}

CASE(senders_are_served_in_order, "chan.h: first in, first out, also among waiting senders", .soft = true)
{
	enum { N = 20 };
	queued q[N];
	weft_wg done = { 0 };
	weft_chan *ch = make(3);
	weft_wg_add(&done, N);
	for (int i = 0; i < N; i++) {
		q[i] = (queued){ ch, i, NULL, -1, &done };
		kit_go(queued_send, &q[i]);
		if (i >= 3)
			kit_until_parked((size_t)i - 2);
		else
			kit_until(weft_chan_len(ch) == (size_t)i + 1);
	}
	for (int i = 0; i < N; i++)
		kit_equal(take(ch), i);
	weft_wg_wait(&done);
	weft_chan_unref(ch);
}

/* ---- every value once ---- */

enum { WORKERS = 4 };

typedef struct crowd {
	weft_chan *ch;
	int per_sender;
	atomic_uchar *seen;
	atomic_int next_sender;
	weft_wg senders, receivers;
} crowd;

static void send_share(void *arg)
{
	crowd *c = arg;
	int start = c->next_sender++ * c->per_sender;
	for (int i = 0; i < c->per_sender; i++)
		put(c->ch, start + i);
	weft_wg_done(&c->senders);
}

static void receive_all(void *arg)
{
	crowd *c = arg;
	int v;
	while (weft_chan_recv(c->ch, &v) == 1)
		c->seen[v]++;
	weft_wg_done(&c->receivers);
}

static void each_once(size_t cap)
{
	crowd c = { .ch = make(cap), .per_sender = (int)kit_times(1000) };
	int all = WORKERS * c.per_sender;
	c.seen = calloc((size_t)all, 1);
	weft_wg_add(&c.senders, WORKERS);
	weft_wg_add(&c.receivers, WORKERS);
	for (int i = 0; i < WORKERS; i++) {
		kit_go(send_share, &c);
		kit_go(receive_all, &c);
	}
	weft_wg_wait(&c.senders);
	weft_chan_close(c.ch);
	weft_wg_wait(&c.receivers);
	for (int i = 0; i < all; i++)
		kit_equal(c.seen[i], 1);
	free(c.seen);
	weft_chan_unref(c.ch);
}

CASE(each_value_once, "Go's TestChan: what several goroutines send several others receive, each value once")
{
	for (size_t cap = 0; cap < 12; cap++)
		each_once(cap);
	each_once(1000);
}

/* ---- elements ---- */

typedef struct parcel {
	weft_chan *ch;
	unsigned char *at;
	weft_wg done;
} parcel;

static void send_parcel(void *arg)
{
	parcel *p = arg;
	kit_equal(weft_chan_send(p->ch, p->at), 0);
	weft_wg_done(&p->done);
}

static void pass_parcel(size_t n, size_t cap, bool receiver_first)
{
	parcel p = { .ch = weft_chan_make(n, cap), .at = malloc(n + 1) };
	unsigned char *got = malloc(n + 1);
	kit_require(p.ch);
	for (size_t i = 0; i < n; i++)
		p.at[i] = (unsigned char)(i * 31 + n);
	memset(got, 0xee, n + 1);
	weft_wg_add(&p.done, 1);
	kit_go(send_parcel, &p);
	if (!receiver_first)
		weft_yield();
	kit_equal(weft_chan_recv(p.ch, got), 1);
	kit_expect(!memcmp(got, p.at, n));
	kit_equal(got[n], 0xee);
	weft_wg_wait(&p.done);
	weft_chan_unref(p.ch);
	free(got);
	free(p.at);
}

CASE(elements_of_any_size, "chan.h: elements of elem_bytes are copied in and out, whatever the size")
{
	static const size_t sizes[] = { 0, 1, 2, 3, 7, 8, 9, 16, 17, 64, 100, 128, 4095, 4096, 70000 };
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (size_t cap = 0; cap < 3; cap++) {
			pass_parcel(sizes[i], cap, false);
			pass_parcel(sizes[i], cap, true);
		}
}

CASE(signals_count, "chan.h: elements of 0 bytes are a signal: nothing is copied, but they are counted")
{
	weft_chan *ch = weft_chan_make(0, 1000);
	kit_require(ch);
	for (int i = 0; i < 1000; i++)
		kit_equal(weft_chan_try_send(ch, NULL), 0);
	kit_equal(weft_chan_try_send(ch, NULL), -EAGAIN);
	for (int i = 0; i < 1000; i++)
		kit_equal(weft_chan_try_recv(ch, NULL), 1);
	kit_equal(weft_chan_try_recv(ch, NULL), -EAGAIN);
	weft_chan_unref(ch);
}

CASE(drop_an_element, "chan.h: ret NULL: the element is dropped")
{
	meeting m = { .ch = make(1), .result = -1 };
	put(m.ch, 1);
	kit_equal(weft_chan_recv(m.ch, NULL), 1);
	kit_equal(weft_chan_len(m.ch), 0);
	weft_wg_add(&m.done, 1);
	kit_go(send_staged, &m);
	kit_equal(weft_chan_recv(m.ch, NULL), 1);
	weft_wg_wait(&m.done);
	weft_chan_unref(m.ch);
}

CASE(too_large, "Spec, Making slices, maps and channels: a size that cannot be is an error (Go panics; here NULL)")
{
	kit_expect(!weft_chan_make(SIZE_MAX, 1));
	kit_expect(!weft_chan_make(SIZE_MAX / 2, 4));
	kit_expect(!weft_chan_make(8, SIZE_MAX / 8));
	kit_expect(!weft_chan_make(1, SIZE_MAX));
	kit_expect(!weft_chan_make(8, SIZE_MAX / 8 + 2));
}

CASE(references, "chan.h: a channel lives as long as there is a reference, with what is in it")
{
	weft_chan *ch = make(2);
	kit_expect(weft_chan_ref(ch) == ch);
	put(ch, 4);
	weft_chan_unref(ch);
	kit_equal(take(ch), 4);
	put(ch, 5); /* never received: goes with the channel */
	weft_chan_unref(ch);
	kit_expect(!weft_chan_ref(NULL));
	weft_chan_unref(NULL);
}

/* ---- order of memory ---- */

static void publish(void *arg)
{
	meeting *m = arg;
	m->plain = 1;
	put(m->ch, 0);
	take(m->reply);
	kit_equal(m->plain, 2);
	m->plain = 3;
	weft_chan_close(m->ch);
}

CASE(synchronizes,
	"Memory model: A send on a channel is synchronized before the completion of the corresponding receive.  "
	"The closing of a channel is synchronized before a receive that returns because the channel is closed.")
{
	for (size_t cap = 0; cap < 2; cap++)
		for (int i = 0; i < (int)kit_times(500); i++) {
			meeting m = { .ch = make(cap), .reply = make(0) };
			kit_go(publish, &m);
			take(m.ch);
			kit_equal(m.plain, 1);
			m.plain = 2;
			put(m.reply, 0);
			kit_equal(weft_chan_recv(m.ch, NULL), 0);
			kit_equal(m.plain, 3);
			weft_chan_unref(m.ch);
			weft_chan_unref(m.reply);
		}
}

typedef struct limited {
	weft_chan *permits;
	int inside; /* not atomic: at most one may touch it */
	weft_wg done;
} limited;

static void enter(void *arg)
{
	limited *l = arg;
	for (int i = 0; i < 200; i++) {
		put(l->permits, 0);
		kit_equal(++l->inside, 1);
		l->inside--;
		take(l->permits);
	}
	weft_wg_done(&l->done);
}

CASE(room_limits,
	"Memory model: The kth receive on a channel with capacity C is synchronized before the completion of the "
	"k+Cth send from that channel.")
{
	limited l = { .permits = make(1) };
	weft_wg_add(&l.done, 8);
	for (int i = 0; i < 8; i++)
		kit_go(enter, &l);
	weft_wg_wait(&l.done);
	weft_chan_unref(l.permits);
}

/* ---- races of Go's tests ---- */

static void take_if_ready(void *arg)
{
	meeting *m = arg;
	kit_expect(weft_chan_try_recv(m->ch, NULL) >= 0); /* a value, or closed */
	weft_wg_done(&m->done);
}

CASE(nonblocking_recv_race, "Go's TestNonblockRecvRace (issue 3256): a channel that is full or closed is always ready")
{
	for (int i = 0; i < (int)kit_times(2000); i++) {
		meeting m = { .ch = make(1) };
		put(m.ch, 1);
		weft_wg_add(&m.done, 1);
		kit_go(take_if_ready, &m);
		weft_chan_close(m.ch);
		weft_chan_recv(m.ch, NULL);
		weft_wg_wait(&m.done);
		weft_chan_unref(m.ch);
	}
}

static void consume(void *arg)
{
	crowd *c = arg;
	int v;
	while (weft_chan_recv(c->ch, &v) == 1) {
		c->seen[v]++;
		if (v % 31 == 0)
			weft_yield();
	}
	weft_wg_done(&c->receivers);
}

CASE(multi_consumer, "Go's TestMultiConsumer: 23 consumers of one producer get each value once")
{
	int n = (int)kit_times(10000);
	crowd c = { .ch = make(23 * 3), .seen = calloc((size_t)n, 1) };
	weft_wg_add(&c.receivers, 23);
	for (int i = 0; i < 23; i++)
		kit_go(consume, &c);
	for (int i = 0; i < n; i++)
		put(c.ch, i);
	weft_chan_close(c.ch);
	weft_wg_wait(&c.receivers);
	for (int i = 0; i < n; i++)
		kit_equal(c.seen[i], 1);
	free(c.seen);
	weft_chan_unref(c.ch);
}

/* ---- other threads ---- */

static void *foreign_recv(void *arg)
{
	weft_chan *ch = arg;
	int v = 3;
	kit_equal(weft_chan_recv(ch, &v), -EPERM);
	kit_equal(weft_chan_send(ch, &v), -EPERM);
	kit_equal(weft_chan_recv_until(ch, &v, 0), -EPERM);
	kit_equal(weft_chan_try_send(ch, &v), 0);
	kit_equal(weft_chan_len(ch), 1);
	kit_equal(weft_chan_try_recv(ch, &v), 1);
	kit_equal(v, 3);
	return NULL;
}

CASE(foreign_thread, "chan.h: -EPERM outside a goroutine; the try forms are for any thread")
{
	weft_chan *ch = make(1);
	pthread_t t;
	kit_require(!pthread_create(&t, NULL, foreign_recv, ch));
	pthread_join(t, NULL);
	weft_chan_unref(ch);
}

static void *foreign_close(void *arg)
{
	weft_chan *ch = arg;
	for (int i = 0; i < 100; i++)
		while (weft_chan_try_send(ch, &i) == -EAGAIN)
			sched_yield();
	weft_chan_close(ch);
	return NULL;
}

CASE(foreign_thread_wakes,
	"chan.h: what another thread sends or closes wakes the goroutine that waits, though no proc runs")
{
	weft_chan *ch = make(0);
	pthread_t t;
	int v, next = 0;
	kit_require(!pthread_create(&t, NULL, foreign_close, ch));
	/* The deadline keeps the program from looking deadlocked: it cannot know of the thread. */
	while (weft_chan_recv_until(ch, &v, weft_in(60 * WEFT_SECOND)) == 1)
		kit_equal(v, next++);
	kit_equal(next, 100);
	pthread_join(t, NULL);
	weft_chan_unref(ch);
}

CASE(before_main, "chan.h: made by any thread, also before weft_main()", .outside = true)
{
	weft_chan *ch = make(1);
	int v = 8;
	kit_equal(weft_chan_cap(ch), 1);
	kit_equal(weft_chan_recv(ch, &v), -EPERM);
	kit_equal(v, 8);
	weft_chan_unref(ch);
}

/* ---- programs ---- */

static void generate(void *arg)
{
	for (int i = 2;; i++)
		put(arg, i);
}

typedef struct filter_args {
	weft_chan *in, *out;
	int prime;
} filter_args;

static void filter(void *arg)
{
	filter_args *f = arg;
	for (;;) {
		int i = take(f->in);
		if (i % f->prime)
			put(f->out, i);
	}
}

CASE(prime_sieve, "test/chan/sieve1.go: a chain of filters finds the primes")
{
	static const int primes[] = { 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71 };
	enum { N = sizeof(primes) / sizeof(primes[0]) };
	static weft_chan *stages[N + 1]; /* their goroutines wait in them at the end */
	stages[0] = make(0);
	kit_go(generate, stages[0]);
	for (int i = 0; i < N; i++) {
		int prime = take(stages[i]);
		kit_equal(prime, primes[i]);
		stages[i + 1] = make(0);
		filter_args f = { stages[i], stages[i + 1], prime };
		kit_equal(weft_go_copy(filter, &f, sizeof(f), NULL), 0);
	}
}

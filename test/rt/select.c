/* rt/select.c - waiting for several communications: Go's specification, and the cases of Go's own tests. */
#include "kit/rtkit.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

typedef struct two {
	weft_chan *a, *b, *done;
	atomic_int n;
	weft_wg wg;
} two;

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

static void two_make(two *t, size_t cap)
{
	*t = (two){ .a = make(cap), .b = make(cap), .done = make(0) };
}

static void two_free(two *t)
{
	weft_chan_unref(t->a);
	weft_chan_unref(t->b);
	weft_chan_unref(t->done);
}

/* ---- nothing is ready ---- */

CASE(empty,
	"Spec, Select statements: a select with only nil channels and no default case blocks forever (`select {}`).",
	.dies = KIT_DEADLOCK)
{
	weft_select(NULL, 0);
}

CASE(only_nil,
	"Spec, Select statements: Since communication on nil channels can never proceed, a select with only nil "
	"channels and no default case blocks forever.",
	.dies = KIT_DEADLOCK)
{
	int v = 1;
	weft_case cases[] = { WEFT_RECV(NULL, &v), WEFT_SEND(NULL, &v), { 0 } };
	weft_select(cases, 3);
}

CASE(default_case, "Spec, Select statements: Otherwise, if there is a default case, that case is chosen.")
{
	two t;
	two_make(&t, 1);
	int v = 7;
	put(t.b, 1);
	weft_case cases[] = { WEFT_RECV(t.a, &v), WEFT_SEND(t.b, &v), WEFT_RECV(NULL, &v), { 0 } };
	for (int i = 0; i < 100; i++)
		kit_equal(weft_select_try(cases, 4), -EAGAIN);
	kit_equal(v, 7);
	kit_equal(weft_select_try(NULL, 0), -EAGAIN);
	two_free(&t);
}

CASE(deadline, "chan.h: -ETIMEDOUT when none was ready by the deadline, and no case was done")
{
	two t;
	two_make(&t, 0);
	int v = 7;
	weft_case cases[] = { WEFT_RECV(t.a, &v), WEFT_SEND(t.b, &v), WEFT_RECV(NULL, NULL) };
	for (int i = 0; i < 20; i++)
		kit_equal(weft_select_until(cases, 3, weft_in(i * WEFT_MS / 10)), -ETIMEDOUT);
	kit_equal(weft_select_until(cases, 3, weft_now() - WEFT_SECOND), -ETIMEDOUT);
	kit_equal(weft_select_until(NULL, 0, weft_in(WEFT_MS)), -ETIMEDOUT);
	kit_equal(v, 7);
	/* Nobody waits there any more. */
	kit_equal(weft_chan_try_send(t.a, &v), -EAGAIN);
	kit_equal(weft_chan_try_recv(t.b, &v), -EAGAIN);
	two_free(&t);
}

CASE(deadline_passed_but_ready, "chan.h: a deadline that has passed does not wait, but does what can be done at once")
{
	two t;
	two_make(&t, 1);
	int v = 0;
	put(t.b, 5);
	weft_case cases[] = { WEFT_RECV(t.a, &v), WEFT_RECV(t.b, &v) };
	kit_equal(weft_select_until(cases, 2, 0), 1);
	kit_equal(cases[1].result, 1);
	kit_equal(v, 5);
	two_free(&t);
}

/* ---- one is ready ---- */

CASE(only_the_chosen_is_done, "Spec, Select statements: only the chosen communication happens")
{
	two t;
	two_make(&t, 1);
	int a = -1, b = -2, c = 3;
	put(t.b, 9);
	put(t.a, 1); /* full: the send cannot proceed */
	weft_chan *empty = make(0);
	weft_case cases[] = { WEFT_SEND(t.a, &c), WEFT_RECV(t.b, &b), WEFT_RECV(empty, &a) };
	cases[0].result = cases[1].result = cases[2].result = 55;
	kit_equal(weft_select(cases, 3), 1);
	kit_equal(b, 9);
	kit_equal(a, -1);
	kit_equal(c, 3);
	kit_equal(cases[0].result, 55);
	kit_equal(cases[1].result, 1);
	kit_equal(cases[2].result, 55);
	kit_equal(weft_chan_len(t.a), 1);
	weft_chan_unref(empty);
	two_free(&t);
}

CASE(closed_is_ready, "Spec, Receive operator: A receive operation on a closed channel can always proceed immediately.")
{
	two t;
	two_make(&t, 0);
	int v = 7;
	weft_chan_close(t.b);
	weft_case cases[] = { WEFT_RECV(t.a, &v), WEFT_RECV(t.b, &v) };
	kit_equal(weft_select(cases, 2), 1);
	kit_equal(cases[1].result, 0);
	kit_equal(v, 0);
	v = 7;
	kit_equal(weft_select_try(cases, 2), 1);
	kit_equal(v, 0);
	two_free(&t);
}

CASE(send_on_closed, "Spec, Select statements: a send case on a closed channel can proceed, by a panic.",
	.dies = "panic: send on closed channel")
{
	two t;
	two_make(&t, 0);
	int v = 7;
	weft_chan_close(t.b);
	weft_case cases[] = { WEFT_RECV(t.a, &v), WEFT_SEND(t.b, &v) };
	weft_select(cases, 2);
}

CASE(default_and_send_on_closed, "Spec, Select statements: the same with a default case.",
	.dies = "panic: send on closed channel")
{
	weft_chan *ch = make(0);
	int v = 7;
	weft_chan_close(ch);
	weft_case cases[] = { WEFT_SEND(ch, &v) };
	weft_select_try(cases, 1);
}

static void close_when_waiting(void *arg)
{
	kit_until_parked(1);
	weft_chan_close(arg);
}

CASE(close_under_select_send, "Spec, Close: a select that waits to send panics when that channel is closed.",
	.dies = "panic: send on closed channel")
{
	two t;
	two_make(&t, 0);
	int v = 7;
	kit_go(close_when_waiting, t.b);
	weft_case cases[] = { WEFT_RECV(t.a, &v), WEFT_SEND(t.b, &v) };
	weft_select(cases, 2);
}

CASE(close_wakes_select, "Spec, Close: a select that waits to receive proceeds when that channel is closed.")
{
	two t;
	two_make(&t, 0);
	int v = 7;
	kit_go(close_when_waiting, t.b);
	weft_case cases[] = { WEFT_SEND(t.a, &v), WEFT_RECV(t.b, &v) };
	kit_equal(weft_select(cases, 2), 1);
	kit_equal(cases[1].result, 0);
	kit_equal(v, 0);
	two_free(&t);
}

CASE(bad_arguments, "chan.h: -EINVAL for an unknown op or n over WEFT_SELECT_MAX")
{
	weft_case bad = { 17, NULL, NULL, 0 };
	kit_equal(weft_select_try(&bad, 1), -EINVAL);
	kit_equal(weft_select_until(&bad, 1, 0), -EINVAL);
	weft_case *many = calloc(WEFT_SELECT_MAX + 1, sizeof(*many));
	kit_equal(weft_select_try(many, WEFT_SELECT_MAX + 1), -EINVAL);
	kit_equal(weft_select_try(many, WEFT_SELECT_MAX), -EAGAIN);
	free(many);
}

/* ---- several are ready ---- */

CASE(fair_choice,
	"Spec, Select statements: If one or more of the communications can proceed, a single one that can proceed "
	"is chosen via a uniform pseudo-random selection.")
{
	enum { TRIALS = 10000, N = 5 };
	weft_case cases[N];
	int got[N] = { 0 };
	for (int i = 0; i < N; i++) {
		weft_chan *ch = make(0);
		weft_chan_close(ch);
		cases[i] = (weft_case)WEFT_RECV(ch, NULL);
	}
	for (int i = 0; i < TRIALS; i++)
		got[weft_select(cases, N)]++;
	for (int i = 0; i < N; i++) { /* 2000 expected, standard deviation 40: ten of them */
		kit_expect(got[i] > TRIALS / N - 400);
		kit_expect(got[i] < TRIALS / N + 400);
		weft_chan_unref(cases[i].ch);
	}
}

typedef struct funnel {
	weft_chan *from[4], *out, *done;
	weft_wg wg;
} funnel;

/* Takes from any of the four and passes on which it was. */
static void pass_on(void *arg)
{
	funnel *f = arg;
	weft_case in[4];
	for (int i = 0; i < 4; i++)
		in[i] = (weft_case)WEFT_RECV(f->from[i], NULL);
	for (;;) {
		int chosen = weft_select(in, 4);
		weft_case out[] = { WEFT_SEND(f->out, &chosen), WEFT_RECV(f->done, NULL) };
		if (weft_select(out, 2) == 1)
			break;
	}
	weft_wg_done(&f->wg);
}

CASE(fairness, "Go's TestSelectFairness: of two channels that are always ready, among two that never are, both are "
	       "chosen as often")
{
	int trials = (int)kit_times(10000), got[4] = { 0 }, chosen;
	funnel f = { .out = make(0), .done = make(0) };
	for (int i = 0; i < 4; i++)
		f.from[i] = make(i < 2 ? (size_t)trials + 1 : 0);
	for (int i = 0; i <= trials; i++) {
		put(f.from[0], 0);
		put(f.from[1], 0);
	}
	weft_wg_add(&f.wg, 1);
	kit_go(pass_on, &f);
	for (int i = 0; i < trials; i++) {
		kit_equal(weft_chan_recv(f.out, &chosen), 1);
		got[chosen]++;
	}
	weft_chan_close(f.done);
	weft_wg_wait(&f.wg);
	kit_equal(got[0] + got[1], trials);
	/* Go's bound: one in a million, 4.9 standard deviations of half the square root of the trials. */
	double off = got[0] - trials / 2.0;
	kit_expect(off * off < 4.891676 * 4.891676 / 4 * trials);
	for (int i = 0; i < 4; i++)
		weft_chan_unref(f.from[i]);
	weft_chan_unref(f.out);
	weft_chan_unref(f.done);
}

static void recv_bits(void *arg)
{
	two *t = arg;
	for (int i = 0, v; i < 200; i++) {
		kit_equal(weft_chan_recv(t->a, &v), 1);
		t->n += v;
	}
	weft_wg_done(&t->wg);
}

CASE(pseudo_random_send,
	"Go's TestPseudoRandomSend: of two sends on one channel that can both proceed, both are chosen, each "
	"more than n/10 times")
{
	for (size_t cap = 0; cap <= 200; cap += 200) {
		two t;
		two_make(&t, cap);
		int zero = 0, one = 1;
		weft_case cases[] = { WEFT_SEND(t.a, &zero), WEFT_SEND(t.a, &one) };
		weft_wg_add(&t.wg, 1);
		kit_go(recv_bits, &t);
		for (int i = 0; i < 200; i++) {
			if (cap == 0)
				kit_until_parked(1); /* the receiver is there: both can proceed */
			weft_select(cases, 2);
		}
		weft_wg_wait(&t.wg);
		kit_expect(t.n > 20);
		kit_expect(t.n < 180);
		two_free(&t);
	}
}

/* ---- the same channel more than once ---- */

static void wait_twice(void *arg)
{
	two *t = arg;
	int v = -1;
	weft_case cases[] = { WEFT_RECV(t->a, &v), WEFT_RECV(t->a, &v), WEFT_RECV(t->b, &v) };
	int i = weft_select(cases, 3);
	kit_expect(i == 0 || i == 1);
	kit_equal(v, 6);
	weft_wg_done(&t->wg);
}

CASE(duplicate_channel,
	"Go's TestSelectDuplicateChannel: a channel may stand in several cases; all are withdrawn when one runs")
{
	for (int i = 0; i < 100; i++) {
		two t;
		two_make(&t, 0);
		int v = 6;
		weft_wg_add(&t.wg, 1);
		kit_go(wait_twice, &t);
		if (i % 2)
			kit_until_parked(1);
		put(t.a, 6);
		weft_wg_wait(&t.wg);
		kit_equal(weft_chan_try_send(t.a, &v), -EAGAIN);
		kit_equal(weft_chan_try_send(t.b, &v), -EAGAIN);
		two_free(&t);
	}
}

typedef struct self {
	weft_chan *ch;
	int number, n;
	weft_wg *done;
} self;

static void both_ways(void *arg)
{
	self *s = arg;
	for (int i = 0; i < s->n; i++) {
		int mine = s->number, got = -1;
		weft_case send_first[] = { WEFT_SEND(s->ch, &mine), WEFT_RECV(s->ch, &got) };
		weft_case recv_first[] = { WEFT_RECV(s->ch, &got), WEFT_SEND(s->ch, &mine) };
		int ran = s->number == 0 ? weft_select(send_first, 2) : 1 - weft_select(recv_first, 2);
		if (weft_chan_cap(s->ch) == 0 && ran == 1)
			kit_equal(got, 1 - s->number); /* never what it sent itself */
	}
	weft_wg_done(s->done);
}

CASE(self_select,
	"Go's TestSelfSelect: a select that sends to and receives from one channel does not receive its own value")
{
	for (size_t cap = 0; cap <= 10; cap += 10) {
		weft_wg done = { 0 };
		weft_chan *ch = make(cap);
		self s[2] = { { ch, 0, (int)kit_times(1000), &done }, { ch, 1, (int)kit_times(1000), &done } };
		weft_wg_add(&done, 2);
		kit_go(both_ways, &s[0]);
		kit_go(both_ways, &s[1]);
		weft_wg_wait(&done);
		weft_chan_unref(ch);
	}
}

/* ---- many ---- */

static void send_to_each(void *arg)
{
	weft_case *cases = arg;
	for (int i = 999; i >= 0; i--)
		put(cases[i].ch, i);
}

CASE(thousand_cases, "chan.h: any number of cases")
{
	enum { N = 1000 };
	static weft_case cases[N];
	int v = -1;
	for (int i = 0; i < N; i++)
		cases[i] = (weft_case)WEFT_RECV(make(0), &v);
	kit_go(send_to_each, cases);
	for (int i = 0; i < N; i++) {
		int ran = weft_select(cases, N);
		kit_equal(v, ran);
	}
	for (int i = 0; i < N; i++)
		weft_chan_unref(cases[i].ch);
}

/* ---- the stress of Go's tests ---- */

enum { ROADS = 4 };

typedef struct stress {
	weft_chan *ch[ROADS];
	int n;
	atomic_int sent[ROADS], received[ROADS];
	weft_wg done;
} stress;

typedef struct road {
	stress *s;
	int number;
} road;

static void send_straight(void *arg)
{
	road *r = arg;
	for (int i = 0; i < r->s->n; i++) {
		put(r->s->ch[r->number], 0);
		r->s->sent[r->number]++;
	}
	weft_wg_done(&r->s->done);
}

static void recv_straight(void *arg)
{
	road *r = arg;
	for (int i = 0; i < r->s->n; i++) {
		kit_equal(weft_chan_recv(r->s->ch[r->number], NULL), 1);
		r->s->received[r->number]++;
	}
	weft_wg_done(&r->s->done);
}

/* n communications on each channel, by select; a channel that had its n is NULL from then on. */
static void all_roads(stress *s, int op, atomic_int *count)
{
	int v = 0, done[ROADS] = { 0 };
	weft_case cases[ROADS];
	for (int k = 0; k < ROADS; k++)
		cases[k] = (weft_case){ op, s->ch[k], &v, 0 };
	for (int i = 0; i < ROADS * s->n; i++) {
		int k = weft_select(cases, ROADS);
		count[k]++;
		if (++done[k] == s->n)
			cases[k].ch = NULL;
	}
	weft_wg_done(&s->done);
}

static void send_by_select(void *arg)
{
	stress *s = arg;
	all_roads(s, WEFT_OP_SEND, s->sent);
}

static void recv_by_select(void *arg)
{
	stress *s = arg;
	all_roads(s, WEFT_OP_RECV, s->received);
}

CASE(stress, "Go's TestSelectStress: four channels, sent to and received from directly and by select; all meet",
	.seconds = 30)
{
	static stress s;
	road roads[ROADS];
	s.n = (int)kit_times(5000);
	weft_wg_add(&s.done, 2 * ROADS + 2);
	for (int k = 0; k < ROADS; k++) {
		s.ch[k] = make(k < 2 ? 0 : (size_t)k);
		roads[k] = (road){ &s, k };
	}
	for (int k = 0; k < ROADS; k++) {
		kit_go(send_straight, &roads[k]);
		kit_go(recv_straight, &roads[k]);
	}
	kit_go(send_by_select, &s);
	kit_go(recv_by_select, &s);
	weft_wg_wait(&s.done);
	for (int k = 0; k < ROADS; k++) {
		kit_equal(s.sent[k], 2 * s.n);
		kit_equal(s.received[k], 2 * s.n);
		kit_equal(weft_chan_len(s.ch[k]), 0);
		weft_chan_unref(s.ch[k]);
	}
}

static void either_is_ready(void *arg)
{
	two *t = arg;
	int v;
	weft_case cases[] = { WEFT_RECV(t->a, &v), WEFT_RECV(t->b, &v) };
	kit_expect(weft_select_try(cases, 2) >= 0);
	weft_wg_done(&t->wg);
}

CASE(nonblocking_race,
	"Go's TestNonblockSelectRace: one of two channels is ready all the time, so default is never chosen")
{
	for (int i = 0; i < (int)kit_times(2000); i++) {
		two t;
		two_make(&t, 1);
		put(t.a, 1);
		weft_wg_add(&t.wg, 1);
		kit_go(either_is_ready, &t);
		put(t.b, 1);
		weft_chan_try_recv(t.a, NULL);
		weft_wg_wait(&t.wg);
		two_free(&t);
	}
}

CASE(nonblocking_race_close, "Go's TestNonblockSelectRace2: the same when the second is closed instead")
{
	for (int i = 0; i < (int)kit_times(2000); i++) {
		two t;
		two_make(&t, 1);
		put(t.a, 1);
		weft_wg_add(&t.wg, 1);
		kit_go(either_is_ready, &t);
		weft_chan_close(t.b);
		weft_chan_try_recv(t.a, NULL);
		weft_wg_wait(&t.wg);
		two_free(&t);
	}
}

static void select_pairs(void *arg)
{
	two *t = arg;
	int v = 1;
	weft_case cases[] = { WEFT_SEND(t->a, &v), WEFT_SEND(t->b, &v), WEFT_RECV(t->a, &v), WEFT_RECV(t->b, &v),
		WEFT_RECV(t->done, NULL) };
	for (int ran; (ran = weft_select(cases, 5)) != 4;)
		t->n += ran < 2 ? 1 : -1; /* a send and its receive cancel out */
	weft_wg_done(&t->wg);
}

CASE(selects_meet_each_other,
	"chan.h: selects that wait on the same channels in different roles meet in pairs, each once")
{
	two t;
	two_make(&t, 0);
	weft_wg_add(&t.wg, 8);
	for (int i = 0; i < 8; i++)
		kit_go(select_pairs, &t);
	for (int i = 0; i < (int)kit_times(300); i++)
		weft_sleep(20 * WEFT_US);
	weft_chan_close(t.done);
	weft_wg_wait(&t.wg);
	kit_equal(t.n, 0);
	two_free(&t);
}

static void count_with_deadlines(void *arg)
{
	two *t = arg;
	uint64_t random = kit_seed();
	int v = 0, n = (int)kit_times(1000);
	weft_case cases[] = { WEFT_SEND(t->a, &v), WEFT_SEND(t->b, &v) };
	while (v < n)
		if (weft_select_until(cases, 2, weft_in((weft_ns)(kit_random(&random) % 20000))) >= 0)
			v++;
	weft_chan_close(t->a);
	weft_chan_close(t->b);
	weft_wg_done(&t->wg);
}

CASE(deadlines_race_with_meetings,
	"chan.h: with deadlines on both sides of a select nothing is lost and nothing comes twice")
{
	two t;
	two_make(&t, 0);
	uint64_t random = ~kit_seed();
	int v = -1, next = 0;
	weft_case cases[] = { WEFT_RECV(t.a, &v), WEFT_RECV(t.b, &v) };
	weft_wg_add(&t.wg, 1);
	kit_go(count_with_deadlines, &t);
	for (;;) {
		int ran = weft_select_until(cases, 2, weft_in((weft_ns)(kit_random(&random) % 20000)));
		if (ran == -ETIMEDOUT)
			continue;
		if (!kit_expect(ran >= 0) || cases[ran].result == 0)
			break;
		kit_equal(v, next++);
	}
	kit_equal(next, kit_times(1000));
	weft_wg_wait(&t.wg);
	two_free(&t);
}

typedef struct big {
	char bytes[5000];
} big;

static void send_big(void *arg)
{
	weft_chan *ch = arg;
	static big b;
	memset(&b, 0x5a, sizeof(b));
	weft_case cases[] = { WEFT_SEND(ch, &b) };
	kit_equal(weft_select(cases, 1), 0);
	weft_chan_unref(ch);
}

CASE(large_elements, "chan.h: a select moves elements of any size")
{
	weft_chan *ch = weft_chan_make(sizeof(big), 0), *never = make(0);
	static big got;
	kit_go(send_big, weft_chan_ref(ch)); /* it is in its select still when the element is here */
	weft_case cases[] = { WEFT_RECV(never, NULL), WEFT_RECV(ch, &got) };
	kit_equal(weft_select(cases, 2), 1);
	for (size_t i = 0; i < sizeof(got); i++)
		kit_equal(got.bytes[i], 0x5a);
	weft_chan_unref(ch);
	weft_chan_unref(never);
}

/* ---- tables and small programs ---- */

/* A channel with n elements of a buffer for cap, closed or not; cap -1: nil. */
typedef struct condition {
	int cap, n;
	bool closed;
	int recv; /* what a receive says, -EAGAIN when it waits */
	int send; /* the same; a panic is not tried */
} condition;

enum { PANICS = 1 };

static const condition conditions[] = {
	{ -1, 0, false, -EAGAIN, -EAGAIN },
	{ 0, 0, false, -EAGAIN, -EAGAIN },
	{ 1, 0, false, -EAGAIN, 0 },
	{ 1, 1, false, 1, -EAGAIN },
	{ 2, 1, false, 1, 0 },
	{ 0, 0, true, 0, PANICS },
	{ 1, 0, true, 0, PANICS },
	{ 1, 1, true, 1, PANICS },
	{ 2, 1, true, 1, PANICS },
};
enum { N_CONDITIONS = sizeof(conditions) / sizeof(conditions[0]) };

static weft_chan *in_condition(const condition *c)
{
	weft_chan *ch = c->cap < 0 ? NULL : make((size_t)c->cap);
	for (int i = 0; i < c->n; i++)
		put(ch, 7);
	if (c->closed)
		weft_chan_close(ch);
	return ch;
}

static int late(int result)
{
	return result == -EAGAIN ? -ETIMEDOUT : result;
}

/* One operation in each of its forms, every time on a channel in that condition. */
static void expect_recv(const condition *c, int form, weft_ns deadline)
{
	weft_chan *ch = in_condition(c);
	int v = 5, got = 0, value = c->recv < 0 ? 5 : c->recv ? 7 : 0;
	weft_case one[] = { WEFT_RECV(ch, &v) }, pair[] = { WEFT_RECV(NULL, &v), WEFT_RECV(ch, &v) };
	switch (form) {
	case 0: got = weft_chan_try_recv(ch, &v); break;
	case 1: got = weft_chan_recv_until(ch, &v, deadline); break;
	case 2: got = weft_select_try(one, 1); break;
	case 3: got = weft_select_until(one, 1, deadline); break;
	case 4: got = weft_select_try(pair, 2); break;
	default: got = weft_select_until(pair, 2, deadline); break;
	}
	if (form >= 2 && got >= 0) {
		kit_equal(got, form >= 4);
		got = form >= 4 ? pair[1].result : one[0].result;
	}
	kit_equal(got, form % 2 ? late(c->recv) : c->recv);
	kit_equal(v, value);
	weft_chan_unref(ch);
}

static void expect_send(const condition *c, int form, weft_ns deadline)
{
	weft_chan *ch = in_condition(c);
	int v = 5, got = 0;
	weft_case one[] = { WEFT_SEND(ch, &v) }, pair[] = { WEFT_SEND(NULL, &v), WEFT_SEND(ch, &v) };
	switch (form) {
	case 0: got = weft_chan_try_send(ch, &v); break;
	case 1: got = weft_chan_send_until(ch, &v, deadline); break;
	case 2: got = weft_select_try(one, 1); break;
	case 3: got = weft_select_until(one, 1, deadline); break;
	case 4: got = weft_select_try(pair, 2); break;
	default: got = weft_select_until(pair, 2, deadline); break;
	}
	if (form >= 4 && got >= 0)
		got -= 1; /* the second case */
	kit_equal(got, form % 2 ? late(c->send) : c->send);
	kit_equal(weft_chan_len(ch), c->n + (c->send == 0));
	weft_chan_unref(ch);
}

CASE(every_condition,
	"test/chan/select3.go, nonblock.go: sends and receives, alone and in selects, on channels that are nil, empty, "
	"full, closed, and closed with something in them")
{
	enum { FORMS = 6 };
	for (int i = 0; i < N_CONDITIONS; i++)
		for (int form = 0; form < FORMS; form++)
			for (int k = 0; k < 2; k++) {
				weft_ns deadline = k ? weft_in(20 * WEFT_US) : INT64_MIN;
				expect_recv(&conditions[i], form, deadline);
				if (conditions[i].send != PANICS)
					expect_send(&conditions[i], form, deadline);
			}
}

static weft_chan *four[4], *merged, *ended;

static void send_to_any(void *arg)
{
	(void)arg;
	for (int i = 0; i < (int)kit_times(2000); i++) {
		weft_case cases[] = { WEFT_SEND(four[0], &i), WEFT_SEND(four[1], &i), WEFT_SEND(four[2], &i),
			WEFT_SEND(four[3], &i) };
		kit_expect(weft_select(cases, 4) >= 0);
	}
	for (int k = 0; k < 4; k++)
		weft_chan_close(four[k]);
}

static void merge(void *arg)
{
	int v;
	while (weft_chan_recv(arg, &v) == 1)
		put(merged, v);
	weft_chan_send(ended, NULL);
}

static void close_merged(void *arg)
{
	(void)arg;
	for (int k = 0; k < 4; k++)
		weft_chan_recv(ended, NULL);
	weft_chan_close(merged);
}

CASE(double_select, "test/chan/doubleselect.go: a select that sends does so once, though four goroutines receive")
{
	int n = (int)kit_times(2000), v;
	char *seen = calloc((size_t)n, 1);
	merged = make(0);
	ended = weft_chan_make(0, 0);
	for (int k = 0; k < 4; k++)
		four[k] = make(0);
	kit_go(send_to_any, NULL);
	for (int k = 0; k < 4; k++)
		kit_go(merge, four[k]);
	kit_go(close_merged, NULL);
	while (weft_chan_recv(merged, &v) == 1)
		kit_equal(seen[v]++, 0);
	for (int i = 0; i < n; i++)
		kit_equal(seen[i], 1);
	free(seen);
}

static void recv_once(void *arg)
{
	two *t = arg;
	kit_equal(weft_chan_recv(t->a, NULL), 1);
	weft_wg_done(&t->wg);
}

static void select_then_recv(void *arg)
{
	two *t = arg;
	weft_case cases[] = { WEFT_RECV(t->a, NULL), WEFT_RECV(t->b, NULL) };
	kit_equal(weft_select(cases, 2), 1);
	weft_chan_send(t->done, &(int){ 0 });
	kit_equal(weft_chan_recv(t->a, NULL), 1);
	weft_wg_done(&t->wg);
}

CASE(withdrawn_from_the_middle, "test/chan/select6.go: a select takes back a case that is not the first of its queue")
{
	for (int i = 0; i < 100; i++) {
		two t;
		two_make(&t, 0);
		weft_wg_add(&t.wg, 2);
		kit_go(recv_once, &t);
		if (i % 2)
			kit_until_parked(1);
		kit_go(select_then_recv, &t);
		if (i % 2)
			kit_until_parked(2);
		put(t.b, 1);
		kit_equal(weft_chan_recv(t.done, NULL), 1);
		put(t.a, 1);
		put(t.a, 2);
		weft_wg_wait(&t.wg);
		two_free(&t);
	}
}

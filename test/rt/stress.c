/* rt/stress.c - random programs over everything that makes goroutines wait, with an oracle.
 *
 * What must hold at the end: every value that was sent was received, once; values of one sender that one receiver got
 * from one channel came in order; counters behind locks are exact; every timer that was started was stopped or ran; and
 * everybody got to the end (the case's time limit: no lost wake-up).
 *
 * KIT_STRESS_MS: how long each case runs, in milliseconds (300; its time limit is 30 seconds).  Seeds: test/rt/kit.
 */
#include "kit/rtkit.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORKERS = 24, CHANNELS = 6, SENT_MAX = 1 << 18 };

typedef struct worker {
	int number;
	uint64_t random;
	uint32_t n_sent;                  /* values that were taken, or wait in a buffer */
	uint32_t last[CHANNELS][WORKERS]; /* number of the last value + 1, by channel and sender */
	int64_t locked, shared, timers_started, timers_stopped;
	atomic_int timers_run;
} worker;

static weft_chan *channels[CHANNELS];
static worker workers[WORKERS];
static _Atomic uint8_t *received[WORKERS]; /* by sender and number: how often */
static weft_ctx *ctx;
static weft_wg running, closing;
static weft_mutex mutex;
static weft_rwmutex rw;
static weft_sema sema = WEFT_SEMA(3);
static int64_t locked, shared[2]; /* behind mutex; behind rw, equal but while it is written */
static atomic_int holders;

static uint64_t pick(worker *w, uint64_t n)
{
	return kit_random(&w->random) % n;
}

static weft_ns soon(worker *w)
{
	return weft_in((weft_ns)pick(w, 60000) - 10000);
}

static uint64_t value_of(const worker *w)
{
	return (uint64_t)w->number << 32 | w->n_sent;
}

static void take_in(worker *w, int channel, uint64_t v)
{
	uint32_t sender = (uint32_t)(v >> 32), number = (uint32_t)v;
	if (!kit_expect(sender < WORKERS && number < SENT_MAX))
		return;
	kit_equal(received[sender][number]++, 0);
	kit_expect(w->last[channel][sender] <= number);
	w->last[channel][sender] = number + 1;
}

/* ---- what a worker does ---- */

static void do_send(worker *w)
{
	uint64_t v = value_of(w);
	int err = weft_chan_send_until(channels[pick(w, CHANNELS)], &v, soon(w));
	kit_expect(err == 0 || err == -ETIMEDOUT);
	w->n_sent += err == 0;
}

static void do_recv(worker *w)
{
	uint64_t v;
	int k = (int)pick(w, CHANNELS), ret = weft_chan_recv_until(channels[k], &v, soon(w));
	if (ret == 1)
		take_in(w, k, v);
	else
		kit_equal(ret, -ETIMEDOUT);
}

static void do_try(worker *w)
{
	uint64_t v = value_of(w);
	int k = (int)pick(w, CHANNELS);
	if (pick(w, 2))
		w->n_sent += weft_chan_try_send(channels[k], &v) == 0;
	else if (weft_chan_try_recv(channels[k], &v) == 1)
		take_in(w, k, v);
}

/* Cases over channels taken at random, the same more than once too; a value that several cases offer is sent once. */
static void do_select(worker *w)
{
	enum { MOST = 9 };
	weft_case cases[MOST + 2];
	uint64_t mine = value_of(w), got[MOST];
	int of[MOST], n = 1 + (int)pick(w, MOST);
	for (int i = 0; i < n; i++) {
		of[i] = (int)pick(w, CHANNELS);
		bool sends = pick(w, 2);
		cases[i] = (weft_case){ sends ? WEFT_OP_SEND : WEFT_OP_RECV, pick(w, 20) ? channels[of[i]] : NULL,
			sends ? &mine : &got[i], 0 };
	}
	uint64_t how = pick(w, 4);
	weft_chan *timeout = how == 1 ? weft_after((weft_ns)pick(w, 60000)) : NULL;
	cases[n] = (weft_case)WEFT_RECV(weft_ctx_done(ctx), NULL);
	cases[n + 1] = (weft_case)WEFT_RECV(timeout, NULL);
	int ran = how == 0   ? weft_select_try(cases, (size_t)n)
		  : how == 1 ? weft_select(cases, (size_t)n + 2)
			     : weft_select_until(cases, (size_t)n, soon(w));
	weft_chan_unref(timeout);
	if (ran < 0)
		kit_equal(ran, how == 0 ? -EAGAIN : -ETIMEDOUT);
	else if (ran >= n)
		kit_equal(cases[ran].result, ran == n ? 0 : 1);
	else if (cases[ran].op == WEFT_OP_SEND)
		w->n_sent++;
	else if (kit_equal(cases[ran].result, 1))
		take_in(w, of[ran], got[ran]);
}

static void pause_a_little(worker *w)
{
	switch (pick(w, 6)) {
	case 0: weft_sleep((weft_ns)pick(w, 30000)); break;
	case 1: weft_sleep_until(soon(w)); break;
	case 2:
		weft_syscall_begin();
		sched_yield();
		weft_syscall_end();
		break;
	default: weft_yield();
	}
}

static void do_lock(worker *w)
{
	if (pick(w, 3))
		weft_lock(&mutex);
	else if (!weft_try_lock(&mutex))
		return;
	int64_t before = locked;
	if (pick(w, 8) == 0)
		pause_a_little(w);
	kit_equal(locked, before);
	locked = before + 1;
	w->locked++;
	weft_unlock(&mutex);
}

static void do_rwlock(worker *w)
{
	if (pick(w, 4)) {
		weft_rlock(&rw);
		kit_equal(shared[0], shared[1]);
		if (pick(w, 8) == 0)
			weft_yield();
		kit_equal(shared[0], shared[1]);
		weft_runlock(&rw);
		return;
	}
	weft_wlock(&rw);
	shared[0]++;
	if (pick(w, 8) == 0)
		weft_yield();
	shared[1]++;
	w->shared++;
	weft_wunlock(&rw);
}

static void do_sema(worker *w)
{
	if (weft_sema_acquire_until(&sema, soon(w)) == -ETIMEDOUT)
		return;
	int n = ++holders;
	kit_expect(n >= 1 && n <= 3);
	if (pick(w, 4) == 0)
		weft_yield();
	holders--;
	weft_sema_release(&sema);
}

static void timer_ran(void *arg)
{
	worker *w = arg;
	w->timers_run++;
}

static void do_timer(worker *w)
{
	weft_timer t = { 0 };
	kit_equal(weft_timer_start(&t, soon(w), timer_ran, w), 0);
	w->timers_started++;
	if (pick(w, 2))
		weft_yield();
	if (pick(w, 3) == 0) {
		w->timers_stopped += weft_timer_reset(&t, soon(w));
		w->timers_started++;
	}
	w->timers_stopped += weft_timer_stop(&t);
}

/* ---- channels that are closed ---- */

typedef struct round {
	weft_chan *ch;
	weft_wg senders, receivers;
	atomic_long sum;
	int n_each;
} round;

static void round_send(void *arg)
{
	round *r = arg;
	for (uint64_t i = 1; i <= (uint64_t)r->n_each; i++)
		kit_equal(weft_chan_send(r->ch, &i), 0);
	weft_wg_done(&r->senders);
}

static void round_recv(void *arg)
{
	round *r = arg;
	uint64_t v;
	while (weft_chan_recv(r->ch, &v) == 1)
		r->sum += (long)v;
	kit_equal(v, 0);
	weft_wg_done(&r->receivers);
}

static void do_round(worker *w)
{
	round r = { .ch = weft_chan_make(sizeof(uint64_t), pick(w, 4)), .n_each = (int)pick(w, 20) };
	int n_senders = 1 + (int)pick(w, 3), n_receivers = 1 + (int)pick(w, 3);
	weft_wg_add(&r.senders, n_senders);
	weft_wg_add(&r.receivers, n_receivers);
	for (int i = 0; i < n_receivers; i++)
		kit_go(round_recv, &r);
	for (int i = 0; i < n_senders; i++)
		kit_go(round_send, &r);
	weft_wg_wait(&r.senders);
	weft_chan_close(r.ch);
	weft_wg_wait(&r.receivers);
	kit_equal(r.sum, (long)n_senders * r.n_each * (r.n_each + 1) / 2);
	weft_chan_unref(r.ch);
}

/* ---- contexts ---- */

static void wait_for_end(void *arg)
{
	weft_ctx *c = arg;
	kit_equal(weft_chan_recv(weft_ctx_done(c), NULL), 0);
	kit_expect(weft_ctx_err(c) != 0);
	weft_ctx_unref(c);
	weft_wg_done(&closing);
}

static void do_ctx(worker *w)
{
	weft_ctx *c = weft_ctx_make(ctx, pick(w, 2) ? soon(w) : WEFT_FOREVER);
	weft_wg_add(&closing, 1);
	kit_go(wait_for_end, weft_ctx_ref(c));
	if (pick(w, 2))
		pause_a_little(w);
	weft_ctx_cancel(c);
	kit_expect(weft_ctx_err(c) != 0);
	weft_ctx_unref(c);
}

/* ---- the whole ---- */

static void work(void *arg)
{
	worker *w = arg;
	while (weft_ctx_err(ctx) == 0 && w->n_sent < SENT_MAX - 1) {
		switch (pick(w, 20)) {
		case 0: do_round(w); break;
		case 1: do_ctx(w); break;
		case 2: do_timer(w); break;
		case 3: do_sema(w); break;
		case 4: do_rwlock(w); break;
		case 5:
		case 6: do_lock(w); break;
		case 7: pause_a_little(w); break;
		case 8:
		case 9: do_try(w); break;
		case 10:
		case 11:
		case 12: do_send(w); break;
		case 13:
		case 14:
		case 15: do_recv(w); break;
		default: do_select(w);
		}
	}
	weft_wg_done(&running);
}

static void start_all(void)
{
	static const size_t caps[CHANNELS] = { 0, 0, 1, 2, 7, 64 };
	const char *ms = getenv("KIT_STRESS_MS");
	for (int i = 0; i < CHANNELS; i++)
		channels[i] = weft_chan_make(sizeof(uint64_t), caps[i]);
	ctx = weft_ctx_make(NULL, weft_in((ms ? atoi(ms) : 300) * WEFT_MS));
	weft_wg_add(&running, WORKERS);
	for (int i = 0; i < WORKERS; i++) {
		received[i] = calloc(SENT_MAX, 1);
		workers[i] = (worker){ .number = i, .random = kit_seed() * 1000003 + (uint64_t)i };
		kit_go(work, &workers[i]);
	}
}

static void drain(void)
{
	static worker last;
	uint64_t v;
	for (int k = 0; k < CHANNELS; k++)
		while (weft_chan_try_recv(channels[k], &v) == 1)
			take_in(&last, k, v);
}

static void judge(void)
{
	int64_t n_locked = 0, n_shared = 0;
	uint64_t n_sent = 0;
	for (int i = 0; i < WORKERS; i++) {
		worker *w = &workers[i];
		for (uint32_t k = 0; k < w->n_sent; k++)
			kit_equal(received[i][k], 1);
		kit_equal(received[i][w->n_sent], 0);
		kit_until(w->timers_run >= w->timers_started - w->timers_stopped);
		kit_equal(w->timers_run, w->timers_started - w->timers_stopped);
		n_locked += w->locked;
		n_shared += w->shared;
		n_sent += w->n_sent;
		free((void *)received[i]);
	}
	kit_equal(locked, n_locked);
	kit_equal(shared[0], n_shared);
	kit_equal(holders, 0);
	kit_expect(n_sent > WORKERS);
	if (getenv("KIT_STRESS_MS"))
		fprintf(stderr, "%llu values\n", (unsigned long long)n_sent);
}

CASE(everything,
	"every value sent is received once, in order; locks, timers and contexts keep their word; nobody waits for "
	"ever",
	.seconds = 30)
{
	start_all();
	weft_wg_wait(&running);
	weft_wg_wait(&closing);
	drain();
	judge();
	for (int k = 0; k < CHANNELS; k++)
		weft_chan_unref(channels[k]);
	weft_ctx_unref(ctx);
}

/* rt/wait/alarm.c - timers that start a goroutine, and those that send the time on a channel. */
#include <errno.h>

#include <weft/go.h>
#include <weft/time.h>

#include "base/alloc.h"
#include "os/thread.h"
#include "rt/wait/chan.h"

/* ---- weft_timer ---- */

_Static_assert(sizeof(weft__timer) <= sizeof(weft_timer), "the public structure has room");

static weft__timer *of(weft_timer *t)
{
	return (weft__timer *)t;
}

static void start(weft__m *m, weft__timer *t, int64_t now_ns)
{
	weft__start s = {
		.fn = t->user_fn,
		.arg = t->arg,
		.stack_class = weft__sched.stack_class,
		.from = (uintptr_t)t->user_fn,
	};
	if (weft__go(m, &s) < 0)
		weft__timer_retry(t, now_ns);
}

int weft_timer_start(weft_timer *t, weft_ns moment, weft_fn *fn, void *arg)
{
	if (!weft__sched.started)
		return -EPERM;
	weft__m *m = weft__enter();
	int ran = weft__timer_reset(
		m, of(t), &(weft__timer){ .when_ns = moment, .fn = start, .arg = arg, .user_fn = fn });
	weft__leave(m);
	return ran < 0 ? ran : 0;
}

bool weft_timer_stop(weft_timer *t)
{
	if (!atomic_load_explicit(&of(t)->heap, memory_order_acquire))
		return false;
	weft__m *m = weft__enter();
	bool ran = weft__timer_stop(of(t));
	weft__leave(m);
	return ran;
}

bool weft_timer_reset(weft_timer *t, weft_ns moment)
{
	if (!atomic_load_explicit(&of(t)->heap, memory_order_acquire))
		return false;
	weft__m *m = weft__enter();
	int ran = weft__timer_reset(m, of(t), &(weft__timer){ .when_ns = moment });
	weft__leave(m);
	if (ran < 0)
		weft__fatal("out of memory: weft_timer_reset");
	return ran;
}

/* ---- channels of time ---- */

/* What a channel of time has beside it. */
typedef struct clockwork {
	weft__timer timer;
	weft_chan *ch;
	int64_t period_ns; /* 0: once */
} clockwork;

static void tick(weft__m *m, weft__timer *t, int64_t now_ns)
{
	clockwork *c = t->arg;
	weft_chan *ch = c->ch;
	weft__g *wake = NULL;
	if (c->period_ns) /* the next of its moments that is still to come */
		weft__timer_again(t, t->when_ns + c->period_ns * (1 + (now_ns - t->when_ns) / c->period_ns));
	weft__lock_take(&ch->lock, WEFT__RANK_CHAN);
	weft__chan_try_send(ch, &now_ns, &wake); /* full: the one before has not been seen, this one is dropped */
	weft__lock_drop(&ch->lock);
	if (wake)
		weft__ready(m, wake);
}

static void end(weft_chan *ch)
{
	clockwork *c = ch->owner;
	weft__m *m = weft__enter();
	weft__timer_stop(&c->timer);
	weft__leave(m);
	wb_free(c);
}

static weft_chan *channel(weft_ns first, weft_ns period)
{
	if (!weft__sched.started)
		return NULL;
	weft_chan *ch = weft_chan_make(sizeof(weft_ns), 1);
	clockwork *c = wb_calloc(1, sizeof(*c));
	if (!ch || !c) {
		weft_chan_unref(ch);
		wb_free(c);
		return NULL;
	}
	*c = (clockwork){ .timer = { .when_ns = first, .fn = tick, .arg = c }, .ch = ch, .period_ns = period };
	ch->owner = c;
	ch->at_free = end;
	weft__m *m = weft__enter();
	int err = weft__timer_start(m, &c->timer);
	weft__leave(m);
	if (err == 0)
		return ch;
	weft_chan_unref(ch);
	return NULL;
}

weft_chan *weft_after(weft_ns d)
{
	return channel(weft_in(d), 0);
}

weft_chan *weft_tick(weft_ns period)
{
	if (period <= 0)
		weft_panic("non-positive interval for NewTicker");
	return channel(weft_in(period), period);
}

/* rt/wait/select.c - waiting for several channels at once.
 *
 * First each case is tried by itself, in random order.  When none can go, all channels are locked in order of address,
 * the cases are tried once more, and the goroutine queues at all of them.  Source: Go, runtime/select.go. */
#include <errno.h>
#include <stdlib.h>

#include <weft/go.h>

#include "base/alloc.h"
#include "os/thread.h"
#include "rt/wait/chan.h"

enum { FEW = 16, SENT_ON_CLOSED = -4096 /* no errno */ };

/* What a select works with; for few cases on the goroutine's stack. */
struct work {
	weft_case *cases;
	weft__waiter *waiters;
	uint32_t *order;    /* random */
	weft_chan **locked; /* by address, each once */
	uint32_t n, n_locked;
	weft__g *g;
	bool timed;
};

static bool live(const weft_case *c)
{
	return c->op != WEFT_OP_NONE && c->ch;
}

/* A random order of the live cases. */
static uint32_t shuffle(uint32_t *order, const weft_case *cases, size_t n, uint64_t *rng)
{
	uint32_t k = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (!live(&cases[i]))
			continue;
		uint32_t j = (uint32_t)((weft__rng(rng) >> 32) * (k + 1) >> 32);
		if (j != k)
			order[k] = order[j];
		order[j] = i;
		k++;
	}
	return k;
}

static weft__try try_case(weft_case *c, weft__g **ret_wake)
{
	return c->op == WEFT_OP_SEND ? weft__chan_try_send(c->ch, c->elem, ret_wake)
				     : weft__chan_try_recv(c->ch, c->elem, ret_wake);
}

static bool may(const weft_case *c)
{
	return c->op == WEFT_OP_SEND ? weft__chan_may_send(c->ch) : weft__chan_may_recv(c->ch);
}

/* Writes the result of case i; SENT_ON_CLOSED instead of i for a send that is to panic. */
static int finish(weft_case *cases, uint32_t i, bool ok)
{
	if (!ok && cases[i].op == WEFT_OP_SEND)
		return SENT_ON_CLOSED;
	cases[i].result = cases[i].op == WEFT_OP_SEND ? 0 : ok;
	return (int)i;
}

/* One after the other; true when one went: *ret is as from finish. */
static bool try_each(weft__m *m, weft_case *cases, const uint32_t *order, uint32_t n, int *ret)
{
	for (uint32_t k = 0; k < n; k++) {
		weft_case *c = &cases[order[k]];
		if (!may(c))
			continue;
		weft__g *wake = NULL;
		weft__lock_take(&c->ch->lock, WEFT__RANK_CHAN);
		weft__try done = try_case(c, &wake);
		weft__lock_drop(&c->ch->lock);
		if (wake)
			weft__ready(m, wake);
		if (done == WEFT__TRY_WAIT)
			continue;
		*ret = finish(cases, order[k], done == WEFT__TRY_DONE);
		return true;
	}
	return false;
}

static int by_address(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t) * (weft_chan *const *)a, y = (uintptr_t) * (weft_chan *const *)b;
	return (x > y) - (x < y);
}

static void sort_channels(struct work *w)
{
	weft_chan **list = w->locked;
	for (uint32_t k = 0; k < w->n; k++)
		list[k] = w->cases[w->order[k]].ch;
	if (w->n > FEW) {
		qsort(list, w->n, sizeof(*list), by_address);
	} else {
		for (uint32_t i = 1; i < w->n; i++) {
			weft_chan *ch = list[i];
			uint32_t j = i;
			for (; j > 0 && list[j - 1] > ch; j--)
				list[j] = list[j - 1];
			list[j] = ch;
		}
	}
	uint32_t n = 0;
	for (uint32_t i = 0; i < w->n; i++)
		if (n == 0 || list[n - 1] != list[i])
			list[n++] = list[i];
	w->n_locked = n;
}

static void unlock_all(struct work *w, uint32_t n)
{
	for (uint32_t i = n; i-- > 0;)
		weft__lock_drop(&w->locked[i]->lock);
}

/* On the next context, with all channels locked.  From weft__deadline_parked on the timer may wake the goroutine, but
 * it needs all the locks before it goes on: without any w is gone at once, else with the last. */
static void parked(void *arg)
{
	struct work *w = arg;
	weft__g *g = w->g;
	uint32_t n = w->n_locked;
	bool late = w->timed && weft__deadline_parked(g);
	unlock_all(w, n);
	if (late)
		weft__ready(weft__self(), g);
}

static weft__waitq *queue_of(const weft_case *c)
{
	return c->op == WEFT_OP_SEND ? &c->ch->senders : &c->ch->receivers;
}

static void queue_all(struct work *w)
{
	for (uint32_t k = 0; k < w->n; k++) {
		weft_case *c = &w->cases[w->order[k]];
		w->waiters[k] = (weft__waiter){ .g = w->g, .elem = c->elem, .index = w->order[k], .contested = true };
		weft__chan_offer(c->ch);
		weft__waitq_put(queue_of(c), &w->waiters[k]);
	}
}

/* Every channel is locked, so that whoever still unlocks it in parked() is done with w. */
static void unqueue_all(struct work *w)
{
	for (uint32_t k = 0; k < w->n; k++) {
		weft_case *c = &w->cases[w->order[k]];
		weft__lock_take(&c->ch->lock, WEFT__RANK_CHAN);
		weft__waitq_remove(queue_of(c), &w->waiters[k]);
		weft__lock_drop(&c->ch->lock);
	}
}

/* Locks all channels and tries each case: true when one went, *ret is as from finish and nothing is locked. */
static bool try_locked(weft__m *m, struct work *w, int *ret)
{
	sort_channels(w);
	for (uint32_t i = 0; i < w->n_locked; i++)
		weft__lock_take(&w->locked[i]->lock, WEFT__RANK_CHAN);
	for (uint32_t k = 0; k < w->n; k++) {
		weft__g *wake = NULL;
		weft__try done = try_case(&w->cases[w->order[k]], &wake);
		if (done == WEFT__TRY_WAIT)
			continue;
		unlock_all(w, w->n_locked);
		if (wake)
			weft__ready(m, wake);
		*ret = finish(w->cases, w->order[k], done == WEFT__TRY_DONE);
		return true;
	}
	return false;
}

/* For the trace: the first channels, and which way each is waited for. */
static void name_channels(weft__m *m, const struct work *w)
{
	unsigned n = 0;
	for (uint32_t k = 0; k < w->n && n < WEFT__WAITS_FOR_MAX; k++) {
		const weft_case *c = &w->cases[w->order[k]];
		m->waits_for[n++] = (weft__tr_object){
			.kind = WEFT__TR_CHAN,
			.id = (uint64_t)(uintptr_t)c->ch,
			.attr = c->ch->cap,
			.send = c->op == WEFT_OP_SEND,
		};
	}
	m->n_waits_for = n;
}

/* For dumps. */
static void tell_channels(const struct work *w)
{
	weft__g *g = w->g;
	g->wait_attr = w->n == 1 ? w->locked[0]->cap : w->n_locked;
	g->select = (const void *const *)w->locked;
}

/* Queues everywhere and parks.  As finish, or -ETIMEDOUT. */
static int wait(weft__m **m, struct work *w)
{
	int i;
	if (!w->timed) {
		atomic_store_explicit(&w->g->select_won, 0, memory_order_relaxed);
		w->g->won = NULL;
	}
	if (try_locked(*m, w, &i))
		return i;
	queue_all(w);
	tell_channels(w);
	if (weft__tr_on())
		name_channels(*m, w);
	*m = weft__park_call(
		*m, parked, w, w->n ? WEFT__WAIT_SELECT : WEFT__WAIT_SELECT_NONE, w->n == 1 ? w->locked[0] : NULL);
	weft__waiter *won = w->g->won;
	unqueue_all(w);
	return won ? finish(w->cases, won->index, won->ok) : -ETIMEDOUT;
}

/* With the memory that it needs.  A deadline that has passed: does not wait. */
static int wait_until(weft__m **m, struct work *w, int64_t deadline_ns)
{
	int i = -ETIMEDOUT;
	w->timed = deadline_ns != INT64_MAX;
	if (!w->timed)
		return wait(m, w);
	if (deadline_ns == INT64_MIN || deadline_ns <= wo_now_ns()) {
		if (!try_locked(*m, w, &i))
			unlock_all(w, w->n_locked);
		return i;
	}
	weft__deadline d;
	if (weft__deadline_start(*m, &d, deadline_ns) < 0)
		return -ENOMEM;
	i = wait(m, w);
	weft__deadline_stop(&d);
	return i;
}

static int wait_few(weft__m **m, weft_case *cases, const uint32_t *order, uint32_t n, int64_t deadline_ns)
{
	weft__waiter waiters[FEW];
	weft_chan *locked[FEW];
	struct work w = {
		.cases = cases,
		.waiters = waiters,
		.order = (uint32_t *)(uintptr_t)order,
		.locked = locked,
		.n = n,
		.g = weft__self_g(*m),
	};
	return wait_until(m, &w, deadline_ns);
}

/* deadline_ns INT64_MIN: does not wait. */
static int choose(weft__m **m, weft_case *cases, size_t n, uint32_t *order, int64_t deadline_ns)
{
	if (!weft__self_g(*m) && deadline_ns != INT64_MIN)
		return -EPERM;
	weft__p *p = weft__self_p(*m);
	uint32_t k = shuffle(order, cases, n, p ? &p->rng : &(*m)->rng);
	int i;
	if (try_each(*m, cases, order, k, &i))
		return i;
	/* One by one they were not ready, at different moments: from here on it is all at once. */
	if (n <= FEW)
		return wait_few(m, cases, order, k, deadline_ns);
	struct work w = { .cases = cases, .order = order, .n = k, .g = weft__self_g(*m) };
	w.waiters = wb_malloc(k * sizeof(*w.waiters) + 1);
	w.locked = wb_malloc(k * sizeof(*w.locked) + 1);
	i = w.waiters && w.locked ? wait_until(m, &w, deadline_ns) : -ENOMEM;
	wb_free(w.waiters);
	wb_free(w.locked);
	return i;
}

static int run(weft_case *cases, size_t n, int64_t deadline_ns)
{
	if (n > WEFT_SELECT_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (cases[i].op < WEFT_OP_NONE || cases[i].op > WEFT_OP_RECV)
			return -EINVAL;
	uint32_t few[FEW], *order = few;
	if (n > FEW) {
		order = wb_malloc(n * sizeof(*order));
		if (!order)
			return -ENOMEM;
	}
	weft__m *m = weft__enter();
	int i = choose(&m, cases, n, order, deadline_ns);
	weft__leave(m);
	if (order != few)
		wb_free(order);
	if (i == SENT_ON_CLOSED)
		weft_panic("send on closed channel");
	return i;
}

int weft_select(weft_case *cases, size_t n)
{
	return run(cases, n, INT64_MAX);
}

int weft_select_until(weft_case *cases, size_t n, weft_ns deadline)
{
	return run(cases, n, deadline == INT64_MIN ? INT64_MIN + 1 : deadline);
}

/* Without a lock: false when there was a moment at which none was ready (see weft__chan_offer). */
static bool any_ready(const weft_case *cases, size_t n)
{
	uint32_t offers[FEW];
	if (n > FEW)
		return true;
	for (size_t i = 0; i < n; i++) {
		weft_chan *ch = live(&cases[i]) ? cases[i].ch : NULL;
		if (!ch)
			continue;
		offers[i] = atomic_load_explicit(&ch->n_offers, memory_order_acquire);
		if (atomic_load_explicit(&ch->lock.held, memory_order_acquire) || may(&cases[i]))
			return true;
	}
	atomic_thread_fence(memory_order_acquire);
	for (size_t i = 0; i < n; i++)
		if (live(&cases[i]) && offers[i] != atomic_load_explicit(&cases[i].ch->n_offers, memory_order_relaxed))
			return true;
	return false;
}

int weft_select_try(weft_case *cases, size_t n)
{
	if (n > WEFT_SELECT_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (cases[i].op < WEFT_OP_NONE || cases[i].op > WEFT_OP_RECV)
			return -EINVAL;
	int i = any_ready(cases, n) ? run(cases, n, INT64_MIN) : -EAGAIN;
	return i == -ETIMEDOUT ? -EAGAIN : i;
}

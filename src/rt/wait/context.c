/* rt/wait/context.c - cancellation and deadlines that go down a tree.
 *
 * A context keeps its parent alive, and stands in the parent's list of children as long as it lasts.  Each has a lock
 * for its list, its error and its place; none is ever taken while another is held, not even the parent's: ending a tree
 * goes through a list of work.  Who takes a child out of a list under the list's lock takes a reference with it, unless
 * the last has been given back: that child is on its way out of the list by itself.
 *
 * A context is marked first, then told: its channel is closed.  Only what is told is seen from outside, so that the
 * error, the channel and the channels of all below never contradict each other. */
#include <errno.h>
#include <time.h>

#include <weft/chan.h>
#include <weft/ctx.h>
#include <weft/time.h>

#include "base/alloc.h"
#include "os/thread.h"
#include "rt/wait/chan.h"

struct weft_ctx {
	_Atomic uint32_t n_refs;
	_Atomic int err; /* marked */
	weft_ctx *parent;
	weft_chan *done;
	int64_t deadline_ns;
	weft__timer timer; /* when the deadline is its own */
	bool held;         /* the timer has a reference, for want of a goroutine to give it to; the timer's to write */
	weft__lock lock;
	weft_ctx *children; /* under the lock, as is being ended */
	/* Under the parent's lock. */
	weft_ctx *prev, *next;
	bool listed;
	/* Of the work of ending a tree. */
	weft_ctx *work;
};

/* A reference, unless the last one has been given back. */
static bool revive(weft_ctx *c)
{
	uint32_t n = atomic_load_explicit(&c->n_refs, memory_order_relaxed);
	while (n > 0)
		if (atomic_compare_exchange_weak_explicit(
			    &c->n_refs, &n, n + 1, memory_order_acq_rel, memory_order_relaxed))
			return true;
	return false;
}

/* ---- the tree ---- */

/* Under the parent's lock. */
static void unlist(weft_ctx *c)
{
	if (!c->listed)
		return;
	if (c->prev)
		c->prev->next = c->next;
	else
		c->parent->children = c->next;
	if (c->next)
		c->next->prev = c->prev;
	c->listed = false;
}

/* Into the parent's list; 0, or with what the parent has ended. */
static int enlist(weft_ctx *c)
{
	weft_ctx *p = c->parent;
	weft__lock_take(&p->lock, WEFT__RANK_GROUP);
	int err = atomic_load_explicit(&p->err, memory_order_relaxed);
	if (err == 0) {
		c->next = p->children;
		if (c->next)
			c->next->prev = c;
		p->children = c;
		c->listed = true;
	}
	weft__lock_drop(&p->lock);
	return err;
}

static void leave_parent(weft_ctx *c)
{
	if (!c->parent)
		return;
	weft__lock_take(&c->parent->lock, WEFT__RANK_GROUP);
	unlist(c);
	weft__lock_drop(&c->parent->lock);
}

/* ---- ending ---- */

/* Says that c has ended; true when this call did.  Its children, with a reference each, are put before *work. */
static bool mark(weft_ctx *c, int err, weft_ctx **work)
{
	weft__lock_take(&c->lock, WEFT__RANK_GROUP);
	bool first = atomic_load_explicit(&c->err, memory_order_relaxed) == 0;
	if (first)
		atomic_store_explicit(&c->err, err, memory_order_release);
	for (weft_ctx *child; (child = c->children) != NULL;) {
		unlist(child);
		if (!revive(child))
			continue;
		child->work = *work;
		*work = child;
	}
	weft__lock_drop(&c->lock);
	return first;
}

static bool is_told(const weft_ctx *c)
{
	return atomic_load_explicit(&c->done->closed, memory_order_acquire);
}

static void tell(weft__m *m, weft_ctx *c)
{
	if (weft__timer_stop(&c->timer) && c->held) /* not the last: the caller has one */
		atomic_fetch_sub_explicit(&c->n_refs, 1, memory_order_acq_rel);
	weft__chan_close(m, c->done);
}

/* Another thread is ending it, a few instructions long unless the kernel has stopped that thread.  It waits itself only
 * for what is further down: nobody waits in a circle. */
static void until_told(const weft_ctx *c)
{
	enum { SPINS = 1000, SLEEP_NS = 20000 };
	for (int i = 0; !is_told(c); i++) {
		if (i < SPINS)
			weft__pause();
		else
			nanosleep(&(struct timespec){ .tv_nsec = SLEEP_NS }, NULL);
	}
}

static void unref(weft__m *m, weft_ctx *c);

/* Marks all below c, given the first of them.  Returns those that it has marked, the lowest first, and in *ret_others
 * those that another is ending. */
static weft_ctx *mark_below(weft_ctx *work, int err, weft_ctx **ret_others)
{
	weft_ctx *ended = NULL, *others = NULL;
	for (weft_ctx *child; (child = work) != NULL;) {
		work = child->work;
		weft_ctx **list = mark(child, err, &work) ? &ended : &others;
		child->work = *list;
		*list = child;
	}
	*ret_others = others;
	return ended;
}

/* From below: whoever is woken by one channel finds that all below have ended, too. */
static void end(weft__m *m, weft_ctx *c, int err)
{
	weft_ctx *work = NULL, *others;
	bool first = mark(c, err, &work);
	weft_ctx *ended = mark_below(work, err, &others);
	for (weft_ctx *child; (child = others) != NULL;) {
		others = child->work;
		until_told(child);
		unref(m, child);
	}
	for (weft_ctx *child; (child = ended) != NULL;) {
		ended = child->work;
		tell(m, child);
		unref(m, child);
	}
	if (first)
		tell(m, c);
	else
		until_told(c);
	/* Not before: who ends the parent must find it in the list, or told. */
	leave_parent(c);
}

static void unref(weft__m *m, weft_ctx *c)
{
	while (c && atomic_fetch_sub_explicit(&c->n_refs, 1, memory_order_acq_rel) == 1) {
		weft_ctx *parent = c->parent;
		end(m, c, -ECANCELED); /* this one alone: children would keep it */
		weft_chan_unref(c->done);
		wb_free(c);
		c = parent;
	}
}

/* ---- deadlines ---- */

static void expire(void *arg)
{
	weft_ctx *c = arg;
	weft__m *m = weft__enter();
	end(m, c, -ETIMEDOUT);
	unref(m, c);
	weft__leave(m);
}

/* The locks of contexts come before those of timers, so a goroutine does the rest. */
static void due(weft__m *m, weft__timer *t, int64_t now_ns)
{
	weft_ctx *c = t->arg;
	if (!c->held && !revive(c))
		return;
	weft__start s = { .fn = expire, .arg = c, .stack_class = weft__sched.stack_class, .from = (uintptr_t)expire };
	c->held = weft__go(m, &s) < 0;
	if (c->held)
		weft__timer_retry(t, now_ns);
}

/* Unless it has ended meanwhile.  0 or -ENOMEM. */
static int start_timer(weft__m *m, weft_ctx *c)
{
	int err = 0;
	weft__lock_take(&c->lock, WEFT__RANK_GROUP);
	if (atomic_load_explicit(&c->err, memory_order_relaxed) == 0) { /* else somebody looks at the timer already */
		c->timer = (weft__timer){ .when_ns = c->deadline_ns, .fn = due, .arg = c };
		err = weft__timer_start(m, &c->timer);
	}
	weft__lock_drop(&c->lock);
	return err;
}

/* ---- public ---- */

/* The new context takes its place.  0, or negative errno: it is of no use. */
static int begin(weft__m *m, weft_ctx *c)
{
	int err = c->parent ? enlist(c) : 0;
	if (err == 0 && c->deadline_ns < weft_ctx_deadline(c->parent)) {
		if (c->deadline_ns > wo_now_ns())
			return start_timer(m, c);
		err = -ETIMEDOUT;
	}
	if (err < 0)
		end(m, c, err);
	return 0;
}

weft_ctx *weft_ctx_make(weft_ctx *parent, weft_ns deadline)
{
	if (deadline != WEFT_FOREVER && !weft__sched.started)
		return NULL;
	weft_ctx *c = wb_calloc(1, sizeof(*c));
	weft_chan *done = weft_chan_make(0, 0);
	if (!c || !done) {
		weft_chan_unref(done);
		wb_free(c);
		return NULL;
	}
	atomic_init(&c->n_refs, 1);
	c->parent = weft_ctx_ref(parent);
	c->done = done;
	c->deadline_ns = weft_ctx_deadline(parent) < deadline ? weft_ctx_deadline(parent) : deadline;
	weft__m *m = weft__enter();
	if (begin(m, c) < 0) {
		unref(m, c);
		c = NULL;
	}
	weft__leave(m);
	return c;
}

weft_ctx *weft_ctx_ref(weft_ctx *c)
{
	if (c)
		atomic_fetch_add_explicit(&c->n_refs, 1, memory_order_relaxed);
	return c;
}

void weft_ctx_unref(weft_ctx *c)
{
	weft__m *m = weft__enter();
	unref(m, c);
	weft__leave(m);
}

void weft_ctx_cancel(weft_ctx *c)
{
	if (!c || weft_ctx_err(c))
		return;
	weft__m *m = weft__enter();
	end(m, c, -ECANCELED);
	weft__leave(m);
}

weft_chan *weft_ctx_done(weft_ctx *c)
{
	return c ? c->done : NULL;
}

int weft_ctx_err(weft_ctx *c)
{
	return c && is_told(c) ? atomic_load_explicit(&c->err, memory_order_relaxed) : 0;
}

weft_ns weft_ctx_deadline(weft_ctx *c)
{
	return c ? c->deadline_ns : WEFT_FOREVER;
}

int weft_ctx_sleep(weft_ctx *c, weft_ns d)
{
	int err = weft_ctx_err(c);
	if (err)
		return err;
	if (!c)
		return weft_sleep(d);
	err = weft_chan_recv_until(c->done, NULL, weft_in(d));
	return err == 0 ? weft_ctx_err(c) : err == -ETIMEDOUT ? 0 : err;
}

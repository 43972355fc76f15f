/* rt/sched/timer.c - a 4-ary heap for each proc.
 *
 * Each entry holds the time beside the pointer, so that sifting does not touch the timers.  Stopping removes at once:
 * deadlines are mostly stopped again before they come, and those stand at the end of the heap. */
#include "rt/sched/timer.h"

#include <errno.h>

#include "base/alloc.h"
#include "os/thread.h"
#include "rt/sched/poller.h"
#include "rt/sched/world.h"

enum { ARITY = 4, CAP_FIRST = 64 };
#define NOWHERE UINT32_MAX

struct weft__timer_slot {
	int64_t when_ns;
	weft__timer *t;
};

static void put(weft__timers *h, uint32_t at, struct weft__timer_slot s)
{
	h->heap[at] = s;
	s.t->at = at;
}

static uint32_t up(weft__timers *h, uint32_t at)
{
	struct weft__timer_slot s = h->heap[at];
	while (at > 0) {
		uint32_t parent = (at - 1) / ARITY;
		if (h->heap[parent].when_ns <= s.when_ns)
			break;
		put(h, at, h->heap[parent]);
		at = parent;
	}
	put(h, at, s);
	return at;
}

static void down(weft__timers *h, uint32_t at)
{
	struct weft__timer_slot s = h->heap[at];
	for (;;) {
		uint64_t first = (uint64_t)at * ARITY + 1;
		if (first >= h->n)
			break;
		uint32_t least = (uint32_t)first;
		uint32_t end = h->n - first < ARITY ? h->n : (uint32_t)first + ARITY;
		for (uint32_t i = least + 1; i < end; i++)
			if (h->heap[i].when_ns < h->heap[least].when_ns)
				least = i;
		if (h->heap[least].when_ns >= s.when_ns)
			break;
		put(h, at, h->heap[least]);
		at = least;
	}
	put(h, at, s);
}

static void set_first(weft__timers *h)
{
	atomic_store_explicit(&h->first_ns, h->n ? h->heap[0].when_ns : INT64_MAX, memory_order_release);
}

static void drop_at(weft__timers *h, uint32_t at)
{
	h->heap[at].t->at = NOWHERE;
	h->n--;
	if (at != h->n) {
		put(h, at, h->heap[h->n]);
		if (up(h, at) == at)
			down(h, at);
	}
	if (at == 0)
		set_first(h);
}

static bool grow(weft__timers *h)
{
	uint32_t cap = h->cap ? h->cap * 2 : CAP_FIRST;
	struct weft__timer_slot *heap = wb_realloc(h->heap, cap, sizeof(*heap));
	if (!heap)
		return false;
	h->heap = heap;
	h->cap = cap;
	return true;
}

int weft__timer_start(weft__m *m, weft__timer *t)
{
	weft__p *p = weft__self_p(m);
	weft__timers *h = &(p ? p : weft__sched.all_p[0])->timers;
	weft__lock_take(&h->lock, WEFT__RANK_TIMERS);
	if (h->n == h->cap && !grow(h)) {
		weft__lock_drop(&h->lock);
		return -ENOMEM;
	}
	h->heap[h->n] = (struct weft__timer_slot){ t->when_ns, t };
	atomic_store_explicit(&t->heap, h, memory_order_release);
	bool first = up(h, h->n++) == 0;
	if (first)
		set_first(h);
	int64_t when = t->when_ns;
	weft__lock_drop(&h->lock);
	if (first) {
		atomic_thread_fence(memory_order_seq_cst); /* against wait_in_poller, which announces and looks again */
		weft__poll_until(when);
	}
	return 0;
}

bool weft__timer_stop(weft__timer *t)
{
	for (;;) {
		/* The lock is taken even where the timer has fired: its function may still be at it. */
		weft__timers *h = atomic_load_explicit(&t->heap, memory_order_acquire);
		if (!h)
			return false;
		weft__lock_take(&h->lock, WEFT__RANK_TIMERS);
		bool here = atomic_load_explicit(&t->heap, memory_order_relaxed) == h;
		bool ran = here && t->at != NOWHERE;
		if (ran)
			drop_at(h, t->at);
		weft__lock_drop(&h->lock);
		if (here)
			return ran;
	}
}

int weft__timers_run(weft__p *p)
{
	weft__timers *h = &p->timers;
	int64_t first = atomic_load_explicit(&h->first_ns, memory_order_acquire);
	if (first == INT64_MAX)
		return 0;
	int64_t now = wo_now_ns();
	if (first > now)
		return 0;
	weft__m *m = weft__self();
	int n = 0;
	weft__lock_take(&h->lock, WEFT__RANK_TIMERS);
	while (h->n && h->heap[0].when_ns <= now) {
		weft__timer *t = h->heap[0].t;
		if (t->period_ns) {
			/* The next of its moments that is still to come: a late one does not come twice. */
			t->when_ns += t->period_ns * (1 + (now - t->when_ns) / t->period_ns);
			h->heap[0].when_ns = t->when_ns;
			down(h, 0);
			set_first(h);
		} else {
			drop_at(h, 0);
		}
		t->fn(m, t, now);
		n++;
	}
	weft__lock_drop(&h->lock);
	return n;
}

void weft__timers_merge(int32_t n)
{
	weft__timers *to = &weft__sched.all_p[0]->timers;
	for (int32_t i = n; n > 0 && i < weft__sched.n_p; i++) {
		weft__timers *h = &weft__sched.all_p[i]->timers;
		weft__lock_take(&h->lock, WEFT__RANK_TIMERS);
		while (h->n) {
			weft__timer *t = h->heap[0].t;
			if (to->n == to->cap && !grow(to))
				break; /* they stay: thieves run the timers of all procs there ever were */
			drop_at(h, 0);
			to->heap[to->n] = (struct weft__timer_slot){ t->when_ns, t };
			atomic_store_explicit(&t->heap, to, memory_order_release);
			up(to, to->n++);
			set_first(to);
		}
		weft__lock_drop(&h->lock);
	}
}

int64_t weft__timers_first(void)
{
	int64_t first = INT64_MAX;
	for (int32_t i = 0; i < WEFT__PROCS_MAX && weft__sched.all_p[i]; i++) {
		int64_t at = atomic_load_explicit(&weft__sched.all_p[i]->timers.first_ns, memory_order_acquire);
		if (at < first)
			first = at;
	}
	return first;
}

size_t weft__timers_count(void)
{
	size_t n = 0;
	for (int32_t i = 0; i < WEFT__PROCS_MAX && weft__sched.all_p[i]; i++) {
		weft__timers *h = &weft__sched.all_p[i]->timers;
		weft__lock_take(&h->lock, WEFT__RANK_TIMERS);
		n += h->n;
		weft__lock_drop(&h->lock);
	}
	return n;
}

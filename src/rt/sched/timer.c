/* rt/sched/timer.c - a 4-ary heap for each proc.
 *
 * Each entry holds the time beside the pointer, so that sifting does not touch the timers.  Stopping removes at once:
 * deadlines are mostly stopped again before they come, and those stand at the end of the heap. */
#include "rt/sched/timer.h"

#include <errno.h>

#include "base/alloc.h"
#include "os/thread.h"
#include "rt/heap/heap.h"
#include "rt/sched/poller.h"
#include "rt/sched/world.h"

enum {
	ARITY = 4,
	CAP_FIRST = 64,
	FIRE_AT_ONCE = 32, /* then what they woke or started runs first: its memory serves the next */
	RETRY_NS = 1000000,
};
#define RETRY_MAX_NS INT64_C(1000000000)

struct weft__timer_slot {
	int64_t when_ns;
	weft__timer *t;
};

/* ---- the heap; under its lock ---- */

static void put(weft__timers *h, uint32_t at, struct weft__timer_slot s)
{
	h->heap[at] = s;
	s.t->at = at + 1;
}

/* Places s at `at`, which is free, or above it. */
static uint32_t up(weft__timers *h, uint32_t at, struct weft__timer_slot s)
{
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

/* The same, or beneath it. */
static void down(weft__timers *h, uint32_t at, struct weft__timer_slot s)
{
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

static void place(weft__timers *h, uint32_t at, struct weft__timer_slot s)
{
	if (up(h, at, s) == at)
		down(h, at, s);
}

static void set_first(weft__timers *h)
{
	atomic_store_explicit(&h->first_ns, h->n ? h->heap[0].when_ns : INT64_MAX, memory_order_release);
}

static bool has_room(weft__timers *h)
{
	if (h->n < h->cap)
		return true;
	uint32_t cap = h->cap ? h->cap * 2 : CAP_FIRST;
	struct weft__timer_slot *heap = wb_realloc(h->heap, cap, sizeof(*heap));
	if (!heap)
		return false;
	h->heap = heap;
	h->cap = cap;
	return true;
}

/* There is room.  True: it is the first now. */
static bool insert(weft__timers *h, weft__timer *t)
{
	bool first = up(h, h->n++, (struct weft__timer_slot){ t->when_ns, t }) == 0;
	if (first)
		set_first(h);
	return first;
}

/* ---- what it keeps alive; under the lock, too ---- */

/* Nothing before the heap starts: no argument can be of it.  False: out of memory. */
static bool keep(weft__timers *h, weft__timer *t, const weft__timer *as)
{
	const weft__timer *with = as->fn ? as : t;
	if (!with->user_fn || !weft__heap_started())
		return true;
	if (t->pin)
		weft__pin_set(t->pin, t, with->arg);
	else
		t->pin = weft__pin_take(&h->pins, t, with->arg);
	return t->pin;
}

static void let_go(weft__timers *h, weft__pin **pin)
{
	if (weft__likely(!*pin))
		return;
	weft__pin_drop(&h->pins, *pin);
	*pin = NULL;
}

/* ---- out of it ---- */

static void drop(weft__timers *h, weft__timer *t)
{
	uint32_t at = t->at - 1;
	t->at = 0;
	h->n--;
	if (at != h->n)
		place(h, at, h->heap[h->n]);
	if (at == 0)
		set_first(h);
}

/* ---- start, stop ---- */

static weft__timers *own_heap(weft__m *m)
{
	weft__p *p = weft__self_p(m);
	return &(p ? p : weft__sched.all_p[0])->timers;
}

/* Whoever waits in the poller must not wait beyond `ns`. */
static void tell_poller(int64_t ns)
{
	atomic_thread_fence(memory_order_seq_cst); /* against wait_in_poller, which announces and looks again */
	weft__poll_until(ns);
}

int weft__timer_start(weft__m *m, weft__timer *t)
{
	weft__timers *h = own_heap(m);
	int64_t when = t->when_ns;
	atomic_store_explicit(&t->heap, h, memory_order_release);
	weft__lock_take(&h->lock, WEFT__RANK_TIMERS);
	bool room = has_room(h);
	bool first = room && insert(h, t);
	weft__lock_drop(&h->lock);
	if (first)
		tell_poller(when);
	return room ? 0 : -ENOMEM;
}

/* Takes the lock of the heap that the timer is in or was in; NULL: it was never started. */
static weft__timers *lock_heap(weft__timer *t)
{
	for (;;) {
		weft__timers *h = atomic_load_explicit(&t->heap, memory_order_acquire);
		if (!h)
			return NULL;
		weft__lock_take(&h->lock, WEFT__RANK_TIMERS);
		if (atomic_load_explicit(&t->heap, memory_order_relaxed) == h)
			return h;
		weft__lock_drop(&h->lock);
	}
}

/* The same, but a timer that does not run moves to `own` first. */
static weft__timers *lock_own_heap(weft__timer *t, weft__timers *own)
{
	weft__timers *none = NULL;
	atomic_compare_exchange_strong_explicit(&t->heap, &none, own, memory_order_acq_rel, memory_order_relaxed);
	for (;;) {
		weft__timers *h = lock_heap(t);
		if (h == own || t->at != 0)
			return h;
		atomic_store_explicit(&t->heap, own, memory_order_release);
		weft__lock_drop(&h->lock);
	}
}

int weft__timer_reset(weft__m *m, weft__timer *t, const weft__timer *as)
{
	weft__timers *h = lock_own_heap(t, own_heap(m));
	bool ran = t->at != 0, first = false;
	if (!(ran || has_room(h)) || !keep(h, t, as)) {
		if (ran)
			drop(h, t);
		weft__lock_drop(&h->lock);
		return -ENOMEM;
	}
	t->when_ns = as->when_ns;
	if (as->fn) {
		t->fn = as->fn;
		t->arg = as->arg;
		t->user_fn = as->user_fn;
	}
	if (ran) {
		place(h, t->at - 1, (struct weft__timer_slot){ t->when_ns, t });
		set_first(h);
		first = t->at == 1;
	} else {
		first = insert(h, t);
	}
	weft__lock_drop(&h->lock);
	if (first)
		tell_poller(as->when_ns);
	return ran;
}

bool weft__timer_stop(weft__timer *t)
{
	/* The lock is taken even where the timer has fired: its function may still be at it. */
	weft__timers *h = lock_heap(t);
	if (!h)
		return false;
	bool ran = t->at != 0;
	if (ran) {
		drop(h, t);
		let_go(h, &t->pin);
	}
	weft__lock_drop(&h->lock);
	return ran;
}

void weft__timer_again(weft__timer *t, int64_t when_ns)
{
	/* There is room: it has just been taken out, and the lock not been dropped since. */
	weft__timers *h = atomic_load_explicit(&t->heap, memory_order_relaxed);
	t->when_ns = when_ns;
	t->pin = h->fired;
	h->fired = NULL;
	insert(h, t);
}

void weft__timer_retry(weft__timer *t, int64_t now_ns)
{
	static _Atomic int64_t failing_since, last_failure;
	if (now_ns - atomic_exchange(&last_failure, now_ns) > RETRY_MAX_NS)
		atomic_store(&failing_since, now_ns);
	if (now_ns - atomic_load(&failing_since) > RETRY_MAX_NS)
		weft__fatal("out of memory: no goroutine could be started for a timer for 1 s");
	weft__timer_again(t, now_ns + RETRY_NS);
}

/* ---- all of them ---- */

/* The timer may be gone when its function returns, and what it keeps is then the goroutine's. */
static void fire(weft__m *m, weft__timers *h, weft__timer *t, int64_t now)
{
	drop(h, t);
	h->fired = t->pin;
	t->pin = NULL;
	t->fn(m, t, now);
	let_go(h, &h->fired);
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
	for (; n < FIRE_AT_ONCE && h->n && h->heap[0].when_ns <= now; n++)
		fire(m, h, h->heap[0].t, now);
	weft__lock_drop(&h->lock);
	return n;
}

/* Both locks, in order of address. */
static void lock_both(weft__timers *a, weft__timers *b)
{
	weft__lock_take(a < b ? &a->lock : &b->lock, WEFT__RANK_TIMERS);
	weft__lock_take(a < b ? &b->lock : &a->lock, WEFT__RANK_TIMERS);
}

static void merge(weft__timers *to, weft__timers *from)
{
	lock_both(to, from);
	/* Without memory they stay: thieves run the timers of all procs there ever were. */
	while (from->n && has_room(to)) {
		weft__timer *t = from->heap[from->n - 1].t;
		drop(from, t);
		atomic_store_explicit(&t->heap, to, memory_order_release);
		insert(to, t);
	}
	weft__lock_drop(&from->lock);
	weft__lock_drop(&to->lock);
}

void weft__timers_merge(int32_t n)
{
	for (int32_t i = n; n > 0 && i < weft__sched.n_p; i++)
		merge(&weft__sched.all_p[0]->timers, &weft__sched.all_p[i]->timers);
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

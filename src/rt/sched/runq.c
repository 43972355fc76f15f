/* rt/sched/runq.c - run queues: a ring and a next slot for each proc, and a global list.
 *
 * The owner puts at the tail; it and thieves take at the head, by compare and swap.  Source: Go, runtime/proc.go
 * (runqput, runqget, runqgrab).
 *
 * While there is one proc only (p->alone) nobody takes but its owner, and no proc can be idle that would have to be
 * woken: then plain stores do. */
#include "os/thread.h"
#include "rt/sched/scheduler.h"

enum { NEXT_STEAL_NS = 3000 }; /* how long a runnext is left to its proc: it will most likely run in a moment */

weft__scheduler weft__sched;

/* ---- what thieves may change at the same time ---- */

/* Puts g into the next slot; who was there before.  With thieves a full barrier: invariant 2. */
static inline weft__g *exchange_next(weft__p *p, weft__g *g)
{
	if (!p->alone)
		return atomic_exchange_explicit(&p->runnext, g, memory_order_seq_cst);
	weft__g *before = atomic_load_explicit(&p->runnext, memory_order_relaxed);
	atomic_store_explicit(&p->runnext, g, memory_order_release);
	return before;
}

/* Empties the next slot of g, unless a thief has. */
static inline bool take_next(weft__p *p, weft__g *g)
{
	if (!p->alone)
		return atomic_compare_exchange_strong_explicit(
			&p->runnext, &g, NULL, memory_order_acq_rel, memory_order_relaxed);
	atomic_store_explicit(&p->runnext, NULL, memory_order_relaxed);
	return true;
}

/* Takes n off the ring at *head, or learns where that is now. */
static inline bool take_first(weft__p *p, uint32_t *head, uint32_t n)
{
	if (!p->alone)
		return atomic_compare_exchange_weak_explicit(
			&p->runq_head, head, *head + n, memory_order_acq_rel, memory_order_acquire);
	atomic_store_explicit(&p->runq_head, *head + n, memory_order_release);
	return true;
}

/* ---- local ---- */

/* The first of a full ring and g to the global queue.  False: a thief was faster, try the ring again. */
static bool spill(weft__p *p, weft__g *g, uint32_t head)
{
	weft__queue half = { 0 };
	enum { n = WEFT__RUNQ_BATCH };
	weft__g *batch[n];
	for (uint32_t i = 0; i < n; i++)
		batch[i] = atomic_load_explicit(&p->runq[(head + i) % WEFT__RUNQ], memory_order_relaxed);
	if (!take_first(p, &head, n))
		return false;
	for (uint32_t i = 0; i < n; i++)
		weft__queue_push(&half, batch[i]);
	weft__queue_push(&half, g);
	weft__lock_take(&weft__sched.lock, WEFT__RANK_SCHED);
	while ((g = weft__queue_pop(&half)) != NULL)
		weft__global_put(g);
	weft__lock_drop(&weft__sched.lock);
	return true;
}

void weft__runq_put(weft__p *p, weft__g *g, bool next)
{
	if (next) {
		g = exchange_next(p, g);
		if (!g)
			return;
	}
	for (;;) {
		uint32_t head = atomic_load_explicit(&p->runq_head, memory_order_acquire);
		uint32_t tail = atomic_load_explicit(&p->runq_tail, memory_order_relaxed);
		if (weft__likely(tail - head < WEFT__RUNQ)) {
			atomic_store_explicit(&p->runq[tail % WEFT__RUNQ], g, memory_order_relaxed);
			atomic_store_explicit(&p->runq_tail, tail + 1, memory_order_release);
			return;
		}
		if (spill(p, g, head))
			return;
	}
}

/* Where g will go on: its innermost frames, or the top of its stack.  It may have been stolen and run meanwhile: then
 * these are some lines of no use. */
#if WEFT__CTX_TSAN
__attribute__((no_sanitize("thread")))
#endif
static inline void
fetch_frames(const weft__g *g)
{
	uintptr_t sp = (uintptr_t)weft__ctx_sp(&g->ctx);
	weft__fetch_line((uintptr_t)g + 64);
	weft__fetch_line(sp);
	weft__fetch_line(sp + 64);
	weft__fetch_line(sp + 128);
}

/* The first of the ring, at head, is about to run.  If the queue is long, those behind it were made or parked long ago,
 * and have left the nearer caches since. */
static inline void fetch_followers(weft__p *p, uint32_t head, uint32_t tail)
{
	if (tail - head > 1)
		fetch_frames(atomic_load_explicit(&p->runq[(head + 1) % WEFT__RUNQ], memory_order_relaxed));
	if (tail - head > 2)
		weft__fetch_line(
			(uintptr_t)atomic_load_explicit(&p->runq[(head + 2) % WEFT__RUNQ], memory_order_relaxed));
}

weft__g *weft__runq_get_ring(weft__p *p)
{
	uint32_t tail = atomic_load_explicit(&p->runq_tail, memory_order_relaxed);
	uint32_t head = atomic_load_explicit(&p->runq_head, memory_order_acquire);
	while (head != tail) {
		weft__g *g = atomic_load_explicit(&p->runq[head % WEFT__RUNQ], memory_order_relaxed);
		if (take_first(p, &head, 1)) {
			fetch_followers(p, head, tail);
			return g;
		}
	}
	return NULL;
}

weft__g *weft__runq_get(weft__p *p, bool *ret_inherit)
{
	weft__g *g = atomic_load_explicit(&p->runnext, memory_order_relaxed);
	/* Others only ever take it away: if this fails there is none. */
	if (g && take_next(p, g)) {
		*ret_inherit = true;
		return g;
	}
	*ret_inherit = false;
	return weft__runq_get_ring(p);
}

bool weft__runq_empty(weft__p *p)
{
	/* A goroutine may move from the next slot to the ring while we look: the same tail before and after says it did
	 * not. */
	for (;;) {
		uint32_t head = atomic_load_explicit(&p->runq_head, memory_order_acquire);
		uint32_t tail = atomic_load_explicit(&p->runq_tail, memory_order_acquire);
		weft__g *next = atomic_load_explicit(&p->runnext, memory_order_acquire);
		if (tail == atomic_load_explicit(&p->runq_tail, memory_order_acquire))
			return head == tail && !next;
	}
}

/* The next slot of a running proc is most likely about to be used: taking it would tear a pair of goroutines apart. */
static weft__g *steal_next(weft__p *from)
{
	weft__g *g = atomic_load_explicit(&from->runnext, memory_order_acquire);
	if (!g)
		return NULL;
	if (atomic_load_explicit(&from->state, memory_order_relaxed) == WEFT__P_RUNNING && !weft__sched.hard) {
		int64_t until = wo_now_ns() + NEXT_STEAL_NS;
		while (wo_now_ns() < until) {
			weft__pause();
			if (atomic_load_explicit(&from->runnext, memory_order_relaxed) != g)
				return NULL;
		}
	}
	return atomic_compare_exchange_strong_explicit(
		       &from->runnext, &g, NULL, memory_order_acq_rel, memory_order_relaxed)
		       ? g
		       : NULL;
}

/* Up to half of from's ring, `most` at most, copied to the free places of p's ring behind `tail`; how many. */
static uint32_t grab(weft__p *p, weft__p *from, uint32_t tail, uint32_t most)
{
	for (;;) {
		uint32_t head = atomic_load_explicit(&from->runq_head, memory_order_acquire);
		uint32_t end = atomic_load_explicit(&from->runq_tail, memory_order_acquire);
		uint32_t n = end - head;
		n -= n / 2;
		if (n == 0)
			return 0;
		if (n > WEFT__RUNQ / 2)
			continue; /* head and end did not fit together */
		n = n < most ? n : most;
		for (uint32_t i = 0; i < n; i++) {
			weft__g *g = atomic_load_explicit(&from->runq[(head + i) % WEFT__RUNQ], memory_order_relaxed);
			atomic_store_explicit(&p->runq[(tail + i) % WEFT__RUNQ], g, memory_order_relaxed);
		}
		if (atomic_compare_exchange_strong_explicit(
			    &from->runq_head, &head, head + n, memory_order_acq_rel, memory_order_relaxed))
			return n;
	}
}

weft__g *weft__runq_steal(weft__p *p, weft__p *from, uint32_t most, bool take_next)
{
	uint32_t tail = atomic_load_explicit(&p->runq_tail, memory_order_relaxed);
	uint32_t n = grab(p, from, tail, most);
	if (n == 0)
		return take_next ? steal_next(from) : NULL;
	n--;
	weft__g *g = atomic_load_explicit(&p->runq[(tail + n) % WEFT__RUNQ], memory_order_relaxed);
	if (n)
		atomic_store_explicit(&p->runq_tail, tail + n, memory_order_release);
	return g;
}

/* ---- global ---- */

void weft__global_put(weft__g *g)
{
	weft__queue_push(&weft__sched.global, g);
	atomic_store_explicit(&weft__sched.n_global, weft__sched.global.n, memory_order_release);
}

weft__g *weft__global_get(weft__p *p, uint32_t most)
{
	weft__queue *q = &weft__sched.global;
	if (q->n == 0)
		return NULL;
	uint32_t n = q->n / (uint32_t)weft__sched.n_p + 1;
	if (n > q->n)
		n = q->n;
	if (n > most)
		n = most;
	weft__g *first = weft__queue_pop(q);
	for (uint32_t i = 1; i < n; i++) {
		weft__g *g = weft__queue_pop(q);
		weft__g_fetch_crowd(g, q->head, NULL);
		uint32_t tail = atomic_load_explicit(&p->runq_tail, memory_order_relaxed);
		atomic_store_explicit(&p->runq[tail % WEFT__RUNQ], g, memory_order_relaxed);
		atomic_store_explicit(&p->runq_tail, tail + 1, memory_order_release);
	}
	atomic_store_explicit(&weft__sched.n_global, q->n, memory_order_release);
	return first;
}

void weft__inject(weft__queue *list)
{
	uint32_t n = list->n;
	if (n == 0)
		return;
	weft__lock_take(&weft__sched.lock, WEFT__RANK_SCHED);
	weft__queue_append(&weft__sched.global, list);
	atomic_store_explicit(&weft__sched.n_global, weft__sched.global.n, memory_order_release);
	weft__lock_drop(&weft__sched.lock);
	atomic_thread_fence(memory_order_seq_cst);
	for (n = n < (uint32_t)weft__sched.n_p ? n : (uint32_t)weft__sched.n_p;
		n && atomic_load_explicit(&weft__sched.n_idle_p, memory_order_relaxed) > 0; n--)
		weft__wake_another();
}

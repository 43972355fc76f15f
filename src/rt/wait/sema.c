/* rt/wait/sema.c - see sema.h, and weft_sema in weft/sync.h.
 *
 * The table's buckets are chosen by scrambled address.  A bucket holds a digital search tree: at each depth the next
 * bit of the scrambled address says where to go on, and any node may take the place of one above it.  It needs no
 * balancing, because the bits are as good as random.  A node is the first waiter of its address; the others stand in
 * line behind it. */
#include "rt/wait/sema.h"

#include <errno.h>

#include <weft/sync.h>

#include "os/thread.h"

enum { BUCKET_BITS = 8 };

typedef struct sleeper {
	weft__waiter w;
	uint64_t key;
	int64_t since_ns;         /* 0: nobody asks for how long */
	struct sleeper *child[2]; /* of the first of an address, like the rest */
	weft__waitq line;
	uint32_t n_line;
	bool counted; /* in n_waits */
} sleeper;

typedef struct bucket {
	_Alignas(64) weft__lock lock;
	_Atomic uint32_t n_waits; /* of which weft__sema_give must know; changed under the lock */
	sleeper *root;
} bucket;

static bucket table[1 << BUCKET_BITS];

/* Different for different addresses. */
static uint64_t scramble(const uint32_t *sema)
{
	uint64_t x = (uintptr_t)sema * UINT64_C(0x9e3779b97f4a7c15);
	return x ^ x >> 32;
}

static bucket *bucket_of(uint64_t key)
{
	return &table[key & ((1 << BUCKET_BITS) - 1)];
}

/* ---- the tree ---- */

static sleeper *of(weft__waiter *w)
{
	return (sleeper *)((char *)w - offsetof(sleeper, w));
}

/* Where the first waiter of an address hangs, or would. */
static sleeper **find(bucket *b, uint64_t key)
{
	sleeper **at = &b->root;
	for (uint64_t bits = key >> BUCKET_BITS; *at && (*at)->key != key; bits >>= 1)
		at = &(*at)->child[bits & 1];
	return at;
}

/* s instead of the node at `at`. */
static void take_place(sleeper **at, sleeper *s)
{
	s->child[0] = (*at)->child[0];
	s->child[1] = (*at)->child[1];
	*at = s;
}

static void put_before(weft__waitq *q, weft__waiter *w)
{
	w->prev = NULL;
	w->next = q->first;
	if (q->first)
		q->first->prev = w;
	else
		q->last = w;
	q->first = w;
	w->queued = true;
}

static void enqueue(bucket *b, sleeper *s, bool first)
{
	sleeper **at = find(b, s->key), *head = *at;
	s->w.queued = true;
	if (!head) {
		*at = s;
	} else if (first) {
		take_place(at, s);
		s->line = head->line;
		s->n_line = head->n_line + 1;
		put_before(&s->line, &head->w);
	} else {
		weft__waitq_put(&head->line, &s->w);
		head->n_line++;
	}
}

/* The node at `at` out of the tree: a leaf from beneath takes its place. */
static void prune(sleeper **at)
{
	sleeper **leaf = at;
	while ((*leaf)->child[0] || (*leaf)->child[1])
		leaf = &(*leaf)->child[(*leaf)->child[0] == NULL];
	sleeper *s = *leaf;
	*leaf = NULL;
	if (leaf != at)
		take_place(at, s);
}

static void uncount(bucket *b, const sleeper *s)
{
	if (s->counted)
		atomic_store_explicit(
			&b->n_waits, atomic_load_explicit(&b->n_waits, memory_order_relaxed) - 1, memory_order_relaxed);
}

/* The first of an address leaves; who stands behind it is the first now. */
static sleeper *dequeue_first(bucket *b, sleeper **at)
{
	sleeper *s = *at;
	weft__waiter *second = s->line.first;
	if (second) {
		weft__waitq_remove(&s->line, second);
		second->queued = true;
		of(second)->line = s->line;
		of(second)->n_line = s->n_line - 1;
		take_place(at, of(second));
	} else {
		prune(at);
	}
	s->w.queued = false;
	uncount(b, s);
	return s;
}

/* One that gives up. */
static void dequeue(bucket *b, sleeper *s)
{
	if (!s->w.queued)
		return;
	sleeper **at = find(b, s->key);
	if (*at == s) {
		dequeue_first(b, at);
	} else {
		weft__waitq_remove(&(*at)->line, &s->w);
		(*at)->n_line--;
		uncount(b, s);
	}
}

/* ---- take and give ---- */

/* Of waits for locks, when the profile of mutexes is on. */
static int64_t contention_since(weft__reason why)
{
	if (weft__likely(atomic_load_explicit(&weft__watch_mutex_n, memory_order_relaxed) == 0))
		return 0;
	return why == WEFT__WAIT_MUTEX || why == WEFT__WAIT_RWMUTEX_R || why == WEFT__WAIT_RWMUTEX_W ? wo_now_ns() : 0;
}

/* What holding the lock until now has cost: the wait of the first, who gets it now, and, as adding them all up would
 * take as long as there are waiters, for each of the others the middle of that and of the last one's.  Their waits
 * count from now on.  Source: Go, runtime/sema.go (semrelease1, dequeue).  Before the first is dequeued. */
static int64_t charge(sleeper *s)
{
	if (weft__likely(s->since_ns == 0))
		return 0;
	int64_t now = wo_now_ns(), first = now - s->since_ns;
	if (!s->line.first)
		return first;
	sleeper *last = of(s->line.last);
	int64_t shortest = last->since_ns ? now - last->since_ns : 0;
	of(s->line.first)->since_ns = last->since_ns = now;
	return first + (shortest + first) / 2 * s->n_line;
}

/* Queues and parks.  True: it was given one. */
static bool wait(weft__m **m, bucket *b, sleeper *s, const weft__sema_how *how, uint32_t *sema)
{
	weft__lock_take(&b->lock, WEFT__RANK_SEMA);
	/* Whoever gives without the lock adds to the number first, then looks at n_waits; so here it is the other way
	 * round. */
	s->counted = !how->expected;
	if (s->counted)
		atomic_fetch_add_explicit(&b->n_waits, 1, memory_order_seq_cst);
	if (weft__sema_try(sema)) {
		uncount(b, s);
		weft__lock_drop(&b->lock);
		return true;
	}
	s->since_ns = contention_since(how->why);
	enqueue(b, s, how->first);
	s->w.g->wait_holder = how->holder;
	if (!s->w.contested) {
		*m = weft__park(*m, &b->lock, how->why, how->object);
		return true;
	}
	*m = weft__park_timed(*m, &b->lock, how->why, how->object);
	weft__lock_take(&b->lock, WEFT__RANK_SEMA);
	dequeue(b, s);
	weft__lock_drop(&b->lock);
	return s->w.ok;
}

int weft__sema_take(weft__m **m, uint32_t *sema, const weft__sema_how *how)
{
	if (weft__sema_try(sema))
		return 0;
	weft__g *g = weft__self_g(*m);
	if (!g)
		return -EPERM;
	sleeper s = { .w.g = g, .w.contested = how->deadline_ns != INT64_MAX, .key = scramble(sema) };
	if (!s.w.contested) {
		wait(m, bucket_of(s.key), &s, how, sema);
		return 0;
	}
	if (how->deadline_ns <= wo_now_ns())
		return -ETIMEDOUT;
	weft__deadline d;
	int err = weft__deadline_start(*m, &d, how->deadline_ns);
	if (err < 0)
		return err;
	bool given = wait(m, bucket_of(s.key), &s, how, sema);
	weft__deadline_stop(&d);
	return given ? 0 : -ETIMEDOUT;
}

/* Who is given one; under the lock.  NULL: nobody waits. */
static weft__g *take_waiter(bucket *b, uint64_t key, int64_t *ret_contention_ns)
{
	for (sleeper **at; *(at = find(b, key)) != NULL;) {
		*ret_contention_ns += charge(*at);
		sleeper *s = dequeue_first(b, at);
		if (s->w.contested && !weft__waiter_wins(s->w.g, WEFT__WON_BY_WAITER))
			continue;
		s->w.ok = true;
		return s->w.g;
	}
	return NULL;
}

/* One that is in no number to whoever waits, else into the number. */
static bool hand(weft__m *m, uint32_t *sema, bucket *b, uint64_t key)
{
	int64_t contention_ns = 0;
	weft__lock_take(&b->lock, WEFT__RANK_SEMA);
	weft__g *g = take_waiter(b, key, &contention_ns);
	if (!g)
		__atomic_fetch_add(sema, 1, __ATOMIC_SEQ_CST);
	weft__lock_drop(&b->lock);
	if (g)
		weft__ready(m, g);
	if (weft__unlikely(g && contention_ns && weft__watch_contended))
		weft__watch_contended(contention_ns, (uintptr_t)__builtin_frame_address(0));
	return g != NULL;
}

bool weft__sema_hand(weft__m *m, uint32_t *sema)
{
	uint64_t key = scramble(sema);
	return hand(m, sema, bucket_of(key), key);
}

bool weft__sema_give(weft__m *m, uint32_t *sema)
{
	uint64_t key = scramble(sema);
	bucket *b = bucket_of(key);
	if (atomic_load_explicit(&b->n_waits, memory_order_relaxed) == 0) {
		__atomic_fetch_add(sema, 1, __ATOMIC_SEQ_CST);
		if (atomic_load_explicit(&b->n_waits, memory_order_seq_cst) == 0 || !weft__sema_try(sema))
			return false;
	}
	return hand(m, sema, b, key);
}

/* ---- weft_sema ---- */

void weft_sema_acquire(weft_sema *s)
{
	if (weft__sema_try(&s->value))
		return;
	weft__m *m = weft__enter();
	int err = weft__sema_take(
		&m, &s->value, &(weft__sema_how){ WEFT__WAIT_SEMAPHORE, false, s, INT64_MAX, 0, false });
	weft__leave(m);
	if (err < 0)
		weft__outside("weft_sema_acquire");
}

bool weft_sema_try_acquire(weft_sema *s)
{
	return weft__sema_try(&s->value);
}

int weft_sema_acquire_until(weft_sema *s, weft_ns deadline)
{
	weft__m *m = weft__enter();
	int err =
		weft__sema_take(&m, &s->value, &(weft__sema_how){ WEFT__WAIT_SEMAPHORE, false, s, deadline, 0, false });
	weft__leave(m);
	return err;
}

void weft_sema_release(weft_sema *s)
{
	weft__m *m = weft__enter();
	weft__sema_give(m, &s->value);
	weft__leave(m);
}

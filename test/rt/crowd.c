/* rt/crowd.c - many that wait at once: for semaphores, conditions, contexts and timers; with an oracle.
 *
 * These aim at what is inside: the table of waiters (several addresses in one bucket, several waiters at one address,
 * waiters that give up), lists of children that change while a tree ends, heaps of timers that procs come and go with,
 * and memory that is out. */
#include "kit/rtkit.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static weft_wg done;
static atomic_int count;
static const weft_ns hour = 3600 * WEFT_SECOND;

static void count_up(void *arg)
{
	(void)arg;
	count++;
}

static void *array(size_t n, size_t size)
{
	void *at = calloc(n, size);
	kit_require(at);
	return at;
}

/* ---- semaphores ---- */

typedef struct place {
	weft_sema sema;
	atomic_int n_woken, n_late;
} place;

typedef struct visit {
	place *p;
	weft_ns deadline;
} visit;

static void wait_at(void *arg)
{
	visit *v = arg;
	int ret = weft_sema_acquire_until(&v->p->sema, v->deadline);
	if (ret == 0)
		v->p->n_woken++;
	else if (kit_equal(ret, -ETIMEDOUT))
		v->p->n_late++;
	weft_wg_done(&done);
}

static void shuffle(uint32_t *order, uint32_t n, uint64_t *random)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t j = (uint32_t)(kit_random(random) % (i + 1));
		order[i] = order[j];
		order[j] = i;
	}
}

CASE(semaphores_by_the_thousand, "sync.h: a permit goes to one who waits for that semaphore, whatever waits beside it; "
				 "whoever gives up takes none")
{
	enum { PER_PLACE = 3 };
	uint32_t n = (uint32_t)kit_times(4000);
	uint64_t random = kit_seed();
	place *places = array(n, sizeof(*places));
	visit *visits = array((size_t)n * PER_PLACE, sizeof(*visits));
	uint32_t *order = array((size_t)n * PER_PLACE, sizeof(*order));
	weft_wg_add(&done, (int)n * PER_PLACE);
	for (uint32_t i = 0; i < n * PER_PLACE; i++) {
		bool hurried = kit_random(&random) % 4 == 0;
		weft_ns d = hurried ? (weft_ns)(kit_random(&random) % (30 * WEFT_MS)) : hour;
		visits[i] = (visit){ &places[i % n], hurried ? weft_in(d) : WEFT_FOREVER };
		kit_go(wait_at, &visits[i]);
	}
	shuffle(order, n * PER_PLACE, &random);
	for (uint32_t i = 0; i < n * PER_PLACE; i++) {
		weft_sema_release(&places[order[i] % n].sema);
		if (i % 64 == 0)
			weft_sleep(20 * WEFT_US);
	}
	weft_wg_wait(&done);
	for (uint32_t i = 0; i < n; i++) {
		kit_equal(places[i].n_woken + places[i].n_late, PER_PLACE);
		/* As many permits as visits: those of visits that gave up are left. */
		for (int k = 0; k < places[i].n_late; k++)
			kit_expect(weft_sema_try_acquire(&places[i].sema));
		kit_expect(!weft_sema_try_acquire(&places[i].sema));
	}
	free(places);
	free(visits);
	free(order);
}

typedef struct pool {
	weft_sema sema;
	int n_steps;
	atomic_int n_out, most;
} pool;

static void borrow(void *arg)
{
	pool *p = arg;
	uint64_t random = kit_seed() + (uint64_t)count++;
	for (int i = 0; i < p->n_steps; i++) {
		uint64_t r = kit_random(&random);
		if (r % 3 == 0)
			weft_sema_acquire(&p->sema);
		else if (r % 3 == 1 && !weft_sema_try_acquire(&p->sema))
			continue;
		else if (r % 3 == 2 && weft_sema_acquire_until(&p->sema, weft_in((weft_ns)(r >> 8) % 20000)) < 0)
			continue;
		int n = ++p->n_out, most = p->most;
		while (n > most && !atomic_compare_exchange_weak(&p->most, &most, n)) {
		}
		if (r % 5 == 0)
			weft_yield();
		p->n_out--;
		weft_sema_release(&p->sema);
	}
	weft_wg_done(&done);
}

CASE(permits_are_kept, "sync.h: never more holders than permits, and none is lost, with all ways to take one in a mix")
{
	pool p = { .sema = WEFT_SEMA(2), .n_steps = (int)kit_times(2000) };
	weft_wg_add(&done, 12);
	for (int i = 0; i < 12; i++)
		kit_go(borrow, &p);
	weft_wg_wait(&done);
	kit_expect(p.most <= 2);
	kit_expect(weft_sema_try_acquire(&p.sema));
	kit_expect(weft_sema_try_acquire(&p.sema));
	kit_expect(!weft_sema_try_acquire(&p.sema));
}

/* ---- conditions ---- */

enum { ROOM = 4 };

typedef struct buffer {
	weft_mutex lock;
	weft_cond not_full, not_empty;
	int at[ROOM], n, n_left;
	unsigned char *seen;
	atomic_int next;
	int n_all;
} buffer;

/* Waits, now and then not for long. */
static void wait_a_while(weft_cond *c, weft_mutex *m, uint64_t *random)
{
	if (kit_random(random) % 2)
		weft_cond_wait(c, m);
	else
		weft_cond_wait_until(c, m, weft_in((weft_ns)(kit_random(random) % 10000)));
}

static void fill(void *arg)
{
	buffer *b = arg;
	uint64_t random = kit_seed() + 1;
	for (int v; (v = b->next++) < b->n_all;) {
		weft_lock(&b->lock);
		while (b->n == ROOM)
			wait_a_while(&b->not_full, &b->lock, &random);
		b->at[b->n++] = v;
		weft_cond_signal(&b->not_empty);
		weft_unlock(&b->lock);
	}
	weft_wg_done(&done);
}

static void drain(void *arg)
{
	buffer *b = arg;
	uint64_t random = kit_seed() + 2;
	weft_lock(&b->lock);
	for (;;) {
		while (b->n == 0 && b->n_left > 0)
			wait_a_while(&b->not_empty, &b->lock, &random);
		if (b->n_left == 0)
			break;
		b->seen[b->at[--b->n]]++;
		if (--b->n_left == 0)
			weft_cond_broadcast(&b->not_empty);
		weft_cond_signal(&b->not_full);
	}
	weft_unlock(&b->lock);
	weft_wg_done(&done);
}

CASE(bounded_buffer,
	"sync.Cond: producers and consumers, some with deadlines: every value comes once, and nobody sleeps for ever")
{
	buffer b = { .n_all = (int)kit_times(20000) };
	b.n_left = b.n_all;
	b.seen = array((size_t)b.n_all, 1);
	weft_wg_add(&done, 8);
	for (int i = 0; i < 4; i++) {
		kit_go(fill, &b);
		kit_go(drain, &b);
	}
	weft_wg_wait(&done);
	for (int i = 0; i < b.n_all; i++)
		kit_equal(b.seen[i], 1);
	free(b.seen);
}

/* ---- wait groups ---- */

static void finish_one(void *arg)
{
	(void)arg;
	weft_wg_done(&done);
}

CASE(wait_group_rounds, "sync.h: with deadlines, a wait group says 0 or -ETIMEDOUT, and can be used again at once")
{
	uint64_t random = kit_seed();
	for (int i = 0; i < (int)kit_times(3000); i++) {
		int n = (int)(kit_random(&random) % 4) + 1;
		weft_wg_add(&done, n);
		for (int k = 0; k < n; k++)
			kit_go(finish_one, NULL);
		int ret = weft_wg_wait_until(&done, weft_in((weft_ns)(kit_random(&random) % 4000)));
		if (ret) {
			kit_equal(ret, -ETIMEDOUT);
			weft_wg_wait(&done);
		}
		kit_equal(weft_wg_wait_until(&done, 0), 0);
	}
}

/* ---- contexts ---- */

enum { FOREST = 64 };

/* Contexts that goroutines make below each other, end and give back; each behind its own lock. */
static struct {
	weft_mutex lock;
	weft_ctx *c;
} forest[FOREST];

/* A reference to one of them, or NULL. */
static weft_ctx *any(uint64_t *random)
{
	size_t i = kit_random(random) % FOREST;
	weft_lock(&forest[i].lock);
	weft_ctx *c = weft_ctx_ref(forest[i].c);
	weft_unlock(&forest[i].lock);
	return c;
}

/* Puts c in the place of one of them, which is given back. */
static void plant(weft_ctx *c, uint64_t *random)
{
	size_t i = kit_random(random) % FOREST;
	weft_lock(&forest[i].lock);
	weft_ctx *old = forest[i].c;
	forest[i].c = c;
	weft_unlock(&forest[i].lock);
	weft_ctx_unref(old);
}

static void meddle(void *arg)
{
	uint64_t random = kit_seed() + (uint64_t)(intptr_t)arg;
	for (int i = 0; i < (int)kit_times(2000); i++) {
		weft_ctx *c = any(&random);
		uint64_t r = kit_random(&random);
		weft_ns deadline = r % 4 ? WEFT_FOREVER : weft_in((weft_ns)(r >> 8) % 100000);
		weft_ctx *child = weft_ctx_make(c, deadline);
		kit_require(child);
		if (r % 16 == 0)
			weft_ctx_cancel(c);
		/* A context has ended when one above it has, and is known by its channel to have. */
		bool above = c && weft_chan_try_recv(weft_ctx_done(c), NULL) == 0;
		if (above)
			kit_expect(weft_ctx_err(child) != 0);
		if (r % 16 == 0 && c)
			kit_expect(weft_ctx_err(child) != 0);
		plant(child, &random);
		weft_ctx_unref(c);
	}
	weft_wg_done(&done);
}

CASE(forest, "context: trees that grow, end and are given back all at once; a child never outlives its parent")
{
	weft_wg_add(&done, 8);
	for (int i = 0; i < 8; i++)
		kit_go(meddle, (void *)(intptr_t)i);
	weft_wg_wait(&done);
	for (int i = 0; i < FOREST; i++)
		weft_ctx_unref(forest[i].c);
}

/* ---- timers ---- */

CASE(million_timers, "time.h: a million timers; half are stopped, the others fire, none before its moment",
	.soft = true, .seconds = 30)
{
	size_t n = kit_times(1000 * 1000);
	uint64_t random = kit_seed();
	weft_timer *t = array(n, sizeof(*t));
	for (size_t i = 0; i < n; i++)
		kit_equal(weft_timer_start(&t[i], weft_in(hour + (weft_ns)(kit_random(&random) % (uint64_t)hour)),
				  count_up, NULL),
			0);
	weft_stats s;
	weft_stats_read(&s);
	kit_expect(s.n_timers >= n);
	for (size_t i = 0; i < n; i += 2)
		kit_expect(weft_timer_stop(&t[i]));
	kit_equal(count, 0);
	for (size_t i = 1; i < n; i += 2)
		kit_expect(weft_timer_reset(&t[i], weft_in((weft_ns)(kit_random(&random) % (100 * WEFT_MS)))));
	kit_until((size_t)count == n / 2);
	for (size_t i = 0; i < n; i++)
		kit_expect(!weft_timer_stop(&t[i]));
	weft_stats_read(&s);
	kit_expect(s.n_timers < 16); /* kit_until's own */
	free(t);
}

static atomic_bool stop;

static void sleep_and_restart(void *arg)
{
	uint64_t random = kit_seed() + (uint64_t)(intptr_t)arg;
	weft_timer t = { 0 };
	int started = 0, stopped = 0;
	while (!stop) {
		weft_ns d = (weft_ns)(kit_random(&random) % 50000), start = weft_now();
		stopped += weft_timer_stop(&t);
		kit_equal(weft_timer_start(&t, weft_in(d), count_up, NULL), 0);
		started++;
		weft_sleep(d);
		kit_expect(weft_now() - start >= d);
	}
	stopped += weft_timer_stop(&t);
	atomic_fetch_sub(&count, started - stopped);
	weft_wg_done(&done);
}

CASE(procs_come_and_go, "runtime.GOMAXPROCS: timers and sleepers of procs that go are neither lost nor run twice")
{
	uint64_t random = kit_seed();
	weft_wg_add(&done, 16);
	for (int i = 0; i < 16; i++)
		kit_go(sleep_and_restart, (void *)(intptr_t)i);
	for (int i = 0; i < (int)kit_times(200); i++) {
		weft_procs((int)(kit_random(&random) % 4) + 1);
		weft_sleep((weft_ns)(kit_random(&random) % 200000));
	}
	stop = true;
	weft_wg_wait(&done);
	kit_until(count == 0); /* those that fired have run */
}

/* ---- no memory ---- */

static int ended(void *arg)
{
	(void)arg;
	return 0;
}

/* What allocates: 0 when it was done, else the error. */
static int make_context(void)
{
	weft_ctx *parent = weft_ctx_make(NULL, WEFT_FOREVER), *c = weft_ctx_make(parent, weft_in(hour));
	int err = parent && c ? 0 : -ENOMEM;
	weft_ctx_unref(c);
	weft_ctx_unref(parent);
	return err;
}

static int make_after(void)
{
	weft_chan *ch = weft_after(hour);
	weft_chan_unref(ch);
	return ch ? 0 : -ENOMEM;
}

static int make_tick(void)
{
	weft_chan *ch = weft_tick(hour);
	weft_chan_unref(ch);
	return ch ? 0 : -ENOMEM;
}

static int make_group(void)
{
	weft_group *g = weft_group_make(NULL);
	if (!g)
		return -ENOMEM;
	int err = weft_group_go(g, ended, NULL);
	weft_group_wait(g);
	weft_group_unref(g);
	return err;
}

/* More timers than the heap has room for at first. */
static int many_deadlines(void)
{
	static weft_timer t[200];
	int err = 0;
	for (int i = 0; i < 200 && err == 0; i++)
		err = weft_timer_start(&t[i], weft_in(hour), count_up, NULL);
	for (int i = 0; i < 200; i++)
		weft_timer_stop(&t[i]);
	return err;
}

static int sleep_a_little(void)
{
	return weft_sleep(WEFT_US);
}

CASE(out_of_memory, "types.h: every allocation that fails is an error, and leaves things as they were", .procs = 1)
{
	static int (*const make[])(
		void) = { make_context, make_after, make_tick, make_group, many_deadlines, sleep_a_little };
	for (size_t i = 0; i < sizeof(make) / sizeof(make[0]); i++) {
		int err = -ENOMEM;
		for (uint64_t nth = 1; err && nth < 100; nth++) {
			wb_fault_arm(nth, /* sticky= */ true);
			err = make[i]();
			wb_fault_arm(0, false);
			if (err)
				kit_equal(err, -ENOMEM);
		}
		kit_equal(err, 0);
		weft_stats s;
		weft_stats_read(&s);
		kit_equal(s.n_timers, 0);
	}
}

/* rt/stack/pool.c - the central pool: stacks that nobody uses, by class (see stack.h).
 *
 * Idle stacks are pointers in an array, not a list through the stacks: taking and giving a batch is a copy, and touches
 * none of their memory.
 *
 *	idle:  [ without memory | in the trimmer's hands | ................ | ]
 *	       0            trimmed                   floor      low        n
 *
 * The top is taken and given.  `low` is the lowest n since the last trim: what lies below has not been used since.
 *While the trimmer is at work without the lock, takers stop at `floor` and make new stacks instead.
 */
#include "rt/stack/stack.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "rt/stack/slab.h"

enum { GROW_MIN = 16, GROW_MAX = 512, TRIM_BATCH = 512 };

typedef struct pool {
	weft__slab *slab; /* the one that new stacks come from */
	void **idle;
	size_t n, cap;
	size_t trimmed, floor, low;
	size_t made; /* or being made: idle has room for so many */
} pool;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pool pools[WEFT__STACK_CLASSES];
static size_t lost, refused;
static bool ready;

int weft__stack_init(const weft__stack_options *opt)
{
	static const weft__stack_options defaults;
	pthread_mutex_lock(&lock);
	int rc = ready ? 0 : weft__slab_init(opt ? opt : &defaults);
	ready = rc == 0;
	pthread_mutex_unlock(&lock);
	return rc;
}

/* ---- idle stacks ---- */

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void push(pool *p, void *const *hi, size_t n)
{
	memcpy(p->idle + p->n, hi, n * sizeof(*hi));
	p->n += n;
}

/* At most n off the top, the last given first. */
static size_t pop(pool *p, void **ret_hi, size_t n)
{
	n = smaller(n, p->n - p->floor);
	for (size_t i = 0; i < n; i++)
		ret_hi[i] = p->idle[--p->n];
	p->low = smaller(p->low, p->n);
	p->trimmed = smaller(p->trimmed, p->n);
	return n;
}

static int make_room(pool *p, size_t n)
{
	if (p->made + n <= p->cap)
		return 0;
	size_t cap = p->cap ? 2 * p->cap : 64;
	while (cap < p->made + n)
		cap *= 2;
	void **idle = wb_realloc(p->idle, cap, sizeof(*idle));
	if (!idle)
		return -ENOMEM;
	p->idle = idle;
	p->cap = cap;
	return 0;
}

/* ---- new stacks ---- */

typedef struct claim {
	weft__slab *slab;
	uint32_t from, n;
} claim;

/* Twice as many as there are now, within limits, so that a few cost a few. */
static uint32_t batch_of(const pool *p, int wanted)
{
	size_t n = p->made < GROW_MIN ? GROW_MIN : smaller(p->made, GROW_MAX);
	return (uint32_t)(n > (size_t)wanted ? n : (size_t)wanted);
}

/* Sets slots aside that nobody else will make; at least one. */
static int claim_slots(int class, int wanted, claim *ret)
{
	pool *p = &pools[class];
	int rc = 0;
	if (!p->slab || atomic_load(&p->slab->claimed) == p->slab->n)
		rc = weft__slab_make(class, &p->slab);
	if (rc)
		return rc;
	weft__slab *s = p->slab;
	uint32_t from = atomic_load(&s->claimed);
	uint32_t n = (uint32_t)smaller(batch_of(p, wanted), s->n - from);
	rc = make_room(p, n);
	if (rc)
		return rc;
	n = weft__guard_reserve(n);
	if (n == 0) {
		refused++;
		return -ENOMEM;
	}
	atomic_store(&s->claimed, from + n);
	p->made += n;
	*ret = (claim){ s, from, n };
	return 0;
}

/* What of a claim was not made: the next claim's, unless there has been one meanwhile. */
static void unclaim(pool *p, const claim *c, uint32_t made)
{
	uint32_t left = c->n - made;
	p->made -= left;
	weft__guard_unreserve(left);
	if (atomic_load(&c->slab->claimed) == c->from + c->n)
		atomic_store(&c->slab->claimed, c->from + made);
	else
		lost += left;
}

/* Makes a batch: the first n for the caller, the others idle.  Holds the lock when called and on return, not while the
 * kernel works, so that several threads make stacks side by side. */
static int make(int class, void **ret_hi, int n)
{
	pool *p = &pools[class];
	claim c;
	uint32_t made;
	int rc = claim_slots(class, n, &c);
	if (rc)
		return rc;
	pthread_mutex_unlock(&lock);
	rc = weft__slab_furnish(c.slab, c.from, c.n, &made);
	pthread_mutex_lock(&lock);
	if (made < c.n)
		unclaim(p, &c, made);
	int taken = (int)smaller(made, (size_t)n);
	for (int i = 0; i < taken; i++)
		ret_hi[i] = weft__slab_hi(c.slab, c.from + (uint32_t)i);
	for (uint32_t i = made; i-- > (uint32_t)taken;) /* from the end: the lowest is taken next */
		push(p, &(void *){ weft__slab_hi(c.slab, c.from + i) }, 1);
	return taken ? taken : rc;
}

int weft__stack_take(int class, void **ret_hi, int n)
{
	if (!ready || class < 0 || class >= WEFT__STACK_CLASSES || n < 1)
		return -EINVAL;
	pthread_mutex_lock(&lock);
	int got = (int)pop(&pools[class], ret_hi, (size_t)n);
	if (got == 0)
		got = make(class, ret_hi, n);
	pthread_mutex_unlock(&lock);
	return got;
}

void weft__stack_give(int class, void *const *hi, int n)
{
	pthread_mutex_lock(&lock);
	push(&pools[class], hi, (size_t)n);
	pthread_mutex_unlock(&lock);
}

/* ---- giving memory back ---- */

/* Some of those that nobody used since the last trim; holds the lock when called and on return. */
static size_t trim_some(int class)
{
	pool *p = &pools[class];
	void *hi[TRIM_BATCH];
	size_t n = p->low > p->trimmed ? smaller(p->low - p->trimmed, TRIM_BATCH) : 0;
	if (n == 0)
		return 0;
	memcpy(hi, p->idle + p->trimmed, n * sizeof(*hi));
	p->floor = p->trimmed + n;
	pthread_mutex_unlock(&lock);
	weft__slab_drop(class, hi, n);
	pthread_mutex_lock(&lock);
	p->trimmed = p->floor;
	p->floor = 0;
	return n;
}

size_t weft__stack_trim(void)
{
	static bool trimming; /* under the lock: one at a time */
	size_t sum = 0, n;
	pthread_mutex_lock(&lock);
	if (!trimming) {
		trimming = true;
		for (int class = 0; class < WEFT__STACK_CLASSES; class ++) {
			while ((n = trim_some(class)) > 0)
				sum += n;
			pools[class].low = pools[class].n;
		}
		trimming = false;
	}
	pthread_mutex_unlock(&lock);
	return sum;
}

void weft__stack_read_stats(weft__stack_stats *ret)
{
	weft__stack_stats s = { .lost = lost, .refused = refused };
	pthread_mutex_lock(&lock);
	for (int class = 0; class < WEFT__STACK_CLASSES; class ++) {
		s.made += pools[class].made;
		s.idle += pools[class].n;
		s.idle_trimmed += pools[class].trimmed;
	}
	s.lost = lost;
	s.refused = refused;
	weft__slab_read_stats(&s);
	pthread_mutex_unlock(&lock);
	*ret = s;
}

/* rt/prof/contention.c - see contention.h and weft/prof.h.  What is recorded of what, and for how much it counts, is
 * Go's (runtime/mprof.go: blocksampled, saveblockevent, mutexevent). */
#include "rt/prof/contention.h"

#include <weft/prof.h>

#include "rt/prof/collectors.h"
#include "rt/sched/scheduler.h"
#include "rt/sched/watch.h"
#include "rt/stack/unwind.h"

/* Counts of waits need not be whole: one that was shorter than the rate stands for several. */
enum { FRACTION = 1024 };

static weft__lock lock;
static weft__prof_table blocks, mutexes; /* {count * FRACTION, ns} */

/* What there is no memory for is left out. */
static void record(weft__prof_table *t, uintptr_t fp, int64_t count, int64_t ns)
{
	uintptr_t pcs[WEFT__M_FRAMES];
	size_t n = weft__unwind_here(fp, pcs, WEFT__M_FRAMES);
	weft__lock_take(&lock, WEFT__RANK_PROFILE);
	weft__prof_add(t, pcs, n, NULL, &(weft__prof_row){ { count, ns } });
	weft__lock_drop(&lock);
}

static uint64_t random_below(uint64_t n)
{
	weft__m *m = weft__self();
	weft__p *p = weft__self_p(m);
	return (weft__rng(p ? &p->rng : &m->rng) >> 1) % n;
}

/* A wait as long as the rate, or longer, is recorded for sure; a shorter one as often as it is shorter, and then for
 * as much as the rate. */
static void blocked(int64_t ns, uintptr_t fp)
{
	int64_t rate = atomic_load_explicit(&weft__watch_block_ns, memory_order_relaxed);
	ns = ns > 0 ? ns : 1;
	if (rate <= 0 || (rate > ns && random_below((uint64_t)rate) > (uint64_t)ns))
		return;
	if (ns < rate)
		record(&blocks, fp, FRACTION * rate / ns, rate);
	else
		record(&blocks, fp, FRACTION, ns);
}

static void contended(int64_t ns, uintptr_t fp)
{
	int64_t n = atomic_load_explicit(&weft__watch_mutex_n, memory_order_relaxed);
	if (n > 0 && random_below((uint64_t)n) == 0)
		record(&mutexes, fp, FRACTION * n, ns * n);
}

void weft__contention_init(void)
{
	weft__watch_blocked = blocked;
	weft__watch_contended = contended;
}

/* ---- rates ---- */

static int64_t set(_Atomic int64_t *rate, int64_t to)
{
	return to < 0 ? atomic_load(rate) : atomic_exchange(rate, to);
}

int64_t weft_block_profile_rate(int64_t ns)
{
	return set(&weft__watch_block_ns, ns);
}

int64_t weft_mutex_profile_fraction(int64_t n)
{
	return set(&weft__watch_mutex_n, n);
}

/* ---- reading ---- */

static void copy(weft__prof_doc *d, const weft__prof_table *t)
{
	weft__lock_take(&lock, WEFT__RANK_PROFILE);
	for (uint32_t i = 1; i < weft__prof_rows_end(t); i++) {
		weft__prof_stack s;
		weft__prof_row row = t->rows.at[i];
		row.v[0] = (row.v[0] + FRACTION / 2) / FRACTION;
		weft__prof_stack_of(t, i, &s);
		weft__prof_add_stack(&d->table, &s, &row);
	}
	weft__lock_drop(&lock);
}

void weft__block_collect(weft__prof_doc *d, const weft__prof_ask *by)
{
	(void)by;
	d->rate = 1;
	copy(d, &blocks);
}

void weft__mutex_collect(weft__prof_doc *d, const weft__prof_ask *by)
{
	int64_t n = atomic_load(&weft__watch_mutex_n);
	(void)by;
	d->rate = n > 0 ? n : 1;
	copy(d, &mutexes);
}

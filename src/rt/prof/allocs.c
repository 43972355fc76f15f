/* rt/prof/allocs.c - see allocs.h. */
#include "rt/prof/allocs.h"

#include <math.h>

#include <weft/prof.h>

#include "base/alloc.h"
#include "rt/heap/heap.h"
#include "rt/prof/collectors.h"
#include "rt/prof/mallocs.h"
#include "rt/sched/park.h"
#include "rt/stack/unwind.h"

enum {
	CHUNK = 256,
	LOOKS = 4,          /* objects that are looked at for each that is recorded */
	ASK_AGAIN = 1 << 20 /* bytes between two looks at a rate that is 0 */
};

/* A recorded object that lives, as far as is known.  It never moves: libgc has the link's address. */
typedef struct object {
	void *link;
	uint32_t row; /* 0: not in use, or not yet */
	size_t bytes;
	struct object *next_free;
} object;

typedef struct chunk {
	struct chunk *before;
	object objects[CHUNK];
} chunk;

/* What has come to a row since the collection `cycle`. */
typedef struct recent {
	uint64_t cycle;
	int64_t n, bytes;
} recent;

static _Atomic int64_t rate = WEFT__ALLOCS_RATE;

static weft__lock lock;        /* the rest */
static weft__prof_table rows;  /* {allocated, bytes} up to the last collection but for what is recent, {freed, bytes} */
static WB_VEC(recent) recents; /* by row */
static chunk *chunks, *hand;   /* the next objects to be looked at */
static uint32_t hand_at;
static object *free_objects;

/* ---- when ---- */

/* Bytes to the next one: as if each byte were taken with the same chance. */
static int64_t next_in(uint64_t *rng, int64_t each)
{
	if (each <= 1)
		return each == 1 ? 0 : ASK_AGAIN;
	double u = (double)((weft__rng(rng) >> 11) + 1) / (double)(UINT64_C(1) << 53);
	return (int64_t)(-log(u) * (double)each);
}

int64_t weft__allocs_next_in(uint64_t *rng)
{
	return next_in(rng, atomic_load_explicit(&rate, memory_order_relaxed));
}

/* ---- objects; under the lock ---- */

static bool grow(void)
{
	chunk *c = wb_calloc(1, sizeof(*c));
	if (!c)
		return false;
	for (int i = 0; i < CHUNK; i++) {
		c->objects[i].next_free = free_objects;
		free_objects = &c->objects[i];
	}
	c->before = chunks;
	chunks = c;
	return true;
}

static object *new_object(void)
{
	if (!free_objects && !grow())
		return NULL;
	object *o = free_objects;
	free_objects = o->next_free;
	return o;
}

static void look_at(object *o)
{
	if (o->row == 0 || __atomic_load_n(&o->link, __ATOMIC_RELAXED) != NULL)
		return;
	rows.rows.at[o->row].v[2]++;
	rows.rows.at[o->row].v[3] += (int64_t)o->bytes;
	o->row = 0;
	o->next_free = free_objects;
	free_objects = o;
}

static void look_at_some(void)
{
	for (int i = 0; i < LOOKS; i++) {
		if (!hand || hand_at == CHUNK) {
			hand = hand && hand->before ? hand->before : chunks;
			hand_at = 0;
		}
		if (hand)
			look_at(&hand->objects[hand_at++]);
	}
}

static void look_at_all(void)
{
	for (chunk *c = chunks; c; c = c->before)
		for (int i = 0; i < CHUNK; i++)
			look_at(&c->objects[i]);
}

/* ---- rows; under the lock ---- */

/* What was recent at an earlier collection is so no more. */
static recent *recent_of(uint32_t row, uint64_t cycle)
{
	if (row >= recents.n && !wb_vec_reserve(&recents, row + 1 - recents.n))
		return NULL;
	for (; recents.n <= row; recents.n++)
		recents.at[recents.n] = (recent){ 0 };
	recent *r = &recents.at[row];
	if (r->cycle != cycle) {
		rows.rows.at[row].v[0] += r->n;
		rows.rows.at[row].v[1] += r->bytes;
		*r = (recent){ .cycle = cycle };
	}
	return r;
}

static uint32_t add(const uintptr_t *pcs, size_t n, size_t bytes)
{
	uint32_t row = weft__prof_row_of(&rows, pcs, n, NULL);
	recent *r = row ? recent_of(row, weft__heap_cycles()) : NULL;
	if (!r)
		return 0;
	r->n++;
	r->bytes += (int64_t)bytes;
	return row;
}

/* ---- recording ---- */

/* libgc may collect while it takes the link, so that is done without the lock.  What there is no memory for is left
 * out. */
static void record(const uintptr_t *pcs, size_t n, void *at, size_t bytes)
{
	weft__lock_take(&lock, WEFT__RANK_PROFILE);
	object *o = new_object();
	weft__lock_drop(&lock);
	bool linked = o && weft__heap_link(&o->link, at);
	weft__lock_take(&lock, WEFT__RANK_PROFILE);
	uint32_t row = linked ? add(pcs, n, bytes) : 0;
	if (o) {
		o->bytes = bytes;
		o->row = row;
	}
	look_at_some();
	weft__lock_drop(&lock);
}

__attribute__((noinline)) void weft__allocs_sample(weft__m *m, void *at, size_t bytes)
{
	uintptr_t pcs[WEFT__M_FRAMES];
	int64_t each = atomic_load_explicit(&rate, memory_order_relaxed);
	bool drawn = m->heap_drawn; /* else the thread has not had a turn yet */
	m->heap_drawn = true;
	m->heap_left = next_in(&m->rng, each);
	if (each == 0 || (each > 1 && !drawn))
		return;
	record(pcs, weft__unwind_here((uintptr_t)__builtin_frame_address(0), pcs, WEFT__M_FRAMES), at, bytes);
}

/* Threads look at the rate again with their next allocation: with the world stopped none is in the middle of one. */
static void ask_all_threads(void)
{
	weft__m *m = weft__enter();
	if (weft__self_g(m)) {
		m = weft__stop_world(m, WEFT__TR_STW_UNKNOWN);
		for (weft__m *each = atomic_load(&weft__sched.all_m); each; each = atomic_load(&each->all)) {
			each->heap_left = 0;
			each->heap_drawn = false;
		}
		weft__start_world(m, 0);
	}
	weft__leave(m);
}

int64_t weft_mem_profile_rate(int64_t bytes)
{
	if (bytes < 0)
		return atomic_load(&rate);
	int64_t before = atomic_exchange(&rate, bytes);
	if (before != bytes && weft__sched.started)
		ask_all_threads();
	return before;
}

/* ---- reading ---- */

void weft__allocs_collect(weft__prof_doc *d, const weft__prof_ask *by)
{
	(void)by;
	d->rate = atomic_load(&rate);
	weft__lock_take(&lock, WEFT__RANK_PROFILE);
	uint64_t cycle = weft__heap_cycles();
	look_at_all();
	for (uint32_t i = 1; i < weft__prof_rows_end(&rows); i++) {
		weft__prof_stack s;
		recent *r = recent_of(i, cycle);
		weft__prof_row row = rows.rows.at[i];
		if (r && cycle == 0) { /* nothing was ever collected: better this than nothing */
			row.v[0] += r->n;
			row.v[1] += r->bytes;
		}
		row.v[2] = row.v[0] - row.v[2];
		row.v[3] = row.v[1] - row.v[3];
		weft__prof_stack_of(&rows, i, &s);
		weft__prof_add_stack(&d->table, &s, &row);
	}
	weft__lock_drop(&lock);
	weft__mallocs_collect(d);
}

/* The chance that an object of this size was recorded was 1 - e^(-size/rate). */
static void scale_pair(int64_t *n, int64_t *bytes, double each)
{
	if (*n <= 0 || *bytes <= 0)
		return;
	double mean = (double)*bytes / (double)*n, times = 1 / (1 - exp(-mean / each));
	*n = (int64_t)((double)*n * times + 0.5);
	*bytes = (int64_t)((double)*bytes * times + 0.5);
}

void weft__allocs_scale(const weft__prof_doc *d, weft__prof_row *row)
{
	if (d->rate <= 1)
		return;
	scale_pair(&row->v[0], &row->v[1], (double)d->rate);
	scale_pair(&row->v[2], &row->v[3], (double)d->rate);
}

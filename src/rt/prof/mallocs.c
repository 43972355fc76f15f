/* rt/prof/mallocs.c - see mallocs.h. */
#include "rt/prof/mallocs.h"

#include <dlfcn.h>

#include <weft/prof.h>

#include "base/idmap.h"
#include "rt/prof/allocs.h"
#include "rt/prof/collectors.h"
#include "rt/sched/scheduler.h"
#include "rt/stack/unwind.h"

enum { TRIES = 1000 };

typedef struct object {
	uint32_t row;
	uint32_t next_free;
	size_t bytes;
} object;

static weft__lock lock;       /* the rest */
static weft__prof_table rows; /* {allocated, bytes, freed, bytes} */
static wb_idmap by_address;   /* -> objects */
static WB_VEC(object) objects;
static uint32_t free_object; /* number + 1 */
static uint64_t rng = UINT64_C(0x9e3779b97f4a7c15);

/* A thread that holds the lock may have been stopped, for a collection, by one that allocates meanwhile: rather than
 * waiting for ever, this one is not recorded. */
static bool take(void)
{
	for (int i = 0; i < TRIES; i++) {
		if (weft__lock_try(&lock, WEFT__RANK_PROFILE))
			return true;
		weft__pause();
	}
	return false;
}

static void lose(uint32_t i)
{
	object *o = &objects.at[i];
	rows.rows.at[o->row].v[2]++;
	rows.rows.at[o->row].v[3] += (int64_t)o->bytes;
	o->next_free = free_object;
	free_object = i + 1;
}

static bool remember(void *at, size_t bytes, uint32_t row)
{
	uint32_t old = wb_idmap_get(&by_address, (uint64_t)(uintptr_t)at);
	if (old != WB_IDMAP_NONE) { /* its end was missed */
		lose(old);
		wb_idmap_del(&by_address, (uint64_t)(uintptr_t)at);
	}
	uint32_t i = free_object ? free_object - 1 : (uint32_t)objects.n;
	if (!free_object && !wb_vec_add(&objects, (object){ 0 }))
		return false;
	if (!wb_idmap_set(&by_address, (uint64_t)(uintptr_t)at, i)) {
		objects.n -= !free_object;
		return false;
	}
	free_object = free_object ? objects.at[i].next_free : 0;
	objects.at[i] = (object){ .row = row, .bytes = bytes };
	return true;
}

static bool made(void *at, size_t bytes)
{
	uintptr_t pcs[WEFT__M_FRAMES];
	if (weft_mem_profile_rate(-1) == 0)
		return false;
	size_t n = weft__unwind_here((uintptr_t)__builtin_frame_address(0), pcs, WEFT__M_FRAMES);
	if (!take())
		return false;
	uint32_t row = weft__prof_row_of(&rows, pcs, n, NULL);
	bool known = row && remember(at, bytes, row);
	if (known) {
		rows.rows.at[row].v[0]++;
		rows.rows.at[row].v[1] += (int64_t)bytes;
	}
	weft__lock_drop(&lock);
	return known;
}

static bool freed(void *at)
{
	if (!take())
		return false;
	uint32_t i = wb_idmap_get(&by_address, (uint64_t)(uintptr_t)at);
	if (i != WB_IDMAP_NONE) {
		lose(i);
		wb_idmap_del(&by_address, (uint64_t)(uintptr_t)at);
	}
	weft__lock_drop(&lock);
	return i != WB_IDMAP_NONE;
}

static int64_t next_in(void)
{
	uint64_t seed = 0;
	if (take()) {
		seed = weft__rng(&rng);
		weft__lock_drop(&lock);
	}
	seed |= 1;
	return weft__allocs_next_in(&seed);
}

void weft__mallocs_init(void)
{
	static const weft_malloc_hooks hooks = { made, freed, next_in };
	weft_malloc_attach_fn *attach = (weft_malloc_attach_fn *)(uintptr_t)dlsym(RTLD_DEFAULT, WEFT__MALLOC_ATTACH);
	if (attach)
		attach(&hooks);
}

void weft__mallocs_collect(weft__prof_doc *d)
{
	weft__lock_take(&lock, WEFT__RANK_PROFILE);
	for (uint32_t i = 1; i < weft__prof_rows_end(&rows); i++) {
		weft__prof_stack s;
		weft__prof_row row = rows.rows.at[i];
		row.v[2] = row.v[0] - row.v[2];
		row.v[3] = row.v[1] - row.v[3];
		weft__prof_stack_of(&rows, i, &s);
		weft__prof_add_stack(&d->table, &s, &row);
	}
	weft__lock_drop(&lock);
}

/* rt/sched/objnames.c - see objnames.h. */
#include "rt/sched/objnames.h"

#include <errno.h>
#include <string.h>

#include "rt/lock/lock.h"
#include "rt/tr/tr.h"

enum { BUCKETS = 1024 };

typedef struct called {
	uint64_t id;       /* 0: free */
	uint64_t gone_gen; /* the generation that it went away in; 0: it is there */
	uint32_t next;     /* of its bucket, or of the free ones: place + 1 */
	uint32_t n;
	char text[WEFT__OBJNAME_BYTES_MAX];
} called;

static struct {
	weft__lock lock;
	called all[WEFT__OBJNAMES_MAX];
	uint32_t buckets[BUCKETS]; /* place + 1 */
	uint32_t free, used;       /* place + 1 of the first that is free again; places ever used */
} names;

_Atomic uint32_t weft__objnames_n;

static uint64_t id_of(const void *object)
{
	return (uint64_t)(uintptr_t)object;
}

static uint32_t *bucket_of(uint64_t id)
{
	return &names.buckets[id * 0x9e3779b97f4a7c15u >> 32 & (BUCKETS - 1)];
}

/* With the lock, as all below.  NULL: not there. */
static called *find(uint64_t id)
{
	for (uint32_t i = *bucket_of(id); i; i = names.all[i - 1].next)
		if (names.all[i - 1].id == id)
			return &names.all[i - 1];
	return NULL;
}

static called *add(uint64_t id)
{
	uint32_t i = names.free;
	if (i)
		names.free = names.all[i - 1].next;
	else if (names.used < WEFT__OBJNAMES_MAX)
		i = ++names.used;
	else
		return NULL;
	uint32_t *bucket = bucket_of(id);
	names.all[i - 1] = (called){ .id = id, .next = *bucket };
	*bucket = i;
	atomic_fetch_add_explicit(&weft__objnames_n, 1, memory_order_relaxed);
	return &names.all[i - 1];
}

static void take_out(called *c)
{
	uint32_t place = (uint32_t)(c - names.all) + 1, *at = bucket_of(c->id);
	while (*at != place)
		at = &names.all[*at - 1].next;
	*at = c->next;
	*c = (called){ .next = names.free };
	names.free = place;
	atomic_fetch_sub_explicit(&weft__objnames_n, 1, memory_order_relaxed);
}

int weft__objname_set(const void *object, const char *name)
{
	weft__lock_take(&names.lock, WEFT__RANK_NAMES);
	called *c = find(id_of(object));
	c = c ? c : add(id_of(object));
	if (c) {
		c->gone_gen = 0;
		c->n = (uint32_t)strnlen(name, WEFT__OBJNAME_BYTES_MAX);
		memcpy(c->text, name, c->n);
	}
	weft__lock_drop(&names.lock);
	return c ? 0 : -ENOSPC;
}

void weft__objname_drop(const void *object)
{
	weft__lock_take(&names.lock, WEFT__RANK_NAMES);
	called *c = find(id_of(object));
	uint64_t gen = atomic_load(&weft__tr_gen);
	if (c && gen)
		c->gone_gen = c->gone_gen ? c->gone_gen : gen;
	else if (c)
		take_out(c);
	weft__lock_drop(&names.lock);
}

size_t weft__objname_of(const void *object, char ret[WEFT__OBJNAME_BYTES_MAX + 1])
{
	if (!object || atomic_load_explicit(&weft__objnames_n, memory_order_relaxed) == 0)
		return 0;
	weft__lock_take(&names.lock, WEFT__RANK_NAMES);
	const called *c = find(id_of(object));
	size_t n = c && !c->gone_gen ? c->n : 0;
	if (n)
		memcpy(ret, c->text, n);
	weft__lock_drop(&names.lock);
	ret[n] = '\0';
	return n;
}

size_t weft__objname_at(uint32_t i, uint64_t gen, uint64_t *ret_id, char ret[WEFT__OBJNAME_BYTES_MAX])
{
	weft__lock_take(&names.lock, WEFT__RANK_NAMES);
	called *c = &names.all[i];
	bool was_there = c->id && (!c->gone_gen || c->gone_gen >= gen);
	size_t n = was_there ? c->n : 0;
	if (n) {
		*ret_id = c->id;
		memcpy(ret, c->text, n);
	}
	if (c->gone_gen && c->gone_gen <= gen)
		take_out(c);
	weft__lock_drop(&names.lock);
	return n;
}

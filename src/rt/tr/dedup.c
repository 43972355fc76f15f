/* rt/tr/dedup.c - see dedup.h. */
#include "rt/tr/dedup.h"

#include "os/pages.h"

enum { HEAD_WORDS = sizeof(weft__tr_entry) / 8 };

static size_t pages(size_t bytes)
{
	return (bytes + 4095) & ~(size_t)4095;
}

int weft__tr_dedup_init(weft__tr_dedup *t, size_t arena_bytes, uint32_t ids_max)
{
	size_t buckets = pages(WEFT__TR_BUCKETS * sizeof(uint32_t)), ids = pages((ids_max + 1) * sizeof(uint32_t));
	size_t bytes = 1;
	while (bytes < buckets + ids + arena_bytes)
		bytes *= 2;
	void *at;
	int rc = wo_pages_reserve(bytes, &at);
	if (rc)
		return rc;
	*t = (weft__tr_dedup){ .map = at, .map_bytes = bytes, .ids_max = ids_max };
	t->bucket = at;
	t->by_id = (void *)((char *)at + buckets);
	t->arena = (void *)((char *)at + buckets + ids);
	t->arena_words = (bytes - buckets - ids) / sizeof(*t->arena);
	atomic_store(&t->words, 1); /* place 0 means none */
	return 0;
}

void weft__tr_dedup_done(weft__tr_dedup *t)
{
	if (t->map)
		wo_pages_release(t->map, t->map_bytes);
	*t = (weft__tr_dedup){ 0 };
}

static uint32_t refuse(weft__tr_dedup *t)
{
	atomic_fetch_add_explicit(&t->refused, 1, memory_order_relaxed);
	return 0;
}

/* Entries that came between `from` and `to`, both places in one bucket. */
static weft__tr_entry *look(weft__tr_dedup *t, uint32_t from, uint32_t to, const void *key, uint32_t n, uint64_t hash)
{
	for (uint32_t at = from; at != to; at = weft__tr_dedup_at(t, at)->next)
		if (weft__tr_dedup_same(weft__tr_dedup_at(t, at), key, n, hash))
			return weft__tr_dedup_at(t, at);
	return NULL;
}

uint32_t weft__tr_dedup_add(weft__tr_dedup *t, const void *key, uint32_t n, uint64_t hash, uint32_t gen, uint32_t seen)
{
	size_t words = HEAD_WORDS + (n + 7) / 8;
	size_t place = atomic_fetch_add_explicit(&t->words, words, memory_order_relaxed);
	if (place + words > t->arena_words) /* not given back: another thread may have taken what follows */
		return refuse(t);
	uint32_t id = atomic_fetch_add_explicit(&t->ids, 1, memory_order_relaxed) + 1;
	if (id == 0 || id > t->ids_max)
		return refuse(t);
	weft__tr_entry *e = weft__tr_dedup_at(t, (uint32_t)place);
	e->hash = hash;
	e->id = id;
	e->n = n;
	memcpy(e->key, key, n);
	/* Before others can find it: they may be in a generation that ends while this thread is held up here. */
	atomic_store_explicit(&t->by_id[id], (uint32_t)place, memory_order_release);
	_Atomic uint32_t *bucket = &t->bucket[hash % WEFT__TR_BUCKETS];
	uint32_t head = atomic_load_explicit(bucket, memory_order_acquire);
	do {
		weft__tr_entry *other = look(t, head, seen, key, n, hash);
		if (other) { /* somebody was faster: this place and number stay unused, and without a mark */
			weft__tr_dedup_mark(other, gen);
			return other->id;
		}
		e->next = seen = head;
	} while (!atomic_compare_exchange_strong_explicit(
		bucket, &head, (uint32_t)place, memory_order_acq_rel, memory_order_acquire));
	weft__tr_dedup_mark(e, gen);
	return id;
}

bool weft__tr_dedup_filling(const weft__tr_dedup *t)
{
	return atomic_load_explicit(&t->words, memory_order_relaxed) > t->arena_words / 2 ||
	       atomic_load_explicit(&t->ids, memory_order_relaxed) > t->ids_max / 2;
}

uint64_t weft__tr_hash_text(const void *at, size_t n)
{
	const char *s = at;
	uint64_t h = n, w;
	for (; n >= 8; n -= 8, s += 8) {
		memcpy(&w, s, 8);
		h = weft__tr_hash_word(h, w);
	}
	w = 0;
	memcpy(&w, s, n);
	return weft__tr_hash_end(weft__tr_hash_word(h, w));
}

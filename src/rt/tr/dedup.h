/* rt/tr/dedup.h - texts and stacks, each once: found without a lock, numbered from 1, marked by generation.
 *
 * Entries are never taken out and never move; a number is good as long as the table.  An entry carries a mark for each
 * of two generations (by parity) that says that it was used in it, so that a finished generation can be written while
 * the next one already uses the same table.  Memory is reserved at the start and backed where touched: adding allocates
 * nothing.
 */
#ifndef WEFT__TR_DEDUP_H
#define WEFT__TR_DEDUP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { WEFT__TR_BUCKETS = 1 << 15 };

typedef struct weft__tr_entry {
	uint64_t hash;
	_Atomic uint32_t used[2]; /* by parity: low bits of the newest generation that used it */
	uint32_t id;
	uint32_t next;  /* in its bucket: place in the arena; 0: none */
	uint32_t n;     /* bytes of key */
	uint32_t whole; /* stacks: a CPU sample has it, and nothing of it is left out; the writer's */
	uint64_t key[]; /* the last word padded with zeroes */
} weft__tr_entry;

typedef struct weft__tr_dedup {
	_Atomic uint32_t *bucket; /* places in the arena, in words of 8 bytes */
	_Atomic uint32_t *by_id;
	uint64_t *arena;
	size_t arena_words;
	uint32_t ids_max;
	_Atomic size_t words;     /* taken */
	_Atomic uint32_t ids;     /* given out; may run past ids_max */
	_Atomic uint64_t refused; /* keys for which there was no room */
	void *map;
	size_t map_bytes;
} weft__tr_dedup;

/* At least arena_bytes of keys with their heads, ids_max numbers: 0 or -ENOMEM. */
int weft__tr_dedup_init(weft__tr_dedup *t, size_t arena_bytes, uint32_t ids_max);
void weft__tr_dedup_done(weft__tr_dedup *t); /* zeroed is fine */

/* The slow half of weft__tr_dedup_find: `seen` is the head of the bucket as far as it was looked through. */
uint32_t weft__tr_dedup_add(weft__tr_dedup *t, const void *key, uint32_t n, uint64_t hash, uint32_t gen, uint32_t seen);

static inline bool weft__tr_dedup_same(const weft__tr_entry *e, const void *key, uint32_t n, uint64_t hash)
{
	if (e->hash != hash || e->n != n)
		return false;
	if (n % 8)
		return memcmp(e->key, key, n) == 0;
	const char *k = key;
	for (uint32_t i = 0; i < n / 8; i++) { /* stacks are short: faster than a call */
		uint64_t word;
		memcpy(&word, k + 8 * i, 8);
		if (e->key[i] != word)
			return false;
	}
	return true;
}

static inline void weft__tr_dedup_mark(weft__tr_entry *e, uint32_t gen)
{
	_Atomic uint32_t *used = &e->used[gen & 1];
	if (__builtin_expect(atomic_load_explicit(used, memory_order_relaxed) != gen, 0))
		atomic_store_explicit(used, gen, memory_order_relaxed);
}

static inline weft__tr_entry *weft__tr_dedup_at(const weft__tr_dedup *t, uint32_t place)
{
	return (weft__tr_entry *)(void *)(t->arena + place);
}

/* The number of a key of n bytes (aligned like uint64_t when n is a multiple of 8), marked as used in `gen`; 0 when it
 * is new and there is no room.  Any thread. */
static inline uint32_t weft__tr_dedup_find(weft__tr_dedup *t, const void *key, uint32_t n, uint64_t hash, uint32_t gen)
{
	uint32_t head = atomic_load_explicit(&t->bucket[hash % WEFT__TR_BUCKETS], memory_order_acquire);
	for (uint32_t at = head; at;) {
		weft__tr_entry *e = weft__tr_dedup_at(t, at);
		if (__builtin_expect(weft__tr_dedup_same(e, key, n, hash), 1)) {
			weft__tr_dedup_mark(e, gen);
			return e->id;
		}
		at = e->next;
	}
	return weft__tr_dedup_add(t, key, n, hash, gen, head);
}

/* The entry with that number, or NULL.  What weft__tr_dedup_find has returned, on any thread, has one. */
static inline weft__tr_entry *weft__tr_dedup_entry(const weft__tr_dedup *t, uint32_t id)
{
	uint32_t at = id <= t->ids_max ? atomic_load_explicit(&t->by_id[id], memory_order_acquire) : 0;
	return at ? weft__tr_dedup_at(t, at) : NULL;
}

/* Numbers given out so far: 1 .. result, with gaps. */
static inline uint32_t weft__tr_dedup_count(const weft__tr_dedup *t)
{
	uint32_t n = atomic_load_explicit(&t->ids, memory_order_acquire);
	return n < t->ids_max ? n : t->ids_max;
}

/* More than half of it is taken. */
bool weft__tr_dedup_filling(const weft__tr_dedup *t);

/* A hash of one more word; and of a text. */
static inline uint64_t weft__tr_hash_word(uint64_t h, uint64_t w)
{
	return (h ^ w) * 0x9e3779b97f4a7c15u + (h >> 47);
}

static inline uint64_t weft__tr_hash_end(uint64_t h)
{
	return h ^ h >> 32;
}

uint64_t weft__tr_hash_text(const void *at, size_t n);

#endif

/* base/intern.c - see intern.h. */
#include "base/intern.h"

#include <string.h>

#include "base/alloc.h"

/* FNV-1a, eight bytes at a time where it can.  The seed is an address: nobody can make a file whose texts all hash
 * alike. */
static uint32_t hash(const wb_intern *t, const char *at, size_t n)
{
	uint64_t h = (t->seed ^ n) * 0x9e3779b97f4a7c15u;
	for (; n >= 8; at += 8, n -= 8) {
		uint64_t w;
		memcpy(&w, at, 8);
		h = (h ^ w) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	for (; n; at++, n--)
		h = (h ^ (uint8_t)*at) * 0x100000001b3u;
	h ^= h >> 32;
	return (uint32_t)h;
}

static uint32_t find(const wb_intern *t, const char *at, size_t n, uint32_t h)
{
	if (!t->cap)
		return WB_INTERN_NONE;
	for (size_t i = h & (t->cap - 1); t->slots[i]; i = (i + 1) & (t->cap - 1)) {
		uint32_t k = t->slots[i] - 1;
		if (t->hashes[k] == h && t->texts[k].n == n && memcmp(t->texts[k].at, at, n) == 0)
			return k;
	}
	return WB_INTERN_NONE;
}

static bool grow(wb_intern *t)
{
	if (t->n == t->cap_texts) {
		size_t cap = t->cap_texts ? t->cap_texts * 2 : 64;
		wb_text *x = wb_realloc(t->texts, cap, sizeof(*x));
		if (!x)
			return false;
		t->texts = x;
		uint32_t *h = wb_realloc(t->hashes, cap, sizeof(*h));
		if (!h)
			return false;
		t->hashes = h;
		t->cap_texts = cap;
	}
	if ((t->n + 1) * 2 > t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 128;
		uint32_t *s = wb_calloc(cap, sizeof(*s));
		if (!s)
			return false;
		for (size_t k = 0; k < t->n; k++) {
			size_t i = t->hashes[k] & (cap - 1);
			while (s[i])
				i = (i + 1) & (cap - 1);
			s[i] = (uint32_t)k + 1;
		}
		wb_free(t->slots);
		t->slots = s;
		t->cap = cap;
	}
	return true;
}

uint32_t wb_intern_add(wb_intern *t, const char *at, size_t n)
{
	if (t->n == 0 && n != 0 && wb_intern_add(t, "", 0) == WB_INTERN_NONE)
		return WB_INTERN_NONE;
	if (t->n == 0) {
		if (!grow(t))
			return WB_INTERN_NONE;
		t->seed = (uintptr_t)t->slots;
	}
	uint32_t h = hash(t, at, n);
	uint32_t k = find(t, at, n, h);
	if (k != WB_INTERN_NONE)
		return k;
	if (t->n >= WB_INTERN_NONE - 1 || !grow(t))
		return WB_INTERN_NONE;
	char *copy = wb_copy(&t->arena, at, n);
	if (!copy)
		return WB_INTERN_NONE;
	k = (uint32_t)t->n++;
	t->texts[k] = (wb_text){ copy, n };
	t->hashes[k] = h;
	size_t i = h & (t->cap - 1);
	while (t->slots[i])
		i = (i + 1) & (t->cap - 1);
	t->slots[i] = k + 1;
	return k;
}

uint32_t wb_intern_get(const wb_intern *t, const char *at, size_t n)
{
	return find(t, at, n, hash(t, at, n));
}

wb_text wb_intern_text(const wb_intern *t, uint32_t i)
{
	return i < t->n ? t->texts[i] : (wb_text){ "", 0 };
}

void wb_intern_free(wb_intern *t)
{
	wb_arena_free(&t->arena);
	wb_free(t->texts);
	wb_free(t->hashes);
	wb_free(t->slots);
	*t = (wb_intern){ 0 };
}

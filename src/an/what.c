/* an/what.c - see what.h. */
#include "an/what.h"

#include <assert.h>
#include <string.h>

#include <wtr/event.h>

static_assert(sizeof(an_what) == 40, "an_what has no hidden bytes: it is hashed and compared as memory");

static uint64_t hash(const an_what *w)
{
	uint64_t v[5], h = 0;
	memcpy(v, w, sizeof(v));
	for (unsigned i = 0; i < 5; i++) {
		h = (h ^ v[i]) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	return h;
}

static void put(an_dict *d, uint32_t number)
{
	size_t i = hash(&d->whats.at[number]) & (d->cap - 1);
	while (d->slots[i])
		i = (i + 1) & (d->cap - 1);
	d->slots[i] = number + 1;
}

/* Room for one more in all three parts. */
static bool grow(an_dict *d)
{
	if (!wb_vec_reserve(&d->whats, 1))
		return false;
	if (d->cls_cap < d->whats.cap) {
		uint8_t *cls = wb_realloc(d->cls, d->whats.cap, 1);
		if (!cls)
			return false;
		d->cls = cls;
		d->cls_cap = d->whats.cap;
	}
	if (d->whats.n * 2 < d->cap)
		return true;
	size_t cap = d->cap ? d->cap * 2 : 64;
	uint32_t *slots = wb_calloc(cap, sizeof(*slots));
	if (!slots)
		return false;
	wb_free(d->slots);
	d->slots = slots;
	d->cap = cap;
	for (size_t i = 0; i < d->whats.n; i++)
		put(d, (uint32_t)i);
	return true;
}

bool an_dict_add(an_dict *d, const an_what *w, uint32_t *ret)
{
	if (d->whats.n == 0) { /* number 0 */
		if (!grow(d))
			return false;
		d->whats.at[0] =
			(an_what){ .g = WTR_NONE, .p = AN_NO, .m = AN_NO, .waker_p = AN_NO, .state = WTR_G_NOTEXIST };
		d->cls[0] = 0;
		d->whats.n = 1;
		put(d, 0);
	}
	for (size_t i = hash(w) & (d->cap - 1); d->slots[i]; i = (i + 1) & (d->cap - 1))
		if (memcmp(&d->whats.at[d->slots[i] - 1], w, sizeof(*w)) == 0) {
			*ret = d->slots[i] - 1;
			return true;
		}
	if (d->whats.n >= UINT32_MAX - 1 || !grow(d))
		return false;
	uint32_t number = (uint32_t)d->whats.n++;
	d->whats.at[number] = *w;
	d->cls[number] = w->cls;
	put(d, number);
	*ret = number;
	return true;
}

void an_dict_free(an_dict *d)
{
	wb_vec_free(&d->whats);
	wb_free(d->cls);
	wb_free(d->slots);
	*d = (an_dict){ 0 };
}

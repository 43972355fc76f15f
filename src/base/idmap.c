/* base/idmap.c - see idmap.h. */
#include "base/idmap.h"

#include <string.h>

#include "base/alloc.h"

enum { DIRECT_MIN = 256, DIRECT_PER_ID = 8 };
#define DELETED UINT32_MAX

typedef struct wb_idmap_slot {
	uint64_t id;
	uint32_t value; /* + 1; 0: empty; DELETED */
} slot;

static size_t hash(uint64_t id)
{
	id *= 0x9e3779b97f4a7c15u;
	return (size_t)(id ^ id >> 32);
}

uint32_t wb_idmap_find(const wb_idmap *m, uint64_t id)
{
	if (id < m->n_direct)
		return m->direct[id] - 1;
	if (!m->cap)
		return WB_IDMAP_NONE;
	for (size_t i = hash(id) & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
		const slot *s = &m->slots[i];
		if (s->value == 0)
			return WB_IDMAP_NONE;
		if (s->value != DELETED && s->id == id)
			return s->value - 1;
	}
}

static void put(slot *slots, size_t cap, uint64_t id, uint32_t value)
{
	size_t i = hash(id) & (cap - 1);
	while (slots[i].value != 0)
		i = (i + 1) & (cap - 1);
	slots[i] = (slot){ id, value };
}

/* Rebuilds the hash part without deleted entries and without ids below `from`. */
static bool rehash(wb_idmap *m, uint64_t from)
{
	size_t live = 0;
	for (size_t i = 0; i < m->cap; i++)
		live += m->slots[i].value != 0 && m->slots[i].value != DELETED && m->slots[i].id >= from;
	size_t cap = 16;
	while (cap < live * 2 + 2)
		cap *= 2;
	slot *s = wb_calloc(cap, sizeof(*s));
	if (!s)
		return false;
	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i].value != 0 && m->slots[i].value != DELETED && m->slots[i].id >= from)
			put(s, cap, m->slots[i].id, m->slots[i].value);
	wb_free(m->slots);
	m->slots = s;
	m->cap = cap;
	m->used = live;
	return true;
}

/* Lets the array reach `id` when enough ids are present to pay for it. */
static bool widen(wb_idmap *m, uint64_t id)
{
	size_t most = DIRECT_MIN + m->n * DIRECT_PER_ID;
	if (id >= most)
		return false;
	size_t n = m->n_direct ? m->n_direct * 2 : DIRECT_MIN;
	while (n <= id)
		n *= 2;
	uint32_t *d = wb_realloc(m->direct, n, sizeof(*d));
	if (!d)
		return false;
	memset(d + m->n_direct, 0, (n - m->n_direct) * sizeof(*d));
	m->direct = d;
	for (size_t i = 0; i < m->cap; i++) {
		slot *s = &m->slots[i];
		if (s->value != 0 && s->value != DELETED && s->id < n) {
			d[s->id] = s->value;
			s->value = DELETED;
		}
	}
	m->n_direct = n;
	return true;
}

bool wb_idmap_set(wb_idmap *m, uint64_t id, uint32_t value)
{
	if (id >= m->n_direct)
		widen(m, id);
	if (id < m->n_direct) {
		m->n += m->direct[id] == 0;
		m->direct[id] = value + 1;
		return true;
	}
	if (m->cap)
		for (size_t i = hash(id) & (m->cap - 1); m->slots[i].value != 0; i = (i + 1) & (m->cap - 1))
			if (m->slots[i].value != DELETED && m->slots[i].id == id) {
				m->slots[i].value = value + 1;
				return true;
			}
	if ((m->used + 1) * 2 > m->cap && !rehash(m, m->n_direct))
		return false;
	put(m->slots, m->cap, id, value + 1);
	m->used++;
	m->n++;
	return true;
}

void wb_idmap_del(wb_idmap *m, uint64_t id)
{
	if (id < m->n_direct) {
		m->n -= m->direct[id] != 0;
		m->direct[id] = 0;
		return;
	}
	if (!m->cap)
		return;
	for (size_t i = hash(id) & (m->cap - 1); m->slots[i].value != 0; i = (i + 1) & (m->cap - 1))
		if (m->slots[i].value != DELETED && m->slots[i].id == id) {
			m->slots[i].value = DELETED;
			m->n--;
			return;
		}
}

void wb_idmap_free(wb_idmap *m)
{
	wb_free(m->direct);
	wb_free(m->slots);
	*m = (wb_idmap){ 0 };
}

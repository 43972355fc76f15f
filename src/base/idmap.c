/* base/idmap.c - see idmap.h. */
#include "base/idmap.h"

#include <string.h>

#include "base/alloc.h"

enum { DIRECT_MIN = 256, DIRECT_PER_ID = 8, CAP_MIN = 16 };

typedef struct wb_idmap_slot {
	uint64_t id;
	uint32_t value; /* + 1; 0: empty */
} slot;

/* Where an id would like to be.  The table's address is the seed: nobody can make a file whose ids all want one
 * place. */
static size_t home(const wb_idmap *m, uint64_t id)
{
	__extension__ unsigned __int128 x = (unsigned __int128)(id ^ (uintptr_t)m->slots) * 0x9e3779b97f4a7c15u;
	return (size_t)(x ^ x >> 64) & (m->cap - 1);
}

/* The slot that has the id, or the empty one where it would go.  There is always an empty one. */
static slot *find(const wb_idmap *m, uint64_t id)
{
	size_t i = home(m, id);
	while (m->slots[i].value != 0 && m->slots[i].id != id)
		i = (i + 1) & (m->cap - 1);
	return &m->slots[i];
}

uint32_t wb_idmap_find(const wb_idmap *m, uint64_t id)
{
	if (id < m->n_direct)
		return m->direct[id] - 1;
	return m->cap ? find(m, id)->value - 1 : WB_IDMAP_NONE;
}

static bool grow(wb_idmap *m)
{
	size_t cap = m->cap ? m->cap * 2 : CAP_MIN;
	slot *s = wb_calloc(cap, sizeof(*s));
	if (!s)
		return false;
	wb_idmap old = *m;
	m->slots = s;
	m->cap = cap;
	for (size_t i = 0; i < old.cap; i++)
		if (old.slots[i].value != 0)
			*find(m, old.slots[i].id) = old.slots[i];
	wb_free(old.slots);
	return true;
}

/* Empties a slot and closes the gap: what stands behind it moves up, so that no search ends too early and nothing is
 * left to be cleaned away. */
static void vacate(wb_idmap *m, size_t i)
{
	for (size_t j = (i + 1) & (m->cap - 1); m->slots[j].value != 0; j = (j + 1) & (m->cap - 1)) {
		if (((j - home(m, m->slots[j].id)) & (m->cap - 1)) >= ((j - i) & (m->cap - 1))) {
			m->slots[i] = m->slots[j];
			i = j;
		}
	}
	m->slots[i].value = 0;
	m->used--;
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
	for (size_t i = 0; i < m->cap;) {
		slot *s = &m->slots[i];
		if (s->value != 0 && s->id < n) {
			d[s->id] = s->value;
			vacate(m, i); /* another may have moved here */
		} else {
			i++;
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
	slot *s = m->cap ? find(m, id) : NULL;
	if (s && s->value != 0) {
		s->value = value + 1;
		return true;
	}
	if ((m->used + 1) * 2 > m->cap) {
		if (!grow(m))
			return false;
		s = find(m, id);
	}
	*s = (slot){ id, value + 1 };
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
	slot *s = m->cap ? find(m, id) : NULL;
	if (s && s->value != 0) {
		vacate(m, (size_t)(s - m->slots));
		m->n--;
	}
}

void wb_idmap_free(wb_idmap *m)
{
	wb_free(m->direct);
	wb_free(m->slots);
	*m = (wb_idmap){ 0 };
}

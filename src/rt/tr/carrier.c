/* rt/tr/carrier.c - see carrier.h. */
#include "rt/tr/carrier.h"

#include <string.h>

#include "rt/tr/inside.h"

enum {
	ID_WIDTH = 4,
	LENGTH_WIDTH = 2,
	ENTRY_BYTES = 1 + ID_WIDTH + LENGTH_WIDTH,
	PIECE_ROOM = 576, /* for one entry with all its objects */
};

_Static_assert(WF_OBJECT_SLOT + WF_CARRIER_SLOTS < 128, "an object seen before takes one byte");

_Static_assert(1 + 2 * WF_VARINT_BYTES_MAX + sizeof((weft__tr_label_seen){ 0 }.at) <= PIECE_ROOM, "a label");

enum { MANY_MAX = 16 }; /* objects of one wait that are written */
_Static_assert(WF_VARINT_BYTES_MAX + 5 + MANY_MAX * (3 + 3 * WF_VARINT_BYTES_MAX) <= PIECE_ROOM, "the longest entry");

static const bool has_holder[] = {
	false,
#define OBJECT(ID, text, attr, holder) holder,
#include "fmt/objects.def"
};

static void end_piece(weft__tr_m *m)
{
	if (!m->chunk)
		return;
	wf_put_padded(m->chunk - LENGTH_WIDTH, (uint64_t)(m->side_at - m->chunk), LENGTH_WIDTH);
	m->chunk = NULL;
}

void weft__tr_carrier_begin(weft__tr_m *m)
{
	m->chunks = m->as_guessed = 0;
	memset(m->objects, 0, sizeof(m->objects));
	memset(m->guess, 0, sizeof(m->guess));
}

void weft__tr_carrier_end(weft__tr_m *m)
{
	if (!m->side)
		return;
	end_piece(m);
	wf_end_batch(m->side->data, m->side_at);
	m->side->n = (uint32_t)(m->side_at - m->side->bytes);
	weft__tr_bufs_push(&weft__tr.bufs, m->side);
	m->side = NULL;
}

/* Room for a text of the longest kind. */
static bool side_room(weft__tr_m *m)
{
	if (m->side && m->side_at + ENTRY_BYTES + WF_STRING_BYTES_MAX <= m->side->bytes + sizeof(m->side->bytes))
		return true;
	weft__tr_carrier_end(m);
	uint64_t gen = atomic_load_explicit(&m->gen, memory_order_relaxed);
	m->side = weft__tr_take_buf(gen, /* urgent= */ false);
	if (!m->side)
		return false;
	m->side->data = wf_put_batch(m->side->bytes, gen, WF_NO_THREAD, m->last);
	m->side_at = m->side->data;
	*m->side_at++ = WF_EV_STRINGS;
	return true;
}

static uint64_t begin_text(weft__tr_m *m)
{
	uint64_t id = weft__tr_once_id(atomic_load_explicit(&m->gen, memory_order_relaxed));
	*m->side_at++ = WF_EV_STRING;
	m->side_at = wf_put_padded(m->side_at, id, ID_WIDTH);
	return id;
}

static uint8_t *put_head(uint8_t *at, int kind)
{
	memcpy(at, WF_CARRIER_MARK, WF_CARRIER_MARK_BYTES);
	at[5] = (uint8_t)kind;
	return at + 6;
}

/* A piece of that kind with room for one more entry, if need be a new one. */
static bool piece(weft__tr_m *m, int kind)
{
	if (m->chunk && m->chunk[5] == kind && m->side_at + PIECE_ROOM <= m->chunk + WF_STRING_BYTES_MAX)
		return true;
	if (m->side)
		end_piece(m);
	if (!side_room(m))
		return false;
	begin_text(m);
	m->side_at += LENGTH_WIDTH;
	m->chunk = m->side_at;
	m->side_at = put_head(m->side_at, kind);
	m->side_at = wf_put_uv(m->side_at, m->tid);
	m->side_at = wf_put_uv(m->side_at, m->chunks);
	m->chunks++;
	return true;
}

/* 0: nothing. */
static uint64_t name_of(const weft__tr_object *o)
{
	return o->kind ? o->id << 4 | o->kind : 0;
}

static unsigned slot_of(uint64_t object)
{
	return (unsigned)(object * 0x9e3779b97f4a7c15u >> 58) % WF_CARRIER_SLOTS;
}

/* The reader keeps the same slots: what was defined last at a slot is what its code means. */
static uint8_t *put_object(weft__tr_m *m, uint8_t *at, const weft__tr_object *o)
{
	uint64_t name = name_of(o);
	unsigned slot = slot_of(name);
	if (m->objects[slot] == name) {
		*at++ = (uint8_t)(WF_OBJECT_SLOT + slot);
	} else {
		m->objects[slot] = name;
		*at++ = WF_OBJECT_DEFINE;
		*at++ = (uint8_t)slot;
		*at++ = (uint8_t)o->kind;
		at = wf_put_uv(wf_put_uv(at, o->id), o->attr);
	}
	return has_holder[o->kind] ? wf_put_uv(at, o->holder) : at;
}

static unsigned count(const weft__tr_object *what)
{
	unsigned n = 0;
	while (n < MANY_MAX && what[n].kind != WEFT__TR_NOTHING)
		n++;
	return n;
}

static uint8_t *put_many(weft__tr_m *m, uint8_t *at, const weft__tr_object *what)
{
	unsigned n = count(what), sends = 0;
	for (unsigned i = 0; i < n; i++)
		sends |= (unsigned)what[i].send << i;
	*at++ = WF_ENTRY_SEVERAL;
	*at++ = (uint8_t)n;
	at = wf_put_uv(at, sends);
	for (unsigned i = 0; i < n; i++)
		at = put_object(m, at, &what[i]);
	return at;
}

static uint64_t holder_of(const weft__tr_object *o)
{
	return has_holder[o->kind] ? o->holder : 0;
}

/* What a goroutine waits for is most often what it waited for last: that costs nothing. */
static bool is_guessed(weft__tr_m *m, const weft__tr_g *g, uint64_t name, uint64_t holder)
{
	uint64_t *guess = m->guess[g->id % WF_CARRIER_GUESSES];
	if (weft__tr_likely(guess[0] == name && guess[1] == holder))
		return true;
	guess[0] = name;
	guess[1] = holder;
	return false;
}

/* Several stand for themselves by a hash of 64 bits; no goroutine that holds a lock is called MANY_HOLD it. */
enum { MANY_HOLD = -1 };

static bool many_guessed(weft__tr_m *m, const weft__tr_g *g, const weft__tr_object *what)
{
	uint64_t h = 0;
	for (unsigned i = 0; i < MANY_MAX && what[i].kind != WEFT__TR_NOTHING; i++) {
		uint64_t holder = holder_of(&what[i]);
		h = weft__tr_hash_word(h, (name_of(&what[i]) << 1 | what[i].send) ^ (holder << 32 | holder >> 32));
	}
	return is_guessed(m, g, weft__tr_hash_end(h), (uint64_t)MANY_HOLD);
}

void weft__tr_carrier_wait(weft__tr_m *m, const weft__tr_g *g, const weft__tr_object *what)
{
	bool one = what && what->kind != WEFT__TR_NOTHING, many = one && what[1].kind != WEFT__TR_NOTHING;
	if (many ? many_guessed(m, g, what) : is_guessed(m, g, one ? name_of(what) : 0, one ? holder_of(what) : 0)) {
		m->as_guessed++;
		return;
	}
	if (!piece(m, WF_PIECE_WAITS))
		return;
	m->side_at = wf_put_uv(m->side_at, m->as_guessed);
	m->as_guessed = 0;
	if (many)
		m->side_at = put_many(m, m->side_at, what);
	else if (one)
		m->side_at = put_object(m, m->side_at, what);
	else
		*m->side_at++ = WF_ENTRY_NOTHING;
}

void weft__tr_carrier_hog(weft__tr_m *m, const weft__tr_g *g)
{
	if (!piece(m, WF_PIECE_FACTS))
		return;
	*m->side_at++ = WF_FACT_TAKEN;
	m->side_at = wf_put_uv(wf_put_uv(m->side_at, m->last), g->id);
}

/* Younger than the other facts: who does not know it leaves the rest of its piece alone. */
void weft__tr_carrier_computes(weft__tr_m *m, const weft__tr_g *g)
{
	if (!piece(m, WF_PIECE_FACTS))
		return;
	*m->side_at++ = WF_FACT_COMPUTES;
	m->side_at = wf_put_uv(m->side_at, g->id);
	end_piece(m);
}

void weft__tr_carrier_kept(weft__tr_m *m, const weft__tr_g *g, const weft__tr_object *what)
{
	if (what->kind == WEFT__TR_NOTHING || !piece(m, WF_PIECE_FACTS))
		return;
	*m->side_at++ = WF_FACT_WAITS;
	m->side_at = put_object(m, wf_put_uv(m->side_at, g->id), what);
}

void weft__tr_carrier_see_label(const weft__tr_g *g, weft__tr_label_seen *ret)
{
	ret->n = weft__tr.hooks.label ? weft__tr.hooks.label(g, ret->at, sizeof(ret->at)) : 0;
}

void weft__tr_carrier_put_label(weft__tr_m *m, uint64_t id, const weft__tr_label_seen *l)
{
	if (l->n == 0 || !piece(m, WF_PIECE_FACTS))
		return;
	*m->side_at++ = WF_FACT_LABEL;
	m->side_at = wf_put_uv(wf_put_uv(m->side_at, id), l->n);
	memcpy(m->side_at, l->at, l->n);
	m->side_at += l->n;
}

void weft__tr_carrier_label(weft__tr_m *m, const weft__tr_g *g)
{
	weft__tr_label_seen l;
	weft__tr_carrier_see_label(g, &l);
	weft__tr_carrier_put_label(m, g->id, &l);
}

uint64_t weft__tr_text_once(weft__tr_m *m, weft__tr_str s)
{
	if (s.n == 0)
		return 0;
	if (m->side)
		end_piece(m);
	if (!side_room(m))
		return 0;
	size_t n = s.n < WF_STRING_BYTES_MAX ? s.n : WF_STRING_BYTES_MAX;
	uint64_t id = begin_text(m);
	m->side_at = wf_put_uv(m->side_at, n);
	memcpy(m->side_at, s.at, n);
	m->side_at += n;
	return id;
}

size_t weft__tr_carrier_facts(
	uint8_t *at, uint64_t index, uint64_t waits, uint64_t wait_ns, uint64_t lost_stacks, uint64_t lost_strings)
{
	if (!waits && !lost_stacks && !lost_strings)
		return 0;
	uint8_t *start = at;
	at = wf_put_uv(wf_put_uv(put_head(at, WF_PIECE_FACTS), WF_NO_THREAD), index);
	if (waits) {
		*at++ = WF_FACT_STALLS;
		at = wf_put_uv(wf_put_uv(at, waits), wait_ns);
	}
	if (lost_stacks || lost_strings) {
		*at++ = WF_FACT_LOST;
		at = wf_put_uv(wf_put_uv(at, lost_stacks), lost_strings);
	}
	return (size_t)(at - start);
}

void weft__tr_carrier_names(
	uint64_t gen, uint64_t index, void (*put)(const uint8_t *text, size_t n, void *arg), void *arg)
{
	enum { ROOM = 1 + 2 * WF_VARINT_BYTES_MAX + WEFT__TR_NAME_BYTES };
	uint8_t text[WF_STRING_BYTES_MAX], *at = text;
	for (uint32_t i = 0; weft__tr.hooks.name && i < weft__tr.hooks.n_names; i++) {
		char name[WEFT__TR_NAME_BYTES];
		uint64_t id;
		size_t n = weft__tr.hooks.name(i, gen, &id, name);
		if (n == 0)
			continue;
		if (at != text && at + ROOM > text + sizeof(text)) {
			put(text, (size_t)(at - text), arg);
			at = text;
		}
		if (at == text)
			at = wf_put_uv(wf_put_uv(put_head(at, WF_PIECE_FACTS), WF_NO_THREAD), index++);
		*at++ = WF_FACT_NAME;
		at = wf_put_uv(wf_put_uv(at, id), n);
		memcpy(at, name, n);
		at += n;
	}
	if (at != text)
		put(text, (size_t)(at - text), arg);
}

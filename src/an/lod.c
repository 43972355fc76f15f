/* an/lod.c - see lod.h. */
#include "an/lod.h"

#include <assert.h>

#include <wtr/report.h>

enum {
	CHUNK_BYTES_MIN = 72,       /* of data; with its head 96 */
	CHUNK_BYTES_MAX = 32 << 10, /* below 64 KiB: an_block.at */
	PAD_BYTES = 8,              /* spans are written and read 8 bytes at a time */
	FIRST_START_BYTES = 4, FIRST_WHAT_BYTES = 2,
	FEW_SPANS = 4,              /* a block with less room than this is not begun */
};

static_assert(WTR_CLASS_COUNT == AN_CLASSES + 1, "shares are per class but the first");
static_assert(
	WTR_CLASS_NONE == 0 && WTR_CLASS_RUNNING == 1 && WTR_CLASS_SYSCALL == 6 && WTR_CLASS_GC == 8, "an_proc_class");

static unsigned bytes_for(uint64_t v)
{
	return v < 1u << 8 ? 1 : v < 1u << 16 ? 2 : v < 1u << 24 ? 3 : 4;
}

static an_block *block_at(an_chunk *c, uint32_t i)
{
	return (an_block *)(void *)(c->data + c->size_bytes) - 1 - i;
}

/* Adds up a block's durations by class, its last span ending at `end`; returns all its whats or'ed together. */
static inline __attribute__((always_inline)) uint32_t sum_spans(
	unsigned kind, const uint8_t *restrict cls, an_reader r, unsigned n, uint64_t end, uint64_t *restrict ns)
{
	uint64_t v, from = 0;
	uint32_t all = 0, k = 0;
	for (unsigned i = 0; i < n; i++, r.at += r.width) {
		memcpy(&v, r.at, sizeof(v));
		uint64_t to = v & r.start_mask;
		ns[k] += to - from; /* of the one before; the first adds nothing to class 0 */
		from = to;
		uint32_t what = (uint32_t)(v >> r.start_bits & r.what_mask);
		all |= what;
		k = kind == AN_STRIP_DICT ? cls[what] : an_proc_class(what);
	}
	ns[k] += end - r.start - from;
	return all;
}

static void quantise(const uint64_t *ns, uint64_t dur, uint8_t *share)
{
	float scale = dur ? 255.0f / (float)(int64_t)dur : 0;
	for (unsigned c = 0; c < AN_CLASSES; c++)
		if (ns[c]) /* few classes are there */
			share[c] = (uint8_t)(int)((float)(int64_t)ns[c] * scale + 0.5f);
}

/* Bytes of a span's start and what. */
typedef struct widths {
	unsigned start, what;
} widths;

/* Ends the open block at time t, and says how wide the next one should be. */
static void close_block(const an_store *st, an_strip *s, uint64_t t, uint64_t *sums, widths *ret)
{
	an_chunk *c = s->last;
	an_block *b = block_at(c, c->n - 1);
	unsigned n = b->n -= s->left; /* as many as fitted, so far */
	an_reader r = an_block_reader(c, c->n - 1);
	uint64_t ns[AN_CLASSES + 1] = { 0 }, dur = t - s->start;
	uint32_t all = 0;
	switch (s->kind) {
	case AN_STRIP_DICT:
		all = sum_spans(AN_STRIP_DICT, st->cls, r, n, t, ns);
		break;
	case AN_STRIP_PROC:
		all = sum_spans(AN_STRIP_PROC, NULL, r, n, t, ns);
		break;
	default:
		memcpy(ns + 1, sums, AN_CLASSES * sizeof(*sums));
		memset(sums, 0, AN_CLASSES * sizeof(*sums));
		for (unsigned i = 0; i < n; i++) {
			uint32_t what;
			an_read(&r, i, &what);
			all |= what;
		}
		break;
	}
	quantise(ns + 1, dur, b->share);
	s->n += n;

	/* A quarter more than this one would have needed if it were full. */
	unsigned bytes =
		bytes_for(n == AN_BLOCK_SPANS ? dur + dur / 4 : dur / n * (AN_BLOCK_SPANS + AN_BLOCK_SPANS / 4));
	*ret = (widths){ bytes < 2 ? 2 : bytes, bytes_for(all) };
}

static an_chunk *add_chunk(an_store *st, an_strip *s, uint64_t t)
{
	size_t size = ((size_t)s->n * 3 / 4 + 7) & ~(size_t)7; /* an eighth of what the strip has by now */
	if (size < CHUNK_BYTES_MIN)
		size = CHUNK_BYTES_MIN;
	if (size > CHUNK_BYTES_MAX)
		size = CHUNK_BYTES_MAX;
	an_chunk *c = wb_push(&st->arena, sizeof(*c) + size, _Alignof(an_chunk));
	if (!c)
		return NULL;
	c->start = t;
	c->size_bytes = (uint32_t)size;
	c->next = s->last ? s->last->next : c;
	if (s->last)
		s->last->next = c;
	s->last = c;
	s->at = c->data;
	return c;
}

/* Spans of `width` bytes that a new block at s->at may hold. */
static size_t room(const an_chunk *c, const uint8_t *at, unsigned width)
{
	size_t used = (size_t)(at - c->data) + (c->n + 1) * sizeof(an_block) + PAD_BYTES;
	if (used + width * AN_BLOCK_SPANS <= c->size_bytes)
		return AN_BLOCK_SPANS;
	return used < c->size_bytes ? (c->size_bytes - used) / width : 0;
}

bool an_strip_turn(an_store *st, an_strip *s, uint64_t t, uint32_t what, uint64_t *sums)
{
	widths w = { FIRST_START_BYTES, FIRST_WHAT_BYTES };
	if (s->last)
		close_block(st, s, t, sums, &w);
	unsigned least = bytes_for(what);
	if (w.what < least)
		w.what = least;
	unsigned width = w.start + w.what;

	an_chunk *c = s->last;
	s->left = 0;
	size_t n = c && t - c->start <= UINT32_MAX ? room(c, s->at, width) : 0;
	if (n < FEW_SPANS) {
		c = add_chunk(st, s, t);
		if (!c)
			return false;
		n = room(c, s->at, width);
	}
	an_block *b = block_at(c, c->n++);
	*b = (an_block){ .start = (uint32_t)(t - c->start),
		.at = (uint16_t)(s->at - c->data),
		.n = (uint8_t)n,
		.widths = (uint8_t)(w.start | w.what << 4) };
	s->start = t;
	s->start_max = (uint32_t)(UINT64_C(0xffffffff) >> (32 - w.start * 8));
	s->what_max = (uint32_t)(UINT64_C(0xffffffff) >> (32 - w.what * 8));
	s->start_bits = (uint8_t)(w.start * 8);
	s->width = (uint8_t)width;
	s->left = (uint8_t)n;
	return an_strip_push(st, s, t, what, sums);
}

/* ---- the tree ---- */

static void add_shares(float *sum, const an_node *n, uint64_t dur)
{
	for (unsigned c = 0; c < AN_CLASSES; c++)
		sum[c] += (float)n->share[c] * (float)dur;
}

static void set_shares(an_node *n, const float *sum, float unit, uint64_t dur)
{
	float scale = dur ? 65535.0f / unit / (float)dur : 0;
	for (unsigned c = 0; c < AN_CLASSES; c++) {
		float q = sum[c] * scale + 0.5f;
		n->share[c] = (uint16_t)(q > 65535.0f ? 65535.0f : q);
	}
}

/* The lowest node over blocks first .. first + n - 1 of a chunk. */
static void sum_blocks(const an_store *st, const an_chunk *c, uint32_t first, uint32_t n, an_node *ret)
{
	float sum[AN_CLASSES] = { 0 };
	uint64_t begin = an_block_start(c, first), at = begin;
	for (uint32_t i = first; i < first + n; i++) {
		const an_block *b = an_block_at(c, i);
		uint64_t end = an_block_end(st, c, i);
		float dur = (float)(end - at);
		for (unsigned k = 0; k < AN_CLASSES; k++)
			sum[k] += (float)b->share[k] * dur;
		ret->spans += b->n;
		at = end;
	}
	ret->start = begin;
	set_shares(ret, sum, 255.0f, at - begin);
}

static void sum_nodes(const an_node *from, uint32_t n, uint64_t end, an_node *ret)
{
	float sum[AN_CLASSES] = { 0 };
	for (uint32_t i = 0; i < n; i++) {
		add_shares(sum, &from[i], (i + 1 < n ? from[i + 1].start : end) - from[i].start);
		ret->spans += from[i].spans;
	}
	ret->start = from[0].start;
	set_shares(ret, sum, 65535.0f, end - from[0].start);
}

static bool lowest_level(an_store *st, const an_strip *s, an_tree *tree, uint32_t n)
{
	tree->level[0] = wb_new(&st->arena, an_node, n);
	tree->refs = wb_new(&st->arena, an_ref, n);
	if (!tree->level[0] || !tree->refs)
		return false;
	uint32_t k = 0;
	for (const an_chunk *c = s->first; c; c = c->next)
		for (uint32_t i = 0; i < c->n; i += AN_NODE_BLOCKS, k++) {
			uint32_t m = c->n - i < AN_NODE_BLOCKS ? c->n - i : AN_NODE_BLOCKS;
			sum_blocks(st, c, i, m, &tree->level[0][k]);
			tree->refs[k] = (an_ref){ c, (uint16_t)i, (uint16_t)m };
		}
	tree->n[0] = n;
	tree->n_levels = 1;
	return true;
}

static bool next_level(an_store *st, an_tree *tree)
{
	unsigned l = tree->n_levels;
	uint32_t below = tree->n[l - 1], n = (below + AN_NODE_FAN - 1) / AN_NODE_FAN;
	const an_node *from = tree->level[l - 1];
	tree->level[l] = wb_new(&st->arena, an_node, n);
	if (!tree->level[l])
		return false;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t first = i * AN_NODE_FAN, m = below - first < AN_NODE_FAN ? below - first : AN_NODE_FAN;
		sum_nodes(from + first, m, first + m < below ? from[first + m].start : st->end, &tree->level[l][i]);
	}
	tree->n[l] = n;
	tree->n_levels++;
	return true;
}

bool an_strip_seal(an_store *st, an_strip *s, uint64_t *sums)
{
	widths unused;
	if (s->last) {
		close_block(st, s, st->end, sums, &unused);
		an_chunk *first = s->last->next;
		s->last->next = NULL;
		s->first = first;
	}
	s->tree = NULL;
	s->left = 0;
	uint32_t blocks = 0, nodes = 0;
	for (const an_chunk *c = s->first; c; c = c->next) {
		blocks += c->n;
		nodes += (c->n + AN_NODE_BLOCKS - 1) / AN_NODE_BLOCKS;
	}
	if (blocks <= AN_NODE_BLOCKS)
		return true;
	an_tree *tree = wb_new(&st->arena, an_tree, 1);
	if (!tree || !lowest_level(st, s, tree, nodes))
		return false;
	while (tree->n[tree->n_levels - 1] > AN_NODE_FAN)
		if (!next_level(st, tree))
			return false;
	s->tree = tree;
	return true;
}

/* ---- finding ---- */

/* Chunk and block that hold time t, which is not before the strip's first. */
static void find_block(const an_strip *s, uint64_t t, an_place *ret)
{
	const an_chunk *c = s->first;
	uint32_t lo = 0, hi;
	if (s->tree) {
		const an_tree *tree = s->tree;
		uint32_t a = 0, b = tree->n[0];
		while (b - a > 1) { /* level[0][a].start <= t */
			uint32_t mid = a + (b - a) / 2;
			if (tree->level[0][mid].start <= t)
				a = mid;
			else
				b = mid;
		}
		c = tree->refs[a].chunk;
		lo = tree->refs[a].first;
		hi = lo + tree->refs[a].n;
	} else {
		while (c->next && c->next->start <= t)
			c = c->next;
		hi = c->n;
	}
	while (lo + 1 < hi && an_block_start(c, lo + 1) <= t)
		lo++;
	ret->chunk = c;
	ret->block = lo;
}

/* Fills in everything of span i of the place's block. */
static void load(const an_store *st, an_place *p, uint32_t i)
{
	an_reader r = an_block_reader(p->chunk, p->block);
	uint32_t ignore;
	p->i = i;
	p->start = an_read(&r, i, &p->what);
	p->end = i + 1 < an_block_at(p->chunk, p->block)->n ? an_read(&r, i + 1, &ignore)
							    : an_block_end(st, p->chunk, p->block);
}

bool an_strip_find(const an_store *st, const an_strip *s, uint64_t t, an_place *ret)
{
	if (!s->first || t < s->first->start || t >= st->end)
		return false;
	an_place p = { 0 };
	find_block(s, t, &p);
	an_reader r = an_block_reader(p.chunk, p.block);
	unsigned n = an_block_at(p.chunk, p.block)->n, i = 0;
	uint32_t ignore;
	while (i + 1 < n && an_read(&r, i + 1, &ignore) <= t)
		i++;
	load(st, &p, i);
	*ret = p;
	return true;
}

bool an_strip_next(const an_store *st, an_place *p)
{
	if (p->i + 1 < an_block_at(p->chunk, p->block)->n) {
		load(st, p, p->i + 1);
		return true;
	}
	if (p->block + 1 < p->chunk->n) {
		p->block++;
	} else if (p->chunk->next) {
		p->chunk = p->chunk->next;
		p->block = 0;
	} else {
		return false;
	}
	load(st, p, 0);
	return true;
}

/* an/lod.h - strips: the gapless spans of one lane, packed as they come, with summaries for every level of detail.
 *
 * A span is a start and a `what` (a number that the lane's owner understands; 0 is nothing).  Spans lie in blocks of at
 * most 16, each as few bytes as its block allows (starts relative to the block's); blocks lie in chunks that grow with
 * the strip, so that neither a goroutine of three spans nor a proc of a million wastes much, and reading along a lane
 * reads along memory.  Every block knows its shares per class.  A strip of more than 8 blocks gets a tree when sealed:
 * nodes of 8 blocks, then nodes of 4 nodes.  All together about 6 bytes a span.
 *
 * Times are ns since the trace's first event.  Writing belongs to one thread; a sealed strip is immutable.
 */
#ifndef AN_LOD_H
#define AN_LOD_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"

enum {
	AN_CLASSES = 8,        /* that have shares: wtr_class 1 .. 8 */
	AN_BLOCK_SPANS = 16,
	AN_NODE_BLOCKS = 8,    /* blocks under a lowest node, at most */
	AN_NODE_FAN = 4,       /* nodes under a higher one */
	AN_LEVELS_MAX = 20,
};

typedef struct an_block {
	uint32_t start;             /* ns since the chunk's */
	uint16_t at;                /* its first span in the chunk's data */
	uint8_t  n;                 /* spans; of the open block as many as fit */
	uint8_t  widths;            /* bytes of a start, and << 4 bytes of a what */
	uint8_t  share[AN_CLASSES]; /* of its duration, in 255ths */
} an_block;

typedef struct an_chunk an_chunk;
struct an_chunk {
	an_chunk *next;
	uint64_t  start;            /* of its first block */
	uint32_t  n;                /* blocks */
	uint32_t  size_bytes;       /* of data: spans from the front, blocks from the back */
	uint8_t   data[];
};

typedef struct an_node {
	uint64_t start;
	uint32_t spans;
	uint32_t reserved;
	uint16_t share[AN_CLASSES]; /* of its duration, in 65535ths */
} an_node;

/* Where the blocks of a lowest node are: n from `first` on, in one chunk. */
typedef struct an_ref {
	const an_chunk *chunk;
	uint16_t        first, n;
} an_ref;

typedef struct an_tree {
	unsigned  n_levels;               /* level[0] is the lowest */
	uint32_t  n[AN_LEVELS_MAX];
	an_node  *level[AN_LEVELS_MAX];
	an_ref   *refs;                   /* of level[0] */
} an_tree;

/* How the class of a span is found. */
typedef enum an_strip_kind {
	AN_STRIP_DICT, /* store->cls[what] */
	AN_STRIP_PROC, /* an_proc_class(what) */
	AN_STRIP_SUMS, /* not from `what`: whoever pushes knows the sums per class */
} an_strip_kind;

typedef struct an_strip {
	union {
		an_chunk *last;           /* while writing: the chunks are a ring, last->next is the first */
		an_chunk *first;          /* sealed: a list */
	};
	union {
		uint8_t *at;              /* while writing: where the next span goes */
		an_tree *tree;            /* sealed: NULL for a short one */
	};
	uint64_t start;                   /* of the open block */
	uint32_t start_max, what_max;     /* what fits in the open block */
	uint32_t n;                       /* spans in closed blocks; sealed: all */
	uint8_t  left;                    /* spans that still fit in the open block */
	uint8_t  start_bits, width;       /* of a span in the open block: bits of its start, bytes in all */
	uint8_t  kind;                    /* an_strip_kind */
} an_strip;

/* What all strips of an index share. */
typedef struct an_store {
	wb_arena       arena;
	const uint8_t *cls;               /* class by `what`, AN_STRIP_DICT */
	uint64_t       end;               /* of the trace, once sealed */
} an_store;

/* `what` of a proc's span: the goroutine on it (any number below 2^30) and how it uses the proc. */
enum { AN_ON_RUNNING = 1, AN_ON_SYSCALL, AN_ON_GC };
static inline uint32_t an_proc_what(uint32_t g, unsigned on) { return g << 2 | on; }
static inline uint32_t an_proc_g(uint32_t what) { return what >> 2; }
/* NONE, RUNNING, SYSCALL or GC. */
static inline unsigned an_proc_class(uint32_t what) { return 0x8610u >> (what & 3) * 4 & 15; }

/* Ends the open block, if there is one, and begins the next with this span.  `sums`: ns per class 1 .. 8 of the open
 * block up to `t`, for AN_STRIP_SUMS; zeroed.  False: out of memory. */
bool an_strip_turn(an_store *st, an_strip *s, uint64_t t, uint32_t what, uint64_t *sums);

/* Adds a span that begins at t, not before the last one.  A zeroed strip is ready for use. */
static inline __attribute__((always_inline)) bool an_strip_push(
	an_store *st, an_strip *s, uint64_t t, uint32_t what, uint64_t *sums)
{
	uint64_t d = t - s->start;
	if (__builtin_expect(d > s->start_max || what > s->what_max || s->left == 0, 0))
		return an_strip_turn(st, s, t, what, sums);
	uint64_t v = d | (uint64_t)what << s->start_bits; /* little-endian; what stands behind is not in use yet */
	memcpy(s->at, &v, sizeof(v));
	s->at += s->width;
	s->left--;
	return true;
}

/* Whether it has any span yet. */
static inline bool an_strip_begun(const an_strip *s) { return s->last != NULL; }

/* Ends the last span at `end` and builds the tree; st->end must be set.  False: out of memory. */
bool an_strip_seal(an_store *st, an_strip *s, uint64_t *sums);

/* ---- reading sealed strips ---- */

static inline const an_block *an_block_at(const an_chunk *c, uint32_t i)
{
	return (const an_block *)(const void *)(c->data + c->size_bytes) - 1 - i;
}

static inline uint64_t an_block_start(const an_chunk *c, uint32_t i) { return c->start + an_block_at(c, i)->start; }

static inline uint64_t an_block_end(const an_store *st, const an_chunk *c, uint32_t i)
{
	if (i + 1 < c->n)
		return an_block_start(c, i + 1);
	return c->next ? c->next->start : st->end;
}

/* Reads spans of one block. */
typedef struct an_reader {
	const uint8_t *at;
	uint64_t       start;
	unsigned       width, start_bits;
	uint64_t       start_mask, what_mask;
} an_reader;

static inline an_reader an_block_reader(const an_chunk *c, uint32_t i)
{
	const an_block *b = an_block_at(c, i);
	unsigned sw = b->widths & 15u, ww = b->widths >> 4;
	return (an_reader){ c->data + b->at, c->start + b->start, sw + ww, sw * 8, (UINT64_C(1) << sw * 8) - 1,
		(UINT64_C(1) << ww * 8) - 1 };
}

static inline uint64_t an_read(const an_reader *r, unsigned i, uint32_t *what)
{
	uint64_t v;
	memcpy(&v, r->at + i * r->width, sizeof(v)); /* may look into the block table behind, never beyond the chunk */
	*what = (uint32_t)(v >> r->start_bits & r->what_mask);
	return r->start + (v & r->start_mask);
}

static inline unsigned an_class(const an_store *st, unsigned kind, uint32_t what)
{
	if (kind == AN_STRIP_DICT)
		return st->cls[what];
	return an_proc_class(what);
}

/* A place in a strip. */
typedef struct an_place {
	const an_chunk *chunk;
	uint32_t        block, i;
	uint64_t        start, end;
	uint32_t        what;
} an_place;

/* The span at time t; false before the first one and from the end of the trace on. */
bool an_strip_find(const an_store *st, const an_strip *s, uint64_t t, an_place *ret);
/* The next span; false behind the last. */
bool an_strip_next(const an_store *st, an_place *p);

#endif

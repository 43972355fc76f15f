/* an/lanes.h - the lanes of an index from the inside: a strip of spans per goroutine, proc and thread, one each for GC
 * and stop-the-world, where the rare things are, and how many goroutines of each group were in which class.
 *
 * Written by the lanes sink (lanes_sink.c), closed in lanes_finish.c, asked by tile.c, span.c and counts.c.  Times are
 * ns since the first event.  A finished an_lanes is immutable.
 */
#ifndef AN_LANES_H
#define AN_LANES_H

#include <wtr/report.h>

#include "an/census.h"
#include "an/index.h"
#include "an/lod.h"
#include "an/what.h"
#include "base/idmap.h"
#include "base/intern.h"
#include "base/vec.h"

/* an_g.flags, and .open of the others */
enum { AN_G_OPEN = 1, AN_G_WORKER = 2, AN_G_ASSIST = 4, AN_G_NAMED = 8, AN_G_TAKEN = 16 /* runs without a proc */ };

/* A goroutine.  Spans: numbers of the dictionary. */
typedef struct an_g {
	an_strip strip;
	int64_t  id;
	uint32_t group;     /* an_lanes.groups: by start function */
	union {
		uint32_t p; /* while writing: the proc that it holds, AN_NO */
		uint32_t row; /* finished: in the table of goroutines, AN_NO */
	};
	uint8_t  state, cls, flags, reserved;
} an_g;

/* A proc.  Spans: an_proc_what(). */
typedef struct an_p {
	an_strip strip;
	int64_t  id;
	uint32_t what;
	uint32_t g, m;      /* on it now, AN_NO */
	uint8_t  open;
	int64_t  g_id, m_id;
	uint32_t run[2];    /* what of a goroutine running here, of a collector's worker; 0: not made yet for this m */
	uint64_t since;     /* begin of the last span */
	uint64_t sum[AN_CLASSES]; /* ns per class up to there */
} an_p;

/* A thread.  Spans: 0; an_holds(proc): which proc's lane to look into; or, without a proc, an_blocked_in(goroutine) or
 * an_goes_on(goroutine). */
typedef struct an_m {
	an_strip strip;
	int64_t  id;
	uint32_t what;
	uint32_t p;         /* held now, AN_NO */
	uint8_t  open;
	uint64_t since;
	uint64_t snap[AN_CLASSES]; /* the proc's sums then */
	uint64_t sum[AN_CLASSES];  /* of the open block */
} an_m;

static inline uint32_t an_holds(uint32_t p) { return (p + 1) << 1; }
static inline uint32_t an_blocked_in(uint32_t g) { return g << 2 | 1; } /* in a system call */
static inline uint32_t an_goes_on(uint32_t g) { return g << 2 | 3; }    /* computes; its proc was taken */
static inline bool an_without_proc(uint32_t thread) { return thread & 1; }
static inline uint32_t an_g_without_proc(uint32_t thread) { return thread >> 2; }
static inline unsigned an_class_without_proc(uint32_t thread)
{
	return thread & 2 ? WTR_CLASS_RUNNING : WTR_CLASS_SYSCALL;
}
static inline uint32_t an_proc_held(uint32_t thread) { return (thread >> 1) - 1; }

/* Goroutines of one start function. */
typedef struct an_group {
	an_census census;
	uint32_t  fixes;    /* the first of its list, + 1 */
	uint32_t  row;      /* finished: in the table of groups, AN_NO */
} an_group;

/* Times of rare things on a lane: points, but of assists on goroutine lanes begin, end, begin, end, ... */
enum { AN_MARK_STW, AN_MARK_ASSIST, AN_MARK_LOG, AN_MARK_SAMPLE, AN_MARKS };
typedef WB_VEC(uint64_t) an_times;
typedef struct an_marks {
	an_times at[AN_MARKS];
} an_marks;

/* Spans to be counted (times 1), or to be counted no more (-1): those of g in [from, to). */
typedef struct an_late {
	uint64_t from, to;
	uint32_t g, next;   /* next of the group's list, + 1 */
	int32_t  times;
} an_late;

/* Of a goroutine with AN_G_OPEN: what the event that found it says. */
typedef struct an_found_g {
	uint64_t sync, known; /* when the last Sync was, and that event */
	uint32_t stack;       /* where that event was */
} an_found_g;

enum { AN_G_SEGMENT = 512 };

struct an_lanes {
	an_store  store;
	an_dict   dict;
	int64_t   start;                  /* absolute time of the first event */
	uint32_t  n_g;
	WB_VEC(an_g *) gs;                /* segments of AN_G_SEGMENT */
	WB_VEC(an_p *) ps;
	WB_VEC(an_m *) ms;
	wb_idmap  g_ids, p_ids, m_ids;    /* id -> index */
	wb_idmap  found_of;               /* goroutine -> founds */
	WB_VEC(an_found_g) founds;
	bool      again;                  /* a goroutine began although it was known already, or went on although not */
	an_strip  gc, stw;                /* spans: numbers of the dictionary */
	bool      gc_on;                  /* while writing: the mark phase goes on */
	bool      gc_open, stw_open;      /* their first span began before the trace */
	wb_idmap  mark_ids;               /* an_mark_key() -> marks */
	WB_VEC(an_marks) marks;
	wb_intern texts, names;           /* reasons; start functions, by group */
	an_census all;
	WB_VEC(an_group) groups;
	/* finished: */
	uint32_t  n_rows, n_groups;
	uint32_t *order;                  /* rows of goroutines by group, then creation */
	uint32_t *first;                  /* of a group in order; n_groups + 1 */
	uint32_t *census_of;              /* row of the groups table -> groups, AN_NO */
	uint32_t *g_of_row;               /* row of the goroutines table -> goroutine, AN_NO */
};

static inline an_g *an_g_at(const an_lanes *l, uint32_t i) { return &l->gs.at[i / AN_G_SEGMENT][i % AN_G_SEGMENT]; }

static inline uint64_t an_mark_key(wtr_lane_kind kind, uint32_t i) { return (uint64_t)kind << 32 | i; }
/* NULL when the lane has none. */
static inline const an_marks *an_marks_of(const an_lanes *l, wtr_lane_kind kind, uint32_t i)
{
	uint32_t k = wb_idmap_get(&l->mark_ids, an_mark_key(kind, i));
	return k == WB_IDMAP_NONE ? NULL : &l->marks.at[k];
}

/* Where the sink gets the texts and stacks of events from. */
typedef struct an_text_source {
	void   *user;
	wtr_str (*string)(void *user, uint32_t id);
	size_t  (*stack)(void *user, uint32_t id, wtr_frame *ret, size_t n);
} an_text_source;

/* The sink behind an_lanes_sink(). */
an_sink *an_lanes_sink_from(an_text_source texts);
/* What it has filled so far; its finish gives them away. */
an_lanes *an_sink_lanes(an_sink *face);

/* Closes the strips, counts what came late, maps goroutines and groups to the tables of x, and puts them in order. */
typedef WB_VEC(an_late) an_lates;
bool an_lanes_finish(an_lanes *l, const wtr_index *x, uint64_t end, const an_lates *lates);

/* Tells of all spans of a strip that begin before `to` and end behind `from`, in order; `next` is AN_NO for the one
 * that is open at the trace's end.  Inlined into each caller, with what it calls. */
typedef void an_span_fn(void *user, uint64_t start, uint64_t end, uint32_t what, uint32_t next);
static inline __attribute__((always_inline)) void an_strip_walk(
	const an_store *st, const an_strip *s, uint64_t from, uint64_t to, an_span_fn *fn, void *user)
{
	an_place p;
	if (from >= to || !an_strip_find(st, s, from > s->first->start ? from : s->first->start, &p))
		return;
	uint64_t start = p.start;
	uint32_t what = p.what, first = p.i + 1;
	for (const an_chunk *c = p.chunk; c; c = c->next, p.block = 0)
		for (uint32_t b = p.block; b < c->n; b++, first = 0) {
			an_reader r = an_block_reader(c, b);
			for (unsigned i = first; i < an_block_at(c, b)->n; i++) {
				uint32_t next;
				uint64_t t = an_read(&r, i, &next);
				fn(user, start, t, what, next);
				if (t >= to)
					return;
				start = t;
				what = next;
			}
		}
	fn(user, start, st->end, what, AN_NO);
}

/* The strip of a lane with its index; NULL when there is no such lane (or it is a group). */
const an_strip *an_lane_strip(const an_lanes *l, wtr_lane lane, uint32_t *ret);

/* Whether a lane was in its first state before the trace began. */
bool an_lane_open(const an_lanes *l, wtr_lane_kind kind, uint32_t i);

/* Work done for a question, for tests of its bounds. */
typedef struct an_cost {
	uint64_t nodes, spans;
} an_cost;
enum { AN_ZOOM_MAX = 50 };
/* [t0, t0 + n * unit) within the trace, and t0, relative to its start; false when nothing of it is in the trace. */
bool an_window(const an_lanes *l, int64_t t0_ns, uint64_t unit, uint64_t n, int64_t *ret_t0, uint64_t *ret_lo,
	uint64_t *ret_hi);
size_t an_tile_group(
	const an_lanes *l, int64_t group, int64_t t0, unsigned zoom, uint64_t lo, uint64_t hi, wtr_run *ret, size_t n);
size_t an_tile(const wtr_index *x, wtr_lane lane, int64_t t0_ns, unsigned zoom, unsigned width_px, wtr_run *ret,
	size_t n, an_cost *cost);

#endif

/* read/v2/container.h - the batches and generations of a v2 trace, found by hopping over headers.
 *
 * Opening a trace makes one wtr__gen per generation, in file order, exactly as Go 1.27's reader would cut them (and,
 * with WTR_REPAIR, more of what it gives up).  Their tables are built later, by whichever thread gets there first.
 */
#ifndef WTR_READ_V2_CONTAINER_H
#define WTR_READ_V2_CONTAINER_H

#include <pthread.h>

#include "base/vec.h"
#include "read/source.h"
#include "read/tables.h"
#include "read/trace.h"
#include "read/v2/carried.h"

typedef enum wtr__batch_kind {
	WTR__BATCH_EVENTS,
	WTR__BATCH_STRINGS,
	WTR__BATCH_STACKS,
	WTR__BATCH_SAMPLES,
	WTR__BATCH_SYNC,
	WTR__BATCH_EXPERIMENTAL
} wtr__batch_kind;

typedef struct wtr__batch {
	uint64_t offset; /* of its header in the trace */
	uint64_t time;   /* ticks */
	int64_t m;
	uint32_t size; /* of its data */
	uint32_t next; /* next batch with events of the same thread and generation, UINT32_MAX: none; set when tables
			  are built */
	uint8_t head;  /* bytes of the header, so data = offset + head */
	uint8_t kind;  /* wtr__batch_kind */
} wtr__batch;

typedef struct wtr__sample {
	int64_t time_ns, m, p, g;
	uint32_t stack; /* handed out */
	uint32_t place; /* in the file */
} wtr__sample;

typedef struct wtr__thread {
	int64_t m;
	uint32_t first, last; /* batches with events */
} wtr__thread;

typedef enum wtr__gen_state { WTR__GEN_RAW, WTR__GEN_BUILDING, WTR__GEN_READY, WTR__GEN_RELEASED } wtr__gen_state;

/* One generation.  The first block is known after opening, the second while `state` is READY; times and clock stay. */
typedef struct wtr__gen {
	uint64_t number;
	uint64_t offset, bytes;
	size_t first_batch, n_batches;
	uint64_t min_time; /* ticks; of its batches, by Go's rule */
	uint32_t string_base, stack_base;
	uint32_t wait_base; /* WTR__UNKNOWN: beyond what can be numbered */
	uint32_t n_experimental;
	bool stops; /* Go's reader stops before this generation, with `err`; WTR_REPAIR uses what there is */
	wtr_error err;

	wtr__gen_state state; /* guarded by wtr__gens.lock, as are users */
	unsigned users;
	double ns_per_tick; /* 0 until built */
	bool has_clock;
	uint64_t clock_time; /* ticks */
	uint64_t clock_mono_ns;
	int64_t clock_wall_ns;
	wtr__tables tables;
	WB_VEC(wtr__thread) threads; /* in order of first appearance */
	WB_VEC(wtr__sample) samples; /* by time */
	wtr__carrier *carrier;       /* NULL: none */
	uint64_t lost_batches;       /* table batches that WTR_REPAIR stepped over */
	bool built;                  /* tables hold memory */
} wtr__gen;

struct wtr__gens {
	WB_VEC(wtr__batch) batches;
	WB_VEC(wtr__gen) gens;
	double common_rate; /* ns per tick, for generations that have lost theirs; with WTR_REPAIR */
	wtr_error tail;     /* what follows the last generation: code OK when the trace ends properly */
	pthread_mutex_t lock;
	pthread_cond_t changed;
};

/* Makes sure that the tables of generation i are there, building them if nobody does, and keeps them until
 * wtr__gen_put().  OK also for a generation that cannot be read: look at stops and err. */
wtr_code wtr__gen_get(wtr_trace *t, size_t i, wtr_error *err);
void wtr__gen_put(wtr_trace *t, size_t i, bool release);

/* Builds the tables of one generation; the caller has set BUILDING.  E_NOMEM only; other faults set stops and err.
 * (gen.c) */
wtr_code wtr__gen_build(wtr_trace *t, wtr__gen *g, wtr_error *err);
void wtr__gen_free(wtr__gen *g);

/* The first clock rate that the file states, in ns per tick; else what almost every platform has.  Not that of whatever
 * generation happens to be built: two passes would see two traces.  Looks at batches only. (gen.c) */
double wtr__common_rate(const wtr_trace *t);

/* ticks -> ns as Go does it: double product, truncated (trace-format: Time). */
static inline int64_t wtr__ns(uint64_t ticks, double ns_per_tick)
{
	double v = (double)ticks * ns_per_tick;
	/* Out of range gives what amd64 gives: the lowest number. */
	return v < 9223372036854775808.0 ? (int64_t)v : INT64_MIN;
}

#endif

/* test/unit/an/made.h - a made-up program run: its ordered events, and what every lane must show.
 *
 * A small scheduler of goroutines, procs and threads makes random steps.  It writes down the events that a trace of it
 * would have and, from its own state and not from the events, the spans of every lane.
 */
#ifndef MADE_H
#define MADE_H

#include <wtr/report.h>

#include "an/lanes.h"
#include "base/vec.h"

typedef struct made_span {
	int64_t  from, to;    /* absolute */
	uint8_t  cls, state;
	bool     open;
	const char *reason;
	uint32_t stack, waker_stack;
	int64_t  g, p, m, waker, waker_p;
} made_span;

typedef WB_VEC(made_span) made_lane;

enum { MADE_G = 400, MADE_P = 6, MADE_M = 24 };

typedef struct made {
	WB_VEC(wtr_event) ev;
	int64_t   start, end;
	unsigned  n_g;
	made_lane g[MADE_G], p[MADE_P], m[MADE_M], gc, stw; /* goroutine ids are index + 1, threads 100 + index */
	WB_VEC(int64_t) logs[MADE_G];
	WB_VEC(int64_t) assists[MADE_G]; /* begin, end, ... */
} made;

/* `steps` random steps with goroutines up to `max_g`; mean time between them `pace_ns`. */
made *made_run(unsigned seed, size_t steps, unsigned max_g, int64_t pace_ns);
void  made_free(made *k);

/* The index of it, by the lanes sink, `batch` events at a time; its tables are made by hand.  NULL: out of memory. */
wtr_index *made_index(const made *k, size_t batch);
void       made_index_free(wtr_index *x);

wtr_str made_string(void *user, uint32_t id);
size_t  made_stack(void *user, uint32_t id, wtr_frame *ret, size_t n);

/* The lane and its truth, by number; false behind the last. */
bool made_lane_at(const made *k, size_t i, wtr_lane *ret, const made_lane **truth);

uint64_t made_random(void);

#endif

/* read/v2/order.h - one pass over a v2 trace, from the inside.  Private to read/v2; hence the short names.
 *
 * decode.c turns bytes into events, rules*.c say whether an event can come now and what it does, merge.c picks the
 * thread whose event comes next.  All of it follows Go 1.27's reader (internal/trace: reader.go, order.go,
 * batchcursor.go) decision by decision, because "which order" is a definition and not a preference.  docs/format.md
 * explains the rules; test/wire has traces for each.  Nothing is kept per event.
 */
#ifndef WTR_READ_V2_ORDER_H
#define WTR_READ_V2_ORDER_H

#include "fmt/events.h"
#include "fmt/wire.h"
#include "read/v2/container.h"
#include "read/v2/prefetch.h"

enum { DEAD = 0xff }; /* status of a slot that is free */
#define NO_SLOT UINT32_MAX

typedef struct range { /* of a goroutine or proc */
	uint8_t type;  /* WF_EV_..._BEGIN */
	uint64_t desc; /* STW: kind as on the wire, what the rule compares */
	uint32_t str;  /* STW: kind as handed out */
} range;

typedef struct region {
	uint64_t task;
	uint32_t str; /* handed out; lives in the trace's own texts */
} region;

/* Ranges and regions; few goroutines have any. */
typedef struct extras {
	WB_VEC(range) ranges;
	WB_VEC(region) regions;
} extras;

typedef struct unit { /* a goroutine or a proc */
	int64_t id;
	uint64_t seq, gen; /* sequence counter, in the generation of that number */
	uint8_t status;    /* as on the wire, or DEAD */
	uint32_t extra;    /* index + 1 into order.extras; 0: none */
} unit;

typedef struct thread {
	int64_t m, p, g;         /* in the order of wtr_event, so that they are copied at once */
	uint32_t g_slot, p_slot; /* where g and p are, or were; check the id */
} thread;

typedef struct decoded {
	int64_t time;
	uint64_t arg[WF_ARGS_MAX - 1]; /* without dt */
	const uint8_t *event;          /* where it begins */
	uint8_t type;
} decoded;

/* A thread's way through its batches.  The event after the current one is decoded ahead where that is easy: its time is
 * then known before it is needed, and the processor need not wait for it to see which thread comes next. */
typedef struct cursor {
	decoded *now, *ahead;    /* the current event, and the next one or NULL; in ev */
	const uint8_t *at;       /* rest of the current batch ... */
	const uint8_t *fast_end; /* ... from here on to be decoded with care: near its end, or that of the file */
	int64_t last;            /* time of the newest decoded event; before the first one of a batch, of the batch */
	uint32_t thread;         /* slot; NO_SLOT until the first event is tried, or when m is none */
	decoded ev[2];
	const uint8_t *end; /* of the current batch; NULL before the first */
	int64_t m;
	uint32_t batch;   /* index */
	uint32_t carried; /* index + 1 in order.carried; 0: nothing is said of the thread */
} cursor;

/* The place that the current event is not in. */
static inline decoded *other(cursor *c)
{
	return c->now == c->ev ? c->ev + 1 : c->ev;
}

typedef struct entry {
	int64_t time;
	cursor *c;
} entry;

typedef struct task {
	uint64_t id, parent;
	uint32_t name;
} task;

typedef enum gc_state { GC_UNDETERMINED, GC_OFF, GC_ON } gc_state;
typedef enum phase { PHASE_NEXT_GEN, PHASE_EVENTS, PHASE_SYNC_THEN_ERROR, PHASE_LAST_SYNC, PHASE_DONE } phase;
typedef enum verdict { ADVANCE, RETRY, FAULT } verdict;

typedef struct order {
	wtr__source base;
	wtr_trace *t;
	wtr__prefetch *prefetch;
	const uint8_t *fast_end;
	bool repair, force;
	phase phase;
	wtr_error then; /* PHASE_SYNC_THEN_ERROR */

	size_t gen_index; /* the next one to install */
	wtr__gen *gen;
	uint64_t gen_number;
	const wtr__tables *tables;
	double k;
	size_t sample;                   /* the next one of gen */
	int64_t sample_ns;               /* its time; INT64_MAX - 1 when there is none */
	const wtr__carrier *carrier;     /* of gen; NULL: none */
	WB_VEC(wtr__carried_at) carried; /* of the threads of gen that carrier says something of */
	WB_VEC(uint32_t) guesses;

	entry *heap;
	size_t n_heap;
	cursor *cursors;
	size_t cap_cursors, n_cursors;

	WB_VEC(unit) gs;
	WB_VEC(uint32_t) free_gs;
	wb_idmap g_ids;
	WB_VEC(unit) ps;
	wb_idmap p_ids;
	WB_VEC(thread) threads;
	wb_idmap m_ids;
	WB_VEC(extras) extras;
	WB_VEC(uint32_t) free_extras;
	WB_VEC(task) tasks;
	wb_idmap task_ids;
	uint64_t gc_seq;
	gc_state gc;
	uint64_t initial_gen;
	int64_t last_time;
	uint64_t syncs;
	uint64_t dt_safe; /* longer waits are converted with care */
	bool has_pext;    /* the instruction exists and is fast */

	wtr_event *out; /* where the event being tried goes */
	unsigned n_out;
	wtr_code late; /* a table id of the event is unknown: a fault, but only when it is delivered */
} order;

typedef enum step { STEP_OK, STEP_END, STEP_ERROR } step;

/* Decodes the cursor's next event into c->now, going on to its next batch where one ends; events decoded ahead must
 * have been used.  STEP_ERROR leaves the error in base.err. (decode.c) */
step wtr__advance_cursor(order *o, cursor *c);

/* Tries the current event of a cursor: ADVANCE leaves n_out events (1 to 3) in o->out, with their own times; FAULT the
 * error in base.err.  An event whose string or stack is unknown advances and sets o->late. (rules.c) */
verdict wtr__apply(order *o, cursor *c, thread *th);

#endif

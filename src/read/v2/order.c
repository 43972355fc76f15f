/* read/v2/order.c - merges the threads of each generation into one order of events.
 *
 * This follows Go 1.27's reader (internal/trace: reader.go, order.go, batchcursor.go) decision by decision, because "which
 * order" is a definition and not a preference: a binary heap of one cursor per thread, keyed by time, whose exact moves
 * decide ties; a state machine of goroutines, procs and threads that says whether an event can come now (advance), later
 * (retry) or never (fault).  docs/format.md explains the rules; test/wire has a trace for each.
 *
 * An event is decoded when its cursor gets to it and applied when the merge picks it.  Nothing is kept per event.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/alloc.h"
#include "base/bytes.h"
#include "fmt/events.h"
#include "fmt/wire.h"
#include "read/v2/container.h"
#include "read/v2/prefetch.h"

enum {
	FAST_BYTES = 64,                /* fast_decode looks at up to 41 bytes: with this much left in the file it needs no bounds */
	RELEASE_BYTES = 8 << 20,        /* pages read are given back in steps of this */
	EVENTS_PER_STEP = 3,            /* a coroutine switch delivers three */
	DEAD = 0xff,                    /* status of a slot that is free */
};
#define NO_SLOT UINT32_MAX

typedef struct range { /* of a goroutine or proc */
	uint8_t  type;     /* WF_EV_..._BEGIN */
	uint64_t desc;     /* STW: kind as on the wire, what the rule compares */
	uint32_t str;      /* STW: kind as handed out */
} range;

typedef struct region {
	uint64_t task;
	uint32_t str;      /* handed out; lives in the trace's own texts */
} region;

/* Ranges and regions; few goroutines have any. */
typedef struct extras {
	WB_VEC(range)  ranges;
	WB_VEC(region) regions;
} extras;

typedef struct unit {  /* a goroutine or a proc */
	int64_t  id;
	uint64_t seq, gen; /* sequence counter, in the generation of that number */
	uint8_t  status;   /* as on the wire, or DEAD */
	uint32_t extra;    /* index + 1 into order.extras; 0: none */
} unit;

typedef struct thread {
	int64_t  m, g, p;
	uint32_t g_slot, p_slot; /* where g and p are, or were; check the id */
} thread;

typedef struct decoded {
	int64_t  time;
	uint64_t arg[WF_ARGS_MAX - 1]; /* without dt */
	const uint8_t *event;     /* where it begins */
	uint8_t  type;
} decoded;

/* A thread's way through its batches.  The event after the current one is decoded ahead where that is easy: its time is
 * then known before it is needed, and the processor need not wait for it to see which thread comes next. */
typedef struct cursor {
	decoded *now;             /* current event: one of ev */
	const uint8_t *at;        /* rest of the current batch ... */
	const uint8_t *fast_end;  /* ... from here on to be decoded with care: its end, or near the end of the file */
	int64_t  last;            /* time of the newest decoded event; before the first one of a batch, of the batch */
	uint32_t thread;          /* slot; NO_SLOT until the first event is tried, or when m is none */
	bool     ahead;           /* the other one of ev is the next event */
	decoded  ev[2];
	const uint8_t *end;       /* of the current batch; NULL before the first */
	int64_t  m;
	uint32_t batch;           /* index */
} cursor;

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
	wtr_trace  *t;
	wtr__prefetch *prefetch;
	const uint8_t *fast_end;
	bool        repair, force;
	phase       phase;
	wtr_error   then;         /* PHASE_SYNC_THEN_ERROR */

	size_t      gen_index;    /* the next one to install */
	wtr__gen   *gen;
	uint64_t    gen_number;
	const wtr__tables *tables;
	double      k;
	size_t      sample;       /* the next one of gen */
	int64_t     sample_ns;    /* its time; INT64_MAX - 1 when there is none */
	uint64_t    released;     /* pages before this offset were given back */
	uint64_t    since_release;

	entry      *heap;
	size_t      n_heap;
	cursor     *cursors;
	size_t      cap_cursors, n_cursors;

	WB_VEC(unit)   gs;
	WB_VEC(uint32_t) free_gs;
	wb_idmap       g_ids;
	WB_VEC(unit)   ps;
	wb_idmap       p_ids;
	WB_VEC(thread) threads;
	wb_idmap       m_ids;
	WB_VEC(extras) extras;
	WB_VEC(uint32_t) free_extras;
	WB_VEC(task)   tasks;
	wb_idmap       task_ids;
	uint64_t       gc_seq;
	gc_state       gc;
	uint64_t       initial_gen;
	int64_t        last_time;
	uint64_t       syncs;
	uint64_t       dt_safe;      /* longer waits are converted with care */
	bool           has_pext;     /* the instruction exists and is fast */

	wtr_event  *out;          /* where the event being tried goes */
	unsigned    n_out;
	wtr_code    late;         /* a table id of the event is unknown: a fault, but only when it is delivered */
} order;

/* ---- decoding ---- */

/* Arguments by event, dt included; 0: not an event that may stand in a batch of events. */
static const uint8_t n_args[256] = {
#define ARG(name, type) +1
#define EV(no, ID, Name, since, cls, args)
#define TIMED(no, ID, Name, since, begin, args) [no] = no == WF_EV_CLOCK_SNAPSHOT ? 0 : 0 args,
#define EXPT(no, ID, Name, since, exp, args) [no] = 0 args,
#include "fmt/events.def"
};

static wtr_code bad_event(order *o, cursor *c, const char *rule, const char *what)
{
	const char *name = wf_specs[c->at[0]].name;
	return wtr__fail(&o->base.err, WTR_E_FORMAT, (uint64_t)(c->at - o->t->at), o->gen_number, c->m, name ? name : "", rule, "%s (event byte 0x%02x)", what, c->at[0]);
}

/* Decodes the event at c->at into c->now with every check; see fast_decode. */
static wtr_code decode(order *o, cursor *c)
{
	wb_bytes b = { .at = c->at, .end = c->end };
	unsigned n = n_args[c->at[0]];
	if (n == 0)
		return bad_event(o, c, "event.type", wf_specs[c->at[0]].name ? "this event may not stand among events" : "no such event");
	c->now->type = wb_byte(&b);
	uint64_t dt = wb_uvarint(&b);
	for (unsigned i = 1; i < n; i++)
		c->now->arg[i - 1] = wb_uvarint(&b);
	if (b.bad)
		return bad_event(o, c, "event.varint", "a number of this event is cut short by the end of its batch, or too long");
	c->now->event = c->at;
	c->at = b.at;
	c->now->time = c->last += wtr__ns(dt, o->k);
	return WTR_OK;
}

static inline uint64_t load_le64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

/* Pushes the 7-bit groups of a varint of n bytes (1 to 8, in the low bytes of w) together. */
static inline __attribute__((always_inline)) uint64_t join_groups(uint64_t w, unsigned n, bool pext)
{
#if defined(__x86_64__)
	if (pext) {
		uint64_t v;
		__asm__("bzhi %2, %1, %0" : "=r"(v) : "r"(w), "r"((uint64_t)(8 * n)) : "cc");
		__asm__("pext %2, %1, %0" : "=r"(v) : "r"(v), "r"(0x7f7f7f7f7f7f7f7fu));
		return v;
	}
#else
	(void)pext;
#endif
	w &= UINT64_MAX >> (64 - 8 * n);
	w &= 0x7f7f7f7f7f7f7f7fu;
	w = (w & 0x007f007f007f007fu) | (w & 0x7f007f007f007f00u) >> 1;
	w = (w & 0x00003fff00003fffu) | (w & 0x3fff00003fff0000u) >> 2;
	return (w & 0x000000000fffffffu) | (w & 0x0fffffff00000000u) >> 4;
}

/* One bit per byte of the 16 at p: 1 where a varint goes on. */
static inline uint32_t continuation_bits(const uint8_t *p)
{
#if defined(__SSE2__)
	__m128i v;
	memcpy(&v, p, 16);
	return (uint32_t)_mm_movemask_epi8(v);
#else
	/* Gathers the eight top bits of a word by a multiplication that puts each in the highest byte. */
	uint64_t lo = (load_le64(p) & 0x8080808080808080u) >> 7, hi = (load_le64(p + 8) & 0x8080808080808080u) >> 7;
	return (uint32_t)(lo * 0x0102040810204080u >> 56 | hi * 0x0102040810204080u >> 56 << 8);
#endif
}

/* The place of the n-th (1 to 4) set bit; `by_rest` has them by n % 4.  Without a branch: the kind of the next event is
 * the hardest thing to predict here. */
static inline __attribute__((always_inline)) unsigned nth_end(uint32_t ends, unsigned n, const uint8_t by_rest[4], bool pext)
{
#if defined(__x86_64__)
	if (pext) {
		uint32_t v;
		__asm__("pdep %2, %1, %0" : "=r"(v) : "r"(1u << ((n - 1) & 31)), "r"(ends));
		return (unsigned)__builtin_ctz(v | 1u << 31);
	}
#else
	(void)pext;
#endif
	return by_rest[n & 3];
}

/* Decodes the event at c->at into d if it has up to four numbers (dt included) in 16 bytes, without a branch per number or byte: all four are
 * extracted, how many belong to the event only decides where the next one begins.  false: nothing done, decode() knows. */
static inline __attribute__((always_inline)) bool fast_decode(const order *o, cursor *c, decoded *d, bool pext)
{
	const uint8_t *p = c->at;
	if (__builtin_expect(p >= c->fast_end, 0))
		return false;
	unsigned type = p[0], n = n_args[type];
	const uint8_t *q = p + 1;
	__builtin_prefetch(p + 512);
	uint32_t more = continuation_bits(q);
	uint32_t ends = ~more; /* ends behind the 16 bytes are not real, but they are there, so that all four exist */
	unsigned e0 = (unsigned)__builtin_ctz(ends);
	ends &= ends - 1;
	unsigned e1 = (unsigned)__builtin_ctz(ends);
	ends &= ends - 1;
	unsigned e2 = (unsigned)__builtin_ctz(ends);
	ends &= ends - 1;
	unsigned e3 = (unsigned)__builtin_ctz(ends);
	unsigned last = nth_end(~more, n, (const uint8_t[4]){ (uint8_t)e3, (uint8_t)e0, (uint8_t)e1, (uint8_t)e2 }, pext);
	const uint8_t *next = q + last + 1;
	if (__builtin_expect(n - 1 >= 4 || next > c->end, 0))
		return false;
	if (__builtin_expect(last >= 8, 0)) { /* only then can a number have more than 8 bytes */
		uint32_t eight = more & more >> 1;
		eight &= eight >> 2;
		if (last >= 16 || (eight & eight >> 4))
			return false;
	}
	uint64_t dt = join_groups(load_le64(q), e0 + 1, pext);
	if (__builtin_expect(dt >= o->dt_safe, 0))
		return false;
	/* Lengths of numbers that are not the event's may be anything up to 31: keep the shifts defined. */
	d->arg[0] = join_groups(load_le64(q + e0 + 1), pext ? e1 - e0 : ((e1 - e0 - 1) & 7) + 1, pext);
	d->arg[1] = join_groups(load_le64(q + e1 + 1), pext ? e2 - e1 : ((e2 - e1 - 1) & 7) + 1, pext);
	d->arg[2] = join_groups(load_le64(q + e2 + 1), pext ? e3 - e2 : ((e3 - e2 - 1) & 7) + 1, pext);
	d->event = p;
	d->type = (uint8_t)type;
	d->time = c->last += (int64_t)((double)(int64_t)dt * o->k);
	c->at = next;
	return true;
}

static void release_pages(order *o)
{
	uint64_t low = UINT64_MAX;
	for (size_t i = 0; i < o->n_heap; i++) {
		uint64_t at = o->t->v2->batches.at[o->heap[i].c->batch].offset;
		low = at < low ? at : low;
	}
	if (low == UINT64_MAX || low <= o->released)
		return;
	wo_map_release(&o->t->map, o->released, low);
	o->released = low;
	o->since_release = 0;
}

/* Puts the cursor on the next batch that has events; false when there is none. */
static bool next_batch(order *o, cursor *c)
{
	const wtr__batch *all = o->t->v2->batches.at;
	while (c->at == c->end) {
		if (c->batch == UINT32_MAX)
			return false;
		const wtr__batch *b = &all[c->batch];
		if (c->end) {
			o->base.done_bytes += b->size;
			o->since_release += b->size;
			if (b->next == UINT32_MAX)
				return false;
			c->batch = b->next;
			b = &all[c->batch];
		}
		c->at = o->t->at + b->offset + b->head;
		c->end = c->at + b->size;
		c->fast_end = c->end < o->fast_end ? c->end : o->fast_end;
		c->last = wtr__ns(b->time, o->k);
	}
	return true;
}

static inline decoded *other(cursor *c)
{
	return c->now == c->ev ? c->ev + 1 : c->ev;
}

typedef enum step { STEP_OK, STEP_END, STEP_ERROR } step;

/* Decodes the cursor's next event. */
static step advance_cursor(order *o, cursor *c)
{
	for (;;) {
		if (__builtin_expect(c->at == c->end, 0) && !next_batch(o, c))
			return STEP_END;
		if (__builtin_expect(decode(o, c) == WTR_OK, 1))
			return STEP_OK;
		if (!o->repair)
			return STEP_ERROR;
		/* Nothing tells where the next event of this batch begins: leave out the rest of it. */
		o->base.losses.batches++;
		o->base.losses.bytes += (uint64_t)(c->end - c->at);
		o->base.diag[WTR__DIAG_SKIPPED_BATCHES]++;
		o->base.err = (wtr_error){ 0 };
		c->at = c->end;
	}
}

/* ---- the heap, with Go's exact moves ---- */

static inline size_t sift_up(entry *h, size_t i)
{
	while (i > 0 && h[(i - 1) / 2].time > h[i].time) {
		entry x = h[i];
		h[i] = h[(i - 1) / 2];
		h[(i - 1) / 2] = x;
		i = (i - 1) / 2;
	}
	return i;
}

/* h[n].time is INT64_MAX, so that a last left child needs no second look. */
static inline __attribute__((always_inline)) void sift_down(entry *h, size_t n, size_t i)
{
	entry x = h[i];
	for (size_t l; (l = 2 * i + 1) < n;) {
		size_t m = l + (h[l + 1].time < h[l].time);
		if (h[m].time >= x.time)
			break;
		h[i] = h[m];
		i = m;
	}
	h[i] = x;
}

static void heap_remove(order *o, size_t i)
{
	entry *h = o->heap;
	for (; i > 0; i = (i - 1) / 2) {
		entry x = h[i];
		h[i] = h[(i - 1) / 2];
		h[(i - 1) / 2] = x;
	}
	h[0] = h[--o->n_heap];
	h[o->n_heap].time = INT64_MAX;
	if (o->n_heap)
		sift_down(h, o->n_heap, 0);
}

/* Stable.  Go's own sort is not beyond 12 cursors, so there tied events may come in another order than Go's. */
static void sort_heap(order *o)
{
	entry *h = o->heap;
	for (size_t i = 1; i < o->n_heap; i++) {
		entry x = h[i];
		size_t k = i;
		for (; k > 0 && h[k - 1].time > x.time; k--)
			h[k] = h[k - 1];
		h[k] = x;
	}
}

/* ---- the state machine ---- */

/* Why an event cannot be: always FAULT. */
__attribute__((format(printf, 4, 5))) static verdict fault(order *o, const cursor *c, const char *rule, const char *fmt, ...)
{
	char what[200];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	wtr__fail(&o->base.err, WTR_E_ORDER, (uint64_t)(c->now->event - o->t->at), o->gen_number, c->m, wtr_type_name(c->now->type), rule, "%s", what);
	return FAULT;
}

static verdict no_memory(order *o)
{
	wtr__fail(&o->base.err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
	return FAULT;
}

static inline unit *find_g(order *o, uint64_t id)
{
	uint32_t i = wb_idmap_get(&o->g_ids, id);
	return i == WB_IDMAP_NONE ? NULL : &o->gs.at[i];
}

static inline unit *find_p(order *o, uint64_t id)
{
	uint32_t i = wb_idmap_get(&o->p_ids, id);
	return i == WB_IDMAP_NONE ? NULL : &o->ps.at[i];
}

/* The goroutine of a thread: its slot is remembered, and good as long as the id in it is the same. */
static inline unit *current_g(order *o, const thread *th)
{
	if (__builtin_expect(th->g_slot < o->gs.n, 1)) {
		unit *u = &o->gs.at[th->g_slot];
		if (__builtin_expect(u->id == th->g && u->status != DEAD, 1))
			return u;
	}
	return find_g(o, (uint64_t)th->g);
}

static inline unit *current_p(order *o, const thread *th)
{
	if (__builtin_expect(th->p_slot < o->ps.n, 1) && o->ps.at[th->p_slot].id == th->p)
		return &o->ps.at[th->p_slot];
	return find_p(o, (uint64_t)th->p);
}

static unit *new_g(order *o, uint64_t id, uint8_t status)
{
	uint32_t slot;
	if (o->free_gs.n) {
		slot = o->free_gs.at[o->free_gs.n - 1];
	} else {
		slot = (uint32_t)o->gs.n;
		if (slot == NO_SLOT - 1 || !wb_vec_reserve(&o->gs, 1))
			return NULL;
	}
	if (!wb_idmap_set(&o->g_ids, id, slot))
		return NULL;
	if (o->free_gs.n)
		o->free_gs.n--;
	else
		o->gs.n++;
	o->gs.at[slot] = (unit){ .id = (int64_t)id, .gen = o->gen_number, .status = status };
	return &o->gs.at[slot];
}

static unit *new_p(order *o, uint64_t id, uint8_t status)
{
	if (!wb_vec_reserve(&o->ps, 1) || !wb_idmap_set(&o->p_ids, id, (uint32_t)o->ps.n))
		return NULL;
	unit *u = &o->ps.at[o->ps.n++];
	*u = (unit){ .id = (int64_t)id, .gen = o->gen_number, .status = status };
	return u;
}

static bool delete_g(order *o, unit *u)
{
	if (!wb_vec_reserve(&o->free_gs, 1) || !wb_vec_reserve(&o->free_extras, 1))
		return false;
	wb_idmap_del(&o->g_ids, (uint64_t)u->id);
	if (u->extra) {
		o->extras.at[u->extra - 1].ranges.n = 0;
		o->extras.at[u->extra - 1].regions.n = 0;
		o->free_extras.at[o->free_extras.n++] = u->extra;
	}
	u->status = DEAD;
	u->extra = 0;
	o->free_gs.at[o->free_gs.n++] = (uint32_t)(u - o->gs.at);
	return true;
}

static extras *extras_of(order *o, unit *u)
{
	if (!u->extra && o->free_extras.n)
		u->extra = o->free_extras.at[--o->free_extras.n];
	if (!u->extra) {
		if (!wb_vec_add(&o->extras, (extras){ 0 }))
			return NULL;
		u->extra = (uint32_t)o->extras.n;
	}
	return &o->extras.at[u->extra - 1];
}

static inline void bind_g(thread *th, const order *o, const unit *u)
{
	th->g = u->id;
	th->g_slot = (uint32_t)(u - o->gs.at);
}

static inline void unbind_g(thread *th)
{
	th->g = WTR_NONE;
	th->g_slot = NO_SLOT;
}

static inline void bind_p(thread *th, const order *o, const unit *u)
{
	th->p = u->id;
	th->p_slot = (uint32_t)(u - o->ps.at);
}

/* The next event of the step, in the context of the thread. */
static inline wtr_event *emit(order *o, const cursor *c, const thread *th, wtr_kind kind)
{
	wtr_event *e = &o->out[o->n_out++];
	*e = (wtr_event){ .time_ns = c->now->time, .m = th->m, .p = th->p, .g = th->g, .kind = (uint8_t)kind, .type = c->now->type };
	return e;
}

static inline wtr_event *emit_g(order *o, const cursor *c, const thread *th, int64_t id, wtr_gstate from, wtr_gstate to)
{
	wtr_event *e = emit(o, c, th, WTR_KIND_STATE_TRANSITION);
	e->resource = WTR_RES_GOROUTINE;
	e->id = id;
	e->detail = (uint8_t)(from << 4 | to);
	return e;
}

static inline wtr_event *emit_p(order *o, const cursor *c, const thread *th, int64_t id, wtr_pstate from, wtr_pstate to)
{
	wtr_event *e = emit(o, c, th, WTR_KIND_STATE_TRANSITION);
	e->resource = WTR_RES_PROC;
	e->id = id;
	e->detail = (uint8_t)(from << 4 | to);
	return e;
}

static uint32_t unknown_id(order *o, const cursor *c, const char *kind, uint64_t wire, wtr__diag_id diag)
{
	o->base.diag[diag]++;
	if (!o->repair && o->late == WTR_OK)
		o->late = wtr__fail(&o->base.err, WTR_E_FORMAT, (uint64_t)(c->now->event - o->t->at), o->gen_number, c->m, wtr_type_name(c->now->type), "event.table-id",
		                    "it names %s %llu, which no table of its generation defines", kind, (unsigned long long)wire);
	return 0;
}

static inline uint32_t stack_id(order *o, const cursor *c, uint64_t wire)
{
	uint32_t id = wtr__stack_id(o->tables, wire);
	return __builtin_expect(id == WTR__UNKNOWN, 0) ? unknown_id(o, c, "stack", wire, WTR__DIAG_UNKNOWN_STACKS) : id;
}

static inline uint32_t string_id(order *o, const cursor *c, uint64_t wire)
{
	uint32_t id = wtr__string_id(o->tables, wire);
	return __builtin_expect(id == WTR__UNKNOWN, 0) ? unknown_id(o, c, "string", wire, WTR__DIAG_UNKNOWN_STRINGS) : id;
}

enum { HAS_M = 1, HAS_P = 2, HAS_G = 4, NO_P = 8, NO_G = 16, USER_GO = HAS_M | HAS_P | HAS_G };

static verdict bad_context(order *o, const cursor *c, const thread *th, unsigned need)
{
	const char *why = need & HAS_M && th->m == WTR_NONE ? "it needs a thread and has none"
	                : need & HAS_P && th->p == WTR_NONE ? "it needs a proc and its thread has none"
	                : need & NO_P && th->p != WTR_NONE ? "its thread must have no proc, but has one"
	                : need & HAS_G && th->g == WTR_NONE ? "it needs a goroutine and its thread has none"
	                                                    : "its thread must have no goroutine, but has one";
	return fault(o, c, "order.context", "%s (M=%lld P=%lld G=%lld)", why, (long long)th->m, (long long)th->p, (long long)th->g);
}

static inline bool context_ok(const thread *th, unsigned need)
{
	return !((need & HAS_M && th->m == WTR_NONE) || (need & HAS_P && th->p == WTR_NONE) || (need & NO_P && th->p != WTR_NONE) ||
	         (need & HAS_G && th->g == WTR_NONE) || (need & NO_G && th->g != WTR_NONE));
}

#define NEED(what)                                      \
	if (__builtin_expect(!context_ok(th, (what)), 0)) \
		return bad_context(o, c, th, (what))

static inline bool succeeds(const order *o, uint64_t seq, const unit *u)
{
	return u->gen == o->gen_number && seq == u->seq + 1;
}

static const char *go_status_name(unsigned s)
{
	static const char *const names[] = { "Bad", "Runnable", "Running", "Syscall", "Waiting" };
	return s < WF_GO_STATUS_COUNT ? names[s] : "Bad";
}

static const char *proc_status_name(unsigned s)
{
	static const char *const names[] = { "Bad", "Running", "Idle", "Syscall", "SyscallAbandoned" };
	return s < WF_PROC_STATUS_COUNT ? names[s] : "Bad";
}

static const uint8_t go_state[WF_GO_STATUS_COUNT] = { WTR_G_UNDETERMINED, WTR_G_RUNNABLE, WTR_G_RUNNING, WTR_G_SYSCALL, WTR_G_WAITING };
static const uint8_t proc_state[WF_PROC_STATUS_COUNT] = { WTR_P_UNDETERMINED, WTR_P_RUNNING, WTR_P_IDLE, WTR_P_RUNNING, WTR_P_IDLE };

/* The thread's goroutine, which must exist and be in a status; NULL after a fault. */
static inline unit *g_in(order *o, const cursor *c, const thread *th, uint8_t status)
{
	unit *u = current_g(o, th);
	if (__builtin_expect(!u, 0)) {
		fault(o, c, "order.goroutine-unknown", "goroutine %lld of its thread does not exist", (long long)th->g);
		return NULL;
	}
	if (__builtin_expect(u->status != status, 0)) {
		fault(o, c, "order.goroutine-status", "goroutine %lld of its thread must be %s, but is %s", (long long)th->g, go_status_name(status), go_status_name(u->status));
		return NULL;
	}
	return u;
}

/* -- procs -- */

static verdict proc_status(order *o, cursor *c, thread *th)
{
	uint64_t id = c->now->arg[0];
	uint8_t st = (uint8_t)c->now->arg[1], shown = st;
	if (st >= WF_PROC_STATUS_COUNT)
		return fault(o, c, "order.proc-status-value", "status %u of proc %lld does not exist", st, (long long)id);
	wtr_pstate from = proc_state[st];
	thread owner = *th;
	unit *u = find_p(o, id);
	if (!u) {
		u = new_p(o, id, st);
		if (!u)
			return no_memory(o);
		from = o->gen_number == o->initial_gen ? WTR_P_UNDETERMINED : WTR_P_NOTEXIST;
	} else if (st == WF_PROC_SYSCALL_ABANDONED && u->status == WF_PROC_SYSCALL) {
		/* About to be stolen by somebody else; we know better than the runtime who holds it. */
		from = WTR_P_RUNNING;
		shown = WF_PROC_SYSCALL;
		bool found = false;
		for (size_t i = 0; i < o->threads.n; i++)
			if (o->threads.at[i].p == (int64_t)id) {
				owner = o->threads.at[i];
				found = true;
			}
		if (!found)
			return fault(o, c, "order.proc-owner", "no thread holds proc %lld, which is about to be stolen", (long long)id);
	} else if (u->status != st) {
		if (!o->repair)
			return fault(o, c, "order.proc-status", "proc %lld is said to be %s, but is %s", (long long)id, proc_status_name(st), proc_status_name(u->status));
		from = proc_state[u->status];
		u->status = st;
		o->base.diag[WTR__DIAG_FORCED_STATES]++;
	}
	u->gen = o->gen_number;
	u->seq = 0;
	emit_p(o, c, &owner, (int64_t)id, from, proc_state[shown]);
	if (st == WF_PROC_RUNNING || st == WF_PROC_SYSCALL)
		bind_p(th, o, u);
	return ADVANCE;
}

static verdict proc_start(order *o, cursor *c, thread *th)
{
	unit *u = find_p(o, c->now->arg[0]);
	if (!u || u->status != WF_PROC_IDLE || !succeeds(o, c->now->arg[1], u) || th->p != WTR_NONE) {
		if (!o->force)
			return RETRY;
		if (!u && !(u = new_p(o, c->now->arg[0], WF_PROC_IDLE)))
			return no_memory(o);
	}
	NEED(HAS_M);
	u->status = WF_PROC_RUNNING;
	u->gen = o->gen_number;
	u->seq = c->now->arg[1];
	emit_p(o, c, th, u->id, WTR_P_IDLE, WTR_P_RUNNING);
	bind_p(th, o, u);
	return ADVANCE;
}

static verdict proc_stop(order *o, cursor *c, thread *th)
{
	unit *u = current_p(o, th);
	if (!u)
		return fault(o, c, "order.proc-unknown", "proc %lld of its thread does not exist", (long long)th->p);
	if (u->status != WF_PROC_RUNNING && u->status != WF_PROC_SYSCALL)
		return fault(o, c, "order.proc-running", "proc %lld must be Running or Syscall, but is %s", (long long)th->p, proc_status_name(u->status));
	NEED(HAS_M | HAS_P);
	u->status = WF_PROC_IDLE;
	emit_p(o, c, th, u->id, WTR_P_RUNNING, WTR_P_IDLE);
	th->p = WTR_NONE;
	return ADVANCE;
}

static verdict proc_steal(order *o, cursor *c, thread *th)
{
	int64_t id = (int64_t)c->now->arg[0], victim = (int64_t)c->now->arg[2];
	unit *u = find_p(o, c->now->arg[0]);
	if (!u || (u->status != WF_PROC_SYSCALL && u->status != WF_PROC_SYSCALL_ABANDONED) || !succeeds(o, c->now->arg[1], u))
		return RETRY;
	NEED(HAS_M);
	bool abandoned = u->status == WF_PROC_SYSCALL_ABANDONED;
	u->status = WF_PROC_IDLE;
	u->seq = c->now->arg[1];
	if (!abandoned && victim == th->m) {
		if (th->p != id)
			return fault(o, c, "order.steal-own", "thread %lld steals proc %lld from itself, but has proc %lld", (long long)victim, (long long)id, (long long)th->p);
		emit_p(o, c, th, id, WTR_P_RUNNING, WTR_P_IDLE);
		th->p = WTR_NONE;
		return ADVANCE;
	}
	if (!abandoned) {
		uint32_t v = wb_idmap_get(&o->m_ids, (uint64_t)victim);
		if (v == WB_IDMAP_NONE)
			return fault(o, c, "order.steal-thread", "proc %lld is stolen from thread %lld, which does not exist", (long long)id, (long long)victim);
		thread *from = &o->threads.at[v];
		if (from->p != id)
			return fault(o, c, "order.steal-proc", "proc %lld is stolen from thread %lld, which has proc %lld", (long long)id, (long long)victim, (long long)from->p);
		from->p = WTR_NONE;
	}
	emit_p(o, c, th, id, abandoned ? WTR_P_IDLE : WTR_P_RUNNING, WTR_P_IDLE);
	return ADVANCE;
}

/* -- goroutines -- */

static verdict go_status(order *o, cursor *c, thread *th)
{
	uint64_t id = c->now->arg[0];
	int64_t mid = (int64_t)c->now->arg[1];
	uint8_t st = (uint8_t)c->now->arg[2];
	if (st >= WF_GO_STATUS_COUNT)
		return fault(o, c, "order.go-status-value", "status %u of goroutine %lld does not exist", st, (long long)id);
	wtr_gstate from = go_state[st];
	unit *u = find_g(o, id);
	if (u && u->status != st) {
		if (!o->repair)
			return fault(o, c, "order.go-status", "goroutine %lld is said to be %s, but is %s", (long long)id, go_status_name(st), go_status_name(u->status));
		from = go_state[u->status];
		u->status = st;
		o->base.diag[WTR__DIAG_FORCED_STATES]++;
	} else if (!u) {
		if (o->gen_number != o->initial_gen && !o->repair)
			return fault(o, c, "order.go-status-new", "goroutine %lld turns up after the first generation without having been created", (long long)id);
		u = new_g(o, id, st);
		if (!u)
			return no_memory(o);
		from = WTR_G_UNDETERMINED;
	}
	u->gen = o->gen_number;
	u->seq = 0;

	thread context = *th;
	bool bind = st == WF_GO_RUNNING;
	if (st == WF_GO_SYSCALL) {
		if (mid == WTR_NONE)
			return fault(o, c, "order.syscall-thread", "goroutine %lld is in a system call without a thread", (long long)id);
		if (mid == th->m) {
			if (o->gen_number != o->initial_gen && th->g != (int64_t)id && !o->repair)
				return fault(o, c, "order.syscall-thread", "goroutine %lld is in a system call on thread %lld, which has goroutine %lld", (long long)id, (long long)mid,
				             (long long)th->g);
			bind = true;
		} else {
			uint32_t slot = wb_idmap_get(&o->m_ids, (uint64_t)mid);
			if (slot == WB_IDMAP_NONE) {
				if (!wb_vec_reserve(&o->threads, 1) || !wb_idmap_set(&o->m_ids, (uint64_t)mid, (uint32_t)o->threads.n))
					return no_memory(o);
				thread *other = &o->threads.at[o->threads.n++];
				*other = (thread){ .m = mid, .g = WTR_NONE, .p = WTR_NONE, .g_slot = NO_SLOT, .p_slot = NO_SLOT };
				bind_g(other, o, u);
				th = NULL; /* the vector may have moved */
			} else if (o->threads.at[slot].g != (int64_t)id && !o->repair) {
				return fault(o, c, "order.syscall-thread", "goroutine %lld is in a system call on thread %lld, which has goroutine %lld", (long long)id, (long long)mid,
				             (long long)o->threads.at[slot].g);
			} else {
				context.g = o->threads.at[slot].g;
			}
			context.m = mid;
		}
	}
	wtr_event *e = emit_g(o, c, &context, (int64_t)id, from, go_state[st]);
	if (c->now->type == WF_EV_GO_STATUS_STACK)
		e->stack = e->transition_stack = stack_id(o, c, c->now->arg[3]);
	if (bind)
		bind_g(th, o, u);
	return ADVANCE;
}

static verdict go_create(order *o, cursor *c, thread *th)
{
	NEED(HAS_M | HAS_P);
	if (th->g != WTR_NONE) {
		unit *cur = current_g(o, th);
		if (cur && cur->status != WF_GO_RUNNING)
			return fault(o, c, "order.goroutine-status", "goroutine %lld of its thread must be Running, but is %s", (long long)th->g, go_status_name(cur->status));
	}
	if (find_g(o, c->now->arg[0]))
		return fault(o, c, "order.go-exists", "goroutine %lld is created, but exists", (long long)c->now->arg[0]);
	bool blocked = c->now->type == WF_EV_GO_CREATE_BLOCKED;
	if (!new_g(o, c->now->arg[0], blocked ? WF_GO_WAITING : WF_GO_RUNNABLE))
		return no_memory(o);
	wtr_event *e = emit_g(o, c, th, (int64_t)c->now->arg[0], WTR_G_NOTEXIST, blocked ? WTR_G_WAITING : WTR_G_RUNNABLE);
	e->stack = stack_id(o, c, c->now->arg[2]);
	e->transition_stack = stack_id(o, c, c->now->arg[1]);
	return ADVANCE;
}

static verdict go_start(order *o, cursor *c, thread *th)
{
	unit *u = find_g(o, c->now->arg[0]);
	if (__builtin_expect(!u || u->status != WF_GO_RUNNABLE || !succeeds(o, c->now->arg[1], u), 0)) {
		if (!o->force)
			return RETRY;
		if (!u && !(u = new_g(o, c->now->arg[0], WF_GO_RUNNABLE)))
			return no_memory(o);
		u->gen = o->gen_number;
	}
	NEED(HAS_M | HAS_P | NO_G);
	u->status = WF_GO_RUNNING;
	u->seq = c->now->arg[1];
	emit_g(o, c, th, u->id, WTR_G_RUNNABLE, WTR_G_RUNNING);
	bind_g(th, o, u);
	return ADVANCE;
}

static verdict go_block(order *o, cursor *c, thread *th, uint8_t status, wtr_gstate to)
{
	NEED(USER_GO);
	unit *u = g_in(o, c, th, WF_GO_RUNNING);
	if (__builtin_expect(!u, 0))
		return FAULT;
	u->status = status;
	wtr_event *e = emit_g(o, c, th, u->id, WTR_G_RUNNING, to);
	e->str = string_id(o, c, c->now->arg[0]);
	e->stack = e->transition_stack = stack_id(o, c, c->now->arg[1]);
	unbind_g(th);
	return ADVANCE;
}

static verdict go_destroy(order *o, cursor *c, thread *th)
{
	NEED(USER_GO);
	unit *u = g_in(o, c, th, WF_GO_RUNNING);
	if (!u)
		return FAULT;
	if (!delete_g(o, u))
		return no_memory(o);
	emit_g(o, c, th, th->g, WTR_G_RUNNING, WTR_G_NOTEXIST);
	unbind_g(th);
	return ADVANCE;
}

static verdict go_unblock(order *o, cursor *c, thread *th)
{
	unit *u = find_g(o, c->now->arg[0]);
	if (__builtin_expect(!u || u->status != WF_GO_WAITING || !succeeds(o, c->now->arg[1], u), 0)) {
		if (!o->force)
			return RETRY;
		if (!u && !(u = new_g(o, c->now->arg[0], WF_GO_WAITING)))
			return no_memory(o);
		u->gen = o->gen_number;
	}
	u->status = WF_GO_RUNNABLE;
	u->seq = c->now->arg[1];
	wtr_event *e = emit_g(o, c, th, u->id, WTR_G_WAITING, WTR_G_RUNNABLE);
	e->stack = stack_id(o, c, c->now->arg[2]);
	return ADVANCE;
}

static verdict go_switch(order *o, cursor *c, thread *th)
{
	NEED(USER_GO);
	unit *cur = g_in(o, c, th, WF_GO_RUNNING);
	if (!cur)
		return FAULT;
	unit *next = find_g(o, c->now->arg[0]);
	if (!next || next->status != WF_GO_WAITING || !succeeds(o, c->now->arg[1], next))
		return RETRY;
	bool destroy = c->now->type == WF_EV_GO_SWITCH_DESTROY;
	emit_g(o, c, th, next->id, WTR_G_WAITING, WTR_G_RUNNABLE);
	if (destroy && !delete_g(o, cur))
		return no_memory(o);
	if (!destroy)
		cur->status = WF_GO_WAITING;
	emit_g(o, c, th, th->g, WTR_G_RUNNING, destroy ? WTR_G_NOTEXIST : WTR_G_WAITING)->type = destroy ? WF_EV_GO_DESTROY : WF_EV_GO_BLOCK;
	next->status = WF_GO_RUNNING;
	next->seq = c->now->arg[1];
	unbind_g(th);
	emit_g(o, c, th, next->id, WTR_G_RUNNABLE, WTR_G_RUNNING)->type = WF_EV_GO_START;
	bind_g(th, o, next);
	return ADVANCE;
}

/* -- system calls -- */

static verdict go_syscall_begin(order *o, cursor *c, thread *th)
{
	NEED(USER_GO);
	unit *u = g_in(o, c, th, WF_GO_RUNNING);
	if (!u)
		return FAULT;
	unit *p = current_p(o, th);
	if (!p)
		return fault(o, c, "order.proc-unknown", "proc %lld of its thread does not exist", (long long)th->p);
	if (!succeeds(o, c->now->arg[0], p) && !o->repair)
		return fault(o, c, "order.proc-seq", "proc %lld is at sequence number %llu of generation %llu, so %llu cannot follow", (long long)th->p, (unsigned long long)p->seq,
		             (unsigned long long)p->gen, (unsigned long long)c->now->arg[0]);
	u->status = WF_GO_SYSCALL;
	p->status = WF_PROC_SYSCALL;
	p->gen = o->gen_number;
	p->seq = c->now->arg[0];
	wtr_event *e = emit_g(o, c, th, u->id, WTR_G_RUNNING, WTR_G_SYSCALL);
	e->stack = e->transition_stack = stack_id(o, c, c->now->arg[1]);
	return ADVANCE;
}

static verdict go_syscall_end(order *o, cursor *c, thread *th)
{
	NEED(USER_GO);
	unit *u = g_in(o, c, th, WF_GO_SYSCALL);
	if (!u)
		return FAULT;
	unit *p = current_p(o, th);
	if (!p)
		return fault(o, c, "order.proc-unknown", "proc %lld of its thread does not exist", (long long)th->p);
	if (p->status != WF_PROC_SYSCALL)
		return fault(o, c, "order.proc-syscall", "proc %lld must be Syscall, but is %s", (long long)th->p, proc_status_name(p->status));
	u->status = WF_GO_RUNNING;
	p->status = WF_PROC_RUNNING;
	emit_g(o, c, th, u->id, WTR_G_SYSCALL, WTR_G_RUNNING);
	return ADVANCE;
}

static verdict go_syscall_end_blocked(order *o, cursor *c, thread *th)
{
	if (th->p != WTR_NONE) {
		unit *p = current_p(o, th);
		if (!p)
			return fault(o, c, "order.proc-unknown", "proc %lld of its thread does not exist", (long long)th->p);
		if (p->status == WF_PROC_SYSCALL)
			return RETRY; /* it will lose this proc: wait until it has */
	}
	NEED(HAS_M | HAS_G);
	unit *u = g_in(o, c, th, WF_GO_SYSCALL);
	if (!u)
		return FAULT;
	u->status = WF_GO_RUNNABLE;
	emit_g(o, c, th, u->id, WTR_G_SYSCALL, WTR_G_RUNNABLE);
	unbind_g(th);
	return ADVANCE;
}

static verdict go_create_syscall(order *o, cursor *c, thread *th)
{
	NEED(HAS_M | NO_G);
	if (find_g(o, c->now->arg[0]))
		return fault(o, c, "order.go-exists", "goroutine %lld is created, but exists", (long long)c->now->arg[0]);
	unit *u = new_g(o, c->now->arg[0], WF_GO_SYSCALL);
	if (!u)
		return no_memory(o);
	emit_g(o, c, th, u->id, WTR_G_NOTEXIST, WTR_G_SYSCALL);
	bind_g(th, o, u);
	return ADVANCE;
}

static verdict go_destroy_syscall(order *o, cursor *c, thread *th)
{
	NEED(HAS_M | HAS_G);
	unit *u = g_in(o, c, th, WF_GO_SYSCALL);
	if (!u)
		return FAULT;
	thread before = *th;
	if (th->p != WTR_NONE) {
		unit *p = current_p(o, th);
		if (!p)
			return fault(o, c, "order.proc-unknown", "proc %lld of its thread does not exist", (long long)th->p);
		if (p->status != WF_PROC_SYSCALL)
			return fault(o, c, "order.proc-syscall", "proc %lld must be Syscall, but is %s", (long long)th->p, proc_status_name(p->status));
		/* The system may use the thread's id again: from here on nobody knows who holds this proc. */
		p->status = WF_PROC_SYSCALL_ABANDONED;
		emit_p(o, c, &before, p->id, WTR_P_RUNNING, WTR_P_IDLE)->type = WF_EV_PROC_STEAL;
		th->p = WTR_NONE;
	}
	if (!delete_g(o, u))
		return no_memory(o);
	emit_g(o, c, &before, before.g, WTR_G_SYSCALL, WTR_G_NOTEXIST);
	unbind_g(th);
	return ADVANCE;
}

/* -- ranges -- */

static const char range_twice[] = "order.range-active", range_missing[] = "order.range-missing";

static range *find_range(order *o, const unit *u, uint8_t type, uint64_t desc, bool any)
{
	if (!u->extra)
		return NULL;
	extras *e = &o->extras.at[u->extra - 1];
	for (size_t i = 0; i < e->ranges.n; i++)
		if (e->ranges.at[i].type == type && (any || e->ranges.at[i].desc == desc))
			return &e->ranges.at[i];
	return NULL;
}

static verdict begin_range(order *o, const cursor *c, unit *u, uint8_t type, uint64_t desc, uint32_t str)
{
	if (find_range(o, u, type, desc, false) && !o->repair)
		return fault(o, c, range_twice, "%s is already going on for %lld", wf_specs[type].name, (long long)u->id);
	extras *e = extras_of(o, u);
	return e && wb_vec_add(&e->ranges, (range){ type, desc, str }) ? ADVANCE : no_memory(o);
}

static verdict end_range(order *o, const cursor *c, unit *u, uint8_t type, uint32_t *ret_str)
{
	range *r = find_range(o, u, type, 0, true);
	if (!r)
		return fault(o, c, range_missing, "%s ends for %lld, but is not going on", wf_specs[type].name, (long long)u->id);
	*ret_str = r->str;
	extras *e = &o->extras.at[u->extra - 1];
	*r = e->ranges.at[--e->ranges.n];
	return ADVANCE;
}

static wtr_event *emit_range(order *o, const cursor *c, const thread *th, wtr_kind kind, wtr_range type, wtr_resource resource, int64_t id)
{
	wtr_event *e = emit(o, c, th, kind);
	e->detail = (uint8_t)type;
	e->resource = (uint8_t)resource;
	e->id = id;
	return e;
}

static verdict go_range(order *o, cursor *c, thread *th)
{
	NEED(USER_GO);
	unit *u = current_g(o, th);
	if (!u)
		return fault(o, c, "order.goroutine-unknown", "goroutine %lld of its thread does not exist", (long long)th->g);
	bool stw = c->now->type == WF_EV_STW_BEGIN || c->now->type == WF_EV_STW_END;
	bool begin = c->now->type == WF_EV_STW_BEGIN || c->now->type == WF_EV_GC_MARK_ASSIST_BEGIN;
	wtr_range type = stw ? WTR_RANGE_STW : WTR_RANGE_MARK_ASSIST;
	uint8_t begin_type = stw ? WF_EV_STW_BEGIN : WF_EV_GC_MARK_ASSIST_BEGIN;
	uint32_t str = begin && stw ? string_id(o, c, c->now->arg[0]) : 0;
	verdict v = begin ? begin_range(o, c, u, begin_type, stw ? c->now->arg[0] : 0, str) : end_range(o, c, u, begin_type, &str);
	if (v != ADVANCE)
		return v;
	wtr_event *e = emit_range(o, c, th, begin ? WTR_KIND_RANGE_BEGIN : WTR_KIND_RANGE_END, type, WTR_RES_GOROUTINE, th->g);
	e->str = str;
	if (begin)
		e->stack = stack_id(o, c, c->now->arg[stw]);
	return ADVANCE;
}

/* "Active" says of a range that it goes on: news in the first generation, a check in the others. */
static verdict active_range(order *o, cursor *c, thread *th)
{
	bool sweep = c->now->type == WF_EV_GC_SWEEP_ACTIVE;
	unit *u = sweep ? find_p(o, c->now->arg[0]) : find_g(o, c->now->arg[0]);
	if (!u)
		return fault(o, c, "order.range-resource", "%s %lld does not exist", sweep ? "proc" : "goroutine", (long long)c->now->arg[0]);
	uint8_t begin = wf_specs[c->now->type].begin;
	bool known = find_range(o, u, begin, 0, false) != NULL;
	bool initial = o->gen_number == o->initial_gen;
	if (known && initial && !o->repair)
		return fault(o, c, range_twice, "%s of %lld is named twice in the first generation", wf_specs[begin].name, (long long)u->id);
	if (!known && !initial && !o->repair)
		return fault(o, c, range_missing, "%s is said to go on for %lld, but did not begin", wf_specs[begin].name, (long long)u->id);
	if (!known) {
		verdict v = begin_range(o, c, u, begin, 0, 0);
		if (v != ADVANCE)
			return v;
	}
	emit_range(o, c, th, WTR_KIND_RANGE_ACTIVE, sweep ? WTR_RANGE_SWEEP : WTR_RANGE_MARK_ASSIST, sweep ? WTR_RES_PROC : WTR_RES_GOROUTINE, u->id);
	return ADVANCE;
}

static verdict gc_sweep(order *o, cursor *c, thread *th)
{
	NEED(HAS_M | HAS_P);
	unit *p = current_p(o, th);
	if (!p)
		return fault(o, c, "order.proc-unknown", "proc %lld of its thread does not exist", (long long)th->p);
	bool begin = c->now->type == WF_EV_GC_SWEEP_BEGIN;
	uint32_t str = 0;
	verdict v = begin ? begin_range(o, c, p, WF_EV_GC_SWEEP_BEGIN, 0, 0) : end_range(o, c, p, WF_EV_GC_SWEEP_BEGIN, &str);
	if (v != ADVANCE)
		return v;
	wtr_event *e = emit_range(o, c, th, begin ? WTR_KIND_RANGE_BEGIN : WTR_KIND_RANGE_END, WTR_RANGE_SWEEP, WTR_RES_PROC, th->p);
	if (begin) {
		e->stack = stack_id(o, c, c->now->arg[0]);
	} else {
		e->value[0] = c->now->arg[0];
		e->value[1] = c->now->arg[1];
	}
	return ADVANCE;
}

/* The mark phase is global and has sequence numbers of its own that no generation resets. */
static verdict gc_mark(order *o, cursor *c, thread *th)
{
	uint64_t seq = c->now->arg[0];
	bool active = c->now->type == WF_EV_GC_ACTIVE, end = c->now->type == WF_EV_GC_END;
	wtr_kind kind = active ? WTR_KIND_RANGE_ACTIVE : end ? WTR_KIND_RANGE_END : WTR_KIND_RANGE_BEGIN;
	bool first = active ? o->gen_number == o->initial_gen : !end && o->gc == GC_UNDETERMINED;
	if (active && first && o->gc != GC_UNDETERMINED && !o->repair)
		return fault(o, c, "order.gc-first", "a collection is said to go on in the first generation, but another event of it came before");
	if (!first) {
		if (seq != o->gc_seq + 1 && !o->force)
			return RETRY;
		if (active && o->gc != GC_ON && !o->repair)
			return fault(o, c, "order.gc-off", "a collection is said to go on, but none does");
		if (!active && !end && o->gc == GC_ON && !o->repair)
			return fault(o, c, "order.gc-on", "a collection begins inside another");
		if (end && o->gc != GC_ON && !o->repair)
			return fault(o, c, "order.gc-off", "a collection ends, but none goes on%s", o->gc == GC_UNDETERMINED ? " for all that is known" : "");
		NEED(USER_GO);
	}
	o->gc_seq = seq;
	o->gc = end ? GC_OFF : GC_ON;
	wtr_event *e = emit_range(o, c, th, kind, WTR_RANGE_GC_MARK, WTR_RES_NONE, 0);
	if (!active && !end)
		e->stack = stack_id(o, c, c->now->arg[1]);
	return ADVANCE;
}

/* -- what the program says -- */

static uint32_t keep_text(order *o, uint32_t id)
{
	wtr_str s = wtr_string(o->t, id);
	return wtr__extra_string(o->t, s.at, s.n);
}

/* Names are compared across generations, so they must be known at once. */
static verdict name_of(order *o, const cursor *c, uint64_t wire, uint32_t *ret)
{
	*ret = wtr__string_id(o->tables, wire);
	if (*ret != WTR__UNKNOWN)
		return ADVANCE;
	*ret = 0;
	if (o->repair) {
		o->base.diag[WTR__DIAG_UNKNOWN_STRINGS]++;
		return ADVANCE;
	}
	return fault(o, c, "event.table-id", "it names string %llu, which no table of its generation defines", (unsigned long long)wire);
}

static verdict task_begin(order *o, cursor *c, thread *th)
{
	uint64_t id = c->now->arg[0], parent = c->now->arg[1] ? c->now->arg[1] : (uint64_t)WTR_NONE;
	uint32_t name, known = wb_idmap_get(&o->task_ids, id);
	if (known != WB_IDMAP_NONE && !o->repair)
		return fault(o, c, "order.task-active", "task %llu begins, but is already going on", (unsigned long long)id);
	if (name_of(o, c, c->now->arg[2], &name) != ADVANCE)
		return FAULT;
	NEED(USER_GO);
	task t = { id, parent, keep_text(o, name) };
	if (t.name == WTR__UNKNOWN)
		return no_memory(o);
	if (known != WB_IDMAP_NONE)
		o->tasks.at[known] = t;
	else if (!wb_vec_reserve(&o->tasks, 1) || !wb_idmap_set(&o->task_ids, id, (uint32_t)o->tasks.n))
		return no_memory(o);
	else
		o->tasks.at[o->tasks.n++] = t;
	wtr_event *e = emit(o, c, th, WTR_KIND_TASK_BEGIN);
	e->id = (int64_t)id;
	e->value[0] = parent;
	e->str = name;
	e->stack = stack_id(o, c, c->now->arg[3]);
	return ADVANCE;
}

static verdict task_end(order *o, cursor *c, thread *th)
{
	NEED(USER_GO);
	uint64_t id = c->now->arg[0];
	wtr_event *e = emit(o, c, th, WTR_KIND_TASK_END);
	e->id = (int64_t)id;
	e->value[0] = (uint64_t)WTR_NONE;
	e->stack = stack_id(o, c, c->now->arg[1]);
	uint32_t i = wb_idmap_get(&o->task_ids, id);
	if (i == WB_IDMAP_NONE)
		return ADVANCE;
	e->value[0] = o->tasks.at[i].parent;
	e->str = o->tasks.at[i].name;
	/* The last task takes the place of the one that ended. */
	task last = o->tasks.at[--o->tasks.n];
	wb_idmap_del(&o->task_ids, id);
	if (i != o->tasks.n) {
		o->tasks.at[i] = last;
		if (!wb_idmap_set(&o->task_ids, last.id, i))
			return no_memory(o);
	}
	return ADVANCE;
}

static verdict user_region(order *o, cursor *c, thread *th)
{
	NEED(USER_GO);
	bool begin = c->now->type == WF_EV_USER_REGION_BEGIN;
	uint32_t name;
	if (name_of(o, c, c->now->arg[1], &name) != ADVANCE)
		return FAULT;
	unit *u = current_g(o, th);
	if (!u)
		return fault(o, c, "order.goroutine-unknown", "goroutine %lld of its thread does not exist", (long long)th->g);
	region r = { c->now->arg[0], keep_text(o, name) };
	extras *x = extras_of(o, u);
	if (!x || r.str == WTR__UNKNOWN || (begin && !wb_vec_add(&x->regions, r)))
		return no_memory(o);
	if (!begin && x->regions.n) { /* none: it began before the trace did */
		region top = x->regions.at[x->regions.n - 1];
		if (top.task != r.task || top.str != r.str) {
			wtr_str a = wtr_string(o->t, r.str), b = wtr_string(o->t, top.str);
			o->base.diag[WTR__DIAG_REGION_MISMATCH]++;
			return fault(o, c, "order.region-end", "goroutine %lld ends region \"%.*s\" of task %llu, but the innermost open one is \"%.*s\" of task %llu", (long long)th->g,
			             (int)(a.n < 40 ? a.n : 40), a.at, (unsigned long long)r.task, (int)(b.n < 40 ? b.n : 40), b.at, (unsigned long long)top.task);
		}
		x->regions.n--;
	}
	wtr_event *e = emit(o, c, th, begin ? WTR_KIND_REGION_BEGIN : WTR_KIND_REGION_END);
	e->id = (int64_t)c->now->arg[0];
	e->str = name;
	e->stack = stack_id(o, c, c->now->arg[2]);
	return ADVANCE;
}

static verdict user_log(order *o, cursor *c, thread *th)
{
	NEED(USER_GO);
	wtr_event *e = emit(o, c, th, WTR_KIND_LOG);
	e->id = (int64_t)c->now->arg[0];
	e->stack = stack_id(o, c, c->now->arg[3]);
	e->str = string_id(o, c, c->now->arg[1]);
	e->str2 = string_id(o, c, c->now->arg[2]);
	return ADVANCE;
}

static verdict go_label(order *o, cursor *c, thread *th)
{
	NEED(USER_GO);
	wtr_event *e = emit(o, c, th, WTR_KIND_LABEL);
	e->resource = WTR_RES_GOROUTINE;
	e->id = th->g;
	e->str = string_id(o, c, c->now->arg[0]);
	return ADVANCE;
}

static verdict metric(order *o, cursor *c, thread *th, unsigned need, wtr_metric which)
{
	NEED(need);
	wtr_event *e = emit(o, c, th, WTR_KIND_METRIC);
	e->detail = (uint8_t)which;
	e->value[0] = c->now->arg[0];
	if (which == WTR_METRIC_GOMAXPROCS)
		e->stack = stack_id(o, c, c->now->arg[1]);
	return ADVANCE;
}

static verdict experimental(order *o, cursor *c, thread *th)
{
	NEED(HAS_M);
	wtr_event *e = emit(o, c, th, WTR_KIND_EXPERIMENTAL);
	unsigned n = n_args[c->now->type];
	e->id = (int64_t)c->now->arg[0];
	e->value[0] = n > 2 ? c->now->arg[1] : 0;
	e->value[1] = n > 3 ? c->now->arg[2] : 0;
	return ADVANCE;
}

static verdict apply(order *o, cursor *c, thread *th)
{
	switch (c->now->type) {
	case WF_EV_GO_BLOCK: return go_block(o, c, th, WF_GO_WAITING, WTR_G_WAITING);
	case WF_EV_GO_START: return go_start(o, c, th);
	case WF_EV_GO_UNBLOCK: return go_unblock(o, c, th);
	case WF_EV_GO_STOP: return go_block(o, c, th, WF_GO_RUNNABLE, WTR_G_RUNNABLE);
	case WF_EV_GO_CREATE:
	case WF_EV_GO_CREATE_BLOCKED: return go_create(o, c, th);
	case WF_EV_GO_DESTROY: return go_destroy(o, c, th);
	case WF_EV_GO_SYSCALL_BEGIN: return go_syscall_begin(o, c, th);
	case WF_EV_GO_SYSCALL_END: return go_syscall_end(o, c, th);
	case WF_EV_GO_SYSCALL_END_BLOCKED: return go_syscall_end_blocked(o, c, th);
	case WF_EV_GO_SWITCH:
	case WF_EV_GO_SWITCH_DESTROY: return go_switch(o, c, th);
	case WF_EV_GO_STATUS:
	case WF_EV_GO_STATUS_STACK: return go_status(o, c, th);
	case WF_EV_GO_CREATE_SYSCALL: return go_create_syscall(o, c, th);
	case WF_EV_GO_DESTROY_SYSCALL: return go_destroy_syscall(o, c, th);
	case WF_EV_PROC_START: return proc_start(o, c, th);
	case WF_EV_PROC_STOP: return proc_stop(o, c, th);
	case WF_EV_PROC_STEAL: return proc_steal(o, c, th);
	case WF_EV_PROC_STATUS: return proc_status(o, c, th);
	case WF_EV_STW_BEGIN:
	case WF_EV_STW_END:
	case WF_EV_GC_MARK_ASSIST_BEGIN:
	case WF_EV_GC_MARK_ASSIST_END: return go_range(o, c, th);
	case WF_EV_GC_SWEEP_ACTIVE:
	case WF_EV_GC_MARK_ASSIST_ACTIVE: return active_range(o, c, th);
	case WF_EV_GC_SWEEP_BEGIN:
	case WF_EV_GC_SWEEP_END: return gc_sweep(o, c, th);
	case WF_EV_GC_ACTIVE:
	case WF_EV_GC_BEGIN:
	case WF_EV_GC_END: return gc_mark(o, c, th);
	case WF_EV_PROCS_CHANGE: return metric(o, c, th, USER_GO, WTR_METRIC_GOMAXPROCS);
	case WF_EV_HEAP_ALLOC: return metric(o, c, th, HAS_M | HAS_P, WTR_METRIC_HEAP_BYTES);
	case WF_EV_HEAP_GOAL: return metric(o, c, th, HAS_M | HAS_P, WTR_METRIC_HEAP_GOAL_BYTES);
	case WF_EV_GO_LABEL: return go_label(o, c, th);
	case WF_EV_USER_TASK_BEGIN: return task_begin(o, c, th);
	case WF_EV_USER_TASK_END: return task_end(o, c, th);
	case WF_EV_USER_REGION_BEGIN:
	case WF_EV_USER_REGION_END: return user_region(o, c, th);
	case WF_EV_USER_LOG: return user_log(o, c, th);
	default: return experimental(o, c, th);
	}
}

/* The first event of a thread that is tried makes the thread exist. */
static bool make_thread(order *o, cursor *c)
{
	uint32_t slot = wb_idmap_get(&o->m_ids, (uint64_t)c->m);
	if (slot == WB_IDMAP_NONE) {
		slot = (uint32_t)o->threads.n;
		if (!wb_vec_reserve(&o->threads, 1) || !wb_idmap_set(&o->m_ids, (uint64_t)c->m, slot))
			return false;
		o->threads.at[o->threads.n++] = (thread){ .m = c->m, .g = WTR_NONE, .p = WTR_NONE, .g_slot = NO_SLOT, .p_slot = NO_SLOT };
	}
	c->thread = slot;
	return true;
}

static verdict try_cursor(order *o, cursor *c, wtr_event *out)
{
	if (__builtin_expect(o->initial_gen == 0, 0))
		o->initial_gen = o->gen_number;
	o->out = out;
	o->n_out = 0;
	if (__builtin_expect(c->thread == NO_SLOT, 0)) {
		if (c->m == WTR_NONE) { /* no thread: no context, and none is kept */
			thread none = { .m = WTR_NONE, .g = WTR_NONE, .p = WTR_NONE, .g_slot = NO_SLOT, .p_slot = NO_SLOT };
			return apply(o, c, &none);
		}
		if (!make_thread(o, c))
			return no_memory(o);
	}
	return apply(o, c, &o->threads.at[c->thread]);
}

/* ---- the merge ---- */

/* Takes the cursor in slot i past the event that was just applied. */
static step move_on(order *o, size_t i)
{
	cursor *c = o->heap[i].c;
	step s = STEP_OK;
	if (c->ahead) {
		c->now = other(c);
		c->ahead = false;
	} else {
		s = advance_cursor(o, c);
	}
	if (__builtin_expect(s == STEP_OK, 1)) {
		o->heap[i].time = c->now->time;
		if (i == 0 || sift_up(o->heap, i) == i)
			sift_down(o->heap, o->n_heap, i);
	} else if (s == STEP_END) {
		heap_remove(o, i);
	}
	return s;
}

static void skip_event(order *o, size_t i)
{
	o->base.err = (wtr_error){ 0 };
	o->base.losses.events++;
	o->base.diag[WTR__DIAG_SKIPPED_EVENTS]++;
	move_on(o, i);
}

/* The head cannot come now: tries the others in the order of their times.  *ret_i is the slot that could, or, after a
 * fault, the one to blame. */
static verdict try_others(order *o, wtr_event *out, size_t *ret_i)
{
	o->base.diag[WTR__DIAG_RETRIES]++;
	cursor *head = o->heap[0].c;
	sort_heap(o);
	for (size_t i = 0; i < o->n_heap; i++) {
		if (o->heap[i].c == head)
			continue;
		*ret_i = i;
		verdict v = try_cursor(o, o->heap[i].c, out);
		if (v != RETRY)
			return v;
	}
	*ret_i = 0;
	if (o->repair) { /* make it so: what it waits for is lost */
		o->force = true;
		verdict v = try_cursor(o, o->heap[0].c, out);
		o->force = false;
		o->base.diag[WTR__DIAG_FORCED_STATES] += v == ADVANCE;
		if (v != RETRY)
			return v;
	}
	cursor *c = o->heap[0].c;
	return fault(o, c, "order.stuck", "no thread can go on; the earliest, %lld, waits with %s(%llu, %llu, %llu)", (long long)c->m, wtr_type_name(c->now->type),
	             (unsigned long long)c->now->arg[0], (unsigned long long)c->now->arg[1], (unsigned long long)c->now->arg[2]);
}

/* Delivered times increase strictly. */
static inline void stamp(order *o, wtr_event *e)
{
	int64_t t = e->time_ns;
	if (__builtin_expect(t <= o->last_time, 0)) {
		t = o->last_time + 1;
		o->base.diag[WTR__DIAG_SQUEEZED_TIMES]++;
	}
	e->time_ns = o->last_time = t;
}

static void next_sample(order *o)
{
	o->sample_ns = o->sample < o->gen->samples.n ? o->gen->samples.at[o->sample].time_ns : INT64_MAX - 1;
}

static void deliver_sample(order *o, wtr_event *out)
{
	const wtr__sample *s = &o->gen->samples.at[o->sample++];
	next_sample(o);
	*out = (wtr_event){ .time_ns = s->time_ns, .m = s->m, .p = s->p, .g = s->g, .stack = s->stack, .kind = WTR_KIND_STACK_SAMPLE, .type = WF_EV_CPU_SAMPLE };
	if (s->stack == WTR__UNKNOWN) {
		out->stack = 0;
		o->base.diag[WTR__DIAG_SAMPLES_UNKNOWN_STACK]++;
	}
	stamp(o, out);
}

static void deliver_sync(order *o, wtr_event *out, int64_t time)
{
	*out = (wtr_event){ .time_ns = time, .m = WTR_NONE, .p = WTR_NONE, .g = WTR_NONE, .id = (int64_t)++o->syncs, .kind = WTR_KIND_SYNC };
	out->value[0] = o->gen ? o->gen_index : 0; /* index + 1: gen_index has moved on */
	stamp(o, out);
}

/* One step of the merge with every check.  false at an error. */
static bool merge_one(order *o, wtr_event *out, size_t *n)
{
	size_t i = 0;
	verdict v = try_cursor(o, o->heap[0].c, out + *n);
	if (v == RETRY)
		v = try_others(o, out + *n, &i);
	if (v == FAULT) {
		if (!o->repair || o->base.err.code == WTR_E_NOMEM)
			return false;
		skip_event(o, i);
		return true;
	}
	unsigned made = o->n_out;
	if (move_on(o, i) == STEP_ERROR || o->late != WTR_OK)
		return false;
	for (unsigned k = 0; k < made; k++)
		stamp(o, &out[*n + k]);
	*n += made;
	if (o->since_release > RELEASE_BYTES)
		release_pages(o);
	return true;
}

/* As many events as there is room for, until the generation is used up.  false at an error.
 *
 * Three kinds of event make up nearly all of a busy program's trace: GoStart, GoBlock, GoUnblock.  They are applied right
 * here when everything is as it mostly is; merge_one() has the rules, and gets whatever does not fit. */
static inline __attribute__((always_inline)) bool merge_with(order *o, wtr_event *out, size_t cap, size_t *ret_n, bool pext)
{
	wtr_event *e = out + *ret_n, *full = out + cap - EVENTS_PER_STEP;
	bool ok = true;
	while (e <= full) {
		entry *h = o->heap;
		if (__builtin_expect(h[0].time > o->sample_ns, 0)) { /* so it is when the heap is empty, too */
			if (o->sample < o->gen->samples.n) {
				deliver_sample(o, e++);
				continue;
			}
			if (o->n_heap == 0) {
				o->phase = PHASE_NEXT_GEN;
				break;
			}
		}
		cursor *c = h[0].c;
		const decoded *d = c->now;
		unit *u;
		thread *th;
		if (__builtin_expect(c->thread == NO_SLOT, 0) || __builtin_expect((th = &o->threads.at[c->thread])->p == WTR_NONE, 0))
			goto careful;
		e->m = th->m;
		e->p = th->p;
		e->g = th->g;
		if (d->type == WF_EV_GO_START) {
			uint32_t slot = wb_idmap_get(&o->g_ids, d->arg[0]);
			if (__builtin_expect(slot == WB_IDMAP_NONE || th->g != WTR_NONE, 0))
				goto careful;
			u = &o->gs.at[slot];
			if (__builtin_expect(u->status != WF_GO_RUNNABLE || !succeeds(o, d->arg[1], u), 0))
				goto careful;
			u->status = WF_GO_RUNNING;
			u->seq = d->arg[1];
			th->g = u->id;
			th->g_slot = slot;
			e->stack = e->transition_stack = e->str = e->str2 = 0;
			e->detail = WTR_G_RUNNABLE << 4 | WTR_G_RUNNING;
		} else if (d->type == WF_EV_GO_UNBLOCK) {
			uint32_t slot = wb_idmap_get(&o->g_ids, d->arg[0]), stack = wtr__stack_id(o->tables, d->arg[2]);
			if (__builtin_expect(slot == WB_IDMAP_NONE || stack == WTR__UNKNOWN, 0))
				goto careful;
			u = &o->gs.at[slot];
			if (__builtin_expect(u->status != WF_GO_WAITING || !succeeds(o, d->arg[1], u), 0))
				goto careful;
			u->status = WF_GO_RUNNABLE;
			u->seq = d->arg[1];
			e->stack = stack;
			e->transition_stack = e->str = e->str2 = 0;
			e->detail = WTR_G_WAITING << 4 | WTR_G_RUNNABLE;
		} else if (d->type == WF_EV_GO_BLOCK) {
			uint32_t slot = th->g_slot, str = wtr__string_id(o->tables, d->arg[0]), stack = wtr__stack_id(o->tables, d->arg[1]);
			if (__builtin_expect(slot >= o->gs.n || str == WTR__UNKNOWN || stack == WTR__UNKNOWN, 0))
				goto careful;
			u = &o->gs.at[slot];
			if (__builtin_expect(u->id != th->g || u->status != WF_GO_RUNNING, 0))
				goto careful;
			u->status = WF_GO_WAITING;
			th->g = WTR_NONE;
			th->g_slot = NO_SLOT;
			e->stack = e->transition_stack = stack;
			e->str = str;
			e->str2 = 0;
			e->detail = WTR_G_RUNNING << 4 | WTR_G_WAITING;
		} else {
			goto careful;
		}
		e->id = u->id;
		e->value[0] = e->value[1] = 0;
		e->kind = WTR_KIND_STATE_TRANSITION;
		e->type = d->type;
		e->resource = WTR_RES_GOROUTINE;
		e->reserved = 0;
		int64_t time = d->time;
		if (__builtin_expect(c->ahead, 1)) {
			c->now = other(c);
			h[0].time = c->now->time;
			sift_down(h, o->n_heap, 0);
		} else if (move_on(o, 0) == STEP_ERROR) {
			ok = false;
			break;
		}
		c->ahead = fast_decode(o, c, other(c), pext); /* fails, as it should, when the cursor has ended */
		bool squeezed = time <= o->last_time;
		o->base.diag[WTR__DIAG_SQUEEZED_TIMES] += squeezed;
		e->time_ns = o->last_time = squeezed ? o->last_time + 1 : time;
		e++;
		continue;
	careful:;
		size_t n = 0;
		ok = merge_one(o, e, &n);
		e += n;
		if (!ok)
			break;
	}
	*ret_n = (size_t)(e - out);
	return ok;
}

#if defined(__x86_64__)
/* The same, compiled for processors of the last ten years. */
__attribute__((target("bmi,bmi2"))) static bool merge_bmi2(order *o, wtr_event *out, size_t cap, size_t *n)
{
	return merge_with(o, out, cap, n, true);
}
#endif

static bool merge(order *o, wtr_event *out, size_t cap, size_t *n)
{
#if defined(__x86_64__)
	if (o->has_pext)
		return merge_bmi2(o, out, cap, n);
#endif
	return merge_with(o, out, cap, n, false);
}

/* ---- generations ---- */

static bool room_for_cursors(order *o, size_t n)
{
	if (o->cap_cursors && n < o->cap_cursors) /* and one place for the mark at the end of the heap */
		return true;
	size_t cap = n + n / 2 + 8;
	entry *h = wb_realloc(o->heap, cap, sizeof(*h));
	if (!h)
		return false;
	o->heap = h;
	cursor *c = wb_realloc(o->cursors, cap, sizeof(*c));
	if (!c)
		return false;
	o->cursors = c;
	o->cap_cursors = cap;
	return true;
}

/* Sets out the cursors of a generation in the order in which its threads appear.  false at an error. */
static bool set_out(order *o)
{
	wtr__gen *g = o->gen;
	o->n_heap = o->n_cursors = 0;
	o->sample = 0;
	next_sample(o);
	if (!room_for_cursors(o, g->threads.n)) {
		no_memory(o);
		return false;
	}
	for (size_t i = 0; i < g->threads.n; i++) {
		cursor *c = &o->cursors[o->n_cursors++];
		*c = (cursor){ .m = g->threads.at[i].m, .batch = g->threads.at[i].first, .thread = NO_SLOT, .now = c->ev };
		switch (advance_cursor(o, c)) {
		case STEP_ERROR: return false;
		case STEP_END: continue;
		case STEP_OK: break;
		}
		o->heap[o->n_heap] = (entry){ c->now->time, c };
		sift_up(o->heap, o->n_heap++);
	}
	o->heap[o->n_heap].time = INT64_MAX;
	return true;
}

static void leave_gen(order *o)
{
	if (!o->gen)
		return;
	o->base.losses.batches += o->gen->lost_batches;
	o->base.diag[WTR__DIAG_SKIPPED_BATCHES] += o->gen->lost_batches;
	wo_map_release(&o->t->map, o->gen->offset, o->gen->offset + o->gen->bytes);
	o->released = o->gen->offset + o->gen->bytes;
	o->gen = NULL;
}

/* Goes to the next generation, or to the end.  false at an error. */
static bool next_gen(order *o, wtr_event *out, size_t *n)
{
	leave_gen(o);
	wtr__gens *v = o->t->v2;
	if (o->gen_index == v->gens.n) {
		o->phase = v->tail.code == WTR_OK || o->repair ? PHASE_LAST_SYNC : PHASE_SYNC_THEN_ERROR;
		o->then = v->tail;
		if (o->phase == PHASE_SYNC_THEN_ERROR)
			o->base.losses.bytes = o->t->n - v->tail.offset;
		return true;
	}
	wtr__gen *g = &v->gens.at[o->gen_index];
	if (wtr__prefetch_get(o->prefetch, o->gen_index, &o->base.err) != WTR_OK)
		return false;
	o->gen_index++;
	if (g->stops && !o->repair) {
		o->phase = PHASE_SYNC_THEN_ERROR;
		o->then = g->err;
		o->base.losses.generations++;
		o->base.losses.bytes = o->t->n - g->offset;
		return true;
	}
	o->gen = g;
	o->base.gen = o->gen_index;
	o->gen_number = g->number;
	o->tables = &g->tables;
	o->k = g->ns_per_tick;
	/* Below this, dt * k is far from the ends of int64. */
	o->dt_safe = o->k > 0 && o->k < 1e9 ? (uint64_t)(4e18 / (o->k < 1 ? 1 : o->k)) : 0;
	if (!set_out(o))
		return false;
	deliver_sync(o, &out[(*n)++], wtr__ns(g->min_time, g->ns_per_tick));
	o->phase = PHASE_EVENTS;
	return true;
}

/* What is left of the file when reading stops. */
static void count_lost(order *o)
{
	if (!o->gen)
		return;
	uint64_t rest = o->t->n - o->gen->offset;
	uint64_t in_gen = 0;
	for (size_t i = 0; i < o->n_heap; i++) {
		const cursor *c = o->heap[i].c;
		in_gen += (uint64_t)(c->end - c->now->event);
		for (uint32_t b = o->t->v2->batches.at[c->batch].next; b != UINT32_MAX; b = o->t->v2->batches.at[b].next)
			in_gen += o->t->v2->batches.at[b].size;
	}
	o->base.losses.bytes = rest - o->gen->bytes + in_gen;
}

static size_t next(wtr__source *s, wtr_event *out, size_t cap)
{
	order *o = (order *)s;
	size_t n = 0;
	while (n + EVENTS_PER_STEP <= cap && o->phase != PHASE_DONE) {
		bool ok = true;
		switch (o->phase) {
		case PHASE_NEXT_GEN:
			ok = next_gen(o, out, &n);
			break;
		case PHASE_EVENTS:
			ok = merge(o, out, cap, &n);
			break;
		case PHASE_SYNC_THEN_ERROR:
			deliver_sync(o, &out[n++], o->last_time);
			o->base.err = o->then;
			o->phase = PHASE_DONE;
			break;
		case PHASE_LAST_SYNC:
			deliver_sync(o, &out[n++], o->last_time);
			o->phase = PHASE_DONE;
			break;
		case PHASE_DONE:
			break;
		}
		if (!ok) {
			count_lost(o);
			o->phase = PHASE_DONE;
		}
	}
	return n;
}

static void close_source(wtr__source *s)
{
	order *o = (order *)s;
	wtr__prefetch_stop(o->prefetch);
	for (size_t i = 0; i < o->extras.n; i++) {
		wb_vec_free(&o->extras.at[i].ranges);
		wb_vec_free(&o->extras.at[i].regions);
	}
	wb_vec_free(&o->extras);
	wb_vec_free(&o->free_extras);
	wb_vec_free(&o->gs);
	wb_vec_free(&o->free_gs);
	wb_vec_free(&o->ps);
	wb_vec_free(&o->threads);
	wb_vec_free(&o->tasks);
	wb_idmap_free(&o->g_ids);
	wb_idmap_free(&o->p_ids);
	wb_idmap_free(&o->m_ids);
	wb_idmap_free(&o->task_ids);
	wb_free(o->heap);
	wb_free(o->cursors);
	wb_free(o);
}

static void release(wtr__source *s, size_t i)
{
	wtr__prefetch_release(((order *)s)->prefetch, i);
}

/* The instruction is microcoded, and slower than doing it by hand, on AMD before family 19h (Zen 3). */
static bool pext_is_fast(void)
{
#if defined(__x86_64__)
	return __builtin_cpu_supports("bmi2") && !__builtin_cpu_is("amdfam17h");
#else
	return false;
#endif
}

wtr__source *wtr__v2_source(wtr_trace *t, wtr_error *err)
{
	order *o = wb_calloc(1, sizeof(*o));
	wtr__prefetch *p = o ? wtr__prefetch_start(t) : NULL;
	if (!p) {
		wb_free(o);
		wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
		return NULL;
	}
	o->base.next = next;
	o->base.close = close_source;
	o->base.release = release;
	o->t = t;
	o->prefetch = p;
	o->repair = t->opt.damage == WTR_REPAIR;
	o->has_pext = pext_is_fast();
	o->fast_end = t->n > FAST_BYTES ? t->at + t->n - FAST_BYTES : t->at;
	return &o->base;
}

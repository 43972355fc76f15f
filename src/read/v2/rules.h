/* read/v2/rules.h - what the rules share: looking up, binding, reporting. */
#ifndef WTR_READ_V2_RULES_H
#define WTR_READ_V2_RULES_H

#include "read/v2/order.h"

/* Why an event cannot be: always FAULT. */
verdict wtr__fault(order *o, const cursor *c, const char *rule, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
verdict wtr__no_memory(order *o);

/* The ranges and regions of a goroutine or proc, made on first use; NULL: out of memory. */
extras *wtr__extras_of(order *o, unit *u);
/* For an id that no table knows: 0, counted, and o->late set unless repairing. */
uint32_t wtr__unknown_id(order *o, const cursor *c, const char *kind, uint64_t wire, wtr__diag_id diag);
verdict wtr__bad_context(order *o, const cursor *c, const thread *th, unsigned need);

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
	*e = (wtr_event){
		.time_ns = c->now->time, .m = th->m, .p = th->p, .g = th->g, .kind = (uint8_t)kind, .type = c->now->type
	};
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

static inline uint32_t stack_id(order *o, const cursor *c, uint64_t wire)
{
	uint32_t id = wtr__stack_id(o->tables, wire);
	return __builtin_expect(id == WTR__UNKNOWN, 0) ? wtr__unknown_id(o, c, "stack", wire, WTR__DIAG_UNKNOWN_STACKS)
						       : id;
}

static inline uint32_t string_id(order *o, const cursor *c, uint64_t wire)
{
	uint32_t id = wtr__string_id(o->tables, wire);
	return __builtin_expect(id == WTR__UNKNOWN, 0)
		       ? wtr__unknown_id(o, c, "string", wire, WTR__DIAG_UNKNOWN_STRINGS)
		       : id;
}

/* A GoBlock of goroutine g, for a reason as handed out: what it waits for.  To be called for each one. */
static inline uint32_t wait_of(order *o, const cursor *c, int64_t g, uint32_t reason)
{
	if (__builtin_expect(!o->carrier || !c->carried, 1))
		return 0;
	uint32_t local = wtr__carrier_block(o->carrier, &o->carried.at[c->carried - 1], g, reason);
	return local ? o->gen->wait_base + local : 0;
}

/* The goroutine enters a system call; events that stand for a proc that was taken have no stack. */
static inline uint32_t taken(order *o, const cursor *c, int64_t g, uint32_t stack)
{
	if (__builtin_expect(stack != 0 || !o->carrier || !c->carried, 1))
		return 0;
	wtr__carried_at *at = &o->carried.at[c->carried - 1];
	/* Times lose less than a nanosecond with each event of a batch, which takes two bytes at least. */
	const wtr__batch *b = &o->t->v2->batches.at[c->batch];
	int64_t lost_ns = (c->now->event - (o->t->at + b->offset)) / 2;
	return wtr__carrier_is_taken(o->carrier, at, g, c->now->time, lost_ns, o->k) ? WTR_PROC_TAKEN : 0;
}

enum { HAS_M = 1, HAS_P = 2, HAS_G = 4, NO_P = 8, NO_G = 16, USER_GO = HAS_M | HAS_P | HAS_G };

static inline bool context_ok(const thread *th, unsigned need)
{
	return !((need & HAS_M && th->m == WTR_NONE) || (need & HAS_P && th->p == WTR_NONE) ||
		 (need & NO_P && th->p != WTR_NONE) || (need & HAS_G && th->g == WTR_NONE) ||
		 (need & NO_G && th->g != WTR_NONE));
}

#define NEED(what)                                        \
	if (__builtin_expect(!context_ok(th, (what)), 0)) \
	return wtr__bad_context(o, c, th, (what))

static inline bool succeeds(const order *o, uint64_t seq, const unit *u)
{
	return u->gen == o->gen_number && seq == u->seq + 1;
}

/* Ranges, sweeps, collections (rules_range.c); what the program says (rules_user.c). */
verdict wtr__rule_go_range(order *o, cursor *c, thread *th);
verdict wtr__rule_active_range(order *o, cursor *c, thread *th);
verdict wtr__rule_gc_sweep(order *o, cursor *c, thread *th);
verdict wtr__rule_gc_mark(order *o, cursor *c, thread *th);
verdict wtr__rule_task_begin(order *o, cursor *c, thread *th);
verdict wtr__rule_task_end(order *o, cursor *c, thread *th);
verdict wtr__rule_region(order *o, cursor *c, thread *th);
verdict wtr__rule_log(order *o, cursor *c, thread *th);
verdict wtr__rule_label(order *o, cursor *c, thread *th);
verdict wtr__rule_metric(order *o, cursor *c, thread *th, unsigned need, wtr_metric which);
verdict wtr__rule_experimental(order *o, cursor *c, thread *th);

#endif

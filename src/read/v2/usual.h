/* read/v2/usual.h - the events that make up nearly all of a busy program's trace, on a short way.
 *
 * Each function applies one kind of event when everything is as it mostly is, and otherwise changes nothing but *e;
 * rules.c has the rules, and gets whatever does not fit.  Constants are written next to each other, so that they become
 * one store.
 */
#ifndef WTR_READ_V2_USUAL_H
#define WTR_READ_V2_USUAL_H

#include "read/v2/rules.h"

#define USUAL static inline __attribute__((always_inline))

/* All of *e but time, m, p and g: a goroutine goes from one state to another. */
USUAL void usual_move(wtr_event *e, uint8_t type, int64_t id, uint32_t stack, uint32_t transition_stack, uint32_t str,
	wtr_gstate from, wtr_gstate to)
{
	e->id = id;
	e->value[0] = e->value[1] = 0;
	e->stack = stack;
	e->transition_stack = transition_stack;
	e->str = str;
	e->str2 = 0;
	e->kind = WTR_KIND_STATE_TRANSITION;
	e->type = type;
	e->resource = WTR_RES_GOROUTINE;
	e->detail = (uint8_t)(from << 4 | to);
	e->wait = 0;
}

USUAL bool usual_start(order *o, const decoded *d, thread *th, wtr_event *e)
{
	uint32_t slot = wb_idmap_get(&o->g_ids, d->arg[0]);
	if (__builtin_expect(slot == WB_IDMAP_NONE || th->g != WTR_NONE, 0))
		return false;
	unit *u = &o->gs.at[slot];
	if (__builtin_expect(u->status != WF_GO_RUNNABLE || !succeeds(o, d->arg[1], u), 0))
		return false;
	u->status = WF_GO_RUNNING;
	u->seq = d->arg[1];
	th->g = u->id;
	th->g_slot = slot;
	usual_move(e, WF_EV_GO_START, u->id, 0, 0, 0, WTR_G_RUNNABLE, WTR_G_RUNNING);
	return true;
}

USUAL bool usual_unblock(order *o, const decoded *d, wtr_event *e)
{
	uint32_t slot = wb_idmap_get(&o->g_ids, d->arg[0]), stack = wtr__stack_id(o->tables, d->arg[2]);
	if (__builtin_expect(slot == WB_IDMAP_NONE || stack == WTR__UNKNOWN, 0))
		return false;
	unit *u = &o->gs.at[slot];
	if (__builtin_expect(u->status != WF_GO_WAITING || !succeeds(o, d->arg[1], u), 0))
		return false;
	u->status = WF_GO_RUNNABLE;
	u->seq = d->arg[1];
	usual_move(e, WF_EV_GO_UNBLOCK, u->id, stack, 0, 0, WTR_G_WAITING, WTR_G_RUNNABLE);
	return true;
}

/* The goroutine of a thread, if it is in a status; NULL: look again, with care. */
USUAL unit *usual_own(order *o, const thread *th, uint8_t status)
{
	if (__builtin_expect(th->g_slot >= o->gs.n, 0))
		return NULL;
	unit *u = &o->gs.at[th->g_slot];
	return __builtin_expect(
		       u->id == th->g && u->status == status && th->g != WTR_NONE, 1) /* some may have that id */
		       ? u
		       : NULL;
}

/* GoBlock, GoStop. */
USUAL bool usual_leave(order *o, const cursor *c, const decoded *d, thread *th, wtr_event *e, uint8_t type,
	uint8_t status, wtr_gstate to)
{
	uint32_t str = wtr__string_id(o->tables, d->arg[0]), stack = wtr__stack_id(o->tables, d->arg[1]);
	unit *u = usual_own(o, th, WF_GO_RUNNING);
	if (__builtin_expect(!u || str == WTR__UNKNOWN || stack == WTR__UNKNOWN, 0))
		return false;
	u->status = status;
	unbind_g(th);
	usual_move(e, type, u->id, stack, stack, str, WTR_G_RUNNING, to);
	if (type == WF_EV_GO_BLOCK)
		e->wait = wait_of(o, c, u->id, str);
	return true;
}

/* The proc of a thread; NULL: look again, with care. */
USUAL unit *usual_proc(order *o, const thread *th)
{
	if (__builtin_expect(th->p_slot >= o->ps.n, 0))
		return NULL;
	unit *p = &o->ps.at[th->p_slot];
	return __builtin_expect(p->id == th->p, 1) ? p : NULL;
}

USUAL bool usual_syscall_begin(order *o, const cursor *c, const decoded *d, const thread *th, wtr_event *e)
{
	uint32_t stack = wtr__stack_id(o->tables, d->arg[1]);
	unit *u = usual_own(o, th, WF_GO_RUNNING), *p = usual_proc(o, th);
	if (__builtin_expect(!u || !p || !succeeds(o, d->arg[0], p) || stack == WTR__UNKNOWN, 0))
		return false;
	u->status = WF_GO_SYSCALL;
	p->status = WF_PROC_SYSCALL;
	p->seq = d->arg[0];
	usual_move(e, WF_EV_GO_SYSCALL_BEGIN, u->id, stack, stack, 0, WTR_G_RUNNING, WTR_G_SYSCALL);
	e->wait = taken(o, c, u->id, stack);
	return true;
}

USUAL bool usual_syscall_end(order *o, const thread *th, wtr_event *e)
{
	unit *u = usual_own(o, th, WF_GO_SYSCALL), *p = usual_proc(o, th);
	if (__builtin_expect(!u || !p || p->status != WF_PROC_SYSCALL, 0))
		return false;
	u->status = WF_GO_RUNNING;
	p->status = WF_PROC_RUNNING;
	usual_move(e, WF_EV_GO_SYSCALL_END, u->id, 0, 0, 0, WTR_G_SYSCALL, WTR_G_RUNNING);
	return true;
}

/* HeapAlloc. */
USUAL bool usual_heap(const decoded *d, wtr_event *e)
{
	e->id = 0;
	e->value[0] = d->arg[0];
	e->value[1] = 0;
	e->stack = e->transition_stack = e->str = e->str2 = 0;
	e->kind = WTR_KIND_METRIC;
	e->type = WF_EV_HEAP_ALLOC;
	e->resource = WTR_RES_NONE;
	e->detail = WTR_METRIC_HEAP_BYTES;
	e->wait = 0;
	return true;
}

/* Applies the current event of c and writes *e, but not its time; false: nothing done. */
USUAL bool usual_apply(order *o, const cursor *c, wtr_event *e)
{
	const decoded *d = c->now;
	if (__builtin_expect(c->thread == NO_SLOT, 0))
		return false;
	thread *th = &o->threads.at[c->thread];
	if (__builtin_expect(th->p == WTR_NONE, 0))
		return false;
	e->m = th->m;
	e->p = th->p;
	e->g = th->g;
	/* The commonest first; a jump by table would be predicted worse. */
	if (d->type == WF_EV_GO_START)
		return usual_start(o, d, th, e);
	if (d->type == WF_EV_GO_UNBLOCK)
		return usual_unblock(o, d, e);
	if (d->type == WF_EV_GO_BLOCK)
		return usual_leave(o, c, d, th, e, WF_EV_GO_BLOCK, WF_GO_WAITING, WTR_G_WAITING);
	if (d->type == WF_EV_HEAP_ALLOC)
		return usual_heap(d, e);
	if (d->type == WF_EV_GO_SYSCALL_BEGIN)
		return usual_syscall_begin(o, c, d, th, e);
	if (d->type == WF_EV_GO_SYSCALL_END)
		return usual_syscall_end(o, th, e);
	if (d->type == WF_EV_GO_STOP)
		return usual_leave(o, c, d, th, e, WF_EV_GO_STOP, WF_GO_RUNNABLE, WTR_G_RUNNABLE);
	return false;
}

#undef USUAL

#endif

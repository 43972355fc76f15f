/* read/v2/rules.c - goroutines, procs and threads: what may follow what.
 *
 * Each function is one event: conditions that another thread's event may still bring about give RETRY, all others
 * FAULT; then the state changes and the event is delivered in the context from before it.
 */
#include "read/v2/rules.h"

#include <stdarg.h>
#include <stdio.h>

verdict wtr__fault(order *o, const cursor *c, const char *rule, const char *fmt, ...)
{
	char what[200];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	wtr__fail(&o->base.err, WTR_E_ORDER, (uint64_t)(c->now->event - o->t->at), o->gen_number, c->m,
		wtr_type_name(c->now->type), rule, "%s", what);
	return FAULT;
}

verdict wtr__no_memory(order *o)
{
	wtr__fail(&o->base.err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
	return FAULT;
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

extras *wtr__extras_of(order *o, unit *u)
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

uint32_t wtr__unknown_id(order *o, const cursor *c, const char *kind, uint64_t wire, wtr__diag_id diag)
{
	o->base.diag[diag]++;
	if (!o->repair && o->late == WTR_OK)
		o->late = wtr__fail(&o->base.err, WTR_E_FORMAT, (uint64_t)(c->now->event - o->t->at), o->gen_number,
			c->m, wtr_type_name(c->now->type), "event.table-id",
			"it names %s %llu, which no table of its generation defines", kind, (unsigned long long)wire);
	return 0;
}

verdict wtr__bad_context(order *o, const cursor *c, const thread *th, unsigned need)
{
	const char *why = need & HAS_M && th->m == WTR_NONE   ? "it needs a thread and has none"
			  : need & HAS_P && th->p == WTR_NONE ? "it needs a proc and its thread has none"
			  : need & NO_P && th->p != WTR_NONE  ? "its thread must have no proc, but has one"
			  : need & HAS_G && th->g == WTR_NONE ? "it needs a goroutine and its thread has none"
							      : "its thread must have no goroutine, but has one";
	return wtr__fault(o, c, "order.context", "%s (M=%lld P=%lld G=%lld)", why, (long long)th->m, (long long)th->p,
		(long long)th->g);
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

static const uint8_t go_state[WF_GO_STATUS_COUNT] = { WTR_G_UNDETERMINED, WTR_G_RUNNABLE, WTR_G_RUNNING, WTR_G_SYSCALL,
	WTR_G_WAITING };
static const uint8_t proc_state[WF_PROC_STATUS_COUNT] = { WTR_P_UNDETERMINED, WTR_P_RUNNING, WTR_P_IDLE, WTR_P_RUNNING,
	WTR_P_IDLE };

/* The thread's goroutine, which must exist and be in a status; NULL after a fault. */
static inline unit *g_in(order *o, const cursor *c, const thread *th, uint8_t status)
{
	unit *u = current_g(o, th);
	if (__builtin_expect(!u, 0)) {
		wtr__fault(o, c, "order.goroutine-unknown", "goroutine %lld of its thread does not exist",
			(long long)th->g);
		return NULL;
	}
	if (__builtin_expect(u->status != status, 0)) {
		wtr__fault(o, c, "order.goroutine-status", "goroutine %lld of its thread must be %s, but is %s",
			(long long)th->g, go_status_name(status), go_status_name(u->status));
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
		return wtr__fault(
			o, c, "order.proc-status-value", "status %u of proc %lld does not exist", st, (long long)id);
	wtr_pstate from = proc_state[st];
	thread owner = *th;
	unit *u = find_p(o, id);
	if (!u) {
		u = new_p(o, id, st);
		if (!u)
			return wtr__no_memory(o);
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
			return wtr__fault(o, c, "order.proc-owner",
				"no thread holds proc %lld, which is about to be stolen", (long long)id);
	} else if (u->status != st) {
		if (!o->repair)
			return wtr__fault(o, c, "order.proc-status", "proc %lld is said to be %s, but is %s",
				(long long)id, proc_status_name(st), proc_status_name(u->status));
		from = proc_state[u->status];
		u->status = st;
		o->base.diag[WTR__DIAG_FORCED_STATES]++;
	}
	u->gen = o->gen_number;
	u->seq = 0;
	emit_p(o, c, &owner, (int64_t)id, from, proc_state[shown])->value[0] = shown;
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
			return wtr__no_memory(o);
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
		return wtr__fault(
			o, c, "order.proc-unknown", "proc %lld of its thread does not exist", (long long)th->p);
	if (u->status != WF_PROC_RUNNING && u->status != WF_PROC_SYSCALL)
		return wtr__fault(o, c, "order.proc-running", "proc %lld must be Running or Syscall, but is %s",
			(long long)th->p, proc_status_name(u->status));
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
	if (!u || (u->status != WF_PROC_SYSCALL && u->status != WF_PROC_SYSCALL_ABANDONED) ||
		!succeeds(o, c->now->arg[1], u))
		return RETRY;
	NEED(HAS_M);
	bool abandoned = u->status == WF_PROC_SYSCALL_ABANDONED;
	u->status = WF_PROC_IDLE;
	u->seq = c->now->arg[1];
	if (!abandoned && victim == th->m) {
		if (th->p != id)
			return wtr__fault(o, c, "order.steal-own",
				"thread %lld steals proc %lld from itself, but has proc %lld", (long long)victim,
				(long long)id, (long long)th->p);
		emit_p(o, c, th, id, WTR_P_RUNNING, WTR_P_IDLE);
		th->p = WTR_NONE;
		return ADVANCE;
	}
	if (!abandoned) {
		uint32_t v = wb_idmap_get(&o->m_ids, (uint64_t)victim);
		if (v == WB_IDMAP_NONE)
			return wtr__fault(o, c, "order.steal-thread",
				"proc %lld is stolen from thread %lld, which does not exist", (long long)id,
				(long long)victim);
		thread *from = &o->threads.at[v];
		if (from->p != id)
			return wtr__fault(o, c, "order.steal-proc",
				"proc %lld is stolen from thread %lld, which has proc %lld", (long long)id,
				(long long)victim, (long long)from->p);
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
		return wtr__fault(
			o, c, "order.go-status-value", "status %u of goroutine %lld does not exist", st, (long long)id);
	wtr_gstate from = go_state[st];
	unit *u = find_g(o, id);
	if (u && u->status != st) {
		if (!o->repair)
			return wtr__fault(o, c, "order.go-status", "goroutine %lld is said to be %s, but is %s",
				(long long)id, go_status_name(st), go_status_name(u->status));
		from = go_state[u->status];
		u->status = st;
		o->base.diag[WTR__DIAG_FORCED_STATES]++;
	} else if (!u) {
		if (o->gen_number != o->initial_gen && !o->repair)
			return wtr__fault(o, c, "order.go-status-new",
				"goroutine %lld turns up after the first generation without having been created",
				(long long)id);
		u = new_g(o, id, st);
		if (!u)
			return wtr__no_memory(o);
		from = WTR_G_UNDETERMINED;
	}
	u->gen = o->gen_number;
	u->seq = 0;

	thread context = *th;
	bool bind = st == WF_GO_RUNNING;
	if (st == WF_GO_SYSCALL) {
		if (mid == WTR_NONE)
			return wtr__fault(o, c, "order.syscall-thread",
				"goroutine %lld is in a system call without a thread", (long long)id);
		if (mid == th->m) {
			if (o->gen_number != o->initial_gen && th->g != (int64_t)id && !o->repair)
				return wtr__fault(o, c, "order.syscall-thread",
					"goroutine %lld is in a system call on thread %lld, which has goroutine %lld",
					(long long)id, (long long)mid, (long long)th->g);
			bind = true;
		} else {
			uint32_t slot = wb_idmap_get(&o->m_ids, (uint64_t)mid);
			if (slot == WB_IDMAP_NONE) {
				if (!wb_vec_reserve(&o->threads, 1) ||
					!wb_idmap_set(&o->m_ids, (uint64_t)mid, (uint32_t)o->threads.n))
					return wtr__no_memory(o);
				thread *other = &o->threads.at[o->threads.n++];
				*other = (thread){
					.m = mid, .g = WTR_NONE, .p = WTR_NONE, .g_slot = NO_SLOT, .p_slot = NO_SLOT
				};
				bind_g(other, o, u);
				th = NULL; /* the vector may have moved */
			} else if (o->threads.at[slot].g != (int64_t)id && !o->repair) {
				return wtr__fault(o, c, "order.syscall-thread",
					"goroutine %lld is in a system call on thread %lld, which has goroutine %lld",
					(long long)id, (long long)mid, (long long)o->threads.at[slot].g);
			} else {
				context.g = o->threads.at[slot].g;
			}
			context.m = mid;
		}
	}
	wtr_event *e = emit_g(o, c, &context, (int64_t)id, from, go_state[st]);
	if (c->now->type == WF_EV_GO_STATUS_STACK)
		e->stack = e->transition_stack = stack_id(o, c, c->now->arg[3]);
	if (__builtin_expect(o->carrier && st == WF_GO_WAITING, 0)) {
		uint32_t local = wtr__carrier_kept_wait(o->carrier, (int64_t)id);
		const wtr__kept_reason *r = wtr__carrier_reason(o->carrier, (int64_t)id);
		e->wait = local ? o->gen->wait_base + local : 0;
		e->str = r ? wtr__extra_string(o->t, r->reason.at, r->reason.n) : 0;
		if (e->str == WTR__UNKNOWN)
			return wtr__no_memory(o);
	}
	if (__builtin_expect(o->carrier && st == WF_GO_SYSCALL, 0) && wtr__carrier_computes(o->carrier, (int64_t)id))
		e->wait = WTR_PROC_TAKEN;
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
			return wtr__fault(o, c, "order.goroutine-status",
				"goroutine %lld of its thread must be Running, but is %s", (long long)th->g,
				go_status_name(cur->status));
	}
	if (find_g(o, c->now->arg[0]))
		return wtr__fault(
			o, c, "order.go-exists", "goroutine %lld is created, but exists", (long long)c->now->arg[0]);
	bool blocked = c->now->type == WF_EV_GO_CREATE_BLOCKED;
	if (!new_g(o, c->now->arg[0], blocked ? WF_GO_WAITING : WF_GO_RUNNABLE))
		return wtr__no_memory(o);
	wtr_event *e =
		emit_g(o, c, th, (int64_t)c->now->arg[0], WTR_G_NOTEXIST, blocked ? WTR_G_WAITING : WTR_G_RUNNABLE);
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
			return wtr__no_memory(o);
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
	if (to == WTR_G_WAITING)
		e->wait = wait_of(o, c, u->id, e->str);
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
		return wtr__no_memory(o);
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
			return wtr__no_memory(o);
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
		return wtr__no_memory(o);
	if (!destroy)
		cur->status = WF_GO_WAITING;
	emit_g(o, c, th, th->g, WTR_G_RUNNING, destroy ? WTR_G_NOTEXIST : WTR_G_WAITING)->type =
		destroy ? WF_EV_GO_DESTROY : WF_EV_GO_BLOCK;
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
		return wtr__fault(
			o, c, "order.proc-unknown", "proc %lld of its thread does not exist", (long long)th->p);
	if (!succeeds(o, c->now->arg[0], p) && !o->repair)
		return wtr__fault(o, c, "order.proc-seq",
			"proc %lld is at sequence number %llu of generation %llu, so %llu cannot follow",
			(long long)th->p, (unsigned long long)p->seq, (unsigned long long)p->gen,
			(unsigned long long)c->now->arg[0]);
	u->status = WF_GO_SYSCALL;
	p->status = WF_PROC_SYSCALL;
	p->gen = o->gen_number;
	p->seq = c->now->arg[0];
	wtr_event *e = emit_g(o, c, th, u->id, WTR_G_RUNNING, WTR_G_SYSCALL);
	e->stack = e->transition_stack = stack_id(o, c, c->now->arg[1]);
	e->wait = taken(o, c, u->id, e->stack);
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
		return wtr__fault(
			o, c, "order.proc-unknown", "proc %lld of its thread does not exist", (long long)th->p);
	if (p->status != WF_PROC_SYSCALL)
		return wtr__fault(o, c, "order.proc-syscall", "proc %lld must be Syscall, but is %s", (long long)th->p,
			proc_status_name(p->status));
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
			return wtr__fault(
				o, c, "order.proc-unknown", "proc %lld of its thread does not exist", (long long)th->p);
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
		return wtr__fault(
			o, c, "order.go-exists", "goroutine %lld is created, but exists", (long long)c->now->arg[0]);
	unit *u = new_g(o, c->now->arg[0], WF_GO_SYSCALL);
	if (!u)
		return wtr__no_memory(o);
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
			return wtr__fault(
				o, c, "order.proc-unknown", "proc %lld of its thread does not exist", (long long)th->p);
		if (p->status != WF_PROC_SYSCALL)
			return wtr__fault(o, c, "order.proc-syscall", "proc %lld must be Syscall, but is %s",
				(long long)th->p, proc_status_name(p->status));
		/* The system may use the thread's id again: from here on nobody knows who holds this proc. */
		p->status = WF_PROC_SYSCALL_ABANDONED;
		emit_p(o, c, &before, p->id, WTR_P_RUNNING, WTR_P_IDLE)->type = WF_EV_PROC_STEAL;
		th->p = WTR_NONE;
	}
	if (!delete_g(o, u))
		return wtr__no_memory(o);
	emit_g(o, c, &before, before.g, WTR_G_SYSCALL, WTR_G_NOTEXIST);
	unbind_g(th);
	return ADVANCE;
}

verdict wtr__apply(order *o, cursor *c, thread *th)
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
	case WF_EV_GC_MARK_ASSIST_END: return wtr__rule_go_range(o, c, th);
	case WF_EV_GC_SWEEP_ACTIVE:
	case WF_EV_GC_MARK_ASSIST_ACTIVE: return wtr__rule_active_range(o, c, th);
	case WF_EV_GC_SWEEP_BEGIN:
	case WF_EV_GC_SWEEP_END: return wtr__rule_gc_sweep(o, c, th);
	case WF_EV_GC_ACTIVE:
	case WF_EV_GC_BEGIN:
	case WF_EV_GC_END: return wtr__rule_gc_mark(o, c, th);
	case WF_EV_PROCS_CHANGE: return wtr__rule_metric(o, c, th, USER_GO, WTR_METRIC_GOMAXPROCS);
	case WF_EV_HEAP_ALLOC: return wtr__rule_metric(o, c, th, HAS_M | HAS_P, WTR_METRIC_HEAP_BYTES);
	case WF_EV_HEAP_GOAL: return wtr__rule_metric(o, c, th, HAS_M | HAS_P, WTR_METRIC_HEAP_GOAL_BYTES);
	case WF_EV_GO_LABEL: return wtr__rule_label(o, c, th);
	case WF_EV_USER_TASK_BEGIN: return wtr__rule_task_begin(o, c, th);
	case WF_EV_USER_TASK_END: return wtr__rule_task_end(o, c, th);
	case WF_EV_USER_REGION_BEGIN:
	case WF_EV_USER_REGION_END: return wtr__rule_region(o, c, th);
	case WF_EV_USER_LOG: return wtr__rule_log(o, c, th);
	case WF_EV_CLOCK_SNAPSHOT:
		return wtr__fault(o, c, "event.type", "a clock snapshot stands among the events of a thread");
	default: return wtr__rule_experimental(o, c, th);
	}
}

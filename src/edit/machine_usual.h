/* edit/machine_usual.h - the events that make up nearly all of a busy program's trace, on a short way.
 *
 * As in read/v2/usual.h each function takes one kind of event when everything is as it mostly is, and otherwise changes
 * nothing and returns false; machine_states.c and machine_ranges.c have the rules, and get whatever does not fit.  They
 * end where the rules end: same state, same bytes.  Traces of the first container do not come here.
 */
#ifndef WE_MACHINE_USUAL_H
#define WE_MACHINE_USUAL_H

#include "edit/machine_inside.h"
#include "fmt/events.h"
#include "fmt/wire.h"

#define USUAL static inline __attribute__((always_inline))

/* While writing: whether this generation has mentioned a goroutine that is in what is written. */
USUAL bool usual_said(const we_machine *k, const we_goroutine *g)
{
	return !k->w || (g->wanted && g->gen == k->gen);
}

USUAL void usual_emit(we_machine *k, we_thread *m, const wtr_event *e, unsigned n, const uint64_t *args)
{
	if (!k->w)
		return;
	k->last_ns = e->time_ns > k->last_ns ? e->time_ns : k->last_ns + 1;
	if (__builtin_expect(m->lane == 0, 0))
		m->lane = we_lane(k->w, m->id);
	we_event(k->w, m->lane, k->last_ns, e->type, n, args);
	k->counts.events++;
}

/* While following: what a transition to another state than waiting says of its goroutine, see learn_transition(). */
USUAL void usual_learn(we_machine *k, we_goroutine *g, uint32_t stack)
{
	if (k->w)
		return;
	if (g->known != we_known(k))
		g->stack = 0;
	g->known = we_known(k);
	g->stack = stack ? stack : g->stack;
	g->wait = g->reason = 0;
}

/* The goroutine of a thread that has its proc, if it is in a status and the one of the event; NULL: look again. */
USUAL we_goroutine *usual_own(we_machine *k, const we_thread *m, const wtr_event *e, uint8_t status)
{
	if (__builtin_expect(m->g == WE_NONE || m->p == WE_NONE, 0))
		return NULL;
	we_goroutine *g = &k->gs.at[m->g];
	return __builtin_expect(g->id == e->id && g->status == status, 1) ? g : NULL;
}

USUAL bool usual_start(we_machine *k, we_thread *m, const wtr_event *e)
{
	uint32_t i = wb_idmap_get(&k->g_of, (uint64_t)e->id);
	if (__builtin_expect(i == WB_IDMAP_NONE || m->p == WE_NONE || m->g != WE_NONE, 0))
		return false;
	we_goroutine *g = &k->gs.at[i];
	const we_proc *p = &k->ps.at[m->p];
	if (__builtin_expect(g->status != WF_GO_RUNNABLE || g->m != WE_NONE || !usual_said(k, g) || p->id != e->p ||
				     p->status != WF_PROC_RUNNING,
		    0))
		return false;
	usual_emit(k, m, e, 2, (uint64_t[]){ (uint64_t)e->id, ++g->seq });
	g->status = WF_GO_RUNNING;
	m->g = (int32_t)i;
	g->m = (int32_t)(m - k->ms.at);
	usual_learn(k, g, 0);
	return true;
}

USUAL bool usual_unblock(we_machine *k, we_thread *m, const wtr_event *e)
{
	uint32_t i = wb_idmap_get(&k->g_of, (uint64_t)e->id);
	if (__builtin_expect(i == WB_IDMAP_NONE, 0))
		return false;
	we_goroutine *g = &k->gs.at[i];
	if (__builtin_expect(g->status != WF_GO_WAITING || !usual_said(k, g), 0))
		return false;
	if (k->w)
		usual_emit(k, m, e, 3, (uint64_t[]){ (uint64_t)e->id, ++g->seq, we_stack(k->w, k->t, e->stack) });
	g->status = WF_GO_RUNNABLE;
	usual_learn(k, g, 0);
	return true;
}

/* GoBlock, GoStop. */
USUAL bool usual_leave(we_machine *k, we_thread *m, const wtr_event *e, uint8_t status)
{
	we_goroutine *g = usual_own(k, m, e, WF_GO_RUNNING);
	if (!g)
		return false;
	if (k->w)
		usual_emit(k, m, e, 2, (uint64_t[]){ we_string(k->w, k->t, e->str), we_stack(k->w, k->t, e->stack) });
	if (status == WF_GO_WAITING && k->tells_waits)
		we_tell_wait(k, m->id, e);
	g->status = status;
	m->g = g->m = WE_NONE;
	usual_learn(k, g, e->transition_stack);
	if (!k->w && status == WF_GO_WAITING) {
		g->wait = e->wait;
		g->reason = e->str;
	}
	return true;
}

USUAL bool usual_syscall_begin(we_machine *k, we_thread *m, const wtr_event *e)
{
	we_goroutine *g = usual_own(k, m, e, WF_GO_RUNNING);
	we_proc *p = g ? &k->ps.at[m->p] : NULL;
	if (!p || (k->w && (p->gen != k->gen || e->wait)))
		return false;
	p->seq++;
	if (k->w)
		usual_emit(k, m, e, 2, (uint64_t[]){ p->seq, we_stack(k->w, k->t, e->stack) });
	g->status = WF_GO_SYSCALL;
	g->computes = e->wait == WTR_PROC_TAKEN;
	p->status = WF_PROC_SYSCALL;
	usual_learn(k, g, e->transition_stack);
	return true;
}

USUAL bool usual_syscall_end(we_machine *k, we_thread *m, const wtr_event *e)
{
	we_goroutine *g = usual_own(k, m, e, WF_GO_SYSCALL);
	if (!g || k->ps.at[m->p].status != WF_PROC_SYSCALL)
		return false;
	usual_emit(k, m, e, 0, NULL);
	g->status = WF_GO_RUNNING;
	k->ps.at[m->p].status = WF_PROC_RUNNING;
	usual_learn(k, g, 0);
	return true;
}

USUAL bool usual_heap(we_machine *k, we_thread *m, const wtr_event *e)
{
	if (m->p == WE_NONE)
		return false;
	usual_emit(k, m, e, 1, e->value);
	return true;
}

/* The thread of an event, if it was among the last ones; NULL: look again. */
USUAL we_thread *usual_thread(we_machine *k, int64_t id)
{
	uint32_t i = k->recent[(uint64_t)id % WE_RECENT];
	return __builtin_expect(i < k->ms.n && k->ms.at[i].id == id && id != WTR_NONE, 1) ? &k->ms.at[i] : NULL;
}

/* What an event says of where the goroutine is that it is an event of, see we_learn(). */
USUAL void usual_place(we_machine *k, const wtr_event *e)
{
	if (k->w || !e->stack || e->g == e->id || e->g == WTR_NONE)
		return;
	we_goroutine *g = we_find_g(k, e->g);
	if (!g)
		return;
	if (g->known != we_known(k))
		g->wait = g->reason = 0;
	g->known = we_known(k);
	g->stack = e->stack;
}

/* Takes an event, or follows it; false: nothing done. */
USUAL bool usual_take(we_machine *k, const wtr_event *e)
{
	we_thread *m = k->v1 || k->has_held || k->end_ns ? NULL : usual_thread(k, e->m);
	if (!m)
		return false;
	switch (e->type) {
	case WF_EV_GO_START: return usual_start(k, m, e);
	case WF_EV_GO_UNBLOCK:
		if (!usual_unblock(k, m, e))
			return false;
		usual_place(k, e);
		return true;
	case WF_EV_GO_BLOCK: return usual_leave(k, m, e, WF_GO_WAITING);
	case WF_EV_GO_STOP: return usual_leave(k, m, e, WF_GO_RUNNABLE);
	case WF_EV_GO_SYSCALL_BEGIN: return usual_syscall_begin(k, m, e);
	case WF_EV_GO_SYSCALL_END: return usual_syscall_end(k, m, e);
	case WF_EV_HEAP_ALLOC: return usual_heap(k, m, e);
	default: return false;
	}
}

#undef USUAL

#endif

/* edit/machine_states.c - transitions of procs and goroutines: whether they fit, and what they change. */
#include "edit/machine_inside.h"

#include "fmt/events.h"
#include "fmt/wire.h"

/* ---- procs ---- */

static bool proc_status(we_machine *k, we_thread *m, const wtr_event *e)
{
	we_proc *p = we_find_p(k, e->id);
	if (p) { /* what we know counts, and is said once in each generation */
		if (k->w && p->gen != k->gen && k->last_p != we_place_p(k, p))
			we_write_p_status(k, p, e->time_ns);
		return true;
	}
	uint8_t st = (unsigned)wtr_to(e) == WTR_P_RUNNING ? WF_PROC_RUNNING : WF_PROC_IDLE;
	if (e->value[0] == WF_PROC_SYSCALL || e->value[0] == WF_PROC_SYSCALL_ABANDONED)
		st = (uint8_t)e->value[0];
	if (st != WF_PROC_IDLE && st != WF_PROC_SYSCALL_ABANDONED && !m)
		st = WF_PROC_IDLE;
	p = we_new_p(k, e->id, st);
	if (!p)
		return false;
	if (st != WF_PROC_IDLE && st != WF_PROC_SYSCALL_ABANDONED)
		we_bind_p(k, m, p);
	if (k->w)
		we_write_p_status(k, p, e->time_ns);
	return true;
}

static bool proc_start(we_machine *k, we_thread *m, const wtr_event *e)
{
	we_proc *p = we_find_p(k, e->id);
	if (!m || (!p && !(p = we_new_p(k, e->id, WF_PROC_IDLE))))
		return false;
	if (m->p == we_place_p(k, p) && p->status == WF_PROC_RUNNING)
		return false;
	if (m->p != WE_NONE)
		we_stop_proc(k, &k->ps.at[m->p], e->time_ns);
	we_make_idle(k, m, p, e->time_ns);
	uint64_t seq = we_next_p_seq(k, p, e->time_ns);
	WE_EMIT(k, m->id, e->time_ns, WF_EV_PROC_START, (uint64_t)p->id, seq);
	p->status = WF_PROC_RUNNING;
	we_bind_p(k, m, p);
	return true;
}

static bool proc_stop(we_machine *k, const wtr_event *e)
{
	we_proc *p = we_find_p(k, e->id);
	if (!p || p->m == WE_NONE)
		return false;
	we_say_proc(k, p, e->time_ns);
	we_emit(k, we_id_of_m(k, p->m), e->time_ns, WF_EV_PROC_STOP, 0, NULL);
	we_unbind_p(k, p);
	return true;
}

bool we_steal(we_machine *k, we_thread *m, const wtr_event *e)
{
	we_proc *p = we_find_p(k, e->id);
	if (!p || !m)
		return false;
	if (p->status != WF_PROC_SYSCALL && p->status != WF_PROC_SYSCALL_ABANDONED)
		return p->m != WE_NONE && proc_stop(k, e);
	uint64_t seq = we_next_p_seq(k, p, e->time_ns);
	WE_EMIT(k, m->id, e->time_ns, WF_EV_PROC_STEAL, (uint64_t)p->id, seq, (uint64_t)we_id_of_m(k, p->m));
	we_unbind_p(k, p);
	return true;
}

/* A thread that steals its own proc in a system call may be a C thread that leaves: then the reader made this event of
 * the GoDestroySyscall that comes next. */
static bool proc_steal(we_machine *k, we_thread *m, const wtr_event *e)
{
	if (!m || m->g == WE_NONE || m->p == WE_NONE || k->ps.at[m->p].id != e->id ||
		k->ps.at[m->p].status != WF_PROC_SYSCALL || k->gs.at[m->g].status != WF_GO_SYSCALL)
		return we_steal(k, m, e);
	k->held = *e;
	k->has_held = true;
	return true;
}

/* ---- goroutines ---- */

static bool go_status_event(we_machine *k, we_thread *m, const wtr_event *e)
{
	we_goroutine *g = we_find_g(k, e->id);
	if (g) {
		g->computes |= e->wait == WTR_PROC_TAKEN;
		if (k->w && g->wanted && g->gen != k->gen && k->last_g != we_place_g(k, g)) {
			we_tell_kept_wait(k, g, e->wait);
			we_write_g_status(k, g, e->time_ns, we_stack_no(k, e->transition_stack));
		}
		return g->wanted;
	}
	if (k->w) /* too late: what is not named by the first generation does not exist */
		return false;
	g = we_new_g(k, e->id, we_go_status(wtr_to(e)));
	if (g)
		g->computes = e->wait == WTR_PROC_TAKEN;
	if (g && m && (g->status == WF_GO_RUNNING || g->status == WF_GO_SYSCALL))
		we_bind_g(k, m, g);
	return true;
}

static bool go_create(we_machine *k, we_thread *m, const wtr_event *e)
{
	if (we_find_g(k, e->id))
		return false;
	bool blocked = wtr_to(e) == WTR_G_WAITING;
	we_goroutine *g = we_new_g(k, e->id, blocked ? WF_GO_WAITING : WF_GO_RUNNABLE);
	if (!g)
		return false;
	if (!k->w || !g->wanted) {
		g->gen = k->gen;
		return g->wanted;
	}
	if (!m || m->p == WE_NONE || (m->g != WE_NONE && k->gs.at[m->g].status != WF_GO_RUNNING)) {
		we_remove_g(k, g);
		return false;
	}
	uint64_t args[] = { (uint64_t)e->id, we_stack_no(k, e->transition_stack), we_stack_no(k, e->stack) };
	we_emit(k, m->id, e->time_ns, blocked ? WF_EV_GO_CREATE_BLOCKED : WF_EV_GO_CREATE, 3, args);
	we_tell_goroutine(k, g);
	g->gen = k->gen;
	return true;
}

static bool go_create_syscall(we_machine *k, we_thread *m, const wtr_event *e)
{
	if (!m || we_find_g(k, e->id))
		return false;
	we_goroutine *g = we_new_g(k, e->id, WF_GO_SYSCALL);
	if (!g)
		return false;
	g->gen = k->gen;
	if (g->wanted && m->g != WE_NONE) {
		we_remove_g(k, g);
		return false;
	}
	if (!g->wanted && k->w)
		return false;
	we_bind_g(k, m, g);
	WE_EMIT(k, m->id, e->time_ns, WF_EV_GO_CREATE_SYSCALL, (uint64_t)e->id);
	return true;
}

static bool go_start(we_machine *k, we_thread *m, const wtr_event *e)
{
	we_goroutine *g = we_find_g(k, e->id);
	if (!m || !g || (k->w && !g->wanted))
		return false;
	we_need_proc(k, m, e->p, e->time_ns);
	if (m->p == WE_NONE || k->ps.at[m->p].status != WF_PROC_RUNNING || m->g != WE_NONE)
		return false;
	if (g->status == WF_GO_WAITING)
		we_wake(k, g, m->id, e->time_ns);
	if (g->status != WF_GO_RUNNABLE)
		return false;
	uint64_t seq = we_next_g_seq(k, g, e->time_ns);
	WE_EMIT(k, m->id, e->time_ns, WF_EV_GO_START, (uint64_t)g->id, seq);
	g->status = WF_GO_RUNNING;
	we_bind_g(k, m, g);
	return true;
}

/* The goroutine that runs on a thread with its proc, as most events need it; NULL if it is not so. */
we_goroutine *we_running(we_machine *k, we_thread *m, int64_t id)
{
	we_goroutine *g = m && m->g != WE_NONE ? &k->gs.at[m->g] : NULL;
	return g && g->id == id && g->status == WF_GO_RUNNING && m->p != WE_NONE ? g : NULL;
}

static bool go_stop(we_machine *k, we_thread *m, const wtr_event *e)
{
	we_goroutine *g = we_running(k, m, e->id);
	if (!g)
		return false;
	bool waits = wtr_to(e) == WTR_G_WAITING;
	WE_EMIT(k, m->id, e->time_ns, waits ? WF_EV_GO_BLOCK : WF_EV_GO_STOP, we_text_no(k, e->str),
		we_stack_no(k, e->stack));
	if (waits)
		we_tell_wait(k, m->id, e);
	g->status = waits ? WF_GO_WAITING : WF_GO_RUNNABLE;
	we_unbind_g(k, g);
	return true;
}

static bool go_destroy(we_machine *k, we_thread *m, const wtr_event *e)
{
	we_goroutine *g = we_running(k, m, e->id);
	if (!g)
		return false;
	we_emit(k, m->id, e->time_ns, WF_EV_GO_DESTROY, 0, NULL);
	we_remove_g(k, g);
	return true;
}

static bool go_unblock(we_machine *k, const wtr_event *e)
{
	we_goroutine *g = we_find_g(k, e->id);
	if (!g || (k->w && !g->wanted) || g->status != WF_GO_WAITING)
		return false;
	uint64_t seq = we_next_g_seq(k, g, e->time_ns);
	WE_EMIT(k, e->m, e->time_ns, WF_EV_GO_UNBLOCK, (uint64_t)g->id, seq, we_stack_no(k, e->stack));
	g->status = WF_GO_RUNNABLE;
	return true;
}

static bool syscall_begin(we_machine *k, we_thread *m, const wtr_event *e)
{
	we_goroutine *g = we_running(k, m, e->id);
	if (!g)
		return false;
	we_proc *p = &k->ps.at[m->p];
	uint64_t seq = we_next_p_seq(k, p, e->time_ns);
	WE_EMIT(k, m->id, e->time_ns, WF_EV_GO_SYSCALL_BEGIN, seq, we_stack_no(k, e->stack));
	we_tell_taken(k, m->id, e);
	g->computes = e->wait == WTR_PROC_TAKEN;
	g->status = WF_GO_SYSCALL;
	p->status = WF_PROC_SYSCALL;
	return true;
}

static we_goroutine *in_syscall(we_machine *k, we_thread *m, int64_t id)
{
	we_goroutine *g = m && m->g != WE_NONE ? &k->gs.at[m->g] : NULL;
	return g && g->id == id && g->status == WF_GO_SYSCALL ? g : NULL;
}

static bool syscall_end(we_machine *k, we_thread *m, const wtr_event *e)
{
	we_goroutine *g = in_syscall(k, m, e->id);
	if (!g || m->p == WE_NONE || k->ps.at[m->p].status != WF_PROC_SYSCALL)
		return false;
	we_emit(k, m->id, e->time_ns, WF_EV_GO_SYSCALL_END, 0, NULL);
	g->status = WF_GO_RUNNING;
	k->ps.at[m->p].status = WF_PROC_RUNNING;
	return true;
}

static bool syscall_end_blocked(we_machine *k, we_thread *m, const wtr_event *e)
{
	we_goroutine *g = in_syscall(k, m, e->id);
	if (!g)
		return false;
	if (m->p != WE_NONE && k->ps.at[m->p].status == WF_PROC_SYSCALL)
		we_stop_proc(k, &k->ps.at[m->p], e->time_ns);
	we_emit(k, m->id, e->time_ns, WF_EV_GO_SYSCALL_END_BLOCKED, 0, NULL);
	g->status = WF_GO_RUNNABLE;
	we_unbind_g(k, g);
	return true;
}

static bool destroy_syscall(we_machine *k, we_thread *m, const wtr_event *e)
{
	we_goroutine *g = in_syscall(k, m, e->id);
	if (!g)
		return false;
	we_proc *p = m->p == WE_NONE ? NULL : &k->ps.at[m->p];
	if (p && p->status != WF_PROC_SYSCALL) {
		we_stop_proc(k, p, e->time_ns);
		p = NULL;
	}
	we_emit(k, m->id, e->time_ns - (p != NULL), WF_EV_GO_DESTROY_SYSCALL, 0, NULL);
	if (p) {
		we_unbind_p(k, p);
		p->status = WF_PROC_SYSCALL_ABANDONED;
		if (k->w) /* the reader makes two events of it */
			k->last_ns++;
	}
	we_remove_g(k, g);
	return true;
}

bool we_go_transition(we_machine *k, we_thread *m, const wtr_event *e)
{
	switch (e->type) {
	case WF_EV_GO_CREATE:
	case WF_EV_GO_CREATE_BLOCKED: return go_create(k, m, e);
	case WF_EV_GO_CREATE_SYSCALL: return go_create_syscall(k, m, e);
	case WF_EV_GO_START: return go_start(k, m, e);
	case WF_EV_GO_STOP:
	case WF_EV_GO_BLOCK: return go_stop(k, m, e);
	case WF_EV_GO_DESTROY: return go_destroy(k, m, e);
	case WF_EV_GO_UNBLOCK: return go_unblock(k, e);
	case WF_EV_GO_SWITCH: /* its second and third event come as GoBlock or GoDestroy, and GoStart */
	case WF_EV_GO_SWITCH_DESTROY: return go_unblock(k, e);
	case WF_EV_GO_SYSCALL_BEGIN: return syscall_begin(k, m, e);
	case WF_EV_GO_SYSCALL_END: return syscall_end(k, m, e);
	case WF_EV_GO_SYSCALL_END_BLOCKED: return syscall_end_blocked(k, m, e);
	case WF_EV_GO_DESTROY_SYSCALL: return destroy_syscall(k, m, e);
	case WF_EV_GO_STATUS:
	case WF_EV_GO_STATUS_STACK: return go_status_event(k, m, e);
	default: return false;
	}
}

bool we_proc_transition(we_machine *k, we_thread *m, const wtr_event *e)
{
	switch (e->type) {
	case WF_EV_PROC_STATUS: return proc_status(k, m, e);
	case WF_EV_PROC_START: return proc_start(k, m, e);
	case WF_EV_PROC_STOP: return proc_stop(k, e);
	case WF_EV_PROC_STEAL: return proc_steal(k, m, e);
	default: return false;
	}
}

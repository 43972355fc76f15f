/* edit/machine_write.c - what the machine writes, and what is missing before an event. */
#include "edit/machine_inside.h"

#include "fmt/events.h"
#include "fmt/wire.h"

/* ---- writing ---- */

void we_emit(we_machine *k, int64_t m, int64_t time_ns, uint8_t type, unsigned n, const uint64_t *args)
{
	if (!k->w)
		return;
	if (k->end_ns)
		time_ns = k->end_ns++;
	k->last_ns = time_ns > k->last_ns ? time_ns : k->last_ns + 1;
	we_event(k->w, we_lane(k->w, m), k->last_ns, type, n, args);
	k->counts.events++;
}

uint64_t we_stack_no(we_machine *k, uint32_t id)
{
	return k->w ? we_stack(k->w, k->t, id) : 0;
}
uint64_t we_text_no(we_machine *k, uint32_t id)
{
	return k->w ? we_string(k->w, k->t, id) : 0;
}

int64_t we_id_of_m(const we_machine *k, int32_t m)
{
	return m == WE_NONE ? WTR_NONE : k->ms.at[m].id;
}

void we_write_g_status(we_machine *k, we_goroutine *g, int64_t time_ns, uint64_t stk)
{
	int64_t m = we_id_of_m(k, g->m);
	we_tell_goroutine(k, g);
	if (stk)
		WE_EMIT(k, m, time_ns, WF_EV_GO_STATUS_STACK, (uint64_t)g->id, (uint64_t)m, g->status, stk);
	else
		WE_EMIT(k, m, time_ns, WF_EV_GO_STATUS, (uint64_t)g->id, (uint64_t)m, g->status);
	g->gen = k->gen;
	g->seq = 0;
}

void we_write_p_status(we_machine *k, we_proc *p, int64_t time_ns)
{
	WE_EMIT(k, we_id_of_m(k, p->m), time_ns, WF_EV_PROC_STATUS, (uint64_t)p->id, p->status);
	p->gen = k->gen;
	p->seq = 0;
}

/* In a generation that has not named it yet, the status of a goroutine or proc goes before everything else about it. */
static void say_goroutine(we_machine *k, we_goroutine *g, int64_t time_ns)
{
	if (!k->w || g->gen == k->gen)
		return;
	k->counts.added++;
	we_write_g_status(k, g, time_ns, 0);
}

void we_say_proc(we_machine *k, we_proc *p, int64_t time_ns)
{
	if (!k->w || p->gen == k->gen)
		return;
	k->counts.added++;
	we_write_p_status(k, p, time_ns);
}

uint64_t we_next_g_seq(we_machine *k, we_goroutine *g, int64_t time_ns)
{
	say_goroutine(k, g, time_ns);
	return ++g->seq;
}

uint64_t we_next_p_seq(we_machine *k, we_proc *p, int64_t time_ns)
{
	we_say_proc(k, p, time_ns);
	return ++p->seq;
}

/* ---- what is missing ---- */

void we_stop_proc(we_machine *k, we_proc *p, int64_t time_ns)
{
	we_say_proc(k, p, time_ns);
	k->counts.added += k->w != NULL;
	we_emit(k, we_id_of_m(k, p->m), time_ns, WF_EV_PROC_STOP, 0, NULL);
	we_unbind_p(k, p);
}

void we_start_proc(we_machine *k, we_thread *m, we_proc *p, int64_t time_ns)
{
	uint64_t seq = we_next_p_seq(k, p, time_ns);
	WE_ADD(k, m->id, time_ns, WF_EV_PROC_START, (uint64_t)p->id, seq);
	p->status = WF_PROC_RUNNING;
	we_bind_p(k, m, p);
}

/* So that thread m can start it. */
void we_make_idle(we_machine *k, we_thread *m, we_proc *p, int64_t time_ns)
{
	if (p->m != WE_NONE)
		we_stop_proc(k, p, time_ns);
	if (p->status != WF_PROC_SYSCALL_ABANDONED)
		return;
	uint64_t seq = we_next_p_seq(k, p, time_ns);
	WE_ADD(k, m->id, time_ns, WF_EV_PROC_STEAL, (uint64_t)p->id, seq, (uint64_t)m->id);
	p->status = WF_PROC_IDLE;
}

/* Gives a thread the proc that it should have. */
void we_need_proc(we_machine *k, we_thread *m, int64_t id, int64_t time_ns)
{
	if (id == WTR_NONE || (m->p != WE_NONE && k->ps.at[m->p].id == id))
		return;
	we_proc *p = we_find_p(k, id);
	if (!p) {
		p = we_new_p(k, id, WF_PROC_IDLE);
		if (!p)
			return;
	}
	if (m->p != WE_NONE)
		we_stop_proc(k, &k->ps.at[m->p], time_ns);
	p = we_find_p(k, id);
	we_make_idle(k, m, p, time_ns);
	we_start_proc(k, m, p, time_ns);
}

void we_wake(we_machine *k, we_goroutine *g, int64_t m, int64_t time_ns)
{
	uint64_t seq = we_next_g_seq(k, g, time_ns);
	WE_ADD(k, m, time_ns, WF_EV_GO_UNBLOCK, (uint64_t)g->id, seq, 0);
	g->status = WF_GO_RUNNABLE;
}

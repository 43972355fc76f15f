/* edit/machine_begin.c - the state of everything at the beginning of what is written. */
#include "edit/machine_inside.h"

#include <stdlib.h>

#include "fmt/events.h"
#include "fmt/wire.h"

/* ---- beginning ---- */

static int by_g(const void *a, const void *b, void *user)
{
	const we_goroutine *gs = user;
	int64_t x = gs[*(const int32_t *)a].id, y = gs[*(const int32_t *)b].id;
	return x < y ? -1 : x > y;
}

static int by_p(const void *a, const void *b, void *user)
{
	const we_proc *ps = user;
	int64_t x = ps[*(const int32_t *)a].id, y = ps[*(const int32_t *)b].id;
	return x < y ? -1 : x > y;
}

/* Places of what is there, by id, so that it is written in the same order however it was found. */
static void sort_out(we_machine *k)
{
	k->g_order.n = k->p_order.n = 0;
	for (size_t i = 0; i < k->gs.n; i++)
		if (k->gs.at[i].status != WE_DEAD && k->gs.at[i].wanted)
			k->failed |= !wb_vec_add(&k->g_order, (int32_t)i);
	for (size_t i = 0; i < k->ps.n; i++)
		k->failed |= !wb_vec_add(&k->p_order, (int32_t)i);
	if (k->g_order.n)
		qsort_r(k->g_order.at, k->g_order.n, sizeof(int32_t), by_g, k->gs.at);
	if (k->p_order.n)
		qsort_r(k->p_order.at, k->p_order.n, sizeof(int32_t), by_p, k->ps.at);
}

/* Takes goroutines out that are not wanted, and makes the rest hang together. */
static void settle(we_machine *k)
{
	for (size_t i = 0; i < k->gs.n; i++) {
		we_goroutine *g = &k->gs.at[i];
		if (g->status == WE_DEAD)
			continue;
		if (!g->wanted) {
			if (g->m != WE_NONE && k->ms.at[g->m].p != WE_NONE)
				k->ps.at[k->ms.at[g->m].p].status = WF_PROC_RUNNING;
			we_unbind_g(k, g);
			continue;
		}
		if (g->status == WF_GO_SYSCALL && g->m == WE_NONE) {
			we_thread *m = we_free_thread(k);
			if (m)
				we_bind_g(k, m, g);
		}
		if (g->status == WF_GO_RUNNING && (g->m == WE_NONE || k->ms.at[g->m].p == WE_NONE)) {
			we_unbind_g(k, g);
			g->status = WF_GO_RUNNABLE;
		}
	}
	for (size_t i = 0; i < k->ps.n; i++)
		if (k->ps.at[i].status == WF_PROC_SYSCALL &&
			(k->ms.at[k->ps.at[i].m].g == WE_NONE ||
				k->gs.at[k->ms.at[k->ps.at[i].m].g].status != WF_GO_SYSCALL))
			k->ps.at[i].status = WF_PROC_RUNNING;
}

static bool shows_stw(const we_machine *k, const we_goroutine *g)
{
	return g->stw && g->status == WF_GO_RUNNING && g->m != WE_NONE && k->ms.at[g->m].p != WE_NONE;
}

size_t we_begin_events(we_machine *k)
{
	we_let_go(k, NULL);
	settle(k);
	sort_out(k);
	size_t n = k->ps.n + (k->gc_on ? 1 : 0);
	for (size_t i = 0; i < k->ps.n; i++)
		n += k->ps.at[i].sweep;
	for (size_t i = 0; i < k->g_order.n; i++) {
		const we_goroutine *g = &k->gs.at[k->g_order.at[i]];
		n += 1u + g->assist + shows_stw(k, g);
	}
	return n;
}

static void begin_ranges(we_machine *k, int64_t time_ns)
{
	if (k->gc_on)
		WE_EMIT(k, WTR_NONE, time_ns, WF_EV_GC_ACTIVE, ++k->gc_seq);
	for (size_t i = 0; i < k->p_order.n; i++) {
		const we_proc *p = &k->ps.at[k->p_order.at[i]];
		if (p->sweep)
			WE_EMIT(k, we_id_of_m(k, p->m), time_ns, WF_EV_GC_SWEEP_ACTIVE, (uint64_t)p->id);
	}
	for (size_t i = 0; i < k->g_order.n; i++) {
		we_goroutine *g = &k->gs.at[k->g_order.at[i]];
		if (g->assist)
			WE_EMIT(k, we_id_of_m(k, g->m), time_ns, WF_EV_GC_MARK_ASSIST_ACTIVE, (uint64_t)g->id);
		if (shows_stw(k, g))
			WE_EMIT(k, we_id_of_m(k, g->m), time_ns, WF_EV_STW_BEGIN, we_text_no(k, g->stw_kind), 0);
		else
			g->stw = false;
	}
}

static void begin_goroutine(we_machine *k, we_goroutine *g, int64_t time_ns)
{
	bool known = g->known == we_known(k);
	g->gen = 0;
	we_tell_kept_wait(k, g, known ? g->wait : 0);
	we_write_g_status(k, g, time_ns, we_stack_no(k, known ? g->stack : 0));
}

void we_begin(we_machine *k, const wtr_trace *t, uint64_t generation, we_writer *w, int64_t time_ns)
{
	k->w = w;
	k->t = t;
	k->last_ns = time_ns - 1;
	k->gc_seq = 0;
	we_enter(k, t, generation);
	for (size_t i = 0; i < k->p_order.n; i++)
		we_write_p_status(k, &k->ps.at[k->p_order.at[i]], time_ns);
	for (size_t i = 0; i < k->g_order.n; i++)
		begin_goroutine(k, &k->gs.at[k->g_order.at[i]], time_ns);
	begin_ranges(k, time_ns);
	k->counts.added = k->counts.events;
}

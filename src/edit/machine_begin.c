/* edit/machine_begin.c - the state of everything at the beginning of what is written. */
#include "edit/machine_inside.h"
#include "edit/recall.h"

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

/* The highest ones: those of the runtime, which are there in every trace, have low numbers. */
static void choose_last(we_machine *k)
{
	for (size_t i = k->p_order.n; i-- && k->last_p == WE_NONE;) {
		const we_proc *p = &k->ps.at[k->p_order.at[i]];
		if (p->status == WF_PROC_IDLE && !p->touched && !p->sweep)
			k->last_p = k->p_order.at[i];
	}
	for (size_t i = k->g_order.n; i-- && k->last_p == WE_NONE && k->last_g == WE_NONE;) {
		const we_goroutine *g = &k->gs.at[k->g_order.at[i]];
		if (g->status == WF_GO_WAITING && !g->touched && !g->assist)
			k->last_g = k->g_order.at[i];
	}
}

size_t we_begin_events(we_machine *k)
{
	we_let_go(k, NULL);
	settle(k);
	sort_out(k);
	choose_last(k);
	size_t n = k->ps.n + (k->gc_on ? 1 : 0) - (k->last_p != WE_NONE || k->last_g != WE_NONE);
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

static uint64_t frames_no(we_machine *k, const we_recall *recall, we_frames_at at)
{
	return we_frames(k->w, recall->frames.at + at.first, at.n);
}

/* Where a goroutine is tells what it began with, too; when that is not known its start stands for it. */
static void begin_goroutine(we_machine *k, const we_recall *recall, we_goroutine *g, int64_t time_ns)
{
	bool known = g->known == we_known(k);
	const we_origin *o = we_recall_origin(recall, g->id);
	uint64_t stack = we_stack_no(k, known ? g->stack : 0), start = o ? frames_no(k, recall, o->start) : 0;
	g->gen = 0;
	we_tell_kept_wait(k, g, known ? g->wait : 0);
	we_tell_reason(k, g, known ? g->reason : 0);
	if (k->last_g == we_place_g(k, g)) {
		k->last_stack = stack ? stack : start;
	} else {
		we_write_g_status(k, g, time_ns, stack ? stack : start);
	}
	if (o)
		we_carry_origin(we_carrier(k->w), g->id, start, frames_no(k, recall, o->create));
}

static void begin_said(we_machine *k, const we_recall *recall)
{
	we_carry *c = we_carrier(k->w);
	we_carry_part(c);
	for (size_t i = 0; i < recall->tasks.n; i++)
		we_carry_task(c, recall->tasks.at[i].id, recall->tasks.at[i].parent, recall->tasks.at[i].name);
	for (size_t i = 0; i < recall->regions.n; i++)
		we_carry_region(c, recall->regions.at[i].g, recall->regions.at[i].task, recall->regions.at[i].name);
}

void we_begin(
	we_machine *k, const wtr_trace *t, uint64_t generation, const we_recall *recall, we_writer *w, int64_t time_ns)
{
	k->w = w;
	k->t = t;
	k->last_ns = time_ns - 1;
	k->gc_seq = 0;
	we_enter(k, t, generation);
	for (size_t i = 0; i < k->p_order.n; i++)
		if (k->p_order.at[i] != k->last_p)
			we_write_p_status(k, &k->ps.at[k->p_order.at[i]], time_ns);
	for (size_t i = 0; i < k->g_order.n; i++)
		begin_goroutine(k, recall, &k->gs.at[k->g_order.at[i]], time_ns);
	begin_said(k, recall);
	begin_ranges(k, time_ns);
	k->counts.added = k->counts.events;
}

/* ---- the end of a generation ---- */

static bool unsaid_g(const we_machine *k, const we_goroutine *g)
{
	return g->status != WE_DEAD && g->wanted && g->gen != k->gen;
}

size_t we_end_at(we_machine *k, int64_t end_ns)
{
	size_t n = 0;
	for (size_t i = 0; i < k->ps.n; i++)
		n += k->ps.at[i].gen != k->gen;
	for (size_t i = 0; i < k->gs.n; i++)
		n += unsaid_g(k, &k->gs.at[i]);
	k->end_ns = end_ns - (int64_t)n;
	return n;
}

bool we_status_is_missing(we_machine *k, const wtr_event *e)
{
	if (e->type == WF_EV_PROC_STATUS) {
		const we_proc *p = we_find_p(k, e->id);
		return p && p->gen != k->gen;
	}
	if (e->type != WF_EV_GO_STATUS && e->type != WF_EV_GO_STATUS_STACK)
		return false;
	const we_goroutine *g = we_find_g(k, e->id);
	return g && unsaid_g(k, g);
}

void we_say_the_rest(we_machine *k, int64_t time_ns)
{
	sort_out(k);
	for (size_t i = 0; i < k->p_order.n; i++)
		we_say_proc(k, &k->ps.at[k->p_order.at[i]], time_ns);
	for (size_t i = 0; i < k->g_order.n; i++) {
		we_goroutine *g = &k->gs.at[k->g_order.at[i]];
		if (!unsaid_g(k, g))
			continue;
		k->counts.added++;
		we_write_g_status(k, g, time_ns, k->last_g == we_place_g(k, g) ? k->last_stack : 0);
	}
}

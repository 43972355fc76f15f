/* edit/machine_take.c - which thread an event is of, and taking it. */
#include "edit/machine_usual.h"

/* ---- threads of the first container ----
 *
 * There the thread of an event is a guess, and a goroutine in a system call has none.  So each proc that runs gets a
 * thread of ours, which a blocking system call takes along. */

we_thread *we_free_thread(we_machine *k)
{
	for (size_t i = 0; i < k->ms.n; i++)
		if (k->ms.at[i].g == WE_NONE && k->ms.at[i].p == WE_NONE)
			return &k->ms.at[i];
	return we_thread_of(k, (int64_t)k->ms.n + 1);
}

static we_thread *thread_of_proc(we_machine *k, const wtr_event *e, int64_t id)
{
	we_proc *p = we_find_p(k, id);
	if (!p && !(p = we_new_p(k, id, WF_PROC_IDLE)))
		return NULL;
	int32_t place = we_place_p(k, p);
	/* Its thread is in a system call that blocks: the proc goes on without it. */
	if (p->m != WE_NONE && p->status == WF_PROC_SYSCALL && e->type == WF_EV_GO_START)
		we_stop_proc(k, p, e->time_ns);
	if (p->m != WE_NONE)
		return &k->ms.at[p->m];
	we_thread *m = we_free_thread(k);
	if (m && e->type != WF_EV_PROC_START && e->type != WF_EV_PROC_STATUS)
		we_start_proc(k, m, &k->ps.at[place], e->time_ns);
	return m;
}

static we_thread *thread_of_g(we_machine *k, int64_t id)
{
	we_goroutine *g = id == WTR_NONE ? NULL : we_find_g(k, id);
	return g && g->m != WE_NONE ? &k->ms.at[g->m] : NULL;
}

static we_thread *v1_thread(we_machine *k, const wtr_event *e)
{
	if (e->resource == WTR_RES_PROC && e->kind == WTR_KIND_STATE_TRANSITION)
		return thread_of_proc(k, e, e->id);
	if (e->kind == WTR_KIND_STATE_TRANSITION &&
		(e->type == WF_EV_GO_STOP || e->type == WF_EV_GO_BLOCK || e->type == WF_EV_GO_DESTROY ||
			e->type == WF_EV_GO_SYSCALL_BEGIN || e->type == WF_EV_GO_SYSCALL_END ||
			e->type == WF_EV_GO_SYSCALL_END_BLOCKED))
		return thread_of_g(k, e->id);
	if (e->kind == WTR_KIND_STATE_TRANSITION && e->type == WF_EV_GO_STATUS && wtr_to(e) == WTR_G_SYSCALL)
		return we_free_thread(k);
	bool real = e->p >= 0 && e->p < WE_V1_PSEUDO_PROC;
	if (real && (e->type == WF_EV_GO_START || (e->m != WTR_NONE && !thread_of_g(k, e->g))))
		return thread_of_proc(k, e, e->p);
	if (thread_of_g(k, e->g))
		return thread_of_g(k, e->g);
	we_proc *p = real ? we_find_p(k, e->p) : NULL;
	return p && p->m != WE_NONE ? &k->ms.at[p->m] : NULL;
}

/* ---- taking events ---- */

/* There a proc that runs from the beginning is only known by the goroutine on it. */
static we_thread *v1_holder(we_machine *k, const wtr_event *e)
{
	if (e->type != WF_EV_GO_STATUS || wtr_to(e) != WTR_G_RUNNING || e->p < 0 || e->p >= WE_V1_PSEUDO_PROC)
		return NULL;
	we_proc *p = we_find_p(k, e->p);
	if (!p && !(p = we_new_p(k, e->p, WF_PROC_RUNNING)))
		return NULL;
	if (p->m != WE_NONE)
		return &k->ms.at[p->m];
	we_thread *m = we_free_thread(k);
	p->status = WF_PROC_RUNNING;
	if (m)
		we_bind_p(k, m, p);
	return m;
}

/* The state that a goroutine or proc was in before an event that is the first to mention it. */
static void meet(we_machine *k, const wtr_event *e, bool foreseen)
{
	if (e->kind != WTR_KIND_STATE_TRANSITION)
		return;
	bool is_g = e->resource == WTR_RES_GOROUTINE;
	if (is_g ? we_find_g(k, e->id) != NULL : we_find_p(k, e->id) != NULL)
		return;
	unsigned from = wtr_from(e);
	if (from == (is_g ? (unsigned)WTR_G_UNDETERMINED : WTR_P_UNDETERMINED))
		from = wtr_to(e);
	if (from == (is_g ? (unsigned)WTR_G_NOTEXIST : WTR_P_NOTEXIST))
		return;
	we_thread *m = k->v1 ? v1_holder(k, e) : we_thread_of(k, e->m);
	if (is_g) {
		we_goroutine *g = we_new_g(k, e->id, we_go_status((wtr_gstate)from));
		if (!g)
			return;
		g->foreseen = foreseen;
		g->computes = e->wait == WTR_PROC_TAKEN && g->status == WF_GO_SYSCALL;
		if (e->type == WF_EV_GO_STATUS || e->type == WF_EV_GO_STATUS_STACK)
			we_learn(k, e);
		if (m && m->g == WE_NONE && (g->status == WF_GO_RUNNING || g->status == WF_GO_SYSCALL))
			we_bind_g(k, m, g);
	} else {
		bool runs = from == WTR_P_RUNNING && m && m->p == WE_NONE;
		uint8_t st = runs ? WF_PROC_RUNNING : WF_PROC_IDLE;
		if (e->type == WF_EV_PROC_STATUS && e->value[0] == (runs ? WF_PROC_SYSCALL : WF_PROC_SYSCALL_ABANDONED))
			st = (uint8_t)e->value[0];
		we_proc *p = we_new_p(k, e->id, st);
		if (!p)
			return;
		p->foreseen = foreseen;
		if (runs)
			we_bind_p(k, m, p);
	}
}

void we_let_go(we_machine *k, const wtr_event *next)
{
	if (!k->has_held)
		return;
	k->has_held = false;
	if (!next || next->type != WF_EV_GO_DESTROY_SYSCALL || next->m != k->held.m)
		k->counts.left_out += !we_steal(k, we_thread_of(k, k->held.m), &k->held);
}

static bool take_of(we_machine *k, we_thread *m, const wtr_event *e)
{
	switch (e->kind) {
	case WTR_KIND_STATE_TRANSITION:
		return e->resource == WTR_RES_GOROUTINE ? we_go_transition(k, m, e) : we_proc_transition(k, m, e);
	case WTR_KIND_RANGE_BEGIN:
	case WTR_KIND_RANGE_ACTIVE:
	case WTR_KIND_RANGE_END: return we_range_event(k, m, e);
	case WTR_KIND_TASK_BEGIN:
	case WTR_KIND_TASK_END: return k->w && we_task_event(k, m, e);
	case WTR_KIND_REGION_BEGIN:
	case WTR_KIND_REGION_END: return k->w && we_region_event(k, m, e);
	default: return k->w && we_other_event(k, m, e);
	}
}

static bool take(we_machine *k, const wtr_event *e)
{
	we_let_go(k, e);
	if (!k->v1)
		return take_of(k, we_thread_of(k, e->m), e);
	we_thread *m = v1_thread(k, e);
	wtr_event of_ours = *e;
	of_ours.m = m ? m->id : WTR_NONE;
	if (e->type == WF_EV_PROC_STATUS) /* the first time that it starts or stops */
		of_ours.type = (unsigned)wtr_to(e) == WTR_P_RUNNING ? WF_EV_PROC_START : WF_EV_PROC_STOP;
	return take_of(k, m, &of_ours);
}

/* Who holds it is known only to the generation before. */
static bool is_abandoned(const wtr_event *e)
{
	return e->type == WF_EV_PROC_STATUS && e->value[0] == WF_PROC_SYSCALL_ABANDONED;
}

void we_follow(we_machine *k, const wtr_event *e)
{
	if (usual_take(k, e))
		return;
	k->unsure |= is_abandoned(e);
	if (!k->v1 && e->type != WF_EV_GO_STATUS && e->type != WF_EV_GO_STATUS_STACK && e->type != WF_EV_PROC_STATUS)
		meet(k, e, false);
	if (e->kind == WTR_KIND_LABEL)
		we_take_label(k, e);
	take(k, e);
	we_learn(k, e);
}

/* What is known already: its status says what has been so, anything else is done by it, and written. */
static bool foresee_known(we_machine *k, const wtr_event *e, bool written)
{
	bool says = e->type == WF_EV_GO_STATUS || e->type == WF_EV_GO_STATUS_STACK || e->type == WF_EV_PROC_STATUS;
	if (e->resource == WTR_RES_PROC) {
		we_proc *p = we_find_p(k, e->id);
		if (p && !says)
			p->touched |= written;
		return p;
	}
	we_goroutine *g = we_find_g(k, e->id);
	if (g && says)
		we_learn_later(k, g, e);
	else if (g)
		g->touched |= written;
	return g;
}

static void foresee_transition(we_machine *k, const wtr_event *e, bool written)
{
	bool is_g = e->resource == WTR_RES_GOROUTINE;
	wb_idmap *later = is_g ? &k->later_g : &k->later_p;
	if (foresee_known(k, e, written) || wb_idmap_get(later, (uint64_t)e->id) != WB_IDMAP_NONE)
		return;
	if (wtr_from(e) == (is_g ? (unsigned)WTR_G_NOTEXIST : WTR_P_NOTEXIST))
		k->failed |= !wb_idmap_set(later, (uint64_t)e->id, 1);
	else
		meet(k, e, true);
}

/* What goes on with something that is not new goes on since before; it was to be known then. */
static void foresee_active(we_machine *k, const wtr_event *e)
{
	we_goroutine *g = e->detail == WTR_RANGE_MARK_ASSIST ? we_find_g(k, e->id) : NULL;
	we_proc *p = e->detail == WTR_RANGE_SWEEP ? we_find_p(k, e->id) : NULL;
	if (g && g->foreseen)
		g->assist = true;
	if (p && p->foreseen)
		p->sweep = true;
	k->unsure |= (g && !g->assist) || (p && !p->sweep);
}

/* Nothing repeats that the world is stopped. */
static void foresee_stw(we_machine *k, const wtr_event *e)
{
	const we_goroutine *g = we_find_g(k, e->id);
	if (e->kind == WTR_KIND_RANGE_BEGIN)
		k->stws_later++;
	else if (k->stws_later)
		k->stws_later--;
	else
		k->unsure |= !g || !g->stw;
}

static void foresee_range(we_machine *k, const wtr_event *e)
{
	if (e->detail == WTR_RANGE_STW)
		foresee_stw(k, e);
	else if (e->detail != WTR_RANGE_GC_MARK && e->kind == WTR_KIND_RANGE_ACTIVE)
		foresee_active(k, e);
	else if (e->detail == WTR_RANGE_GC_MARK && !k->gc_known) {
		k->gc_known = true;
		k->gc_on = e->kind != WTR_KIND_RANGE_BEGIN;
	}
}

void we_foresee(we_machine *k, const wtr_event *e, bool written)
{
	if (e->kind == WTR_KIND_STATE_TRANSITION) {
		k->unsure |= is_abandoned(e);
		foresee_transition(k, e, written);
	} else if (e->kind >= WTR_KIND_RANGE_BEGIN && e->kind <= WTR_KIND_RANGE_END) {
		foresee_range(k, e);
	}
}

void we_take(we_machine *k, const wtr_trace *t, const wtr_event *e)
{
	k->t = t;
	if (!usual_take(k, e) && !take(k, e))
		k->counts.left_out++;
}

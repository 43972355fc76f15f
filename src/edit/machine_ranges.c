/* edit/machine_ranges.c - ranges of the collector, and what the program says of itself. */
#include "edit/machine_inside.h"

#include "fmt/events.h"
#include "fmt/wire.h"

/* ---- ranges ---- */

static bool gc_range(we_machine *k, we_thread *m, const wtr_event *e)
{
	bool begin = e->kind == WTR_KIND_RANGE_BEGIN, first = begin && !k->gc_known;
	bool context = we_running(k, m, e->g) != NULL;
	if (k->w && (begin ? k->gc_on : !k->gc_on))
		return false;
	if (k->w && e->kind == WTR_KIND_RANGE_ACTIVE && k->gen == 1) /* the beginning said it */
		return true;
	if (k->w && !first && !context)
		return false;
	k->gc_known = true;
	k->gc_on = e->kind != WTR_KIND_RANGE_END;
	int64_t where = m ? m->id : WTR_NONE;
	uint64_t seq = ++k->gc_seq;
	if (begin)
		WE_EMIT(k, where, e->time_ns, WF_EV_GC_BEGIN, seq, we_stack_no(k, e->stack));
	else
		WE_EMIT(k, where, e->time_ns, e->kind == WTR_KIND_RANGE_END ? WF_EV_GC_END : WF_EV_GC_ACTIVE, seq);
	return true;
}

static bool sweep_range(we_machine *k, we_thread *m, const wtr_event *e)
{
	we_proc *p = we_find_p(k, e->id);
	if (!p)
		return false;
	if (e->kind == WTR_KIND_RANGE_ACTIVE) {
		if (!k->w)
			p->sweep = true;
		else if (p->sweep && k->gen > 1)
			WE_EMIT(k, e->m, e->time_ns, WF_EV_GC_SWEEP_ACTIVE, (uint64_t)p->id);
		return p->sweep;
	}
	bool begin = e->kind == WTR_KIND_RANGE_BEGIN;
	if (k->w && (!m || m->p != we_place_p(k, p) || p->sweep == begin))
		return false;
	p->sweep = begin;
	if (begin)
		WE_EMIT(k, m->id, e->time_ns, WF_EV_GC_SWEEP_BEGIN, we_stack_no(k, e->stack));
	else if (k->w)
		WE_EMIT(k, m->id, e->time_ns, WF_EV_GC_SWEEP_END, e->value[0], e->value[1]);
	return true;
}

/* Mark assists and stop-the-worlds: of the goroutine that runs. */
static bool go_range(we_machine *k, we_thread *m, const wtr_event *e)
{
	bool is_stw = e->detail == WTR_RANGE_STW;
	we_goroutine *g = we_find_g(k, e->id);
	if (!g || (k->w && !g->wanted))
		return false;
	bool *on = is_stw ? &g->stw : &g->assist;
	if (e->kind == WTR_KIND_RANGE_ACTIVE) {
		if (!k->w)
			*on = true;
		else if (*on && k->gen > 1 && !is_stw)
			WE_EMIT(k, e->m, e->time_ns, WF_EV_GC_MARK_ASSIST_ACTIVE, (uint64_t)g->id);
		return *on;
	}
	bool begin = e->kind == WTR_KIND_RANGE_BEGIN;
	/* A mark assist may end where its goroutine left a system call, so only its thread is asked for. */
	if (k->w && (!m || m->g != we_place_g(k, g) || m->p == WE_NONE || *on == begin))
		return false;
	*on = begin;
	g->stw_kind = is_stw && begin ? e->str : g->stw_kind;
	if (!k->w)
		return true;
	if (is_stw && begin)
		WE_EMIT(k, m->id, e->time_ns, WF_EV_STW_BEGIN, we_text_no(k, e->str), we_stack_no(k, e->stack));
	else if (begin)
		WE_EMIT(k, m->id, e->time_ns, WF_EV_GC_MARK_ASSIST_BEGIN, we_stack_no(k, e->stack));
	else
		we_emit(k, m->id, e->time_ns, is_stw ? WF_EV_STW_END : WF_EV_GC_MARK_ASSIST_END, 0, NULL);
	return true;
}

bool we_range_event(we_machine *k, we_thread *m, const wtr_event *e)
{
	switch (e->detail) {
	case WTR_RANGE_GC_MARK: return gc_range(k, m, e);
	case WTR_RANGE_SWEEP: return sweep_range(k, m, e);
	default: return go_range(k, m, e);
	}
}

/* ---- what the program says ---- */

/* What most events need: a thread with a proc and a goroutine that is in what we write. */
static we_goroutine *speaker(we_machine *k, we_thread *m)
{
	return m && m->p != WE_NONE && m->g != WE_NONE ? &k->gs.at[m->g] : NULL;
}

bool we_task_event(we_machine *k, we_thread *m, const wtr_event *e)
{
	bool begin = e->kind == WTR_KIND_TASK_BEGIN;
	if (!speaker(k, m) || (begin && wb_idmap_get(&k->tasks, (uint64_t)e->id) != WB_IDMAP_NONE))
		return false;
	uint64_t parent = e->value[0] == (uint64_t)WTR_NONE ? 0 : e->value[0];
	if (begin) {
		k->failed |= !wb_idmap_set(&k->tasks, (uint64_t)e->id, 1);
		WE_EMIT(k, m->id, e->time_ns, WF_EV_USER_TASK_BEGIN, (uint64_t)e->id, parent, we_text_no(k, e->str),
			we_stack_no(k, e->stack));
	} else {
		wb_idmap_del(&k->tasks, (uint64_t)e->id);
		WE_EMIT(k, m->id, e->time_ns, WF_EV_USER_TASK_END, (uint64_t)e->id, we_stack_no(k, e->stack));
	}
	return true;
}

bool we_region_event(we_machine *k, we_thread *m, const wtr_event *e)
{
	we_goroutine *g = speaker(k, m);
	if (!g)
		return false;
	wtr_str s = wtr_string(k->t, e->str);
	we_region r = { (uint64_t)e->id, wb_intern_add(&k->names, s.at, s.n) };
	bool begin = e->kind == WTR_KIND_REGION_BEGIN;
	if (begin) {
		k->failed |= !wb_vec_add(&g->regions, r) || r.name == WB_INTERN_NONE;
	} else if (g->regions.n) {
		we_region top = g->regions.at[g->regions.n - 1];
		if (top.task != r.task || top.name != r.name)
			return false;
		g->regions.n--;
	}
	WE_EMIT(k, m->id, e->time_ns, begin ? WF_EV_USER_REGION_BEGIN : WF_EV_USER_REGION_END, r.task,
		we_text_no(k, e->str), we_stack_no(k, e->stack));
	return true;
}

bool we_other_event(we_machine *k, we_thread *m, const wtr_event *e)
{
	switch (e->kind) {
	case WTR_KIND_METRIC:
		if (!m || m->p == WE_NONE || (e->type == WF_EV_PROCS_CHANGE && m->g == WE_NONE))
			return false;
		if (e->type == WF_EV_PROCS_CHANGE)
			WE_EMIT(k, m->id, e->time_ns, e->type, e->value[0], we_stack_no(k, e->stack));
		else
			WE_EMIT(k, m->id, e->time_ns, e->type, e->value[0]);
		return true;
	case WTR_KIND_LABEL:
		if (!speaker(k, m))
			return false;
		WE_EMIT(k, m->id, e->time_ns, WF_EV_GO_LABEL, we_text_no(k, e->str));
		we_take_label(k, e);
		return true;
	case WTR_KIND_LOG:
		if (!speaker(k, m))
			return false;
		WE_EMIT(k, m->id, e->time_ns, WF_EV_USER_LOG, (uint64_t)e->id, we_text_no(k, e->str),
			we_text_no(k, e->str2), we_stack_no(k, e->stack));
		return true;
	case WTR_KIND_STACK_SAMPLE: {
		we_goroutine *g = we_find_g(k, e->g);
		if (g && !g->wanted)
			return false;
		we_sample(k->w, e, (uint32_t)we_stack_no(k, e->stack));
		k->counts.events++;
		k->last_ns = e->time_ns > k->last_ns ? e->time_ns : k->last_ns + 1;
		return true;
	}
	case WTR_KIND_EXPERIMENTAL:
		if (!m)
			return false;
		we_emit(k, m->id, e->time_ns, e->type, wf_specs[e->type].n_args - 1u,
			(uint64_t[]){ (uint64_t)e->id, e->value[0], e->value[1] });
		return true;
	default: return false;
	}
}

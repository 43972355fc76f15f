/* an/find/world.c - what is so at a time, and for how long it was. */
#include "an/find/find.h"

/* Procs of v1 traces that stand in for timers, the network and system calls. */
#define STAND_INS INT64_C(1000000)

void an_world_move(an_world *w, int64_t to_ns)
{
	int64_t from = w->now_ns > w->from_ns ? w->now_ns : w->from_ns;
	int64_t to = to_ns < w->to_ns ? to_ns : w->to_ns, dt = to - from;
	w->now_ns = to_ns;
	if (dt <= 0)
		return;
	w->by_cause[w->cause] += dt;
	w->capacity_ns += dt * w->procs;
	w->alone_ns += w->users == 1 ? dt : 0;
	w->together_ns += w->users > 1 ? dt : 0;
	if (w->ready == 0 && w->marks == 0 && w->stops == 0)
		return;
	w->mark_ns += w->marks ? dt : 0;
	w->stop_ns += w->stops ? dt : 0;
	if (w->ready == 0)
		return;
	unsigned idle = an_world_idle(w);
	if (idle)
		w->lost += (double)dt * (idle < w->ready ? idle : w->ready) / w->ready;
	else
		w->wanted_ns += dt;
}

void an_world_turn(an_world *w)
{
	w->cause = w->stops           ? AN_CAUSE_STOPPED
		   : an_world_idle(w) ? AN_CAUSE_IDLE
		   : w->taken < w->on ? AN_CAUSE_SEARCHING
		   : w->workers       ? AN_CAUSE_COLLECTOR
				      : AN_CAUSE_BUSY;
}

static an_world_proc *proc(an_world *w, int64_t id)
{
	uint32_t i = id < 0 || id >= STAND_INS ? WB_IDMAP_NONE : wb_idmap_get(&w->proc_of, (uint64_t)id);
	return i == WB_IDMAP_NONE ? NULL : &w->all.at[i];
}

static an_world_proc *new_proc(an_world *w, int64_t id)
{
	uint32_t i = (uint32_t)w->all.n;
	if (i >= STAND_INS || !wb_vec_add(&w->all, (an_world_proc){ .id = id }) ||
		!wb_idmap_set(&w->proc_of, (uint64_t)id, i))
		return NULL;
	if (!w->procs_told)
		w->procs = (int64_t)w->all.n;
	return &w->all.at[i];
}

static void take(an_world *w, an_world_proc *p, bool taken)
{
	w->taken += (unsigned)taken - (unsigned)p->taken;
	p->taken = taken;
}

void an_world_take(an_world *w, int64_t id, bool taken)
{
	an_world_proc *p = proc(w, id);
	if (p && (p->running || !taken))
		take(w, p, taken);
}

bool an_world_proc_event(an_world *w, const wtr_event *e)
{
	if (e->id < 0 || e->id >= STAND_INS)
		return true;
	an_world_proc *p = proc(w, e->id);
	if (!p && !(p = new_proc(w, e->id)))
		return false;
	bool running = wtr_to(e) == (wtr_gstate)WTR_P_RUNNING;
	w->on += (unsigned)running - (unsigned)p->running;
	p->running = running;
	if (!running)
		take(w, p, false);
	return true;
}

void an_world_procs_told(an_world *w, uint64_t n)
{
	int64_t procs = n < (uint64_t)STAND_INS ? (int64_t)n : STAND_INS;
	if (procs < 1)
		return;
	bool counts = w->now_ns >= w->from_ns && w->now_ns < w->to_ns;
	if (w->procs_told && counts && procs != w->procs)
		w->procs_changes++;
	w->procs = procs;
	w->procs_least = w->procs_told && w->procs_least < procs ? w->procs_least : procs;
	w->procs_most = w->procs_most > procs ? w->procs_most : procs;
	w->procs_told = true;
}

void an_world_free(an_world *w)
{
	wb_vec_free(&w->all);
	wb_idmap_free(&w->proc_of);
}

/* edit/machine_carry.c - what stands beside the events: what goroutines wait for, their labels, where they are. */
#include "edit/machine_inside.h"

#include <string.h>

#include "fmt/events.h"
#include "fmt/wire.h"
#include "read/source.h"
#include "read/v2/container.h"

/* ---- what is read ---- */

static void set_label(we_machine *k, we_goroutine *g, wtr_str s)
{
	g->label = wb_intern_add(&k->names, s.at, s.n);
	g->said = we_known(k);
	k->failed |= g->label == WB_INTERN_NONE;
}

static const wtr__gen *gen_of(const wtr_trace *t, uint64_t generation)
{
	const wtr__gens *v = t->v2;
	return v && generation && generation <= v->gens.n ? &v->gens.at[generation - 1] : NULL;
}

void we_enter(we_machine *k, const wtr_trace *t, uint64_t generation)
{
	const wtr__gen *gen = t ? gen_of(t, generation) : NULL;
	k->t = t ? t : k->t;
	k->source = !t ? WE_NO_SOURCE : gen ? gen->number : 0;
	k->carrier = t ? wtr__carrier_of(t, generation) : NULL;
	k->tells_waits = k->carrier && (k->carrier->entries.n || k->carrier->taken.n);
	if (k->w && k->carrier) {
		const wtr__carrier *c = k->carrier;
		we_carry_sums(we_carrier(k->w), WF_FACT_STALLS, c->stalls, c->stall_ns);
		we_carry_sums(we_carrier(k->w), WF_FACT_LOST, c->lost_stacks, c->lost_strings);
		for (size_t i = 0; i < c->names.n; i++)
			we_carry_name(we_carrier(k->w), c->names.at[i].id, c->names.at[i].name);
	}
}

/* Between the beginning of a generation and the first mention of a goroutine nothing changes its label. */
void we_source(we_machine *k, const wtr_trace *t, uint64_t generation)
{
	we_enter(k, t, generation);
	for (size_t i = 0; k->carrier && i < k->carrier->labels.n; i++) {
		const wtr_kept_label *l = &k->carrier->labels.at[i];
		we_goroutine *g = we_find_g(k, l->g);
		if (g)
			set_label(k, g, l->label);
	}
}

void we_find_label(we_machine *k, we_goroutine *g)
{
	size_t low = 0, high = k->carrier ? k->carrier->labels.n : 0;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const wtr_kept_label *l = &k->carrier->labels.at[mid];
		if (l->g == g->id)
			set_label(k, g, l->label);
		if (l->g < g->id)
			low = mid + 1;
		else
			high = mid;
	}
}

void we_take_label(we_machine *k, const wtr_event *e)
{
	we_goroutine *g = we_find_g(k, e->id);
	if (g)
		set_label(k, g, wtr_string(k->t, e->str));
}

static void forget_old(we_machine *k, we_goroutine *g)
{
	if (g->known == we_known(k))
		return;
	g->known = we_known(k);
	g->stack = g->wait = g->reason = 0;
}

static void learn_transition(we_machine *k, const wtr_event *e)
{
	we_goroutine *g = we_find_g(k, e->id);
	if (!g)
		return;
	bool again = wtr_from(e) == wtr_to(e) && g->known == we_known(k);
	forget_old(k, g);
	g->stack = e->transition_stack ? e->transition_stack : g->stack;
	if (again)
		return;
	g->wait = wtr_to(e) == WTR_G_WAITING ? e->wait : 0;
	g->reason = wtr_to(e) == WTR_G_WAITING ? e->str : 0;
}

void we_learn(we_machine *k, const wtr_event *e)
{
	if (e->kind == WTR_KIND_STATE_TRANSITION && e->resource == WTR_RES_GOROUTINE)
		learn_transition(k, e);
	if (!e->stack || e->kind == WTR_KIND_STACK_SAMPLE || (e->kind == WTR_KIND_STATE_TRANSITION && e->g == e->id))
		return;
	we_goroutine *g = e->g == WTR_NONE ? NULL : we_find_g(k, e->g);
	if (!g)
		return;
	forget_old(k, g);
	g->stack = e->stack;
}

void we_learn_later(we_machine *k, const we_goroutine *g, const wtr_event *status)
{
	if (!g->touched && g->known != we_known(k))
		learn_transition(k, status);
}

/* ---- what is written ---- */

void we_tell_goroutine(we_machine *k, const we_goroutine *g)
{
	if (!k->w || g->gen == k->gen)
		return;
	if (g->computes && g->status == WF_GO_SYSCALL)
		we_carry_computes(we_carrier(k->w), g->id);
	if (!g->label || g->said != we_known(k))
		return;
	wb_text label = wb_intern_text(&k->names, g->label);
	we_carry_label(we_carrier(k->w), g->id, (wtr_str){ label.at, label.n });
}

void we_tell_kept_wait(we_machine *k, const we_goroutine *g, uint32_t wait)
{
	wtr_object o[WTR_WAIT_OBJECTS_MAX];
	if (!k->w || !wait || g->status != WF_GO_WAITING || g->gen == k->gen)
		return;
	we_carry_kept_wait(we_carrier(k->w), g->id, o, wtr_wait_objects(k->t, wait, o, WTR_WAIT_OBJECTS_MAX));
}

void we_tell_reason(we_machine *k, const we_goroutine *g, uint32_t reason)
{
	if (k->w && reason && g->status == WF_GO_WAITING)
		we_carry_reason(we_carrier(k->w), g->id, wtr_string(k->t, reason));
}

void we_tell_wait(we_machine *k, int64_t m, const wtr_event *e)
{
	static const char send[] = "chan send";
	wtr_object o[WTR_WAIT_OBJECTS_MAX];
	if (!k->w)
		return;
	wtr_str reason = wtr_string(k->t, e->str);
	bool says_send = reason.n == sizeof(send) - 1 && memcmp(reason.at, send, reason.n) == 0;
	size_t n = e->wait ? wtr_wait_objects(k->t, e->wait, o, WTR_WAIT_OBJECTS_MAX) : 0;
	we_carry_wait(we_carrier(k->w), m, e->id, o, n, says_send);
}

void we_tell_taken(we_machine *k, int64_t m, const wtr_event *e)
{
	if (k->w && e->wait == WTR_PROC_TAKEN)
		we_carry_taken(we_carrier(k->w), m, (uint64_t)k->last_ns, e->id);
}

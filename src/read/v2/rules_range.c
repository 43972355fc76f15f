/* read/v2/rules_range.c - stop the world, mark assists, sweeps, collections: what has a begin and an end. */
#include "read/v2/rules.h"

static const char range_twice[] = "order.range-active", range_missing[] = "order.range-missing";

static range *find_range(order *o, const unit *u, uint8_t type, uint64_t desc, bool any)
{
	if (!u->extra)
		return NULL;
	extras *e = &o->extras.at[u->extra - 1];
	for (size_t i = 0; i < e->ranges.n; i++)
		if (e->ranges.at[i].type == type && (any || e->ranges.at[i].desc == desc))
			return &e->ranges.at[i];
	return NULL;
}

static verdict begin_range(order *o, const cursor *c, unit *u, uint8_t type, uint64_t desc, uint32_t str)
{
	if (find_range(o, u, type, desc, false) && !o->repair)
		return wtr__fault(
			o, c, range_twice, "%s is already going on for %lld", wf_specs[type].name, (long long)u->id);
	extras *e = wtr__extras_of(o, u);
	return e && wb_vec_add(&e->ranges, (range){ type, desc, str }) ? ADVANCE : wtr__no_memory(o);
}

static verdict end_range(order *o, const cursor *c, unit *u, uint8_t type, uint32_t *ret_str)
{
	range *r = find_range(o, u, type, 0, true);
	if (!r)
		return wtr__fault(o, c, range_missing, "%s ends for %lld, but is not going on", wf_specs[type].name,
			(long long)u->id);
	*ret_str = r->str;
	extras *e = &o->extras.at[u->extra - 1];
	*r = e->ranges.at[--e->ranges.n];
	return ADVANCE;
}

static wtr_event *emit_range(
	order *o, const cursor *c, const thread *th, wtr_kind kind, wtr_range type, wtr_resource resource, int64_t id)
{
	wtr_event *e = emit(o, c, th, kind);
	e->detail = (uint8_t)type;
	e->resource = (uint8_t)resource;
	e->id = id;
	return e;
}

verdict wtr__rule_go_range(order *o, cursor *c, thread *th)
{
	NEED(USER_GO);
	unit *u = current_g(o, th);
	if (!u)
		return wtr__fault(o, c, "order.goroutine-unknown", "goroutine %lld of its thread does not exist",
			(long long)th->g);
	bool stw = c->now->type == WF_EV_STW_BEGIN || c->now->type == WF_EV_STW_END;
	bool begin = c->now->type == WF_EV_STW_BEGIN || c->now->type == WF_EV_GC_MARK_ASSIST_BEGIN;
	wtr_range type = stw ? WTR_RANGE_STW : WTR_RANGE_MARK_ASSIST;
	uint8_t begin_type = stw ? WF_EV_STW_BEGIN : WF_EV_GC_MARK_ASSIST_BEGIN;
	uint32_t str = begin && stw ? string_id(o, c, c->now->arg[0]) : 0;
	verdict v = begin ? begin_range(o, c, u, begin_type, stw ? c->now->arg[0] : 0, str)
			  : end_range(o, c, u, begin_type, &str);
	if (v != ADVANCE)
		return v;
	wtr_event *e =
		emit_range(o, c, th, begin ? WTR_KIND_RANGE_BEGIN : WTR_KIND_RANGE_END, type, WTR_RES_GOROUTINE, th->g);
	e->str = str;
	if (begin)
		e->stack = stack_id(o, c, c->now->arg[stw]);
	return ADVANCE;
}

/* "Active" says of a range that it goes on: news in the first generation, a check in the others. */
verdict wtr__rule_active_range(order *o, cursor *c, thread *th)
{
	bool sweep = c->now->type == WF_EV_GC_SWEEP_ACTIVE;
	unit *u = sweep ? find_p(o, c->now->arg[0]) : find_g(o, c->now->arg[0]);
	if (!u)
		return wtr__fault(o, c, "order.range-resource", "%s %lld does not exist", sweep ? "proc" : "goroutine",
			(long long)c->now->arg[0]);
	uint8_t begin = wf_specs[c->now->type].begin;
	bool known = find_range(o, u, begin, 0, false) != NULL;
	bool initial = o->gen_number == o->initial_gen;
	if (known && initial && !o->repair)
		return wtr__fault(o, c, range_twice, "%s of %lld is named twice in the first generation",
			wf_specs[begin].name, (long long)u->id);
	if (!known && !initial && !o->repair)
		return wtr__fault(o, c, range_missing, "%s is said to go on for %lld, but did not begin",
			wf_specs[begin].name, (long long)u->id);
	if (!known) {
		verdict v = begin_range(o, c, u, begin, 0, 0);
		if (v != ADVANCE)
			return v;
	}
	emit_range(o, c, th, WTR_KIND_RANGE_ACTIVE, sweep ? WTR_RANGE_SWEEP : WTR_RANGE_MARK_ASSIST,
		sweep ? WTR_RES_PROC : WTR_RES_GOROUTINE, u->id);
	return ADVANCE;
}

verdict wtr__rule_gc_sweep(order *o, cursor *c, thread *th)
{
	NEED(HAS_M | HAS_P);
	unit *p = current_p(o, th);
	if (!p)
		return wtr__fault(
			o, c, "order.proc-unknown", "proc %lld of its thread does not exist", (long long)th->p);
	bool begin = c->now->type == WF_EV_GC_SWEEP_BEGIN;
	uint32_t str = 0;
	verdict v = begin ? begin_range(o, c, p, WF_EV_GC_SWEEP_BEGIN, 0, 0)
			  : end_range(o, c, p, WF_EV_GC_SWEEP_BEGIN, &str);
	if (v != ADVANCE)
		return v;
	wtr_event *e = emit_range(
		o, c, th, begin ? WTR_KIND_RANGE_BEGIN : WTR_KIND_RANGE_END, WTR_RANGE_SWEEP, WTR_RES_PROC, th->p);
	if (begin) {
		e->stack = stack_id(o, c, c->now->arg[0]);
	} else {
		e->value[0] = c->now->arg[0];
		e->value[1] = c->now->arg[1];
	}
	return ADVANCE;
}

/* The mark phase is global and has sequence numbers of its own that no generation resets. */
verdict wtr__rule_gc_mark(order *o, cursor *c, thread *th)
{
	uint64_t seq = c->now->arg[0];
	bool active = c->now->type == WF_EV_GC_ACTIVE, end = c->now->type == WF_EV_GC_END;
	wtr_kind kind = active ? WTR_KIND_RANGE_ACTIVE : end ? WTR_KIND_RANGE_END : WTR_KIND_RANGE_BEGIN;
	bool first = active ? o->gen_number == o->initial_gen : !end && o->gc == GC_UNDETERMINED;
	if (active && first && o->gc != GC_UNDETERMINED && !o->repair)
		return wtr__fault(o, c, "order.gc-first",
			"a collection is said to go on in the first generation, but another event of it came before");
	if (!first) {
		if (seq != o->gc_seq + 1 && !o->force)
			return RETRY;
		if (active && o->gc != GC_ON && !o->repair)
			return wtr__fault(o, c, "order.gc-off", "a collection is said to go on, but none does");
		if (!active && !end && o->gc == GC_ON && !o->repair)
			return wtr__fault(o, c, "order.gc-on", "a collection begins inside another");
		if (end && o->gc != GC_ON && !o->repair)
			return wtr__fault(o, c, "order.gc-off", "a collection ends, but none goes on%s",
				o->gc == GC_UNDETERMINED ? " for all that is known" : "");
		NEED(USER_GO);
	}
	o->gc_seq = seq;
	o->gc = end ? GC_OFF : GC_ON;
	wtr_event *e = emit_range(o, c, th, kind, WTR_RANGE_GC_MARK, WTR_RES_NONE, 0);
	if (!active && !end)
		e->stack = stack_id(o, c, c->now->arg[1]);
	return ADVANCE;
}

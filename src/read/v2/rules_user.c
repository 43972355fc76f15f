/* read/v2/rules_user.c - what the program and the runtime say: tasks, regions, logs, labels, metrics, experiments. */
#include "read/v2/decode.h"
#include "read/v2/rules.h"

static uint32_t keep_text(order *o, uint32_t id)
{
	wtr_str s = wtr_string(o->t, id);
	return wtr__extra_string(o->t, s.at, s.n);
}

/* Names are compared across generations, so they must be known at once. */
static verdict name_of(order *o, const cursor *c, uint64_t wire, uint32_t *ret)
{
	*ret = wtr__string_id(o->tables, wire);
	if (*ret != WTR__UNKNOWN)
		return ADVANCE;
	*ret = 0;
	if (o->repair) {
		o->base.diag[WTR__DIAG_UNKNOWN_STRINGS]++;
		return ADVANCE;
	}
	return wtr__fault(o, c, "event.table-id", "it names string %llu, which no table of its generation defines",
		(unsigned long long)wire);
}

verdict wtr__rule_task_begin(order *o, cursor *c, thread *th)
{
	uint64_t id = c->now->arg[0], parent = c->now->arg[1] ? c->now->arg[1] : (uint64_t)WTR_NONE;
	uint32_t name, known = wb_idmap_get(&o->task_ids, id);
	if (known != WB_IDMAP_NONE && !o->repair)
		return wtr__fault(
			o, c, "order.task-active", "task %llu begins, but is already going on", (unsigned long long)id);
	if (name_of(o, c, c->now->arg[2], &name) != ADVANCE)
		return FAULT;
	NEED(USER_GO);
	task t = { id, parent, keep_text(o, name) };
	if (t.name == WTR__UNKNOWN)
		return wtr__no_memory(o);
	if (known != WB_IDMAP_NONE)
		o->tasks.at[known] = t;
	else if (!wb_vec_reserve(&o->tasks, 1) || !wb_idmap_set(&o->task_ids, id, (uint32_t)o->tasks.n))
		return wtr__no_memory(o);
	else
		o->tasks.at[o->tasks.n++] = t;
	wtr_event *e = emit(o, c, th, WTR_KIND_TASK_BEGIN);
	e->id = (int64_t)id;
	e->value[0] = parent;
	e->str = name;
	e->stack = stack_id(o, c, c->now->arg[3]);
	return ADVANCE;
}

verdict wtr__rule_task_end(order *o, cursor *c, thread *th)
{
	NEED(USER_GO);
	uint64_t id = c->now->arg[0];
	wtr_event *e = emit(o, c, th, WTR_KIND_TASK_END);
	e->id = (int64_t)id;
	e->value[0] = (uint64_t)WTR_NONE;
	e->stack = stack_id(o, c, c->now->arg[1]);
	uint32_t i = wb_idmap_get(&o->task_ids, id);
	if (i == WB_IDMAP_NONE)
		return ADVANCE;
	e->value[0] = o->tasks.at[i].parent;
	e->str = o->tasks.at[i].name;
	/* The last task takes the place of the one that ended. */
	task last = o->tasks.at[--o->tasks.n];
	wb_idmap_del(&o->task_ids, id);
	if (i != o->tasks.n) {
		o->tasks.at[i] = last;
		if (!wb_idmap_set(&o->task_ids, last.id, i))
			return wtr__no_memory(o);
	}
	return ADVANCE;
}

verdict wtr__rule_region(order *o, cursor *c, thread *th)
{
	NEED(USER_GO);
	bool begin = c->now->type == WF_EV_USER_REGION_BEGIN;
	uint32_t name;
	if (name_of(o, c, c->now->arg[1], &name) != ADVANCE)
		return FAULT;
	unit *u = current_g(o, th);
	if (!u)
		return wtr__fault(o, c, "order.goroutine-unknown", "goroutine %lld of its thread does not exist",
			(long long)th->g);
	region r = { c->now->arg[0], keep_text(o, name) };
	extras *x = wtr__extras_of(o, u);
	if (!x || r.str == WTR__UNKNOWN || (begin && !wb_vec_add(&x->regions, r)))
		return wtr__no_memory(o);
	if (!begin && x->regions.n) { /* none: it began before the trace did */
		region top = x->regions.at[x->regions.n - 1];
		if (top.task != r.task || top.str != r.str) {
			wtr_str a = wtr_string(o->t, r.str), b = wtr_string(o->t, top.str);
			o->base.diag[WTR__DIAG_REGION_MISMATCH]++;
			return wtr__fault(o, c, "order.region-end",
				"goroutine %lld ends region \"%.*s\" of task %llu, but the innermost open one is "
				"\"%.*s\" of task %llu",
				(long long)th->g, (int)(a.n < 40 ? a.n : 40), a.at, (unsigned long long)r.task,
				(int)(b.n < 40 ? b.n : 40), b.at, (unsigned long long)top.task);
		}
		x->regions.n--;
	}
	wtr_event *e = emit(o, c, th, begin ? WTR_KIND_REGION_BEGIN : WTR_KIND_REGION_END);
	e->id = (int64_t)c->now->arg[0];
	e->str = name;
	e->stack = stack_id(o, c, c->now->arg[2]);
	return ADVANCE;
}

verdict wtr__rule_log(order *o, cursor *c, thread *th)
{
	NEED(USER_GO);
	wtr_event *e = emit(o, c, th, WTR_KIND_LOG);
	e->id = (int64_t)c->now->arg[0];
	e->stack = stack_id(o, c, c->now->arg[3]);
	e->str = string_id(o, c, c->now->arg[1]);
	e->str2 = string_id(o, c, c->now->arg[2]);
	return ADVANCE;
}

verdict wtr__rule_label(order *o, cursor *c, thread *th)
{
	NEED(USER_GO);
	wtr_event *e = emit(o, c, th, WTR_KIND_LABEL);
	e->resource = WTR_RES_GOROUTINE;
	e->id = th->g;
	e->str = string_id(o, c, c->now->arg[0]);
	return ADVANCE;
}

verdict wtr__rule_metric(order *o, cursor *c, thread *th, unsigned need, wtr_metric which)
{
	NEED(need);
	wtr_event *e = emit(o, c, th, WTR_KIND_METRIC);
	e->detail = (uint8_t)which;
	e->value[0] = c->now->arg[0];
	if (which == WTR_METRIC_GOMAXPROCS)
		e->stack = stack_id(o, c, c->now->arg[1]);
	return ADVANCE;
}

verdict wtr__rule_experimental(order *o, cursor *c, thread *th)
{
	NEED(HAS_M);
	wtr_event *e = emit(o, c, th, WTR_KIND_EXPERIMENTAL);
	unsigned n = wtr__n_args[c->now->type];
	e->id = (int64_t)c->now->arg[0];
	e->value[0] = n > 2 ? c->now->arg[1] : 0;
	e->value[1] = n > 3 ? c->now->arg[2] : 0;
	return ADVANCE;
}

/* read/v1/check.c - see check.h. */
#include "read/v1/check.h"

static const struct {
	const char *rule, *text;
} faults[] = {
	{ "", "" },
#define FAULT(ID, rule, text) { rule, text },
	WTR__V1_FAULTS(FAULT)
#undef FAULT
};

const char *wtr__v1_fault_rule(wtr__v1_fault f) { return faults[f].rule; }
const char *wtr__v1_fault_text(wtr__v1_fault f) { return faults[f].text; }

uint32_t wtr__v1_new_g(wtr__v1_check *c, uint64_t id)
{
	uint32_t i = (uint32_t)c->gs.n;
	if (!wb_vec_add(&c->gs, (wtr__v1_g){ .id = id }))
		return WTR__V1_NONE;
	if (!wb_idmap_set(&c->ids, id, i)) {
		c->gs.n--;
		return WTR__V1_NONE;
	}
	return i;
}

bool wtr__v1_check_open(wtr__v1_check *c, const wtr__v1 *v, wtr__v1_bits *syscalls, wtr__v1_bits *unblocks)
{
	*c = (wtr__v1_check){ .syscalls = syscalls, .unblocks = unblocks };
	if (wtr__v1_new_g(c, 0) == WTR__V1_NONE)
		return false;
	c->gs.at[0].exists = true;
	c->gs.at[0].state = WTR__V1_RUNNING;
	for (size_t i = 0; i < v->timers.n; i++) {
		uint32_t g = wtr__v1_find_g(c, v->timers.at[i]);
		if (g == WTR__V1_NONE)
			return false;
		c->gs.at[g].timer = true;
	}
	return true;
}

void wtr__v1_check_close(wtr__v1_check *c)
{
	wb_vec_free(&c->gs);
	wb_vec_free(&c->regions);
	wb_idmap_free(&c->ids);
	wb_idmap_free(&c->tasks);
}

static bool region_begin(wtr__v1_check *c, wtr__v1_g *g, const wtr__v1_event *e)
{
	uint32_t i = c->free_region;
	wtr__v1_region r = { e->a[0], e->a[2], g->regions };
	if (i) {
		c->free_region = c->regions.at[i - 1].outer;
		c->regions.at[i - 1] = r;
	} else {
		if (!wb_vec_add(&c->regions, r))
			return false;
		i = (uint32_t)c->regions.n;
	}
	g->regions = i;
	return true;
}

static void pop_region(wtr__v1_check *c, wtr__v1_g *g)
{
	wtr__v1_region *r = &c->regions.at[g->regions - 1];
	uint32_t outer = r->outer;
	r->outer = c->free_region;
	c->free_region = g->regions;
	g->regions = outer;
}

void wtr__v1_drop_regions(wtr__v1_check *c, wtr__v1_g *g)
{
	while (g->regions)
		pop_region(c, g);
}

wtr__v1_fault wtr__v1_check_user(wtr__v1_check *c, wtr__v1_g *g, const wtr__v1_event *e)
{
	switch (e->type) {
	case WF_V1_UserTaskCreate:
		if (wb_idmap_get(&c->tasks, e->a[0]) != WB_IDMAP_NONE)
			return WTR__V1_FAULT_TASK_TWICE;
		return wb_idmap_set(&c->tasks, e->a[0], 0) ? WTR__V1_FINE : WTR__V1_FAULT_NO_MEMORY;
	case WF_V1_UserTaskEnd:
		wb_idmap_del(&c->tasks, e->a[0]);
		return WTR__V1_FINE;
	default:
		break;
	}
	if (e->a[1] == 0)
		return region_begin(c, g, e) ? WTR__V1_FINE : WTR__V1_FAULT_NO_MEMORY;
	if (e->a[1] != 1)
		return WTR__V1_FAULT_REGION_MODE;
	if (!g->regions)
		return WTR__V1_FINE; /* it began before the trace did */
	const wtr__v1_region *r = &c->regions.at[g->regions - 1];
	if (r->task != e->a[0] || r->name != e->a[2])
		return WTR__V1_FAULT_REGION_MISMATCH;
	pop_region(c, g);
	return WTR__V1_FINE;
}

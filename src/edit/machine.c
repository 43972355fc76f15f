/* edit/machine.c - see machine.h; the rules are those of docs/format.md, "Order". */
#include "edit/machine_inside.h"

#include <string.h>

#include "fmt/events.h"
#include "fmt/wire.h"

we_machine *we_machine_new(bool v1)
{
	we_machine *k = wb_calloc(1, sizeof(*k));
	if (k) {
		k->v1 = v1;
		k->gen = 1;
		k->last_p = k->last_g = WE_NONE;
		k->last_ns = INT64_MIN;
	}
	return k;
}

void we_machine_free(we_machine *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->gs.n; i++)
		wb_vec_free(&k->gs.at[i].regions);
	wb_vec_free(&k->gs);
	wb_vec_free(&k->ps);
	wb_vec_free(&k->ms);
	wb_vec_free(&k->free_gs);
	wb_vec_free(&k->g_order);
	wb_vec_free(&k->p_order);
	wb_idmap_free(&k->g_of);
	wb_idmap_free(&k->p_of);
	wb_idmap_free(&k->m_of);
	wb_idmap_free(&k->later_g);
	wb_idmap_free(&k->later_p);
	wb_idmap_free(&k->tasks);
	wb_intern_free(&k->names);
	wb_free(k);
}

void we_choose(we_machine *k, we_wanted *wanted, void *user)
{
	k->wanted = wanted;
	k->user = user;
}

/* ---- looking up ---- */

we_goroutine *we_find_g(we_machine *k, int64_t id)
{
	uint32_t i = wb_idmap_get(&k->g_of, (uint64_t)id);
	return i == WB_IDMAP_NONE ? NULL : &k->gs.at[i];
}

we_proc *we_find_p(we_machine *k, int64_t id)
{
	uint32_t i = wb_idmap_get(&k->p_of, (uint64_t)id);
	return i == WB_IDMAP_NONE ? NULL : &k->ps.at[i];
}

int32_t we_place_g(const we_machine *k, const we_goroutine *g)
{
	return (int32_t)(g - k->gs.at);
}
int32_t we_place_p(const we_machine *k, const we_proc *p)
{
	return (int32_t)(p - k->ps.at);
}
static int32_t place_m(const we_machine *k, const we_thread *m)
{
	return (int32_t)(m - k->ms.at);
}

/* The thread of that id, made if it is new; NULL for none, or out of memory. */
we_thread *we_thread_of(we_machine *k, int64_t id)
{
	if (id == WTR_NONE)
		return NULL;
	uint32_t *recent = &k->recent[(uint64_t)id % WE_RECENT];
	if (*recent < k->ms.n && k->ms.at[*recent].id == id)
		return &k->ms.at[*recent];
	uint32_t i = wb_idmap_get(&k->m_of, (uint64_t)id);
	if (i != WB_IDMAP_NONE)
		return &k->ms.at[*recent = i];
	if (!wb_vec_reserve(&k->ms, 1) || !wb_idmap_set(&k->m_of, (uint64_t)id, (uint32_t)k->ms.n)) {
		k->failed = true;
		return NULL;
	}
	k->ms.at[k->ms.n++] = (we_thread){ .id = id, .g = WE_NONE, .p = WE_NONE };
	return &k->ms.at[k->ms.n - 1];
}

we_goroutine *we_new_g(we_machine *k, int64_t id, uint8_t status)
{
	int32_t i = k->free_gs.n ? k->free_gs.at[--k->free_gs.n] : (int32_t)k->gs.n;
	if (i == (int32_t)k->gs.n && !wb_vec_add(&k->gs, (we_goroutine){ 0 })) {
		k->failed = true;
		return NULL;
	}
	we_goroutine *g = &k->gs.at[i];
	g->regions.n = 0;
	WB_VEC(we_region) kept;
	memcpy(&kept, &g->regions, sizeof(kept));
	*g = (we_goroutine){ .id = id, .m = WE_NONE, .status = status };
	memcpy(&g->regions, &kept, sizeof(kept));
	g->wanted = !k->wanted || k->wanted(k->user, id);
	k->failed |= !wb_idmap_set(&k->g_of, (uint64_t)id, (uint32_t)i);
	we_find_label(k, g);
	return g;
}

we_proc *we_new_p(we_machine *k, int64_t id, uint8_t status)
{
	uint32_t i = (uint32_t)k->ps.n;
	if (!wb_vec_add(&k->ps, (we_proc){ .id = id, .m = WE_NONE, .status = status }) ||
		!wb_idmap_set(&k->p_of, (uint64_t)id, i)) {
		k->failed = true;
		return NULL;
	}
	return &k->ps.at[i];
}

void we_bind_g(we_machine *k, we_thread *m, we_goroutine *g)
{
	if (m->g != WE_NONE)
		k->gs.at[m->g].m = WE_NONE;
	if (g->m != WE_NONE)
		k->ms.at[g->m].g = WE_NONE;
	m->g = we_place_g(k, g);
	g->m = place_m(k, m);
}

void we_unbind_g(we_machine *k, we_goroutine *g)
{
	if (g->m != WE_NONE)
		k->ms.at[g->m].g = WE_NONE;
	g->m = WE_NONE;
}

void we_bind_p(we_machine *k, we_thread *m, we_proc *p)
{
	if (m->p != WE_NONE)
		k->ps.at[m->p].m = WE_NONE;
	if (p->m != WE_NONE)
		k->ms.at[p->m].p = WE_NONE;
	m->p = we_place_p(k, p);
	p->m = place_m(k, m);
}

void we_unbind_p(we_machine *k, we_proc *p)
{
	if (p->m != WE_NONE)
		k->ms.at[p->m].p = WE_NONE;
	p->m = WE_NONE;
	p->status = WF_PROC_IDLE;
}

void we_remove_g(we_machine *k, we_goroutine *g)
{
	we_unbind_g(k, g);
	wb_idmap_del(&k->g_of, (uint64_t)g->id);
	g->status = WE_DEAD;
	k->failed |= !wb_vec_add(&k->free_gs, we_place_g(k, g));
}

uint8_t we_go_status(wtr_gstate s)
{
	return s == WTR_G_RUNNABLE  ? WF_GO_RUNNABLE
	       : s == WTR_G_RUNNING ? WF_GO_RUNNING
	       : s == WTR_G_SYSCALL ? WF_GO_SYSCALL
				    : WF_GO_WAITING;
}

/* ---- asking ---- */

bool we_is_wanted(we_machine *k, int64_t g)
{
	const we_goroutine *x = we_find_g(k, g);
	return x && x->wanted;
}

void we_end_generation(we_machine *k, int64_t time_ns)
{
	we_let_go(k, NULL);
	if (k->w)
		we_say_the_rest(k, time_ns);
	k->last_p = k->last_g = WE_NONE;
	k->gen++;
}

void we_get_counts(const we_machine *k, we_counts *ret)
{
	*ret = k->counts;
}

bool we_is_unsure(const we_machine *k)
{
	return k->unsure;
}

bool we_failed(const we_machine *k)
{
	return k->failed;
}

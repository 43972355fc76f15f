/* edit/machine.c - see machine.h; the rules are those of docs/format.md, "Order". */
#include "edit/machine.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/idmap.h"
#include "base/intern.h"
#include "base/vec.h"
#include "fmt/events.h"
#include "fmt/wire.h"

enum { NONE = -1, DEAD = 0xff, V1_PSEUDO_PROC = 1000000 };

typedef struct region {
	uint64_t task;
	uint32_t name;
} region;

typedef struct goroutine {
	int64_t id;
	int32_t m;      /* place of its thread while running or in a system call */
	uint8_t status; /* WF_GO_..., DEAD */
	bool wanted, foreseen, assist, stw;
	uint32_t stw_kind; /* string id of the trace that is read */
	uint64_t gen, seq;
	WB_VEC(region) regions;
} goroutine;

typedef struct proc {
	int64_t id;
	int32_t m;      /* NONE when idle */
	uint8_t status; /* WF_PROC_RUNNING, _IDLE, _SYSCALL, _SYSCALL_ABANDONED */
	bool sweep, foreseen;
	uint64_t gen, seq;
} proc;

typedef struct thread {
	int64_t id;
	int32_t g, p; /* places; NONE */
} thread;

struct we_machine {
	bool v1, failed;
	we_writer *w;       /* NULL while following */
	const wtr_trace *t; /* of the event being taken */
	we_wanted *wanted;
	void *user;
	WB_VEC(goroutine) gs;
	WB_VEC(proc) ps;
	WB_VEC(thread) ms;
	wb_idmap g_of, p_of, m_of;
	wb_idmap later_g, later_p; /* created behind the moment of we_foresee() */
	wb_idmap tasks;            /* active */
	wb_intern names;           /* of regions */
	WB_VEC(int32_t) free_gs, g_order, p_order;
	bool gc_on, gc_known; /* whether the collector marks, and whether we can tell */
	uint64_t gc_seq;
	uint64_t gen;
	int64_t last_ns;
	bool has_held;
	wtr_event held; /* see proc_steal() */
	we_counts counts;
};

we_machine *we_machine_new(bool v1)
{
	we_machine *k = wb_calloc(1, sizeof(*k));
	if (k) {
		k->v1 = v1;
		k->gen = 1;
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

static goroutine *find_g(we_machine *k, int64_t id)
{
	uint32_t i = wb_idmap_get(&k->g_of, (uint64_t)id);
	return i == WB_IDMAP_NONE ? NULL : &k->gs.at[i];
}

static proc *find_p(we_machine *k, int64_t id)
{
	uint32_t i = wb_idmap_get(&k->p_of, (uint64_t)id);
	return i == WB_IDMAP_NONE ? NULL : &k->ps.at[i];
}

static int32_t place_g(const we_machine *k, const goroutine *g)
{
	return (int32_t)(g - k->gs.at);
}
static int32_t place_p(const we_machine *k, const proc *p)
{
	return (int32_t)(p - k->ps.at);
}
static int32_t place_m(const we_machine *k, const thread *m)
{
	return (int32_t)(m - k->ms.at);
}

/* The thread of that id, made if it is new; NULL for none, or out of memory. */
static thread *thread_of(we_machine *k, int64_t id)
{
	if (id == WTR_NONE)
		return NULL;
	uint32_t i = wb_idmap_get(&k->m_of, (uint64_t)id);
	if (i != WB_IDMAP_NONE)
		return &k->ms.at[i];
	if (!wb_vec_reserve(&k->ms, 1) || !wb_idmap_set(&k->m_of, (uint64_t)id, (uint32_t)k->ms.n)) {
		k->failed = true;
		return NULL;
	}
	k->ms.at[k->ms.n++] = (thread){ .id = id, .g = NONE, .p = NONE };
	return &k->ms.at[k->ms.n - 1];
}

static goroutine *new_g(we_machine *k, int64_t id, uint8_t status)
{
	int32_t i = k->free_gs.n ? k->free_gs.at[--k->free_gs.n] : (int32_t)k->gs.n;
	if (i == (int32_t)k->gs.n && !wb_vec_add(&k->gs, (goroutine){ 0 })) {
		k->failed = true;
		return NULL;
	}
	goroutine *g = &k->gs.at[i];
	g->regions.n = 0;
	WB_VEC(region) kept;
	memcpy(&kept, &g->regions, sizeof(kept));
	*g = (goroutine){ .id = id, .m = NONE, .status = status };
	memcpy(&g->regions, &kept, sizeof(kept));
	g->wanted = !k->wanted || k->wanted(k->user, id);
	k->failed |= !wb_idmap_set(&k->g_of, (uint64_t)id, (uint32_t)i);
	return g;
}

static proc *new_p(we_machine *k, int64_t id, uint8_t status)
{
	uint32_t i = (uint32_t)k->ps.n;
	if (!wb_vec_add(&k->ps, (proc){ .id = id, .m = NONE, .status = status }) ||
		!wb_idmap_set(&k->p_of, (uint64_t)id, i)) {
		k->failed = true;
		return NULL;
	}
	return &k->ps.at[i];
}

static void bind_g(we_machine *k, thread *m, goroutine *g)
{
	if (m->g != NONE)
		k->gs.at[m->g].m = NONE;
	if (g->m != NONE)
		k->ms.at[g->m].g = NONE;
	m->g = place_g(k, g);
	g->m = place_m(k, m);
}

static void unbind_g(we_machine *k, goroutine *g)
{
	if (g->m != NONE)
		k->ms.at[g->m].g = NONE;
	g->m = NONE;
}

static void bind_p(we_machine *k, thread *m, proc *p)
{
	if (m->p != NONE)
		k->ps.at[m->p].m = NONE;
	if (p->m != NONE)
		k->ms.at[p->m].p = NONE;
	m->p = place_p(k, p);
	p->m = place_m(k, m);
}

static void unbind_p(we_machine *k, proc *p)
{
	if (p->m != NONE)
		k->ms.at[p->m].p = NONE;
	p->m = NONE;
	p->status = WF_PROC_IDLE;
}

static void remove_g(we_machine *k, goroutine *g)
{
	unbind_g(k, g);
	wb_idmap_del(&k->g_of, (uint64_t)g->id);
	g->status = DEAD;
	k->failed |= !wb_vec_add(&k->free_gs, place_g(k, g));
}

static uint8_t go_status(wtr_gstate s)
{
	return s == WTR_G_RUNNABLE  ? WF_GO_RUNNABLE
	       : s == WTR_G_RUNNING ? WF_GO_RUNNING
	       : s == WTR_G_SYSCALL ? WF_GO_SYSCALL
				    : WF_GO_WAITING;
}

/* ---- writing ---- */

static void emit(we_machine *k, int64_t m, int64_t time_ns, uint8_t type, unsigned n, const uint64_t *args)
{
	if (!k->w)
		return;
	k->last_ns = time_ns > k->last_ns ? time_ns : k->last_ns + 1;
	we_event(k->w, m, k->last_ns, type, n, args);
	k->counts.events++;
}
#define EMIT(k, m, time_ns, type, ...) \
	emit(k, m, time_ns, type, sizeof((uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t), (uint64_t[]){ __VA_ARGS__ })
#define ADD(k, ...) ((k)->counts.added += (k)->w != NULL, EMIT(k, __VA_ARGS__))

static uint64_t stack(we_machine *k, uint32_t id)
{
	return k->w ? we_stack(k->w, k->t, id) : 0;
}
static uint64_t text(we_machine *k, uint32_t id)
{
	return k->w ? we_string(k->w, k->t, id) : 0;
}

static int64_t id_of_m(const we_machine *k, int32_t m)
{
	return m == NONE ? WTR_NONE : k->ms.at[m].id;
}

static void write_g_status(we_machine *k, goroutine *g, int64_t time_ns, uint64_t stk)
{
	int64_t m = id_of_m(k, g->m);
	if (stk)
		EMIT(k, m, time_ns, WF_EV_GO_STATUS_STACK, (uint64_t)g->id, (uint64_t)m, g->status, stk);
	else
		EMIT(k, m, time_ns, WF_EV_GO_STATUS, (uint64_t)g->id, (uint64_t)m, g->status);
	g->gen = k->gen;
	g->seq = 0;
}

static void write_p_status(we_machine *k, proc *p, int64_t time_ns)
{
	EMIT(k, id_of_m(k, p->m), time_ns, WF_EV_PROC_STATUS, (uint64_t)p->id, p->status);
	p->gen = k->gen;
	p->seq = 0;
}

/* In a generation that has not named it yet, the status of a goroutine or proc goes before everything else about it. */
static void say_goroutine(we_machine *k, goroutine *g, int64_t time_ns)
{
	if (!k->w || g->gen == k->gen)
		return;
	k->counts.added++;
	write_g_status(k, g, time_ns, 0);
}

static void say_proc(we_machine *k, proc *p, int64_t time_ns)
{
	if (!k->w || p->gen == k->gen)
		return;
	k->counts.added++;
	write_p_status(k, p, time_ns);
}

static uint64_t next_g_seq(we_machine *k, goroutine *g, int64_t time_ns)
{
	say_goroutine(k, g, time_ns);
	return ++g->seq;
}

static uint64_t next_p_seq(we_machine *k, proc *p, int64_t time_ns)
{
	say_proc(k, p, time_ns);
	return ++p->seq;
}

/* ---- what is missing ---- */

static void stop_proc(we_machine *k, proc *p, int64_t time_ns)
{
	say_proc(k, p, time_ns);
	k->counts.added += k->w != NULL;
	emit(k, id_of_m(k, p->m), time_ns, WF_EV_PROC_STOP, 0, NULL);
	unbind_p(k, p);
}

static void start_proc(we_machine *k, thread *m, proc *p, int64_t time_ns)
{
	uint64_t seq = next_p_seq(k, p, time_ns);
	ADD(k, m->id, time_ns, WF_EV_PROC_START, (uint64_t)p->id, seq);
	p->status = WF_PROC_RUNNING;
	bind_p(k, m, p);
}

/* So that thread m can start it. */
static void make_idle(we_machine *k, thread *m, proc *p, int64_t time_ns)
{
	if (p->m != NONE)
		stop_proc(k, p, time_ns);
	if (p->status != WF_PROC_SYSCALL_ABANDONED)
		return;
	uint64_t seq = next_p_seq(k, p, time_ns);
	ADD(k, m->id, time_ns, WF_EV_PROC_STEAL, (uint64_t)p->id, seq, (uint64_t)m->id);
	p->status = WF_PROC_IDLE;
}

/* Gives a thread the proc that it should have. */
static void need_proc(we_machine *k, thread *m, int64_t id, int64_t time_ns)
{
	if (id == WTR_NONE || (m->p != NONE && k->ps.at[m->p].id == id))
		return;
	proc *p = find_p(k, id);
	if (!p) {
		p = new_p(k, id, WF_PROC_IDLE);
		if (!p)
			return;
	}
	if (m->p != NONE)
		stop_proc(k, &k->ps.at[m->p], time_ns);
	p = find_p(k, id);
	make_idle(k, m, p, time_ns);
	start_proc(k, m, p, time_ns);
}

static void wake(we_machine *k, goroutine *g, int64_t m, int64_t time_ns)
{
	uint64_t seq = next_g_seq(k, g, time_ns);
	ADD(k, m, time_ns, WF_EV_GO_UNBLOCK, (uint64_t)g->id, seq, 0);
	g->status = WF_GO_RUNNABLE;
}

/* ---- procs ---- */

static bool proc_status(we_machine *k, thread *m, const wtr_event *e)
{
	proc *p = find_p(k, e->id);
	if (p) { /* said again: what we know counts */
		if (k->w)
			write_p_status(k, p, e->time_ns);
		return true;
	}
	uint8_t st = (unsigned)wtr_to(e) == WTR_P_RUNNING ? WF_PROC_RUNNING : WF_PROC_IDLE;
	if (e->value[0] == WF_PROC_SYSCALL || e->value[0] == WF_PROC_SYSCALL_ABANDONED)
		st = (uint8_t)e->value[0];
	if (st != WF_PROC_IDLE && st != WF_PROC_SYSCALL_ABANDONED && !m)
		st = WF_PROC_IDLE;
	p = new_p(k, e->id, st);
	if (!p)
		return false;
	if (st != WF_PROC_IDLE && st != WF_PROC_SYSCALL_ABANDONED)
		bind_p(k, m, p);
	if (k->w)
		write_p_status(k, p, e->time_ns);
	return true;
}

static bool proc_start(we_machine *k, thread *m, const wtr_event *e)
{
	proc *p = find_p(k, e->id);
	if (!m || (!p && !(p = new_p(k, e->id, WF_PROC_IDLE))))
		return false;
	if (m->p == place_p(k, p) && p->status == WF_PROC_RUNNING)
		return false;
	if (m->p != NONE)
		stop_proc(k, &k->ps.at[m->p], e->time_ns);
	make_idle(k, m, p, e->time_ns);
	uint64_t seq = next_p_seq(k, p, e->time_ns);
	EMIT(k, m->id, e->time_ns, WF_EV_PROC_START, (uint64_t)p->id, seq);
	p->status = WF_PROC_RUNNING;
	bind_p(k, m, p);
	return true;
}

static bool proc_stop(we_machine *k, const wtr_event *e)
{
	proc *p = find_p(k, e->id);
	if (!p || p->m == NONE)
		return false;
	say_proc(k, p, e->time_ns);
	emit(k, id_of_m(k, p->m), e->time_ns, WF_EV_PROC_STOP, 0, NULL);
	unbind_p(k, p);
	return true;
}

static bool steal(we_machine *k, thread *m, const wtr_event *e)
{
	proc *p = find_p(k, e->id);
	if (!p || !m)
		return false;
	if (p->status != WF_PROC_SYSCALL && p->status != WF_PROC_SYSCALL_ABANDONED)
		return p->m != NONE && proc_stop(k, e);
	uint64_t seq = next_p_seq(k, p, e->time_ns);
	EMIT(k, m->id, e->time_ns, WF_EV_PROC_STEAL, (uint64_t)p->id, seq, (uint64_t)id_of_m(k, p->m));
	unbind_p(k, p);
	return true;
}

/* A thread that steals its own proc in a system call may be a C thread that leaves: then the reader made this event of
 * the GoDestroySyscall that comes next. */
static bool proc_steal(we_machine *k, thread *m, const wtr_event *e)
{
	if (!m || m->g == NONE || m->p == NONE || k->ps.at[m->p].id != e->id ||
		k->ps.at[m->p].status != WF_PROC_SYSCALL || k->gs.at[m->g].status != WF_GO_SYSCALL)
		return steal(k, m, e);
	k->held = *e;
	k->has_held = true;
	return true;
}

/* ---- goroutines ---- */

static bool go_status_event(we_machine *k, thread *m, const wtr_event *e)
{
	goroutine *g = find_g(k, e->id);
	if (g) {
		if (k->w && g->wanted)
			write_g_status(k, g, e->time_ns, stack(k, e->transition_stack));
		return g->wanted;
	}
	if (k->w) /* too late: what is not named by the first generation does not exist */
		return false;
	g = new_g(k, e->id, go_status(wtr_to(e)));
	if (g && m && (g->status == WF_GO_RUNNING || g->status == WF_GO_SYSCALL))
		bind_g(k, m, g);
	return true;
}

static bool go_create(we_machine *k, thread *m, const wtr_event *e)
{
	if (find_g(k, e->id))
		return false;
	bool blocked = wtr_to(e) == WTR_G_WAITING;
	goroutine *g = new_g(k, e->id, blocked ? WF_GO_WAITING : WF_GO_RUNNABLE);
	if (!g)
		return false;
	g->gen = k->gen;
	if (!k->w || !g->wanted)
		return g->wanted;
	if (!m || m->p == NONE || (m->g != NONE && k->gs.at[m->g].status != WF_GO_RUNNING)) {
		remove_g(k, g);
		return false;
	}
	uint64_t args[] = { (uint64_t)e->id, stack(k, e->transition_stack), stack(k, e->stack) };
	emit(k, m->id, e->time_ns, blocked ? WF_EV_GO_CREATE_BLOCKED : WF_EV_GO_CREATE, 3, args);
	return true;
}

static bool go_create_syscall(we_machine *k, thread *m, const wtr_event *e)
{
	if (!m || find_g(k, e->id))
		return false;
	goroutine *g = new_g(k, e->id, WF_GO_SYSCALL);
	if (!g)
		return false;
	g->gen = k->gen;
	if (g->wanted && m->g != NONE) {
		remove_g(k, g);
		return false;
	}
	if (!g->wanted && k->w)
		return false;
	bind_g(k, m, g);
	EMIT(k, m->id, e->time_ns, WF_EV_GO_CREATE_SYSCALL, (uint64_t)e->id);
	return true;
}

static bool go_start(we_machine *k, thread *m, const wtr_event *e)
{
	goroutine *g = find_g(k, e->id);
	if (!m || !g || (k->w && !g->wanted))
		return false;
	need_proc(k, m, e->p, e->time_ns);
	if (m->p == NONE || k->ps.at[m->p].status != WF_PROC_RUNNING || m->g != NONE)
		return false;
	if (g->status == WF_GO_WAITING)
		wake(k, g, m->id, e->time_ns);
	if (g->status != WF_GO_RUNNABLE)
		return false;
	uint64_t seq = next_g_seq(k, g, e->time_ns);
	EMIT(k, m->id, e->time_ns, WF_EV_GO_START, (uint64_t)g->id, seq);
	g->status = WF_GO_RUNNING;
	bind_g(k, m, g);
	return true;
}

/* The goroutine that runs on a thread with its proc, as most events need it; NULL if it is not so. */
static goroutine *running(we_machine *k, thread *m, int64_t id)
{
	goroutine *g = m && m->g != NONE ? &k->gs.at[m->g] : NULL;
	return g && g->id == id && g->status == WF_GO_RUNNING && m->p != NONE ? g : NULL;
}

static bool go_stop(we_machine *k, thread *m, const wtr_event *e)
{
	goroutine *g = running(k, m, e->id);
	if (!g)
		return false;
	bool waits = wtr_to(e) == WTR_G_WAITING;
	EMIT(k, m->id, e->time_ns, waits ? WF_EV_GO_BLOCK : WF_EV_GO_STOP, text(k, e->str), stack(k, e->stack));
	g->status = waits ? WF_GO_WAITING : WF_GO_RUNNABLE;
	unbind_g(k, g);
	return true;
}

static bool go_destroy(we_machine *k, thread *m, const wtr_event *e)
{
	goroutine *g = running(k, m, e->id);
	if (!g)
		return false;
	emit(k, m->id, e->time_ns, WF_EV_GO_DESTROY, 0, NULL);
	remove_g(k, g);
	return true;
}

static bool go_unblock(we_machine *k, const wtr_event *e)
{
	goroutine *g = find_g(k, e->id);
	if (!g || (k->w && !g->wanted) || g->status != WF_GO_WAITING)
		return false;
	uint64_t seq = next_g_seq(k, g, e->time_ns);
	EMIT(k, e->m, e->time_ns, WF_EV_GO_UNBLOCK, (uint64_t)g->id, seq, stack(k, e->stack));
	g->status = WF_GO_RUNNABLE;
	return true;
}

static bool syscall_begin(we_machine *k, thread *m, const wtr_event *e)
{
	goroutine *g = running(k, m, e->id);
	if (!g)
		return false;
	proc *p = &k->ps.at[m->p];
	uint64_t seq = next_p_seq(k, p, e->time_ns);
	EMIT(k, m->id, e->time_ns, WF_EV_GO_SYSCALL_BEGIN, seq, stack(k, e->stack));
	g->status = WF_GO_SYSCALL;
	p->status = WF_PROC_SYSCALL;
	return true;
}

static goroutine *in_syscall(we_machine *k, thread *m, int64_t id)
{
	goroutine *g = m && m->g != NONE ? &k->gs.at[m->g] : NULL;
	return g && g->id == id && g->status == WF_GO_SYSCALL ? g : NULL;
}

static bool syscall_end(we_machine *k, thread *m, const wtr_event *e)
{
	goroutine *g = in_syscall(k, m, e->id);
	if (!g || m->p == NONE || k->ps.at[m->p].status != WF_PROC_SYSCALL)
		return false;
	emit(k, m->id, e->time_ns, WF_EV_GO_SYSCALL_END, 0, NULL);
	g->status = WF_GO_RUNNING;
	k->ps.at[m->p].status = WF_PROC_RUNNING;
	return true;
}

static bool syscall_end_blocked(we_machine *k, thread *m, const wtr_event *e)
{
	goroutine *g = in_syscall(k, m, e->id);
	if (!g)
		return false;
	if (m->p != NONE && k->ps.at[m->p].status == WF_PROC_SYSCALL)
		stop_proc(k, &k->ps.at[m->p], e->time_ns);
	emit(k, m->id, e->time_ns, WF_EV_GO_SYSCALL_END_BLOCKED, 0, NULL);
	g->status = WF_GO_RUNNABLE;
	unbind_g(k, g);
	return true;
}

static bool destroy_syscall(we_machine *k, thread *m, const wtr_event *e)
{
	goroutine *g = in_syscall(k, m, e->id);
	if (!g)
		return false;
	proc *p = m->p == NONE ? NULL : &k->ps.at[m->p];
	if (p && p->status != WF_PROC_SYSCALL) {
		stop_proc(k, p, e->time_ns);
		p = NULL;
	}
	emit(k, m->id, e->time_ns - (p != NULL), WF_EV_GO_DESTROY_SYSCALL, 0, NULL);
	if (p) {
		unbind_p(k, p);
		p->status = WF_PROC_SYSCALL_ABANDONED;
		if (k->w) /* the reader makes two events of it */
			k->last_ns++;
	}
	remove_g(k, g);
	return true;
}

static bool go_transition(we_machine *k, thread *m, const wtr_event *e)
{
	switch (e->type) {
	case WF_EV_GO_CREATE:
	case WF_EV_GO_CREATE_BLOCKED: return go_create(k, m, e);
	case WF_EV_GO_CREATE_SYSCALL: return go_create_syscall(k, m, e);
	case WF_EV_GO_START: return go_start(k, m, e);
	case WF_EV_GO_STOP:
	case WF_EV_GO_BLOCK: return go_stop(k, m, e);
	case WF_EV_GO_DESTROY: return go_destroy(k, m, e);
	case WF_EV_GO_UNBLOCK: return go_unblock(k, e);
	case WF_EV_GO_SWITCH: /* its second and third event come as GoBlock or GoDestroy, and GoStart */
	case WF_EV_GO_SWITCH_DESTROY: return go_unblock(k, e);
	case WF_EV_GO_SYSCALL_BEGIN: return syscall_begin(k, m, e);
	case WF_EV_GO_SYSCALL_END: return syscall_end(k, m, e);
	case WF_EV_GO_SYSCALL_END_BLOCKED: return syscall_end_blocked(k, m, e);
	case WF_EV_GO_DESTROY_SYSCALL: return destroy_syscall(k, m, e);
	case WF_EV_GO_STATUS:
	case WF_EV_GO_STATUS_STACK: return go_status_event(k, m, e);
	default: return false;
	}
}

static bool proc_transition(we_machine *k, thread *m, const wtr_event *e)
{
	switch (e->type) {
	case WF_EV_PROC_STATUS: return proc_status(k, m, e);
	case WF_EV_PROC_START: return proc_start(k, m, e);
	case WF_EV_PROC_STOP: return proc_stop(k, e);
	case WF_EV_PROC_STEAL: return proc_steal(k, m, e);
	default: return false;
	}
}

/* ---- ranges ---- */

static bool gc_range(we_machine *k, thread *m, const wtr_event *e)
{
	bool begin = e->kind == WTR_KIND_RANGE_BEGIN, first = begin && !k->gc_known;
	bool context = running(k, m, e->g) != NULL;
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
		EMIT(k, where, e->time_ns, WF_EV_GC_BEGIN, seq, stack(k, e->stack));
	else
		EMIT(k, where, e->time_ns, e->kind == WTR_KIND_RANGE_END ? WF_EV_GC_END : WF_EV_GC_ACTIVE, seq);
	return true;
}

static bool sweep_range(we_machine *k, thread *m, const wtr_event *e)
{
	proc *p = find_p(k, e->id);
	if (!p)
		return false;
	if (e->kind == WTR_KIND_RANGE_ACTIVE) {
		if (!k->w)
			p->sweep = true;
		else if (p->sweep && k->gen > 1)
			EMIT(k, e->m, e->time_ns, WF_EV_GC_SWEEP_ACTIVE, (uint64_t)p->id);
		return p->sweep;
	}
	bool begin = e->kind == WTR_KIND_RANGE_BEGIN;
	if (k->w && (!m || m->p != place_p(k, p) || p->sweep == begin))
		return false;
	p->sweep = begin;
	if (begin)
		EMIT(k, m->id, e->time_ns, WF_EV_GC_SWEEP_BEGIN, stack(k, e->stack));
	else if (k->w)
		EMIT(k, m->id, e->time_ns, WF_EV_GC_SWEEP_END, e->value[0], e->value[1]);
	return true;
}

/* Mark assists and stop-the-worlds: of the goroutine that runs. */
static bool go_range(we_machine *k, thread *m, const wtr_event *e)
{
	bool is_stw = e->detail == WTR_RANGE_STW;
	goroutine *g = find_g(k, e->id);
	if (!g || (k->w && !g->wanted))
		return false;
	bool *on = is_stw ? &g->stw : &g->assist;
	if (e->kind == WTR_KIND_RANGE_ACTIVE) {
		if (!k->w)
			*on = true;
		else if (*on && k->gen > 1 && !is_stw)
			EMIT(k, e->m, e->time_ns, WF_EV_GC_MARK_ASSIST_ACTIVE, (uint64_t)g->id);
		return *on;
	}
	bool begin = e->kind == WTR_KIND_RANGE_BEGIN;
	/* A mark assist may end where its goroutine left a system call, so only its thread is asked for. */
	if (k->w && (!m || m->g != place_g(k, g) || m->p == NONE || *on == begin))
		return false;
	*on = begin;
	g->stw_kind = is_stw && begin ? e->str : g->stw_kind;
	if (!k->w)
		return true;
	if (is_stw && begin)
		EMIT(k, m->id, e->time_ns, WF_EV_STW_BEGIN, text(k, e->str), stack(k, e->stack));
	else if (begin)
		EMIT(k, m->id, e->time_ns, WF_EV_GC_MARK_ASSIST_BEGIN, stack(k, e->stack));
	else
		emit(k, m->id, e->time_ns, is_stw ? WF_EV_STW_END : WF_EV_GC_MARK_ASSIST_END, 0, NULL);
	return true;
}

static bool range_event(we_machine *k, thread *m, const wtr_event *e)
{
	switch (e->detail) {
	case WTR_RANGE_GC_MARK: return gc_range(k, m, e);
	case WTR_RANGE_SWEEP: return sweep_range(k, m, e);
	default: return go_range(k, m, e);
	}
}

/* ---- what the program says ---- */

/* What most events need: a thread with a proc and a goroutine that is in what we write. */
static goroutine *speaker(we_machine *k, thread *m)
{
	return m && m->p != NONE && m->g != NONE ? &k->gs.at[m->g] : NULL;
}

static bool task_event(we_machine *k, thread *m, const wtr_event *e)
{
	bool begin = e->kind == WTR_KIND_TASK_BEGIN;
	if (!speaker(k, m) || (begin && wb_idmap_get(&k->tasks, (uint64_t)e->id) != WB_IDMAP_NONE))
		return false;
	uint64_t parent = e->value[0] == (uint64_t)WTR_NONE ? 0 : e->value[0];
	if (begin) {
		k->failed |= !wb_idmap_set(&k->tasks, (uint64_t)e->id, 1);
		EMIT(k, m->id, e->time_ns, WF_EV_USER_TASK_BEGIN, (uint64_t)e->id, parent, text(k, e->str),
			stack(k, e->stack));
	} else {
		wb_idmap_del(&k->tasks, (uint64_t)e->id);
		EMIT(k, m->id, e->time_ns, WF_EV_USER_TASK_END, (uint64_t)e->id, stack(k, e->stack));
	}
	return true;
}

static bool region_event(we_machine *k, thread *m, const wtr_event *e)
{
	goroutine *g = speaker(k, m);
	if (!g)
		return false;
	wtr_str s = wtr_string(k->t, e->str);
	region r = { (uint64_t)e->id, wb_intern_add(&k->names, s.at, s.n) };
	bool begin = e->kind == WTR_KIND_REGION_BEGIN;
	if (begin) {
		k->failed |= !wb_vec_add(&g->regions, r) || r.name == WB_INTERN_NONE;
	} else if (g->regions.n) {
		region top = g->regions.at[g->regions.n - 1];
		if (top.task != r.task || top.name != r.name)
			return false;
		g->regions.n--;
	}
	EMIT(k, m->id, e->time_ns, begin ? WF_EV_USER_REGION_BEGIN : WF_EV_USER_REGION_END, r.task, text(k, e->str),
		stack(k, e->stack));
	return true;
}

static bool other_event(we_machine *k, thread *m, const wtr_event *e)
{
	switch (e->kind) {
	case WTR_KIND_METRIC:
		if (!m || m->p == NONE || (e->type == WF_EV_PROCS_CHANGE && m->g == NONE))
			return false;
		if (e->type == WF_EV_PROCS_CHANGE)
			EMIT(k, m->id, e->time_ns, e->type, e->value[0], stack(k, e->stack));
		else
			EMIT(k, m->id, e->time_ns, e->type, e->value[0]);
		return true;
	case WTR_KIND_LABEL:
		if (!speaker(k, m))
			return false;
		EMIT(k, m->id, e->time_ns, WF_EV_GO_LABEL, text(k, e->str));
		return true;
	case WTR_KIND_LOG:
		if (!speaker(k, m))
			return false;
		EMIT(k, m->id, e->time_ns, WF_EV_USER_LOG, (uint64_t)e->id, text(k, e->str), text(k, e->str2),
			stack(k, e->stack));
		return true;
	case WTR_KIND_STACK_SAMPLE: {
		goroutine *g = find_g(k, e->g);
		if (g && !g->wanted)
			return false;
		we_sample(k->w, e, (uint32_t)stack(k, e->stack));
		k->counts.events++;
		k->last_ns = e->time_ns > k->last_ns ? e->time_ns : k->last_ns + 1;
		return true;
	}
	case WTR_KIND_EXPERIMENTAL:
		if (!m)
			return false;
		emit(k, m->id, e->time_ns, e->type, wf_specs[e->type].n_args - 1u,
			(uint64_t[]){ (uint64_t)e->id, e->value[0], e->value[1] });
		return true;
	default: return false;
	}
}

/* ---- threads of the first container ----
 *
 * There the thread of an event is a guess, and a goroutine in a system call has none.  So each proc that runs gets a
 * thread of ours, which a blocking system call takes along. */

static thread *free_thread(we_machine *k)
{
	for (size_t i = 0; i < k->ms.n; i++)
		if (k->ms.at[i].g == NONE && k->ms.at[i].p == NONE)
			return &k->ms.at[i];
	return thread_of(k, (int64_t)k->ms.n + 1);
}

static thread *thread_of_proc(we_machine *k, const wtr_event *e, int64_t id)
{
	proc *p = find_p(k, id);
	if (!p && !(p = new_p(k, id, WF_PROC_IDLE)))
		return NULL;
	int32_t place = place_p(k, p);
	/* Its thread is in a system call that blocks: the proc goes on without it. */
	if (p->m != NONE && p->status == WF_PROC_SYSCALL && e->type == WF_EV_GO_START)
		stop_proc(k, p, e->time_ns);
	if (p->m != NONE)
		return &k->ms.at[p->m];
	thread *m = free_thread(k);
	if (m && e->type != WF_EV_PROC_START && e->type != WF_EV_PROC_STATUS)
		start_proc(k, m, &k->ps.at[place], e->time_ns);
	return m;
}

static thread *thread_of_g(we_machine *k, int64_t id)
{
	goroutine *g = id == WTR_NONE ? NULL : find_g(k, id);
	return g && g->m != NONE ? &k->ms.at[g->m] : NULL;
}

static thread *v1_thread(we_machine *k, const wtr_event *e)
{
	if (e->resource == WTR_RES_PROC && e->kind == WTR_KIND_STATE_TRANSITION)
		return thread_of_proc(k, e, e->id);
	if (e->kind == WTR_KIND_STATE_TRANSITION &&
		(e->type == WF_EV_GO_STOP || e->type == WF_EV_GO_BLOCK || e->type == WF_EV_GO_DESTROY ||
			e->type == WF_EV_GO_SYSCALL_BEGIN || e->type == WF_EV_GO_SYSCALL_END ||
			e->type == WF_EV_GO_SYSCALL_END_BLOCKED))
		return thread_of_g(k, e->id);
	if (e->kind == WTR_KIND_STATE_TRANSITION && e->type == WF_EV_GO_STATUS && wtr_to(e) == WTR_G_SYSCALL)
		return free_thread(k);
	bool real = e->p >= 0 && e->p < V1_PSEUDO_PROC;
	if (real && (e->type == WF_EV_GO_START || (e->m != WTR_NONE && !thread_of_g(k, e->g))))
		return thread_of_proc(k, e, e->p);
	if (thread_of_g(k, e->g))
		return thread_of_g(k, e->g);
	proc *p = real ? find_p(k, e->p) : NULL;
	return p && p->m != NONE ? &k->ms.at[p->m] : NULL;
}

/* ---- taking events ---- */

/* There a proc that runs from the beginning is only known by the goroutine on it. */
static thread *v1_holder(we_machine *k, const wtr_event *e)
{
	if (e->type != WF_EV_GO_STATUS || wtr_to(e) != WTR_G_RUNNING || e->p < 0 || e->p >= V1_PSEUDO_PROC)
		return NULL;
	proc *p = find_p(k, e->p);
	if (!p && !(p = new_p(k, e->p, WF_PROC_RUNNING)))
		return NULL;
	if (p->m != NONE)
		return &k->ms.at[p->m];
	thread *m = free_thread(k);
	p->status = WF_PROC_RUNNING;
	if (m)
		bind_p(k, m, p);
	return m;
}

/* The state that a goroutine or proc was in before an event that is the first to mention it. */
static void meet(we_machine *k, const wtr_event *e, bool foreseen)
{
	if (e->kind != WTR_KIND_STATE_TRANSITION)
		return;
	bool is_g = e->resource == WTR_RES_GOROUTINE;
	if (is_g ? find_g(k, e->id) != NULL : find_p(k, e->id) != NULL)
		return;
	unsigned from = wtr_from(e);
	if (from == (is_g ? (unsigned)WTR_G_UNDETERMINED : WTR_P_UNDETERMINED))
		from = wtr_to(e);
	if (from == (is_g ? (unsigned)WTR_G_NOTEXIST : WTR_P_NOTEXIST))
		return;
	thread *m = k->v1 ? v1_holder(k, e) : thread_of(k, e->m);
	if (is_g) {
		goroutine *g = new_g(k, e->id, go_status((wtr_gstate)from));
		if (!g)
			return;
		g->foreseen = foreseen;
		if (m && m->g == NONE && (g->status == WF_GO_RUNNING || g->status == WF_GO_SYSCALL))
			bind_g(k, m, g);
	} else {
		bool runs = from == WTR_P_RUNNING && m && m->p == NONE;
		uint8_t st = runs ? WF_PROC_RUNNING : WF_PROC_IDLE;
		if (e->type == WF_EV_PROC_STATUS && e->value[0] == (runs ? WF_PROC_SYSCALL : WF_PROC_SYSCALL_ABANDONED))
			st = (uint8_t)e->value[0];
		proc *p = new_p(k, e->id, st);
		if (!p)
			return;
		p->foreseen = foreseen;
		if (runs)
			bind_p(k, m, p);
	}
}

static void let_go(we_machine *k, const wtr_event *next)
{
	if (!k->has_held)
		return;
	k->has_held = false;
	if (!next || next->type != WF_EV_GO_DESTROY_SYSCALL || next->m != k->held.m)
		k->counts.left_out += !steal(k, thread_of(k, k->held.m), &k->held);
}

static bool take(we_machine *k, const wtr_event *e)
{
	let_go(k, e);
	thread *m = k->v1 ? v1_thread(k, e) : thread_of(k, e->m);
	wtr_event of_ours = *e;
	if (k->v1)
		of_ours.m = m ? m->id : WTR_NONE;
	if (k->v1 && e->type == WF_EV_PROC_STATUS) /* the first time that it starts or stops */
		of_ours.type = (unsigned)wtr_to(e) == WTR_P_RUNNING ? WF_EV_PROC_START : WF_EV_PROC_STOP;
	switch (e->kind) {
	case WTR_KIND_STATE_TRANSITION:
		return e->resource == WTR_RES_GOROUTINE ? go_transition(k, m, &of_ours)
							: proc_transition(k, m, &of_ours);
	case WTR_KIND_RANGE_BEGIN:
	case WTR_KIND_RANGE_ACTIVE:
	case WTR_KIND_RANGE_END: return range_event(k, m, &of_ours);
	case WTR_KIND_TASK_BEGIN:
	case WTR_KIND_TASK_END: return k->w && task_event(k, m, &of_ours);
	case WTR_KIND_REGION_BEGIN:
	case WTR_KIND_REGION_END: return k->w && region_event(k, m, &of_ours);
	default: return k->w && other_event(k, m, &of_ours);
	}
}

void we_follow(we_machine *k, const wtr_event *e)
{
	if (!k->v1 && e->type != WF_EV_GO_STATUS && e->type != WF_EV_GO_STATUS_STACK && e->type != WF_EV_PROC_STATUS)
		meet(k, e, false);
	take(k, e);
}

void we_foresee(we_machine *k, const wtr_event *e)
{
	if (e->kind == WTR_KIND_STATE_TRANSITION) {
		bool is_g = e->resource == WTR_RES_GOROUTINE;
		wb_idmap *later = is_g ? &k->later_g : &k->later_p;
		bool known = is_g ? find_g(k, e->id) != NULL : find_p(k, e->id) != NULL;
		if (known || wb_idmap_get(later, (uint64_t)e->id) != WB_IDMAP_NONE)
			return;
		if (wtr_from(e) == (is_g ? (unsigned)WTR_G_NOTEXIST : WTR_P_NOTEXIST))
			k->failed |= !wb_idmap_set(later, (uint64_t)e->id, 1);
		else
			meet(k, e, true);
	} else if (e->kind == WTR_KIND_RANGE_ACTIVE && e->detail == WTR_RANGE_MARK_ASSIST) {
		goroutine *g = find_g(k, e->id);
		if (g && g->foreseen)
			g->assist = true;
	} else if (e->kind == WTR_KIND_RANGE_ACTIVE && e->detail == WTR_RANGE_SWEEP) {
		proc *p = find_p(k, e->id);
		if (p && p->foreseen)
			p->sweep = true;
	} else if (e->kind >= WTR_KIND_RANGE_BEGIN && e->kind <= WTR_KIND_RANGE_END && e->detail == WTR_RANGE_GC_MARK &&
		   !k->gc_known) {
		k->gc_known = true;
		k->gc_on = e->kind != WTR_KIND_RANGE_BEGIN;
	}
}

void we_take(we_machine *k, const wtr_trace *t, const wtr_event *e)
{
	k->t = t;
	if (!take(k, e))
		k->counts.left_out++;
}

/* ---- beginning ---- */

static int by_g(const void *a, const void *b, void *user)
{
	const goroutine *gs = user;
	int64_t x = gs[*(const int32_t *)a].id, y = gs[*(const int32_t *)b].id;
	return x < y ? -1 : x > y;
}

static int by_p(const void *a, const void *b, void *user)
{
	const proc *ps = user;
	int64_t x = ps[*(const int32_t *)a].id, y = ps[*(const int32_t *)b].id;
	return x < y ? -1 : x > y;
}

/* Places of what is there, by id, so that it is written in the same order however it was found. */
static void sort_out(we_machine *k)
{
	k->g_order.n = k->p_order.n = 0;
	for (size_t i = 0; i < k->gs.n; i++)
		if (k->gs.at[i].status != DEAD && k->gs.at[i].wanted)
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
		goroutine *g = &k->gs.at[i];
		if (g->status == DEAD)
			continue;
		if (!g->wanted) {
			if (g->m != NONE && k->ms.at[g->m].p != NONE)
				k->ps.at[k->ms.at[g->m].p].status = WF_PROC_RUNNING;
			unbind_g(k, g);
			continue;
		}
		if (g->status == WF_GO_SYSCALL && g->m == NONE) {
			thread *m = free_thread(k);
			if (m)
				bind_g(k, m, g);
		}
		if (g->status == WF_GO_RUNNING && (g->m == NONE || k->ms.at[g->m].p == NONE)) {
			unbind_g(k, g);
			g->status = WF_GO_RUNNABLE;
		}
	}
	for (size_t i = 0; i < k->ps.n; i++)
		if (k->ps.at[i].status == WF_PROC_SYSCALL &&
			(k->ms.at[k->ps.at[i].m].g == NONE ||
				k->gs.at[k->ms.at[k->ps.at[i].m].g].status != WF_GO_SYSCALL))
			k->ps.at[i].status = WF_PROC_RUNNING;
}

static bool shows_stw(const we_machine *k, const goroutine *g)
{
	return g->stw && g->status == WF_GO_RUNNING && g->m != NONE && k->ms.at[g->m].p != NONE;
}

size_t we_begin_events(we_machine *k)
{
	let_go(k, NULL);
	settle(k);
	sort_out(k);
	size_t n = k->ps.n + (k->gc_on ? 1 : 0);
	for (size_t i = 0; i < k->ps.n; i++)
		n += k->ps.at[i].sweep;
	for (size_t i = 0; i < k->g_order.n; i++) {
		const goroutine *g = &k->gs.at[k->g_order.at[i]];
		n += 1u + g->assist + shows_stw(k, g);
	}
	return n;
}

static void begin_ranges(we_machine *k, int64_t time_ns)
{
	if (k->gc_on)
		EMIT(k, WTR_NONE, time_ns, WF_EV_GC_ACTIVE, ++k->gc_seq);
	for (size_t i = 0; i < k->p_order.n; i++) {
		const proc *p = &k->ps.at[k->p_order.at[i]];
		if (p->sweep)
			EMIT(k, id_of_m(k, p->m), time_ns, WF_EV_GC_SWEEP_ACTIVE, (uint64_t)p->id);
	}
	for (size_t i = 0; i < k->g_order.n; i++) {
		goroutine *g = &k->gs.at[k->g_order.at[i]];
		if (g->assist)
			EMIT(k, id_of_m(k, g->m), time_ns, WF_EV_GC_MARK_ASSIST_ACTIVE, (uint64_t)g->id);
		if (shows_stw(k, g))
			EMIT(k, id_of_m(k, g->m), time_ns, WF_EV_STW_BEGIN, text(k, g->stw_kind), 0);
		else
			g->stw = false;
	}
}

void we_begin(we_machine *k, const wtr_trace *t, we_writer *w, int64_t time_ns)
{
	k->w = w;
	k->t = t;
	k->last_ns = time_ns - 1;
	k->gc_seq = 0;
	for (size_t i = 0; i < k->p_order.n; i++)
		write_p_status(k, &k->ps.at[k->p_order.at[i]], time_ns);
	for (size_t i = 0; i < k->g_order.n; i++)
		write_g_status(k, &k->gs.at[k->g_order.at[i]], time_ns, 0);
	begin_ranges(k, time_ns);
	k->counts.added = k->counts.events;
}

void we_end_generation(we_machine *k)
{
	let_go(k, NULL);
	k->gen++;
}

void we_get_counts(const we_machine *k, we_counts *ret)
{
	*ret = k->counts;
}

bool we_failed(const we_machine *k)
{
	return k->failed;
}

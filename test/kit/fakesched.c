/* kit/fakesched.c - see fakesched.h. */
#include "fakesched.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fmt/events.h"
#include "kit.h"
#include "rt/tr/clock.h"
#include "rt/tr/tr.h"

enum { FRAMES_MAX = 160, REGIONS_MAX = 4, IDS_MAX = 1 << 16, TASKS_MAX = 4, EXITS_MAX = 7 };

typedef struct frame {
	const struct frame *up;
	const void *ret;
} frame;

typedef struct fake_g {
	weft__tr_g tr;
	_Atomic unsigned state; /* weft__tr_state; changes after the telling */
	unsigned place;         /* in a list: index + 1 of the next one */
	unsigned n_regions;
	const char *regions[REGIONS_MAX];
	bool assists;
	frame stack[FRAMES_MAX];
} fake_g;

typedef struct fake_p {
	weft__tr_p tr;
	_Atomic bool idle;
	bool sweeps;
} fake_p;

typedef struct fake_m {
	pthread_mutex_t inside; /* held during each step: who else holds it knows this thread to be outside */
	weft__tr_m tr;
	fake_p *p;
	fake_g *g;
	bool in_call;  /* g is in a system call, or was told to be */
	bool computes; /* it was told to be */
	uint64_t rng, n_blocks;
	uint64_t tasks[TASKS_MAX];
	unsigned n_tasks;
	pthread_t thread;
	struct fs *f;
	unsigned index, steps, exits;
} fake_m;

struct fs {
	fs_options opt;
	fake_m *m; /* the last is the monitor */
	fake_p *p;
	fake_g *g;
	pthread_mutex_t lock; /* lists */
	fake_g **runnable, **waiting, **dead;
	fake_p **idle;
	unsigned n_runnable, n_waiting, n_dead, n_idle;
	_Atomic uint64_t ids, task_ids;
	_Atomic unsigned alive;
	_Atomic bool collecting;
	_Atomic unsigned left; /* threads with steps left */
	_Atomic uint64_t told[FS_TYPES];
	_Atomic uint32_t (*told_of)[FS_TYPES]; /* by goroutine */
};

static fs *the_fs; /* of the hooks */

static unsigned below(fake_m *m, unsigned n)
{
	m->rng ^= m->rng << 13;
	m->rng ^= m->rng >> 7;
	m->rng ^= m->rng << 17;
	return (unsigned)((m->rng * 0x2545f4914f6cdd1du >> 33) % n);
}

/* ---- the ledger ---- */

static void tell(fs *f, unsigned type)
{
	atomic_fetch_add_explicit(&f->told[type], 1, memory_order_relaxed);
}

static void tell_of(fs *f, const fake_g *g, unsigned type)
{
	tell(f, type);
	kit_check(g->tr.id < IDS_MAX);
	atomic_fetch_add_explicit(&f->told_of[g->tr.id][type], 1, memory_order_relaxed);
}

uint64_t fs_told(const fs *f, unsigned type)
{
	return atomic_load(&f->told[type]);
}

uint64_t fs_told_of(const fs *f, uint64_t goroutine, unsigned type)
{
	return atomic_load(&f->told_of[goroutine][type]);
}

uint64_t fs_goroutines(const fs *f)
{
	return atomic_load(&f->ids);
}

static const bool has_holder[] = {
	false,
#define OBJECT(ID, text, attr, holder) holder,
#include "fmt/objects.def"
};

unsigned fs_waited(uint64_t tid, uint64_t n, fs_object *ret, unsigned max)
{
	unsigned objects = n % 4 == 0 ? 0 : n % 11 == 0 ? 3 : 1;
	for (unsigned i = 0; i < objects && i < max; i++) {
		unsigned kind = 1 + (unsigned)(n + i) % (WEFT__TR_KINDS - 1);
		uint64_t id = 0x7f0000000000u + tid * 4096 + (n + i) * 7 % 90 * 16;
		ret[i] = (fs_object){
			.kind = kind,
			.id = id,
			.attr = id / 16 % 1000,
			.holder = has_holder[kind] ? n % 300 : 0,
			.send = objects > 1 && kind == WEFT__TR_CHAN && n % 2,
		};
	}
	return objects;
}

fs_object fs_kept(uint64_t id)
{
	return (fs_object){ .kind = WEFT__TR_MUTEX, .id = 0x1000 + id % 50, .holder = id + 1 };
}

size_t fs_label(uint64_t id, char *ret, size_t n)
{
	char text[32];
	size_t k = id % 3 ? 0 : (size_t)snprintf(text, sizeof(text), "goroutine=%llu", (unsigned long long)id);
	k = k < n ? k : n;
	memcpy(ret, text, k);
	return k;
}

/* ---- lists ---- */

static fake_g *take_any(fake_m *m, fake_g **list, unsigned *n)
{
	fake_g *g = NULL;
	pthread_mutex_lock(&m->f->lock);
	if (*n) {
		unsigned i = below(m, *n);
		g = list[i];
		list[i] = list[--*n];
	}
	pthread_mutex_unlock(&m->f->lock);
	return g;
}

static void add(fs *f, fake_g **list, unsigned *n, fake_g *g)
{
	pthread_mutex_lock(&f->lock);
	list[(*n)++] = g;
	pthread_mutex_unlock(&f->lock);
}

static void set_state(fake_g *g, weft__tr_state state)
{
	atomic_store_explicit(&g->state, state, memory_order_release);
}

static void make_runnable(fs *f, fake_g *g)
{
	set_state(g, WEFT__TR_RUNNABLE);
	add(f, f->runnable, &f->n_runnable, g);
}

static fake_p *take_idle(fake_m *m)
{
	fs *f = m->f;
	pthread_mutex_lock(&f->lock);
	fake_p *p = f->n_idle ? f->idle[--f->n_idle] : NULL;
	pthread_mutex_unlock(&f->lock);
	return p;
}

static void give_idle(fs *f, fake_p *p)
{
	atomic_store(&p->idle, true);
	pthread_mutex_lock(&f->lock);
	f->idle[f->n_idle++] = p;
	pthread_mutex_unlock(&f->lock);
}

static weft__tr_p *proc_of(const fake_m *m)
{
	return m->p ? &m->p->tr : NULL;
}
static weft__tr_g *go_of(const fake_m *m)
{
	return m->g ? &m->g->tr : NULL;
}

/* What calls pass for their context. */
#define CTX(m) &(m)->tr, proc_of(m), go_of(m)

static const void *any_stack(fake_m *m)
{
	unsigned deep = m->f->opt.deep ? m->f->opt.deep : 8;
	return m->g && below(m, 8) ? &m->g->stack[FRAMES_MAX - 1 - below(m, deep)] : NULL;
}

/* ---- what a running goroutine does ---- */

static void do_block(fake_m *m)
{
	fs *f = m->f;
	fake_g *g = m->g;
	fs_object o[3];
	unsigned n = fs_waited(m->tr.tid, m->n_blocks++, o, 3);
	weft__tr_object what[4] = { 0 };
	for (unsigned i = 0; i < n; i++)
		what[i] = (weft__tr_object){
			.kind = (weft__tr_kind)o[i].kind,
			.id = o[i].id,
			.attr = o[i].attr,
			.holder = o[i].holder,
			.send = o[i].send,
		};
	weft__tr_text why = (weft__tr_text)(WEFT__TR_BLOCK_NETWORK + (int)below(m, 7));
	tell_of(f, g, WF_EV_GO_BLOCK);
	weft__tr_go_block(CTX(m), why, any_stack(m), n || below(m, 2) ? what : NULL);
	set_state(g, WEFT__TR_WAITING);
	m->g = NULL;
	add(f, f->waiting, &f->n_waiting, g);
}

static void do_stop(fake_m *m)
{
	fake_g *g = m->g;
	tell_of(m->f, g, WF_EV_GO_STOP);
	weft__tr_go_stop(CTX(m), below(m, 2) ? WEFT__TR_STOP_YIELD : WEFT__TR_BLOCK_PREEMPTED, any_stack(m));
	m->g = NULL;
	make_runnable(m->f, g);
}

static void do_create(fake_m *m)
{
	fs *f = m->f;
	fake_g *g = take_any(m, f->dead, &f->n_dead);
	if (!g)
		return;
	atomic_fetch_add(&f->alive, 1);
	g->tr.id = atomic_fetch_add(&f->ids, 1) + 1;
	g->n_regions = 0;
	g->assists = false;
	tell_of(f, g, WF_EV_GO_CREATE);
	weft__tr_go_create(CTX(m), &g->tr, (const void *)(uintptr_t)fs_step, any_stack(m));
	make_runnable(f, g);
}

/* Not the last one: nobody would make new ones. */
static bool may_die(fs *f)
{
	unsigned n = atomic_load(&f->alive);
	while (n > 1 && !atomic_compare_exchange_weak(&f->alive, &n, n - 1))
		;
	return n > 1;
}

static void do_destroy(fake_m *m)
{
	fs *f = m->f;
	fake_g *g = m->g;
	if (!may_die(f))
		return;
	tell_of(f, g, WF_EV_GO_DESTROY);
	weft__tr_go_destroy(CTX(m));
	set_state(g, WEFT__TR_DEAD);
	m->g = NULL;
	add(f, f->dead, &f->n_dead, g);
}

/* Also without a goroutine or a proc. */
static void do_unblock(fake_m *m)
{
	fs *f = m->f;
	fake_g *g = take_any(m, f->waiting, &f->n_waiting);
	if (!g)
		return;
	tell_of(f, g, WF_EV_GO_UNBLOCK);
	weft__tr_go_unblock(CTX(m), &g->tr, any_stack(m));
	make_runnable(f, g);
}

static void do_switch(fake_m *m)
{
	fs *f = m->f;
	fake_g *next = take_any(m, f->waiting, &f->n_waiting), *g = m->g;
	if (!next)
		return;
	tell_of(f, next, WF_EV_GO_SWITCH); /* readers deliver it as three events */
	tell_of(f, g, WF_EV_GO_BLOCK);
	tell_of(f, next, WF_EV_GO_START);
	weft__tr_go_switch(CTX(m), &next->tr);
	set_state(g, WEFT__TR_WAITING);
	set_state(next, WEFT__TR_RUNNING);
	m->g = next;
	add(f, f->waiting, &f->n_waiting, g);
}

static void do_syscall(fake_m *m)
{
	tell_of(m->f, m->g, WF_EV_GO_SYSCALL_BEGIN);
	weft__tr_syscall_begin(CTX(m), any_stack(m));
	set_state(m->g, WEFT__TR_SYSCALL);
	m->in_call = true;
	m->computes = false;
	if (below(m, 8) == 0 && !m->p->sweeps) { /* one that is known to block */
		tell(m->f, WF_EV_PROC_STOP);
		weft__tr_proc_stop(CTX(m));
		fake_p *p = m->p;
		m->p = NULL;
		give_idle(m->f, p);
	}
}

/* As when there are fewer procs from now on. */
static void do_change(fake_m *m)
{
	fake_p *old = m->p, *p = old->sweeps ? NULL : take_idle(m);
	if (!p)
		return;
	tell(m->f, WF_EV_PROC_STOP);
	tell(m->f, WF_EV_PROC_START);
	weft__tr_proc_change(CTX(m), &p->tr);
	atomic_store(&p->idle, false);
	m->p = p;
	give_idle(m->f, old);
}

static weft__tr_str text(const char *s)
{
	return (weft__tr_str){ s, strlen(s) };
}

static void do_region(fake_m *m)
{
	static const char *const names[] = { "parse", "solve", "print",
		"a region with a rather long name, for a change" };
	fake_g *g = m->g;
	if (g->n_regions < REGIONS_MAX && below(m, 2)) {
		const char *name = names[below(m, 4)];
		g->regions[g->n_regions++] = name;
		tell(m->f, WF_EV_USER_REGION_BEGIN);
		weft__tr_region_begin(CTX(m), /* task= */ 0, text(name), any_stack(m));
	} else if (g->n_regions) {
		tell(m->f, WF_EV_USER_REGION_END);
		weft__tr_region_end(CTX(m), /* task= */ 0, text(g->regions[--g->n_regions]), any_stack(m));
	}
}

static void do_task(fake_m *m)
{
	if (m->n_tasks < TASKS_MAX && below(m, 2)) {
		uint64_t id = atomic_fetch_add(&m->f->task_ids, 1) + 1;
		uint64_t parent = m->n_tasks ? m->tasks[m->n_tasks - 1] : 0;
		m->tasks[m->n_tasks++] = id;
		tell(m->f, WF_EV_USER_TASK_BEGIN);
		weft__tr_task_begin(CTX(m), id, parent, text("work"), any_stack(m));
	} else if (m->n_tasks) {
		tell(m->f, WF_EV_USER_TASK_END);
		weft__tr_task_end(CTX(m), m->tasks[--m->n_tasks], any_stack(m));
	}
}

static void do_log(fake_m *m)
{
	char message[1500];
	memset(message, 'a' + (int)below(m, 26), sizeof(message));
	tell(m->f, WF_EV_USER_LOG);
	weft__tr_log(CTX(m), /* task= */ 0, text("note"), (weft__tr_str){ message, below(m, 40) ? below(m, 60) : 1500 },
		any_stack(m));
}

static void do_metric(fake_m *m)
{
	if (below(m, 3) == 0) {
		tell(m->f, WF_EV_GO_LABEL);
		weft__tr_label(CTX(m), text("user=7"));
		return;
	}
	tell(m->f, WF_EV_HEAP_ALLOC);
	weft__tr_heap_alloc(CTX(m), below(m, 1 << 30));
	tell(m->f, WF_EV_HEAP_GOAL);
	weft__tr_heap_goal(CTX(m), below(m, 1 << 30));
}

static void do_stw(fake_m *m)
{
	tell(m->f, WF_EV_STW_BEGIN);
	weft__tr_stw_begin(CTX(m), WEFT__TR_STW_GC_MARK, any_stack(m));
	tell(m->f, WF_EV_STW_END);
	weft__tr_stw_end(CTX(m));
}

static void do_collect(fake_m *m)
{
	bool was = false;
	if (atomic_compare_exchange_strong(&m->f->collecting, &was, true)) {
		tell(m->f, WF_EV_GC_BEGIN);
		weft__tr_gc_begin(CTX(m), any_stack(m));
	}
}

/* On the same M, so that it is told after the begin. */
static void do_collect_end(fake_m *m)
{
	if (!atomic_load(&m->f->collecting) || m->index != 0)
		return;
	tell(m->f, WF_EV_GC_END);
	weft__tr_gc_end(CTX(m));
	atomic_store(&m->f->collecting, false);
}

static void do_sweep(fake_m *m)
{
	if (m->p->sweeps) {
		tell(m->f, WF_EV_GC_SWEEP_END);
		weft__tr_sweep_end(CTX(m), 8192, 4096);
	} else {
		tell(m->f, WF_EV_GC_SWEEP_BEGIN);
		weft__tr_sweep_begin(CTX(m), any_stack(m));
	}
	m->p->sweeps = !m->p->sweeps;
}

static void do_assist(fake_m *m)
{
	if (m->g->assists) {
		tell(m->f, WF_EV_GC_MARK_ASSIST_END);
		weft__tr_assist_end(CTX(m));
	} else {
		tell(m->f, WF_EV_GC_MARK_ASSIST_BEGIN);
		weft__tr_assist_begin(CTX(m), any_stack(m));
	}
	m->g->assists = !m->g->assists;
}

static void run_goroutine(fake_m *m)
{
	unsigned n = below(m, 100);
	if (n < 22)
		do_block(m);
	else if (n < 40)
		do_unblock(m);
	else if (n < 52)
		do_create(m);
	else if (n < 58)
		do_stop(m);
	else if (n < 63)
		do_destroy(m);
	else if (n < 66)
		do_switch(m);
	else if (n < 78)
		do_syscall(m);
	else if (n < 84)
		do_region(m);
	else if (n < 87)
		do_task(m);
	else if (n < 89)
		do_log(m);
	else if (n < 91)
		do_metric(m);
	else if (n < 92)
		do_stw(m);
	else if (n < 93 && m->index == 0)
		do_collect(m);
	else if (n < 94)
		do_collect_end(m);
	else if (n < 96)
		do_sweep(m);
	else if (n < 98)
		do_assist(m);
	else
		do_change(m);
}

/* ---- what a thread does ---- */

static void start(fake_m *m, fake_g *g)
{
	tell_of(m->f, g, WF_EV_GO_START);
	weft__tr_go_start(&m->tr, &m->p->tr, &g->tr);
	set_state(g, WEFT__TR_RUNNING);
	m->g = g;
}

static bool take_proc(fake_m *m)
{
	fake_p *p = take_idle(m);
	if (!p)
		return false;
	tell(m->f, WF_EV_PROC_START);
	weft__tr_proc_start(&m->tr, &p->tr, go_of(m));
	atomic_store(&p->idle, false);
	m->p = p;
	return true;
}

/* The thread ends, and another one takes its place. */
static void retire(fake_m *m)
{
	if (m->exits == EXITS_MAX)
		return;
	weft__tr_m_exit(&m->tr);
	m->tr.tid = FS_TIDS_FROM + m->index + FS_TIDS_STEP * ++m->exits;
	m->n_blocks = 0;
}

static void steal(fake_m *thief, fake_m *victim)
{
	fake_p *p = victim->p;
	tell(thief->f, WF_EV_PROC_STEAL);
	weft__tr_proc_steal(CTX(thief), &p->tr, &victim->tr);
	victim->p = NULL;
}

static void end_blocked(fake_m *m)
{
	fake_g *g = m->g;
	tell_of(m->f, g, WF_EV_GO_SYSCALL_END_BLOCKED);
	weft__tr_syscall_end_blocked(CTX(m));
	m->g = NULL;
	m->in_call = false;
	if (m->p) {
		set_state(g, WEFT__TR_RUNNABLE);
		start(m, g);
	} else {
		make_runnable(m->f, g);
	}
}

static void come_back(fake_m *m)
{
	if (!m->p) {
		if (below(m, 2))
			take_proc(m);
		end_blocked(m);
	} else if (below(m, 16) == 0) { /* as if it had been lost */
		fake_p *p = m->p;
		steal(m, m);
		tell(m->f, WF_EV_PROC_START);
		weft__tr_proc_start(&m->tr, &p->tr, go_of(m));
		m->p = p;
		end_blocked(m);
	} else {
		tell_of(m->f, m->g, WF_EV_GO_SYSCALL_END);
		weft__tr_syscall_end(CTX(m));
		set_state(m->g, WEFT__TR_RUNNING);
		m->in_call = false;
	}
}

static void look_for_work(fake_m *m)
{
	fs *f = m->f;
	fake_g *g = take_any(m, f->runnable, &f->n_runnable);
	if (g) {
		start(m, g);
	} else if (below(m, 3) == 0 && !m->p->sweeps) {
		fake_p *p = m->p;
		tell(f, WF_EV_PROC_STOP);
		weft__tr_proc_stop(CTX(m));
		m->p = NULL;
		give_idle(f, p);
	} else {
		do_unblock(m);
	}
}

/* Takes procs away from threads that are in calls, or compute. */
static void monitor(fake_m *me)
{
	fs *f = me->f;
	fake_m *victim = &f->m[below(me, f->opt.n_threads)];
	if (pthread_mutex_trylock(&victim->inside))
		return;
	fake_p *p = victim->p;
	bool hog = p && victim->g && !victim->in_call && below(me, 6) == 0;
	if (hog) {
		tell_of(f, victim->g, WF_EV_GO_SYSCALL_BEGIN);
		weft__tr_hog(CTX(victim));
		set_state(victim->g, WEFT__TR_SYSCALL);
		victim->in_call = victim->computes = true;
	}
	if (p && victim->in_call && !p->sweeps)
		steal(me, victim);
	else
		p = NULL;
	pthread_mutex_unlock(&victim->inside);
	if (p)
		give_idle(f, p);
	else if (below(me, 4) == 0)
		do_unblock(me);
}

void fs_step(fs *f, unsigned i)
{
	fake_m *m = &f->m[i];
	if (below(m, 100) < f->opt.quiet_percent)
		return;
	pthread_mutex_lock(&m->inside);
	if (i == f->opt.n_threads)
		monitor(m);
	else if (m->in_call)
		come_back(m);
	else if (!m->p && below(m, 40) == 0)
		retire(m);
	else if (!m->p)
		take_proc(m);
	else if (!m->g)
		look_for_work(m);
	else
		run_goroutine(m);
	pthread_mutex_unlock(&m->inside);
}

void fs_labels(fs *f, unsigned first, unsigned n)
{
	fake_m *m = f->m;
	while (!m->g || m->in_call)
		fs_step(f, below(m, f->opt.n_threads + 1));
	for (unsigned i = first; i < first + n; i++) {
		char label[32];
		snprintf(label, sizeof(label), "request=%u", i);
		tell(f, WF_EV_GO_LABEL);
		weft__tr_label(CTX(m), text(label));
	}
}

/* ---- hooks ---- */

static void each_m(weft__tr_m_fn *fn, void *arg)
{
	fs *f = the_fs;
	for (unsigned i = 0; i <= f->opt.n_threads; i++) {
		fake_m *m = &f->m[i];
		pthread_mutex_lock(&m->inside);
		fn(&m->tr, &(weft__tr_m_now){ proc_of(m), go_of(m), m->in_call, m->in_call && m->computes }, arg);
		pthread_mutex_unlock(&m->inside);
	}
}

static void each_p(weft__tr_p_fn *fn, void *arg)
{
	fs *f = the_fs;
	for (unsigned i = 0; i < f->opt.n_procs; i++)
		fn(&f->p[i].tr, !atomic_load(&f->p[i].idle), arg);
}

/* It may be made again meanwhile; then this is not used. */
__attribute__((no_sanitize("thread"))) static weft__tr_object kept(const volatile fake_g *g)
{
	fs_object o = fs_kept(g->tr.id);
	return (weft__tr_object){ .kind = (weft__tr_kind)o.kind, .id = o.id, .holder = o.holder };
}

/* So is this. */
__attribute__((no_sanitize("thread"))) static size_t label(const weft__tr_g *g, char *ret, size_t n)
{
	return fs_label(((const volatile weft__tr_g *)g)->id, ret, n);
}

static void each_g(weft__tr_g_fn *fn, void *arg)
{
	fs *f = the_fs;
	for (unsigned i = 0; i < f->opt.n_goroutines; i++) {
		fake_g *g = &f->g[i];
		weft__tr_g_now now = { .state = (weft__tr_state)atomic_load_explicit(&g->state, memory_order_acquire),
			.entry = (const void *)(uintptr_t)fs_step,
			.fp = (uintptr_t)&g->stack[FRAMES_MAX - 2],
			.what = kept(g) };
		fn(&g->tr, &now, arg);
	}
}

static int procs(void)
{
	return (int)the_fs->opt.n_procs;
}

/* Some at the end of each generation. */
static void samples(uint64_t first, uint64_t gen, weft__tr_sample_fn *fn, void *arg)
{
	fs *f = the_fs;
	(void)first;
	(void)gen;
	uintptr_t pcs[] = { (uintptr_t)samples + 9, (uintptr_t)fs_step + 24 };
	for (unsigned i = 0; i < f->opt.n_threads; i++) {
		tell(f, WF_EV_CPU_SAMPLE);
		uint64_t ticks = weft__tr_ticks() - 1000 * i;
		weft__tr_sample s = { ticks, FS_TIDS_FROM + i, (int32_t)i - 1, i % 2, i % 3, pcs };
		fn(&s, arg);
	}
}

/* ---- making one ---- */

/* Return addresses inside functions that are there, so that they have names. */
static void make_stack(fake_g *g)
{
	static const struct {
		uintptr_t in;
		unsigned at;
	} calls[] = { { (uintptr_t)do_block, 20 }, { (uintptr_t)do_create, 30 }, { (uintptr_t)run_goroutine, 40 },
		{ (uintptr_t)fs_step, 24 }, { (uintptr_t)monitor, 12 } };
	for (unsigned i = 0; i < FRAMES_MAX; i++) {
		unsigned k = i % 5;
		g->stack[i] = (frame){ &g->stack[i + 1], (const void *)(calls[k].in + calls[k].at) };
	}
	g->stack[FRAMES_MAX - 1].up = NULL;
	g->tr.stack_hi = (uintptr_t)&g->stack[FRAMES_MAX];
}

static void *zeroed(size_t n, size_t size)
{
	void *p = calloc(n, size);
	kit_check(p);
	return p;
}

fs *fs_open(const fs_options *opt)
{
	kit_check(opt->n_threads < FS_TIDS_STEP);
	fs *f = zeroed(1, sizeof(*f));
	f->opt = *opt;
	f->m = zeroed(opt->n_threads + 1, sizeof(*f->m));
	f->p = zeroed(opt->n_procs, sizeof(*f->p));
	f->g = zeroed(opt->n_goroutines, sizeof(*f->g));
	f->runnable = zeroed(opt->n_goroutines, sizeof(*f->runnable));
	f->waiting = zeroed(opt->n_goroutines, sizeof(*f->waiting));
	f->dead = zeroed(opt->n_goroutines, sizeof(*f->dead));
	f->idle = zeroed(opt->n_procs, sizeof(*f->idle));
	f->told_of = zeroed(IDS_MAX, sizeof(*f->told_of));
	pthread_mutex_init(&f->lock, NULL);
	for (unsigned i = 0; i <= opt->n_threads; i++) {
		f->m[i].f = f;
		f->m[i].index = i;
		f->m[i].tr.tid = FS_TIDS_FROM + i;
		f->m[i].rng = (opt->seed + i + 1) * 0x9e3779b97f4a7c15u;
		pthread_mutex_init(&f->m[i].inside, NULL);
		pthread_mutex_init(&f->m[i].tr.lock, NULL);
	}
	for (unsigned i = 0; i < opt->n_procs; i++) {
		f->p[i].tr.id = (int32_t)i;
		give_idle(f, &f->p[i]);
	}
	for (unsigned i = 0; i < opt->n_goroutines; i++) {
		make_stack(&f->g[i]);
		f->dead[f->n_dead++] = &f->g[i];
	}
	fake_g *first = f->dead[--f->n_dead];
	first->tr.id = atomic_fetch_add(&f->ids, 1) + 1;
	atomic_store(&f->alive, 1);
	make_runnable(f, first);
	the_fs = f;
	weft__tr_init(&(weft__tr_hooks){ .each_m = each_m,
		.each_p = each_p,
		.each_g = each_g,
		.procs = procs,
		.label = label,
		.samples = samples });
	return f;
}

void fs_close(fs *f)
{
	for (unsigned i = 0; i <= f->opt.n_threads; i++)
		weft__tr_m_exit(&f->m[i].tr);
	free(f->m);
	free(f->p);
	free(f->g);
	free(f->runnable);
	free(f->waiting);
	free(f->dead);
	free(f->idle);
	free(f->told_of);
	free(f);
	the_fs = NULL;
}

static void *run(void *arg)
{
	fake_m *m = arg;
	for (unsigned i = 0; i < m->steps; i++) {
		fs_step(m->f, m->index);
		if (below(m, 64) == 0)
			sched_yield();
	}
	atomic_fetch_sub(&m->f->left, 1);
	return NULL;
}

void fs_begin(fs *f, unsigned steps)
{
	atomic_store(&f->left, f->opt.n_threads + 1);
	for (unsigned i = 0; i <= f->opt.n_threads; i++) {
		f->m[i].steps = steps;
		kit_check(pthread_create(&f->m[i].thread, NULL, run, &f->m[i]) == 0);
	}
}

bool fs_running(const fs *f)
{
	return atomic_load(&f->left) > 0;
}

void fs_wait(fs *f)
{
	for (unsigned i = 0; i <= f->opt.n_threads; i++)
		pthread_join(f->m[i].thread, NULL);
}

void fs_run(fs *f, unsigned steps)
{
	fs_begin(f, steps);
	fs_wait(f);
}

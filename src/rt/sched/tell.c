/* rt/sched/tell.c - see tell.h. */
#include "rt/sched/tell.h"

#include "os/barrier.h"
#include "os/thread.h"
#include "rt/sched/enter.h"
#include "rt/sched/labels.h"
#include "rt/sched/objnames.h"
#include "rt/sched/scheduler.h"

enum { LOOK_AGAIN_NS = 5000 };

/* By weft__reason: the text in traces, and what kind of thing is waited for. */
static const struct {
	weft__tr_text text;
	weft__tr_kind kind;
} whys[] = {
#define REASON(ID, text, trace, kind, blocks) [WEFT__WAIT_##ID] = { WEFT__TR_BLOCK_##trace, WEFT__TR_##kind },
#include "rt/sched/states.def"
};

void weft__tell_create(weft__m *m, weft__g *g, const void *fp)
{
	if (weft__self_p(m) && !atomic_load_explicit(&m->in_call, memory_order_relaxed)) {
		WEFT__TELL(m, go_create, &g->tr, (const void *)(uintptr_t)g->entry, fp);
		return;
	}
	g->flags |= WEFT__G_UNTOLD;
	atomic_store_explicit(&g->untold, true, memory_order_relaxed); /* seen with its state */
}

void weft__tell_late(weft__m *m, weft__g *g)
{
	g->flags &= (uint8_t)~WEFT__G_UNTOLD;
	WEFT__TELL(m, go_create, &g->tr, (const void *)(uintptr_t)g->entry, NULL);
	atomic_store_explicit(&g->untold, false, memory_order_release); /* whoever sees this sees that it was told */
}

/* Of a goroutine that waits, or is about to.  Others look at it, too: see weft__tr_hooks.each_g. */
static inline __attribute__((always_inline)) weft__tr_object object_of(const volatile weft__g *g)
{
	weft__tr_object o = { .id = (uint64_t)(uintptr_t)g->wait_object };
	if (!o.id)
		return o;
	o.kind = whys[g->reason].kind;
	if (o.kind == WEFT__TR_CHAN || o.kind == WEFT__TR_FD)
		o.attr = g->wait_attr;
	else if (o.kind == WEFT__TR_MUTEX || o.kind == WEFT__TR_RWMUTEX)
		o.holder = g->wait_holder;
	return o;
}

__attribute__((no_sanitize("thread"))) weft__tr_object weft__tell_object(const weft__g *g)
{
	return object_of(g);
}

void weft__tell_block(weft__m *m, const void *fp)
{
	weft__g *g = weft__self_g(m);
	const weft__tr_object one[2] = { object_of(g) }; /* lists end with WEFT__TR_NOTHING */
	bool several = m->n_waits_for > 0;
	if (several)
		m->waits_for[m->n_waits_for].kind = WEFT__TR_NOTHING;
	m->n_waits_for = 0;
	weft__tr_go_block(&m->tr, weft__tell_p(m), &g->tr, whys[g->reason].text, fp, several ? m->waits_for : one);
}

/* ---- what the tracer asks ---- */

/* Holds m outside the runtime and calls fn; false: it is inside now. */
static bool hold(weft__m *m, weft__tr_m_fn *fn, void *arg)
{
	weft__lock_take(&m->retake, WEFT__RANK_RETAKE);
	atomic_fetch_or_explicit(&m->attn, WEFT__ATTN_TAKING, memory_order_seq_cst);
	if (weft__border_fence)
		atomic_thread_fence(memory_order_seq_cst);
	else
		wo_barrier_all();
	bool outside = atomic_load_explicit(&m->in_rt, memory_order_acquire) == 0;
	if (outside && m->tr.tid != 0) { /* else it has no thread, and cannot get one now (threads.c) */
		weft__p *p = weft__self_p(m);
		weft__g *g = weft__self_g(m);
		bool in_call = atomic_load_explicit(&m->in_call, memory_order_relaxed);
		weft__tr_m_now now = {
			.p = p ? &p->tr : NULL,
			.g = g ? &g->tr : NULL,
			.in_syscall = g && (!p || in_call),
			.computes = g && !p && !in_call,
		};
		fn(&m->tr, &now, arg);
	}
	atomic_fetch_and_explicit(&m->attn, ~(uint32_t)WEFT__ATTN_TAKING, memory_order_release);
	weft__lock_drop(&m->retake);
	return outside;
}

static void each_m(weft__tr_m_fn *fn, void *arg)
{
	for (weft__m *m = atomic_load(&weft__sched.all_m); m; m = atomic_load(&m->all))
		while (!hold(m, fn, arg))
			wo_sleep_ns(LOOK_AGAIN_NS);
}

static void each_p(weft__tr_p_fn *fn, void *arg)
{
	for (int32_t i = 0; i < WEFT__PROCS_MAX && weft__sched.all_p[i]; i++) {
		weft__p *p = weft__sched.all_p[i];
		/* Not its state: one that is on the way from thread to thread runs, but by nobody yet, and will be
		 * told to start. */
		fn(&p->tr, atomic_load(&p->m) != NULL, arg);
	}
}

struct each_g {
	weft__tr_g_fn *fn;
	void *arg;
};

/* What is seen of one that goes on meanwhile is not used. */
__attribute__((no_sanitize("thread"))) static void peek(const volatile weft__g *g, weft__tr_g_now *ret)
{
	ret->pc = (uintptr_t)g->ctx.pc;
	ret->fp = (uintptr_t)g->ctx.fp;
	ret->what = object_of(g);
}

/* Its owner may change it meanwhile: what is read here counts only while the tracer's word on it stays. */
__attribute__((no_sanitize("thread"))) static void one_g(weft__g *g, void *arg)
{
	static const weft__tr_state states[] = {
		[WEFT__G_DEAD] = WEFT__TR_DEAD,
		[WEFT__G_RUNNABLE] = WEFT__TR_RUNNABLE,
		[WEFT__G_RUNNING] = WEFT__TR_RUNNING,
		[WEFT__G_OUTSIDE] = WEFT__TR_SYSCALL,
		[WEFT__G_WAITING] = WEFT__TR_WAITING,
	};
	struct each_g *e = arg;
	weft__state state = weft__g_state(g);
	if (atomic_load_explicit(&g->untold, memory_order_acquire))
		state = WEFT__G_DEAD;
	weft__tr_g_now now = { .state = states[state], .entry = (const void *)(uintptr_t)g->entry };
	if (now.state == WEFT__TR_WAITING)
		peek(g, &now);
	e->fn(&g->tr, &now, e->arg);
}

static void each_g(weft__tr_g_fn *fn, void *arg)
{
	weft__g_each(one_g, &(struct each_g){ fn, arg });
}

static int procs(void)
{
	return weft__sched.n_p;
}

/* It may change its labels just now: the set that is read stays meanwhile. */
static size_t label(const weft__tr_g *tr, char *ret, size_t n)
{
	weft__g *g = (weft__g *)((uintptr_t)tr - offsetof(weft__g, tr));
	if (!atomic_load_explicit(&g->labels, memory_order_relaxed))
		return 0;
	weft__labels_hold();
	const weft__labels *l = atomic_load(&g->labels);
	size_t ret_n = l ? weft__labels_text(l, ret, n) : 0;
	weft__labels_release();
	return ret_n;
}

_Static_assert((int)WEFT__OBJNAME_BYTES_MAX == (int)WEFT__TR_NAME_BYTES, "a name as it is kept");

const weft__tr_hooks weft__tell_hooks = {
	.each_m = each_m,
	.each_p = each_p,
	.each_g = each_g,
	.procs = procs,
	.label = label,
	.name = weft__objname_at,
	.n_names = WEFT__OBJNAMES_MAX,
};

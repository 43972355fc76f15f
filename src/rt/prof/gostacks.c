/* rt/prof/gostacks.c - the profiles of goroutines and of threads; see collectors.h. */
#include "rt/prof/collectors.h"

#include "rt/sched/scheduler.h"
#include "rt/stack/unwind.h"

struct walk {
	weft__prof_doc *d;
	const weft__prof_ask *by;
};

/* Where a goroutine was that does not run, if it did not run while we looked: nothing holds it. */
static size_t walk_parked(weft__g *g, uintptr_t *pcs)
{
	for (int i = 0; i < 3; i++) {
		uintptr_t pc = (uintptr_t)g->ctx.pc, fp = (uintptr_t)g->ctx.fp, sp = (uintptr_t)g->ctx.sp;
		size_t n = weft__unwind_fp(pc, fp, sp, (uintptr_t)g->stack_hi, pcs, WEFT__PROF_FRAMES);
		bool same = n > 0 &&
			    weft__unwind_same(fp, sp, (uintptr_t)g->stack_hi, pcs + 1, n - 1, WEFT__PROF_FRAMES - 1);
		weft__state s = weft__g_state(g);
		if (same && (s == WEFT__G_WAITING || s == WEFT__G_RUNNABLE) && pc == (uintptr_t)g->ctx.pc &&
			sp == (uintptr_t)g->ctx.sp)
			return n;
	}
	return 0;
}

static void add(weft__g *g, void *arg)
{
	struct walk *w = arg;
	uintptr_t pcs[WEFT__PROF_FRAMES];
	weft__state s = weft__g_state(g);
	size_t n = 0;
	if (s == WEFT__G_DEAD || g->flags & WEFT__G_SYSTEM)
		return;
	if (g == w->by->self)
		n = weft__unwind_fp(0, w->by->self_fp, w->by->self_fp, (uintptr_t)g->stack_hi, pcs, WEFT__PROF_FRAMES);
	else if (s == WEFT__G_WAITING || s == WEFT__G_RUNNABLE)
		n = walk_parked(g, pcs);
	if (n == 0)
		pcs[n++] = (uintptr_t)g->entry + 1; /* it runs: all that is known is its function */
	weft__prof_add(&w->d->table, pcs, n, atomic_load(&g->labels), &(weft__prof_row){ { 1 } });
}

void weft__goroutines_collect(weft__prof_doc *d, const weft__prof_ask *by)
{
	d->rate = 1;
	weft__labels_hold();
	weft__g_each(add, &(struct walk){ d, by });
	weft__labels_release();
}

void weft__threads_collect(weft__prof_doc *d, const weft__prof_ask *by)
{
	(void)by;
	d->rate = 1;
	for (weft__m *m = atomic_load(&weft__sched.all_m); m; m = atomic_load(&m->all)) {
		uintptr_t pcs[WEFT__M_FRAMES];
		size_t n = weft__m_made_at(m, pcs);
		if (n)
			weft__prof_add(&d->table, pcs, n, NULL, &(weft__prof_row){ { 1 } });
	}
}

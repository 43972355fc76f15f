/* rt/sched/make.c - goroutines are made, end, and are made anew from what is left of them. */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"

#include "rt/sched/local.h"
#include "rt/sched/park.h"
#include "rt/sched/tell.h"
#include "rt/stack/unwind.h"

enum {
	/* Ended goroutines of one class that a proc keeps, as many as its queue holds; beyond, GIVE go back. */
	KEEP_MAX = WEFT__RUNQ,
	GIVE = 64,
	TAKE_MAX = 32, /* stacks that a proc takes at once, less at first */
	ID_BATCH = 64,
	COLOURS = 16,
	AHEAD = 6, /* steps of weft__g_fetch_crowd */
	PAGE = 4096,
};

_Static_assert(sizeof(weft__g) <= 512, "a parked goroutine and its descriptor share a page");

static void run(void *arg);

/* Descriptors of neighbours begin at different places of their pages: at the same one they would all fight for the same
 * few lines of the first-level cache. */
weft__g *weft__g_of_stack(void *hi)
{
	uintptr_t at = (uintptr_t)hi;
	uintptr_t colour = ((at >> 14) + (at >> 16)) % COLOURS;
	return (weft__g *)(at - ((sizeof(weft__g) + 63) & ~(size_t)63) - colour * 64);
}

static void *stack_of(const weft__g *g)
{
	return (void *)(((uintptr_t)g + PAGE) & ~(uintptr_t)(PAGE - 1));
}

void weft__g_fetch_crowd(const weft__g *g, const weft__g *next, const void *also)
{
	uintptr_t step = (uintptr_t)stack_of(next) - (uintptr_t)stack_of(g);
	uintptr_t far = (uintptr_t)weft__g_of_stack((void *)((uintptr_t)stack_of(next) + AHEAD * step));
	weft__fetch_line(far);
	if (also)
		weft__fetch_line(far + ((uintptr_t)also - (uintptr_t)next));
}

static uint64_t new_id(weft__p *p)
{
	if (!p)
		return atomic_fetch_add_explicit(&weft__sched.next_id, 1, memory_order_relaxed) + 1;
	if (p->next_id == p->end_id) {
		p->next_id = atomic_fetch_add_explicit(&weft__sched.next_id, ID_BATCH, memory_order_relaxed);
		p->end_id = p->next_id + ID_BATCH;
	}
	return ++p->next_id;
}

void weft__inherit(weft__g *g, weft__g *from)
{
	weft__labels *l = atomic_load_explicit(&from->labels, memory_order_relaxed);
	atomic_store_explicit(&g->labels, weft__labels_ref(l), memory_order_release);
}

/* Stacks for p's cache; the first is returned. */
static weft__g *take(weft__p *p, int class, int *ret_error)
{
	void *hi[TAKE_MAX];
	int n = 1;
	if (p) {
		/* As many as the proc has had alive so far, so that a program with three goroutines pays for three. */
		int64_t made = atomic_load_explicit(&p->n_made, memory_order_relaxed);
		n = made < 4 ? 1 : made < TAKE_MAX ? (int)made : TAKE_MAX;
	}
	n = weft__stack_take(class, hi, n);
	if (n <= 0) {
		*ret_error = n;
		return NULL;
	}
	for (int i = n - 1; i >= 1; i--) {
		weft__g *g = weft__g_of_stack(hi[i]);
		g->stack_class = (uint8_t) class;
		g->link = p->free[class];
		p->free[class] = g;
		p->n_free[class]++;
	}
	return weft__g_of_stack(hi[0]);
}

weft__g *weft__g_make(weft__p *p, const weft__start *start, int *ret_error)
{
	int class = start->stack_class;
	weft__g *g = p ? p->free[class] : NULL;
	if (weft__likely(g != NULL)) {
		p->free[class] = g->link;
		p->n_free[class]--;
		weft__g_fetch(g->link); /* the next call's */
	} else {
		g = take(p, class, ret_error);
		if (!g)
			return NULL;
		g->stack_class = (uint8_t) class;
	}
	g->stack_lo = weft__stack_lo(stack_of(g), class);
	g->arg = start->arg;
	char *top = (char *)g;
	if (weft__unlikely(start->copy_bytes != 0)) {
		top -= (start->copy_bytes + 15) & ~(size_t)15;
		g->arg = memcpy(top, start->arg, start->copy_bytes);
	}
	g->stack_hi = top;
	int made = weft__ctx_make(&g->ctx, g->stack_lo, g->stack_hi, run, g);
	if (weft__unlikely(made < 0)) {
		weft__g_keep(p, g);
		*ret_error = made;
		return NULL;
	}
	g->fn = start->fn;
	g->entry = start->entry ? start->entry : start->fn;
	g->created_at = start->from;
	g->tr.stack_hi = (uintptr_t)top;
	g->tr.id = new_id(p);
	g->name = start->name;
	if (p)
		atomic_store_explicit(
			&p->n_made, atomic_load_explicit(&p->n_made, memory_order_relaxed) + 1, memory_order_relaxed);
	else
		atomic_fetch_add_explicit(&weft__sched.n_made_outside, 1, memory_order_relaxed);
	return g;
}

void weft__g_keep(weft__p *p, weft__g *g)
{
	int class = g->stack_class;
	if (p && p->n_free[class] < KEEP_MAX) {
		g->link = p->free[class];
		p->free[class] = g;
		p->n_free[class]++;
		return;
	}
	void *hi[GIVE];
	hi[0] = stack_of(g);
	int n = 1;
	for (; p && n < GIVE && p->free[class]; n++) {
		hi[n] = stack_of(p->free[class]);
		p->free[class] = p->free[class]->link;
		p->n_free[class]--;
	}
	weft__stack_give(class, hi, n);
}

_Noreturn static inline __attribute__((always_inline)) void end(weft__m *m)
{
	weft__g *g = weft__self_g(m);
	if (weft__unlikely(g->flags || g->name || g->regions))
		m = weft__g_end_slow(m, g);
	weft__p *p = weft__self_p(m);
	atomic_store_explicit(
		&p->n_ended, atomic_load_explicit(&p->n_ended, memory_order_relaxed) + 1, memory_order_relaxed);
	WEFT__TELL(m, go_destroy);
	m->after = WEFT__AFTER_END;
	m->after_g = g;
	weft__g_set_state(g, WEFT__G_DEAD);
	atomic_store_explicit(&g->m, NULL, memory_order_relaxed);
	weft__g *next = weft__next(m);
	if (weft__likely(next != NULL)) {
		weft__set_running(m, next);
		WEFT__SWITCH_FROM(m);
		weft__ctx_exit(&g->ctx, &next->ctx);
	}
	atomic_store_explicit(&m->g, NULL, memory_order_relaxed);
	WEFT__SWITCH_FROM(m);
	weft__ctx_exit(&g->ctx, &m->g0);
}

_Noreturn void weft__g_end(weft__m *m)
{
	end(m);
}

/* Where every goroutine begins and mostly ends: without a call that never returns (see ctx/entry.S). */
static WEFT__ENTRY void run(void *arg)
{
	weft__g *g = arg;
	weft__m *m = weft__self();
	weft__do_after(m);
	weft__leave(m);
	g->fn(g->arg);
	weft__local_end(g);
	end(weft__enter());
}

weft__m *weft__g_end_slow(weft__m *m, weft__g *g)
{
	if (g->flags & WEFT__G_LOCKED) {
		m->ends = true; /* m->locked_g stays: nothing else may run here */
		m->heap_left = 0;
		m->heap_drawn = false;
		g->locked_m = NULL;
		g->lock_depth = 0;
	}
	g->flags = 0;
	wb_free(g->name);
	g->name = NULL;
	wb_free(g->regions);
	g->regions = NULL;
	return m;
}

struct each {
	void (*fn)(weft__g *g, void *arg);
	void *arg;
};

static void each_stack(void *hi, int class, void *arg)
{
	struct each *e = arg;
	(void)class;
	weft__g *g = weft__g_of_stack(hi);
	if (weft__g_state(g) != WEFT__G_DEAD)
		e->fn(g, e->arg);
}

void weft__g_each(void (*fn)(weft__g *g, void *arg), void *arg)
{
	weft__stack_each(each_stack, &(struct each){ fn, arg });
}

static int64_t sum(bool ended)
{
	int64_t n = ended ? 0 : atomic_load_explicit(&weft__sched.n_made_outside, memory_order_relaxed);
	for (int32_t i = 0; i < WEFT__PROCS_MAX && weft__sched.all_p[i]; i++) {
		weft__p *p = weft__sched.all_p[i];
		n += atomic_load_explicit(ended ? &p->n_ended : &p->n_made, memory_order_relaxed);
	}
	return n;
}

uint64_t weft__g_made(void)
{
	return (uint64_t)sum(/* ended= */ false);
}

int64_t weft__g_count(void)
{
	return sum(/* ended= */ false) - sum(/* ended= */ true);
}

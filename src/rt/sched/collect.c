/* rt/sched/collect.c - see collect.h. */
#include "rt/sched/collect.h"

#include "os/barrier.h"
#include "os/thread.h"
#include "rt/heap/heap.h"
#include "rt/sched/local.h"
#include "rt/sched/park.h"

enum { LOOK_AGAIN_NS = 5000 };

/* ---- joining ---- */

static void start(void *unused)
{
	(void)unused;
	weft__heap_start();
}

static void join(void *unused)
{
	(void)unused;
	weft__heap_join();
}

void weft__collect_join(weft__m *m)
{
	weft__on_own_stack(m, join, NULL);
}

/* Every thread joins on its next way in.  Those that are inside now may be on the way out already, with a pointer that
 * was made after the start: so waits until each has been seen outside, or has joined. */
static void wait_for_all(void)
{
	for (weft__m *m = atomic_load(&weft__sched.all_m); m; m = atomic_load(&m->all))
		atomic_fetch_or(&m->attn, WEFT__ATTN_JOIN);
	if (weft__border_fence)
		atomic_thread_fence(memory_order_seq_cst);
	else
		wo_barrier_all();
	for (weft__m *m = atomic_load(&weft__sched.all_m); m; m = atomic_load(&m->all))
		while (atomic_load(&m->in_rt) && atomic_load(&m->attn) & WEFT__ATTN_JOIN)
			wo_sleep_ns(LOOK_AGAIN_NS);
}

weft__m *weft__collect_prepare(weft__m *m)
{
	if (weft__unlikely(!weft__heap_started())) {
		weft__on_own_stack(m, start, NULL);
		weft__call_begin(m); /* others may need this thread's proc to get out */
		wait_for_all();
		m = weft__call_end();
	}
	if (weft__unlikely(!weft__heap_joined()))
		weft__on_own_stack(m, join, NULL);
	return m;
}

/* ---- roots ---- */

static weft__heap_range_fn *push;

static void push_goroutine(void *hi, int class, void *unused)
{
	(void)class;
	(void)unused;
	weft__g *g = weft__g_of_stack(hi);
	if (weft__g_state(g) == WEFT__G_DEAD)
		return;
	push((char *)g->ctx.sp, hi); /* its descriptor, with its argument, is at the upper end */
	weft__local_each(g, push);
}

static void each_stack(weft__heap_range_fn *fn)
{
	push = fn;
	weft__stack_each(push_goroutine, NULL);
}

static void each_range(weft__heap_range_fn *fn)
{
	(void)fn;
}

/* ---- finalizers ---- */

static struct {
	weft__lock lock;
	weft__g *g; /* parked */
	bool asked, made;
} finalizers;

/* Wherever somebody allocates; the goroutine is made at the first time. */
static void finalizer_loop(void *unused)
{
	(void)unused;
	for (;;) {
		while (weft__heap_finalize() > 0)
			;
		weft__m *m = weft__enter();
		weft__self_g(m)->flags |= WEFT__G_SYSTEM;
		weft__lock_take(&finalizers.lock, WEFT__RANK_COND);
		if (finalizers.asked) {
			finalizers.asked = false;
			weft__lock_drop(&finalizers.lock);
		} else {
			finalizers.g = weft__self_g(m);
			m = weft__park(m, &finalizers.lock, WEFT__WAIT_SYSTEM, NULL);
		}
		weft__leave(m);
	}
}

void weft__collect_finalize(void)
{
	weft__m *m = weft__self();
	weft__lock_take(&finalizers.lock, WEFT__RANK_COND);
	weft__g *g = finalizers.g;
	finalizers.g = NULL;
	finalizers.asked = g == NULL;
	bool make = !finalizers.made;
	finalizers.made = true;
	weft__lock_drop(&finalizers.lock);
	int err;
	if (make) {
		g = weft__g_make(weft__self_p(m),
			&(weft__start){ .fn = finalizer_loop, .stack_class = weft__sched.stack_class }, &err);
		finalizers.made = g != NULL;
		if (g) {
			WEFT__TELL(m, go_create, &g->tr, (const void *)(uintptr_t)finalizer_loop, NULL);
			weft__ready_new(m, g);
		}
	} else if (g) {
		weft__ready(m, g);
	}
}

/* ---- the tracer ---- */

static void tell(int event)
{
	static bool stopped; /* one collection at a time */
	weft__m *m = weft__self();
	weft__tr_p *p = weft__tell_p(m);
	weft__tr_g *g = weft__tell_g(m);
	switch ((enum weft__heap_event)event) {
	case WEFT__HEAP_BEGIN: weft__tr_gc_begin(&m->tr, p, g, WEFT__FRAME); break;
	case WEFT__HEAP_STOPPING:
		/* Who stops the world otherwise waits for this thread: then this stop goes untold. */
		stopped = weft__lock_try(&weft__sched.stw, WEFT__RANK_STW);
		if (stopped)
			weft__tr_stw_begin(&m->tr, p, g, WEFT__TR_STW_GC_MARK, WEFT__FRAME);
		break;
	case WEFT__HEAP_STARTED:
		if (stopped) {
			weft__tr_stw_end(&m->tr, p, g);
			weft__lock_drop(&weft__sched.stw);
		}
		break;
	case WEFT__HEAP_SWEEP: break;
	case WEFT__HEAP_END:
		weft__tr_gc_end(&m->tr, p, g);
		weft__tr_heap_alloc(&m->tr, p, g, weft__heap_bytes());
		break;
	}
}

void weft__collect_init(void)
{
	static const weft__heap_hooks hooks = {
		.each_stack = each_stack,
		.each_range = each_range,
		.finalizers_ready = weft__collect_finalize,
		.event = tell,
	};
	weft__heap_init(&hooks);
}

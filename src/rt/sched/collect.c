/* rt/sched/collect.c - see collect.h. */
#include "rt/sched/collect.h"

#include "os/barrier.h"
#include "os/thread.h"
#include "rt/heap/heap.h"
#include "rt/sched/local.h"
#include "rt/sched/park.h"

enum { LOOK_AGAIN_NS = 5000, HEAP_STEP_BYTES = 64 << 10 };

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

/* A thread that the collector does not know must not run on: what only its stack points to would be freed. */
static void require_joined(void)
{
	if (!weft__heap_joined())
		weft__fatal("out of memory for a thread that uses the collected heap");
}

void weft__collect_join(weft__m *m)
{
	weft__on_own_stack(m, join, NULL);
	require_joined();
	atomic_fetch_and(&m->attn, ~(uint32_t)WEFT__ATTN_JOIN);
}

/* Set when every thread has been waited for. */
static _Atomic bool ready;

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

/* Whoever comes before that waits itself, and not for the heap's start only: what it allocates may reach a thread that
 * is inside, and not asked to join yet, and its own collection would not look at that thread.  test/rt/gc.c
 * (first_use_by_two) holds a thread there. */
weft__m *weft__collect_prepare(weft__m *m)
{
	if (weft__unlikely(!atomic_load_explicit(&ready, memory_order_acquire))) {
		weft__on_own_stack(m, start, NULL);
		weft__call_begin(m); /* others may need this thread's proc to get out */
		wait_for_all();
		atomic_store_explicit(&ready, true, memory_order_release);
		m = weft__call_end();
	}
	if (weft__unlikely(!weft__heap_joined()))
		weft__collect_join(m);
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
		if (g)
			weft__ready_made(m, g);
	} else if (g) {
		weft__ready(m, g);
	}
}

/* ---- the tracer ---- */

/* One collection at a time. */
static struct {
	bool stopped, marking;
	size_t swept_from;
} cycle;

static struct {
	_Atomic uint64_t gen; /* that has been told */
	_Atomic size_t bytes;
} heap;

static void tell_heap(weft__m *m, bool goal)
{
	size_t bytes = weft__heap_bytes(), next = goal ? weft__heap_goal() : SIZE_MAX;
	atomic_store_explicit(&heap.bytes, bytes, memory_order_relaxed);
	WEFT__TELL(m, heap_alloc, bytes);
	if (next != SIZE_MAX)
		WEFT__TELL(m, heap_goal, next);
}

/* Two that come at once may both tell. */
void weft__collect_tell_heap(weft__m *m)
{
	uint64_t gen = atomic_load_explicit(&weft__tr_gen, memory_order_relaxed);
	size_t bytes = weft__heap_bytes(), last = atomic_load_explicit(&heap.bytes, memory_order_relaxed);
	bool again = atomic_load_explicit(&heap.gen, memory_order_relaxed) != gen;
	if (!again && (bytes > last ? bytes - last : last - bytes) < HEAP_STEP_BYTES)
		return;
	atomic_store_explicit(&heap.gen, gen, memory_order_relaxed);
	tell_heap(m, again);
}

void weft__collect_goal_changed(void)
{
	atomic_store_explicit(&heap.gen, 0, memory_order_relaxed);
}

static void begin_stop(weft__m *m)
{
	/* Who stops the world otherwise waits for this thread: then this stop goes untold. */
	cycle.stopped = weft__lock_try(&weft__sched.stw, WEFT__RANK_STW);
	if (cycle.stopped)
		weft__tr_stw_begin(&m->tr, weft__tell_p(m), weft__tell_g(m), WEFT__TR_STW_GC_MARK, m->frame);
}

static void end_stop(weft__m *m)
{
	if (!cycle.stopped)
		return;
	weft__tr_stw_end(&m->tr, weft__tell_p(m), weft__tell_g(m));
	weft__lock_drop(&weft__sched.stw);
}

static void end_mark(weft__m *m)
{
	if (cycle.marking)
		WEFT__TELL(m, gc_end);
	cycle.marking = false;
}

static void end_sweep(weft__m *m)
{
	size_t left = weft__heap_bytes();
	WEFT__TELL(m, sweep_end, cycle.swept_from, cycle.swept_from > left ? cycle.swept_from - left : 0);
}

/* With libgc's lock held.  Its own frames cannot be walked through, so stacks begin where the library was called. */
static void tell(int event)
{
	weft__m *m = weft__self();
	switch ((enum weft__heap_event)event) {
	case WEFT__HEAP_BEGIN:
		cycle.marking = true;
		WEFT__TELL(m, gc_begin, m->frame);
		break;
	case WEFT__HEAP_STOPPING: begin_stop(m); break;
	case WEFT__HEAP_STARTED: end_stop(m); break;
	case WEFT__HEAP_SWEEP:
		end_mark(m);
		cycle.swept_from = weft__heap_bytes();
		WEFT__TELL(m, sweep_begin, m->frame);
		break;
	case WEFT__HEAP_SWEPT: end_sweep(m); break;
	case WEFT__HEAP_END:
		end_mark(m);
		tell_heap(m, /* goal= */ true);
		break;
	}
}

void weft__collect_init(void)
{
	static const weft__heap_hooks hooks = {
		.each_stack = each_stack,
		.finalizers_ready = weft__collect_finalize,
		.event = tell,
	};
	weft__heap_init(&hooks);
}

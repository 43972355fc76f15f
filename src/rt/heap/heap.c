/* rt/heap/heap.c - libgc and our stacks; see heap.h. */
#include "rt/heap/heap.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define GC_THREADS
#define GC_NO_THREAD_REDIRECTS
#include <gc/gc.h>
#include <gc/gc_mark.h>

#include "base/alloc.h"
#include "os/thread.h"
#include "rt/heap/pins.h"
#include "rt/heap/ranges.h"
#include "rt/stack/stack.h"

enum { TOPS_MAX = 4096 };

/* A thread that libgc knows.  Never freed, but used again: a list that can be walked at any moment. */
typedef struct joined {
	struct joined *next;
	void *_Atomic sp;          /* where it was stopped, or where it collects */
	void *handle;              /* libgc's */
	struct GC_stack_base home; /* bottom of its own stack */
	_Atomic bool here;         /* the rest is of a thread that has not left */
	_Atomic bool taken;
} joined;

static const weft__heap_hooks *hooks;
static _Atomic bool started;
static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(joined *) all;
static __thread joined *self __attribute__((tls_model("initial-exec")));

static void (*old_handler)(int, siginfo_t *, void *);
static GC_push_other_roots_proc old_roots;

/* Tops of the stacks that stopped threads are on, rising: the rest is parked.  Valid while the world is stopped. */
static uintptr_t tops[TOPS_MAX];
static size_t n_tops;

static _Atomic size_t live_bytes; /* after the last collection */
static int64_t pause_from_ns;
static weft__heap_pauses pauses;

/* ---- stopping ---- */

static void suspended(int sig, siginfo_t *info, void *context)
{
	if (self)
		atomic_store_explicit(&self->sp, __builtin_frame_address(0), memory_order_relaxed);
	old_handler(sig, info, context);
}

static void wrap_handler(void)
{
	struct sigaction now;
	int sig = GC_get_suspend_signal();
	if (sigaction(sig, NULL, &now) < 0)
		return;
	old_handler = now.sa_sigaction;
	now.sa_sigaction = suspended;
	sigaction(sig, &now, NULL);
}

static int by_address(const void *a, const void *b)
{
	uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;
	return (x > y) - (x < y);
}

/* Every thread's bottom is the end of the stack that it is on. */
static void set_bottoms(void)
{
	n_tops = 0;
	for (joined *j = atomic_load(&all); j; j = j->next) {
		if (!atomic_load(&j->here))
			continue;
		weft__stack_place at;
		struct GC_stack_base bottom = j->home;
		if (weft__stack_find(atomic_load_explicit(&j->sp, memory_order_relaxed), &at)) {
			bottom.mem_base = at.hi;
			if (n_tops < TOPS_MAX)
				tops[n_tops++] = (uintptr_t)at.hi;
		}
		GC_set_stackbottom(j->handle, &bottom);
	}
	qsort(tops, n_tops, sizeof(tops[0]), by_address);
}

static bool is_running(uintptr_t top)
{
	size_t lo = 0, hi = n_tops;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (tops[mid] < top)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n_tops && tops[lo] == top;
}

static void push_stack(void *sp, void *top)
{
	if (!is_running((uintptr_t)top))
		GC_push_all_eager(sp, top);
}

static void push_range(void *lo, void *hi)
{
	GC_push_all_eager(lo, hi);
}

static void push_roots(void)
{
	hooks->each_stack(push_stack);
	weft__heap_ranges_each(push_range);
	weft__heap_pins_each(push_range);
	if (old_roots)
		old_roots();
}

static void tell(enum weft__heap_event event)
{
	if (hooks->event)
		hooks->event(event);
}

static void end_pause(void)
{
	int64_t ns = wo_now_ns() - pause_from_ns;
	atomic_fetch_add(&pauses.n, 1);
	atomic_fetch_add(&pauses.sum_ns, ns);
	atomic_store(&pauses.last_ns, ns);
	if (ns > atomic_load(&pauses.max_ns)) /* one collection at a time */
		atomic_store(&pauses.max_ns, ns);
}

static void on_event(GC_EventType event)
{
	switch (event) {
	case GC_EVENT_START: tell(WEFT__HEAP_BEGIN); break;
	case GC_EVENT_PRE_STOP_WORLD:
		pause_from_ns = wo_now_ns();
		tell(WEFT__HEAP_STOPPING);
		if (self) /* it gets no signal */
			atomic_store_explicit(&self->sp, __builtin_frame_address(0), memory_order_relaxed);
		break;
	case GC_EVENT_POST_STOP_WORLD: set_bottoms(); break;
	case GC_EVENT_POST_START_WORLD:
		end_pause();
		tell(WEFT__HEAP_STARTED);
		break;
	case GC_EVENT_RECLAIM_START: tell(WEFT__HEAP_SWEEP); break;
	case GC_EVENT_RECLAIM_END: tell(WEFT__HEAP_SWEPT); break;
	case GC_EVENT_END:
		atomic_store_explicit(&live_bytes, weft__heap_bytes(), memory_order_relaxed);
		tell(WEFT__HEAP_END);
		break;
	default: break;
	}
}

/* ---- joining ---- */

/* What a thread has left, or a new one at the head of the list; NULL without memory. */
static joined *take(void)
{
	joined *first = atomic_load(&all), *j = first;
	while (j && (atomic_load(&j->taken) || atomic_exchange(&j->taken, true)))
		j = j->next;
	if (j)
		return j;
	j = wb_calloc(1, sizeof(*j));
	if (!j)
		return NULL;
	atomic_store(&j->taken, true);
	do
		j->next = first;
	while (!atomic_compare_exchange_weak(&all, &first, j));
	return j;
}

static void join_as(joined *j)
{
	if (GC_get_stack_base(&j->home) != GC_SUCCESS) {
		atomic_store(&j->taken, false);
		return;
	}
	GC_register_my_thread(&j->home);
	struct GC_stack_base unused;
	j->handle = GC_get_my_stackbottom(&unused);
	/* Until the list has it, its bottom is that of its own stack: right, because it is on that. */
	atomic_store(&j->sp, __builtin_frame_address(0));
	self = j;
	atomic_store(&j->here, true);
}

void weft__heap_join(void)
{
	if (self || !atomic_load_explicit(&started, memory_order_acquire))
		return;
	joined *j = take();
	if (j)
		join_as(j);
}

bool weft__heap_joined(void)
{
	return self != NULL;
}

/* With libgc's lock, so between collections. */
static void *leave_list(void *arg)
{
	joined *j = arg;
	GC_set_stackbottom(j->handle, &j->home); /* the last collection may have found it on a goroutine's */
	atomic_store(&j->here, false);
	return NULL;
}

void weft__heap_leave(void)
{
	joined *j = self;
	if (!j)
		return;
	GC_call_with_alloc_lock(leave_list, j);
	self = NULL;
	GC_unregister_my_thread();
	atomic_store(&j->taken, false);
}

static void finalizers_ready(void)
{
	if (hooks->finalizers_ready)
		hooks->finalizers_ready();
}

void weft__heap_init(const weft__heap_hooks *h)
{
	hooks = h;
}

bool weft__heap_started(void)
{
	return atomic_load_explicit(&started, memory_order_acquire);
}

void weft__heap_start(void)
{
	static joined starter = {
		.taken = true
	}; /* libgc knows this thread from GC_INIT on: its joining must not fail */
	pthread_mutex_lock(&starting);
	if (!weft__heap_started()) {
		GC_set_all_interior_pointers(1);
		GC_set_finalize_on_demand(1);
		GC_set_java_finalization(1);
		GC_set_warn_proc(GC_ignore_warn_proc);
		GC_set_dont_precollect(1); /* it would begin at the wrong end of a stack */
		GC_INIT();
		GC_allow_register_threads();
		GC_set_finalizer_notifier(finalizers_ready);
		old_roots = GC_get_push_other_roots();
		GC_set_push_other_roots(push_roots);
		GC_set_on_collection_event(on_event);
		wrap_handler();
		atomic_store(&all, &starter);
		join_as(&starter);
		atomic_store_explicit(&started, true, memory_order_release);
	}
	pthread_mutex_unlock(&starting);
	weft__heap_join();
}

size_t weft__heap_finalize(void)
{
	return (size_t)GC_invoke_finalizers();
}

const weft__heap_pauses *weft__heap_read_pauses(void)
{
	return &pauses;
}

size_t weft__heap_bytes(void)
{
	if (!weft__heap_started())
		return 0;
	return GC_get_heap_size() - GC_get_free_bytes();
}

/* Source: libgc, alloc.c, min_bytes_allocd. */
size_t weft__heap_goal(void)
{
	size_t live = atomic_load_explicit(&live_bytes, memory_order_relaxed);
	return live == 0 || GC_is_disabled() ? SIZE_MAX : live + 2 * live / GC_get_free_space_divisor();
}

uint64_t weft__heap_cycles(void)
{
	return weft__heap_started() ? GC_get_gc_no() : 0;
}

bool weft__heap_link(void **link, const void *object)
{
	*link = (void *)GC_HIDE_POINTER(object);
	return GC_register_long_link(link, object) == GC_SUCCESS;
}

/* rt/wait/group.c - goroutines that work on one thing, and fail together.  Source: golang.org/x/sync/errgroup. */
#include <errno.h>

#include <weft/ctx.h>
#include <weft/go.h>
#include <weft/sync.h>

#include "base/alloc.h"
#include "rt/stack/unwind.h"
#include "rt/sched/local.h"
#include "rt/sched/objnames.h"
#include "rt/wait/sema.h"

struct weft_group {
	_Atomic uint32_t n_refs;
	_Atomic int err;
	_Atomic int n_active;
	bool limited;
	weft_sema room; /* when it is limited */
	weft_wg wg;
	weft_ctx *ctx;
};

weft_group *weft_group_make(weft_ctx *parent)
{
	weft_group *g = wb_calloc(1, sizeof(*g));
	weft_ctx *c = g ? weft_ctx_make(parent, WEFT_FOREVER) : NULL;
	if (!c) {
		wb_free(g);
		return NULL;
	}
	atomic_init(&g->n_refs, 1);
	g->ctx = c;
	return g;
}

void weft_group_unref(weft_group *g)
{
	if (!g || atomic_fetch_sub_explicit(&g->n_refs, 1, memory_order_acq_rel) != 1)
		return;
	weft_ctx_unref(g->ctx);
	weft__objname_forget(g);
	wb_free(g);
}

weft_ctx *weft_group_ctx(weft_group *g)
{
	return g->ctx;
}

void weft_group_limit(weft_group *g, int n)
{
	int active = atomic_load(&g->n_active);
	if (active != 0)
		weft_panic("errgroup: modify limit while %d goroutines in the group are still active", active);
	g->limited = n >= 0;
	g->room = (weft_sema)WEFT_SEMA((uint32_t)(n >= 0 ? n : 0));
}

/* ---- its goroutines ---- */

typedef struct task {
	weft_group *g;
	weft_task_fn *fn;
	void *arg;
} task;

static void begin(weft_group *g)
{
	atomic_fetch_add(&g->n_refs, 1);
	atomic_fetch_add(&g->n_active, 1);
	weft_wg_add(&g->wg, 1);
}

static void end(void *arg)
{
	weft_group *g = arg;
	atomic_fetch_sub(&g->n_active, 1);
	if (g->limited)
		weft_sema_release(&g->room);
	weft_wg_done(&g->wg);
	weft_group_unref(g);
}

static WEFT__ENTRY void run(void *arg)
{
	task *t = arg;
	weft__cleanup at_end = { .fn = end, .arg = t->g };
	weft__local_push(&at_end);
	int err = t->fn(t->arg), none = 0;
	if (err && atomic_compare_exchange_strong(&t->g->err, &none, err))
		weft_ctx_cancel(t->g->ctx);
	weft__local_pull(&at_end);
	end(t->g);
}

/* There is room for it. */
static int start(weft_group *g, weft_task_fn *fn, void *arg, uintptr_t from)
{
	begin(g);
	task t = { g, fn, arg };
	weft__m *m = weft__enter();
	int err = weft__go(m, &(weft__start){ .fn = run,
				      .entry = (weft_fn *)(uintptr_t)fn,
				      .arg = &t,
				      .copy_bytes = sizeof(t),
				      .stack_class = weft__sched.stack_class,
				      .from = from });
	weft__leave(m);
	if (err < 0)
		end(g);
	return err;
}

static int wait_for_room(weft_group *g)
{
	weft__m *m = weft__enter();
	int err = weft__sema_take(&m, &g->room.value,
		&(weft__sema_how){ WEFT__WAIT_GROUP, /* first= */ false, g, WEFT_FOREVER, 0, /* expected= */ false });
	weft__leave(m);
	return err;
}

int weft_group_go(weft_group *g, weft_task_fn *fn, void *arg)
{
	if (!weft__sched.started)
		return -EPERM;
	int err = g->limited ? wait_for_room(g) : 0;
	return err < 0 ? err : start(g, fn, arg, (uintptr_t)__builtin_return_address(0));
}

int weft_group_try_go(weft_group *g, weft_task_fn *fn, void *arg)
{
	if (!weft__sched.started)
		return -EPERM;
	if (g->limited && !weft_sema_try_acquire(&g->room))
		return -EAGAIN;
	return start(g, fn, arg, (uintptr_t)__builtin_return_address(0));
}

int weft_group_wait(weft_group *g)
{
	weft_wg_wait(&g->wg);
	weft_ctx_cancel(g->ctx);
	return atomic_load(&g->err);
}

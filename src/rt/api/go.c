/* rt/api/go.c - see weft/go.h; weft_main is in rt/main. */
#include <weft/go.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "rt/api/options.h"
#include "rt/sched/local.h"
#include "rt/sched/park.h"
#include "rt/sched/world.h"
#include "rt/stack/unwind.h"

enum { STACK_MAX = 1 << 30, NAME_MAX_BYTES = 63, THREADS_MAX = 10000 };

/* ---- goroutines ---- */

static inline __attribute__((always_inline)) int go(const weft__start *start)
{
	weft__m *m = weft__enter();
	int err = weft__go(m, start);
	weft__leave(m);
	if (weft__unlikely(err < 0))
		wb_free(start->name);
	return err;
}

static char *name_of(const weft_go_options *opt)
{
	return opt && opt->name ? weft__options_copy_name(opt->name, NAME_MAX_BYTES) : NULL;
}

int weft_go(weft_fn *fn, void *arg)
{
	if (weft__unlikely(!weft__sched.started))
		return -EPERM;
	return go(&(weft__start){ .fn = fn,
		.arg = arg,
		.stack_class = weft__sched.stack_class,
		.from = (uintptr_t)__builtin_return_address(0) });
}

static int class_of(const weft_go_options *opt)
{
	if (!opt || opt->stack_bytes == 0)
		return weft__sched.stack_class;
	int class = opt->stack_bytes > STACK_MAX ? -E2BIG : weft__stack_class(opt->stack_bytes);
	return class < 0 ? -EINVAL : class;
}

int weft_go_with(weft_fn *fn, void *arg, const weft_go_options *opt)
{
	int class = class_of(opt);
	if (!weft__sched.started)
		return -EPERM;
	if (class < 0)
		return class;
	return go(&(weft__start){ .fn = fn,
		.arg = arg,
		.stack_class = class,
		.from = (uintptr_t)__builtin_return_address(0),
		.name = name_of(opt) });
}

int weft_go_copy(weft_fn *fn, const void *arg, size_t n, const weft_go_options *opt)
{
	int class = class_of(opt);
	if (!weft__sched.started)
		return -EPERM;
	if (class < 0)
		return class;
	if (n > WEFT_GO_COPY_MAX)
		return -E2BIG;
	return go(&(weft__start){ .fn = fn,
		.arg = (void *)(uintptr_t)arg,
		.copy_bytes = n,
		.stack_class = class,
		.from = (uintptr_t)__builtin_return_address(0),
		.name = name_of(opt) });
}

void weft_yield(void)
{
	weft__m *m = weft__enter();
	if (weft__self_g(m))
		m = weft__yield(m, /* far= */ false);
	weft__leave(m);
}

void weft_exit(void)
{
	weft__g *g = weft__self_g(weft__self());
	if (!g)
		weft_panic("weft_exit called outside a goroutine");
	weft__local_end(g);
	weft__g_end(weft__enter());
}

uint64_t weft_id(void)
{
	weft__g *g = weft__self_g(weft__self());
	return g ? g->tr.id : 0;
}

size_t weft_count(void)
{
	int64_t n = weft__g_count();
	return n > 0 ? (size_t)n : 0;
}

int weft_procs(int set_to)
{
	int before = weft__sched.n_p;
	if (set_to <= 0)
		return before;
	if (set_to > WEFT_PROCS_MAX)
		set_to = WEFT_PROCS_MAX;
	weft__m *m = weft__enter();
	if (weft__self_g(m)) {
		m = weft__stop_world(m, WEFT__TR_STW_PROCS);
		before = weft__sched.n_p;
		weft__start_world(m, set_to);
	}
	weft__leave(m);
	return before;
}

void weft_thread_lock(void)
{
	weft__m *m = weft__enter();
	weft__g *g = weft__self_g(m);
	if (g && g->lock_depth++ == 0) {
		g->flags |= WEFT__G_LOCKED;
		g->locked_m = m;
		m->locked_g = g;
	}
	weft__leave(m);
}

void weft_thread_unlock(void)
{
	weft__m *m = weft__enter();
	weft__g *g = weft__self_g(m);
	if (g && g->lock_depth && --g->lock_depth == 0) {
		g->flags &= (uint8_t)~WEFT__G_LOCKED;
		g->locked_m = NULL;
		m->locked_g = NULL;
	}
	weft__leave(m);
}

/* ---- errno ---- */

/* Not inlined: the address of errno must not be kept over a switch. */
__attribute__((noinline)) int weft_errno(void)
{
	return errno;
}

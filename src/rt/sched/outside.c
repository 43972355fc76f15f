/* rt/sched/outside.c - functions that run on the thread's own stack. */
#include "rt/sched/park.h"

struct own {
	void (*fn)(void *arg);
	void *arg;
	weft__m *m;
	weft__ctx *back;
};

/* In the scheduler, as what the goroutine has left to do.  Returns when the thread comes back there. */
static void run_and_return(void *arg)
{
	struct own *o = arg;
	weft__m *m = o->m;
	weft__ctx *back = o->back; /* o is the goroutine's, which goes on behind the next line */
	o->fn(o->arg);
	WEFT__SWITCH_FROM(m);
	weft__ctx_switch(&m->g0, back);
	WEFT__SWITCH_TO(m);
}

void weft__on_own_stack(weft__m *m, void (*fn)(void *arg), void *arg)
{
	weft__g *g = weft__self_g(m);
	if (!g) {
		fn(arg);
		return;
	}
	struct own o = { fn, arg, m, &g->ctx };
	m->after = WEFT__AFTER_CALL;
	m->after_fn = run_and_return;
	m->after_arg = &o;
	WEFT__SWITCH_FROM(m);
	weft__ctx_switch(&g->ctx, &m->g0);
	WEFT__SWITCH_TO(m);
}

void weft__blocking(void (*fn)(void *arg), void *arg)
{
	weft__m *m = weft__enter();
	if (weft__self_g(m)) {
		weft__call_begin(m); /* from here on another may have the proc */
		weft__on_own_stack(m, fn, arg);
		m = weft__call_end();
		weft__leave(m);
	} else {
		weft__leave(m);
		fn(arg);
	}
}

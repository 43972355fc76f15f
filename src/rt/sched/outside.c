/* rt/sched/outside.c - functions that run on the thread's own stack, and may block it. */
#include "rt/sched/park.h"

struct outside {
	void (*fn)(void *arg);
	void *arg;
	weft__ctx *back;
};

/* On the thread's own stack, where the scheduler does what the goroutine has left to do. */
static void run(void *arg)
{
	struct outside *o = arg;
	o->fn(o->arg);
	weft__m *m = weft__self();
	WEFT__SWITCH_FROM(m);
	weft__ctx_switch(&m->g0, o->back);
	WEFT__SWITCH_TO(m);
}

void weft__blocking(void (*fn)(void *arg), void *arg)
{
	weft__m *m = weft__enter();
	weft__g *g = weft__self_g(m);
	if (!g) {
		weft__leave(m);
		fn(arg);
		return;
	}
	struct outside o = { fn, arg, &g->ctx };
	m->after = WEFT__AFTER_CALL;
	m->after_fn = run;
	m->after_arg = &o;
	weft__call_begin(
		m); /* from here on another may have the proc; the thread goes to the scheduler and comes back */
	WEFT__SWITCH_FROM(m);
	weft__ctx_switch(&g->ctx, &m->g0);
	WEFT__SWITCH_TO(weft__self());
	m = weft__call_end();
	weft__leave(m);
}

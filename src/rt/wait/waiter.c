/* rt/wait/waiter.c - see waiter.h. */
#include "rt/wait/waiter.h"

#include <weft/go.h>

enum { GATE_OPEN, GATE_PARKED, GATE_FIRED };

static void fire(weft__m *m, weft__timer *t, int64_t now_ns)
{
	weft__g *g = t->arg;
	(void)now_ns;
	if (!weft__waiter_wins(g, WEFT__WON_BY_DEADLINE))
		return;
	if (atomic_exchange_explicit(&g->gate, GATE_FIRED, memory_order_acq_rel) == GATE_PARKED)
		weft__ready(m, g);
}

int weft__deadline_start(weft__m *m, weft__deadline *d, int64_t ns)
{
	weft__g *g = weft__self_g(m);
	atomic_store_explicit(&g->select_won, 0, memory_order_relaxed);
	atomic_store_explicit(&g->gate, GATE_OPEN, memory_order_relaxed);
	g->won = NULL;
	d->timer = (weft__timer){ .when_ns = ns, .fn = fire, .arg = g };
	return weft__timer_start(m, &d->timer);
}

bool weft__deadline_parked(weft__g *g)
{
	return atomic_exchange_explicit(&g->gate, GATE_PARKED, memory_order_acq_rel) == GATE_FIRED;
}

struct timed {
	weft__g *g;
	weft__lock *lock;
};

/* On the next context.  From weft__deadline_parked on the timer may wake the goroutine, and t is gone. */
static void parked(void *arg)
{
	struct timed t = *(struct timed *)arg;
	weft__g *g = t.g;
	bool late = weft__deadline_parked(g);
	weft__lock_drop(t.lock);
	if (late)
		weft__ready(weft__self(), g);
}

weft__m *weft__park_timed(weft__m *m, weft__lock *lock, weft__reason why, const void *object)
{
	struct timed t = { weft__self_g(m), lock };
	return weft__park_call(m, parked, &t, why, object);
}

_Noreturn void weft__outside(const char *call)
{
	weft_panic("%s has to wait, and is called outside a goroutine", call);
}

void weft__deadline_stop(weft__deadline *d)
{
	weft__timer_stop(&d->timer);
}

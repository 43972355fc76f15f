/* rt/sched/nap.c - see nap.h. */
#include "rt/sched/nap.h"

#include "os/thread.h"
#include "rt/sched/enter.h"
#include "rt/sched/poller.h"
#include "rt/sched/timer.h"

enum {
	NAP_NS = 50000,
	SOON_NS = 100000, /* woken within so long: might as well have napped */
	SOON_LEAST = 8,   /* times in a row */
	PAYS_NS = 10000,  /* at work for so long: worth being woken */
	SHORT_NS = 250,   /* a time slice: a goroutine's lines take as long from one processor to another */
};

static void awake(weft__m *m)
{
	m->woken_ns = m->took_ns = wo_now_ns();
}

void weft__sleep(weft__m *m)
{
	int64_t since = wo_now_ns();
	weft__idle_begin(m);
	weft__note_sleep(&m->park);
	weft__idle_end(m);
	weft__note_clear(&m->park);
	awake(m);
	m->n_soon = m->woken_ns - since < SOON_NS ? m->n_soon + 1 : 0;
	m->dull = false;
}

static bool needed_in_poller(void)
{
	return (weft__poll_waits() || weft__timers_first() != INT64_MAX) && atomic_load(&weft__sched.last_poll_ns) != 0;
}

static bool may_nap(const weft__m *m)
{
	return m->n_soon >= SOON_LEAST && atomic_load(&weft__sched.nap) == WEFT__NAP_NONE && !needed_in_poller();
}

bool weft__theft_pays(weft__m *m)
{
	uint32_t tick = atomic_load_explicit(&weft__self_p(m)->sched_tick, memory_order_relaxed);
	uint32_t n = tick - m->took_tick;
	if (n == 0)
		return true;
	int64_t now = wo_now_ns();
	m->dull = now - m->took_ns < n * (int64_t)SHORT_NS;
	if (m->dull && may_nap(m))
		return false;
	m->took_ns = now;
	m->took_tick = tick;
	return true;
}

static bool in_vain(const weft__m *m)
{
	return m->dull || wo_now_ns() - m->woken_ns < PAYS_NS;
}

/* Asleep only if nothing was published before the nap could be known of: threads that have no proc publish in the
 * global queue. */
static weft__p *nap_once(weft__m *m)
{
	weft__scheduler *s = &weft__sched;
	weft__note_clear(&s->nap_over);
	atomic_thread_fence(memory_order_seq_cst); /* against weft__nap_wanted */
	weft__idle_begin(m);
	if (atomic_load(&s->n_global) == 0)
		weft__note_sleep_for(&s->nap_over, NAP_NS);
	weft__idle_end(m);
	return weft__look_again();
}

weft__p *weft__nap(weft__m *m)
{
	weft__scheduler *s = &weft__sched;
	uint32_t none = WEFT__NAP_NONE;
	if (!may_nap(m) || !in_vain(m) || !atomic_compare_exchange_strong(&s->nap, &none, WEFT__NAP_ON))
		return NULL;
	weft__p *p = nap_once(m);
	while (!p && atomic_exchange(&s->nap, WEFT__NAP_ON) == WEFT__NAP_WANTED && !needed_in_poller())
		p = nap_once(m);
	atomic_store(&s->nap, WEFT__NAP_NONE);
	awake(m);
	return p;
}

void weft__nap_wanted(void)
{
	weft__scheduler *s = &weft__sched;
	uint32_t on = WEFT__NAP_ON;
	bool naps = atomic_compare_exchange_strong(&s->nap, &on, WEFT__NAP_WANTED) || on == WEFT__NAP_WANTED;
	if (naps && !weft__self_p(weft__self()))
		weft__note_wake(&s->nap_over);
}

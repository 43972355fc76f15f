/* rt/sched/scheduler.c - threads look for goroutines, procs change hands. */
#include "os/barrier.h"
#include "os/thread.h"
#include "rt/sched/collect.h"
#include "rt/sched/nap.h"
#include "rt/sched/park.h"
#include "rt/sched/poller.h"
#include "rt/sched/timer.h"

enum {
	STEAL_ROUNDS = 4,
	POLL_EACH = 4,      /* of the slow looks, each so manieth asks the poller */
	LONE_SKIP_MAX = 32, /* wake-ups left out at most, see weft__ready_slow */
	DULL_MOST = 8,      /* taken at once, of goroutines that were short the last time */
	HARD_YIELD = 3,     /* with rare schedules forced, one entry in so many yields */
};

bool weft__border_fence;

/* ---- procs ---- */

weft__p *weft__idle_p_get(void)
{
	weft__p *p = weft__sched.idle_p;
	if (!p)
		return NULL;
	weft__sched.idle_p = p->link;
	atomic_fetch_sub_explicit(&weft__sched.n_idle_p, 1, memory_order_seq_cst);
	weft__monitor_wake();
	return p;
}

void weft__idle_p_put(weft__p *p)
{
	atomic_store_explicit(&p->state, WEFT__P_IDLE, memory_order_relaxed);
	p->link = weft__sched.idle_p;
	weft__sched.idle_p = p;
	atomic_fetch_add_explicit(&weft__sched.n_idle_p, 1, memory_order_seq_cst);
}

static void acquire(weft__m *m, weft__p *p)
{
	weft__tr_proc_start(&m->tr, &p->tr, weft__tell_g(m));
	atomic_store_explicit(&p->state, WEFT__P_RUNNING, memory_order_relaxed);
	atomic_store_explicit(&p->m, m, memory_order_release);
	atomic_store_explicit(&m->p, p, memory_order_release);
	p->lone_fails = p->lone_skip = 0;
	m->took_tick = atomic_load_explicit(&p->sched_tick, memory_order_relaxed);
}

static weft__p *release(weft__m *m)
{
	weft__p *p = weft__self_p(m);
	weft__tr_proc_stop(&m->tr, &p->tr, weft__tell_g(m));
	atomic_store_explicit(&m->p, NULL, memory_order_relaxed);
	atomic_store_explicit(&p->m, NULL, memory_order_relaxed);
	return p;
}

/* ---- threads ---- */

static bool nothing_to_wait_for(void)
{
	return !weft__poll_waits() && weft__timers_first() == INT64_MAX;
}

/* Under sched.lock: is there anything left that can ever make a goroutine runnable? */
static bool deadlocked(void)
{
	return weft__sched.n_idle_m == weft__sched.n_m && atomic_load(&weft__sched.n_external) == 0 &&
	       nothing_to_wait_for() && !atomic_load(&weft__sched.stopping) && weft__sched.global.n == 0;
}

static _Noreturn void die_of_deadlock(void)
{
	weft__fatal(weft__g_count() > 0 ? "all goroutines are asleep - deadlock!"
					: "no goroutines (main called runtime.Goexit) - deadlock!");
}

void weft__external_begin(void)
{
	atomic_fetch_add(&weft__sched.n_external, 1);
}

void weft__external_end(void)
{
	weft__lock_take(&weft__sched.lock, WEFT__RANK_SCHED);
	atomic_fetch_sub(&weft__sched.n_external, 1);
	bool dead = weft__sched.started && deadlocked();
	weft__lock_drop(&weft__sched.lock);
	if (dead)
		die_of_deadlock();
}

/* A thread may wait in the poller for a timer that has been stopped since, or for a descriptor that nobody waits for
 * any more: it comes back to sleep like the others, so that the last one sees a deadlock. */
static void call_poller_back(void)
{
	atomic_thread_fence(memory_order_seq_cst); /* against wait_in_poller, which announces and looks again */
	if (nothing_to_wait_for())
		weft__poll_until(0);
}

/* Sleeps without a proc until somebody hands one over. */
static void sleep_until_handed(weft__m *m, bool listed)
{
	weft__lock_take(&weft__sched.lock, WEFT__RANK_SCHED);
	if (listed) {
		m->link = weft__sched.idle_m;
		weft__sched.idle_m = m;
	}
	weft__sched.n_idle_m++;
	bool dead = deadlocked();
	weft__lock_drop(&weft__sched.lock);
	if (dead)
		die_of_deadlock();
	call_poller_back();
	weft__sleep(m);
	acquire(m, m->next_p);
	m->next_p = NULL;
}

static void wake_m(weft__m *m, weft__p *p, bool spinning)
{
	m->spinning = spinning;
	m->next_p = p;
	weft__note_wake(&m->park);
}

/* Stops p for stop_world; under sched.lock. */
static void stop_p(weft__p *p)
{
	atomic_store_explicit(&p->state, WEFT__P_STOPPED, memory_order_release);
	if (++weft__sched.n_stopped == weft__sched.n_p)
		weft__note_wake(&weft__sched.stopped);
}

/* No thread can be started for p here and now: what it has becomes everybody's, and waits for a thread that comes back
 * from a call, or for the monitor's next attempt. */
static void without_thread(weft__p *p, bool spinning)
{
	bool inherit;
	if (spinning)
		atomic_fetch_sub(&weft__sched.n_spinning, 1);
	weft__lock_take(&weft__sched.lock, WEFT__RANK_SCHED);
	for (weft__g *g; (g = weft__runq_get(p, &inherit)) != NULL;)
		weft__global_put(g);
	if (atomic_load(&weft__sched.stopping))
		stop_p(p);
	else
		weft__idle_p_put(p);
	weft__lock_drop(&weft__sched.lock);
	atomic_store(&weft__sched.no_thread, true);
	weft__monitor_wake();
	weft__note_wake(&weft__sched.thread_wanted);
}

/* A thread inherits its signal mask, its processors, its namespaces from the one that starts it.  Those of the program,
 * and those that goroutines are tied to, may have been changed for purposes of their own: they leave it to the monitor,
 * which is as weft_main()'s thread was.  (Go has a thread for that: startTemplateThread.) */
static bool may_be_changed(const weft__m *m)
{
	bool program = m == &weft__no_m || weft__called_in(m);
	return program ? atomic_load(&weft__sched.begun) : m->locked_g != NULL;
}

void weft__start_m(weft__p *p, bool spinning)
{
	weft__lock_take(&weft__sched.lock, WEFT__RANK_SCHED);
	weft__m *m = weft__sched.idle_m;
	if (m) {
		weft__sched.idle_m = m->link;
		weft__sched.n_idle_m--;
	}
	weft__lock_drop(&weft__sched.lock);
	if (m) {
		wake_m(m, p, spinning);
		return;
	}
	if (may_be_changed(weft__self())) {
		without_thread(p, spinning);
		return;
	}
	int err = weft__thread_start(p, spinning);
	atomic_store(&weft__sched.thread_error, err);
	if (err < 0)
		without_thread(p, spinning);
}

void weft__wake_another(void)
{
	int32_t none = 0;
	if (atomic_load(&weft__sched.n_spinning) != 0 ||
		!atomic_compare_exchange_strong(&weft__sched.n_spinning, &none, 1)) {
		weft__nap_wanted();
		return;
	}
	weft__lock_take(&weft__sched.lock, WEFT__RANK_SCHED);
	weft__p *p = atomic_load(&weft__sched.stopping) ? NULL : weft__idle_p_get();
	weft__lock_drop(&weft__sched.lock);
	if (!p) {
		atomic_fetch_sub(&weft__sched.n_spinning, 1);
		return;
	}
	atomic_fetch_add_explicit(&weft__sched.n_wakes, 1, memory_order_relaxed);
	weft__start_m(p, true);
}

void weft__hand_off(weft__p *p)
{
	if (!weft__runq_empty(p) || atomic_load(&weft__sched.n_global)) {
		weft__start_m(p, false);
		return;
	}
	int32_t none = 0;
	if (atomic_load(&weft__sched.n_spinning) + atomic_load(&weft__sched.n_idle_p) == 0 &&
		atomic_compare_exchange_strong(&weft__sched.n_spinning, &none, 1)) {
		weft__start_m(p, true);
		return;
	}
	weft__lock_take(&weft__sched.lock, WEFT__RANK_SCHED);
	if (atomic_load(&weft__sched.stopping)) {
		stop_p(p);
		weft__lock_drop(&weft__sched.lock);
		return;
	}
	/* The last proc that works goes on as well: somebody has to wait for timers and the poller. */
	bool last = atomic_load(&weft__sched.n_idle_p) == weft__sched.n_p - 1 &&
		    atomic_load(&weft__sched.last_poll_ns) != 0;
	if (weft__sched.global.n || last) {
		weft__lock_drop(&weft__sched.lock);
		weft__start_m(p, false);
		return;
	}
	weft__idle_p_put(p);
	weft__lock_drop(&weft__sched.lock);
	weft__poll_until(atomic_load(&p->timers.first_ns));
}

/* ---- the border ---- */

weft__m *weft__take_proc(weft__m *by, weft__p *p)
{
	weft__m *m = atomic_load_explicit(&p->m, memory_order_acquire);
	if (!m)
		return NULL;
	weft__lock_take(&m->retake, WEFT__RANK_RETAKE);
	atomic_fetch_or_explicit(&m->attn, WEFT__ATTN_TAKING, memory_order_seq_cst);
	if (weft__border_fence)
		atomic_thread_fence(memory_order_seq_cst);
	else
		wo_barrier_all();
	bool mine = atomic_load_explicit(&m->in_rt, memory_order_acquire) == 0 && atomic_load(&m->p) == p;
	if (mine) {
		weft__g *g = weft__self_g(m);
		if (g && !atomic_load_explicit(&m->in_call, memory_order_relaxed))
			WEFT__TELL(m, hog);
		WEFT__TELL(by, proc_steal, &p->tr, &m->tr);
		if (g)
			weft__g_set_state(g, WEFT__G_OUTSIDE);
		atomic_store_explicit(&m->p, NULL, memory_order_relaxed);
		atomic_store_explicit(&p->m, NULL, memory_order_relaxed);
		atomic_fetch_or_explicit(&m->attn, WEFT__ATTN_TAKEN, memory_order_relaxed);
	}
	atomic_fetch_and_explicit(&m->attn, ~(uint32_t)WEFT__ATTN_TAKING, memory_order_release);
	weft__lock_drop(&m->retake);
	return mine ? m : NULL;
}

/* Whoever holds the thread where it is lets go first. */
static uint32_t ask_taker(weft__m *m)
{
	weft__lock_take(&m->retake, WEFT__RANK_RETAKE);
	uint32_t attn = atomic_fetch_and_explicit(
		&m->attn, ~(uint32_t)(WEFT__ATTN_TAKEN | WEFT__ATTN_YIELD), memory_order_acq_rel);
	weft__lock_drop(&m->retake);
	return attn;
}

/* The proc was taken while the goroutine was outside: gets another, or queues. */
static weft__m *regain(weft__m *m)
{
	atomic_store_explicit(&m->in_call, 0, memory_order_relaxed);
	weft__g *g = weft__self_g(m);
	weft__lock_take(&weft__sched.lock, WEFT__RANK_SCHED);
	weft__p *p = atomic_load(&weft__sched.stopping) ? NULL : weft__idle_p_get();
	weft__lock_drop(&weft__sched.lock);
	if (p) {
		acquire(m, p);
		WEFT__TELL(m, syscall_end_blocked);
		weft__set_running(m, g);
		return m;
	}
	WEFT__TELL(m, syscall_end_blocked);
	weft__g_set_state(g, WEFT__G_RUNNABLE);
	m->after = WEFT__AFTER_GLOBAL;
	m->after_g = g;
	atomic_store_explicit(&g->m, NULL, memory_order_relaxed);
	atomic_store_explicit(&m->g, NULL, memory_order_relaxed);
	WEFT__SWITCH_FROM(m);
	weft__ctx_switch(&g->ctx, &m->g0);
	m = weft__self();
	weft__do_after(m);
	return m;
}

/* A thread that is not of the runtime. */
static weft__m *foreign(weft__m *m)
{
	if (m == &weft__no_m)
		return weft__thread_call_in();
	if (atomic_load_explicit(&m->attn, memory_order_relaxed) & WEFT__ATTN_TAKING)
		ask_taker(m);
	return m;
}

/* A call outside is over, and the proc was kept. */
static inline void end_call(weft__m *m)
{
	atomic_store_explicit(&m->in_call, 0, memory_order_relaxed);
	WEFT__TELL(m, syscall_end);
}

bool weft__called_in(const weft__m *m)
{
	return m != &weft__no_m &&
	       (atomic_load_explicit(&((weft__m *)(uintptr_t)m)->attn, memory_order_relaxed) & WEFT__ATTN_FOREIGN);
}

weft__m *weft__enter_slow(weft__m *m)
{
	uint32_t attn = atomic_load_explicit(&m->attn, memory_order_acquire);
	if (attn & WEFT__ATTN_FOREIGN)
		return foreign(m);
	if (attn & WEFT__ATTN_JOIN)
		weft__collect_join(m);
	attn = ask_taker(m);
	if (attn & WEFT__ATTN_TAKEN)
		return regain(m);
	if (atomic_load_explicit(&m->in_call, memory_order_relaxed))
		end_call(m);
	if (!weft__self_g(m)) /* an idle thread that ends the program: nobody to yield */
		return m;
	if (attn & WEFT__ATTN_YIELD) {
		if (atomic_load(&weft__sched.stopping))
			weft__self_p(m)->until_slow = 1; /* the next switch goes to the scheduler, which stops */
		return weft__yield(m, /* far= */ true);
	}
	if (attn & WEFT__ATTN_HARD) {
		uint64_t r = weft__rng(&weft__self_p(m)->rng);
		weft__self_p(m)->until_slow = 1;
		if (r % HARD_YIELD == 0)
			return weft__yield(m, /* far= */ r & 1 << 20);
	}
	return m;
}

void weft__idle_end(weft__m *m)
{
	atomic_store_explicit(&m->in_rt, 1, memory_order_relaxed);
	weft__border();
	uint32_t attn = atomic_load_explicit(&m->attn, memory_order_acquire);
	if (attn & WEFT__ATTN_TAKING)
		ask_taker(m);
	if (attn & WEFT__ATTN_JOIN && m != weft__sched.monitor_m)
		weft__collect_join(m);
}

void weft__call_begin(weft__m *m)
{
	WEFT__TELL(m, syscall_begin, WEFT__FRAME);
	weft__p *p = weft__self_p(m);
	if (p)
		atomic_store_explicit(&p->call_tick, atomic_load_explicit(&p->call_tick, memory_order_relaxed) + 1,
			memory_order_relaxed);
	atomic_store_explicit(&m->in_call, 1, memory_order_relaxed);
	weft__leave(m);
}

weft__m *weft__call_end(void)
{
	weft__m *m = weft__enter();
	/* Not when the slow way in has told the end, now or for a call of the library in between. */
	if (weft__likely(atomic_load_explicit(&m->in_call, memory_order_relaxed)))
		end_call(m);
	return m;
}

/* ---- what a goroutine leaves to the next context ---- */

void weft__after_slow(weft__m *m)
{
	weft__after after = m->after;
	weft__g *g = m->after_g;
	m->after = WEFT__AFTER_NOTHING;
	switch (after) {
	case WEFT__AFTER_NOTHING:
	case WEFT__AFTER_DROP: break;
	case WEFT__AFTER_CALL: m->after_fn(m->after_arg); break;
	case WEFT__AFTER_REQUEUE: weft__runq_put(weft__self_p(m), g, false); break;
	case WEFT__AFTER_GLOBAL:
		weft__lock_take(&weft__sched.lock, WEFT__RANK_SCHED);
		weft__global_put(g);
		weft__lock_drop(&weft__sched.lock);
		if (!weft__self_p(m) && atomic_load(&weft__sched.n_idle_p) > 0)
			weft__wake_another();
		break;
	case WEFT__AFTER_END:
		weft__ctx_done(&g->ctx);
		/* Not before: samples of its last instructions are under them, too. */
		if (weft__unlikely(atomic_load_explicit(&g->labels, memory_order_relaxed) != NULL))
			weft__labels_unref(atomic_exchange(&g->labels, NULL));
		weft__g_keep(weft__self_p(m), g);
		break;
	}
}

weft__m *weft__park_call(weft__m *m, void (*fn)(void *), void *arg, weft__reason why, const void *object)
{
	weft__g *g = weft__self_g(m);
	int64_t watched_ns = weft__watch_blocks() ? weft__watch_begin(why) : 0;
	g->reason = (uint8_t)why;
	g->wait_object = object;
	g->since_ns = atomic_load_explicit(&weft__sched.now_ns, memory_order_relaxed);
	m->after = WEFT__AFTER_CALL;
	m->after_fn = fn;
	m->after_arg = arg;
	if (weft__tr_on())
		weft__tell_block(m, WEFT__FRAME);
	weft__g_set_state(g, WEFT__G_WAITING);
	m = weft__switch_away(m, g);
	if (weft__unlikely(watched_ns != 0))
		weft__watch_end(watched_ns, (uintptr_t)WEFT__FRAME);
	return m;
}

weft__m *weft__yield(weft__m *m, bool far)
{
	weft__g *g = weft__self_g(m);
	weft__p *p = weft__self_p(m);
	if (!far && weft__runq_empty(p)) {
		if (p->until_slow > 1 && atomic_load_explicit(&weft__sched.n_global, memory_order_relaxed) == 0) {
			p->until_slow--;
			return m; /* nobody to yield to */
		}
		far = true;
	}
	m->after = far ? WEFT__AFTER_GLOBAL : WEFT__AFTER_REQUEUE;
	m->after_g = g;
	WEFT__TELL(m, go_stop, far ? WEFT__TR_BLOCK_PREEMPTED : WEFT__TR_STOP_YIELD, WEFT__FRAME);
	weft__g_set_state(g, WEFT__G_RUNNABLE);
	return weft__switch_away(m, g);
}

/* A goroutine has become runnable here while procs are idle (g: it is on no queue yet, the thread has no proc).
 *
 * Mostly it is the one that the running goroutine is about to wait for: waking a thread for it costs microseconds, and
 * finds nothing.  So while only the next slot is filled, and earlier threads found nothing to steal here, more and more
 * wake-ups are left out; the monitor looks for slots that stay filled. */
void weft__ready_slow(weft__m *m, weft__g *g)
{
	if (!g && atomic_load(&weft__sched.nap) == WEFT__NAP_WANTED)
		return;
	weft__p *p = weft__self_p(m);
	if (g) {
		weft__lock_take(&weft__sched.lock, WEFT__RANK_SCHED);
		weft__global_put(g);
		weft__lock_drop(&weft__sched.lock);
		atomic_thread_fence(memory_order_seq_cst);
	} else if (atomic_load_explicit(&p->runq_head, memory_order_relaxed) ==
		   atomic_load_explicit(&p->runq_tail, memory_order_relaxed)) {
		if (atomic_load(&weft__sched.n_spinning) != 0) {
			weft__nap_wanted();
			return;
		}
		if (p->lone_skip) {
			p->lone_skip--;
			return;
		}
		p->lone_skip = 1u << p->lone_fails;
		if (p->lone_skip < LONE_SKIP_MAX)
			p->lone_fails++;
	}
	weft__wake_another();
}

/* ---- looking for work ---- */

static void stop_spinning(weft__m *m)
{
	m->spinning = false;
	/* Invariant 2: whoever found work wakes the next. */
	if (atomic_fetch_sub(&weft__sched.n_spinning, 1) == 1 && atomic_load(&weft__sched.n_idle_p) > 0)
		weft__wake_another();
}

/* Puts all but the first of a list from the poller to work. */
static weft__g *first_of(weft__queue *list)
{
	weft__g *g = weft__queue_pop(list);
	weft__inject(list);
	return g;
}

/* Goroutines that the poller has ready now. */
static weft__g *ask_poller(weft__m *m)
{
	if (!weft__poll_waits() || atomic_load(&weft__sched.last_poll_ns) == 0)
		return NULL;
	weft__queue list = { 0 };
	weft__poll(m, 0, &list);
	return first_of(&list);
}

/* Timers of all procs that are due, whoever should have fired them: the thread that spins may not be running now, and
 * waiting in the poller for what is due already would not be waiting. */
static weft__g *due_elsewhere(weft__p *p)
{
	int64_t first = weft__timers_first();
	if (first == INT64_MAX || first > wo_now_ns())
		return NULL;
	int n = 0;
	for (int32_t i = 0; i < WEFT__PROCS_MAX && weft__sched.all_p[i]; i++)
		n += weft__timers_run(weft__sched.all_p[i]);
	bool inherit;
	return n > 0 ? weft__runq_get(p, &inherit) : NULL;
}

static weft__g *steal(weft__m *m)
{
	weft__p *p = weft__self_p(m);
	uint32_t n = (uint32_t)weft__sched.n_p;
	for (int round = 0; round < STEAL_ROUNDS; round++) {
		bool last = round == STEAL_ROUNDS - 1;
		uint32_t at = (uint32_t)(weft__rng(&m->rng) % n);
		for (uint32_t i = 0; i < n; i++, at = at + 1 == n ? 0 : at + 1) {
			weft__p *from = weft__sched.all_p[at];
			if (atomic_load_explicit(&weft__sched.stopping, memory_order_relaxed))
				return NULL;
			if (from == p)
				continue;
			if (atomic_load_explicit(&from->state, memory_order_relaxed) == WEFT__P_IDLE)
				continue;
			weft__g *g = weft__runq_steal(p, from, m->dull ? DULL_MOST : WEFT__RUNQ, last);
			if (g) {
				atomic_fetch_add_explicit(&weft__sched.n_steals, 1, memory_order_relaxed);
				return g;
			}
		}
	}
	return NULL;
}

weft__p *weft__look_again(void)
{
	bool any = atomic_load(&weft__sched.n_global) != 0;
	for (int32_t i = 0; !any && i < weft__sched.n_p; i++)
		any = !weft__runq_empty(weft__sched.all_p[i]);
	if (!any)
		return NULL;
	weft__lock_take(&weft__sched.lock, WEFT__RANK_SCHED);
	weft__p *p = atomic_load(&weft__sched.stopping) ? NULL : weft__idle_p_get();
	weft__lock_drop(&weft__sched.lock);
	return p;
}

/* Waits in the poller for a descriptor or the earliest timer, if nobody does already.  True with a proc: look again, or
 * run *ret. */
static bool wait_in_poller(weft__m *m, bool was_spinning, weft__g **ret)
{
	if (nothing_to_wait_for())
		return false;
	int64_t first = weft__timers_first();
	if (atomic_load(&weft__sched.last_poll_ns) == 0 || atomic_exchange(&weft__sched.last_poll_ns, 0) == 0) {
		weft__poll_until(first);
		return false;
	}
	/* Timers may have come or gone between the look and the announcement. */
	atomic_store(&weft__sched.poll_until_ns, first);
	first = weft__timers_first();
	atomic_store(&weft__sched.poll_until_ns, first);
	int64_t now = wo_now_ns(), delay = -1;
	if (first != INT64_MAX || nothing_to_wait_for())
		delay = first != INT64_MAX && first > now ? first - now : 0;
	weft__queue list = { 0 };
	weft__poll(m, delay, &list);
	m->n_soon = 0;
	atomic_store(&weft__sched.poll_until_ns, 0);
	atomic_store(&weft__sched.last_poll_ns, wo_now_ns());
	weft__lock_take(&weft__sched.lock, WEFT__RANK_SCHED);
	weft__p *p = atomic_load(&weft__sched.stopping) ? NULL : weft__idle_p_get();
	weft__lock_drop(&weft__sched.lock);
	if (!p) {
		weft__inject(&list);
		return false;
	}
	acquire(m, p);
	*ret = first_of(&list);
	if (!*ret && was_spinning) {
		m->spinning = true;
		atomic_fetch_add(&weft__sched.n_spinning, 1);
	}
	return true;
}

/* Gives up the proc for stop_world and sleeps until it is over. */
static void stop_here(weft__m *m)
{
	if (m->spinning) {
		m->spinning = false;
		atomic_fetch_sub(&weft__sched.n_spinning, 1);
	}
	weft__lock_take(&weft__sched.lock, WEFT__RANK_SCHED);
	bool stopping = atomic_load(&weft__sched.stopping);
	if (stopping)
		stop_p(release(m));
	weft__lock_drop(&weft__sched.lock);
	if (stopping)
		sleep_until_handed(m, true);
}

/* Gives p back and sleeps, unless there is work after all: then it is in *ret, or the thread has a proc and must look
 * again. */
static void go_idle(weft__m *m, weft__g **ret)
{
	weft__lock_take(&weft__sched.lock, WEFT__RANK_SCHED);
	if (atomic_load(&weft__sched.stopping) || weft__sched.global.n) {
		*ret = atomic_load(&weft__sched.stopping) ? NULL : weft__global_get(weft__self_p(m), WEFT__RUNQ_BATCH);
		weft__lock_drop(&weft__sched.lock);
		return;
	}
	weft__idle_p_put(release(m));
	weft__lock_drop(&weft__sched.lock);

	bool was_spinning = m->spinning;
	if (was_spinning) {
		weft__p *awake = weft__nap(m);
		if (awake) {
			acquire(m, awake);
			return;
		}
		m->spinning = false;
		atomic_fetch_sub(&weft__sched.n_spinning, 1);
		atomic_thread_fence(memory_order_seq_cst);
		weft__p *p = weft__look_again();
		if (p) {
			acquire(m, p);
			m->spinning = true;
			atomic_fetch_add(&weft__sched.n_spinning, 1);
			return;
		}
	}
	if (!wait_in_poller(m, was_spinning, ret))
		sleep_until_handed(m, true);
}

/* From the sources that are looked at seldom when there is enough to do. */
static weft__g *slow_sources(weft__m *m, weft__p *p)
{
	weft__g *g = NULL;
	/* In turns with the ring: whoever is made to yield is in the global queue again each time, maybe alone. */
	bool turn = ++p->slow_looks % 2;
	if (turn && atomic_load_explicit(&weft__sched.n_global, memory_order_relaxed)) {
		weft__lock_take(&weft__sched.lock, WEFT__RANK_SCHED);
		g = weft__global_get(p, 1);
		weft__lock_drop(&weft__sched.lock);
	}
	if (!g && p->slow_looks % POLL_EACH == 0)
		g = ask_poller(m);
	/* Two that wake each other again and again use the next slot only, and would starve the rest of the queue. */
	return g ? g : weft__runq_get_ring(p);
}

static weft__g *find(weft__m *m, bool *ret_inherit)
{
	for (;;) {
		if (atomic_load_explicit(&weft__sched.stopping, memory_order_acquire)) {
			stop_here(m);
			continue;
		}
		weft__p *p = weft__self_p(m);
		bool slow = p->until_slow == 0;
		p->until_slow = WEFT__SLOW_TICKS;
		weft__timers_run(p);
		*ret_inherit = false;
		weft__g *g = slow ? slow_sources(m, p) : NULL;
		if (!g)
			g = weft__runq_get(p, ret_inherit);
		if (g)
			return g;
		if (atomic_load_explicit(&weft__sched.n_global, memory_order_relaxed)) {
			weft__lock_take(&weft__sched.lock, WEFT__RANK_SCHED);
			g = weft__global_get(p, WEFT__RUNQ_BATCH);
			weft__lock_drop(&weft__sched.lock);
		}
		if (!g)
			g = ask_poller(m);
		if (!g)
			g = due_elsewhere(p);
		if (g)
			return g;
		int32_t busy = weft__sched.n_p - atomic_load(&weft__sched.n_idle_p);
		if (m->spinning || 2 * weft__looking() < busy) {
			if (!m->spinning) {
				m->spinning = true;
				atomic_fetch_add(&weft__sched.n_spinning, 1);
			}
			g = weft__theft_pays(m) ? steal(m) : NULL;
			if (g)
				return g;
		}
		go_idle(m, &g);
		if (g)
			return g;
	}
}

/* g belongs to another thread: hands the proc to it. */
static void start_locked(weft__m *m, weft__g *g)
{
	weft__p *p = release(m);
	weft__m *its = g->locked_m;
	weft__lock_take(&weft__sched.lock, WEFT__RANK_SCHED);
	weft__sched.n_idle_m--;
	weft__lock_drop(&weft__sched.lock);
	its->next_p = p; /* all that may be touched: it may not be asleep yet */
	weft__note_wake(&its->park);
	sleep_until_handed(m, true);
}

/* The goroutine of this thread does not run: the proc is for others until it does. */
static void wait_locked(weft__m *m)
{
	if (weft__self_p(m))
		weft__hand_off(release(m));
	sleep_until_handed(m, false);
}

/* The goroutine that this thread was tied to has ended, and the thread goes with it. */
static void retire(weft__m *m)
{
	weft__hand_off(release(m));
	m->locked_g = NULL;
	weft__external_begin(); /* until its destructors have run */
	weft__lock_take(&weft__sched.lock, WEFT__RANK_SCHED);
	weft__sched.n_m--;
	weft__lock_drop(&weft__sched.lock);
	call_poller_back();
}

void weft__schedule(weft__m *m)
{
	acquire(m, m->next_p);
	m->next_p = NULL;
	for (;;) {
		do /* a call that was made here may leave more (outside.c) */
			weft__do_after(m);
		while (m->after != WEFT__AFTER_NOTHING);
		weft__g *g;
		bool inherit = false;
		if (weft__unlikely(m->locked_g != NULL)) {
			if (m->ends) {
				retire(m);
				return;
			}
			wait_locked(m);
			g = m->locked_g;
		} else {
			if (!weft__self_p(m)) {
				sleep_until_handed(m, true);
				continue;
			}
			g = find(m, &inherit);
			if (m->spinning)
				stop_spinning(m);
			if (weft__unlikely(g->flags & WEFT__G_LOCKED) && g->locked_m != m) {
				start_locked(m, g);
				continue;
			}
		}
		if (weft__unlikely(g->flags & WEFT__G_UNTOLD))
			weft__tell_late(m, g);
		weft__p *p = weft__self_p(m);
		if (!inherit)
			atomic_store_explicit(&p->sched_tick,
				atomic_load_explicit(&p->sched_tick, memory_order_relaxed) + 1, memory_order_relaxed);
		weft__set_running(m, g);
		WEFT__SWITCH_FROM(m);
		weft__ctx_switch(&m->g0, &g->ctx);
	}
}

/* rt/sched/world.c - the scheduler starts, stops all procs and starts them again, and changes their number. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "os/barrier.h"
#include "os/thread.h"
#include "rt/sched/collect.h"
#include "rt/sched/park.h"
#include "rt/sched/poller.h"
#include "rt/sched/timer.h"
#include "rt/sched/world.h"
#include "rt/stack/overflow.h"

enum { LOOK_AGAIN_NS = 20000 };

static weft__p *make_p(int32_t id)
{
	weft__p *p = wb_aligned(64, sizeof(weft__p));
	if (!p)
		return NULL;
	*p = (weft__p){ .id = id, .tr.id = id, .until_slow = WEFT__SLOW_TICKS };
	atomic_store(&p->timers.first_ns, INT64_MAX);
	p->rng = (weft__sched.seed + (uint64_t)id + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
	return p;
}

static bool make_procs(int32_t n)
{
	for (int32_t i = 0; i < n; i++) {
		if (weft__sched.all_p[i])
			continue;
		weft__p *p = make_p(i);
		if (!p)
			return false;
		weft__sched.all_p[i] = p;
	}
	return true;
}

static void never_started(void)
{
	weft__sched.started = false;
	weft__poll_done();
}

int weft__world_init(const weft__world_options *opt)
{
	weft__scheduler *s = &weft__sched;
	s->seed = opt->seed;
	s->hard = opt->hard;
	s->m_max = opt->threads_max;
	s->stack_class = weft__stack_class(opt->stack_bytes);
	if (s->stack_class < 0)
		return -EINVAL;
	int err = weft__stack_init(&(weft__stack_options){ 0 });
	if (err == 0)
		err = weft__ctx_start();
	if (err == 0 && !make_procs(opt->procs))
		err = -ENOMEM;
	weft__m *m = err == 0 ? weft__make_m() : NULL;
	if (err == 0 && !m)
		err = -ENOMEM;
	if (err == 0)
		err = weft__poll_init();
	if (err < 0)
		return err;
	weft__border_fence = !wo_barrier_init();
	s->n_p = opt->procs;
	s->all_p[0]->alone = s->n_p == 1;
	atomic_store(&s->last_poll_ns, wo_now_ns());
	atomic_store(&s->now_ns, wo_now_ns());
	for (int32_t i = s->n_p - 1; i >= 0; i--)
		weft__idle_p_put(s->all_p[i]);
	s->started = true;
	weft__tr_init(&weft__tell_hooks);
	s->monitor_m = m;
	weft__collect_init();
	weft__threads_init();
	weft__idle_begin(m);
	pthread_t unused;
	err = wo_thread_start_open(&unused, weft__monitor, m);
	if (err < 0)
		never_started();
	return err;
}

/* The first goroutine has been put on the global queue: 0 when a thread was started for it. */
static int first_thread(void)
{
	weft__scheduler *s = &weft__sched;
	weft__lock_take(&s->lock, WEFT__RANK_SCHED);
	bool none = s->n_m == 0 && atomic_load(&s->thread_error) != 0; /* else it has come and gone */
	if (none)
		weft__global_get(s->all_p[0], 1);
	atomic_store(none ? &s->started : &s->begun, !none); /* under the lock: against sleep_while_idle */
	weft__lock_drop(&s->lock);
	weft__monitor_wake();                            /* it has left what needs a thread alone so far */
	return none ? atomic_load(&s->thread_error) : 0; /* the monitor goes on, and finds nothing */
}

int weft__world_run(const weft__start *start)
{
	int err = 0;
	weft__g *g = weft__g_make(NULL, start, &err);
	if (!g)
		return err;
	g->flags = WEFT__G_MAIN;
	weft__g_set_state(g, WEFT__G_RUNNABLE);
	weft__external_begin(); /* until a thread has taken it */
	weft__queue list = { 0 };
	weft__queue_push(&list, g);
	weft__inject(&list);
	err = first_thread();
	weft__external_end();
	if (err < 0)
		return err;
	bool counted = weft__called_in(weft__self());
	if (counted)
		weft__external_end(); /* this thread, which sleeps now */
	weft__note_sleep(&weft__sched.main_done);
	atomic_store(&weft__sched.started, false);
	if (counted)
		weft__external_begin();
	return 0;
}

/* ---- stop and start ---- */

static weft__m *wait_turn(weft__m *m)
{
	while (!weft__lock_try(&weft__sched.stw, WEFT__RANK_STW)) {
		if (weft__self_g(m))
			m = weft__yield(m, /* far= */ true);
		else
			wo_sleep_ns(LOOK_AGAIN_NS);
	}
	return m;
}

/* Takes what can be taken of the procs that still run, and asks the rest to stop. */
static void chase(weft__m *m)
{
	for (int32_t i = 0; i < weft__sched.n_p; i++) {
		weft__p *p = weft__sched.all_p[i];
		weft__m *its = atomic_load_explicit(&p->m, memory_order_acquire);
		if (!its || atomic_load_explicit(&p->state, memory_order_acquire) != WEFT__P_RUNNING)
			continue;
		if (weft__take_proc(m, p) == its) {
			p->stolen_from = its;
			weft__hand_off(p); /* stops it */
		} else {
			atomic_fetch_or(&its->attn, WEFT__ATTN_YIELD);
		}
	}
}

weft__m *weft__stop_world(weft__m *m, weft__tr_text why)
{
	m = wait_turn(m);
	weft__tr_stw_begin(&m->tr, weft__tell_p(m), weft__tell_g(m), why, WEFT__FRAME);
	weft__scheduler *s = &weft__sched;
	weft__lock_take(&s->lock, WEFT__RANK_SCHED);
	weft__note_clear(&s->stopped);
	s->n_stopped = 0;
	atomic_store(&s->stopping, true);
	weft__p *own = weft__self_p(m);
	if (own) {
		atomic_store_explicit(&own->state, WEFT__P_STOPPED, memory_order_relaxed);
		s->n_stopped++;
	}
	for (weft__p *p; (p = s->idle_p) != NULL; s->n_stopped++) {
		s->idle_p = p->link;
		atomic_fetch_sub(&s->n_idle_p, 1);
		atomic_store_explicit(&p->state, WEFT__P_STOPPED, memory_order_relaxed);
	}
	bool all = s->n_stopped == s->n_p;
	weft__lock_drop(&s->lock);
	while (!all) {
		chase(m);
		all = weft__note_sleep_for(&s->stopped, LOOK_AGAIN_NS);
	}
	return m;
}

/* Procs taken from threads that are still outside go back to them: they will never know.  Not when a trace runs: it has
 * been told, or has looked at the thread (under the same lock, tell.c) and found it without a proc. */
static void give_back(weft__p *p)
{
	weft__m *its = p->stolen_from;
	p->stolen_from = NULL;
	if (!its)
		return;
	weft__lock_take(&its->retake, WEFT__RANK_RETAKE);
	if (atomic_load(&its->attn) & WEFT__ATTN_TAKEN && !weft__tr_on()) {
		weft__g *g = weft__self_g(its);
		if (g)
			weft__g_set_state(g, WEFT__G_RUNNING);
		atomic_store(&p->state, WEFT__P_RUNNING);
		atomic_store(&p->m, its);
		atomic_store(&its->p, p);
		atomic_fetch_and(&its->attn, ~(uint32_t)(WEFT__ATTN_TAKEN | WEFT__ATTN_YIELD));
	}
	weft__lock_drop(&its->retake);
}

/* What a proc that is to go still has becomes everybody's. */
static void dissolve(weft__p *p)
{
	bool inherit;
	for (weft__g *g; (g = weft__runq_get(p, &inherit)) != NULL;)
		weft__global_put(g);
	atomic_store(&p->state, WEFT__P_DEAD);
}

void weft__start_world(weft__m *m, int32_t n)
{
	weft__scheduler *s = &weft__sched;
	weft__p *own = weft__self_p(m);
	if (n == s->n_p || (n > 0 && !make_procs(n)))
		n = 0;
	for (int32_t i = 0; i < s->n_p; i++) {
		if (n > 0)
			s->all_p[i]->stolen_from = NULL; /* other procs: who is outside queues for one */
		else
			give_back(s->all_p[i]);
	}
	weft__timers_merge(n);
	weft__p *work = NULL;
	weft__lock_take(&s->lock, WEFT__RANK_SCHED);
	if (n > 0) {
		if (own && own->id >= n) {
			/* The caller goes on with a proc that stays. */
			weft__p *first = s->all_p[0];
			WEFT__TELL(m, proc_change, &first->tr);
			atomic_store(&own->m, NULL);
			atomic_store(&first->m, m);
			atomic_store(&m->p, first);
			own = first;
		}
		for (int32_t i = n; i < s->n_p; i++)
			dissolve(s->all_p[i]);
		for (int32_t i = s->n_p; i < n; i++)
			atomic_store(&s->all_p[i]->state, WEFT__P_STOPPED);
		s->n_p = n;
		s->all_p[0]->alone = n == 1;
	}
	for (int32_t i = s->n_p - 1; i >= 0; i--) {
		weft__p *p = s->all_p[i];
		if (p == own) {
			atomic_store(&p->state, WEFT__P_RUNNING);
		} else if (atomic_load(&p->state) == WEFT__P_STOPPED) {
			if (weft__runq_empty(p)) {
				weft__idle_p_put(p);
			} else {
				p->link = work;
				work = p;
			}
		}
	}
	if (n > 0)
		WEFT__TELL(m, procs_change, n, WEFT__FRAME);
	weft__tr_stw_end(&m->tr, weft__tell_p(m), weft__tell_g(m));
	atomic_store(&s->stopping, false);
	weft__monitor_wake();
	bool more = s->global.n > 0;
	weft__lock_drop(&s->lock);
	weft__lock_drop(&s->stw);
	while (work) {
		weft__p *p = work;
		work = p->link;
		weft__start_m(p, false);
	}
	if (more || weft__poll_waits() || weft__timers_first() != INT64_MAX)
		weft__wake_another();
}

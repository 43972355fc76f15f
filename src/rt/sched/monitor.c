/* rt/sched/monitor.c - a thread without a proc that sees to it that nothing holds the others up.
 *
 * It takes procs from threads in blocking calls and from goroutines that compute for long, polls when nobody else has,
 * wakes procs for work that lies about, and sleeps while all are idle.  Source: Go, runtime/proc.go (sysmon, retake).
 */
#include <stdio.h>
#include <time.h>

#include "os/thread.h"
#include "rt/sched/park.h"
#include "rt/sched/poller.h"
#include "rt/sched/timer.h"

enum {
	TICK_NS = 20000,
	TICK_MAX_NS = 10000000,
	QUIET_TICKS = 50,    /* then it ticks slower and slower */
	SLICE_NS = 10000000, /* of a goroutine, when others wait */
	CALL_NS = 10000000,  /* of a blocking call's claim on its proc, when nobody waits */
	POLL_NS = 10000000,
	STUCK_TRIES = 50, /* for a thread, see STUCK_NS */
};
#define TRIM_NS  INT64_C(5000000000)
#define STUCK_NS INT64_C(1000000000) /* without a thread for work that waits: then the program ends */

void weft__monitor_wake(void)
{
	if (atomic_load(&weft__sched.monitor_sleeps) && atomic_exchange(&weft__sched.monitor_sleeps, false)) {
		atomic_store_explicit(&weft__sched.now_ns, wo_now_ns(), memory_order_relaxed);
		weft__note_wake(&weft__sched.monitor);
	}
}

void weft__monitor_ask(weft__ask_fn *fn)
{
	atomic_store(&weft__sched.asked, fn);
	weft__note_wake(&weft__sched.monitor);
}

static bool work_waits(weft__p *p, int64_t now)
{
	return !weft__runq_empty(p) || atomic_load(&weft__sched.n_global) != 0 || weft__timers_first() <= now;
}

static bool somebody_looks(void)
{
	return atomic_load(&weft__sched.n_spinning) + atomic_load(&weft__sched.n_idle_p) > 0;
}

static bool take(weft__m *me, weft__p *p)
{
	/* A proc in nobody's hands must not count as a deadlock or an idle one. */
	weft__external_begin();
	bool taken = weft__take_proc(me, p) != NULL;
	if (taken) {
		atomic_fetch_add_explicit(&weft__sched.n_retakes, 1, memory_order_relaxed);
		weft__hand_off(p);
	}
	weft__external_end();
	return taken;
}

/* A thread in a blocking call: at the second look at the same call its proc goes to whoever needs it. */
static bool see_call(weft__m *me, weft__p *p, int64_t now)
{
	uint32_t tick = atomic_load_explicit(&p->call_tick, memory_order_relaxed);
	if (tick != p->seen_call_tick) {
		p->seen_call_tick = tick;
		p->seen_call_ns = now;
		return false;
	}
	if (!work_waits(p, now) && somebody_looks() && now - p->seen_call_ns < CALL_NS)
		return false;
	return take(me, p);
}

/* A goroutine that runs for long: asks it to yield; a whole slice later it has made no call, so its proc goes. */
static bool see_slice(weft__m *me, weft__p *p, weft__m *m, int64_t now)
{
	uint32_t tick = atomic_load_explicit(&p->sched_tick, memory_order_relaxed);
	if (tick != p->seen_sched_tick) {
		p->seen_sched_tick = tick;
		p->seen_sched_ns = now;
		p->hog_reported = false;
		return false;
	}
	int64_t ran = now - p->seen_sched_ns;
	if (weft__sched.hog_ns && ran >= weft__sched.hog_ns && !p->hog_reported) {
		weft__g *g = weft__self_g(m);
		p->hog_reported = true;
		if (g && !atomic_load_explicit(&m->in_rt, memory_order_relaxed))
			weft__sched.hog_report(g, ran);
	}
	if (ran < SLICE_NS)
		return false;
	if (!work_waits(p, now))
		return false;
	uint32_t old = atomic_fetch_or(&m->attn, WEFT__ATTN_YIELD);
	if (!(old & WEFT__ATTN_YIELD) || now - p->seen_sched_ns < 2 * (int64_t)SLICE_NS)
		return false;
	return take(me, p);
}

/* Looks at every proc; true when one changed hands. */
static bool retake(weft__m *me, int64_t now)
{
	bool any = false;
	bool idle = atomic_load(&weft__sched.n_idle_p) > 0;
	for (int32_t i = 0; i < weft__sched.n_p; i++) {
		weft__p *p = weft__sched.all_p[i];
		weft__m *m = atomic_load_explicit(&p->m, memory_order_acquire);
		if (!m || atomic_load_explicit(&p->state, memory_order_relaxed) != WEFT__P_RUNNING)
			continue;
		if (atomic_load_explicit(&m->in_call, memory_order_relaxed) ? see_call(me, p, now)
									    : see_slice(me, p, m, now))
			any = true;
		else if (idle && !weft__runq_empty(p))
			weft__wake_another(); /* a wake-up that weft__ready left out */
	}
	return any;
}

static bool all_idle(void)
{
	return atomic_load(&weft__sched.n_idle_p) == weft__sched.n_p;
}

/* Does not tick while the world is stopped, nor once nothing has run for some time: waking the monitor for each event
 * that ends a short silence would cost more than the ticks.  True: it has slept. */
static bool sleep_while_idle(int64_t tick)
{
	bool idle = false;
	weft__lock_take(&weft__sched.lock, WEFT__RANK_SCHED);
	if (atomic_load(&weft__sched.stopping) || (all_idle() && tick >= TICK_MAX_NS)) {
		weft__note_clear(&weft__sched.monitor);
		bool wanted = atomic_load(&weft__sched.no_thread) || weft__sched.global.n != 0;
		idle = atomic_load(&weft__sched.asked) == NULL && !(wanted && atomic_load(&weft__sched.begun));
		atomic_store(&weft__sched.monitor_sleeps, idle);
	}
	weft__lock_drop(&weft__sched.lock);
	if (idle)
		weft__note_sleep_for(&weft__sched.monitor, weft__sched.report_ns ? weft__sched.report_ns : -1);
	atomic_store(&weft__sched.monitor_sleeps, false);
	return idle;
}

_Noreturn static void die_without_threads(void)
{
	char text[128];
	snprintf(text, sizeof(text), "no thread could be started for %d s (errno %d), and nothing else runs",
		(int)(STUCK_NS / 1000000000), -atomic_load(&weft__sched.thread_error));
	weft__fatal(text);
}

/* Goroutines wait, and no proc has a thread.  Anybody's wake-up ends that in a moment, unless there are no threads. */
static bool work_without_thread(void)
{
	return atomic_load(&weft__sched.n_global) != 0 && atomic_load(&weft__sched.n_idle_p) == weft__sched.n_p;
}

/* A thread was wanted and could not be had: tries again, for as long as something may come of it. */
static void try_thread_again(int64_t now)
{
	static int64_t stuck_since;
	static int n_tries;
	if (!atomic_load(&weft__sched.begun))
		return;
	if (atomic_exchange(&weft__sched.no_thread, false) || work_without_thread())
		weft__wake_another();
	bool late = weft__timers_first() <= now && atomic_load(&weft__sched.n_idle_p) == weft__sched.n_p;
	if (atomic_load(&weft__sched.thread_error) == 0 || !(late || work_without_thread())) {
		n_tries = 0;
		return;
	}
	if (n_tries++ == 0)
		stuck_since = now;
	if (n_tries > STUCK_TRIES && now - stuck_since >= STUCK_NS)
		die_without_threads();
}

static void poll_for_others(weft__m *me, int64_t now)
{
	int64_t last = atomic_load(&weft__sched.last_poll_ns);
	if (last == 0 || now - last < POLL_NS || !weft__poll_waits())
		return;
	if (!atomic_compare_exchange_strong(&weft__sched.last_poll_ns, &last, now))
		return;
	weft__queue list = { 0 };
	weft__external_begin();
	weft__poll(me, 0, &list);
	weft__inject(&list);
	weft__external_end();
}

void *weft__monitor(void *arg)
{
	weft__m *me = arg;
	weft__m_here = me;
	weft__lock_take(&me->retake, WEFT__RANK_RETAKE); /* a trace that begins now asks for it (tell.c) */
	me->tr.tid = wo_thread_id();
	weft__lock_drop(&me->retake);
	int64_t tick = TICK_NS;
	int quiet = 0;
	int64_t began = wo_now_ns(), trimmed = began, reported = began;
	for (;;) {
		if (quiet == 0)
			tick = TICK_NS;
		else if ((quiet > QUIET_TICKS || all_idle()) && tick < TICK_MAX_NS)
			tick = tick * 2 < TICK_MAX_NS ? tick * 2 : TICK_MAX_NS;
		weft__note_sleep_for(&weft__sched.thread_wanted, tick);
		weft__note_clear(&weft__sched.thread_wanted);
		if (sleep_while_idle(tick))
			quiet = 0;
		weft__idle_end(me);
		int64_t now = wo_now_ns();
		atomic_store_explicit(&weft__sched.now_ns, now, memory_order_relaxed);
		weft__ask_fn *asked = atomic_exchange(&weft__sched.asked, NULL);
		if (asked)
			asked();
		if (weft__sched.report_ns && now - reported >= weft__sched.report_ns) {
			weft__sched.report(now - began);
			reported = now;
		}
		poll_for_others(me, now);
		if (weft__timers_first() < now && atomic_load(&weft__sched.n_idle_p) > 0)
			weft__wake_another();
		try_thread_again(now);
		quiet = retake(me, now) ? 0 : quiet + 1;
		weft__idle_begin(me);
		if (now - trimmed > TRIM_NS) {
			weft__stack_trim();
			trimmed = now;
		}
	}
	return NULL;
}

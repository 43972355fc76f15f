/* rt/prof/reports.c - see reports.h, and weft_stats_read. */
#include "rt/prof/reports.h"

#include <inttypes.h>
#include <stdio.h>

#include <weft/debug.h>

#include "rt/sched/nap.h"
#include "rt/sched/scheduler.h"
#include "rt/sched/timer.h"
#include "rt/tr/symbol.h"

static void hog(weft__g *g, int64_t ns)
{
	const weft__tr_frame *f;
	weft__tr_symbols *s = weft__tr_symbols_open();
	size_t n = s ? weft__tr_symbols_at(s, (uintptr_t)g->fn, &f) : 0;
	fprintf(stderr, "weft: goroutine %" PRIu64 " (%s) has run for %" PRId64 " ms without a call of the library\n",
		g->tr.id, n ? f[0].func : "?", ns / 1000000);
	weft__tr_symbols_close(s);
}

static void scheduler_line(int64_t ns)
{
	weft_stats s;
	weft_stats_read(&s);
	fprintf(stderr,
		"SCHED %" PRId64 "ms: procs=%d idleprocs=%d threads=%d spinningthreads=%d idlethreads=%d runqueue=%u "
		"goroutines=%zu timers=%zu steals=%" PRIu64 " retakes=%" PRIu64 " wakeups=%" PRIu64 "\n",
		ns / 1000000, s.n_procs, s.n_procs_idle, s.n_threads, s.n_threads_spinning, s.n_threads_idle,
		atomic_load(&weft__sched.n_global), s.n_goroutines, s.n_timers, s.n_steals, s.n_retakes, s.n_wakeups);
}

void weft__reports_init(int64_t hog_ns, int64_t sched_ns)
{
	weft__sched.hog_ns = hog_ns;
	weft__sched.hog_report = hog;
	weft__sched.report_ns = sched_ns;
	weft__sched.report = scheduler_line;
}

/* ---- statistics ---- */

static void count(weft__g *g, void *arg)
{
	weft_stats *s = arg;
	weft__m *m = atomic_load_explicit(&g->m, memory_order_acquire);
	weft__state state = weft__g_state(g); /* after that: who runs has written both, and m may be new */
	s->n_runnable += state == WEFT__G_RUNNABLE;
	s->n_parked += state == WEFT__G_WAITING;
	bool on_thread = m && (state == WEFT__G_OUTSIDE || state == WEFT__G_RUNNING);
	s->n_in_syscall += on_thread && atomic_load_explicit(&m->in_call, memory_order_relaxed);
	s->stack_bytes += weft__stack_bytes(g->stack_class);
}

void weft_stats_read(weft_stats *ret)
{
	weft_stats s = { 0 };
	if (weft__sched.started)
		weft__g_each(count, &s);
	int64_t n = weft__g_count();
	s.n_goroutines = n > 0 ? (size_t)n : 0;
	s.n_procs = weft__sched.n_p;
	s.n_procs_idle = atomic_load(&weft__sched.n_idle_p);
	weft__lock_take(&weft__sched.lock, WEFT__RANK_SCHED);
	s.n_threads = weft__sched.n_m;
	s.n_threads_idle = weft__sched.n_idle_m;
	weft__lock_drop(&weft__sched.lock);
	s.n_threads_spinning = weft__looking();
	s.n_timers = weft__timers_count();
	s.n_started = weft__g_made();
	for (int32_t i = 0; i < s.n_procs; i++)
		s.n_switches += atomic_load_explicit(&weft__sched.all_p[i]->sched_tick, memory_order_relaxed);
	s.n_steals = atomic_load(&weft__sched.n_steals);
	s.n_retakes = atomic_load(&weft__sched.n_retakes);
	s.n_wakeups = atomic_load(&weft__sched.n_wakes);
	*ret = s;
}

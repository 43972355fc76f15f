/* rt/time.c - sleeping, timers, tickers: what package time says, and the cases of its tests. */
#include "kit/rtkit.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/time.h>

static weft_wg done;
static atomic_int count;
static const weft_ns hour = 3600 * WEFT_SECOND;

static void count_up(void *arg)
{
	(void)arg;
	count++;
}

static void count_down(void *arg)
{
	(void)arg;
	count++;
	weft_wg_done(&done);
}

/* ---- the clock ---- */

CASE(clock, "time: a monotonic clock never goes back; moments beyond its end are WEFT_FOREVER")
{
	weft_ns last = weft_now();
	for (int i = 0; i < 1000; i++) {
		weft_ns now = weft_now();
		kit_expect(now >= last);
		last = now;
		if (i % 100 == 0)
			weft_sleep(WEFT_US);
	}
	kit_expect(weft_in(WEFT_FOREVER) == WEFT_FOREVER);
	kit_expect(weft_in(WEFT_FOREVER - 5) == WEFT_FOREVER);
	kit_expect(weft_in(-WEFT_FOREVER) < weft_now());
	kit_expect(weft_in(INT64_MIN) < weft_now());
	kit_expect(weft_in(WEFT_SECOND) > weft_now());
	kit_expect(weft_wall() > INT64_C(1700000000) * WEFT_SECOND);
}

/* ---- sleep ---- */

CASE(sleep_lasts, "time.Sleep: Sleep pauses the current goroutine for at least the duration d (Go's TestSleep).")
{
	for (weft_ns d = WEFT_US; d <= 30 * WEFT_MS; d *= 3) {
		weft_ns start = weft_now();
		kit_equal(weft_sleep(d), 0);
		kit_expect(weft_now() - start >= d);
		start = weft_now();
		kit_equal(weft_sleep_until(start + d), 0);
		kit_expect(weft_now() >= start + d);
	}
}

CASE(sleep_nothing,
	"time.Sleep: A negative or zero duration causes Sleep to return immediately (Go's TestSleepZeroDeadlock).")
{
	for (int i = 0; i < 1000; i++) {
		kit_equal(weft_sleep(0), 0);
		kit_equal(weft_sleep(-hour), 0);
		kit_equal(weft_sleep(INT64_MIN), 0);
		kit_equal(weft_sleep_until(0), 0);
		kit_equal(weft_sleep_until(weft_now()), 0);
	}
}

static void sleep_for_ever(void *arg)
{
	(void)arg;
	weft_sleep(WEFT_FOREVER);
	count++;
}

CASE(sleep_for_ever, "Go's TestOverflowSleep: the longest sleep does not end at once")
{
	kit_go(sleep_for_ever, NULL);
	kit_until_parked(1);
	weft_sleep(10 * WEFT_MS);
	kit_equal(count, 0);
}

typedef struct sleeper {
	weft_ns until;
	atomic_int *order;
	int place;
} sleeper;

static void sleep_and_note(void *arg)
{
	sleeper *s = arg;
	weft_sleep_until(s->until);
	kit_expect(weft_now() >= s->until);
	s->place = (*s->order)++;
	weft_wg_done(&done);
}

CASE(many_sleepers, "time.Sleep: thousands of goroutines sleep at the same time, each at least its time")
{
	int n = (int)kit_times(10000);
	uint64_t random = kit_seed();
	sleeper *s = calloc((size_t)n, sizeof(*s));
	atomic_int order = 0;
	weft_ns start = weft_now();
	weft_wg_add(&done, n);
	for (int i = 0; i < n; i++) {
		s[i] = (sleeper){ start + (weft_ns)(kit_random(&random) % (50 * WEFT_MS)), &order, -1 };
		kit_go(sleep_and_note, &s[i]);
	}
	weft_wg_wait(&done);
	kit_equal(order, n);
	free(s);
}

CASE(sleepers_wake_in_order, "Go's TestAfterQueuing: who sleeps until an earlier moment wakes earlier", .procs = 1,
	.soft = true)
{
	enum { N = 10 };
	static const int slots[N] = { 5, 3, 6, 6, 6, 1, 1, 2, 7, 9 };
	sleeper s[N];
	atomic_int order = 0;
	weft_ns start = weft_now() + 20 * WEFT_MS;
	weft_wg_add(&done, N);
	for (int i = 0; i < N; i++) {
		s[i] = (sleeper){ start + slots[i] * 10 * WEFT_MS, &order, -1 };
		kit_go(sleep_and_note, &s[i]);
	}
	weft_wg_wait(&done);
	for (int i = 0; i < N; i++)
		for (int k = 0; k < N; k++)
			if (slots[i] < slots[k])
				kit_expect(s[i].place < s[k].place);
}

enum { LATE = 10 };

/* Sleepers that are all late, the last one first.  False: the machine was so slow that some never slept. */
static bool be_late(sleeper s[static LATE], weft_ns start)
{
	atomic_int order = 0;
	weft_stats now;
	weft_wg_add(&done, LATE);
	for (int i = LATE - 1; i >= 0; i--) {
		s[i] = (sleeper){ start + i * WEFT_US, &order, -1 };
		kit_go(sleep_and_note, &s[i]);
	}
	do {
		weft_yield();
		weft_stats_read(&now);
	} while (now.n_parked < LATE && weft_now() < start);
	bool slept = weft_now() < start;
	while (weft_now() < start + WEFT_MS) {
	}
	weft_wg_wait(&done);
	return slept;
}

CASE(late_sleepers_wake_in_order, "Go's TestAfterQueuing: also when they are all late", .procs = 1, .soft = true)
{
	sleeper s[LATE];
	weft_ns lead = 5 * WEFT_MS;
	while (!be_late(s, weft_in(lead)))
		lead *= 2;
	for (int i = 0; i < LATE; i++)
		kit_equal(s[i].place, i);
}

static void on_signal(int sig)
{
	(void)sig;
}

CASE(sleep_under_signals,
	"Go's TestSpuriousWakeupsNeverHangSemasleep: signals end no sleep, nor do they prolong it for ever")
{
	struct sigaction a = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK }; /* without SA_RESTART */
	struct itimerval often = { .it_interval.tv_usec = 100, .it_value.tv_usec = 100 }, off = { 0 };
	sigaction(SIGALRM, &a, NULL);
	kit_require(!setitimer(ITIMER_REAL, &often, NULL));
	for (int i = 0; i < 5; i++) {
		weft_ns until = weft_in(2 * WEFT_MS);
		weft_chan *ch = weft_after(WEFT_MS);
		kit_equal(weft_sleep_until(until), 0);
		kit_expect(weft_now() >= until);
		kit_equal(weft_chan_recv(ch, NULL), 1);
		weft_chan_unref(ch);
	}
	setitimer(ITIMER_REAL, &off, NULL);
}

/* ---- timers ---- */

static weft_timer timer;

static void again(void *arg)
{
	(void)arg;
	if (++count < 10)
		weft_timer_start(&timer, weft_in(WEFT_US), again, NULL);
	else
		weft_wg_done(&done);
}

CASE(after_func,
	"time.AfterFunc: AfterFunc waits for the duration to elapse and then calls f in its own goroutine (Go's "
	"TestAfterFunc).")
{
	weft_wg_add(&done, 1);
	kit_equal(weft_timer_start(&timer, weft_in(WEFT_MS), again, NULL), 0);
	weft_wg_wait(&done);
	kit_equal(count, 10);
}

static void note_time(void *arg)
{
	weft_ns *at = arg;
	*at = weft_now();
	weft_wg_done(&done);
}

CASE(timer_not_early, "time.h: fn is started at the moment or soon after, at once when it has passed")
{
	static const weft_ns ds[] = { -3600 * WEFT_SECOND, -1, 0, 1, WEFT_US, WEFT_MS, 5 * WEFT_MS, 30 * WEFT_MS };
	enum { N = sizeof(ds) / sizeof(ds[0]) };
	weft_timer timers[N] = { 0 };
	weft_ns moments[N], at[N] = { 0 };
	weft_wg_add(&done, N);
	for (int i = 0; i < N; i++) {
		moments[i] = weft_now() + ds[i];
		kit_equal(weft_timer_start(&timers[i], moments[i], note_time, &at[i]), 0);
	}
	weft_wg_wait(&done);
	for (int i = 0; i < N; i++)
		kit_expect(at[i] >= moments[i]);
}

CASE(stop_result,
	"time.Timer.Stop: It returns true if the call stops the timer, false if the timer has already expired or been "
	"stopped (Go's TestStopResult).")
{
	weft_timer unused = { 0 };
	kit_expect(!weft_timer_stop(&unused)); /* never started */
	kit_expect(!weft_timer_reset(&unused, weft_in(0)));
	kit_equal(weft_timer_start(&timer, weft_in(hour), count_up, NULL), 0);
	kit_expect(weft_timer_stop(&timer));
	kit_expect(!weft_timer_stop(&timer));
	kit_equal(weft_timer_start(&timer, weft_in(WEFT_FOREVER), count_up, NULL), 0);
	kit_expect(weft_timer_stop(&timer));
	weft_wg_add(&done, 1);
	kit_equal(weft_timer_start(&timer, weft_in(0), count_down, NULL), 0);
	weft_wg_wait(&done);
	kit_expect(!weft_timer_stop(&timer));
	kit_equal(count, 1);
}

CASE(reset_result, "time.Timer.Reset: It returns true if the timer had been active, false if the timer had expired or "
		   "been stopped "
		   "(Go's TestResetResult).")
{
	kit_equal(weft_timer_start(&timer, weft_in(hour), count_down, NULL), 0);
	kit_expect(weft_timer_reset(&timer, weft_in(2 * hour)));
	weft_wg_add(&done, 1);
	kit_expect(weft_timer_reset(&timer, weft_in(WEFT_MS)));
	weft_wg_wait(&done);
	kit_equal(count, 1);
	weft_wg_add(&done, 1);
	kit_expect(!weft_timer_reset(&timer, weft_in(WEFT_MS)));
	weft_wg_wait(&done);
	kit_equal(count, 2);
	kit_expect(!weft_timer_reset(&timer, weft_in(hour)));
	kit_expect(weft_timer_stop(&timer));
	weft_wg_add(&done, 1);
	kit_expect(!weft_timer_reset(&timer, 0));
	weft_wg_wait(&done);
	kit_equal(count, 3);
}

CASE(timers_at_the_edges,
	"time.NewTimer: moments long ago fire at once, those beyond the clock never (Go's TestZeroTimer)")
{
	static const weft_ns passed[] = { INT64_MIN, INT64_MIN + 1, -1, 0, 1 },
			     never[] = { WEFT_FOREVER, WEFT_FOREVER - 1 };
	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++) {
		weft_timer t = { 0 };
		weft_wg_add(&done, 1);
		kit_equal(weft_timer_start(&t, passed[i], count_down, NULL), 0);
		weft_wg_wait(&done);
		kit_expect(!weft_timer_stop(&t));
		weft_wg_add(&done, 1);
		kit_expect(!weft_timer_reset(&t, passed[i]));
		weft_wg_wait(&done);
	}
	kit_equal(count, 10);
	for (int i = 0; i < 2; i++) {
		weft_timer t = { 0 };
		kit_equal(weft_timer_start(&t, never[i], count_up, NULL), 0);
		kit_expect(weft_timer_reset(&t, never[1 - i]));
		weft_sleep(WEFT_MS);
		kit_expect(weft_timer_stop(&t));
	}
	kit_equal(count, 10);
}

static weft_chan *ball;

static void fill_for_ever(void *arg)
{
	while (!atomic_load((atomic_bool *)arg))
		weft_chan_send(ball, NULL);
	weft_chan_close(ball);
	weft_wg_done(&done);
}

static void drain_for_ever(void *arg)
{
	(void)arg;
	while (weft_chan_recv(ball, NULL) == 1) {
	}
	weft_wg_done(&done);
}

static void set_it(void *arg)
{
	atomic_store((atomic_bool *)arg, true);
}

CASE(after_func_starvation,
	"Go's TestAfterFuncStarvation: of two goroutines one can always run; the timer's runs all the same", .procs = 1)
{
	for (int i = 0; i < 20; i++) {
		static atomic_bool over;
		weft_timer t = { 0 };
		over = false;
		ball = weft_chan_make(0, 1);
		weft_wg_add(&done, 2);
		kit_go(fill_for_ever, &over);
		kit_go(drain_for_ever, NULL);
		kit_equal(weft_timer_start(&t, weft_in(WEFT_US), set_it, &over), 0);
		weft_wg_wait(&done);
		weft_chan_unref(ball);
	}
}

CASE(modified_earlier,
	"Go's TestTimerModifiedEarlier: a timer that is brought forward fires then, not when it was first to")
{
	for (int i = 0; i < 10; i++) {
		weft_timer t = { 0 };
		weft_wg_add(&done, 1);
		kit_equal(weft_timer_start(&t, weft_in(100 * hour), count_down, NULL), 0);
		kit_expect(weft_timer_reset(&t, weft_in(WEFT_MS / 10)));
		weft_wg_wait(&done);
	}
	kit_equal(count, 10);
}

CASE(restart_runs_once, "time.h: a timer that is running is stopped first")
{
	weft_wg_add(&done, 1);
	for (int i = 0; i < 100; i++)
		kit_equal(weft_timer_start(&timer, weft_in(hour), count_down, NULL), 0);
	kit_equal(weft_timer_start(&timer, weft_in(WEFT_MS), count_down, NULL), 0);
	weft_wg_wait(&done);
	weft_sleep(WEFT_MS);
	kit_equal(count, 1);
	kit_expect(!weft_timer_stop(&timer));
}

CASE(many_timers,
	"Go's TestAdjustTimers: timers by the thousand, put forward, put back, stopped; every other one fires, once")
{
	int n = (int)kit_times(10000);
	uint64_t random = kit_seed();
	weft_timer *t = calloc((size_t)n, sizeof(*t));
	weft_wg_add(&done, n - n / 2);
	for (int i = 0; i < n; i++)
		kit_equal(weft_timer_start(&t[i], weft_in(hour + (weft_ns)(kit_random(&random) % (uint64_t)hour)),
				  count_down, NULL),
			0);
	for (int i = 0; i < n; i++)
		kit_expect(weft_timer_reset(&t[i], weft_in(hour + (weft_ns)(kit_random(&random) % (uint64_t)hour))));
	for (int i = 1; i < n; i += 2)
		kit_expect(weft_timer_stop(&t[i]));
	for (int i = 0; i < n; i += 2)
		kit_expect(weft_timer_reset(&t[i], weft_in((weft_ns)(kit_random(&random) % (20 * WEFT_MS)))));
	weft_wg_wait(&done);
	kit_equal(count, n - n / 2);
	for (int i = 0; i < n; i++)
		kit_expect(!weft_timer_stop(&t[i]));
	free(t);
}

CASE(same_moment, "time.h: timers of the same moment all fire")
{
	enum { N = 500 };
	static weft_timer t[N];
	weft_ns moment = weft_in(5 * WEFT_MS);
	weft_wg_add(&done, N);
	for (int i = 0; i < N; i++)
		kit_equal(weft_timer_start(&t[i], moment, count_down, NULL), 0);
	weft_wg_wait(&done);
	kit_equal(count, N);
}

static void count_into(void *arg)
{
	++*(atomic_int *)arg;
}

/* Starts and stops its own timer over and over: each start ends as one stop that was in time, or one run. */
static void start_and_stop(void *arg)
{
	uint64_t random = kit_seed() + (uint64_t)(intptr_t)arg;
	atomic_int ran = 0;
	weft_timer t = { 0 };
	int n = (int)kit_times(500), stopped = 0;
	for (int i = 0; i < n; i++) {
		kit_equal(weft_timer_start(&t, weft_in((weft_ns)(kit_random(&random) % 20000)), count_into, &ran), 0);
		if (kit_random(&random) % 2)
			weft_sleep((weft_ns)(kit_random(&random) % 20000));
		if (weft_timer_stop(&t))
			stopped++;
		else
			kit_until(ran == i + 1 - stopped);
	}
	kit_equal(ran + stopped, n);
	weft_wg_done(&done);
}

CASE(stop_stress,
	"Go's TestTimerStopStress: stopping races with firing; a timer either was stopped or runs, never both, never "
	"neither")
{
	weft_wg_add(&done, 8);
	for (int i = 0; i < 8; i++)
		kit_go(start_and_stop, (void *)(intptr_t)i);
	weft_wg_wait(&done);
}

static weft_timer shared;
static atomic_int starts, stops;

static void meddle(void *arg)
{
	uint64_t random = kit_seed() + (uint64_t)(intptr_t)arg;
	for (int i = 0; i < (int)kit_times(500); i++) {
		bool start = kit_random(&random) % 2;
		bool was = start ? weft_timer_reset(&shared, weft_in((weft_ns)(kit_random(&random) % 10000)))
				 : weft_timer_stop(&shared);
		starts += start;
		stops += was;
		if (i % 16 == 0)
			weft_yield();
	}
	weft_wg_done(&done);
}

CASE(reset_by_many, "Go's TestResetResult and TestConcurrentTimerReset: several goroutines stop and reset one "
		    "timer; every start is "
		    "stopped or runs")
{
	kit_equal(weft_timer_start(&shared, weft_in(hour), count_up, NULL), 0);
	starts = 1;
	weft_wg_add(&done, 6);
	for (int i = 0; i < 6; i++)
		kit_go(meddle, (void *)(intptr_t)i);
	weft_wg_wait(&done);
	if (weft_timer_stop(&shared))
		stops++;
	kit_until(count == starts - stops);
	weft_sleep(WEFT_MS);
	kit_equal(count, starts - stops);
}

static void free_it(void *arg)
{
	free(arg);
	weft_wg_done(&done);
}

CASE(timer_freed_when_fired, "time.h: fn may free the timer if nobody else uses it")
{
	weft_wg_add(&done, 100);
	for (int i = 0; i < 100; i++) {
		weft_timer *t = calloc(1, sizeof(*t));
		kit_equal(weft_timer_start(t, weft_in(i * WEFT_US), free_it, t), 0);
	}
	weft_wg_wait(&done);
}

CASE(timer_freed_when_stopped, "time.h: a timer may die when weft_timer_stop() has returned")
{
	for (int i = 0; i < 1000; i++) {
		weft_timer *t = calloc(1, sizeof(*t));
		kit_equal(weft_timer_start(t, weft_in(hour), free_it, t), 0);
		kit_expect(weft_timer_stop(t));
		free(t);
	}
}

CASE(timer_keeps_alive, "a goroutine that waits for a timer is not a deadlock")
{
	weft_chan *ch = weft_after(20 * WEFT_MS);
	kit_equal(weft_chan_recv(ch, NULL), 1);
	weft_chan_unref(ch);
}

CASE(stopped_timer_keeps_nothing, "when the last timer is stopped, waiting for ever is a deadlock",
	.dies = KIT_DEADLOCK)
{
	kit_equal(weft_timer_start(&timer, weft_in(hour), count_up, NULL), 0);
	weft_timer_stop(&timer);
	weft_chan_recv(NULL, NULL);
}

/* ---- channels of time ---- */

CASE(after, "time.After: After waits for the duration to elapse and then sends the current time on the returned "
	    "channel (Go's "
	    "TestAfter, TestAfterTick).")
{
	for (weft_ns d = 0; d < 20 * WEFT_MS; d += 5 * WEFT_MS) {
		weft_ns start = weft_now(), at = 0;
		weft_chan *ch = weft_after(d);
		kit_require(ch);
		kit_equal(weft_chan_recv(ch, &at), 1);
		kit_expect(at >= start + d);
		kit_expect(weft_now() >= at);
		kit_equal(weft_chan_recv_until(ch, &at, weft_in(WEFT_MS)), -ETIMEDOUT); /* once */
		weft_chan_unref(ch);
	}
}

CASE(after_dropped, "time.h: when the last reference is given back the timer ends", .dies = KIT_DEADLOCK)
{
	for (int i = 0; i < 1000; i++)
		weft_chan_unref(weft_after(hour));
	weft_chan_unref(weft_tick(hour));
	weft_chan_recv(NULL, NULL);
}

CASE(tick, "time.NewTicker, time.Tick: a channel that will send the current time after each tick (Go's TestTicker)")
{
	weft_ns period = 2 * WEFT_MS, start = weft_now(), at = 0, last = 0;
	weft_chan *ch = weft_tick(period);
	kit_require(ch);
	for (int i = 1; i <= 10; i++) {
		kit_equal(weft_chan_recv(ch, &at), 1);
		kit_expect(at >= start + i * period);
		kit_expect(at > last);
		last = at;
	}
	weft_chan_unref(ch);
}

CASE(tick_drops,
	"time.NewTicker: The ticker will adjust the time interval or drop ticks to make up for slow receivers.")
{
	weft_ns period = WEFT_MS;
	weft_chan *ch = weft_tick(period);
	weft_sleep(30 * WEFT_MS);
	kit_equal(weft_chan_len(ch), 1);
	kit_equal(weft_chan_recv(ch, NULL), 1);
	kit_expect(weft_chan_len(ch) <= 1);
	weft_chan_unref(ch);
}

CASE(tick_of_nothing, "time.NewTicker: The duration d must be greater than zero; if not, NewTicker will panic.",
	.dies = "panic: non-positive interval for NewTicker")
{
	weft_tick(0);
}

static void tick_a_little(void *arg)
{
	weft_chan *ch = weft_tick(20 * WEFT_US + (weft_ns)(intptr_t)arg);
	for (int i = 0; i < 20; i++)
		kit_equal(weft_chan_recv(ch, NULL), 1);
	weft_chan_unref(ch);
	weft_wg_done(&done);
}

CASE(tickers_come_and_go, "Go's TestTickerConcurrentStress and TestTeardown: tickers made and ended by many goroutines")
{
	weft_wg_add(&done, 50);
	for (int i = 0; i < 50; i++)
		kit_go(tick_a_little, (void *)(intptr_t)i);
	weft_wg_wait(&done);
}

static void wait_for_tick(void *arg)
{
	for (int i = 0; i < (int)kit_times(200); i++) {
		weft_chan *own = weft_after(WEFT_MS);
		weft_case cases[] = { WEFT_RECV(arg, NULL), WEFT_RECV(own, NULL) };
		kit_expect(weft_select(cases, 2) >= 0);
		weft_chan_unref(own);
	}
	weft_wg_done(&done);
}

CASE(tick_by_several,
	"Go's TestMultiWakeupTicker: several goroutines wait for one ticker, and for moments of their own")
{
	weft_chan *ch = weft_tick(WEFT_US);
	weft_wg_add(&done, 4);
	for (int i = 0; i < 4; i++)
		kit_go(wait_for_tick, ch);
	weft_wg_wait(&done);
	weft_chan_unref(ch);
}

CASE(time_of_firing,
	"Go's TestAfterTimes, TestTickTimes: what the channel has is when it came, not when it was looked at")
{
	for (int i = 0; i < 2; i++) {
		weft_ns start = weft_now(), at = 0;
		weft_chan *ch = i ? weft_tick(WEFT_MS) : weft_after(WEFT_MS);
		kit_until(weft_chan_len(ch) == 1);
		weft_ns come = weft_now();
		weft_sleep(3 * WEFT_MS);
		kit_equal(weft_chan_recv(ch, &at), 1);
		kit_expect(at >= start + WEFT_MS && at <= come);
		weft_chan_unref(ch);
	}
}

CASE(durations_at_the_edges, "time.After, time.NewTicker: Go's TestOverflowPeriodRuntimeTimer: durations of any size")
{
	static const weft_ns none[] = { INT64_MIN, -1, 0 },
			     long_ones[] = { WEFT_FOREVER, WEFT_FOREVER - 1, WEFT_FOREVER / 2 };
	for (int i = 0; i < 3; i++) {
		weft_chan *once = weft_after(none[i]), *never = weft_after(long_ones[i]),
			  *tick = weft_tick(long_ones[i]);
		kit_equal(weft_chan_recv(once, NULL), 1);
		kit_equal(weft_chan_recv_until(once, NULL, weft_in(WEFT_MS)), -ETIMEDOUT); /* once */
		kit_equal(weft_chan_try_recv(never, NULL), -EAGAIN);
		kit_equal(weft_chan_try_recv(tick, NULL), -EAGAIN);
		weft_chan_unref(once);
		weft_chan_unref(never);
		weft_chan_unref(tick);
	}
}

CASE(tick_of_less, "time.NewTicker: The duration d must be greater than zero (Go's TestNewTickerLtZeroDuration)",
	.dies = "panic: non-positive interval for NewTicker")
{
	weft_tick(-1);
}

CASE(outside, "time.h: -EPERM outside a goroutine; no timer when the scheduler does not run", .outside = true)
{
	kit_equal(weft_sleep(1), -EPERM);
	kit_equal(weft_sleep_until(1), -EPERM);
	kit_equal(weft_timer_start(&timer, weft_in(1), count_up, NULL), -EPERM);
	kit_expect(!weft_timer_stop(&timer));
	kit_expect(!weft_after(1));
	kit_expect(weft_now() > 0);
}

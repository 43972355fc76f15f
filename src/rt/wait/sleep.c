/* rt/wait/sleep.c - the clock, and sleeping. */
#include <errno.h>
#include <time.h>

#include <weft/time.h>

#include "os/thread.h"
#include "rt/sched/park.h"
#include "rt/sched/timer.h"

/* ---- the clock ---- */

weft_ns weft_now(void)
{
	return wo_now_ns();
}

weft_ns weft_wall(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * WEFT_SECOND + ts.tv_nsec;
}

weft_ns weft_in(weft_ns d)
{
	weft_ns at;
	/* Now is never negative, so only a positive d can go beyond the end. */
	return __builtin_add_overflow(wo_now_ns(), d, &at) ? WEFT_FOREVER : at;
}

/* ---- sleep ---- */

typedef struct sleeper {
	weft__timer timer;
	int err;
} sleeper;

static void wake(weft__m *m, weft__timer *t, int64_t now_ns)
{
	(void)now_ns;
	weft__ready(m, t->arg);
}

/* On the next context: the goroutine is parked, and may be gone once the timer runs. */
static void start(void *arg)
{
	sleeper *s = arg;
	weft__m *m = weft__self();
	if (s->timer.when_ns == INT64_MAX)
		return;
	if (weft__timer_start(m, &s->timer) == 0)
		return;
	s->err = -ENOMEM;
	weft__ready(m, s->timer.arg);
}

int weft_sleep_until(weft_ns moment)
{
	weft__m *m = weft__enter();
	sleeper s = { .timer = { .when_ns = moment, .fn = wake, .arg = weft__self_g(m) } };
	if (!s.timer.arg)
		s.err = -EPERM;
	else if (moment > wo_now_ns())
		m = weft__park_call(m, start, &s, WEFT__WAIT_SLEEP, NULL);
	weft__leave(m);
	return s.err;
}

int weft_sleep(weft_ns d)
{
	return weft_sleep_until(d > 0 ? weft_in(d) : 0);
}

/* rt/sched/timer.h - timers: a heap for each proc, run by whoever looks for work.
 *
 * A timer fires on the thread that finds it due, inside the runtime, with the heap's lock held: its function may make
 * goroutines runnable, start goroutines, and take locks of a higher rank than TIMERS, but not touch timers.  So once
 * weft__timer_stop has returned the function neither runs nor will, and the timer's memory is the caller's again.
 */
#ifndef WEFT__TIMER_H
#define WEFT__TIMER_H

#include "rt/sched/gmp.h"

struct weft__timer {
	int64_t when_ns; /* on the clock of wo_now_ns */
	void (*fn)(weft__m *m, weft__timer *t, int64_t now_ns);
	void *arg;
	void (*user_fn)(void *arg);   /* for fn; not NULL: the collected heap keeps arg, and the timer, while it runs */
	_Atomic(weft__timers *) heap; /* it is in, or was last; NULL: never started */
	weft__pin *pin;               /* while it runs, or NULL */
	uint32_t at;                  /* its place there, counted from 1; 0: it does not run */
};

/* A zeroed timer, or one that does not run and that nobody else uses; fields up to `arg` are set.  On the proc of the
 * calling thread.  0 or -ENOMEM. */
int weft__timer_start(weft__m *m, weft__timer *t);
/* The same for any timer, also while others stop and reset it: from now on it has the moment, functions and argument of
 * `as`, or only the moment when `as` has no fn.  1 when it ran, else 0 or -ENOMEM. */
int weft__timer_reset(weft__m *m, weft__timer *t, const weft__timer *as);
/* True: it will not fire (again); false: it did not run. */
bool weft__timer_stop(weft__timer *t);
/* Called by the timer's own function, that it fires once more. */
void weft__timer_again(weft__timer *t, int64_t when_ns);
/* The same, because the goroutine that it is to start could not be had.  Nobody is there to hear of the error, and
 * memory may come back; when it does not for a second, that is a fatal error. */
void weft__timer_retry(weft__timer *t, int64_t now_ns);

/* Fires what is due on p's heap, a few at a time; how many. */
int weft__timers_run(weft__p *p);
/* When the earliest of all procs' timers is due; INT64_MAX: there are none. */
int64_t weft__timers_first(void);
size_t weft__timers_count(void);

#endif

/* weft/time.h - the clock, sleeping, timers and tickers. */
#ifndef WEFT_TIME_H
#define WEFT_TIME_H

#include <stdbool.h>

#include <weft/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Nanoseconds of a clock that never jumps (CLOCK_MONOTONIC): what all deadlines are measured on.  Any thread. */
WEFT_API weft_ns weft_now(void);
/* Nanoseconds since 1970, as the machine's clock says (CLOCK_REALTIME).  Any thread. */
WEFT_API weft_ns weft_wall(void);

/* weft_now() + d, without overflow: what goes beyond becomes WEFT_FOREVER, and a negative d a moment that has passed.
 */
WEFT_API weft_ns weft_in(weft_ns d);

/* Parks this goroutine for at least d, or until a moment; returns at once when d <= 0 or the moment has passed.
 * Returns 0; -EPERM outside a goroutine; -ENOMEM.  Same as Go: time.Sleep. */
WEFT_API int weft_sleep(weft_ns d);
WEFT_API int weft_sleep_until(weft_ns moment);

/* A moment at which something is started.  The caller's memory, all zero before first use; it must live until the timer
 * has fired or weft_timer_stop() has returned. */
typedef struct weft_timer {
	uint64_t of_the_library[8];
} weft_timer;

/* Has a goroutine fn(arg) started at `moment` or soon after (at once when it has passed; never for WEFT_FOREVER).
 *
 * A timer that is running is stopped first.  fn may start, stop or reset the timer, and free it if nobody else does.
 * Returns 0, or -EPERM when the scheduler does not run, -ENOMEM.  When its goroutine cannot be had it is tried again;
 * after a second without memory the program ends with a fatal error.  Cost: constant, or the logarithm of the number of
 * timers.  Same as Go: time.AfterFunc.
 */
WEFT_API int weft_timer_start(weft_timer *t, weft_ns moment, weft_fn *fn, void *arg);
/* True when this call kept it from firing; false when it had fired (fn may be running, or about to) or was never
 * started.  Does not wait for fn.  Any thread.  Same as Go: Timer.Stop. */
WEFT_API bool weft_timer_stop(weft_timer *t);
/* Starts it anew with the fn and arg of before; true when it was running.  A timer that was never started: false, and
 * nothing happens.  Same as Go: Timer.Reset. */
WEFT_API bool weft_timer_reset(weft_timer *t, weft_ns moment);

/* A channel of weft_ns (room for 1) that gets the current moment once, after d.  NULL when memory is out or the
 * scheduler does not run.  Ownership: one reference; when the last is given back the timer ends.  Same as Go:
 * time.After. */
WEFT_API weft_chan *weft_after(weft_ns d);
/* The same every `period`; a tick is dropped when the one before still waits in the channel.  It is never closed.
 * Panics with "non-positive interval for NewTicker".  Same as Go: time.Tick, time.NewTicker. */
WEFT_API weft_chan *weft_tick(weft_ns period);

#ifdef __cplusplus
}
#endif
#endif

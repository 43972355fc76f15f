/* weft/types.h - names that all of libweft shares, and the rules that hold for every call.
 *
 * Errors: a function that can fail returns 0 or a count on success and a negative errno value (-ETIMEDOUT) on
 * failure; results are written on success only.  errno itself is not set, and its value is lost over any call of this
 * library: see weft_errno() in weft/go.h.
 *
 * Misuse: what makes a Go program panic makes this one panic, with Go's message: "panic: TEXT", the goroutine's stack,
 * exit status 2.  What Go cannot recover from is "fatal error: TEXT", with the same status.
 *
 * Threads: calls that may park the goroutine need one; on any other thread they return -EPERM (or panic, where they
 * return nothing).  Where a comment says "any thread", a thread that is not of the runtime may call as well, between
 * the start of weft_main() and its return.  After any call that may park it a goroutine may be on another thread.
 *
 * Memory: handles are pointers to what the library owns; an argument of that kind is borrowed for the call.  Small
 * structures of weft/sync.h and weft/time.h are the caller's: all zero is ready to use, nothing needs to be destroyed,
 * they must not be moved or copied once used, nor die while a goroutine waits in them.
 *
 * Order: what Go's memory model promises ("synchronized before") holds for the calls of the same name here; each such
 * pair is a release and an acquire in C11's sense.
 */
#ifndef WEFT_TYPES_H
#define WEFT_TYPES_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define WEFT_API              __attribute__((visibility("default")))
#define WEFT_NORETURN         __attribute__((noreturn))
#define WEFT_PRINTF(fmt, arg) __attribute__((format(printf, fmt, arg)))
#else
#define WEFT_API
#define WEFT_NORETURN
#define WEFT_PRINTF(fmt, arg)
#endif

/* Nanoseconds: a duration, or a moment of the clock of weft_now().  Deadlines are moments. */
typedef int64_t weft_ns;
#define WEFT_FOREVER INT64_MAX /* as a deadline: none; as a duration: without end */
#define WEFT_US      INT64_C(1000)
#define WEFT_MS      INT64_C(1000000)
#define WEFT_SECOND  INT64_C(1000000000)

typedef struct weft_chan weft_chan;   /* weft/chan.h */
typedef struct weft_ctx weft_ctx;     /* weft/ctx.h */
typedef struct weft_group weft_group; /* weft/ctx.h */
typedef struct weft_fd weft_fd;       /* weft/net.h */

/* What a goroutine runs, and every other call-back without a result. */
typedef void weft_fn(void *arg);

#endif

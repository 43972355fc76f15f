/* weft/go.h - goroutines: starting, ending, yielding; procs and threads; panics. */
#ifndef WEFT_GO_H
#define WEFT_GO_H

#include <stdbool.h>

#include <weft/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How the scheduler runs.  All zero: the defaults.  What WEFT_DEBUG and WEFT_PROCS say (weft/debug.h) goes before. */
typedef struct weft_options {
	int procs;          /* goroutines that run at the same time; 0: the processors this process may use */
	size_t stack_bytes; /* of goroutines started without a size of their own; 0: 64 KiB */
	int threads_max;    /* more are a fatal error "thread exhaustion"; 0: 10,000 */
	uint64_t seed;      /* of all random choices; 0: from the kernel */
	bool hard; /* rare schedules on purpose: random stealing and yielding; with 1 proc the seed repeats them */
	bool report_leaks; /* when fn returns: goroutines still parked, with their stacks, on standard error */
} weft_options;

/* Runs the scheduler with `fn(arg)` as its first goroutine, and returns when that returns.
 *
 * Returns 0; other goroutines are then stopped where they stand, without their cleanups.  Errors: -EALREADY when the
 * process has called it before, -EINVAL for options out of range, -ENOMEM or -EAGAIN when memory or threads are out.
 * opt may be NULL.  The caller's thread sleeps until then; fn runs on a thread of the library, on a stack of the size
 * in `opt`.
 * When no goroutine can ever run again (none runs, sleeps, waits for a descriptor or is in a blocking call) the program
 * ends: "fatal error: all goroutines are asleep - deadlock!", every goroutine's state, exit status 2.  A thread of the
 * program's own that has called this library may do so again: as long as it lives nothing is taken for dead.  So it
 * ends, with other words, when the kernel has no thread for goroutines that could run, and nothing else runs, for a
 * second.  Same as Go: "Program execution" (when main returns, the program does not wait for other goroutines).
 */
WEFT_API int weft_main(weft_fn *fn, void *arg, const weft_options *opt);

/* How a goroutine starts.  All zero: as weft_go(). */
typedef struct weft_go_options {
	const char *name;   /* for dumps and traces; copied, cut after 63 bytes */
	size_t stack_bytes; /* rounded up to a size that is pooled; at least 16 KiB; 0: the default of weft_options */
} weft_go_options;

/* Starts a goroutine that runs fn(arg).  It ends when fn returns.
 *
 * Returns 0; the new goroutine is runnable and has not run yet.  Errors: -ENOMEM when no stack can be had, -EINVAL for
 * a stack of more than 1 GiB; -EPERM when the scheduler does not run.  Any thread.
 * A goroutine that uses more than its stack ends the program: "fatal error: goroutine N: stack overflow (SIZE)".
 * Order: the call is synchronized before the start of fn.
 * Same as Go: "Go statements".
 */
WEFT_API int weft_go(weft_fn *fn, void *arg);
WEFT_API int weft_go_with(weft_fn *fn, void *arg, const weft_go_options *opt);
/* The same, but fn gets the address of a copy of `n` bytes at `arg`, aligned for any type, which lives as long as the
 * goroutine.  Errors: also -E2BIG when n is more than WEFT_GO_COPY_MAX.  opt may be NULL. */
#define WEFT_GO_COPY_MAX 1024
WEFT_API int weft_go_copy(weft_fn *fn, const void *arg, size_t n, const weft_go_options *opt);

/* Lets other goroutines run; this one goes to the end of the queue.  Nothing at all outside a goroutine.
 * Same as Go: runtime.Gosched. */
WEFT_API void weft_yield(void);

/* Ends this goroutine, after its cleanups.  No other goroutine is affected.
 *
 * Called by the first goroutine it does not return from weft_main(): the others go on, and when all have ended the
 * program does, with "fatal error: no goroutines (main called runtime.Goexit) - deadlock!".  Panics outside a
 * goroutine.
 * Same as Go: runtime.Goexit.
 */
WEFT_API WEFT_NORETURN void weft_exit(void);

/* Has fn(arg) called when this goroutine ends, by return or weft_exit(): the last registered first, on the goroutine's
 * own stack, where it may park and register more.  Not called when the program ends first.
 * Returns 0, -ENOMEM, or -EPERM outside a goroutine.  Same as Go: "Defer statements", for a whole goroutine. */
WEFT_API int weft_at_end(weft_fn *fn, void *arg);

/* The number of this goroutine: 1 for the first, never reused; 0 outside one.  Any thread. */
WEFT_API uint64_t weft_id(void);

/* Goroutines that exist now (not counting those of the library itself).  Any thread.
 * Same as Go: runtime.NumGoroutine. */
WEFT_API size_t weft_count(void);

/* Sets the number of procs and returns the one before; 0 or less only asks.  Stops all goroutines for a moment.
 * At most WEFT_PROCS_MAX: more is taken as that.  Outside a goroutine it only asks.  Same as Go: runtime.GOMAXPROCS. */
#define WEFT_PROCS_MAX 1024
WEFT_API int weft_procs(int set_to);

/* Ties this goroutine to the thread it runs on, and the thread to it, until as many calls of _unlock() have been made
 * as of _lock(): for what is kept by thread (thread-locals, the signal mask, namespaces).
 *
 * A goroutine that ends tied ends the thread as well, with the destructors of its thread-locals: leave one tied whose
 * thread cannot be put back as it was, and no other goroutine will see it.  Nor do threads that the runtime starts
 * inherit what it changes (signals, processors, namespaces).  The thread that called weft_main() runs no goroutines,
 * and goes on whatever ends.
 * _unlock() without a _lock() does nothing.  Same as Go: runtime.LockOSThread, runtime.UnlockOSThread. */
WEFT_API void weft_thread_lock(void);
WEFT_API void weft_thread_unlock(void);

/* ---- values of a goroutine ---- */

/* Makes a key under which each goroutine can keep a pointer of its own; NULL until set.
 *
 * Returns the key, 0 or more; -EAGAIN when WEFT_KEYS_MAX are made (keys are never given back).  When a goroutine ends
 * with a pointer that is not NULL, at_end(pointer) is called, after its cleanups; at_end may be NULL.  Any thread.
 */
#define WEFT_KEYS_MAX 128
WEFT_API int weft_key_make(weft_fn *at_end);
/* 0; -EINVAL for what is no key, -ENOMEM, -EPERM outside a goroutine. */
WEFT_API int weft_key_set(int key, void *value);
/* The pointer of this goroutine; NULL for what is no key, when none is set, and outside a goroutine. */
WEFT_API void *weft_key_get(int key);

/* ---- errno ---- */

/* This thread's errno, read now.
 *
 * glibc declares the address of errno constant, so compilers compute it once in a function and use it again behind a
 * call after which the goroutine runs on another thread (gcc and clang do, from -O2 on): `errno` is then that of the
 * thread it has left.  The rule: in a function that calls this library, too, read errno by this function, right behind
 * the libc call that failed.  The library's own errors need neither: they are the return values.  Any thread.
 */
WEFT_API int weft_errno(void);

/* ---- the end ---- */

/* Ends the program: "panic: TEXT", then this goroutine's stack, on standard error, exit status 2 (or SIGABRT with
 * WEFT_DEBUG=crash=1).  Cleanups do not run: there is no recovery in C that would be worth them.  Any thread.
 * Same as Go: panic, without recover. */
WEFT_API WEFT_NORETURN void weft_panic(const char *fmt, ...) WEFT_PRINTF(1, 2);

#ifdef __cplusplus
}
#endif
#endif

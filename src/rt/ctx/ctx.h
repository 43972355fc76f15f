/* rt/ctx/ctx.h - stacks that threads switch between.
 *
 * A context is a place to go on: a stack and what is needed to resume it.  Each is either parked (its words say where)
 * or run by exactly one thread; a thread's own stack is a context as well (weft__ctx_thread_init).  Any thread may
 * resume a parked context, once the parking switch is over: whoever publishes a context before it is parked must make
 * the taker wait for that (the scheduler releases locks after the switch, on the next stack).
 *
 * What a switch keeps: the stack, and the registers that a function call keeps.  Not kept are the rounding modes
 * (MXCSR, x87 control word, FPCR): they stay with the thread; and the signal mask.  What the compiler knows of
 * thread-locals, errno among them, may be of the thread before: read them behind a noinline function after any switch.
 *
 * Shadow stacks (CET SHSTK, GCS) are not switched.  The library is linked without claiming them, so they stay off;
 * where one is forced on nevertheless, weft__ctx_start says so.
 *
 * Sanitizers: under ASan each switch names the new stack.  Under TSan each context is a fiber.  weft__ctx_make happens
 * before entry, and weft__ctx_exit before what follows in `to`; a plain switch orders nothing, or no race between
 * goroutines that happen to share a thread would be seen: say with weft__ctx_release and weft__ctx_acquire what the
 * caller's protocol orders.  Creating fibers costs a millisecond and 850 KB each, so they are reused, and there are at
 * most WEFT__CTX_FIBERS_MAX.
 */
#ifndef WEFT__CTX_H
#define WEFT__CTX_H

#include <stddef.h>
#include <stdint.h>

#include "rt/ctx/jump.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define WEFT__CTX_ASAN 1
#else
#define WEFT__CTX_ASAN 0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define WEFT__CTX_TSAN 1
#else
#define WEFT__CTX_TSAN 0
#endif
#define WEFT__CTX_SANITIZED (WEFT__CTX_ASAN || WEFT__CTX_TSAN)

/* Marks functions of the runtime that call a goroutine's own: no part of its stack for whoever reads it. */
#define WEFT__ENTRY __attribute__((noinline, section("weft_entry")))

enum { WEFT__CTX_FIBERS_MAX = 4000 };

/* While parked, all that is alive of a context is in [sp, top of its stack) and in fp.  The words are those of the last
 * park while it runs.  To unwind it: pc, fp; the stack pointer is weft__ctx_sp. */
typedef struct weft__ctx {
	void *sp; /* 16-byte aligned; written before the stack pointer leaves the stack */
	void *fp;
	void *pc;
#if WEFT__CTX_SANITIZED
	void *fiber; /* TSan's */
	void *fake;  /* ASan's copy of what it hides behind the stack */
	const void *lo;
	size_t n_bytes;
	void *home; /* a jmp_buf in the context's first frame: where its last switch is made from */
	void (*entry)(void *arg);
	void *arg;
	struct weft__ctx *next; /* whom the last switch goes to */
#endif
} weft__ctx;

/* Once, before the first switch.  0, or -EOPNOTSUPP: this thread has a shadow stack, and a switch would be killed. */
int weft__ctx_start(void);

/* Makes the calling thread's own stack a context, from which it can switch to others and which they can switch to. Only
 * its own thread may run it.  weft__ctx_done it when the thread ends. */
void weft__ctx_thread_init(weft__ctx *c);

/* Makes c a parked context at the upper end of [lo, hi), at least 1 KiB: the first switch to it calls entry(arg) there.
 * entry must not return but end in weft__ctx_exit.  Writes a few words below hi.  0; under TSan also -EAGAIN: as many
 * fibers as there may be. */
static inline int weft__ctx_make(weft__ctx *c, void *lo, void *hi, void (*entry)(void *arg), void *arg);

/* Parks the caller in `from` and resumes `to`; comes back when somebody resumes `from`, perhaps on another thread. */
static inline void weft__ctx_switch(weft__ctx *from, weft__ctx *to);

/* The last switch of c, by its own code at any depth: its stack is left for good, and may be reused as soon as `to`
 * runs (not before).  Not for a thread's own stack. */
_Noreturn static inline void weft__ctx_exit(weft__ctx *c, weft__ctx *to);

/* After weft__ctx_exit, or for a context that never ran, or for the calling thread's own: gives back what a sanitizer
 * keeps for it.  Then it can be made anew. */
static inline void weft__ctx_done(weft__ctx *c);

/* For TSan, nothing elsewhere: all before a release of an address happens before all after an acquire of it. */
static inline void weft__ctx_release(void *addr);
static inline void weft__ctx_acquire(void *addr);

/* The stack pointer with which a parked context goes on (for unwinders; sp is lower where code may use space below the
 * stack pointer). */
static inline void *weft__ctx_sp(const weft__ctx *c)
{
	return (char *)c->sp + WEFT__CTX_RED_BYTES;
}

/* ---- implementation ---- */

/* The switch without a word to sanitizers. */
WEFT__CTX_INLINE void weft__ctx_make_raw(weft__ctx *c, void *hi, void (*entry)(void *arg), void *arg)
{
	uintptr_t *top = (uintptr_t *)((uintptr_t)hi & ~(uintptr_t)15);
	top[-2] = (uintptr_t)arg;
	top[-1] = (uintptr_t)entry;
	c->sp = (char *)(top - 2) - WEFT__CTX_RED_BYTES;
	c->fp = NULL;
	c->pc = (void *)(uintptr_t)weft__ctx_entry;
}

#if WEFT__CTX_TSAN
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
#endif

WEFT__CTX_INLINE void weft__ctx_release(void *addr)
{
#if WEFT__CTX_TSAN
	__tsan_release(addr);
#endif
	(void)addr;
}

WEFT__CTX_INLINE void weft__ctx_acquire(void *addr)
{
#if WEFT__CTX_TSAN
	__tsan_acquire(addr);
#endif
	(void)addr;
}

#if WEFT__CTX_SANITIZED

int weft__ctx_make_watched(weft__ctx *c, void *lo, void *hi, void (*entry)(void *arg), void *arg);
void weft__ctx_switch_watched(weft__ctx *from, weft__ctx *to);
_Noreturn void weft__ctx_exit_watched(weft__ctx *c, weft__ctx *to);
void weft__ctx_done_watched(weft__ctx *c);

static inline int weft__ctx_make(weft__ctx *c, void *lo, void *hi, void (*entry)(void *arg), void *arg)
{
	return weft__ctx_make_watched(c, lo, hi, entry, arg);
}

static inline void weft__ctx_switch(weft__ctx *from, weft__ctx *to)
{
	weft__ctx_switch_watched(from, to);
}

_Noreturn static inline void weft__ctx_exit(weft__ctx *c, weft__ctx *to)
{
	weft__ctx_exit_watched(c, to);
}

static inline void weft__ctx_done(weft__ctx *c)
{
	weft__ctx_done_watched(c);
}

#else

WEFT__CTX_INLINE int weft__ctx_make(weft__ctx *c, void *lo, void *hi, void (*entry)(void *arg), void *arg)
{
	(void)lo;
	weft__ctx_make_raw(c, hi, entry, arg);
	return 0;
}

WEFT__CTX_INLINE void weft__ctx_switch(weft__ctx *from, weft__ctx *to)
{
	weft__ctx_jump(&from->sp, &to->sp);
}

WEFT__CTX_INLINE _Noreturn void weft__ctx_exit(weft__ctx *c, weft__ctx *to)
{
	(void)c;
	weft__ctx_jump_last(&to->sp);
}

WEFT__CTX_INLINE void weft__ctx_done(weft__ctx *c)
{
	(void)c;
}

#endif
#endif

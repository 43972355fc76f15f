/* rt/ctx/ctx.c - what of ctx.h is no fast path: starting, and the variants for sanitizers. */
#include "rt/ctx/ctx.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>

_Static_assert(offsetof(weft__ctx, fp) == 8, "jump.h knows the places of the words");
_Static_assert(offsetof(weft__ctx, pc) == 16, "jump.h knows the places of the words");

/* The shadow stack pointer of this thread, zero without one.  The instructions do nothing on processors before them. */
static uintptr_t shadow_stack(void)
{
	uintptr_t p = 0;
#if defined(__x86_64__)
	__asm__ volatile("rdsspq %0" : "+r"(p));
#elif defined(__aarch64__)
	register uintptr_t x16 __asm__("x16") = 1;
	__asm__ volatile("hint #40" : "+r"(x16)); /* chkfeat: clears bit 0 where a guarded control stack is on */
	p = !x16;
#endif
	return p;
}

int weft__ctx_start(void)
{
	return shadow_stack() ? -EOPNOTSUPP : 0;
}

#if !WEFT__CTX_SANITIZED

void weft__ctx_thread_init(weft__ctx *c)
{
	*c = (weft__ctx){ 0 };
}

#else

/* ---- fibers of TSan ---- */

#if WEFT__CTX_TSAN
#include <sanitizer/tsan_interface.h>

static pthread_mutex_t fibers_lock = PTHREAD_MUTEX_INITIALIZER;
static void *fibers[WEFT__CTX_FIBERS_MAX]; /* not in use */
static int n_fibers, fibers_made;

static void *fiber_take(void)
{
	void *f = NULL;
	pthread_mutex_lock(&fibers_lock);
	if (n_fibers)
		f = fibers[--n_fibers];
	else if (fibers_made < WEFT__CTX_FIBERS_MAX) {
		fibers_made++;
		f = __tsan_create_fiber(0);
	}
	pthread_mutex_unlock(&fibers_lock);
	return f;
}

static void fiber_give(void *f)
{
	pthread_mutex_lock(&fibers_lock);
	fibers[n_fibers++] = f;
	pthread_mutex_unlock(&fibers_lock);
}
#endif

/* ---- what both are told around a switch ---- */

#if WEFT__CTX_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

enum { SWITCH_SYNC = 0, SWITCH_NO_SYNC = 1 }; /* TSan's flags */

/* Not to be checked themselves: these run on two stacks, so that TSan would count their entry on one and their end on
 * the other; and what they write is ordered by the rules of ctx.h, not by anything that TSan sees. */
#if defined(__has_attribute) && __has_attribute(disable_sanitizer_instrumentation)
#define UNWATCHED __attribute__((disable_sanitizer_instrumentation))
#else
#define UNWATCHED __attribute__((no_sanitize("address", "thread", "undefined")))
#endif

UNWATCHED static inline void leaving(void **save, weft__ctx *to, unsigned flags)
{
#if WEFT__CTX_ASAN
	__sanitizer_start_switch_fiber(save, to->lo, to->n_bytes);
#endif
#if WEFT__CTX_TSAN
	__tsan_switch_to_fiber(to->fiber, flags);
#endif
	(void)save, (void)to, (void)flags;
}

UNWATCHED static inline void arrived(void *saved)
{
#if WEFT__CTX_ASAN
	__sanitizer_finish_switch_fiber(saved, NULL, NULL);
#endif
	(void)saved;
}

/* The first and the last frame of a context.  It leaves from here, however deep its code was, so that sanitizers see
 * every function left: TSan's call stack of the fiber is empty for the next, and ASan's marks are wiped. */
UNWATCHED static WEFT__ENTRY void first_frame(void *arg)
{
	weft__ctx *c = arg;
	arrived(/* saved= */ NULL);
	weft__ctx_acquire(c);
	jmp_buf home;
	c->home = &home;
	if (!setjmp(home))
		c->entry(c->arg);
	leaving(/* save= */ NULL, c->next, SWITCH_SYNC);
	weft__ctx_jump_last(&c->next->sp);
}

UNWATCHED int weft__ctx_make_watched(weft__ctx *c, void *lo, void *hi, void (*entry)(void *arg), void *arg)
{
	void *fiber = NULL;
#if WEFT__CTX_TSAN
	fiber = fiber_take();
	if (!fiber)
		return -EAGAIN;
#endif
#if WEFT__CTX_ASAN
	__asan_unpoison_memory_region(lo, (size_t)((char *)hi - (char *)lo));
#endif
	*c = (weft__ctx){
		.fiber = fiber, .lo = lo, .n_bytes = (size_t)((char *)hi - (char *)lo), .entry = entry, .arg = arg
	};
	weft__ctx_make_raw(c, hi, first_frame, c);
	weft__ctx_release(c);
	return 0;
}

UNWATCHED void weft__ctx_switch_watched(weft__ctx *from, weft__ctx *to)
{
	leaving(&from->fake, to, SWITCH_NO_SYNC);
	weft__ctx_jump(&from->sp, &to->sp);
	arrived(from->fake);
}

UNWATCHED _Noreturn void weft__ctx_exit_watched(weft__ctx *c, weft__ctx *to)
{
	c->next = to;
	longjmp(*(jmp_buf *)c->home, 1); /* not _longjmp: TSan does not see that one */
}

UNWATCHED void weft__ctx_done_watched(weft__ctx *c)
{
#if WEFT__CTX_TSAN
	if (c->entry) /* a thread's own fiber is the thread's */
		fiber_give(c->fiber);
#endif
	c->fiber = NULL;
}

void weft__ctx_thread_init(weft__ctx *c)
{
	*c = (weft__ctx){ 0 };
#if WEFT__CTX_TSAN
	c->fiber = __tsan_get_current_fiber();
#endif
#if WEFT__CTX_ASAN
	pthread_attr_t a;
	void *lo;
	if (pthread_getattr_np(pthread_self(), &a) == 0) {
		if (pthread_attr_getstack(&a, &lo, &c->n_bytes) == 0)
			c->lo = lo;
		pthread_attr_destroy(&a);
	}
#endif
}

#endif

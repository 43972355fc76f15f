/* rt/stack/overflow.c - see overflow.h. */
#include "rt/stack/overflow.h"

#include <stdlib.h>

static weft__overflow_fn *report;

static bool within(const weft__stack_place *s, uintptr_t a)
{
	return a <= (uintptr_t)s->hi && a >= (uintptr_t)s->hi - weft__stack_bytes(s->class);
}

/* In the guard of the stack it runs on?  A large frame can put the stack pointer below the guard before anything is
 * touched; the frame pointer is then still on the stack.  Any other touch of a guard is a stray pointer's. */
static void on_fault(const wo_fault *f)
{
	weft__stack_place s;
	if (!weft__stack_find(f->addr, &s) || !s.guard)
		return;
	if (!within(&s, f->sp) && !within(&s, f->fp))
		return;
	report(f, &s);
	abort();
}

int weft__stack_overflow_init(weft__overflow_fn *fn)
{
	report = fn;
	return wo_fault_watch(on_fault);
}

int weft__stack_thread_init(wo_sigstack *s)
{
	return wo_sigstack_init(s);
}

void weft__stack_thread_done(wo_sigstack *s)
{
	wo_sigstack_done(s);
}

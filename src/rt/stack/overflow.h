/* rt/stack/overflow.h - a goroutine that runs into the guard of its stack is told apart from other faults. */
#ifndef WEFT__OVERFLOW_H
#define WEFT__OVERFLOW_H

#include "os/fault.h"
#include "rt/stack/stack.h"

/* Called in a signal handler, on the alternate stack of the thread, when code ran out of `stack`.  May print
 * (write(2)), may look at the stack ([f->sp or lo, hi) can be read, weft__unwind_fp walks it); must not allocate, lock
 * or switch. When it returns the process aborts. */
typedef void weft__overflow_fn(const wo_fault *f, const weft__stack_place *stack);

/* Once per process, after weft__stack_init.  All other faults go where they went before: to the handler that was there,
 * or to the default action.  0 or negative errno. */
int weft__stack_overflow_init(weft__overflow_fn *fn);

/* For each thread that runs goroutines: without an alternate stack there is no place to run the handler.  `s` lives as
 * long as the thread; done on the same thread. */
int weft__stack_thread_init(wo_sigstack *s);
void weft__stack_thread_done(wo_sigstack *s);

#endif

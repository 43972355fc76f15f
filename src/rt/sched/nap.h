/* rt/sched/nap.h - a thread that is woken in vain again and again comes by itself for a while.
 *
 * Waking a thread costs whoever wakes it a system call, and both of them microseconds.  Where goroutines are short, the
 * woken one takes a few, finds nothing more, sleeps, and is woken for the next.  So a thread that was woken soon after
 * it had gone to sleep, several times in a row, and has run dry soon after that, naps: it sleeps without a proc for
 * NAP_NS, then looks through everything, as if it had been woken.  It goes on like this while somebody would have woken
 * one meanwhile, then sleeps as others do.  The same when all that it takes is so short that fetching it from the other
 * processor costs more. One thread at a time naps, and none that is needed in the poller.
 *
 * It counts as spinning all the time, so nobody is woken, and the nap ends as spinning does (scheduler.h, invariant 2):
 * with a look through everything.  Whoever has a proc may leave it to that: what is runnable waits for NAP_NS and the
 * kernel's timer slack at most, unless its own proc comes to it before.  A thread without a proc ends the nap.
 */
#ifndef WEFT__NAP_H
#define WEFT__NAP_H

#include "rt/sched/scheduler.h"

/* m, with a proc, has nothing to do, and may take from others.  False: what it took before ran for so short a time that
 * taking more would not pay; it is to nap.  m->dull: it should try with few. */
bool weft__theft_pays(weft__m *m);

/* m sleeps on its note until it is woken. */
void weft__sleep(weft__m *m);

/* m counts as spinning, has given its proc back, and may nap.  An idle proc: there is something to look at.  NULL: it
 * does not, or no more.  Outside the runtime meanwhile. */
weft__p *weft__nap(weft__m *m);

/* Something has been published, and a thread that spins is there: if it naps, it should look again, or at once. */
void weft__nap_wanted(void);

/* How many threads look for work just now. */
static inline int32_t weft__looking(void)
{
	return atomic_load(&weft__sched.n_spinning) - (atomic_load(&weft__sched.nap) != WEFT__NAP_NONE);
}

#endif

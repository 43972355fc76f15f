/* an/taken.h - goroutines whose procs were taken while they computed.
 *
 * In the file they go to a system call, or are found in one; in all answers they run (docs/analyses.md).
 */
#ifndef AN_TAKEN_H
#define AN_TAKEN_H

#include <wtr/event.h>

/* The state that the goroutine of a transition is in behind it. */
static inline wtr_gstate an_to(const wtr_event *e)
{
	return e->wait == WTR_PROC_TAKEN ? WTR_G_RUNNING : wtr_to(e);
}

#endif

/* an/classes.h - what a goroutine waits for, in the classes of statistics and drawing (wtr_class).
 *
 * By the reason that the trace has (fmt/reasons.def), but for waits for the collector that are told as locks: a
 * goroutine that allocates, and has to help a collection or to begin one, waits for its semaphores.
 */
#ifndef AN_CLASSES_H
#define AN_CLASSES_H

#include <wtr/report.h>

unsigned an_reason_class(wtr_str reason);

/* Whether a goroutine with that stack, innermost frame first, would wait for the collector.
 * Source: Go 1.27, runtime/mgc.go, gcStart (startSema) and gcMarkDone (markDoneSema), from runtime/malloc.go. */
bool an_collects(const wtr_frame *frames, size_t n);

/* Of a wait whose reason has that class, at a stack of which an_collects() said so. */
static inline unsigned an_wait_class(unsigned by_reason, bool collects)
{
	return collects && by_reason == WTR_CLASS_LOCK ? WTR_CLASS_GC : by_reason;
}

#endif

/* rt/lock/note.h - one thread sleeps until another wakes it, once.
 *
 * weft__note_clear, then any number of weft__note_wake (the first counts), before or after weft__note_sleep.  Only one
 * thread sleeps on a note.  Source: Go's runtime, lock_futex.go.
 */
#ifndef WEFT__NOTE_H
#define WEFT__NOTE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct weft__note {
	_Atomic uint32_t woken;
} weft__note;

static inline void weft__note_clear(weft__note *n)
{
	atomic_store_explicit(&n->woken, 0, memory_order_relaxed);
}

void weft__note_wake(weft__note *n);
void weft__note_sleep(weft__note *n);
bool weft__note_sleep_for(weft__note *n, int64_t ns); /* false: not woken within ns; ns < 0 waits for ever */

#endif

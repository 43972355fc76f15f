/* an/what.h - the distinct things that spans of goroutines (and of GC and STW lanes) say about themselves.
 *
 * Most spans of a trace say one of a few hundred things (waiting for this reason at this stack, running on this proc
 * and thread, ...), so a span keeps a number and the table keeps each thing once.  Number 0 is nothing: not there.
 */
#ifndef AN_WHAT_H
#define AN_WHAT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"

#define AN_NO UINT32_MAX /* no proc, no thread */

/* Bits of an_what.flags. */
enum {
	AN_WAKER_RUNS = 1, /* the waker is the goroutine on waker_p when the span begins; `waker` says nothing */
	AN_BY_OTHER = 2,   /* woken or created: the event that began it has waker_stack, not stack */
};

typedef struct an_what {
	int64_t  g;           /* goroutine that woke or created it (GC, STW: that did it); WTR_NONE */
	uint32_t reason;      /* of the lanes' texts */
	uint32_t stack, waker_stack;
	uint32_t p, m;        /* indices of procs and threads, AN_NO */
	uint32_t waker_p;
	uint8_t  state, cls, flags, zero[5];
} an_what;

/* A zeroed dictionary is ready for use. */
typedef struct an_dict {
	WB_VEC(an_what) whats;
	uint8_t  *cls;        /* class by number, for drawing; as many as whats.cap */
	size_t    cls_cap;
	uint32_t *slots;      /* number + 1 */
	size_t    cap;
} an_dict;

/* The number of a thing (unused bytes of it must be 0).  False: out of memory. */
bool an_dict_add(an_dict *d, const an_what *w, uint32_t *ret);
void an_dict_free(an_dict *d);

#endif

/* edit/alone.h - the latest time that a generation can have reached.
 *
 * A generation mentions everything before something happens to it, and at its end what nothing has happened to: it
 * tells by itself what goes on in it.  Its times do not: each is later than the one before, also than the last one of
 * the generation before.  But n events behind that they do not follow from it any more, once they are n ns later.
 */
#ifndef WE_ALONE_H
#define WE_ALONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtr/open.h>

/* What no time of generation i (place) of t, a trace of the second container, is above when the pass begins with it.
 * False: not known. */
bool we_reached(wtr_trace *t, size_t i, int64_t *ret_ns);

#endif

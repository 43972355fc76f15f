/* edit/recall.h - what goes on at a moment of a trace without any event near it saying so: tasks, regions, and where
 * goroutines come from.
 *
 * It takes a look at everything before the moment: a fast one that only skips over events (skim.h), and in order only
 * from the first generation that has tasks or regions.
 */
#ifndef WE_RECALL_H
#define WE_RECALL_H

#include "base/vec.h"
#include "edit/machine.h"
#include "read/v2/carried.h"

/* Stacks of a goroutine: places in frames; n 0: not known. */
typedef struct we_frames_at {
	size_t first, n;
} we_frames_at;

typedef struct we_origin {
	int64_t g;
	we_frames_at start, create; /* what it began with, what made it */
} we_origin;

typedef struct we_recall {
	WB_VEC(wtr__kept_task) tasks;     /* by id */
	WB_VEC(wtr__kept_region) regions; /* by goroutine, of each the outermost first */
	WB_VEC(we_origin) origins;        /* by goroutine */
	WB_VEC(wtr_frame) frames;
} we_recall;

/* What goes on at before_ns, a time in generation `generation` of t (1, 2, ..; 0: t has none); of goroutines only of
 * those that k knows and wants.  Texts stay as long as t.  Errors: E_NOMEM, E_IO.  ret begins zeroed and is to be freed
 * in any case. */
wtr_code we_recall_make(
	we_recall *ret, wtr_trace *t, uint64_t generation, int64_t before_ns, we_machine *k, wtr_error *err);
void we_recall_free(we_recall *r);

/* NULL: not known. */
const we_origin *we_recall_origin(const we_recall *r, int64_t g);

#endif

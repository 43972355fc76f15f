/* edit/skim.h - what made goroutines, and whether the program says something of itself, found without ordering events.
 *
 * Whole batches are skipped over, event by event, by as many threads as there are processors.
 */
#ifndef WE_SKIM_H
#define WE_SKIM_H

#include <stdbool.h>

#include "base/idmap.h"
#include "base/vec.h"
#include "edit/machine.h"

/* A goroutine's making, as it stands in its generation; or, where no event makes it, the first status that says where
 * it is. */
typedef struct we_making {
	int64_t g;
	size_t generation; /* place */
	uint64_t start, create;
	bool made;
} we_making;

typedef struct we_skim {
	WB_VEC(we_making) makings;
	wb_idmap making_of; /* goroutine -> place in makings; or anything else: it is known already */
	size_t first_said;  /* generation that first says something of tasks or regions; SIZE_MAX: none */
	bool failed;        /* out of memory */
} we_skim;

/* Skims generations 0 .. n-1 of t, a trace of the second container, for goroutines that k knows and wants; of the first
 * one the statuses only with first_statuses.  ret begins zeroed but for first_said and what is known, and is to be
 * freed in any case. */
void we_skim_over(we_skim *ret, const wtr_trace *t, size_t n, bool first_statuses, we_machine *k);
void we_skim_free(we_skim *s);

#endif

/* an/profile.h - profiles from the inside: the sink that gathers, and what is left of it.
 *
 * profile.c         the sink, and what each kind takes
 * profile_ask.c     finished profiles: order, frames, functions
 */
#ifndef AN_PROFILE_H
#define AN_PROFILE_H

#include <wtr/profile.h>

#include "an/follow.h"
#include "an/index.h"

/* One record while it grows.  Which stacks it is about depends on the kind. */
typedef struct an_prow {
	uint64_t count;
	int64_t ns;
	uint32_t stack, waker; /* OFFWAKE: the waker's */
	uint32_t state;        /* OFFCPU: wtr_class */
} an_prow;

struct wtr_profile {
	wtr_profile_kind kind;
	wtr_profile_totals totals;
	an_stackset stacks;
	WB_VEC(an_prow) rows;
};

/* Puts the rows in order and sums them up. */
void an_profile_finish(wtr_profile *p);

#endif

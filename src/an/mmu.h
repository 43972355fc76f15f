/* an/mmu.h - utilization curves from the inside.
 *
 * mmu_sink.c  a pass over the events: when which proc works for the collector
 * mmu.c       asking the curves
 */
#ifndef AN_MMU_H
#define AN_MMU_H

#include <wtr/mmu.h>

#include "base/vec.h"

/* From `t` on, until the next point: what is left, and what is lost to what (shares; together 1). */
typedef struct an_upoint {
	int64_t t;
	double util, lost[WTR_GC_CAUSES];
	double sum, lost_sum[WTR_GC_CAUSES]; /* integrals up to t, once finished */
} an_upoint;

typedef struct an_useries {
	WB_VEC(an_upoint) points;
	int64_t end; /* behind the last point, or at it */
} an_useries;

struct wtr_mmu {
	WB_VEC(an_useries) series;
	wtr_mmu_totals totals;
};

/* Cuts to [from, to), drops what is empty, and sums up. */
void an_mmu_finish(wtr_mmu *m, int64_t from, int64_t to);

#endif

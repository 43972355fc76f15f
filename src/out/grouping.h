/* out/grouping.h - goroutines summed up by what they have in common. */
#ifndef OUT_GROUPING_H
#define OUT_GROUPING_H

#include <wtr/where.h>

#include "base/arena.h"

/* By out_group_by, in words. */
#define OUT_GROUPINGS "start|creator|state"

typedef enum out_group_by { OUT_BY_START, OUT_BY_CREATOR, OUT_BY_STATE } out_group_by;

/* One group: its name, how many, and the sums of their times. */
typedef struct out_group {
	wtr_str  name;     /* start function; function with the go statement; state when last seen.  Empty: not known */
	uint64_t n;
	int64_t  first_id; /* lowest goroutine id */
	int64_t  total_ns, exec_ns, sched_ns, syscall_ns, syscall_block_ns, block_ns, unknown_ns;
} out_group;

/* Groups the goroutines of an index (part GOROUTINES) that `where` lets through (NULL: all), in order of first sight.
 * OUT_BY_CREATOR needs a trace opened with keep_tables.  The rows live in `a`, the names as long as index and trace.
 * Returns how many; 0 with a->failed set when memory is out. */
size_t out_group_goroutines(
	const wtr_trace *t, const wtr_index *x, wtr_where *where, out_group_by by, wb_arena *a, out_group **ret);

#endif

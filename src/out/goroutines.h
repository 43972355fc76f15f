/* out/goroutines.h - goroutines, or groups of them, as the sorted rows of a table, and as JSON. */
#ifndef OUT_GOROUTINES_H
#define OUT_GOROUTINES_H

#include <wtr/object.h>

#include "out/grouping.h"
#include "out/json.h"

/* By out_sort, in words: of the command line and of the viewer's server. */
#define OUT_SORTS "exec|sched|block|syscall|total|count|name|id|create"

typedef enum out_sort {
	OUT_SORT_EXEC,
	OUT_SORT_SCHED,
	OUT_SORT_BLOCK,
	OUT_SORT_SYSCALL,
	OUT_SORT_TOTAL,
	OUT_SORT_COUNT,
	OUT_SORT_NAME,
	OUT_SORT_ID,
	OUT_SORT_CREATE
} out_sort;

/* Sums of times, for one goroutine or a group. */
typedef struct out_sums {
	int64_t total_ns, exec_ns, sched_ns, block_ns, syscall_ns, syscall_block_ns, unknown_ns;
} out_sums;
/* Of a row of the goroutine or group table, or of an out_group. */
#define OUT_SUMS(row) \
	&(out_sums){ (row)->total_ns, (row)->exec_ns, (row)->sched_ns, (row)->block_ns, (row)->syscall_ns, \
		(row)->syscall_block_ns, (row)->unknown_ns }
void out_sums_json(out_json *j, const out_sums *s); /* as members of the object that is open */

/* A row: a goroutine or a group, with what it is sorted by. */
typedef struct out_row {
	const wtr_goroutine_row *g; /* one of these two */
	const out_group *group;
	int64_t key; /* most first */
	wtr_str name;
	int64_t id;
} out_row;

/* The goroutines of an index (part GOROUTINES) that `where` lets through (NULL: all), or, with `by`, their groups:
 * sorted.  They live in `a`, what they point at as long as index and trace.  NULL: out of memory. */
out_row *out_goroutine_rows(const wtr_trace *t, const wtr_index *x, wtr_where *where, const out_group_by *by,
	out_sort sort, wb_arena *a, size_t *ret_n);

/* What a goroutine waits for at the end, where the index knows it: writes at most n and returns how many. */
size_t out_final_objects(
	const wtr_trace *t, const wtr_index *x, const wtr_goroutine_row *g, wtr_object *ret, size_t n);

/* The JSON object of a row; times since start_ns. */
void out_row_json(out_json *j, const wtr_trace *t, const wtr_index *x, const out_row *r, int64_t start_ns);

#endif

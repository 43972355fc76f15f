/* rt/prof/proftable.h - what profiles are made of: stacks, with labels, and a few numbers for each.
 *
 * A zeroed table is ready for use.  One thread at a time.
 */
#ifndef WEFT__PROF_TABLE_H
#define WEFT__PROF_TABLE_H

#include "base/intern.h"
#include "base/vec.h"
#include "rt/sched/labels.h"

enum { WEFT__PROF_VALUES = 4, WEFT__PROF_FRAMES = 128 };

typedef struct weft__prof_row {
	int64_t v[WEFT__PROF_VALUES];
} weft__prof_row;

typedef struct weft__prof_table {
	wb_intern keys;
	WB_VEC(weft__prof_row) rows; /* by number of the key: from 1 */
	bool failed;                 /* something is missing: memory was out */
} weft__prof_table;

/* The row of a stack (return addresses, innermost first) and labels (or NULL), which is made when it is not there; 0:
 * out of memory. */
uint32_t weft__prof_row_of(weft__prof_table *t, const uintptr_t *pcs, size_t n, const weft__labels *labels);
/* Adds the numbers to that row. */
void weft__prof_add(
	weft__prof_table *t, const uintptr_t *pcs, size_t n, const weft__labels *labels, const weft__prof_row *more);
void weft__prof_table_free(weft__prof_table *t);

/* ---- reading ---- */

typedef struct weft__prof_stack {
	uintptr_t pcs[WEFT__PROF_FRAMES];
	size_t n;
	const char *labels; /* key, value, key, value, .., each 0-terminated */
	size_t n_labels;    /* pairs */
} weft__prof_stack;

/* The numbers of rows: from 1 to below this. */
static inline uint32_t weft__prof_rows_end(const weft__prof_table *t)
{
	return (uint32_t)t->rows.n;
}
void weft__prof_stack_of(const weft__prof_table *t, uint32_t row, weft__prof_stack *ret);
/* As weft__prof_add. */
void weft__prof_add_stack(weft__prof_table *t, const weft__prof_stack *s, const weft__prof_row *more);

#endif

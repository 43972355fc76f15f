/* base/vec.h - growable arrays of any type.
 *
 *	WB_VEC(wtr_frame) v = { 0 };
 *	if (!wb_vec_add(&v, (wtr_frame){ ... })) ... out of memory, v unchanged
 *	v.at[i], v.n
 *	wb_vec_free(&v);
 */
#ifndef WB_VEC_H
#define WB_VEC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/alloc.h"

#define WB_VEC(T) struct { T *at; size_t n, cap; }

/* Makes room for at least `more` further elements. */
#define wb_vec_reserve(v, more)                 \
	((v)->cap - (v)->n >= (size_t)(more) || \
		wb_vec_grow((void **)&(v)->at, &(v)->cap, (v)->n, (more), sizeof(*(v)->at)))
#define wb_vec_add(v, ...) (wb_vec_reserve(v, 1) ? ((v)->at[(v)->n++] = (__VA_ARGS__), true) : false)
#define wb_vec_free(v) (wb_free((v)->at), (v)->at = NULL, (v)->n = (v)->cap = 0)

bool wb_vec_grow(void **at, size_t *cap, size_t n, size_t more, size_t size);

#endif

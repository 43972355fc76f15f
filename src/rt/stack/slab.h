/* rt/stack/slab.h - slabs: pieces of address space cut into stacks of one class.  For pool.c; users see stack.h.
 *
 * A slab is 64 MiB, aligned to its size, and never unmapped, so that a table by address finds it without a lock.
 * Its stacks are claimed upwards; [0, claimed) have been or are being made.
 */
#ifndef WEFT__SLAB_H
#define WEFT__SLAB_H

#include <stdatomic.h>
#include <stdint.h>

#include "rt/stack/stack.h"

enum { WEFT__SLAB_SHIFT = 26, WEFT__SLAB_BYTES = 1 << WEFT__SLAB_SHIFT };

typedef struct weft__slab {
	struct weft__slab *next; /* made before this one */
	char *at;
	int class;
	uint32_t n; /* stacks it has room for */
	_Atomic uint32_t claimed;
} weft__slab;

int weft__slab_init(const weft__stack_options *opt);

/* A new slab, entered in the table and the list.  The caller holds the pool's lock.  -ENOMEM. */
int weft__slab_make(int class, weft__slab **ret);

static inline void *weft__slab_hi(const weft__slab *s, uint32_t i)
{
	return s->at + (i + 1) * weft__stack_bytes(s->class);
}

/* Sets mappings aside for the guards of n stacks; for how many there are any.  The caller holds the pool's lock. */
uint32_t weft__guard_reserve(uint32_t n);
void weft__guard_unreserve(uint32_t n);

/* Makes stacks [from, from + n) of s: guards, and memory for the topmost pages.  No lock needed.  0 or negative errno;
 * *ret_n is how many, from the first, are ready. */
int weft__slab_furnish(const weft__slab *s, uint32_t from, uint32_t n, uint32_t *ret_n);

/* Gives the memory of n stacks back.  No lock needed. */
void weft__slab_drop(int class, void *const *hi, size_t n);

/* Under ASan: what is reachable from a stack at exit is no leak. */
void weft__stack_leaks_init(void);

void weft__slab_read_stats(weft__stack_stats *ret); /* slabs, light_guards */

#endif

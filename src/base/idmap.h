/* base/idmap.h - from 64-bit ids to small numbers.
 *
 * Ids of Go traces are dense in practice (goroutines, strings, stacks) but any 64-bit number is legal, so small ids
 * index an array and the rest goes to a hash table.  The array never gets larger than a small multiple of the number
 * of ids in it, so hostile ids cannot make it large.  A zeroed map is ready for use; values are not UINT32_MAX.
 */
#ifndef WB_IDMAP_H
#define WB_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WB_IDMAP_NONE UINT32_MAX

typedef struct wb_idmap {
	uint32_t *direct;      /* value + 1; 0: none */
	size_t    n_direct;
	struct wb_idmap_slot *slots; /* open addressing, linear probing; value + 1 */
	size_t    cap, used;   /* cap is 0 or a power of two, at most half of them used */
	size_t    n;           /* ids present */
} wb_idmap;

bool     wb_idmap_set(wb_idmap *m, uint64_t id, uint32_t value); /* false: out of memory, map unchanged */
void     wb_idmap_del(wb_idmap *m, uint64_t id);                 /* fine if not there */
void     wb_idmap_free(wb_idmap *m);
uint32_t wb_idmap_find(const wb_idmap *m, uint64_t id);          /* the hash part of wb_idmap_get */

static inline uint32_t wb_idmap_get(const wb_idmap *m, uint64_t id)
{
	if (__builtin_expect(id < m->n_direct, 1))
		return m->direct[id] - 1;
	return wb_idmap_find(m, id);
}

#endif

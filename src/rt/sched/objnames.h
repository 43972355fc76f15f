/* rt/sched/objnames.h - names that a program gives to what goroutines wait for (weft_name), by address.
 *
 * A table of fixed size, so that naming never allocates.  A name that goes away while a trace runs is kept until the
 * generation that it went in has been written.  Any thread.
 */
#ifndef WEFT__OBJNAMES_H
#define WEFT__OBJNAMES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WEFT__OBJNAMES_MAX = 4096, WEFT__OBJNAME_BYTES_MAX = 64 };

/* name: cut after WEFT__OBJNAME_BYTES_MAX bytes.  0, or -ENOSPC: as many as there may be have one. */
int weft__objname_set(const void *object, const char *name);

extern _Atomic uint32_t weft__objnames_n;
void weft__objname_drop(const void *object);

/* The object dies, or has no name any more: a load where nothing has names. */
static inline void weft__objname_forget(const void *object)
{
	if (__builtin_expect(atomic_load_explicit(&weft__objnames_n, memory_order_relaxed) != 0, 0))
		weft__objname_drop(object);
}

/* The object's name, ended by 0: its length; 0: none. */
size_t weft__objname_of(const void *object, char ret[WEFT__OBJNAME_BYTES_MAX + 1]);

/* For the tracer, which closes generation gen: place i of WEFT__OBJNAMES_MAX in the table.
 * Returns the length of the name, 0: the place is empty. */
size_t weft__objname_at(uint32_t i, uint64_t gen, uint64_t *ret_id, char ret[WEFT__OBJNAME_BYTES_MAX]);

#endif

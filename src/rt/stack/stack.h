/* rt/stack/stack.h - stacks for goroutines: pooled, lazily backed by memory, guarded.
 *
 * A stack is a slot of a power of two of bytes, aligned to its size: [hi - bytes, hi).  The lowest `guard_bytes` of it
 * are a guard and fault when touched; the rest is usable and costs memory where touched.  A stack is named by its upper
 * end `hi`, and its topmost page has memory already when it is handed out.
 *
 * Slots are never unmapped: a stale pointer into a stack can always be read.  A stack given back keeps what is in it
 * until weft__stack_trim, which may make it all zeroes; a stack never handed out before is zeroes, too.  So what a
 * goroutine keeps at the top of its stack must take zeroes for "nobody".
 *
 * Guards: where the kernel can (Linux 6.13, MADV_GUARD_INSTALL) they cost no mapping, and any number of stacks fits
 * into the default limits.  Elsewhere each takes two of vm.max_map_count mappings (65,530: about 32,000 stacks); when
 * those run out, taking fails.  No stack is ever handed out without its guard.
 *
 * All functions: any thread; none of them switches stacks.  Errors are negative errno.
 */
#ifndef WEFT__STACK_H
#define WEFT__STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Classes 0 to 12: 16 KiB to 64 MiB, guard included. */
enum { WEFT__STACK_CLASSES = 13, WEFT__STACK_MIN_BYTES = 16 << 10, WEFT__STACK_DEFAULT_BYTES = 64 << 10 };

typedef enum weft__stack_guards {
	WEFT__GUARDS_AUTO,
	WEFT__GUARDS_LIGHT, /* MADV_GUARD_INSTALL or nothing: -EOPNOTSUPP where the kernel cannot */
	WEFT__GUARDS_MAPPED /* mprotect, for kernels before 6.13 and for tests */
} weft__stack_guards;

typedef struct weft__stack_options {
	size_t guard_bytes; /* whole pages; 0: one page */
	weft__stack_guards guards;
	size_t maps_max; /* mappings that the process may have; 0: asks the system */
} weft__stack_options;

/* Once, before all else; a second call changes nothing (0).  opt may be NULL.  -EINVAL: guard_bytes; -ENOMEM. */
int weft__stack_init(const weft__stack_options *opt);

/* The smallest class with at least this many bytes, and at least twice the guard; -E2BIG. */
int weft__stack_class(size_t bytes);

static inline size_t weft__stack_bytes(int class)
{
	return (size_t)WEFT__STACK_MIN_BYTES << class;
}

size_t weft__stack_guard_bytes(void);

/* The lowest usable byte. */
static inline void *weft__stack_lo(void *hi, int class)
{
	return (char *)hi - weft__stack_bytes(class) + weft__stack_guard_bytes();
}

/* ---- the central pool: for batches, behind one lock ---- */

/* Takes 1 to n stacks of a class, those given back last first; how many there are in ret_hi.  Makes new ones when there
 * are none, in batches that grow with what is in use.  -ENOMEM: no address space, no memory for guards, or no mappings
 * left for them (weft__stack_stats.refused tells). */
int weft__stack_take(int class, void **ret_hi, int n);

/* Gives n stacks of one class back.  Nothing may run on them any more. */
void weft__stack_give(int class, void *const *hi, int n);

/* Gives back the memory of stacks that nobody has taken since the last call; how many stacks that were.  For the
 * monitor, every few seconds. */
size_t weft__stack_trim(void);

/* ---- looking at all of them; no locks ---- */

/* Calls fn for each stack that was ever handed out, and perhaps some that will be soon: those are zeroes at the top.
 * Class by class is not promised; stacks made meanwhile may be missed. */
void weft__stack_each(void (*fn)(void *hi, int class, void *arg), void *arg);

typedef struct weft__stack_place {
	void *lo, *hi; /* the usable part */
	int class;
	bool guard; /* the address is in the guard of this stack */
} weft__stack_place;

/* Which stack an address lies in; false if in none.  Async-signal-safe, constant time. */
bool weft__stack_find(const void *addr, weft__stack_place *ret);

typedef struct weft__stack_stats {
	size_t made;         /* stacks with a guard, of all classes */
	size_t idle;         /* of these, in the central pool */
	size_t idle_trimmed; /* of these, without memory */
	size_t slabs;        /* of 64 MiB of address space each */
	size_t lost;         /* places where making a stack failed halfway, and that are not tried again */
	size_t refused;      /* times that the limit of mappings stood against a new stack */
	bool light_guards;
} weft__stack_stats;

void weft__stack_read_stats(weft__stack_stats *ret);

#endif

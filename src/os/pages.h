/* os/pages.h - address space in large pieces, and what can be said to the kernel about many places of it at once.
 *
 * Lists of places are struct iovec: page-aligned, inside memory of wo_pages_reserve.  A list goes to the kernel in one
 * system call where it takes that (process_madvise on oneself, Linux 6.13), else place by place.
 */
#ifndef WO_PAGES_H
#define WO_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* Private zeroes, readable and writable, aligned to their size (a power of two), backed by memory only where
 * touched, never by huge pages.  0 or -ENOMEM. */
int wo_pages_reserve(size_t bytes, void **ret);
void wo_pages_release(void *at, size_t bytes);

/* Can wo_pages_guard work here?  Asks the kernel the first time (Linux 6.13 can). */
bool wo_pages_can_guard(void);

/* Places that fault when touched, without a mapping of their own.  They lose what they held, and stay guards after
 * wo_pages_drop and fork.  0 or negative errno; *ret_n is how many of them, from the first, are guards now. */
int wo_pages_guard(const struct iovec *v, size_t n, size_t *ret_n);
/* One such place the old way: it costs two of the process's vm.max_map_count mappings; -ENOMEM when there are none. */
int wo_pages_deny(void *at, size_t bytes);

/* Memory behind the places now, cheaper than on first touch.  0 or negative errno, and then perhaps for some only. */
int wo_pages_populate(const struct iovec *v, size_t n);
/* Gives their memory back: they read as zeroes from now on.  0 or negative errno. */
int wo_pages_drop(const struct iovec *v, size_t n);

/* How many bytes down from `end`, at most `bytes`, are in memory without a gap. */
size_t wo_pages_present_below(const void *end, size_t bytes);

size_t wo_page_bytes(void);
size_t wo_maps_max(void);  /* vm.max_map_count; its default where it cannot be read */
size_t wo_maps_used(void); /* mappings of this process now; 0 where they cannot be read */

/* For tests: the nth call from now (1 is the next) of one kind and all after it fail with `error` (an errno); nth 0
 * disarms.  Process-wide. */
typedef enum wo_pages_call {
	WO_PAGES_RESERVE,
	WO_PAGES_GUARD,
	WO_PAGES_DENY,
	WO_PAGES_POPULATE,
	WO_PAGES_DROP,
	WO_PAGES_CALLS
} wo_pages_call;
void wo_pages_fault(wo_pages_call call, uint64_t nth, int error);

#endif

/* base/alloc.c - malloc with a switch to make it fail (see alloc.h). */
#include "base/alloc.h"

#include <stdatomic.h>
#include <stdlib.h>

static _Atomic uint64_t asked;
static _Atomic uint64_t fail_at; /* value of `asked` that fails; 0: none */
static _Atomic bool     fail_after;

static bool faulty(void)
{
	uint64_t n = atomic_fetch_add_explicit(&asked, 1, memory_order_relaxed) + 1;
	uint64_t at = atomic_load_explicit(&fail_at, memory_order_relaxed);
	return __builtin_expect(at != 0, 0) && (n == at || (n > at && atomic_load(&fail_after)));
}

void *wb_malloc(size_t n)
{
	return faulty() ? NULL : malloc(n ? n : 1);
}

void *wb_calloc(size_t n, size_t size)
{
	return faulty() ? NULL : calloc(n ? n : 1, size ? size : 1);
}

void *wb_realloc(void *p, size_t n, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes) || faulty())
		return NULL;
	return realloc(p, bytes ? bytes : 1);
}

void *wb_aligned(size_t align, size_t n)
{
	return faulty() ? NULL : aligned_alloc(align, (n + align - 1) & ~(align - 1));
}

void wb_free(void *p)
{
	free(p);
}

void wb_fault_arm(uint64_t nth, bool sticky)
{
	atomic_store(&fail_after, sticky);
	atomic_store(&fail_at, nth ? atomic_load(&asked) + nth : 0);
}

uint64_t wb_fault_count(void)
{
	return atomic_load(&asked);
}

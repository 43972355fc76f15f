/* kit/heap.c - counts the bytes behind base/alloc.h, by the linker's --wrap: the project itself pays nothing for it. */
#include "kit.h"

#include <malloc.h>
#include <stdatomic.h>

#include "base/alloc.h"

void *__real_wb_malloc(size_t n);
void *__real_wb_calloc(size_t n, size_t size);
void *__real_wb_realloc(void *p, size_t n, size_t size);
void  __real_wb_free(void *p);
void *__wrap_wb_malloc(size_t n);
void *__wrap_wb_calloc(size_t n, size_t size);
void *__wrap_wb_realloc(void *p, size_t n, size_t size);
void  __wrap_wb_free(void *p);

static _Atomic size_t now, peak;

static void *added(void *p)
{
	size_t n = p ? malloc_usable_size(p) : 0;
	size_t total = atomic_fetch_add(&now, n) + n;
	for (size_t old = atomic_load(&peak); total > old && !atomic_compare_exchange_weak(&peak, &old, total);)
		;
	return p;
}

void *__wrap_wb_malloc(size_t n)
{
	return added(__real_wb_malloc(n));
}

void *__wrap_wb_calloc(size_t n, size_t size)
{
	return added(__real_wb_calloc(n, size));
}

void *__wrap_wb_realloc(void *p, size_t n, size_t size)
{
	size_t old = p ? malloc_usable_size(p) : 0;
	void *q = __real_wb_realloc(p, n, size);
	if (q) {
		added(q); /* both are there while one is copied to the other */
		atomic_fetch_sub(&now, old);
	}
	return q;
}

void __wrap_wb_free(void *p)
{
	if (p)
		atomic_fetch_sub(&now, malloc_usable_size(p));
	__real_wb_free(p);
}

size_t kit_heap_now(void)
{
	return atomic_load(&now);
}

void kit_heap_mark(void)
{
	atomic_store(&peak, atomic_load(&now));
}

size_t kit_heap_peak(void)
{
	return atomic_load(&peak);
}

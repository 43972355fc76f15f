/* rt/prof/interpose.c - libweft_malloc: stands before libc's malloc() and tells the heap profile of some of it.
 *
 * An allocation costs a subtraction, a free a look into a table that says which addresses are surely not of interest.
 * glibc only, whose own functions can be called by other names. */
#include "rt/prof/mallocs.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>

#define EXPORT __attribute__((visibility("default")))

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *at, size_t n);
void *__libc_memalign(size_t align, size_t n);
void __libc_free(void *at);

weft_malloc_attach_fn weft_malloc_attach;

enum { FILTER_BITS = 14, NOT_YET = 1 << 16 };

static _Atomic(const weft_malloc_hooks *) hooks;
static __thread int64_t left __attribute__((tls_model("initial-exec"))) = NOT_YET;
static __thread bool inside __attribute__((tls_model("initial-exec")));

/* How many recorded addresses there are by hash. */
static _Atomic uint32_t filter[1 << FILTER_BITS];

static _Atomic uint32_t *slot_of(const void *at)
{
	return &filter[(uintptr_t)at * UINT64_C(0x9e3779b97f4a7c15) >> (64 - FILTER_BITS)];
}

EXPORT void weft_malloc_attach(const weft_malloc_hooks *to)
{
	atomic_store(&hooks, to);
}

/* This thread's turn. */
static __attribute__((noinline)) void note(void *at, size_t bytes)
{
	const weft_malloc_hooks *h = atomic_load_explicit(&hooks, memory_order_acquire);
	if (!h || inside) {
		left = h ? left : NOT_YET;
		return;
	}
	int error = errno;
	inside = true;
	left = h->next_in();
	if (at && h->made(at, bytes))
		atomic_fetch_add_explicit(slot_of(at), 1, memory_order_relaxed);
	inside = false;
	errno = error;
}

static inline void count(void *at, size_t bytes)
{
	left -= (int64_t)bytes;
	if (__builtin_expect(left < 0, 0))
		note(at, bytes);
}

static __attribute__((noinline)) void forget_slow(void *at)
{
	const weft_malloc_hooks *h = atomic_load_explicit(&hooks, memory_order_acquire);
	if (!h || inside)
		return;
	int error = errno;
	inside = true;
	if (h->freed(at))
		atomic_fetch_sub_explicit(slot_of(at), 1, memory_order_relaxed);
	inside = false;
	errno = error;
}

static inline void forget(void *at)
{
	if (__builtin_expect(at && atomic_load_explicit(slot_of(at), memory_order_relaxed) != 0, 0))
		forget_slow(at);
}

EXPORT void *malloc(size_t n)
{
	void *at = __libc_malloc(n);
	count(at, n);
	return at;
}

EXPORT void *calloc(size_t n, size_t size)
{
	void *at = __libc_calloc(n, size);
	if (at)
		count(at, n * size);
	return at;
}

/* Another address is another object, and so is another size. */
EXPORT void *realloc(void *at, size_t n)
{
	forget(at);
	void *now = __libc_realloc(at, n);
	count(now, n);
	return now;
}

EXPORT void free(void *at)
{
	forget(at);
	__libc_free(at);
}

EXPORT void *memalign(size_t align, size_t n)
{
	void *at = __libc_memalign(align, n);
	count(at, n);
	return at;
}

EXPORT void *aligned_alloc(size_t align, size_t n)
{
	void *at = __libc_memalign(align, n);
	count(at, n);
	return at;
}

EXPORT int posix_memalign(void **ret, size_t align, size_t n)
{
	if (align < sizeof(void *) || (align & (align - 1)) != 0)
		return EINVAL;
	void *at = __libc_memalign(align, n);
	if (!at)
		return ENOMEM;
	count(at, n);
	*ret = at;
	return 0;
}

/* rt/mallocprof.c - malloc() in the heap profile, with libweft_malloc preloaded. */
#include "kit/rtkit.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "kit/profile.h"

#define APART __attribute__((noinline))

enum { BIG = 3000, OBJECTS = 400 };

static void *kept[OBJECTS];

/* So that compilers do not leave out what is freed at once. */
static void *used(void *at)
{
	__asm__ volatile("" : "+r"(at));
	return at;
}

APART static void keeps(void)
{
	for (int i = 0; i < OBJECTS; i++)
		kept[i] = malloc(BIG);
	__asm__ volatile("");
}

APART static void zeroed(void)
{
	for (int i = 0; i < OBJECTS; i++)
		free(used(calloc(3, BIG)));
	__asm__ volatile("");
}

APART static void grows(void)
{
	for (int i = 0; i < OBJECTS; i++)
		kept[i] = realloc(kept[i], (size_t)2 * BIG);
	__asm__ volatile("");
}

APART static void aligned(void)
{
	void *at = NULL;
	kit_equal(posix_memalign(&at, 64, BIG), 0);
	kit_equal((uintptr_t)at % 64, 0);
	kit_equal(posix_memalign(&at, 3, BIG), 22);
	free(at);
	free(used(aligned_alloc(4096, 4096)));
	__asm__ volatile("");
}

static void free_all(void)
{
	for (int i = 0; i < OBJECTS; i++)
		free(kept[i]);
}

/* A thread asks for the rate again after so many bytes. */
static void use_up(void)
{
	for (int i = 0; i < 2000; i++)
		free(used(malloc(8000)));
}

CASE(malloc_exact, "prof.h: with libweft_malloc, of malloc(): objects and bytes, allocated and still in use",
	.soft = true)
{
	weft_thread_lock(); /* each thread counts for itself */
	weft_mem_profile_rate(1);
	use_up();
	keeps();
	zeroed();
	kit_profile *p = kit_profile_of("heap");
	kit_equal(kit_profile_sum(p, "inuse_objects", "keeps", NULL), OBJECTS);
	kit_equal(kit_profile_sum(p, "inuse_space", "keeps", NULL), OBJECTS * BIG);
	kit_expect(kit_profile_flat(p, "inuse_objects", "malloc") >= OBJECTS);
	kit_equal(kit_profile_sum(p, "alloc_objects", "zeroed", NULL), OBJECTS);
	kit_equal(kit_profile_sum(p, "alloc_space", "zeroed", NULL), OBJECTS * 3 * BIG);
	kit_equal(kit_profile_sum(p, "inuse_objects", "zeroed", NULL), 0);
	kit_profile_free(p);
	grows();
	aligned();
	p = kit_profile_of("heap");
	kit_equal(kit_profile_sum(p, "inuse_objects", "keeps", NULL), 0);
	kit_equal(kit_profile_sum(p, "alloc_objects", "keeps", NULL), OBJECTS);
	kit_equal(kit_profile_sum(p, "inuse_space", "grows", NULL), OBJECTS * 2 * BIG);
	kit_equal(kit_profile_sum(p, "alloc_objects", "aligned", NULL), 2);
	kit_profile_free(p);
	free_all();
	p = kit_profile_of("heap");
	kit_equal(kit_profile_sum(p, "inuse_space", "grows", NULL), 0);
	kit_profile_free(p);
}

static void churn(void *done)
{
	void *at[64] = { 0 };
	uint64_t r = kit_seed() | 1;
	for (int i = 0; i < 20000; i++) {
		void **slot = &at[kit_random(&r) % 64];
		size_t n = kit_random(&r) % 500;
		if (i % 3) {
			free(*slot);
			*slot = malloc(n);
		} else {
			*slot = realloc(*slot, n + 1);
		}
		if (*slot)
			memset(*slot, 1, n);
		if (i % 64 == 0)
			weft_yield();
	}
	for (int i = 0; i < 64; i++)
		free(at[i]);
	weft_wg_done(done);
}

CASE(malloc_churn, "prof.h: recorded while several threads allocate; all that was freed is gone from it")
{
	weft_wg done = { 0 };
	weft_mem_profile_rate(64);
	for (int i = 0; i < 4; i++) {
		weft_wg_add(&done, 1);
		kit_go(churn, &done);
	}
	for (int i = 0; i < 5; i++) {
		kit_profile_free(kit_profile_of("heap"));
		weft_gc();
	}
	weft_wg_wait(&done);
	kit_profile *p = kit_profile_of("heap");
	kit_expect(kit_profile_sum(p, "alloc_objects", "churn", NULL) > 1000);
	/* Who cannot have the lock soon does not wait for it. */
	kit_expect(kit_profile_sum(p, "inuse_objects", "churn", NULL) <
		   kit_profile_sum(p, "alloc_objects", "churn", NULL) / 50);
	kit_profile_free(p);
}

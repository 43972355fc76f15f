/* rt/memprof.c - the heap profile against what the program has allocated. */
#include "kit/rtkit.h"

#include <string.h>

#include "kit/profile.h"
#include "rt/prof/profiles.h"

#define APART __attribute__((noinline))

enum { BIG = 1000, OBJECTS = 500 };

static void *kept[OBJECTS];

APART static void keeps(int n)
{
	for (int i = 0; i < n; i++)
		kept[i] = weft_new(BIG);
	__asm__ volatile("");
}

APART static void drops(int n)
{
	for (int i = 0; i < n; i++)
		memset(weft_new_bytes(BIG), 1, BIG);
	__asm__ volatile("");
}

/* Pointers that are left in dead parts of stacks keep an object or two. */
enum { STRAY = 20 };

CASE(heap_profile_exact, "runtime.MemProfileRate: to include every allocated block in the profile, set it to 1",
	.seconds = 30)
{
	kit_equal(weft_mem_profile_rate(-1), 512 << 10);
	kit_equal(weft_mem_profile_rate(1), 512 << 10);
	weft_root_add(kept, sizeof(kept));
	keeps(OBJECTS);
	drops(OBJECTS);
	kit_profile *p = kit_profile_of("heap");
	/* Go: no collection yet, so all that is known. */
	if (weft_profile_count("heap") == 2)
		kit_equal(kit_profile_sum(p, "inuse_objects", "keeps", NULL), OBJECTS);
	kit_profile_free(p);
	weft_gc();
	weft_gc();
	p = kit_profile_of("heap");
	kit_equal(kit_profile_sum(p, "alloc_objects", "keeps", NULL), OBJECTS);
	kit_equal(kit_profile_sum(p, "alloc_space", "keeps", NULL), OBJECTS * BIG);
	kit_equal(kit_profile_sum(p, "inuse_objects", "keeps", NULL), OBJECTS);
	kit_equal(kit_profile_sum(p, "inuse_space", "keeps", NULL), OBJECTS * BIG);
	kit_equal(kit_profile_sum(p, "alloc_objects", "drops", NULL), OBJECTS);
	kit_expect(kit_profile_sum(p, "inuse_objects", "drops", NULL) <= STRAY);
	kit_equal(kit_profile_flat(p, "alloc_objects", "weft_new"), OBJECTS);
	kit_equal(kit_profile_flat(p, "alloc_objects", "weft_new_bytes"), OBJECTS);
	kit_profile_free(p);
	/* What came after the last collection does not show yet. */
	drops(OBJECTS);
	p = kit_profile_of("allocs");
	kit_expect(kit_profile_sum(p, "alloc_objects", "drops", NULL) <= OBJECTS + STRAY);
	kit_profile_free(p);
	memset(kept, 0, sizeof(kept));
	weft_gc();
	weft_gc();
	p = kit_profile_of("heap");
	kit_equal(kit_profile_sum(p, "alloc_objects", "drops", NULL), 2 * OBJECTS);
	kit_expect(kit_profile_sum(p, "inuse_objects", "keeps", NULL) <= STRAY);
	kit_expect(kit_profile_sum(p, "inuse_space", NULL, NULL) <= 2 * STRAY * BIG);
	kit_profile_free(p);
	kit_expect(strncmp(kit_profile_text("heap", 1), "heap profile: ", 14) == 0 &&
		   strstr(kit_profile_text("heap", 1), "] @ heap/2\n"));
}

static int changes(void *unused)
{
	(void)unused;
	memset(kept + OBJECTS / 2, 0, sizeof(kept) / 2);
	drops(OBJECTS);
	weft_gc();
	weft_gc();
	return 0;
}

CASE(heap_profile_delta, "net/http/pprof: seconds=N - a delta profile; of memory in use it may be less than nothing",
	.seconds = 30)
{
	wb_buf b = { 0 };
	weft_mem_profile_rate(1);
	weft_root_add(kept, sizeof(kept));
	keeps(OBJECTS);
	drops(OBJECTS);
	weft_gc();
	weft_gc();
	kit_equal(weft__profile_delta("heap", changes, NULL, &b), 0);
	kit_profile *p = kit_profile_read(&b);
	kit_equal(kit_profile_sum(p, "alloc_objects", "drops", NULL), OBJECTS);
	kit_equal(kit_profile_sum(p, "alloc_space", "drops", NULL), OBJECTS * BIG);
	kit_equal(kit_profile_sum(p, "alloc_objects", "keeps", NULL), 0);
	int64_t less = kit_profile_sum(p, "inuse_objects", "keeps", NULL);
	kit_expect(less >= -OBJECTS / 2 && less <= -OBJECTS / 2 + STRAY);
	kit_equal(kit_profile_sum(p, "inuse_space", "keeps", NULL), less * BIG);
	kit_equal(kit_profile_period(p), 1);
	kit_profile_free(p);
	wb_buf_free(&b);
}

CASE(heap_profile_sampled,
	"runtime.MemProfileRate: the profiler aims to sample an average of one allocation per "
	"MemProfileRate bytes allocated",
	.seconds = 30)
{
	enum { RATE = 8000, N = 20000 };
	weft_mem_profile_rate(RATE);
	for (int i = 0; i < N / OBJECTS; i++)
		drops(OBJECTS);
	weft_gc();
	weft_gc();
	kit_profile *p = kit_profile_of("allocs");
	int64_t n = kit_profile_sum(p, "alloc_objects", "drops", NULL),
		bytes = kit_profile_sum(p, "alloc_space", NULL, NULL);
	/* 2,500 samples or so: within an eighth. */
	kit_expect(n > N - N / 8 && n < N + N / 8);
	kit_expect(bytes > (int64_t)BIG * (N - N / 8) && bytes < (int64_t)BIG * (N + N / 8));
	kit_expect(kit_profile_sum(p, "inuse_space", NULL, NULL) < (int64_t)BIG * N / 8);
	kit_equal(kit_profile_period(p), RATE);
	kit_profile_free(p);
}

static void count_call(void *object, void *arg)
{
	(void)object;
	++*(int *)arg;
}

CASE(heap_profile_finalizers, "prof.h: recording an object changes nothing for its finalizer", .seconds = 30)
{
	int calls = 0;
	weft_mem_profile_rate(1);
	for (int i = 0; i < 100; i++)
		weft_finalize(weft_new(BIG), count_call, &calls);
	for (int i = 0; i < 50 && calls < 100 - STRAY; i++) {
		weft_gc();
		weft_sleep(WEFT_MS);
	}
	kit_expect(calls >= 100 - STRAY);
}

CASE(heap_profile_off, "runtime.MemProfileRate: to turn off profiling entirely, set it to 0")
{
	kit_equal(weft_mem_profile_rate(0), 512 << 10);
	for (int i = 0; i < 20; i++)
		drops(OBJECTS);
	kit_equal(weft_profile_count("heap"), 0);
	kit_equal(weft_mem_profile_rate(1), 0);
	drops(10);
	weft_gc();
	kit_expect(weft_profile_count("heap") > 0);
}

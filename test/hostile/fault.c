/* Each allocation fails in turn, once and for good: every call says "out of memory" and gives back what it took, or it
 * gives the same answer as with memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <zstd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "hostile.h"

enum { EVENTS_MAX = 1 << 14, ALLOCATIONS_MAX = 200000 };

static uint64_t last_hash(const kit_run *r)
{
	return r->events ? r->hashes[r->events - 1] : 0;
}

static void one_answer_or_none(const kit_run *r, const kit_run *good)
{
	if (r->opened != WTR_OK) {
		assert_int_equal(r->opened, WTR_E_NOMEM);
		return;
	}
	if (r->ended != good->ended)
		assert_int_equal(r->ended, WTR_E_NOMEM);
	else {
		assert_int_equal(r->events, good->events);
		assert_true(last_hash(r) == last_hash(good));
	}
	if (r->indexed != WTR_OK)
		assert_int_equal(r->indexed, WTR_E_NOMEM);
}

static void fail_each(const void *data, size_t n, wtr_damage damage, bool sticky)
{
	wtr_options opt = { .damage = damage, .threads = 1 };
	kit_run good = { .hashes = calloc(EVENTS_MAX, sizeof(uint64_t)), .cap = EVENTS_MAX };
	kit_run run = { .hashes = calloc(EVENTS_MAX, sizeof(uint64_t)), .cap = EVENTS_MAX };
	assert_true(good.hashes && run.hashes);
	kit_whole(data, n, &opt, WTR_PART_ALL, &good);
	assert_true(good.events > 0);
	assert_true(good.events < EVENTS_MAX);
	uint64_t nth = 0;
	for (bool hit = true; hit;) {
		assert_true(++nth < ALLOCATIONS_MAX);
		size_t before = kit_heap_now();
		uint64_t asked = wb_fault_count();
		wb_fault_arm(nth, sticky);
		kit_whole(data, n, &opt, WTR_PART_ALL, &run);
		wb_fault_arm(0, false);
		hit = wb_fault_count() - asked >= nth;
		assert_int_equal(kit_heap_now(), before);
		one_answer_or_none(&run, &good);
		if (!hit)
			assert_int_equal(run.indexed, WTR_OK);
	}
	printf("# %llu allocations\n", (unsigned long long)nth - 1);
	assert_true(nth > 5);
	free(good.hashes);
	free(run.hashes);
}

static void fail_each_of(const char *name, wtr_damage damage)
{
	size_t n;
	uint8_t *at = kit_trace(name, &n);
	fail_each(at, n, damage, false);
	fail_each(at, n, damage, true);
	free(at);
}

static void v2(void **state) { (void)state; fail_each_of("go1.26-hello", WTR_AS_GO); }
static void v2_older(void **state) { (void)state; fail_each_of("go1.22-annotate", WTR_AS_GO); }
static void v2_generations(void **state) { (void)state; fail_each_of("go1.27-annotate-gens", WTR_REPAIR); }
static void v1(void **state) { (void)state; fail_each_of("go1.21-hello", WTR_AS_GO); }
static void v1_annotated(void **state) { (void)state; fail_each_of("go1.19-annotate", WTR_AS_GO); }

static void compressed(void **state)
{
	(void)state;
	size_t n;
	uint8_t *at = kit_trace("go1.27-hello", &n);
	size_t cap = ZSTD_compressBound(n);
	uint8_t *packed = malloc(cap);
	assert_non_null(packed);
	size_t m = ZSTD_compress(packed, cap, at, n, 3);
	assert_false(ZSTD_isError(m));
	fail_each(packed, m, WTR_AS_GO, false);
	free(packed);
	free(at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(v2),
		cmocka_unit_test(v2_older),
		cmocka_unit_test(v2_generations),
		cmocka_unit_test(v1),
		cmocka_unit_test(v1_annotated),
		cmocka_unit_test(compressed),
	};
	return cmocka_run_group_tests_name("hostile/fault", tests, NULL, NULL);
}

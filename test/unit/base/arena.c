/* What base/arena.h promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/arena.h"

static void pushes_are_zeroed_and_aligned(void **state)
{
	(void)state;
	wb_arena a = { 0 };
	for (size_t i = 1; i < 3000; i++) {
		size_t align = (size_t)1 << (i % 5);
		unsigned char *p = wb_push(&a, i % 97, align);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % align, 0);
		for (size_t k = 0; k < i % 97; k++)
			assert_int_equal(p[k], 0);
		memset(p, 0xff, i % 97);
	}
	wb_arena_free(&a);
	assert_int_equal(a.total_bytes, 0);
}

static void rewinding_gives_everything_since_back(void **state)
{
	(void)state;
	wb_arena a = { 0 };
	char *kept = wb_copy(&a, "kept", 4);
	wb_mark m = wb_mark_now(&a);
	size_t before = a.total_bytes;
	for (int i = 0; i < 100; i++)
		assert_non_null(wb_push(&a, 5000, 8));
	assert_true(a.total_bytes > before);
	wb_rewind(&a, m);
	assert_int_equal(a.total_bytes, before);
	assert_string_equal(kept, "kept");
	char *again = wb_push(&a, 16, 1);
	for (int i = 0; i < 16; i++)
		assert_int_equal(again[i], 0); /* zeroed although the block was used before */
	wb_arena_free(&a);
}

static void failure_is_sticky_and_takes_nothing(void **state)
{
	(void)state;
	wb_arena a = { .limit_bytes = 8192 };
	assert_non_null(wb_push(&a, 100, 8));
	size_t before = a.total_bytes;
	assert_null(wb_push(&a, 100000, 8));
	assert_true(a.failed);
	assert_int_equal(a.total_bytes, before);
	assert_null(wb_new(&a, uint64_t, SIZE_MAX / 4));
	assert_non_null(wb_push(&a, 8, 8)); /* there is room for this, but the flag stays */
	assert_true(a.failed);
	wb_arena_free(&a);
	assert_false(a.failed);
	wb_arena_free(NULL);
}

static void an_allocation_that_fails_is_survived(void **state)
{
	(void)state;
	wb_arena a = { 0 };
	wb_fault_arm(1, false);
	assert_null(wb_push(&a, 1, 1));
	wb_fault_arm(0, false);
	assert_true(a.failed);
	assert_null(a.head);
	wb_arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pushes_are_zeroed_and_aligned),
		cmocka_unit_test(rewinding_gives_everything_since_back),
		cmocka_unit_test(failure_is_sticky_and_takes_nothing),
		cmocka_unit_test(an_allocation_that_fails_is_survived),
	};
	return cmocka_run_group_tests_name("base/arena", tests, NULL, NULL);
}

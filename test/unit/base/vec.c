/* What base/vec.h and base/alloc.h promise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/vec.h"

static void keeps_what_is_added(void **state)
{
	(void)state;
	WB_VEC(int) v = { 0 };
	for (int i = 0; i < 10000; i++)
		assert_true(wb_vec_add(&v, i * 3));
	assert_int_equal(v.n, 10000);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(v.at[i], i * 3);
	wb_vec_free(&v);
	assert_null(v.at);
	assert_int_equal(v.n + v.cap, 0);
}

static void is_unchanged_when_memory_is_out(void **state)
{
	(void)state;
	WB_VEC(int) v = { 0 };
	assert_true(wb_vec_add(&v, 7));
	size_t cap = v.cap;
	wb_fault_arm(1, true);
	assert_false(wb_vec_reserve(&v, cap));
	wb_fault_arm(0, false);
	assert_int_equal(v.n, 1);
	assert_int_equal(v.cap, cap);
	assert_int_equal(v.at[0], 7);
	assert_false(wb_vec_reserve(&v, SIZE_MAX)); /* more than there can be */
	assert_false(wb_vec_reserve(&v, SIZE_MAX / 8));
	wb_vec_free(&v);
}

static void the_nth_allocation_fails(void **state)
{
	(void)state;
	wb_fault_arm(3, false);
	void *a = wb_malloc(1), *b = wb_calloc(1, 1), *c = wb_realloc(NULL, 1, 1), *d = wb_malloc(1);
	wb_fault_arm(0, false);
	assert_non_null(a);
	assert_non_null(b);
	assert_null(c);
	assert_non_null(d);
	wb_free(a);
	wb_free(b);
	wb_free(d);
	wb_fault_arm(2, true);
	a = wb_malloc(1);
	assert_null(wb_malloc(1));
	assert_null(wb_malloc(1));
	wb_fault_arm(0, false);
	wb_free(a);
	assert_null(wb_realloc(NULL, SIZE_MAX / 2, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_what_is_added),
		cmocka_unit_test(is_unchanged_when_memory_is_out),
		cmocka_unit_test(the_nth_allocation_fails),
	};
	return cmocka_run_group_tests_name("base/vec", tests, NULL, NULL);
}

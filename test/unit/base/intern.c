/* What base/intern.h promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/intern.h"

static void equal_texts_get_equal_numbers(void **state)
{
	(void)state;
	wb_intern t = { 0 };
	for (int round = 0; round < 2; round++)
		for (uint32_t i = 0; i < 5000; i++) {
			char s[32];
			int n = snprintf(s, sizeof(s), "text number %u", i);
			assert_int_equal(wb_intern_add(&t, s, (size_t)n), i + 1); /* 0 is the empty text */
		}
	assert_int_equal(wb_intern_add(&t, "", 0), 0);
	assert_int_equal(t.n, 5001);
	wb_text x = wb_intern_text(&t, 43);
	assert_string_equal(x.at, "text number 42");
	assert_int_equal(x.n, 14);
	assert_int_equal(wb_intern_get(&t, "text number 42", 14), 43);
	assert_int_equal(wb_intern_get(&t, "no such text", 12), WB_INTERN_NONE);
	assert_string_equal(wb_intern_text(&t, 999999).at, "");
	wb_intern_free(&t);
	assert_int_equal(t.n, 0);
}

/* Texts may hold any byte, zeros too. */
static void bytes_are_bytes(void **state)
{
	(void)state;
	wb_intern t = { 0 };
	uint32_t a = wb_intern_add(&t, "a\0b", 3), b = wb_intern_add(&t, "a\0c", 3), c = wb_intern_add(&t, "a", 1);
	assert_true(a != b && b != c && a != c);
	assert_int_equal(wb_intern_text(&t, a).n, 3);
	assert_memory_equal(wb_intern_text(&t, b).at, "a\0c", 4); /* and a zero behind */
	wb_intern_free(&t);
}

static void each_failed_allocation_is_survived(void **state)
{
	(void)state;
	for (uint64_t nth = 1; nth < 100; nth++) {
		wb_intern t = { 0 };
		wb_fault_arm(nth, false);
		bool failed = false;
		for (uint32_t i = 0; i < 500; i++) {
			char s[16];
			int n = snprintf(s, sizeof(s), "%u", i);
			if (wb_intern_add(&t, s, (size_t)n) != WB_INTERN_NONE)
				continue;
			failed = true;
			assert_int_equal(wb_intern_get(&t, s, (size_t)n), WB_INTERN_NONE);
			assert_int_not_equal(wb_intern_add(&t, s, (size_t)n), WB_INTERN_NONE); /* the next try works */
		}
		wb_fault_arm(0, false);
		assert_int_equal(t.n, 501);
		wb_intern_free(&t);
		if (!failed)
			return;
	}
	fail_msg("never got through");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_texts_get_equal_numbers),
		cmocka_unit_test(bytes_are_bytes),
		cmocka_unit_test(each_failed_allocation_is_survived),
	};
	return cmocka_run_group_tests_name("base/intern", tests, NULL, NULL);
}

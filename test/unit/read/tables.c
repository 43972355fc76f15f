/* What read/tables.h promises. */
#include "reader.h"

#include "base/alloc.h"
#include "read/tables.h"

static void ids_are_base_plus_place(void **state)
{
	(void)state;
	wtr__tables tb;
	assert_true(wtr__tables_init(&tb, 100, 1000));
	assert_int_equal(wtr__tables_add_string(&tb, 7, "seven", 5), WTR_OK);
	assert_int_equal(wtr__tables_add_string(&tb, UINT64_MAX, "last", 4), WTR_OK);
	assert_int_equal(wtr__tables_add_string(&tb, 0, "no", 2), WTR_E_FORMAT);
	assert_int_equal(wtr__tables_add_string(&tb, 7, "seven", 5), WTR_E_FORMAT); /* twice, even the same */
	assert_int_equal(wtr__string_id(&tb, 7), 101);
	assert_int_equal(wtr__string_id(&tb, UINT64_MAX), 102);
	assert_int_equal(wtr__string_id(&tb, 0), 0);
	assert_int_equal(wtr__string_id(&tb, 8), WTR__UNKNOWN);
	assert_memory_equal(wtr__tables_string(&tb, 1).at, "seven", 5);
	assert_int_equal(wtr__tables_string(&tb, 55).n, 0);
	wtr__tables_free(&tb);
}

/* The first definition of a pc wins: two stacks with one pc have the same frame there. */
static void a_pc_has_one_frame(void **state)
{
	(void)state;
	wtr__tables tb;
	assert_true(wtr__tables_init(&tb, 0, 0));
	wtr__tables_add_string(&tb, 1, "f", 1);
	wtr__tables_add_string(&tb, 2, "g", 1);
	wtr__frame a[2] = { { .pc = 0x10, .line = 5, .func = 1, .file = 2 }, { .pc = 0x20, .line = 6, .func = 2 } };
	wtr__frame b[1] = { { .pc = 0x10, .line = 99, .func = 2 } };
	assert_int_equal(wtr__tables_add_stack(&tb, 1, a, 2), WTR_OK);
	assert_int_equal(wtr__tables_add_stack(&tb, 2, b, 1), WTR_OK);
	assert_int_equal(wtr__tables_add_stack(&tb, 3, NULL, 0), WTR_OK);
	assert_int_equal(wtr__tables_add_stack(&tb, 2, b, 1), WTR_E_FORMAT);
	uint64_t stack, string;
	assert_int_equal(wtr__tables_finish(&tb, false, &stack, &string), WTR_OK);
	wtr_frame f[4];
	assert_int_equal(wtr__tables_stack(&tb, 2, f, 4), 1);
	assert_int_equal(f[0].line, 5);
	assert_memory_equal(f[0].func.at, "f", 1);
	assert_int_equal(wtr__tables_stack(&tb, 1, f, 1), 2); /* says how many there are, writes what fits */
	assert_int_equal(wtr__tables_stack(&tb, 3, f, 4), 0);
	assert_int_equal(wtr__tables_stack(&tb, 77, f, 4), 0);
	wtr__tables_free(&tb);
}

static void unknown_strings_are_named_or_forgiven(void **state)
{
	(void)state;
	for (int forgive = 0; forgive < 2; forgive++) {
		wtr__tables tb;
		assert_true(wtr__tables_init(&tb, 0, 0));
		wtr__frame a = { .pc = 1, .line = 1, .func = 44 };
		wtr__tables_add_stack(&tb, 9, &a, 1);
		uint64_t stack = 0, string = 0;
		wtr_code rc = wtr__tables_finish(&tb, forgive, &stack, &string);
		assert_int_equal(rc, forgive ? WTR_OK : WTR_E_FORMAT);
		if (!forgive)
			assert_int_equal(string, 44);
		wtr_frame f;
		if (forgive) {
			assert_int_equal(wtr__tables_stack(&tb, 1, &f, 1), 1);
			assert_int_equal(f.func.n, 0);
		}
		wtr__tables_free(&tb);
	}
}

static void each_failed_allocation_is_survived(void **state)
{
	(void)state;
	for (uint64_t nth = 1;; nth++) {
		assert_true(nth < 1000);
		wb_fault_arm(nth, false);
		wtr__tables tb;
		bool ok = wtr__tables_init(&tb, 0, 0);
		for (uint64_t i = 1; ok && i < 300; i++) {
			wtr__frame f = { .pc = i * 1000, .line = i, .func = i, .file = i };
			ok = wtr__tables_add_string(&tb, i, "x", 1) == WTR_OK &&
			     wtr__tables_add_stack(&tb, i * 77, &f, 1) == WTR_OK;
		}
		uint64_t stack, string;
		if (ok)
			assert_int_equal(wtr__tables_finish(&tb, false, &stack, &string), WTR_OK);
		wb_fault_arm(0, false);
		wtr__tables_free(&tb);
		if (ok)
			return;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_base_plus_place),
		cmocka_unit_test(a_pc_has_one_frame),
		cmocka_unit_test(unknown_strings_are_named_or_forgiven),
		cmocka_unit_test(each_failed_allocation_is_survived),
	};
	return cmocka_run_group_tests_name("read/tables", tests, NULL, NULL);
}

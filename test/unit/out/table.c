/* Columns that line up. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "out/table.h"

static out_table sample(void)
{
	out_table t = { .n_columns = 3, .columns = { { "name", OUT_LEFT }, { "n", OUT_RIGHT }, { "what", OUT_LEFT } } };
	static const char *const cells[] = { "a", "10", "x", "longer", "2\xc2\xb5s", "", "b", "1", "last" };
	for (size_t i = 0; i < sizeof(cells) / sizeof(*cells); i++)
		wb_buf_puts(out_cell(&t, i == 0 ? "<b>" : ""), cells[i]);
	return t;
}

static void lines_up(void **state)
{
	(void)state;
	out_table t = sample();
	wb_buf b = { 0 };
	out_table_print(&t, &b, "  ", "", "");
	assert_string_equal(wb_buf_cstr(&b),
		"  name      n  what\n"
		"  <b>a        10  x\n"
		"  longer  2\xc2\xb5s  \n"
		"  b         1  last\n");
	wb_buf_free(&b);
	out_table_free(&t);
}

static void styles_take_no_room(void **state)
{
	(void)state;
	out_table t = sample();
	wb_buf b = { 0 };
	out_table_print(&t, &b, "", "<i>", "</>");
	assert_string_equal(wb_buf_cstr(&b),
		"<i>name</>      <i>n</>  <i>what</>\n"
		"<b>a</>        10  x\n"
		"longer  2\xc2\xb5s  \n"
		"b         1  last\n");
	wb_buf_free(&b);
	out_table_free(&t);
}

static void titles_alone(void **state)
{
	(void)state;
	out_table t = { .n_columns = 2, .columns = { { "a", OUT_RIGHT }, { "b", OUT_RIGHT } } };
	wb_buf b = { 0 };
	out_table_print(&t, &b, "", "", "");
	assert_string_equal(wb_buf_cstr(&b), "a  b\n");
	wb_buf_free(&b);
	out_table_free(&t);
}

static void survives_each_failed_allocation(void **state)
{
	(void)state;
	unsigned failed = 0;
	for (uint64_t nth = 1; nth < 20; nth++) {
		wb_fault_arm(nth, false);
		out_table t = sample();
		wb_buf b = { 0 };
		out_table_print(&t, &b, "", "", "");
		wb_fault_arm(0, false);
		failed += b.failed;
		wb_buf_free(&b);
		out_table_free(&t);
	}
	assert_true(failed >= 2 && failed < 19);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_up),
		cmocka_unit_test(styles_take_no_room),
		cmocka_unit_test(titles_alone),
		cmocka_unit_test(survives_each_failed_allocation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

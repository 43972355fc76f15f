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

/* A table of numbers, a spare one, one that says nothing, and two names; in fewer and fewer columns. */
static void in_few_columns(void **state)
{
	(void)state;
	static const struct {
		size_t limit;
		const char *looks;
	} rows[] = {
		{ 0, "  id  exec time  made  none  state  function\n"
		     "   1      1.23s  10ms     -  ended  net/http.(*Transport).startDialConn.func1\n"
		     " 999       10ms    5s     -  ready  main.main\n" },
		{ 72, "  id  exec time  made  state  function\n"
		      "   1      1.23s  10ms  ended  net/http.(*Transport).startDialConn.func1\n"
		      " 999       10ms    5s  ready  main.main\n" },
		{ 60, "  id  exec time  made  state  function\n"
		      "   1      1.23s  10ms  ended  …ransport).startDialConn.func1\n"
		      " 999       10ms    5s  ready  main.main\n" },
		{ 50, "       exec\n"
		      "  id   time  state  function\n"
		      "   1  1.23s  ended  …nsport).startDialConn.func1\n"
		      " 999   10ms  ready  main.main\n"
		      " no room for: made\n" },
		{ 40, "      exec\n"
		      "  id  time state function\n"
		      "   1 1.23s ended …t).startDialConn.func1\n"
		      " 999  10ms ready main.main\n"
		      " no room for: made\n" },
		{ 30, "  id  exec time  state\n"
		      "     function\n"
		      "   1      1.23s  ended\n"
		      "     net/http.(*Transport).sta\n"
		      "     rtDialConn.func1\n"
		      " 999       10ms  ready\n"
		      "     main.main\n"
		      " no room for: made\n" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		out_table t = { .limit = rows[i].limit,
			.n_columns = 6,
			.columns = { { "id", OUT_RIGHT }, { "exec time", OUT_RIGHT }, { "made", OUT_SPARE },
				{ "none", OUT_RIGHT }, { "state", OUT_LEFT }, { "function", OUT_NAME } } };
		static const char *const cells[] = { "1", "1.23s", "10ms", "-", "ended",
			"net/http.(*Transport).startDialConn.func1", "999", "10ms", "5s", "-", "ready", "main.main" };
		for (size_t k = 0; k < sizeof(cells) / sizeof(*cells); k++)
			wb_buf_puts(out_cell(&t, ""), cells[k]);
		wb_buf b = { 0 };
		out_table_print(&t, &b, " ", "", "");
		assert_string_equal(wb_buf_cstr(&b), rows[i].looks);
		wb_buf_free(&b);
		out_table_free(&t);
	}
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
		cmocka_unit_test(in_few_columns),
		cmocka_unit_test(survives_each_failed_allocation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

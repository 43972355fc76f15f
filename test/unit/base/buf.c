/* What base/buf.h promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"

static void writes_what_it_is_told(void **state)
{
	(void)state;
	wb_buf b = { 0 };
	wb_buf_puts(&b, "n=");
	wb_buf_u64(&b, UINT64_MAX);
	wb_buf_putc(&b, ' ');
	wb_buf_i64(&b, INT64_MIN);
	wb_buf_puts(&b, " 0x");
	wb_buf_hex(&b, 0);
	wb_buf_hex(&b, 0xdeadbeef);
	wb_buf_printf(&b, " %s%d", "x", -7);
	wb_buf_put(&b, NULL, 0);
	assert_string_equal(wb_buf_cstr(&b), "n=18446744073709551615 -9223372036854775808 0x0deadbeef x-7");
	size_t n = b.n;
	assert_int_equal(strlen(wb_buf_cstr(&b)), n); /* the 0 is not counted */
	wb_buf_free(&b);
	assert_int_equal(b.n, 0);
}

static void grows(void **state)
{
	(void)state;
	wb_buf b = { 0 };
	for (int i = 0; i < 10000; i++)
		wb_buf_printf(&b, "%04d", i);
	assert_int_equal(b.n, 40000);
	assert_memory_equal(b.at + 4 * 1234, "1234", 4);
	wb_buf_free(&b);
}

static void failure_is_sticky(void **state)
{
	(void)state;
	wb_buf b = { 0 };
	wb_buf_puts(&b, "kept");
	wb_fault_arm(1, false);
	assert_null(wb_buf_room(&b, 1000));
	wb_fault_arm(0, false);
	assert_true(b.failed);
	wb_buf_puts(&b, "lost");
	assert_int_equal(b.n, 4);
	assert_string_equal(wb_buf_cstr(&b), "");
	wb_buf_free(&b);
	assert_false(b.failed);
	assert_null(wb_buf_room(&b, SIZE_MAX - 5));
	wb_buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_what_it_is_told),
		cmocka_unit_test(grows),
		cmocka_unit_test(failure_is_sticky),
	};
	return cmocka_run_group_tests_name("base/buf", tests, NULL, NULL);
}

/* Numbers and texts as people read them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "out/units.h"

#define SAYS(call, want)                            \
	do {                                        \
		wb_buf b = { 0 };                   \
		call;                               \
		assert_string_equal(wb_buf_cstr(&b), want); \
		wb_buf_free(&b);                    \
	} while (0)

static void durations(void **state)
{
	(void)state;
	static const struct { int64_t ns; const char *text;
	} v[] = {
		{ 0, "0s" },
		{ 1, "1ns" },
		{ 999, "999ns" },
		{ 1000, "1\xc2\xb5s" },
		{ 1234, "1.23\xc2\xb5s" },
		{ 1005, "1.01\xc2\xb5s" },
		{ 12340, "12.3\xc2\xb5s" },
		{ 123456, "123\xc2\xb5s" },
		{ 999499, "999\xc2\xb5s" },
		{ 999500, "1ms" },
		{ 10049999, "10ms" },
		{ 10050000, "10.1ms" },
		{ 999499999, "999ms" },
		{ 999500000, "1s" },
		{ 1230000000, "1.23s" },
		{ 1040000000, "1.04s" },
		{ 59999999999, "60s" },
		{ 60000000000, "1m00s" },
		{ 125000000000, "2m05s" },
		{ 3599999999999, "59m59s" },
		{ 3600000000000, "1h00m" },
		{ 3725000000000, "1h02m" },
		{ -1500, "-1.5\xc2\xb5s" },
		{ INT64_MAX, "2562047h47m" },
		{ INT64_MIN, "-2562047h47m" },
		{ INT64_MIN + 1, "-2562047h47m" },
	};
	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++)
		SAYS(out_duration(&b, v[i].ns), v[i].text);
}

static void amounts(void **state)
{
	(void)state;
	SAYS(out_bytes(&b, 0), "0 B");
	SAYS(out_bytes(&b, 1023), "1023 B");
	SAYS(out_bytes(&b, 1024), "1.0 KiB");
	SAYS(out_bytes(&b, 1536), "1.5 KiB");
	SAYS(out_bytes(&b, (1 << 20) - 1), "1024.0 KiB");
	SAYS(out_bytes(&b, 1 << 20), "1.0 MiB");
	SAYS(out_bytes(&b, UINT64_MAX), "16.0 EiB");
	SAYS(out_count(&b, 0), "0");
	SAYS(out_count(&b, 999), "999");
	SAYS(out_count(&b, 1000), "1,000");
	SAYS(out_count(&b, 16012345), "16,012,345");
	SAYS(out_count(&b, UINT64_MAX), "18,446,744,073,709,551,615");
	SAYS(out_counted(&b, 1, "event", "events"), "1 event");
	SAYS(out_counted(&b, 0, "event", "events"), "0 events");
	SAYS(out_counted(&b, 2000, "event", "events"), "2,000 events");
}

static void seconds(void **state)
{
	(void)state;
	SAYS(out_seconds(&b, 0), "0.000000000");
	SAYS(out_seconds(&b, 123456), "0.000123456");
	SAYS(out_seconds(&b, 12000000001), "12.000000001");
	SAYS(out_seconds(&b, -1500000000), "-1.500000000");
	SAYS(out_seconds(&b, INT64_MIN), "-9223372036.854775808");
}

/* Nothing from a trace reaches the terminal as a command to it. */
static void texts_are_harmless(void **state)
{
	(void)state;
	SAYS(out_clean(&b, "a \"b\" \\ c", 9), "a \"b\" \\ c");
	SAYS(out_clean(&b, "\033[31mred\n\r\a\x7f", 12), "\\x1b[31mred\\n\\r\\a\\x7f");
	SAYS(out_clean(&b, "caf\xc3\xa9 \xff", 7), "caf\xc3\xa9 \\xff");
	SAYS(out_clean(&b, "\xe2\x80\xae", 3), "\\u202e"); /* turns the direction of writing */
	SAYS(out_clean(&b, "", 0), "");
	for (unsigned c = 0; c < 256; c++) {
		char text[3] = { 'x', (char)c, 'y' };
		wb_buf b = { 0 };
		out_clean(&b, text, 3);
		for (size_t i = 0; i < b.n; i++)
			assert_true((uint8_t)b.at[i] >= ' ' && b.at[i] != 0x7f);
		wb_buf_free(&b);
	}
}

static void widths(void **state)
{
	(void)state;
	assert_int_equal(out_width("", 0), 0);
	assert_int_equal(out_width("1.5\xc2\xb5s", 6), 5);
	SAYS((wb_buf_puts(&b, "ab"), out_pad(&b, 0, 4), wb_buf_putc(&b, '|')), "ab  |");
	SAYS((wb_buf_puts(&b, "abcdef"), out_pad(&b, 0, 4), wb_buf_putc(&b, '|')), "abcdef|");
	SAYS((wb_buf_puts(&b, "xx\xc2\xb5"), out_pad(&b, 2, 3), wb_buf_putc(&b, '|')), "xx\xc2\xb5  |");
}

static void survives_no_memory(void **state)
{
	(void)state;
	wb_fault_arm(1, true);
	wb_buf b = { 0 };
	out_duration(&b, 1);
	out_bytes(&b, 1);
	out_clean(&b, "\n", 1);
	out_pad(&b, 0, 100);
	wb_fault_arm(0, false);
	assert_true(b.failed);
	wb_buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),
		cmocka_unit_test(amounts),
		cmocka_unit_test(seconds),
		cmocka_unit_test(texts_are_harmless),
		cmocka_unit_test(widths),
		cmocka_unit_test(survives_no_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

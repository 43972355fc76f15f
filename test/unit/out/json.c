/* The JSON writer: exact texts, repair, sticky errors, and every allocation failing. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <wtr/report.h>

#include "base/alloc.h"
#include "out/json.h"

#define STR(s) ((wtr_str){ s, sizeof(s) - 1 })

static void expect(wb_buf *b, const char *want)
{
	assert_string_equal(wb_buf_cstr(b), want);
	wb_buf_free(b);
}

static void objects_and_arrays(void **state)
{
	(void)state;
	wb_buf b = { 0 };
	out_json j;
	out_json_to_buf(&j, &b, 0);
	out_json_object(&j);
	out_json_put_i64(&j, "a", -5);
	out_json_put_u64(&j, "b", UINT64_MAX);
	out_json_put_bool(&j, "c", true);
	out_json_put_null(&j, "d");
	out_json_put_text(&j, "e", "x\"y\n\t\\/");
	out_json_put_text(&j, "f", NULL);
	out_json_key(&j, "g");
	out_json_array(&j);
	out_json_i64(&j, INT64_MIN);
	out_json_object(&j);
	out_json_object_end(&j);
	out_json_array(&j);
	out_json_array_end(&j);
	out_json_array_end(&j);
	out_json_put_ns(&j, "h", 1500, 1000);
	out_json_put_ns(&j, "i", WTR_NEVER, 1000);
	out_json_put_id(&j, "k", WTR_NONE);
	out_json_put_id(&j, "l", 7);
	out_json_key(&j, "m");
	out_json_hex(&j, 0x46a2b1);
	out_json_key(&j, "n");
	out_json_digits(&j, 1795336402522602706);
	out_json_object_end(&j);
	assert_true(out_json_done(&j));
	expect(&b, "{\"a\":-5,\"b\":18446744073709551615,\"c\":true,\"d\":null,\"e\":\"x\\\"y\\n\\t\\\\/\",\"f\":null,"
		   "\"g\":[-9223372036854775808,{},[]],\"h\":500,\"i\":null,\"k\":null,\"l\":7,\"m\":\"0x46a2b1\","
		   "\"n\":\"1795336402522602706\"}");
}

static void pretty_and_lines(void **state)
{
	(void)state;
	wb_buf b = { 0 };
	out_json j;
	out_json_to_buf(&j, &b, OUT_JSON_PRETTY);
	out_json_object(&j);
	out_json_put_i64(&j, "a", 1);
	out_json_put_i64(&j, "b", 2);
	out_json_object_end(&j);
	assert_true(out_json_done(&j));
	expect(&b, "{\n  \"a\": 1,\n  \"b\": 2\n}\n");

	out_json_to_buf(&j, &b, 0);
	for (int i = 0; i < 3; i++) {
		out_json_object(&j);
		out_json_put_i64(&j, "i", i);
		out_json_object_end(&j);
		out_json_line(&j);
	}
	assert_true(out_json_done(&j));
	expect(&b, "{\"i\":0}\n{\"i\":1}\n{\"i\":2}\n");
}

static void one_text(wtr_str s, const char *want)
{
	wb_buf b = { 0 };
	out_json j;
	out_json_to_buf(&j, &b, 0);
	out_json_str(&j, s);
	assert_true(out_json_done(&j));
	expect(&b, want);
}

static void texts(void **state)
{
	(void)state;
	one_text((wtr_str){ NULL, 0 }, "\"\"");
	one_text(STR("a\0b"), "\"a\\u0000b\"");
	one_text(STR("\x1f\x7f"), "\"\\u001F\x7f\"");
	one_text(STR("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"),
		"\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\"");
	/* One U+FFFD a byte: a lone continuation, an overlong slash, a surrogate, beyond U+10FFFF, cut short. */
	one_text(STR("a\x80z"), "\"a\xef\xbf\xbdz\"");
	one_text(STR("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
	one_text(STR("\xe0\x80\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	one_text(STR("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	one_text(STR("\xf4\x90\x80\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	one_text(STR("\xf0\x80\x80\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	one_text(STR("x\xe2\x82"), "\"x\xef\xbf\xbd\xef\xbf\xbd\"");
	one_text(STR("\xff\xfe!"), "\"\xef\xbf\xbd\xef\xbf\xbd!\"");
	one_text(STR("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\xdf\xbf\xef\xbf\xbf"),
		"\"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\xdf\xbf\xef\xbf\xbf\"");
}

static void one_double(double v, const char *want)
{
	wb_buf b = { 0 };
	out_json j;
	out_json_to_buf(&j, &b, 0);
	out_json_double(&j, v);
	assert_true(out_json_done(&j));
	if (want)
		assert_string_equal(wb_buf_cstr(&b), want);
	else
		assert_true(strtod(wb_buf_cstr(&b), NULL) == v);
	wb_buf_free(&b);
}

static void doubles(void **state)
{
	(void)state;
	one_double(0.1, "0.1");
	one_double(-1.5, "-1.5");
	one_double(3, "3");
	one_double(-0.0, "0");
	one_double(NAN, "null");
	one_double(-INFINITY, "null");
	one_double(9007199254740991.0, "9007199254740991");
	one_double(1e300, "1e+300");
	one_double(0.1 + 0.2, "0.30000000000000004");
	uint64_t x = 88172645463325252u;
	for (int i = 0; i < 20000; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		double v;
		memcpy(&v, &x, sizeof(v));
		if (isfinite(v))
			one_double(v, NULL);
	}
}

static void one_fixed(double v, unsigned decimals, const char *want)
{
	wb_buf b = { 0 };
	out_json j;
	out_json_to_buf(&j, &b, 0);
	out_json_fixed(&j, v, decimals);
	assert_true(out_json_done(&j));
	expect(&b, want);
}

static void fixed(void **state)
{
	(void)state;
	one_fixed(0, 3, "0");
	one_fixed(1.0 / 3, 3, "0.333");
	one_fixed(2.0 / 3, 3, "0.667");
	one_fixed(0.0004, 3, "0");
	one_fixed(0.005, 3, "0.005");
	one_fixed(-0.0004, 3, "0");
	one_fixed(-12.25, 3, "-12.25");
	one_fixed(1234567.0, 3, "1234567");
	one_fixed(999.9996, 3, "1000");
	one_fixed(7.5, 0, "8");
	one_fixed(NAN, 3, "null");
	one_fixed(1e300, 3, "1e+300");
}

static void errors_stick(void **state)
{
	(void)state;
	wb_buf b = { 0 };
	out_json j;
	out_json_to_buf(&j, &b, 0);
	out_json_object(&j);
	out_json_array_end(&j); /* not what was begun */
	out_json_put_i64(&j, "a", 1);
	assert_false(out_json_done(&j));
	expect(&b, "{");

	out_json_to_buf(&j, &b, 0);
	out_json_object_end(&j);
	assert_false(out_json_done(&j));
	wb_buf_free(&b);

	out_json_to_buf(&j, &b, 0);
	out_json_object(&j);
	assert_false(out_json_done(&j)); /* not ended */
	wb_buf_free(&b);

	out_json_to_buf(&j, &b, 0);
	out_json_object(&j);
	out_json_i64(&j, 3); /* a number where a key belongs */
	assert_false(out_json_done(&j));
	wb_buf_free(&b);

	out_json_to_buf(&j, &b, 0);
	out_json_i64(&j, 3);
	out_json_i64(&j, 4); /* two values without a line between them */
	assert_false(out_json_done(&j));
	wb_buf_free(&b);

	out_json_to_buf(&j, &b, 0);
	for (int i = 0; i < 200; i++) /* deeper than yajl goes */
		out_json_array(&j);
	assert_false(out_json_done(&j));
	wb_buf_free(&b);
}

static void every_allocation_fails(void **state)
{
	(void)state;
	for (uint64_t nth = 1;; nth++) {
		wb_buf b = { 0 };
		out_json j;
		wb_fault_arm(nth, true);
		uint64_t before = wb_fault_count();
		out_json_to_buf(&j, &b, 0);
		out_json_array(&j);
		for (int i = 0; i < 100; i++)
			out_json_str(&j, STR("some text that is \xff not UTF-8"));
		out_json_array_end(&j);
		bool whole = out_json_done(&j);
		bool reached = wb_fault_count() - before >= nth;
		wb_fault_arm(0, false);
		assert_int_equal(whole, !reached);
		wb_buf_free(&b);
		if (whole) {
			assert_true(nth > 2);
			return;
		}
	}
}

static void files(void **state)
{
	(void)state;
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	out_json j;
	out_json_to_file(&j, f, 0);
	out_json_array(&j);
	out_json_i64(&j, 1);
	out_json_array_end(&j);
	assert_true(out_json_done(&j));
	fclose(f);
	assert_string_equal(text, "[1]");
	free(text);

	f = fopen("/dev/full", "w");
	assert_non_null(f);
	setvbuf(f, NULL, _IONBF, 0);
	out_json_to_file(&j, f, 0);
	out_json_array(&j);
	out_json_array_end(&j);
	assert_false(out_json_done(&j));
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_and_arrays),
		cmocka_unit_test(pretty_and_lines),
		cmocka_unit_test(texts),
		cmocka_unit_test(doubles),
		cmocka_unit_test(fixed),
		cmocka_unit_test(errors_stick),
		cmocka_unit_test(every_allocation_fails),
		cmocka_unit_test(files),
	};
	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}

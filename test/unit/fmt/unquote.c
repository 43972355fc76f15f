/* Quoted texts read back: what is written is read, and what is no quoted text is refused.  (That the writing is as Go's
 * is tested with Go's own answers in test/unit/fmt/quote.c.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "fmt/quote.h"

static void reads_what_it_writes(void **state)
{
	(void)state;
	srand(7);
	for (int round = 0; round < 20000; round++) {
		char text[40];
		size_t n = (size_t)rand() % sizeof(text);
		for (size_t i = 0; i < n; i++)
			text[i] = (char)(rand() % 3 ? rand() : "\"\\\xf0\x9f\xed\xa0\xef\xbf\xbd"[rand() % 9]);
		wb_buf q = { 0 }, back = { 0 };
		wf_quote(&q, text, n);
		assert_int_equal(wf_unquote(&back, q.at, q.n), q.n);
		assert_int_equal(back.n, n);
		assert_memory_equal(back.at, text, n);
		wb_buf_free(&q);
		wb_buf_free(&back);
	}
}

static void quotes_in_pieces(void **state)
{
	(void)state;
	static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xff\n\"z";
	wb_buf whole = { 0 };
	wf_quote(&whole, text, sizeof(text));
	for (size_t piece = 4; piece <= sizeof(text); piece++) {
		wb_buf b = { 0 };
		wb_buf_putc(&b, '"');
		for (size_t i = 0; i < sizeof(text);) {
			size_t used = wf_quote_some(&b, text + i, sizeof(text) - i, piece);
			assert_in_range(used, 1, piece);
			i += used;
		}
		wb_buf_putc(&b, '"');
		assert_int_equal(b.n, whole.n);
		assert_memory_equal(b.at, whole.at, whole.n);
		wb_buf_free(&b);
	}
	wb_buf_free(&whole);
}

static void reads_every_escape(void **state)
{
	(void)state;
	static const char text[] = "\"\\a\\b\\f\\n\\r\\t\\v\\\\\\\"\\x41\\101\\u00e9\\U0001f600\" rest";
	wb_buf b = { 0 };
	assert_int_equal(wf_unquote(&b, text, strlen(text)), strlen(text) - 5);
	assert_string_equal(wb_buf_cstr(&b), "\a\b\f\n\r\t\v\\\"AA\xc3\xa9\xf0\x9f\x98\x80");
	wb_buf_free(&b);
}

static void refuses_what_is_no_text(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "a", "\"", "\"a", "\"\\", "\"\\\"", "\"\\q\"", "\"\\x4\"", "\"\\x4g\"",
		"\"\\400\"", "\"\\08\"", "\"\\ud800\"", "\"\\U00110000\"", "\"\\uffg0\"", "\"a\nb\"" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		wb_buf b = { 0 };
		assert_int_equal(wf_unquote(&b, bad[i], strlen(bad[i])), 0);
		wb_buf_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_it_writes),
		cmocka_unit_test(quotes_in_pieces),
		cmocka_unit_test(reads_every_escape),
		cmocka_unit_test(refuses_what_is_no_text),
	};
	return cmocka_run_group_tests_name("fmt/unquote", tests, NULL, NULL);
}

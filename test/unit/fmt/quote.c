/* Quoting against what Go makes of the same texts (goquote.def). */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "fmt/quote.h"

typedef struct vector { const char *text, *quoted; } vector;

static const vector quotes[] = {
#define QUOTE(text, quoted) { text, quoted },
#define PRINTABLE(n, hash)
#define WALL(ns, text)
#include "goquote.def"
};

static size_t unhex(const char *hex, char *ret)
{
	size_t n = strlen(hex) / 2;
	for (size_t i = 0; i < n; i++) {
		int v[2];
		for (size_t k = 0; k < 2; k++)
			v[k] = (int)(strchr("0123456789abcdef", hex[2 * i + k]) - "0123456789abcdef");
		ret[i] = (char)(v[0] << 4 | v[1]);
	}
	return n;
}

static void quotes_as_go(void **state)
{
	(void)state;
	size_t n_vectors = sizeof(quotes) / sizeof(*quotes);
	assert_true(n_vectors > 500);
	for (size_t i = 0; i < n_vectors; i++) {
		char text[256], quoted[2048];
		size_t n = unhex(quotes[i].text, text), want = unhex(quotes[i].quoted, quoted);
		wb_buf b = { 0 };
		wf_quote(&b, text, n);
		quoted[want] = 0;
		assert_string_equal(wb_buf_cstr(&b), quoted);
		assert_int_equal(b.n, want);
		wb_buf_free(&b);
	}
}

static void knows_what_is_printable(void **state)
{
	(void)state;
	unsigned n = 0;
	uint64_t hash = 14695981039346656037u;
	for (uint32_t r = 0; r <= 0x10ffff; r++) {
		bool yes = wf_printable(r);
		n += yes;
		hash = (hash ^ yes) * 1099511628211u;
	}
#define QUOTE(text, quoted)
#define PRINTABLE(count, digest) assert_int_equal(n, count); assert_true(hash == digest);
#define WALL(ns, text)
#include "goquote.def"
	assert_false(wf_printable(UINT32_MAX));
}

/* Pieces of any size give the same text, and never cut a character. */
static void pieces_join(void **state)
{
	(void)state;
	const char text[] = "plain \xff, \xe6\x97\xa5\xe6\x9c\xac \"q\" \xf0\x9f\x98\x80 \xe2\x82 end";
	wb_buf whole = { 0 };
	wf_quote_some(&whole, text, sizeof(text), sizeof(text));
	for (size_t most = 4; most < sizeof(text) + 2; most++) {
		wb_buf b = { 0 };
		for (size_t i = 0; i < sizeof(text);) {
			size_t used = wf_quote_some(&b, text + i, sizeof(text) - i, most);
			assert_true(used > 0 && used <= most);
			i += used;
		}
		assert_int_equal(b.n, whole.n);
		assert_memory_equal(b.at, whole.at, b.n);
		wb_buf_free(&b);
	}
	wb_buf_free(&whole);
}

static void out_of_memory_sticks(void **state)
{
	(void)state;
	wb_fault_arm(1, true);
	wb_buf b = { 0 };
	wf_quote(&b, "a\xff\"", 3);
	wb_fault_arm(0, false);
	assert_true(b.failed);
	assert_int_equal(b.n, 0);
	wb_buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quotes_as_go),
		cmocka_unit_test(knows_what_is_printable),
		cmocka_unit_test(pieces_join),
		cmocka_unit_test(out_of_memory_sticks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

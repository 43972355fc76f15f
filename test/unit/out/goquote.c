/* Quoting and times against what Go makes of the same texts and times (goquote.def). */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "out/goquote.h"

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
		out_goquote(&b, text, n);
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
		bool yes = out_go_printable(r);
		n += yes;
		hash = (hash ^ yes) * 1099511628211u;
	}
#define QUOTE(text, quoted)
#define PRINTABLE(count, digest) assert_int_equal(n, count); assert_true(hash == digest);
#define WALL(ns, text)
#include "goquote.def"
	assert_false(out_go_printable(UINT32_MAX));
}

static void prints_times_as_go(void **state)
{
	(void)state;
	unsigned n = 0;
#define QUOTE(text, quoted)
#define PRINTABLE(count, digest)
#define WALL(ns, text) { wb_buf b = { 0 }; out_rfc3339(&b, ns); assert_string_equal(wb_buf_cstr(&b), text); wb_buf_free(&b); n++; }
#include "goquote.def"
	assert_int_equal(n, 16);
}

static void out_of_memory_sticks(void **state)
{
	(void)state;
	wb_fault_arm(1, true);
	wb_buf b = { 0 };
	out_goquote(&b, "a\xff\"", 3);
	out_rfc3339(&b, 1);
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
		cmocka_unit_test(prints_times_as_go),
		cmocka_unit_test(out_of_memory_sticks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

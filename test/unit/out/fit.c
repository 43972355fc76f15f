/* Texts in fewer columns than they take: the end stays, and what tells them apart. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "out/fit.h"
#include "out/units.h"

enum { TEXTS_MAX = 4 };

static void what_is_left(void **state)
{
	(void)state;
	static const struct {
		const char *texts[TEXTS_MAX];
		size_t width;
		const char *left[TEXTS_MAX];
	} rows[] = {
		{ { "main.main" }, 9, { "main.main" } },
		{ { "main.main" }, 8, { "…in.main" } },
		{ { "net/http.(*conn).serve", "main.f" }, 10, { "…nn).serve", "main.f" } },
		/* the same end: where they differ stays */
		{ { "blue/http.(*conn).serve", "red/http.(*conn).serve" }, 18,
			{ "blue/htt…nn).serve", "red/htt…onn).serve" } },
		{ { "a.b.c.long.name", "x.a.b.c.long.name" }, 10, { "…long.name", "x.a.….name" } },
		/* the same text twice is no other text */
		{ { "net/http.(*conn).serve", "net/http.(*conn).serve" }, 10, { "…nn).serve", "…nn).serve" } },
		/* a short first word stays, and tells them apart */
		{ { "G17 net/http.(*conn).serve", "G4 net/http.(*conn).serve" }, 14,
			{ "G17 …nn).serve", "G4 …onn).serve" } },
		/* wide characters take two columns, none is cut in two */
		{ { "任务/処理/一覧" }, 8, { "…理/一覧" } },
		{ { "日本語" }, 6, { "日本語" } },
		{ { "日本語" }, 5, { "…本語" } },
		{ { "e\xcc\x81tat" }, 4, { "e\xcc\x81tat" } },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		out_fitted t[TEXTS_MAX];
		size_t n = 0;
		for (; n < TEXTS_MAX && rows[i].texts[n]; n++)
			t[n] = (out_fitted){ rows[i].texts[n], strlen(rows[i].texts[n]), 0 };
		assert_true(out_fit_compare(t, n));
		for (size_t k = 0; k < n; k++) {
			wb_buf b = { 0 };
			out_fit(&b, &t[k], rows[i].width);
			assert_string_equal(wb_buf_cstr(&b), rows[i].left[k]);
			wb_buf_free(&b);
		}
	}
}

/* Of names that differ anywhere: never too wide, never cut inside a character, never alike. */
static void at_every_width(void **state)
{
	(void)state;
	enum { N = 64 };
	char names[N][120];
	out_fitted t[N];
	for (unsigned i = 0; i < N; i++) {
		memset(names[i], 'a' + (char)(i % 3), sizeof(names[i]));
		memset(names[i] + i, 'z', 40);
		memcpy(names[i] + 100, "…).serveHTTP[é]", strlen("…).serveHTTP[é]"));
		t[i] = (out_fitted){ names[i], 100 + strlen("…).serveHTTP[é]") - i % 2 * 2, 0 };
	}
	assert_true(out_fit_compare(t, N));
	for (size_t width = 4; width < 120; width++) {
		for (unsigned i = 0; i < N; i++) {
			wb_buf b = { 0 };
			out_fit(&b, &t[i], width);
			assert_true(out_width(b.at, b.n) <= width);
			assert_true(((unsigned char)b.at[0] & 0xc0) != 0x80);
			wb_buf_free(&b);
		}
	}
}

static void widths(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t width;
	} rows[] = { { "", 0 }, { "abc", 3 }, { "12.3µs", 6 }, { "…", 1 }, { "語", 2 }, { "한글", 4 }, { "🙂", 2 },
		{ "e\xcc\x81", 1 }, { "\xff\xff", 2 }, { "\xe8", 1 } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(out_width(rows[i].text, strlen(rows[i].text)), rows[i].width);
}

static void no_memory(void **state)
{
	(void)state;
	out_fitted t[2] = { { "ab", 2, 7 }, { "b", 1, 7 } };
	wb_fault_arm(1, false);
	bool ok = out_fit_compare(t, 2);
	wb_fault_arm(0, false);
	assert_false(ok);
	assert_true(t[0].same == 0 && t[1].same == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_is_left), cmocka_unit_test(at_every_width),
		cmocka_unit_test(widths), cmocka_unit_test(no_memory) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

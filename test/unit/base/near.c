/* What base/near.h promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/near.h"

/* The nearest of a few words. */
static const char *nearest(const char *word)
{
	static const char *const words[] = { "summary", "events", "g_states", "dur_ns", "time_ns", "p", "ends" };
	static wb_near w;
	w = (wb_near){ .word = word, .n = strlen(word) };
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		wb_near_try(&w, words[i]);
	return w.best;
}

static void what_is_wrong_by_little_is_found(void **state)
{
	(void)state;
	assert_string_equal(nearest("sumary"), "summary");
	assert_string_equal(nearest("summmary"), "summary");
	assert_string_equal(nearest("summray"), "summary");
	assert_string_equal(nearest("SUMMARY"), "summary");
	assert_string_equal(nearest("xummary"), "summary");
	assert_string_equal(nearest("g_state"), "g_states");
	assert_string_equal(nearest("dur"), "dur_ns");
	assert_string_equal(nearest("end"), "ends");
	assert_string_equal(nearest("event"), "events");
}

static void what_is_not_is_not(void **state)
{
	(void)state;
	assert_string_equal(nearest(""), "");
	assert_string_equal(nearest("q"), "");
	assert_string_equal(nearest("profile"), "");
	assert_string_equal(nearest("t"), "");
	assert_string_equal(nearest("sxmxaxy"), "");
}

static void words_of_any_length(void **state)
{
	(void)state;
	char word[WB_NEAR_LETTERS + 2], other[WB_NEAR_LETTERS + 2];
	memset(word, 'a', sizeof(word) - 1);
	word[sizeof(word) - 1] = 0;
	memcpy(other, word, sizeof(word));
	wb_near w = { .word = word, .n = WB_NEAR_LETTERS };
	wb_near_try(&w, other); /* longer than any */
	assert_string_equal(w.best, "");
	other[WB_NEAR_LETTERS] = 0;
	wb_near_try(&w, other);
	assert_string_equal(w.best, other);
	w = (wb_near){ .word = word, .n = WB_NEAR_LETTERS + 1 };
	wb_near_try(&w, other);
	assert_string_equal(w.best, "");
}

static bool has(const char *text, const char *part)
{
	return wb_has_part(text, strlen(text), part, strlen(part));
}

static void parts_in_any_case(void **state)
{
	(void)state;
	assert_true(has("net/http.(*Server).Serve", "server"));
	assert_true(has("main", "MAIN"));
	assert_true(has("aab", "ab"));
	assert_true(has("", "") && has("a", ""));
	assert_false(has("main", "mainly"));
	assert_false(has("", "a"));
	assert_false(has("[", "{")); /* as far from each other as a letter from its capital */
	assert_false(wb_has_part("main.work", 4, "work", 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wrong_by_little_is_found),
		cmocka_unit_test(what_is_not_is_not),
		cmocka_unit_test(words_of_any_length),
		cmocka_unit_test(parts_in_any_case),
	};
	return cmocka_run_group_tests_name("base/near", tests, NULL, NULL);
}

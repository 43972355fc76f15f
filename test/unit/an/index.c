/* Asking an index: names, rows, columns; and all of it when it is empty. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "play.h"

static void every_table_describes_itself(void **state)
{
	(void)state;
	play y;
	play_open(&y, WTR_PART_EVENTS);
	play_finish(&y);
	size_t columns = 0;
	for (unsigned t = 0; t < WTR_TABLE_COUNT; t++) {
		const char *doc = NULL, *name = wtr_table_name(t, &doc);
		assert_non_null(name);
		assert_non_null(doc);
		assert_int_equal(wtr_table_rows(y.x, (wtr_table)t), 0);
		assert_null(wtr_table_data(y.x, (wtr_table)t));
		wtr_column c[32];
		size_t n = wtr_columns(y.x, (wtr_table)t, c, 32);
		assert_in_range(n, 1, 32);
		assert_int_equal(wtr_columns(y.x, (wtr_table)t, NULL, 0), n);
		for (size_t i = 0; i < n; i++) {
			assert_null(c[i].first);
			assert_true(strlen(c[i].name) > 0);
		}
		columns += n;
	}
	static const size_t written = 0
#define TABLE(ID, name, part, doc)
#define COL(type, name, unit, doc) + 1
#define END(ID, name)
#include <wtr/tables.def>
		;
	assert_int_equal(columns, written);
	assert_null(wtr_table_name(WTR_TABLE_COUNT, NULL));
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_COUNT), 0);
	assert_int_equal(wtr_columns(y.x, WTR_TABLE_COUNT, NULL, 0), 0);
	play_close(&y);
}

static int64_t integer(const wtr_column *c, size_t i)
{
	const char *at = (const char *)c->first + i * c->stride_bytes;
	switch (c->type) {
	case WTR_COL_I64:
	case WTR_COL_U64:
		return *(const int64_t *)(const void *)at;
	case WTR_COL_U32:
		return *(const uint32_t *)(const void *)at;
	case WTR_COL_U8:
		return *(const uint8_t *)at;
	default:
		return -1;
	}
}

static void columns_are_views(void **state)
{
	(void)state;
	play y;
	play_open(&y, WTR_PART_GOROUTINES);
	play_event(&y, play_sync(1));
	for (int64_t id = 10; id > 7; id--) {
		y.g = id + 100;
		play_event(&y, play_go(&y, id, WTR_G_NOTEXIST, WTR_G_RUNNABLE, ""));
	}
	play_finish(&y);
	wtr_column c[32];
	size_t n = wtr_columns(y.x, WTR_TABLE_GOROUTINES, c, 32), seen = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < 3; k++) {
			if (strcmp(c[i].name, "id") == 0)
				seen += integer(&c[i], k) == (int64_t)(8 + k);
			if (strcmp(c[i].name, "creator") == 0)
				seen += integer(&c[i], k) == (int64_t)(108 + k);
			if (strcmp(c[i].name, "final_state") == 0)
				seen += integer(&c[i], k) == WTR_G_RUNNABLE;
		}
	assert_int_equal(seen, 9);
	assert_int_equal(wtr_goroutine(y.x, 9)->id, 9);
	assert_null(wtr_goroutine(y.x, 11));
	assert_null(wtr_goroutine(y.x, WTR_NONE));
	play_close(&y);
}

static void class_names(void **state)
{
	(void)state;
	assert_string_equal(wtr_class_name(WTR_CLASS_RUNNING), "running");
	assert_string_equal(wtr_class_name(WTR_CLASS_GC), "gc");
	assert_string_equal(wtr_class_name(WTR_CLASS_COUNT), "bad");
	wtr_index_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_table_describes_itself),
		cmocka_unit_test(columns_are_views), cmocka_unit_test(class_names) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

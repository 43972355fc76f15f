/* The pass: any number of threads gives the same index; memory that runs out, and being told to stop, leave nothing
 * behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "play.h"

static wtr_trace *open_trace(const char *name, const wtr_options *opt)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/%s.trace", getenv("WEFT_TEST_DATA"), name);
	wtr_trace *t = NULL;
	wtr_error err = { 0 };
	if (wtr_open(path, opt, &t, &err) != WTR_OK)
		fail_msg("%s: %s", path, err.what);
	return t;
}

static uint64_t mix(uint64_t h, const void *at, size_t n)
{
	const uint8_t *p = at;
	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return h;
}

/* A number over all that the tables of a part say. */
static uint64_t digest(const wtr_index *x, unsigned part)
{
	static const unsigned part_of[] = {
#define TABLE(ID, name, part, doc) WTR_PART_##part,
#define COL(type, name, unit, doc)
#define END(ID, name)
#include <wtr/tables.def>
	};
	static const size_t width[] = { [WTR_COL_I64] = 8, [WTR_COL_U64] = 8, [WTR_COL_U32] = 4, [WTR_COL_U8] = 1 };
	uint64_t h = 0xcbf29ce484222325u;
	for (unsigned t = 0; t < WTR_TABLE_COUNT; t++) {
		if (part_of[t] != part)
			continue;
		wtr_column c[32];
		size_t n = wtr_columns(x, (wtr_table)t, c, 32), rows = wtr_table_rows(x, (wtr_table)t);
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k < rows; k++) {
				const char *at = (const char *)c[i].first + k * c[i].stride_bytes;
				const wtr_str *s = (const void *)at;
				h = c[i].type == WTR_COL_STR ? mix(h, s->at, s->n) : mix(h, at, width[c[i].type]);
			}
	}
	return h;
}

/* Nor do the other parts: without events, the strings and stacks of passed generations are let go on the way. */
static void threads_and_parts_do_not_matter(void **state)
{
	(void)state;
	static const char *const names[] = { "go1.26-timers-gens", "go1.22-crash-kill", "go1.27-longrun-cut70",
		"go1.21-annotate", "go1.25-allocs" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint64_t first[WTR_PART_EVENTS + 1] = { 0 };
		for (unsigned parts = WTR_PART_TOTALS; parts <= WTR_PART_ALL; parts = parts << 1 | 1)
			for (int threads = 0; threads <= 4; threads++) {
				wtr_trace *t = open_trace(names[i], &(wtr_options){ .threads = threads });
				wtr_index *x = NULL;
				assert_int_equal(wtr_index_build(t, parts, &x, NULL), WTR_OK);
				for (unsigned part = WTR_PART_TOTALS; part <= WTR_PART_EVENTS; part <<= 1) {
					uint64_t h = digest(x, part);
					if (!(parts & part))
						continue;
					if (first[part] == 0)
						first[part] = h;
					assert_true(h == first[part]);
				}
				wtr_index_free(x);
				wtr_close(t);
			}
	}
}

/* Why reading ended is part of the answer. */
static void damage_is_no_error(void **state)
{
	(void)state;
	wtr_trace *t = open_trace("go1.23-httpload-bad3", NULL);
	wtr_index *x = NULL;
	assert_int_equal(wtr_index_build(t, WTR_PART_GOROUTINES, &x, NULL), WTR_OK);
	wtr_totals totals;
	wtr_get_totals(x, &totals);
	assert_int_equal(totals.end.code, WTR_E_ORDER);
	assert_string_equal(totals.end.rule, "order.stuck");
	assert_true(totals.valid_events < totals.events);
	assert_true(totals.events > 1000);
	wtr_index_free(x);
	wtr_close(t);
}

/* Stack ids of an index with events stay good as long as the trace is open. */
static void stacks_stay(void **state)
{
	(void)state;
	wtr_trace *t = open_trace("go1.26-longrun", NULL);
	wtr_index *x = NULL;
	assert_int_equal(wtr_index_build(t, WTR_PART_EVENTS, &x, NULL), WTR_OK);
	const wtr_goroutine_row *g = wtr_table_data(x, WTR_TABLE_GOROUTINES);
	size_t named = 0;
	for (size_t i = 0; i < wtr_table_rows(x, WTR_TABLE_GOROUTINES); i++) {
		wtr_frame f[128];
		size_t n = wtr_stack(t, g[i].entry_stack, f, 128);
		if (g[i].name.n == 0)
			continue;
		assert_true(n > 0);
		assert_int_equal(f[n - 1].func.n, g[i].name.n);
		assert_memory_equal(f[n - 1].func.at, g[i].name.at, g[i].name.n);
		named++;
	}
	assert_true(named > 10);
	wtr_index_free(x);
	wtr_close(t);
}

/* The nth allocation fails, alone or with all behind it. */
static void fail_allocations(const char *name, int threads, bool sticky)
{
	wtr_trace *t = open_trace(name, &(wtr_options){ .threads = threads });
	unsigned refused = 0;
	for (uint64_t nth = 1, done = 0; !done; nth += nth < 300 ? 1 : 37) {
		wtr_index *x = NULL;
		wtr_error err = { 0 };
		uint64_t asked = wb_fault_count();
		wb_fault_arm(nth, sticky);
		wtr_code rc = wtr_index_build(t, WTR_PART_ALL, &x, &err);
		wb_fault_arm(0, false);
		done = wb_fault_count() - asked < nth;
		if (rc == WTR_E_NOMEM) {
			assert_null(x);
			assert_int_equal(err.code, WTR_E_NOMEM);
			refused++;
		} else {
			assert_int_equal(rc, WTR_OK); /* done without what it asked for */
		}
		wtr_index_free(x);
	}
	assert_true(refused > 50);
	wtr_close(t);
}

static void every_allocation_may_fail(void **state)
{
	(void)state;
	static const char *const names[] = { "go1.26-annotate", "go1.21-annotate" };
	for (size_t i = 0; i < 2; i++)
		for (int threads = 1; threads <= 3; threads += 2) {
			fail_allocations(names[i], threads, true);
			fail_allocations(names[i], threads, false);
		}
}

static bool say_stop(void *user, const char *doing, uint64_t done, uint64_t total)
{
	(void)doing;
	assert_true(done <= total);
	atomic_fetch_add((atomic_int *)user, 1);
	return false;
}

static void stops_when_told(void **state)
{
	(void)state;
	for (int threads = 1; threads <= 3; threads++) {
		atomic_int calls = 0;
		wtr_trace *t = open_trace("go1.26-longrun",
			&(wtr_options){ .threads = threads, .progress = say_stop, .progress_user = &calls });
		wtr_index *x = NULL;
		wtr_error err = { 0 };
		assert_int_equal(wtr_index_build(t, WTR_PART_GOROUTINES, &x, &err), WTR_E_IO);
		assert_int_equal(err.code, WTR_E_IO);
		assert_null(x);
		assert_true(calls > 0);
		wtr_close(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_and_parts_do_not_matter),
		cmocka_unit_test(damage_is_no_error),
		cmocka_unit_test(stacks_stay),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(stops_when_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

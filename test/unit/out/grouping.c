/* Groups of goroutines: nothing is lost or counted twice, and by start function they are the groups table. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "out/grouping.h"

typedef struct opened {
	wtr_trace *t;
	wtr_index *x;
} opened;

static opened open_trace(const char *name)
{
	char path[1000];
	opened o = { 0 };
	const char *folder = getenv("WEFT_TEST_DATA");
	assert_non_null(folder);
	snprintf(path, sizeof(path), "%s/%s.trace", folder, name);
	assert_int_equal(wtr_open(path, &(wtr_options){ .keep_tables = true }, &o.t, NULL), WTR_OK);
	assert_int_equal(wtr_index_build(o.t, WTR_PART_TOTALS | WTR_PART_GOROUTINES, &o.x, NULL), WTR_OK);
	return o;
}

static void close_trace(opened *o)
{
	wtr_index_free(o->x);
	wtr_close(o->t);
}

static const char *const traces[] = { "go1.19-httpload", "go1.22-chans", "go1.26-httpload", "go1.27-gcheavy" };

static bool same_name(wtr_str a, wtr_str b)
{
	return a.n == b.n && memcmp(a.at, b.at, a.n) == 0;
}

static void sums_are_kept(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(traces) / sizeof(*traces); i++) {
		opened o = open_trace(traces[i]);
		const wtr_goroutine_row *g = wtr_table_data(o.x, WTR_TABLE_GOROUTINES);
		size_t n = wtr_table_rows(o.x, WTR_TABLE_GOROUTINES);
		int64_t exec = 0, total = 0;
		for (size_t k = 0; k < n; k++) {
			exec += g[k].exec_ns;
			total += g[k].total_ns;
		}
		for (unsigned by = OUT_BY_START; by <= OUT_BY_STATE; by++) {
			wb_arena a = { 0 };
			out_group *rows;
			size_t groups = out_group_goroutines(o.t, o.x, NULL, by, &a, &rows);
			uint64_t members = 0;
			int64_t exec2 = 0, total2 = 0;
			assert_true(groups > 1);
			for (size_t k = 0; k < groups; k++) {
				members += rows[k].n;
				exec2 += rows[k].exec_ns;
				total2 += rows[k].total_ns;
				for (size_t other = 0; other < k; other++)
					assert_false(same_name(rows[k].name, rows[other].name));
			}
			assert_int_equal(members, n);
			assert_int_equal(exec2, exec);
			assert_int_equal(total2, total);
			wb_arena_free(&a);
		}
		close_trace(&o);
	}
}

static void by_start_is_the_groups_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(traces) / sizeof(*traces); i++) {
		opened o = open_trace(traces[i]);
		const wtr_group_row *want = wtr_table_data(o.x, WTR_TABLE_GROUPS);
		wb_arena a = { 0 };
		out_group *rows;
		size_t n = out_group_goroutines(o.t, o.x, NULL, OUT_BY_START, &a, &rows);
		assert_int_equal(n, wtr_table_rows(o.x, WTR_TABLE_GROUPS));
		for (size_t k = 0; k < n; k++) {
			size_t at = 0;
			while (at < n && !same_name(rows[at].name, want[k].name))
				at++;
			assert_true(at < n);
			assert_int_equal(rows[at].n, want[k].n);
			assert_int_equal(rows[at].exec_ns, want[k].exec_ns);
			assert_int_equal(rows[at].sched_ns, want[k].sched_ns);
			assert_int_equal(rows[at].block_ns, want[k].block_ns);
			assert_int_equal(rows[at].syscall_ns, want[k].syscall_ns);
			assert_int_equal(rows[at].syscall_block_ns, want[k].syscall_block_ns);
			assert_int_equal(rows[at].total_ns, want[k].total_ns);
			assert_int_equal(rows[at].unknown_ns, want[k].unknown_ns);
		}
		wb_arena_free(&a);
		close_trace(&o);
	}
}

static void survives_each_failed_allocation(void **state)
{
	(void)state;
	opened o = open_trace("go1.26-hello");
	unsigned failed = 0;
	for (uint64_t nth = 1; nth < 12; nth++) {
		wb_arena a = { 0 };
		out_group *rows = NULL;
		wb_fault_arm(nth, false);
		size_t n = out_group_goroutines(o.t, o.x, NULL, OUT_BY_CREATOR, &a, &rows);
		wb_fault_arm(0, false);
		assert_true(n == 0 ? a.failed && !rows : !a.failed);
		failed += n == 0;
		wb_arena_free(&a);
	}
	assert_true(failed > 1 && failed < 11);
	close_trace(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_are_kept),
		cmocka_unit_test(by_start_is_the_groups_table),
		cmocka_unit_test(survives_each_failed_allocation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

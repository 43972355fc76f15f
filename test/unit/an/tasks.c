/* Tasks and logs. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "play.h"
#include "read/trace.h"

#define assert_text(s, text) assert_true((s).n == strlen(text) && memcmp((s).at, text, (s).n) == 0)
static const uint64_t no_task = (uint64_t)WTR_NONE;

static void by_id_with_family(void **state)
{
	(void)state;
	play y;
	play_open(&y, WTR_PART_EVENTS);
	play_at(&y, 1000, play_sync(1));
	y.g = 5;
	wtr_event e = play_task(&y, WTR_KIND_TASK_BEGIN, 20, 10, "child");
	e.stack = y.main_stack;
	play_at(&y, 1010, e);
	play_at(&y, 1020, play_task(&y, WTR_KIND_TASK_BEGIN, 10, no_task, "root"));
	y.g = 6;
	play_at(&y, 1030, play_log(&y, 20, "cat", "a message"));
	play_at(&y, 1031, play_log(&y, 20, "cat", "another"));
	y.g = 5;
	play_at(&y, 1032, play_log(&y, 20, "", ""));
	play_at(&y, 1040, play_task(&y, WTR_KIND_TASK_END, 20, 10, "child"));
	play_finish(&y);
	PLAY_ROWS(&y, TASKS, task);
	PLAY_ROWS(&y, TASK_GOROUTINES, task_goroutine);
	PLAY_ROWS(&y, LOGS, log);
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_TASKS), 2);
	assert_int_equal(task[0].id, 10);
	assert_text(task[0].name, "root");
	assert_int_equal(task[0].parent, UINT32_MAX);
	assert_int_equal(task[0].n_children, 1);
	assert_int_equal(task[0].end_ns, WTR_NEVER);
	assert_int_equal(task[1].id, 20);
	assert_int_equal(task[1].parent, 0);
	assert_int_equal(task[1].start_ns, 1010);
	assert_int_equal(task[1].end_ns, 1040);
	assert_int_equal(task[1].start_stack, y.main_stack);
	assert_int_equal(task[1].n_logs, 3);
	assert_int_equal(task[1].n_goroutines, 2);
	assert_int_equal(task_goroutine[task[1].first_goroutine].g, 5);
	assert_int_equal(task_goroutine[task[1].first_goroutine + 1].g, 6);
	assert_int_equal(task[0].n_goroutines, 1);
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_TASK_GOROUTINES), 3);
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_LOGS), 3);
	assert_int_equal(log[0].g, 6);
	assert_text(log[0].category, "cat");
	assert_text(log[0].message, "a message");
	assert_int_equal(log[2].message.n, 0);
	play_close(&y);
}

/* Counts are there without the tables. */
static void counted_without_rows(void **state)
{
	(void)state;
	play y;
	play_open(&y, WTR_PART_GOROUTINES);
	play_at(&y, 1010, play_task(&y, WTR_KIND_TASK_BEGIN, 1, no_task, "a"));
	play_at(&y, 1011, play_log(&y, 7, "", ""));
	play_finish(&y);
	wtr_totals t;
	wtr_get_totals(y.x, &t);
	assert_int_equal(t.tasks, 2);
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_TASKS), 0);
	assert_null(wtr_table_data(y.x, WTR_TABLE_TASKS));
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_LOGS), 0);
	play_close(&y);
}

/* v1: the end of a root task comes with parent 0, which there means none (docs/analyses.md). */
static void v1_root_has_no_parent(void **state)
{
	(void)state;
	for (unsigned v1 = 0; v1 < 2; v1++) {
		play y;
		play_open(&y, WTR_PART_EVENTS);
		y.sink->free(y.sink);
		y.trace->info.version = v1 ? 21 : 26;
		y.sink = an_summary_sink(y.trace, WTR_PART_EVENTS, NULL);
		play_at(&y, 1010, play_task(&y, WTR_KIND_TASK_END, 3, 0, "t"));
		play_finish(&y);
		PLAY_ROWS(&y, TASKS, task);
		assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_TASKS), v1 ? 1 : 2);
		assert_int_equal(task[v1 ? 0 : 1].id, 3);
		assert_int_equal(task[v1 ? 0 : 1].parent, v1 ? UINT32_MAX : 0);
		play_close(&y);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_id_with_family),
		cmocka_unit_test(counted_without_rows),
		cmocka_unit_test(v1_root_has_no_parent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Regions: the goroutine's times between begin and end; what is left open, inherited, or ends what never began. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "play.h"

#define assert_text(s, text) assert_true((s).n == strlen(text) && memcmp((s).at, text, (s).n) == 0)

static void go(play *y, int64_t at, int64_t id, wtr_gstate from, wtr_gstate to, const char *reason)
{
	play_at(y, at, play_go(y, id, from, to, reason));
}

static void named(play *y, int64_t at, int64_t id, uint32_t stack)
{
	wtr_event e = play_go(y, id, WTR_G_NOTEXIST, WTR_G_RUNNING, "");
	e.transition_stack = stack;
	play_at(y, at, e);
}

static void begin(play *y, int64_t at, uint64_t task, const char *name)
{
	play_at(y, at, play_region(y, WTR_KIND_REGION_BEGIN, task, name));
}
static void end(play *y, int64_t at, uint64_t task, const char *name)
{
	play_at(y, at, play_region(y, WTR_KIND_REGION_END, task, name));
}

static void times_within(void **state)
{
	(void)state;
	play y;
	play_open(&y, WTR_PART_EVENTS);
	play_at(&y, 1000, play_sync(1));
	named(&y, 1010, 5, y.work_stack);
	go(&y, 1020, 5, WTR_G_RUNNING, WTR_G_WAITING, "select");
	go(&y, 1023, 5, WTR_G_WAITING, WTR_G_RUNNING, "");
	y.g = 5;
	begin(&y, 1030, 2, "outer");
	go(&y, 1035, 5, WTR_G_RUNNING, WTR_G_WAITING, "select");
	go(&y, 1045, 5, WTR_G_WAITING, WTR_G_RUNNABLE, "");
	go(&y, 1046, 5, WTR_G_RUNNABLE, WTR_G_RUNNING, "");
	begin(&y, 1050, 2, "inner");
	end(&y, 1052, 2, "inner");
	go(&y, 1060, 5, WTR_G_RUNNING, WTR_G_SYSCALL, "");
	go(&y, 1061, 5, WTR_G_SYSCALL, WTR_G_RUNNING, "");
	end(&y, 1070, 2, "outer");
	play_finish(&y);
	PLAY_ROWS(&y, REGIONS, region);
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_REGIONS), 2);
	const wtr_region_row *r = &region[0];
	assert_text(r->name, "outer");
	assert_int_equal(r->g, 5);
	assert_int_equal(r->task, 2);
	assert_int_equal(r->start_ns, 1030);
	assert_int_equal(r->end_ns, 1070);
	assert_int_equal(r->total_ns, 40);
	assert_int_equal(r->exec_ns, 5 + 14 + 9);
	assert_int_equal(r->sched_ns, 1);
	assert_int_equal(r->syscall_ns, 1);
	assert_int_equal(play_region_waited(&y, r, "select"), 10); /* not the wait before it */
	assert_int_equal(region[1].total_ns, 2);
	assert_int_equal(region[1].n_block, 0);
	assert_int_equal(wtr_goroutine(y.x, 5)->n_regions, 2);
	wtr_totals t;
	wtr_get_totals(y.x, &t);
	assert_int_equal(t.regions, 2);
	PLAY_ROWS(&y, TASKS, task);
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_TASKS), 1);
	assert_int_equal(task[0].n_regions, 2);
	play_close(&y);
}

/* An end without a begin counts since the goroutine's creation. */
static void end_without_begin(void **state)
{
	(void)state;
	play y;
	play_open(&y, WTR_PART_EVENTS);
	play_at(&y, 1000, play_sync(1));
	go(&y, 1010, 5, WTR_G_UNDETERMINED, WTR_G_RUNNING, "");
	y.g = 5;
	end(&y, 1030, 4, "early");
	play_finish(&y);
	PLAY_ROWS(&y, REGIONS, region);
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_REGIONS), 1);
	assert_int_equal(region[0].start_ns, WTR_NEVER);
	assert_int_equal(region[0].end_ns, 1030);
	assert_int_equal(region[0].total_ns, 30);
	assert_int_equal(region[0].exec_ns, 30);
	assert_text(region[0].name, "early");
	play_close(&y);
}

/* Left open: closed by the goroutine's end or the trace's; not for system goroutines. */
static void left_open(void **state)
{
	(void)state;
	play y;
	play_open(&y, WTR_PART_EVENTS);
	play_at(&y, 1000, play_sync(1));
	named(&y, 1010, 5, y.work_stack);
	named(&y, 1011, 6, y.work_stack);
	named(&y, 1012, 7, y.system_stack);
	for (y.g = 5; y.g <= 7; y.g++)
		begin(&y, 1020 + y.g, 1, "open");
	go(&y, 1050, 5, WTR_G_RUNNING, WTR_G_NOTEXIST, "");
	go(&y, 1051, 7, WTR_G_RUNNING, WTR_G_NOTEXIST, "");
	play_at(&y, 1100, play_sync(2));
	play_finish(&y);
	PLAY_ROWS(&y, REGIONS, region);
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_REGIONS), 2);
	assert_int_equal(region[0].g, 5);
	assert_int_equal(region[0].end_ns, 1050);
	assert_int_equal(region[0].total_ns, 25);
	assert_int_equal(region[1].g, 6);
	assert_int_equal(region[1].end_ns, WTR_NEVER);
	assert_int_equal(region[1].total_ns, 74);
	assert_int_equal(wtr_goroutine(y.x, 7)->n_regions, 0);
	PLAY_ROWS(&y, TASKS, task);
	assert_int_equal(task[0].n_regions, 3); /* begun */
	assert_int_equal(task[0].n_goroutines, 3);
	play_close(&y);
}

/* A goroutine created inside a region belongs to its task.  An end that nothing began on it does not end what it
 * inherited, as it does in Go (docs/analyses.md). */
static void inherited(void **state)
{
	(void)state;
	play y;
	play_open(&y, WTR_PART_EVENTS);
	play_at(&y, 1000, play_sync(1));
	named(&y, 1010, 5, y.main_stack);
	y.g = 5;
	begin(&y, 1020, 8, "work");
	named(&y, 1030, 6, y.work_stack);
	y.g = 6;
	end(&y, 1040, 9, "elsewhere");
	go(&y, 1050, 6, WTR_G_RUNNING, WTR_G_NOTEXIST, "");
	y.g = 5;
	end(&y, 1060, 8, "work");
	play_finish(&y);
	PLAY_ROWS(&y, REGIONS, region);
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_REGIONS), 3);
	assert_text(region[0].name, "work");
	assert_int_equal(region[0].end_ns, 1060);
	assert_text(region[1].name, "elsewhere");
	assert_int_equal(region[1].task, 9);
	assert_int_equal(region[1].start_ns, WTR_NEVER);
	assert_int_equal(region[1].end_ns, 1040);
	assert_int_equal(region[1].inherited, 0);
	assert_int_equal(region[2].name.n, 0);
	assert_int_equal(region[2].task, 8);
	assert_int_equal(region[2].inherited, 1);
	assert_int_equal(region[2].start_ns, 1030);
	assert_int_equal(region[2].end_ns, 1050);
	assert_int_equal(region[2].total_ns, 20);
	PLAY_ROWS(&y, TASKS, task);
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_TASKS), 2);
	assert_int_equal(task[0].n_regions, 1); /* the inherited one is none of the task's own */
	assert_int_equal(task[1].n_regions, 1);
	play_close(&y);
}

/* Regions of an earlier goroutine with the same id are gone with it. */
static void of_the_last_life(void **state)
{
	(void)state;
	play y;
	play_open(&y, WTR_PART_EVENTS);
	play_at(&y, 1000, play_sync(1));
	named(&y, 1010, 5, y.main_stack);
	y.g = 5;
	begin(&y, 1020, 8, "old");
	end(&y, 1021, 8, "old");
	go(&y, 1030, 5, WTR_G_RUNNING, WTR_G_NOTEXIST, "");
	y.g = WTR_NONE;
	named(&y, 1040, 5, y.main_stack);
	y.g = 5;
	begin(&y, 1050, 8, "new");
	end(&y, 1051, 8, "new");
	play_finish(&y);
	PLAY_ROWS(&y, REGIONS, region);
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_REGIONS), 1);
	assert_text(region[0].name, "new");
	play_close(&y);
}

/* Nested regions without waits between share what they remember; and a trace made to give each region a row per reason
 * gets one row for all of them. */
static void deep_nest_with_many_reasons(void **state)
{
	(void)state;
	enum { DEPTH = 3000 };
	play y;
	play_open(&y, WTR_PART_EVENTS);
	play_at(&y, 1000, play_sync(1));
	named(&y, 1010, 5, y.work_stack);
	y.g = 5;
	for (int i = 0; i < DEPTH; i++)
		play_event(&y, play_region(&y, WTR_KIND_REGION_BEGIN, 1, "r"));
	for (int i = 0; i < 60; i++) {
		char reason[16];
		snprintf(reason, sizeof(reason), "r%d", i);
		play_event(&y, play_go(&y, 5, WTR_G_RUNNING, WTR_G_WAITING, reason));
		play_event(&y, play_go(&y, 5, WTR_G_WAITING, WTR_G_RUNNING, ""));
	}
	play_finish(&y);
	PLAY_ROWS(&y, REGIONS, region);
	PLAY_ROWS(&y, REGION_BLOCK_TIMES, region_block_time);
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_REGIONS), DEPTH);
	size_t n = wtr_table_rows(y.x, WTR_TABLE_REGION_BLOCK_TIMES);
	assert_in_range(n, DEPTH, 21 * DEPTH + 4096 + 64);
	for (size_t i = 0; i < DEPTH; i++) {
		int64_t sum = 0;
		for (uint32_t k = 0; k < region[i].n_block; k++) {
			assert_int_equal(region_block_time[region[i].first_block + k].region, i);
			sum += region_block_time[region[i].first_block + k].ns;
		}
		assert_int_equal(sum, 60);
		assert_true(region[i].n_block == 60 || play_region_waited(&y, &region[i], "(other reasons)") == 60);
	}
	play_close(&y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_within),
		cmocka_unit_test(end_without_begin),
		cmocka_unit_test(left_open),
		cmocka_unit_test(inherited),
		cmocka_unit_test(of_the_last_life),
		cmocka_unit_test(deep_nest_with_many_reasons),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

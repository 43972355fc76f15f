/* Times of goroutines: by state, by reason, in system calls, in ranges; where Go is wrong, the right ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "play.h"

enum {
	UNDET = WTR_G_UNDETERMINED,
	NONE = WTR_G_NOTEXIST,
	RUNNABLE = WTR_G_RUNNABLE,
	RUNNING = WTR_G_RUNNING,
	WAITING = WTR_G_WAITING,
	SYSCALL = WTR_G_SYSCALL
};

static void go(play *y, int64_t at, int64_t id, int from, int to, const char *reason)
{
	play_at(y, at, play_go(y, id, (wtr_gstate)from, (wtr_gstate)to, reason));
}

static void idle(play *y, int64_t at, int64_t p) { play_at(y, at, play_proc(p, WTR_P_RUNNING, WTR_P_IDLE)); }
static void running(play *y, int64_t at, int64_t p) { play_at(y, at, play_proc(p, WTR_P_IDLE, WTR_P_RUNNING)); }

#define assert_text(s, text) assert_true((s).n == strlen(text) && memcmp((s).at, text, (s).n) == 0)

static void sums_each_state(void **state)
{
	(void)state;
	play y;
	play_open(&y, WTR_PART_GOROUTINES);
	play_at(&y, 1000, play_sync(1));
	y.g = 7;
	wtr_event born = play_go(&y, 9, WTR_G_NOTEXIST, WTR_G_RUNNABLE, "");
	born.stack = y.main_stack;
	born.transition_stack = y.work_stack;
	play_at(&y, 1100, born);
	go(&y, 1110, 9, RUNNABLE, RUNNING, "");
	go(&y, 1130, 9, RUNNING, WAITING, "chan receive");
	go(&y, 1170, 9, WAITING, RUNNABLE, "");
	go(&y, 1250, 9, RUNNABLE, RUNNING, "");
	go(&y, 1410, 9, RUNNING, WAITING, "sync");
	go(&y, 1411, 9, WAITING, RUNNABLE, "");
	go(&y, 1413, 9, RUNNABLE, RUNNING, "");
	go(&y, 1417, 9, RUNNING, RUNNABLE, "preempted");
	go(&y, 1425, 9, RUNNABLE, RUNNING, "");
	go(&y, 1441, 9, RUNNING, NONE, "");
	play_at(&y, 2000, play_sync(2));
	play_finish(&y);
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_GOROUTINES), 1);
	const wtr_goroutine_row *g = wtr_goroutine(y.x, 9);
	assert_non_null(g);
	assert_text(g->name, "main.work");
	assert_int_equal(g->creator, 7);
	assert_int_equal(g->create_stack, y.main_stack);
	assert_int_equal(g->entry_stack, y.work_stack);
	assert_int_equal(g->create_ns, 1100);
	assert_int_equal(g->start_ns, 1110);
	assert_int_equal(g->end_ns, 1441);
	assert_int_equal(g->total_ns, 341);
	assert_int_equal(g->exec_ns, 20 + 160 + 4 + 16);
	assert_int_equal(g->sched_ns, 10 + 80 + 2 + 8);
	assert_int_equal(g->block_ns, 41);
	assert_int_equal(play_waited(&y, g, "chan receive"), 40);
	assert_int_equal(play_waited(&y, g, "sync"), 1);
	assert_int_equal(g->n_block, 2);
	assert_int_equal(g->unknown_ns, 0);
	assert_int_equal(g->final_state, WTR_G_NOTEXIST);
	assert_int_equal(g->final_reason.n, 0);
	PLAY_ROWS(&y, GROUPS, group);
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_GROUPS), 1);
	assert_text(group[g->group].name, "main.work");
	assert_int_equal(group[0].exec_ns, g->exec_ns);
	play_close(&y);
}

/* What was there before the trace counts from the last Sync. */
static void found_at_start(void **state)
{
	(void)state;
	static const int to[] = { RUNNABLE, RUNNING, WAITING, SYSCALL };
	for (size_t i = 0; i < 4; i++) {
		play y;
		play_open(&y, WTR_PART_GOROUTINES);
		play_at(&y, 1000, play_sync(1));
		go(&y, 1030, 5, UNDET, to[i], "");
		play_at(&y, 1100, play_sync(2));
		play_finish(&y);
		const wtr_goroutine_row *g = wtr_goroutine(y.x, 5);
		assert_int_equal(g->create_ns, 1000);
		assert_int_equal(g->total_ns, 100);
		assert_int_equal(g->sched_ns, i == 0 ? 100 : 0);
		assert_int_equal(g->exec_ns, i == 1 ? 100 : 0);
		assert_int_equal(g->block_ns, i == 2 ? 100 : 0);
		assert_int_equal(g->syscall_block_ns,
			i == 3 ? 30 : 0); /* it had no proc until it was seen; now nothing is known to have taken one */
		assert_int_equal(g->syscall_ns, i == 3 ? 70 : 0);
		assert_int_equal(g->start_ns, i == 1 ? 1030 : WTR_NEVER);
		assert_int_equal(g->end_ns, WTR_NEVER);
		assert_int_equal(g->creator, WTR_NONE);
		assert_int_equal(g->name.n, 0);
		play_close(&y);
	}
}

static void syscall_that_loses_its_proc(void **state)
{
	(void)state;
	play y;
	play_open(&y, WTR_PART_GOROUTINES);
	play_at(&y, 1000, play_sync(1));
	go(&y, 1010, 5, NONE, RUNNABLE, "");
	go(&y, 1020, 5, RUNNABLE, RUNNING, "");
	running(&y, 1021, 3);
	y.p = 3;
	go(&y, 1030, 5, RUNNING, SYSCALL, "");
	go(&y, 1034, 5, SYSCALL, RUNNING, ""); /* kept it */
	go(&y, 1040, 5, RUNNING, SYSCALL, "");
	idle(&y, 1050, 3);
	idle(&y, 1060, 3); /* only the first time counts */
	y.p = WTR_NONE;
	go(&y, 1100, 5, SYSCALL, RUNNABLE, "");
	play_finish(&y);
	const wtr_goroutine_row *g = wtr_goroutine(y.x, 5);
	assert_int_equal(g->syscall_ns, 4 + 10);
	assert_int_equal(g->syscall_block_ns, 50);
	assert_int_equal(g->exec_ns, 10 + 6);
	assert_int_equal(g->unknown_ns, 0);
	play_close(&y);
}

/* Go counts the time since the proc was taken twice, as system call and as waiting for a proc (docs/analyses.md). */
static void open_syscall_counts_once(void **state)
{
	(void)state;
	play y;
	play_open(&y, WTR_PART_GOROUTINES);
	play_at(&y, 1000, play_sync(1));
	y.p = 3;
	go(&y, 1010, 5, NONE, SYSCALL, "");
	idle(&y, 1025, 3);
	play_at(&y, 1100, play_sync(2));
	play_finish(&y);
	const wtr_goroutine_row *g = wtr_goroutine(y.x, 5);
	assert_int_equal(g->syscall_ns, 15);
	assert_int_equal(g->syscall_block_ns, 75);
	assert_int_equal(g->sched_ns, 0);
	assert_int_equal(g->total_ns, 90);
	assert_int_equal(g->unknown_ns, 0);
	play_close(&y);
}

/* Coming back from a system call whose proc was taken says nothing about who is in one with that proc now; Go forgets
 * that one, and never notices when it loses the proc too. */
static void steal_is_noticed_after_another(void **state)
{
	(void)state;
	play y;
	play_open(&y, WTR_PART_GOROUTINES);
	play_at(&y, 1000, play_sync(1));
	y.p = 3;
	go(&y, 1010, 5, NONE, SYSCALL, "");
	idle(&y, 1020, 3);
	running(&y, 1021, 3);
	go(&y, 1030, 6, NONE, SYSCALL, ""); /* with the same proc */
	go(&y, 1040, 5, SYSCALL, RUNNABLE, "");
	idle(&y, 1050, 3);
	go(&y, 1090, 6, SYSCALL, RUNNABLE, "");
	play_finish(&y);
	const wtr_goroutine_row *g = wtr_goroutine(y.x, 6);
	assert_int_equal(g->syscall_ns, 20);
	assert_int_equal(g->syscall_block_ns, 40);
	g = wtr_goroutine(y.x, 5);
	assert_int_equal(g->syscall_ns, 10);
	assert_int_equal(g->syscall_block_ns, 20);
	play_close(&y);
}

/* A status that thread 1 reports of a goroutine on thread 2 comes with thread 1's proc, which is not that goroutine's.
 */
static void status_of_another_thread_has_no_proc(void **state)
{
	(void)state;
	play y;
	play_open(&y, WTR_PART_GOROUTINES);
	play_at(&y, 1000, play_sync(1));
	y.m = 1;
	play_at(&y, 1005, play_proc(3, WTR_P_UNDETERMINED, WTR_P_RUNNING));
	y.p = 3;
	y.m = 2;
	go(&y, 1010, 5, UNDET, SYSCALL, "");
	y.m = 1;
	go(&y, 1010, 6, UNDET, SYSCALL, ""); /* its own */
	idle(&y, 1050, 3);
	play_at(&y, 1100, play_sync(2));
	play_finish(&y);
	const wtr_goroutine_row *g = wtr_goroutine(y.x, 5);
	assert_int_equal(g->syscall_block_ns, 10);
	assert_int_equal(g->syscall_ns, 90);
	g = wtr_goroutine(y.x, 6);
	assert_int_equal(g->syscall_ns, 50);
	assert_int_equal(g->syscall_block_ns, 50);
	play_close(&y);
}

/* Blocked forever is death for the times; what follows all the same counts, and a range then does not crash as it does
 * Go. */
static void forever_is_death(void **state)
{
	(void)state;
	play y;
	play_open(&y, WTR_PART_GOROUTINES);
	play_at(&y, 1000, play_sync(1));
	go(&y, 1010, 5, NONE, RUNNABLE, "");
	go(&y, 1020, 5, RUNNABLE, RUNNING, "");
	go(&y, 1050, 5, RUNNING, WAITING, "forever");
	go(&y, 1070, 6, NONE, RUNNABLE, "");
	play_at(&y, 1080, play_range(&y, WTR_KIND_RANGE_BEGIN, WTR_RANGE_MARK_ASSIST, 5, ""));
	play_at(&y, 1090, play_range(&y, WTR_KIND_RANGE_END, WTR_RANGE_MARK_ASSIST, 5, ""));
	play_finish(&y);
	const wtr_goroutine_row *g = wtr_goroutine(y.x, 5);
	assert_int_equal(g->end_ns, 1050);
	assert_int_equal(g->total_ns, 40);
	assert_int_equal(g->block_ns, 0);
	assert_int_equal(g->n_block, 0);
	assert_int_equal(g->exec_ns, 30);
	assert_int_equal(g->unknown_ns, 0);
	assert_int_equal(g->final_state, WTR_G_WAITING);
	assert_text(g->final_reason, "forever");
	assert_int_equal(play_ranged(&y, g, "GC mark assist"), 10);
	play_close(&y);
}

/* Three reasons fit beside the state; a 4th goes elsewhere; beyond 64 distinct ones in a trace they share a row. */
static void many_reasons(void **state)
{
	(void)state;
	play y;
	play_open(&y, WTR_PART_GOROUTINES);
	play_at(&y, 1000, play_sync(1));
	go(&y, 1001, 5, NONE, RUNNING, "");
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 100; i++) {
			char reason[32];
			snprintf(reason, sizeof(reason), "reason %d", i);
			play_event(&y, play_go(&y, 5, WTR_G_RUNNING, WTR_G_WAITING, reason));
			y.now += 9;
			play_event(&y, play_go(&y, 5, WTR_G_WAITING, WTR_G_RUNNING, ""));
		}
	play_finish(&y);
	const wtr_goroutine_row *g = wtr_goroutine(y.x, 5);
	assert_int_equal(g->n_block, 63); /* one number stands for no reason, the last one for all others */
	assert_int_equal(play_waited(&y, g, "reason 0"), 20);
	assert_int_equal(play_waited(&y, g, "reason 3"), 20);
	assert_int_equal(play_waited(&y, g, "reason 61"), 20);
	assert_int_equal(play_waited(&y, g, "reason 62"), -1);
	assert_int_equal(play_waited(&y, g, "(other reasons)"), 38 * 20);
	assert_int_equal(g->block_ns, 2000);
	PLAY_ROWS(&y, TRANSITIONS, transition);
	uint64_t n = 0;
	for (size_t i = 0; i < wtr_table_rows(y.x, WTR_TABLE_TRANSITIONS); i++)
		n += transition[i].n;
	assert_int_equal(n, 401);
	play_close(&y);
}

static void lived(play *y, int64_t at, int64_t id, const char *waited_for, int64_t ns)
{
	go(y, at, id, NONE, RUNNING, "");
	go(y, at + 1, id, RUNNING, WAITING, waited_for);
	go(y, at + 1 + ns, id, WAITING, RUNNING, "");
	play_event(y, play_range(y, WTR_KIND_RANGE_BEGIN, WTR_RANGE_MARK_ASSIST, id, ""));
	play_event(y, play_range(y, WTR_KIND_RANGE_END, WTR_RANGE_MARK_ASSIST, id, ""));
	play_event(y, play_go(y, id, WTR_G_RUNNING, WTR_G_NOTEXIST, ""));
}

/* An id that is used again gives its last goroutine; those in between and around it keep what is theirs. */
static void last_life_of_an_id(void **state)
{
	(void)state;
	play y;
	play_open(&y, WTR_PART_GOROUTINES);
	play_at(&y, 1000, play_sync(1));
	lived(&y, 1010, 9, "sync", 1);
	lived(&y, 1030, 5, "select", 2);
	lived(&y, 1050, 6, "network", 3);
	lived(&y, 1070, 5, "sleep", 4);
	lived(&y, 1090, 7, "chan send", 5);
	go(&y, 1110, 5, NONE, RUNNABLE, "");
	go(&y, 1134, 4, NONE, RUNNABLE, "");
	play_finish(&y);
	PLAY_ROWS(&y, GOROUTINES, goroutine);
	PLAY_ROWS(&y, BLOCK_TIMES, block_time);
	static const int64_t ids[] = { 4, 5, 6, 7, 9 };
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_GOROUTINES), 5);
	wtr_totals totals;
	wtr_get_totals(y.x, &totals);
	assert_int_equal(totals.goroutines, 5);
	for (uint32_t i = 0; i < 5; i++) {
		assert_int_equal(goroutine[i].id, ids[i]);
		assert_ptr_equal(wtr_goroutine(y.x, ids[i]), &goroutine[i]);
		assert_int_equal(goroutine[i].n_block, i >= 2);
		for (uint32_t k = 0; k < goroutine[i].n_block; k++)
			assert_int_equal(block_time[goroutine[i].first_block + k].goroutine, i);
	}
	assert_int_equal(goroutine[1].create_ns, 1110);
	assert_int_equal(goroutine[1].end_ns, WTR_NEVER);
	assert_int_equal(goroutine[1].sched_ns, 24);
	assert_int_equal(goroutine[1].exec_ns, 0);
	assert_int_equal(goroutine[1].n_range, 0);
	assert_int_equal(play_waited(&y, &goroutine[2], "network"), 3);
	assert_int_equal(play_waited(&y, &goroutine[3], "chan send"), 5);
	assert_int_equal(play_waited(&y, &goroutine[4], "sync"), 1);
	assert_int_equal(play_ranged(&y, &goroutine[3], "GC mark assist"), 1);
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_BLOCK_TIMES), 3);
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_RANGE_TIMES), 3);
	play_close(&y);
}

static void repeated_states_say_nothing(void **state)
{
	(void)state;
	play y;
	play_open(&y, WTR_PART_GOROUTINES);
	play_at(&y, 1000, play_sync(1));
	go(&y, 1010, 5, NONE, RUNNING, "");
	go(&y, 1020, 5, RUNNING, WAITING, "select");
	go(&y, 1030, 5, WAITING, WAITING, "");
	play_at(&y, 1050, play_sync(2));
	play_finish(&y);
	const wtr_goroutine_row *g = wtr_goroutine(y.x, 5);
	assert_int_equal(play_waited(&y, g, "select"), 30);
	assert_text(g->final_reason, "select");
	play_close(&y);
}

/* The outermost function of the first stack with a name; a stack of nameless frames names nobody. */
static void names(void **state)
{
	(void)state;
	play y;
	play_open(&y, WTR_PART_GOROUTINES);
	play_at(&y, 1000, play_sync(1));
	wtr_event e = play_go(&y, 5, WTR_G_UNDETERMINED, WTR_G_RUNNING, "");
	e.transition_stack = y.bare_stack;
	play_event(&y, e);
	e = play_go(&y, 5, WTR_G_RUNNING, WTR_G_WAITING, "");
	e.transition_stack = y.main_stack;
	play_event(&y, e);
	e = play_go(&y, 5, WTR_G_WAITING, WTR_G_RUNNABLE, "");
	e.transition_stack = y.work_stack;
	play_event(&y, e);
	play_finish(&y);
	const wtr_goroutine_row *g = wtr_goroutine(y.x, 5);
	assert_text(g->name, "main.main");
	assert_int_equal(g->entry_stack, y.main_stack);
	play_close(&y);
}

static void ranges_of_a_goroutine(void **state)
{
	(void)state;
	play y;
	play_open(&y, WTR_PART_GOROUTINES);
	play_at(&y, 1000, play_sync(1));
	go(&y, 1010, 5, NONE, RUNNING, "");
	go(&y, 1011, 6, NONE, RUNNING, "");
	y.p = 3;
	y.g = 5;
	play_at(&y, 1020, play_range(&y, WTR_KIND_RANGE_BEGIN, WTR_RANGE_STW, 5, "GOMAXPROCS"));
	play_at(&y, 1025, play_range(&y, WTR_KIND_RANGE_END, WTR_RANGE_STW, 5, "GOMAXPROCS"));
	play_at(&y, 1030, play_range(&y, WTR_KIND_RANGE_BEGIN, WTR_RANGE_SWEEP, 3, ""));
	play_at(&y, 1037, play_range(&y, WTR_KIND_RANGE_END, WTR_RANGE_SWEEP, 3, ""));
	play_at(&y, 1040, play_range(&y, WTR_KIND_RANGE_BEGIN, WTR_RANGE_SWEEP, 3, ""));
	y.g = 6; /* a sweep that ends on another goroutine counts for none, */
	play_at(&y, 1050, play_range(&y, WTR_KIND_RANGE_END, WTR_RANGE_SWEEP, 3, ""));
	play_at(&y, 1060, play_range(&y, WTR_KIND_RANGE_BEGIN, WTR_RANGE_MARK_ASSIST, 6, ""));
	play_at(&y, 1100, play_sync(2));
	play_at(&y, 1110, play_range(&y, WTR_KIND_RANGE_ACTIVE, WTR_RANGE_MARK_ASSIST, 6, ""));
	play_at(&y, 1130, play_sync(3)); /* and an open one until the end */
	play_finish(&y);
	const wtr_goroutine_row *g = wtr_goroutine(y.x, 5);
	assert_int_equal(play_ranged(&y, g, "stop-the-world (GOMAXPROCS)"), 5);
	assert_int_equal(play_ranged(&y, g, "GC incremental sweep"), 7);
	assert_int_equal(g->n_range, 2);
	g = wtr_goroutine(y.x, 6);
	assert_int_equal(play_ranged(&y, g, "GC mark assist"), 70);
	assert_int_equal(play_ranged(&y, g, "GC incremental sweep"), -1);
	play_close(&y);
}

/* Groups: most execution time first, then by name. */
static void groups_in_order(void **state)
{
	(void)state;
	play y;
	play_open(&y, WTR_PART_GOROUTINES);
	play_at(&y, 1000, play_sync(1));
	uint32_t stacks[] = { y.work_stack, y.main_stack, y.system_stack, y.work_stack };
	static const int64_t exec[] = { 10, 30, 20, 15 };
	for (int i = 0; i < 4; i++) {
		wtr_event e = play_go(&y, 20 - i, WTR_G_NOTEXIST, WTR_G_RUNNING, "");
		e.transition_stack = stacks[i];
		play_event(&y, e);
		go(&y, y.now - 1 + exec[i], 20 - i, RUNNING, NONE, "");
	}
	play_finish(&y);
	PLAY_ROWS(&y, GROUPS, group);
	PLAY_ROWS(&y, GOROUTINES, goroutine);
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_GROUPS), 3);
	assert_text(group[0].name, "main.main");
	assert_text(group[1].name, "main.work");
	assert_text(group[2].name, "runtime.bgsweep");
	assert_int_equal(group[1].exec_ns, 25);
	assert_int_equal(group[1].n, 2);
	static const uint32_t of[] = { 1, 2, 0, 1 };
	for (int i = 0; i < 4; i++) {
		assert_int_equal(goroutine[i].id, 17 + i);
		assert_int_equal(goroutine[i].group, of[i]);
	}
	play_close(&y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_each_state),
		cmocka_unit_test(found_at_start),
		cmocka_unit_test(syscall_that_loses_its_proc),
		cmocka_unit_test(open_syscall_counts_once),
		cmocka_unit_test(steal_is_noticed_after_another),
		cmocka_unit_test(status_of_another_thread_has_no_proc),
		cmocka_unit_test(forever_is_death),
		cmocka_unit_test(many_reasons),
		cmocka_unit_test(last_life_of_an_id),
		cmocka_unit_test(repeated_states_say_nothing),
		cmocka_unit_test(names),
		cmocka_unit_test(ranges_of_a_goroutine),
		cmocka_unit_test(groups_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

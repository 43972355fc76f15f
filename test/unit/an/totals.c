/* Counters, procs, threads, ranges, metrics, samples, Syncs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "play.h"

#define assert_text(s, text) assert_true((s).n == strlen(text) && memcmp((s).at, text, (s).n) == 0)

static void contexts(void **state)
{
	(void)state;
	play y;
	play_open(&y, WTR_PART_TOTALS);
	play_at(&y, 1000, play_sync(1));
	static const int64_t ms[] = { 5000000000, 40, 5000000000, 104, 40, WTR_NONE, 40 };
	for (size_t i = 0; i < 7; i++) {
		y.m = ms[i];
		y.p = ms[i] == 40 ? 1000001 : ms[i] == 104 ? 0 : WTR_NONE;
		play_event(&y, play_go(&y, 1, WTR_G_WAITING, WTR_G_RUNNABLE, ""));
	}
	play_finish(&y);
	PLAY_ROWS(&y, THREADS, thread);
	PLAY_ROWS(&y, PROCS, proc);
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_THREADS), 3);
	static const int64_t ids[] = { 40, 104, 5000000000 };
	static const uint64_t n[] = { 3, 1, 2 };
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(thread[i].id, ids[i]);
		assert_int_equal(thread[i].events, n[i]);
	}
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_PROCS), 2);
	assert_int_equal(proc[0].id, 0);
	assert_int_equal(proc[0].events, 1);
	assert_int_equal(proc[1].id, 1000001);
	assert_int_equal(proc[1].events, 3);
	wtr_totals t;
	wtr_get_totals(y.x, &t);
	assert_int_equal(t.events, 8);
	assert_int_equal(t.valid_events, 1);
	assert_int_equal(t.by_kind[WTR_KIND_STATE_TRANSITION], 7);
	assert_int_equal(t.threads, 3);
	assert_int_equal(t.start_ns, 1000);
	assert_int_equal(t.end_ns, 1007);
	assert_int_equal(t.valid_end_ns, 1000);
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_GOROUTINES), 0); /* not asked for */
	play_close(&y);
}

static void proc_times(void **state)
{
	(void)state;
	play y;
	play_open(&y, WTR_PART_TOTALS);
	play_at(&y, 1000, play_sync(1));
	play_at(&y, 1020, play_proc(0, WTR_P_UNDETERMINED, WTR_P_RUNNING)); /* since the Sync */
	play_at(&y, 1030, play_proc(1, WTR_P_UNDETERMINED, WTR_P_IDLE));
	play_at(&y, 1040, play_proc(0, WTR_P_RUNNING, WTR_P_RUNNING));
	play_at(&y, 1050, play_proc(0, WTR_P_RUNNING, WTR_P_IDLE));
	play_at(&y, 1060, play_proc(1, WTR_P_IDLE, WTR_P_RUNNING)); /* until the end */
	play_at(&y, 1100, play_sync(2));
	play_finish(&y);
	PLAY_ROWS(&y, PROCS, proc);
	assert_int_equal(proc[0].running_ns, 50);
	assert_int_equal(proc[0].transitions, 3);
	assert_int_equal(proc[1].running_ns, 40);
	assert_int_equal(proc[1].transitions, 2);
	PLAY_ROWS(&y, TRANSITIONS, transition);
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_TRANSITIONS), 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(transition[i].resource, WTR_RES_PROC);
	play_close(&y);
}

static const wtr_range_sum_row *sum_of(const play *y, const char *name)
{
	PLAY_ROWS(y, RANGE_SUMS, range_sum);
	for (size_t i = 0; i < wtr_table_rows(y->x, WTR_TABLE_RANGE_SUMS); i++)
		if (range_sum[i].name.n == strlen(name) && memcmp(range_sum[i].name.at, name, strlen(name)) == 0)
			return &range_sum[i];
	fail_msg("no range %s", name);
	return NULL;
}

static void ranges(void **state)
{
	(void)state;
	play y;
	play_open(&y, WTR_PART_EVENTS);
	play_at(&y, 1000, play_sync(1));
	y.g = 5;
	y.p = 2;
	wtr_event e = play_range(&y, WTR_KIND_RANGE_BEGIN, WTR_RANGE_STW, 5, "GC mark termination");
	e.stack = y.main_stack;
	play_at(&y, 1010, e);
	play_at(&y, 1020, play_range(&y, WTR_KIND_RANGE_END, WTR_RANGE_STW, 5, "GC mark termination"));
	play_at(&y, 1030, play_range(&y, WTR_KIND_RANGE_BEGIN, WTR_RANGE_STW, 5, "GC mark termination"));
	play_at(&y, 1035, play_range(&y, WTR_KIND_RANGE_END, WTR_RANGE_STW, 5, "GC mark termination"));
	play_at(&y, 1040, play_range(&y, WTR_KIND_RANGE_BEGIN, WTR_RANGE_STW, 6, "GOMAXPROCS")); /* stays open */
	play_at(&y, 1050, play_range(&y, WTR_KIND_RANGE_BEGIN, WTR_RANGE_SWEEP, 2, ""));
	play_at(&y, 1051, play_range(&y, WTR_KIND_RANGE_BEGIN, WTR_RANGE_SWEEP, 3, "")); /* each proc its own */
	e = play_range(&y, WTR_KIND_RANGE_END, WTR_RANGE_SWEEP, 2, "");
	e.value[0] = 4096;
	e.value[1] = 512;
	play_at(&y, 1060, e);
	play_at(&y, 1061, play_range(&y, WTR_KIND_RANGE_END, WTR_RANGE_SWEEP, 3, ""));
	play_at(&y, 1070, play_range(&y, WTR_KIND_RANGE_ACTIVE, WTR_RANGE_GC_MARK, 0, "")); /* since the Sync */
	play_at(&y, 1080, play_range(&y, WTR_KIND_RANGE_END, WTR_RANGE_GC_MARK, 0, ""));
	play_at(&y, 1090, play_range(&y, WTR_KIND_RANGE_END, WTR_RANGE_MARK_ASSIST, 9, "")); /* of nothing */
	play_finish(&y);
	const wtr_range_sum_row *r = sum_of(&y, "stop-the-world (GC mark termination)");
	assert_int_equal(r->begins, 2);
	assert_int_equal(r->ends, 2);
	assert_int_equal(r->total_ns, 15);
	assert_int_equal(r->longest_ns, 10);
	assert_int_equal(r->open, 0);
	r = sum_of(&y, "stop-the-world (GOMAXPROCS)");
	assert_int_equal(r->open, 1);
	assert_int_equal(r->total_ns, 0);
	r = sum_of(&y, "GC incremental sweep");
	assert_int_equal(r->total_ns, 20);
	r = sum_of(&y, "GC concurrent mark phase");
	assert_int_equal(r->actives, 1);
	assert_int_equal(r->total_ns, 80);
	r = sum_of(&y, "GC mark assist");
	assert_int_equal(r->ends, 1);
	assert_int_equal(r->total_ns, 0);
	wtr_totals t;
	wtr_get_totals(y.x, &t);
	assert_int_equal(t.stw_count, 3);
	assert_int_equal(t.stw_open, 1);
	assert_int_equal(t.stw_ns, 15);
	assert_int_equal(t.stw_longest_ns, 10);
	assert_int_equal(t.gc_count, 0);
	assert_int_equal(t.gc_mark_ns, 80);
	PLAY_ROWS(&y, RANGES, range);
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_RANGES), 6);
	assert_int_equal(range[0].type, WTR_RANGE_GC_MARK); /* by start: it has been open since the Sync */
	assert_int_equal(range[0].start_ns, 1000);
	assert_int_equal(range[0].end_ns, 1080);
	assert_int_equal(range[1].stack, y.main_stack);
	assert_int_equal(range[1].g, 5);
	assert_int_equal(range[1].p, 2);
	assert_text(range[1].kind, "GC mark termination");
	assert_int_equal(range[3].end_ns, WTR_NEVER);
	assert_int_equal(range[4].resource, WTR_RES_PROC);
	assert_int_equal(range[4].id, 2);
	assert_int_equal(range[4].swept_bytes, 4096);
	assert_int_equal(range[4].reclaimed_bytes, 512);
	assert_int_equal(range[5].id, 3);
	play_close(&y);
}

/* Kinds beyond what is told apart share a name, and nothing is lost. */
static void many_stw_kinds(void **state)
{
	(void)state;
	play y;
	play_open(&y, WTR_PART_TOTALS);
	play_at(&y, 1000, play_sync(1));
	for (int i = 0; i < 200; i++) {
		char kind[16];
		snprintf(kind, sizeof(kind), "k%d", i);
		play_event(&y, play_range(&y, WTR_KIND_RANGE_BEGIN, WTR_RANGE_STW, 5, kind));
		play_event(&y, play_range(&y, WTR_KIND_RANGE_END, WTR_RANGE_STW, 5, kind));
	}
	play_finish(&y);
	wtr_totals t;
	wtr_get_totals(y.x, &t);
	assert_int_equal(t.stw_count, 200);
	assert_int_equal(t.stw_ns, 200);
	assert_true(wtr_table_rows(y.x, WTR_TABLE_RANGE_SUMS) <= 64);
	assert_int_equal(sum_of(&y, "stop-the-world (k3)")->begins, 1);
	assert_true(sum_of(&y, "stop-the-world (other kinds)")->begins > 100);
	play_close(&y);
}

static void metrics_and_labels(void **state)
{
	(void)state;
	play y;
	play_open(&y, WTR_PART_EVENTS);
	play_at(&y, 1000, play_sync(1));
	static const uint64_t procs[] = { 4, 4, 8, 4 }, heap[] = { 10, 30, 20 };
	for (size_t i = 0; i < 4; i++)
		play_event(&y,
			(wtr_event){ .kind = WTR_KIND_METRIC, .detail = WTR_METRIC_GOMAXPROCS, .value = { procs[i] } });
	for (size_t i = 0; i < 3; i++)
		play_event(&y,
			(wtr_event){ .kind = WTR_KIND_METRIC, .detail = WTR_METRIC_HEAP_BYTES, .value = { heap[i] } });
	play_event(&y, (wtr_event){ .kind = WTR_KIND_METRIC, .detail = WTR_METRIC_HEAP_GOAL_BYTES, .value = { 77 } });
	static const char *const labels[] = { "GC (idle)", "GC (dedicated)", "GC (idle)" };
	for (size_t i = 0; i < 3; i++)
		play_event(&y, (wtr_event){ .kind = WTR_KIND_LABEL, .id = 5, .str = play_text(&y, labels[i]) });
	y.g = 5;
	y.m = 1;
	play_event(&y, (wtr_event){ .kind = WTR_KIND_STACK_SAMPLE, .stack = y.work_stack });
	y.p = 2;
	play_event(&y, (wtr_event){ .kind = WTR_KIND_STACK_SAMPLE });
	play_event(&y, (wtr_event){ .kind = WTR_KIND_EXPERIMENTAL, .type = WF_EV_SPAN_ALLOC });
	play_finish(&y);
	wtr_totals t;
	wtr_get_totals(y.x, &t);
	assert_int_equal(t.gomaxprocs_events, 4);
	assert_int_equal(t.heap_samples, 3);
	assert_int_equal(t.heap_max_bytes, 30);
	assert_int_equal(t.heap_last_bytes, 20);
	assert_int_equal(t.goal_last_bytes, 77);
	assert_int_equal(t.cpu_samples, 2);
	assert_int_equal(t.cpu_samples_with_g, 2);
	assert_int_equal(t.cpu_samples_with_p, 1);
	assert_int_equal(t.cpu_samples_with_m, 2);
	PLAY_ROWS(&y, GOMAXPROCS, gomaxprocs);
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_GOMAXPROCS), 3);
	assert_int_equal(gomaxprocs[1].value, 8);
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_METRICS), 8);
	PLAY_ROWS(&y, LABELS, label);
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_LABELS), 2);
	assert_text(label[0].label, "GC (dedicated)");
	assert_int_equal(label[1].n, 2);
	PLAY_ROWS(&y, SAMPLES, sample);
	assert_int_equal(sample[0].stack, y.work_stack);
	assert_int_equal(sample[0].p, WTR_NONE);
	PLAY_ROWS(&y, EXPERIMENTAL, experimental);
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_EXPERIMENTAL), 1);
	assert_text(experimental[0].name, "AllocFree.SpanAlloc");
	play_close(&y);
}

/* More texts than the caches in front of the trace's tables have places: each keeps its own count. */
static void many_texts(void **state)
{
	(void)state;
	enum { N = 5000 };
	play y;
	play_open(&y, WTR_PART_TOTALS);
	play_at(&y, 1000, play_sync(1));
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < N; i++) {
			char text[16];
			snprintf(text, sizeof(text), "%04d", i);
			play_event(&y, (wtr_event){ .kind = WTR_KIND_LABEL, .id = 5, .str = play_text(&y, text) });
		}
	play_finish(&y);
	PLAY_ROWS(&y, LABELS, label);
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_LABELS), N);
	for (int i = 0; i < N; i++) {
		char text[16];
		snprintf(text, sizeof(text), "%04d", i);
		assert_text(label[i].label, text);
		assert_int_equal(label[i].n, 3);
	}
	play_close(&y);
}

/* The clocks of a Sync are those of its generation; the wall clock of the first event follows. */
static void clocks(void **state)
{
	(void)state;
	play y;
	play_open(&y, WTR_PART_TOTALS);
	wtr_event e = play_sync(1);
	e.value[0] = 1;
	play_at(&y, 1000, e);
	play_at(&y, 1500, play_sync(2));
	play_finish(&y);
	PLAY_ROWS(&y, SYNCS, sync);
	assert_int_equal(wtr_table_rows(y.x, WTR_TABLE_SYNCS), 2);
	assert_int_equal(sync[0].has_clock, 1);
	assert_int_equal(sync[0].mono_ns, 1);
	assert_int_equal(sync[0].wall_ns, 1000000001);
	assert_int_equal(sync[1].has_clock, 0);
	wtr_totals t;
	wtr_get_totals(y.x, &t);
	assert_true(t.has_wall);
	assert_int_equal(t.wall_start_ns, 1000000001 + 1000 - sync[0].trace_ns);
	play_close(&y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contexts),
		cmocka_unit_test(proc_times),
		cmocka_unit_test(ranges),
		cmocka_unit_test(many_stw_kinds),
		cmocka_unit_test(metrics_and_labels),
		cmocka_unit_test(clocks), cmocka_unit_test(many_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Every kind of event as Go prints it, from events made by hand; strings, stacks and clocks come from the tables
 * below. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "fmt/events.h"
#include "out/gotext.h"

/* ---- a trace that is only its tables (instead of read/trace.c) ---- */

#define STR(s) { (s), sizeof(s) - 1 }
static const wtr_str strings[] = { STR(""), STR("chan receive"), STR("start \"trace\""), STR("caf\xc3\xa9\n"),
	STR("\xff") };

wtr_str wtr_string(const wtr_trace *t, uint32_t id)
{
	(void)t;
	return id < sizeof(strings) / sizeof(*strings) ? strings[id] : strings[0];
}

/* Stack n has n frames, all the same but for their line; number 3 has none. */
size_t wtr_stack(const wtr_trace *t, uint32_t id, wtr_frame *ret, size_t n)
{
	(void)t;
	size_t have = id == 3 ? 0 : id > 3 ? 128 : id;
	for (size_t i = 0; i < have && i < n; i++)
		ret[i] = (wtr_frame){ 0x46fb63 + i, STR("main.main"), STR("a/main.go"), 10 + i };
	return have;
}

bool wtr_get_generation(wtr_trace *t, size_t i, wtr_generation *ret)
{
	(void)t;
	if (i > 1)
		return false;
	*ret = (wtr_generation){ .has_clock = i == 1,
		.clock_trace_ns = 7,
		.clock_mono_ns = UINT64_MAX,
		.clock_wall_ns = 1795336374500000000 };
	return true;
}

static void prints(wtr_event e, const char *want)
{
	out_stack_cache *cache = out_stack_cache_new();
	wb_buf b = { 0 };
	out_gotext(&b, NULL, &e);
	assert_string_equal(wb_buf_cstr(&b), want);
	for (int i = 0; i < 2; i++) { /* the second one from memory */
		b.n = 0;
		out_gotext_cached(&b, NULL, &e, cache);
		assert_string_equal(wb_buf_cstr(&b), want);
	}
	wb_buf_free(&b);
	out_stack_cache_free(cache);
}

#define CTX .m = 7, .p = 0, .g = 1, .time_ns = 5
#define LINE "M=7 P=0 G=1 "
#define FRAME1 "\tmain.main @ 0x46fb63\n\t\ta/main.go:10\n"
#define FRAME2 "\tmain.main @ 0x46fb64\n\t\ta/main.go:11\n"

static void sync_points(void **state)
{
	(void)state;
	prints((wtr_event){ .kind = WTR_KIND_SYNC, .m = -1, .p = -1, .g = -1, .time_ns = -5, .id = 1 },
		"M=-1 P=-1 G=-1 Sync Time=-5 N=1\n");
	prints((wtr_event){ .kind = WTR_KIND_SYNC, .m = -1, .p = -1, .g = -1, .id = 2, .value = { 1 } },
		"M=-1 P=-1 G=-1 Sync Time=0 N=2\n");
	prints((wtr_event){ .kind = WTR_KIND_SYNC, .m = -1, .p = -1, .g = -1, .id = 3, .value = { 2 } },
		"M=-1 P=-1 G=-1 Sync Time=0 N=3 Trace=7 Mono=18446744073709551615 Wall=2026-11-22T08:32:54.5Z\n");
}

static void metrics_and_labels(void **state)
{
	(void)state;
	prints((wtr_event){ CTX, .kind = WTR_KIND_METRIC, .type = WF_EV_HEAP_ALLOC, .detail = WTR_METRIC_HEAP_BYTES,
		       .value = { UINT64_MAX } },
		LINE "Metric Time=5 Name=\"/memory/classes/heap/objects:bytes\" "
		     "Value=Value{Uint64(18446744073709551615)}\n");
	prints((wtr_event){ CTX, .kind = WTR_KIND_METRIC, .type = WF_EV_PROCS_CHANGE, .detail = WTR_METRIC_GOMAXPROCS,
		       .value = { 4 }, .stack = 1 },
		LINE "Metric Time=5 Name=\"/sched/gomaxprocs:threads\" Value=Value{Uint64(4)}\nStack=\n" FRAME1 "\n");
	prints((wtr_event){ CTX, .kind = WTR_KIND_LABEL, .type = WF_EV_GO_LABEL, .resource = WTR_RES_GOROUTINE, .id = 1,
		       .str = 3 },
		LINE "Label Time=5 Label=\"caf\xc3\xa9\\n\" Resource=Goroutine(1)\n");
}

static void ranges(void **state)
{
	(void)state;
	prints((wtr_event){ CTX, .kind = WTR_KIND_RANGE_BEGIN, .type = WF_EV_STW_BEGIN, .detail = WTR_RANGE_STW,
		       .resource = WTR_RES_GOROUTINE, .id = 1, .str = 2 },
		LINE "RangeBegin Time=5 Name=\"stop-the-world (start \\\"trace\\\")\" Scope=Goroutine(1)\n");
	prints((wtr_event){ CTX, .kind = WTR_KIND_RANGE_ACTIVE, .type = WF_EV_GC_ACTIVE, .detail = WTR_RANGE_GC_MARK },
		LINE "RangeActive Time=5 Name=\"GC concurrent mark phase\" Scope=None\n");
	prints((wtr_event){ CTX, .kind = WTR_KIND_RANGE_END, .type = WF_EV_GC_MARK_ASSIST_END,
		       .detail = WTR_RANGE_MARK_ASSIST, .resource = WTR_RES_GOROUTINE, .id = 1 },
		LINE "RangeEnd Time=5 Name=\"GC mark assist\" Scope=Goroutine(1) Attributes=[]\n");
	prints((wtr_event){ CTX, .kind = WTR_KIND_RANGE_END, .type = WF_EV_GC_SWEEP_END, .detail = WTR_RANGE_SWEEP,
		       .resource = WTR_RES_PROC, .id = 2, .value = { 8192, 1 } },
		LINE "RangeEnd Time=5 Name=\"GC incremental sweep\" Scope=Proc(2) Attributes=[\"bytes "
		     "swept\"=Value{Uint64(8192)} \"bytes reclaimed\"=Value{Uint64(1)}]\n");
}

static void annotations(void **state)
{
	(void)state;
	prints((wtr_event){ CTX, .kind = WTR_KIND_TASK_BEGIN, .type = WF_EV_USER_TASK_BEGIN, .id = 3,
		       .value = { (uint64_t)WTR_NONE }, .str = 1 },
		LINE "TaskBegin Time=5 ID=3 Parent=18446744073709551615 Type=\"chan receive\"\n");
	prints((wtr_event){ CTX, .kind = WTR_KIND_TASK_END, .type = WF_EV_USER_TASK_END, .id = -2, .value = { 0 } },
		LINE "TaskEnd Time=5 ID=18446744073709551614 Parent=0 Type=\"\"\n");
	prints((wtr_event){ CTX, .kind = WTR_KIND_REGION_END, .type = WF_EV_USER_REGION_END, .id = 9, .str = 4 },
		LINE "RegionEnd Time=5 Task=9 Type=\"\\xff\"\n");
	prints((wtr_event){ CTX, .kind = WTR_KIND_LOG, .type = WF_EV_USER_LOG, .str = 1, .str2 = 4 },
		LINE "Log Time=5 Task=0 Category=\"chan receive\" Message=\"\\xff\"\n");
}

static void transitions(void **state)
{
	(void)state;
	prints((wtr_event){ CTX, .kind = WTR_KIND_STATE_TRANSITION, .type = WF_EV_GO_BLOCK,
		       .resource = WTR_RES_GOROUTINE, .id = 1, .detail = WTR_G_RUNNING << 4 | WTR_G_WAITING, .str = 1,
		       .stack = 2, .transition_stack = 2 },
		LINE "StateTransition Time=5 GoID=1 Running->Waiting Reason=\"chan receive\"\nTransitionStack=\n" FRAME1
			FRAME2 "\nStack=\n" FRAME1 FRAME2 "\n");
	prints((wtr_event){ CTX, .kind = WTR_KIND_STATE_TRANSITION, .type = WF_EV_PROC_STEAL, .resource = WTR_RES_PROC,
		       .id = 3, .detail = WTR_P_RUNNING << 4 | WTR_P_IDLE },
		LINE "StateTransition Time=5 ProcID=3 Running->Idle Reason=\"\"\n");
	prints((wtr_event){ .m = 7,
		       .p = -1,
		       .g = -1,
		       .kind = WTR_KIND_STATE_TRANSITION,
		       .type = WF_EV_PROC_STATUS,
		       .resource = WTR_RES_PROC,
		       .detail = WTR_P_UNDETERMINED << 4 | WTR_P_RUNNING },
		"M=7 P=-1 G=-1 StateTransition Time=0 ProcID=0 Undetermined->Running Reason=\"\"\n");
}

/* Go prints the title of a creation's and of a sample's stack even without a stack, and of stacks without frames. */
static void empty_stacks(void **state)
{
	(void)state;
	prints((wtr_event){ CTX, .kind = WTR_KIND_STATE_TRANSITION, .type = WF_EV_GO_CREATE,
		       .resource = WTR_RES_GOROUTINE, .id = 8, .detail = WTR_G_NOTEXIST << 4 | WTR_G_RUNNABLE },
		LINE "StateTransition Time=5 GoID=8 NotExist->Runnable Reason=\"\"\nTransitionStack=\n\n");
	prints((wtr_event){ CTX, .kind = WTR_KIND_STATE_TRANSITION, .type = WF_EV_GO_CREATE_BLOCKED,
		       .resource = WTR_RES_GOROUTINE, .id = 8, .detail = WTR_G_NOTEXIST << 4 | WTR_G_WAITING,
		       .stack = 1 },
		LINE "StateTransition Time=5 GoID=8 NotExist->Waiting Reason=\"\"\nTransitionStack=\n\nStack=\n" FRAME1
		     "\n");
	prints((wtr_event){ CTX, .kind = WTR_KIND_STACK_SAMPLE, .type = WF_EV_CPU_SAMPLE },
		LINE "StackSample Time=5\nStack=\n\n");
	prints((wtr_event){ CTX, .kind = WTR_KIND_STATE_TRANSITION, .type = WF_EV_GO_UNBLOCK,
		       .resource = WTR_RES_GOROUTINE, .id = 8, .detail = WTR_G_WAITING << 4 | WTR_G_RUNNABLE,
		       .stack = 3 },
		LINE "StateTransition Time=5 GoID=8 Waiting->Runnable Reason=\"\"\nStack=\n\n");
}

static void experiments(void **state)
{
	(void)state;
	prints((wtr_event){ CTX, .kind = WTR_KIND_EXPERIMENTAL, .type = WF_EV_SPAN, .id = -1, .value = { 2, 3 } },
		LINE "Experimental Time=5 Name=Span Args=[id=Value{Uint64(18446744073709551615)}, "
		     "npages_value=Value{Uint64(2)}, kindclass=Value{Uint64(3)}]\n");
	prints((wtr_event){ CTX, .kind = WTR_KIND_EXPERIMENTAL, .type = WF_EV_HEAP_OBJECT_FREE, .id = 4 },
		LINE "Experimental Time=5 Name=HeapObjectFree Args=[id=Value{Uint64(4)}]\n");
}

/* More stacks than there is room for: what is remembered makes way, and the text stays right. */
static void remembers_in_bounds(void **state)
{
	(void)state;
	out_stack_cache *cache = out_stack_cache_new();
	wb_buf with = { 0 }, without = { 0 };
	for (uint32_t id = 1; id < 20000; id++) {
		wtr_event e = { CTX, .kind = WTR_KIND_STACK_SAMPLE, .type = WF_EV_CPU_SAMPLE, .stack = id % 5000 };
		with.n = without.n = 0;
		out_gotext_cached(&with, NULL, &e, cache);
		out_gotext(&without, NULL, &e);
		assert_int_equal(with.n, without.n);
		assert_memory_equal(with.at, without.at, with.n);
	}
	wb_buf_free(&with);
	wb_buf_free(&without);
	out_stack_cache_free(cache);
}

static void survives_each_failed_allocation(void **state)
{
	(void)state;
	const wtr_event e = { CTX, .kind = WTR_KIND_STACK_SAMPLE, .type = WF_EV_CPU_SAMPLE, .stack = 100 };
	wb_buf want = { 0 };
	out_gotext(&want, NULL, &e);
	unsigned failed = 0;
	for (uint64_t nth = 1; nth < 40; nth++) {
		wb_fault_arm(nth, false);
		wb_buf b = { 0 };
		out_stack_cache *cache = out_stack_cache_new();
		out_gotext_cached(&b, NULL, &e, cache);
		wb_fault_arm(0, false);
		failed += b.failed;
		if (!b.failed) { /* the cache may have failed: the text is right without it */
			assert_int_equal(b.n, want.n);
			assert_memory_equal(b.at, want.at, b.n);
		}
		wb_buf_free(&b);
		out_stack_cache_free(cache);
	}
	assert_true(failed > 0);
	wb_buf_free(&want);
}

static void prints_times_as_go(void **state)
{
	(void)state;
	unsigned n = 0;
#define QUOTE(text, quoted)
#define PRINTABLE(count, digest)
#define WALL(ns, text)                                      \
	{                                                   \
		wb_buf b = { 0 };                           \
		out_rfc3339(&b, ns);                        \
		assert_string_equal(wb_buf_cstr(&b), text); \
		wb_buf_free(&b);                            \
		n++;                                        \
	}
#include "../fmt/goquote.def"
	assert_int_equal(n, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sync_points),
		cmocka_unit_test(metrics_and_labels),
		cmocka_unit_test(ranges),
		cmocka_unit_test(annotations),
		cmocka_unit_test(transitions),
		cmocka_unit_test(empty_stacks),
		cmocka_unit_test(experiments),
		cmocka_unit_test(remembers_in_bounds),
		cmocka_unit_test(survives_each_failed_allocation),
		cmocka_unit_test(prints_times_as_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

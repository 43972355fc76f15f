/* An index of a part of the time: all of the time is the whole, and parts add up to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "kit.h"

enum { PARTS = 4, WHAT = WTR_PART_TOTALS | WTR_PART_GOROUTINES };

static wtr_trace *open_bytes(const char *name, uint8_t **data)
{
	size_t n;
	wtr_trace *t;
	*data = kit_trace(name, &n);
	return wtr_open_bytes(*data, n, NULL, &t, NULL) == WTR_OK ? t : NULL;
}

static wtr_index *part(wtr_trace *t, int64_t from, int64_t to)
{
	wtr_index *x = NULL;
	assert_int_equal(wtr_index_build_within(t, WHAT, from, to, &x, NULL), WTR_OK);
	return x;
}

static void same_rows(const wtr_index *a, const wtr_index *b)
{
	const wtr_goroutine_row *g = wtr_table_data(a, WTR_TABLE_GOROUTINES),
				*h = wtr_table_data(b, WTR_TABLE_GOROUTINES);
	size_t n = wtr_table_rows(a, WTR_TABLE_GOROUTINES);
	assert_int_equal(n, wtr_table_rows(b, WTR_TABLE_GOROUTINES));
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(g[i].id, h[i].id);
		assert_int_equal(g[i].total_ns, h[i].total_ns);
		assert_int_equal(g[i].exec_ns, h[i].exec_ns);
		assert_int_equal(g[i].sched_ns, h[i].sched_ns);
		assert_int_equal(g[i].block_ns, h[i].block_ns);
		assert_int_equal(g[i].syscall_ns, h[i].syscall_ns);
		assert_int_equal(g[i].syscall_block_ns, h[i].syscall_block_ns);
		assert_int_equal(g[i].unknown_ns, h[i].unknown_ns);
		assert_int_equal(g[i].end_ns, h[i].end_ns);
		assert_int_equal(g[i].n_block, h[i].n_block);
		assert_int_equal(g[i].n_range, h[i].n_range);
		assert_int_equal(g[i].final_state, h[i].final_state);
	}
}

static void same_text(wtr_str a, wtr_str b)
{
	assert_int_equal(a.n, b.n);
	assert_memory_equal(a.n ? a.at : "", b.n ? b.at : "", a.n);
}

/* What same_rows() leaves out: names, and what the time went to. */
static void same_parts_of_rows(const wtr_index *a, const wtr_index *b)
{
	const wtr_goroutine_row *g = wtr_table_data(a, WTR_TABLE_GOROUTINES),
				*h = wtr_table_data(b, WTR_TABLE_GOROUTINES);
	const wtr_block_time_row *w = wtr_table_data(a, WTR_TABLE_BLOCK_TIMES),
				 *x = wtr_table_data(b, WTR_TABLE_BLOCK_TIMES);
	const wtr_range_time_row *r = wtr_table_data(a, WTR_TABLE_RANGE_TIMES),
				 *s = wtr_table_data(b, WTR_TABLE_RANGE_TIMES);
	for (size_t i = 0; i < wtr_table_rows(a, WTR_TABLE_GOROUTINES); i++) {
		same_text(g[i].name, h[i].name);
		same_text(g[i].final_reason, h[i].final_reason);
		assert_int_equal(g[i].creator, h[i].creator);
		assert_int_equal(g[i].create_stack, h[i].create_stack);
		assert_int_equal(g[i].entry_stack, h[i].entry_stack);
		assert_int_equal(g[i].create_ns, h[i].create_ns);
		assert_int_equal(g[i].start_ns, h[i].start_ns);
		assert_int_equal(g[i].group, h[i].group);
		for (uint32_t k = 0; k < g[i].n_block; k++) {
			same_text(w[g[i].first_block + k].reason, x[h[i].first_block + k].reason);
			assert_int_equal(w[g[i].first_block + k].ns, x[h[i].first_block + k].ns);
		}
		for (uint32_t k = 0; k < g[i].n_range; k++) {
			same_text(r[g[i].first_range + k].name, s[h[i].first_range + k].name);
			assert_int_equal(r[g[i].first_range + k].ns, s[h[i].first_range + k].ns);
		}
	}
}

static void same_groups(const wtr_index *a, const wtr_index *b)
{
	const wtr_group_row *g = wtr_table_data(a, WTR_TABLE_GROUPS), *h = wtr_table_data(b, WTR_TABLE_GROUPS);
	assert_int_equal(wtr_table_rows(a, WTR_TABLE_GROUPS), wtr_table_rows(b, WTR_TABLE_GROUPS));
	for (size_t i = 0; i < wtr_table_rows(a, WTR_TABLE_GROUPS); i++) {
		same_text(g[i].name, h[i].name);
		assert_int_equal(g[i].n, h[i].n);
		assert_int_equal(g[i].total_ns, h[i].total_ns);
		assert_int_equal(g[i].unknown_ns, h[i].unknown_ns);
	}
}

static void same_totals(const wtr_index *a, const wtr_index *b)
{
	wtr_totals t, u;
	wtr_get_totals(a, &t);
	wtr_get_totals(b, &u);
	assert_int_equal(t.events, u.events);
	assert_memory_equal(t.by_kind, u.by_kind, sizeof(t.by_kind));
	assert_int_equal(t.goroutines, u.goroutines);
	assert_int_equal(t.gc_count, u.gc_count);
	assert_int_equal(t.gc_mark_ns, u.gc_mark_ns);
	assert_int_equal(t.stw_ns, u.stw_ns);
	assert_int_equal(t.heap_max_bytes, u.heap_max_bytes);
	assert_int_equal(t.cpu_samples, u.cpu_samples);
	assert_int_equal(t.wall_start_ns, u.wall_start_ns);
}

/* Goroutines that were created in the trace were never found halfway, so their times add up in every column. */
static void parts_add_up(const wtr_index *x, wtr_index *const *parts)
{
	const wtr_goroutine_row *g = wtr_table_data(x, WTR_TABLE_GOROUTINES);
	size_t n = wtr_table_rows(x, WTR_TABLE_GOROUTINES);
	for (size_t i = 0; i < n; i++) {
		wtr_goroutine_row sum = { 0 };
		if (g[i].creator == WTR_NONE)
			continue;
		for (size_t k = 0; k < PARTS; k++) {
			const wtr_goroutine_row *r = wtr_goroutine(parts[k], g[i].id);
			if (!r)
				continue;
			sum.total_ns += r->total_ns;
			sum.exec_ns += r->exec_ns;
			sum.sched_ns += r->sched_ns;
			sum.block_ns += r->block_ns;
			sum.syscall_ns += r->syscall_ns;
			sum.syscall_block_ns += r->syscall_block_ns;
		}
		assert_int_equal(sum.total_ns, g[i].total_ns);
		assert_int_equal(sum.exec_ns, g[i].exec_ns);
		assert_int_equal(sum.sched_ns, g[i].sched_ns);
		assert_int_equal(sum.block_ns, g[i].block_ns);
		assert_int_equal(sum.syscall_ns, g[i].syscall_ns);
		assert_int_equal(sum.syscall_block_ns, g[i].syscall_block_ns);
	}
	wtr_totals t, u;
	uint64_t events = 0;
	wtr_get_totals(x, &t);
	for (size_t k = 0; k < PARTS; k++) {
		wtr_get_totals(parts[k], &u);
		events += u.events;
	}
	assert_int_equal(events, t.events);
}

static void one_trace(const char *name)
{
	uint8_t *data;
	wtr_trace *t = open_bytes(name, &data);
	wtr_index *x = NULL, *all, *parts[PARTS];
	wtr_totals u;
	if (t) {
		assert_int_equal(wtr_index_build(t, WHAT, &x, NULL), WTR_OK);
		wtr_get_totals(x, &u);
		if (u.end.code == WTR_OK)
			assert_true(wtr_reaches_ns(t) <= u.end_ns);
		all = part(t, u.start_ns, u.end_ns + 1);
		same_rows(x, all);
		same_totals(x, all);
		wtr_index_free(all);
		int64_t step = (u.end_ns - u.start_ns) / PARTS + 1;
		for (int64_t k = 0; k < PARTS; k++)
			parts[k] = part(t, u.start_ns + k * step, u.start_ns + (k + 1) * step);
		parts_add_up(x, parts);
		for (size_t k = 0; k < PARTS; k++)
			wtr_index_free(parts[k]);
		wtr_index_free(x);
	}
	wtr_close(t);
	free(data);
}

enum { SHORT_RANGES = 5, RANGES = 2 * SHORT_RANGES };

/* One longer than the trace, short ones where a trace finds what is there, and ranges of all lengths anywhere. */
static void some_range(const wtr_totals *t, unsigned i, int64_t *ret_from, int64_t *ret_to)
{
	int64_t all = t->end_ns - t->start_ns;
	if (i == 0) {
		*ret_from = t->start_ns - 5;
		*ret_to = t->end_ns + 100;
	} else if (i < SHORT_RANGES) {
		*ret_from = t->start_ns + (1 << (i * 3)) - 8;
		*ret_to = *ret_from + (64 << (i * 4));
	} else {
		*ret_from = t->start_ns + all * (i * 37 % 11) / 11;
		*ret_to = *ret_from + (all >> (i * 5 % 17)) + 1;
	}
}

/* From the lanes of a finished index comes what a pass counts. */
static void lanes_say_the_same(const char *name)
{
	uint8_t *data;
	wtr_trace *t = open_bytes(name, &data);
	wtr_index *x = NULL;
	wtr_totals u;
	if (t) {
		assert_int_equal(wtr_index_build(t, WTR_PART_ALL, &x, NULL), WTR_OK);
		wtr_get_totals(x, &u);
		for (unsigned i = 0; i < RANGES; i++) {
			int64_t from, to;
			some_range(&u, i, &from, &to);
			wtr_index *read = part(t, from, to), *asked = NULL;
			assert_int_equal(wtr_index_within(x, from, to, &asked, NULL), WTR_OK);
			same_rows(read, asked);
			same_parts_of_rows(read, asked);
			same_groups(read, asked);
			wtr_index_free(read);
			wtr_index_free(asked);
		}
		wtr_index_free(x);
	}
	wtr_close(t);
	free(data);
}

static void corpus_from_lanes(void **state)
{
	(void)state;
	size_t n;
	char *const *names = kit_trace_names(&n);
	for (size_t i = 0; i < n; i++)
		if (!strstr(names[i], "gotest") || strstr(names[i], "1.26"))
			lanes_say_the_same(names[i]);
}

static void corpus(void **state)
{
	(void)state;
	size_t n;
	char *const *names = kit_trace_names(&n);
	for (size_t i = 0; i < n; i++)
		if (!strstr(names[i], "gotest") || strstr(names[i], "1.26"))
			one_trace(names[i]);
	assert_true(n > 200);
}

static void wrong_use(void **state)
{
	(void)state;
	uint8_t *data;
	wtr_trace *t = open_bytes("go1.26-hello", &data);
	wtr_index *x = NULL;
	assert_int_equal(wtr_index_build_within(t, WTR_PART_EVENTS, 0, 1, &x, NULL), WTR_E_USAGE);
	assert_int_equal(wtr_index_build_within(t, WHAT, 1, 1, &x, NULL), WTR_E_USAGE);
	assert_null(x);
	wtr_close(t);
	free(data);
}

/* Memory that runs out anywhere is told, and leaves nothing behind (ASan looks). */
static void memory_runs_out(void **state)
{
	(void)state;
	uint8_t *data;
	wtr_trace *t = open_bytes("go1.26-hello", &data);
	wtr_index *x = NULL;
	wtr_totals u;
	assert_int_equal(wtr_index_build(t, WTR_PART_ALL, &x, NULL), WTR_OK);
	wtr_get_totals(x, &u);
	uint64_t nth = 0;
	for (bool asked = true; asked;) {
		wtr_index *some = NULL;
		uint64_t before = wb_fault_count();
		wb_fault_arm(++nth, true);
		wtr_code rc = wtr_index_within(x, u.start_ns, u.end_ns, &some, NULL);
		asked = wb_fault_count() - before >= nth;
		wb_fault_arm(0, false);
		assert_int_equal(rc, asked ? WTR_E_NOMEM : WTR_OK);
		wtr_index_free(some);
	}
	assert_true(nth > 10);
	wtr_index_free(x);
	wtr_close(t);
	free(data);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(corpus),
		cmocka_unit_test(corpus_from_lanes),
		cmocka_unit_test(wrong_use),
		cmocka_unit_test(memory_runs_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

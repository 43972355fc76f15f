/* An index of a part of the time: all of the time is the whole, and parts add up to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(corpus),
		cmocka_unit_test(wrong_use),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

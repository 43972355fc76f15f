/* Tasks, regions and counters of real traces against their tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "kit.h"

static const char *const names[] = { "go1.21-annotate", "go1.22-httpload", "go1.26-annotate", "go1.26-gcheavy",
	"go1.27-longrun" };
enum { N = sizeof(names) / sizeof(names[0]) };

typedef struct subject {
	uint8_t *data;
	wtr_trace *t;
	wtr_index *x;
	wtr_totals totals;
} subject;

static void open_subject(subject *s, const char *name)
{
	size_t n;
	s->data = kit_trace(name, &n);
	assert_int_equal(wtr_open_bytes(s->data, n, NULL, &s->t, NULL), WTR_OK);
	assert_int_equal(wtr_index_build(s->t, WTR_PART_EVENTS, &s->x, NULL), WTR_OK);
	wtr_get_totals(s->x, &s->totals);
}

static void close_subject(subject *s)
{
	wtr_index_free(s->x);
	wtr_close(s->t);
	free(s->data);
}

static void buckets(void **state)
{
	(void)state;
	assert_int_equal(wtr_latency_bucket(-5), 0);
	assert_int_equal(wtr_latency_bucket(0), 0);
	assert_int_equal(wtr_latency_bucket(1), 0);
	for (unsigned b = 6; b < WTR_LATENCY_BUCKETS - 4; b++) {
		int64_t from = wtr_latency_bucket_ns(b);
		assert_true(wtr_latency_bucket(from + from / 10) == b);
		assert_true(wtr_latency_bucket(from - from / 10) == b - 1);
	}
	assert_true(wtr_latency_bucket(INT64_MAX) < WTR_LATENCY_BUCKETS);
	assert_true(wtr_latency_bucket_ns(30) > 999000 && wtr_latency_bucket_ns(30) < 1001000);
}

/* A percentile is a duration that enough do not exceed, and no smaller one is. */
static void check_percentile(const wtr_latencies *l, const uint32_t *rows, size_t n, int64_t ns, unsigned per_mille)
{
	size_t within = 0, below = 0;
	for (size_t i = 0; i < n; i++) {
		within += wtr_latency_ns(l, rows[i]) <= ns;
		below += wtr_latency_ns(l, rows[i]) < ns;
	}
	assert_true(within * 1000 >= n * per_mille);
	assert_true(below * 1000 < n * per_mille);
}

static void check_groups(const wtr_latencies *l, bool regions)
{
	const wtr_latency_group *g;
	const uint32_t *all, *rows;
	size_t n = wtr_latency_groups(l, &g), members = 0;
	for (size_t i = 0; i < n; i++) {
		size_t k = wtr_latency_members(l, i, &rows), counted = 0;
		assert_int_equal(k, g[i].n);
		assert_true(i == 0 || g[i].n <= g[i - 1].n);
		for (size_t m = 1; m < k; m++)
			assert_true(wtr_latency_ns(l, rows[m]) <= wtr_latency_ns(l, rows[m - 1]));
		for (size_t b = 0; b < WTR_LATENCY_BUCKETS; b++)
			counted += g[i].buckets[b];
		assert_int_equal(counted, regions ? g[i].n : g[i].complete);
		if (counted == k && k) {
			check_percentile(l, rows, k, g[i].p50_ns, 500);
			check_percentile(l, rows, k, g[i].p90_ns, 900);
			check_percentile(l, rows, k, g[i].p99_ns, 990);
			assert_int_equal(g[i].max_ns, wtr_latency_ns(l, rows[0]));
			assert_int_equal(g[i].min_ns, wtr_latency_ns(l, rows[k - 1]));
		}
		members += k;
	}
	assert_int_equal(wtr_latency_all(l, &all), members);
	assert_int_equal(wtr_latency_members(l, n, &rows), 0);
}

static void groups(void **state)
{
	(void)state;
	for (size_t i = 0; i < N; i++) {
		subject s;
		open_subject(&s, names[i]);
		for (unsigned k = 0; k < 2; k++) {
			wtr_latencies *l = NULL;
			wtr_latency_query q = { .about = k ? WTR_ABOUT_REGION : WTR_ABOUT_TASK };
			assert_int_equal(wtr_latency_make(s.t, s.x, &q, &l, NULL), WTR_OK);
			check_groups(l, k);
			wtr_latency_free(l);
			q.ranged = true;
			q.from_ns = s.totals.end_ns + 5;
			q.to_ns = q.from_ns + 5;
			assert_int_equal(wtr_latency_make(s.t, s.x, &q, &l, NULL), WTR_OK);
			const uint32_t *rows;
			assert_int_equal(wtr_latency_all(l, &rows), 0);
			wtr_latency_free(l);
		}
		wtr_latencies *l = NULL;
		assert_int_equal(wtr_latency_make(s.t, s.x, &(wtr_latency_query){ .about = WTR_ABOUT_SPAN }, &l, NULL),
			WTR_E_USAGE);
		close_subject(&s);
	}
}

/* At the end of the trace, goroutines are in the states that their table says. */
static void counters_end_as_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < N; i++) {
		subject s;
		open_subject(&s, names[i]);
		enum { STEPS = 16 };
		wtr_counter_step steps[STEPS];
		int64_t step = (s.totals.end_ns - s.totals.start_ns) / STEPS + 1, want[WTR_G_COUNT] = { 0 };
		assert_int_equal(wtr_counters(s.t, s.totals.start_ns, step, STEPS, steps, NULL, NULL), WTR_OK);
		const wtr_goroutine_row *g = wtr_table_data(s.x, WTR_TABLE_GOROUTINES);
		for (size_t k = 0; k < wtr_table_rows(s.x, WTR_TABLE_GOROUTINES); k++)
			want[g[k].final_state]++;
		const wtr_counter_step *last = &steps[STEPS - 1];
		assert_int_equal(last->last[WTR_COUNTER_RUNNING], want[WTR_G_RUNNING]);
		assert_int_equal(last->last[WTR_COUNTER_RUNNABLE], want[WTR_G_RUNNABLE]);
		assert_int_equal(last->last[WTR_COUNTER_SYSCALL], want[WTR_G_SYSCALL]);
		assert_int_equal(
			last->last[WTR_COUNTER_WAITING] + last->last[WTR_COUNTER_GC_WAITING], want[WTR_G_WAITING]);
		assert_int_equal(
			last->last[WTR_COUNTER_HEAP], s.totals.heap_samples ? (int64_t)s.totals.heap_last_bytes : -1);
		int64_t heap = -1;
		for (size_t k = 0; k < STEPS; k++) {
			heap = steps[k].most[WTR_COUNTER_HEAP] > heap ? steps[k].most[WTR_COUNTER_HEAP] : heap;
			for (unsigned c = 0; c < WTR_COUNTER_COUNT; c++)
				assert_true(steps[k].most[c] >= steps[k].last[c]);
		}
		assert_int_equal(heap, s.totals.heap_samples ? (int64_t)s.totals.heap_max_bytes : -1);
		wtr_counter_step half[STEPS / 2];
		assert_int_equal(
			wtr_counters(s.t, s.totals.start_ns + step * (STEPS / 2), step, STEPS / 2, half, NULL, NULL),
			WTR_OK);
		assert_memory_equal(half, steps + STEPS / 2, sizeof(half));
		assert_int_equal(wtr_counters(s.t, 0, 0, 1, half, NULL, NULL), WTR_E_USAGE);
		close_subject(&s);
	}
}

static void memory_runs_out(void **state)
{
	(void)state;
	subject s;
	size_t failed = 0;
	open_subject(&s, "go1.26-annotate");
	for (unsigned k = 0; k < 2; k++)
		for (uint64_t nth = 1;; nth++) {
			wtr_latencies *l = NULL;
			wb_fault_arm(nth, true);
			uint64_t before = wb_fault_count();
			wtr_code rc = wtr_latency_make(s.t, s.x,
				&(wtr_latency_query){ .about = k ? WTR_ABOUT_REGION : WTR_ABOUT_TASK }, &l, NULL);
			uint64_t asked = wb_fault_count() - before;
			wb_fault_arm(0, false);
			wtr_latency_free(l);
			if (asked < nth)
				break;
			assert_int_equal(rc, WTR_E_NOMEM);
			failed++;
		}
	assert_true(failed > 10);
	close_subject(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets),
		cmocka_unit_test(groups),
		cmocka_unit_test(counters_end_as_the_table),
		cmocka_unit_test(memory_runs_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

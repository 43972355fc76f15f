/* Utilization curves: what they promise of themselves, against windows tried one by one; test/truth has Go's values. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "an/mmu.h"
#include "base/alloc.h"
#include "kit.h"

enum { ALL = (1 << WTR_GC_CAUSES) - 1 };

static wtr_mmu *of_trace(const char *name, wtr_mmu_query q)
{
	size_t n;
	uint8_t *data = kit_trace(name, &n);
	wtr_trace *t;
	wtr_mmu *m = NULL;
	assert_int_equal(wtr_open_bytes(data, n, NULL, &t, NULL), WTR_OK);
	assert_int_equal(wtr_mmu_make(t, &q, &m, NULL), WTR_OK);
	wtr_close(t);
	free(data);
	return m;
}

static double sum(const double *lost)
{
	double s = 0;
	for (unsigned c = 0; c < WTR_GC_CAUSES; c++)
		s += lost[c];
	return s;
}

/* A curve by hand: all is left in [0, 10), a half (assist) in [10, 20), nothing (stw) in [20, 25), all until 100. */
static wtr_mmu *by_hand(void)
{
	wtr_mmu *m = wb_calloc(1, sizeof(*m));
	an_useries u = { .end = 100 };
	wb_vec_add(&u.points, (an_upoint){ .t = 0, .util = 1 });
	wb_vec_add(&u.points, (an_upoint){ .t = 10, .util = 0.5, .lost = { [WTR_GC_ASSIST] = 0.5 } });
	wb_vec_add(&u.points, (an_upoint){ .t = 20, .util = 0, .lost = { [WTR_GC_STW] = 1 } });
	wb_vec_add(&u.points, (an_upoint){ .t = 25, .util = 1 });
	wb_vec_add(&m->series, u);
	an_mmu_finish(m, INT64_MIN, INT64_MAX);
	return m;
}

#define assert_near(a, b) assert_true(fabs((a) - (b)) < 1e-9)

static void a_small_curve(void **state)
{
	(void)state;
	wtr_mmu *m = by_hand();
	wtr_mmu_totals t;
	wtr_mmu_get_totals(m, &t);
	assert_near(t.mean, 0.9);
	assert_near(t.lost[WTR_GC_ASSIST], 0.05);
	assert_near(t.lost[WTR_GC_STW], 0.05);
	assert_near(wtr_mmu_at(m, 0), 0);
	assert_near(wtr_mmu_at(m, -1), 0);
	assert_near(wtr_mmu_at(m, 1), 0);
	assert_near(wtr_mmu_at(m, 5), 0);
	assert_near(wtr_mmu_at(m, 10), 0.25);
	assert_near(wtr_mmu_at(m, 15), 5.0 / 15);
	assert_near(wtr_mmu_at(m, 100), 0.9);
	assert_near(wtr_mmu_at(m, 1000), 0.9);
	wtr_mmu_window w[4];
	assert_int_equal(wtr_mmu_worst(m, 10, w, 4), 1); /* the others overlap, or lose nothing */
	assert_int_equal(w[0].start_ns, 15);
	assert_near(w[0].utilization, 0.25);
	assert_near(w[0].lost[WTR_GC_STW], 0.5);
	assert_near(w[0].lost[WTR_GC_ASSIST], 0.25);
	/* windows of 5 that begin in [20, 20]: nothing; of all 95 beginnings, 5 + 65 + 5 see everything */
	static const double q[] = { 0, 0.2, 0.5, 1 };
	double v[4];
	assert_true(wtr_mmu_quantiles(m, 5, q, 4, v));
	assert_near(v[0], 0);
	assert_true(v[1] > 0.5 && v[1] < 1);
	assert_near(v[2], 1);
	assert_near(v[3], 1);
	wtr_mmu_free(m);
}

static void a_part_of_the_time(void **state)
{
	(void)state;
	wtr_mmu *m = by_hand();
	an_useries u = { .end = 100 };
	for (size_t i = 0; i < m->series.at[0].points.n; i++) {
		an_upoint p = m->series.at[0].points.at[i];
		wb_vec_add(&u.points,
			((an_upoint){
				.t = p.t, .util = p.util, .lost = { p.lost[0], p.lost[1], p.lost[2], p.lost[3] } }));
	}
	wtr_mmu_free(m);
	m = wb_calloc(1, sizeof(*m));
	wb_vec_add(&m->series, u);
	an_mmu_finish(m, 15, 30);
	wtr_mmu_totals t;
	wtr_mmu_get_totals(m, &t);
	assert_int_equal(t.length_ns, 15);
	assert_near(t.mean, 7.5 / 15);
	wtr_mmu_free(m);
}

/* Every window that is tried is at least the lowest, and some come near. */
static void windows_one_by_one(void **state)
{
	(void)state;
	static const char *const names[] = { "go1.26-gcheavy", "go1.23-gcheavy", "go1.25-longrun" };
	for (size_t i = 0; i < 6; i++) {
		wtr_mmu *m = of_trace(names[i / 2], (wtr_mmu_query){ .causes = ALL, .per_goroutine = i % 2 });
		wtr_mmu_totals t;
		wtr_mmu_get_totals(m, &t);
		assert_near(t.mean + sum(t.lost), 1);
		double before = 0;
		for (int64_t w = 1000; w < t.length_ns; w *= 4) {
			double least = 1, mmu = wtr_mmu_at(m, w);
			for (size_t s = 0; s < m->series.n; s++) {
				const an_useries *u = &m->series.at[s];
				for (int64_t x = u->points.at[0].t; x + w <= u->end;
					x += (u->end - u->points.at[0].t) / 2000 + 1) {
					double area = 0;
					for (size_t k = 0; k < u->points.n; k++) {
						int64_t from = u->points.at[k].t,
							to = k + 1 < u->points.n ? u->points.at[k + 1].t : u->end;
						from = from > x ? from : x;
						to = to < x + w ? to : x + w;
						area += to > from ? u->points.at[k].util * (double)(to - from) : 0;
					}
					least = area / (double)w < least ? area / (double)w : least;
				}
			}
			assert_true(mmu <= least + 1e-6);
			assert_true(mmu >= 0 && mmu <= 1);
			wtr_mmu_window worst[8];
			size_t n = wtr_mmu_worst(m, w, worst, 8);
			for (size_t k = 0; k < n; k++)
				assert_near(worst[k].utilization + sum(worst[k].lost), 1);
			if (n)
				assert_near(worst[0].utilization, mmu);
			double q[] = { 0, 0.01, 0.5, 1 }, v[4];
			assert_true(wtr_mmu_quantiles(m, w, q, 4, v));
			assert_true(fabs(v[0] - mmu) < 1e-6 && v[0] <= v[1] && v[1] <= v[2] && v[2] <= v[3]);
			before = mmu;
		}
		(void)before;
		wtr_mmu_free(m);
	}
}

static void same_curves(const wtr_mmu *a, const wtr_mmu *b)
{
	wtr_mmu_totals t, u;
	wtr_mmu_get_totals(a, &t);
	wtr_mmu_get_totals(b, &u);
	assert_int_equal(t.series, u.series);
	assert_int_equal(t.points, u.points);
	assert_int_equal(t.length_ns, u.length_ns);
	assert_memory_equal(&t.mean, &u.mean, sizeof(t.mean));
	assert_memory_equal(t.lost, u.lost, sizeof(t.lost));
	for (size_t i = 0; i < t.series; i++) {
		const an_useries *p = &a->series.at[i], *q = &b->series.at[i];
		assert_int_equal(p->end, q->end);
		assert_int_equal(p->points.n, q->points.n);
		assert_memory_equal(p->points.at, q->points.at, p->points.n * sizeof(p->points.at[0]));
	}
}

/* To the last bit. */
static void parts_of_the_whole_are_those_of_a_pass(void **state)
{
	(void)state;
	static const char *const names[] = { "go1.21-gcheavy", "go1.26-gcheavy", "go1.26-procs", "go1.27-sysio-gens",
		"go1.26-httpload-bad3" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (unsigned k = 0; k < 12; k++) {
			wtr_mmu_query q = { .causes = k % 3 ? ALL : 7, .per_goroutine = k & 1 };
			wtr_mmu *whole = of_trace(names[i], q), *cut;
			int64_t start = whole->series.n ? whole->series.at[0].points.at[0].t : 0;
			int64_t all = whole->series.n ? whole->series.at[0].end - start : 1;
			q.ranged = true;
			q.from_ns = start - 10 + all * (k * 37 % 11) / 11;
			q.to_ns = q.from_ns + (all >> (k * 5 % 7)) + 1;
			wtr_mmu *read = of_trace(names[i], q);
			assert_int_equal(wtr_mmu_within(whole, q.from_ns, q.to_ns, &cut, NULL), WTR_OK);
			same_curves(read, cut);
			wtr_mmu_free(whole);
			wtr_mmu_free(read);
			wtr_mmu_free(cut);
		}
}

/* A worker counts while it runs: the curve comes back up after a collection, which Go's does not. */
static void workers_stop(void **state)
{
	(void)state;
	wtr_mmu_totals right, go;
	wtr_mmu_query q = { .causes = 1u << WTR_GC_BACKGROUND };
	wtr_mmu *m = of_trace("go1.26-gcheavy", q);
	wtr_mmu_get_totals(m, &right);
	wtr_mmu_free(m);
	q.as_go = true;
	m = of_trace("go1.26-gcheavy", q);
	wtr_mmu_get_totals(m, &go);
	wtr_mmu_free(m);
	assert_true(right.mean > 0.3 && right.mean > go.mean + 0.05);
}

static void memory_runs_out(void **state)
{
	(void)state;
	size_t n, failed = 0;
	uint8_t *data = kit_trace("go1.26-hello", &n);
	for (uint64_t nth = 1;; nth++) {
		wtr_trace *t;
		wtr_mmu *m = NULL;
		assert_int_equal(wtr_open_bytes(data, n, &(wtr_options){ .threads = 1 }, &t, NULL), WTR_OK);
		wb_fault_arm(nth, true);
		uint64_t before = wb_fault_count();
		wtr_code rc = wtr_mmu_make(t, &(wtr_mmu_query){ .causes = ALL }, &m, NULL);
		uint64_t asked = wb_fault_count() - before;
		wb_fault_arm(0, false);
		wtr_mmu_free(m);
		wtr_close(t);
		if (asked < nth)
			break;
		assert_true(rc == WTR_E_NOMEM || rc == WTR_OK);
		failed += rc == WTR_E_NOMEM;
	}
	assert_true(failed > 5);
	free(data);
}

static void memory_runs_out_for_a_part(void **state)
{
	(void)state;
	wtr_mmu *whole = of_trace("go1.26-gcheavy", (wtr_mmu_query){ .causes = ALL, .per_goroutine = true }), *cut;
	for (uint64_t nth = 1, asked = 1; asked; nth++) {
		uint64_t before = wb_fault_count();
		cut = NULL;
		wb_fault_arm(nth, true);
		wtr_code rc = wtr_mmu_within(whole, INT64_MIN, INT64_MAX, &cut, NULL);
		asked = wb_fault_count() - before >= nth;
		wb_fault_arm(0, false);
		assert_int_equal(rc, asked ? WTR_E_NOMEM : WTR_OK);
		wtr_mmu_free(cut);
	}
	wtr_mmu_free(whole);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_curve),
		cmocka_unit_test(a_part_of_the_time),
		cmocka_unit_test(windows_one_by_one),
		cmocka_unit_test(parts_of_the_whole_are_those_of_a_pass),
		cmocka_unit_test(workers_stop),
		cmocka_unit_test(memory_runs_out),
		cmocka_unit_test(memory_runs_out_for_a_part),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

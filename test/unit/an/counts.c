/* Goroutines by class over time, and groups as lanes, against counting spans one by one. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "made.h"

enum { N = 300 };

static unsigned group_of(const wtr_index *x, unsigned g)
{
	return ((const wtr_goroutine_row *)x->tables[WTR_TABLE_GOROUTINES].rows)[g].group;
}

/* goroutines x ns per step and class */
static void plain(const made *k, const wtr_index *x, int64_t group, int64_t t0, int64_t step, size_t n, double *ret)
{
	memset(ret, 0, n * 9 * sizeof(*ret));
	for (unsigned g = 0; g < k->n_g; g++) {
		if (group >= 0 && group_of(x, g) != group)
			continue;
		for (size_t i = 0; i < k->g[g].n; i++) {
			const made_span *s = &k->g[g].at[i];
			if (!s->cls)
				continue;
			for (size_t j = 0; j < n; j++) {
				int64_t a = t0 + (int64_t)j * step, b = a + step;
				a = a < s->from ? s->from : a;
				b = b > s->to ? s->to : b;
				if (a < b)
					ret[j * 9 + s->cls] += (double)(b - a);
			}
		}
	}
}

static size_t size_of(const made *k, const wtr_index *x, int64_t group)
{
	size_t n = 0;
	for (unsigned g = 0; g < k->n_g; g++)
		n += group < 0 || group_of(x, g) == group;
	return n;
}

static void check_counts(
	const made *k, const wtr_index *x, int64_t group, int64_t t0, int64_t step, size_t n, double tolerance)
{
	static float got[N * 9];
	static double want[N * 9];
	assert_true(wtr_counts(x, group, t0, step, n, got));
	plain(k, x, group, t0, step, n, want);
	double all = (double)size_of(k, x, group);
	for (size_t j = 0; j < n; j++) {
		double there = 0;
		for (unsigned c = 1; c < 9; c++) {
			double w = want[j * 9 + c] / (double)step;
			there += (double)got[j * 9 + c];
			if (fabs(w - (double)got[j * 9 + c]) > tolerance)
				fail_msg("group %d step %zu class %u: %g, not %g (t0 %+lld, step %lld)", (int)group, j,
					c, (double)got[j * 9 + c], w, (long long)(t0 - k->start), (long long)step);
		}
		assert_true(fabs(all - there - (double)got[j * 9]) < 1e-2 || (there >= all && got[j * 9] == 0));
	}
}

/* Few goroutines and spans: exact, at any time and step, also around the ends of the trace. */
static void small_ones_are_exact(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed < 6; seed++) {
		made *k = made_run(seed, 700, 60, 100);
		wtr_index *x = made_index(k, 64);
		assert_non_null(x);
		for (int64_t group = -1; group < 4; group++)
			for (unsigned i = 0; i < 12; i++) {
				int64_t step =
					1 + (int64_t)(made_random() % (uint64_t)((k->end - k->start) / N + 1000));
				if (x->lanes->all.k >= 63 || step >= INT64_C(1) << 10)
					step = 1 + step % 1000; /* finer than any row: the lanes answer */
				int64_t t0 = k->start - 5000 +
					     (int64_t)(made_random() % (uint64_t)(k->end - k->start + 5000));
				check_counts(k, x, group, t0, step, N, 1e-3);
			}
		made_index_free(x);
		made_free(k);
	}
}

/* Many: exact at the rows of the census, also for those that were there before or got their name late. */
static void large_ones_are_exact_at_rows(void **state)
{
	(void)state;
	made *k = made_run(50, 60000, 400, 100);
	wtr_index *x = made_index(k, 1024);
	assert_non_null(x);
	for (int64_t group = -1; group < 4; group++) {
		unsigned at = x->lanes->all.k;
		for (size_t i = 0; i < x->lanes->groups.n; i++)
			at = x->lanes->groups.at[i].census.k > at ? x->lanes->groups.at[i].census.k : at;
		for (unsigned i = 0; i < 3; i++) {
			int64_t step = INT64_C(1) << (at + i);
			check_counts(k, x, group, k->start, step, N, 1e-3);
			check_counts(k, x, group, k->start - 3 * step, step, N, 1e-3);
		}
	}
	made_index_free(x);
	made_free(k);
}

/* Between rows the census is not far off: no step shows more than its surroundings have. */
static void between_rows_nothing_is_lost(void **state)
{
	(void)state;
	static float fine[N * 9], coarse[9];
	made *k = made_run(51, 60000, 400, 100);
	wtr_index *x = made_index(k, 1024);
	assert_non_null(x);
	for (unsigned i = 0; i < 20; i++) {
		int64_t row = INT64_C(1) << x->lanes->all.k,
			t0 = k->start + (int64_t)(made_random() % (uint64_t)((k->end - k->start) / row)) * row;
		assert_true(wtr_counts(x, -1, t0, row / 8, 8, fine));
		assert_true(wtr_counts(x, -1, t0, row, 1, coarse));
		for (unsigned c = 1; c < 9; c++) {
			double sum = 0;
			for (unsigned j = 0; j < 8; j++)
				sum += (double)fine[j * 9 + c] / 8;
			assert_true(fabs(sum - (double)coarse[c]) < 1e-2);
		}
	}
	made_index_free(x);
	made_free(k);
}

/* A group as a lane: runs from edge to edge whose shares are those of its goroutines. */
static void groups_are_lanes(void **state)
{
	(void)state;
	static wtr_run runs[1000];
	for (unsigned seed = 60; seed < 64; seed++) {
		made *k = made_run(seed, seed % 2 ? 1500 : 40000, seed % 2 ? 50 : 400, 100);
		wtr_index *x = made_index(k, 1024);
		assert_non_null(x);
		for (int64_t group = 0; group < 4; group++)
			for (unsigned zoom = 0; zoom < 30; zoom++) {
				int64_t t0 = k->start - 100 + (int64_t)(made_random() % (uint64_t)(k->end - k->start));
				unsigned width = 512;
				size_t n =
					wtr_tile(x, (wtr_lane){ WTR_LANE_GROUP, group }, t0, zoom, width, runs, 1000);
				assert_true(n <= width / 2 + 2);
				double got = 0, all = (double)size_of(k, x, group);
				for (size_t i = 0; i < n; i++) {
					assert_true(runs[i].x0 < runs[i].x1 && runs[i].x0 >= 0 &&
						    runs[i].x1 <= (float)width + 2);
					assert_true(i == 0 || runs[i].x0 >= runs[i - 1].x1);
					assert_int_equal(runs[i].kind, WTR_RUN_BLENDED);
					got += (double)runs[i].share[WTR_CLASS_RUNNING - 1] / 255 *
					       (double)(runs[i].x1 - runs[i].x0);
				}
				double want[9];
				plain(k, x, group, t0, (int64_t)width << zoom, 1, want);
				double px = want[WTR_CLASS_RUNNING] / (double)(INT64_C(1) << zoom) / all;
				if (x->lanes->census_of[group] == AN_NO) {
					assert_int_equal(n, 0); /* nobody in it */
					continue;
				}
				unsigned row = x->lanes->groups.at[x->lanes->census_of[group]].census.k;
				double rows = row > zoom ? ldexp(2, (int)(row - zoom))
							 : 2; /* a row at each edge is cut in proportion */
				if (zoom + 9 > row)
					assert_true(fabs(px - got) < width * 1.0 / 255 + rows);
			}
		made_index_free(x);
		made_free(k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_ones_are_exact),
		cmocka_unit_test(large_ones_are_exact_at_rows),
		cmocka_unit_test(between_rows_nothing_is_lost),
		cmocka_unit_test(groups_are_lanes),
	};
	return cmocka_run_group_tests_name("an/counts", tests, NULL, NULL);
}

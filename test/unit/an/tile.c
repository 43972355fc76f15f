/* Tiles against the plain way: going over all spans. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "made.h"

enum { RUNS_MAX = 4000 };

/* Spans of a lane as they are drawn; a thread's are those of the procs that it held. */
static void expand(const made *k, const made_lane *truth, made_lane *ret)
{
	for (size_t i = 0; i < truth->n; i++) {
		made_span s = truth->at[i];
		if (s.cls != 255) {
			assert_true(wb_vec_add(ret, s));
			continue;
		}
		const made_lane *p = &k->p[s.p];
		for (size_t j = 0; j < p->n; j++) {
			made_span part = p->at[j];
			part.from = part.from < s.from ? s.from : part.from;
			part.to = part.to > s.to ? s.to : part.to;
			if (part.from < part.to)
				assert_true(wb_vec_add(ret, part));
		}
	}
}

typedef struct tile {
	const made *k;
	wtr_lane lane;
	int64_t  t0;
	unsigned zoom, width;
	const wtr_run *run;
	size_t   n;
} tile;

static double px(const tile *t, int64_t at) { return (double)(at - t->t0) / (double)(INT64_C(1) << t->zoom); }

/* Every span of two pixels and more has its own run, and it is right. */
static void wide_ones_are_exact(const tile *t, const made_lane *spans, const wtr_index *x)
{
	size_t r = 0;
	for (size_t i = 0; i < spans->n; i++) {
		const made_span *s = &spans->at[i];
		double x0 = px(t, s->from), x1 = px(t, s->to);
		if (!s->cls || x1 - x0 < 2 || x1 <= 0 || x0 >= t->width || s->from >= s->to)
			continue;
		while (r < t->n &&
			(t->run[r].kind != WTR_RUN_EXACT || fabs(t->run[r].x0 - x0) > 1e-3 + fabs(x0) * 1e-6 ||
				fabs(t->run[r].x1 - x1) > 1e-3 + fabs(x1) * 1e-6))
			r++;
		if (r == t->n)
			fail_msg("no run %g to %g (kind %d, zoom %u)", x0, x1, (int)t->lane.kind, t->zoom);
		const wtr_run *run = &t->run[r];
		assert_int_equal(run->cls, s->cls);
		assert_int_equal(run->count, 1);
		assert_int_equal(run->share[s->cls - 1], 255);
		assert_int_equal(run->flags >> 1, s->to == t->k->end);
		assert_int_equal(run->flags & 1, s->open);
		if (t->lane.kind == WTR_LANE_PROC || t->lane.kind == WTR_LANE_THREAD) {
			const wtr_goroutine_row *rows = x->tables[WTR_TABLE_GOROUTINES].rows;
			assert_int_equal(rows[run->ref].id, s->g);
		}
	}
}

/* In order, not overlapping, few; and what is narrower than two pixels stands alone. */
static void runs_are_few(const tile *t, const made_lane *spans)
{
	(void)spans;
	assert_true(t->n <= t->width + 2);
	for (size_t i = 0; i < t->n; i++) {
		const wtr_run *a = &t->run[i];
		assert_true(a->x0 <= a->x1);
		assert_true(a->cls > 0 && a->cls < WTR_CLASS_COUNT);
		assert_true(a->count > 0);
		if (a->kind == WTR_RUN_EXACT)
			assert_int_equal(a->count, 1);
		unsigned present = 0;
		for (unsigned c = 0; c < 8; c++)
			present += a->share[c] > 0;
		if (a->kind != WTR_RUN_BLENDED)
			assert_int_equal(present, 1);
		else
			assert_true(present > 1);
		if (i + 1 == t->n)
			break;
		const wtr_run *b = &t->run[i + 1];
		assert_true(b->x0 >= a->x1 - 1e-3f - fabsf(a->x1) * 1e-6f);
		/* narrow ones have something wide behind them: at most one run for every two pixels, and one more
		 * between wide ones */
		if (a->x1 - a->x0 < 1.999f)
			assert_true(b->x1 - b->x0 >= 1.999f || b->x0 - a->x1 >= 1.999f || a->x0 < 2 ||
				    b->x1 > (float)t->width - 2);
	}
}

/* The sum per class is that of the spans; what summaries round away is little. */
static void shares_add_up(const tile *t, const made_lane *spans, bool exact)
{
	double want[9] = { 0 }, got[9] = { 0 };
	for (size_t i = 0; i < spans->n; i++) {
		double x0 = px(t, spans->at[i].from), x1 = px(t, spans->at[i].to);
		x0 = x0 < 0 ? 0 : x0;
		x1 = x1 > t->width ? t->width : x1;
		if (x1 > x0)
			want[spans->at[i].cls] += x1 - x0;
	}
	for (size_t i = 0; i < t->n; i++) {
		double x0 = t->run[i].x0 < 0 ? 0 : (double)t->run[i].x0,
		       x1 = t->run[i].x1 > (float)t->width ? t->width : (double)t->run[i].x1;
		for (unsigned c = 0; c < 8; c++)
			got[c + 1] += t->run[i].share[c] / 255.0 * (x1 - x0);
	}
	/* a block's summary, then the run's share: half of 1/255 each; blocks cut by the tile's edges count in
	 * proportion */
	double tolerance = t->width * 1.3 / 255 + 4 + (exact ? 0 : t->width * 0.02);
	for (unsigned c = 1; c < 9; c++)
		if (fabs(want[c] - got[c]) > tolerance)
			fail_msg("class %u: %g px, not %g (kind %d, zoom %u, %zu runs)", c, got[c], want[c],
				(int)t->lane.kind, t->zoom, t->n);
}

static void check_tiles(const made *k, const wtr_index *x, unsigned tiles)
{
	static wtr_run runs[RUNS_MAX];
	wtr_lane lane;
	const made_lane *truth;
	for (size_t i = 0; made_lane_at(k, i, &lane, &truth); i++) {
		if (!truth->n)
			continue;
		made_lane spans = { 0 };
		expand(k, truth, &spans);
		for (unsigned j = 0; j < tiles; j++) {
			unsigned top = 1;
			while (INT64_C(1) << top < k->end - k->start)
				top++;
			tile t = { .k = k,
				.lane = lane,
				.zoom = (unsigned)(made_random() % (top + 1)),
				.width = 1 + (unsigned)(made_random() % 1920) };
			t.t0 = k->start - 1000 + (int64_t)(made_random() % (uint64_t)(k->end - k->start + 2000));
			if (made_random() % 4 == 0)
				t.t0 = k->start;
			an_cost cost = { 0 };
			t.n = an_tile(x, lane, t.t0, t.zoom, t.width, runs, RUNS_MAX, &cost);
			t.run = runs;
			if (t.n > RUNS_MAX)
				fail_msg("%zu runs in %u px", t.n, t.width);
			runs_are_few(&t, &spans);
			/* A thread's stay on a proc of less than two pixels is drawn as the mean of its neighbours'. */
			bool exact = lane.kind != WTR_LANE_THREAD;
			if (exact)
				wide_ones_are_exact(&t, &spans, x);
			shares_add_up(&t, &spans, exact);
			/* Opened is only what is wider than two pixels, and the path to the edges. */
			assert_true(cost.nodes + cost.spans <= 40u * t.width + 2000);
			/* Less room: the same, cut off. */
			wtr_run few[3];
			assert_int_equal(wtr_tile(x, lane, t.t0, t.zoom, t.width, few, 3), t.n);
			assert_memory_equal(few, runs, (t.n < 3 ? t.n : 3) * sizeof(*runs));
		}
		wb_vec_free(&spans);
	}
}

static void tiles_are_what_the_spans_are(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 8; seed++) {
		made *k = made_run(seed, 500 * seed * seed, 10 + 40 * seed, seed % 3 ? 100 : 30000);
		wtr_index *x = made_index(k, 1024);
		assert_non_null(x);
		check_tiles(k, x, 30);
		made_index_free(x);
		made_free(k);
	}
}

static void long_strips_too(void **state)
{
	(void)state;
	made *k = made_run(77, 300000, 10, 60);
	wtr_index *x = made_index(k, 1024);
	assert_non_null(x);
	assert_non_null(x->lanes->ps.at[0]->strip.tree);
	check_tiles(k, x, 150);
	made_index_free(x);
	made_free(k);
}

/* A span, hand-made: 3 goroutines, times easy to read. */
static void a_small_lane(void **state)
{
	(void)state;
	made k = { .start = 1000, .n_g = 1 };
	wtr_event ev[] = {
		{ .time_ns = 1000, .m = -1, .p = -1, .g = -1, .kind = WTR_KIND_SYNC },
		{ .time_ns = 1010,
			.m = 5,
			.p = 0,
			.g = -1,
			.id = 1,
			.kind = WTR_KIND_STATE_TRANSITION,
			.resource = WTR_RES_GOROUTINE,
			.detail = WTR_G_UNDETERMINED << 4 | WTR_G_RUNNING },
		{ .time_ns = 1100,
			.m = 5,
			.p = 0,
			.g = 1,
			.id = 1,
			.kind = WTR_KIND_STATE_TRANSITION,
			.resource = WTR_RES_GOROUTINE,
			.detail = WTR_G_RUNNING << 4 | WTR_G_WAITING,
			.str = 2 },
		{ .time_ns = 1101,
			.m = -1,
			.p = -1,
			.g = -1,
			.id = 1,
			.kind = WTR_KIND_STATE_TRANSITION,
			.resource = WTR_RES_GOROUTINE,
			.detail = WTR_G_WAITING << 4 | WTR_G_RUNNABLE },
		{ .time_ns = 1102,
			.m = 5,
			.p = 0,
			.g = -1,
			.id = 1,
			.kind = WTR_KIND_STATE_TRANSITION,
			.resource = WTR_RES_GOROUTINE,
			.detail = WTR_G_RUNNABLE << 4 | WTR_G_RUNNING },
		{ .time_ns = 1200,
			.m = 5,
			.p = 0,
			.g = 1,
			.id = 1,
			.kind = WTR_KIND_STATE_TRANSITION,
			.resource = WTR_RES_GOROUTINE,
			.detail = WTR_G_RUNNING << 4 | WTR_G_NOTEXIST },
		{ .time_ns = 1300, .m = -1, .p = -1, .g = -1, .kind = WTR_KIND_SYNC },
	};
	for (size_t i = 0; i < sizeof(ev) / sizeof(*ev); i++)
		assert_true(wb_vec_add(&k.ev, ev[i]));
	assert_true(wb_vec_add(&k.g[0], (made_span){ .from = 1000 }));
	k.end = 1300;
	wtr_index *x = made_index(&k, 10);
	assert_non_null(x);
	wtr_run r[10];
	wtr_lane g = { WTR_LANE_GOROUTINE, 1 }, p = { WTR_LANE_PROC, 0 };

	/* 1 ns a pixel: all is exact but the two spans of 1 ns, together: one run of 2 px. */
	assert_int_equal(wtr_tile(x, g, 1000, 0, 512, r, 10), 3);
	assert_true(r[0].kind == WTR_RUN_EXACT && r[0].cls == WTR_CLASS_RUNNING && r[0].x0 == 0 && r[0].x1 == 100 &&
		    r[0].flags == 1);
	assert_true(r[1].kind == WTR_RUN_BLENDED && r[1].count == 2 && r[1].x0 == 100 && r[1].x1 == 102);
	assert_int_equal(r[1].share[WTR_CLASS_LOCK - 1], 128);
	assert_int_equal(r[1].share[WTR_CLASS_RUNNABLE - 1], 128);
	assert_true(r[2].kind == WTR_RUN_EXACT && r[2].x1 == 200 && r[2].flags == 0);

	/* 64 ns a pixel: the first and the last 100 ns are narrower than 2 px; one run, and the goroutine's end is a
	 * gap. */
	assert_int_equal(wtr_tile(x, g, 1000, 6, 512, r, 10), 1);
	assert_true(r[0].kind == WTR_RUN_BLENDED && r[0].count == 4 && r[0].cls == WTR_CLASS_RUNNING &&
		    r[0].x1 == 200.0f / 64);

	/* The proc, from the middle on: the gap of 2 ns stays one at 1 ns a pixel. */
	assert_int_equal(wtr_tile(x, p, 1050, 0, 512, r, 10), 2);
	assert_true(r[0].x0 == -50 && r[0].x1 == 50 && r[0].ref == 0 && r[0].flags == 1);
	assert_true(r[1].x0 == 52 && r[1].x1 == 150);

	/* At 32 ns a pixel both are wider than 2 px, and exact. */
	assert_int_equal(wtr_tile(x, p, 1000, 5, 512, r, 10), 2);
	assert_true(r[0].kind == WTR_RUN_EXACT && r[1].kind == WTR_RUN_EXACT && r[1].x0 == 102.0f / 32);

	/* Outside, and too far out. */
	assert_int_equal(wtr_tile(x, g, 1300, 0, 512, r, 10), 0);
	assert_int_equal(wtr_tile(x, g, 1000 - 512, 0, 512, r, 10), 0);
	assert_int_equal(wtr_tile(x, g, INT64_MIN, 50, 512, r, 10), 0);
	assert_int_equal(wtr_tile(x, g, 1000, 51, 512, r, 10), 0);
	assert_int_equal(wtr_tile(x, g, 0, 50, UINT32_MAX, r, 10), 1);
	assert_int_equal(wtr_tile(x, (wtr_lane){ WTR_LANE_GOROUTINE, 2 }, 1000, 0, 512, r, 10), 0);
	made_index_free(x);
	wb_vec_free(&k.ev);
	wb_vec_free(&k.g[0]);
}

/* A run is marked when, and only when, something rare is in it. */
static void rare_things_are_marked(void **state)
{
	(void)state;
	static wtr_run runs[RUNS_MAX];
	made *k = made_run(21, 20000, 30, 100);
	wtr_index *x = made_index(k, 1024);
	assert_non_null(x);
	size_t logs = 0, assists = 0;
	for (unsigned g = 0; g < k->n_g; g++)
		for (unsigned zoom = 0; zoom < 16; zoom += 3) {
			const int64_t *near_to = k->logs[g].n && zoom % 2 ? k->logs[g].at : &k->start;
			size_t n_near = k->logs[g].n && zoom % 2 ? k->logs[g].n : 1;
			int64_t t0 =
				near_to[made_random() % n_near] - (int64_t)(made_random() % (UINT64_C(512) << zoom));
			size_t n = wtr_tile(x, (wtr_lane){ WTR_LANE_GOROUTINE, g + 1 }, t0, zoom, 512, runs, RUNS_MAX);
			for (size_t r = 0; r < n; r++) {
				double a = (double)runs[r].x0 * (double)(1 << zoom) + (double)t0,
				       b = (double)runs[r].x1 * (double)(1 << zoom) + (double)t0;
				bool log = false, assist = false,
				     near = false; /* near: at the very edge, where rounding decides */
				for (size_t i = 0; i < k->logs[g].n; i++) {
					double at = (double)k->logs[g].at[i];
					log |= at >= a && at < b;
					near |= fabs(at - a) < 2 || fabs(at - b) < 2;
				}
				for (size_t i = 0; i < k->assists[g].n; i += 2) {
					double from = (double)k->assists[g].at[i],
					       to = i + 1 < k->assists[g].n ? (double)k->assists[g].at[i + 1] : 1e300;
					assist |= from < b && to > a;
					near |= fabs(from - b) < 2 || fabs(to - a) < 2 || fabs(from - a) < 2 ||
						fabs(to - b) < 2;
				}
				if (near || fabs(a) > 1e12)
					continue;
				assert_int_equal((runs[r].marks & WTR_MARK_LOG) != 0, log);
				assert_int_equal((runs[r].marks & WTR_MARK_ASSIST) != 0, assist);
				logs += log;
				assists += assist;
			}
		}
	if (logs <= 50 || assists <= 50)
		fail_msg("only %zu runs with logs, %zu with assists", logs, assists);
	made_index_free(x);
	made_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_lane),
		cmocka_unit_test(tiles_are_what_the_spans_are),
		cmocka_unit_test(long_strips_too),
		cmocka_unit_test(rare_things_are_marked),
	};
	return cmocka_run_group_tests_name("an/tile", tests, NULL, NULL);
}

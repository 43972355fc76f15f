/* Lanes show what happened: every span of every lane, walked from end to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "made.h"

/* A thread's spans: its own, and while it holds a proc those of the proc.  NONE ones are left out, as walking does. */
static void expand(const made *k, const made_lane *truth, wtr_lane_kind kind, made_lane *ret)
{
	for (size_t i = 0; i < truth->n; i++) {
		made_span s = truth->at[i];
		if (kind != WTR_LANE_THREAD || s.cls != 255) {
			if (s.cls && s.from < s.to)
				assert_true(wb_vec_add(ret, s));
			continue;
		}
		const made_lane *p = &k->p[s.p];
		for (size_t j = 0; j < p->n; j++) {
			made_span part = p->at[j];
			part.open = part.open && s.open;
			part.from = part.from < s.from ? s.from : part.from;
			part.to = part.to > s.to ? s.to : part.to;
			if (part.cls && part.from < part.to)
				assert_true(wb_vec_add(ret, part));
		}
	}
}

static void same(const made *k, wtr_lane lane, const made_span *want, const wtr_span *got)
{
	assert_int_equal(got->start_ns, want->from);
	assert_int_equal(got->end_ns, want->to);
	assert_int_equal(got->cls, want->cls);
	assert_int_equal(got->state, want->state);
	assert_int_equal(got->open_start, want->open);
	assert_int_equal(got->open_end, want->to == k->end);
	assert_int_equal(got->g, want->g);
	if (lane.kind == WTR_LANE_PROC || lane.kind == WTR_LANE_THREAD)
		return;
	assert_int_equal(got->p, want->p);
	assert_int_equal(got->m, want->m);
	assert_int_equal(got->reason.n, strlen(want->reason));
	assert_memory_equal(got->reason.at, want->reason, got->reason.n);
	if (lane.kind != WTR_LANE_GOROUTINE)
		return;
	if (want->stack)
		assert_int_equal(got->stack, want->stack);
	assert_int_equal(got->waker, want->waker);
	assert_int_equal(got->waker_p, want->waker_p);
	assert_int_equal(got->waker_stack, want->waker_stack);
}

/* By time, forwards by steps, backwards by steps. */
static void walk(const made *k, const wtr_index *x, wtr_lane lane, const made_lane *truth)
{
	made_lane want = { 0 };
	expand(k, truth, lane.kind, &want);
	wtr_span got;
	int64_t t = k->start - 5;
	for (size_t i = 0; i < want.n; i++) {
		const made_span *w = &want.at[i];
		assert_true(wtr_span_step(x, lane, t, 1, &got));
		same(k, lane, w, &got);
		assert_true(wtr_span_at(x, lane, w->from, &got));
		same(k, lane, w, &got);
		assert_true(wtr_span_at(x, lane, w->to - 1, &got));
		same(k, lane, w, &got);
		bool gap = i + 1 == want.n || want.at[i + 1].from > w->to;
		if (gap)
			assert_false(wtr_span_at(x, lane, w->to, &got));
		t = w->from;
	}
	assert_false(wtr_span_step(x, lane, want.n ? t : k->start, 1, &got));
	t = k->end + 5;
	for (size_t i = want.n; i-- > 0; t = want.at[i].from) {
		assert_true(wtr_span_step(x, lane, t, -1, &got));
		same(k, lane, &want.at[i], &got);
	}
	assert_false(wtr_span_step(x, lane, t, -1, &got));
	assert_false(wtr_span_at(x, lane, k->start - 1, &got));
	assert_false(wtr_span_at(x, lane, k->end, &got));
	wb_vec_free(&want);
}

static void check_all(unsigned seed, size_t steps, unsigned max_g, int64_t pace, size_t batch)
{
	made *k = made_run(seed, steps, max_g, pace);
	wtr_index *x = made_index(k, batch);
	assert_non_null(x);
	wtr_lane lane;
	const made_lane *truth;
	for (size_t i = 0; made_lane_at(k, i, &lane, &truth); i++)
		walk(k, x, lane, truth);
	made_index_free(x);
	made_free(k);
}

static void every_span_is_there(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 12; seed++)
		check_all(seed, 400 * seed, 10 + 30 * seed, seed % 3 ? 100 : 20000, seed % 2 ? 1 : 1024);
	check_all(99, 60000, 12, 50, 777); /* long strips with trees */
	check_all(100, 60000, 400, 3000, 1024);
}

/* A strip covers all from its first span to the end of the trace without a gap, and its sums are those of its spans. */
static void strips_are_gapless(void **state)
{
	(void)state;
	made *k = made_run(5, 20000, 40, 200);
	wtr_index *x = made_index(k, 1024);
	assert_non_null(x);
	const an_lanes *l = x->lanes;
	for (uint32_t i = 0; i < l->n_g; i++) {
		const an_strip *s = &an_g_at(l, i)->strip;
		const made_lane *truth = &k->g[an_g_at(l, i)->id - 1];
		int64_t want[WTR_G_COUNT] = { 0 }, got[WTR_G_COUNT] = { 0 };
		for (size_t j = 0; j < truth->n; j++)
			want[truth->at[j].state] += truth->at[j].to - truth->at[j].from;
		an_place p;
		assert_true(an_strip_find(&l->store, s, s->first->start, &p));
		uint64_t at = p.start;
		size_t n = 0;
		do {
			assert_int_equal(p.start, at);
			got[l->dict.whats.at[p.what].state] += (int64_t)(p.end - p.start);
			at = p.end;
			n++;
		} while (an_strip_next(&l->store, &p));
		assert_int_equal(at, k->end - k->start);
		assert_int_equal(n, truth->n);
		assert_int_equal(n, s->n);
		assert_memory_equal(got, want, sizeof(got));
	}
	made_index_free(x);
	made_free(k);
}

/* A goroutine that has not run since still has the stack it had when it blocked. */
static void stacks_last_until_it_runs(void **state)
{
	(void)state;
	made *k = made_run(7, 5000, 30, 100);
	wtr_index *x = made_index(k, 1024);
	assert_non_null(x);
	size_t seen = 0;
	for (unsigned g = 0; g < k->n_g; g++)
		for (size_t i = 1; i < k->g[g].n; i++) {
			const made_span *s = &k->g[g].at[i], *before = s - 1;
			if (before->state != WTR_G_WAITING || s->state != WTR_G_RUNNABLE || !before->stack)
				continue;
			wtr_span got;
			assert_true(wtr_span_at(x, (wtr_lane){ WTR_LANE_GOROUTINE, g + 1 }, s->from, &got));
			assert_int_equal(got.stack, before->stack);
			seen++;
		}
	assert_true(seen > 100);
	made_index_free(x);
	made_free(k);
}

static void order_is_by_group_then_creation(void **state)
{
	(void)state;
	made *k = made_run(8, 4000, 200, 100);
	wtr_index *x = made_index(k, 1024);
	assert_non_null(x);
	const wtr_goroutine_row *rows = x->tables[WTR_TABLE_GOROUTINES].rows;
	bool seen[MADE_G] = { false };
	size_t all = 0;
	for (uint32_t group = 0; group < 4; group++) {
		uint32_t part[7];
		int64_t last = INT64_MIN;
		size_t n;
		for (size_t first = 0; (n = wtr_group_goroutines(x, group, first, part, 7)) != 0; first += n)
			for (size_t i = 0; i < n; i++, all++) {
				assert_int_equal(rows[part[i]].group, group);
				assert_true(rows[part[i]].create_ns >= last);
				last = rows[part[i]].create_ns;
				assert_false(seen[part[i]]);
				seen[part[i]] = true;
			}
	}
	assert_int_equal(all, k->n_g);
	uint32_t none;
	assert_int_equal(wtr_group_goroutines(x, 4, 0, &none, 1), 0);
	made_index_free(x);
	made_free(k);
}

/* A goroutine found running has run since the trace began, but the thread that came to its proc later shows only its
 * part. */
static void a_thread_shows_what_it_held(void **state)
{
	(void)state;
	made *k = wb_calloc(1, sizeof(*k));
	assert_non_null(k);
	k->n_g = 1;
	assert_true(wb_vec_add(&k->g[0], (made_span){ .to = 1000 }));
	const struct {
		int64_t t, p, g;
		uint8_t resource, from, to;
	} steps[] = {
		{ 0, 1, WTR_NONE, WTR_RES_PROC, WTR_P_UNDETERMINED, WTR_P_RUNNING },
		{ 10, 1, WTR_NONE, WTR_RES_PROC, WTR_P_RUNNING, WTR_P_IDLE },
		{ 900, 0, WTR_NONE, WTR_RES_PROC, WTR_P_UNDETERMINED, WTR_P_RUNNING },
		{ 900, 0, 1, WTR_RES_GOROUTINE, WTR_G_UNDETERMINED, WTR_G_RUNNING },
		{ 1000, 0, 1, WTR_RES_GOROUTINE, WTR_G_RUNNING, WTR_G_RUNNABLE },
	};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		assert_true(
			wb_vec_add(&k->ev, (wtr_event){ .time_ns = steps[i].t,
						   .m = 100,
						   .p = steps[i].p,
						   .g = steps[i].g,
						   .id = steps[i].resource == WTR_RES_PROC ? steps[i].p : steps[i].g,
						   .kind = WTR_KIND_STATE_TRANSITION,
						   .resource = steps[i].resource,
						   .detail = (uint8_t)(steps[i].from << 4 | steps[i].to) }));
	k->end = 1000;
	wtr_index *x = made_index(k, 1);
	assert_non_null(x);
	assert_int_equal(x->lanes->ms.n, 1);
	const an_strip *s = &x->lanes->ms.at[0]->strip;
	assert_int_equal(s->first->n, 1);
	assert_int_equal(an_block_at(s->first, 0)->share[WTR_CLASS_RUNNING - 1], 26); /* 100 of 1000 ns, in 255ths */
	made_index_free(x);
	made_free(k);
}

/* Things that are not there. */
static void nothing_is_nothing(void **state)
{
	(void)state;
	wtr_index empty = { 0 };
	wtr_span span;
	wtr_run run;
	float counts[WTR_CLASS_COUNT];
	uint32_t row;
	wtr_lane lane = { WTR_LANE_GOROUTINE, 1 };
	assert_false(wtr_span_at(&empty, lane, 0, &span));
	assert_false(wtr_span_step(&empty, lane, 0, 1, &span));
	assert_int_equal(wtr_tile(&empty, lane, 0, 3, 512, &run, 1), 0);
	assert_false(wtr_counts(&empty, -1, 0, 1, 1, counts));
	assert_int_equal(wtr_group_goroutines(&empty, 0, 0, &row, 1), 0);

	made none = { 0 };
	none.n_g = 0;
	wtr_index *x = made_index(&none, 1); /* a trace without events */
	assert_non_null(x);
	for (unsigned kind = 0; kind <= WTR_LANE_KIND_COUNT; kind++)
		for (int64_t id = -1; id < 2; id++) {
			lane = (wtr_lane){ (wtr_lane_kind)kind, id };
			assert_false(wtr_span_at(x, lane, 0, &span));
			assert_false(wtr_span_step(x, lane, 0, -1, &span));
			assert_int_equal(wtr_tile(x, lane, -100, 3, 512, &run, 1), 0);
		}
	assert_true(wtr_counts(x, -1, 0, 1, 1, counts));
	made_index_free(x);
}

/* Each allocation fails once; nothing leaks (run under ASan). */
static void survives_each_failed_allocation(void **state)
{
	(void)state;
	made *k = made_run(3, 3000, 60, 100);
	uint64_t before = wb_fault_count();
	wtr_index *x = made_index(k, 1024);
	uint64_t n = wb_fault_count() - before;
	assert_non_null(x);
	made_index_free(x);
	size_t failed = 0;
	for (uint64_t i = 1; i <= n; i++)
		for (int sticky = 0; sticky < 2; sticky++) {
			wb_fault_arm(i, sticky);
			x = made_index(k, 1024);
			wb_fault_arm(0, false);
			failed += x == NULL;
			made_index_free(x);
		}
	assert_true(failed > n); /* all but what only saves memory (giving back unused rows) */
	made_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_span_is_there),
		cmocka_unit_test(strips_are_gapless),
		cmocka_unit_test(stacks_last_until_it_runs),
		cmocka_unit_test(order_is_by_group_then_creation),
		cmocka_unit_test(a_thread_shows_what_it_held),
		cmocka_unit_test(nothing_is_nothing),
		cmocka_unit_test(survives_each_failed_allocation),
	};
	return cmocka_run_group_tests_name("an/lanes", tests, NULL, NULL);
}

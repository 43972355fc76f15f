/* Lanes of real traces: gapless, drawn alike at every zoom, and their sums are those of the goroutine table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "an/lanes.h"
#include "kit.h"

typedef struct sums {
	int64_t state[WTR_G_COUNT];
	int64_t since_forever;     /* waiting for good: Go counts it as the end */
} sums;

static void sum_lane(const wtr_index *x, int64_t id, sums *ret)
{
	const an_lanes *l = x->lanes;
	uint32_t i;
	const an_strip *s = an_lane_strip(l, (wtr_lane){ WTR_LANE_GOROUTINE, id }, &i);
	*ret = (sums){ 0 };
	assert_non_null(s);
	assert_non_null(s->first);
	an_place p;
	bool gone = false;
	uint64_t at = s->first->start;
	if (!an_strip_find(&l->store, s, at, &p)) /* it appeared with the last event */
		return;
	do {
		assert_int_equal(p.start, at);
		assert_true(p.end >= p.start);
		at = p.end;
		const an_what *w = &l->dict.whats.at[p.what];
		if (w->state != WTR_G_NOTEXIST && gone) { /* the table has an id's last life, the lane all of them */
			memset(ret->state, 0, sizeof(ret->state));
			ret->since_forever = 0;
		}
		gone = w->state == WTR_G_NOTEXIST;
		ret->state[w->state] += (int64_t)(p.end - p.start);
		wb_text reason = wb_intern_text(&l->texts, w->reason);
		if (w->state == WTR_G_WAITING && reason.n == 7 && memcmp(reason.at, "forever", 7) == 0)
			ret->since_forever += (int64_t)(p.end - p.start);
	} while (an_strip_next(&l->store, &p));
	assert_int_equal(at, l->store.end);
}

static size_t check_goroutines(const char *name, const wtr_index *x)
{
	const wtr_goroutine_row *rows = wtr_table_data(x, WTR_TABLE_GOROUTINES);
	size_t n = wtr_table_rows(x, WTR_TABLE_GOROUTINES);
	for (size_t i = 0; i < n; i++) {
		const wtr_goroutine_row *r = &rows[i];
		sums s;
		sum_lane(x, r->id, &s);
		int64_t block = s.state[WTR_G_WAITING] - s.since_forever, syscall = s.state[WTR_G_SYSCALL];
		if (s.state[WTR_G_RUNNING] != r->exec_ns || s.state[WTR_G_RUNNABLE] != r->sched_ns ||
			block != r->block_ns || syscall != r->syscall_ns + r->syscall_block_ns)
			fail_msg("%s: goroutine %lld: running %lld %lld, runnable %lld %lld, waiting %lld %lld, "
				 "syscall %lld %lld",
				name, (long long)r->id, (long long)s.state[WTR_G_RUNNING], (long long)r->exec_ns,
				(long long)s.state[WTR_G_RUNNABLE], (long long)r->sched_ns, (long long)block,
				(long long)r->block_ns, (long long)syscall,
				(long long)(r->syscall_ns + r->syscall_block_ns));
	}
	return n;
}

/* A proc does not show more than one goroutine, and not one that does not execute. */
static void check_procs(const wtr_index *x, bool v1)
{
	const an_lanes *l = x->lanes;
	for (size_t i = 0; i < l->ps.n; i++) {
		const an_strip *s = &l->ps.at[i]->strip;
		an_place p, q;
		if (!s->first || !an_strip_find(&l->store, s, s->first->start, &p))
			continue;
		do {
			if (!p.what || p.start == p.end)
				continue;
			const an_g *g = an_g_at(l, an_proc_g(p.what));
			assert_true(an_strip_find(&l->store, &g->strip, p.start, &q));
			const an_what *w = &l->dict.whats.at[q.what];
			unsigned cls = an_proc_class(p.what);
			assert_int_equal(cls, w->cls);
			if (!v1)
				assert_int_equal(w->p, i);
			assert_true(p.end <= q.end);
		} while (an_strip_next(&l->store, &p));
	}
}

/* Running time of all groups is that of all procs: who runs, runs somewhere. */
static void check_counts(const char *name, const wtr_index *x)
{
	const an_lanes *l = x->lanes;
	float c[WTR_CLASS_COUNT];
	int64_t dur = (int64_t)l->store.end;
	if (dur == 0)
		return;
	int64_t want[WTR_CLASS_COUNT] = { 0 };
	for (uint32_t i = 0; i < l->n_g; i++) {
		const an_strip *s = &an_g_at(l, i)->strip;
		an_place p;
		if (s->first && an_strip_find(&l->store, s, s->first->start, &p))
			do
				want[l->store.cls[p.what]] += (int64_t)(p.end - p.start);
			while (an_strip_next(&l->store, &p));
	}
	assert_true(wtr_counts(x, -1, l->start, dur, 1, c));
	for (unsigned k = 1; k < WTR_CLASS_COUNT; k++) {
		double mean = (double)want[k] / (double)dur;
		if (mean - (double)c[k] > 1e-4 * (1 + mean) || (double)c[k] - mean > 1e-4 * (1 + mean))
			fail_msg("%s: %s: %g, not %g", name, wtr_class_name(k), (double)c[k], mean);
	}
	/* The groups together are all. */
	double sum[WTR_CLASS_COUNT] = { 0 };
	for (size_t g = 0; g < wtr_table_rows(x, WTR_TABLE_GROUPS); g++) {
		assert_true(wtr_counts(x, (int64_t)g, l->start, dur, 1, c));
		for (unsigned k = 1; k < WTR_CLASS_COUNT; k++)
			sum[k] += (double)c[k];
	}
	for (unsigned k = 1; k < WTR_CLASS_COUNT; k++) {
		double mean = (double)want[k] / (double)dur;
		if (mean - sum[k] > 1e-3 * (1 + mean) || sum[k] - mean > 1e-3 * (1 + mean))
			fail_msg("%s: groups, %s: %g, not %g", name, wtr_class_name(k), sum[k], mean);
	}
}

static void real_traces(void **state)
{
	(void)state;
	size_t n, goroutines = 0, traces = 0;
	char *const *names = kit_trace_names(&n);
	for (size_t i = 0; i < n; i++) {
		size_t bytes;
		uint8_t *data = kit_trace(names[i], &bytes);
		wtr_trace *t;
		wtr_index *x;
		wtr_error err;
		if (wtr_open_bytes(data, bytes, NULL, &t, &err) == WTR_OK) {
			assert_int_equal(wtr_index_build(t, WTR_PART_ALL, &x, &err), WTR_OK);
			wtr_info info;
			wtr_get_info(t, &info);
			goroutines += check_goroutines(names[i], x);
			check_procs(x, info.version < 22);
			check_counts(names[i], x);
			traces++;
			wtr_index_free(x);
			wtr_close(t);
		}
		free(data);
	}
	assert_true(traces > 150 && goroutines > 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(real_traces) };
	return cmocka_run_group_tests_name("an/lanetruth", tests, NULL, NULL);
}

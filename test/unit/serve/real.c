/* Every endpoint on real traces: what is answered agrees with the index it was made from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <wtr/wtr.h>
#include <yajl/yajl_tree.h>

#include "fake.h"

static wtr_trace *trace;
static wtr_index *an;
static ws_model *model;
static ws_site site;

static ws_answer ask(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static ws_answer ask(const char *fmt, ...)
{
	char target[20000];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(target, sizeof(target), fmt, ap);
	va_end(ap);
	const ws_request rq = { .target = target, .n_hosts = 1, .host = "localhost:6060" };
	ws_answer a;
	ws_answer_request(&site, &rq, &a);
	if (a.status != 200)
		fail_msg("%s: %u %.*s", target, a.status, (int)a.body.n, a.body.at);
	return a;
}

static yajl_val parsed(ws_answer a)
{
	yajl_val v = yajl_tree_parse(wb_buf_cstr(&a.body), NULL, 0);
	assert_non_null(v);
	ws_answer_free(&a);
	return v;
}

static yajl_val member(yajl_val v, const char *name)
{
	const char *path[] = { name, NULL };
	yajl_val m = yajl_tree_get(v, path, yajl_t_any);
	if (!m)
		fail_msg("no %s", name);
	return m;
}

static int64_t number(yajl_val v, const char *name)
{
	yajl_val m = member(v, name);
	assert_true(YAJL_IS_INTEGER(m));
	return YAJL_GET_INTEGER(m);
}

static const char *text(yajl_val v, const char *name)
{
	yajl_val m = member(v, name);
	assert_true(YAJL_IS_STRING(m));
	return YAJL_GET_STRING(m);
}

static size_t length(yajl_val v)
{
	assert_true(YAJL_IS_ARRAY(v));
	return YAJL_GET_ARRAY(v)->len;
}

static yajl_val element(yajl_val v, size_t i)
{
	return YAJL_GET_ARRAY(v)->values[i];
}

static void load(const char *name)
{
	char path[500];
	wtr_error err;
	snprintf(path, sizeof(path), "%s/%s.trace", getenv("WEFT_TEST_DATA"), name);
	if (wtr_open(path, NULL, &trace, &err) != WTR_OK || wtr_index_build(trace, WTR_PART_ALL, &an, &err) != WTR_OK)
		fail_msg("%s: %s", path, err.what);
	model = ws_model_of(trace, an);
	assert_non_null(model);
	fake_site(&site, model);
}

static void unload(void)
{
	fake_site_done(&site);
	ws_model_free(model);
	wtr_index_free(an);
	wtr_close(trace);
}

/* A lane's runs in an answer. */
typedef struct runs {
	uint32_t n, blended;
	const float *x0, *x1;
	const uint32_t *count, *ref;
	const uint8_t *kind, *cls, *marks, *flags, *share;
} runs;

static const char *read_runs(const char *p, runs *r)
{
	size_t n = r->n, bytes = (n + 3) / 4 * 4;
	r->x0 = (const void *)p, p += 4 * n;
	r->x1 = (const void *)p, p += 4 * n;
	r->count = (const void *)p, p += 4 * n;
	r->ref = (const void *)p, p += 4 * n;
	r->kind = (const void *)p, p += bytes;
	r->cls = (const void *)p, p += bytes;
	r->marks = (const void *)p, p += bytes;
	r->flags = (const void *)p, p += bytes;
	r->share = (const void *)p, p += 8 * r->blended;
	return p;
}

static uint64_t drawn; /* runs seen */

static void check_runs(const char *lane, const runs *r)
{
	uint32_t blended = 0;
	for (uint32_t i = 0; i < r->n; i++) {
		if (!(r->x0[i] <= r->x1[i]) || r->x1[i] < 0 || r->x0[i] > WS_TILE_PX || (i && r->x0[i] < r->x0[i - 1]))
			fail_msg("%s: run %u of %u from %g to %g", lane, i, r->n, (double)r->x0[i], (double)r->x1[i]);
		assert_in_range(r->kind[i], WTR_RUN_EXACT, WTR_RUN_FOLDED);
		assert_in_range(r->cls[i], 1, WTR_CLASS_COUNT - 1);
		blended += r->kind[i] == WTR_RUN_BLENDED;
		if (r->ref[i] != UINT32_MAX)
			assert_in_range(r->ref[i], 0, model->tables[WTR_TABLE_GOROUTINES].n - 1);
	}
	assert_int_equal(blended, r->blended);
	drawn += r->n;
}

/* All lanes of the trace's first tile at this zoom. */
static void check_tile(const char *lanes, size_t n, unsigned zoom, int64_t i)
{
	ws_answer a = ask("/api/tiles?zoom=%u&i=%lld&lanes=%s", zoom, (long long)i, lanes);
	const uint32_t *sizes = (const void *)(a.body.at + 24);
	const char *p = a.body.at + 24 + 8 * n;
	for (size_t k = 0; k < n; k++) {
		runs r = { .n = sizes[2 * k], .blended = sizes[2 * k + 1] };
		p = read_runs(p, &r);
		assert_true(p <= a.body.at + a.body.n);
		check_runs(lanes, &r);
	}
	assert_ptr_equal(p, a.body.at + a.body.n);
	ws_answer_free(&a);
}

/* Steps through a lane from its first span to its last; the spans follow each other. */
static size_t walk(const char *lane, size_t most)
{
	int64_t end = -1, t = -1;
	size_t n = 0;
	for (; n < most; n++) {
		yajl_val v = parsed(ask("/api/step?lane=%s&t=%lld&dir=1", lane, (long long)t));
		const char *path[] = { "start_ns", NULL };
		if (!yajl_tree_get(v, path, yajl_t_any)) {
			yajl_tree_free(v);
			break;
		}
		int64_t start = number(v, "start_ns"), stop = number(v, "end_ns");
		assert_true(start >= end && stop >= start && start >= 0);
		assert_string_not_equal(text(v, "class"), "none");
		yajl_val at = parsed(ask("/api/span?lane=%s&t=%lld", lane, (long long)start));
		if (stop > start)
			assert_int_equal(number(at, "start_ns"), start);
		yajl_tree_free(at);
		yajl_tree_free(v);
		end = stop;
		t = start;
	}
	return n;
}

static void check_info(yajl_val info)
{
	const wtr_totals *t = &model->totals;
	assert_int_equal(number(info, "events"), t->events);
	assert_int_equal(number(info, "goroutines"), t->goroutines);
	assert_int_equal(number(info, "duration_ns"), t->end_ns - t->start_ns);
	assert_int_equal(length(member(info, "proc_lanes")), t->procs);
	assert_int_equal(length(member(info, "thread_lanes")), t->threads);
	assert_int_equal(length(member(info, "groups")), number(info, "group_count"));
}

/* Every goroutine is in the lanes of exactly the group that its row names, and search finds it there. */
static void check_groups(yajl_val info, wb_buf *lanes, size_t *n_lanes)
{
	yajl_val groups = member(info, "groups");
	size_t all = 0;
	for (size_t g = 0; g < length(groups); g++) {
		int64_t n = number(element(groups, g), "n");
		yajl_val v = parsed(ask("/api/lanes?group=%zu&from=0&n=2000", g)), list = member(v, "lanes");
		assert_int_equal(number(v, "n"), n);
		assert_int_equal(length(list), n);
		for (size_t i = 0; i < length(list); i++, all++) {
			const char *lane = text(element(list, i), "lane");
			assert_string_equal(text(element(list, i), "name"), text(element(groups, g), "name"));
			if (g == 0 && i < 3)
				assert_true(walk(lane, 100) > 0);
			if (i % 7 == 0) {
				yajl_val hit = parsed(ask("/api/search?q=%s&n=1", lane)),
					 first = element(member(hit, "hits"), 0);
				assert_string_equal(text(first, "lane"), lane);
				assert_int_equal(number(first, "group"), g);
				assert_int_equal(number(first, "index"), i);
				yajl_tree_free(hit);
			}
			if (*n_lanes < 200) {
				wb_buf_printf(lanes, ",%s", lane);
				++*n_lanes;
			}
		}
		yajl_tree_free(v);
		if (*n_lanes < 220) {
			wb_buf_printf(lanes, ",G%zu", g);
			++*n_lanes;
		}
	}
	assert_int_equal(all, model->totals.goroutines);
}

/* During each step, all goroutines of all classes are no more than there are. */
static void check_counts(int64_t duration)
{
	yajl_val v = parsed(ask("/api/counts?t=0&step=%lld&n=100", (long long)(duration / 100 + 1))),
		 counts = member(v, "counts");
	assert_int_equal(length(counts), WTR_CLASS_COUNT - 1);
	double most = 0;
	for (size_t i = 0; i < 100; i++) {
		double sum = 0;
		for (size_t c = 0; c < WTR_CLASS_COUNT - 1; c++)
			sum += YAJL_GET_DOUBLE(element(element(counts, c), i));
		assert_true(sum >= 0 && sum <= (double)model->totals.goroutines + 0.1);
		most = sum > most ? sum : most;
	}
	assert_int_equal(most > 0, model->totals.goroutines > 0);
	yajl_tree_free(v);
	yajl_tree_free(parsed(ask("/api/metrics?t=0&step=%lld&n=100", (long long)(duration / 100 + 1))));
}

static void check_trace(const char *name)
{
	load(name);
	yajl_val info = parsed(ask("/api/info"));
	check_info(info);
	wb_buf lanes = { 0 };
	size_t n_lanes = 2, spans = 0;
	wb_buf_puts(&lanes, "gc,stw");
	static const char *const kinds[] = { "proc_lanes", "thread_lanes" };
	for (size_t k = 0; k < 2; k++) {
		yajl_val list = member(info, kinds[k]);
		for (size_t i = 0; i < length(list) && i < 16; i++, n_lanes++) {
			wb_buf_printf(&lanes, ",%s", text(element(list, i), "lane"));
			spans += walk(text(element(list, i), "lane"), 100);
		}
	}
	check_groups(info, &lanes, &n_lanes);
	spans += walk("gc", 50) + walk("stw", 50);
	int64_t duration = number(info, "duration_ns");
	drawn = 0;
	for (unsigned zoom = 0; zoom <= 50; zoom += 5)
		for (int64_t i = 0; i < 3; i++)
			check_tile(wb_buf_cstr(&lanes), n_lanes, zoom, zoom < 40 ? i * (duration >> zoom) / 1536 : 0);
	check_counts(duration);
	bool something = model->totals.goroutines > 0;
	if ((drawn > 0) != something || (spans > 0) != something)
		fail_msg("%s: %llu runs, %zu spans", name, (unsigned long long)drawn, spans);
	yajl_tree_free(info);
	wb_buf_free(&lanes);
	unload();
}

static void v2_traces(void **state)
{
	(void)state;
	check_trace("go1.27-httpload");
	check_trace("go1.26-gcheavy");
	check_trace("go1.25-longrun");
	check_trace("go1.22-chans");
	check_trace("go1.27-annotate");
}

static void v1_traces(void **state)
{
	(void)state;
	check_trace("go1.21-httpload");
	check_trace("go1.19-locks");
}

static void damaged_traces(void **state)
{
	(void)state;
	check_trace("go1.27-httpload-cut60"); /* nothing but its first event is left */
	check_trace("go1.27-longrun-cut70");
}

static void refuses(const char *path, const char *const *queries, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char target[100];
		snprintf(target, sizeof(target), "%s%s", path, queries[i]);
		const ws_request rq = { .target = target, .n_hosts = 1, .host = "localhost:6060" };
		ws_answer a;
		ws_answer_request(&site, &rq, &a);
		assert_int_equal(a.status, 400);
		ws_answer_free(&a);
	}
}

/* The page is told what the command prints. */
static void questions_with_a_scope(void **state)
{
	(void)state;
	load("go1.26-httpload");
	for (unsigned kind = 0; kind < WTR_PROFILE_COUNT; kind++) {
		wtr_profile *p = NULL;
		wtr_profile_totals t;
		wtr_profile_query q = { .kind = (wtr_profile_kind)kind, .ranged = true };
		q.from_ns = model->totals.start_ns + 2000000;
		q.to_ns = model->totals.start_ns + 5000000;
		assert_int_equal(wtr_profile_make(trace, &q, &p, NULL), WTR_OK);
		wtr_profile_get_totals(p, &t);
		yajl_val v = parsed(ask("/api/profile?kind=%s&range=2ms..5ms&n=2", wtr_profile_name(kind)));
		assert_int_equal(number(v, "ns"), t.ns);
		assert_int_equal(number(v, "count"), t.count);
		assert_int_equal(number(v, "n_stacks"), t.records);
		yajl_tree_free(v);
		wtr_profile_free(p);
	}
	yajl_val v = parsed(ask("/api/profile?kind=sync&filter=fn:main.client"));
	yajl_val all = parsed(ask("/api/profile?kind=sync"));
	assert_true(number(v, "ns") > 0 && number(v, "ns") < number(all, "ns"));
	yajl_tree_free(v);
	yajl_tree_free(all);
	static const char *const bad[] = { "kind=nosuch", "kind=sync&range=9s..10s", "kind=sync&range=1s",
		"kind=sync&filter=g:x", "kind=sync&filter=range:9s..", "kind=alone&filter=g:1" };
	refuses("/api/profile?", bad, sizeof(bad) / sizeof(bad[0]));
	unload();
}

/* Of a part of the time, the answer is what an index of that part says. */
static void where_goroutines_spent_their_time(void **state)
{
	(void)state;
	load("go1.26-httpload");
	yajl_val v = parsed(ask("/api/goroutines?sort=id&n=2"));
	assert_int_equal(number(v, "rows"), wtr_table_rows(an, WTR_TABLE_GOROUTINES));
	assert_int_equal(length(member(v, "goroutines")), 2);
	yajl_val list = member(v, "goroutines");
	assert_true(number(element(list, 0), "id") < number(element(list, 1), "id"));
	yajl_tree_free(v);

	wtr_index *part = NULL;
	int64_t start = model->totals.start_ns, sum = 0, told = 0;
	assert_int_equal(wtr_index_build_within(
				 trace, WTR_PART_GOROUTINES, start + 2000000, start + 5000000, &part, NULL), WTR_OK);
	const wtr_goroutine_row *g = wtr_table_data(part, WTR_TABLE_GOROUTINES);
	for (size_t i = 0; i < wtr_table_rows(part, WTR_TABLE_GOROUTINES); i++)
		sum += g[i].block_ns;
	wtr_index_free(part);
	v = parsed(ask("/api/goroutines?by=start&range=2ms..5ms"));
	for (size_t i = 0; i < length(member(v, "groups")); i++)
		told += number(element(member(v, "groups"), i), "block_ns");
	assert_int_equal(told, sum);
	assert_true(sum > 0);
	yajl_tree_free(v);

	v = parsed(ask("/api/goroutines?by=start&filter=fn:=main.client"));
	assert_int_equal(number(v, "rows"), 1);
	assert_string_equal(text(element(member(v, "groups"), 0), "name"), "main.client");
	yajl_tree_free(v);
	static const char *const bad[] = { "by=name", "sort=names", "range=9s..10s", "filter=g:x" };
	refuses("/api/goroutines?", bad, sizeof(bad) / sizeof(bad[0]));
	unload();
}

static void the_other_questions(void **state)
{
	(void)state;
	load("go1.26-httpload");
	wtr_mmu *m = NULL;
	wtr_mmu_totals t;
	assert_int_equal(wtr_mmu_make(trace, &(wtr_mmu_query){ .causes = 15 }, &m, NULL), WTR_OK);
	wtr_mmu_get_totals(m, &t);
	wtr_mmu_free(m);
	yajl_val v = parsed(ask("/api/mmu?flags=15"));
	assert_int_equal(number(v, "points"), t.points);
	yajl_tree_free(v);

	wtr_latencies *l = NULL;
	const uint32_t *rows;
	assert_int_equal(
		wtr_latency_make(trace, an, &(wtr_latency_query){ .about = WTR_ABOUT_TASK }, &l, NULL), WTR_OK);
	v = parsed(ask("/api/tasks"));
	assert_int_equal(number(v, "n"), wtr_latency_all(l, &rows));
	yajl_tree_free(v);
	wtr_latency_free(l);
	v = parsed(ask("/api/regions?filter=dur:%%3E1h"));
	assert_int_equal(number(v, "n"), 0);
	yajl_tree_free(v);

	wtr_why *w = NULL;
	wtr_why_totals all;
	int64_t start = model->totals.start_ns;
	assert_int_equal(wtr_why_make(an, 13, start + 1000000, start + 9000000, &w, NULL), WTR_OK);
	wtr_why_get_totals(w, &all);
	wtr_why_free(w);
	v = parsed(ask("/api/why?g=13&from=1000000&to=9000000"));
	assert_int_equal(number(v, "own_ns"), all.own_ns);
	assert_int_equal(number(v, "pieces"), all.pieces);
	yajl_tree_free(v);

	wtr_requests *r = NULL;
	const wtr_request *q;
	assert_int_equal(wtr_requests_make(trace, an, INT64_MIN, INT64_MAX, true, &r, NULL), WTR_OK);
	v = parsed(ask("/api/requests?inferred=1"));
	assert_int_equal(number(v, "n"), wtr_requests_all(r, &q));
	yajl_tree_free(v);
	wtr_requests_free(r);

	wtr_findings *found = NULL;
	wtr_findings_totals odd;
	assert_int_equal(wtr_findings_make(trace, &(wtr_findings_query){ 0 }, &found, NULL), WTR_OK);
	wtr_findings_get_totals(found, &odd);
	v = parsed(ask("/api/findings?n=1"));
	assert_int_equal(number(v, "n_findings"), odd.n);
	assert_int_equal(number(v, "worst"), odd.worst);
	yajl_tree_free(v);
	wtr_findings_free(found);

	v = parsed(ask("/api/diff?a=..5ms&b=5ms.."));
	assert_true(number(v, "n") > 5);
	assert_int_equal(number(member(v, "a"), "duration_ns"), 5000000);
	yajl_tree_free(v);

	wtr_counter_step steps[4];
	assert_int_equal(wtr_counters(trace, start, 4000000, 4, steps, NULL, NULL), WTR_OK);
	v = parsed(ask("/api/counters?t=0&step=4000000&n=4"));
	yajl_val last = member(member(member(v, "counters"), "waiting"), "last");
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(YAJL_GET_INTEGER(last->u.array.values[i]), steps[i].last[WTR_COUNTER_WAITING]);
	yajl_tree_free(v);
	unload();
}

/* One of many who ask at the same time, some before the index is there. */
static void *asker(void *arg)
{
	static const char *const targets[] = {
		"/api/info",
		"/api/tiles?zoom=12&i=0&lanes=gc,stw,G0,G1,p0,g1",
		"/api/span?lane=g1&t=1000000",
		"/api/step?lane=G0&t=0&dir=1",
		"/api/counts?t=0&step=100000&n=64&group=0",
		"/api/metrics?t=0&step=100000&n=64",
		"/api/search?q=http",
		"/api/lanes?group=0&n=20",
	};
	intptr_t bad = 0, first = (intptr_t)arg;
	for (intptr_t i = 0; i < 400; i++) {
		const ws_request rq = { .target = targets[(i + first) % 8], .n_hosts = 1, .host = "localhost:6060" };
		ws_answer a;
		ws_answer_request(&site, &rq, &a);
		bad += a.status != 200 && a.status != 503;
		ws_answer_free(&a);
	}
	return (void *)bad;
}

static void many_at_once(void **state)
{
	(void)state;
	load("go1.27-httpload");
	atomic_store(&site.model, NULL);
	pthread_t t[4];
	for (intptr_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, asker, (void *)i), 0);
	atomic_store_explicit(&site.model, model, memory_order_release);
	for (int i = 0; i < 4; i++) {
		void *bad;
		pthread_join(t[i], &bad);
		assert_int_equal((intptr_t)bad, 0);
	}
	unload();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(v2_traces),
		cmocka_unit_test(v1_traces),
		cmocka_unit_test(damaged_traces),
		cmocka_unit_test(questions_with_a_scope),
		cmocka_unit_test(where_goroutines_spent_their_time),
		cmocka_unit_test(the_other_questions),
		cmocka_unit_test(many_at_once),
	};
	return cmocka_run_group_tests_name("real", tests, NULL, NULL);
}

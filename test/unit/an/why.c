/* Critical paths: a planted one with a known answer, and what must hold for all of the corpus.  Requests too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "kit.h"

/* A nanosecond is a tick.  G1 creates G2 at 200 and waits from 300 on; G2 runs from 350 to 800, but for a wait of its
 * own (500 to 600, nobody known ends it); at 700 it wakes G1, which runs from 850 on until 1000. */
static const char planted[] = "Trace Go1.26\n"
			      "EventBatch gen=1 m=18446744073709551615 time=100\n"
			      "Sync\n"
			      "Frequency freq=1000000000\n"
			      "ClockSnapshot dt=0 mono=99 sec=1 nsec=1\n"
			      "EventBatch gen=1 m=7 time=100\n"
			      "ProcStatus dt=1 p=0 pstatus=1\n"
			      "GoStatus dt=1 g=1 m=7 gstatus=2\n"
			      "GoCreate dt=98 new_g=2 new_stack=0 stack=0\n"
			      "GoBlock dt=100 reason_string=1 stack=0\n"
			      "GoStart dt=50 g=2 g_seq=1\n"
			      "GoBlock dt=150 reason_string=2 stack=0\n"
			      "GoUnblock dt=100 g=2 g_seq=2 stack=0\n"
			      "GoStart dt=10 g=2 g_seq=3\n"
			      "GoUnblock dt=90 g=1 g_seq=1 stack=0\n"
			      "GoBlock dt=100 reason_string=1 stack=0\n"
			      "GoStart dt=50 g=1 g_seq=2\n"
			      "GoStop dt=150 reason_string=0 stack=0\n"
			      "EventBatch gen=1 m=18446744073709551615 time=100\n"
			      "Strings\n"
			      "String id=1\n\tdata=\"chan receive\"\n"
			      "String id=2\n\tdata=\"network\"\n"
			      "EndOfGeneration\n";

static bool append(void *user, const char *at, size_t n)
{
	wb_buf_put(user, at, n);
	return true;
}

typedef struct subject {
	wb_buf bytes;
	uint8_t *data;
	wtr_trace *t;
	wtr_index *x;
	wtr_totals totals;
} subject;

static void index_it(subject *s, const void *at, size_t n)
{
	assert_int_equal(wtr_open_bytes(at, n, NULL, &s->t, NULL), WTR_OK);
	assert_int_equal(wtr_index_build(s->t, WTR_PART_ALL, &s->x, NULL), WTR_OK);
	wtr_get_totals(s->x, &s->totals);
}

static void open_planted(subject *s)
{
	wtr_error err = { 0 };
	*s = (subject){ 0 };
	if (wtr_assemble(planted, sizeof(planted) - 1, append, &s->bytes, &err) != WTR_OK)
		fail_msg("%s", err.what);
	index_it(s, s->bytes.at, s->bytes.n);
	if (s->totals.end.code != WTR_OK)
		fail_msg("%s", s->totals.end.what);
}

static void open_trace(subject *s, const char *name)
{
	size_t n;
	*s = (subject){ 0 };
	s->data = kit_trace(name, &n);
	index_it(s, s->data, n);
}

static void close_subject(subject *s)
{
	wtr_index_free(s->x);
	wtr_close(s->t);
	wb_buf_free(&s->bytes);
	free(s->data);
}

static void a_planted_path(void **state)
{
	(void)state;
	subject s;
	open_planted(&s);
	int64_t zero = s.totals.start_ns - 100; /* the first event is at 100 */
	wtr_why *w = NULL;
	assert_int_equal(wtr_why_make(s.x, 1, zero + 200, zero + 1000, &w, NULL), WTR_OK);
	static const struct {
		int64_t from, to, g;
		unsigned depth, cls;
	} want[] = {
		{ 200, 300, 1, 0, WTR_CLASS_RUNNING },
		{ 300, 350, 2, 1, WTR_CLASS_RUNNABLE },
		{ 350, 500, 2, 1, WTR_CLASS_RUNNING },
		{ 500, 600, 2, 1, WTR_CLASS_NETWORK },
		{ 600, 610, 2, 1, WTR_CLASS_RUNNABLE },
		{ 610, 700, 2, 1, WTR_CLASS_RUNNING },
		{ 700, 850, 1, 0, WTR_CLASS_RUNNABLE },
		{ 850, 1000, 1, 0, WTR_CLASS_RUNNING },
	};
	wtr_why_totals all;
	wtr_why_get_totals(w, &all);
	assert_int_equal(all.pieces, sizeof(want) / sizeof(want[0]));
	const wtr_why_piece *p = wtr_why_pieces(w);
	for (size_t i = 0; i < all.pieces; i++) {
		assert_int_equal(p[i].from_ns - zero, want[i].from);
		assert_int_equal(p[i].to_ns - zero, want[i].to);
		assert_int_equal(p[i].g, want[i].g);
		assert_int_equal(p[i].depth, want[i].depth);
		assert_int_equal(p[i].cls, want[i].cls);
	}
	assert_int_equal(all.own_ns, 400);
	assert_int_equal(all.edges, 1);
	assert_int_equal(wtr_why_edges(w)[0].ns, 400);
	assert_int_equal(wtr_why_edges(w)[0].waker, 2);
	assert_int_equal(wtr_why_edges(w)[0].longest_at_ns - zero, 300);
	int64_t ran = 0; /* while G1 was ready, G2 ran on from 700 to 800 */
	for (size_t i = 0; i < all.others; i++)
		ran += wtr_why_others(w)[i].ns;
	assert_int_equal(ran, 100);
	wtr_why_free(w);
	close_subject(&s);
}

static void refusals(void **state)
{
	(void)state;
	subject s;
	open_planted(&s);
	wtr_why *w = NULL;
	wtr_error err = { 0 };
	assert_int_equal(wtr_why_make(s.x, 99, s.totals.start_ns, s.totals.end_ns, &w, &err), WTR_E_USAGE);
	assert_int_equal(wtr_why_make(s.x, 1, s.totals.end_ns, s.totals.start_ns, &w, &err), WTR_E_USAGE);
	assert_int_equal(
		wtr_why_make(s.x, 2, s.totals.start_ns, s.totals.start_ns + 50, &w, &err), WTR_E_USAGE); /* not born */
	assert_null(w);
	close_subject(&s);
}

/* Pieces follow each other from beginning to end, and sums are theirs. */
static void check_path(const wtr_index *x, int64_t g, int64_t from, int64_t to)
{
	wtr_why *w;
	if (wtr_why_make(x, g, from, to, &w, NULL) != WTR_OK)
		return;
	wtr_why_totals all;
	wtr_why_get_totals(w, &all);
	const wtr_why_piece *p = wtr_why_pieces(w);
	int64_t at = all.from_ns, own = 0, classes = 0, parts = 0;
	for (size_t i = 0; i < all.pieces; i++) {
		assert_int_equal(p[i].from_ns, at);
		assert_true(p[i].to_ns > at);
		at = p[i].to_ns;
		own += p[i].depth == 0 ? p[i].to_ns - p[i].from_ns : 0;
	}
	assert_int_equal(at, all.to_ns);
	assert_int_equal(own, all.own_ns);
	for (unsigned c = 0; c < WTR_CLASS_COUNT; c++)
		classes += all.by_class[c];
	for (size_t i = 0; i < all.parts; i++)
		parts += wtr_why_parts(w)[i].ns;
	assert_int_equal(classes, all.to_ns - all.from_ns);
	assert_int_equal(parts, classes);
	assert_false(all.cut);
	for (size_t i = 0; i < all.edges; i++)
		assert_true(wtr_why_edges(w)[i].longest_ns <= wtr_why_edges(w)[i].ns && wtr_why_edges(w)[i].ns > 0);
	wtr_why_free(w);
}

static void paths_have_no_gaps(void **state)
{
	(void)state;
	size_t n;
	char *const *names = kit_trace_names(&n);
	for (size_t i = 0; i < n; i += 3) {
		subject s;
		size_t bytes;
		s = (subject){ .data = kit_trace(names[i], &bytes) };
		if (wtr_open_bytes(s.data, bytes, NULL, &s.t, NULL) != WTR_OK) {
			free(s.data);
			continue;
		}
		wtr_close(s.t);
		free(s.data);
		open_trace(&s, names[i]);
		const wtr_goroutine_row *g = wtr_table_data(s.x, WTR_TABLE_GOROUTINES);
		for (size_t k = 0; k < wtr_table_rows(s.x, WTR_TABLE_GOROUTINES) && k < 60; k++) {
			int64_t end = g[k].end_ns == WTR_NEVER ? s.totals.end_ns : g[k].end_ns;
			check_path(s.x, g[k].id, g[k].create_ns, end);
			check_path(s.x, g[k].id, g[k].create_ns + (end - g[k].create_ns) / 3,
				end - (end - g[k].create_ns) / 3);
		}
		close_subject(&s);
	}
}

static void requests_add_up(void **state)
{
	(void)state;
	static const char *const names[] = { "go1.26-httpload", "go1.22-httpload-gens", "go1.26-annotate",
		"go1.26-hello" };
	for (size_t i = 0; i < 8; i++) {
		subject s;
		open_trace(&s, names[i / 2]);
		wtr_requests *r;
		assert_int_equal(wtr_requests_make(s.t, s.x, INT64_MIN, INT64_MAX, i % 2, &r, NULL), WTR_OK);
		const wtr_request *q;
		const wtr_request_group *g;
		size_t n = wtr_requests_all(r, &q), n_groups = wtr_requests_groups(r, &g), sum = 0;
		assert_true(i / 2 == 3 || (i / 2 == 2 && i % 2) ? n == 0 : n > 5);
		for (size_t k = 0; k < n; k++) {
			int64_t ns = 0;
			for (unsigned c = 0; c < WTR_CLASS_COUNT; c++) {
				assert_true(q[k].by_class[c] >= 0);
				ns += q[k].by_class[c];
			}
			assert_int_equal(ns, q[k].end_ns - q[k].start_ns);
			assert_int_equal(q[k].source == WTR_REQUESTS_TASKS, i % 2 == 0);
		}
		for (size_t k = 0; k < n_groups; k++) {
			sum += g[k].n;
			assert_true(
				g[k].p50_ns <= g[k].p90_ns && g[k].p90_ns <= g[k].p99_ns && g[k].p99_ns <= g[k].max_ns);
			assert_int_equal(g[k].max_ns, q[g[k].first].end_ns - q[g[k].first].start_ns);
		}
		assert_int_equal(sum, n);
		wtr_requests_free(r);
		close_subject(&s);
	}
}

static void memory_runs_out(void **state)
{
	(void)state;
	subject s;
	size_t failed = 0;
	open_trace(&s, "go1.26-httpload");
	for (uint64_t nth = 1; nth < 400; nth++) {
		wtr_why *w = NULL;
		wtr_requests *r = NULL;
		wb_fault_arm(nth, true);
		wtr_code why = wtr_why_make(s.x, 13, s.totals.start_ns, s.totals.end_ns, &w, NULL);
		wb_fault_arm(nth, true);
		wtr_code requests = wtr_requests_make(s.t, s.x, INT64_MIN, INT64_MAX, true, &r, NULL);
		wb_fault_arm(0, false);
		failed += (why == WTR_E_NOMEM) + (requests == WTR_E_NOMEM);
		wtr_why_free(w);
		wtr_requests_free(r);
	}
	assert_true(failed > 8);
	close_subject(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_planted_path),
		cmocka_unit_test(refusals),
		cmocka_unit_test(paths_have_no_gaps),
		cmocka_unit_test(requests_add_up),
		cmocka_unit_test(memory_runs_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

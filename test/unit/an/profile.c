/* Profiles of real traces against what else is known of them; test/truth compares the four of go tool trace with Go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "kit.h"

static const char *const names[] = { "go1.21-httpload", "go1.22-locks", "go1.23-chans-gens", "go1.25-annotate",
	"go1.26-gcheavy", "go1.26-cgocb", "go1.26-cpuprof", "go1.27-sysio", "go1.27-longrun-cut70" };
enum { N = sizeof(names) / sizeof(names[0]) };

typedef struct subject {
	uint8_t *data;
	wtr_trace *t;
	wtr_index *x;
	wtr_totals totals;
} subject;

static void open_with(subject *s, const char *name, wtr_damage damage, unsigned parts)
{
	size_t n;
	s->data = kit_trace(name, &n);
	assert_int_equal(wtr_open_bytes(s->data, n, &(wtr_options){ .damage = damage }, &s->t, NULL), WTR_OK);
	assert_int_equal(wtr_index_build(s->t, parts, &s->x, NULL), WTR_OK);
	wtr_get_totals(s->x, &s->totals);
}

static void open_subject(subject *s, const char *name)
{
	open_with(s, name, WTR_REPAIR, WTR_PART_EVENTS);
}

static void close_subject(subject *s)
{
	wtr_index_free(s->x);
	wtr_close(s->t);
	free(s->data);
}

static wtr_profile *make(const subject *s, wtr_profile_query q, const char *filter)
{
	wtr_where *w = NULL;
	wtr_profile *p = NULL;
	if (filter) {
		assert_int_equal(wtr_where_parse(filter, strlen(filter), WTR_ABOUT_SPAN, &w, NULL), WTR_OK);
		assert_int_equal(wtr_where_bind(w, s->t, s->x, &s->totals, NULL), WTR_OK);
		q.where = w;
	}
	assert_int_equal(wtr_profile_make(s->t, &q, &p, NULL), WTR_OK);
	wtr_where_free(w);
	return p;
}

static wtr_profile_totals totals_of(const subject *s, wtr_profile_query q, const char *filter)
{
	wtr_profile_totals t;
	wtr_profile *p = make(s, q, filter);
	wtr_profile_get_totals(p, &t);
	wtr_profile_free(p);
	return t;
}

static void ranges_add_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < N; i++) {
		subject s;
		open_subject(&s, names[i]);
		int64_t step = (s.totals.end_ns - s.totals.start_ns) / 3 + 1;
		for (unsigned kind = 0; kind < WTR_PROFILE_COUNT; kind++) {
			wtr_profile_query q = { .kind = (wtr_profile_kind)kind };
			wtr_profile_totals whole = totals_of(&s, q, NULL);
			int64_t ns = 0, duration = 0;
			for (int64_t k = 0; k < 3; k++) {
				q.ranged = true;
				q.from_ns = s.totals.start_ns + k * step;
				q.to_ns = q.from_ns + step;
				wtr_profile_totals part = totals_of(&s, q, NULL);
				ns += part.ns;
				duration += part.duration_ns;
			}
			/* what was created in another range ran in none */
			assert_true(kind == WTR_PROFILE_CREATE ? ns <= whole.ns : ns == whole.ns);
			assert_int_equal(duration, whole.duration_ns);
		}
		close_subject(&s);
	}
}

static void filters_add_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < N; i++) {
		subject s;
		open_subject(&s, names[i]);
		for (unsigned kind = 0; kind < WTR_PROFILE_ALONE; kind++) {
			wtr_profile_query q = { .kind = (wtr_profile_kind)kind };
			wtr_profile_totals all = totals_of(&s, q, NULL), some = totals_of(&s, q, "fn:main.|dur:>5us"),
					   rest = totals_of(&s, q, "-(fn:main. | dur:>5us)"),
					   same = totals_of(&s, q, "");
			assert_int_equal(same.ns, all.ns);
			assert_int_equal(same.count, all.count);
			assert_int_equal(some.ns + rest.ns, all.ns);
			assert_int_equal(some.count + rest.count, all.count);
		}
		close_subject(&s);
	}
}

/* What a goroutine did off the processor is what the summary says about it. */
static void offcpu_is_the_summary(void **state)
{
	(void)state;
	size_t looked = 0;
	for (size_t i = 0; i < N; i++) {
		subject s;
		open_subject(&s, names[i]);
		const wtr_goroutine_row *g = wtr_table_data(s.x, WTR_TABLE_GOROUTINES);
		size_t n = wtr_table_rows(s.x, WTR_TABLE_GOROUTINES);
		for (size_t k = 0; k < n && k < 40 && strcmp(names[i], "go1.26-cgocb") != 0;
			k++) { /* ids have one life */
			char filter[32];
			snprintf(filter, sizeof(filter), "g:%lld", (long long)g[k].id);
			if (g[k].final_reason.n == 7 && memcmp(g[k].final_reason.at, "forever", 7) == 0)
				continue;
			wtr_profile_totals t = totals_of(&s, (wtr_profile_query){ .kind = WTR_PROFILE_OFFCPU }, filter);
			assert_int_equal(t.ns, g[k].sched_ns + g[k].block_ns + g[k].syscall_ns + g[k].syscall_block_ns);
			looked++;
		}
		close_subject(&s);
	}
	assert_true(looked > 100);
}

static void created_and_sampled(void **state)
{
	(void)state;
	for (size_t i = 0; i < N; i++) {
		subject s;
		open_subject(&s, names[i]);
		const wtr_transition_row *tr = wtr_table_data(s.x, WTR_TABLE_TRANSITIONS);
		uint64_t created = 0;
		for (size_t k = 0; k < wtr_table_rows(s.x, WTR_TABLE_TRANSITIONS); k++)
			if (tr[k].resource == WTR_RES_GOROUTINE && tr[k].from == WTR_G_NOTEXIST)
				created += tr[k].n;
		assert_int_equal(totals_of(&s, (wtr_profile_query){ .kind = WTR_PROFILE_CREATE }, NULL).count, created);
		assert_int_equal(totals_of(&s, (wtr_profile_query){ .kind = WTR_PROFILE_CPU }, NULL).count,
			s.totals.cpu_samples);
		close_subject(&s);
	}
}

static void alone_counts_all_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < N; i++) {
		subject s;
		open_subject(&s, names[i]);
		wtr_profile_totals t = totals_of(&s, (wtr_profile_query){ .kind = WTR_PROFILE_ALONE }, NULL);
		int64_t running = 0, runnable = 0;
		for (size_t k = 0; k < WTR_PROFILE_AT_ONCE; k++) {
			running += t.running_ns[k];
			runnable += t.runnable_ns[k];
		}
		assert_int_equal(running, t.duration_ns);
		assert_int_equal(runnable, t.duration_ns);
		assert_int_equal(t.duration_ns, s.totals.end_ns - s.totals.start_ns);
		assert_true(t.ns == t.running_ns[1]);
		close_subject(&s);
	}
}

static void functions(void **state)
{
	(void)state;
	subject s;
	open_subject(&s, "go1.22-locks");
	wtr_profile *p = make(&s, (wtr_profile_query){ .kind = WTR_PROFILE_SYNC }, NULL);
	wtr_profile_totals t;
	wtr_profile_get_totals(p, &t);
	size_t n = 0;
	wtr_profile_func *f = wtr_profile_funcs(p, &n);
	int64_t flat = 0;
	for (size_t i = 0; i < n; i++) {
		flat += f[i].flat_ns;
		assert_true(f[i].cum_ns >= f[i].flat_ns && f[i].cum_ns <= t.ns);
		assert_true(i == 0 || f[i - 1].flat_ns >= f[i].flat_ns);
	}
	assert_int_equal(flat, t.ns);
	wtr_profile_free_funcs(f);
	wtr_profile_record r = { 0 }, before = { .ns = INT64_MAX };
	size_t i = 0;
	for (; wtr_profile_get_record(p, i, &r); i++) {
		assert_true(r.ns <= before.ns);
		before = r;
	}
	assert_int_equal(i, t.records);
	wtr_profile_free(p);
	close_subject(&s);
}

static bool same_frames(const wtr_profile *a, const wtr_profile *b, size_t i)
{
	wtr_frame x[257], y[257];
	size_t n = wtr_profile_frames(a, i, x, 257);
	if (n > 257 || wtr_profile_frames(b, i, y, 257) != n)
		return false;
	for (size_t k = 0; k < n; k++)
		if (x[k].pc != y[k].pc || x[k].line != y[k].line || x[k].func.n != y[k].func.n ||
			memcmp(x[k].func.at, y[k].func.at, x[k].func.n) != 0)
			return false;
	return true;
}

static void same_profiles(const wtr_profile *a, const wtr_profile *b)
{
	wtr_profile_totals x, y;
	wtr_profile_get_totals(a, &x);
	wtr_profile_get_totals(b, &y);
	assert_int_equal(x.records, y.records);
	assert_int_equal(x.count, y.count);
	assert_int_equal(x.ns, y.ns);
	assert_int_equal(x.duration_ns, y.duration_ns);
	assert_int_equal(x.end.code, y.end.code);
	for (size_t i = 0; i < x.records; i++) {
		wtr_profile_record r, s;
		assert_true(wtr_profile_get_record(a, i, &r) && wtr_profile_get_record(b, i, &s));
		assert_int_equal(r.count, s.count);
		assert_int_equal(r.ns, s.ns);
		assert_string_equal(r.state, s.state);
		assert_true(same_frames(a, b, i));
	}
}

/* Ranges of all lengths, and none. */
static wtr_profile_query some_range(const subject *s, unsigned kind, unsigned i)
{
	int64_t all = s->totals.end_ns - s->totals.start_ns;
	wtr_profile_query q = { .kind = (wtr_profile_kind)kind, .ranged = i > 0 };
	q.from_ns = s->totals.start_ns + all * (i * 37 % 11) / 11;
	q.to_ns = q.from_ns + (all >> (i * 5 % 17)) + 1;
	return q;
}

static void an_index_says_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < N; i++) {
		subject s;
		open_with(&s, names[i], WTR_AS_GO, WTR_PART_ALL);
		for (unsigned k = 0; k < WTR_PROFILE_COUNT * 6; k++) {
			wtr_profile_query q = some_range(&s, k % WTR_PROFILE_COUNT, k / WTR_PROFILE_COUNT);
			wtr_profile *read = make(&s, q, NULL);
			q.index = s.x;
			wtr_profile *asked = make(&s, q, NULL);
			same_profiles(read, asked);
			wtr_profile_free(read);
			wtr_profile_free(asked);
		}
		close_subject(&s);
	}
}

/* Each field that lanes know, and some that they do not. */
static const char *const filters[] = { "g:1..40", "fn:main.", "-creator:main", "state:waiting|state:running",
	"reason:chan|reason:sync", "dur:>20us", "stack:runtime|stack:main.", "main", "region:a|task:a",
	"range:1ms..3ms", "fn:main. -dur:<5us (state:blocked|state:runnable|state:gc)", "waker:1..30",
	"p:0|m:1..100000", "state:running", "-state:gc" };

/* Whether a pass and an index say the same; adds to *found what there was. */
static void both_ways(const subject *s, wtr_profile_query q, const char *filter, uint64_t *found)
{
	wtr_profile_totals t;
	wtr_profile *read = make(s, q, filter);
	q.index = s->x;
	wtr_profile *asked = make(s, q, filter);
	same_profiles(read, asked);
	wtr_profile_get_totals(read, &t);
	*found += t.count;
	wtr_profile_free(read);
	wtr_profile_free(asked);
}

static void an_index_filters_the_same(void **state)
{
	(void)state;
	enum { FILTERS = sizeof(filters) / sizeof(filters[0]) };
	uint64_t found[FILTERS] = { 0 };
	for (size_t i = 0; i < N; i++) {
		subject s;
		open_with(&s, names[i], WTR_AS_GO, WTR_PART_ALL);
		for (unsigned k = 0; k < WTR_PROFILE_ALONE * FILTERS; k++) {
			unsigned kind = k % WTR_PROFILE_ALONE, filter = k / WTR_PROFILE_ALONE;
			both_ways(&s, some_range(&s, kind, 0), filters[filter], &found[filter]);
			both_ways(&s, some_range(&s, kind, 1 + k % 5), filters[filter], &found[filter]);
		}
		close_subject(&s);
	}
	for (unsigned i = 0; i < FILTERS; i++)
		assert_true(found[i] > 0);
}

static void refusals(void **state)
{
	(void)state;
	subject s;
	open_subject(&s, "go1.22-locks");
	wtr_profile *p = NULL;
	wtr_where *w;
	wtr_where_parse("g:1", 3, WTR_ABOUT_SPAN, &w, NULL);
	wtr_error err = { 0 };
	assert_int_equal(
		wtr_profile_make(s.t, &(wtr_profile_query){ .kind = WTR_PROFILE_COUNT }, &p, &err), WTR_E_USAGE);
	assert_int_equal(wtr_profile_make(s.t, &(wtr_profile_query){ .kind = WTR_PROFILE_ALONE, .where = w }, &p, &err),
		WTR_E_USAGE);
	assert_null(p);
	wtr_where_free(w);
	close_subject(&s);
}

/* Memory that runs out anywhere is told, and leaves nothing behind (ASan looks). */
static void memory_runs_out(void **state)
{
	(void)state;
	size_t n, failed = 0;
	uint8_t *data = kit_trace("go1.26-hello", &n);
	for (unsigned kind = 0; kind < WTR_PROFILE_COUNT; kind++)
		for (uint64_t nth = 1;; nth++) {
			wtr_trace *t;
			wtr_profile *p = NULL;
			assert_int_equal(wtr_open_bytes(data, n, &(wtr_options){ .threads = 1 }, &t, NULL), WTR_OK);
			wb_fault_arm(nth, true);
			uint64_t before = wb_fault_count();
			wtr_code rc =
				wtr_profile_make(t, &(wtr_profile_query){ .kind = (wtr_profile_kind)kind }, &p, NULL);
			uint64_t asked = wb_fault_count() - before;
			wb_fault_arm(0, false);
			wtr_profile_free(p);
			wtr_close(t);
			if (asked < nth)
				break;
			assert_true(rc == WTR_E_NOMEM || rc == WTR_OK);
			failed += rc == WTR_E_NOMEM;
		}
	assert_true(failed > 50);
	free(data);
}

static void memory_runs_out_over_an_index(void **state)
{
	(void)state;
	static const wtr_profile_kind kinds[] = { WTR_PROFILE_SCHED, WTR_PROFILE_OFFCPU, WTR_PROFILE_OFFWAKE,
		WTR_PROFILE_CREATE };
	subject s;
	open_with(&s, "go1.26-hello", WTR_AS_GO, WTR_PART_ALL);
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		for (uint64_t nth = 1, asked = 1; asked; nth++) {
			wtr_profile *p = NULL;
			uint64_t before = wb_fault_count();
			wb_fault_arm(nth, true);
			wtr_code rc =
				wtr_profile_make(s.t, &(wtr_profile_query){ .kind = kinds[k], .index = s.x }, &p, NULL);
			asked = wb_fault_count() - before >= nth;
			wb_fault_arm(0, false);
			assert_int_equal(rc, asked ? WTR_E_NOMEM : WTR_OK);
			wtr_profile_free(p);
		}
	close_subject(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_add_up),
		cmocka_unit_test(filters_add_up),
		cmocka_unit_test(offcpu_is_the_summary),
		cmocka_unit_test(created_and_sampled),
		cmocka_unit_test(alone_counts_all_time),
		cmocka_unit_test(functions),
		cmocka_unit_test(an_index_says_the_same),
		cmocka_unit_test(an_index_filters_the_same),
		cmocka_unit_test(refusals),
		cmocka_unit_test(memory_runs_out),
		cmocka_unit_test(memory_runs_out_over_an_index),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

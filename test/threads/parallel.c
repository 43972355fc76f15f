/* One trace, many threads: every cursor sees the same events whatever the others do, tables come and go beneath them,
 * an index is built meanwhile, and a finished index answers everybody alike.  Also run under TSan. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kit.h"

enum { WORKERS = 12, FRAMES_MAX = 32 };

static const char *const names[] = { "go1.27-httpload-gens", "go1.26-chans-gens", "go1.22-timers-gens",
	"go1.25-gcheavy", "go1.21-chans" };
enum { N_NAMES = sizeof(names) / sizeof(names[0]) };

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 29;
}

static uint64_t mix_text(uint64_t h, wtr_str s)
{
	for (size_t i = 0; i < s.n; i++)
		h = mix(h, (uint8_t)s.at[i]);
	return h;
}

/* A hash over all events with their texts and stacks. */
static uint64_t hash_of(wtr_trace *t)
{
	wtr_cursor *c = wtr_cursor_open(t, NULL, NULL);
	kit_check(c);
	uint64_t h = 1;
	const wtr_event *e;
	for (size_t n; (n = wtr_next(c, &e)) > 0;)
		for (size_t i = 0; i < n; i++) {
			h = mix(mix(mix(h, (uint64_t)e[i].time_ns), (uint64_t)e[i].g), e[i].kind);
			h = mix_text(h, wtr_string(t, e[i].str));
			wtr_frame f[FRAMES_MAX];
			size_t k = wtr_stack(t, e[i].stack, f, FRAMES_MAX);
			for (size_t j = 0; j < k && j < FRAMES_MAX; j++)
				h = mix_text(mix(h, f[j].pc), f[j].func);
		}
	kit_check(wtr_cursor_error(c)->code == WTR_OK);
	wtr_cursor_close(c);
	return h;
}

/* A hash over what an index answers. */
static uint64_t hash_of_answers(const wtr_index *x)
{
	wtr_totals tot;
	wtr_get_totals(x, &tot);
	uint64_t h = tot.events;
	const wtr_goroutine_row *g = wtr_table_data(x, WTR_TABLE_GOROUTINES);
	size_t n = wtr_table_rows(x, WTR_TABLE_GOROUTINES);
	for (size_t i = 0; i < n; i++) {
		wtr_lane lane = { WTR_LANE_GOROUTINE, g[i].id };
		h = mix_text(mix(mix(h, (uint64_t)g[i].exec_ns), (uint64_t)g[i].total_ns), g[i].name);
		wtr_run run[514];
		for (unsigned zoom = 8; zoom < 28; zoom += 4) {
			size_t k = wtr_tile(x, lane, tot.start_ns, zoom, 512, run, 514);
			for (size_t j = 0; j < k; j++)
				h = mix(mix(h, run[j].count), run[j].cls);
		}
		wtr_span s;
		if (wtr_span_at(x, lane, tot.start_ns + (tot.end_ns - tot.start_ns) / 2, &s))
			h = mix(mix_text(h, s.reason), (uint64_t)s.start_ns);
	}
	return h;
}

typedef struct job {
	wtr_trace       *trace;
	const wtr_index *index;
	uint64_t         hash, want;
} job;

static void *passes(void *arg)
{
	job *j = arg;
	j->hash = hash_of(j->trace);
	return NULL;
}

static void *asks(void *arg)
{
	job *j = arg;
	j->hash = hash_of_answers(j->index);
	return NULL;
}

static void *builds(void *arg)
{
	job *j = arg;
	wtr_index *x = NULL;
	kit_check(wtr_index_build(j->trace, WTR_PART_ALL, &x, NULL) == WTR_OK);
	j->hash = hash_of_answers(x);
	wtr_index_free(x);
	return NULL;
}

static wtr_trace *opened(const void *at, size_t n, int threads)
{
	wtr_trace *t = NULL;
	wtr_options opt = { .threads = threads };
	assert_int_equal(wtr_open_bytes(at, n, &opt, &t, NULL), WTR_OK);
	return t;
}

static void all_at_once(const char *name)
{
	size_t n;
	uint8_t *at = kit_trace(name, &n);
	wtr_trace *alone = opened(at, n, 1);
	wtr_index *x = NULL;
	assert_int_equal(wtr_index_build(alone, WTR_PART_ALL, &x, NULL), WTR_OK);
	uint64_t events = hash_of(alone), answers = hash_of_answers(x);
	wtr_trace *shared = opened(at, n, 4);
	struct {
		void *(*work)(void *);
		int n;
		uint64_t want;
	} const crews[] = { { passes, 6, events }, { asks, 4, answers }, { builds, 2, answers } };
	pthread_t threads[WORKERS];
	job jobs[WORKERS];
	int n_jobs = 0;
	for (int k = 0; k < 3; k++)
		for (int i = 0; i < crews[k].n; i++, n_jobs++) {
			jobs[n_jobs] = (job){ .trace = shared, .index = x, .want = crews[k].want };
			assert_int_equal(pthread_create(&threads[n_jobs], NULL, crews[k].work, &jobs[n_jobs]), 0);
		}
	assert_int_equal(n_jobs, WORKERS);
	for (int i = 0; i < n_jobs; i++) {
		pthread_join(threads[i], NULL);
		assert_true(jobs[i].hash == jobs[i].want);
	}
	wtr_close(shared);
	wtr_index_free(x);
	wtr_close(alone);
	free(at);
}

static void many_cursors_and_indexes_agree(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_NAMES; i++)
		all_at_once(names[i]);
}

/* A pass that is given up in the middle takes its helpers with it. */
static void a_cursor_may_be_closed_early(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_NAMES; i++) {
		size_t n;
		uint8_t *at = kit_trace(names[i], &n);
		wtr_trace *t = opened(at, n, 4);
		for (int blocks = 0; blocks < 4; blocks++) {
			wtr_cursor *c = wtr_cursor_open(t, NULL, NULL);
			assert_non_null(c);
			const wtr_event *e;
			for (int b = 0; b < blocks; b++)
				wtr_next(c, &e);
			wtr_cursor_close(c);
		}
		wtr_close(t);
		free(at);
	}
}

static bool refuse(void *user, const char *doing, uint64_t done, uint64_t total)
{
	(void)doing;
	(void)done;
	(void)total;
	return __atomic_sub_fetch((int *)user, 1, __ATOMIC_RELAXED) > 0;
}

/* Saying no to progress stops an index at any point, without a trace of it. */
static void a_build_may_be_stopped(void **state)
{
	(void)state;
	size_t n;
	uint8_t *at = kit_trace("go1.27-httpload-gens", &n);
	for (int patience = 0; patience < 8; patience++) {
		int left = patience;
		wtr_options opt = { .threads = 4, .progress = refuse, .progress_user = &left };
		wtr_trace *t = NULL;
		wtr_code rc = wtr_open_bytes(at, n, &opt, &t, NULL);
		wtr_index *x = NULL;
		if (rc == WTR_OK)
			rc = wtr_index_build(t, WTR_PART_ALL, &x, NULL);
		assert_true(rc == WTR_OK || rc == WTR_E_IO);
		assert_true((rc == WTR_OK) == (x != NULL));
		wtr_index_free(x);
		wtr_close(t);
	}
	free(at);
}

static bool hash_bytes(void *user, const char *at, size_t n)
{
	uint64_t *h = user;
	if (*h == 0) /* told to refuse */
		return false;
	*h = mix_text(mix(*h, n), (wtr_str){ at, n });
	return true;
}

/* The second half of its time. */
static uint64_t hash_of_cut(const void *at, size_t n, int threads, uint64_t h)
{
	wtr_trace *t = opened(at, n, threads);
	wtr_index *x = NULL;
	wtr_totals tot;
	assert_int_equal(wtr_index_build(t, WTR_PART_TOTALS, &x, NULL), WTR_OK);
	wtr_get_totals(x, &tot);
	wtr_cut_options opt = { .has_from = true, .from_ns = tot.start_ns + (tot.end_ns - tot.start_ns) / 2 };
	wtr_code rc = wtr_cut(t, &opt, hash_bytes, &h, NULL, NULL);
	assert_int_equal(rc, h ? WTR_OK : WTR_E_IO);
	wtr_index_free(x);
	wtr_close(t);
	return h;
}

/* Whoever orders the events for it, and who looks for the state at its beginning. */
static void a_cut_is_the_same_by_many(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_NAMES; i++) {
		size_t n;
		uint8_t *at = kit_trace(names[i], &n);
		assert_true(hash_of_cut(at, n, 4, 1) == hash_of_cut(at, n, 1, 1));
		hash_of_cut(at, n, 4, 0);
		free(at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_cursors_and_indexes_agree),
		cmocka_unit_test(a_cursor_may_be_closed_early),
		cmocka_unit_test(a_build_may_be_stopped),
		cmocka_unit_test(a_cut_is_the_same_by_many),
	};
	return cmocka_run_group_tests_name("threads/parallel", tests, NULL, NULL);
}

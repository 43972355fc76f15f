/* Traces made of traces, over the whole corpus: what was in the range is in the cut, nothing else, and it is sound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <wtr/edit.h>
#include <wtr/report.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "fmt/events.h"
#include "kit.h"

enum { V1_SHIFT_NS = 1000000000, FRAMES = 128 };

static bool append(void *user, const char *at, size_t n)
{
	wb_buf_put(user, at, n);
	return !((wb_buf *)user)->failed;
}

static bool refuse(void *user, const char *at, size_t n)
{
	(void)user;
	(void)at;
	(void)n;
	return false;
}

static wtr_trace *open_bytes(const void *at, size_t n, wtr_damage damage)
{
	wtr_options opt = { .damage = damage, .threads = 1, .keep_tables = true };
	wtr_trace *t = NULL;
	return wtr_open_bytes(at, n, &opt, &t, NULL) == WTR_OK ? t : NULL;
}

static wtr_trace *open_name(const char *name, wtr_damage damage, uint8_t **ret_bytes)
{
	size_t n;
	*ret_bytes = kit_trace(name, &n);
	return open_bytes(*ret_bytes, n, damage);
}

static bool is_v1(const wtr_trace *t)
{
	wtr_info i;
	wtr_get_info(t, &i);
	return i.version < 22;
}

/* ---- events as texts, without what a cut may change ---- */

static void put_frames(wb_buf *b, const wtr_trace *t, uint32_t id)
{
	wtr_frame f[FRAMES];
	size_t n = wtr_stack(t, id, f, FRAMES);
	for (size_t i = 0; i < n && i < FRAMES; i++)
		wb_buf_printf(b, " %.*s:%llu@%llx", (int)f[i].func.n, f[i].func.at, (unsigned long long)f[i].line,
			(unsigned long long)f[i].pc);
}

/* Statuses and what repeats them are a matter of where a trace begins; so is the name of a task that ends. */
static bool comparable(const wtr_event *e)
{
	if (e->kind == WTR_KIND_SYNC || e->kind == WTR_KIND_RANGE_ACTIVE)
		return false;
	return e->kind != WTR_KIND_STATE_TRANSITION ||
	       (wtr_from(e) != wtr_to(e) && wtr_from(e) != WTR_G_UNDETERMINED && e->type != WF_EV_PROC_STATUS);
}

static void put_event(wb_buf *b, const wtr_trace *t, const wtr_event *e, int64_t shift, bool context)
{
	if (context)
		wb_buf_printf(b, "%lld ", (long long)(e->time_ns - shift));
	wb_buf_printf(b, "%s %lld d%u r%u", wtr_kind_name(e->kind), (long long)e->id, e->detail, e->resource);
	if (context)
		wb_buf_printf(b, " m%lld p%lld g%lld", (long long)e->m, (long long)e->p, (long long)e->g);
	if (e->kind != WTR_KIND_TASK_END) {
		wtr_str s = wtr_string(t, e->str), s2 = wtr_string(t, e->str2);
		int most = 1024; /* of a text in the second container */
		wb_buf_printf(
			b, " %.*s %.*s", s.n < 1024 ? (int)s.n : most, s.at, s2.n < 1024 ? (int)s2.n : most, s2.at);
		if (e->type != WF_EV_PROC_STATUS)
			wb_buf_printf(
				b, " %llu %llu", (unsigned long long)e->value[0], (unsigned long long)e->value[1]);
	}
	put_frames(b, t, e->stack);
	put_frames(b, t, e->transition_stack);
	wb_buf_putc(b, '\n');
}

typedef struct range {
	int64_t from, to;
} range;

/* Of the first container only what goroutines do and say, without threads: those are ours. */
static void put_events(wb_buf *b, wtr_trace *t, range r, int64_t shift, bool v1)
{
	wtr_cursor *c = wtr_cursor_open(t, NULL, NULL);
	const wtr_event *e;
	assert_non_null(c);
	for (size_t n; (n = wtr_next(c, &e)) > 0;)
		for (size_t i = 0; i < n; i++) {
			bool in = e[i].time_ns - shift >= r.from && e[i].time_ns - shift < r.to;
			if (in && comparable(&e[i]) && !(v1 && e[i].resource == WTR_RES_PROC))
				put_event(b, t, &e[i], shift, !v1);
		}
	wtr_cursor_close(c);
}

static bool span(wtr_trace *t, range *ret)
{
	wtr_cursor *c = wtr_cursor_open(t, NULL, NULL);
	const wtr_event *e;
	size_t total = 0;
	for (size_t n; (n = wtr_next(c, &e)) > 0; total += n) {
		if (total == 0)
			ret->from = e[0].time_ns;
		ret->to = e[n - 1].time_ns + 1;
	}
	bool sound = wtr_cursor_error(c)->code == WTR_OK;
	wtr_cursor_close(c);
	return total > 50 && sound;
}

static wtr_code cut(wtr_trace *t, const range *r, wb_buf *out)
{
	wtr_cut_options opt = { 0 };
	if (r)
		opt = (wtr_cut_options){ .has_from = true, .has_to = true, .from_ns = r->from, .to_ns = r->to };
	out->n = 0;
	return wtr_cut(t, &opt, append, out, NULL, NULL);
}

static void assert_sound(const char *name, const wb_buf *b)
{
	wtr_trace *t = open_bytes(b->at, b->n, WTR_AS_GO);
	wtr_error err = { 0 };
	assert_non_null(t);
	if (wtr_validate(t, &err) != WTR_OK)
		fail_msg("%s: %s", name, err.what);
	wtr_close(t);
}

/* ---- sums ---- */

static wtr_index *sums(wtr_trace *t, range r)
{
	wtr_index *x = NULL;
	assert_int_equal(wtr_index_build_within(t, WTR_PART_GOROUTINES, r.from, r.to, &x, NULL), WTR_OK);
	return x;
}

static bool same_sums(const wtr_goroutine_row *a, const wtr_goroutine_row *b)
{
	/* A system call that goes on when a trace begins: whether with its proc is not known (docs/analyses.md). */
	int64_t a_call = a->syscall_ns + a->syscall_block_ns, b_call = b->syscall_ns + b->syscall_block_ns;
	int64_t apart = llabs(a->exec_ns - b->exec_ns) + llabs(a->sched_ns - b->sched_ns) +
			llabs(a->block_ns - b->block_ns) + llabs(a_call - b_call);
	return apart <= 1 && a->final_state == b->final_state; /* what is torn has no last Sync */
}

/* What a goroutine did in a range, asked of the whole and of the part; the part may know of more goroutines, and what
 * named them may be an event that is not in it. */
static void check_sums(const char *name, wtr_trace *t, wtr_trace *made, range r)
{
	wtr_index *whole = sums(t, r), *part = sums(made, r);
	size_t n = wtr_table_rows(whole, WTR_TABLE_GOROUTINES);
	const wtr_goroutine_row *g = wtr_table_data(whole, WTR_TABLE_GOROUTINES);
	for (size_t i = 0; i < n; i++) {
		const wtr_goroutine_row *h = wtr_goroutine(part, g[i].id);
		if (!h || !same_sums(&g[i], h))
			fail_msg("%s: goroutine %lld does other things", name, (long long)g[i].id);
		if (g[i].name.n && h->name.n &&
			(h->name.n != g[i].name.n || memcmp(h->name.at, g[i].name.at, h->name.n) != 0))
			fail_msg("%s: goroutine %lld has another name: %.*s", name, (long long)g[i].id, (int)h->name.n,
				h->name.at);
	}
	wtr_index_free(whole);
	wtr_index_free(part);
}

static const wtr_task_row *task_of(const wtr_index *x, uint64_t id)
{
	const wtr_task_row *t = wtr_table_data(x, WTR_TABLE_TASKS);
	for (size_t i = 0; i < wtr_table_rows(x, WTR_TABLE_TASKS); i++)
		if (t[i].id == id)
			return &t[i];
	return NULL;
}

/* The id of a task's parent; 0: none. */
static uint64_t parent_of(const wtr_index *x, const wtr_task_row *t)
{
	const wtr_task_row *all = wtr_table_data(x, WTR_TABLE_TASKS);
	return t->parent == UINT32_MAX ? 0 : all[t->parent].id;
}

/* Tasks that go on when a part begins: by name, with their parents.  Returns how many. */
static size_t check_tasks(const char *name, wtr_trace *t, wtr_trace *made, range r)
{
	wtr_index *whole, *part;
	size_t n = 0;
	assert_int_equal(wtr_index_build(t, WTR_PART_EVENTS, &whole, NULL), WTR_OK);
	assert_int_equal(wtr_index_build(made, WTR_PART_EVENTS, &part, NULL), WTR_OK);
	const wtr_task_row *all = wtr_table_data(whole, WTR_TABLE_TASKS);
	for (size_t i = 0; i < wtr_table_rows(whole, WTR_TABLE_TASKS); i++) {
		const wtr_task_row *a = &all[i], *b = task_of(part, a->id);
		if (a->start_ns == WTR_NEVER || a->start_ns >= r.from || (a->end_ns != WTR_NEVER && a->end_ns < r.from))
			continue;
		if (a->name.n == 0) /* as Go has it, of some that end */
			continue;
		if (!b || a->name.n != b->name.n || memcmp(a->name.at, b->name.at, a->name.n) != 0 ||
			parent_of(whole, a) != parent_of(part, b))
			fail_msg("%s: task %llu is another one", name, (unsigned long long)a->id);
		n++;
	}
	wtr_index_free(whole);
	wtr_index_free(part);
	return n;
}

/* ---- tests ---- */

static size_t n_tasks; /* that went on when a part began, over the corpus */

static void check_cut(const char *name, wtr_trace *t, range all, const range *part)
{
	wb_buf out = { 0 }, want = { 0 }, have = { 0 };
	bool v1 = is_v1(t);
	range r = part ? *part : all;
	put_events(&want, t, r, 0, v1);
	wtr_code rc = cut(t, part, &out);
	if (rc == WTR_E_USAGE && want.n == 0) {
		wb_buf_free(&out);
		wb_buf_free(&want);
		return;
	}
	assert_int_equal(rc, WTR_OK);
	assert_sound(name, &out);
	wtr_trace *made = open_bytes(out.at, out.n, WTR_AS_GO);
	put_events(&have, made, r, v1 ? V1_SHIFT_NS : 0, v1);
	if (v1 && part) /* what had to be added moves events by nanoseconds, some over its edges */
		;
	else if (want.n != have.n || memcmp(want.at, have.at, want.n) != 0) {
		size_t i = 0;
		while (i < want.n && i < have.n && want.at[i] == have.at[i])
			i++;
		while (i && want.at[i - 1] != '\n')
			i--;
		fail_msg("%s\n want %.*s\n have %.*s", name, 200, wb_buf_cstr(&want) + i, 200, wb_buf_cstr(&have) + i);
	}
	if (!v1)
		check_sums(name, t, made, r);
	if (!v1 && part)
		n_tasks += check_tasks(name, t, made, r);
	wtr_close(made);
	wb_buf_free(&want);
	wb_buf_free(&have);
	wb_buf_free(&out);
}

/* A cut of a cut is the cut. */
static void check_cut_of_cut(wtr_trace *t, range outer)
{
	int64_t d = (outer.to - outer.from) / 4;
	range inner = { outer.from + d, outer.to - d };
	wb_buf first = { 0 }, direct = { 0 }, second = { 0 };
	if (cut(t, &outer, &first) != WTR_OK) { /* nothing in it */
		wb_buf_free(&first);
		return;
	}
	wtr_trace *made = open_bytes(first.at, first.n, WTR_AS_GO);
	wtr_code a = cut(t, &inner, &direct), b = cut(made, &inner, &second);
	assert_int_equal(a, b);
	if (a == WTR_OK) {
		assert_int_equal(direct.n, second.n);
		assert_memory_equal(direct.at, second.at, direct.n);
	}
	wtr_close(made);
	wb_buf_free(&first);
	wb_buf_free(&direct);
	wb_buf_free(&second);
}

static void cuts(void **state)
{
	(void)state;
	size_t n, looked = 0;
	char *const *names = kit_trace_names(&n);
	for (size_t i = 0; i < n; i++) {
		uint8_t *bytes;
		range all;
		wtr_trace *t = open_name(names[i], WTR_AS_GO, &bytes);
		if (t && span(t, &all)) {
			int64_t third = (all.to - all.from) / 3;
			range part = { all.from + third, all.from + 2 * third };
			check_cut(names[i], t, all, NULL);
			check_cut(names[i], t, all, &part);
			if (!is_v1(t))
				check_cut_of_cut(t, part);
			looked++;
		}
		wtr_close(t);
		free(bytes);
	}
	assert_true(looked > 150);
	assert_true(n_tasks > 20);
}

/* Where generation k (1, 2, ..) begins; false: it is not there. */
static bool generation_start(wtr_trace *t, uint64_t k, int64_t *ret_ns)
{
	wtr_cursor *c = wtr_cursor_open(t, &(wtr_filter){ .kinds = 1u << WTR_KIND_SYNC }, NULL);
	const wtr_event *e;
	bool found = false;
	assert_non_null(c);
	for (size_t n; (n = wtr_next(c, &e)) > 0;)
		for (size_t i = 0; i < n; i++)
			if (e[i].value[0] == k) {
				*ret_ns = e[i].time_ns;
				found = true;
			}
	wtr_cursor_close(c);
	return found;
}

/* Ranges that begin within a generation behind the first one, which may stand alone, and at its very beginning, which
 * may not. */
static void cuts_of_later_generations(void **state)
{
	(void)state;
	size_t n, looked = 0;
	char *const *names = kit_trace_names(&n);
	for (size_t i = 0; i < n; i++) {
		uint8_t *bytes = NULL;
		range all;
		int64_t start;
		wtr_trace *t = strstr(names[i], "longrun") ? open_name(names[i], WTR_AS_GO, &bytes) : NULL;
		for (uint64_t k = 2; t && span(t, &all) && generation_start(t, k, &start); k++, looked++) {
			int64_t from = start + (all.to - start) / 3;
			range part = { from, from + (all.to - from) / 2 }, edge = { start + 1, from };
			check_cut(names[i], t, all, &part);
			check_cut(names[i], t, all, &edge);
			check_cut_of_cut(t, part);
		}
		wtr_close(t);
		free(bytes);
	}
	assert_true(looked > 4);
}

static bool odd(void *user, int64_t g)
{
	(void)user;
	return g % 2 == 1;
}

/* Only what odd goroutines do is left, and nothing but transitions and logs. */
static void goroutines_and_kinds(void **state)
{
	(void)state;
	size_t n;
	char *const *names = kit_trace_names(&n);
	for (size_t i = 0; i < n; i += 3) {
		uint8_t *bytes;
		range all;
		wtr_trace *t = open_name(names[i], WTR_AS_GO, &bytes);
		if (t && span(t, &all)) {
			wb_buf out = { 0 };
			wtr_cut_options opt = { .goroutine = odd, .kinds = 1u << WTR_KIND_LOG };
			assert_int_equal(wtr_cut(t, &opt, append, &out, NULL, NULL), WTR_OK);
			assert_sound(names[i], &out);
			wtr_trace *made = open_bytes(out.at, out.n, WTR_AS_GO);
			wtr_cursor *c = wtr_cursor_open(made, NULL, NULL);
			const wtr_event *e;
			for (size_t k; (k = wtr_next(c, &e)) > 0;)
				for (size_t j = 0; j < k; j++) {
					assert_true(e[j].kind == WTR_KIND_SYNC || e[j].kind == WTR_KIND_LOG ||
						    e[j].kind == WTR_KIND_STATE_TRANSITION ||
						    e[j].kind == WTR_KIND_RANGE_BEGIN ||
						    e[j].kind == WTR_KIND_RANGE_ACTIVE);
					assert_true(e[j].g == WTR_NONE || odd(NULL, e[j].g));
					assert_true(e[j].resource != WTR_RES_GOROUTINE || odd(NULL, e[j].id));
				}
			wtr_cursor_close(c);
			wtr_close(made);
			wb_buf_free(&out);
		}
		wtr_close(t);
		free(bytes);
	}
}

static void repairs(void **state)
{
	(void)state;
	size_t n, looked = 0, more = 0;
	char *const *names = kit_trace_names(&n);
	for (size_t i = 0; i < n; i++) {
		uint8_t *bytes;
		wb_buf out = { 0 };
		wtr_edit_result r = { 0 };
		wtr_trace *t = open_name(names[i], WTR_REPAIR, &bytes);
		if (t && wtr_repair(t, append, &out, &r, NULL) == WTR_OK) {
			assert_sound(names[i], &out);
			looked++;
			more += strstr(names[i], "-cut") && r.events > 3000;
		}
		wtr_close(t);
		wb_buf_free(&out);
		free(bytes);
	}
	assert_true(looked > 220);
	assert_true(more > 15);
}

static void merges(void **state)
{
	(void)state;
	static const char *const names[][2] = { { "go1.25-flight-1", "go1.25-flight-2" },
		{ "go1.26-flight-1", "go1.26-flight-2" }, { "go1.27-flight-1", "go1.27-flight-2" } };
	for (size_t i = 0; i < 3; i++)
		for (int turned = 0; turned < 2; turned++) {
			uint8_t *bytes[2];
			wtr_trace *t[2];
			for (int k = 0; k < 2; k++)
				t[k] = open_name(names[i][k ^ turned], WTR_AS_GO, &bytes[k]);
			wb_buf out = { 0 };
			wtr_edit_result r;
			wtr_error err = { 0 };
			assert_int_equal(wtr_merge(t, 2, append, &out, &r, &err), WTR_OK);
			assert_int_equal(r.generations, 2);
			assert_sound(names[i][0], &out);
			wb_buf_free(&out);
			for (int k = 0; k < 2; k++) {
				wtr_close(t[k]);
				free(bytes[k]);
			}
		}
}

static void merges_of_strangers_are_refused(void **state)
{
	(void)state;
	static const char *const pairs[][2] = { { "go1.26-flight-2", "go1.27-flight-1" },
		{ "go1.26-hello", "go1.19-hello" }, { "go1.26-hello", "go1.25-hello" },
		{ "go1.26-hello", "go1.26-flight-2" } };
	for (size_t i = 0; i < 4; i++) {
		uint8_t *bytes[2];
		wtr_trace *t[2];
		for (int k = 0; k < 2; k++)
			t[k] = open_name(pairs[i][k], WTR_AS_GO, &bytes[k]);
		wtr_error err = { 0 };
		assert_int_equal(wtr_merge(t, 2, refuse, NULL, NULL, &err), WTR_E_USAGE);
		assert_true(err.what[0]);
		for (int k = 0; k < 2; k++) {
			wtr_close(t[k]);
			free(bytes[k]);
		}
	}
	wtr_error err = { 0 };
	assert_int_equal(wtr_merge(NULL, 0, refuse, NULL, NULL, &err), WTR_E_USAGE);
}

static void nothing_in_the_range(void **state)
{
	(void)state;
	uint8_t *bytes;
	wtr_trace *t = open_name("go1.26-hello", WTR_AS_GO, &bytes);
	wtr_error err = { 0 };
	wtr_cut_options opt = { .has_from = true, .from_ns = INT64_MAX };
	assert_int_equal(wtr_cut(t, &opt, refuse, NULL, NULL, &err), WTR_E_USAGE);
	opt = (wtr_cut_options){ .has_to = true, .to_ns = 0 };
	assert_int_equal(wtr_cut(t, &opt, refuse, NULL, NULL, &err), WTR_E_USAGE);
	opt = (wtr_cut_options){ 0 };
	assert_int_equal(wtr_cut(t, &opt, refuse, NULL, NULL, &err), WTR_E_IO);
	wtr_close(t);
	free(bytes);
}

static void no_memory(void **state)
{
	(void)state;
	static const char *const names[] = { "go1.26-annotate", "go1.21-hello" };
	for (size_t k = 0; k < 2; k++) {
		uint8_t *bytes;
		wtr_trace *t = open_name(names[k], WTR_AS_GO, &bytes);
		for (uint64_t i = 1;; i++) {
			char *room = malloc(1 << 20);
			wb_buf out = { .at = room, .cap = 1 << 20 };
			wtr_error err = { 0 };
			wb_fault_arm(i, false);
			wtr_code rc = wtr_cut(t, NULL, append, &out, NULL, &err);
			wb_fault_arm(0, false);
			free(room);
			if (rc != WTR_OK && rc != WTR_E_NOMEM)
				fail_msg("%s, allocation %d: %d %s", names[k], (int)i, rc, err.what);
			if (rc == WTR_OK && i > 20)
				break;
		}
		wtr_close(t);
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts),
		cmocka_unit_test(cuts_of_later_generations),
		cmocka_unit_test(goroutines_and_kinds),
		cmocka_unit_test(repairs),
		cmocka_unit_test(merges),
		cmocka_unit_test(merges_of_strangers_are_refused),
		cmocka_unit_test(nothing_in_the_range),
		cmocka_unit_test(no_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

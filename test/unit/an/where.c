/* The filter language: what it takes, what it refuses and where, and what passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "an/where.h"
#include "play.h"

static wtr_code parse(const char *text, wtr_about about, wtr_where **ret, wtr_error *err)
{
	*ret = NULL;
	return wtr_where_parse(text, strlen(text), about, ret, err);
}

static void refused(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t at;
		const char *rule, *says;
	} bad[] = {
		{ "foo:1", 0, "filter.field", "there is no field 'foo'" },
		{ "g:1 bar:2", 4, "filter.field", "state" },
		{ "log:x", 0, "filter.field", "there is no log here" },
		{ "g:x", 2, "filter.number", ">5" },
		{ "g:..", 2, "filter.number", "12..15" },
		{ "dur:5", 99, "", "" },
		{ "dur:>5parsec", 4, "filter.duration", ">10ms" },
		{ "state:lazy", 6, "filter.state", "runnable" },
		{ "reason:\"chan recieve\"", 7, "filter.name", "did you mean chan receive?" },
		{ "reason:\"of another runtime\"", 99, "", "" },
		{ "reason:=sink", 99, "", "" },
		{ "fn:", 3, "filter.value", "missing" },
		{ "fn:\"x", 3, "filter.quote", "\"" },
		{ "fn:~\"(\"", 3, "filter.regex", "POSIX" },
		{ "fn:~\"a{2}{3}\"", 3, "filter.regex", "at most one {}" },
		{ "fn:~a+++++++", 3, "filter.regex", "6 times +" },
		{ "fn:~a{999}", 3, "filter.regex", "99" },
		{ "fn:~\"(a)\\1\"", 3, "filter.regex", "back references" },
		{ "(g:1", 0, "filter.parenthesis", "add a )" },
		{ "g:1)", 3, "filter.parenthesis", "closes nothing" },
		{ "g:1 |", 5, "filter.term", "missing" },
		{ "| g:1", 0, "filter.term", "missing" },
		{ "()", 1, "filter.term", "missing" },
		{ "g:1 -", 4, "filter.not", "behind -" },
		{ "range:1s", 6, "filter.range", "T0..T1" },
		{ "range:1s..bad", 10, "filter.range", "'bad'" },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		wtr_where *w;
		wtr_error err = { 0 };
		wtr_code rc = parse(bad[i].text, WTR_ABOUT_SPAN, &w, &err);
		if (!bad[i].rule[0]) {
			assert_int_equal(rc, WTR_OK);
			wtr_where_free(w);
			continue;
		}
		assert_int_equal(rc, WTR_E_USAGE);
		assert_null(w);
		assert_int_equal(err.offset, bad[i].at);
		assert_string_equal(err.rule, bad[i].rule);
		assert_non_null(strstr(err.what, bad[i].says));
	}
}

/* Values of fields whose values are all known. */
static void names(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says; /* "": it is fine */
	} rows[] = {
		{ "type:GoCreate", "" },
		{ "type:gocre", "" },
		{ "type:=GoCreate", "" },
		{ "type:~^Go", "" },
		{ "type:Sync", "" },
		{ "kind:range", "" },
		{ "type:Bad", "there is no event type 'Bad'" },
		{ "type:NoSuchEvent", "there are GoCreate, " },
		{ "type:GoCraete", "did you mean GoCreate?" },
		{ "type:=gocreate", "did you mean GoCreate?" },
		{ "type:~^go", "there are GoCreate" },
		{ "kind:Metrik", "did you mean Metric?" },
		{ "kind:nothing", "there are Sync, Metric, " },
		{ "g:1 | -kind:nothing", "there are Sync, Metric, " },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		wtr_where *w;
		wtr_error err = { 0 };
		bool fine = !rows[i].says[0];
		assert_int_equal(parse(rows[i].text, WTR_ABOUT_EVENT, &w, &err), fine ? WTR_OK : WTR_E_USAGE);
		wtr_where_free(w);
		assert_true(fine || strcmp(err.rule, "filter.name") == 0);
		assert_non_null(strstr(err.what, rows[i].says));
	}
}

static void limits(void **state)
{
	(void)state;
	char text[AN_TERMS_MAX * 4 + 16];
	wtr_where *w;
	wtr_error err;
	for (unsigned n = AN_TERMS_MAX; n <= AN_TERMS_MAX + 1; n++) {
		size_t at = 0;
		for (unsigned i = 0; i < n; i++)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "g:1 ");
		assert_int_equal(parse(text, WTR_ABOUT_SPAN, &w, &err), n > AN_TERMS_MAX ? WTR_E_USAGE : WTR_OK);
		wtr_where_free(w);
	}
	for (unsigned n = AN_WHERE_DEPTH; n <= AN_WHERE_DEPTH + 1; n++) {
		memset(text, '(', n);
		memcpy(text + n, "g:1", 3);
		memset(text + n + 3, ')', n);
		text[2 * n + 3] = 0;
		assert_int_equal(parse(text, WTR_ABOUT_SPAN, &w, &err), n > AN_WHERE_DEPTH ? WTR_E_USAGE : WTR_OK);
		wtr_where_free(w);
		memset(text, '-', n);
		memcpy(text + n, "g:1", 4);
		assert_int_equal(parse(text, WTR_ABOUT_SPAN, &w, &err), n > AN_WHERE_DEPTH ? WTR_E_USAGE : WTR_OK);
		wtr_where_free(w);
	}
}

/* ---- a small run: main creates a worker inside region "load" of task 7 "job" ---- */

static void make(play *y)
{
	play_open(y, WTR_PART_EVENTS);
	play_at(y, 1000, play_sync(1));
	y->p = 0;
	y->m = 40;
	wtr_event e = play_go(y, 1, WTR_G_UNDETERMINED, WTR_G_RUNNING, "");
	e.transition_stack = y->main_stack;
	play_at(y, 1010, e);
	y->g = 1;
	play_at(y, 1020, play_task(y, WTR_KIND_TASK_BEGIN, 7, 0, "job"));
	play_at(y, 1100, play_region(y, WTR_KIND_REGION_BEGIN, 7, "load"));
	e = play_go(y, 2, WTR_G_NOTEXIST, WTR_G_RUNNABLE, "");
	e.transition_stack = y->work_stack;
	e.stack = y->main_stack;
	play_at(y, 1150, e);
	play_at(y, 1180, play_log(y, 7, "state", "half way"));
	play_at(y, 1200, play_region(y, WTR_KIND_REGION_END, 7, "load"));
	play_at(y, 1300, play_region(y, WTR_KIND_REGION_BEGIN, 7, "load"));
	play_at(y, 1400, play_region(y, WTR_KIND_REGION_END, 7, "load"));
	play_at(y, 1500, play_task(y, WTR_KIND_TASK_END, 7, 0, "job"));
	play_at(y, 2000, play_go(y, 1, WTR_G_RUNNING, WTR_G_WAITING, "sync"));
	play_finish(y);
}

static wtr_where *bound(const play *y, const char *text, wtr_about about)
{
	wtr_where *w;
	wtr_totals t;
	wtr_get_totals(y->x, &t);
	assert_int_equal(parse(text, about, &w, NULL), WTR_OK);
	assert_int_equal(wtr_where_bind(w, y->trace, y->x, &t, NULL), WTR_OK);
	return w;
}

static void goroutines(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned who;
	} cases[] = {
		/* bit 0: goroutine 1, bit 1: goroutine 2 */
		{ "", 3 },
		{ "g:1", 1 },
		{ "g:g2", 2 },
		{ "g:1..2", 3 },
		{ "g:>1", 2 },
		{ "g:>=1", 3 },
		{ "g:<2", 1 },
		{ "g:..1", 1 },
		{ "-g:1", 2 },
		{ "--g:1", 1 },
		{ "g:1 g:2", 0 },
		{ "g:1 | g:2", 3 },
		{ "g:1|g:2 fn:main", 3 },
		{ "(g:1|g:2) -fn:work", 1 },
		{ "fn:WORK", 2 },
		{ "fn:=main.work", 2 },
		{ "fn:=main.wor", 0 },
		{ "fn:~\"^main\\.(main|x)$\"", 1 },
		{ "main.work", 2 },
		{ "creator:1", 2 },
		{ "creator:main.main", 2 },
		{ "state:waiting", 1 },
		{ "state:lock", 1 },
		{ "state:runnable", 2 },
		{ "reason:syn", 1 },
		{ "dur:>900ns", 1 },
		{ "dur:<=900ns", 2 },
		{ "task:7", 1 },
		{ "task:job", 1 },
		{ "region:load", 1 },
		{ "region:=\"\"", 0 },
		{ "stack:leaf", 3 },
		{ "range:..20ns", 1 },
		{ "range:200ns..", 3 },
		{ "job", 1 },
		{ "nothing", 0 },
	};
	play y;
	make(&y);
	const wtr_goroutine_row *rows = wtr_table_data(y.x, WTR_TABLE_GOROUTINES);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		wtr_where *w = bound(&y, cases[i].text, WTR_ABOUT_GOROUTINE);
		unsigned who = (unsigned)wtr_where_goroutine(w, &rows[0]) | (unsigned)wtr_where_goroutine(w, &rows[1])
										    << 1;
		if (who != cases[i].who)
			print_message("%s: %u\n", cases[i].text, who);
		assert_int_equal(who, cases[i].who);
		wtr_where_free(w);
	}
	assert_true(wtr_where_goroutine(NULL, &rows[0]));
	play_close(&y);
}

static size_t no_frames(void *user, uint32_t stack, wtr_frame *ret, size_t n)
{
	(void)user;
	if (stack && n)
		ret[0] = (wtr_frame){ .func = { "a.b", 3 } };
	return stack != 0;
}

static size_t other_frames(void *user, uint32_t stack, wtr_frame *ret, size_t n)
{
	(void)user;
	if (n)
		*ret = (wtr_frame){ .func = { "a.c", 3 } };
	return stack ? 1 : 0;
}

static wtr_str a_reason(void *user, uint32_t reason)
{
	(void)user;
	return reason ? (wtr_str){ "chan send", 9 } : (wtr_str){ "", 0 };
}

/* What depends on the time cuts a span. */
static void spans(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ns;
	} cases[] = {
		{ "", 1000 },
		{ "region:load", 200 },
		{ "-region:load", 800 },
		{ "range:50ns..150ns", 100 },
		{ "range:50ns..150ns region:load", 50 },
		{ "range:..150ns | region:load", 300 },
		{ "task:job", 480 },
		{ "task:7 -region:load", 280 },
		{ "dur:>999ns region:load", 200 },
		{ "dur:>1us", 0 },
		{ "g:2", 0 },
		{ "state:waiting reason:chan", 1000 },
		{ "state:blocked", 1000 },
		{ "state:lock", 0 },
		{ "stack:a.b", 1000 },
		{ "stack:a.c", 0 },
		{ "waker:2", 1000 },
		{ "waker:=main.work", 1000 },
		{ "waker:3", 0 },
		{ "p:4 m:5", 1000 },
		{ "p:5", 0 },
	};
	play y;
	make(&y);
	static const an_span_source from = { NULL, no_frames, a_reason };
	an_state_span s = { .g = 1,
		.from_ns = 1000,
		.to_ns = 2000,
		.waker = 2,
		.p = 4,
		.m = 5,
		.stack = 3,
		.reason = 1,
		.state = WTR_G_WAITING,
		.cls = WTR_CLASS_BLOCKED };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		wtr_where *w = bound(&y, cases[i].text, WTR_ABOUT_SPAN);
		if (an_where_span(w, &from, &s) != cases[i].ns)
			print_message("%s: %lld\n", cases[i].text, (long long)an_where_span(w, &from, &s));
		assert_int_equal(an_where_span(w, &from, &s), cases[i].ns);
		assert_int_equal(an_where_span(w, &from, &s), cases[i].ns); /* from memory */
		wtr_where_free(w);
	}
	assert_int_equal(an_where_span(NULL, &from, &s), 1000);
	play_close(&y);
}

/* What one asker calls stack 3 may be another stack of the next one. */
static void askers(void **state)
{
	(void)state;
	play y;
	make(&y);
	static const an_span_source first = { NULL, no_frames, a_reason }, second = { NULL, other_frames, a_reason };
	an_state_span s = { .g = 1, .from_ns = 1000, .to_ns = 2000, .waker = 2, .stack = 3, .state = WTR_G_WAITING };
	wtr_where *w = bound(&y, "stack:a.b", WTR_ABOUT_SPAN);
	an_where_asker(w);
	assert_int_equal(an_where_span(w, &first, &s), 1000);
	an_where_asker(w);
	assert_int_equal(an_where_span(w, &second, &s), 0);
	an_where_asker(NULL);
	wtr_where_free(w);
	play_close(&y);
}

static void tasks_and_regions(void **state)
{
	(void)state;
	play y;
	make(&y);
	const wtr_task_row *tasks = wtr_table_data(y.x, WTR_TABLE_TASKS);
	const wtr_region_row *regions = wtr_table_data(y.x, WTR_TABLE_REGIONS);
	static const struct {
		const char *text;
		bool yes;
	} about_task[] = { { "task:job", true }, { "task:7", true }, { "task:8", false }, { "log:half", true },
		{ "log:whole", false }, { "dur:480ns", true }, { "dur:<480ns", false }, { "half", true } };
	size_t job = 0;
	while (tasks[job].id != 7)
		job++;
	for (size_t i = 0; i < sizeof(about_task) / sizeof(about_task[0]); i++) {
		wtr_where *w = bound(&y, about_task[i].text, WTR_ABOUT_TASK);
		assert_int_equal(wtr_where_task(w, &tasks[job]), about_task[i].yes);
		wtr_where_free(w);
	}
	static const struct {
		const char *text;
		bool yes;
	} about_region[] = { { "region:load", true }, { "load", true }, { "region:store", false }, { "task:job", true },
		{ "g:1 fn:main.main", true }, { "dur:100ns", true }, { "range:..50ns", false } };
	for (size_t i = 0; i < sizeof(about_region) / sizeof(about_region[0]); i++) {
		wtr_where *w = bound(&y, about_region[i].text, WTR_ABOUT_REGION);
		assert_int_equal(wtr_where_region(w, &regions[0]), about_region[i].yes);
		wtr_where_free(w);
	}
	play_close(&y);
}

static void fields_are_listed(void **state)
{
	(void)state;
	static const wtr_about all[] = { WTR_ABOUT_GOROUTINE, WTR_ABOUT_SPAN, WTR_ABOUT_EVENT, WTR_ABOUT_TASK,
		WTR_ABOUT_REGION };
	for (size_t k = 0; k < 5; k++) {
		char list[400] = "";
		unsigned about;
		const char *name, *doc;
		for (unsigned i = 0; (name = wtr_where_field(i, &doc, &about)); i++)
			if (about & all[k]) {
				size_t n = strlen(list);
				snprintf(list + n, sizeof(list) - n, "%s%s", n ? ", " : "", name);
			}
		assert_string_equal(list, wtr_where_fields(all[k]));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),
		cmocka_unit_test(names),
		cmocka_unit_test(limits),
		cmocka_unit_test(goroutines),
		cmocka_unit_test(spans),
		cmocka_unit_test(askers),
		cmocka_unit_test(tasks_and_regions),
		cmocka_unit_test(fields_are_listed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Times and periods as users write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <wtr/where.h>

#define S INT64_C(1000000000)
static const wtr_totals trace = {
	.start_ns = 5000,
	.end_ns = 5000 + 3 * S,
	.has_wall = true,
	.wall_start_ns = INT64_C(1763974799) * S + 500000000, /* 2025-11-24T08:59:59.5Z */
};

static void durations(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ns;
	} good[] = {
		{ "0", 0 },
		{ "1500", 1500 },
		{ "100ns", 100 },
		{ "30us", 30000 },
		{ "30\xc2\xb5s", 30000 },
		{ "5ms", 5000000 },
		{ "1.2s", 1200000000 },
		{ ".5s", 500000000 },
		{ "2m", 120 * S },
		{ "1h", 3600 * S },
		{ "1.000000001s", 1000000001 },
		{ "1.0000000019s", 1000000002 },
		{ "9223372036854775807", INT64_MAX },
		{ "9223372036.854775807s", INT64_MAX },
		{ "1.5", 2 },
		{ "0.000123456s", 123456 },
	};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		int64_t ns = -7;
		assert_true(wtr_duration_parse(good[i].text, strlen(good[i].text), &ns));
		assert_int_equal(ns, good[i].ns);
	}
	static const char *const bad[] = { "", "s", ".", "1.", "1.s", "-1s", "+1s", " 1s", "1s ", "1 s", "1x", "0x10",
		"1e3", "9223372036854775808", "9223372036.854775808s", "1..2", "5mss", "99999999999999999999s" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t ns = -7;
		assert_false(wtr_duration_parse(bad[i], strlen(bad[i]), &ns));
		assert_int_equal(ns, -7);
	}
}

/* The resolved period; {1, 0} when it is refused, with the rule in *rule. */
static void period(const char *text, const wtr_totals *t, int64_t ret[2], const char **rule)
{
	wtr_period p;
	wtr_error err = { .rule = "" };
	ret[0] = 1;
	ret[1] = 0;
	wtr_code rc = wtr_period_parse(text, strlen(text), &p, &err);
	if (rc == WTR_OK)
		rc = wtr_period_resolve(&p, t, &ret[0], &ret[1], &err);
	assert_true(rc == WTR_OK || (rc == WTR_E_USAGE && err.what[0]));
	*rule = err.rule;
}

static void periods(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t from, to;
	} good[] = {
		{ "1s..2s", S, 2 * S },
		{ "1s..", S, 3 * S + 1 },
		{ "..2s", 0, 2 * S },
		{ "..", 0, 3 * S + 1 },
		{ "1s..+5ms", S, S + 5000000 },
		{ "..+5ms", 0, 5000000 },
		{ "-1s..", 2 * S, 3 * S + 1 },
		{ "-1s..-500ms", 2 * S, 2 * S + 500000000 },
		{ "@5010..@5020", 10, 20 },
		{ "2025-11-24T09:00:00Z..+1s", 500000000, 1500000000 },
		{ "2025-11-24T10:00:00+01:00..+1s", 500000000, 1500000000 },
		{ "2025-11-24 09:00..2025-11-24 09:00:01.25", 500000000, 1750000000 },
		{ "09:00:00.5..09:00:01", S, 1500000000 },
		{ "1s..99s", S, 99 * S },
	};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		int64_t t[2];
		const char *rule;
		period(good[i].text, &trace, t, &rule);
		assert_int_equal(t[0] - trace.start_ns, good[i].from);
		assert_int_equal(t[1] - trace.start_ns, good[i].to);
	}
	static const struct {
		const char *text, *rule;
	} bad[] = {
		{ "", "range.dots" },
		{ "1s", "range.dots" },
		{ "1s.2s", "range.dots" },
		{ "x..", "range.time" },
		{ "..x", "range.time" },
		{ "+1s..2s", "range.time" },
		{ "2s..1s", "range.order" },
		{ "1s..1s", "range.order" },
		{ "4s..", "range.outside" },
		{ "..@4999", "range.outside" },
		{ "2025-13-01T00:00..", "range.time" },
		{ "24:00..", "range.time" },
		{ "09:60..", "range.time" },
		{ "2025-11-24T10:00:00+1..", "range.time" },
		{ "1s..2s..3s", "range.time" },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t t[2];
		const char *rule;
		period(bad[i].text, &trace, t, &rule);
		assert_string_equal(rule, bad[i].rule);
	}
}

static void over_midnight(void **state)
{
	(void)state;
	wtr_totals t = trace;
	t.wall_start_ns = INT64_C(1764028799) * S; /* 2025-11-24T23:59:59Z */
	int64_t r[2];
	const char *rule;
	period("23:59:59.5..00:00:01", &t, r, &rule);
	assert_int_equal(r[0] - t.start_ns, S / 2);
	assert_int_equal(r[1] - t.start_ns, 2 * S);
	t.has_wall = false;
	period("23:59:59.5..", &t, r, &rule);
	assert_string_equal(rule, "range.wall");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),
		cmocka_unit_test(periods),
		cmocka_unit_test(over_midnight),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

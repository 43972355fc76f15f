/* Arguments: decoding, ranges, and the texts that name lanes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "serve/site.h"

static char room[WS_TARGET_MAX];

static void refused(ws_api_id api, const char *query, const char *why)
{
	ws_args a;
	ws_answer r = { 0 };
	if (ws_args_parse(api, query, room, &a, &r))
		fail_msg("'%s' was taken", query);
	assert_int_equal(r.status, 400);
	if (!strstr(wb_buf_cstr(&r.body), why))
		fail_msg("'%s': %s", query, wb_buf_cstr(&r.body));
	ws_answer_free(&r);
}

static ws_args taken(ws_api_id api, const char *query)
{
	ws_args a;
	ws_answer r = { 0 };
	if (!ws_args_parse(api, query, room, &a, &r))
		fail_msg("'%s': %s", query, wb_buf_cstr(&r.body));
	return a;
}

static void integers(void **state)
{
	(void)state;
	assert_int_equal(taken(WS_API_span, "lane=g1&t=0").span.t, 0);
	assert_int_equal(taken(WS_API_span, "t=-17&lane=g1").span.t, -17);
	assert_int_equal(taken(WS_API_span, "lane=g1&t=0000000000000000000000005").span.t, 5);
	assert_int_equal(taken(WS_API_span, "lane=g1&t=2305843009213693952").span.t, WS_TIME_MAX);
	assert_int_equal(taken(WS_API_span, "lane=g1&t=-2305843009213693952").span.t, -WS_TIME_MAX);
	const char *bad[] = { "", "-", "+1", "1.5", "1e3", "0x10", " 1", "1%20", "%31%00", "2305843009213693953",
		"9223372036854775808", "-9223372036854775809", "99999999999999999999999999", "NaN", "--1", "1-" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char q[100];
		snprintf(q, sizeof(q), "lane=g1&t=%s", bad[i]);
		refused(WS_API_span, q, "t must be an integer");
	}
	assert_int_equal(taken(WS_API_lanes, "group=0&n=2000").lanes.n, 2000);
	refused(WS_API_lanes, "group=0&n=2001", "n must be an integer from 1 to 2000");
	refused(WS_API_lanes, "group=0&n=0", "n must");
	refused(WS_API_lanes, "group=-1&n=5", "group must");
	refused(WS_API_lanes, "group=4294967296&n=5", "group must");
	refused(WS_API_counts, "t=0&step=0&n=5", "step must");
	refused(WS_API_counts, "t=0&step=1&n=4097", "n must");
	refused(WS_API_tiles, "zoom=51&i=0&lanes=g1", "zoom must");
	refused(WS_API_tiles, "zoom=-1&i=0&lanes=g1", "zoom must");
	refused(WS_API_tiles, "zoom=1&i=-1&lanes=g1", "i must");
}

static void presence(void **state)
{
	(void)state;
	ws_args a = taken(WS_API_counts, "t=1&step=2&n=3");
	assert_int_equal(a.counts.given, 7);
	a = taken(WS_API_counts, "&&group=0&n=3&step=2&t=1&");
	assert_int_equal(a.counts.given, 15);
	refused(WS_API_counts, "t=1&step=2", "n is missing");
	refused(WS_API_counts, "", "t is missing");
	refused(WS_API_counts, "t=1&t=1&step=2&n=3", "t is given twice");
	refused(WS_API_counts, "t=1&step=2&n=3&lane=g1", "there is no argument 'lane' here");
	refused(WS_API_info, "x", "there is no argument 'x' here");
	refused(WS_API_info, "=1", "there is no argument '' here");
	refused(WS_API_counts, "T=1&step=2&n=3", "no argument 'T'");
	refused(WS_API_counts, "t", "t must be");
	taken(WS_API_info, "");
	taken(WS_API_info, "&&&");
}

static void texts(void **state)
{
	(void)state;
	ws_args a = taken(WS_API_search, "q=a%2Bb+c%26%3d%ff%00z");
	assert_int_equal(a.search.q.n, 10);
	assert_memory_equal(a.search.q.at, "a+b c&=\xff\0z", 10);
	a = taken(WS_API_search, "%71=x=y");
	assert_int_equal(a.search.q.n, 3);
	assert_memory_equal(a.search.q.at, "x=y", 3);
	refused(WS_API_search, "q=", "q must have 1 to 200 bytes");
	refused(WS_API_search, "q=%", "escape");
	refused(WS_API_search, "q=%4", "escape");
	refused(WS_API_search, "q=%4&n=1", "escape");
	refused(WS_API_search, "q=%zz", "escape");
	refused(WS_API_search, "%q=1", "escape");
	char long_q[300] = "q=";
	memset(long_q + 2, 'x', 200);
	assert_int_equal(taken(WS_API_search, long_q).search.q.n, 200);
	long_q[202] = 'x';
	refused(WS_API_search, long_q, "200");
}

static void lane(const char *text, int kind, int64_t id)
{
	wtr_lane l = { .kind = WTR_LANE_KIND_COUNT, .id = -7 };
	bool ok = ws_lane_parse((wtr_str){ text, strlen(text) }, &l);
	if (ok != (kind >= 0))
		fail_msg("lane '%s'", text);
	if (ok) {
		assert_int_equal(l.kind, kind);
		assert_int_equal(l.id, id);
	} else {
		assert_int_equal(l.id, -7);
	}
}

static void lanes(void **state)
{
	(void)state;
	lane("p3", WTR_LANE_PROC, 3);
	lane("m1234", WTR_LANE_THREAD, 1234);
	lane("g45", WTR_LANE_GOROUTINE, 45);
	lane("g9223372036854775807", WTR_LANE_GOROUTINE, INT64_MAX);
	lane("G2", WTR_LANE_GROUP, 2);
	lane("G4294967295", WTR_LANE_GROUP, UINT32_MAX);
	lane("gc", WTR_LANE_GC, 0);
	lane("stw", WTR_LANE_STW, 0);
	const char *bad[] = { "", "g", "p", "x1", "g-1", "g--1", "g1x", "G4294967296", "g9223372036854775808", "GC",
		"gc0", "STW", "g 1", "g1 ", "1", "stwx" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		lane(bad[i], -1, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers),
		cmocka_unit_test(presence),
		cmocka_unit_test(texts),
		cmocka_unit_test(lanes),
	};
	return cmocka_run_group_tests_name("args", tests, NULL, NULL);
}

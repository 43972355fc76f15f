/* From a request to its answer: every endpoint on a made-up trace, what is refused and how, every allocation failing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <yajl/yajl_tree.h>

#include "base/alloc.h"
#include "fake.h"

static ws_model model;
static ws_site site;

static ws_request request(const char *target)
{
	return (ws_request){ .target = target, .n_hosts = 1, .host = "localhost:6060" };
}

static ws_answer ask_as(const ws_request *rq)
{
	ws_answer a;
	ws_answer_request(&site, rq, &a);
	wb_buf_cstr(&a.body);
	return a;
}

static void is_json(const ws_answer *a, const char *target)
{
	char err[200];
	wb_buf copy = { 0 };
	wb_buf_put(&copy, a->fixed ? a->fixed : a->body.at, a->fixed ? a->n_fixed : a->body.n);
	yajl_val v = yajl_tree_parse(wb_buf_cstr(&copy), err, sizeof(err));
	if (!v)
		fail_msg("%s: %s: %s", target, err, copy.at);
	yajl_tree_free(v);
	wb_buf_free(&copy);
}

static void answers(const char *target, unsigned status, const char *want)
{
	ws_request rq = request(target);
	ws_answer a = ask_as(&rq);
	if (a.status != status)
		fail_msg("%s: status %u, %s", target, a.status, a.body.at);
	assert_string_equal(a.type, "application/json");
	is_json(&a, target);
	if (status == 200)
		assert_string_equal(a.body.at, want);
	else if (!strstr(a.body.at, want))
		fail_msg("%s: %s", target, a.body.at);
	ws_answer_free(&a);
}

static void info(void **state)
{
	(void)state;
	answers("/api/info", 200,
		"{\"loading\":false,\"file\":\"dir/trace.out\",\"version\":26,\"written_by\":\"Go 1.26 or "
		"1.27\",\"compression\":\"none\",\"file_bytes\":12345,"
		"\"duration_ns\":1000000,\"start_abs_ns\":\"5000\",\"wall_start_unix_ns\":\"1795336402522602706\","
		"\"events\":647,\"goroutines\":6,\"procs\":3,\"threads\":2,"
		"\"names_objects\":false,"
		"\"gc_count\":0,\"gc_mark_ns\":0,\"stw_count\":0,\"stw_ns\":0,\"stw_longest_ns\":0,"
		"\"classes\":[\"none\",\"running\",\"runnable\",\"blocked\",\"lock\",\"network\",\"syscall\",\"sleep\","
		"\"gc\"],\"damage\":null,"
		"\"proc_lanes\":[{\"lane\":\"p0\",\"id\":0,\"name\":\"P0\",\"running_ns\":100,\"events\":10},{\"lane\":"
		"\"p3\",\"id\":3,\"name\":\"P3\",\"running_ns\":5,\"events\":0},"
		"{\"lane\":\"p1000001\",\"id\":1000001,\"name\":\"timers\",\"running_ns\":0,\"events\":0}],"
		"\"thread_lanes\":[{\"lane\":\"m7330\",\"id\":7330,\"name\":\"M7330\",\"events\":498},{\"lane\":"
		"\"m7331\",\"id\":7331,\"name\":\"M7331\",\"events\":0}],"
		"\"group_count\":3,\"groups\":["
		"{\"group\":0,\"name\":\"main.worker\",\"n\":3,\"exec_ns\":50,\"sched_ns\":10,\"block_ns\":7,\"syscall_"
		"ns\":5,\"syscall_block_ns\":6,\"total_ns\":90},"
		"{\"group\":1,\"name\":\"net/"
		"http.(*h8).serve\",\"n\":2,\"exec_ns\":0,\"sched_ns\":0,\"block_ns\":0,\"syscall_ns\":0,\"syscall_"
		"block_ns\":0,\"total_ns\":0},"
		"{\"group\":2,\"name\":\"\",\"n\":1,\"exec_ns\":0,\"sched_ns\":0,\"block_ns\":0,\"syscall_ns\":0,"
		"\"syscall_block_ns\":0,\"total_ns\":0,\"only\":{\"lane\":\"g99\",\"id\":99,\"name\":\"\",\"create_"
		"ns\":99,"
		"\"end_ns\":null,\"exec_ns\":0,\"sched_ns\":0,\"block_ns\":0,\"syscall_ns\":0,\"syscall_block_ns\":0,"
		"\"total_ns\":0,"
		"\"state\":\"Undetermined\"}}]}");
}

static void damage(void **state)
{
	(void)state;
	ws_model m = model;
	atomic_store(&site.model, &m);
	m.totals.end = (wtr_error){ .code = WTR_E_ORDER,
		.offset = 77,
		.generation = 3,
		.rule = "order.go-exists",
		.what = "goroutine 5 \"exists\"" };
	m.totals.losses.bytes = 100;
	m.totals.has_wall = false;
	ws_request rq = request("/api/info");
	ws_answer a = ask_as(&rq);
	assert_non_null(strstr(a.body.at,
		"\"damage\":{\"what\":\"goroutine 5 "
		"\\\"exists\\\"\",\"rule\":\"order.go-exists\",\"offset\":77,\"generation\":3,\"lost_bytes\":100,"
		"\"lost_events\":0,\"lost_batches\":0,\"lost_generations\":0}"));
	assert_non_null(strstr(a.body.at, "\"wall_start_unix_ns\":null"));
	ws_answer_free(&a);
	atomic_store(&site.model, &model);
}

static void loading(void **state)
{
	(void)state;
	ws_site s;
	fake_site(&s, NULL);
	s.done = 5, s.total = 10;
	strcpy(s.doing, "reading");
	ws_answer a;
	ws_request rq = request("/api/info");
	ws_answer_request(&s, &rq, &a);
	assert_int_equal(a.status, 200);
	assert_string_equal(
		wb_buf_cstr(&a.body), "{\"loading\":true,\"file\":\"\",\"doing\":\"reading\",\"done\":5,\"total\":10}");
	ws_answer_free(&a);
	rq = request("/api/search?q=x");
	ws_answer_request(&s, &rq, &a);
	assert_int_equal(a.status, 503);
	ws_answer_free(&a);
	rq = request("/");
	ws_answer_request(&s, &rq, &a);
	assert_int_equal(a.status, 200);
	ws_answer_free(&a);
	fake_site_done(&s);
}

static void lanes_and_rows(void **state)
{
	(void)state;
	answers("/api/lanes?group=0&from=1&n=1", 200,
		"{\"group\":0,\"first\":1,\"n\":3,\"lanes\":[{\"lane\":\"g7\",\"id\":7,\"name\":\"main.worker\","
		"\"create_ns\":null,\"end_ns\":77,"
		"\"exec_ns\":0,\"sched_ns\":0,\"block_ns\":0,\"syscall_ns\":0,\"syscall_block_ns\":0,\"total_ns\":0,"
		"\"state\":\"Undetermined\"}]}");
	answers("/api/lanes?group=2&n=2000", 200,
		"{\"group\":2,\"first\":0,\"n\":1,\"lanes\":[{\"lane\":\"g99\",\"id\":99,\"name\":\"\",\"create_ns\":"
		"99,\"end_ns\":null,"
		"\"exec_ns\":0,\"sched_ns\":0,\"block_ns\":0,\"syscall_ns\":0,\"syscall_block_ns\":0,\"total_ns\":0,"
		"\"state\":\"Undetermined\"}]}");
	answers("/api/lanes?group=1&from=99&n=5", 200, "{\"group\":1,\"first\":99,\"n\":2,\"lanes\":[]}");
	answers("/api/lanes?group=3&n=5", 404, "the trace has no group 3");
	answers("/api/rows?rows=3,0", 200,
		"{\"rows\":[{\"row\":3,\"id\":45,\"name\":\"main.worker\",\"group\":0},{\"row\":0,\"id\":1,\"name\":"
		"\"main.worker\",\"group\":0}]}");
	answers("/api/rows?rows=2%2C5", 200,
		"{\"rows\":[{\"row\":2,\"id\":8,\"name\":\"net/"
		"http.(*h8).serve\",\"group\":1},{\"row\":5,\"id\":99,\"name\":\"\",\"group\":2}]}");
	const char *bad[] = { "6", "-1", "1,", ",1", "1,,2", "x", "1x", "99999999999999999999999",
		"18446744073709551616", "1;2", "0,6" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char t[100];
		snprintf(t, sizeof(t), "/api/rows?rows=%s", bad[i]);
		answers(t, 400, "rows must be");
	}
	wb_buf many = { 0 };
	wb_buf_puts(&many, "/api/rows?rows=0");
	for (int i = 1; i < 2000; i++)
		wb_buf_puts(&many, ",1");
	ws_request rq = request(wb_buf_cstr(&many));
	ws_answer a = ask_as(&rq);
	assert_int_equal(a.status, 200);
	ws_answer_free(&a);
	wb_buf_puts(&many, ",1");
	answers(wb_buf_cstr(&many), 400, "at most 2000");
	wb_buf_free(&many);
}

static void spans(void **state)
{
	(void)state;
	answers("/api/span?lane=g7&t=100", 200,
		"{\"lane\":\"g7\",\"start_ns\":95,\"end_ns\":105,\"class\":\"running\",\"state\":\"Running\",\"open_"
		"start\":false,\"open_end\":true,"
		"\"reason\":\"chan \xef\xbf\xbd receive\",\"g\":45,\"g_name\":\"main.worker\",\"p\":2,\"m\":null,"
		"\"stack\":[{\"func\":\"main.worker\",\"file\":\"main.go\",\"line\":12,\"pc\":\"0x46a2b1\"},{\"func\":"
		"\"main.worker\",\"file\":\"main.go\",\"line\":13,\"pc\":\"0x46a2b2\"}],"
		"\"waker\":{\"g\":1,\"name\":\"main.worker\",\"p\":null,\"stack\":[{\"func\":\"main.worker\",\"file\":"
		"\"main.go\",\"line\":12,\"pc\":\"0x46a2b1\"}]}}");
	ws_request rq = request("/api/step?lane=m7330&t=100&dir=-1");
	ws_answer a = ask_as(&rq);
	assert_non_null(strstr(a.body.at, "\"start_ns\":85,\"end_ns\":95,\"class\":\"running\",\"state\":null,"));
	ws_answer_free(&a);
	answers("/api/span?lane=G1&t=100", 200, "{\"lane\":\"G1\",\"span\":null}");
	answers("/api/span?lane=gc&t=-100", 200, "{\"lane\":\"gc\",\"span\":null}");
	answers("/api/span?lane=stw&t=2305843009213693952", 200, "{\"lane\":\"stw\",\"span\":null}");
	answers("/api/step?lane=p3&t=100&dir=0", 400, "dir must be -1 or 1");
	answers("/api/span?lane=g2&t=100", 404, "the trace has no lane g2");
	answers("/api/span?lane=p1&t=100", 404, "the trace has no lane p1");
	answers("/api/span?lane=m1&t=100", 404, "the trace has no lane m1");
	answers("/api/span?lane=G3&t=100", 404, "the trace has no lane G3");
	answers("/api/span?lane=q1&t=100", 400, "'q1' is not a lane");
	answers("/api/span?lane=%22%00%ff&t=100", 400, "is not a lane");
}

static void counts_and_metrics(void **state)
{
	(void)state;
	answers("/api/counts?t=0&step=10&n=2", 200,
		"{\"t\":0,\"step\":10,\"n\":2,\"counts\":[[0.333,0.333],[0.667,0.667],[1,1],[1.333,1.333],[1.667,1.667]"
		",[2,2],[2.333,2.333],[2.667,2.667]]}");
	answers("/api/counts?t=0&step=10&n=1&group=2", 200,
		"{\"t\":0,\"step\":10,\"n\":1,\"counts\":[[3.333],[3.667],[4],[4.333],[4.667],[5],[5.333],[5.667]]}");
	answers("/api/counts?t=-10&step=10&n=1", 200,
		"{\"t\":-10,\"step\":10,\"n\":1,\"counts\":[[0],[0],[0],[0],[0],[0],[0],[0]]}");
	answers("/api/counts?t=0&step=10&n=1&group=3", 404, "no group 3");
	answers("/api/counts?t=0&step=2305843009213693952&n=4096", 400, "too large");
	answers("/api/counts?t=2305843009213693952&step=1&n=1", 400, "too large");
	answers("/api/metrics?t=0&step=100&n=4", 200,
		"{\"t\":0,\"step\":100,\"n\":4,\"heap\":[null,2000,2000,500],\"goal\":[null,4000,4000,4000],"
		"\"gomaxprocs\":[4,4,4,4]}");
	answers("/api/metrics?t=-100&step=100&n=2", 200,
		"{\"t\":-100,\"step\":100,\"n\":2,\"heap\":[null,null],\"goal\":[null,null],\"gomaxprocs\":[null,4]}");
	answers("/api/metrics?t=0&step=0&n=4", 400, "step must");
}

static void search(void **state)
{
	(void)state;
	answers("/api/search?q=HTTP", 200,
		"{\"q\":\"HTTP\",\"hits\":[{\"lane\":\"g8\",\"id\":8,\"name\":\"net/"
		"http.(*h8).serve\",\"create_ns\":8,\"end_ns\":null,\"group\":1,\"index\":0},"
		"{\"lane\":\"g46\",\"id\":46,\"name\":\"net/"
		"http.(*h8).serve\",\"create_ns\":46,\"end_ns\":null,\"group\":1,\"index\":1}],\"total\":2}");
	answers("/api/search?q=45", 200,
		"{\"q\":\"45\",\"hits\":[{\"lane\":\"g45\",\"id\":45,\"name\":\"main.worker\",\"create_ns\":45,\"end_"
		"ns\":null,\"group\":0,\"index\":2}],\"total\":1}");
	answers("/api/search?q=g99", 200,
		"{\"q\":\"g99\",\"hits\":[{\"lane\":\"g99\",\"id\":99,\"name\":\"\",\"create_ns\":99,\"end_ns\":null,"
		"\"group\":2,\"index\":0}],\"total\":1}");
	answers("/api/search?q=er&n=1", 200,
		"{\"q\":\"er\",\"hits\":[{\"lane\":\"g1\",\"id\":1,\"name\":\"main.worker\",\"create_ns\":0,\"end_ns\":"
		"null,\"group\":0,\"index\":0}],\"total\":5}");
	/* Found by its id and by its name: once. */
	answers("/api/search?q=8&n=2", 200,
		"{\"q\":\"8\",\"hits\":[{\"lane\":\"g8\",\"id\":8,\"name\":\"net/"
		"http.(*h8).serve\",\"create_ns\":8,\"end_ns\":null,\"group\":1,\"index\":0},"
		"{\"lane\":\"g46\",\"id\":46,\"name\":\"net/"
		"http.(*h8).serve\",\"create_ns\":46,\"end_ns\":null,\"group\":1,\"index\":1}],\"total\":2}");
	answers("/api/search?q=nothing", 200, "{\"q\":\"nothing\",\"hits\":[],\"total\":0}");
	answers("/api/search?q=g-1", 200, "{\"q\":\"g-1\",\"hits\":[],\"total\":0}");
	answers("/api/search?q=%00", 200, "{\"q\":\"\\u0000\",\"hits\":[],\"total\":0}");
	answers("/api/search?q=x&n=201", 400, "n must be an integer from 1 to 200");
}

#define PAID                                                                                                 \
	"{\"time_ns\":10,\"g\":45,\"name\":\"main.worker\",\"task\":7,\"task_name\":\"order\",\"category\":" \
	"\"status\",\"message\":\"Paid\"}"
#define SHIPPED                                                                                                      \
	"{\"time_ns\":20,\"g\":8,\"name\":\"net/http.(*h8).serve\",\"task\":9,\"task_name\":\"\",\"category\":\"\"," \
	"\"message\":\"shipped\"}"
#define DONE                                                                                            \
	"{\"time_ns\":30,\"g\":45,\"name\":\"main.worker\",\"task\":0,\"task_name\":\"\",\"category\":" \
	"\"status\",\"message\":\"done\"}"
#define BEFORE     "{\"name\":\"before\",\"task\":7,\"task_name\":\"order\",\"start_ns\":null,\"end_ns\":12}"
#define CHARGE     "{\"name\":\"charge\",\"task\":7,\"task_name\":\"order\",\"start_ns\":12,\"end_ns\":null}"
#define NO_REGIONS ",\"regions\":[],\"n_regions\":0}"

static void told(void **state)
{
	(void)state;
	answers("/api/told", 200, "{\"logs\":[" PAID "," SHIPPED "," DONE "],\"n_logs\":3" NO_REGIONS);
	answers("/api/told?n=1", 200, "{\"logs\":[" PAID "],\"n_logs\":3" NO_REGIONS);
	answers("/api/told?q=paid", 200, "{\"logs\":[" PAID "],\"n_logs\":1" NO_REGIONS);
	answers("/api/told?q=STATUS&from=11", 200, "{\"logs\":[" DONE "],\"n_logs\":1" NO_REGIONS);
	answers("/api/told?q=nothing", 200, "{\"logs\":[],\"n_logs\":0" NO_REGIONS);
	/* A half-open time: what ends where it begins is not in it. */
	answers("/api/told?from=20&to=30", 200, "{\"logs\":[" SHIPPED "],\"n_logs\":1" NO_REGIONS);
	answers("/api/told?g=45&from=10&to=12", 200,
		"{\"logs\":[" PAID "],\"n_logs\":1,\"regions\":[" BEFORE "],\"n_regions\":1}");
	answers("/api/told?g=45&from=12&to=13", 200,
		"{\"logs\":[],\"n_logs\":0,\"regions\":[" CHARGE "],\"n_regions\":1}");
	answers("/api/told?g=45&n=1", 200,
		"{\"logs\":[" PAID "],\"n_logs\":2,\"regions\":[" BEFORE "],\"n_regions\":2}");
	answers("/api/told?g=46", 200, "{\"logs\":[],\"n_logs\":0" NO_REGIONS);
	answers("/api/told?g=0", 400, "g must be an integer");
}

static uint32_t u32(const ws_answer *a, size_t at)
{
	uint32_t v;
	assert_true(at + 4 <= a->body.n);
	memcpy(&v, a->body.at + at, 4);
	return v;
}

static float f32(const ws_answer *a, size_t at)
{
	uint32_t v = u32(a, at);
	float f;
	memcpy(&f, &v, 4);
	return f;
}

static uint8_t u8(const ws_answer *a, size_t at)
{
	assert_true(at < a->body.n);
	return (uint8_t)a->body.at[at];
}

/* Checks the columns of one lane against what the fake tile has; returns where the next lane begins. */
static size_t check_lane(const ws_answer *a, size_t at, size_t runs, bool group, unsigned zoom)
{
	size_t bytes = (runs + 3) / 4 * 4, blended = 0;
	for (size_t i = 0; i < runs; i++) {
		bool is_blended = group || i % 3 == 1;
		assert_true(f32(a, at + 4 * i) == (float)i * 2);
		assert_true(f32(a, at + 4 * (runs + i)) == (float)i * 2 + 2);
		assert_int_equal(u32(a, at + 4 * (2 * runs + i)), i + 100);
		assert_int_equal(u32(a, at + 4 * (3 * runs + i)), i + 200);
		assert_int_equal(u8(a, at + 16 * runs + i), is_blended ? WTR_RUN_BLENDED : WTR_RUN_EXACT);
		assert_int_equal(u8(a, at + 16 * runs + bytes + i), 1 + i % 8);
		assert_int_equal(u8(a, at + 16 * runs + 2 * bytes + i), zoom);
		assert_int_equal(u8(a, at + 16 * runs + 3 * bytes + i), 1);
		for (size_t k = 0; is_blended && k < 8; k++)
			assert_int_equal(u8(a, at + 16 * runs + 4 * bytes + 8 * blended + k), (k + i) & 255);
		blended += is_blended;
	}
	for (size_t i = runs; i < bytes; i++)
		assert_int_equal(u8(a, at + 16 * runs + 3 * bytes + i), 0);
	return at + 16 * runs + 4 * bytes + 8 * blended;
}

static void tiles(void **state)
{
	(void)state;
	ws_request rq = request("/api/tiles?zoom=4&i=2&lanes=p3,g1,G0,gc,g8,stw");
	const size_t runs[6] = { 257, 3, 5, 0, 0, 0 }, blended[6] = { 86, 1, 5, 0, 0, 0 };
	ws_answer a;
	ws_answer_request(&site, &rq, &a);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.type, "application/octet-stream");
	assert_int_equal(u32(&a, 0), 0x4c495457);
	assert_memory_equal(a.body.at, "WTIL", 4);
	assert_int_equal(u32(&a, 4), 1);
	assert_int_equal(u32(&a, 8), 4);
	assert_int_equal(u32(&a, 12), 6);
	double start;
	memcpy(&start, a.body.at + 16, 8);
	assert_true(start == 2 * 512 * 16);
	size_t at = 24 + 8 * 6;
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(u32(&a, 24 + 8 * i), runs[i]);
		assert_int_equal(u32(&a, 28 + 8 * i), blended[i]);
		at = check_lane(&a, at, runs[i], i == 2, 4);
	}
	assert_int_equal(at, a.body.n);
	ws_answer_free(&a);
}

static void far_tiles(void **state)
{
	(void)state;
	const char *beyond[] = { "/api/tiles?zoom=50&i=1&lanes=p3", "/api/tiles?zoom=0&i=4503599627370496&lanes=p3",
		"/api/tiles?zoom=12&i=1&lanes=p3" };
	for (size_t i = 0; i < 3; i++) {
		ws_request rq = request(beyond[i]);
		ws_answer a;
		ws_answer_request(&site, &rq, &a);
		assert_int_equal(a.status, 200);
		assert_int_equal(a.body.n, 32);
		assert_int_equal(u32(&a, 24), 0);
		ws_answer_free(&a);
	}
	ws_request rq = request("/api/tiles?zoom=50&i=0&lanes=p3");
	ws_answer a;
	ws_answer_request(&site, &rq, &a);
	assert_int_equal(u32(&a, 24), 257);
	ws_answer_free(&a);
	answers("/api/tiles?zoom=50&i=5&lanes=p3", 400, "the tile is too far away");
	answers("/api/tiles?zoom=50&i=4503599627370496&lanes=p3", 400, "the tile is too far away");
	answers("/api/tiles?zoom=1&i=4503599627370497&lanes=p3", 400, "i must be");
}

static void bad_lanes(void **state)
{
	(void)state;
	answers("/api/tiles?zoom=0&i=0&lanes=p3,", 400, "'' is not a lane");
	answers("/api/tiles?zoom=0&i=0&lanes=,", 400, "'' is not a lane");
	answers("/api/tiles?zoom=0&i=0&lanes=p3,g2", 404, "no lane g2");
	answers("/api/tiles?zoom=0&i=0&lanes=", 400, "lanes must have");
	answers("/api/tiles?zoom=0&i=0&lanes=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 400,
		"'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' is not");
	wb_buf many = { 0 };
	wb_buf_puts(&many, "/api/tiles?zoom=0&i=0&lanes=p3");
	for (int i = 1; i < 256; i++)
		wb_buf_puts(&many, ",p3");
	ws_request rq = request(wb_buf_cstr(&many));
	ws_answer a;
	ws_answer_request(&site, &rq, &a);
	assert_int_equal(a.status, 200);
	assert_int_equal(u32(&a, 24 + 8 * 255), 257);
	ws_answer_free(&a);
	wb_buf_puts(&many, ",p3");
	answers(wb_buf_cstr(&many), 400, "at most 256 lanes");
	wb_buf_free(&many);
}

static void refusals(void **state)
{
	(void)state;
	answers("/nothing", 404, "nothing at this path");
	answers("", 404, "nothing at this path");
	answers("*", 404, "nothing at this path");
	answers("/api/", 404, "nothing at this path");
	answers("/api/info/", 404, "nothing at this path");
	answers("/API/info", 404, "nothing at this path");
	answers("/../../etc/passwd", 404, "nothing at this path");
	answers("/%2e%2e/etc/passwd", 404, "nothing at this path");
	answers("//", 404, "nothing at this path");
	answers("http://localhost:6060/", 404, "nothing at this path");
	wb_buf big = { 0 };
	wb_buf_puts(&big, "/api/search?q=");
	while (big.n < WS_TARGET_MAX - 1)
		wb_buf_putc(&big, 'x');
	answers(wb_buf_cstr(&big), 400, "q must have 1 to 200 bytes");
	wb_buf_putc(&big, 'x');
	answers(wb_buf_cstr(&big), 414, "less than 32768 bytes");
	wb_buf_free(&big);
}

static void refused_as(ws_request rq, unsigned status)
{
	ws_answer a = ask_as(&rq);
	assert_int_equal(a.status, status);
	assert_non_null(strstr(a.body.at, "\"error\""));
	ws_answer_free(&a);
}

static void strangers(void **state)
{
	(void)state;
	const char *targets[] = { "/", "/api/info", "/nothing", "/app.js" };
	for (size_t i = 0; i < 4; i++) {
		ws_request rq = request(targets[i]);
		rq.host = "evil.example:6060";
		refused_as(rq, 403);
		rq = request(targets[i]);
		rq.n_hosts = 0, rq.host = NULL;
		refused_as(rq, 403);
		rq = request(targets[i]);
		rq.n_hosts = 2;
		refused_as(rq, 403);
		rq = request(targets[i]);
		rq.origin = "http://evil.example";
		refused_as(rq, 403);
		rq = request(targets[i]);
		rq.fetch_site = "cross-site", rq.fetch_mode = "cors", rq.fetch_dest = "empty";
		refused_as(rq, 403);
	}
	ws_request rq = request("/api/info");
	rq.fetch_site = "cross-site", rq.fetch_mode = "navigate", rq.fetch_dest = "document";
	refused_as(rq, 403);
	rq = request("/api/info");
	rq.method = WS_OTHER_METHOD;
	refused_as(rq, 405);
	rq = request("/api/info");
	rq.has_body = true;
	refused_as(rq, 400);
	rq = request("/api/info");
	rq.origin = "http://localhost:6060", rq.fetch_site = "same-origin";
	ws_answer a = ask_as(&rq);
	assert_int_equal(a.status, 200);
	ws_answer_free(&a);
}

static void page(void **state)
{
	(void)state;
	ws_request rq = request("/?x=1");
	ws_answer a;
	ws_answer_request(&site, &rq, &a);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.type, "text/html; charset=utf-8");
	assert_true(a.n_fixed > 20);
	assert_memory_equal(a.fixed, "<!doctype html>", 15);
	assert_null(a.encoding);
	const char *etag = a.etag;
	rq.accept_encoding = "gzip";
	ws_answer_request(&site, &rq, &a);
	assert_string_equal(a.encoding, "gzip");
	assert_memory_equal(a.fixed, "\x1f\x8b", 2);
	assert_string_not_equal(a.etag, etag);
	rq.if_none_match = etag;
	ws_answer_request(&site, &rq, &a);
	assert_int_equal(a.status, 200); /* that is the tag of the other form */
	rq.accept_encoding = NULL;
	ws_answer_request(&site, &rq, &a);
	assert_int_equal(a.status, 304);
	assert_int_equal(a.n_fixed, 0);
}

static void page_from_directory(void **state)
{
	(void)state;
	char dir[] = "/tmp/weft-assets-XXXXXX", path[100];
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/index.html", dir);
	site.assets_dir = dir;
	ws_request rq = request("/");
	ws_answer a = ask_as(&rq);
	assert_int_equal(a.status, 404);
	ws_answer_free(&a);
	FILE *f = fopen(path, "w");
	fputs("mine", f);
	fclose(f);
	a = ask_as(&rq);
	assert_int_equal(a.status, 200);
	assert_string_equal(a.body.at, "mine");
	assert_null(a.etag);
	ws_answer_free(&a);
	site.assets_dir = NULL;
	unlink(path);
	rmdir(dir);
}

/* Whatever allocation fails, there is a whole answer: the right one or an error. */
static void every_allocation_fails(void **state)
{
	(void)state;
	const char *targets[] = { "/api/info", "/api/lanes?group=0&n=5", "/api/tiles?zoom=1&i=0&lanes=p3,G0",
		"/api/rows?rows=1", "/api/span?lane=g1&t=5", "/api/step?lane=g7&t=5&dir=1",
		"/api/counts?t=0&step=1&n=100", "/api/metrics?t=0&step=1&n=100", "/api/search?q=main", "/api/told?g=45",
		"/nothing" };
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		for (uint64_t nth = 1, failed = 1; failed; nth++) {
			ws_request rq = request(targets[i]);
			ws_answer a;
			uint64_t before = wb_fault_count();
			wb_fault_arm(nth, nth % 2);
			ws_answer_request(&site, &rq, &a);
			failed = wb_fault_count() - before >= nth;
			wb_fault_arm(0, false);
			if (failed) {
				assert_int_equal(a.status, 500);
				is_json(&a, targets[i]);
			} else {
				assert_int_equal(a.status, strcmp(targets[i], "/nothing") ? 200 : 404);
				assert_true(nth > 1);
			}
			ws_answer_free(&a);
		}
	}
}

static int setup(void **state)
{
	(void)state;
	if (!fake_model(&model))
		return -1;
	fake_site(&site, &model);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_site_done(&site);
	fake_model_done(&model);
	return 0;
}

static void encodings(void **state)
{
	(void)state;
	assert_true(ws_accepts("gzip, deflate, br", "gzip"));
	assert_true(ws_accepts("br,gzip;q=0.5", "gzip"));
	assert_true(ws_accepts("gzip;q=1.0", "gzip"));
	assert_false(ws_accepts("gzip;q=0", "gzip"));
	assert_false(ws_accepts("gzip; q=0.000, br", "gzip"));
	assert_false(ws_accepts("x-gzip, br", "gzip"));
	assert_false(ws_accepts("gzipped", "gzip"));
	assert_false(ws_accepts("", "gzip"));
	assert_false(ws_accepts(NULL, "gzip"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(info),
		cmocka_unit_test(damage),
		cmocka_unit_test(loading),
		cmocka_unit_test(lanes_and_rows),
		cmocka_unit_test(spans),
		cmocka_unit_test(counts_and_metrics),
		cmocka_unit_test(search),
		cmocka_unit_test(told),
		cmocka_unit_test(tiles),
		cmocka_unit_test(far_tiles),
		cmocka_unit_test(bad_lanes),
		cmocka_unit_test(refusals),
		cmocka_unit_test(strangers),
		cmocka_unit_test(page),
		cmocka_unit_test(page_from_directory),
		cmocka_unit_test(every_allocation_fails),
		cmocka_unit_test(encodings),
	};
	return cmocka_run_group_tests_name("answer", tests, setup, teardown);
}

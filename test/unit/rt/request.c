/* Heads of requests, and their queries: what is understood, what is refused and as what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rt/debug/request.h"

static char bytes[WEFT__HEAD_MAX + 1];

static int parse(const char *text, weft__request *ret)
{
	snprintf(bytes, sizeof(bytes), "%s", text);
	return weft__request_parse(bytes, strlen(bytes), ret);
}

static void understood(void **state)
{
	(void)state;
	weft__request rq;
	assert_int_equal(
		parse("GET /debug/pprof/a%20b?seconds=5&x HTTP/1.1\r\nHost: localhost:6060\r\nOrigin:http://x\r\n"
		      "sec-fetch-SITE: \t none \r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest:\r\nX-y: a: b\r\n\r\n",
			&rq),
		0);
	assert_int_equal(rq.method, WEFT__GET);
	assert_int_equal(rq.minor, 1);
	assert_string_equal(rq.path, "/debug/pprof/a b");
	assert_string_equal(rq.query, "seconds=5&x");
	assert_string_equal(rq.host, "localhost:6060");
	assert_int_equal(rq.n_hosts, 1);
	assert_string_equal(rq.origin, "http://x");
	assert_string_equal(rq.fetch_site, "none");
	assert_string_equal(rq.fetch_mode, "navigate");
	assert_string_equal(rq.fetch_dest, "");
	assert_false(rq.sized);
	assert_int_equal(parse("POST / HTTP/1.0\nContent-Length: 12\n\n", &rq), 0); /* typed by hand */
	assert_int_equal(rq.method, WEFT__POST);
	assert_int_equal(rq.minor, 0);
	assert_int_equal(rq.body_bytes, 12);
	assert_null(rq.host);
	assert_string_equal(rq.query, "");
	assert_int_equal(parse("HEAD /? HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", &rq), 0);
	assert_int_equal(rq.n_hosts, 2);
	assert_int_equal(parse("get / HTTP/1.1\r\n\r\n", &rq), 0);
	assert_int_equal(rq.method, WEFT__OTHER_METHOD);
}

static void refused(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *text;
	} cases[] = {
		{ 400, "\r\n\r\n" },
		{ 400, "GET\r\n\r\n" },
		{ 400, "GET /\r\n\r\n" },
		{ 400, "GET / \r\n\r\n" },
		{ 400, "GET  / HTTP/1.1\r\n\r\n" },
		{ 400, " GET / HTTP/1.1\r\n\r\n" },
		{ 400, "GE(T / HTTP/1.1\r\n\r\n" },
		{ 400, "GET * HTTP/1.1\r\n\r\n" },
		{ 400, "GET http://localhost/ HTTP/1.1\r\n\r\n" },
		{ 400, "GET /a#b HTTP/1.1\r\n\r\n" },
		{ 400, "GET /a\x01 HTTP/1.1\r\n\r\n" },
		{ 400, "GET /\xc3\xa4 HTTP/1.1\r\n\r\n" },
		{ 400, "GET /%4 HTTP/1.1\r\n\r\n" },
		{ 400, "GET /%zz HTTP/1.1\r\n\r\n" },
		{ 400, "GET /%00 HTTP/1.1\r\n\r\n" },
		{ 400, "GET / http/1.1\r\n\r\n" },
		{ 505, "GET / HTTP/1.1 \r\n : x\r\n\r\n" },
		{ 505, "GET / HTTP/1.1 x\r\n\r\n" },
		{ 505, "GET / HTTP/2.0\r\n\r\n" },
		{ 505, "GET / HTTP/1.12\r\n\r\n" },
		{ 505, "GET / HTTP/\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\n: x\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost : x\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: x\r\n continued: y\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: a\x7f\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nContent-Length: \r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nContent-Length: 9999999999999999999\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n" },
		{ 501, "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: x\r\n\r\nmore" },
		{ 400, "GET / HTTP/1.1\r\nHost: x\r\n" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		weft__request rq = { .minor = 77 };
		int status = parse(cases[i].text, &rq);
		if (status != cases[i].status || rq.minor != 77)
			fail_msg("%d, not %d: %s", status, cases[i].status, cases[i].text);
	}
	weft__request rq;
	char zero[] = "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n";
	assert_int_equal(weft__request_parse(zero, sizeof(zero) - 1, &rq), 400);
}

/* However the bytes come, the end is found where it is, and not before. */
static void ends(void **state)
{
	(void)state;
	static const char *const texts[] = { "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET /\n\n", "\n\n", "a\r\n\n",
		"a\n\r\n" };
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t n = strlen(texts[i]);
		for (size_t have = 0; have <= n; have++)
			for (size_t seen = 0; seen <= have; seen++)
				if (have < n || seen < n)
					assert_int_equal(weft__request_end(texts[i], have, seen), have == n ? n : 0);
	}
	assert_int_equal(weft__request_end("a\r\n\r\nGET", 8, 0), 5);
}

static void parameters(void **state)
{
	(void)state;
	char text[8] = "";
	assert_true(weft__query_text("a=1&b=%41+%42&c", "b", text, sizeof(text)));
	assert_string_equal(text, "A B");
	assert_true(weft__query_text("a=1&a=2", "a", text, sizeof(text)));
	assert_string_equal(text, "1");
	assert_true(weft__query_text("c", "c", text, sizeof(text)));
	assert_string_equal(text, "");
	assert_true(weft__query_text("%61=x=y&", "a", text, sizeof(text)));
	assert_string_equal(text, "x=y");
	assert_true(weft__query_text("a=1234567", "a", text, sizeof(text)));
	assert_false(weft__query_text("a=12345678", "a", text, sizeof(text)));
	assert_false(weft__query_text("", "a", text, sizeof(text)));
	assert_false(weft__query_text("aa=1&=2&&", "a", text, sizeof(text)));
	assert_false(weft__query_text("a=%4", "a", text, sizeof(text)));
	assert_false(weft__query_text("a=%00", "a", text, sizeof(text)));
	assert_int_equal(weft__query_int("debug=2", "debug", 7), 2);
	assert_int_equal(weft__query_int("debug=-2", "debug", 7), -2);
	static const char *const none[] = { "", "debug", "debug=", "debug=2x", "debug=+", "debug= 2", "debug=0x2",
		"debug=99999999999999999999" };
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(weft__query_int(none[i], "debug", 7), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(understood),
		cmocka_unit_test(refused),
		cmocka_unit_test(ends),
		cmocka_unit_test(parameters),
	};
	return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}

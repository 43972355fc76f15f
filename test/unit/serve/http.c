/* The server on a real socket: headers, keep-alive, everything a hostile client may send, and many clients at once. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake.h"
#include "serve/serve.h"

static ws_model model;
static ws_server *server;
static unsigned port;

/* ---- a client ---- */

static int dial(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
	struct timeval wait = { .tv_sec = 10 };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool send_all(int fd, const char *at, size_t n)
{
	while (n) {
		ssize_t k = send(fd, at, n, MSG_NOSIGNAL);
		if (k <= 0)
			return false;
		at += k;
		n -= (size_t)k;
	}
	return true;
}

/* Everything until the server closes; the request must ask for that. */
static wb_buf read_all(int fd)
{
	wb_buf b = { 0 };
	for (;;) {
		char *room = wb_buf_room(&b, 65536);
		ssize_t k = recv(fd, room, 65536, 0);
		if (k <= 0)
			break;
		b.n += (size_t)k;
	}
	wb_buf_cstr(&b);
	return b;
}

static wb_buf exchange(const char *request, size_t n)
{
	int fd = dial();
	wb_buf b = { 0 };
	if (fd >= 0) {
		send_all(fd, request, n);
		b = read_all(fd);
		close(fd);
	}
	wb_buf_cstr(&b);
	return b;
}

/* One request with our own Host; `more` are further header lines. */
static wb_buf ask(const char *method, const char *target, const char *more)
{
	wb_buf rq = { 0 };
	wb_buf_printf(
		&rq, "%s %s HTTP/1.1\r\nHost: localhost:%u\r\nConnection: close\r\n%s\r\n", method, target, port, more);
	wb_buf b = exchange(rq.at, rq.n);
	wb_buf_free(&rq);
	return b;
}

static unsigned status_of(const wb_buf *b)
{
	return b->n > 12 && !memcmp(b->at, "HTTP/1.1 ", 9) ? (unsigned)strtoul(b->at + 9, NULL, 10) : 0;
}

static const char *body_of(const wb_buf *b)
{
	const char *p = strstr(b->at, "\r\n\r\n");
	return p ? p + 4 : "";
}

static void expect_status(wb_buf b, unsigned status, const char *part)
{
	if (status_of(&b) != status || (part && !strstr(b.at, part)))
		fail_msg("wanted %u with '%s', got: %.600s", status, part ? part : "", b.at);
	wb_buf_free(&b);
}

/* ---- tests ---- */

static void headers(void **state)
{
	(void)state;
	wb_buf b = ask("GET", "/api/rows?rows=0", "");
	assert_int_equal(status_of(&b), 200);
	assert_string_equal(body_of(&b), "{\"rows\":[{\"row\":0,\"id\":1,\"name\":\"main.worker\",\"group\":0}]}");
	const char *wanted[] = { "\r\nContent-Type: application/json\r\n",
		"\r\nContent-Security-Policy: default-src 'none'; script-src 'self';", "frame-ancestors 'none'",
		"\r\nX-Content-Type-Options: nosniff\r\n", "\r\nCross-Origin-Resource-Policy: same-origin\r\n",
		"\r\nReferrer-Policy: no-referrer\r\n", "\r\nCache-Control: no-store\r\n",
		"\r\nContent-Length: 58\r\n" };
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!strstr(b.at, wanted[i]))
			fail_msg("no %s in %s", wanted[i], b.at);
	assert_null(strcasestr(b.at, "Access-Control"));
	assert_null(strcasestr(b.at, "Content-Encoding"));
	wb_buf_free(&b);
}

static void page(void **state)
{
	(void)state;
	wb_buf b = ask("GET", "/", "");
	assert_int_equal(status_of(&b), 200);
	assert_non_null(strstr(b.at, "Content-Type: text/html; charset=utf-8"));
	assert_non_null(strstr(b.at, "Cache-Control: no-cache"));
	assert_memory_equal(body_of(&b), "<!doctype html>", 15);
	char again[100] = "If-None-Match: ";
	const char *etag = strstr(b.at, "ETag: ");
	assert_non_null(etag);
	snprintf(again, sizeof(again), "If-None-Match: %.*s\r\n", (int)strcspn(etag + 6, "\r"), etag + 6);
	wb_buf_free(&b);
	b = ask("GET", "/", again);
	assert_int_equal(status_of(&b), 304);
	assert_string_equal(body_of(&b), "");
	wb_buf_free(&b);
	b = ask("GET", "/", "Accept-Encoding: gzip\r\n");
	assert_non_null(strstr(b.at, "Content-Encoding: gzip"));
	assert_memory_equal(body_of(&b), "\x1f\x8b", 2);
	wb_buf_free(&b);
	b = ask("HEAD", "/", "");
	assert_int_equal(status_of(&b), 200);
	assert_string_equal(body_of(&b), "");
	wb_buf_free(&b);
	/* Between processes on one machine nothing is packed. */
	b = ask("GET", "/api/metrics?t=0&step=1&n=4000", "Accept-Encoding: gzip\r\n");
	assert_null(strstr(b.at, "Content-Encoding"));
	wb_buf_free(&b);
}

static void strangers(void **state)
{
	(void)state;
	const char *bad[] = {
		"GET /api/info HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
		"GET /api/info HTTP/1.0\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: localhost:1\r\nConnection: close\r\n\r\n",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_status(exchange(bad[i], strlen(bad[i])), 403, "this is not the address of this server");
	expect_status(ask("GET", "/api/info", "Host: evil.example\r\n"), 403, "this is not the address");
	expect_status(ask("GET", "/api/info", "Origin: http://evil.example\r\n"), 403, "only the page");
	expect_status(ask("GET", "/api/info", "Origin: null\r\n"), 403, "only the page");
	expect_status(ask("GET", "/api/info", "Sec-Fetch-Site: cross-site\r\n"), 403, "only the page");
	wb_buf same = { 0 };
	wb_buf_printf(&same, "Origin: http://localhost:%u\r\nSec-Fetch-Site: same-origin\r\n", port);
	expect_status(ask("GET", "/api/info", wb_buf_cstr(&same)), 200, NULL);
	wb_buf_free(&same);
}

static void methods(void **state)
{
	(void)state;
	const char *methods[] = { "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "get", "GETX" };
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		expect_status(ask(methods[i], "/api/info", ""), 405, "Allow: GET, HEAD");
	expect_status(ask("POST", "/api/info", "Content-Length: 1000000000\r\n"), 405, "only GET and HEAD");
	expect_status(ask("GET", "/api/info", "Content-Length: 5\r\n"), 400, "no body");
	expect_status(ask("GET", "/api/info", "Transfer-Encoding: chunked\r\n"), 400, "no body");
}

static void arguments(void **state)
{
	(void)state;
	expect_status(ask("GET", "/api/tiles?zoom=4&i=0&lanes=p3%2Cg1", ""), 200, "application/octet-stream");
	expect_status(ask("GET", "/api/tiles?zoom=99999999999999999999&i=0&lanes=p3", ""), 400, "zoom must be");
	expect_status(ask("GET", "/api/tiles?zoom=-1&i=0&lanes=p3", ""), 400, "zoom must be");
	expect_status(ask("GET", "/api/tiles?zoom=1&i=0&lanes=p77", ""), 404, "no lane p77");
	expect_status(ask("GET", "/api/span?lane=%00&t=1", ""), 400, "is not a lane");
	expect_status(ask("GET", "/api/search?q=%", ""), 400, "escape");
	expect_status(ask("GET", "/%00", ""), 404, "nothing at this path");
	expect_status(ask("GET", "/nothing?q=%", ""), 404, "nothing at this path");
	wb_buf many = { 0 };
	wb_buf_puts(&many, "/api/rows?rows=0");
	for (int i = 1; i < 2000; i++)
		wb_buf_puts(&many, "%2C5");
	expect_status(ask("GET", wb_buf_cstr(&many), ""), 200, "\"rows\"");
	while (many.n < 34000)
		wb_buf_puts(&many, "%2C5");
	expect_status(ask("GET", wb_buf_cstr(&many), ""), 414, NULL);
	while (many.n < 3000000)
		wb_buf_puts(&many, "%2C5555555555555555555555555555555555555");
	wb_buf b = ask("GET", wb_buf_cstr(&many), "");
	assert_true(b.n == 0 || status_of(&b) == 414);
	wb_buf_free(&b);
	wb_buf_free(&many);
}

/* A kept connection answers one request after the other, also when they come all at once. */
static void pipelined(void **state)
{
	(void)state;
	wb_buf rq = { 0 };
	for (int i = 0; i < 20; i++)
		wb_buf_printf(&rq, "GET /api/rows?rows=%d HTTP/1.1\r\nHost: localhost:%u\r\n\r\n", i % 6, port);
	wb_buf_printf(&rq, "GET /nothing HTTP/1.1\r\nHost: localhost:%u\r\nConnection: close\r\n\r\n", port);
	wb_buf b = exchange(rq.at, rq.n);
	int n = 0;
	for (const char *p = b.at; (p = strstr(p, "HTTP/1.1 200 OK")); p++)
		n++;
	assert_int_equal(n, 20);
	assert_non_null(strstr(b.at, "HTTP/1.1 404"));
	wb_buf_free(&b);
	wb_buf_free(&rq);
}

static void junk(void **state)
{
	(void)state;
	const char *texts[] = { "\r\n\r\n\r\n", "GET\r\n\r\n", "GET /\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "GET / HTTP/9.9\r\n\r\n",
		"GET / HTTP/1.1\r\n : x\r\n\r\n", "GET / HTTP/1.1\r\nHost\r\n\r\n",
		"GET / HTTP/1.1\r\n Host: localhost\r\n\r\n", "\0\0\0\0\0\0\0\0",
		"GET /api/info HTTP/1.1\r\nHost: loc" };
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int fd = dial();
		assert_true(fd >= 0);
		send_all(fd, texts[i], i == 8 ? 8 : strlen(texts[i]));
		shutdown(fd, SHUT_WR);
		wb_buf b = read_all(fd);
		assert_int_not_equal(status_of(&b), 200);
		wb_buf_free(&b);
		close(fd);
	}
	/* Requests that end anywhere, and clients that do not stay for the answer. */
	const char *whole = "GET /api/counts?t=0&step=1&n=4096 HTTP/1.1\r\nHost: localhost\r\n\r\n";
	for (size_t n = 0; n <= strlen(whole); n++) {
		int fd = dial();
		assert_true(fd >= 0);
		send_all(fd, whole, n);
		close(fd);
	}
	expect_status(ask("GET", "/api/info", ""), 200, "\"loading\":false");
}

static void too_many_connections(void **state)
{
	(void)state;
	int fds[150];
	for (int i = 0; i < 150; i++)
		fds[i] = dial();
	for (int i = 0; i < 150; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	wb_buf b = { 0 };
	for (int i = 0; i < 100 && status_of(&b) != 200; i++) {
		wb_buf_free(&b);
		usleep(20000);
		b = ask("GET", "/api/info", "");
	}
	assert_int_equal(status_of(&b), 200);
	wb_buf_free(&b);
}

static void *client(void *arg)
{
	const char *const *target = arg;
	int bad = 0;
	for (int i = 0; i < 50; i++) {
		wb_buf b = ask("GET", *target, "");
		bad += status_of(&b) != 200;
		wb_buf_free(&b);
	}
	return (void *)(intptr_t)bad;
}

static void many_at_once(void **state)
{
	(void)state;
	static const char *targets[] = { "/api/info", "/api/tiles?zoom=4&i=0&lanes=p3,g1,G0,gc", "/api/search?q=main",
		"/", "/api/metrics?t=0&step=10&n=100", "/api/counts?t=0&step=10&n=100" };
	pthread_t t[6];
	for (int i = 0; i < 6; i++)
		assert_int_equal(pthread_create(&t[i], NULL, client, &targets[i]), 0);
	for (int i = 0; i < 6; i++) {
		void *bad;
		pthread_join(t[i], &bad);
		assert_int_equal((intptr_t)bad, 0);
	}
}

static void *progress(void *arg)
{
	for (uint64_t i = 0; i < 20000; i++)
		ws_progress(arg, "reading", i, 20000);
	ws_progress(arg, "a text that is far too long for the place it has there, so its end is cut off", 20000, 20000);
	return NULL;
}

static void while_loading(void **state)
{
	(void)state;
	ws_error err = { 0 };
	ws_server *s = ws_start(NULL, NULL, &(ws_options){ .title = "a \"trace\"" }, &err);
	assert_non_null(s);
	unsigned old = port;
	port = ws_site_of(s)->trust.port;
	pthread_t t;
	pthread_create(&t, NULL, progress, s);
	for (int i = 0; i < 20; i++)
		expect_status(ask("GET", "/api/info", ""), 200,
			"{\"loading\":true,\"file\":\"a \\\"trace\\\"\",\"doing\":\"");
	expect_status(ask("GET", "/api/lanes?group=0&n=1", ""), 503, "Retry-After: 1");
	pthread_join(t, NULL);
	expect_status(ask("GET", "/api/info", ""), 200,
		"\"doing\":\"a text that is far too long for the place it has there, so its "
		"\",\"done\":20000,\"total\":20000}");
	atomic_store(&ws_site_of(s)->model, &model);
	expect_status(ask("GET", "/api/info", ""), 200, "{\"loading\":false,\"file\":\"a \\\"trace\\\"\",");
	atomic_store(&ws_site_of(s)->model, NULL);
	ws_stop(s);
	port = old;
}

static void addresses(void **state)
{
	(void)state;
	ws_error err = { 0 };
	assert_null(ws_start(NULL, NULL, &(ws_options){ .address = "localhost" }, &err));
	assert_int_equal(err.code, -EINVAL);
	assert_string_equal(err.what, "'localhost' is not an address to listen on: it has the form host:port or :port");
	char taken[40];
	snprintf(taken, sizeof(taken), "127.0.0.1:%u", port);
	assert_null(ws_start(NULL, NULL, &(ws_options){ .address = taken }, &err));
	assert_int_equal(err.code, -EADDRINUSE);
	assert_non_null(strstr(err.what, "Address already in use"));
	assert_null(ws_start(NULL, NULL, &(ws_options){ .address = "no-such-name.invalid:0" }, &err));
	assert_int_equal(err.code, -EADDRNOTAVAIL);
	assert_null(ws_start(NULL, NULL, &(ws_options){ .address = "127.0.0.1:nonsense" }, &err));
	ws_stop(NULL);

	unsigned old = port;
	ws_server *s = ws_start(NULL, NULL, &(ws_options){ .address = ":0" }, &err);
	assert_non_null(s);
	assert_true(ws_site_of(s)->trust.wildcard);
	assert_false(ws_site_of(s)->trust.loopback);
	port = ws_site_of(s)->trust.port;
	char url[64], rq[200];
	snprintf(url, sizeof(url), "http://127.0.0.1:%u", port);
	assert_string_equal(ws_url(s), url);
	snprintf(rq, sizeof(rq), "GET /api/info HTTP/1.1\r\nHost: 192.168.7.7:%u\r\nConnection: close\r\n\r\n", port);
	expect_status(exchange(rq, strlen(rq)), 200, "loading");
	/* Beyond this machine large answers are packed. */
	atomic_store(&ws_site_of(s)->model, &model);
	wb_buf b = ask("GET", "/api/metrics?t=0&step=1&n=4000", "Accept-Encoding: gzip\r\n");
	assert_non_null(strstr(b.at, "Content-Encoding: gzip"));
	assert_true(b.n < 3000);
	wb_buf_free(&b);
	b = ask("GET", "/api/metrics?t=0&step=1&n=4000", "");
	assert_null(strstr(b.at, "Content-Encoding"));
	assert_true(b.n > 30000);
	wb_buf_free(&b);
	atomic_store(&ws_site_of(s)->model, NULL);
	ws_stop(s);
	port = old;
}

static int setup(void **state)
{
	(void)state;
	ws_error err;
	server = ws_start(NULL, NULL, NULL, &err);
	if (!server || !fake_model(&model))
		return -1;
	atomic_store(&ws_site_of(server)->model, &model);
	port = ws_site_of(server)->trust.port;
	return strncmp(ws_url(server), "http://127.0.0.1:", 17);
}

static int teardown(void **state)
{
	(void)state;
	atomic_store(&ws_site_of(server)->model, NULL);
	ws_stop(server);
	fake_model_done(&model);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers),
		cmocka_unit_test(page),
		cmocka_unit_test(strangers),
		cmocka_unit_test(methods),
		cmocka_unit_test(arguments),
		cmocka_unit_test(pipelined),
		cmocka_unit_test(junk),
		cmocka_unit_test(too_many_connections),
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(while_loading),
		cmocka_unit_test(addresses),
	};
	return cmocka_run_group_tests_name("http", tests, setup, teardown);
}

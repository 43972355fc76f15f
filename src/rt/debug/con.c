/* rt/debug/con.c - see con.h. */
#include "rt/debug/con.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <weft/block.h>
#include <weft/go.h>
#include <weft/time.h>

#include "base/alloc.h"
#include "os/file.h"

enum { CHUNK = 65536, LINGER_BYTES = 1 << 20, HEAD_BYTES = 1024, TEXT_BYTES = 512 };
enum { TOO_SLOW = 408, BODY_TOO_LARGE = 413, HEAD_TOO_LARGE = 431, TOO_MANY = 503 };

static const weft_ns read_ns = 5 * WEFT_SECOND;   /* for a whole request */
static const weft_ns write_ns = 30 * WEFT_SECOND; /* for a chunk */
static const weft_ns linger_ns = WEFT_SECOND;

/* ---- the request ---- */

static int read_head(weft__con *c)
{
	while (c->n_head == 0) {
		if (c->n_in == WEFT__HEAD_MAX)
			return HEAD_TOO_LARGE;
		ssize_t n = weft_read(c->fd, c->in + c->n_in, WEFT__HEAD_MAX - c->n_in);
		if (n <= 0)
			return n == -ETIMEDOUT && c->n_in > 0 ? TOO_SLOW : n == 0 ? -EPIPE : (int)n;
		size_t seen = c->n_in;
		c->n_in += (size_t)n;
		c->n_head = weft__request_end(c->in, c->n_in, seen);
	}
	return weft__request_parse(c->in, c->n_head, &c->rq);
}

static int read_body(weft__con *c)
{
	size_t n = (size_t)c->rq.body_bytes, have = c->n_in - c->n_head;
	if (n == 0)
		return 0;
	if (c->rq.body_bytes > WEFT__BODY_MAX)
		return BODY_TOO_LARGE;
	c->body = wb_calloc(1, n + 1);
	if (!c->body)
		return TOO_MANY;
	have = have < n ? have : n;
	memcpy(c->body, c->in + c->n_head, have);
	ssize_t got = weft_read_full(c->fd, c->body + have, n - have);
	if (got == -ETIMEDOUT)
		return TOO_SLOW;
	return got < 0 ? (int)got : (size_t)got < n - have ? -EPIPE : 0;
}

int weft__con_read(weft__con *c)
{
	weft_fd_read_deadline(c->fd, weft_in(read_ns));
	if (weft_ctx_err(c->ctx) < 0) /* whoever ends it sets a deadline that has passed, before or after this one */
		return -ECANCELED;
	int rc = read_head(c);
	return rc ? rc : read_body(c);
}

/* ---- the client's end ---- */

static void watch(void *arg)
{
	weft__con *c = arg;
	char dropped[256];
	ssize_t n;
	size_t all = 0;
	while ((n = weft_read(c->fd, dropped, sizeof(dropped))) > 0 && all < LINGER_BYTES)
		all += (size_t)n;
	if (n != -ETIMEDOUT) { /* else it is _unwatch */
		weft_ctx_cancel(c->ctx);
		weft_fd_write_deadline(c->fd, weft_now());
	}
	weft_wg_done(&c->watching);
}

void weft__con_watch(weft__con *c)
{
	weft_fd_read_deadline(c->fd, WEFT_FOREVER);
	weft_wg_add(&c->watching, 1);
	if (weft_go(watch, c) < 0)
		weft_wg_done(&c->watching); /* then an answer is only cut short when writing fails */
}

void weft__con_unwatch(weft__con *c)
{
	weft_fd_read_deadline(c->fd, weft_now());
	weft_wg_wait(&c->watching);
}

bool weft__con_gone(weft__con *c)
{
	return c->failed || weft_ctx_err(c->ctx) < 0;
}

/* ---- the answer ---- */

static void send_all(weft__con *c, const char *at, size_t n)
{
	while (n > 0 && !c->failed) {
		size_t k = n < CHUNK ? n : CHUNK;
		/* In this order: whoever ends the context then sets a deadline that has passed. */
		weft_fd_write_deadline(c->fd, weft_in(write_ns));
		if (weft_ctx_err(c->ctx) < 0 || weft_write_all(c->fd, at, k) < 0)
			c->failed = true;
		at += k;
		n -= k;
	}
}

static const struct {
	unsigned status;
	const char *text;
} reasons[] = {
#define STATUS(code, text) { code, text },
#include "rt/debug/status.def"
};

static const char *reason_of(unsigned status)
{
	size_t i = 0;
	while (i + 1 < sizeof(reasons) / sizeof(reasons[0]) && reasons[i].status != status)
		i++;
	return reasons[i].text;
}

/* length < 0: not known. */
static void send_head(weft__con *c, const weft__head *h, int64_t length)
{
	char text[HEAD_BYTES], date[40], size[48] = "", name[80] = "";
	time_t now = time(NULL);
	struct tm tm;
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
	if (h->saved)
		snprintf(name, sizeof(name), "Content-Disposition: attachment; filename=\"%s\"\r\n", h->saved);
	if (length >= 0)
		snprintf(size, sizeof(size), "Content-Length: %lld\r\n", (long long)length);
	else if (c->chunked)
		snprintf(size, sizeof(size), "Transfer-Encoding: chunked\r\n");
	int n = snprintf(text, sizeof(text),
		"HTTP/1.1 %u %s\r\n"
		"Date: %s\r\n"
		"Content-Type: %s\r\n"
		"%s%s%s"
		"X-Content-Type-Options: nosniff\r\n"
		"Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'\r\n"
		"Cross-Origin-Resource-Policy: same-origin\r\n"
		"Cache-Control: no-store\r\n"
		"Connection: close\r\n\r\n",
		h->status, reason_of(h->status), date, h->type, name, size, h->more ? h->more : "");
	send_all(c, text, n > 0 && n < HEAD_BYTES ? (size_t)n : 0);
}

void weft__con_answer(weft__con *c, const weft__head *h, const char *at, size_t n)
{
	send_head(c, h, (int64_t)n);
	if (c->rq.method != WEFT__HEAD)
		send_all(c, at, n);
}

/* Reading a file blocks the thread. */
static ssize_t read_at(int fd, char *to, off_t at)
{
	weft_syscall_begin();
	ssize_t n = pread(fd, to, CHUNK, at);
	weft_syscall_end();
	return n;
}

void weft__con_answer_file(weft__con *c, const weft__head *h, int fd)
{
	off_t bytes = lseek(fd, 0, SEEK_END), at = 0;
	char *chunk = wb_malloc(CHUNK);
	send_head(c, h, bytes);
	ssize_t n = 1;
	while (chunk && at < bytes && c->rq.method != WEFT__HEAD && !c->failed && n > 0) {
		n = read_at(fd, chunk, at);
		send_all(c, chunk, n > 0 ? (size_t)n : 0);
		at += n;
	}
	wb_free(chunk);
	wo_close(fd);
}

void weft__con_begin(weft__con *c, const weft__head *h)
{
	c->chunked = c->rq.minor >= 1; /* to 1.0 the end of the connection is the end of the answer */
	send_head(c, h, -1);
}

void weft__con_put(weft__con *c, const void *at, size_t n)
{
	char size[24];
	if (n == 0 || c->rq.method == WEFT__HEAD)
		return;
	if (c->chunked)
		send_all(c, size, (size_t)snprintf(size, sizeof(size), "%zx\r\n", n));
	send_all(c, at, n);
	if (c->chunked)
		send_all(c, "\r\n", 2);
}

bool weft__con_head_only(weft__con *c, const weft__head *h)
{
	if (c->rq.method != WEFT__HEAD)
		return false;
	send_head(c, h, -1);
	return true;
}

void weft__con_end(weft__con *c)
{
	if (c->chunked && c->rq.method != WEFT__HEAD)
		send_all(c, "0\r\n\r\n", 5);
}

void weft__con_refuse(weft__con *c, unsigned status, const char *fmt, ...)
{
	char text[TEXT_BYTES];
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(text, sizeof(text) - 1, fmt, args);
	va_end(args);
	n = n < 0 ? 0 : n < TEXT_BYTES - 1 ? n : TEXT_BYTES - 2;
	text[n] = '\n';
	const weft__head h = {
		.status = status,
		.type = "text/plain; charset=utf-8",
		.more = status == 405   ? "X-Go-Pprof: 1\r\nAllow: GET, HEAD\r\n"
			: status == 503 ? "X-Go-Pprof: 1\r\nRetry-After: 1\r\n"
					: "X-Go-Pprof: 1\r\n",
	};
	weft__con_answer(c, &h, text, (size_t)n + 1);
}

void weft__con_close(weft__con *c)
{
	char dropped[1024];
	if (!c->failed && weft_fd_shutdown(c->fd, SHUT_WR) == 0) {
		weft_fd_read_deadline(c->fd, weft_in(linger_ns));
		for (size_t all = 0; all < LINGER_BYTES; all += sizeof(dropped))
			if (weft_ctx_err(c->ctx) < 0 || weft_read(c->fd, dropped, sizeof(dropped)) <= 0)
				break;
	}
	weft_fd_close(c->fd);
}

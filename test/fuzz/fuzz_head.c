/* The debug endpoint's parser: the input is what a client sends, up to the end of a head and beyond. */
#include <string.h>

#include "base/buf.h"
#include "fuzz.h"
#include "kit.h"
#include "rt/debug/request.h"

static void check_text(const char *text, const char *head, size_t n)
{
	kit_check(text >= head && text < head + n && memchr(text, 0, (size_t)(head + n - text)));
}

static void check_request(const weft__request *rq, const char *head, size_t n)
{
	check_text(rq->path, head, n);
	check_text(rq->query, head, n);
	kit_check(rq->path[0] == '/' && (rq->minor == 0 || rq->minor == 1) && !rq->coded);
	kit_check((rq->host != NULL) == (rq->n_hosts > 0));
	if (rq->host)
		check_text(rq->host, head, n);
	char value[100];
	if (weft__query_text(rq->query, "seconds", value, sizeof(value)))
		kit_check(memchr(value, 0, sizeof(value)));
	weft__query_int(rq->query, "debug", 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n > WEFT__HEAD_MAX)
		return -1;
	wb_buf b = { 0 };
	wb_buf_put(&b, data, n);
	if (n > 0 && !b.failed) {
		size_t whole = weft__request_end(b.at, n, 0), end = 0;
		for (size_t seen = 0; seen < n && end == 0; seen++) /* byte by byte it ends at the same place */
			end = weft__request_end(b.at, seen + 1, seen);
		kit_check(end == whole);
		weft__request rq = { 0 };
		int status = weft__request_parse(b.at, end ? end : n, &rq);
		kit_check(status == 0 || status == 400 || status == 501 || status == 505);
		kit_check(end || status != 0);
		if (status == 0)
			check_request(&rq, b.at, end);
	}
	wb_buf_free(&b);
	return 0;
}

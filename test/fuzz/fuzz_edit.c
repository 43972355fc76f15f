/* What is written of any trace can be read: cuts and repaired traces, of any part of it.  The first byte chooses the
 * options, the next two the beginning and the end of the part, in 255ths of the time. */
#include <string.h>

#include <wtr/edit.h>

#include "base/buf.h"
#include "fuzz.h"
#include "kit.h"

enum { INPUT_MAX = 1 << 16, HEAD = 3 };

static bool put(void *user, const char *at, size_t n)
{
	wb_buf *b = user;
	wb_buf_put(b, at, n);
	return !b->failed;
}

static bool odd_ones(void *user, int64_t g)
{
	(void)user;
	return g & 1;
}

/* Reads it to its end, by the rules of Go's reader. */
static void check_written(const wb_buf *b, uint64_t events)
{
	wtr_trace *t = NULL;
	kit_check(wtr_open_bytes(b->at, b->n, &(wtr_options){ .threads = 1 }, &t, NULL) == WTR_OK);
	wtr_cursor *c = wtr_cursor_open(t, NULL, NULL);
	const wtr_event *e;
	uint64_t n = 0;
	for (size_t k; c && (k = wtr_next(c, &e)) > 0;)
		for (size_t i = 0; i < k; i++)
			n += e[i].kind != WTR_KIND_SYNC;
	kit_check(c != NULL);
	const wtr_error *end = wtr_cursor_error(c);
	kit_check(!end || end->code == WTR_OK);
	kit_check(n >= events); /* one on the wire may be two: a proc that is lost with a system call */
	wtr_cursor_close(c);
	wtr_close(t);
}

static void cut(wtr_trace *t, const uint8_t *head, const wtr_totals *all)
{
	int64_t length = all->end_ns - all->start_ns;
	wtr_cut_options opt = { .has_from = head[0] & 2, .has_to = head[0] & 4 };
	if (length < 0 || length > INT64_MAX / 255)
		return; /* of a hostile clock */
	opt.from_ns = all->start_ns + length * head[1] / 255;
	opt.to_ns = all->start_ns + length * head[2] / 255;
	opt.goroutine = head[0] & 8 ? odd_ones : NULL;
	opt.kinds = head[0] & 16 ? 1u << WTR_KIND_METRIC | 1u << WTR_KIND_LOG : 0;
	wb_buf b = { 0 };
	wtr_edit_result r = { 0 };
	if (wtr_cut(t, &opt, put, &b, &r, NULL) == WTR_OK)
		check_written(&b, r.events);
	wb_buf_free(&b);
}

static void repair(wtr_trace *t)
{
	wb_buf b = { 0 };
	wtr_edit_result r = { 0 };
	if (wtr_repair(t, put, &b, &r, NULL) == WTR_OK)
		check_written(&b, r.events);
	wb_buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	wtr_trace *t = NULL;
	wtr_index *x = NULL;
	wtr_totals all;
	if (n < HEAD || n > INPUT_MAX)
		return -1;
	wtr_options opt = { .damage = WTR_REPAIR, .threads = 1, .inflated_bytes_max = 1 << 20 };
	if (wtr_open_bytes(data + HEAD, n - HEAD, &opt, &t, NULL) != WTR_OK)
		return 0;
	if (wtr_index_build(t, WTR_PART_TOTALS, &x, NULL) == WTR_OK) {
		wtr_get_totals(x, &all);
		if (data[0] & 1)
			repair(t);
		else
			cut(t, data, &all);
		wtr_index_free(x);
	}
	wtr_close(t);
	return 0;
}

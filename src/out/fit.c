/* out/fit.c - see fit.h. */
#include "out/fit.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "out/units.h"

static const char DOTS[] = "\xe2\x80\xa6";

enum { FIRST_WORD_MAX = 9, CONTEXT = 4 };

static bool inside_character(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* ---- what ends alike ---- */

static int by_end(const void *a, const void *b)
{
	const out_fitted *x = *(out_fitted *const *)a, *y = *(out_fitted *const *)b;
	for (size_t i = 1; i <= x->n && i <= y->n; i++) {
		unsigned char p = (unsigned char)x->at[x->n - i], q = (unsigned char)y->at[y->n - i];
		if (p != q)
			return p < q ? -1 : 1;
	}
	return (x->n > y->n) - (x->n < y->n);
}

static size_t alike(const out_fitted *x, const out_fitted *y)
{
	size_t n = 0;
	while (n < x->n && n < y->n && x->at[x->n - 1 - n] == y->at[y->n - 1 - n])
		n++;
	return n;
}

bool out_fit_compare(out_fitted *t, size_t n)
{
	out_fitted **order = wb_calloc(n + 1, sizeof(*order));
	for (size_t i = 0; i < n; i++) {
		t[i].same = 0;
		if (order)
			order[i] = &t[i];
	}
	if (order && n)
		qsort(order, n, sizeof(*order), by_end);
	/* Runs of equal texts are as like their neighbours as one of them is. */
	for (size_t from = 0, before = 0, to; order && from < n; from = to) {
		for (to = from + 1; to < n && by_end(&order[from], &order[to]) == 0; to++)
			;
		size_t after = to < n ? alike(order[from], order[to]) : 0;
		for (size_t i = from; i < to; i++)
			order[i]->same = before > after ? before : after;
		before = after;
	}
	wb_free(order);
	return order != NULL;
}

/* ---- what is left ---- */

/* Where the last `width` columns of the n bytes begin. */
static size_t tail(const char *at, size_t n, size_t width)
{
	size_t from = n;
	for (size_t i = n; i > 0;) {
		do
			i--;
		while (i > 0 && inside_character(at[i]));
		if (out_width(at + i, n - i) > width)
			break;
		from = i;
	}
	return from;
}

static size_t first_word(const char *at, size_t n, size_t width)
{
	const char *space = memchr(at, ' ', n < FIRST_WORD_MAX ? n : FIRST_WORD_MAX);
	size_t ret = space ? (size_t)(space - at) + 1 : 0;
	return ret + 8 <= width ? ret : 0;
}

/* The place where texts differ, and the end. */
static void put_both(wb_buf *b, const char *at, size_t n, size_t same, size_t width)
{
	size_t until = n > same ? n - same : 1, half = (width - 2) / 2;
	for (size_t i = 0; until < n && ((i < CONTEXT && i < half / 2) || inside_character(at[until])); i++)
		until++;
	size_t from = tail(at, until, half);
	if (from)
		wb_buf_puts(b, DOTS);
	wb_buf_put(b, at + from, until - from);
	wb_buf_puts(b, DOTS);
	size_t left = width - (from != 0) - out_width(at + from, until - from) - 1, last = tail(at, n, left);
	last = last > until ? last : until;
	wb_buf_put(b, at + last, n - last);
}

void out_fit(wb_buf *b, const out_fitted *t, size_t width)
{
	if (out_width(t->at, t->n) <= width) {
		wb_buf_put(b, t->at, t->n);
		return;
	}
	size_t kept = first_word(t->at, t->n, width), n = t->n - kept;
	const char *at = t->at + kept;
	wb_buf_put(b, t->at, kept);
	width -= kept;
	size_t from = tail(at, n, width - 1);
	if (t->same >= n - from && t->same < n && width >= 8) {
		put_both(b, at, n, t->same, width);
		return;
	}
	wb_buf_puts(b, DOTS);
	wb_buf_put(b, at + from, n - from);
}

/* base/buf.c - see buf.h. */
#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

char *wb_buf_room(wb_buf *b, size_t n)
{
	if (b->failed)
		return NULL;
	if (n > b->cap - b->n) {
		size_t cap = b->cap ? b->cap : 256;
		while (cap - b->n < n) {
			if (cap > SIZE_MAX / 2) {
				b->failed = true;
				return NULL;
			}
			cap *= 2;
		}
		char *p = wb_realloc(b->at, cap, 1);
		if (!p) {
			b->failed = true;
			return NULL;
		}
		b->at = p;
		b->cap = cap;
	}
	return b->at + b->n;
}

void wb_buf_put(wb_buf *b, const void *at, size_t n)
{
	char *p = n ? wb_buf_room(b, n) : NULL;
	if (!p)
		return;
	memcpy(p, at, n);
	b->n += n;
}

void wb_buf_puts(wb_buf *b, const char *s)
{
	wb_buf_put(b, s, strlen(s));
}

void wb_buf_putc(wb_buf *b, char c)
{
	wb_buf_put(b, &c, 1);
}

void wb_buf_u64(wb_buf *b, uint64_t v)
{
	char t[20];
	size_t i = sizeof(t);
	do {
		t[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	wb_buf_put(b, t + i, sizeof(t) - i);
}

void wb_buf_i64(wb_buf *b, int64_t v)
{
	if (v < 0)
		wb_buf_putc(b, '-');
	wb_buf_u64(b, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

void wb_buf_hex(wb_buf *b, uint64_t v)
{
	char t[16];
	size_t i = sizeof(t);
	do {
		t[--i] = "0123456789abcdef"[v & 15];
		v >>= 4;
	} while (v);
	wb_buf_put(b, t + i, sizeof(t) - i);
}

void wb_buf_printf(wb_buf *b, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *p = n < 0 ? NULL : wb_buf_room(b, (size_t)n + 1);
	if (p) {
		vsnprintf(p, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	}
	va_end(again);
}

const char *wb_buf_cstr(wb_buf *b)
{
	char *p = wb_buf_room(b, 1);
	if (!p)
		return "";
	*p = 0;
	return b->at;
}

void wb_buf_free(wb_buf *b)
{
	wb_free(b->at);
	*b = (wb_buf){ 0 };
}

/* wire/wire.c - see wire.h. */
#include "wire.h"

#include <stdio.h>
#include <string.h>

#include <wtr/wtr.h>

#include "out/gotext.h"

void wire_slurp(const char *path, wb_buf *b)
{
	FILE *f = fopen(path, "rb");
	char piece[1 << 14];
	for (size_t n = 1; f && n;) {
		n = fread(piece, 1, sizeof(piece), f);
		wb_buf_put(b, piece, n);
	}
	if (f)
		fclose(f);
	wb_buf_cstr(b);
}

void wire_put_lines(wb_buf *out, const char *at, size_t n)
{
	for (const char *end = at + n; at < end;) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		const char *stop = nl ? nl : end;
		while (stop > at && stop[-1] == ' ')
			stop--;
		if (stop > at) {
			wb_buf_put(out, at, (size_t)(stop - at));
			wb_buf_putc(out, '\n');
		}
		at = nl ? nl + 1 : end;
	}
}

static void put_error(wb_buf *out, const wtr_error *e)
{
#define NAME(name, number, text) if (e->code == WTR_##name) wb_buf_puts(out, "error " #name);
	WTR_CODES(NAME)
#undef NAME
	wb_buf_printf(out, " %s offset %llu%s%s\n \"%s\"\n", e->rule, (unsigned long long)e->offset,
		e->event[0] ? " " : "", e->event, e->what);
}

void wire_read(const wb_buf *bytes, wb_buf *out)
{
	wtr_trace *t = NULL;
	wtr_error err = { 0 };
	if (wtr_open_bytes(bytes->at, bytes->n, NULL, &t, &err) != WTR_OK) {
		put_error(out, &err);
		return;
	}
	wtr_cursor *c = wtr_cursor_open(t, NULL, &err);
	const wtr_event *ev;
	for (size_t n; c && (n = wtr_next(c, &ev)) > 0;)
		for (size_t i = 0; i < n; i++) {
			wb_buf one = { 0 };
			out_gotext(&one, t, &ev[i]);
			wire_put_lines(out, one.at, one.n);
			wb_buf_free(&one);
		}
	if (c && wtr_cursor_error(c)->code != WTR_OK)
		put_error(out, wtr_cursor_error(c));
	wtr_cursor_close(c);
	wtr_close(t);
}

/* base/buf.h - text and bytes that grow.
 *
 * A zeroed buffer is ready for use.  When memory runs out `failed` is set and stays set, and further writes do
 * nothing: build everything, then test once.
 */
#ifndef WB_BUF_H
#define WB_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct wb_buf {
	char  *at;     /* not 0-terminated, but see wb_buf_cstr() */
	size_t n, cap;
	bool   failed;
} wb_buf;

char       *wb_buf_room(wb_buf *b, size_t n);            /* n bytes to write to, or NULL; then add to b->n */
void        wb_buf_put(wb_buf *b, const void *at, size_t n);
void        wb_buf_puts(wb_buf *b, const char *s);
void        wb_buf_putc(wb_buf *b, char c);
void        wb_buf_u64(wb_buf *b, uint64_t v);           /* decimal */
void        wb_buf_i64(wb_buf *b, int64_t v);
void        wb_buf_hex(wb_buf *b, uint64_t v);           /* without 0x */
void        wb_buf_printf(wb_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *wb_buf_cstr(wb_buf *b);                      /* 0-terminated; "" when out of memory */
void        wb_buf_free(wb_buf *b);

#endif

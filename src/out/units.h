/* out/units.h - numbers and texts for people. */
#ifndef OUT_UNITS_H
#define OUT_UNITS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* A duration in three digits, as Go writes them: 0s, 345ns, 1.23µs, 12.3ms, 1.23s, 2m05s, 1h02m. */
void out_duration(wb_buf *b, int64_t ns);
/* 512 B, 1.5 KiB, 89.6 MiB. */
void out_bytes(wb_buf *b, uint64_t bytes);
/* 16,012,345 */
void out_count(wb_buf *b, uint64_t n);
/* 1 event, 16,012,345 events */
void out_counted(wb_buf *b, uint64_t n, const char *one, const char *many);
/* Seconds with all nine digits: 0.000123456, -1.500000000. */
void out_seconds(wb_buf *b, int64_t ns);

/* A text of a trace, fit for a terminal: what is not printable, line feeds too, is escaped as in Go. */
void out_clean(wb_buf *b, const char *at, size_t n);

/* How many columns a text of ours takes on a terminal. */
size_t out_width(const char *at, size_t n);
/* Appends spaces until what stands in `b` from `from` on is `width` wide. */
void out_pad(wb_buf *b, size_t from, size_t width);

#endif

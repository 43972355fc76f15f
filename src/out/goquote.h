/* out/goquote.h - texts and times as Go prints them. */
#ifndef OUT_GOQUOTE_H
#define OUT_GOQUOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Appends a text as Go's %q does: in double quotes; what is not printable is escaped. */
void out_goquote(wb_buf *b, const char *at, size_t n);
/* The same without the quotes around. */
void out_goquote_inside(wb_buf *b, const char *at, size_t n);

/* Is this code point printable for Go (strconv.IsPrint)? */
bool out_go_printable(uint32_t rune);

/* Appends ns since 1970 as 2026-11-22T08:32:54.975700693Z (time.RFC3339Nano in UTC: no trailing zeros). */
void out_rfc3339(wb_buf *b, int64_t unix_ns);

#endif

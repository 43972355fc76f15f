/* wire/wire.h - what a trace gives, as lines to compare. */
#ifndef TEST_WIRE_H
#define TEST_WIRE_H

#include "base/buf.h"

/* Appends a file; nothing when it cannot be read. */
void wire_slurp(const char *path, wb_buf *b);

/* Appends a text's lines, those that are empty left out, spaces at their ends too. */
void wire_put_lines(wb_buf *out, const char *at, size_t n);

/* Appends what our reader finds: events as Go prints them, and two lines on the error, if it ends with one. */
void wire_read(const wb_buf *bytes, wb_buf *out);

#endif

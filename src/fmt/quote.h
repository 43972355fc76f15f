/* fmt/quote.h - bytes as a quoted text of Go, and back. */
#ifndef WF_QUOTE_H
#define WF_QUOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Appends the bytes as strconv.Quote of Go writes them: printable UTF-8 as it is, \n and the like, \xNN for bytes that
 * are no UTF-8 and for ASCII control characters, \uNNNN and \UNNNNNNNN for other characters.  The quotes are included.
 */
void wf_quote(wb_buf *b, const void *at, size_t n);

/* The same without the quotes, of the first characters, as many as fit into `n_max` bytes of input (>= 4); returns how
 * many bytes were taken.  For long texts that go out in pieces. */
size_t wf_quote_some(wb_buf *b, const void *at, size_t n, size_t n_max);

/* Reads a quoted text as strconv.Unquote does (double quotes only) from the front of `at` and appends its bytes.
 * Returns the number of characters used, quotes included; 0 when it is malformed (b may then hold a part). */
size_t wf_unquote(wb_buf *b, const char *at, size_t n);

/* Does strconv.Quote write this character as it is? */
bool wf_printable(uint32_t rune);

#endif

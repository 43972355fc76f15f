/* out/gotext.h - events as `go tool trace -d=parsed` of Go 1.27 prints them, byte for byte (time zone UTC).
 *
 * One line per event, then a "TransitionStack=" and a "Stack=" block where it has one, then a newline.  Texts are
 * quoted as strconv.Quote does.  Source: internal/trace, Event.String; an oracle for readers, not a stable format.
 */
#ifndef OUT_GOTEXT_H
#define OUT_GOTEXT_H

#include <wtr/event.h>
#include <wtr/open.h>

#include "base/buf.h"
#include "out/stackcache.h"

/* Appends one event of `t`.  Its strings and stacks must still be valid (see wtr_next()). */
void out_gotext(wb_buf *b, wtr_trace *t, const wtr_event *e);

/* The same, with the text of stacks remembered in `c` (NULL is fine): several times faster. */
void out_gotext_cached(wb_buf *b, wtr_trace *t, const wtr_event *e, out_stack_cache *c);

/* Appends ns since 1970 as 2026-11-22T08:32:54.975700693Z (time.RFC3339Nano in UTC: no trailing zeros). */
void out_rfc3339(wb_buf *b, int64_t unix_ns);

#endif

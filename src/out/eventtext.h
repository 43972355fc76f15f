/* out/eventtext.h - an event as one line for people, or as a JSON object. */
#ifndef OUT_EVENTTEXT_H
#define OUT_EVENTTEXT_H

#include <wtr/event.h>
#include <wtr/open.h>

#include "base/buf.h"
#include "out/json.h"
#include "out/stackcache.h"

/* Appends one line without its line feed: seconds since `start_ns`; thread, proc and goroutine before the event ("-"
 * for none); wire event; what happened; where in the program.  c, which remembers those places, may be NULL. */
void out_event_text(wb_buf *b, wtr_trace *t, const wtr_event *e, int64_t start_ns, out_stack_cache *c);

/* Appends the event's stacks, a frame a line, indented.  Nothing when it has none. */
void out_event_stacks(wb_buf *b, wtr_trace *t, const wtr_event *e);

/* One object, as docs/json.md describes it. */
void out_event_json(out_json *j, wtr_trace *t, const wtr_event *e, int64_t start_ns, bool stacks);

/* An array of frames. */
void out_stack_json(out_json *j, const wtr_trace *t, uint32_t stack);

#endif

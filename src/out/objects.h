/* out/objects.h - what goroutines wait for, as text and as JSON. */
#ifndef OUT_OBJECTS_H
#define OUT_OBJECTS_H

#include <wtr/object.h>
#include <wtr/waits.h>

#include "base/buf.h"
#include "out/json.h"

/* "channel 0x7f04 (cap 4, full)", "mutex 'accounts'", "descriptor 7". */
void out_object(wb_buf *b, const wtr_object *o);
/* The same, with what a wait found there left out: "channel 0x7f04 (cap 4)". */
void out_waited(wb_buf *b, const wtr_waited *w);
/* All that a wait is for, and who holds the lock: "mutex 0x7f10, held by G12"; several with "or" between them. */
void out_wait(wb_buf *b, const wtr_object *o, size_t n);

/* Members of the open object: kind, id, and what there is of name, capacity and number. */
void out_object_id_json(out_json *j, unsigned kind, uint64_t id, uint64_t attr, wtr_str name);
/* An array, as docs/json.md describes it. */
void out_objects_json(out_json *j, const wtr_object *o, size_t n);

#endif

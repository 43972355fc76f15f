/* read/tables.h - the strings and stacks of one generation (v2) or of a file (v1).
 *
 * Ids on the wire are any 64-bit number; ids handed out are 32-bit and unique in the trace: a table's ids are its base
 * plus a local number, so one number tells both generation and entry.  0 is the empty string and the empty stack.
 * Strings are views into the trace's bytes.  One thread builds a table; when built it is immutable.
 */
#ifndef WTR_READ_TABLES_H
#define WTR_READ_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtr/event.h>

#include "base/idmap.h"
#include "base/vec.h"

#define WTR__UNKNOWN UINT32_MAX      /* an id that no table defines */
#define WTR__EXTRA   0x80000000u     /* bit of string ids that live in the trace's own intern table */

typedef struct wtr__frame {
	uint64_t pc, line;
	uint64_t func, file; /* string ids on the wire until wtr__tables_finish(), then local ones */
} wtr__frame;

typedef struct wtr__stack {
	uint32_t first, n;   /* in frame_of */
} wtr__stack;

typedef struct wtr__tables {
	uint32_t string_base, stack_base; /* id handed out = base + local; local 0 is not used */
	wb_idmap string_ids, stack_ids;   /* wire id -> id handed out; 0 -> 0 */
	wb_idmap pcs;                     /* pc -> place in frames */
	WB_VEC(wtr_str) strings;          /* [0] is the empty string */
	WB_VEC(wtr__stack) stacks;        /* [0] is the empty stack */
	WB_VEC(wtr__frame) frames;        /* by pc, the first definition of a pc wins */
	WB_VEC(uint32_t) frame_of;        /* frames of the stacks, one after the other, innermost first */
} wtr__tables;

bool wtr__tables_init(wtr__tables *tb, uint32_t string_base, uint32_t stack_base); /* false: out of memory */
void wtr__tables_free(wtr__tables *tb);

/* Defines a string or stack.  WTR_OK, E_NOMEM, or E_FORMAT when the id is 0 or has been defined before. */
wtr_code wtr__tables_add_string(wtr__tables *tb, uint64_t wire_id, const char *at, size_t n);
wtr_code wtr__tables_add_stack(wtr__tables *tb, uint64_t wire_id, const wtr__frame *frames, size_t n);

/* Checks that every frame's strings exist and makes them local; unknown ones become empty when `forgive`.
 * E_FORMAT with the wire ids in *ret_stack and *ret_string. */
wtr_code wtr__tables_finish(wtr__tables *tb, bool forgive, uint64_t *ret_stack, uint64_t *ret_string);

/* Ids to hand out, WTR__UNKNOWN (which is WB_IDMAP_NONE) for ids not defined. */
static inline uint32_t wtr__string_id(const wtr__tables *tb, uint64_t wire_id)
{
	return wb_idmap_get(&tb->string_ids, wire_id);
}

static inline uint32_t wtr__stack_id(const wtr__tables *tb, uint64_t wire_id)
{
	return wb_idmap_get(&tb->stack_ids, wire_id);
}

wtr_str wtr__tables_string(const wtr__tables *tb, uint32_t local);
size_t  wtr__tables_stack(const wtr__tables *tb, uint32_t local, wtr_frame *ret, size_t n);

#endif

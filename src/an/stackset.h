/* an/stackset.h - stacks of a whole trace: equal ones have one number, whatever generation they come from.
 *
 * Two stacks have one number when their first 128 program counters are the same, and are one stack in a profile, as in
 * Go's tools, when only zeros at their ends tell them apart: then an_stackset_same() has one number for both.
 * Number 0 is the empty stack.  Frames are kept, so nothing here needs the trace's tables once a stack is in.  One
 * thread writes; a set that is not written to may be asked by any number.
 */
#ifndef AN_STACKSET_H
#define AN_STACKSET_H

#include <wtr/event.h>

#include "base/idmap.h"
#include "base/intern.h"
#include "base/vec.h"

enum { AN_STACK_MAX = 128 };

typedef struct an_place_of { /* a place in the code */
	uint64_t pc, line;
	uint32_t func, file; /* in texts */
} an_place_of;

typedef struct an_stack_ref {
	uint32_t first, n; /* in place_of */
	uint64_t hash;
	uint32_t same; /* number of the stack without the zeros at its end */
	bool collects; /* an_collects() */
} an_stack_ref;

typedef struct an_stackset {
	wb_intern texts;
	wb_idmap by_pc; /* -> places */
	wb_idmap by_id; /* the trace's stack id -> number */
	WB_VEC(an_place_of) places;
	WB_VEC(uint32_t) place_of; /* of all stacks, one after the other */
	WB_VEC(an_stack_ref) stacks;
	uint32_t *slots; /* number + 1, open addressing */
	size_t cap;
} an_stackset;

bool an_stackset_init(an_stackset *s); /* false: out of memory */
void an_stackset_free(an_stackset *s);

/* The number of a stack of the trace; UINT32_MAX: out of memory. */
uint32_t an_stackset_slow(an_stackset *s, const wtr_trace *t, uint32_t id);
static inline uint32_t an_stackset_add(an_stackset *s, const wtr_trace *t, uint32_t id)
{
	uint32_t no = wb_idmap_get(&s->by_id, id);
	return __builtin_expect(no != WB_IDMAP_NONE, 1) ? no : an_stackset_slow(s, t, id);
}

static inline uint32_t an_stackset_same(const an_stackset *s, uint32_t no)
{
	return s->stacks.at[no].same;
}

/* Writes at most `n` frames, innermost first, and returns how many there are. */
size_t an_stackset_frames(const an_stackset *s, uint32_t no, wtr_frame *ret, size_t n);

#endif

/* edit/carry.h - writes the carrier of one generation (docs/carrier.md): what goroutines wait for, and facts.
 *
 * Who writes a generation tells what its events say, in their order; what is as readers guess it takes no room.  In the
 * end there are pieces, texts for its table of strings that nothing refers to.  What memory is out for is left out, and
 * we_carry_failed() says so.
 */
#ifndef WE_CARRY_H
#define WE_CARRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtr/object.h>

#include "base/intern.h"

typedef struct we_carry we_carry;

we_carry *we_carry_new(void); /* NULL: out of memory */
void we_carry_free(we_carry *c);
bool we_carry_failed(const we_carry *c);

/* A generation begins; what was said of the one before is gone. */
void we_carry_begin(we_carry *c);

/* Thread m writes a GoBlock of g, which waits for n objects (0: not known).  says_send: the reason of the event tells
 * that it waits to send. */
void we_carry_wait(we_carry *c, int64_t m, int64_t g, const wtr_object *o, size_t n, bool says_send);

/* Thread m has written a GoSyscallBegin of g at that time, which is no system call: its proc was taken. */
void we_carry_taken(we_carry *c, int64_t m, uint64_t ticks, int64_t g);

/* When the generation first mentions g, that is its label, or what it waits for.  Texts are cut after WE_CARRY_TEXT_MAX
 * bytes. */
enum { WE_CARRY_TEXT_MAX = 960 };
void we_carry_label(we_carry *c, int64_t g, wtr_str label);
void we_carry_kept_wait(we_carry *c, int64_t g, const wtr_object *o, size_t n);

/* When the generation first mentions g, it is in a system call that is none: its proc was taken before. */
void we_carry_computes(we_carry *c, int64_t g);

/* What the program calls an object. */
void we_carry_name(we_carry *c, uint64_t id, wtr_str name);

/* A part of a trace begins, and what goes on then: a task; a region, of a goroutine the outermost first; the stacks, as
 * they are numbered in this generation, that g began with and that made it (0: not known); the reason why g waits. */
void we_carry_part(we_carry *c);
void we_carry_task(we_carry *c, uint64_t id, uint64_t parent, wtr_str name);
void we_carry_region(we_carry *c, int64_t g, uint64_t task, wtr_str name);
void we_carry_origin(we_carry *c, int64_t g, uint64_t start, uint64_t create);
void we_carry_reason(we_carry *c, int64_t g, wtr_str reason);

/* A fact of two numbers that are sums over the generation: WF_FACT_STALLS, WF_FACT_LOST.  Both 0: nothing. */
void we_carry_sums(we_carry *c, unsigned fact, uint64_t a, uint64_t b);

/* The pieces, when all has been said: piece i, false behind the last one.  The text stays until we_carry_begin(). */
void we_carry_end(we_carry *c);
bool we_carry_piece(const we_carry *c, size_t i, wb_text *ret);

#endif

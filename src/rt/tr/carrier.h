/* rt/tr/carrier.h - what Go's format has no place for, in strings that no event refers to (docs/carrier.md).
 *
 * A thread's pieces go through a second buffer of its own, in string batches; so do texts that are written once only.
 */
#ifndef WEFT__TR_CARRIER_H
#define WEFT__TR_CARRIER_H

#include "rt/tr/tr.h"

/* A new generation begins on m. */
void weft__tr_carrier_begin(weft__tr_m *m);

/* For each GoBlock that m writes, in order.  what: see go_block.  In m's section. */
void weft__tr_carrier_wait(weft__tr_m *m, const weft__tr_g *g, const weft__tr_object *what);

/* The GoSyscallBegin of m that has just been written, at m->last, is a hog's. */
void weft__tr_carrier_hog(weft__tr_m *m, const weft__tr_g *g);

/* The status of g that m has just written, of a system call, is a hog's.  In m's section, or with its lock. */
void weft__tr_carrier_computes(weft__tr_m *m, const weft__tr_g *g);

/* g waits for that since before the generation.  With m's lock. */
void weft__tr_carrier_kept(weft__tr_m *m, const weft__tr_g *g, const weft__tr_object *what);

/* The label that g has when m's generation first mentions it.  In m's section, or with its lock, by g's owner. */
void weft__tr_carrier_label(weft__tr_m *m, const weft__tr_g *g);

/* The same in two parts, for others than g's owner, who do not know yet whether what they see of it counts. */
typedef struct weft__tr_label_seen {
	size_t n;
	char at[480]; /* behind that it is cut */
} weft__tr_label_seen;

void weft__tr_carrier_see_label(const weft__tr_g *g, weft__tr_label_seen *ret);
void weft__tr_carrier_put_label(weft__tr_m *m, uint64_t id, const weft__tr_label_seen *l);

/* A text that is not put in the table; its id, 0 for none. */
uint64_t weft__tr_text_once(weft__tr_m *m, weft__tr_str s);

/* Hands m's second buffer over. */
void weft__tr_carrier_end(weft__tr_m *m);

/* The facts of a generation, as a text of at most WF_STRING_BYTES_MAX bytes: its length, 0: there are none.  index: of
 * the piece among those of no thread. */
size_t weft__tr_carrier_facts(
	uint8_t *at, uint64_t index, uint64_t waits, uint64_t wait_ns, uint64_t lost_stacks, uint64_t lost_strings);

/* The names of objects in a generation: pieces of no thread, from `index` on, each handed to put(). */
void weft__tr_carrier_names(
	uint64_t gen, uint64_t index, void (*put)(const uint8_t *text, size_t n, void *arg), void *arg);

#endif

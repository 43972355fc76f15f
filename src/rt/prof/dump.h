/* rt/prof/dump.h - goroutines as text: dumps, and what is said when the program ends by itself. */
#ifndef WEFT__DUMP_H
#define WEFT__DUMP_H

#include "base/buf.h"
#include "rt/sched/gmp.h"

/* Once, before the first goroutine: overflow reports, SIGQUIT (where the program has no handler), and the dumps of
 * fatal.c.  0 or negative errno. */
int weft__dump_init(void);

/* weft_dump() to the end of b, on a thread's own stack; self: the goroutine that asks, from self_fp on, or NULL.  0 or
 * -ENOMEM. */
int weft__dump_all(wb_buf *b, weft__g *self, uintptr_t self_fp);

#endif

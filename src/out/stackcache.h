/* out/stackcache.h - the text of stacks, remembered.
 *
 * Most of what is printed about events is stacks, and few of them are different: a renderer that goes through here is
 * called once per stack and not once per event.  A cache belongs to one trace (stack ids are unique in it), one
 * renderer and one thread.  Memory is bounded, about 10 MB.
 */
#ifndef OUT_STACKCACHE_H
#define OUT_STACKCACHE_H

#include <wtr/event.h>

#include "base/buf.h"

typedef struct out_stack_cache out_stack_cache;
out_stack_cache *out_stack_cache_new(void);      /* NULL: out of memory, do without */
void out_stack_cache_free(out_stack_cache *c);   /* NULL is fine */

/* Appends something about a stack. */
typedef void out_stack_fn(wb_buf *b, const wtr_trace *t, uint32_t stack);

/* Appends what `fn` says about a stack; nothing for 0.  The stack must still be valid (see wtr_next()).  c may be
 * NULL. */
void out_stack_put(wb_buf *b, const wtr_trace *t, uint32_t stack, out_stack_fn *fn, out_stack_cache *c);

#endif

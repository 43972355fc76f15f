/* rt/prof/mallocs.h - what libweft_malloc, which stands before libc's malloc(), and the heap profile tell each other.
 *
 * libweft_malloc is a library of its own, for LD_PRELOAD or to be linked: without it malloc() is libc's, and costs
 * nothing more.  It knows nothing of libweft, which may be linked in statically; libweft looks for it at its start.
 */
#ifndef WEFT__MALLOCS_H
#define WEFT__MALLOCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* None of them is called again from inside itself: what they allocate is not counted. */
typedef struct weft_malloc_hooks {
	/* It is the turn of this allocation: true, its address is to be told when it is freed. */
	bool (*made)(void *at, size_t bytes);
	bool (*freed)(void *at);  /* true: it was one of those */
	int64_t (*next_in)(void); /* bytes until the next one's turn */
} weft_malloc_hooks;

typedef void weft_malloc_attach_fn(const weft_malloc_hooks *hooks);
#define WEFT__MALLOC_ATTACH "weft_malloc_attach"

/* Once, at the start: attaches to libweft_malloc if it is there. */
void weft__mallocs_init(void);

struct weft__prof_doc;
/* Adds what malloc() has given to the heap profile, as weft__allocs_collect. */
void weft__mallocs_collect(struct weft__prof_doc *d);

#endif

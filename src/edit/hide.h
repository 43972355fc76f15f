/* edit/hide.h - which texts of a trace tell something about its program, and what stands in their place.
 *
 * A text is what it is used for: the name of a function, a file, a word of the runtime (a reason, the kind of a
 * stop-the-world), or something that the program says.  Functions and files of Go's standard library and words of the
 * runtime stay as they are; of others only the shape stays: main.(*server).handle.func1 becomes main.(*n1).n2.func1,
 * equal names becoming equal ones.
 */
#ifndef WE_HIDE_H
#define WE_HIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

typedef enum we_use {
	WE_USE_FUNC = 1 << 0,
	WE_USE_FILE = 1 << 1, /* of a function that is not the standard library's */
	WE_USE_STD_FILE = 1 << 2,
	WE_USE_RUNTIME = 1 << 3, /* a word of the runtime */
	WE_USE_SAID = 1 << 4,    /* by the program */
	WE_USE_LABEL = 1 << 5,   /* by the program or the collector */
} we_use;

typedef struct we_hide we_hide;

we_hide *we_hide_new(void); /* NULL: out of memory */
void we_hide_free(we_hide *h);

/* Tells what a text is used for; more than once if it is used for several things. */
void we_hide_use(we_hide *h, const void *at, size_t n, unsigned uses);

/* Appends what a text becomes.  Texts whose use was not told are taken for something that the program says. */
void we_hide_put(we_hide *h, const void *at, size_t n, wb_buf *out);

/* The same for the name of a Go type. */
void we_hide_put_type(we_hide *h, const void *at, size_t n, wb_buf *out);

/* Is this a function of the standard library? */
bool we_is_std(const char *func, size_t n);

bool we_hide_failed(const we_hide *h); /* out of memory */

#endif

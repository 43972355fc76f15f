/* out/fit.h - texts in fewer columns than they take.
 *
 * The end of a name tells more than its beginning: of net/http.(*Transport).dial.func1 in 16 columns,
 * "…port).dial.func1" is left.  Where others of a table end alike, what tells them apart is kept as well:
 * "…/blue…).Serve".  A short first word ("G17 ") stays.
 */
#ifndef OUT_FIT_H
#define OUT_FIT_H

#include <stddef.h>

#include "base/buf.h"

typedef struct out_fitted {
	const char *at;
	size_t n;
	size_t same; /* bytes at its end that are those of another text, too */
} out_fitted;

/* Sets `same` of each of n texts; the order stays.  False: out of memory, and `same` is 0 everywhere. */
bool out_fit_compare(out_fitted *t, size_t n);

/* Appends the text in at most `width` columns (4 or more). */
void out_fit(wb_buf *b, const out_fitted *t, size_t width);

#endif

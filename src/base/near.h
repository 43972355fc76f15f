/* base/near.h - texts that are as good as the same: a part in any case, and which of some words was meant by one that
 * is none of them. */
#ifndef WB_NEAR_H
#define WB_NEAR_H

#include <stdbool.h>
#include <stddef.h>

/* Whether `text` has `part` in it, ASCII case aside; an empty part is in all. */
bool wb_has_part(const char *text, size_t n, const char *part, size_t n_part);

enum { WB_NEAR_LETTERS = 48 }; /* longer words are near to none */

/* Begin with { .word = .., .n = its length } and try the candidates; `best` is then the nearest of those that one is
 * likely to have meant: the same but for case, or but for few letters that are wrong, missing, too many or swapped,
 * or its beginning up to a `_`.  "": none. */
typedef struct wb_near {
	const char *word;
	size_t n;
	char best[WB_NEAR_LETTERS + 1]; /* a copy */
	unsigned distance;
} wb_near;

void wb_near_try(wb_near *w, const char *candidate);

#endif

/* base/vec.c - see vec.h. */
#include "base/vec.h"

#include <stdint.h>

bool wb_vec_grow(void **at, size_t *cap, size_t n, size_t more, size_t size)
{
	size_t want;
	if (__builtin_add_overflow(n, more, &want))
		return false;
	size_t c = *cap < 8 ? 8 : *cap + *cap / 2;
	if (c < want)
		c = want;
	void *p = wb_realloc(*at, c, size);
	if (!p)
		return false;
	*at = p;
	*cap = c;
	return true;
}

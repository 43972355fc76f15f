/* base/sort.c - a radix sort, least digit first; digits that all numbers share are left out. */
#include "base/sort.h"

#include <string.h>

enum { DIGITS = 8, VALUES = 256 };

/* The digit of a number whose order as unsigned is that of the number as signed. */
static inline unsigned digit(int64_t v, unsigned d)
{
	return (unsigned)(((uint64_t)v ^ (uint64_t)1 << 63) >> (8 * d)) & (VALUES - 1);
}

static void by_digit(const int64_t *from, int64_t *to, size_t n, unsigned d)
{
	size_t count[VALUES] = { 0 }, place[VALUES], sum = 0;
	for (size_t i = 0; i < n; i++)
		count[digit(from[i], d)]++;
	for (unsigned i = 0; i < VALUES; i++) {
		place[i] = sum;
		sum += count[i];
	}
	for (size_t i = 0; i < n; i++)
		to[place[digit(from[i], d)]++] = from[i];
}

void wb_sort_i64(int64_t *at, size_t n, int64_t *room)
{
	int64_t *from = at, differ = 0;
	for (size_t i = 1; i < n; i++)
		differ |= at[i] ^ at[0];
	for (unsigned d = 0; d < DIGITS; d++) {
		if (((uint64_t)differ >> (8 * d)) % VALUES == 0)
			continue;
		int64_t *to = from == at ? room : at;
		by_digit(from, to, n, d);
		from = to;
	}
	if (from != at)
		memcpy(at, from, n * sizeof(*at));
}

/* base/sort.c - a radix sort, least digit first; digits that all numbers share are left out. */
#include "base/sort.h"

#include <string.h>

#include "base/alloc.h"

enum { DIGITS = 8, VALUES = 256 };

/* The digit of a number whose order as unsigned is that of the number as signed. */
static inline unsigned digit(int64_t v, unsigned d)
{
	return (unsigned)(((uint64_t)v ^ (uint64_t)1 << 63) >> (8 * d)) & (VALUES - 1);
}

static void by_digit(const int64_t *from, int64_t *to, size_t n, unsigned d, const size_t *counts)
{
	size_t place[VALUES], sum = 0;
	for (unsigned i = 0; i < VALUES; i++) {
		place[i] = sum;
		sum += counts[i];
	}
	for (size_t i = 0; i < n; i++)
		to[place[digit(from[i], d)]++] = from[i];
}

bool wb_sort_i64(int64_t *at, size_t n)
{
	size_t counts[DIGITS][VALUES] = { 0 };
	if (n < 2)
		return true;
	int64_t *other = n > SIZE_MAX / sizeof(*at) ? NULL : wb_malloc(n * sizeof(*at)), *from = at;
	if (!other)
		return false;
	for (size_t i = 0; i < n; i++)
		for (unsigned d = 0; d < DIGITS; d++)
			counts[d][digit(at[i], d)]++;
	for (unsigned d = 0; d < DIGITS; d++) {
		if (counts[d][digit(at[0], d)] == n)
			continue;
		int64_t *to = from == at ? other : at;
		by_digit(from, to, n, d, counts[d]);
		from = to;
	}
	if (from != at)
		memcpy(at, from, n * sizeof(*at));
	wb_free(other);
	return true;
}

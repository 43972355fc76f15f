/* base/near.c - see near.h. */
#include "base/near.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

bool wb_has_part(const char *text, size_t n, const char *part, size_t n_part)
{
	for (size_t i = 0; n_part <= n && i <= n - n_part; i++) {
		size_t k = 0;
		while (k < n_part && lower(text[i + k]) == lower(part[k]))
			k++;
		if (k == n_part)
			return true;
	}
	return false;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Letters to change, insert, remove or swap with their neighbour to make b of a. */
static unsigned distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned rows[3][WB_NEAR_LETTERS + 1], *before = rows[0], *last = rows[1], *row = rows[2];
	for (unsigned k = 0; k <= m; k++)
		last[k] = k;
	for (unsigned i = 1; i <= n; i++) {
		row[0] = i;
		for (unsigned k = 1; k <= m; k++) {
			int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[k - 1]);
			row[k] = least(least(last[k], row[k - 1]) + 1, last[k - 1] + (x != y));
			if (i > 1 && k > 1 && x == tolower((unsigned char)b[k - 2]) &&
				y == tolower((unsigned char)a[i - 2]))
				row[k] = least(row[k], before[k - 2] + 1);
		}
		unsigned *free = before;
		before = last;
		last = row;
		row = free;
	}
	return last[m];
}

void wb_near_try(wb_near *w, const char *candidate)
{
	size_t m = strlen(candidate);
	if (w->n == 0 || w->n > WB_NEAR_LETTERS || m > WB_NEAR_LETTERS)
		return;
	unsigned d = distance(w->word, w->n, candidate, m), most = w->n < 4 ? 1 : w->n < 8 ? 2 : 3;
	if (m > w->n && candidate[w->n] == '_' && strncasecmp(candidate, w->word, w->n) == 0)
		d = 1;
	if (d <= most && d < m && (!w->best[0] || d < w->distance)) {
		memcpy(w->best, candidate, m + 1);
		w->distance = d;
	}
}

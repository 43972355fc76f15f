/* an/census.h - how many goroutines were in each class, at any time: of one group, or of all.
 *
 * A row for every 2^k ns holds the integrals since the trace began (goroutines x ns, per class), so the mean over any
 * interval is two look-ups whatever its length.  Rows are written while events come; when there are more of them than
 * the number of spans deserves, every other one is dropped and k grows by one.  Exact at the rows, linear between.
 */
#ifndef AN_CENSUS_H
#define AN_CENSUS_H

#include <stdbool.h>
#include <stdint.h>

#include "an/lod.h"

/* [0] counts spans begun, [1 .. 8] are integrals per class, goroutines x ns. */
typedef struct an_row {
	uint64_t sum[AN_CLASSES + 1];
} an_row;

typedef uint64_t an_pair __attribute__((vector_size(16)));

typedef struct an_census {
	uint64_t next;             /* time of row n */
	an_pair cls[AN_CLASSES +
		    1]; /* [0] goroutines in the class now, [1] base: the integral at t is now * t + base */
	uint64_t spans;
	unsigned k;
	size_t   n, cap;
	an_row  *rows;             /* row i at i << k, the last one at `end` */
	uint64_t end;              /* of the trace, once ended */
} an_census;

/* A zeroed census is ready for use. */
void an_census_free(an_census *c);

/* Writes the rows up to time t.  False: out of memory. */
bool an_census_advance(an_census *c, uint64_t t);

/* At time t a goroutine goes from one class to another (0: it is not there, or its time is not counted). */
static inline __attribute__((always_inline)) bool an_census_move(an_census *c, uint64_t t, unsigned from, unsigned to)
{
	if (__builtin_expect(t >= c->next, 0) && !an_census_advance(c, t))
		return false;
	an_pair step = { 1, -t };
	c->cls[from] -= step;
	c->cls[to] += step;
	c->spans++;
	return true;
}

/* Closes the books at the end of the trace. */
bool an_census_end(an_census *c, uint64_t end);

/* The sum of ended censuses: all + i * stride bytes for i below n.  False: out of memory. */
bool an_census_sum(an_census *ret, const void *all, size_t n, size_t stride, uint64_t end);

/* Spans counted afterwards, in an ended census: an_fix_add for each (times -1 takes one away again), then an_fix_apply,
 * which also frees. */
typedef struct an_fix {
	an_census *census;
	an_row    *slope, *offset; /* what changes at row i */
} an_fix;
bool an_fix_begin(an_fix *f, an_census *c); /* false: out of memory */
void an_fix_add(an_fix *f, uint64_t from, uint64_t to, unsigned cls, int times);
void an_fix_apply(an_fix *f);

/* The integrals from the start to time t. */
void an_census_at(const an_census *c, uint64_t t, an_row *ret);

#endif

/* an/census.c - see census.h. */
#include "an/census.h"

#include "base/alloc.h"

/* How many rows so many spans deserve: few spans are looked at one by one anyway (counts.c). */
static size_t rows_for(uint64_t spans)
{
	uint64_t few = spans / 16 < 1024 ? spans / 16 : 1024, many = spans / 256;
	return 16 + (size_t)(few > many ? few : many);
}

static bool add_row(an_census *c, uint64_t t)
{
	if (c->n == c->cap) {
		size_t cap = c->cap ? c->cap + c->cap / 2 : 32;
		an_row *rows = wb_realloc(c->rows, cap, sizeof(*rows));
		if (!rows)
			return false;
		c->rows = rows;
		c->cap = cap;
	}
	an_row *r = &c->rows[c->n++];
	r->sum[0] = c->spans;
	for (unsigned i = 1; i <= AN_CLASSES; i++)
		r->sum[i] = c->cls[i][0] * t + c->cls[i][1];
	return true;
}

/* Every other row goes. */
static void thin(an_census *c)
{
	for (size_t i = 1; i * 2 < c->n; i++)
		c->rows[i] = c->rows[i * 2];
	c->n = (c->n + 1) / 2;
	c->k++;
}

bool an_census_advance(an_census *c, uint64_t t)
{
	if (c->n == 0)
		c->k = 10;
	size_t most = rows_for(c->spans);
	while (c->k < 63 && t >> c->k >= most)
		thin(c);
	for (; c->n <= t >> c->k; c->next = (uint64_t)c->n << c->k)
		if (!add_row(c, (uint64_t)c->n << c->k))
			return false;
	c->next = (uint64_t)c->n << c->k;
	return true;
}

bool an_census_end(an_census *c, uint64_t end)
{
	c->end = end;
	if (!an_census_advance(c, end))
		return false;
	if (((uint64_t)(c->n - 1) << c->k != end || c->n == 1) && !add_row(c, end))
		return false;
	an_row *rows = wb_realloc(c->rows, c->n, sizeof(*rows));
	if (rows) {
		c->rows = rows;
		c->cap = c->n;
	}
	return true;
}

bool an_census_sum(an_census *ret, const void *all, size_t n, size_t stride, uint64_t end)
{
	enum { ROWS_MAX = 1 << 14, WORK_MAX = 1 << 20 };
	*ret = (an_census){ .k = 10, .end = end };
	const char *at = all;
	for (size_t i = 0; i < n; i++)
		ret->spans += ((const an_census *)(const void *)(at + i * stride))->spans;
	size_t most = rows_for(ret->spans), few = n ? WORK_MAX / n : ROWS_MAX;
	most = most > ROWS_MAX ? ROWS_MAX : most;
	most = most > few ? few + 16 : most;
	while (end >> ret->k >= most)
		ret->k++;
	ret->n = ret->cap = (size_t)(end >> ret->k) + 2;
	ret->rows = wb_calloc(ret->n, sizeof(*ret->rows));
	if (!ret->rows)
		return false;
	for (size_t i = 0; i < n; i++) {
		const an_census *c = (const an_census *)(const void *)(at + i * stride);
		an_row r;
		for (size_t j = 0; c->spans && j < ret->n; j++) {
			an_census_at(c, (uint64_t)j << ret->k < end ? (uint64_t)j << ret->k : end, &r);
			for (unsigned k = 0; k <= AN_CLASSES; k++)
				ret->rows[j].sum[k] += r.sum[k];
		}
	}
	return true;
}

void an_census_free(an_census *c)
{
	wb_free(c->rows);
	*c = (an_census){ 0 };
}

/* Row i is at i << k, the last one at the end. */
static uint64_t row_time(const an_census *c, size_t i)
{
	return i + 1 < c->n ? (uint64_t)i << c->k : c->end;
}

void an_census_at(const an_census *c, uint64_t t, an_row *ret)
{
	if (t >= c->end) {
		*ret = c->n ? c->rows[c->n - 1] : (an_row){ { 0 } };
		return;
	}
	size_t i = (size_t)(t >> c->k);
	const an_row *a = &c->rows[i], *b = a + 1;
	uint64_t t0 = row_time(c, i);
	double part = (double)(int64_t)(t - t0) / (double)(int64_t)(row_time(c, i + 1) - t0);
	for (unsigned k = 0; k <= AN_CLASSES; k++)
		ret->sum[k] = a->sum[k] + (uint64_t)(int64_t)((double)(int64_t)(b->sum[k] - a->sum[k]) * part);
}

bool an_fix_begin(an_fix *f, an_census *c)
{
	f->census = c;
	f->slope = wb_calloc(c->n + 1, sizeof(*f->slope));
	f->offset = wb_calloc(c->n + 1, sizeof(*f->offset));
	if (f->slope && f->offset)
		return true;
	wb_free(f->slope);
	wb_free(f->offset);
	return false;
}

/* From time t on, one more (or less) is in the class. */
static void step(an_fix *f, uint64_t t, unsigned cls, int by)
{
	size_t i = (size_t)(t >> f->census->k) + 1; /* the first row behind t */
	if (i > f->census->n)
		i = f->census->n;
	f->slope[i].sum[cls] += (uint64_t)(int64_t)by;
	f->offset[i].sum[cls] -= (uint64_t)(int64_t)by * t;
}

void an_fix_add(an_fix *f, uint64_t from, uint64_t to, unsigned cls, int times)
{
	if (cls == 0 || from >= to)
		return;
	step(f, from, cls, times);
	step(f, to, cls, -times);
}

void an_fix_apply(an_fix *f)
{
	an_census *c = f->census;
	an_row slope = { { 0 } }, offset = { { 0 } };
	for (size_t i = 0; i < c->n; i++)
		for (unsigned k = 1; k <= AN_CLASSES; k++) {
			slope.sum[k] += f->slope[i].sum[k];
			offset.sum[k] += f->offset[i].sum[k];
			c->rows[i].sum[k] += slope.sum[k] * row_time(c, i) + offset.sum[k];
		}
	wb_free(f->slope);
	wb_free(f->offset);
}

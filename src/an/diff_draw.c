/* an/diff_draw.c - the figures of one side, and how far they may be off.
 *
 * Durations of one trace depend on their neighbours: waits come in bursts, a slow second has many slow ones.  So what
 * is drawn again, with replacement, are not durations but units of them: the 32nd parts of a trace's time; whole traces
 * when there are many; runs of neighbours when everything happened in a few moments (docs/diff.md).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "an/side.h"
#include "base/sort.h"

enum { BUCKETS = 3712, TRACES_AS_UNITS = 6, SLICES_WANTED = 8 };

static const unsigned per_mille[WTR_STAT_COUNT] = {
	[WTR_STAT_P50] = 500, [WTR_STAT_P90] = 900, [WTR_STAT_P99] = 990, [WTR_STAT_P999] = 999, [WTR_STAT_MAX] = 1000
};

static double seconds(const wtr_side *s)
{
	int64_t ns = 0;
	for (size_t i = 0; i < s->durations.n; i++)
		ns += s->durations.at[i];
	return ns > 0 ? (double)ns / 1e9 : 1e-9;
}

void an_values_figures(an_values *v, int64_t *room, double ret[WTR_STAT_COUNT])
{
	memset(ret, 0, WTR_STAT_COUNT * sizeof(*ret));
	if (v->n == 0)
		return;
	wb_sort_i64(v->ns, v->n, room);
	double sum = 0, s = seconds(v->side);
	for (size_t i = 0; i < v->n; i++)
		sum += (double)v->ns[i];
	ret[WTR_STAT_RATE] = (double)v->n / s;
	ret[WTR_STAT_TIME] = sum / s;
	ret[WTR_STAT_MEAN] = sum / (double)v->n;
	for (unsigned k = WTR_STAT_P50; k <= WTR_STAT_MAX; k++) {
		size_t rank = (v->n / 1000) * per_mille[k] + (v->n % 1000 * per_mille[k] + 999) / 1000;
		ret[k] = (double)v->ns[(rank ? rank : 1) - 1];
	}
}

/* ---- units ---- */

/* 64 buckets to a doubling: numbers in one differ by 1.6 percent at most. */
static inline unsigned bucket(int64_t ns)
{
	uint64_t v = ns > 0 ? (uint64_t)ns : 0;
	if (v < 64)
		return (unsigned)v;
	unsigned e = 63 - (unsigned)__builtin_clzll(v) - 6;
	return (e << 6) + (unsigned)(v >> e);
}

typedef struct units {
	size_t n, n_buckets;
	uint32_t *counts; /* [unit][bucket], of buckets that are not empty */
	double *value;    /* of each such bucket: the mean of what is in it */
	uint64_t *number; /* of durations, per unit */
	double *sum;      /* of them */
	double *length;   /* of each unit, in seconds */
	size_t used;      /* units that have any */
} units;

static void units_free(units *u)
{
	wb_free(u->counts);
	wb_free(u->value);
	wb_free(u->number);
	wb_free(u->sum);
	wb_free(u->length);
}

typedef enum cutting { BY_SLICE, BY_TRACE, BY_RUN } cutting;

static size_t unit_of(const an_values *v, cutting how, size_t n_units, size_t i)
{
	switch (how) {
	case BY_TRACE: return v->unit[i] / AN_SLICES;
	case BY_RUN: return (size_t)((double)i * (double)n_units / (double)v->n);
	default: return v->unit[i];
	}
}

/* How many slices have durations in them, up to SLICES_WANTED. */
static unsigned slices_used(const an_values *v)
{
	uint16_t seen[SLICES_WANTED];
	unsigned n = 0;
	for (size_t i = 0; i < v->n && n < SLICES_WANTED; i++) {
		unsigned k = 0;
		while (k < n && seen[k] != v->unit[i])
			k++;
		if (k == n)
			seen[n++] = v->unit[i];
	}
	return n;
}

static cutting choose(const an_values *v, size_t *ret_n)
{
	size_t traces = v->side->durations.n;
	if (traces >= TRACES_AS_UNITS) {
		*ret_n = traces;
		return BY_TRACE;
	}
	if (slices_used(v) >= SLICES_WANTED) {
		*ret_n = traces * AN_SLICES;
		return BY_SLICE;
	}
	*ret_n = v->n < AN_SLICES ? v->n : AN_SLICES;
	return BY_RUN;
}

/* Numbers the buckets that are not empty, and fills in their means. */
static bool count_buckets(const an_values *v, units *u, uint16_t *place)
{
	double *sum = wb_calloc(BUCKETS, sizeof(*sum));
	uint64_t *n = wb_calloc(BUCKETS, sizeof(*n));
	bool ok = sum && n;
	for (size_t i = 0; ok && i < v->n; i++) {
		unsigned b = bucket(v->ns[i]);
		sum[b] += (double)v->ns[i];
		n[b]++;
	}
	for (unsigned b = 0; ok && b < BUCKETS; b++)
		if (n[b])
			place[b] = (uint16_t)u->n_buckets++;
	u->value = ok ? wb_calloc(u->n_buckets + 1, sizeof(*u->value)) : NULL;
	ok = u->value != NULL;
	for (unsigned b = 0; ok && b < BUCKETS; b++)
		if (n[b])
			u->value[place[b]] = sum[b] / (double)n[b];
	wb_free(sum);
	wb_free(n);
	return ok;
}

static void fill(const an_values *v, cutting how, units *u, const uint16_t *place)
{
	for (size_t i = 0; i < v->n; i++) {
		size_t k = unit_of(v, how, u->n, i);
		u->counts[k * u->n_buckets + place[bucket(v->ns[i])]]++;
		u->number[k]++;
		u->sum[k] += (double)v->ns[i];
	}
	for (size_t k = 0; k < u->n; k++) {
		u->used += u->number[k] != 0;
		if (how == BY_RUN)
			u->length[k] = seconds(v->side) / (double)u->n;
		else if (how == BY_TRACE)
			u->length[k] = (double)v->side->durations.at[k] / 1e9;
		else
			u->length[k] = (double)v->side->durations.at[k / AN_SLICES] / 1e9 / AN_SLICES;
	}
}

static bool units_make(const an_values *v, units *u)
{
	cutting how = choose(v, &u->n);
	uint16_t *place = wb_calloc(BUCKETS, sizeof(*place));
	bool ok = place && count_buckets(v, u, place);
	if (ok) {
		u->counts = wb_calloc(u->n * u->n_buckets + 1, sizeof(*u->counts));
		u->number = wb_calloc(u->n + 1, sizeof(*u->number));
		u->sum = wb_calloc(u->n + 1, sizeof(*u->sum));
		u->length = wb_calloc(u->n + 1, sizeof(*u->length));
		ok = u->counts && u->number && u->sum && u->length;
	}
	if (ok)
		fill(v, how, u, place);
	wb_free(place);
	return ok;
}

/* ---- draws ---- */

static uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* The values at the ranks that percentiles are at, in one walk. */
static void percentiles(const units *u, const uint32_t *hist, uint64_t n, double *at)
{
	uint64_t seen = 0;
	unsigned k = WTR_STAT_P50;
	for (size_t b = 0; b < u->n_buckets && k < WTR_STAT_MAX; b++) {
		seen += hist[b];
		while (k < WTR_STAT_MAX && (double)seen >= (double)n * per_mille[k] / 1000 && seen)
			at[k++ * AN_DRAWS] = u->value[b];
	}
}

static void one_draw(const units *u, uint64_t *state, uint32_t *hist, uint32_t *weight, double *at)
{
	uint64_t n = 0;
	double sum = 0, length = 0;
	memset(hist, 0, u->n_buckets * sizeof(*hist));
	memset(weight, 0, u->n * sizeof(*weight));
	for (size_t i = 0; i < u->n; i++)
		weight[(size_t)((random_next(state) >> 32) * u->n >> 32)]++;
	for (size_t k = 0; k < u->n; k++) {
		uint32_t w = weight[k];
		length += w * u->length[k];
		if (w == 0 || u->number[k] == 0)
			continue;
		n += w * u->number[k];
		sum += w * u->sum[k];
		const uint32_t *c = u->counts + k * u->n_buckets;
		for (size_t b = 0; b < u->n_buckets; b++)
			hist[b] += w * c[b];
	}
	if (n == 0 || length <= 0)
		return; /* zeros */
	at[WTR_STAT_RATE * AN_DRAWS] = (double)n / length;
	at[WTR_STAT_TIME * AN_DRAWS] = sum / length;
	at[WTR_STAT_MEAN * AN_DRAWS] = sum / (double)n;
	percentiles(u, hist, n, at);
}

bool an_values_draw(const an_values *v, uint64_t seed, an_draws *ret)
{
	units u = { 0 };
	ret->few = true;
	if (v->n < WTR_DIFF_FEW)
		return true;
	bool ok = units_make(v, &u);
	ret->few = ok && u.used < WTR_DIFF_FEW;
	if (ok && !ret->few) {
		uint32_t *hist = wb_calloc(u.n_buckets + 1, sizeof(*hist)),
			 *weight = wb_calloc(u.n + 1, sizeof(*weight));
		ret->at = wb_calloc((size_t)WTR_STAT_COUNT * AN_DRAWS, sizeof(*ret->at));
		ok = hist && weight && ret->at;
		for (size_t i = 0; ok && i < AN_DRAWS; i++)
			one_draw(&u, &seed, hist, weight, ret->at + i);
		wb_free(hist);
		wb_free(weight);
	}
	units_free(&u);
	return ok;
}

static int in_order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

void an_draws_interval(const an_draws *a, const an_draws *b, wtr_stat stat, double *ret_low, double *ret_high)
{
	double ratio[AN_DRAWS];
	for (size_t i = 0; i < AN_DRAWS; i++) {
		double x = a->at[stat * AN_DRAWS + i], y = b->at[stat * AN_DRAWS + i];
		ratio[i] = x > 0 ? y / x - 1 : y > 0 ? HUGE_VAL : 0;
	}
	qsort(ratio, AN_DRAWS, sizeof(*ratio), in_order);
	*ret_low = ratio[AN_DRAWS / 200];
	*ret_high = ratio[AN_DRAWS - 1 - AN_DRAWS / 200];
}
